"""Haystack: the in-memory document store, dense as its first tutorial, or joined with its BM25 as its hybrid one.

The hybrid tutorial ends in a ranking model that has to be downloaded; here reciprocal rank fusion orders the two lists. The
splitter is left at its default, 200 words, which needs no download.
"""

from __future__ import annotations

from pathlib import Path

from harness import N_RESULTS, Ask, Job, Result, run
from haystack import Document
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)


def load(job: Job) -> SentenceTransformersDocumentEmbedder:
    embedder = SentenceTransformersDocumentEmbedder(model=job.model, progress_bar=False)
    embedder.warm_up()
    embedder.run(documents=[Document(content="ready")])
    return embedder


def build(job: Job, embedder: SentenceTransformersDocumentEmbedder) -> int:
    articles = [Document(content=a.text, meta={"path": a.path}) for a in job.articles()]
    splitter = DocumentSplitter()
    splitter.warm_up()
    texts = splitter.run(documents=articles)["documents"]
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    store.write_documents(embedder.run(documents=texts)["documents"])
    store.save_to_disk(str(Path(job.folder) / "store.json"))
    return len(texts)


def open_index(job: Job) -> Ask:
    store = InMemoryDocumentStore.load_from_disk(str(Path(job.folder) / "store.json"))
    embedder = SentenceTransformersTextEmbedder(model=job.model, progress_bar=False)
    embedder.warm_up()
    by_meaning, by_words = InMemoryEmbeddingRetriever(store), InMemoryBM25Retriever(store)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion")

    def ask(question: str) -> list[Result]:
        found = by_meaning.run(query_embedding=embedder.run(text=question)["embedding"])["documents"]
        if job.variant == "hybrid":
            found = joiner.run(documents=[found, by_words.run(query=question)["documents"]])["documents"]
        return [Result([document.meta["path"]], document.content) for document in found[:N_RESULTS]]

    return ask


if __name__ == "__main__":
    run(["haystack-ai", "sentence-transformers-haystack", "sentence-transformers"], load=load, build=build, open_index=open_index)
