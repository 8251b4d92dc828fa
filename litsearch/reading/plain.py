"""Plain text and Markdown: headings, paragraphs and lists, told apart by how they stand on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from litsearch.errors import Refused
from litsearch.reading.building import without_invisible
from litsearch.reading.metadata import FRONT_MATTER, make_metadata, parse_metadata, split_front_matter
from litsearch.reading.repairs import decode, glued_caption, mend_encoding
from litsearch.reading.selling import kind_if_selling
from litsearch.reading.source import Limits, SourceFile, TextBuilder
from litsearch.records import Block, Document, Repair

_ITEM = re.compile(r"[ \t]*(?P<marker>[•‣◦▪●○·*–-]|\(?(?:\d{1,2}|[a-z])[.)])[ \t]+(?=\S)")
_NUMBERED = re.compile(r"[ \t]*\d{1,2}[.)][ \t]+(?=\S)")
_SENTENCE_END = re.compile(r"[.!…][\"'”’)]?$")
# A heading of more words is a sentence; the longest in the corpus has 9 (docs/RESULTS.md, "Headings").
_MAX_HEADING_WORDS = 12
_MAX_CLOSED_HEADING_WORDS = 6  # "Talk to your doctor today." above its paragraph
# A line that ends like this introduces the list under it, colon or none: "There are many benefits, including".
_LEADS_IN = re.compile(r"\b(includ(e|es|ing)|are|is|as|like|of|for|with|to|by|if|following|follows)$", re.IGNORECASE)


class PlainTextReader:
    """``.txt``: headings are guessed from their shape, the text stays to the letter but for recorded repairs."""

    name = "text"
    version = 4

    def recognises(self, file: SourceFile) -> bool:
        return file.suffix in (".txt", ".text", "")

    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        text, fields, repairs = _open(file)
        text, split = _part_captions(text)
        blocks = tuple(find_blocks(text, captions=frozenset(at for at, _ in split)))
        repairs += [Repair("image description parted from the sentence after it", 1, example) for _, example in split]
        if not any(block.kind != "caption" for block in blocks):
            raise Refused("holds no text. Add the article's text or delete the file.")
        metadata = make_metadata(file, _kind_of(text, fields), _title_of(text, blocks), fields)
        return [Document(file.path, file.path, text, blocks, metadata, tuple(repairs))]


class MarkdownReader:
    """``.md``: CommonMark with tables; markup goes, text, headings and lists stay."""

    name = "markdown"
    version = 4

    def recognises(self, file: SourceFile) -> bool:
        return file.suffix in (".md", ".markdown")

    def read(self, file: SourceFile, limits: Limits) -> list[Document]:
        text, fields, repairs = _open(file)
        builder = TextBuilder()
        try:
            tree = SyntaxTreeNode(MarkdownIt("commonmark", {"maxNesting": 40}).enable("table").parse(text))
            for node in tree.children:
                _add(builder, node)
        except RecursionError as error:
            raise Refused("is nested too deeply to read. Flatten its lists and quotes.") from error
        if not builder.blocks:
            raise Refused("holds no text. Add the article's text or delete the file.")
        blocks = tuple(builder.blocks)
        metadata = make_metadata(file, _kind_of(builder.text, fields), _title_of(builder.text, blocks), fields)
        return [Document(file.path, file.path, builder.text, blocks, metadata, tuple(repairs))]


def _open(file: SourceFile) -> tuple[str, dict[str, object], list[Repair]]:
    text, repairs = decode(file.content)
    text, mended = mend_encoding(text)
    text, removed = without_invisible(text)
    front, body = split_front_matter(text)
    return body, parse_metadata(front, place=FRONT_MATTER, first_line=2), repairs + mended + removed


def _kind_of(text: str, fields: dict[str, object]) -> dict[str, object]:
    """The kind of source where none is stated: promotional when the text sells the treatment."""
    return {"kind": kind_if_selling("", text, url=str(fields.get("url", "")))}


def _title_of(text: str, blocks: tuple[Block, ...]) -> dict[str, object]:
    """The first heading, when the article opens with it."""
    opens = bool(blocks) and blocks[0].kind == "heading"
    return {"title": text[blocks[0].start : blocks[0].end] if opens else ""}


# ---------------------------------------------------------------------------------------------------- plain text


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str


def find_blocks(text: str, captions: frozenset[int] = frozenset()) -> Iterator[Block]:
    """The blocks of a plain text; a block that ends where ``captions`` says is an image's description.

    >>> text = "Who should wait\\n\\nSee a doctor first if you have:\\n\\n • keloids\\n • eczema"
    >>> [(b.kind, text[b.start:b.end]) for b in find_blocks(text)]
    [('heading', 'Who should wait'), ('paragraph', 'See a doctor first if you have:'), ('item', 'keloids'), ('item', 'eczema')]
    """
    groups = list(_groups(text))
    for position, group in enumerate(groups):
        following = groups[position + 1] if position + 1 < len(groups) else None
        if len(group) == 1 and _is_heading(group[0], following):
            marker = re.match(r"[ \t]*#{1,6}[ \t]+", group[0].text)
            start = group[0].start + (marker.end() if marker else len(group[0].text) - len(group[0].text.lstrip()))
            yield Block("heading", start, group[0].end, level=2 if position else 1)
            continue
        yield from _group_blocks(group, captions)


def _groups(text: str) -> Iterator[list[_Line]]:
    """Runs of lines without a blank one between them."""
    group: list[_Line] = []
    for found in re.finditer(r"[^\n]+|\n(?=\n)", text):
        line = found.group().rstrip()
        if not line:
            if group:
                yield group
            group = []
            continue
        group.append(_Line(found.start(), found.start() + len(line), line))
    if group:
        yield group


def _is_heading(line: _Line, following: list[_Line] | None) -> bool:
    stripped = line.text.strip()
    words = len(stripped.split())
    if re.match(r"#{1,6}\s", stripped):
        return True
    if words > _MAX_HEADING_WORDS or stripped[-1] in ":;,":
        return False
    if _ITEM.match(line.text):
        # "1. Reduces scars" above a paragraph is a heading; "• keloids" never is.
        return bool(_NUMBERED.match(line.text)) and not _SENTENCE_END.search(stripped) and _opens_paragraph(following)
    if _SENTENCE_END.search(stripped):
        return words <= _MAX_CLOSED_HEADING_WORDS and _opens_paragraph(following)
    if following is not None and _ITEM.match(following[0].text) and _LEADS_IN.search(stripped):
        return False
    return stripped[0].isupper() or stripped[0].isdigit() or not stripped[0].isalpha()


def _opens_paragraph(group: list[_Line] | None) -> bool:
    return group is not None and not _ITEM.match(group[0].text) and len(group[0].text.split()) > _MAX_HEADING_WORDS


def _group_blocks(group: list[_Line], captions: frozenset[int]) -> Iterator[Block]:
    start: int | None = None
    end = 0
    kind: str = "paragraph"
    previous = ""
    for line in group:
        item = _ITEM.match(line.text)
        # A long line that ends its sentence is a paragraph of its own (texts saved with one paragraph a line).
        fresh = start is None or item or (kind == "paragraph" and len(previous) > 100 and _SENTENCE_END.search(previous))
        if fresh and start is not None:
            yield _block(kind, start, end, captions)
        if fresh:
            kind = "item" if item else "paragraph"
            start = line.start + (item.end() if item else len(line.text) - len(line.text.lstrip()))
        end, previous = line.end, line.text
    if start is not None:
        yield _block(kind, start, end, captions)


def _block(kind: str, start: int, end: int, captions: frozenset[int]) -> Block:
    if end in captions:
        return Block("caption", start, end)
    return Block("item", start, end) if kind == "item" else Block("paragraph", start, end)


def _part_captions(text: str) -> tuple[str, list[tuple[int, str]]]:
    """Put a blank line between an image's description and the sentence it runs into; say where each description ends."""
    parted: list[tuple[int, str]] = []
    pieces: list[str] = []
    length = 0
    for paragraph in re.split(r"(\n[ \t]*\n)", text):
        at = glued_caption(paragraph, text)
        if at is not None:
            parted.append((length + at, f"{paragraph[max(0, at - 20) : at]}|{paragraph[at : at + 20]}"))
            paragraph = f"{paragraph[:at]}\n\n{paragraph[at:]}"
        pieces.append(paragraph)
        length += len(paragraph)
    return "".join(pieces), parted


# ------------------------------------------------------------------------------------------------------ Markdown


def _add(builder: TextBuilder, node: SyntaxTreeNode, marker: str = "") -> None:
    if node.type == "heading":
        builder.add("heading", _inline(node), level=int(node.tag[1]))
    elif node.type == "paragraph":
        if marker:
            builder.add("item", _inline(node), marker=marker)
        else:
            builder.add("paragraph", _inline(node))
    elif node.type in ("bullet_list", "ordered_list"):
        number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
        for item in node.children:
            opening = f"{number}. " if number is not None else "• "
            for position, child in enumerate(item.children):
                _add(builder, child, opening if position == 0 else "")
            number = number + 1 if number is not None else None
    elif node.type == "table":
        for row in (r for part in node.children for r in part.children):
            builder.add("row", " | ".join(_inline(cell) for cell in row.children))
    elif node.type in ("fence", "code_block"):
        builder.add("paragraph", node.content)
    elif node.type == "html_block":
        # Shown as it stands: text from the corpus is text, never markup.
        if not node.content.lstrip().startswith("<!--"):
            builder.add("paragraph", node.content)
    else:
        for child in node.children:
            _add(builder, child, marker)


def _inline(node: SyntaxTreeNode) -> str:
    """The words of a block without their markup; images' descriptions are left out."""
    if node.type == "image":
        return ""
    if node.type in ("text", "code_inline", "html_inline"):
        return node.content
    if node.type == "softbreak":
        return " "
    if node.type == "hardbreak":
        return "\n"
    return "".join(_inline(child) for child in node.children)
