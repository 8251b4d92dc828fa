"""Parts of public sets with questions that they answer and questions whose answers were taken out."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from litsearch.evaluation.beir import load_dataset

_N_QUESTIONS = 150
_N_OTHERS = 700
# Longer answers are whole chapters; shorter ones say where to look.
_ANSWER_CHARACTERS = range(200, 1_500)


@dataclass(frozen=True, slots=True)
class PublicCase:
    """Documents (id -> title, text), questions that one of them answers, and questions that none answers."""

    name: str
    documents: Mapping[str, tuple[str, str]]
    covered: tuple[str, ...]
    uncovered: tuple[str, ...]


def scifact_case(folder: Path) -> PublicCase:
    """Claims of SciFact: of half of them the abstracts that settle them are left out."""
    dataset = load_dataset(folder)
    with gzip.open(dataset.corpus, "rt", encoding="utf-8") if dataset.corpus.suffix == ".gz" else dataset.corpus.open() as lines:
        rows = [json.loads(line) for line in lines]
    documents = {str(row["_id"]): (str(row["title"]), str(row["text"])) for row in rows}
    golds = {q: [d for d, grade in row.items() if grade > 0] for q, row in dataset.qrels.items()}
    chosen = _shuffled(golds)[: 2 * _N_QUESTIONS]
    covered = chosen[:_N_QUESTIONS]
    kept = {document for query in covered for document in golds[query]}
    uncovered = [query for query in chosen[_N_QUESTIONS:] if not kept & set(golds[query])]
    judged = {document for row in golds.values() for document in row}
    others = [document for document in _shuffled(documents) if document not in judged][:_N_OTHERS]
    texts = dataset.queries
    return PublicCase(
        "SciFact",
        {document: documents[document] for document in sorted({*kept, *others})},
        tuple(texts[query] for query in covered),
        tuple(texts[query] for query in uncovered),
    )


def medquad_case(folder: Path) -> PublicCase:
    """Questions of MedQuAD: the answers of half of them are left out, other answers on the same disease or drug stay."""
    with gzip.open(folder / "questions_answers.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    pairs = {
        row["question"]: (str(row["focus"]), str(row["answer"]))
        for row in rows
        if row.get("answer") and len(row["answer"]) in _ANSWER_CHARACTERS
    }
    chosen = _shuffled(pairs)[: 2 * _N_QUESTIONS + _N_OTHERS]
    covered, uncovered = chosen[:_N_QUESTIONS], chosen[_N_QUESTIONS : 2 * _N_QUESTIONS]
    # Other answers on what the uncovered questions ask about make them near-topic ones.
    subjects = {pairs[question][0] for question in uncovered}
    taken = set(chosen)
    near = [question for question, (focus, _) in pairs.items() if focus in subjects and question not in taken][:_N_QUESTIONS]
    kept = [*covered, *near, *chosen[2 * _N_QUESTIONS :]]
    documents = {f"{number:05}": pairs[question] for number, question in enumerate(kept)}
    return PublicCase("MedQuAD", documents, tuple(covered), tuple(uncovered))


def write_corpus(case: PublicCase, folder: Path) -> None:
    """The case's documents as one ``corpus.jsonl``."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ({"_id": key, "title": title, "text": text} for key, (title, text) in case.documents.items())
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _shuffled(keys: Iterable[str]) -> list[str]:
    """The same order every time, by the hash of the key."""
    return sorted(keys, key=lambda key: hashlib.sha256(key.encode()).digest())
