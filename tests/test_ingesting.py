"""``python ingest.py``: every change accounted for, nothing lost, and steps lead where one build leads."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litsearch.embedding import OnnxEncoder
from litsearch.errors import CorpusError, IndexMissing, ModelError, SettingsError
from litsearch.ingesting import SIDECAR, check, ingest, survey
from litsearch.records import Refusal
from litsearch.settings import Settings
from litsearch.testing import FakeEncoder
from tests.conftest import ARTICLE, Shelf

NEW_TEXT = "A new text about redness. It fades after two days."


def _reasons(refused: tuple[Refusal, ...]) -> dict[str, str]:
    return {refusal.path: refusal.reason for refusal in refused}


# -------------------------------------------------------------------------------------------------------- reports


def test_the_first_ingest_adds_every_article(shelf: Shelf) -> None:
    shelf.write("b.txt", NEW_TEXT)
    shelf.write("a/scars.md", ARTICLE)
    report = shelf.ingest()
    assert (report.added, report.changed, report.removed, report.unchanged) == (("a/scars.md", "b.txt"), (), (), 0)
    assert (report.documents, report.refused, report.published, report.fresh) == (2, (), True, False)
    assert shelf.index.current_id() == report.generation


def test_a_second_ingest_of_the_same_corpus_embeds_and_writes_nothing(stocked: Shelf) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in stocked.index.root.rglob("*") if path.name not in ("census.json", "ingest.lock")
    }
    report = stocked.ingest()
    assert (report.fresh, report.embedded, report.unchanged, report.added) == (True, 0, 3, ())
    assert stocked.encoder.embedded == []
    after = {
        path: path.stat().st_mtime_ns for path in stocked.index.root.rglob("*") if path.name not in ("census.json", "ingest.lock")
    }
    assert after == before


def test_a_file_touched_but_not_edited_changes_nothing(stocked: Shelf) -> None:
    os.utime(stocked.corpus / "scars.md", (1, 1))
    assert stocked.ingest().fresh


def test_an_edit_that_keeps_size_and_modification_date_is_noticed(stocked: Shelf) -> None:
    """The change date (ctime) cannot be set back by a program that restores the others, as some editors and syncs do."""
    path = stocked.corpus / "aftercare.txt"
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b"two days", b"six days"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert stocked.ingest().changed == ("aftercare.txt",)


def test_an_added_a_changed_and_a_removed_file_are_each_named(stocked: Shelf) -> None:
    stocked.write("new.txt", NEW_TEXT)
    stocked.write("aftercare.txt", "After the session\n\nThe skin is red for six days.\n")
    (stocked.corpus / "sub/price.md").unlink()
    report = stocked.ingest()
    assert (report.added, report.changed, report.removed, report.unchanged) == (
        ("new.txt",),
        ("aftercare.txt",),
        ("sub/price.md",),
        1,
    )
    assert sorted(document.path for document in stocked.open().catalogue.documents()) == ["aftercare.txt", "new.txt", "scars.md"]


def test_only_texts_that_are_new_are_embedded(stocked: Shelf) -> None:
    """The article keeps its first sentence: its passage and its second sentence are new, two texts."""
    stocked.write("aftercare.txt", "After the session\n\nThe skin is red for two days. Stay out of the sauna.\n")
    report = stocked.ingest()
    assert report.embedded == len(stocked.encoder.embedded) == 2
    assert all("sauna" in text for text in stocked.encoder.embedded)


def test_a_renamed_file_is_reported_as_renamed_and_not_embedded_again(stocked: Shelf) -> None:
    (stocked.corpus / "scars.md").rename(stocked.corpus / "scarring.md")
    report = stocked.ingest()
    assert (report.renamed, report.added, report.removed, report.embedded) == ((("scars.md", "scarring.md"),), (), (), 0)


def test_a_rename_with_an_edit_is_an_addition_and_a_removal(stocked: Shelf) -> None:
    (stocked.corpus / "scars.md").unlink()
    stocked.write("scarring.md", ARTICLE + "\nMore is said here.\n")
    report = stocked.ingest()
    assert (report.renamed, report.added, report.removed) == ((), ("scarring.md",), ("scars.md",))


def test_two_refused_files_are_no_rename_of_each_other(stocked: Shelf) -> None:
    """Their reasons are equal, their contents were never read."""
    (stocked.corpus / "one.txt").symlink_to("/etc/hostname")
    stocked.ingest()
    (stocked.corpus / "one.txt").unlink()
    (stocked.corpus / "other.txt").symlink_to("/etc/hosts")
    report = stocked.ingest()
    assert (report.renamed, report.added, report.removed) == ((), ("other.txt",), ("one.txt",))


def test_the_same_text_in_two_files_is_embedded_once_and_kept_twice(shelf: Shelf) -> None:
    shelf.write("a.txt", NEW_TEXT)
    shelf.write("b.txt", NEW_TEXT)
    report = shelf.ingest()
    assert report.documents == 2
    assert len(shelf.encoder.embedded) == len(set(shelf.encoder.embedded)) == report.embedded


def test_a_sidecar_belongs_to_its_article_and_its_edit_changes_the_article(shelf: Shelf) -> None:
    shelf.write("a.txt", NEW_TEXT)
    shelf.write(f"a.txt{SIDECAR}", "title: Redness\nkind: patient-information\n")
    assert shelf.ingest().documents == 1
    assert shelf.titles() == ["Redness"]
    shelf.write(f"a.txt{SIDECAR}", "title: How long redness lasts\nkind: patient-information\n")
    assert shelf.ingest().changed == ("a.txt",)
    assert shelf.titles() == ["How long redness lasts"]
    (shelf.corpus / f"a.txt{SIDECAR}").unlink()
    assert shelf.ingest().changed == ("a.txt",)
    assert shelf.titles() == [""]


def test_a_sidecar_may_bear_the_name_without_the_ending_where_that_names_one_file(shelf: Shelf) -> None:
    shelf.write("other.txt", "A text of its own. It says little.")
    shelf.write("sub/a.txt", NEW_TEXT)
    shelf.write(f"sub/a{SIDECAR}", "title: Redness\n")
    shelf.write(f"a{SIDECAR}", "title: Another folder's\n")
    assert _reasons(shelf.ingest().refused).keys() == {f"a{SIDECAR}"}
    assert shelf.titles() == ["", "Redness"]
    shelf.write(f"sub/a{SIDECAR}", "tilte: Redness\n")
    assert f"has a mistake in sub/a{SIDECAR}: field 'tilte'" in _reasons(shelf.ingest().refused)["sub/a.txt"]
    shelf.write(f"sub/a{SIDECAR}", "title: Redness\n")
    shelf.ingest()
    shelf.write("sub/a.md", "# Another\n\nIt may be about either.\n")
    report = shelf.ingest()
    assert "or several do" in _reasons(report.refused)[f"sub/a{SIDECAR}"]
    assert (report.changed, shelf.titles()) == (("sub/a.txt",), ["", "Another", ""])
    shelf.write(f"sub/a.txt{SIDECAR}", "title: Redness again\n")
    assert shelf.ingest().changed == ("sub/a.txt",)
    assert shelf.titles() == ["", "Another", "Redness again"]


def test_hidden_files_and_lock_files_of_editors_are_no_articles(shelf: Shelf) -> None:
    shelf.write("a.txt", NEW_TEXT)
    shelf.write(".DS_Store", b"\x00\x01")
    shelf.write(".git/config.txt", NEW_TEXT)
    shelf.write("~$a.txt", NEW_TEXT)
    assert [file.path for file in survey(shelf.corpus, None, trust_dates=False)] == ["a.txt"]


def test_repairs_are_listed_in_every_report_of_the_generation(shelf: Shelf) -> None:
    """Nothing is repaired in silence: also not in the run that finds the index fresh."""
    shelf.write("a.txt", "The face, neck and d├ęcolletage are treated. Redness follows.")
    first, second = shelf.ingest(), shelf.ingest()
    assert second.fresh
    for report in (first, second):
        ((path, repair),) = report.repairs
        assert (path, repair.what, repair.example) == ("a.txt", "UTF-8 had been read as cp852", "├ę -> é")


# ------------------------------------------------------------------------------------------------------- refusals


def test_one_bad_file_is_refused_with_its_reason_and_the_rest_goes_on(stocked: Shelf) -> None:
    stocked.write("empty.txt", "")
    stocked.write("picture.txt", bytes(range(256)) * 20)
    stocked.write("wrong.md", "---\nkind: rumour\n---\n\nText enough.\n")
    stocked.write("heading.txt", "# Only a heading\n")
    report = stocked.ingest()
    reasons = _reasons(report.refused)
    assert set(reasons) == {"empty.txt", "picture.txt", "wrong.md", "heading.txt"}
    assert "'kind' must be one of" in reasons["wrong.md"]
    assert report.documents == 3
    assert _reasons(stocked.ingest().refused) == reasons


def test_a_refused_file_is_read_again_only_when_it_changed(stocked: Shelf) -> None:
    stocked.write("wrong.md", "---\nkind: rumour\n---\n\nText enough.\n")
    stocked.ingest()
    stocked.write("new.txt", NEW_TEXT)
    assert set(_reasons(stocked.ingest().refused)) == {"wrong.md"}
    stocked.write("wrong.md", "---\nkind: cohort\n---\n\nText enough.\n")
    report = stocked.ingest()
    assert (report.refused, report.changed) == ((), ("wrong.md",))
    assert "wrong.md" in {document.path for document in stocked.open().catalogue.documents()}


@pytest.mark.parametrize("name", ["notes#1.md", "#.md", "a#b#c.md"])
def test_a_refusal_of_a_file_with_a_hash_sign_in_its_name_is_remembered(stocked: Shelf, name: str) -> None:
    """``path#key`` also names one record of a file; here it is the file itself."""
    stocked.write(name, "---\nkind: rumour\n---\n\nText enough.\n")
    assert set(_reasons(stocked.ingest().refused)) == {name}
    stocked.write("new.txt", NEW_TEXT)
    assert set(_reasons(stocked.ingest().refused)) == {name}


def test_a_refused_record_of_a_file_is_remembered_while_the_file_stays(stocked: Shelf) -> None:
    records = [{"_id": "1", "title": "Redness", "text": "It fades."}, {"_id": "2", "title": "Empty", "text": ""}]
    stocked.write("set/corpus.jsonl", "\n".join(map(json.dumps, records)))
    assert set(_reasons(stocked.ingest().refused)) == {"set/corpus.jsonl#2"}
    stocked.write("new.txt", NEW_TEXT)
    assert set(_reasons(stocked.ingest().refused)) == {"set/corpus.jsonl#2"}


def test_a_link_out_of_the_corpus_is_refused(stocked: Shelf) -> None:
    secret = stocked.folder / "secret.txt"
    secret.write_text("The password is not for patients.")
    (stocked.corpus / "link.txt").symlink_to(secret)
    (stocked.corpus / "up.txt").symlink_to("../secret.txt")
    reasons = _reasons(stocked.ingest().refused)
    assert set(reasons) == {"link.txt", "up.txt"}
    assert all("leads out of the corpus" in reason for reason in reasons.values())
    assert b"password" not in stocked.contents()["library.sqlite"]


def test_a_link_within_the_corpus_is_an_article(stocked: Shelf) -> None:
    (stocked.corpus / "again.md").symlink_to("scars.md")
    assert stocked.ingest().added == ("again.md",)


def test_a_linked_folder_is_named_and_not_skipped_in_silence(stocked: Shelf) -> None:
    outside = stocked.folder / "shared-drive"
    outside.mkdir()
    (outside / "article.txt").write_text(NEW_TEXT)
    (stocked.corpus / "drive").symlink_to(outside, target_is_directory=True)
    assert set(_reasons(stocked.ingest().refused)) == {"drive"}


def test_links_in_a_circle_are_refused(stocked: Shelf) -> None:
    (stocked.corpus / "one.txt").symlink_to("two.txt")
    (stocked.corpus / "two.txt").symlink_to("one.txt")
    report = stocked.ingest()
    assert set(_reasons(report.refused)) == {"one.txt", "two.txt"}
    assert report.documents == 3


def test_a_dangling_link_is_refused(stocked: Shelf) -> None:
    (stocked.corpus / "gone.txt").symlink_to("nowhere.txt")
    assert set(_reasons(stocked.ingest().refused)) == {"gone.txt"}


def test_a_pipe_is_refused_and_not_waited_for(stocked: Shelf) -> None:
    os.mkfifo(stocked.corpus / "pipe.txt")
    assert "not an ordinary file" in _reasons(stocked.ingest().refused)["pipe.txt"]


@pytest.mark.parametrize("name", ["two\nlines.txt", "tab\tbed.txt", b"latin-\xe9.txt", "escape\x1b[31m.txt"])
def test_a_name_that_no_line_can_hold_is_refused(stocked: Shelf, name: str | bytes) -> None:
    path = os.path.join(os.fsencode(stocked.corpus), os.fsencode(name))
    with open(path, "w") as file:
        file.write(NEW_TEXT)
    report = stocked.ingest()
    (refusal,) = report.refused
    assert "Rename it" in refusal.reason
    assert report.documents == 3
    assert stocked.ingest().fresh


@pytest.mark.parametrize(
    "name", ["d'Été 100% [1] {2} *?.md", "日本.txt", "a b  c.txt", "-rf.txt", "con.aux.txt", "x" * 240 + ".txt"]
)
def test_an_unusual_name_is_no_obstacle(shelf: Shelf, name: str) -> None:
    shelf.write(name, NEW_TEXT)
    assert shelf.ingest().added == (name,)
    assert shelf.open().catalogue.document(name) is not None


def test_an_unreadable_file_is_refused_and_read_once_it_can_be(unprivileged: Path) -> None:
    shelf = Shelf(unprivileged)
    shelf.write("scars.md", ARTICLE)
    locked = shelf.write("locked.txt", NEW_TEXT)
    locked.chmod(0)
    report = shelf.ingest()
    assert "Mend its permissions" in _reasons(report.refused)["locked.txt"]
    assert report.documents == 1
    locked.chmod(0o600)
    report = shelf.ingest()
    assert (report.refused, report.documents, report.changed) == ((), 2, ("locked.txt",))


@pytest.mark.parametrize("mode", [0, 0o400])
def test_an_unreadable_folder_is_refused_and_the_others_go_on(unprivileged: Path, mode: int) -> None:
    """Mode 0 hides what is in it; 0400 gives the names and refuses the files."""
    shelf = Shelf(unprivileged)
    shelf.write("scars.md", ARTICLE)
    shelf.write("zone/after.txt", NEW_TEXT)
    locked = shelf.write("locked/inside.txt", NEW_TEXT).parent
    locked.chmod(mode)
    try:
        report = shelf.ingest()
        (refusal,) = report.refused
        assert refusal.path == ("locked/inside.txt" if mode else "locked")
        assert "Mend its permissions" in refusal.reason
        assert report.documents == 2
        assert shelf.ingest().fresh
    finally:
        locked.chmod(0o700)
    assert shelf.ingest().documents == 3


@pytest.mark.parametrize("place", [".", "index", "sub/index"])
def test_an_index_in_the_corpus_is_refused(shelf: Shelf, place: str) -> None:
    """Its files would be read as articles at the next ingest, and change the corpus with every build."""
    shelf.write("scars.md", ARTICLE)
    made = replace(shelf.settings, index=shelf.corpus / place)
    for refuse in (lambda: ingest(made, encoder=shelf.encoder), lambda: check(made)):
        with pytest.raises(SettingsError, match="lies in the corpus"):
            refuse()
    assert [path.name for path in shelf.corpus.iterdir()] == ["scars.md"]


def test_an_index_beside_a_corpus_whose_name_begins_alike_is_no_index_in_it(shelf: Shelf) -> None:
    shelf.write("scars.md", ARTICLE)
    assert ingest(replace(shelf.settings, index=shelf.folder / "corpus-index"), encoder=shelf.encoder).documents == 1


def test_a_file_over_the_size_limit_is_refused_and_not_read(shelf: Shelf) -> None:
    shelf.write("scars.md", ARTICLE)
    with (shelf.corpus / "huge.txt").open("wb") as file:
        file.truncate(51_000_000)
    report = shelf.ingest()
    assert "51 MB" in _reasons(report.refused)["huge.txt"]


# ------------------------------------------------------------------------------------------ corpora that are none


def test_a_missing_corpus_is_an_error_with_the_remedy_and_the_index_stays(stocked: Shelf) -> None:
    old = stocked.contents()
    stocked.corpus.rename(stocked.folder / "elsewhere")
    with pytest.raises(CorpusError, match="Create it"):
        stocked.ingest()
    assert stocked.contents() == old


def test_an_emptied_corpus_is_an_error_and_the_index_stays(stocked: Shelf) -> None:
    """A drive that is not mounted looks like an empty folder; the last good index is worth more than an empty one."""
    old = stocked.contents()
    shutil.rmtree(stocked.corpus)
    stocked.corpus.mkdir()
    with pytest.raises(CorpusError, match="no articles"):
        stocked.ingest()
    assert stocked.contents() == old


def test_a_corpus_of_refused_files_alone_is_an_error_that_names_them(stocked: Shelf) -> None:
    shutil.rmtree(stocked.corpus)
    stocked.write("picture.txt", bytes(range(256)) * 20)
    with pytest.raises(CorpusError, match=r"picture\.txt"):
        stocked.ingest()
    stocked.open().catalogue.close()


# ---------------------------------------------------------------------------------------------- other inputs change


def test_another_model_rebuilds_every_vector(stocked: Shelf) -> None:
    stocked.encoder = FakeEncoder("another")
    report = stocked.ingest()
    assert not report.fresh
    assert report.embedded == len(stocked.encoder.embedded) == stocked.open().manifest["n_units"]
    assert stocked.open().manifest["model"]["name"] == "another"


def test_a_model_of_other_dimensions_takes_nothing_over(stocked: Shelf) -> None:
    """Neither the vectors nor the token vectors of the generation before would fit beside its own."""
    stocked.encoder = FakeEncoder("smaller", dimensions=8, token_dimensions=4)
    assert stocked.ingest().embedded == len(stocked.encoder.embedded) > 0
    generation = stocked.open()
    assert generation.vectors.at(np.array([0])).shape == (1, 8)
    assert generation.tokens.of(0).shape[1] == 4


def test_another_model_splits_anew_with_its_own_tokens(new_shelf: Callable[[], Shelf]) -> None:
    """Both see 64 tokens, but one counts three letters as a token: what fitted one passage now takes several."""
    stepwise, clean = new_shelf(), new_shelf()
    for shelf in (stepwise, clean):
        shelf.write("long.txt", " ".join(f"Sentence number {n} says something about redness." for n in range(12)))
    stepwise.ingest()
    stepwise.encoder, clean.encoder = FakeEncoder("narrow", letters_a_token=3), FakeEncoder("narrow", letters_a_token=3)
    stepwise.ingest()
    clean.ingest()
    assert stepwise.contents() == clean.contents()
    passages = list(clean.open().catalogue.passages())
    assert max(clean.encoder.count_tokens([passage.text for passage in passages])) <= 62


def test_the_model_folder_setting_is_followed(real_settings: Callable[[Path], Settings], tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.txt").write_text(NEW_TEXT)
    made = real_settings(corpus)
    missing = Settings(corpus=made.corpus, index=made.index, model=str(tmp_path / "no-model"), threads=1)
    with pytest.raises(ModelError, match="no-model"):
        ingest(missing)
    with pytest.raises(IndexMissing):
        check(made)


def test_rebuild_reads_and_embeds_everything_anew_into_the_same_generation(stocked: Shelf) -> None:
    old, old_id = stocked.contents(), stocked.index.current_id()
    report = stocked.ingest(rebuild=True)
    assert report.embedded == len(stocked.encoder.embedded) == stocked.open().manifest["n_units"]
    assert (report.generation, stocked.contents()) == (old_id, old)


def test_rebuild_reports_what_changed_and_not_that_all_is_new(stocked: Shelf) -> None:
    stocked.write("new.txt", NEW_TEXT)
    report = stocked.ingest(rebuild=True)
    assert (report.added, report.unchanged) == (("new.txt",), 3)


def test_rebuild_takes_in_a_file_whose_reader_failed_the_first_time(stocked: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that ran out of time on a busy machine refuses a good file. The bytes are the same when it is read again,
    so the name of the generation must not hide that it now holds more."""
    from litsearch import ingesting
    from litsearch.errors import Refused
    from litsearch.reading import FileReading, Limits, SourceFile, read_file

    def busy(source: SourceFile, limits: Limits) -> FileReading:
        if source.path == "new.txt":
            raise Refused("took longer than 60 s to read.")
        return read_file(source, limits)

    stocked.write("new.txt", NEW_TEXT)
    with monkeypatch.context() as patched:
        patched.setattr(ingesting, "read_file", busy)
        assert set(_reasons(stocked.ingest().refused)) == {"new.txt"}
    report = stocked.ingest(rebuild=True)
    assert report.refused == ()
    generation = stocked.open()
    assert generation.manifest["refused"] == []
    assert generation.catalogue.document("new.txt") is not None
    assert generation.manifest["n_documents"] == report.documents == 4
    assert stocked.ingest().fresh


def test_a_damaged_earlier_generation_is_built_anew(stocked: Shelf) -> None:
    (stocked.generation_folder / "vectors.faiss").write_bytes(b"")
    stocked.write("new.txt", NEW_TEXT)
    report = stocked.ingest()
    assert report.embedded == stocked.open().manifest["n_units"]


@pytest.mark.parametrize("census", [b"", b"[]", b"{", b'{"scars.md": [1]}', b'{"scars.md": "12345"}', b'{"scars.md": 5}'])
def test_a_damaged_record_of_dates_is_ignored(stocked: Shelf, census: bytes) -> None:
    (stocked.index.root / "census.json").write_bytes(census)
    assert stocked.ingest().fresh


# --------------------------------------------------------------------------------------------------------- check


def test_check_says_fresh_and_changes_nothing(real_settings: Callable[[Path], Settings], tmp_path: Path) -> None:
    """One story with the real model: fresh; then one file each added, changed and removed; nothing is written by looking."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        (corpus / name).write_text(f"{name} is about redness. It fades after two days.")
    made = real_settings(corpus)
    first = ingest(made)
    assert check(made).fresh
    (corpus / "a.txt").write_text("Something else. It says more.")
    (corpus / "b.txt").unlink()
    (corpus / "d.txt").write_text(NEW_TEXT)
    before = {path: path.stat().st_mtime_ns for path in made.index.rglob("*")}
    report = check(made)
    assert {path: path.stat().st_mtime_ns for path in made.index.rglob("*")} == before
    assert (report.fresh, report.published, report.generation) == (False, False, first.generation)
    assert (report.added, report.changed, report.removed, report.unchanged) == (("d.txt",), ("a.txt",), ("b.txt",), 1)


# -------------------------------------------------------------------------------------------- incremental == clean

NAMES = ["a.txt", "b.md", "sub/c.txt", "notes#1.md", "set/corpus.jsonl"]
SENTENCES = st.sampled_from(
    [
        "Redness fades after two days.",
        "Do not use retinoids for a week.",
        "People with keloids should not have it.",
        "- one thing\n- another thing",
        "# A heading\n",
        "The d├ęcolletage is treated too.",
        "Was it 1.5 mm? It was.",
        "---\nkind: rumour\n---",
        "\x00\x01\x02",
    ]
)
REFUSED = st.sampled_from(["---\nkind: rumour\n---\n\nText enough.", "", "\x00\x01\x02" * 9, "# Only a heading"])
TEXTS = st.one_of(REFUSED, st.lists(SENTENCES, min_size=0, max_size=4).map("\n\n".join))
RECORDS = st.lists(st.fixed_dictionaries({"_id": st.sampled_from("123"), "text": TEXTS}), max_size=3).map(
    lambda records: "\n".join(map(json.dumps, records))
)
EDITS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(NAMES[:4]), TEXTS),
    st.tuples(st.just("write"), st.just(NAMES[4]), RECORDS),
    st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just("")),
    st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(["r.txt", "r.md", "notes#2.md"])),
    st.tuples(st.just("describe"), st.sampled_from(NAMES[:4]), st.sampled_from(["title: A\n", "kind: rumour\n", "year: 2020\n"])),
    st.tuples(st.just("model"), st.sampled_from(["fake", "narrow"]), st.just("")),
    st.tuples(st.just("rollback"), st.just(""), st.just("")),
)


def _apply(shelf: Shelf, edit: tuple[str, str, str]) -> None:
    what, name, text = edit
    path = shelf.corpus / name
    if what == "write":
        shelf.write(name, text)
    elif what == "describe":
        shelf.write(name + SIDECAR, text)
    elif what == "model":
        shelf.encoder = FakeEncoder(name, letters_a_token=3 if name == "narrow" else 1_000)
    elif what == "remove":
        path.unlink(missing_ok=True)
    elif what == "rename" and path.exists():
        path.rename(shelf.corpus / text)
    elif what == "rollback" and len(shelf.index.history()) > 1:
        shelf.index.roll_back()


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.lists(EDITS, min_size=1, max_size=3), max_size=4))
def test_building_in_steps_gives_the_same_index_as_building_at_once(
    new_shelf: Callable[[], Shelf], steps: list[list[tuple[str, str, str]]]
) -> None:
    """Promise 4, with files added, changed, removed, renamed, refused, described by sidecars, models changed and changed
    back, roll-backs between: every file of the generation, byte for byte, its manifest too."""
    stepwise, clean = new_shelf(), new_shelf()
    try:
        stepwise.write(
            "always.txt", "Always here, so there is an article. " + "Long enough for another model to split it otherwise. " * 8
        )
        stepwise.ingest()
        for edits in steps:
            for edit in edits:
                _apply(stepwise, edit)
            stepwise.ingest()
        shutil.copytree(stepwise.corpus, clean.corpus, dirs_exist_ok=True)
        clean.encoder = stepwise.encoder
        last, whole = stepwise.ingest(), clean.ingest()
        assert last.generation == whole.generation
        assert last.refused == whole.refused
        assert last.repairs == whole.repairs
        assert stepwise.contents() == clean.contents()
        assert stepwise.ingest().embedded == 0
    finally:
        shutil.rmtree(stepwise.folder)
        shutil.rmtree(clean.folder)


def test_with_the_real_model_too_steps_lead_where_one_build_leads(encoder: OnnxEncoder, new_shelf: Callable[[], Shelf]) -> None:
    """A text's vector must not depend on the texts that happen to be embedded beside it, not in its last bit either."""
    stepwise, clean = new_shelf(), new_shelf()
    texts = {
        "a.md": ARTICLE,
        "b.txt": "The skin is red for two days. Keep it clean, and keep it out of the sun for at least one week.",
        "c.txt": "A session costs about as much as a good meal. Several are needed.",
    }
    for name, text in texts.items():
        clean.write(name, text)
        stepwise.write(name, text)
        ingest(stepwise.settings, encoder=encoder)
    ingest(clean.settings, encoder=encoder)
    one, other = stepwise.open(), clean.open()
    everything = np.arange(len(one.vectors))
    np.testing.assert_allclose(one.vectors.at(everything), other.vectors.at(everything), atol=1e-6)
    assert stepwise.contents() == clean.contents()


def test_an_ingest_without_an_encoder_opens_the_one_that_the_settings_name(committed_index: Settings) -> None:
    from litsearch.embedding import PACKAGED_SHA256, find_model
    from litsearch.index import Index

    manifest = Index(committed_index.index).open().manifest
    assert manifest["model"]["name"] == find_model("")[1]
    assert manifest["model"]["name"] != "all-MiniLM-L6-v2" or manifest["model"]["sha256"] == PACKAGED_SHA256
    assert manifest["refused"] == []


def test_ingesting_the_committed_corpus_again_embeds_nothing(committed_index: Settings) -> None:
    report = ingest(committed_index)
    assert (report.fresh, report.embedded) == (True, 0)
