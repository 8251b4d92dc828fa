"""LlamaIndex: its vector store index as in its starter tutorial, or fused with its BM25 retriever by reciprocal rank.

``dense`` keeps the default splitter, whose 1,024 tokens are four times what this model reads and hold most of these articles whole.
``dense-256`` and ``hybrid-256`` cut at the model's own length. No question is rewritten by a language model.
"""

from __future__ import annotations

from pathlib import Path

from harness import N_RESULTS, Ask, Job, Result, run
from llama_index.core import Document, Settings, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.retrievers.bm25 import BM25Retriever


def load(job: Job) -> HuggingFaceEmbedding:
    Settings.embed_model = HuggingFaceEmbedding(model_name=job.model)
    Settings.embed_model.get_text_embedding("ready")
    return Settings.embed_model


def build(job: Job, model: HuggingFaceEmbedding) -> int:
    splitter = SentenceSplitter(chunk_size=256, chunk_overlap=20) if job.variant.endswith("256") else SentenceSplitter()
    # A path is kept out of the text that is embedded, as the product's own reader of files does.
    articles = [
        Document(
            text=a.text, metadata={"path": a.path}, excluded_embed_metadata_keys=["path"], excluded_llm_metadata_keys=["path"]
        )
        for a in job.articles()
    ]
    index = VectorStoreIndex.from_documents(articles, transformations=[splitter], embed_model=model)
    index.storage_context.persist(persist_dir=job.folder)
    nodes = list(index.docstore.docs.values())
    if job.variant.startswith("hybrid"):
        BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=2 * N_RESULTS).persist(str(Path(job.folder) / "bm25"))
    return len(nodes)


def open_index(job: Job) -> Ask:
    load(job)
    index = load_index_from_storage(StorageContext.from_defaults(persist_dir=job.folder))
    retriever = index.as_retriever(similarity_top_k=N_RESULTS)
    if job.variant.startswith("hybrid"):
        by_meaning = index.as_retriever(similarity_top_k=2 * N_RESULTS)
        by_words = BM25Retriever.from_persist_dir(str(Path(job.folder) / "bm25"))
        retriever = QueryFusionRetriever(
            [by_meaning, by_words],
            llm=MockLLM(),
            similarity_top_k=N_RESULTS,
            num_queries=1,
            mode="reciprocal_rerank",
            use_async=False,
        )

    def ask(question: str) -> list[Result]:
        return [Result([found.node.metadata["path"]], found.node.text) for found in retriever.retrieve(question)]

    return ask


if __name__ == "__main__":
    packages = ["llama-index-core", "llama-index-embeddings-huggingface", "llama-index-retrievers-bm25", "sentence-transformers"]
    run(packages, load=load, build=build, open_index=open_index)
