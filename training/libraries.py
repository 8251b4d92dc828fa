"""Small libraries on one treatment each, written for training: articles, questions in readers' words, claims.

A folder of ``training/libraries/`` holds some articles as they might come from the web (``*.txt``),
``questions.jsonl`` and ``claims.jsonl``. They say nothing on the treatment that the delivered corpus is about, so that
a model or a bound that was fitted on them has seen none of its questions. The articles are exercises, not medical
literature: they are never shown to a reader.

    python -m training.libraries                check every folder
    python -m training.libraries tattoo-removal check one
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "libraries"
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


def _rows(path: Path) -> Iterator[tuple[int, dict]]:
    for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                yield at, json.loads(line)
            except ValueError as error:
                raise ValueError(f"{path}, line {at}: {error}") from error


def main(argv: list[str] | None = None) -> int:
    """Check libraries and print what each holds; 0 when all are right, 1 when one is not."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="folders to check; all of them when none is named")
    arguments = parser.parse_args(argv)
    wrong = 0
    for folder in sorted(path for path in FOLDER.iterdir() if path.is_dir()):
        if arguments.names and folder.name not in arguments.names:
            continue
        try:
            library = read_library(folder)
        except (OSError, ValueError) as error:
            print(error)
            wrong += 1
            continue
        answered = [q for q in library.questions if q.answers]
        print(
            f"{library.name}: {len(library.articles)} articles, {sum(len(t.split()) for t in library.articles.values())} words; "
            f"{len(answered)} questions answered ({sum(len(q.answers) for q in answered)} quotes), "
            f"{len(library.questions) - len(answered)} left open; "
            f"claims {dict(Counter(c.stance for c in library.claims))}; styles {dict(Counter(q.style for q in library.questions))}"
        )
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
