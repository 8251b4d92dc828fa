"""The catalogue: documents, passages and sentences of one generation in a SQLite file, read-only once published."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from litsearch.errors import IndexDamaged
from litsearch.records import Block, Document, Metadata, Passage, Repair, Span

_SCHEMA = """
CREATE TABLE documents (
    position INTEGER PRIMARY KEY, document_id TEXT NOT NULL UNIQUE, path TEXT NOT NULL, text TEXT NOT NULL,
    blocks TEXT NOT NULL, metadata TEXT NOT NULL, repairs TEXT NOT NULL
);
CREATE INDEX documents_by_path ON documents (path);
CREATE TABLE passages (
    position INTEGER PRIMARY KEY, passage_id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL REFERENCES documents,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, text TEXT NOT NULL, section TEXT NOT NULL, role TEXT NOT NULL,
    sentences TEXT NOT NULL, lead_start INTEGER, lead_end INTEGER, page INTEGER
);
CREATE INDEX passages_by_document ON passages (document_id, position);
"""
_DOCUMENT_COLUMNS = "document_id, path, text, blocks, metadata, repairs"
_PASSAGE_COLUMNS = 'passage_id, document_id, start, "end", text, section, role, sentences, lead_start, lead_end, page'


@dataclass(frozen=True, slots=True)
class Articles:
    """Documents in the corpus's order and their passages."""

    documents: list[Document]
    passages: list[Passage]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Documents that follow each other in an earlier catalogue, and their passages, by position there."""

    documents: range
    passages: range


def write_catalogue(path: Path, parts: Iterable[Articles | Stretch], earlier: Path | None = None) -> None:
    """Write a new catalogue, part after part; the same documents and passages give the same bytes, whether they are given or
    taken from an ``earlier`` catalogue.

    Raises:
        OSError: when the disk refuses.
    """
    connection = sqlite3.connect(f"file:{_escaped(path)}", uri=True)
    try:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
        if earlier is not None:
            connection.execute("ATTACH ? AS earlier", (_unchanging(earlier),))
        n_documents = n_passages = 0
        for part in parts:
            if isinstance(part, Stretch):
                _take_over(connection, "documents", _DOCUMENT_COLUMNS, part.documents, n_documents)
                _take_over(connection, "passages", _PASSAGE_COLUMNS, part.passages, n_passages)
            else:
                _insert(connection, "documents", _DOCUMENT_COLUMNS, map(_document_row, part.documents), n_documents)
                _insert(connection, "passages", _PASSAGE_COLUMNS, map(_passage_row, part.passages), n_passages)
            n_documents += len(part.documents)
            n_passages += len(part.passages)
        connection.commit()
    except sqlite3.OperationalError as error:
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(path)) from error
    finally:
        connection.close()


def _insert(connection: sqlite3.Connection, table: str, columns: str, rows: Iterable[tuple[Any, ...]], first: int) -> None:
    marks = ", ?" * (columns.count(",") + 1)
    numbered = ((position, *row) for position, row in enumerate(rows, first))
    connection.executemany(f"INSERT INTO {table} (position, {columns}) VALUES (?{marks})", numbered)


def _take_over(connection: sqlite3.Connection, table: str, columns: str, there: range, first: int) -> None:
    connection.execute(
        f"INSERT INTO {table} (position, {columns}) SELECT position + ?, {columns} FROM earlier.{table}"
        " WHERE position >= ? AND position < ? ORDER BY position",
        (first - there.start, there.start, there.stop),
    )


class Catalogue:
    """An open catalogue; safe to share between threads, and readable to the end when its generation is removed meanwhile.

    One connection for all threads: one a thread would have to find the file again later, and would outlive its thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(_unchanging(path), uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise IndexDamaged(f"{path} cannot be opened ({error}). Run: python ingest.py --rebuild") from error
        # Questions under way read on from a generation that was replaced; the last of them to let go of it closes the file.
        weakref.finalize(self, self._connection.close)

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise IndexDamaged(f"{self._path} cannot be read ({error}). Run: python ingest.py --rebuild") from error

    def close(self) -> None:
        """Close the file; the catalogue is not usable after that."""
        with self._lock:
            self._connection.close()

    def stretches(self) -> dict[str, Stretch]:
        """Where the documents of each file of the corpus stand, by its path."""
        rows = self._rows(
            "SELECT path, MIN(documents.position), MAX(documents.position), MIN(passages.position), MAX(passages.position)"
            " FROM documents JOIN passages USING (document_id) GROUP BY path"
        )
        return {path: Stretch(range(d, d_last + 1), range(p, p_last + 1)) for path, d, d_last, p, p_last in rows}

    def articles(self, stretch: Stretch) -> Articles:
        """The documents and passages of a stretch of this catalogue."""
        where = "WHERE position >= ? AND position < ? ORDER BY position"
        documents, passages = (
            self._rows(f"SELECT {columns} FROM {table} {where}", (there.start, there.stop))
            for table, columns, there in (
                ("documents", _DOCUMENT_COLUMNS, stretch.documents),
                ("passages", _PASSAGE_COLUMNS, stretch.passages),
            )
        )
        return Articles([_document(row) for row in documents], [_passage(row) for row in passages])

    def passages_at(self, positions: Sequence[int]) -> list[Passage]:
        """The passages at these positions, in the given order."""
        found: dict[int, Passage] = {}
        for start in range(0, len(positions), 500):
            part = [int(position) for position in positions[start : start + 500]]
            marks = ",".join("?" * len(part))
            for row in self._rows(f"SELECT position, {_PASSAGE_COLUMNS} FROM passages WHERE position IN ({marks})", part):
                found[row[0]] = _passage(row[1:])
        return [found[int(position)] for position in positions]

    def passage(self, passage_id: str) -> Passage | None:
        """The passage with this id, or None when this generation has no such passage."""
        rows = self._rows(f"SELECT {_PASSAGE_COLUMNS} FROM passages WHERE passage_id = ?", (passage_id,))
        return _passage(rows[0]) if rows else None

    def passages(self, document_id: str | None = None) -> Iterator[Passage]:
        """All passages in their order, or those of one document."""
        if document_id is None:
            rows = self._rows(f"SELECT {_PASSAGE_COLUMNS} FROM passages ORDER BY position")
        else:
            where = "WHERE document_id = ? ORDER BY position"
            rows = self._rows(f"SELECT {_PASSAGE_COLUMNS} FROM passages {where}", (document_id,))
        return (_passage(row) for row in rows)

    def positions_of(self, role: str) -> list[int]:
        """The positions of the passages with this role, in their order."""
        return [row[0] for row in self._rows("SELECT position FROM passages WHERE role = ? ORDER BY position", (role,))]

    def document(self, document_id: str) -> Document | None:
        """The document with this id, or None."""
        rows = self._rows(f"SELECT {_DOCUMENT_COLUMNS} FROM documents WHERE document_id = ?", (document_id,))
        return _document(rows[0]) if rows else None

    def documents(self) -> Iterator[Document]:
        """All documents in the corpus's order."""
        return (_document(row) for row in self._rows(f"SELECT {_DOCUMENT_COLUMNS} FROM documents ORDER BY position"))

    def metadata(self) -> dict[str, tuple[str, Metadata]]:
        """Path and metadata of every document, by its id."""
        rows = self._rows("SELECT document_id, path, metadata FROM documents ORDER BY position")
        return {row[0]: (row[1], _metadata(row[2])) for row in rows}


def _unchanging(path: Path) -> str:
    """The address of a published catalogue: it never changes, so SQLite needs no lock and writes no side files."""
    return f"file:{_escaped(path)}?mode=ro&immutable=1"


def _escaped(path: Path) -> str:
    return str(path.resolve()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _document_row(document: Document) -> tuple[Any, ...]:
    return (
        document.document_id,
        document.path,
        _storable(document.text),
        json.dumps([[b.kind, b.start, b.end, b.level, b.page] for b in document.blocks]),
        json.dumps(asdict(document.metadata), sort_keys=True),
        json.dumps([[r.what, r.count, r.example] for r in document.repairs]),
    )


def _document(row: Sequence[Any]) -> Document:
    blocks = tuple(Block(*block) for block in json.loads(row[3]))
    repairs = tuple(Repair(*repair) for repair in json.loads(row[5]))
    return Document(row[0], row[1], row[2], blocks, _metadata(row[4]), repairs)


def _metadata(stored: str) -> Metadata:
    fields = json.loads(stored)
    fields["authors"] = tuple(fields["authors"])
    return Metadata(**fields)


def _passage_row(p: Passage) -> tuple[Any, ...]:
    lead = (p.lead_in.start, p.lead_in.end) if p.lead_in else (None, None)
    sentences = json.dumps([[s.start, s.end] for s in p.sentences])
    return (p.passage_id, p.document_id, p.start, p.end, _storable(p.text), p.section, p.role, sentences, *lead, p.page)


def _passage(row: Sequence[Any]) -> Passage:
    sentences = tuple(Span(start, end) for start, end in json.loads(row[7]))
    lead_in = Span(row[8], row[9]) if row[8] is not None else None
    return Passage(row[0], row[1], row[2], row[3], row[4], row[5], row[6], sentences, lead_in, row[10])


def _storable(text: str) -> str:
    """SQLite stores UTF-8, which has no lone surrogates; a reader never leaves one, so this is a guard, one for one."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
