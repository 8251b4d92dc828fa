"""txtai: an embeddings database with content, dense or hybrid, over paragraphs as its segmentation pipeline cuts them.

Of its splitters that for sentences needs a download and that for sections finds none in these articles; paragraphs it is. Those
under 40 characters are left out: they are headings, which txtai would serve as results.
"""

from __future__ import annotations

from harness import N_RESULTS, Ask, Job, Result, run
from txtai import Embeddings
from txtai.pipeline import Segmentation


def load(job: Job) -> Embeddings:
    embeddings = Embeddings(path=job.model, content=True, hybrid=job.variant == "hybrid")
    embeddings.transform("ready")
    return embeddings


def build(job: Job, embeddings: Embeddings) -> int:
    split = Segmentation(paragraphs=True, minlength=40)
    rows = [(f"{a.path}#{n}", text) for a in job.articles() for n, text in enumerate(split(a.text))]
    embeddings.index(rows)
    embeddings.save(job.folder)
    return len(rows)


def open_index(job: Job) -> Ask:
    embeddings = Embeddings()
    embeddings.load(job.folder)

    def ask(question: str) -> list[Result]:
        found = embeddings.search(question, N_RESULTS)
        return [Result([row["id"].partition("#")[0]], row["text"]) for row in found]

    return ask


if __name__ == "__main__":
    run(["txtai", "sentence-transformers", "faiss-cpu"], load=load, build=build, open_index=open_index)
