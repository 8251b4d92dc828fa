"""The pieces of a web page in reading order, each with what speaks for and against its being part of the article."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from litsearch.reading.building import plain_key, squeeze
from litsearch.records import BlockKind

_SKIPPED = {
    "script", "style", "noscript", "template", "head", "svg", "math", "iframe", "object", "embed", "canvas", "audio",
    "video", "map", "select", "textarea", "input", "button", "option", "datalist", "dialog", "link", "meta", "title",
    "base", "area", "source", "track",
}  # fmt: skip
_CONTAINERS = {
    "html", "body", "div", "section", "article", "main", "header", "footer", "nav", "aside", "form", "fieldset", "center",
    "details", "figure", "blockquote", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "ul", "ol", "menu", "li", "dl",
    "dt", "dd", "address", "p", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "hgroup", "summary", "figcaption", "caption",
    "hr", "legend", "amp-img", "picture",
}  # fmt: skip
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_AROUND_TAGS = {"nav", "aside", "footer", "form", "menu"}
_AROUND_ROLES = {
    "navigation",
    "complementary",
    "banner",
    "contentinfo",
    "search",
    "dialog",
    "alertdialog",
    "menu",
    "menubar",
    "toolbar",
}
_AROUND_NAMES = re.compile(
    r"(^|[\s_-])(nav|navbar|navigation|menu|breadcrumbs?|sidebar|footer|cookies?|consent|gdpr|share|sharing|social|related|recommend(ed|ations)?"
    r"|promo|promotion|ad|ads|adv|advert|advertisement|sponsor(ed)?|newsletter|subscribe|subscription|signup|sign-up|comments?|respond|popup"
    r"|modal|overlay|widget|banner|toolbar|pagination|pager|tags?|author-box|byline|meta|toc|skip|login|paywall|outbrain|taboola|trending"
    r"|popular|more-(from|on|stories|articles)|read-?(more|next)|also-like|copyright|disqus|rating|print-only|hidden|sr-only|visually-hidden)"
    r"($|[\s_-])",
    re.IGNORECASE,
)

_CAPTION_NAMES = re.compile(r"(^|[\s_-])(caption|captions|caption-text|figcaption|image-credit)($|[\s_-])", re.IGNORECASE)
_ADDRESS = re.compile(r"\S*https?://\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of a page. ``container`` is the element whose children stand beside it; ``around`` marks menus and the like."""

    kind: BlockKind
    text: str
    container: Any
    level: int = 0
    marker: str = ""
    link_share: float = 0.0
    around: bool = False

    @property
    def key(self) -> str:
        """Its letters and digits, to find it again."""
        return plain_key(self.text)


def pieces_of(tree: Any) -> list[Piece]:
    """Every stretch of text of a page, menus and adverts marked but included."""
    body = tree.find("body")
    return list(_walk(body if body is not None else tree, around=False))


def choose(pieces: list[Piece], kept: list[str]) -> list[Piece]:
    """The pieces of the article, given the stretches that an extractor found to be in it.

    Extractors drop short stretches: a list of "keloids", "eczema" under "Do not have it with:" would go, and a caution with
    it. So everything stays that stands directly beside what was found, unless it is marked as a menu or advert or is
    mostly links.
    """
    keys = {plain_key(text) for text in kept} - {""}
    whole = "\n".join(sorted(keys, key=len))
    found = [_is_found(piece, keys, whole) for piece in pieces]
    # By identity: two elements of equal content are two places. Where the article itself stands in what calls itself a widget,
    # its neighbours may too.
    places: dict[int, bool] = {}
    for piece, is_found in zip(pieces, found, strict=True):
        if is_found and len(piece.key) >= 40:
            places[id(piece.container)] = places.get(id(piece.container), False) or piece.around
    chosen: list[Piece] = []
    seen: set[str] = set()
    for piece, is_found in zip(pieces, found, strict=True):
        place = id(piece.container)
        beside = place in places and (places[place] or not piece.around) and piece.link_share < 0.5
        is_long = len(piece.key) >= 40
        if (beside or (is_found and (is_long or not piece.around))) and not (is_long and piece.key in seen):
            # Pages carry their article a second time, for printing or for machines.
            seen.add(piece.key)
            chosen.append(piece)
    return list(_without_bare_headings(chosen))


def _is_found(piece: Piece, keys: set[str], whole: str) -> bool:
    key = piece.key
    return bool(key) and piece.kind != "caption" and (key in keys or (len(key) >= 25 and key in whole))


def _without_bare_headings(pieces: list[Piece]) -> Iterator[Piece]:
    """Headings at the very end introduce something that was left out."""
    last = max((number for number, piece in enumerate(pieces) if piece.kind not in ("heading", "caption")), default=-1)
    yield from pieces[: last + 1]


# ------------------------------------------------------------------------------------------------------- the walk


def _walk(element: Any, *, around: bool, place: Any = None) -> Iterator[Piece]:
    """The pieces in a container; text between its block elements is a paragraph of its own."""
    place = element if place is None else place
    run = _Run(place, around)
    run.add_text(element.text or "")
    for child in element:
        if not isinstance(child.tag, str):
            run.add_text(child.tail or "")
            continue
        tag = child.tag.lower()
        if tag == "br":
            yield from run.line_break()
        elif tag == "img":
            yield from _picture(child, place, around)
        elif tag in _SKIPPED:
            pass
        elif tag in _CONTAINERS or _holds_block(child):
            yield from run.end()
            yield from _block(child, tag, around=around or _is_around(child), place=place)
        else:
            run.add_inline(child)
            for picture in child.iter("img"):
                yield from _picture(picture, place, around)
        run.add_text(child.tail or "")
    yield from run.end()


def _block(element: Any, tag: str, *, around: bool, place: Any) -> Iterator[Piece]:
    if tag in _HEADINGS or tag in ("summary", "legend"):
        yield from _whole(element, "heading", place, around, level=_HEADINGS.get(tag, 4))
    elif tag in ("p", "pre", "address", "dt"):
        # A block within a paragraph is faulty markup, but not rare: its pieces stand beside the others.
        yield from _walk(element, around=around, place=place)
    elif tag in ("figcaption", "caption") or _is_caption(element):
        yield from _whole(element, "caption", place, around)
    elif tag in ("ul", "ol", "menu"):
        yield from _list(element, tag, around=around, place=place)
    elif tag == "dl":
        yield from _definitions(element, around=around, place=place)
    elif tag == "table":
        yield from _table(element, around=around, place=place)
    elif tag in ("blockquote", "figure", "picture", "hgroup"):
        yield from _walk(element, around=around, place=place)
    else:
        yield from _walk(element, around=around)


def _list(element: Any, tag: str, *, around: bool, place: Any) -> Iterator[Piece]:
    number = int(element.get("start", "1")) if element.get("start", "1").isdigit() else 1
    for item in element:
        if not isinstance(item.tag, str):
            continue
        if item.tag.lower() in ("ul", "ol"):
            yield from _list(item, item.tag.lower(), around=around, place=place)
            continue
        item_around = around or _is_around(item)
        if any(True for _ in item.iter("h1", "h2", "h3", "h4", "h5", "h6", "table")):
            yield from _walk(item, around=item_around)  # a card, not an item
            continue
        words = squeeze(_words(item, skip=("ul", "ol")))
        if words:
            marker = f"{number}. " if tag == "ol" else "• "
            yield Piece("item", words, place, marker=marker, link_share=_link_share(item), around=item_around)
            number += 1
        for nested in _nested_lists(item):
            yield from _list(nested, nested.tag.lower(), around=item_around, place=place)


def _nested_lists(item: Any) -> Iterator[Any]:
    for child in item:
        if isinstance(child.tag, str):
            if child.tag.lower() in ("ul", "ol"):
                yield child
            else:
                yield from _nested_lists(child)


def _definitions(element: Any, *, around: bool, place: Any) -> Iterator[Piece]:
    term = ""
    for child in element.iter("dt", "dd"):
        words = squeeze(_words(child))
        if child.tag == "dt":
            term = words
        elif words:
            # A question and its answer, or a word and its meaning.
            if len(words) > 200 or term.endswith("?"):
                if term:
                    yield Piece("heading", term, place, level=4, around=around)
                yield Piece("paragraph", words, place, link_share=_link_share(child), around=around)
            else:
                yield Piece(
                    "item",
                    f"{term}: {words}" if term else words,
                    place,
                    marker="• ",
                    link_share=_link_share(child),
                    around=around,
                )
            term = ""


def _table(element: Any, *, around: bool, place: Any) -> Iterator[Piece]:
    rows = [row for row in element.iter("tr") if _owner(row) is element]
    cells = [[cell for cell in row if isinstance(cell.tag, str) and cell.tag.lower() in ("td", "th")] for row in rows]
    layout = (
        any(True for table in element.iter("table") if table is not element)
        or max((len(row) for row in cells), default=0) < 2
        or any(True for _ in element.iter("h1", "h2", "h3", "form", "article"))
        or any(len(_words(cell)) > 1_500 for row in cells for cell in row)
    )
    if layout:
        for child in element:
            if isinstance(child.tag, str):
                if child.tag.lower() == "caption":
                    yield from _whole(child, "paragraph", place, around)
                else:
                    yield from _walk(child, around=around)
        return
    for caption in element.iter("caption"):
        yield from _whole(caption, "paragraph", place, around)
    for row in cells:
        words = [squeeze(_words(cell)) for cell in row]
        if any(words):
            yield Piece("row", " | ".join(words), place, link_share=_link_share(row[0].getparent()), around=around)


def _owner(row: Any) -> Any:
    return next(row.iterancestors("table"), None)


def _picture(element: Any, place: Any, around: bool) -> Iterator[Piece]:
    """A picture's description, unless a caption says it: never part of a sentence."""
    alt = squeeze(element.get("alt"))
    figure = next(element.iterancestors("figure"), None)
    if len(alt.split()) >= 3 and (figure is None or next(figure.iter("figcaption"), None) is None):
        yield Piece("caption", alt, place, around=around)


def _whole(element: Any, kind: BlockKind, place: Any, around: bool, level: int = 0) -> Iterator[Piece]:
    words = squeeze(_words(element))
    if words:
        yield Piece(kind, words, place, level=level, link_share=0.0 if kind == "heading" else _link_share(element), around=around)


class _Run:
    """Text that stands between block elements, gathered into paragraphs."""

    def __init__(self, place: Any, around: bool) -> None:
        self._place = place
        self._around = around
        self._parts: list[str] = []
        self._n_linked = 0
        self._n_breaks = 0

    def add_text(self, text: str) -> None:
        if text.strip():
            self._n_breaks = 0
        self._parts.append(text)

    def add_inline(self, element: Any) -> None:
        self._n_breaks = 0
        self._parts.append(_words(element))
        self._n_linked += _linked(element)

    def line_break(self) -> Iterator[Piece]:
        """One break parts two lines, two part two paragraphs."""
        self._n_breaks += 1
        if self._n_breaks > 1:
            yield from self.end()
        self._parts.append(" ")

    def end(self) -> Iterator[Piece]:
        words = squeeze("".join(self._parts))
        if any(c.isalnum() for c in words) and not _ADDRESS.fullmatch(words):
            yield Piece("paragraph", words, self._place, link_share=min(1.0, self._n_linked / len(words)), around=self._around)
        self._parts, self._n_linked, self._n_breaks = [], 0, 0


def _is_around(element: Any) -> bool:
    """Whether an element says of itself that it is a menu, an advert, or hidden."""
    if element.tag in _AROUND_TAGS or element.get("role", "").lower() in _AROUND_ROLES:
        return True
    if element.tag == "header" and next(element.iterancestors("article", "main"), None) is None:
        return True
    style = element.get("style", "").replace(" ", "").lower()
    if (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or "display:none" in style
        or "visibility:hidden" in style
    ):
        return True
    names = f"{element.get('class', '')} {element.get('id', '')}"
    # The page's outermost frames bear the names of all that may happen inside them.
    return element.tag not in ("body", "html", "article", "main") and _AROUND_NAMES.search(names) is not None


def _is_caption(element: Any) -> bool:
    names = element.get("class", "")
    return (
        bool(_CAPTION_NAMES.search(names))
        and len(_words(element)) < 600
        and not any(True for _ in element.iter("h1", "h2", "h3", "ul"))
    )


def _holds_block(element: Any) -> bool:
    return any(isinstance(inner.tag, str) and inner.tag in _CONTAINERS for inner in element.iterdescendants())


def _words(element: Any, skip: tuple[str, ...] = ()) -> str:
    parts = [element.text or ""]
    for child in element:
        tag = child.tag.lower() if isinstance(child.tag, str) else ""
        if tag == "br" or tag in _CONTAINERS:
            parts.append(" ")
        if tag and tag not in _SKIPPED and tag not in skip:
            parts.append(_words(child, skip))
        if tag in _CONTAINERS:
            parts.append(" ")
        parts.append(child.tail or "")
    return "".join(parts)


def _linked(element: Any) -> int:
    if element.tag == "a":
        return len(squeeze(_words(element)))
    return sum(len(squeeze(_words(link))) for link in element.iter("a"))


def _link_share(element: Any) -> float:
    words = squeeze(_words(element))
    return min(1.0, _linked(element) / len(words)) if words else 0.0
