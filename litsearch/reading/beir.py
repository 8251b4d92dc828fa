"""BEIR's ``corpus.jsonl``: one document a line, for evaluation at size."""

from __future__ import annotations

import json
from typing import Any

from litsearch.errors import Refused
from litsearch.reading.bibliography import Records
from litsearch.reading.building import DocumentBuilder, squeeze
from litsearch.reading.formats import is_beir
from litsearch.reading.repairs import decode
from litsearch.reading.source import FileReading, Limits, SourceFile


class BeirReader:
    """``{"_id": "4983", "title": "...", "text": "..."}`` a line; other fields are left alone."""

    name = "beir"
    version = 1

    def recognises(self, file: SourceFile) -> bool:
        """By the first bytes, then by the ending."""
        return is_beir(file)

    def read(self, file: SourceFile, limits: Limits) -> FileReading:
        """One document a record that has a text; the others are refused by name."""
        text, repairs = decode(file.content)
        records = Records(file, limits)
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            record, problem = _parse(line)
            key = squeeze(str(record.get("_id", ""))) or f"line-{number}"
            if problem:
                records.refuse(key, f"line {number} {problem}")
                continue
            builder = DocumentBuilder()
            for repair in repairs:
                builder.record(repair)
            title = squeeze(builder.clean(record.get("title") or ""))
            builder.add("heading", title, level=1)
            for paragraph in record["text"].split("\n\n"):
                builder.add("paragraph", paragraph)
            try:
                records.keep(key, builder, {"title": title})
            except Refused as refused:
                records.refuse(key, f"line {number} {refused}")
        return records.reading()


def _parse(line: str) -> tuple[dict[str, Any], str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}, "is not valid JSON. Mend or delete that line."
    if not isinstance(record, dict):
        return {}, "is not a JSON object. Mend or delete that line."
    for field in ("text", "title"):
        if not isinstance(record.get(field) or "", str):
            return record, f"has a field {field!r} that is not text. Mend or delete that line."
    if not (record.get("text") or "").strip():
        return record, "has no text. Fill in the field 'text' or delete that line."
    return record, ""
