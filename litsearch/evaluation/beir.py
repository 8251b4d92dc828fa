"""Public retrieval sets in BEIR's layout, indexed and searched by the production code; metrics by ir-measures.

Source of the layout: Thakur et al., NeurIPS 2021 (``corpus.jsonl``, ``queries.jsonl``, ``qrels/*.tsv``; each may end in .gz).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import logging
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import ir_measures
import numpy as np

from litsearch.embedding import Encoder
from litsearch.errors import LitsearchError, QuestionError
from litsearch.evaluation.indexes import build_index
from litsearch.searching import Searcher
from litsearch.settings import Settings

log = logging.getLogger(__name__)

MEASURES = {
    "ndcg@10": ir_measures.nDCG @ 10,
    "recall@100": ir_measures.R @ 100,
    "mrr@10": ir_measures.RR @ 10,
}
_DEPTH = 100
_SPLITS = ("test", "dev", "train")


class DatasetError(LitsearchError):
    """A data set that is not in BEIR's layout."""


class RanksDocuments(Protocol):
    """What is needed of a searcher."""

    def rank_documents(self, question: str, n: int) -> list[tuple[str, float]]:
        """As ``Searcher.rank_documents``."""
        ...


@dataclass(frozen=True, slots=True)
class Dataset:
    """Judged queries, the split that they are of, and the file of documents, not yet read."""

    name: str
    split: str
    corpus: Path
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]


def evaluate(
    folder: Path,
    settings: Settings,
    *,
    index: Path | None = None,
    n_queries: int = 0,
    progress: Callable[[str, int, int], None] = lambda stage, done, of: None,
    encoder: Encoder | None = None,
) -> dict[str, Any]:
    """Index the documents, ask every judged query, and measure: the report as the command line prints it (a stable contract).

    The index is kept in ``index`` when one is given, and brought up to date there. ``n_queries`` above 0 asks only so many,
    always the same. A document stands where its best passage stands; the time is that of ranking the documents.

    Raises:
        DatasetError: when the folder is not in BEIR's layout.
        LitsearchError: as ingest and search.
    """
    dataset = sample(load_dataset(folder), n_queries)
    with tempfile.TemporaryDirectory() as temporary:
        corpus = Path(temporary) / "corpus"
        unpack(dataset.corpus, corpus / "corpus.jsonl")
        # A public set is one large file of records; the limits of a practice's corpus are no limits for it.
        wide = replace(settings, max_file_mb=2_000, max_records=2_000_000, read_timeout_s=3_600)
        built = build_index(wide, corpus, index or Path(temporary) / "index", progress, encoder)
        searcher = Searcher(built)
        run, milliseconds = ask_all(searcher, dataset, progress)
        return {
            "dataset": dataset.name,
            "split": dataset.split,
            "queries": len(dataset.queries),
            **{name: round(value, 4) for name, value in measure(dataset.qrels, run).items()},
            "milliseconds_p50": round(float(np.percentile(milliseconds, 50)), 2),
            "milliseconds_p95": round(float(np.percentile(milliseconds, 95)), 2),
            "documents": searcher.manifest()["n_documents"],
            "passages": searcher.manifest()["n_passages"],
        }


def ask_all(
    searcher: RanksDocuments, dataset: Dataset, progress: Callable[[str, int, int], None] = lambda stage, done, of: None
) -> tuple[dict[str, dict[str, float]], list[float]]:
    """The run (query, document, value falling with the rank) and the milliseconds of each query.

    The first query is asked twice and timed the second time, because the first opens the index.
    """
    run: dict[str, dict[str, float]] = {}
    milliseconds: list[float] = []
    for number, (query_id, text) in enumerate(dataset.queries.items()):
        for _ in range(2 if number == 0 else 1):
            started = time.perf_counter()
            try:
                ranked = searcher.rank_documents(text, _DEPTH)
            except QuestionError:
                ranked = []
            elapsed = (time.perf_counter() - started) * 1000
        milliseconds.append(elapsed)
        # By rank, not by relevance: evaluators break ties in their own way.
        run[query_id] = {_key(document_id): float(_DEPTH - rank) for rank, (document_id, _) in enumerate(ranked)}
        progress("asking", number + 1, len(dataset.queries))
    return run, milliseconds


def measure(qrels: Mapping[str, Mapping[str, int]], run: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Means over all judged queries; one that found nothing counts 0."""
    judged = [ir_measures.Qrel(query, document, grade) for query, row in qrels.items() for document, grade in row.items()]
    found = [ir_measures.ScoredDoc(query, document, value) for query, row in run.items() for document, value in row.items()]
    totals = dict.fromkeys(MEASURES, 0.0)
    names = {measure: name for name, measure in MEASURES.items()}
    for metric in ir_measures.iter_calc(list(MEASURES.values()), judged, found):
        totals[names[metric.measure]] += metric.value
    return {name: total / len(qrels) for name, total in totals.items()}


def _key(document_id: str) -> str:
    """The set's own id of a document, in the form that the reader gives it behind the file's path.

    >>> _key("corpus.jsonl#MED-10"), _key("#a b")
    ('MED-10', 'a-b')
    """
    return re.sub(r"[\s#]+", "-", document_id.partition("#")[2].strip())[:200]


# -------------------------------------------------------------------------------------------------------- reading


def load_dataset(folder: Path) -> Dataset:
    """Queries with at least one relevant document, of the split test, else dev, else train.

    Raises:
        DatasetError: when a file is missing or not of its form.
    """
    corpus = _existing(folder / "corpus.jsonl")
    split, qrels_file = _split_of(folder)
    qrels: dict[str, dict[str, int]] = {}
    try:
        with _open(qrels_file) as lines:
            for row in csv.reader(lines, delimiter="\t"):
                if len(row) == 3 and row[2].lstrip("-").isdigit():
                    qrels.setdefault(row[0], {})[_key(f"#{row[1]}")] = int(row[2])
        with _open(_existing(folder / "queries.jsonl")) as lines:
            queries = {str(row["_id"]): str(row["text"]) for row in map(json.loads, filter(str.strip, lines))}
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise DatasetError(f"{folder} cannot be read as a BEIR data set: {error!r}. Mend or download it again.") from error
    judged = {query_id: row for query_id, row in qrels.items() if query_id in queries and any(g > 0 for g in row.values())}
    if not judged:
        raise DatasetError(f"{qrels_file} judges none of the queries in {folder}. Both must come from one data set.")
    return Dataset(folder.resolve().name, split, corpus, {q: queries[q] for q in judged}, judged)


def sample(dataset: Dataset, n: int) -> Dataset:
    """The same ``n`` queries every time, spread by the hash of their ids; all of them when ``n`` is 0."""
    if not n:
        return dataset
    chosen = sorted(dataset.queries, key=lambda query_id: hashlib.sha256(query_id.encode()).digest())[:n]
    return replace(
        dataset,
        queries={query_id: dataset.queries[query_id] for query_id in chosen},
        qrels={query_id: dataset.qrels[query_id] for query_id in chosen},
    )


def unpack(source: Path, target: Path) -> None:
    """Copy a file, unpacked if it is packed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(source, "rb") if source.suffix == ".gz" else source.open("rb") as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain)


def _split_of(folder: Path) -> tuple[str, Path]:
    for split in _SPLITS:
        for ending in (".tsv", ".tsv.gz"):
            path = folder / "qrels" / f"{split}{ending}"
            if path.is_file():
                return split, path
    raise DatasetError(f"{folder} has no qrels/test.tsv (nor dev or train). Name a folder in BEIR's layout.")


def _existing(path: Path) -> Path:
    for found in (path, path.with_name(path.name + ".gz")):
        if found.is_file():
            return found
    raise DatasetError(f"{path.parent} has no {path.name}. Name a folder in BEIR's layout.")


def _open(path: Path) -> Any:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


def lines_of(report: Mapping[str, Any]) -> Iterator[str]:
    """The report for reading, a line a figure."""
    for name, value in report.items():
        yield f"{name:18} {value}"
