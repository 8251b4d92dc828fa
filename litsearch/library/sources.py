"""Which articles are one source: a text that several sites carry counts once, however often it is printed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from litsearch.lexical import words_of
from litsearch.records import Document

# Runs of so many words: shorter ones recur in any two texts on one subject.
_RUN = 5
# The shorter article is a reprint when this share of its runs stands in the longer one. One word changed in every twenty-five
# breaks five runs in twenty-five.
REPRINT = 0.8
# An article of fewer runs is too short to tell a reprint from a set phrase.
_FEWEST_RUNS = 20
# A run that stands in more articles than this is a set phrase of the literature; whole copies are found before runs are counted.
_SET_PHRASE = 50


def independent_sources(documents: Sequence[Document]) -> list[list[str]]:
    """Groups of document ids, each one source, in the order of their firsts; an article with a text of its own is a group of one.

    Two articles are one source when their words are the same, or when ``REPRINT`` of the shorter one's runs of five words stand
    in the longer one (Broder, "On the resemblance and containment of documents", 1997); and so is a third that is one with either.

    >>> from litsearch.records import Metadata
    >>> bodies = {"a": "Needling helps scars.", "b": "It costs little.", "c": "NEEDLING  helps scars"}
    >>> independent_sources([Document(name, name, body, (), Metadata(name)) for name, body in bodies.items()])
    [['a', 'c'], ['b']]
    """
    leader = {document.document_id: document.document_id for document in documents}

    def first(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    order = {document.document_id: number for number, document in enumerate(documents)}

    def join(one: str, other: str) -> None:
        low, high = sorted((first(one), first(other)), key=order.__getitem__)
        leader[high] = low

    whole: dict[tuple[str, ...], str] = {}
    runs: dict[str, set[int]] = {}
    for document in documents:
        words = tuple(words_of(document.text))
        known = whole.setdefault(words, document.document_id)
        if known != document.document_id and words:
            join(known, document.document_id)
        elif len(words) >= _FEWEST_RUNS + _RUN - 1:
            runs[document.document_id] = _runs(words)
    for one, other in _reprints(runs):
        join(one, other)
    groups: dict[str, list[str]] = {}
    for document in documents:
        groups.setdefault(first(document.document_id), []).append(document.document_id)
    return list(groups.values())


def _runs(words: Sequence[str]) -> set[int]:
    found = (" ".join(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1))
    return {int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest(), "big") for run in found}


def _reprints(runs: dict[str, set[int]]) -> Iterable[tuple[str, str]]:
    holders: dict[int, list[str]] = {}
    for name, own in runs.items():
        for run in own:
            holders.setdefault(run, []).append(name)
    shared: Counter[tuple[str, str]] = Counter()
    for names in holders.values():
        if 1 < len(names) <= _SET_PHRASE:
            shared.update((one, other) for at, one in enumerate(names) for other in names[at + 1 :])
    for (one, other), n_shared in shared.items():
        if n_shared >= REPRINT * min(len(runs[one]), len(runs[other])):
            yield one, other
