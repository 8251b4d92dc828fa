"""Pieces of text with their places on a page into reading order, lines and paragraphs: columns first, headers and footers out."""

from __future__ import annotations

import itertools
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from litsearch.reading.building import plain_key
from litsearch.records import BlockKind

# Shares of the letter's size: from this gap on, two pieces of one line stand apart (column or table cell).
_CELL_GAP = 1.5
# A gutter needs this many lines with prose on either side; a table's cells are shorter than a column's lines.
_MIN_COLUMN_LINES = 4
_MIN_COLUMN_CHARACTERS = 14
# Where running headers and footers stand, as a share of the page's height.
_MARGIN_SHARE = 0.12
_SENTENCE_END = re.compile(r"[.!?…:;][\"'”’)\]]*$")
_PAGE_NUMBER = re.compile(
    r"^(page|seite|p\.?|pag\.?)?\s*[-–—|]?\s*(\d{1,4}|[ivx]{1,6})\s*([-–—|]|(of|/|von|sur)\s*\d{1,4})?$", re.IGNORECASE
)
_BULLET = re.compile(r"^([•‣◦▪●○·\uf0b7\uf0a7]|[–—*-](?=\s))\s*(?=\S)")
_NUMBER = re.compile(r"^(\(?(?:\d{1,2}|[a-z])[.)])\s+(?=\S)")
_LETTERED_HEADING = re.compile(r"^([A-Z]|\d{1,2}(\.\d{1,2}){0,3}|[IVX]{1,4})\.?\s+[A-Z][^.!?:]*$")
_FIGURE = re.compile(r"^(fig(ure|\.)?|abb(ildung|\.)?|plate|scheme)\s*\d+\s*[.:|–—-]?", re.IGNORECASE)
_FIGURE_CAPTION = re.compile(r"^(fig(ure|\.)?|abb(ildung|\.)?|plate|scheme)\s*\d+\s*[.:|–—-]", re.IGNORECASE)
_TABLE = re.compile(r"^table\s*([\dIVX]+)\s*[.:|–—-]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bit:
    """Text on one line without a wide gap; the origin is the page's top left, lengths are points."""

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    size: float
    bold: bool = False
    glued: bool = False  # no space before it: only its weight differs from that of the bit before

    @property
    def middle(self) -> float:
        """Half-way between top and bottom."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one column: its bits from left to right."""

    bits: tuple[Bit, ...]
    page: int

    @property
    def text(self) -> str:
        """The words of the line."""
        return "".join(bit.text if bit.glued or not number else f" {bit.text}" for number, bit in enumerate(self.bits))

    @property
    def x0(self) -> float:
        """The left edge."""
        return self.bits[0].x0

    @property
    def x1(self) -> float:
        """The right edge."""
        return self.bits[-1].x1

    @property
    def top(self) -> float:
        """The upper edge."""
        return min(bit.top for bit in self.bits)

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return max(bit.bottom for bit in self.bits)

    @property
    def middle(self) -> float:
        """Half-way between top and bottom."""
        return (self.top + self.bottom) / 2

    @property
    def size(self) -> float:
        """The size in which most of it is set."""
        return max(self.bits, key=lambda bit: len(bit.text)).size

    @property
    def bold(self) -> bool:
        """Whether all of it is bold."""
        return all(bit.bold for bit in self.bits)

    @property
    def cells(self) -> list[str]:
        """The bits that stand apart, as a table's cells do."""
        cells = [self.bits[0].text]
        for before, bit in zip(self.bits, self.bits[1:], strict=False):
            if bit.x0 - before.x1 > _CELL_GAP * max(before.size, bit.size):
                cells.append(bit.text)
            else:
                cells[-1] += bit.text if bit.glued else f" {bit.text}"
        return cells


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its number from 1, its size in points, its text in columns of lines, first column first."""

    number: int
    height: float
    columns: tuple[tuple[Line, ...], ...]


@dataclass(slots=True)
class Stretch:
    """A block in the making: its lines still apart, so that divided words can be joined with knowledge of the whole text."""

    kind: BlockKind
    lines: list[str]
    page: int
    size: float
    bold: bool = False
    marker: str = ""
    last: Line | None = field(default=None, repr=False)


# --------------------------------------------------------------------------------------------------- reading order


def columns_of(bits: Sequence[Bit]) -> list[list[Bit]]:
    """The bits of a page in columns, in the order in which they are read.

    Where a white gutter has several lines of prose on either side, all to its left is read before all to its right; what
    crosses it (a title, a wide table) parts the page into what is above and what is below. Applied again to every part.

    >>> left = [Bit(f"left column line {n}", 50, 12 * n, 280, 12 * n + 10, 10) for n in range(9)]
    >>> right = [Bit(f"right column line {n}", 310, 12 * n, 540, 12 * n + 10, 10) for n in range(9)]
    >>> [column[0].text for column in columns_of([bit for pair in zip(left, right) for bit in pair])]
    ['left column line 0', 'right column line 0']
    """
    gutter = _widest_gutter(bits) if len(bits) >= 2 * _MIN_COLUMN_LINES else None
    if gutter is None:
        return [sorted(bits, key=lambda bit: (bit.top, bit.x0))] if bits else []
    x, top, bottom = gutter
    above = [bit for bit in bits if bit.middle < top]
    below = [bit for bit in bits if bit.middle > bottom]
    within = [bit for bit in bits if top <= bit.middle <= bottom]
    left = [bit for bit in within if (bit.x0 + bit.x1) / 2 < x]
    right = [bit for bit in within if (bit.x0 + bit.x1) / 2 >= x]
    return [*columns_of(above), *columns_of(left), *columns_of(right), *columns_of(below)]


def _widest_gutter(bits: Sequence[Bit]) -> tuple[float, float, float] | None:
    """Where the best gutter is and from where to where it reaches: the one with most text on its poorer side."""
    best: tuple[float, tuple[float, float, float]] | None = None
    ordered = sorted(bits, key=lambda bit: bit.middle)
    end = max(bit.bottom for bit in bits) + 1
    for x in _gaps(bits):
        floor = min(bit.top for bit in bits) - 1
        left: list[Bit] = []
        right: list[Bit] = []
        for bit in (*ordered, None):
            if bit is not None and bit.x1 <= x + 1:
                left.append(bit)
            elif bit is not None and bit.x0 >= x - 1:
                right.append(bit)
            else:  # what crosses the gutter ends it
                ceiling = end if bit is None else bit.top
                worth = min(_prose(left), _prose(right)) if min(len(left), len(right)) >= _MIN_COLUMN_LINES else 0.0
                if worth > 0 and (best is None or worth > best[0]):
                    best = (worth, (x, floor, ceiling))
                left, right = [], []
                floor = max(floor, bit.bottom) if bit is not None else floor
    return best[1] if best else None


def _gaps(bits: Sequence[Bit]) -> list[float]:
    """Middles of the gaps between neighbours on a line, each once within two points."""
    middles = set()
    ordered = sorted(bits, key=lambda bit: bit.x0)
    for number, bit in enumerate(ordered):
        for other in ordered[number + 1 :]:
            if other.x0 > bit.x1 and other.top < bit.bottom and other.bottom > bit.top:
                if other.x0 - bit.x1 >= 0.7 * min(bit.size, other.size):
                    middles.add(round((bit.x1 + other.x0) / 4) * 2.0)
                    middles.add(round((other.x0 - 3) / 2) * 2.0)
                break
    # Columns whose lines do not stand level give no gap on a line: the left edges give the candidates.
    starts = Counter(round(bit.x0 / 2) * 2.0 - 4 for bit in bits)
    middles.update(x for x, count in starts.items() if count >= _MIN_COLUMN_LINES)
    return sorted(middles)


def _prose(bits: Sequence[Bit]) -> float:
    """How much prose there is: nothing for a few lines, or for short ones as in a table."""
    lines: dict[int, int] = Counter()
    for bit in bits:
        lines[round(bit.middle / max(4.0, bit.size * 0.8))] += len(bit.text)
    if len(lines) < _MIN_COLUMN_LINES or statistics.median(lines.values()) < _MIN_COLUMN_CHARACTERS:
        return 0.0
    return float(sum(lines.values()))


def lines_of(bits: Iterable[Bit], page: int) -> list[Line]:
    """The bits of one column as lines from top to bottom, each from left to right."""
    rows: list[list[Bit]] = []
    for bit in sorted(bits, key=lambda bit: (bit.middle, bit.x0)):
        for row in reversed(rows[-3:]):
            anchor = max(row, key=lambda other: other.size)
            shared = min(bit.bottom, anchor.bottom) - max(bit.top, anchor.top)
            if shared > 0.5 * min(bit.bottom - bit.top, anchor.bottom - anchor.top):
                row.append(bit)
                break
        else:
            rows.append([bit])
    return [Line(tuple(sorted(row, key=lambda bit: bit.x0)), page) for row in rows]


# --------------------------------------------------------------------------------------------- headers and footers


def without_margins(pages: Sequence[Page], body_size: float) -> tuple[list[Page], list[str], int]:
    """The pages without running headers, footers and page numbers; the headers left out, and how many page numbers."""
    counts = Counter(key for page in pages for key in {_running_key(line) for line in _margin_lines(page)})
    often = max(2, round(0.3 * len(pages)))
    running = {key for key, count in counts.items() if count >= often}
    running |= {key for key in counts if _is_nearly(key, running)}
    dropped: list[str] = []
    n_numbers = 0
    cleaned = []
    for page in pages:
        margins = {id(line) for line in _margin_lines(page)}
        columns = []
        for column in page.columns:
            kept = []
            for line in column:
                if id(line) in margins and _PAGE_NUMBER.match(line.text.strip()):
                    n_numbers += 1
                # On the first page, the same words in large letters are the title.
                elif (
                    id(line) in margins
                    and _running_key(line) in running
                    and not (page.number == 1 and line.size > 1.2 * body_size)
                ):
                    dropped.append(line.text)
                else:
                    kept.append(line)
            columns.append(tuple(kept))
        cleaned.append(Page(page.number, page.height, tuple(columns)))
    return cleaned, dropped, n_numbers


def _is_nearly(key: str, running: set[str]) -> bool:
    """Whether a line is a running header but for some letters: text recognition spells the same header in several ways."""
    if len(key) < 8 or key in running:
        return False
    matcher = SequenceMatcher(None, "", key, autojunk=False)
    for other in sorted(running)[:20]:
        matcher.set_seq1(other)
        if matcher.real_quick_ratio() > 0.8 and matcher.quick_ratio() > 0.8 and matcher.ratio() > 0.8:
            return True
    return False


def _margin_lines(page: Page) -> list[Line]:
    lines = sorted((line for column in page.columns for line in column), key=lambda line: line.top)
    upper = [line for line in lines[:4] if line.bottom < _MARGIN_SHARE * page.height]
    lower = [line for line in lines[-4:] if line.top > (1 - _MARGIN_SHARE) * page.height]
    return upper + lower


def _running_key(line: Line) -> str:
    return re.sub(r"\d+", "#", plain_key(line.text))


# ------------------------------------------------------------------------------------------------------ paragraphs


def stretches_of(pages: Sequence[Page], body_size: float) -> list[Stretch]:
    """Headings, paragraphs, items, rows and captions in reading order; a paragraph may go on in the next column or page."""
    stretches: list[Stretch] = []
    for page in pages:
        for column in page.columns:
            opening = True
            for stretch in _column_stretches(column, body_size):
                before = _interrupted(stretches, body_size) if opening else None
                if before is not None and _goes_on(before, stretch):
                    before.lines.extend(stretch.lines)
                    before.last = stretch.last
                else:
                    stretches.append(stretch)
                opening = False
    _mark_headings(stretches, body_size)
    return stretches


def _interrupted(stretches: Sequence[Stretch], body_size: float) -> Stretch | None:
    """The last paragraph before a column's end, looking past the footnotes, tables and captions that stand there."""
    for stretch in reversed(stretches[-12:]):
        if stretch.kind in ("row", "caption") or stretch.size < 0.92 * body_size:
            continue
        return stretch
    return stretches[-1] if stretches else None


def _goes_on(before: Stretch, after: Stretch) -> bool:
    """Whether a paragraph was only interrupted by the end of its column."""
    if before.kind not in ("paragraph", "item") or after.kind != "paragraph" or abs(before.size - after.size) > 0.1 * before.size:
        return False
    first = after.lines[0].lstrip()[:1]
    return not _SENTENCE_END.search(before.lines[-1]) and (first.islower() or before.lines[-1].endswith("-"))


def _column_stretches(column: Sequence[Line], body_size: float) -> Iterator[Stretch]:
    if not column:
        return
    left = min(line.x0 for line in column)
    right = statistics.quantiles([line.x1 for line in column], n=10)[-1] if len(column) > 1 else column[0].x1
    leading = _leading(column)
    current: Stretch | None = None
    for number, line in enumerate(column):
        if _is_row(column, number):
            if current is not None:
                yield current
                current = None
            yield Stretch("row", [" | ".join(line.cells)], line.page, line.size, line.bold, last=line)
            continue
        fresh = _begin(line)
        if (
            current is not None
            and current.last is not None
            and not _begins_anew(current, current.last, line, fresh, left, right, leading)
        ):
            current.lines.append(line.text)
            current.last = line
            continue
        if current is not None:
            yield current
        current = fresh
    if current is not None:
        yield current


def _begin(line: Line) -> Stretch:
    text = line.text.strip()
    if found := _BULLET.match(text):
        return Stretch("item", [text[found.end() :]], line.page, line.size, line.bold, "• ", line)
    # "1. Introduction" in bold or large letters is a heading, which is decided when all is known.
    if (found := _NUMBER.match(text)) and not line.bold:
        return Stretch("item", [text[found.end() :]], line.page, line.size, line.bold, f"{found.group(1)} ", line)
    kind: BlockKind = "caption" if _FIGURE_CAPTION.match(text) else "paragraph"
    return Stretch(kind, [text], line.page, line.size, line.bold, "", line)


def _begins_anew(current: Stretch, before: Line, line: Line, fresh: Stretch, left: float, right: float, leading: float) -> bool:
    if fresh.kind == "caption" or (fresh.kind == "item" and fresh.marker == "• "):
        return True
    ended = _SENTENCE_END.search(before.text.strip()) is not None or right - before.x1 > 3 * line.size
    if fresh.kind == "item" and ended:  # a number in the midst of a sentence begins nothing
        return True
    if _LETTERED_HEADING.match(current.lines[0]) and len(current.lines) == 1 and right - before.x1 > 3 * line.size:
        return True
    # A run-in heading ends in the weight and size in which its paragraph goes on.
    last, first = before.bits[-1], line.bits[0]
    if abs(first.size - last.size) > 0.12 * last.size or (first.bold != last.bold and (last.bold or len(line.text) < 80)):
        return True
    if line.middle - before.middle > 1.35 * leading or line.top < before.top:
        return True
    size = line.size
    if current.kind == "item":
        # The lines of an item stand under its words; one that stands under its bullet or before it is no part of it.
        if len(current.lines) > 1:
            outdented = line.x0 < before.x0 - 0.5 * size
            return outdented or (line.x0 > before.x0 + 0.5 * size and _SENTENCE_END.search(before.text) is not None)
        return line.x0 < before.x0 + 0.2 * size and _is_closed(before, line, right)
    indented = 0.8 * size < line.x0 - left < 5 * size and before.x0 - left < 0.5 * size
    if indented and _SENTENCE_END.search(before.text):
        return True
    return _is_closed(before, line, right) and line.text[:1].isupper()


def _is_closed(line: Line, after: Line, right: float) -> bool:
    """Whether a line ends its sentence where the next line's first word would still have had room."""
    if _SENTENCE_END.search(line.text.strip()) is None:
        return False
    letter = (after.x1 - after.x0) / max(1, len(after.text))
    return right - line.x1 > (len(after.text.split()[0]) + 1) * letter + 0.5 * line.size


def _leading(column: Sequence[Line]) -> float:
    steps = [after.middle - before.middle for before, after in itertools.pairwise(column)]
    steps = [step for step in steps if step > 0]
    # The lower quartile: gaps between paragraphs are many in a leaflet.
    return statistics.quantiles(steps, n=4)[0] if len(steps) > 1 else column[0].size * 1.5


def _is_row(column: Sequence[Line], number: int) -> bool:
    """Whether a line is a table's: it and a neighbour have several cells."""
    n_cells = len(column[number].cells)
    if n_cells < 2 or _BULLET.match(column[number].text) or _NUMBER.match(column[number].text):
        return False
    beside = [column[other] for other in (number - 1, number + 1) if 0 <= other < len(column)]
    return n_cells > 3 or any(len(line.cells) > 1 for line in beside)


def _mark_headings(stretches: list[Stretch], body_size: float) -> None:
    for position, stretch in enumerate(stretches):
        following = stretches[position + 1] if position + 1 < len(stretches) else None
        if stretch.kind == "paragraph" and _is_heading(stretch, following, body_size):
            stretch.kind = "heading"


def _is_heading(stretch: Stretch, following: Stretch | None, body_size: float) -> bool:
    text = " ".join(stretch.lines)
    words = text.split()
    if (
        not following
        or len(words) > 25
        or len(stretch.lines) > 4
        or not re.search(r"[^\W\d_]{3}", text)
        or text.rstrip()[-1] in ",;"
    ):
        return False
    if _FIGURE.match(text) or _TABLE.match(text):
        return False
    if stretch.size > 1.12 * body_size:
        return True
    short = len(words) <= 14 and len(stretch.lines) <= 2 and not re.search(r"[.!…]$", text.rstrip())
    capitals = text.isupper() and sum(c.isalpha() for c in text) >= 4 and len(words) <= 8
    # Small capitals are set in the size of small letters.
    numbered = _LETTERED_HEADING.match(text) is not None and len(words) <= 10 and stretch.size >= 0.55 * body_size
    if numbered:
        return short
    # A lone bold line introduces; a run of them is a form or an address.
    bold = stretch.bold and not (following.bold and following.kind == "paragraph" and following.size == stretch.size)
    return short and stretch.size >= 0.85 * body_size and (bold or capitals)


def heading_levels(stretches: Sequence[Stretch], body_size: float) -> dict[float, int]:
    """A level for each size of heading: the largest is 1, those of the body's own size stand below all larger ones."""
    sizes = sorted({_step(s.size, body_size) for s in stretches if s.kind == "heading"}, reverse=True)
    return {size: min(level, 6) for level, size in enumerate(sizes, start=1)}


def _step(size: float, body_size: float) -> float:
    return round(2 * size) / 2 if size > 1.12 * body_size else 0.0


def level_of(stretch: Stretch, levels: dict[float, int], body_size: float) -> int:
    """The level of one heading among ``heading_levels``."""
    return levels[_step(stretch.size, body_size)]


# ------------------------------------------------------------------------------------------------- divided words

# Before these, a hyphen at a line's end belongs to the word: "well-known", "follow-up".
_KEEPS_HYPHEN = frozenset({
    "self", "non", "well", "follow", "long", "short", "high", "low", "half", "cross", "double", "single", "split", "one",
    "two", "three", "four", "five", "six", "full", "part", "evidence", "side", "patient", "placebo", "risk", "age", "dose",
    "time", "skin", "post", "pre", "anti", "quality", "health",
})  # fmt: skip

_DIVIDED = re.compile(r"([^\W\d_]+)[-\u2010\u00ad\ufffe]$")
_LETTERS = re.compile(r"[^\W\d_]+")
_HYPHEN_END = re.compile(r"\w[-\u2010\ufffe]$")


def join_lines(lines: Sequence[str], vocabulary: Counter[str]) -> tuple[str, list[str]]:
    """One text from lines, with the words joined that a line's end had divided; each join as ``before -> after``.

    The hyphen stays where the text itself writes the word with one, or where its first half commonly takes one.

    >>> join_lines(["micro-", "needling for follow-", "up"], Counter())
    ('microneedling for follow-up', ['micro-needling -> microneedling'])
    """
    parts = [lines[0].strip()] if lines else [""]
    joins = []
    for line in lines[1:]:
        line = line.strip()
        before = parts[-1]
        divided = _DIVIDED.search(before)
        rest = _LETTERS.match(line)
        if divided and rest and line[0].islower():
            first, second = divided.group(1), rest.group()
            whole, hyphened = f"{first}{second}".lower(), f"{first}-{second}".lower()
            keeps = vocabulary[hyphened] > vocabulary[whole] or (
                not vocabulary[whole] and first.lower() in _KEEPS_HYPHEN and not before.endswith("\u00ad")
            )
            parts[-1] = f"{before[:-1]}-" if keeps else before[:-1]
            if not keeps:
                joins.append(f"{first}-{second} -> {first}{second}")
        elif _HYPHEN_END.search(before) and line[:1].isalnum():
            parts[-1] = f"{before[:-1]}-"
        else:
            parts.append(" ")
        parts.append(line)
    # PDFium marks with this sign a hyphen at a line's end; where no line followed, it is one.
    return "".join(parts).replace("\ufffe", "-"), joins


def vocabulary_of(pages: Sequence[Page]) -> Counter[str]:
    """How often each word, hyphens included, stands within a line."""
    words: Counter[str] = Counter()
    for page in pages:
        for column in page.columns:
            for line in column:
                words.update(word.lower() for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text))
    return words
