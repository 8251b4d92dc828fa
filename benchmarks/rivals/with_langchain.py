"""LangChain: FAISS over recursive character splits as in its tutorial on semantic search, or with BM25 in an ensemble.

The ensemble weighs both by half, as its documentation does. Its BM25 retriever is kept nowhere: it is made from the splits when
the index is opened.
"""

from __future__ import annotations

from harness import N_RESULTS, Ask, Job, Result, run
from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter


def load(job: Job) -> HuggingFaceEmbeddings:
    embeddings = HuggingFaceEmbeddings(model_name=job.model)
    embeddings.embed_query("ready")
    return embeddings


def _splits(job: Job) -> list[Document]:
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
    return splitter.split_documents([Document(page_content=a.text, metadata={"path": a.path}) for a in job.articles()])


def build(job: Job, embeddings: HuggingFaceEmbeddings) -> int:
    splits = _splits(job)
    FAISS.from_documents(splits, embeddings).save_local(job.folder)
    return len(splits)


def open_index(job: Job) -> Ask:
    # The store is a pickle; it is this benchmark's own.
    store = FAISS.load_local(job.folder, load(job), allow_dangerous_deserialization=True)
    retriever = store.as_retriever(search_kwargs={"k": N_RESULTS})
    if job.variant == "hybrid":
        by_words = BM25Retriever.from_documents(_splits(job), k=N_RESULTS)
        retriever = EnsembleRetriever(retrievers=[by_words, retriever], weights=[0.5, 0.5])

    def ask(question: str) -> list[Result]:
        return [Result([found.metadata["path"]], found.page_content) for found in retriever.invoke(question)[:N_RESULTS]]

    return ask


if __name__ == "__main__":
    packages = ["langchain-core", "langchain-community", "langchain-huggingface", "faiss-cpu", "sentence-transformers"]
    run(packages, load=load, build=build, open_index=open_index)
