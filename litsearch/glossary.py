"""The practice's glossary: the words that people say beside the words that the literature uses."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from litsearch.errors import SettingsError
from litsearch.lexical import terms_of, words_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One term of the literature with what people say for it, the broader words for it, and a plain explanation."""

    term: str
    says: tuple[str, ...] = ()
    broader: tuple[str, ...] = ()
    kind: str = "other"
    explain: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A glossary entry found in a question, by these words of it."""

    words: str
    entry: Entry
    is_term: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """A term of the glossary where it stands in a text: ``text[start:end]``."""

    start: int
    end: int
    entry: Entry


def _strings(value: Any) -> Any:
    if value is None:
        return ()
    if not isinstance(value, list):
        return [value] if isinstance(value, str) else value  # one phrase without brackets; its letters are no phrases
    return tuple(str(item) if isinstance(item, int | float) and not isinstance(item, bool) else item for item in value)


_Phrases = Annotated[tuple[str, ...], BeforeValidator(_strings), Field(max_length=200)]


class _StatedEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=300)

    term: Annotated[str, Field(min_length=2)]
    kind: Literal["drug", "class", "condition", "body-area", "procedure", "device", "sign", "population", "measure", "other"] = (
        "other"
    )
    says: _Phrases = ()
    broader: _Phrases = ()
    explain: str = ""
    source: str = ""
    shared: bool = False


class Glossary:
    """Entries found in a question by whole words, longest phrase first; matching ignores case, accents and word endings."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = tuple(entries)
        self._by_key: dict[tuple[str, ...], list[tuple[Entry, bool]]] = {}
        for entry in self.entries:
            for phrase, is_term in [(entry.term, True), *((said, False) for said in entry.says)]:
                key = tuple(terms_of(phrase)) or tuple(words_of(phrase))
                places = self._by_key.setdefault(key, []) if key else []
                if all(held is not entry for held, _ in places):
                    places.append((entry, is_term))
        self._longest = max((len(key) for key in self._by_key), default=0)
        # A body area needs no explanation on a page about skin.
        self._explained = {
            tuple(_words_in(entry.term.casefold())): entry
            for entry in reversed(self.entries)
            if entry.explain and entry.kind != "body-area"
        }
        self._longest_explained = max(map(len, self._explained), default=0)
        firsts = {key[0] for key in self._explained}
        self._opening = frozenset(first + ending for first in firsts for ending in _ENDINGS)
        self.words = frozenset(w for e in self.entries for phrase in (e.term, *e.says, *e.broader) for w in words_of(phrase))

    def find(self, question: str) -> list[Match]:
        """The entries whose term, or something said for it, stands in the question.

        >>> glossary = Glossary([Entry("striae", says=("stretch marks", "tiger stripes"))])
        >>> [(m.words, m.entry.term) for m in glossary.find("Will my Stretch Marks fade?")]
        [('stretch mark', 'striae')]
        """
        terms = terms_of(question)
        matches: list[Match] = []
        position = 0
        while position < len(terms):
            for length in range(min(self._longest, len(terms) - position), 0, -1):
                found = self._by_key.get(tuple(terms[position : position + length]))
                if found:
                    words = " ".join(terms[position : position + length])
                    matches.extend(Match(words, entry, is_term) for entry, is_term in found)
                    position += length
                    break
            else:
                position += 1
        unique: dict[str, Match] = {}
        for match in matches:
            unique.setdefault(match.entry.term, match)
        return list(unique.values())

    def explained_in(self, text: str, everyday: Container[str] = frozenset()) -> list[Explained]:
        """The literature's terms in a text that have an explanation, in order, each where it stands first.

        The longest term wins; a last word may be in the plural. A term of one word that is ``everyday`` is left out.

        >>> glossary = Glossary([Entry("striae", explain="Lines in skin that was stretched.")])
        >>> [(e.start, e.end, e.entry.term) for e in glossary.explained_in("Old Striae are pale; striae fade.")]
        [(4, 10, 'striae')]
        """
        words = [(found.start(), found.end(), found.group().casefold()) for found in _WORD.finditer(text)]
        found: dict[str, Explained] = {}
        at = 0
        while at < len(words):
            longest = min(self._longest_explained, len(words) - at) if words[at][2] in self._opening else 0
            for length in range(longest, 0, -1):
                entry = self._explained_by([word for _, _, word in words[at : at + length]], everyday)
                if entry is not None:
                    found.setdefault(entry.term, Explained(words[at][0], words[at + length - 1][1], entry))
                    at += length
                    break
            else:
                at += 1
        return list(found.values())

    def _explained_by(self, words: list[str], everyday: Container[str]) -> Entry | None:
        if len(words) == 1 and words[0] in everyday:
            return None
        *before, last = words
        for ending in _ENDINGS:
            key = (*before, last.removesuffix(ending) if ending else last)
            if key in self._explained and (ending == "" or last.endswith(ending)):
                return self._explained[key]
        return None


_ENDINGS = ("", "s", "es")
# A word with its hyphens: "platelet-rich" is one.
_WORD = re.compile(r"\w+(?:[-‑]\w+)*")


def _words_in(text: str) -> list[str]:
    return _WORD.findall(text)


def load_glossary(path: Path) -> Glossary:
    """The glossary of a practice; a missing file is an empty one.

    Raises:
        SettingsError: naming the entry, the field and the fix.
    """
    if not path.is_file():
        return Glossary()
    try:
        # The C loader reads a long glossary in a tenth of the time; where it is missing the plain one does the same.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=loader) or {}  # noqa: S506 - both are safe loaders
        stated = loaded["entries"] if isinstance(loaded, dict) else None
        if not isinstance(stated, list):
            raise SettingsError(f"{path.name}: must start with 'entries:' and a list of entries under it.")
    except (yaml.YAMLError, ValueError, KeyError, RecursionError) as error:  # ValueError: not UTF-8, or a day 2020-13-45
        raise SettingsError(f"{path.name} cannot be read: {error}. Mend that line; each entry starts with '- term:'.") from error
    entries: list[Entry] = []
    said: dict[str, str] = {}
    for number, row in enumerate(stated, start=1):
        name = row.get("term", f"number {number}") if isinstance(row, dict) else f"number {number}"
        try:
            valid = _StatedEntry.model_validate(row)
        except ValidationError as error:
            problems = "; ".join(f"field '{'.'.join(map(str, p['loc']))}': {p['msg']}" for p in error.errors())
            raise SettingsError(f"{path.name}, entry {name!r}: {problems}.") from error
        for phrase in valid.says:
            key = phrase.casefold()
            if key in said and said[key] != valid.term and not valid.shared:
                raise SettingsError(
                    f"{path.name}, entry {name!r}: '{phrase}' is already said for {said[key]!r}. Remove one, or mark both 'shared: true'."
                )
            said[key] = valid.term
        entries.append(Entry(valid.term, valid.says, valid.broader, valid.kind, valid.explain, valid.source))
    return Glossary(entries)


def expansions_of(matches: Sequence[Match]) -> tuple[str, ...]:
    """The words to add to a search for these matches: the literature's term and the broader words for it.

    A question that uses the literature's own term needs neither (docs/RESULTS.md, "Glossary").
    """
    added: dict[str, None] = {}
    for match in matches:
        if match.is_term:
            continue
        for phrase in (match.entry.term, *match.entry.broader):
            added.setdefault(phrase, None)
    return tuple(added)
