"""The safety layer: a practice's red flags, found in a question despite misspellings, and whom to turn to.

It only decides which panel stands above the answers. It gives no advice of its own: every word shown comes from the practice's
``safety.yml`` and ``contact.yml``, which a clinician signs off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from litsearch.contact import read_texts
from litsearch.errors import SettingsError
from litsearch.lexical import terms_of, words_of

Urgency = Literal["immediate", "urgent", "non-urgent"]
URGENCIES: tuple[Urgency, ...] = ("immediate", "urgent", "non-urgent")

# Other words allowed between the words of a phrase: "my face is very swollen" says "face swollen".
_MAX_GAP = 2
# A phrase straight after one of these is denied, not reported: "no fever".
_DENIALS = frozenset({"no", "without"})
# Between the words of a phrase these deny it too: "a laser that doesn't burn" does not say "laser burn".
_DENIALS_INSIDE = _DENIALS | {
    "not",
    "never",
    "don",
    "dont",
    "doesn",
    "doesnt",
    "dosnt",
    "didn",
    "didnt",
    "won",
    "wont",
    "isn",
    "isnt",
}
# Letters that may be wrong in a word of this length or more; in shorter ones another word is too near.
_ONE_WRONG_FROM, _TWO_WRONG_FROM = 5, 8
# What people write for a word of the flags although it is a word itself ("lip filer"), or too far off to be guessed. Only slips
# that would rarely be meant: "site" for "sight" is not here, since "the site is going red" is an ordinary question.
_SLIPS: Mapping[str, str] = {
    "filer": "filler",
    "filers": "fillers",
    "philler": "filler",
    "phillers": "fillers",
    "creme": "cream",
    "loosing": "losing",
    "puss": "pus",
    "feint": "faint",
    "hart": "heart",
    "soar": "sore",
    "soars": "sores",
    "tounge": "tongue",
    "throte": "throat",
    "anafilaxis": "anaphylaxis",
    "anaphalaxis": "anaphylaxis",
    "anaphylaxsis": "anaphylaxis",
}
_SENTENCE = re.compile(r"[.!?;\n]+")

_Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A red flag: raised by any of ``phrases``, together with one of ``also`` where stated, and with none of ``unless``."""

    flag_id: str
    urgency: Urgency
    phrases: tuple[str, ...]
    say: str
    also: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    review: str = ""


@dataclass(frozen=True, slots=True)
class Raised:
    """A flag that a question raises, and the question's words that raise it."""

    flag: Flag
    words: str


class RedFlags:
    """The practice's flags; safe to share between threads."""

    def __init__(self, flags: Sequence[Flag] = (), known_words: Container[str] = frozenset()) -> None:
        """``known_words`` are words of the language: one of them is never taken for another word misspelt."""
        self.flags = tuple(flags)
        self._known = known_words
        self._wanted = [(flag, _keys(flag.phrases), _keys(flag.also), _keys(flag.unless)) for flag in flags]
        phrases = [phrase for flag in flags for phrase in (*flag.phrases, *flag.also)]
        words = {word for phrase in phrases for word in words_of(phrase)}
        self._vocabulary = sorted(word for word in words if len(word) >= _ONE_WRONG_FROM)
        self._slips = {slip: meant for slip, meant in _SLIPS.items() if slip not in words}

    def raised_by(self, question: str) -> list[Raised]:
        """The flags that a question raises, the most urgent first, then in the file's order.

        >>> flags = RedFlags([Flag("face", "immediate", ("face swollen",), "Call for help.")])
        >>> [(r.flag.flag_id, r.words) for r in flags.raised_by("My face is really swolen since yesterday")]
        [('face', 'face is really swolen')]
        """
        sentences = [_Sentence(words_of(sentence), self._mended) for sentence in _SENTENCE.split(question)]
        raised: list[Raised] = []
        for flag, phrases, also, unless in self._wanted:
            found = _first(phrases, sentences)
            if not found or _first(unless, sentences, denied=True) or (also and not _first(also, sentences)):
                continue
            raised.append(Raised(flag, found))
        return sorted(raised, key=lambda one: URGENCIES.index(one.flag.urgency))

    def _mended(self, word: str) -> str:
        """The word, or the flags' word that it misspells; two wrong letters only after a right first one."""
        if word in self._slips:
            return self._slips[word]
        # One letter less than the shortest that is mended to: a letter may be missing ("dizy").
        if len(word) < _ONE_WRONG_FROM - 1 or not word.isalpha() or len(word) > 40 or word in self._known:
            return word
        limit = 2 if len(word) >= _TWO_WRONG_FROM else 1
        near = process.extract(word, self._vocabulary, scorer=DamerauLevenshtein.distance, score_cutoff=limit, limit=5)
        fitting = [(distance, candidate) for candidate, distance, _ in near if distance < 2 or candidate[0] == word[0]]
        return min(fitting)[1] if fitting else word


class _Sentence:
    """A sentence's words as they were typed, their keys after mending, and where each key stands."""

    def __init__(self, words: Sequence[str], mend: Callable[[str], str]) -> None:
        self.words = words
        self.keys = [_key(mend(word)) for word in words]
        self.places: dict[str, list[int]] = {}
        for place, key in enumerate(self.keys):
            self.places.setdefault(key, []).append(place)


def _keys(phrases: Sequence[str]) -> list[_Keys]:
    return [tuple(_key(word) for word in words_of(phrase)) for phrase in phrases]


def _first(phrases: Sequence[_Keys], sentences: Sequence[_Sentence], *, denied: bool = False) -> str:
    """The words of the first place where a phrase stands, or empty; places where it is denied count only if asked for."""
    for sentence in sentences:
        for phrase in phrases:
            for start in sentence.places.get(phrase[0], ()) if phrase else ():
                end = _match(phrase, sentence, start)
                if end and (denied or start == 0 or sentence.words[start - 1] not in _DENIALS):
                    return " ".join(sentence.words[start:end])
    return ""


def _match(phrase: _Keys, sentence: _Sentence, start: int) -> int:
    """The place after the last word of a phrase that starts at ``start``, or 0 when it does not stand there."""
    at = start
    for key in phrase[1:]:
        window = sentence.keys[at + 1 : at + 2 + _MAX_GAP]
        if key not in window:
            return 0
        step = window.index(key)
        if not _DENIALS_INSIDE.isdisjoint(sentence.words[at + 1 : at + 1 + step]):
            return 0
        at += 1 + step
    return at + 1


@lru_cache(maxsize=20_000)
def _key(word: str) -> str:
    """A word without its ending; a filler as it is, since phrases may hold one."""
    terms = terms_of(word)
    return terms[0] if terms else word


# ------------------------------------------------------------------------------------------------ the practice's flags


_Phrases = Annotated[tuple[Annotated[str, Field(min_length=2)], ...], Field(max_length=300)]


class _StatedFlag(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_max_length=1000)

    id: Annotated[str, Field(min_length=1)]
    urgency: Urgency
    any: Annotated[_Phrases, Field(min_length=1)]
    say: Annotated[str, Field(min_length=1)]
    with_: Annotated[_Phrases, Field(alias="with")] = ()
    not_: Annotated[_Phrases, Field(alias="not")] = ()
    review: str = ""


def load_flags(path: Path) -> list[Flag]:
    """The red flags of a practice, in the file's order; a missing file has none.

    Raises:
        SettingsError: naming the flag, the field and the fix.
    """
    loaded = read_texts(path)
    stated = loaded.get("flags", []) if isinstance(loaded, dict) else None
    if not isinstance(stated, list):
        raise SettingsError(f"{path.name}: must start with 'flags:' and a list of flags under it.")
    flags: dict[str, Flag] = {}
    for number, row in enumerate(stated, start=1):
        name = row.get("id", f"number {number}") if isinstance(row, dict) else f"number {number}"
        try:
            valid = _StatedFlag.model_validate(row)
        except ValidationError as error:
            raise SettingsError(f"{path.name}, flag {name!r}: {_problems(error)}.") from error
        if valid.id in flags:
            raise SettingsError(f"{path.name}: the flag {name!r} stands there twice. Rename or delete one.")
        flags[valid.id] = Flag(valid.id, valid.urgency, valid.any, valid.say, valid.with_, valid.not_, valid.review)
    return list(flags.values())


def _problems(error: ValidationError) -> str:
    return "; ".join(f"field '{'.'.join(map(str, p['loc']))}': {p['msg']}" for p in error.errors())
