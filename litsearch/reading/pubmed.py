"""PubMed's exports, as text (``.nbib``) and as XML: one document a record, structured abstracts by section."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

from lxml import etree

from litsearch.errors import Refused
from litsearch.reading.bibliography import (
    Built,
    Found,
    Records,
    add_abstract,
    add_sections,
    bare_doi,
    clean_title,
    date_fields,
    kind_of,
    natural_name,
    read_records,
    refuse_empty,
    refuse_retracted,
)
from litsearch.reading.building import DocumentBuilder, squeeze
from litsearch.reading.formats import is_medline, is_pubmed_xml
from litsearch.reading.markup import explain, refuse_entities, text_of
from litsearch.reading.repairs import decode
from litsearch.reading.source import FileReading, Limits, SourceFile
from litsearch.records import Repair

_FIELD = re.compile(r"^([A-Z][A-Z0-9]{1,3}) {0,2}- ?(.*)$")


class MedlineReader:
    """``PMID- 24919799`` and its like, a blank line between records."""

    name = "medline"
    version = 2

    def recognises(self, file: SourceFile) -> bool:
        """By the first bytes, then by the ending."""
        return is_medline(file)

    def read(self, file: SourceFile, limits: Limits) -> FileReading:
        """One document a record that has a text; the others are refused by name."""
        text, repairs = decode(file.content)
        found = ((_first(fields, "PMID"), partial(_from_medline, fields, repairs)) for fields in _medline_records(text))
        return read_records(file, limits, found)


def _medline_records(text: str) -> Iterator[dict[str, list[str]]]:
    """The fields of each record: tag -> values in their order; lines that continue a value are joined to it."""
    fields: dict[str, list[str]] = defaultdict(list)
    tag = ""
    for line in text.split("\n"):
        found = _FIELD.match(line)
        if found:
            if found.group(1) == "PMID" and "PMID" in fields:
                yield fields
                fields = defaultdict(list)
            tag = found.group(1)
            fields[tag].append(found.group(2).strip())
        elif line.strip() and tag and line.startswith(" "):
            fields[tag][-1] = f"{fields[tag][-1]} {line.strip()}".strip()
        elif not line.strip() and fields:
            # Only the next PMID begins a record: a stray blank line inside one costs nothing.
            tag = ""
    if fields:
        yield fields


def _from_medline(fields: dict[str, list[str]], repairs: list[Repair]) -> Built:
    builder = DocumentBuilder(repairs)
    types = fields.get("PT", [])
    title = clean_title(builder.clean(_first(fields, "TI") or _first(fields, "BTI")))
    refuse_retracted(types, title, stated="RIN" in fields)
    abstract = _first(fields, "AB")
    refuse_empty(abstract, title)
    builder.add("heading", title, level=1)
    add_abstract(builder, abstract)
    identifiers = fields.get("LID", []) + fields.get("AID", [])
    doi = next((value for value in identifiers if value.endswith("[doi]")), "")
    metadata = {
        "title": title,
        "kind": kind_of(types, title),
        "authors": tuple(natural_name(name) for name in fields.get("FAU", []) or fields.get("AU", []))
        + tuple(fields.get("CN", [])),
        "journal": _first(fields, "JT") or _first(fields, "TA"),
        "publisher": _first(fields, "PB"),
        **date_fields(_first(fields, "DP")),
        "doi": bare_doi(doi),
        "pmid": _first(fields, "PMID"),
        "pmcid": _first(fields, "PMC"),
    }
    return builder, metadata


def _first(fields: dict[str, list[str]], tag: str) -> str:
    return next(iter(fields.get(tag, [])), "")


# ------------------------------------------------------------------------------------------------------------- XML


class PubmedXmlReader:
    """``<PubmedArticleSet>``: read record by record, so that a damaged end does not cost the records before it."""

    name = "pubmed-xml"
    version = 2

    def recognises(self, file: SourceFile) -> bool:
        """By the first bytes, then by the ending."""
        return is_pubmed_xml(file)

    def read(self, file: SourceFile, limits: Limits) -> FileReading:
        """One document a record that has a text; the others are refused by name."""
        refuse_entities(file.content)
        records = Records(file, limits)
        try:
            records.take(_articles(file.content))
        except etree.XMLSyntaxError as error:
            if not records.n_found:
                raise Refused(explain(error)) from error
            records.refuse_rest(f"{explain(error)} The {records.n_found} records before that place were read.")
        return records.reading()


def _articles(content: bytes) -> Iterator[Found]:
    names = ("PubmedArticle", "PubmedBookArticle", "MedlineCitation")
    source = io.BytesIO(content.strip(b"\x00 \t\r\n"))
    for _, element in etree.iterparse(
        source, events=("end",), tag=names, resolve_entities=False, load_dtd=False, no_network=True
    ):
        if element.tag == "MedlineCitation" and element.getparent() is not None and element.getparent().tag == "PubmedArticle":
            continue
        yield squeeze(element.findtext(".//PMID")), partial(_from_xml, element)
        element.clear(keep_tail=False)
        while element.getprevious() is not None:
            del element.getparent()[0]


def _from_xml(record: Any) -> Built:
    article = record.find(".//Article")
    article = article if article is not None else record.find(".//BookDocument")
    if article is None:
        raise Refused("holds no article. Export the record again.")
    builder = DocumentBuilder()
    types = [text_of(kind) for kind in article.iterfind(".//PublicationType")]
    title = clean_title(builder.clean(text_of(article.find("ArticleTitle")) or text_of(article.find("Book/BookTitle"))))
    retraction = record.find(".//CommentsCorrections[@RefType='RetractionIn']") is not None
    refuse_retracted(types, title, stated=retraction)
    sections = [(_label(part), text_of(part)) for part in article.iterfind("Abstract/AbstractText")]
    refuse_empty("".join(text for _, text in sections), title)
    builder.add("heading", title, level=1)
    add_sections(builder, sections)
    metadata = {
        "title": title,
        "kind": kind_of(types, title),
        "authors": tuple(_names(article)),
        "journal": squeeze(article.findtext("Journal/Title") or article.findtext("Journal/ISOAbbreviation")),
        "publisher": squeeze(article.findtext("Book/Publisher/PublisherName")),
        **_published(article),
        "doi": _identifier(record, article, "doi"),
        "pmid": squeeze(record.findtext(".//PMID")),
        "pmcid": _identifier(record, article, "pmc"),
    }
    return builder, metadata


def _label(part: Any) -> str:
    label = squeeze(part.get("Label"))
    return "" if label.upper() in ("UNLABELLED", "UNASSIGNED") else label


def _names(article: Any) -> Iterator[str]:
    for author in article.iterfind("AuthorList/Author"):
        if author.get("ValidYN", "Y") != "Y" or author.getparent().get("Type") == "editors":
            continue
        family, given = squeeze(author.findtext("LastName")), squeeze(author.findtext("ForeName") or author.findtext("Initials"))
        name = f"{given} {family} {squeeze(author.findtext('Suffix'))}".strip() or squeeze(author.findtext("CollectiveName"))
        if name:
            yield name


def _published(article: Any) -> dict[str, Any]:
    for path in ("Journal/JournalIssue/PubDate", "ArticleDate", "Book/PubDate", "ContributionDate"):
        stated = article.find(path)
        if stated is not None:
            parts = [squeeze(stated.findtext(name)) for name in ("Year", "Month", "Day")]
            fields = date_fields(" ".join(part for part in parts if part) or squeeze(stated.findtext("MedlineDate")))
            if fields:
                return fields
    return {}


def _identifier(record: Any, article: Any, kind: str) -> str:
    # Only the article's own list: those of the works it cites stand deeper, in its reference list.
    for path in (
        "PubmedData/ArticleIdList/ArticleId",
        "PubmedBookData/ArticleIdList/ArticleId",
        "BookDocument/ArticleIdList/ArticleId",
    ):
        for identifier in record.iterfind(path):
            if identifier.get("IdType") == kind:
                return bare_doi(text_of(identifier)) if kind == "doi" else squeeze(text_of(identifier))
    location = article.find(f"ELocationID[@EIdType='{kind}']")
    return bare_doi(text_of(location)) if location is not None else ""
