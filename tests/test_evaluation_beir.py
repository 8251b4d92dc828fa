"""BEIR sets: read in their layout, searched by the production code, measured as ir-measures defines."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from litsearch.commands import main
from litsearch.errors import QuestionError
from litsearch.evaluation.beir import Dataset, DatasetError, ask_all, evaluate, load_dataset, measure, sample
from litsearch.settings import Settings

KEYS = {"dataset", "queries", "ndcg@10", "recall@100", "mrr@10", "milliseconds_p50", "milliseconds_p95", "documents", "passages"}
DOCUMENTS = {
    "1": ("Aspirin", "Aspirin thins the blood. It lowers the risk of a stroke."),
    "2": ("Sunlight", "Sunlight lets the skin make vitamin D."),
    "MED-3": ("Bones", "Bones weaken in old age. Walking keeps them strong."),
    "4#b": ("Tea", "Green tea holds caffeine."),
}
QUERIES = {
    "a": "Which vitamin does the skin make in the sun?",
    "b": "Does green tea contain caffeine?",
    "c": "unjudged",
    "d": "no relevant one",
}
QRELS = "query-id\tcorpus-id\tscore\na\t2\t1\nb\t4#b\t2\nb\t1\t0\nd\t1\t0\n"


def write_set(folder: Path, *, split: str = "test", packed: bool = False) -> Path:
    corpus = "".join(json.dumps({"_id": key, "title": title, "text": text}) + "\n" for key, (title, text) in DOCUMENTS.items())
    queries = "".join(json.dumps({"_id": key, "text": text}) + "\n" for key, text in QUERIES.items())
    (folder / "qrels").mkdir(parents=True)
    for name, text in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (folder / name).write_text(text)
    (folder / "qrels" / f"{split}.tsv").write_text(QRELS)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_a_set_is_read_plain_or_packed(tmp_path: Path, packed: bool) -> None:
    dataset = load_dataset(write_set(tmp_path / "tiny", packed=packed))
    assert (dataset.name, dataset.split) == ("tiny", "test")
    assert dict(dataset.queries) == {key: QUERIES[key] for key in "ab"}
    assert dataset.qrels == {"a": {"2": 1}, "b": {"4-b": 2, "1": 0}}


def test_without_test_the_next_split_is_used(tmp_path: Path) -> None:
    assert load_dataset(write_set(tmp_path / "tiny", split="train")).split == "train"


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    (write_set(tmp_path / "tiny") / missing).unlink()
    with pytest.raises(DatasetError, match=missing.split(".")[0]):
        load_dataset(tmp_path / "tiny")


@pytest.mark.parametrize("queries", ['{"_id": "a"}\n', "not json\n", '{"_id": "z", "text": "unjudged"}\n'])
def test_a_broken_set_is_refused(tmp_path: Path, queries: str) -> None:
    (write_set(tmp_path / "tiny") / "queries.jsonl").write_text(queries)
    with pytest.raises(DatasetError):
        load_dataset(tmp_path / "tiny")


def test_metrics_by_hand() -> None:
    """q1: right at rank 2, so DCG 1/log2(3) = 0.631 and reciprocal rank 0.5. q2: nothing found. Means: half of each."""
    qrels = {"q1": {"x": 1}, "q2": {"y": 1}}
    measured = measure(qrels, {"q1": {"w": 2.0, "x": 1.0}, "q2": {}})
    assert measured["ndcg@10"] == pytest.approx(0.5 / math.log2(3))
    assert measured["recall@100"] == pytest.approx(0.5)
    assert measured["mrr@10"] == pytest.approx(0.25)


def test_a_document_below_the_tenth_place_counts_for_recall_alone() -> None:
    run = {"q": {f"d{n}": 100.0 - n for n in range(1, 101)}}
    assert measure({"q": {"d11": 1}}, run) == {"ndcg@10": 0.0, "recall@100": 1.0, "mrr@10": 0.0}


class Stubborn:
    """Ranks two documents with equal relevance and turns one question away."""

    def rank_documents(self, question: str, n: int) -> list[tuple[str, float]]:
        if question == "?":
            raise QuestionError("Type a question first")
        return [("corpus.jsonl#z", 0.5), ("corpus.jsonl#a", 0.5)]


def test_ties_keep_the_order_given_and_a_refused_query_finds_nothing(tmp_path: Path) -> None:
    """Evaluators order equal values by document id, which would put a before z."""
    dataset = Dataset("t", "test", tmp_path, {"1": "asked", "2": "?"}, {"1": {"z": 1}, "2": {"z": 1}})
    run, milliseconds = ask_all(Stubborn(), dataset)
    assert run["1"]["z"] > run["1"]["a"]
    assert run["2"] == {}
    assert len(milliseconds) == 2
    assert measure(dataset.qrels, run)["mrr@10"] == pytest.approx(0.5)


def test_a_sample_is_always_the_same(tmp_path: Path) -> None:
    queries = {str(n): f"query {n}" for n in range(50)}
    dataset = Dataset("t", "test", tmp_path, queries, {query: {"x": 1} for query in queries})
    backwards = Dataset("t", "test", tmp_path, dict(reversed(queries.items())), dataset.qrels)
    chosen = sample(dataset, 10)
    assert len(chosen.queries) == 10
    assert list(chosen.queries) == list(chosen.qrels) == list(sample(backwards, 10).queries)
    assert sample(dataset, 0) is dataset


def test_a_set_is_searched_by_the_real_search(real_settings: Callable[[Path], Settings], tmp_path: Path) -> None:
    """Four short documents on four subjects: each query's own is first, also the one whose id the reader rewrites."""
    settings = real_settings(tmp_path)
    index = tmp_path / "kept"
    report = evaluate(write_set(tmp_path / "tiny", packed=True), settings, index=index)
    assert report.keys() >= KEYS
    assert (report["ndcg@10"], report["recall@100"], report["mrr@10"]) == (1.0, 1.0, 1.0)
    assert (report["dataset"], report["queries"], report["documents"]) == ("tiny", 2, 4)
    assert 0 < report["milliseconds_p50"] <= report["milliseconds_p95"]
    first = (index / "current.json").read_text()
    assert evaluate(tmp_path / "tiny", settings, index=index, n_queries=1)["queries"] == 1
    assert (index / "current.json").read_text() == first, "an unchanged set is not built anew"


def test_the_command_says_what_is_wrong_with_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path), "--json"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "corpus.jsonl" in output.err
