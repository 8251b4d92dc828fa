"""The small libraries written for fitting and choosing: whole, apart from the delivered subject, and their mistakes named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from litsearch.evaluation.libraries import FOLDER, STANCES, Library, read_libraries, read_library

ARTICLE = "On tanning\n\nIt darkens the skin. It does not hurt.\n"
QUESTION = {
    "question": "ouch?",
    "style": "plain",
    "answerable": True,
    "answers": [{"path": "a1.txt", "quote": "It does not hurt."}],
}
CLAIM = {"claim": "It hurts.", "path": "a1.txt", "quote": "It does not hurt.", "stance": "conflicts"}


def write(folder: Path, question: dict[str, object], claim: dict[str, object]) -> Path:
    (folder / "a1.txt").write_text(ARTICLE, encoding="utf-8")
    (folder / "questions.jsonl").write_text(json.dumps(question) + "\n", encoding="utf-8")
    (folder / "claims.jsonl").write_text(json.dumps(claim) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def libraries() -> list[Library]:
    return read_libraries()


def test_every_library_is_whole(libraries: list[Library]) -> None:
    assert len(libraries) >= 40
    for library in libraries:
        assert len(library.articles) == 5, library.name
        answered = [q for q in library.questions if q.answers]
        assert len(answered) >= 36 and len(library.questions) - len(answered) >= 16, library.name
        assert {c.stance for c in library.claims} == set(STANCES), library.name


def test_none_is_on_the_delivered_subject_so_that_nothing_is_fitted_to_its_questions() -> None:
    for path in sorted(FOLDER.glob("*/*")):
        assert not re.search(r"micro-?\s?needl|derma-?\s?roll|derma-?\s?pen", path.read_text(encoding="utf-8"), re.IGNORECASE), (
            path
        )


def test_a_library_stays_in_its_fold_and_both_folds_are_filled(libraries: list[Library]) -> None:
    folds = [library.fold for library in libraries]
    assert folds.count("dev") >= 10 and folds.count("train") >= 25
    assert Library("tattoo-removal", {}, (), ()).fold == next(x.fold for x in libraries if x.name == "tattoo-removal")


def test_questions_come_with_the_places_that_answer(tmp_path: Path) -> None:
    library = read_library(write(tmp_path, QUESTION, CLAIM))
    (asked,) = library.asked()
    assert asked.answerable and [(g.path, g.text) for g in asked.golds] == [("a1.txt", "It does not hurt.")]
    assert library.claims[0].quote.start == ARTICLE.index("It does not hurt.")


@pytest.mark.parametrize(
    ("question", "claim", "says"),
    [
        (
            {**QUESTION, "answers": [{"path": "a1.txt", "quote": "It hurts."}]},
            CLAIM,
            "questions.jsonl, line 1: a1.txt does not hold",
        ),
        ({**QUESTION, "answers": [{"path": "a2.txt", "quote": "It"}]}, CLAIM, "a2.txt does not hold"),
        ({**QUESTION, "style": "loud"}, CLAIM, "style 'loud' is none of"),
        ({**QUESTION, "answers": []}, CLAIM, "answerable where it names quotes"),
        (QUESTION, {**CLAIM, "stance": "maybe"}, "claims.jsonl, line 1: stance 'maybe' is none of"),
        (QUESTION, {**CLAIM, "quote": " "}, "claims.jsonl, line 1: a1.txt does not hold"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(tmp_path: Path, question: dict, claim: dict, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        read_library(write(tmp_path, question, claim))


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    write(tmp_path, QUESTION, CLAIM)
    (tmp_path / "questions.jsonl").write_text("{not json\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"questions.jsonl, line 1"):
        read_library(tmp_path)
