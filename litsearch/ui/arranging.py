"""Answers laid out for the page: the best passage, further sources one each, and what else the same articles say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from litsearch.records import Document, Hit

# Further sources shown at first; more would be a list to work through, not an answer.
MAX_SOURCES = 5


@dataclass(frozen=True, slots=True)
class Source:
    """One article's hits: the best of them, and the others."""

    hit: Hit
    more: tuple[Hit, ...] = ()


def by_source(hits: Sequence[Hit]) -> list[Source]:
    """Hits grouped by article, in the order of each article's best hit."""
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(hit.passage.document_id, []).append(hit)
    return [Source(group[0], tuple(group[1:])) for group in groups.values()]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a passage as the page shows it: a paragraph, a list's item with its own marker, or a heading."""

    kind: str
    start: int
    end: int
    text: str
    level: int = 0
    number: str = ""


def pieces_of(document: Document, start: int, end: int) -> list[Piece]:
    """The blocks of ``document.text[start:end]`` in reading order; ``number`` is an item's own number in the source.

    A stretch that no block covers is left out: it is space or a list's marker.
    """
    pieces: list[Piece] = []
    text = document.text
    for block in document.blocks:
        low, high = max(block.start, start), min(block.end, end)
        if low >= high:
            continue
        number = ""
        if block.kind == "item" and low == block.start:
            line = text[text.rfind("\n", 0, block.start) + 1 : block.start].strip()
            number = line.rstrip(".)") if line.rstrip(".)").isdigit() else ""
        pieces.append(Piece(block.kind, low, high, text[low:high], block.level, number))
    return pieces


def around(document: Document, start: int, end: int) -> tuple[int, int]:
    """The stretch from the block before ``start`` to the block after ``end``; a heading brings what it stands over or under.

    The same stretch when nothing stands before or after it.
    """
    before = [block for block in document.blocks if block.end <= start]
    after = [block for block in document.blocks if block.start >= end]
    first = next((place for place in range(len(before) - 1, -1, -1) if before[place].kind != "heading"), 0)
    last = next((place for place, block in enumerate(after) if block.kind != "heading"), len(after) - 1)
    return (before[first].start if before else start, after[last].end if after else end)


def place_of(hits: Sequence[Hit], passage_id: str) -> int:
    """The position of a passage among hits, from 0; -1 when it is not among them."""
    return next((n for n, hit in enumerate(hits) if hit.passage.passage_id == passage_id), -1)
