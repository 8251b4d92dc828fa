"""Small libraries on one treatment each, written for training: articles, questions in readers' words, claims.

A folder of ``training/libraries/`` holds some articles as they might come from the web (``*.txt``),
``questions.jsonl`` and ``claims.jsonl``. They say nothing on the treatment that the delivered corpus is about, so that
a model or a bound that was fitted on them has seen none of its questions. The articles are exercises, not medical
literature: they are never shown to a reader.

    python -m training.libraries                     check every folder
    python -m training.libraries tattoo-removal      check one
    python -m training.libraries --out groups.jsonl  make groups to train on, as training.data does
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from litsearch.evaluation.indexes import Bench, build_index
from litsearch.evaluation.questions import Gold, is_right
from litsearch.evaluation.questions import Question as Asked
from litsearch.records import Passage
from litsearch.settings import Settings, load_settings

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


# --- groups to train on -----------------------------------------------------------------------------------------

_MOST_OTHERS = 14  # look-alikes a group, those that the search puts first


def groups_of(library: Library, bench: Bench, *, seed: int = 20261121) -> Iterator[dict]:
    """One group a question, in the form of ``training.data``: what answers, then what the search finds most like an answer.

    An answer is a passage that holds one of the quotes, and the quote's own sentence; a question that the library leaves open
    has look-alikes alone.
    """
    rng = Random(f"{seed} {library.name}")
    paths = {document_id: path for document_id, path, _ in bench.articles()}
    headers = {document_id: metadata.title for document_id, _, metadata in bench.articles()}
    articles = {document_id: bench.article(document_id) for document_id in paths}

    def lead_in(passage: Passage) -> str:
        article = articles[passage.document_id]
        return f"{article.text[passage.lead_in.start : passage.lead_in.end]} " if article and passage.lead_in else ""

    def whole(passage: Passage, *, states: bool) -> dict:
        title = ". ".join(part for part in (headers[passage.document_id], passage.section) if part)
        return {"title": title, "text": lead_in(passage) + passage.text, "states": states}

    def sentence(passage: Passage, text: str, *, states: bool) -> dict:
        return {"title": "", "text": lead_in(passage) + text, "states": states}

    for question in library.asked():
        stating, others = [], []
        for passage, _ in bench.rank_passages(question.text, 60):
            path = [paths[passage.document_id]]
            if is_right(question.golds, path, passage.text):
                stating.append(whole(passage, states=True))
                stating += [
                    sentence(passage, gold.text, states=True) for gold in question.golds if is_right([gold], path, passage.text)
                ]
            elif len(others) < _MOST_OTHERS:
                others.append(whole(passage, states=False))
                long = [s for s in passage.sentences if s.end - s.start > 25]
                if long and len(others) % 3 == 0:
                    drawn = rng.choice(long)
                    text = passage.text[drawn.start - passage.start : drawn.end - passage.start]
                    others.append(sentence(passage, text, states=False))
        if question.answerable and not stating:
            continue
        yield {
            "question": question.text,
            "source": "libraries",
            "doc_id": library.name,
            "fold": library.fold,
            "candidates": stating + others,
        }


def write_groups(out: Path, work: Path | None) -> None:
    """Index every library, below ``work`` where it is named, and write the groups of all, a line each."""
    settings = load_settings()
    with TemporaryDirectory() as temporary, out.open("w", encoding="utf-8") as lines:
        for library in read_libraries():
            bench = library.open(settings, work or Path(temporary))
            settings = replace(settings, index=bench.settings.index)  # the model is exported once
            for group in groups_of(library, bench):
                lines.write(json.dumps(group, ensure_ascii=False) + "\n")


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
    parser.add_argument("--out", type=Path, help="write groups to train on, those of every library, to this file")
    parser.add_argument("--work", type=Path, help="keep the indexes that it takes here")
    arguments = parser.parse_args(argv)
    if arguments.out:
        write_groups(arguments.out, arguments.work)
        return 0
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
            f"{library.name} ({library.fold}): {len(library.articles)} articles, {sum(len(t.split()) for t in library.articles.values())} words; "
            f"{len(answered)} questions answered ({sum(len(q.answers) for q in answered)} quotes), "
            f"{len(library.questions) - len(answered)} left open; "
            f"claims {dict(Counter(c.stance for c in library.claims))}; styles {dict(Counter(q.style for q in library.questions))}"
        )
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
