"""What staff see of the library at a glance: the report, the evidence map, articles by year, and what changed last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass

from litsearch.errors import LitsearchError
from litsearch.index import Generation, Index
from litsearch.lexical import words_of
from litsearch.library.comparing import Changes, compare, pick
from litsearch.library.evidence import EvidenceMap, by_kind_and_year, evidence_map
from litsearch.library.report import ArticleReport, GenerationReport, report_of


@dataclass(frozen=True, slots=True)
class Overview:
    """One generation: its report, its map, and kind, year and number of its articles."""

    report: GenerationReport
    evidence: EvidenceMap
    by_year: tuple[tuple[str, int | None, int], ...]

    def of_file(self, path: str) -> list[ArticleReport]:
        """The articles that one file holds."""
        return [article for article in self.report.articles if article.path == path]


def overview_of(generation: Generation) -> Overview:
    """The overview of an open generation, computed from what it holds."""
    report = report_of(generation)
    metadata = {document_id: stated for document_id, (_, stated) in generation.catalogue.metadata().items()}
    evidence = evidence_map(generation.catalogue.passages(), metadata, report.sources)
    return Overview(report, evidence, tuple(by_kind_and_year(metadata.values())))


def last_changes(index: Index) -> Changes | None:
    """What the last two kept generations differ in; None while there are not two that can be read."""
    try:
        old, new = (index.open(name) for name in pick(index))
    except LitsearchError:
        return None
    with closing(old.catalogue), closing(new.catalogue):
        return compare(old, new)


def find_articles(articles: Iterable[ArticleReport], words: str) -> Sequence[ArticleReport]:
    """The articles whose title, file or kind hold every word typed, or the beginning of one; all of them for no word.

    >>> from litsearch.library.report import ArticleReport
    >>> scars, hair = (ArticleReport(n, n, t, "cohort", "", 1, 9, None, (), ()) for n, t in (("a.md", "Scars"), ("b.md", "Hair")))
    >>> [article.title for article in find_articles([scars, hair], "scar cohort")]
    ['Scars']
    """
    wanted = words_of(words)
    found = []
    for article in articles:
        held = words_of(f"{article.title} {article.path} {article.kind.replace('-', ' ')}")
        if all(any(word.startswith(typed) for word in held) for typed in wanted):
            found.append(article)
    return found
