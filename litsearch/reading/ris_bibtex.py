"""Reference managers' exports, RIS and BibTeX: one document a record that has an abstract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import rispy
from bibtexparser import model as bib
from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares import NormalizeFieldKeys, SeparateCoAuthors
from pylatexenc.latex2text import LatexNodes2Text  # type: ignore[import-untyped]

from litsearch.errors import Refused
from litsearch.reading.bibliography import (
    Built,
    add_abstract,
    bare_doi,
    clean_title,
    date_fields,
    kind_of,
    natural_name,
    read_records,
    refuse_empty,
    refuse_retracted,
    web_address,
)
from litsearch.reading.building import DocumentBuilder, plain_key, squeeze
from litsearch.reading.formats import is_bibtex, is_ris
from litsearch.reading.repairs import decode
from litsearch.reading.source import FileReading, Limits, SourceFile
from litsearch.records import Repair

_RIS_START = re.compile(r"^\s*TY  ?- ?", re.MULTILINE)
# rispy knows a tag by two spaces before the hyphen; some exports write one, or a tab.
_LOOSE_TAG = re.compile(r"^([A-Z][A-Z0-9])[ \t]{1,3}-[ \t]?", re.MULTILINE)
_RIS_KINDS = {"NEWS": "news", "MGZN": "news"}


class RisReader:
    """``TY  - JOUR`` to ``ER  -``: as PubMed's, publishers' and reference managers' exports write them."""

    name = "ris"
    version = 2

    def recognises(self, file: SourceFile) -> bool:
        """By the first bytes, then by the ending."""
        return is_ris(file)

    def read(self, file: SourceFile, limits: Limits) -> FileReading:
        """One document a record that has a text; the others are refused by name."""
        text, repairs = decode(file.content)
        parsed = map(_parse_ris, _ris_records(text))
        return read_records(file, limits, ((_ris_key(record), partial(_from_ris, record, repairs)) for record in parsed))


def _ris_records(text: str) -> Iterator[str]:
    """The text of each record by itself, so that a broken one spoils no other; a lost ``ER`` line is put back."""
    text = _LOOSE_TAG.sub(r"\1  - ", text)
    starts = [found.start() for found in _RIS_START.finditer(text)]
    for start, end in pairwise([*starts, len(text)]):
        yield f"{text[start:end].strip()}\nER  - \n"


def _parse_ris(raw: str) -> dict[str, Any]:
    """The fields of a record; none when it is not valid."""
    try:
        found: list[dict[str, Any]] = rispy.loads(raw)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return {}
    return found[0] if found else {}


def _ris_key(record: dict[str, Any]) -> str:
    doi = bare_doi(str(record.get("doi", "")))
    return doi or squeeze(str(record.get("accession_number", ""))) or squeeze(str(record.get("id", "")))


def _from_ris(record: dict[str, Any], repairs: list[Repair]) -> Built:
    if not record:
        raise Refused("is not valid RIS. Export it again or delete the record.")
    builder = DocumentBuilder(repairs)
    title = clean_title(builder.clean(_one(record, "title", "primary_title", "translated_title")))
    types = [_one(record, "type_of_work"), _RIS_KINDS.get(_one(record, "type_of_reference"), "")]
    refuse_retracted(types, title)
    abstract = _one(record, "abstract", "notes_abstract")
    refuse_empty(abstract, title)
    builder.add("heading", title, level=1)
    add_abstract(builder, abstract)
    names = record.get("authors") or record.get("first_authors") or []
    pmid = re.search(r"\d+", _one(record, "accession_number")) if "pubmed" in _one(record, "name_of_database").lower() else None
    urls = record.get("urls", [])
    metadata = {
        "title": title,
        "kind": kind_of(types, title),
        "authors": tuple(natural_name(name) for name in names if name.strip()),
        "journal": _one(record, "journal_name", "secondary_title", "alternate_title3", "alternate_title1"),
        "publisher": _one(record, "publisher"),
        **date_fields(f"{_one(record, 'year', 'publication_year')} {_without_year(_one(record, 'date'))}"),
        "doi": bare_doi(str(record.get("doi", ""))),
        "pmid": pmid.group() if pmid else "",
        "url": next((web_address(url) for url in urls if web_address(url)), ""),
    }
    return builder, metadata


def _without_year(stated: str) -> str:
    return re.sub(r"^\d{4}", "", stated)


def _one(record: dict[str, Any], *names: str) -> str:
    for name in names:
        value = record.get(name)
        if isinstance(value, list):
            value = " ".join(str(part) for part in value)
        if value and str(value).strip():
            return str(value).strip()
    return ""


# ---------------------------------------------------------------------------------------------------------- BibTeX


class BibtexReader:
    """``@article{key, ...}`` and its like; TeX's spellings of accents become letters."""

    name = "bibtex"
    version = 2

    def recognises(self, file: SourceFile) -> bool:
        """By the first bytes, then by the ending."""
        return is_bibtex(file)

    def read(self, file: SourceFile, limits: Limits) -> FileReading:
        """One document a record that has a text; the others are refused by name."""
        text, repairs = decode(file.content)
        found = ((getattr(block, "key", None) or "", partial(_from_bibtex, block, repairs)) for block in _blocks(text))
        return read_records(file, limits, found)


def _blocks(text: str) -> Iterator[Any]:
    """Entries and what failed to be one, in the file's order."""
    library = parse_string(text, append_middleware=[NormalizeFieldKeys(), SeparateCoAuthors()])
    for block in library.blocks:
        if isinstance(block, bib.DuplicateBlockKeyBlock):
            yield block.ignore_error_block
        elif isinstance(block, bib.Entry | bib.ParsingFailedBlock):
            yield block


def _from_bibtex(block: Any, repairs: list[Repair]) -> Built:
    if not isinstance(block, bib.Entry):
        line = (block.start_line or 0) + 1
        raise Refused(f"cannot be read (line {line}): a brace, quotation mark or comma is missing. Mend or delete the entry.")
    fields = {name: field.value for name, field in block.fields_dict.items()}
    return _build_bibtex(fields, block.entry_type.lower(), repairs)


def _build_bibtex(fields: dict[str, Any], entry_type: str, repairs: list[Repair]) -> Built:
    builder = DocumentBuilder(repairs)
    title = clean_title(builder.clean(_field(fields, "title")))
    types = [_field(fields, "type"), _field(fields, "keywords") if entry_type == "misc" else ""]
    refuse_retracted(types, title)
    abstract = _field(fields, "abstract")
    refuse_empty(abstract, title)
    builder.add("heading", title, level=1)
    add_abstract(builder, abstract)
    names = fields.get("author", [])
    names = names if isinstance(names, list) else [names]
    metadata = {
        "title": title,
        "kind": kind_of(types, title),
        "authors": tuple(natural_name(_untexed(name)) for name in names if name.strip() and plain_key(name) != "others"),
        "journal": _field(fields, "journal", "journaltitle"),
        "publisher": _field(fields, "publisher", "institution", "organization"),
        **date_fields(_field(fields, "date") or f"{_field(fields, 'year')} {_field(fields, 'month')}"),
        "doi": bare_doi(_field(fields, "doi")),
        "pmid": (re.findall(r"\d+", _field(fields, "pmid")) or [""])[0],
        "pmcid": _field(fields, "pmcid"),
        "url": web_address(_field(fields, "url")),
    }
    return builder, metadata


def _field(fields: dict[str, Any], *names: str) -> str:
    for name in names:
        value = fields.get(name, "")
        value = " ".join(value) if isinstance(value, list) else str(value)
        if value.strip():
            return _untexed(value).strip()
    return ""


_FORMULA = re.compile(r"(?<!\\)\$([^$\n]{0,80}[\\^_<>=][^$\n]{0,80})(?<!\\)\$")
_TEX = LatexNodes2Text(math_mode="text", keep_comments=False)


def _untexed(text: str) -> str:
    r"""Text without TeX: accents as letters, no protecting braces; per cent and money signs stay.

    >>> _untexed(r"{M}\"uller: 50% better at $p < 0.05$ and \$200")
    'Müller: 50% better at p < 0.05 and $200'
    """
    text = _FORMULA.sub(r"\1" if "\\" not in text else r"\\(\1\\)", text)
    if "\\" in text:
        # Unescaped, TeX takes a per cent sign for a comment and money for a formula: exports rarely escape either.
        for sign in "%$&#":
            text = re.sub(rf"(?<!\\){re.escape(sign)}", rf"\\{sign}", text)
        text = _TEX.latex_to_text(text)
    return squeeze(re.sub(r"[{}]", "", text).replace("~", " ").replace("``", "“").replace("''", "”"))
