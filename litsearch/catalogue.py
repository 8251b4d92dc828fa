"""The catalogue: documents, passages and sentences of one generation in a SQLite file, read-only once published."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
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


def write_catalogue(path: Path, documents: Iterable[Document], passages: Iterable[Passage]) -> None:
    """Write a new catalogue; the same documents and passages give the same bytes.

    Raises:
        OSError: when the disk refuses.
    """
    connection = sqlite3.connect(path)
    try:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
        connection.executemany(
            f"INSERT INTO documents (position, {_DOCUMENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((position, *_document_row(d)) for position, d in enumerate(documents)),
        )
        connection.executemany(
            f"INSERT INTO passages (position, {_PASSAGE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((position, *_passage_row(p)) for position, p in enumerate(passages)),
        )
        connection.commit()
    except sqlite3.OperationalError as error:
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(path)) from error
    finally:
        connection.close()


class Catalogue:
    """An open catalogue; safe to share between threads, and readable to the end when its generation is removed meanwhile.

    One connection for all threads: one a thread would have to find the file again later, and would outlive its thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        # Immutable: a published generation never changes, so SQLite needs no lock and writes no side files.
        address = f"file:{_escaped(path)}?mode=ro&immutable=1"
        try:
            self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
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
