"""The question sets: the split never moves, golds are found in passages, and a refused question counts as refused."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.errors import QuestionError
from litsearch.evaluation.questions import (
    Gold,
    Question,
    ask_all,
    half_of,
    is_right,
    letters,
    load_questions,
    unreachable,
)
from litsearch.ingesting import ingest
from litsearch.records import Answers, Passage
from litsearch.searching import Searcher
from litsearch.settings import ROOT, Settings
from tests.conftest import ARTICLE

QUALITY = ROOT / "tests" / "quality"
SCARS = Gold("scars.md", "The skin then makes new collagen.")
KELOIDS = Gold("scars.md", "a tendency to form keloids")


def asking(text: str, *golds: Gold, near: bool = False) -> Question:
    return Question(text[:8], "committed", text, "results", ("plain",), bool(golds), near, golds)


@given(st.text())
def test_the_half_is_the_parity_of_the_hash(question: str) -> None:
    number = int(hashlib.sha256(question.lower().encode("utf-8", "surrogatepass")).hexdigest(), 16)
    assert half_of(question) == ("dev" if number % 2 else "test")


def test_both_halves_are_large_on_every_corpus() -> None:
    halves = Counter((q.corpus, q.answerable, q.half) for q in load_questions(QUALITY, None))
    assert all(halves["committed", answerable, half] >= 50 for answerable in (True, False) for half in ("dev", "test"))


def test_questions_on_absent_originals_are_left_out() -> None:
    assert {q.corpus for q in load_questions(QUALITY, None)} == {"committed"}


def test_golds_of_originals_are_cut_from_their_files(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("Needling hurts little. It is over soon.", encoding="utf-8")
    row = {
        "id": "x", "corpus": "originals", "question": "Sore?", "aspect": "pain", "style": ["plain"], "answerable": True,
        "answers": [{"path": "a.txt", "start": 0, "end": 22}],
    }  # fmt: skip
    (tmp_path / "questions-x.jsonl").write_text(json.dumps(row) + "\n")
    (question,) = load_questions(tmp_path, tmp_path / "texts")
    assert question.golds == (Gold("a.txt", "Needling hurts little."),)


def test_an_answerable_question_without_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="answerable"):
        Question("x", "committed", "Sore?", "pain", ("plain",), True, False, ())


@pytest.mark.parametrize(
    ("passage", "right"),
    [
        ("First tiny wounds. The skin then\nmakes new collagen. Then scars fade.", True),
        ("THE SKIN, THEN, MAKES NEW COLLAGEN", True),
        ("The skin then makes new", False),  # a fragment of the gold, too short to count
        ("The skin makes new collagen.", False),
    ],
)
def test_a_passage_is_right_when_it_holds_the_gold(passage: str, right: bool) -> None:
    assert is_right([SCARS], ["scars.md"], passage) is right


def test_a_long_part_of_a_gold_is_right() -> None:
    gold = Gold("a.md", "Avoid makeup for a day. Keep the face out of the sun, and drink enough water through the week.")
    part = "Keep the face out of the sun, and drink enough water"
    assert len(letters(part)) > 40
    assert is_right([gold], ["a.md"], part)


def test_another_file_with_the_same_words_is_wrong() -> None:
    assert not is_right([SCARS], ["other.md"], SCARS.text)


def test_a_gold_in_no_passage_is_named() -> None:
    found, lost = asking("What does it do?", SCARS), asking("What is lost?", Gold("scars.md", "A sentence that is not there."))
    assert unreachable([found, lost, asking("Price?")], [("scars.md", ARTICLE)]) == [lost]


@pytest.mark.skipif(not (ROOT / "corpus").is_dir(), reason="needs the corpus")
def test_committed_golds_stand_whole_in_passages(committed_index: Settings) -> None:
    """A splitter that cut through answers would cost every stage alike and show in no comparison."""
    searcher = Searcher(committed_index)
    paths = {document_id: path for document_id, path, _ in searcher.articles()}
    passages = [(paths[p.document_id], p.text) for p in searcher.passages()]
    questions = load_questions(QUALITY, None)
    assert len(unreachable(questions, passages)) <= 0.01 * len(questions)


def test_asking_finds_ranks_and_refusals(real_settings: Callable[[Path], Settings], tmp_path: Path) -> None:
    (tmp_path / "scars.md").write_text(ARTICLE)
    settings = real_settings(tmp_path)
    ingest(settings)
    searcher = Searcher(settings)
    paths = {document_id: path for document_id, path, _ in searcher.articles()}
    questions = [
        asking("What does needling do to the skin's collagen?", SCARS),
        asking("Who should see a doctor?", KELOIDS),
        asking("???"),
    ]
    first, second, refused = ask_all(searcher, questions, paths)
    assert (first.rank, second.rank) == (1, 1)
    assert first.confidence > 0
    assert (refused.rank, refused.outcome, refused.answered, refused.confidence) == (0, "nothing", False, 0.0)


class Turned:
    """A searcher that turns every question away."""

    def ask(self, question: str, *, top: int = 5) -> Answers:
        raise QuestionError("too long")

    def rank_passages(self, question: str, n: int) -> list[tuple[Passage, float]]:
        raise QuestionError("too long")


def test_a_question_turned_away_counts_as_missed() -> None:
    (asked,) = ask_all(Turned(), [asking("What does it do?", SCARS)], {})
    assert (asked.rank, asked.rank_unspread, asked.outcome) == (0, 0, "nothing")
