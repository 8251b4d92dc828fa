"""XML and HTML into trees, with entities, document type definitions and the network switched off."""

from __future__ import annotations

import html
import re
from typing import Any

from lxml import etree

from litsearch.errors import Refused

ENTITIES = "declares its own XML entities, which can be made to swell without end. Export it again from its source and add that."
_DECLARATION = re.compile(r"<!ENTITY", re.IGNORECASE)
# Where a prolog can still be: files met in practice declare within the first kilobytes.
_PROLOG = 200_000


def parse_xml(content: bytes) -> Any:
    """The root of an XML document.

    Raises:
        Refused: for broken XML, for declared entities, and for nesting deeper than 256.
    """
    refuse_entities(content)
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, dtd_validation=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(content.strip(b"\x00 \t\r\n"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refused(explain(error)) from error
    subset = root.getroottree().docinfo.internalDTD
    if subset is not None and any(True for _ in subset.iterentities()):
        raise Refused(ENTITIES)
    return root


def refuse_entities(content: bytes) -> None:
    """Refuse a file that declares entities, before any parser sees it.

    Raises:
        Refused: for a declaration in the prolog, in any of the encodings that XML may have.
    """
    head = content[:_PROLOG]
    encodings = ["utf-16"] if head.startswith((b"\xff\xfe", b"\xfe\xff")) else ["latin-1"]
    if b"\x00" in head[:8]:
        encodings = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", *encodings]
    for encoding in encodings:
        if _DECLARATION.search(head.decode(encoding, errors="replace")):
            raise Refused(ENTITIES)


def explain(error: Exception) -> str:
    """What is wrong with a broken file, in words that help to mend it."""
    line = getattr(error, "lineno", None)
    where = f" (line {line})" if line else ""
    what = getattr(error, "msg", None) or str(error)
    if "depth" in what.lower():
        return f"is nested too deeply to read{where}. Export it again from its source and add that."
    if "entit" in what.lower() and "amplif" in what.lower():
        return ENTITIES
    return f"is not well-formed XML{where}. Export or download it again and add that."


def drop_namespaces(root: Any) -> Any:
    """Give every element its plain name, so that one path finds it in every edition of a format."""
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag.startswith("{"):
            element.tag = element.tag.rpartition("}")[2]
    return root


# A word that ends one of these must not run into the one that begins the next.
_APART = frozenset({"p", "title", "break", "br", "list-item", "li", "div", "def", "term", "td", "th"})


def text_of(element: Any, skip: frozenset[str] = frozenset()) -> str:
    """All text within an element in its order, without that of the elements named in ``skip`` (their tails stay)."""
    if element is None:
        return ""
    parts: list[str] = []
    _gather(element, skip, parts)
    return "".join(parts)


def _gather(element: Any, skip: frozenset[str], parts: list[str]) -> None:
    parts.append(element.text or "")
    for child in element:
        if child.tag is etree.Entity:
            # &nbsp; and its like, declared in a definition that is not loaded: HTML knows them by the same names.
            parts.append(html.unescape(child.text))
        elif isinstance(child.tag, str) and child.tag not in skip:
            _gather(child, skip, parts)
            if child.tag in _APART:
                parts.append(" ")
        parts.append(child.tail or "")
