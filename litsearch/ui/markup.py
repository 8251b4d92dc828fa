"""The only place that makes HTML: text is escaped, attributes are quoted, addresses are http(s) or our own."""

from __future__ import annotations

import html
import re
from urllib.parse import quote, urlencode, urlsplit

_NAME = re.compile(r"[a-z][a-z0-9]*\Z")
_ATTRIBUTE = re.compile(r"(class|id|lang|dir|role|title|value|open|scope|hidden|tabindex|aria-[a-z]+|data-[a-z]+)\Z")
_VOID = frozenset({"br", "hr"})
# Characters that no page may carry: they are invisible, and XML and the browser's protocol refuse them.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Html(str):
    """Markup made by this module; any other string is text."""

    __slots__ = ()


def text(value: str) -> Html:
    """A text as itself: nothing in it is markup.

    >>> text("<b>5$ & 6$</b>")
    '&lt;b&gt;5$ &amp; 6$&lt;/b&gt;'
    """
    return Html(html.escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value), quote=True))


def join(*children: str) -> Html:
    """Children one after another; those that are not markup are escaped."""
    return Html("".join(child if isinstance(child, Html) else text(child) for child in children))


def tag(name: str, *children: str, **attributes: str | int | bool | None) -> Html:
    """An element; ``class_`` is written for ``class``, ``aria_label`` for ``aria-label``; None and False leave an attribute out.

    Raises:
        ValueError: for an element's or attribute's name that this module does not vouch for, addresses and scripts above all.

    >>> tag("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    return _element(name, children, attributes, {})


def link(address: str, *children: str, **attributes: str | int | bool | None) -> Html:
    """A link to another site, in a new tab; the children alone when the address is not http(s).

    >>> link("javascript:alert(1)", "here")
    'here'
    """
    if not is_web(address):
        return join(*children)
    fixed = {"href": quote(address, safe="!#$%&'()*+,/:;=?@[]~"), "target": "_blank", "rel": "noopener noreferrer"}
    return _element("a", children, attributes, fixed)


def inner_link(parameters: dict[str, str], *children: str, **attributes: str | int | bool | None) -> Html:
    """A link to a page of this app, by its query parameters; empty ones are left out.

    >>> inner_link({"q": "a & b", "lang": ""}, "Ask")
    '<a href="?q=a+%26+b" target="_self">Ask</a>'
    """
    # target="_self": without one, the page's own links would open in a new tab.
    return _element("a", children, attributes, {"href": address_of(parameters), "target": "_self"})


def anchor_link(anchor: str, *children: str, **attributes: str | int | bool | None) -> Html:
    """A link to a place on the same page."""
    return _element("a", children, attributes, {"href": f"#{quote(anchor)}", "target": "_self"})


def phone_link(number: str) -> Html:
    """A telephone number that a phone can dial; plain text when it holds anything but digits and separators."""
    if not re.fullmatch(r"\+?[\d ()./-]{3,30}", number):
        return text(number)
    return _element("a", (number,), {"class_": "phone"}, {"href": "tel:" + re.sub(r"[^\d+]", "", number), "target": "_self"})


def address_of(parameters: dict[str, str]) -> str:
    """The relative address of a page of this app."""
    stated = {name: _FORBIDDEN.sub("", value) for name, value in parameters.items() if value}
    return "?" + urlencode(stated)


def is_web(address: str) -> bool:
    """Whether an address is a plain http(s) one."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"[\s<>\"\\]", address)


def script(body: str, *, marker: str = "") -> Html:
    """A script of ours; ``marker`` makes two runs of the same script differ, it is no part of the program.

    Raises:
        ValueError: when the program could end its own element.
    """
    if "</" in body or "<!--" in body:
        raise ValueError("a script must not hold '</' or '<!--'")
    return Html(f'<script data-run="{text(marker)}">{body}</script>')


def style(body: str) -> Html:
    """A style sheet of ours.

    Raises:
        ValueError: when the sheet could end its own element.
    """
    if "<" in body:
        raise ValueError("a style sheet must not hold '<'")
    return Html(f"<style>{body}</style>")


def _element(name: str, children: tuple[str, ...], attributes: dict[str, str | int | bool | None], fixed: dict[str, str]) -> Html:
    if not _NAME.match(name) or name in ("script", "style", "iframe", "object", "embed", "form", "input", "meta", "base", "link"):
        raise ValueError(f"no element {name!r} is made here")
    written = [f'{key}="{text(value)}"' for key, value in fixed.items()]
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        if not _ATTRIBUTE.match(attribute):
            raise ValueError(f"no attribute {attribute!r} is set here")
        if value is None or value is False:
            continue
        written.append(attribute if value is True else f'{attribute}="{text(str(value))}"')
    opening = " ".join([name, *written])
    return Html(f"<{opening}>" if name in _VOID else f"<{opening}>{join(*children)}</{name}>")
