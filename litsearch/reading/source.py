"""A file of the corpus as its reader gets it, and the seam that every reader fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from litsearch.records import Block, BlockKind, Document, Refusal


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost; past any of these it is refused with the reason."""

    max_file_mb: int = 50
    max_pages: int = 500
    max_records: int = 200_000
    read_timeout_s: int = 60


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file: its path relative to the corpus (with ``/``), its bytes, and those of the ``.meta.yml`` beside it if it has one.

    ``sidecar_path`` is where that lies; empty for the file's whole name with the ending behind it.
    """

    path: str
    content: bytes
    sidecar: bytes | None = None
    sidecar_path: str = ""

    @property
    def suffix(self) -> str:
        """The ending in lower case with its dot, or empty: ``.md``."""
        name = self.path.rsplit("/", 1)[-1]
        return "." + name.rsplit(".", 1)[1].lower() if "." in name else ""


@dataclass(frozen=True, slots=True)
class FileReading:
    """What one file gave: its documents in its order, and the records in it that were left out, each with the reason."""

    documents: tuple[Document, ...]
    refused: tuple[Refusal, ...] = ()


class Reader(Protocol):
    """One format. ``version`` goes up when the same bytes would be read differently, so that they are read again."""

    name: str
    version: int

    def recognises(self, file: SourceFile) -> bool:
        """Whether these bytes are this format, by content first and the ending second."""
        ...

    def read(self, file: SourceFile, limits: Limits) -> list[Document] | FileReading:
        """The documents in the file, in its order; a format of many records returns a ``FileReading`` to name the bad ones.

        Raises:
            Refused: with a reason that a person can act on.
        """
        ...


class TextBuilder:
    """Puts a document's text together block by block, so that every block knows its place in it.

    Blocks stand a blank line apart; items and rows of one list or table stand on lines of their own.

    >>> builder = TextBuilder()
    >>> builder.add("paragraph", "Avoid it with:"); builder.add("item", "keloids", marker="• ")
    >>> builder.text
    'Avoid it with:\\n\\n• keloids'
    >>> [(b.kind, builder.text[b.start:b.end]) for b in builder.blocks]
    [('paragraph', 'Avoid it with:'), ('item', 'keloids')]
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []

    def add(self, kind: BlockKind, text: str, *, level: int = 0, page: int | None = None, marker: str = "") -> None:
        """Append one block; white space around it goes, an empty one is dropped; ``marker`` (a bullet) stays outside its span."""
        text = text.strip()
        if not text:
            return
        if self.blocks:
            same_list = kind in ("item", "row") and self.blocks[-1].kind == kind
            self._append("\n" if same_list else "\n\n")
        self._append(marker)
        start = self._length
        self._append(text)
        self.blocks.append(Block(kind, start, self._length, level=level, page=page))

    def _append(self, piece: str) -> None:
        self._parts.append(piece)
        self._length += len(piece)

    @property
    def text(self) -> str:
        return "".join(self._parts)
