"""Puts a document together from a parser's pieces: cleans each, counts every mend, and ends in a checked ``Document``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from litsearch.errors import Refused
from litsearch.reading.metadata import make_metadata
from litsearch.reading.repairs import mend_encoding
from litsearch.reading.source import SourceFile, TextBuilder
from litsearch.records import BlockKind, Document, Metadata, Repair

# Invisible marks that break searching and quoting: zero-width spaces and joiners, byte-order marks, direction marks.
_ZERO_WIDTH = re.compile(
    "[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|(?<![\u0590-\U0010ffff])[\u200c\u200d]"
)
_SOFT_HYPHEN = re.compile("\u00ad")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff\ufffe\uffff]")
_LINE_ENDS = str.maketrans({"\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"})
_SUSPECT = re.compile(r"[^\t\n\x20-\x7e\xa0-\xac\xae-\u058f]|\x7f|\xad|\u200c|\u200d")

_REMOVED = (
    (_CONTROL, "control characters removed"),
    (_SOFT_HYPHEN, "soft hyphens removed"),
    (_ZERO_WIDTH, "zero-width characters removed"),
    (_SURROGATE, "characters that no text may hold removed"),
)


def without_invisible(text: str) -> tuple[str, list[Repair]]:
    """The text without control characters (tab and new line stay), soft hyphens and zero-width characters, and what went.

    The zero-width joiners of Arabic, Indic scripts and emoji are part of their spelling and stay.

    >>> without_invisible("micro\\u00adneedling\\u200b works")
    ('microneedling works', [Repair(what='soft hyphens removed', count=1, example=''), Repair(what='zero-width characters removed', count=1, example='')])
    """
    if not _SUSPECT.search(text):
        return text, []
    repairs = []
    text = text.replace("\r\n", "\n").translate(_LINE_ENDS)
    for pattern, what in _REMOVED:
        text, n_removed = pattern.subn("", text)
        if n_removed:
            repairs.append(Repair(what, n_removed))
    return text, repairs


class DocumentBuilder(TextBuilder):
    """A ``TextBuilder`` that mends encodings, drops invisible characters and joins lines, and remembers every mend.

    >>> builder = DocumentBuilder()
    >>> builder.add("paragraph", "Redness\\n   fades.")
    >>> builder.text
    'Redness fades.'
    """

    def __init__(self, repairs: Iterable[Repair] = ()) -> None:
        super().__init__()
        self._mends: dict[str, tuple[int, str]] = {}
        self._held_captions: list[tuple[str, int | None]] = []
        for repair in repairs:
            self.record(repair)

    def add(self, kind: BlockKind, text: str, *, level: int = 0, page: int | None = None, marker: str = "") -> None:
        """Append one block with its white space joined to single spaces; an empty one is dropped.

        A caption waits for the next heading or paragraph: between a sentence and the list that it introduces, or between
        two rows, it would become part of the passage.
        """
        text = " ".join(self.clean(text).split())
        if kind == "caption":
            self._held_captions.append((text, page))
            return
        if kind in ("heading", "paragraph") and text:
            self.settle()
        super().add(kind, text, level=level, page=page, marker=marker)

    def settle(self) -> None:
        """Append the captions that still wait."""
        for text, page in self._held_captions:
            super().add("caption", text, page=page)
        self._held_captions = []

    def clean(self, text: str) -> str:
        """The text as it may stand in a document; mends are counted."""
        if not text.isascii():
            text, mends = mend_encoding(text)
            for mend in mends:
                self.record(mend)
        text, removals = without_invisible(text)
        for removal in removals:
            self.record(removal)
        return text

    def record(self, repair: Repair) -> None:
        """Count a mend; those of one sort are added up and keep the first example."""
        count, example = self._mends.get(repair.what, (0, ""))
        self._mends[repair.what] = (count + repair.count, example or repair.example)

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """Every mend, in the order in which they were first met."""
        return tuple(Repair(what, count, example) for what, (count, example) in self._mends.items())

    @property
    def has_text(self) -> bool:
        """Whether anything but headings and captions was added."""
        return any(block.kind not in ("heading", "caption") for block in self.blocks)

    def document(self, document_id: str, path: str, metadata: Metadata) -> Document:
        """What was added, as a document."""
        self.settle()
        return Document(document_id, path, self.text, tuple(self.blocks), metadata, self.repairs)

    def single(self, file: SourceFile, *layers: dict[str, Any]) -> Document:
        """The one document of a file, with metadata from ``layers`` (weakest first) and the file's sidecar.

        Raises:
            Refused: when there is no text, or the sidecar cannot be used.
        """
        if not self.has_text:
            raise Refused("holds no text that could be found. Add the article's text as a .docx or .txt file.")
        return self.document(file.path, file.path, make_metadata(file, *layers))


def squeeze(text: str | None) -> str:
    """White space joined to single spaces; nothing for None."""
    return " ".join(text.split()) if text else ""


def plain_key(text: str) -> str:
    """Letters and digits only, without case or accents: to tell whether two texts are the same.

    >>> plain_key("Éclat, 2nd")
    'eclat2nd'
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if c.isalnum())
