"""The scale-out engine: vectors and postings in a Milvus server, one collection a generation and an alias for the one in use."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from litsearch.engines import Floats, Positions, Postings, Searchable, Vectors
from litsearch.errors import EngineError, IndexDamaged
from litsearch.files import write_whole, writing
from litsearch.lexical import LexicalIndex, rarity_of

# A question waits no longer for a server that is gone; writing a large collection may take its time.
_ASK_TIMEOUT_S = 10
_WRITE_TIMEOUT_S = 3_600
_SLOW = frozenset({"insert", "flush", "create_index", "load_collection"})
# A server that is back is found within a second; gRPC by itself would wait up to two minutes before it tries again.
_BACK_SOON = {"grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 1_000}
# Rows a message: 4 MB of vectors of 384 dimensions, far below the server's limit of 64 MB.
_BATCH = 2_500
# Milvus must find a vector of terms in every row. Sentences have none of their own; no question ever asks for this one.
_NO_TERM = 0
_NO_PASSAGE = -1
_NOT_LOADED = 101  # Milvus's code: the collection lies on the disk alone, as after a restart of Milvus Lite
_COUNTS = "terms.json"
_IDENTITY = "engine.json"


class Milvus:
    """Keeps each generation of one index in a collection named after both.

    Vectors are searched exactly (FLAT), so that hits equal the embedded engine's. Full text is not left to Milvus's own BM25,
    whose analyser cuts words in another way and counts in other ones than ours: each passage carries a sparse vector of the
    BM25 weights that the embedded engine computes, and a question's weighted terms are its other side, so the inner product of
    the two is the same BM25.

    Readers ask for their collection by its own name: the alias, which tells everybody else on the server which collection is in
    use, may move to another one while a question is answered.
    """

    name = "milvus"

    def __init__(self, address: str, index: Path) -> None:
        self._server = _server(address)
        self._identity = index / _IDENTITY

    def write(self, generation_id: str, folder: Path, searchable: Searchable) -> None:
        lexical = LexicalIndex.build(searchable.terms)
        counts = {term: lexical.n_holding(term) for term in lexical.terms}
        kept = {"dimensions": searchable.vectors.shape[1], "n_passages": len(searchable.terms), "n_holding": counts}
        with writing(folder / _COUNTS):
            (folder / _COUNTS).write_text(json.dumps(kept, sort_keys=True), encoding="utf-8")
        collection = self._prefix(make=True) + generation_id
        self._drop(collection)
        ask = self._server.ask
        ask("create_collection", collection, schema=_schema(searchable.vectors.shape[1]), consistency_level="Strong")
        for rows in _rows(searchable, lexical):
            ask("insert", collection, rows)
        ask("flush", collection)
        ask("create_index", collection, _indexes())
        ask("load_collection", collection)

    def open(self, generation_id: str, folder: Path) -> tuple[Vectors, Postings]:
        collection = self._prefix() + generation_id
        if not self._server.ask("has_collection", collection):
            raise IndexDamaged(
                f"Milvus at {self._server.address} has no collection {collection}, which keeps the vectors of generation"
                f" {generation_id}. Restore it there or run: python ingest.py"
            )
        kept = json.loads((folder / _COUNTS).read_text(encoding="utf-8"))
        self._server.ask("load_collection", collection)
        ((count, *_),) = (row.values() for row in self._server.ask("query", collection, output_fields=["count(*)"]))
        return (
            MilvusVectors(self._server, collection, int(count), kept["dimensions"]),
            MilvusPostings(self._server, collection, kept["n_passages"], kept["n_holding"]),
        )

    def switch(self, generation_id: str) -> None:
        prefix = self._prefix()
        alias, collection = f"{prefix}current", prefix + generation_id
        if any(alias in self._aliases(name) for name in self._collections()):
            self._server.ask("alter_alias", collection, alias)
        else:
            self._server.ask("create_alias", collection, alias)

    def sweep(self, kept: Collection[str]) -> None:
        prefix = self._prefix(make=True)
        for collection in self._collections():
            if collection.removeprefix(prefix) not in kept:
                self._drop(collection)

    def _collections(self) -> list[str]:
        prefix = self._prefix()
        return sorted(name for name in self._server.ask("list_collections") if name.startswith(prefix))

    def _aliases(self, collection: str) -> list[str]:
        return list(self._server.ask("list_aliases", collection)["aliases"])

    def _drop(self, collection: str) -> None:
        if self._server.ask("has_collection", collection):
            # Milvus refuses to drop what an alias names: a damaged generation that is written again, for one.
            for alias in self._aliases(collection):
                self._server.ask("drop_alias", alias)
            self._server.ask("drop_collection", collection)

    def _prefix(self, *, make: bool = False) -> str:
        """What the collections of this index begin with: several indexes may use one server, and none touches another's."""
        try:
            return f"litsearch_{json.loads(self._identity.read_text(encoding='utf-8'))['id']}_"
        except FileNotFoundError as error:
            if not make:
                raise IndexDamaged(
                    f"{self._identity}, which names the index in Milvus, is missing. Run: python ingest.py"
                ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(f"{self._identity} is damaged. Remove it and run: python ingest.py") from error
        write_whole(self._identity, json.dumps({"id": uuid.uuid4().hex[:12]}).encode())
        return self._prefix()


class MilvusVectors:
    """The vectors of one collection, by unit."""

    def __init__(self, server: _Server, collection: str, n: int, dimensions: int) -> None:
        self._server = server
        self._collection = collection
        self._n = n
        self._dimensions = dimensions

    def __len__(self) -> int:
        return self._n

    def search(self, queries: Floats, n: int) -> tuple[Floats, Positions]:
        n = min(n, self._n)
        if n == 0 or len(queries) == 0:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        found = self._server.search(self._collection, "vector", list(queries), n, "unit")
        if any(len(positions) != n for positions, _ in found):
            raise EngineError(
                f"Milvus at {self._server.address} returned fewer vectors of {self._collection} than it holds. Restart it."
            )
        return np.stack([similarities for _, similarities in found]), np.stack([positions for positions, _ in found])

    def at(self, positions: Positions) -> Floats:
        found = np.zeros((len(positions), self._dimensions), dtype=np.float32)
        for start in range(0, len(positions), _BATCH):
            part = [int(position) for position in positions[start : start + _BATCH]]
            rows = self._server.ask("query", self._collection, ids=part, output_fields=["unit", "vector"])
            by_unit = {row["unit"]: row["vector"] for row in rows}
            if len(by_unit) != len(set(part)):
                raise IndexDamaged(f"{self._collection} in Milvus lacks vectors. Run: python ingest.py --rebuild")
            found[start : start + len(part)] = [by_unit[position] for position in part]
        return found


class MilvusPostings:
    """BM25 of one collection's passages as inner products of sparse vectors; how many hold a term is kept on the local disk."""

    def __init__(self, server: _Server, collection: str, n_passages: int, n_holding: Mapping[str, int]) -> None:
        self._server = server
        self._collection = collection
        self._n_passages = n_passages
        self._n_holding = n_holding
        self._dimension_of = {term: dimension for dimension, term in enumerate(n_holding, start=_NO_TERM + 1)}

    def candidates(self, weighted_terms: Mapping[str, float], n: int, beside: Positions) -> tuple[Positions, Floats]:
        question = {self._dimension_of[term]: weight for term, weight in weighted_terms.items() if term in self._dimension_of}
        beside = np.unique(beside)
        if not question or not self._n_passages:
            return beside, np.zeros(len(beside), dtype=np.float32)
        relevance: dict[int, float] = {}
        # As many again, so that of passages of equal relevance at the cut those come in that come first, as the embedded ones do.
        ((best, found),) = self._search(question, min(2 * n, self._n_passages)) if n else [(beside[:0], np.zeros(0, np.float32))]
        relevance.update(zip(best[:n].tolist(), found[:n].tolist(), strict=True))
        others = [position for position in beside.tolist() if position not in relevance]
        for start in range(0, len(others), _BATCH):
            part = others[start : start + _BATCH]
            ((held, found),) = self._search(question, len(part), f"passage in {part}")
            relevance.update({**dict.fromkeys(part, 0.0), **dict(zip(held.tolist(), found.tolist(), strict=True))})
        positions = np.array(sorted(relevance), dtype=np.int64)
        return positions, np.array([relevance[position] for position in positions.tolist()], dtype=np.float32)

    def _search(self, question: Mapping[int, float], n: int, among: str = "") -> list[tuple[Positions, Floats]]:
        return self._server.search(self._collection, "terms", [question], n, "passage", among)

    def n_holding(self, term: str) -> int:
        return self._n_holding.get(term, 0)

    def rarity(self, term: str) -> float:
        return rarity_of(self.n_holding(term), self._n_passages)


class _Server:
    """One Milvus server; what it refuses, or that it does not answer, is an ``EngineError``. Safe to share between threads."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._client: Any = None

    def ask(self, what: str, *subject: Any, **details: Any) -> Any:
        """What a method of pymilvus's client answers; a collection that a restart left on the disk is loaded first."""
        grpc, milvus = _library()
        timeout_s = _WRITE_TIMEOUT_S if what in _SLOW else _ASK_TIMEOUT_S
        try:
            client = self._connected(milvus)
            try:
                return getattr(client, what)(*subject, timeout=timeout_s, **details)
            except milvus.MilvusException as error:
                if error.code != _NOT_LOADED:
                    raise
                client.load_collection(subject[0], timeout=_WRITE_TIMEOUT_S)
                return getattr(client, what)(*subject, timeout=timeout_s, **details)
        except (milvus.MilvusException, grpc.RpcError) as error:
            reason = getattr(error, "message", "") or type(error).__name__
            raise EngineError(
                f"Milvus at {self.address} does not answer or refuses ({reason}). Start it, or mend 'engine' in"
                " practice/settings.toml, and try again; the index stays as it was."
            ) from error

    def search(
        self, collection: str, field: str, queries: Sequence[Any], n: int, what: str, among: str = ""
    ) -> list[tuple[Positions, Floats]]:
        """For each query the numbers in the field ``what`` of the ``n`` rows of the highest inner product, and these; best first,
        equal ones by number.
        """
        hits = self.ask("search", collection, data=list(queries), anns_field=field, limit=n, filter=among, output_fields=[what])
        found = []
        for of_query in hits:
            numbers = np.array([hit["entity"][what] for hit in of_query], dtype=np.int64)
            products = np.array([hit["distance"] for hit in of_query], dtype=np.float32)
            order = np.lexsort((numbers, -products))
            found.append((numbers[order], products[order]))
        return found

    def _connected(self, milvus: Any) -> Any:
        with self._lock:
            if self._client is None:
                address = self.address.replace("milvus://", "http://", 1)
                self._client = milvus.MilvusClient(uri=address, timeout=_ASK_TIMEOUT_S, grpc_options=_BACK_SOON)
            return self._client


@cache
def _server(address: str) -> _Server:
    """One client a server and process, however many indexes are opened."""
    return _Server(address)


@cache
def _library() -> tuple[Any, Any]:
    try:
        import grpc
        import pymilvus
    except ImportError as error:
        raise EngineError(
            "The setting 'engine' names a Milvus server, which needs more to be installed: pip install -e .[milvus]"
        ) from error
    # It logs every refusal with a trace of its own; ours says what to do.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    return grpc, pymilvus


def _schema(dimensions: int) -> Any:
    _, milvus = _library()
    schema = milvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("unit", milvus.DataType.INT64, is_primary=True)
    schema.add_field("passage", milvus.DataType.INT64)
    schema.add_field("vector", milvus.DataType.FLOAT_VECTOR, dim=dimensions)
    schema.add_field("terms", milvus.DataType.SPARSE_FLOAT_VECTOR)
    return schema


def _indexes() -> Any:
    _, milvus = _library()
    indexes = milvus.MilvusClient.prepare_index_params()
    indexes.add_index("passage", index_type="INVERTED")
    indexes.add_index("vector", index_type="FLAT", metric_type="IP")
    indexes.add_index("terms", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    return indexes


def _rows(searchable: Searchable, lexical: LexicalIndex) -> Iterator[list[dict[str, Any]]]:
    """All units as rows of the collection, some at a time; a unit that is a whole passage carries its number and terms."""
    passages = np.full(len(searchable.vectors), _NO_PASSAGE, dtype=np.int64)
    passages[searchable.whole] = np.arange(len(searchable.whole))
    starts, numbers, weights = lexical.weights()
    for start in range(0, len(passages), _BATCH):
        rows: list[dict[str, Any]] = []
        for unit, passage in enumerate(passages[start : start + _BATCH].tolist(), start=start):
            place = slice(0, 0) if passage == _NO_PASSAGE else slice(starts[passage], starts[passage + 1])
            held = dict(zip((numbers[place] + _NO_TERM + 1).tolist(), weights[place].tolist(), strict=True))
            rows.append({"unit": unit, "passage": passage, "vector": searchable.vectors[unit], "terms": held or {_NO_TERM: 1.0}})
        yield rows
