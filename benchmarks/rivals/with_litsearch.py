"""litsearch itself, measured as the others are; its variants are the keys of ``_SETTINGS``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from harness import N_RESULTS, Ask, Job, Result, run

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from litsearch.embedding import Encoder, open_encoder
from litsearch.ingesting import ingest
from litsearch.searching import Searcher
from litsearch.settings import Settings

_SETTINGS = {
    "shipped": {"model": "", "reranker": ""},
    "packaged": {"model": "packaged", "reranker": ""},
    "packaged-alone": {"model": "packaged", "reranker": "none"},
}


def settings(job: Job) -> Settings:
    """The defaults, whatever a practice has set, with the job's corpus, index and variant."""
    return replace(Settings(), corpus=Path(job.corpus), index=Path(job.folder), threads=job.threads, **_SETTINGS[job.variant])


def load(job: Job) -> Encoder:
    """The encoder; the first time it is exported beside the index."""
    wanted = settings(job)
    return open_encoder(wanted.model, wanted.index / "models", n_threads=wanted.n_threads)


def build(job: Job, encoder: Encoder) -> int:
    """The production ingest from the corpus's files, reading included."""
    return ingest(settings(job), rebuild=True, encoder=encoder).passages


def open_index(job: Job) -> Ask:
    """The production searcher."""
    searcher = Searcher(settings(job))

    def ask(question: str) -> list[Result]:
        hits = searcher.ask(question, top=N_RESULTS).hits
        return [Result([hit.path, *hit.also_in], hit.passage.text) for hit in hits]

    return ask


if __name__ == "__main__":
    run(["faiss-cpu", "onnxruntime"], load=load, build=build, open_index=open_index)
