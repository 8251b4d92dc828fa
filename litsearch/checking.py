"""The check story: copy -> claims -> asked both ways -> evidence -> finding. It finds and orders; a person decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from litsearch.claims.extract import extract
from litsearch.claims.model import ModelStances, StanceModel, open_stance_model
from litsearch.claims.records import (
    PROMOTIONAL_KINDS,
    Claim,
    Evidence,
    Finding,
    FindingName,
    Flag,
    Judgement,
    StanceName,
    Strength,
)
from litsearch.claims.stance import Premise, RuleStances, Stances
from litsearch.claims.statement import read
from litsearch.claims.wording import Rule, check_wording, flags_within, load_wording
from litsearch.embedding import Encoder
from litsearch.errors import QuestionError, Refused
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.records import KIND_BY_NAME, SOURCE_KINDS, Hit, Passage, Span
from litsearch.searching import Searcher
from litsearch.settings import Settings

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CheckRules:
    """How much is looked at and shown, and from when a stance counts; rows in docs/RESULTS.md, "Claims"."""

    n_as_it_stands: int = 24
    n_turned: int = 8
    n_shown: int = 12
    n_neutral_at_least: int = 4
    conflict_from: float = 0.6
    related_from: float = 0.45


class Checker:
    """Checks copy against the library of one searcher; safe to share between threads."""

    def __init__(self, searcher: Searcher, settings: Settings, *, rules: CheckRules | None = None) -> None:
        """Open the desk.

        Raises:
            SettingsError: when practice/wording.yml cannot be used.
            ModelError: when the stance model that the settings name cannot.
        """
        self.searcher = searcher
        self.wording: Sequence[Rule] = load_wording(settings.practice / "wording.yml")
        self.rules = rules or CheckRules()
        self.model = open_stance_model(settings.stance, n_threads=settings.n_threads)
        self._held: TextVectors | None = None

    def check(self, copy: str) -> Iterator[Finding]:
        """The findings for a piece of copy, one a claim in its order, each as soon as it is made; stop reading to stop.

        Statements that are not factual come with the finding "not_found" and no evidence: they were not looked for.

        Raises:
            IndexMissing, IndexDamaged, IndexMismatch, ModelError: each with its remedy.
        """
        flags = check_wording(copy, self.wording)
        for claim in extract(copy):
            yield self.check_claim(claim, flags_within(flags, claim.start, claim.end))

    def check_claim(self, claim: Claim, flags: Sequence[Flag] = ()) -> Finding:
        """One claim: asked both ways, every passage judged, and what comes of it."""
        generation = str(self.searcher.manifest()["generation"])
        if not claim.factual:
            return Finding(
                claim, "not_found", 0.0, tuple(flags), (), _strength(()), f"not checked: {claim.not_checked}", generation
            )
        queries = questions_of(claim)
        hits = self._gather(queries)
        evidence = weigh(full_text(claim), hits, self._vectors(), self.model)
        finding, confidence, why = decide(evidence, self.rules)
        shown = shown_of(evidence, self.rules)
        return Finding(claim, finding, confidence, tuple(flags), shown, _strength(shown), why, generation, tuple(queries))

    def _gather(self, queries: Sequence[str]) -> list[Hit]:
        """The passages that any of the questions brings up, each once, in the order of the questions."""
        found: dict[str, Hit] = {}
        for number, query in enumerate(queries):
            try:
                hits = self.searcher.near(query, top=self.rules.n_turned if number else self.rules.n_as_it_stands)
            except QuestionError:
                continue
            for hit in hits:
                found.setdefault(hit.passage.passage_id, hit)
        return list(found.values())

    def _vectors(self) -> TextVectors:
        """The texts embedded so far, by the encoder of the generation in use."""
        encoder, held = self.searcher.encoder, self._held
        if held is None or held.encoder is not encoder:
            held = self._held = TextVectors(encoder)
        return held


# ------------------------------------------------------------------------------------------------------ both ways

_ABOUT_WHO = re.compile(
    r"\b(safe|suit|every|any|all|ideal|candidate|people|patients?|who|pregnan|can have|skin types?|risk)", re.IGNORECASE
)
_TURNED: tuple[tuple[str, str], ...] = (
    ("safety", "side effects, risks and complications of {subject}"),
    ("who", "who should not have {subject} or should see a doctor first; not suitable for everyone"),
    ("pain", "does {subject} hurt: pain, discomfort and numbing cream"),
    ("downtime", "redness, swelling and recovery after {subject}: for how many days"),
    ("session", "how many sessions of {subject} are needed and how far apart"),
    ("last", "does the effect of {subject} on {aims} last, or do people relapse and need to repeat it"),
    ("approval", "which uses of {subject} devices are authorised and which are not"),
    ("limits", "{subject} {aims}: it may not work, results vary, limits of the evidence"),
    ("home", "{subject} at home and who should perform it"),
)


def questions_of(claim: Claim) -> list[str]:
    """The claim as it stands, then turned round: what would speak against it, in the words that sources use.

    >>> questions_of(Claim("Microneedling is painless.", 0, 26, kinds=("safety",)))[:3]
    ['Microneedling is painless.', 'Microneedling is painful.', 'side effects, risks and complications of microneedling']
    """
    text = full_text(claim)
    statement = read(text)
    names = statement.names
    subject = next((m.concept.name for m in statement.mentions if m.concept.group == "treatment"), "treatment")
    subject = {"rf": "radiofrequency microneedling", "prp": "platelet-rich plasma"}.get(subject, subject)
    aims = " ".join(sorted(m.name for m in statement.mentions if m.concept.group in ("target", "good")))
    wanted = {
        "safety": "safety" in claim.kinds,
        "who": bool(_ABOUT_WHO.search(text)),
        "pain": "pain" in names or "anaesthetic" in names or "numbing" in names,
        "downtime": bool(names & {"downtime", "redness", "swelling", "activity"}),
        "session": "session" in names or any(v.of == "session" for v in statement.values) or "fast" in names,
        "last": bool(names & {"permanent", "last", "relapse"})
        or bool(re.search(r"\b(forever|for good|never (come|return))", text, re.IGNORECASE)),
        "approval": "approval" in names or "regulatory" in claim.kinds,
        "limits": "efficacy" in claim.kinds or "absolute" in claim.kinds,
        "home": bool(names & {"home", "professional", "training"}),
    }
    turned = [template.format(subject=subject, aims=aims).replace("  ", " ") for name, template in _TURNED if wanted[name]]
    opposite = _opposite_words(text)
    return [text, *([opposite] if opposite != text else []), *turned]


_ANTONYMS: tuple[tuple[str, str], ...] = (
    (r"\bpainless\b|\bpain-free\b", "painful"),
    (r"\bsafe\b", "risky"),
    (r"\bpermanent(ly)?\b|\bforever\b", "temporary"),
    (r"\bnever\b", "sometimes"),
    (r"\balways\b", "not always"),
    (r"\bevery(one|body)\b|\banyone\b|\banybody\b", "not everyone"),
    (r"\ball\b", "not all"),
    (r"\bincreas(es?|ed|ing)\b", "reduces"),
    (r"\breduc(es?|ed|ing)\b", "increases"),
    (r"\bimprov(es?|ed|ing)\b", "does not improve"),
    (r"\bmore\b", "less"),
    (r"\bless\b|\bfewer\b", "more"),
    (r"\bbetter\b", "worse"),
    (r"\bdeeper\b", "shallower"),
    (r"\bno\b|\bzero\b|\bwithout( any)?\b", "some"),
    (r"\b(just |only )?(one|a single) session\b", "several sessions"),
    (r"\binstant(ly)?\b|\bimmediate(ly)?\b|\bovernight\b", "over time"),
)


def _opposite_words(text: str) -> str:
    for pattern, replacement in _ANTONYMS:
        text, n_replaced = re.subn(pattern, replacement, text, flags=re.IGNORECASE)
        if n_replaced:
            return text
    return text


def full_text(claim: Claim) -> str:
    """The claim with the treatment that the copy speaks of, where the claim itself does not name it."""
    return f"{claim.subject.capitalize()}: {claim.text}" if claim.subject else claim.text


# ----------------------------------------------------------------------------------------------------- premises

_SENTENCE_OPENS_ITEMS = re.compile(r":\s*$")


def premises_of(hit: Hit) -> list[Premise]:
    """The sentences of a passage with their surroundings; an item of a list has the sentence that introduces the list."""
    passage = hit.passage
    texts = [_text_of(passage, span) for span in passage.sentences]
    introduction = hit.lead_in
    premises: list[Premise] = []
    before = ""
    for span, text in zip(passage.sentences, texts, strict=True):
        opens = bool(_SENTENCE_OPENS_ITEMS.search(text)) and "\n" in passage.text
        lead = introduction if not opens and (introduction != "" and _is_item(passage, span)) else ""
        premises.append(
            Premise(
                text,
                span.start,
                span.end,
                lead or hit.lead_in,
                before,
                f"{hit.metadata.title}. {passage.section}",
                passage.section.rpartition(" > ")[2],
                hit.metadata.treatment or hit.metadata.title,
                passage.role,
            )
        )
        introduction = text if opens else introduction
        before = text
    return premises


def _is_item(passage: Passage, span: Span) -> bool:
    """Whether a sentence begins a line of its own."""
    ahead = passage.text[: span.start - passage.start].rsplit("\n", 1)[-1]
    return "\n" in passage.text and not ahead.strip(" \t•-*–0123456789.)")


def _text_of(passage: Passage, span: Span) -> str:
    return passage.text[span.start - passage.start : span.end - passage.start]


def _in_context(premise: Premise) -> str:
    """What is embedded: the sentence, with its introduction where it is an item of a list."""
    return f"{premise.lead_in} {premise.text}" if premise.lead_in else premise.text


# ----------------------------------------------------------------------------------------- evidence and finding


def weigh(stated: str, hits: Sequence[Hit], vectors: TextVectors, model: StanceModel | None = None) -> list[Evidence]:
    """Every passage with what its most telling sentence says about a statement, by the rules alone where no model is given."""
    premises = [premises_of(hit) for hit in hits]
    flat = [premise for group in premises for premise in group]
    if not flat:
        return []
    embedded = vectors.of([stated, *(_in_context(premise) for premise in flat)])
    similarity = embedded[1:] @ embedded[0]
    flat = [replace(premise, similarity=float(s)) for premise, s in zip(flat, similarity, strict=True)]
    rules = RuleStances(_likeness_by(vectors))
    stances: Stances = ModelStances(model, rules) if model else rules
    judgements = iter(zip(flat, stances.judge(stated, flat), strict=True))
    evidence = []
    for hit, group in zip(hits, premises, strict=True):
        judged = [next(judgements) for _ in group]
        if judged:
            evidence.append(_evidence(hit, judged))
    return evidence


# Where two sentences of a passage are equally sure, the one against the claim is shown.
_ORDER: dict[StanceName, int] = {"conflicts": 0, "supports": 1, "qualifies": 2, "neutral": 3}


def _evidence(hit: Hit, judged: Sequence[tuple[Premise, Judgement]]) -> Evidence:
    premise, best = min(
        judged,
        key=lambda pair: (pair[1].stance == "neutral", -round(pair[1].confidence, 2), _ORDER[pair[1].stance], pair[0].start),
    )
    passage = hit.passage
    return Evidence(
        stance=best.stance,
        confidence=best.confidence,
        why=best.why,
        passage_id=passage.passage_id,
        document_id=passage.document_id,
        path=hit.path,
        section=passage.section,
        role=passage.role,
        metadata=hit.metadata,
        text=passage.text,
        start=passage.start,
        end=passage.end,
        sentence_text=premise.text,
        sentence_start=premise.start,
        sentence_end=premise.end,
        similarity=max(p.similarity for p, _ in judged),
        lead_in=premise.lead_in,
    )


def decide(evidence: Sequence[Evidence], rules: CheckRules) -> tuple[FindingName, float, str]:
    """The finding from the stances of all passages, how sure it is (0..1), and why.

    A passage that says otherwise outweighs one that agrees: whoever publishes the claim has to know of it.
    """
    best = {
        stance: max((e for e in evidence if e.stance == stance), key=lambda e: e.confidence, default=None) for stance in _ORDER
    }
    against, found, limited, near = best["conflicts"], best["supports"], best["qualifies"], best["neutral"]
    if against is not None and (against.confidence >= rules.conflict_from or found is None):
        return "conflicts", against.confidence, against.why
    if found is not None and (limited is None or found.confidence >= limited.confidence - 0.1):
        return "stated", found.confidence, found.why
    if limited is not None:
        return "qualified", limited.confidence, limited.why
    closest = max((e.similarity for e in evidence), default=0.0)
    if near is not None and closest >= rules.related_from:
        telling = max((e for e in evidence), key=lambda e: e.similarity)
        return "related", min(1.0, max(0.0, closest)), telling.why
    return "not_found", min(1.0, max(0.0, 1.0 - closest)), "no passage deals with this"


def shown_of(evidence: Sequence[Evidence], rules: CheckRules) -> tuple[Evidence, ...]:
    """What a person sees: what speaks against first, then for, then with conditions, then the closest others."""
    telling = sorted(
        (e for e in evidence if e.stance != "neutral"),
        key=lambda e: (_ORDER[e.stance], -e.confidence, _kind_rank(e), e.passage_id),
    )
    others = sorted((e for e in evidence if e.stance == "neutral"), key=lambda e: (-_pertinence(e), e.passage_id))
    room = max(rules.n_neutral_at_least, rules.n_shown - len(telling))
    return (*telling, *others[:room])


def _pertinence(evidence: Evidence) -> float:
    """Similarity, less for what only asks or describes how a study was done: it reads alike and settles nothing."""
    return evidence.similarity - (0.2 if evidence.role in ("aim", "methods", "background", "declarations") else 0.0)


_KIND_RANK = {kind.name: number for number, kind in enumerate(SOURCE_KINDS)}


def _kind_rank(evidence: Evidence) -> int:
    return _KIND_RANK[evidence.kind]


def _strength(evidence: Sequence[Evidence]) -> Strength:
    """What stands behind a claim: sources that say it, counted once each, and a warning where they only sell it."""
    supporting = [e for e in evidence if e.stance in ("supports", "qualifies")]
    sources = {e.metadata.doi or e.metadata.pmid or e.document_id for e in supporting}
    kinds = tuple(sorted({e.kind for e in supporting}, key=lambda kind: _KIND_RANK[kind]))
    promotional = bool(supporting) and all(kind in PROMOTIONAL_KINDS for kind in kinds)
    note = ""
    if promotional:
        note = "Every supporting source is promotional: it repeats marketing and substantiates nothing."
    elif kinds == ("not-stated",):
        note = "No supporting source says what kind of source it is, so its weight cannot be told."
    elif supporting and set(kinds) <= {
        "case-report",
        "case-series",
        "narrative-review",
        "news-report",
        "patient-information",
        "not-stated",
        *PROMOTIONAL_KINDS,
    }:
        labels = ", ".join(KIND_BY_NAME[kind].label.lower() for kind in kinds)
        note = f"No controlled study among the supporting sources ({labels})."
    return Strength(len(sources), kinds, promotional, note)


# ------------------------------------------------------------------------------------------------------ the model


class TextVectors:
    """Vectors of texts already seen: sentences of a library and words of claims come again and again."""

    def __init__(self, encoder: Encoder, limit: int = 20_000) -> None:
        self.encoder = encoder
        self._limit = limit
        self._held: dict[str, Floats] = {}

    def of(self, texts: Sequence[str]) -> Floats:
        """One vector a text: float32, shape (n, dimensions), rows of length 1."""
        held = self._held
        new = [text for text in dict.fromkeys(texts) if text not in held]
        if new:
            if len(held) + len(new) > self._limit:
                held = {}
                new = list(dict.fromkeys(texts))
            held = {**held, **dict(zip(new, self.encoder.embed(new), strict=True))}
            self._held = held
        return np.stack([held[text] for text in texts])


def _likeness_by(vectors: TextVectors) -> Callable[[Sequence[str], Sequence[str]], Sequence[float]]:
    """How alike single words are to the encoder; good for words that no table of ours holds."""

    def likeness(ours: Sequence[str], theirs: Sequence[str]) -> Sequence[float]:
        return [float(best) for best in (vectors.of(ours) @ vectors.of(theirs).T).max(axis=1)]

    return likeness


# -------------------------------------------------------------------------------------------------------- the copy


def read_copy(path: Path, settings: Settings) -> str:
    """The text of a file of copy. Text and Markdown stay as they are, so that offsets count in the file itself; other formats
    are read as the ingest reads them, and offsets count in what was read.

    Raises:
        Refused: with a reason that a person can act on.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused(
            f"{path} cannot be read ({error.strerror}). Name a text, Markdown, HTML, Word or PDF file, or - for standard input."
        ) from error
    if path.suffix.lower() in ("", ".txt", ".md", ".markdown"):
        return decode_copy(content)
    limits = Limits(settings.max_file_mb, settings.max_pages, settings.max_records, settings.read_timeout_s)
    try:
        reading = read_file(SourceFile(path.name, content), limits)
    except Refused as error:
        raise Refused(f"{path.name} {error}") from error
    return "\n\n".join(document.text for document in reading.documents)


def decode_copy(content: bytes) -> str:
    """Bytes as text: UTF-8, UTF-16 with its mark, else Windows-1252, which reads every byte that word processors write."""
    for encoding in ("utf-8-sig", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("cp1252", errors="replace")


__all__ = [
    "CheckRules",
    "Checker",
    "TextVectors",
    "decide",
    "decode_copy",
    "full_text",
    "premises_of",
    "questions_of",
    "read_copy",
    "shown_of",
    "weigh",
]
