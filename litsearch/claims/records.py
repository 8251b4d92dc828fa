"""What passes through the claims desk: claims, flags, evidence, findings and decisions, each checking itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, get_args

from litsearch.records import KIND_BY_NAME, Metadata

ClaimKind = Literal["efficacy", "safety", "comparative", "absolute", "numeric", "regulatory"]
NotChecked = Literal["", "slogan", "price", "greeting", "call to action", "question", "heading", "testimonial"]
StanceName = Literal["supports", "conflicts", "qualifies", "neutral"]
FindingName = Literal["stated", "conflicts", "qualified", "related", "not_found"]
DecisionName = Literal["keep", "change", "withdraw", "hold"]

# What a person reads for each; none says that a claim is true, proven or compliant.
FINDING_LABELS: dict[FindingName, str] = {
    "stated": "Stated in the library",
    "conflicts": "Sources conflict with it",
    "qualified": "Stated only with a condition",
    "related": "Only related passages",
    "not_found": "Not found in the library",
}
FINDING_EXPLANATIONS: dict[FindingName, str] = {
    "stated": "At least one passage says this. Whether it is good enough evidence is for a person to judge.",
    "conflicts": "At least one passage says otherwise. Read both sides before deciding.",
    "qualified": "The passages say it for some people, some cases or with a condition that the claim leaves out.",
    "related": "Passages on the same subject were found, but none of them states the claim or says otherwise.",
    "not_found": "Nothing in the library deals with this.",
}
# What a source does with a claim: "This source ..."
STANCE_LABELS: dict[StanceName, str] = {
    "supports": "says so",
    "conflicts": "says otherwise",
    "qualifies": "says so with a condition",
    "neutral": "is only related",
}
# What a review says of the evidence that a decision rests on. The register keeps these words, so they never change.
CHANGES = ("passage changed", "passage dropped", "contrary passage added", "finding changed")
STANCES: tuple[StanceName, ...] = get_args(StanceName)
FINDINGS: tuple[FindingName, ...] = get_args(FindingName)
DECISIONS: tuple[DecisionName, ...] = get_args(DecisionName)
# Why a statement is shown but not checked; empty for one that is.
NOT_CHECKED: tuple[NotChecked, ...] = get_args(NotChecked)

# Sources that sell what they describe: they repeat marketing and substantiate nothing.
PROMOTIONAL_KINDS = frozenset({"promotional-web-article"})


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of the copy, word for word; offsets are characters into the pasted text.

    ``not_checked`` says why a statement is shown but not checked, and is empty for a factual claim. ``implied`` marks
    what a reader takes from it though the words do not state it ("Say goodbye to wrinkles"). ``subject`` is the treatment
    that the copy speaks of where the claim itself only says "it".
    """

    text: str
    start: int
    end: int
    not_checked: NotChecked = ""
    kinds: tuple[ClaimKind, ...] = ()
    implied: bool = False
    subject: str = ""

    def __post_init__(self) -> None:
        if self.end - self.start != len(self.text) or not self.text.strip():
            raise ValueError(f"claim {self.start}:{self.end} misfits its text {self.text!r}")

    @property
    def factual(self) -> bool:
        return not self.not_checked


@dataclass(frozen=True, slots=True)
class Flag:
    """Words that need a second look whatever the evidence says; ``why`` and ``source`` are the rule's own."""

    kind: str
    start: int
    end: int
    text: str
    why: str
    source: str
    rule: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one passage says about one claim. ``confidence`` is 0..1 and means the stance; ``why`` is for a person to read.

    ``start`` and ``end`` mark the sentence that decides, in characters of the document's text.
    """

    stance: StanceName
    confidence: float
    why: str
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence} is not between 0 and 1")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage shown for a claim, whole and word for word, with what it says about the claim.

    ``lead_in`` is the sentence that introduces the deciding one where that is an item of a list ("Ask a doctor first if:"); it
    stands in the passage or before it, and without it the item says nothing.
    """

    stance: StanceName
    confidence: float
    why: str
    passage_id: str
    document_id: str
    path: str
    section: str
    role: str
    metadata: Metadata
    text: str
    start: int
    end: int
    sentence_text: str
    sentence_start: int
    sentence_end: int
    similarity: float
    lead_in: str = ""

    @property
    def kind(self) -> str:
        return self.metadata.kind

    @property
    def promotional(self) -> bool:
        return self.metadata.kind in PROMOTIONAL_KINDS

    def to_json(self) -> dict[str, Any]:
        """The evidence as the command line prints it (a stable contract)."""
        return {
            "stance": self.stance,
            "confidence": round(self.confidence, 3),
            "why": self.why,
            "passage_id": self.passage_id,
            "document_id": self.document_id,
            "title": self.metadata.name,
            "kind": self.kind,
            "path": self.path,
            "section": self.section,
            "role": self.role,
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "sentence": {"start": self.sentence_start, "end": self.sentence_end, "text": self.sentence_text},
            "lead_in": self.lead_in,
            "similarity": round(self.similarity, 4),
            "citation": self.metadata.citation(),
        }


@dataclass(frozen=True, slots=True)
class Strength:
    """What the supporting passages are worth to a reader: how many independent sources, of which kinds.

    Two passages of one article are one source. ``note`` is a plain sentence, empty where there is nothing to warn of.
    """

    n_sources: int
    kinds: tuple[str, ...]
    promotional_only: bool
    note: str

    def to_json(self) -> dict[str, Any]:
        return {
            "sources": self.n_sources,
            "kinds": list(self.kinds),
            "kind_labels": [KIND_BY_NAME[kind].label for kind in self.kinds],
            "promotional_only": self.promotional_only,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """What the library says about one claim: the machine's finding, never a verdict."""

    claim: Claim
    finding: FindingName
    confidence: float
    flags: tuple[Flag, ...]
    evidence: tuple[Evidence, ...]
    strength: Strength
    why: str
    generation: str
    queries: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The finding as the command line prints it (a stable contract)."""
        return {
            "claim": self.claim.text,
            "start": self.claim.start,
            "end": self.claim.end,
            "factual": self.claim.factual,
            "not_checked": self.claim.not_checked,
            "kinds": list(self.claim.kinds),
            "implied": self.claim.implied,
            "subject": self.claim.subject,
            "finding": self.finding,
            "confidence": round(self.confidence, 3),
            "why": self.why,
            "flags": [asdict(flag) for flag in self.flags],
            "strength": self.strength.to_json(),
            "evidence": [evidence.to_json() for evidence in self.evidence],
            "queries": list(self.queries),
            "generation": self.generation,
        }


FIT_QUESTIONS: tuple[tuple[str, str], ...] = (
    ("same_treatment", "Is it the same treatment or device?"),
    ("same_outcome", "Is it the same outcome?"),
    ("same_population", "Are they the same kind of people, body area and skin?"),
    ("human_study", "Is it a study in people?"),
    ("full_text_held", "Is the full text held on file?"),
)
FIT_ANSWERS = ("yes", "no", "unclear")
DECISION_LABELS: dict[DecisionName, str] = {
    "keep": "Keep the claim",
    "change": "Change the wording",
    "withdraw": "Withdraw the claim",
    "hold": "Hold until more is known",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided on one finding, apart from it. ``fit`` answers the fit questions by their names.

    ``review_by`` is an ISO date, empty for none. ``supersedes`` names the decision that this one corrects.
    """

    check_id: str
    decision: DecisionName
    reason: str
    person: str
    role: str
    fit: tuple[tuple[str, str], ...] = ()
    wording: str = ""
    review_by: str = ""
    supersedes: str = ""

    def __post_init__(self) -> None:
        if self.decision not in DECISIONS:
            raise ValueError(f"unknown decision {self.decision!r}; one of: {', '.join(DECISIONS)}")
        for name in ("reason", "person", "role"):
            if not getattr(self, name).strip():
                raise ValueError(f"a decision needs a {name}")
        known = {name for name, _ in FIT_QUESTIONS}
        if any(name not in known or answer not in FIT_ANSWERS for name, answer in self.fit):
            raise ValueError(f"fit answers are {', '.join(FIT_ANSWERS)} to: {', '.join(sorted(known))}")
        if self.review_by:
            date.fromisoformat(self.review_by)
