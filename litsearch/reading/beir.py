"""BEIR's ``corpus.jsonl``: one document a line, for evaluation at size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from litsearch.errors import Refused
from litsearch.reading.bibliography import Built, Found, read_records
from litsearch.reading.building import DocumentBuilder, squeeze
from litsearch.reading.formats import is_beir
from litsearch.reading.repairs import decode
from litsearch.reading.source import FileReading, Limits, SourceFile
from litsearch.records import Repair


class BeirReader:
    """``{"_id": "4983", "title": "...", "text": "..."}`` a line; other fields are left alone."""

    name = "beir"
    version = 2

    def recognises(self, file: SourceFile) -> bool:
        """By the first bytes, then by the ending."""
        return is_beir(file)

    def read(self, file: SourceFile, limits: Limits) -> FileReading:
        """One document a record that has a text; the others are refused by name."""
        text, repairs = decode(file.content)
        return read_records(file, limits, _lines(text, repairs))


def _lines(text: str, repairs: list[Repair]) -> Iterator[Found]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            record, problem = _parse(line)
            key = squeeze(str(record.get("_id", ""))) or f"line-{number}"
            yield key, partial(_build, record, f"{problem} (line {number}). Mend or delete it." if problem else "", repairs)


def _parse(line: str) -> tuple[dict[str, Any], str]:
    """The record in a line, and what is wrong with it, if anything."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}, "is not valid JSON"
    if not isinstance(record, dict):
        return {}, "is not a JSON object"
    for field in ("text", "title"):
        if not isinstance(record.get(field) or "", str):
            return record, f"has a field {field!r} that is not text"
    return record, "" if (record.get("text") or "").strip() else "has no text"


def _build(record: dict[str, Any], problem: str, repairs: list[Repair]) -> Built:
    if problem:
        raise Refused(problem)
    builder = DocumentBuilder(repairs)
    title = squeeze(builder.clean(record.get("title") or ""))
    builder.add("heading", title, level=1)
    for paragraph in record["text"].split("\n\n"):
        builder.add("paragraph", paragraph)
    return builder, {"title": title}
