"""Words explained: the glossary's terms inside quoted text, each reachable by pointer and keyboard, the text itself unchanged."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Protocol

from litsearch.ui.markup import Html, join, tag, text
from litsearch.ui.strings import Strings

if TYPE_CHECKING:
    from litsearch.glossary import Entry, Explained

Explain = Callable[[str], Html]


class Explains(Protocol):
    """What is known here of a glossary."""

    def explained_in(self, text: str, everyday: Container[str] = ...) -> Sequence[Explained]:
        """The terms of a text that have an explanation, in their order."""
        ...


class Words:
    """The terms that one page explains: gathers them while the page is drawn, and lists them at its end.

    The explanation is never part of the quoted text: a style sheet shows it beside the term from an attribute, and screen
    readers find it in the list. So a passage stays word for word, also when it is copied.
    """

    def __init__(self, glossary: Explains, everyday: Container[str] = frozenset()) -> None:
        self._glossary = glossary
        self._everyday = everyday
        self._numbers: dict[str, int] = {}
        self._entries: list[Entry] = []

    def explainer(self) -> Explain:
        """Makes texts into markup, each term marked where it first stands in any of them; one for each stretch that is shown."""
        seen: set[str] = set()
        return lambda words: self._explain(words, seen)

    def _explain(self, words: str, seen: set[str]) -> Html:
        parts: list[str] = []
        at = 0
        for found in self._glossary.explained_in(words, self._everyday):
            if found.entry.term in seen:
                continue
            seen.add(found.entry.term)
            parts.append(text(words[at : found.start]))
            parts.append(
                tag(
                    "dfn",
                    words[found.start : found.end],
                    class_="term",
                    tabindex=0,
                    aria_describedby=f"word-{self._number(found.entry)}",
                    data_explain=found.entry.explain,
                )
            )
            at = found.end
        return join(*parts, text(words[at:]))

    def list(self, say: Strings) -> Html:
        """The terms explained so far, with their explanations; nothing when there are none."""
        if not self._entries:
            return Html()
        rows = [
            join(tag("dt", entry.term), tag("dd", entry.explain, id=f"word-{self._number(entry)}", dir="auto"))
            for entry in self._entries
        ]
        title = tag("summary", say("words.title"), " ", tag("span", str(len(rows)), class_="count"))
        return tag(
            "details",
            title,
            tag("p", say("words.lead")),
            tag("dl", *rows, class_="explained", lang=say.of_library),
            class_="words",
        )

    def _number(self, entry: Entry) -> int:
        if entry.term not in self._numbers:
            self._numbers[entry.term] = len(self._entries)
            self._entries.append(entry)
        return self._numbers[entry.term]


def no_words() -> Words:
    """Explains nothing."""
    return Words(_Nothing())


class _Nothing:
    def explained_in(self, text: str, everyday: Container[str] = frozenset()) -> Sequence[Explained]:
        return ()
