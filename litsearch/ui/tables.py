"""Tables, sections and notices of the staff's pages, as markup."""

from __future__ import annotations

from collections.abc import Sequence

from litsearch.ui.markup import Html, tag


def section(title: str, *body: str) -> Html:
    """A part of a page under its heading."""
    return tag("section", tag("h2", title), *body)


def notice(title: str, words: str) -> Html:
    """Something that needs a person's attention."""
    return tag("section", tag("h2", title), tag("p", words, dir="auto"), class_="panel cautions", role="status")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, label: str = "") -> Html:
    """Rows under their columns' names; on a narrow screen a row's cells stand one below the other, each with its name."""
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", name, scope="col") for name in head))),
            tag("tbody", *(tag("tr", *_cells(head, row)) for row in rows)),
        ),
        class_="table",
        tabindex=0,
        role="region",
        aria_label=label or head[0],
    )


def _cells(head: Sequence[str], row: Sequence[str]) -> list[Html]:
    return [tag("td", cell, dir="auto", data_label=name) for name, cell in zip(head, row, strict=True)]
