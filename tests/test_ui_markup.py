"""The only maker of HTML: text stays text, whatever it holds."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as some

from litsearch.ui import markup
from litsearch.ui.markup import Html, inner_link, is_web, join, link, phone_link, script, style, tag, text

NASTY = some.text(alphabet=some.sampled_from("<>&\"'`$*_[]()\\ \n\tab=/:#\x00\x07é💉\u202e"), max_size=60)


class Seen(HTMLParser):
    """What a browser would see: the elements, their attributes, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def plain(value: str) -> str:
    """A text as the page may carry it."""
    return markup._FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value)


@given(NASTY, NASTY)
def test_text_and_attributes_come_back_as_they_went_in(words: str, name: str):
    seen = Seen(tag("p", words, tag("b", words), title=name))
    assert [element for element, _ in seen.elements] == ["p", "b"]
    assert seen.elements[0][1] == {"title": plain(name)}
    assert seen.text == plain(words) * 2


@given(NASTY)
def test_a_question_comes_back_from_its_own_link(question: str):
    from urllib.parse import parse_qs

    seen = Seen(inner_link({"q": question}, "ask"))
    address = seen.elements[0][1]["href"] or ""
    sent = markup._FORBIDDEN.sub("", question)
    assert parse_qs(address.removeprefix("?"), keep_blank_values=True).get("q", [""]) == [sent]


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "file:///etc/passwd", "//host/x", "/x", "x", "", "http://",
     "https:// spaced.example", 'https://a.example/"onclick="x', "https://a.example/<b>", "http://[::1", " https://a.example"],
)  # fmt: skip
def test_only_plain_web_addresses_become_links(address: str):
    assert not is_web(address)
    assert Seen(link(address, "<here>")).elements == []


def test_a_link_to_another_site_tells_it_nothing():
    ((name, attributes),) = Seen(link("https://doi.org/10.1/a?b=1&c=2", "x")).elements
    assert name == "a"
    assert attributes["href"] == "https://doi.org/10.1/a?b=1&c=2"
    assert attributes["rel"] == "noopener noreferrer"


def test_a_telephone_number_dials_and_anything_else_is_text():
    assert Seen(phone_link("+44 (0)20 1234-567")).elements[0][1]["href"] == "tel:+440201234567"
    assert Seen(phone_link("ask <reception>")).elements == []
    assert Seen(phone_link("javascript:1")).elements == []


@pytest.mark.parametrize("name", ["script", "iframe", "style", "object", "form", "P", "a b", "", "x:y"])
def test_elements_that_act_are_not_made(name: str):
    with pytest.raises(ValueError, match="no element"):
        tag(name, "x")


@pytest.mark.parametrize("attribute", ["onclick", "style", "href", "src", "srcdoc", "formaction"])
def test_attributes_that_act_are_not_set(attribute: str):
    with pytest.raises(ValueError, match="no attribute"):
        tag("p", "x", **{attribute: "y"})


def test_scripts_and_sheets_cannot_be_broken_out_of():
    with pytest.raises(ValueError):
        script("x = '</script>'")
    with pytest.raises(ValueError):
        style("a::after { content: '</style>' }")
    assert script("1", marker='"><b>').count("<") == 2


def test_no_children_make_nothing():
    assert join() == Html("") == text("")
