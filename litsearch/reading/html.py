"""Saved web pages: the article without menus and adverts, its headings, lists and tables, and what the page says of itself."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

import trafilatura
from lxml import etree
from lxml import html as lxml_html

from litsearch.errors import Refused
from litsearch.reading.bibliography import bare_doi, date_fields, is_retracted, kind_of, natural_name, web_address
from litsearch.reading.building import DocumentBuilder, plain_key, squeeze, without_invisible
from litsearch.reading.formats import is_html
from litsearch.reading.page import choose, pieces_of
from litsearch.reading.repairs import decode
from litsearch.reading.selling import kind_if_selling
from litsearch.reading.source import Limits, SourceFile
from litsearch.records import Document, Repair

_NO_TEXT = (
    "has no main text that could be found (perhaps a script loads it, or it is a list of links)."
    " Open it in a browser, print it to PDF or copy its text into a .txt file, and add that."
)
_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
# Chosen by measurement (docs/reading-measurements.md, "Web pages"): precision before recall, unless that loses most of the text.
_MIN_SHARE_OF_BALANCED = 0.5
# No end of the search for dates but the page's own: a date must not depend on the day of reading.
_DATES = {"extensive_search": False, "original_date": True, "max_date": "2199-12-31"}
_NEWS = {"NewsArticle", "ReportageNewsArticle", "AnalysisNewsArticle", "BackgroundNewsArticle"}


class HtmlReader:
    """``.html``: read by trafilatura from the file alone; nothing is fetched."""

    name = "html"
    version = 2

    def recognises(self, file: SourceFile) -> bool:
        """By the first bytes, then by the ending."""
        return is_html(file)

    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        """The one document; refused when no main text is found."""
        text, repairs = _decode(file.content)
        builder = DocumentBuilder(repairs)
        tree = _parse(text, builder)
        fields = _stated(tree)
        title = fields.get("title", "")
        pieces = choose(pieces_of(tree), _found(tree))
        if title and not any(piece.kind == "heading" and piece.key == plain_key(title) for piece in pieces[:3]):
            builder.add("heading", title, level=1)
        for piece in pieces:
            builder.add(piece.kind, piece.text, level=piece.level, marker=piece.marker)
        if not builder.has_text:
            raise Refused(_NO_TEXT)
        surroundings = _visible(tree)
        kind = kind_if_selling("", builder.text, surroundings=surroundings, url=fields.get("url", ""))
        if kind == "not-stated":
            kind = fields.pop("kind", "") or kind
        return [builder.single(file, {**fields, "kind": kind})]


def _decode(content: bytes) -> tuple[str, list[Repair]]:
    """UTF-8 when it is that; else what the page declares; else the likeliest."""
    try:
        return decode(content) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else (content.decode("utf-8-sig"), [])
    except UnicodeDecodeError:
        declared = _CHARSET.search(content[:4096])
    if declared:
        try:
            name = codecs.lookup(declared.group(1).decode("ascii")).name
            # Browsers read these two as Windows-1252, and pages are written for browsers.
            name = "cp1252" if name in ("iso8859-1", "ascii") else name
            return content.decode(name, errors="replace" if name == "utf-8" else "strict"), [
                Repair(f"read as {name}, as the page says")
            ]
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(content)


def _parse(text: str, builder: DocumentBuilder) -> Any:
    # The parser stops at some of these; what else is invisible is counted by the builder, in the article alone.
    text, n_removed = re.subn(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text)
    if n_removed:
        builder.record(Repair("control characters removed", n_removed))
    parser = lxml_html.HTMLParser(
        encoding="utf-8", collect_ids=False, default_doctype=False, remove_comments=True, remove_pis=True, no_network=True
    )
    try:
        tree = lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError) as error:
        raise Refused(_NO_TEXT) from error
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise Refused("is nested too deeply to read. Open it in a browser, print it to PDF or copy its text into a .txt file.")
    return tree


def _found(tree: Any) -> list[str]:
    """The stretches of text that trafilatura takes for the article's."""
    careful = trafilatura.bare_extraction(tree, include_comments=False, favor_precision=True)
    stretches = _stretches(careful)
    balanced = _stretches(trafilatura.bare_extraction(tree, include_comments=False))
    return stretches if _length(stretches) >= _MIN_SHARE_OF_BALANCED * _length(balanced) else balanced


def _stretches(found: Any) -> list[str]:
    if found is None or found.body is None:
        return []
    elements = found.body.iter("p", "head", "item", "cell", "quote", "code", "div", "body", "row")
    return ["".join(element.itertext()) for element in elements]


def _length(stretches: list[str]) -> int:
    return max((len(stretch) for stretch in stretches), default=0)


def _visible(tree: Any) -> str:
    parts = tree.xpath("//text()[not(ancestor::script or ancestor::style or ancestor::noscript or ancestor::template)]")
    return " ".join(" ".join(parts).split())


# -------------------------------------------------------------------------------------------------------- metadata


def _stated(tree: Any) -> dict[str, Any]:
    """What the page says of itself, in its head and its structured data; nothing is guessed from where words stand."""
    document = trafilatura.extract_metadata(tree, date_config=_DATES)
    meta = _meta_tags(tree)
    schema = list(_schema_nodes(tree))
    title = next(iter(meta.get("citation_title", [])), "") or _title(tree, squeeze(document.title))
    fields: dict[str, Any] = {
        "title": without_invisible(title)[0],
        "authors": tuple(_authors(tree, meta, schema)),
        "publisher": without_invisible(squeeze(document.sitename))[0].removeprefix("@"),
        "journal": next(iter(meta.get("citation_journal_title", [])), ""),
        "doi": bare_doi(next(iter(meta.get("citation_doi", [])), "")),
        "pmid": next((value for value in meta.get("citation_pmid", []) if value.isdigit()), ""),
        "url": web_address(document.url or ""),
        **date_fields(
            next(iter(meta.get("citation_publication_date", []) + meta.get("citation_date", [])), "") or document.date or ""
        ),
    }
    types = meta.get("citation_article_type", [])
    if is_retracted(types, title):
        raise Refused("was retracted, so it must not be quoted. Delete the file.")
    scholarly = bool(fields["journal"] or fields["doi"])
    is_news = any(_NEWS & set(_as_list(node.get("@type"))) for node in schema)
    fields["kind"] = kind_of(types, title) if scholarly else "news-report" if is_news else ""
    return fields


def _title(tree: Any, stated: str) -> str:
    """The stated title without the name of the site, when the page's first heading shows where that begins."""
    heading = next((squeeze(element.text_content()) for element in tree.iter("h1") if squeeze(element.text_content())), "")
    key = plain_key(heading)
    return heading if len(key) >= 4 and (not stated or plain_key(stated).startswith(key)) else stated


def _authors(tree: Any, meta: dict[str, list[str]], schema: list[dict[str, Any]]) -> Iterator[str]:
    stated = (
        meta.get("citation_author", []) or meta.get("dc.creator", []) or meta.get("author", []) or meta.get("article:author", [])
    )
    names = [natural_name(part) for name in stated for part in re.split(r";| and (?=[A-Z])", name)] if stated else []
    if not any(map(_is_name, names)):
        for node in schema:
            people = [person for person in _as_list(node.get("author")) if isinstance(person, dict | str)]
            names += [str(person.get("name", "")) if isinstance(person, dict) else person for person in people]
    if not any(map(_is_name, names)):
        names = [
            element.text_content() for element in tree.xpath("//a[@rel='author'] | //*[@itemprop='author']//*[@itemprop='name']")
        ]
    yield from dict.fromkeys(squeeze(name) for name in names if _is_name(name))


def _meta_tags(tree: Any) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    for tag in tree.iter("meta"):
        name, content = (tag.get("name") or tag.get("property") or "").lower(), squeeze(tag.get("content"))
        if name and content:
            tags.setdefault(name, []).append(content)
    return tags


def _is_name(stated: str) -> bool:
    # "admin" and "Editorial team" are who pressed the button.
    words = stated.split()
    return (
        bool(words)
        and len(words) <= 8
        and "://" not in stated
        and "@" not in stated
        and words[0].lower() not in ("admin", "editor")
    )


def _schema_nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """The objects of the page's schema.org data."""
    for script in tree.iterfind(".//script[@type='application/ld+json']"):
        try:
            yield from _objects(json.loads(script.text or ""))
        except (ValueError, RecursionError):
            continue


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        yield from _objects(node.get("@graph", []))
    elif isinstance(node, list):
        for part in node:
            yield from _objects(part)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []
