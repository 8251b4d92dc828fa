"""Mends misspelt words of a question by the corpus's own words; a word that the corpus or the dictionary knows is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from litsearch.lexical import words_of

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
# Letters that may be wrong, by the word's length: short words have too many neighbours (docs/RESULTS.md, "Spelling").
_SHORTEST = 4


def _tolerance(length: int) -> int:
    return 1 if length < 7 else 2 if length < 11 else 3


@cache
def english_words() -> frozenset[str]:
    """The 82,765 words of SymSpell's English dictionary (MIT): none of them is taken for a misspelling."""
    return frozenset(_counts())


@cache
def everyday_words() -> frozenset[str]:
    """The words of the dictionary that nobody needs explained: "pain" (42 million in its web texts), not "keloid" (47 thousand)."""
    return frozenset(word for word, count in _counts().items() if count >= _EVERYDAY)


_EVERYDAY = 10_000_000


@cache
def _counts() -> dict[str, int]:
    lines = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig").splitlines()
    return {word: int(count) for word, count in (line.split(" ", 1) for line in lines)}


@cache
def _english_by_first() -> dict[str, list[str]]:
    by_first: dict[str, list[str]] = {}
    for word in sorted(english_words()):
        by_first.setdefault(word[0], []).append(word)
    return by_first


class Speller:
    """Nearest known words, for the words of one corpus and its glossary."""

    def __init__(self, counts: Mapping[str, int], also: Iterable[str] = ()) -> None:
        self._counts = {word: count for word, count in counts.items() if word.isalpha() and len(word) >= _SHORTEST}
        for word in also:
            if word.isalpha() and len(word) >= _SHORTEST:
                self._counts.setdefault(word, 0)
        self._by_first: dict[str, list[str]] = {}
        for word in sorted(self._counts):
            self._by_first.setdefault(word[0], []).append(word)

    def mend(self, question: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The question with its misspelt words replaced, and what was replaced by what.

        >>> Speller({"keloid": 3, "laser": 2}).mend("Do keloyds come with a lazer?")
        ('Do keloid come with a laser?', (('keloyds', 'keloid'), ('lazer', 'laser')))
        """
        mended: dict[str, str] = {}

        def replace(found: re.Match[str]) -> str:
            nearest = self._nearest(found.group())
            if nearest is None:
                return found.group()
            mended[found.group()] = nearest
            return nearest

        text = _WORD.sub(replace, question)
        return text, tuple(mended.items())

    def _nearest(self, word: str) -> str | None:
        plain = "".join(words_of(word))
        # A contraction is no misspelling: "shouldn't" mended to "should" would turn the question round.
        if re.search(r"['’](?!s$)", word) or plain in _CONTRACTIONS:
            return None
        if len(plain) < _SHORTEST or not plain.isalpha() or len(plain) > 40 or self._known(plain):
            return None
        limit = _tolerance(len(plain))
        best: tuple[int, int, str] | None = None
        # People seldom get the first letter wrong; where they do, it is a sound-alike (filler, phillers; xerosis, zerosis).
        firsts = {plain[0], *_SOUND_ALIKES.get(plain[0], "")}
        for first in sorted(firsts):
            for candidate, distance, _ in process.extract(
                plain, self._by_first.get(first, ()), scorer=DamerauLevenshtein.distance, score_cutoff=limit, limit=5
            ):
                ranked = (int(distance), -self._counts[candidate], candidate)
                best = ranked if best is None or ranked < best else best
        if best is None:
            return None
        # An English word that is nearer than the corpus's is what was meant: "anesthetc" is no misspelt "aesthetic".
        nearer = process.extractOne(
            plain, _english_by_first().get(plain[0], ()), scorer=DamerauLevenshtein.distance, score_cutoff=best[0] - 1
        )
        return str(nearer[0]) if nearer is not None else best[2]

    def _known(self, word: str) -> bool:
        if word in self._counts or word in english_words():
            return True
        singular = word.removesuffix("s")
        return singular in self._counts or singular in english_words()


# As people type them without the apostrophe.
_CONTRACTIONS = frozenset(
    "arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt mightnt mustnt neednt shant shouldnt wasnt werent wont wouldnt"
    " couldve shouldve wouldve youre theyre youve weve theyve youll theyll itll thatll youd theyd whats wheres whos hows thats".split()
)
_SOUND_ALIKES = {
    "f": "p",
    "p": "f",
    "k": "c",
    "c": "ks",
    "s": "cp",
    "z": "xs",
    "x": "z",
    "j": "g",
    "g": "j",
    "i": "e",
    "e": "i",
    "n": "k",
}
