"""A claim beside one sentence of a source: what they share, and what of the claim the source leaves out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from litsearch.claims.concepts import BROADER, CONTRASTS, LIGHT, RELATED, stem, tokens_of
from litsearch.claims.statement import CAUTION, Mention, Statement, read

# How alike words are, 0..1, where no table knows them: (claim's words, premise's words) -> best likeness of each of the claim's.
Likeness = Callable[[Sequence[str], Sequence[str]], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Premise:
    """One sentence of a passage with what a reader sees around it.

    ``lead_in`` is the sentence that introduces the list in which this one stands, ``before`` the sentence before it, ``heading``
    the nearest heading above it, ``treatment`` what the document is about, ``role`` what the passage does in it, ``similarity`` the cosine with the claim.
    """

    text: str
    start: int
    end: int
    lead_in: str = ""
    before: str = ""
    section: str = ""
    heading: str = ""
    treatment: str = ""
    role: str = "text"
    similarity: float = 0.0


def shown(premise: Premise) -> str:
    """What a model reads of a premise: its heading, the introduction of its list, and the sentence.

    >>> shown(Premise("open wounds", 0, 11, lead_in="Not suitable if you have:", heading="Who should wait?"))
    'Who should wait? Not suitable if you have: open wounds'
    """
    heading = premise.heading.strip()
    if heading and heading[-1] not in ".:?!":
        heading += "."
    return " ".join(part for part in (heading, premise.lead_in, premise.text) if part)


# From this part of the other content on, a source deals with the same thing. Chosen, as COVERED, on the dev half of
# tests/quality/claims.jsonl (docs/RESULTS.md, "The rules' bounds").
TOPIC = 0.5
# From this part of its content on, a claim is accounted for.
COVERED = 0.72

# Forms of one treatment, and treatments that take each other's place.
_NEEDLING = frozenset({"microneedling", "rf"})
FAMILY = frozenset({"microneedling", "rf", "laser", "peel", "microdermabrasion", "dermabrasion", "surgery", "botulinum"})


class Pair:
    """A claim and a premise side by side: what they share, and what of the claim the premise leaves out."""

    def __init__(self, claim: Statement, premise: Premise, likeness: Likeness | None) -> None:
        self.claim = claim
        self.premise = premise
        self.source = read(premise.text)
        self.lead = read(premise.lead_in)
        self.around = read(f"{premise.section}. {premise.before}")
        self.document = read(premise.treatment)
        self._likeness = likeness
        self.listed_caution = bool(premise.lead_in) and bool(CAUTION.search(premise.lead_in))
        self.caution = self.source.caution or self.listed_caution
        self.names = self.source.names | self.lead.names
        self.coverage, self.missing = self._cover()

    # Treatments -----------------------------------------------------------------------------------------------

    @property
    def claimed_treatments(self) -> frozenset[str]:
        compared = self.claim.comparison.right if self.claim.comparison else frozenset()
        return self.claim.treatments - compared

    @property
    def source_treatments(self) -> frozenset[str]:
        named = [m for s in (self.source, self.lead) for m in s.mentions if m.concept.group == "treatment" and not m.negated]
        # A treatment named late in a sentence ("... had to be repaired by surgery") is not what the sentence is about.
        opens = any(m.first < 8 for m in named)
        if named and (opens or not self.document.treatments):
            return frozenset(m.name for m in named)
        return self.document.treatments

    @property
    def same_treatment(self) -> bool:
        claimed, sourced = self.claimed_treatments & FAMILY, self.source_treatments
        if not claimed:
            # A claim that names no treatment is about what the document is about.
            named = {m.name for m in self.source.mentions if m.concept.group == "treatment"} & FAMILY
            return not named or not self.document.treatments or bool(named & self.document.treatments)
        if not sourced:
            return True
        if self.claim.comparison or self.source.comparison:
            return bool(self.claim.treatments & (sourced | self.document.treatments))
        return bool(claimed & sourced) or bool(self.variant)

    @property
    def variant(self) -> str:
        """The form of needling that the source is about where the claim is about another one, else empty."""
        claimed, sourced = self.claimed_treatments & _NEEDLING, self.source_treatments & _NEEDLING
        if claimed and sourced and not claimed & sourced:
            return "radiofrequency microneedling" if "rf" in sourced else "needling without radiofrequency"
        return ""

    @property
    def condition(self) -> str:
        """What the treatment was combined with in the source, where a claim of benefit does not say so."""
        if not any(m.effect > 0 for m in self.claim.mentions):
            return ""
        added = self.document.treatments - _NEEDLING - self.claim.treatments
        extra = re.search(r"\bwith ([a-z -]+)$", self.premise.treatment)
        return (
            extra.group(1)
            if extra and (added or not self.document.treatments - _NEEDLING) and extra.group(1) not in self.claim.text.lower()
            else ""
        )

    # Coverage -------------------------------------------------------------------------------------------------

    def _cover(self) -> tuple[float, list[str]]:
        """The part of the claim's content that the premise accounts for, 0..1, and the hard words that it does not."""
        total = held = 0.0
        missing: list[str] = []
        shared = self.document.treatments | self.source_treatments
        for mention in self.claim.mentions:
            if mention.concept.group == "treatment" and mention.name in shared:
                continue
            weight = 0.3 if mention.name in LIGHT else 1.0
            credit = self._credit(mention)
            total += weight
            held += weight * credit
            if weight == 1.0 and credit < 0.5:
                missing.append(self._said(mention))
        for word, like in zip(self.claim.words, self._word_likeness, strict=True):
            total += 0.6
            held += 0.6 * like
            if like < 0.4:
                missing.append(word)
        if not total:
            return (1.0 if self.premise.similarity > 0.6 else 0.0), []
        return held / total, missing

    def _credit(self, mention: Mention) -> float:
        """How far the source speaks of a concept of the claim, 0..1."""
        name = mention.name
        if name in self.names:
            return 1.0
        if any(name in BROADER.get(other, ()) for other in self.names):
            return 0.9
        if any(frozenset((name, other)) in RELATED for other in self.names):
            return 0.75
        if self._contrasts(name):
            # "Safer" and "fewer risks" are one comparison read from its two ends; otherwise a contrast states nothing.
            return 0.75 if self.claim.comparison and self.source.comparison else 0.3
        if name in self.around.names:
            return 0.6
        if any(other in self.names for other in BROADER.get(name, ())):
            return 0.35
        return 0.0

    def _contrasts(self, name: str) -> bool:
        return any(frozenset((name, other)) in CONTRASTS for other in self.names)

    @cached_property
    def _word_likeness(self) -> list[float]:
        """How far the source speaks of each of the claim's words, 0..1; the points ask for it again and again."""
        words = self.claim.words
        source = [*words_in(self.premise.text), *words_in(self.premise.lead_in)]
        stems = {stem(word) for word in source}
        credits = [1.0 if stem(word) in stems else 0.0 for word in words]
        open_words = [word for word, credit in zip(words, credits, strict=True) if not credit]
        if open_words and source and self._likeness is not None:
            found = dict(zip(open_words, self._likeness(open_words, source), strict=True))
            # Below this two words are hardly ever the same thing in other words.
            credits = [
                credit or (found[word] if found[word] >= 0.5 else 0.0) for word, credit in zip(words, credits, strict=True)
            ]
        around = {stem(word) for word in words_in(f"{self.premise.section} {self.premise.before}")}
        return [max(credit, 0.5 if stem(word) in around else 0.0) for word, credit in zip(words, credits, strict=True)]

    def _said(self, mention: Mention) -> str:
        tokens = tokens_of(self.claim.text)[mention.first : mention.last]
        return self.claim.text[tokens[0].start : tokens[-1].end] if tokens else mention.name

    def rest_covered(self, *except_names: str) -> float:
        """The part of the claim's concepts other than these that the premise mentions; 1 when there are no others."""
        rest = [
            m
            for m in self.claim.mentions
            if m.name not in except_names
            and m.name not in LIGHT
            and m.concept.group in ("burden", "target", "good", "people", "thing", "treatment")
            and not (m.concept.group == "treatment" and m.name in (self.document.treatments | self.source_treatments))
        ]
        credits = [0.75 if self._contrasts(m.name) else self._credit(m) for m in rest]
        credits += [0.5 + like / 2 for like in self._word_likeness]
        return sum(credits) / len(credits) if credits else 1.0


def words_in(text: str) -> list[str]:
    """The words of three letters and more of a text, in lower case."""
    return list(re.findall(r"[a-z][a-z'-]{2,}", text.lower()))
