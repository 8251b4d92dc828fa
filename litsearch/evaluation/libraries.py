"""Small libraries on one treatment each, written by us: articles, questions in readers' words, and claims, to fit and choose on.

A folder of ``training/libraries/`` holds some articles as they might come from the web (``*.txt``),
``questions.jsonl`` and ``claims.jsonl``. They say nothing on the treatment that the delivered corpus is about, so that
a model or a bound that was fitted on them has seen none of its questions. The articles are exercises, not medical
literature: they are never shown to a reader.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litsearch.evaluation.indexes import Bench, build_index
from litsearch.evaluation.questions import Gold
from litsearch.evaluation.questions import Question as Asked
from litsearch.settings import ROOT, Settings

FOLDER = ROOT / "training" / "libraries"
STYLES = ("plain", "misspelt", "brand", "euphemism", "letter", "keywords", "staff")
STANCES = ("supports", "conflicts", "neutral")


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of an article: ``text`` stands in ``path`` at ``start``."""

    path: str
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A reader's question and every place that answers it; no place: the library leaves it open."""

    words: str
    style: str
    answers: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement, and what the quoted words say on it: one of ``STANCES``."""

    words: str
    quote: Quote
    stance: str


@dataclass(frozen=True, slots=True)
class Library:
    """One treatment: its articles by file name, the questions and the claims on them."""

    name: str
    articles: dict[str, str]
    questions: tuple[Question, ...]
    claims: tuple[Claim, ...]

    @property
    def fold(self) -> str:
        """``dev``, to choose on, for about a quarter of the libraries; ``train`` for the others. By name, so that none moves."""
        return "dev" if hashlib.sha256(self.name.encode()).digest()[0] < 64 else "train"

    def asked(self) -> list[Asked]:
        """Its questions as the project's evaluation takes them."""
        return [
            Asked(
                f"{self.name} {number}",
                self.name,
                question.words,
                "",
                (question.style,),
                bool(question.answers),
                not question.answers,
                tuple(Gold(answer.path, answer.text) for answer in question.answers),
            )
            for number, question in enumerate(self.questions)
        ]

    def open(self, settings: Settings, work: Path) -> Bench:
        """Index the articles below ``work`` by the production ingest, and open them for searching."""
        corpus = work / self.name / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        for name, text in self.articles.items():
            (corpus / name).write_text(text, encoding="utf-8")
        return Bench(build_index(settings, corpus, work / self.name / "index"))


def read_library(folder: Path) -> Library:
    """Read one library.

    Raises ValueError naming the file, the line and the mistake: a quote that no article holds, a style or stance
    that is not listed, a question that says it is answered and names no quote.
    """
    articles = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}

    def quote(row: dict[str, str]) -> Quote:
        start = articles.get(row["path"], "").find(row["quote"])
        if start < 0 or not row["quote"].strip():
            raise ValueError(f"{row['path']} does not hold these words: {row['quote']!r}")
        return Quote(row["path"], start, row["quote"])

    questions, claims = [], []
    for at, row in _rows(folder / "questions.jsonl"):
        try:
            if row["style"] not in STYLES:
                raise ValueError(f"style {row['style']!r} is none of {', '.join(STYLES)}")
            if row["answerable"] is not bool(row["answers"]):
                raise ValueError("a question is answerable where it names quotes, and only there")
            questions.append(Question(row["question"], row["style"], tuple(quote(a) for a in row["answers"])))
        except (ValueError, KeyError) as error:
            raise ValueError(f"{folder.name}/questions.jsonl, line {at}: {error}") from error
    for at, row in _rows(folder / "claims.jsonl"):
        try:
            if row["stance"] not in STANCES:
                raise ValueError(f"stance {row['stance']!r} is none of {', '.join(STANCES)}")
            claims.append(Claim(row["claim"], quote(row), row["stance"]))
        except (ValueError, KeyError) as error:
            raise ValueError(f"{folder.name}/claims.jsonl, line {at}: {error}") from error
    return Library(folder.name, articles, tuple(questions), tuple(claims))


def read_libraries(folder: Path = FOLDER) -> list[Library]:
    """Read every library of a folder, by name."""
    return [read_library(path) for path in sorted(folder.iterdir()) if path.is_dir()]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                yield at, json.loads(line)
            except ValueError as error:
                raise ValueError(f"{path}, line {at}: {error}") from error
