"""Two kept generations side by side: every passage accounted for once, renames followed, moved answers named."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litsearch.commands import main
from litsearch.errors import IndexMissing, QuestionError
from litsearch.index import Index
from litsearch.ingesting import ingest
from litsearch.library.comparing import Changes, compare, moved_answers, pick, read_questions
from litsearch.records import Answer, Answers, Hit, Metadata, Outcome, Passage, Reading, Span
from litsearch.settings import Settings
from tests.conftest import ARTICLE, Shelf


def _compared(shelf: Shelf, old: str | None = None, new: str | None = None) -> Changes:
    names = pick(shelf.index, old, new)
    before, after = (shelf.index.open(name) for name in names)
    with closing(before.catalogue), closing(after.catalogue):
        return compare(before, after)


def test_an_edited_an_added_and_a_removed_passage_are_told_apart(stocked: Shelf) -> None:
    """One word of three sentences changes; the list goes, and a paragraph on another matter comes under its heading."""
    article = ARTICLE.replace("flatter after several", "flatter after a few")
    head, _ = article.split("See a doctor first")
    stocked.write("scars.md", head + "Nothing is known about its use on nails.\n")
    stocked.ingest()
    changes = _compared(stocked)
    assert changes.changed_documents == ("scars.md",)
    (edit,) = changes.edited
    assert "after several sessions" in edit.before.passage.text and "after a few sessions" in edit.after.passage.text
    assert edit.same_place and 0.9 < edit.shared_letters < 1
    assert edit.decided_by.startswith("the same document, the same heading, 9")
    assert [placed.passage.text[:20] for placed in changes.added] == ["Nothing is known abo"]
    assert [placed.passage.text[:20] for placed in changes.removed] == ["See a doctor first i"]


def test_a_passage_under_another_heading_is_edited_when_nearly_all_of_it_stays(stocked: Shelf) -> None:
    stocked.write("scars.md", ARTICLE.replace("## What it does", "## How it works"))
    stocked.ingest()
    changes = _compared(stocked)
    (edit,) = changes.edited
    assert (edit.before.passage.section, edit.after.passage.section) == ("What it does", "How it works")
    assert (edit.shared_letters, edit.same_place) == (1.0, False)
    assert (changes.added, changes.removed) == ((), ())


def test_a_renamed_file_changes_no_passage(stocked: Shelf) -> None:
    """Its passages have other ids, because an id holds the document's; their words and headings are the same."""
    (stocked.corpus / "scars.md").rename(stocked.corpus / "scarring.md")
    stocked.ingest()
    changes = _compared(stocked)
    assert changes.renamed_documents == (("scars.md", "scarring.md"),)
    assert changes.n_documents == 1
    assert (changes.added, changes.removed, changes.edited) == ((), (), ())


def test_a_new_article_and_a_gone_one_bring_and_take_all_their_passages(stocked: Shelf) -> None:
    stocked.write("new.txt", "Redness\n\nIt fades after two days.\n\nIt never lasts for a month.\n")
    (stocked.corpus / "sub/price.md").unlink()
    stocked.ingest()
    changes = _compared(stocked)
    assert (changes.added_documents, changes.removed_documents) == (("new.txt",), ("sub/price.md",))
    assert [placed.passage.text for placed in changes.added] == ["It fades after two days.", "It never lasts for a month."]
    assert [placed.path for placed in changes.removed] == ["sub/price.md"]


def test_changed_metadata_is_a_changed_document_without_a_changed_passage(stocked: Shelf) -> None:
    stocked.write("scars.md", ARTICLE.replace("year: 2020", "year: 2021"))
    stocked.ingest()
    changes = _compared(stocked)
    assert changes.changed_documents == ("scars.md",)
    assert (changes.added, changes.removed, changes.edited) == ((), (), ())


def test_two_equal_passages_of_which_one_goes_are_one_removed(shelf: Shelf) -> None:
    shelf.write("a.txt", "It fades.\n\nIt fades.\n\nKeep it clean, always.\n")
    shelf.ingest()
    shelf.write("a.txt", "It fades.\n\nKeep it clean, always.\n")
    shelf.ingest()
    changes = _compared(shelf)
    assert [placed.passage.text for placed in changes.removed] == ["It fades."]
    assert (changes.added, changes.edited) == ((), ())


PARAGRAPHS = st.lists(
    st.sampled_from(
        [
            "Redness fades after two days.",
            "Redness fades after three days.",
            "Do not use retinoids for a week.",
            "# A heading",
            "# Another heading",
            "It costs as much as a meal.",
        ]
    ),
    max_size=6,
).map("\n\n".join)


@settings(max_examples=20)
@given(old=PARAGRAPHS, new=PARAGRAPHS)
def test_every_passage_of_both_generations_is_accounted_for_once(new_shelf: Callable[[], Shelf], old: str, new: str) -> None:
    """passages(old) - removed - edited + edited + added = passages(new), as texts with their headings."""
    shelf = new_shelf()
    shelf.write("always.txt", "Always here.")
    shelf.write("a.md", old)
    first = shelf.ingest().generation
    shelf.write("a.md", new)
    second = shelf.ingest().generation
    if first == second:
        return
    changes = _compared(shelf, first, second)

    def placed(passages: list[Passage]) -> list[tuple[str, str]]:
        return sorted((p.section, p.text) for p in passages)

    before, after = shelf.index.open(first), shelf.index.open(second)
    with closing(before.catalogue), closing(after.catalogue):
        left = placed(list(before.catalogue.passages()))
        for one in [*changes.removed, *(edit.before for edit in changes.edited)]:
            left.remove((one.passage.section, one.passage.text))
        left += [(p.passage.section, p.passage.text) for p in (*changes.added, *(edit.after for edit in changes.edited))]
        assert sorted(left) == placed(list(after.catalogue.passages()))


def test_generations_that_are_not_kept_are_refused_and_the_kept_ones_listed(stocked: Shelf) -> None:
    (only,) = stocked.index.history()
    with pytest.raises(IndexMissing, match=f"Only one generation is kept .*{only}"):
        pick(stocked.index)
    with pytest.raises(IndexMissing, match=f"0123456789abcdef is not kept .*{only}"):
        pick(stocked.index, "0123456789abcdef")
    assert pick(stocked.index, only) == (only, only)


def test_an_index_that_was_never_built_says_how_to_build_it(shelf: Shelf) -> None:
    with pytest.raises(IndexMissing, match=r"python ingest\.py"):
        pick(shelf.index)


# ------------------------------------------------------------------------------------------------------- questions


def _answers(question: str, outcome: Outcome, document_id: str, text: str) -> Answers:
    passage = Passage("p", document_id, 0, len(text), text, "", "text", (Span(0, len(text)),))
    hit = Hit(1, passage, document_id, Metadata("T"), Answer(0, len(text), text), 0.5, 1.0)
    return Answers(question, Reading(question), outcome, 0.5, (hit,), (), (), "g", 1.0)


BEFORE = {
    "same": ("answered", "a.md", "One."),
    "other words": ("answered", "a.md", "One."),
    "other article": ("answered", "a.md", "One."),
    "renamed article": ("answered", "old.md", "One."),
    "answered no more": ("answered", "a.md", "One."),
    "never answered": ("related", "a.md", "One."),
}
AFTER = {
    "same": ("answered", "a.md", "One."),
    "other words": ("answered", "a.md", "Two."),
    "other article": ("answered", "b.md", "One."),
    "renamed article": ("answered", "new.md", "One."),
    "answered no more": ("related", "a.md", "One."),
    "never answered": ("nothing", "b.md", "Two."),
}


def test_a_first_answer_moved_when_its_words_its_article_or_its_outcome_did() -> None:
    moved = moved_answers(
        list(BEFORE),
        lambda q: _answers(q, *BEFORE[q]),  # type: ignore[arg-type]
        lambda q: _answers(q, *AFTER[q]),  # type: ignore[arg-type]
        [("old.md", "new.md")],
    )
    assert [one.question for one in moved] == ["other words", "other article", "answered no more"]
    assert (moved[2].before.text, moved[2].after.text, moved[2].after.outcome) == ("One.", "", "related")


def test_questions_are_read_from_lines_json_lines_and_folders(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("Does it hurt?\n\n How long? \nDoes it hurt?\n")
    (tmp_path / "questions-a.jsonl").write_text('{"question": "Is it safe?"}\n{"text": "How much?"}\n')
    assert read_questions(tmp_path / "q.txt") == ["Does it hurt?", "How long?"]
    assert read_questions(tmp_path) == read_questions(tmp_path / "questions-a.jsonl") == ["Is it safe?", "How much?"]
    (tmp_path / "questions-b.jsonl").write_text("{}\n")
    for place in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(QuestionError, match="one a line"):
            read_questions(place)


# ----------------------------------------------------------------------------------------------------- the command


def test_changes_prints_one_object_with_documents_passages_and_moved_questions(
    real_settings: Callable[[Path], Settings],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LITSEARCH_STRICTNESS", "0.000001")  # everything counts as answered
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE)
    made = real_settings(corpus)
    first = ingest(made).generation
    (corpus / "scars.md").write_text(ARTICLE.replace("Scars look flatter", "Deep scars look flatter"))
    second = ingest(made).generation
    (tmp_path / "q.txt").write_text("Who should see a doctor first?\nWhat do scars look like after several sessions?\n")
    place = ["--index", str(made.index), "--questions", str(tmp_path / "q.txt")]
    assert main(["changes", *place, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert (found["old"], found["new"]) == (first, second)
    assert found["documents"] == {"added": [], "changed": ["scars.md"], "renamed": [], "removed": []}
    (edit,) = found["passages"]["edited"]
    assert "Deep scars" in edit["after"]["text"] and "Deep scars" not in edit["before"]["text"]
    assert found["questions"]["asked"] == 2
    (moved,) = found["questions"]["moved"]
    assert moved["question"].startswith("What do scars")
    assert "Deep scars" in moved["after"]["text"] and "Deep scars" not in moved["before"]["text"]
    assert main(["changes", second, first, *place]) == 0
    said = capsys.readouterr().out
    assert f"From generation {second} to {first}" in said and "1 edited" in said and "of 2." in said
    assert main(["changes", "0123456789abcdef", "--index", str(made.index), "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and first in captured.err and second in captured.err
    assert Index(made.index).current_id() == second
