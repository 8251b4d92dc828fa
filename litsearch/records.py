"""What passes between rooms: documents, passages, hits and answers, each checking itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

BlockKind = Literal["heading", "paragraph", "item", "row", "caption"]
Role = Literal[
    "aim", "background", "methods", "results", "safety", "conclusion", "advice", "caution", "limits", "declarations", "text"
]
Outcome = Literal["answered", "related", "nothing"]

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source: its name in front matter, its badge, and what it means in plain words."""

    name: str
    label: str
    explanation: str


# Strongest first. The order is the one in which sources are listed beside each other; it ranks kinds of publication,
# not particular papers.
SOURCE_KINDS: tuple[SourceKind, ...] = (
    SourceKind("regulator", "Regulator", "A public body that decides which products may be sold, and for what."),
    SourceKind(
        "consensus", "Expert consensus", "Recommendations that a group of specialists agreed on after reading the evidence."
    ),
    SourceKind("meta-analysis", "Meta-analysis", "Results of several studies added together and analysed as one."),
    SourceKind(
        "systematic-review", "Systematic review", "A planned search for every study on a question, and what they show together."
    ),
    SourceKind(
        "randomised-trial",
        "Randomised trial",
        "A study in which chance decided who, or which side of the face, had which treatment.",
    ),
    SourceKind("cohort", "Cohort study", "People who had a treatment were followed over time; chance did not decide who had it."),
    SourceKind(
        "case-series", "Case series", "What happened to several people who had the treatment, with nobody to compare them with."
    ),
    SourceKind("case-report", "Case report", "What happened to one person or a few people."),
    SourceKind("narrative-review", "Narrative review", "Experts' overview of a subject; not every study was searched for."),
    SourceKind(
        "patient-information", "Patient information", "A leaflet or page written for patients by a health service or public body."
    ),
    SourceKind("news-report", "News report", "A journalist's account of what others found or said."),
    SourceKind(
        "promotional-web-article",
        "Promotional web article",
        "Written by or for those who sell the treatment. It may leave out drawbacks.",
    ),
    SourceKind("not-stated", "Kind not stated", "The file does not say what kind of source this is."),
)
KIND_BY_NAME = {kind.name: kind for kind in SOURCE_KINDS}


@dataclass(frozen=True, slots=True)
class Repair:
    """Something the reader mended in a file: what was wrong, and how often."""

    what: str
    count: int = 1
    example: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Who says it: everything a citation needs, with empty values where the source states nothing."""

    title: str
    kind: str = "not-stated"
    authors: tuple[str, ...] = ()
    publisher: str = ""
    journal: str = ""
    year: int | None = None
    published: str = ""
    doi: str = ""
    pmid: str = ""
    pmcid: str = ""
    url: str = ""
    treatment: str = ""
    restates: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KIND_BY_NAME:
            raise ValueError(f"unknown kind of source {self.kind!r}; one of: {', '.join(KIND_BY_NAME)}")

    @property
    def name(self) -> str:
        """The title, or for an article without one ``Untitled (file name)``."""
        return self.title or f"Untitled ({self.source or 'no file name'})"

    @property
    def date(self) -> str:
        """The fullest date stated: ``2021-09-21``, ``2021``, or empty."""
        return self.published or (str(self.year) if self.year else "")

    @property
    def by(self) -> str:
        """Authors, else the publisher, else ``not stated``; more than three authors are cut to ``First et al.``"""
        if self.authors:
            return ", ".join(self.authors) if len(self.authors) <= 3 else f"{self.authors[0]} et al."
        return self.publisher or NOT_STATED

    @property
    def link(self) -> str:
        """The address to follow: the DOI's, else the page's own, else PubMed's, else empty."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if self.url:
            return self.url
        return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/" if self.pmid else ""

    @property
    def provenance(self) -> str:
        """For a digest, whose work it restates; empty for an original text.

        >>> Metadata("Needling and scars", authors=("A. Author",), year=2020, restates="abstract").provenance
        'digest of the abstract of: A. Author (2020), Needling and scars'
        """
        if not self.restates:
            return ""
        year = f" ({self.year or self.published[:4]})" if self.date else ""
        return (
            f"digest of the {self.restates} of: {self.by if self.by != NOT_STATED else 'authors not stated'}{year}, {self.name}"
        )

    def citation(self) -> dict[str, Any]:
        """Every field for display and export; ``not stated`` where the source is silent."""
        return {
            "title": self.name,
            "kind": self.kind,
            "kind_label": KIND_BY_NAME[self.kind].label,
            "authors": list(self.authors),
            "by": self.by,
            "publisher": self.publisher or NOT_STATED,
            "journal": self.journal or NOT_STATED,
            "date": self.date or NOT_STATED,
            "doi": self.doi or NOT_STATED,
            "pmid": self.pmid or NOT_STATED,
            "url": self.link or NOT_STATED,
            "restates": self.restates or NOT_STATED,
            "provenance": self.provenance,
        }


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a document's text with its job on the page; offsets are characters into ``Document.text``."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One article as its reader made it: text, blocks in reading order, and who says it."""

    document_id: str
    path: str
    text: str
    blocks: tuple[Block, ...]
    metadata: Metadata
    repairs: tuple[Repair, ...] = ()

    def __post_init__(self) -> None:
        last = 0
        for block in self.blocks:
            if not last <= block.start < block.end <= len(self.text):
                raise ValueError(f"{self.document_id}: block {block.start}:{block.end} overlaps or leaves the text")
            last = block.end

    def lead_in_of(self, passage: Passage) -> str:
        """The sentence that introduces a passage's list where it stands outside the passage; empty where there is none."""
        return self.text[passage.lead_in.start : passage.lead_in.end] if passage.lead_in else ""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of characters of a document's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """What a reader would quote: a paragraph, or a list with the sentence that introduces it.

    ``text`` is ``document.text[start:end]``. ``lead_in`` is the span of the introducing sentence where it stands outside
    the passage (a list too long for one passage); it is context for the encoder and shown above the passage.
    """

    passage_id: str
    document_id: str
    start: int
    end: int
    text: str
    section: str
    role: Role
    sentences: tuple[Span, ...]
    lead_in: Span | None = None
    page: int | None = None

    def __post_init__(self) -> None:
        if self.end - self.start != len(self.text):
            raise ValueError(f"{self.passage_id}: span {self.start}:{self.end} misfits its text")
        if any(not self.start <= s.start < s.end <= self.end for s in self.sentences):
            raise ValueError(f"{self.passage_id}: a sentence leaves its passage")


@dataclass(frozen=True, slots=True)
class Answer:
    """The sentence that answers, as a span of the document's text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question, with its source and the numbers that put it there.

    ``similarity`` is the cosine of the question and the passage's nearest sentence; ``relevance`` orders the hits.
    """

    rank: int
    passage: Passage
    path: str
    metadata: Metadata
    answer: Answer
    similarity: float
    relevance: float
    lead_in: str = ""
    also_in: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The hit as the command line prints it (a stable contract)."""
        return {
            "rank": self.rank,
            "document_id": self.passage.document_id,
            "passage_id": self.passage.passage_id,
            "title": self.metadata.name,
            "kind": self.metadata.kind,
            "path": self.path,
            "section": self.passage.section,
            "role": self.passage.role,
            "page": self.passage.page,
            "start": self.passage.start,
            "end": self.passage.end,
            "text": self.passage.text,
            "lead_in": self.lead_in,
            "answer": asdict(self.answer),
            "similarity": round(self.similarity, 6),
            "relevance": round(self.relevance, 6),
            "also_in": list(self.also_in),
            "citation": self.metadata.citation(),
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """How a question was understood: spelling mended, everyday words explained, terms added to the search."""

    question: str
    corrections: tuple[tuple[str, str], ...] = ()
    terms: tuple[tuple[str, str], ...] = ()
    expansions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything the library has on one question, from one generation."""

    question: str
    reading: Reading
    outcome: Outcome
    confidence: float
    hits: tuple[Hit, ...]
    cautions: tuple[Hit, ...]
    differing: tuple[Hit, ...]
    generation: str
    milliseconds: float

    @property
    def answered(self) -> bool:
        return self.outcome == "answered"

    def to_json(self) -> dict[str, Any]:
        """The answer as the command line prints it (a stable contract)."""
        return {
            "question": self.question,
            "answered": self.answered,
            "outcome": self.outcome,
            "confidence": round(self.confidence, 4),
            "generation": self.generation,
            "milliseconds": round(self.milliseconds, 2),
            "reading": asdict(self.reading),
            "hits": [hit.to_json() for hit in self.hits],
            "cautions": [hit.to_json() for hit in self.cautions],
            "differing": [hit.to_json() for hit in self.differing],
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was left out, and why, in words a person can act on."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one run of the ingest did; counts are documents except ``passages``."""

    generation: str
    documents: int
    passages: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    refused: tuple[Refusal, ...]
    repairs: tuple[tuple[str, Repair], ...]
    embedded: int
    seconds: float
    renamed: tuple[tuple[str, str], ...] = ()
    fresh: bool = False
    published: bool = True
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The report as the command line prints it (a stable contract)."""
        return {
            "generation": self.generation,
            "documents": self.documents,
            "passages": self.passages,
            "added": list(self.added),
            "changed": list(self.changed),
            "renamed": [list(pair) for pair in self.renamed],
            "removed": list(self.removed),
            "unchanged": self.unchanged,
            "refused": [asdict(refusal) for refusal in self.refused],
            "repairs": [
                {"path": path, "what": repair.what, "count": repair.count, "example": repair.example}
                for path, repair in self.repairs
            ],
            "embedded": self.embedded,
            "fresh": self.fresh,
            "published": self.published,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }
