"""PDF: text in reading order with page numbers, divided words joined, headers and footers left out; scans are refused."""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from litsearch.errors import Refused
from litsearch.reading import layout
from litsearch.reading.bibliography import bare_doi, kind_of
from litsearch.reading.building import DocumentBuilder, plain_key, squeeze
from litsearch.reading.formats import is_pdf
from litsearch.reading.layout import Bit, Page
from litsearch.reading.selling import kind_if_selling
from litsearch.reading.source import Limits, SourceFile
from litsearch.records import Document, Repair

_DAMAGED = "is damaged and cannot be opened as a PDF. Download or export it again and add that."
_LOCKED = "is protected by a password. Open it, print it to a new PDF without one, and add that."
_SCANNED = "holds page images only. Run text recognition (OCR) on it first and add the result."
_EMPTY = "holds no text. Add the article's text as a PDF with text, a .docx or a .txt file."
_GARBLED = "stores its letters under codes that mean nothing outside it. Run text recognition (OCR) on it and add the result."
# Of all letters, this share may be unreadable (formulas, logos) before the text as a whole is.
_MAX_GARBLED_SHARE = 0.2
_MIN_LETTERS = 2


class PdfReader:
    """``.pdf`` by PDFium, the fastest of the readers compared and the only one that opened every sample (docs)."""

    name = "pdf"
    version = 2

    def recognises(self, file: SourceFile) -> bool:
        """By the signature ``%PDF-``."""
        return is_pdf(file)

    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        """The one document; refused when it is locked, damaged, scanned, garbled or longer than the limit on pages."""
        document = _open(file.content)
        try:
            if len(document) > limits.max_pages:
                raise Refused(
                    f"has {len(document)} pages, more than the limit of {limits.max_pages}. Split it or raise max_pages."
                )
            builder = DocumentBuilder()
            pages = list(_pages(document, builder))
            _refuse_unreadable(pages, document)
            stated = document.get_metadata_dict(skip_empty=True)
        finally:
            document.close()
        _build(builder, pages)
        fields = _stated(stated, builder)
        kind = kind_of([], fields["title"]) if fields["doi"] else ""
        return [builder.single(file, {**fields, "kind": kind_if_selling(kind, builder.text)})]


def _open(content: bytes) -> Any:
    try:
        document = pdfium.PdfDocument(content)
        if len(document) == 0:
            raise Refused(_DAMAGED)
    except pdfium.PdfiumError as error:
        raise Refused(_LOCKED if "password" in str(error).lower() else _DAMAGED) from error
    return document


def _build(builder: DocumentBuilder, pages: list[Page]) -> None:
    """Lines to blocks, with every mend recorded."""
    body_size = _body_size(pages)
    vocabulary = layout.vocabulary_of(pages)
    pages, headers, n_numbers = layout.without_margins(pages, body_size)
    if headers:
        builder.record(Repair("running headers and footers left out", len(headers), headers[0][:60]))
    if n_numbers:
        builder.record(Repair("page numbers left out", n_numbers))
    stretches = layout.stretches_of(pages, body_size)
    levels = layout.heading_levels(stretches, body_size)
    for stretch in stretches:
        text, joins = layout.join_lines(stretch.lines, vocabulary)
        if joins:
            builder.record(Repair("words divided at line ends joined", len(joins), joins[0]))
        if "\ufffd" in text:
            builder.record(Repair("letters without meaning in the file shown as \ufffd", text.count("\ufffd"), text[:60]))
        level = layout.level_of(stretch, levels, body_size) if stretch.kind == "heading" else 0
        builder.add(stretch.kind, text, level=level, page=stretch.page, marker=stretch.marker)


def _body_size(pages: list[Page]) -> float:
    """The size in which most letters are set."""
    letters: Counter[float] = Counter()
    for page in pages:
        for column in page.columns:
            for line in column:
                for bit in line.bits:
                    letters[round(2 * bit.size) / 2] += len(bit.text)
    return max(letters, key=lambda size: (letters[size], -size)) if letters else 10.0


def _refuse_unreadable(pages: list[Page], document: Any) -> None:
    text = "".join(line.text for page in pages for column in page.columns for line in column)
    if sum(c.isalnum() for c in text) < _MIN_LETTERS:
        raise Refused(_SCANNED if _has_pictures(document) else _EMPTY)
    strange = sum(c == "\ufffd" or "\ue000" <= c <= "\uf8ff" for c in text)
    if strange > _MAX_GARBLED_SHARE * len(text):
        raise Refused(_GARBLED)


def _has_pictures(document: Any) -> bool:
    return any(next(page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3), None) is not None for page in document)


# ------------------------------------------------------------------------------------------------ letters to lines


def _pages(document: Any, builder: DocumentBuilder) -> Iterator[Page]:
    for number in range(len(document)):
        try:
            page = document[number]
        except pdfium.PdfiumError as error:
            raise Refused(_DAMAGED) from error
        bits, height, n_sideways, n_references = _bits(page)
        if n_sideways:
            builder.record(Repair("sideways text left out", n_sideways))
        if n_references:
            builder.record(Repair("superscript reference numbers left out", n_references))
        if not bits and next(page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3), None) is not None:
            builder.record(Repair("pages without text, only pictures, left out", 1, f"page {number + 1}"))
        columns = tuple(tuple(layout.lines_of(column, number + 1)) for column in layout.columns_of(bits))
        page.close()
        yield Page(number + 1, height, columns)


class _Letter:
    """One letter as PDFium reports it, turned so that most of its page's text runs from left to right."""

    __slots__ = ("angle", "bold", "bottom", "character", "size", "top", "x0", "x1")

    def __init__(self, character: str, angle: int, x0: float, top: float, x1: float, bottom: float, bold: bool) -> None:
        self.character = character
        self.angle = angle
        self.x0, self.top, self.x1, self.bottom = x0, top, x1, bottom
        self.size = bottom - top
        self.bold = bold


def _bits(page: Any) -> tuple[list[Bit], float, int, int]:
    """A page's text as bits, its height as read, and how many sideways stretches and reference numbers were left out."""
    text_page = page.get_textpage()
    try:
        letters, width, height = _letters(page, text_page.raw)
    finally:
        text_page.close()
    upright = [letter for letter in letters if letter is None or letter.angle == 0]
    n_sideways = len({round(letter.x0) for letter in letters if letter is not None and letter.angle != 0})
    gatherer = _Gatherer()
    for letter in upright:
        gatherer.take(letter)
    gatherer.close()
    # What is drawn outside the page is not seen by anybody.
    seen = [bit for bit in gatherer.bits if bit.x1 > 0 and bit.x0 < width and bit.bottom > 0 and bit.top < height]
    return seen, height, n_sideways, gatherer.n_references


def _letters(page: Any, handle: Any) -> tuple[list[_Letter | None], float, float]:
    """All letters in the file's order, None for a line's end; the page's width and height, turned as its text is."""
    left, bottom, right, top = page.get_mediabox()
    box = pdfium_c.FS_RECTF()
    raw: list[tuple[int, int, float, float, float, float, bool]] = []
    angle = bold = None
    for index in range(pdfium_c.FPDFText_CountChars(handle)):
        code = pdfium_c.FPDFText_GetUnicode(handle, index)
        if code in (0, 10, 13, 32, 160):
            raw.append((code, -1, 0, 0, 0, 0, False))
            # A line has one direction and a word one weight: asking once each makes the loop twice as fast.
            bold = None
            angle = angle if code in (32, 160) else None
            continue
        if not pdfium_c.FPDFText_GetLooseCharBox(handle, index, ctypes.byref(box)):
            continue
        if angle is None:
            angle = round(pdfium_c.FPDFText_GetCharAngle(handle, index) / (math.pi / 2)) % 4
        if bold is None:
            bold = _is_bold(handle, index)
        if code == 2 and pdfium_c.FPDFText_IsHyphen(handle, index) == 1:
            code = _DIVIDED
        raw.append((code, angle, box.left, box.bottom, box.right, box.top, bold))
    turns = Counter(angle for _, angle, *_ in raw if angle >= 0)
    turn = max(sorted(turns), key=turns.__getitem__) if turns else 0
    letters: list[_Letter | None] = []
    for code, angle, x0, y0, x1, y1, bold in raw:
        if angle < 0:
            letters.append(None if code in (10, 13) else _SPACE)
            continue
        character = _character(code)
        place = _turned((x0 - left, y0 - bottom, x1 - left, y1 - bottom), turn, right - left, top - bottom)
        letters.append(_Letter(character, (angle - turn) % 4, *place, bold))
    width, height = (right - left, top - bottom) if turn % 2 == 0 else (top - bottom, right - left)
    return letters, width, height


# How PDFium's mark for a hyphen at a line's end is passed on to ``layout.join_lines``.
_DIVIDED = 0xFFFE


def _character(code: int) -> str:
    """A letter; one that the file gives no meaning shows as �, because a gap would change what is said."""
    if code == _DIVIDED or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code <= 0x10FFFF:
        return chr(code)
    return "\ufffd"


_SPACE = _Letter(" ", 0, 0, 0, 0, 0, False)


def _turned(box: tuple[float, float, float, float], turn: int, width: float, height: float) -> tuple[float, float, float, float]:
    """A box measured from the bottom left as (left, top, right, bottom) from the top left of the page turned upright."""
    x0, y0, x1, y1 = box
    if turn == 0:
        return x0, height - y1, x1, height - y0
    if turn == 1:
        return y0, x0, y1, x1
    if turn == 2:
        return width - x1, y0, width - x0, y1
    return height - y1, width - x1, height - y0, width - x0


_NAME = ctypes.create_string_buffer(128)
_FLAGS = ctypes.c_int()


def _is_bold(handle: Any, index: int) -> bool:
    """Whether a letter's font states a weight of bold, or calls itself so: many state no weight."""
    weight = pdfium_c.FPDFText_GetFontWeight(handle, index)
    if weight >= 600 or weight not in (-1, 0):
        return bool(weight >= 600)
    pdfium_c.FPDFText_GetFontInfo(handle, index, _NAME, 128, ctypes.byref(_FLAGS))
    return re.search(rb"bold|black|heavy|-semi", _NAME.value, re.IGNORECASE) is not None


class _Gatherer:
    """Takes letters in the file's order and gathers those that follow each other on a line."""

    def __init__(self) -> None:
        self.bits: list[Bit] = []
        self.n_references = 0
        self._held: list[_Letter] = []
        self._text: list[str] = []
        self._space = False
        self._glued = False

    def take(self, letter: _Letter | None) -> None:
        """One more letter; None ends the line."""
        if letter is None:
            self.close()
            return
        if letter is _SPACE:
            self._space = bool(self._held)
            return
        if self._held and not self._follows(letter):
            self.close()
        elif self._held and letter.bold != self._held[-1].bold:
            glued = not self._space and letter.x0 - self._held[-1].x1 <= 0.25 * letter.size
            self.close()
            self._glued = glued
        if self._held and (self._space or letter.x0 - self._held[-1].x1 > 0.25 * letter.size):
            self._text.append(" ")
        self._space = False
        self._held.append(letter)
        self._text.append(letter.character)

    def _follows(self, letter: _Letter) -> bool:
        before = self._held[-1]
        shared = min(letter.bottom, before.bottom) - max(letter.top, before.top)
        level = shared > 0.4 * min(letter.size, before.size)
        gap = max(letter.x0 - before.x1, before.x0 - letter.x1)
        backwards = letter.x0 < before.x0 - 0.5 * before.size and not _is_right_to_left(letter.character)
        return level and gap < 1.2 * max(letter.size, before.size) and not backwards

    def close(self) -> None:
        """End the stretch."""
        if self._held:
            size = _common_size(self._held)
            text = self._without_references(size)
            if text.strip():
                main = [letter for letter in self._held if letter.size > 0.75 * size] or self._held
                self.bits.append(
                    Bit(
                        text=squeeze(text),
                        x0=min(letter.x0 for letter in self._held),
                        top=min(letter.top for letter in main),
                        x1=max(letter.x1 for letter in self._held),
                        bottom=max(letter.bottom for letter in main),
                        size=size,
                        bold=self._held[0].bold,
                        glued=self._glued,
                    )
                )
        self._held, self._text, self._space, self._glued = [], [], False, False

    def _without_references(self, size: float) -> str:
        """The text without raised numbers after a word or a stop: they cite, and would read as part of the word."""
        if all(letter.size >= 0.8 * size for letter in self._held):
            return "".join(self._text)
        marks = []
        position = 0
        for piece in self._text:
            if piece == " " and (position >= len(self._held) or self._held[position].character != " "):
                marks.append("w")
                continue
            letter = self._held[position]
            middle = (letter.top + letter.bottom) / 2
            main = next((other for other in self._held[max(0, position - 8) : position][::-1] if other.size > 0.9 * size), None)
            raised = main is not None and letter.size < 0.8 * size and middle < (main.top + main.bottom) / 2 - 0.08 * size
            marks.append("r" if raised else "w")
            position += 1
        text = "".join(self._text)
        for found in reversed(list(re.finditer("r+", "".join(marks)))):
            raised_text = text[found.start() : found.end()]
            before = text[: found.start()]
            if re.fullmatch(r"[\d,;–—\-\s*†‡§¶]+", raised_text) and re.search(r"([^\W\d_]{3,}|[.,;:)\]”’])$", before):
                text = f"{before}{text[found.end() :]}"
                self.n_references += 1
        return text


def _is_right_to_left(character: str) -> bool:
    return "\u0590" <= character <= "\u08ff" or "\ufb1d" <= character <= "\ufefc"


def _common_size(letters: list[_Letter]) -> float:
    return Counter(round(4 * letter.size) / 4 for letter in letters).most_common(1)[0][0]


# -------------------------------------------------------------------------------------------------------- metadata

# What programs put into the title field by themselves.
_NO_TITLE = re.compile(
    r"^(microsoft word|microsoft powerpoint|powerpoint presentation|untitled|document\d*|doi:|title|layout \d|slide \d|print)"
    r"|\.(docx?|pdf|indd|qxd|tex|dvi|rtf|html?)$|^[\w.-]+$", re.IGNORECASE,
)  # fmt: skip
_NO_AUTHOR = re.compile(r"^(user|admin\w*|author|owner|unknown|anonymous|microsoft.*|adobe.*|\S+\\\S+|\d+|.*@.*)$", re.IGNORECASE)


def _stated(stated: dict[str, str], builder: DocumentBuilder) -> dict[str, Any]:
    """Title, authors and DOI: the file's own fields where the text bears them out, else the first page's largest heading."""
    text = builder.text
    first = [block for block in builder.blocks if block.page == builder.blocks[0].page] if builder.blocks else []
    opening = plain_key(" ".join(text[block.start : block.end] for block in first))
    title = squeeze(builder.clean(stated.get("Title", "")))
    headings = sorted((block for block in first if block.kind == "heading"), key=lambda block: (block.level, block.start))
    largest = text[headings[0].start : headings[0].end] if headings else ""
    if not title or _NO_TITLE.search(title) or (largest and plain_key(title) not in opening):
        title = largest if len(largest.split()) > 1 or not title else ""
    names = [squeeze(name) for name in re.split(r"[;,]| and ", builder.clean(stated.get("Author", "")))]
    doi = re.search(r"\b(?:doi\.org/|doi:?\s*)(10\.\d{4,9}/\S+)", text[:6_000], re.IGNORECASE)
    return {
        "title": title,
        "authors": tuple(name for name in names if name and not _NO_AUTHOR.match(name)),
        "doi": bare_doi(doi.group(1)) if doi else "",
    }
