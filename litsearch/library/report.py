"""The quality of what a generation holds: repairs, reprints, missing metadata, stretches without content, readability."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from litsearch.index import Generation
from litsearch.library.sources import independent_sources
from litsearch.records import Block, Document, Passage, Refusal, Repair

ProblemName = Literal["title", "date", "author", "kind", "reprint", "heading", "caption", "short", "reading"]

# Flesch's own table calls texts below 30 very difficult: university graduates' reading.
VERY_DIFFICULT = 30.0
# Too few words for a mean that means anything; Flesch took samples of a hundred.
_FEWEST_WORDS = 100
# A passage of fewer words says nothing that could be quoted: "Read more", "Figure 2".
_SHORT = 4
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
_VOWELS = re.compile(r"[aeiouy]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend about an article; ``detail`` says which, where that is not plain from the name."""

    name: ProblemName
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ArticleReport:
    """One article: how much there is of it, how easily it reads (None when too short to tell), and its problems."""

    document_id: str
    path: str
    title: str
    kind: str
    date: str
    n_passages: int
    n_words: int
    reading_ease: float | None
    repairs: tuple[Repair, ...]
    problems: tuple[Problem, ...]

    @property
    def n_repairs(self) -> int:
        """How many sorts of repair were made."""
        return len(self.repairs)


@dataclass(frozen=True, slots=True)
class GenerationReport:
    """All articles of a generation in its order, the groups of reprints among them, and the files that were refused."""

    generation: str
    articles: tuple[ArticleReport, ...]
    sources: tuple[tuple[str, ...], ...]
    refused: tuple[Refusal, ...]

    @property
    def reprints(self) -> tuple[tuple[str, ...], ...]:
        """The sources that several articles carry."""
        return tuple(group for group in self.sources if len(group) > 1)

    def problem_counts(self) -> dict[str, int]:
        """How many articles have each problem."""
        return dict(Counter(name for article in self.articles for name in {problem.name for problem in article.problems}))

    def to_json(self) -> dict[str, Any]:
        """The report as the command line prints it (a stable contract)."""
        return {
            "generation": self.generation,
            "documents": len(self.articles),
            "sources": len(self.sources),
            "reprints": [list(group) for group in self.reprints],
            "problems": dict(sorted(self.problem_counts().items())),
            "articles": [
                {**asdict(article), "reading_ease": None if article.reading_ease is None else round(article.reading_ease, 1)}
                for article in self.articles
            ],
            "refused": [asdict(refusal) for refusal in self.refused],
        }


def report_of(generation: Generation) -> GenerationReport:
    """The report on an open generation, computed from what it holds."""
    refused = tuple(Refusal(**row) for row in generation.manifest["refused"])
    documents, passages = list(generation.catalogue.documents()), list(generation.catalogue.passages())
    return report(generation.generation_id, documents, passages, refused)


def report(
    generation: str, documents: Sequence[Document], passages: Iterable[Passage], refused: Sequence[Refusal]
) -> GenerationReport:
    """The report on these documents and their passages."""
    by_document: dict[str, list[Passage]] = {}
    for passage in passages:
        by_document.setdefault(passage.document_id, []).append(passage)
    sources = independent_sources(documents)
    reprint_of = {later: group[0] for group in sources for later in group[1:]}
    articles = tuple(_article(d, by_document.get(d.document_id, []), reprint_of.get(d.document_id, "")) for d in documents)
    return GenerationReport(generation, articles, tuple(map(tuple, sources)), tuple(refused))


def _article(document: Document, passages: Sequence[Passage], reprint_of: str) -> ArticleReport:
    metadata = document.metadata
    n_words, ease = readability(document, passages)
    return ArticleReport(
        document.document_id,
        document.path,
        metadata.name,
        metadata.kind,
        metadata.date,
        len(passages),
        n_words,
        ease,
        document.repairs,
        tuple(_problems(document, passages, reprint_of, ease)),
    )


def _problems(document: Document, passages: Sequence[Passage], reprint_of: str, ease: float | None) -> Iterator[Problem]:
    metadata = document.metadata
    if not metadata.title:
        yield Problem("title")
    if not metadata.date:
        yield Problem("date")
    if not (metadata.authors or metadata.publisher):
        yield Problem("author")
    if metadata.kind == "not-stated":
        yield Problem("kind")
    if reprint_of:
        yield Problem("reprint", reprint_of)
    for block in orphan_headings(document):
        yield Problem("heading", document.text[block.start : block.end])
    for block in document.blocks:
        if block.kind == "caption":
            yield Problem("caption", document.text[block.start : block.end])
    for passage in passages:
        if len(passage.text.split()) < _SHORT and passage.lead_in is None:
            yield Problem("short", passage.text)
    if ease is not None and ease < VERY_DIFFICULT:
        yield Problem("reading", f"{ease:.0f}")


def orphan_headings(document: Document) -> list[Block]:
    """The headings with nothing under them: the next heading is as high, or the article ends."""
    blocks = [block for block in document.blocks if block.kind != "caption"]
    following: list[Block | None] = [*blocks[1:], None]
    return [
        block
        for block, after in zip(blocks, following, strict=True)
        if block.kind == "heading" and (after is None or (after.kind == "heading" and after.level <= block.level))
    ]


# ----------------------------------------------------------------------------------------------------- readability


def readability(document: Document, passages: Sequence[Passage]) -> tuple[int, float | None]:
    """The number of words in the passages, and the reading ease of their sentences."""
    sentences = [document.text[s.start : s.end] for passage in passages for s in passage.sentences]
    words = [word for sentence in sentences for word in _WORD.findall(sentence)]
    enough = len(words) >= _FEWEST_WORDS and bool(sentences)
    return len(words), reading_ease(words, len(sentences)) if enough else None


def reading_ease(words: Sequence[str], n_sentences: int) -> float:
    """Flesch's reading ease of English: 206.835 - 1.015 words a sentence - 84.6 syllables a word; 60 to 70 is plain English.

    Source: Flesch, "A new readability yardstick", Journal of Applied Psychology 1948. Syllables are estimated by ``syllables``.

    Raises:
        ValueError: without words or sentences.

    >>> round(reading_ease("The skin is red for two days".split(), 1), 1)  # 7 words, 7 syllables
    115.1
    """
    if not words or n_sentences < 1:
        raise ValueError("no words to judge")
    n_syllables = sum(map(syllables, words))
    return 206.835 - 1.015 * len(words) / n_sentences - 84.6 * n_syllables / len(words)


def syllables(word: str) -> int:
    """The syllables of an English word, estimated: its groups of vowels, less a silent last ``e``, ``es`` or ``ed``; at least one.

    >>> [syllables(word) for word in ("skin", "needle", "treated", "fades", "collagen", "faded", "microneedling")]
    [1, 2, 2, 1, 3, 2, 4]
    """
    word = word.lower()
    n = len(_VOWELS.findall(word))
    silent = re.search(r"[^aeiouy](e|es|ed)$", word)
    # "needle", "faces", "faded": the last syllable is spoken.
    spoken = re.search(r"([^aeiouy]les?|[sxzcg]es|[sc]hes|[td]ed)$", word)
    return max(1, n - bool(silent and not spoken))
