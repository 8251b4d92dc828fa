"""Word documents (``.docx``): headings, lists with their bullets or numbers, tables as rows, notes at the end."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from zlib import error as zlib_error

import docx
from docx.opc.exceptions import PackageNotFoundError
from lxml import etree

from litsearch.errors import Refused
from litsearch.reading.bibliography import bare_doi, date_fields, kind_of
from litsearch.reading.building import DocumentBuilder, plain_key, squeeze
from litsearch.reading.formats import is_docx
from litsearch.reading.selling import kind_if_selling
from litsearch.reading.source import Limits, SourceFile
from litsearch.records import Document, Repair

# Far above any leaflet; a bomb unpacks to gigabytes.
MAX_UNPACKED_BYTES = 200_000_000
MAX_PARTS = 5_000
_DAMAGED = "is damaged and cannot be opened as a Word document. Open it in Word, save it anew and add that."
_BOMB = (
    f"unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB of text, far more than an article."
    " Open it in Word, save it anew as .docx and add that."
)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
# Word can save under the ISO standard's own names ("Strict Open XML"), which python-docx does not know.
_STRICT = (
    (b"http://purl.oclc.org/ooxml/officeDocument/", b"http://schemas.openxmlformats.org/officeDocument/2006/"),
    (b"http://purl.oclc.org/ooxml/wordprocessingml/main", b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"),
    (b"http://purl.oclc.org/ooxml/drawingml/", b"http://schemas.openxmlformats.org/drawingml/2006/"),
)
_BREAKS = {f"{_W}br", f"{_W}cr", f"{_W}tab", f"{_W}ptab"}
_GONE = {f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}delText", f"{_W}pPr", f"{_W}rPr", f"{_MC}Fallback"}
# Bullets and numbers typed by hand stand in the text itself.
_TYPED = re.compile(r"^(?:[•‣◦▪●○·\uf0b7\uf0a7]\s*|[*–—-]\s+|(?P<number>\(?(?:\d{1,2}|[a-z])[.)])\s+)(?=\S)")
_MAX_BOLD_HEADING_WORDS = 12


class DocxReader:
    """``.docx`` by python-docx; text is gathered from the XML itself, so that tracked insertions and content controls count."""

    name = "docx"
    version = 2

    def recognises(self, file: SourceFile) -> bool:
        """By the archive's contents."""
        return is_docx(file)

    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        """The one document; refused when it is damaged, unpacks to too much, or holds no text."""
        document = _open(file.content)
        builder = DocumentBuilder()
        walk = _Walk(builder, document)
        walk.children(document.element.body)
        walk.notes()
        if not builder.has_text:
            raise Refused("holds no text (perhaps only pictures). Add the article's text as a .docx or .txt file.")
        fields = _stated(document, builder)
        kind = kind_of([], fields["title"]) if fields["doi"] else ""
        return [builder.single(file, {**fields, "kind": kind_if_selling(kind, builder.text)})]


def _open(content: bytes) -> Any:
    try:
        return docx.Document(io.BytesIO(_repack(content)))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError, AttributeError, etree.XMLSyntaxError) as error:
        raise Refused(_DAMAGED) from error


def _repack(content: bytes) -> bytes:
    """The archive with its texts only, unpacked under a limit; pictures and embedded files become empty."""
    unpacked = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(unpacked, "w", zipfile.ZIP_STORED) as plain:
            parts = archive.infolist()
            texts = [part for part in parts if part.filename.lower().endswith((".xml", ".rels"))]
            if any(part.flag_bits & 1 for part in parts):
                raise Refused("is protected by a password. Open it in Word, remove the password, save it as .docx and add that.")
            if len(parts) > MAX_PARTS or sum(part.file_size for part in texts) > MAX_UNPACKED_BYTES:
                raise Refused(_BOMB)
            left = MAX_UNPACKED_BYTES
            names = set()
            for part in parts:
                if part.filename in names or part.is_dir():
                    continue
                names.add(part.filename)
                # The directory may lie: what really comes out is counted as well.
                text = _unpack(archive, part, left) if part in texts else b""
                left -= len(text)
                for strict, usual in _STRICT:
                    text = text.replace(strict, usual)
                plain.writestr(part.filename, text)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, UnicodeError, ValueError) as error:
        raise Refused(_DAMAGED) from error
    except zlib_error as error:
        raise Refused(_DAMAGED) from error
    return unpacked.getvalue()


def _unpack(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> bytes:
    pieces = []
    with archive.open(part) as stream:
        while piece := stream.read(65_536):
            left -= len(piece)
            if left < 0:
                raise Refused(_BOMB)
            pieces.append(piece)
    return b"".join(pieces)


class _Walk:
    """Goes through a document's paragraphs and tables in their order and adds each as the block it is."""

    def __init__(self, builder: DocumentBuilder, document: Any) -> None:
        self._builder = builder
        self._document = document
        self._styles = _Styles(document)
        self._numbers = _Numbers(document)
        self._note_ids: list[tuple[str, str]] = []
        self._n_deleted = 0

    def children(self, parent: Any) -> None:
        """All blocks in a body, a table cell, a text box or a content control."""
        blocks = [child for child in parent if isinstance(child.tag, str)]
        for position, child in enumerate(blocks):
            if child.tag == f"{_W}p":
                self._paragraph(child, before_table=position + 1 < len(blocks) and blocks[position + 1].tag == f"{_W}tbl")
            elif child.tag == f"{_W}tbl":
                self._table(child)
            elif child.tag == f"{_W}sdt":
                content = child.find(f"{_W}sdtContent")
                # A table of contents repeats the headings.
                gallery = child.find(f"{_W}sdtPr/{_W}docPartObj/{_W}docPartGallery")
                if content is not None and (gallery is None or gallery.get(f"{_W}val") != "Table of Contents"):
                    self.children(content)
            elif child.tag in (f"{_W}ins", f"{_W}customXml", f"{_W}moveTo"):
                self.children(child)

    def notes(self) -> None:
        """Footnotes and endnotes after the text, in the order in which it calls them."""
        for kind, note_id in self._note_ids:
            note = _note(self._document, kind, note_id)
            words = squeeze(" ".join(self._words(paragraph) for paragraph in note.iter(f"{_W}p"))) if note is not None else ""
            self._builder.add("paragraph", words)
        if self._n_deleted:
            self._builder.record(Repair("tracked deletions left out", self._n_deleted))

    def _paragraph(self, paragraph: Any, *, before_table: bool) -> None:
        words = squeeze(self._words(paragraph))
        style = self._styles.name(paragraph)
        level = self._styles.heading_level(paragraph)
        if not words:
            pass
        elif style.startswith("toc ") or style == "table of figures":
            return
        elif level:
            number = self._numbers.label(paragraph, self._styles)
            self._builder.add("heading", f"{number} {words}" if number and number != "•" else words, level=level)
        elif style == "caption":
            self._builder.add("paragraph" if before_table else "caption", words)
        elif label := self._numbers.label(paragraph, self._styles):
            typed = _TYPED.match(words)
            # Pasted lists bring their bullets along.
            self._builder.add("item", words[typed.end() :] if typed and not typed["number"] else words, marker=f"{label} ")
        elif self._is_bold_heading(paragraph, words):
            self._builder.add("heading", words, level=2)
        elif typed := _TYPED.match(words):
            self._builder.add("item", words[typed.end() :], marker=f"{typed['number'] or '•'} ")
        else:
            self._builder.add("paragraph", words)
        for box in _text_boxes(paragraph):
            self.children(box)

    def _is_bold_heading(self, paragraph: Any, words: str) -> bool:
        """A short line all in bold, as those write headings who do not know styles."""
        if len(words.split()) > _MAX_BOLD_HEADING_WORDS or words[-1] in ".,;:" or not any(c.isalpha() for c in words):
            return False
        if any(True for _ in paragraph.iterancestors(f"{_W}tc")):
            return False
        runs = [run for run in paragraph.iter(f"{_W}r") if any((text.text or "").strip() for text in run.iter(f"{_W}t"))]
        return bool(runs) and all(_is_on(run.find(f"{_W}rPr/{_W}b")) for run in runs)

    def _table(self, table: Any) -> None:
        rows = list(table.iterchildren(f"{_W}tr"))
        cells = [[cell for cell in row.iter(f"{_W}tc") if _row_of(cell) is row] for row in rows]
        if all(len(row) < 2 for row in cells):
            # One column is a frame around text, not a table.
            for row in cells:
                for cell in row:
                    self.children(cell)
            return
        for row in cells:
            # A cell that continues the one above it stays empty, so that the columns keep their places.
            words = ["" if _merged(cell) else squeeze(" ".join(map(self._words, cell.iter(f"{_W}p")))) for cell in row]
            if any(words):
                self._builder.add("row", " | ".join(words))

    def _words(self, paragraph: Any) -> str:
        """A paragraph's text as it would print: insertions in, deletions out, breaks as spaces."""
        parts: list[str] = []
        self._gather(paragraph, parts)
        return "".join(parts)

    def _gather(self, element: Any, parts: list[str]) -> None:
        for child in element:
            tag = child.tag
            if tag in _GONE:
                self._n_deleted += tag == f"{_W}del"
            elif tag in (f"{_W}t", f"{_M}t"):
                parts.append(child.text or "")
            elif tag in _BREAKS:
                parts.append(" ")
            elif tag == f"{_W}noBreakHyphen":
                parts.append("-")
            elif tag == f"{_W}sym":
                parts.append(_symbol(child))
            elif tag in (f"{_W}footnoteReference", f"{_W}endnoteReference"):
                self._note_ids.append((tag.removeprefix(_W).removesuffix("Reference"), child.get(f"{_W}id")))
            elif tag == f"{_W}r" and child.find(f"{_W}rPr/{_W}vanish") is not None:
                continue
            elif tag not in (f"{_W}txbxContent", f"{_W}p"):
                self._gather(child, parts)


def _is_on(switch: Any) -> bool:
    return switch is not None and switch.get(f"{_W}val", "1") not in ("0", "false", "off")


def _text_boxes(paragraph: Any) -> Iterator[Any]:
    """Text boxes anchored in a paragraph; Word writes each twice, for new and for old programs."""
    for box in paragraph.iter(f"{_W}txbxContent"):
        if not any(ancestor.tag == f"{_MC}Fallback" for ancestor in box.iterancestors()) and _paragraph_of(box) is paragraph:
            yield box


def _paragraph_of(box: Any) -> Any:
    return next(box.iterancestors(f"{_W}p"), None)


def _row_of(cell: Any) -> Any:
    return next(cell.iterancestors(f"{_W}tr"), None)


def _merged(cell: Any) -> bool:
    """Whether a cell only continues the one above it."""
    merge = cell.find(f"{_W}tcPr/{_W}vMerge")
    return merge is not None and merge.get(f"{_W}val") != "restart"


def _symbol(element: Any) -> str:
    code = element.get(f"{_W}char", "")
    try:
        character = chr(int(code, 16))
    except ValueError:
        return ""
    # Symbol fonts put their signs in the private area, where no other font has them.
    return "•" if 0xE000 <= ord(character) <= 0xF8FF else character


def _note(document: Any, kind: str, note_id: str) -> Any:
    for relation in document.part.rels.values():
        if relation.reltype.endswith(f"/{kind}s") and not relation.is_external:
            parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
            try:
                root = etree.fromstring(relation.target_part.blob, parser)
            except etree.XMLSyntaxError:
                return None
            return next((note for note in root.iter(f"{_W}{kind}") if note.get(f"{_W}id") == note_id), None)
    return None


class _Styles:
    """The names of paragraph styles, and which of them are headings, through the styles that they are based on."""

    def __init__(self, document: Any) -> None:
        self._by_id: dict[str, Any] = {}
        self._default = ""
        try:
            root = document.styles.element
        except (KeyError, AttributeError, ValueError):
            return
        for style in root.iter(f"{_W}style"):
            self._by_id[style.get(f"{_W}styleId", "")] = style
            if style.get(f"{_W}type") == "paragraph" and style.get(f"{_W}default") in ("1", "true"):
                self._default = style.get(f"{_W}styleId", "")

    def chain(self, paragraph: Any) -> Iterator[Any]:
        """The paragraph's style and those that it is based on, nearest first."""
        stated = paragraph.find(f"{_W}pPr/{_W}pStyle")
        style_id = stated.get(f"{_W}val", "") if stated is not None else self._default
        seen = set()
        while style_id in self._by_id and style_id not in seen:
            seen.add(style_id)
            yield self._by_id[style_id]
            base = self._by_id[style_id].find(f"{_W}basedOn")
            style_id = base.get(f"{_W}val", "") if base is not None else ""

    def name(self, paragraph: Any) -> str:
        """The name of the nearest style, in lower case."""
        return next((_style_name(style) for style in self.chain(paragraph)), "")

    def heading_level(self, paragraph: Any) -> int:
        """1 to 6 for a heading, 0 for anything else."""
        own = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
        for level in (own, *(style.find(f"{_W}pPr/{_W}outlineLvl") for style in self.chain(paragraph))):
            if level is not None and level.get(f"{_W}val", "9").isdigit():
                number = int(level.get(f"{_W}val"))
                return min(number + 1, 6) if number < 9 else 0
        for style in self.chain(paragraph):
            name = _style_name(style)
            if name == "title":
                return 1
            if found := re.fullmatch(r"heading (\d)", name):
                return min(int(found.group(1)), 6)
        return 0


def _style_name(style: Any) -> str:
    name = style.find(f"{_W}name")
    return str(name.get(f"{_W}val", "")).lower() if name is not None else ""


class _Numbers:
    """What stands before a list's items: a bullet, or the number that Word would print."""

    def __init__(self, document: Any) -> None:
        self._levels: dict[tuple[str, int], tuple[str, str, int]] = {}
        self._counts: dict[tuple[str, int], int] = {}
        self._abstract: dict[str, str] = {}
        try:
            root = document.part.numbering_part.element
        except (KeyError, NotImplementedError, AttributeError, ValueError):
            return
        for definition in root.iter(f"{_W}abstractNum"):
            for level in definition.iter(f"{_W}lvl"):
                key = (definition.get(f"{_W}abstractNumId", ""), _number(level.get(f"{_W}ilvl")))
                self._levels[key] = (
                    _value(level, "numFmt", "decimal"), _value(level, "lvlText", ""), _number(_value(level, "start", "1"), 1)
                )  # fmt: skip
        for number in root.iter(f"{_W}num"):
            self._abstract[number.get(f"{_W}numId", "")] = _value(number, "abstractNumId", "")

    def label(self, paragraph: Any, styles: _Styles) -> str:
        """``•``, ``3.``, ``b)`` or, outside lists, nothing; counts on with every call."""
        number_id, depth = self._place(paragraph, styles)
        if number_id in ("", "0"):
            return "•" if styles.name(paragraph).startswith("list bullet") else ""
        key = (self._abstract.get(number_id, ""), depth)
        form, pattern, start = self._levels.get(key, ("bullet", "", 1))
        if form in ("bullet", "none"):
            return "•" if form == "bullet" else ""
        self._counts[key] = self._counts.get(key, start - 1) + 1
        for other in [other for other in self._counts if other[0] == key[0] and other[1] > depth]:
            del self._counts[other]

        def fill(found: re.Match[str]) -> str:
            level = int(found.group(1)) - 1
            own_form, _, own_start = self._levels.get((key[0], level), ("decimal", "", 1))
            return _spelled(self._counts.get((key[0], level), own_start), own_form)

        return re.sub(r"%(\d)", fill, pattern).strip() or "•"

    def _place(self, paragraph: Any, styles: _Styles) -> tuple[str, int]:
        for element in (paragraph, *styles.chain(paragraph)):
            properties = element.find(f"{_W}pPr/{_W}numPr")
            if properties is not None:
                return _value(properties, "numId", ""), _number(_value(properties, "ilvl", "0"))
        return "", 0


def _value(element: Any, name: str, default: str) -> str:
    found = element.find(f"{_W}{name}")
    return str(found.get(f"{_W}val", default)) if found is not None else default


def _number(stated: str | None, default: int = 0) -> int:
    return int(stated) if stated and stated.isdigit() else default


def _spelled(number: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter"):
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter if form == "lowerLetter" else letter.upper()
    if form in ("lowerRoman", "upperRoman"):
        roman = ""
        for value, sign in ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")):
            roman += sign * (number // value)
            number %= value
        return roman if form == "lowerRoman" else roman.upper()
    return str(number)


# Names that programs, not people, put in: they say nothing about an article.
_NO_TITLE = re.compile(r"^(microsoft word|word document|document\d*|untitled|title|template|normal)\b|\.docx?$", re.IGNORECASE)
_NO_AUTHOR = re.compile(
    r"^(python-docx|microsoft( office)?( user)?|user|admin(istrator)?|author|owner|unknown|windows user)\d*$", re.IGNORECASE
)


def _stated(document: Any, builder: DocumentBuilder) -> dict[str, Any]:
    """Title, authors and day from the document's own properties; the title else from its opening heading; a DOI from its text."""
    properties = _properties(document)
    title = properties.get("title", "")
    opening = next((builder.text[b.start : b.end] for b in builder.blocks[:3] if b.kind == "heading"), "")
    if not title or _NO_TITLE.search(title) or (opening and plain_key(title) in plain_key(opening)):
        title = opening
    names = [squeeze(name) for name in re.split(r"[;,]", properties.get("creator", ""))]
    doi = re.search(r"\b(?:doi\.org/|doi:?\s*)(10\.\S+)", builder.text[:3_000], re.IGNORECASE)
    return {
        "title": title,
        "authors": tuple(name for name in names if name and not _NO_AUTHOR.match(name)),
        "doi": bare_doi(doi.group(1)) if doi else "",
        # The day on which it was last saved: the nearest that a document without a stated date has to one.
        **date_fields((properties.get("modified") or properties.get("created", ""))[:10]),
    }


def _properties(document: Any) -> dict[str, str]:
    """The document's stated properties; python-docx would make up a day and an author where there are none."""
    for relation in document.part.package.rels.values():
        if relation.reltype.endswith("/core-properties") and not relation.is_external:
            parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
            try:
                root = etree.fromstring(relation.target_part.blob, parser)
            except etree.XMLSyntaxError:
                return {}
            return {etree.QName(child).localname: squeeze(child.text) for child in root if isinstance(child.tag, str)}
    return {}
