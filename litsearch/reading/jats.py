"""Journal articles in JATS XML (``.nxml``): abstract and body by section, lists, tables as rows, captions apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from litsearch.errors import Refused
from litsearch.reading.bibliography import (
    Built,
    Found,
    bare_doi,
    clean_title,
    date_fields,
    kind_of,
    read_records,
    refuse_retracted,
)
from litsearch.reading.building import DocumentBuilder, squeeze
from litsearch.reading.formats import is_jats
from litsearch.reading.markup import drop_namespaces, parse_xml, text_of
from litsearch.reading.source import FileReading, Limits, SourceFile
from litsearch.records import Document, Repair

_BLOCKS = {
    "p", "sec", "list", "def-list", "table-wrap", "table-wrap-group", "fig", "fig-group", "disp-quote", "boxed-text",
    "supplementary-material", "media", "graphic", "table", "verse-group", "statement", "ack", "fn-group", "notes", "app",
    "app-group", "alternatives", "array", "preformat", "chem-struct-wrap", "title", "label", "subtitle",
}  # fmt: skip
# TeX doubles what MathML says; what an index or a machine reads is no part of the text.
_SILENT = frozenset(
    {"tex-math", "graphic", "inline-graphic", "media", "object-id", "alt-text", "long-desc", "annotation", "sec-meta"}
)
_SKIPPED = {
    "ref-list",
    "supplementary-material",
    "media",
    "graphic",
    "glossary",
    "sec-meta",
    "object-id",
    "alt-text",
    "label",
    "title",
}


class JatsReader:
    """One article, or several in PubMed Central's envelope."""

    name = "jats"
    version = 2

    def recognises(self, file: SourceFile) -> bool:
        """By the first bytes, then by the ending."""
        return is_jats(file)

    def read(self, file: SourceFile, limits: Limits) -> list[Document] | FileReading:
        """One document an article; refused for broken XML or declared entities."""
        root = drop_namespaces(parse_xml(file.content))
        articles = [root] if root.tag == "article" else list(root.iter("article"))
        if not articles:
            raise Refused("holds no article. Download it again (format JATS XML) and add that.")
        if root.tag == "article":
            builder, metadata = _read_article(root)
            return [builder.single(file, metadata)]
        return read_records(file, limits, map(_found, articles))


def _found(article: Any) -> Found:
    return _identifier(article, "pmcid", "pmc") or _identifier(article, "doi"), partial(_read_article, article)


def _read_article(article: Any) -> Built:
    meta = article.find("front/article-meta")
    meta = meta if meta is not None else article.find("front-stub")
    if meta is None:
        raise Refused("has no description of the article (article-meta). Download it again (format JATS XML) and add that.")
    builder = DocumentBuilder()
    walk = _Walk(builder, article)
    title = clean_title(builder.clean(walk.text(meta.find("title-group/article-title"))))
    subtitle = squeeze(walk.text(meta.find("title-group/subtitle")))
    title = f"{title}: {clean_title(subtitle)}" if subtitle and title and subtitle not in title else title
    types = [article.get("article-type", ""), *(text_of(subject) for subject in meta.iterfind("article-categories//subject"))]
    related = (element.get("related-article-type", "") for element in meta.iterfind("related-article"))
    retracted = any(kind in ("retraction-forward", "retracted-by") for kind in related)
    refuse_retracted(types, title, stated=retracted)
    builder.add("heading", title, level=1)
    for abstract in meta.iterfind("abstract"):
        # Graphical abstracts hold a picture; those for a table of contents repeat a sentence.
        if abstract.get("abstract-type") not in ("graphical", "toc", "teaser"):
            walk.section(abstract, depth=1)
    body = article.find("body")
    if body is not None:
        if (
            body.find("*") is not None
            and body.find("*").tag != "sec"
            and any(b.kind == "heading" and b.level > 1 for b in builder.blocks)
        ):
            # What stands in no section must not seem to belong to the abstract's last one.
            builder.add("heading", title, level=1)
        walk.children(body, depth=1)
    walk.floats()
    back = article.find("back")
    for part in back if back is not None else ():
        # Without a title, its text would seem to belong to the section before it.
        if isinstance(part.tag, str) and part.tag not in _SKIPPED and part.find("title") is not None:
            walk.section(part, depth=1)
        elif part.tag == "app-group":
            walk.children(part, depth=1)
    walk.settle()
    metadata = {
        "title": title,
        "kind": kind_of(types, title),
        "authors": tuple(_names(meta)),
        "journal": squeeze(article.findtext(".//journal-meta//journal-title")),
        "publisher": squeeze(article.findtext(".//journal-meta/publisher/publisher-name")),
        **_published(meta),
        "doi": bare_doi(_identifier(article, "doi")),
        "pmid": _identifier(article, "pmid"),
        "pmcid": _pmcid(_identifier(article, "pmcid", "pmc", "pmcaid")),
    }
    return builder, metadata


class _Walk:
    """Goes through an article's elements in their order and adds each as the block it is."""

    def __init__(self, builder: DocumentBuilder, article: Any) -> None:
        self._builder = builder
        self._n_references = 0
        # Tables and figures kept at the article's end stand after the paragraph that first names them.
        parked = [*article.iterfind("floats-group/*"), *article.iterfind("floats-wrap/*")]
        self._parked = {element.get("id", f"no id {number}"): element for number, element in enumerate(parked)}

    def text(self, element: Any) -> str:
        """An element's words; numbers of references that are set as superscript do not run into the word before them."""
        if element is None:
            return ""
        self._drop_references(element)
        return text_of(element, _SILENT)

    def _drop_references(self, element: Any) -> None:
        """Take out what cites in superscript, within an element; the element itself stays in its place."""
        for superscript in list(element.iterdescendants("sup")):
            targets = superscript.findall("xref[@ref-type='bibr']")
            own = (superscript.text or "") + "".join(target.tail or "" for target in targets)
            if targets and len(targets) == len(superscript) and re.fullmatch(r"[\s,;–—-]*", own):
                _remove(superscript)
                self._n_references += 1
        for target in list(element.iterdescendants("xref")):
            only = target[0].tag == "sup" if len(target) == 1 else False
            if target.get("ref-type") == "bibr" and only and not (target.text or "").strip():
                _remove(target)
                self._n_references += 1

    def settle(self) -> None:
        """Record what was left out."""
        if self._n_references:
            self._builder.record(Repair("superscript reference numbers left out", self._n_references))

    def section(self, section: Any, depth: int) -> None:
        """A section's heading, then all in it one level deeper."""
        title = self.text(section.find("title"))
        label = squeeze(section.findtext("label"))
        title = title.strip().rstrip(" :")
        if title:
            self._builder.add("heading", f"{label} {title}" if label and label not in title else title, level=min(depth + 1, 6))
        self.children(section, depth + 1 if title else depth)

    def children(self, parent: Any, depth: int) -> None:
        """Everything directly in an element."""
        for child in parent:
            if isinstance(child.tag, str):
                self.block(child, depth)

    def block(self, element: Any, depth: int) -> None:
        """One element as blocks, whatever it is."""
        tag = element.tag
        if tag in _SKIPPED or tag in _SILENT:
            return
        if tag in ("sec", "ack", "notes", "app", "boxed-text", "fn-group", "statement"):
            self.section(element, depth)
        elif tag == "p":
            self.paragraph(element, depth)
        elif tag == "list":
            self.list_of(element, depth)
        elif tag == "def-list":
            for pair in element.iterfind("def-item"):
                term, meaning = squeeze(self.text(pair.find("term"))), squeeze(self.text(pair.find("def")))
                self._builder.add("item", f"{term}: {meaning}" if term and meaning else term or meaning, marker="• ")
        elif tag in ("table-wrap", "fig", "chem-struct-wrap"):
            self.figure(element)
        elif tag in ("table", "array"):
            self.rows(element)
        elif tag == "caption":
            self._builder.add("caption", self.text(element))
        elif _holds_blocks(element):
            self.children(element, depth)
        else:
            self._builder.add("paragraph", self.text(element))

    def paragraph(self, element: Any, depth: int) -> None:
        """A paragraph; a list, table or figure inside it ends the sentence before it and stands by itself."""
        named = [target.get("rid", "") for target in element.iter("xref") if target.get("ref-type") in ("table", "fig")]
        notes = list(element.iterdescendants("fn"))
        for note in notes:
            _remove(note)
        self._drop_references(element)
        self._running_text(element, depth)
        for note in notes:
            self.children(note, depth)
        for name in named:
            if name in self._parked:
                self.block(self._parked.pop(name), depth)

    def floats(self) -> None:
        """Tables and figures that no paragraph names."""
        while self._parked:
            self.block(self._parked.pop(next(iter(self._parked))), 1)

    def _running_text(self, element: Any, depth: int) -> None:
        if not _holds_blocks(element):
            self._builder.add("paragraph", self.text(element))
            return
        held: list[str] = [element.text or ""]
        for child in element:
            if isinstance(child.tag, str) and child.tag in _BLOCKS:
                self._builder.add("paragraph", "".join(held))
                self.block(child, depth)
                held = []
            elif isinstance(child.tag, str) and child.tag not in _SILENT:
                held.append(self.text(child))
            held.append(child.tail or "")
        self._builder.add("paragraph", "".join(held))

    def list_of(self, element: Any, depth: int) -> None:
        """A list's items, numbered when the list says so; an item's second paragraph follows without a number."""
        ordered = element.get("list-type") in ("order", "alpha-lower", "alpha-upper", "roman-lower", "roman-upper")
        for number, item in enumerate(element.iterfind("list-item"), start=1):
            label = squeeze(item.findtext("label")) or (f"{number}." if ordered else "•")
            for part in item:
                if not isinstance(part.tag, str) or part.tag in ("label", "title"):
                    continue
                if part.tag == "p" and not _holds_blocks(part):
                    self._builder.add("item", self.text(part), marker=f"{label} " if label else "")
                    label = ""
                else:
                    self.block(part, depth)

    def figure(self, element: Any) -> None:
        """A table's title, which introduces its rows, or a figure's caption; notes under a table are captions too."""
        label = squeeze(element.findtext("label"))
        caption = squeeze(self.text(element.find("caption")))
        words = f"{label}{'' if label[-1:] in '.:' else '.'} {caption}" if label and caption else label or caption
        self._builder.add("caption" if next(element.iter("table"), None) is None else "paragraph", words)
        for table in element.iter("table"):
            self.rows(table)
        for foot in element.iterfind("table-wrap-foot"):
            self._builder.add("caption", " ".join(self.text(part) for part in foot if isinstance(part.tag, str)))

    def rows(self, table: Any) -> None:
        """A table's rows, their cells parted by `` | ``."""
        for row in table.iter("tr", "tbl-row"):
            cells = [squeeze(self.text(cell)) for cell in row if cell.tag in ("td", "th")]
            if any(cells):
                self._builder.add("row", " | ".join(cells))


def _holds_blocks(element: Any) -> bool:
    return any(child.tag in _BLOCKS for child in element.iterdescendants() if isinstance(child.tag, str))


def _remove(element: Any) -> None:
    """Take an element out; the text after it stays."""
    parent, before, tail = element.getparent(), element.getprevious(), element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    element.tail = None
    parent.remove(element)


# -------------------------------------------------------------------------------------------------------- metadata


def _names(meta: Any) -> Iterator[str]:
    for contributor in meta.iterfind("contrib-group/contrib"):
        if contributor.get("contrib-type", "author") != "author":
            continue
        name = contributor.find("name")
        name = name if name is not None else contributor.find("name-alternatives/name")
        if name is not None:
            parts = (name.findtext("given-names"), name.findtext("surname"), name.findtext("suffix"))
            stated = " ".join(squeeze(part) for part in parts if part)
        else:
            stated = squeeze(
                text_of(contributor.find("string-name")) or text_of(contributor.find("collab"), frozenset({"contrib-group"}))
            )
        if stated:
            yield stated


def _published(meta: Any) -> dict[str, Any]:
    """The day it first appeared: online before in print before in a collection."""
    found: dict[str, dict[str, Any]] = {}
    for stated in meta.iterfind("pub-date"):
        kind = stated.get("pub-type") or f"{stated.get('publication-format', '')}-{stated.get('date-type', '')}"
        parts = (squeeze(stated.findtext(name)) for name in ("year", "month", "day"))
        fields = date_fields(" ".join(part for part in parts if part))
        if fields:
            found.setdefault(kind, fields)
    for kind in ("epub", "electronic-pub", "epreprint", "ppub", "print-pub", "collection", "electronic-collection"):
        if kind in found:
            return found[kind]
    return next(iter(found.values()), {})


def _identifier(article: Any, *kinds: str) -> str:
    for kind in kinds:
        for identifier in article.iterfind("front/article-meta/article-id"):
            if identifier.get("pub-id-type") == kind:
                return squeeze(text_of(identifier))
    return ""


def _pmcid(stated: str) -> str:
    return f"PMC{stated}" if stated.isdigit() else stated
