"""What can be asked about a treatment, for people who don't know what to ask: questions and sections of articles by aspect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from litsearch.records import SOURCE_KINDS, Metadata, Passage
from litsearch.ui.examples import CANDIDATES, Example

# The aspects in the order in which people meet them; each is a subject of the example questions.
ASPECTS: tuple[str, ...] = tuple(subject for subject, _ in CANDIDATES)
# The jobs of an article's sections that are about an aspect; the others have no section of their own in articles.
_ROLES: Mapping[str, tuple[str, ...]] = {
    "works": ("results", "conclusion"),
    "care": ("advice",),
    "safety": ("caution", "safety"),
}
# Articles listed for an aspect: as many as one reads through; the whole library is listed below.
MAX_ARTICLES = 8
_STRENGTH = {kind.name: place for place, kind in enumerate(SOURCE_KINDS)}


@dataclass(frozen=True, slots=True)
class Section:
    """A section of an article that is about an aspect, by its first passage."""

    passage_id: str
    section: str
    metadata: Metadata


def sections_by_aspect(passages: Iterable[Passage], metadata: Mapping[str, Metadata]) -> dict[str, list[Section]]:
    """For each aspect one section an article, the strongest kinds of source first, then in the library's order."""
    first: dict[str, dict[str, tuple[int, Section]]] = {aspect: {} for aspect in _ROLES}
    for passage in passages:
        for aspect, roles in _ROLES.items():
            if passage.role not in roles or passage.document_id not in metadata:
                continue
            held = first[aspect].get(passage.document_id)
            # Of two sections of one article, the one whose job is named first: who should not have it, before side effects.
            if held is None or roles.index(passage.role) < held[0]:
                about = metadata[passage.document_id]
                heading = passage.section.rsplit(" > ", 1)[-1]
                first[aspect][passage.document_id] = (roles.index(passage.role), Section(passage.passage_id, heading, about))
    return {
        aspect: sorted((section for _, section in found.values()), key=lambda s: _STRENGTH[s.metadata.kind])[:MAX_ARTICLES]
        for aspect, found in first.items()
    }


def questions_by_aspect(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """The example questions that the library answers, by aspect, each in its own order; an aspect without any is left out."""
    found = {aspect: [example for example in examples if example.subject == aspect] for aspect in ASPECTS}
    return {aspect: several for aspect, several in found.items() if several}
