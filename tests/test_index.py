"""A reader of ``index/`` sees one complete generation, checked against its checksums, always."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from litsearch.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, LitsearchError, SettingsError, StorageError
from litsearch.index import SCHEMA_VERSION, Generation, Index, _digest, fingerprint
from litsearch.settings import ROOT
from litsearch.testing import FakeEncoder
from tests.conftest import ARTICLE, Shelf, meanwhile


def _seal(folder: Path, **changes: object) -> None:
    """Edit a manifest the way a program would: with its checksum brought up to date."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest.update(changes)
    manifest["checksum"] = _digest({key: value for key, value in manifest.items() if key != "checksum"})
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _files(shelf: Shelf) -> list[Path]:
    return sorted(path for path in shelf.generation_folder.rglob("*") if path.is_file())


def _publish_several(shelf: Shelf, n: int) -> list[str]:
    """Publish ``n`` generations after the first; their ids, oldest first."""
    ids = []
    for number in range(n):
        shelf.write("growing.txt", f"Version {number} of this text. It says something else each time.")
        ids.append(shelf.ingest().generation)
    return ids


@contextmanager
def _files_no_larger_than(n_bytes: int) -> Iterator[None]:
    """The system refuses to let any file grow past this, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# ----------------------------------------------------------------------------------------------------- publishing


def test_before_the_first_ingest_the_index_is_named_missing_with_the_remedy(shelf: Shelf) -> None:
    with pytest.raises(IndexMissing, match=r"python ingest\.py"):
        shelf.open()


def test_a_published_generation_opens_and_holds_what_went_in(stocked: Shelf) -> None:
    generation = stocked.open()
    assert generation.manifest["n_documents"] == 3
    assert (
        len(list(generation.catalogue.passages()))
        == generation.manifest["n_passages"]
        == generation.lexical.relevance({}).shape[0]
    )
    assert len(generation.vectors) == generation.manifest["n_units"] == len(generation.unit_hashes)


def test_the_manifest_names_everything_that_decided_the_index(stocked: Shelf) -> None:
    """Schema, model and its hash, splitter, each file's hash, counts, library versions and checksums (issue 2)."""
    manifest = stocked.open().manifest
    assert manifest["schema"] == SCHEMA_VERSION
    assert manifest["model"] == {"name": "fake", "sha256": stocked.encoder.sha256, "dimensions": 32, "token_dimensions": 24}
    assert manifest["inputs"]["splitter"]["max_tokens"] == 64
    assert set(manifest["inputs"]["files"]) == {"aftercare.txt", "scars.md", "sub/price.md"}
    assert {"faiss-cpu", "bm25s", "numpy", "sentence-transformers"} <= set(manifest["libraries"])
    on_disk = {path.relative_to(stocked.generation_folder).as_posix() for path in _files(stocked)}
    assert set(manifest["files"]) == on_disk - {"manifest.json"}


def test_the_same_corpus_twice_gives_the_same_bytes(new_shelf: Callable[[], Shelf]) -> None:
    """Promise 4. Two folders, two runs: every file of the generation is equal, the manifest too."""
    first, second = new_shelf(), new_shelf()
    for shelf in (first, second):
        shelf.write("scars.md", ARTICLE)
        shelf.write("price.txt", "What it costs\n\nA session costs as much as a good meal.")
        shelf.ingest()
    assert first.contents() == second.contents()


def test_the_same_inputs_have_the_same_name_whatever_their_order() -> None:
    assert fingerprint({"a": 1, "b": {"c": 2, "d": 3}}) == fingerprint({"b": {"d": 3, "c": 2}, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_three_generations_are_kept_and_the_current_is_the_newest(stocked: Shelf) -> None:
    """One and four more make five; the setting keeps three."""
    ids = _publish_several(stocked, 4)
    assert stocked.index.history() == ids[:-4:-1]
    assert sorted(path.name for path in stocked.index.generations.iterdir()) == sorted(ids[-3:])
    assert stocked.index.current_id() == ids[-1]


def test_leftovers_of_an_interrupted_ingest_are_swept(stocked: Shelf) -> None:
    leftover = stocked.index.generations / ".building-12345"
    (leftover / "lexical").mkdir(parents=True)
    (leftover / "library.sqlite").write_bytes(b"half")
    _publish_several(stocked, 1)
    assert not leftover.exists()


def test_a_generation_that_was_written_but_not_switched_to_is_taken_up(stocked: Shelf) -> None:
    """A crash between the two renames: the folder is there, the pointer still names the old one."""
    before = (stocked.index.root / "current.json").read_bytes()
    old = stocked.index.current_id()
    (new,) = _publish_several(stocked, 1)
    (stocked.index.root / "current.json").write_bytes(before)
    assert stocked.index.current_id() == old
    assert stocked.ingest().generation == new == stocked.index.current_id()


# --------------------------------------------------------------------------------------------------------- damage


def test_a_flipped_byte_in_any_file_is_noticed_and_the_file_named(stocked: Shelf) -> None:
    """Every file, first, middle and last byte; FAISS alone would load a flipped byte in silence."""
    for path in _files(stocked):
        whole = path.read_bytes()
        for at in {0, len(whole) // 2, len(whole) - 1}:
            damaged = bytearray(whole)
            damaged[at] ^= 0x01
            path.write_bytes(damaged)
            with pytest.raises(IndexDamaged, match=path.name) as caught:
                stocked.open()
            assert "python ingest.py" in str(caught.value)
        path.write_bytes(whole)
    stocked.open()


@pytest.mark.parametrize("left", [0.0, 0.5])
def test_a_truncated_file_is_noticed_and_named(stocked: Shelf, left: float) -> None:
    for path in _files(stocked):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * left)])
        with pytest.raises(IndexDamaged, match=path.name):
            stocked.open()
        path.write_bytes(whole)


def test_a_missing_file_is_noticed_and_named(stocked: Shelf) -> None:
    for path in _files(stocked):
        aside = path.rename(stocked.folder / "aside")
        with pytest.raises(IndexDamaged, match=path.name):
            stocked.open()
        aside.rename(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"text"', b"{}", b"\xff\xfe", b'{"checksum": 1}'])
def test_a_manifest_that_is_no_manifest_is_damaged(stocked: Shelf, content: bytes) -> None:
    (stocked.generation_folder / "manifest.json").write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"manifest\.json"):
        stocked.open()


def test_an_edited_manifest_is_noticed(stocked: Shelf) -> None:
    path = stocked.generation_folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["n_passages"] += 1
    path.write_text(json.dumps(manifest))
    with pytest.raises(IndexDamaged, match="changed after it was written"):
        stocked.open()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"null", b"{}", b'{"generation": 1, "history": []}', b"\xff"])
def test_a_damaged_pointer_is_named_and_the_newest_whole_generation_served(stocked: Shelf, content: bytes) -> None:
    (newest,) = _publish_several(stocked, 1)
    (stocked.index.root / "current.json").write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"current\.json"):
        stocked.open()
    generation, notice = stocked.index.open_good()
    assert generation.generation_id == newest
    assert "current.json" in notice


def test_a_pointer_to_a_generation_that_is_gone_is_no_crash(stocked: Shelf) -> None:
    old = stocked.index.current_id()
    (new,) = _publish_several(stocked, 1)
    (stocked.index.generations / new).rename(stocked.folder / "gone")
    with pytest.raises(IndexMissing, match=new):
        stocked.open()
    generation, _ = stocked.index.open_good()
    assert generation.generation_id == old


def test_a_damaged_generation_is_passed_over_for_the_last_good_one(stocked: Shelf) -> None:
    """Newest damaged, second damaged, first whole: the first is served and staff are told."""
    first = stocked.index.current_id()
    for name in _publish_several(stocked, 2):
        (stocked.index.generations / name / "vectors.faiss").write_bytes(b"")
    generation, notice = stocked.index.open_good()
    assert generation.generation_id == first
    assert "vectors.faiss" in notice and first in notice


def test_with_no_whole_generation_left_the_damage_is_the_error(stocked: Shelf) -> None:
    (stocked.generation_folder / "units.npy").unlink()
    with pytest.raises(IndexDamaged, match=r"units\.npy"):
        stocked.index.open_good()


@pytest.mark.parametrize("remedy", ["ingest", "rebuild"])
def test_the_named_remedy_mends_a_damaged_index(stocked: Shelf, remedy: str) -> None:
    """The generation's name is that of its inputs: the mended one has the same name and must not be taken for whole."""
    whole = stocked.contents()
    for path in _files(stocked):
        path.write_bytes(path.read_bytes()[:-1])
        stocked.ingest(rebuild=remedy == "rebuild")
        assert stocked.contents() == whole


def test_another_schema_is_a_mismatch_and_the_plain_ingest_replaces_it(stocked: Shelf) -> None:
    whole = stocked.contents()
    _seal(stocked.generation_folder, schema=SCHEMA_VERSION + 1)
    with pytest.raises(IndexMismatch, match=r"python ingest\.py"):
        stocked.open()
    stocked.ingest()
    assert stocked.contents() == whole


def test_a_manifest_without_a_schema_is_an_error_of_ours(stocked: Shelf) -> None:
    path = stocked.generation_folder / "manifest.json"
    manifest = {key: value for key, value in json.loads(path.read_text()).items() if key not in ("schema", "checksum")}
    path.write_text(json.dumps({**manifest, "checksum": _digest(manifest)}))
    with pytest.raises((IndexDamaged, IndexMismatch)):
        stocked.open()


# ------------------------------------------------------------------------------------------------------- rollback


def test_roll_back_serves_the_one_before_the_current(stocked: Shelf) -> None:
    first = stocked.index.current_id()
    (second,) = _publish_several(stocked, 1)
    assert stocked.index.roll_back() == first
    assert stocked.open().generation_id == first
    assert stocked.index.roll_back(second) == second == stocked.index.current_id()


def test_rolling_back_loses_no_generation(stocked: Shelf) -> None:
    _publish_several(stocked, 2)
    kept = sorted(stocked.index.history())
    stocked.index.roll_back()
    assert sorted(stocked.index.history()) == kept
    assert sorted(path.name for path in stocked.index.generations.iterdir()) == kept


def test_rolling_back_to_a_damaged_generation_keeps_the_current(stocked: Shelf) -> None:
    first = stocked.index.current_id()
    (second,) = _publish_several(stocked, 1)
    (stocked.index.generations / first / "words.json").write_bytes(b"{}")
    with pytest.raises(IndexDamaged, match=r"words\.json"):
        stocked.index.roll_back()
    assert stocked.index.current_id() == second


def test_rolling_back_with_nothing_to_go_back_to_says_so(stocked: Shelf) -> None:
    with pytest.raises(IndexMissing, match="no earlier generation"):
        stocked.index.roll_back()
    with pytest.raises(IndexMissing, match="0123456789abcdef"):
        stocked.index.roll_back("0123456789abcdef")


@pytest.mark.parametrize("name", ["..", "../..", "/tmp", ".", "../generations"])
def test_rolling_back_to_what_is_no_generation_is_refused(stocked: Shelf, name: str) -> None:
    """A name is looked up below ``generations/`` and must hold a generation, wherever it leads."""
    current = stocked.index.current_id()
    with pytest.raises(LitsearchError):
        stocked.index.roll_back(name)
    assert stocked.index.current_id() == current


def test_an_ingest_after_a_roll_back_returns_to_the_corpus(stocked: Shelf) -> None:
    (second,) = _publish_several(stocked, 1)
    stocked.index.roll_back()
    assert stocked.ingest().generation == second == stocked.index.current_id()


# ----------------------------------------------------------------------------------------------- locks and crashes


def test_two_ingests_do_not_meet(stocked: Shelf) -> None:
    with stocked.index.locked(), pytest.raises(IndexBusy, match="Another ingest"):
        stocked.ingest()
    assert stocked.ingest().fresh


def test_the_lock_holds_between_processes_and_goes_with_its_process(stocked: Shelf) -> None:
    program = (
        "import sys, pathlib; from litsearch.index import Index\n"
        "with Index(pathlib.Path(sys.argv[1])).locked():\n    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(stocked.index.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(IndexBusy):
            stocked.ingest()
    finally:
        holder.kill()
        holder.communicate()
    assert stocked.ingest().fresh


CRASHING = """
import os, sys, pathlib
sys.path.insert(0, {root!r})
from tests.conftest import Shelf
from litsearch.ingesting import ingest
stage_to_die_in, n_files = sys.argv[2], int(sys.argv[3])
shelf = Shelf(pathlib.Path(sys.argv[1]))
def progress(stage, done, of):
    if stage == stage_to_die_in:
        if n_files:
            # die once this many files of the new generation are there
            import threading, glob, time
            def watch():
                places = str(shelf.index.generations / ".building-*" / "**")
                while len(glob.glob(places, recursive=True)) <= n_files: time.sleep(0)
                os._exit(9)
            threading.Thread(target=watch, daemon=True).start()
        else:
            os._exit(9)
ingest(shelf.settings, progress=progress, encoder=shelf.encoder)
"""


@pytest.mark.parametrize(
    ("stage", "n_files"), [("reading", 0), ("embedding", 0), ("writing", 0), ("writing", 3), ("checking", 0), ("switching", 0)]
)
def test_a_crash_at_any_stage_leaves_the_last_good_generation(stocked: Shelf, stage: str, n_files: int) -> None:
    """The process dies without a chance to clean up; the next ingest mends all."""
    old = stocked.contents()
    stocked.write("new.txt", "A new text about redness. It fades after two days.")
    arguments = [str(stocked.folder), stage, str(n_files)]
    done = subprocess.run(
        [sys.executable, "-c", CRASHING.format(root=str(ROOT)), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 9, done.stderr
    assert stocked.contents() == old
    stocked.open()
    assert stocked.ingest().added == ("new.txt",)
    assert [path.name for path in stocked.index.generations.glob(".*")] == []


def test_a_reader_beside_a_writer_sees_whole_generations_only(stocked: Shelf) -> None:
    """One thread opens the index again and again while eight generations are published; keep three covers a slow reader."""
    ids = [stocked.index.current_id()]
    seen: list[str] = []

    def read() -> None:
        generation = stocked.open()
        seen.append(generation.generation_id)
        generation.catalogue.close()

    with meanwhile(read) as problems:
        ids += _publish_several(stocked, 8)
    assert problems == []
    assert set(seen) <= set(ids)


# ----------------------------------------------------------------------------------------------------- the disk


@pytest.mark.parametrize("limit", [0, 1_000, 20_000, 50_000])
def test_a_file_that_the_system_cuts_off_is_a_storage_error_and_the_old_generation_stays(tmp_path: Path, limit: int) -> None:
    """With 2,048 dimensions the vectors (100 KB) outgrow the catalogue (28 KB): 50,000 bites in FAISS, the rest in SQLite."""
    shelf = Shelf(tmp_path, FakeEncoder(dimensions=2_048))
    shelf.write("scars.md", ARTICLE)
    shelf.ingest()
    old = shelf.contents()
    assert len(old["library.sqlite"]) < 50_000 < len(old["vectors.faiss"])
    shelf.write("new.txt", "A new text about redness. It fades after two days.")
    with pytest.raises(StorageError, match="kept"), _files_no_larger_than(limit):
        shelf.ingest()
    assert shelf.contents() == old
    assert list(shelf.index.generations.glob(".building-*")) == []
    assert shelf.ingest().added == ("new.txt",)


def test_a_disk_that_fills_at_any_file_is_a_storage_error_and_the_old_generation_stays(tmp_path: Path) -> None:
    """A file system of 300 KB with 0, 4, 8 ... KB free: the disk is full in each of the twelve files in turn, then in none."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)], capture_output=True, check=False
    ).returncode == 0  # fmt: skip
    if not mounted:
        pytest.skip("a small file system can be mounted by the superuser alone; the test of the file size limit covers the rest")
    try:
        shelf = Shelf(place)
        shelf.write("scars.md", ARTICLE)
        shelf.ingest()
        old = shelf.contents()
        shelf.write("new.txt", "A new text about redness. It fades after two days.")
        n_full = 0
        for free in range(0, 200_000, 4_096):
            status = os.statvfs(place)
            (place / "filler").write_bytes(bytes(max(0, status.f_bavail * status.f_frsize - free)))
            try:
                shelf.ingest()
            except StorageError as error:
                n_full += 1
                assert "disk is full" in str(error) and "kept" in str(error)
            else:
                break
            finally:
                (place / "filler").unlink()
            assert shelf.contents() == old
            assert list(shelf.index.generations.glob(".building-*")) == []
        assert n_full >= 12
        assert shelf.open().manifest["n_documents"] == 2
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_an_index_that_may_not_be_written_is_a_storage_error_and_is_still_served(unprivileged: Path) -> None:
    shelf = Shelf(unprivileged)
    shelf.write("scars.md", ARTICLE)
    shelf.ingest()
    shelf.write("new.txt", "A new text about redness. It fades after two days.")
    folders = [shelf.index.root, shelf.index.generations]
    for folder in folders:
        folder.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="permission"):
            shelf.ingest()
        assert shelf.open().manifest["n_documents"] == 1
    finally:
        for folder in folders:
            folder.chmod(0o700)
    assert shelf.ingest().added == ("new.txt",)


def test_an_index_folder_that_is_a_file_is_named(shelf: Shelf) -> None:
    shelf.write("scars.md", ARTICLE)
    (shelf.folder / "index").write_text("not a folder")
    with pytest.raises(SettingsError, match="is a file, not a folder"):
        shelf.ingest()


def test_serving_needs_no_right_to_write(unprivileged: Path) -> None:
    """A generation is opened and read from a folder that nobody may write to, and leaves no side files there."""
    shelf = Shelf(unprivileged)
    shelf.write("scars.md", ARTICLE)
    shelf.ingest()
    folder = shelf.generation_folder
    before = sorted(path.name for path in folder.rglob("*"))
    folder.chmod(0o500)
    try:
        generation = Generation(folder)
        assert [document.path for document in generation.catalogue.documents()] == ["scars.md"]
        assert sorted(path.name for path in folder.rglob("*")) == before
    finally:
        folder.chmod(0o700)


def test_history_is_empty_before_the_first_ingest(tmp_path: Path) -> None:
    assert Index(tmp_path / "index").history() == []
