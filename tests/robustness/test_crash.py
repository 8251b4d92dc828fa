"""Whatever ends an ingest, at whatever instant: the last good generation is served, the next ingest finishes, and equals a clean build."""

from __future__ import annotations

import errno
import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from litsearch.errors import IndexMissing, LitsearchError, StorageError
from litsearch.files import Operation, sync, watched, write_whole, writing
from litsearch.index import Index
from litsearch.ingesting import ingest
from litsearch.records import Answers
from litsearch.searching import Searcher
from litsearch.settings import Settings
from tests.conftest import ARTICLE, Shelf
from tests.robustness.children import BUSY, DONE, FORKING, KILLED, start
from tests.robustness.faults import Loss, failing_disk, lay_out, power_cuts

NEW_TEXT = "A new text about redness. It fades after two days."
LOSSES: tuple[Loss, ...] = ("all lost", "names kept", "mixed")


def _stock(shelf: Shelf) -> Shelf:
    shelf.write("scars.md", ARTICLE)
    shelf.write("price.txt", "What it costs\n\nA session costs as much as a good meal.\n")
    return shelf


@pytest.fixture(scope="module")
def clean(new_shelf: Callable[[], Shelf]) -> dict[str, bytes]:
    """What a build at once of the final corpus holds."""
    shelf = _stock(new_shelf())
    shelf.write("new.txt", NEW_TEXT)
    shelf.ingest()
    return shelf.contents()


@pytest.fixture
def changed(shelf: Shelf) -> Shelf:
    """A shelf with a published generation whose corpus has a new article since."""
    _stock(shelf).ingest()
    shelf.write("new.txt", NEW_TEXT)
    return shelf


def _recovers(shelf: Shelf, clean: dict[str, bytes], serves: set[str]) -> str:
    """The promise, checked on a disk after a fault; what was served before the next ingest, empty for nothing yet."""
    try:
        generation, _ = shelf.index.open_good()
    except IndexMissing:
        served = ""
    else:
        served = generation.generation_id
        assert [d.text for d in generation.catalogue.documents()]
        generation.catalogue.close()
    assert served in serves
    shelf.ingest()
    assert shelf.contents() == clean
    assert list(shelf.index.generations.glob(".*")) == []
    return served


# -------------------------------------------------------------------------------------------------------- power cuts


def _cut_everywhere(shelf: Shelf, into: Path, clean: dict[str, bytes], losses: tuple[Loss, ...], seed: int = 0) -> list[str]:
    """Ingest once, then recover from every state that a power cut on the way could leave; what each state served."""
    try:
        old = shelf.index.current_id()
    except IndexMissing:
        old = ""
    with power_cuts(shelf.folder, losses, seed) as states:
        new = shelf.ingest().generation
    served = []
    for number, (where, tree) in enumerate(states.items()):
        after = Shelf.__new__(Shelf)
        after.folder, after.encoder = into / f"{seed}-{number}", shelf.encoder
        lay_out(tree, after.folder)
        try:
            served.append(_recovers(after, clean, {old, new}))
        except BaseException as error:
            error.add_note(f"after a power cut at {where}")
            raise
        shutil.rmtree(after.folder)
    # Once the ingest has returned, nothing of it may be lost.
    assert served[-1] == new, "the last state is the one after the end"
    assert {old, new} == set(served)
    return served


def test_the_simulated_disk_keeps_what_was_flushed_and_nothing_else(tmp_path: Path) -> None:
    """Content needs the file's flush, a name the folder's; a rename that was not flushed is undone."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "kept").write_bytes(b"old")
    with power_cuts(root, ("all lost",)) as states:
        write_whole(root / "kept", b"new")
        write_whole(root / "second", b"2")
        with writing(root / "third"):
            (root / "third").write_bytes(b"3")
        sync(root / "third")
    trees = list(states.values())
    assert trees[0] == {"kept": b"old"}
    assert trees[-1] == {"kept": b"new", "second": b"2"}, "a flushed file without a flushed name is gone"
    assert [tree["kept"] for tree in trees] == [b"old", b"new", b"new"], "a rename counts from the folder's flush on"


def test_a_power_cut_at_any_change_loses_no_generation(changed: Shelf, tmp_path: Path, clean: dict[str, bytes]) -> None:
    """What was not flushed is gone, names and content: the strictest disk."""
    served = _cut_everywhere(changed, tmp_path / "cuts", clean, ("all lost",))
    assert len(served) >= 4


def test_a_power_cut_during_the_first_ingest_leaves_nothing_or_the_whole(
    shelf: Shelf, tmp_path: Path, clean: dict[str, bytes]
) -> None:
    _stock(shelf).write("new.txt", NEW_TEXT)
    _cut_everywhere(shelf, tmp_path / "cuts", clean, ("all lost",))


def test_a_power_cut_while_old_generations_are_pruned_keeps_the_new_one(
    changed: Shelf, tmp_path: Path, clean: dict[str, bytes]
) -> None:
    """Three generations are kept; the fourth prunes the first."""
    for number in range(2):
        changed.write("new.txt", f"{NEW_TEXT} Version {number}.")
        changed.ingest()
    changed.write("new.txt", NEW_TEXT)
    _cut_everywhere(changed, tmp_path / "cuts", clean, ("names kept",))


def test_a_power_cut_after_a_crash_keeps_what_the_next_ingest_published(changed: Shelf, tmp_path: Path) -> None:
    """The program ends between giving the generation its name and flushing it; the next ingest takes the generation up."""
    clean_names: list[str] = []

    class Ended(BaseException):
        pass

    def end(operation: Operation, path: Path) -> None:
        if operation == "sync folder" and path.name == "generations" and clean_names[-1:] == ["rename"]:
            raise Ended
        clean_names.append(operation)

    with power_cuts(changed.folder, ("all lost",)) as states:
        with pytest.raises(Ended), watched(end):
            changed.ingest()
        new = changed.ingest().generation
    after = Shelf.__new__(Shelf)
    after.folder, after.encoder = tmp_path / "after", changed.encoder
    lay_out(list(states.values())[-1], after.folder)
    assert after.open().generation_id == new


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_power_cut_at_any_change_with_any_mixture_of_what_was_flushed(
    changed: Shelf, tmp_path: Path, clean: dict[str, bytes], seed: int
) -> None:
    _cut_everywhere(changed, tmp_path / "cuts", clean, LOSSES if seed == 0 else ("mixed",), seed)


# ------------------------------------------------------------------------------------------------------- kill -9


def _n_changes(shelf: Shelf) -> int:
    """How many changes of the disk the ingest makes."""
    count: list[Operation] = []
    with watched(lambda operation, path: count.append(operation)):
        shelf.ingest()
    return len(count)


def _killed_and_recovered(changed: Shelf, clean: dict[str, bytes], folder: Path, kill: Callable[[Path], int]) -> int:
    """Copy the shelf, let ``kill`` end an ingest of it, recover; how the process ended."""
    shutil.copytree(changed.folder, folder)
    shelf = Shelf(folder)
    old = shelf.index.current_id()
    ended = kill(folder)
    _recovers(shelf, clean, {old, clean_id(clean)})
    shutil.rmtree(folder)
    return ended


def clean_id(clean: dict[str, bytes]) -> str:
    import json

    return str(json.loads(clean["manifest.json"])["generation"])


def _kill_at(number: int) -> Callable[[Path], int]:
    def kill(folder: Path) -> int:
        child = start(folder, die=number)
        child.join(120)
        assert child.exitcode is not None
        return child.exitcode

    return kill


def _kill_after(seconds: float) -> Callable[[Path], int]:
    def kill(folder: Path) -> int:
        child = start(folder)
        time.sleep(seconds)
        child.kill()
        child.join(120)
        assert child.exitcode is not None
        return child.exitcode

    return kill


def _changes_of(changed: Shelf, tmp_path: Path) -> int:
    shutil.copytree(changed.folder, tmp_path / "counting")
    return _n_changes(Shelf(tmp_path / "counting"))


def test_kill_9_at_changes_of_the_disk(changed: Shelf, tmp_path: Path, clean: dict[str, bytes]) -> None:
    """Every sixth change here, every one in the slow tests."""
    for number in range(0, _changes_of(changed, tmp_path), 6):
        assert _killed_and_recovered(changed, clean, tmp_path / str(number), _kill_at(number)) == KILLED, number


@pytest.mark.slow
def test_kill_9_at_every_change_of_the_disk(changed: Shelf, tmp_path: Path, clean: dict[str, bytes]) -> None:
    n_changes = _changes_of(changed, tmp_path)
    assert n_changes >= 35
    for number in range(n_changes):
        assert _killed_and_recovered(changed, clean, tmp_path / str(number), _kill_at(number)) == KILLED, number


def _kill_at_random(changed: Shelf, clean: dict[str, bytes], tmp_path: Path, n: int) -> None:
    def whole(folder: Path) -> int:
        child = start(folder)
        child.join(120)
        return child.exitcode if child.exitcode is not None else BUSY

    started = time.monotonic()
    assert _killed_and_recovered(changed, clean, tmp_path / "whole", whole) == DONE
    seconds = time.monotonic() - started
    chance = random.Random(20)
    ends = [
        _killed_and_recovered(changed, clean, tmp_path / str(number), _kill_after(chance.uniform(0, seconds)))
        for number in range(n)
    ]
    assert set(ends) <= {KILLED, DONE} and KILLED in ends


def test_kill_9_at_random_instants(changed: Shelf, tmp_path: Path, clean: dict[str, bytes]) -> None:
    _kill_at_random(changed, clean, tmp_path, 8)


@pytest.mark.slow
def test_kill_9_at_two_hundred_random_instants(changed: Shelf, tmp_path: Path, clean: dict[str, bytes]) -> None:
    _kill_at_random(changed, clean, tmp_path, 200)


def test_half_written_files_of_ended_programs_are_swept_after_an_hour(changed: Shelf) -> None:
    """A crash leaves the file that was to be renamed; a second program's, of this minute, is not touched."""
    old, young = changed.index.root / ".census.json.12-34.new", changed.index.root / ".census.json.56-78.new"
    for path in (old, young):
        path.write_bytes(b"{")
    os.utime(old, (time.time() - 4_000,) * 2)
    changed.ingest()
    assert not old.exists() and young.exists()


# ------------------------------------------------------------------------------------------------------- full disks


def _fails_at_every_change(changed: Shelf, clean: dict[str, bytes], tmp_path: Path, code: int, step: int) -> int:
    """A disk that fails from the n-th change on; how many ingests it stopped."""
    n_stopped = 0
    for number in range(0, 1_000, step):
        folder = tmp_path / f"{code}-{number}"
        shutil.copytree(changed.folder, folder)
        shelf = Shelf(folder)
        old = shelf.index.current_id()
        with failing_disk(number, code) as tried:
            try:
                new = shelf.ingest().generation
            except StorageError as error:
                assert "kept" in str(error) and "run it again" in str(error)
                n_stopped += 1
                new = clean_id(clean)
            except LitsearchError as error:
                raise AssertionError(f"at {tried[number]}: {error}") from error
        _recovers(shelf, clean, {old, new})
        shutil.rmtree(folder)
        if len(tried) <= number:
            return n_stopped
    raise AssertionError("the ingest never came to its end")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_fails_at_changes_is_a_storage_error_and_the_old_generation_stays(
    changed: Shelf, clean: dict[str, bytes], tmp_path: Path, code: int
) -> None:
    """Every fourth change here, every one in the slow tests."""
    assert _fails_at_every_change(changed, clean, tmp_path, code, 4) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_a_disk_that_fails_at_any_change_is_a_storage_error_and_the_old_generation_stays(
    changed: Shelf, clean: dict[str, bytes], tmp_path: Path, code: int
) -> None:
    assert _fails_at_every_change(changed, clean, tmp_path, code, 1) >= 15


# ------------------------------------------------------------------------------------------------ several at once


def test_two_ingests_at_once_leave_one_whole_generation(changed: Shelf, clean: dict[str, bytes]) -> None:
    """Either one waits its turn by being told that the index is busy, or comes second and finds the work done."""
    for _ in range(3):
        together = FORKING.Barrier(2)
        children = [start(changed.folder, together=together) for _ in range(2)]
        for child in children:
            child.join(120)
        assert DONE in {child.exitcode for child in children} <= {DONE, BUSY}
        assert changed.contents() == clean


def test_a_reader_that_an_ingest_overtakes_gets_the_new_generation_and_no_notice(changed: Shelf) -> None:
    """The pointer is read, then another generation is published and the named one removed, then the folder is looked for."""

    class Overtaken(Index):
        overtake = False

        def current_id(self) -> str:
            name = super().current_id()
            if self.overtake:
                self.overtake = False
                ingest(replace(changed.settings, keep_generations=1), encoder=changed.encoder)
            return name

    index = Overtaken(changed.index.root)
    old = index.current_id()
    ask_first = index._named

    def named() -> str:
        index.overtake, before = False, index.overtake
        found = ask_first()
        index.overtake = before
        return found

    index._named = named  # type: ignore[method-assign]
    index.overtake = True
    generation, notice = index.open_good()
    assert (generation.generation_id != old, notice) == (True, "")


@contextmanager
def _asking(searcher: Searcher, n_threads: int = 4) -> Iterator[list[Answers]]:
    """Threads that ask all the while, each question in a thread of its own, as sessions of the app do; no error may reach them."""
    answers: list[Answers] = []
    problems: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        try:
            answers.append(searcher.ask("Who should wait before needling?"))
        except BaseException as error:
            problems.append(error)

    def keep_asking() -> None:
        while not done.is_set() and not problems:
            one = threading.Thread(target=ask)
            one.start()
            one.join()

    threads = [threading.Thread(target=keep_asking) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        done.set()
        for thread in threads:
            thread.join()
    if problems:
        raise AssertionError("a searching thread met an error") from problems[0]


def _corpus(tmp_path: Path) -> Path:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE)
    return corpus


def _searched_while_changing(settings: Settings, n_changes: int) -> None:
    """Publish, roll back and publish again under searching threads: every answer is of one generation and word for word."""
    index = Index(settings.index, keep=settings.keep_generations)
    known = {ingest(settings).generation}
    searcher = Searcher(settings)
    searcher.ask("warm")
    with _asking(searcher) as answers:
        for number in range(n_changes):
            (settings.corpus / "growing.txt").write_text(f"Version {number} of this text on needling. It says something else.")
            known.add(ingest(settings).generation)
            if len(index.history()) > 1:
                with index.locked():
                    known.add(index.roll_back())
        time.sleep(0.5)
    assert len(answers) > n_changes
    assert {answer.generation for answer in answers} <= known
    for answer in answers:
        for hit in answer.hits:
            assert hit.passage.text and hit.answer.text in hit.passage.text


@pytest.mark.parametrize("keep", [1, 3])
def test_searching_threads_meet_no_error_while_generations_come_and_go(
    real_settings: Callable[[Path], Settings], tmp_path: Path, keep: int
) -> None:
    """With one generation kept, the one being read is removed at every publishing."""
    _searched_while_changing(replace(real_settings(_corpus(tmp_path)), keep_generations=keep, threads=1), 3)


@pytest.mark.slow
def test_searching_threads_meet_no_error_through_thirty_changes(
    real_settings: Callable[[Path], Settings], tmp_path: Path
) -> None:
    _searched_while_changing(replace(real_settings(_corpus(tmp_path)), keep_generations=1, threads=1), 30)
