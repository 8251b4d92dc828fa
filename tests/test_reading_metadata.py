"""What a file says of itself, in lines at its top or beside it: every mistake is told by file, line or field, and remedy."""

from __future__ import annotations

import pytest

from litsearch.errors import Refused
from litsearch.reading.metadata import FRONT_MATTER, parse_metadata, sidecar_fields
from litsearch.reading.source import SourceFile
from tests.reading_files import reason

# As it stands in the README, with the lines of --- that open and close it there.
STATED = "title: Needling and scars\nkind: systematic-review\nyear: 2021\n"
FIELDS = {"title": "Needling and scars", "kind": "systematic-review", "year": 2021}


def _refusal(stated: str) -> str:
    with pytest.raises(Refused) as refused:
        sidecar_fields(SourceFile("sub/leaflet.pdf", b"", stated.encode()))
    return str(refused.value)


@pytest.mark.parametrize(
    "stated",
    [
        STATED,
        f"---\n{STATED}---\n",
        f"---\n{STATED}",
        f"\n---  \n{STATED}---",
        f"\ufeff{STATED}",
        f"---\n{STATED}---\n".replace("\n", "\r\n"),
    ],
    ids=["bare", "between lines", "opened", "blank line first", "byte-order mark", "Windows line ends"],
)
def test_a_file_beside_an_article_may_be_written_as_the_lines_at_its_top_are(stated: str) -> None:
    assert sidecar_fields(SourceFile("leaflet.pdf", b"", stated.encode())) == FIELDS


@pytest.mark.parametrize("stated", ["", "---\n", "---\n---\n", "\n\n"])
def test_an_empty_one_states_nothing(stated: str) -> None:
    assert sidecar_fields(SourceFile("leaflet.pdf", b"", stated.encode())) == {}
    assert sidecar_fields(SourceFile("leaflet.pdf", b"")) == {}


def test_the_line_that_cannot_be_understood_is_counted_from_the_files_own_top() -> None:
    """Line 2 of the file beside; with an opening --- line 3; in an article, whose first line is always ---, line 3 too."""
    wrong = "kind: cohort\ntitle: Scars: a study\n"
    for stated, line in ((wrong, 2), (f"---\n{wrong}---\n", 3)):
        said = _refusal(stated)
        assert f"line {line} cannot be understood ('title: Scars: a study')" in said and "quotation marks" in said
    assert "line 3 cannot be understood" in reason("a.md", f"---\n{wrong}---\n\nText enough.\n")


def test_every_mistake_is_named_with_what_was_written_and_what_to_write_in_the_files_order() -> None:
    said = _refusal(
        "tilte: Scars\nyear: about 2020\npublished: 21.09.2021\nurl: www.example.org\nkind: leaflet\nauthors: [[one]]\ndoi: [10.1/x]\n"
    )
    assert said.startswith("has a mistake in sub/leaflet.pdf.meta.yml: field 'tilte' is not known (did you mean 'title'?")
    for words in (
        "field 'year' must be a year in digits, such as 2021, not 'about 2020'",
        "field 'published' must be written as 2021, 2021-09 or 2021-09-21, not '21.09.2021'",
        "field 'url' must start with http:// or https:// and hold no spaces, not 'www.example.org'",
        "field 'kind' must be one of: regulator, ",
        "field 'authors' must be a name or a list of names",
        "field 'doi' must be a text of one line",
    ):
        assert words in said
    places = [said.index(f"field '{name}'") for name in ("tilte", "year", "published", "url", "kind", "authors", "doi")]
    assert places == sorted(places)
    assert said.endswith(".") and "Input should" not in said


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("published: 2021-02-30\n", "a date or number there is impossible. Write dates as 2021"),
        ("- a list\n", "write lines such as 'title: How skin heals'"),
        ("Just words.\n", "write lines such as 'title: How skin heals'"),
        ("[" * 5_000, "cannot be understood"),
        ("title: 'never closed\n", "line 1 cannot be understood"),
        ("title: x\n---\ntitle: y\n", "line 2 cannot be understood ('---')"),
        ("a\x00b: 1\n", "cannot be understood"),
    ],
)
def test_what_is_no_list_of_fields_is_refused_with_what_to_write(stated: str, words: str) -> None:
    said = _refusal(stated)
    assert words in said and said.endswith(".")


def test_a_file_in_another_encoding_says_what_to_save_it_as() -> None:
    with pytest.raises(Refused, match="Save it as UTF-8"):
        sidecar_fields(SourceFile("a.pdf", b"", "title: Décolletage".encode("cp1252")))


def test_a_value_cannot_steer_the_screen_that_its_mistake_is_shown_on() -> None:
    """YAML spells an escape character as \\e; the terminal would obey it."""
    said = _refusal('kind: "\\e[31mred"\n')
    assert "\x1b" not in said and "\ufffd[31mred" in said


def test_a_reason_reads_on_from_the_files_name() -> None:
    """It is shown as "leaflet.pdf has a mistake ..." and as "It has a mistake ..."."""
    with pytest.raises(Refused, match=r"^has a mistake in the lines at its top \(front matter\): field 'kind' must be one of"):
        parse_metadata("kind: rumour", place=FRONT_MATTER)
