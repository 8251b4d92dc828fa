"""The project's own questions: which half each is in, which passages answer it, and what the searcher made of it."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

from litsearch.errors import QuestionError
from litsearch.records import Answers, Outcome, Passage

Half = Literal["dev", "test"]

# A passage that lies inside the gold text counts when it is longer than this; shorter ones are fragments such as "Yes."
_FRAGMENT = 40
# As many as the patient's page shows.
SHOWN = 5
DEPTH = 30


@dataclass(frozen=True, slots=True)
class Gold:
    """Text that answers, and the file of the corpus that it stands in."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question over one corpus; ``near`` tells of an uncovered one whether it is on the corpus's subject."""

    question_id: str
    corpus: str
    text: str
    aspect: str
    styles: tuple[str, ...]
    answerable: bool
    near: bool
    golds: tuple[Gold, ...]

    def __post_init__(self) -> None:
        if self.answerable != bool(self.golds):
            raise ValueError(f"{self.question_id}: answerable is {self.answerable} with {len(self.golds)} answers")

    @property
    def half(self) -> Half:
        """The half it is in, see ``half_of``."""
        return half_of(self.text)


def half_of(question: str) -> Half:
    """dev (to choose on) or test (to report on), by the question's text alone, so that none moves when others are added.

    The SHA-256 of the lower-cased question as an integer: odd is dev, even is test.

    >>> half_of("Does it hurt?"), half_of("does it HURT?"), half_of("How many sessions?")
    ('test', 'test', 'dev')
    """
    return "dev" if hashlib.sha256(question.lower().encode()).digest()[-1] % 2 else "test"


def load_questions(folder: Path, originals: Path | None) -> list[Question]:
    """All questions of ``questions-*.jsonl``, by file and line; those over the originals only where that folder is there.

    Their golds are offsets into its files, because the texts are other people's.
    """
    rows = [
        json.loads(line) for file in sorted(folder.glob("questions-*.jsonl")) for line in file.read_text("utf-8").splitlines()
    ]
    texts = {path.name: path.read_text("utf-8") for path in sorted(originals.iterdir()) if path.is_file()} if originals else {}
    return [_question(row, texts) for row in rows if row["corpus"] != "originals" or originals]


def _question(row: Mapping[str, Any], originals: Mapping[str, str]) -> Question:
    golds = (Gold(a["path"], a["quote"] if "quote" in a else originals[a["path"]][a["start"] : a["end"]]) for a in row["answers"])
    near = bool(row.get("near", False))
    styles = tuple(row["style"])
    return Question(row["id"], row["corpus"], row["question"], row["aspect"], styles, row["answerable"], near, tuple(golds))


def letters(text: str) -> str:
    """The letters and digits of a text in lower case without accents: what is left when layout and repairs are set aside.

    >>> letters("It’s 1.5\\u00a0mm –\\nﬁne")
    'its15mmfine'
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())


# The same passages are looked at for every question and stage.
_letters = lru_cache(maxsize=50_000)(letters)


def is_right(golds: Iterable[Gold], paths: Collection[str], passage: str) -> bool:
    """Whether a passage of these files answers: it holds a gold text of one of them, or is a good part of one.

    >>> is_right([Gold("a.md", "It hurts little.")], ["a.md"], "Pain. It hurts  little; it is soon over.")
    True
    >>> is_right([Gold("a.md", "It hurts little.")], ["b.md"], "It hurts little.")
    False
    """
    found = _letters(passage)
    for gold in golds:
        if gold.path in paths:
            wanted = _letters(gold.text)
            if wanted in found or (len(found) > _FRAGMENT and found in wanted):
                return True
    return False


# --------------------------------------------------------------------------------------------------------- asking


class Asks(Protocol):
    """What is needed of a searcher."""

    def ask(self, question: str, *, top: int = 5) -> Answers:
        """As ``Searcher.ask``."""
        ...

    def rank_passages(self, question: str, n: int) -> list[tuple[Passage, float]]:
        """As ``Searcher.rank_passages``."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one question.

    ``rank`` is that of the first right passage as shown to a reader, from 1, or 0 when none of the first ``DEPTH`` is right;
    ``rank_unspread`` is the same before sources are spread and reprints merged.
    """

    question: Question
    rank: int
    rank_unspread: int
    confidence: float
    outcome: Outcome

    @property
    def answered(self) -> bool:
        """Whether passages were presented as an answer."""
        return self.outcome == "answered"


def ask_all(searcher: Asks, questions: Sequence[Question], paths: Mapping[str, str]) -> list[Asked]:
    """Ask every question; ``paths`` gives each document's file. A question that is turned away counts as not answered."""
    return [_ask(searcher, question, paths) for question in questions]


def _ask(searcher: Asks, question: Question, paths: Mapping[str, str]) -> Asked:
    try:
        answers = searcher.ask(question.text, top=SHOWN)
        ranked = [passage for passage, _ in searcher.rank_passages(question.text, DEPTH)]
    except QuestionError:
        return Asked(question, 0, 0, 0.0, "nothing")
    shown = [(hit.passage.passage_id, {hit.path, *hit.also_in}, hit.passage.text) for hit in answers.hits]
    unspread = [(p.passage_id, {paths[p.document_id]}, p.text) for p in ranked]
    known = {passage_id for passage_id, _, _ in shown}
    order = [*shown, *(row for row in unspread if row[0] not in known)][:DEPTH]
    return Asked(question, _first(question, order), _first(question, unspread), answers.confidence, answers.outcome)


def _first(question: Question, order: Sequence[tuple[str, Collection[str], str]]) -> int:
    ranks = (rank for rank, (_, paths, text) in enumerate(order, start=1) if is_right(question.golds, paths, text))
    return next(ranks, 0)


def unreachable(questions: Iterable[Question], passages: Sequence[tuple[str, str]]) -> list[Question]:
    """The answerable questions that no passage of the index answers; ``passages`` are path and text."""
    by_path: dict[str, list[str]] = {}
    for path, text in passages:
        by_path.setdefault(path, []).append(text)
    return [
        question
        for question in questions
        if question.answerable
        and not any(is_right([gold], [gold.path], text) for gold in question.golds for text in by_path.get(gold.path, ()))
    ]
