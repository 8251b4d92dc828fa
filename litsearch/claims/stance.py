"""Stance: what one sentence of the literature says about a claim, by rules that can name their reason and otherwise abstain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from litsearch.claims.pair import COVERED, TOPIC, Likeness, Pair, Premise
from litsearch.claims.points import POINTS, SAME, Remark
from litsearch.claims.records import Judgement
from litsearch.claims.statement import Statement, read

__all__ = ["Likeness", "Premise", "RuleStances", "Stances"]

# Why a sentence is no evidence at all, however much it resembles the claim.
ONLY_ASKS = "the source asks this, it does not say it"
ANOTHER_TREATMENT = "the source speaks of another treatment"
# What may be read either way; a model that reads both together may tell.
ONLY_ALIKE = "it has much of the claim's words, and nothing shows that it says the same"
# Below this weight a difference is a doubt, not a contradiction.
ENOUGH_TO_OPPOSE = 0.5


class Stances(Protocol):
    """Anything that can tell what premises say about a claim; one judgement a premise, in their order."""

    def judge(self, claim: str, premises: Sequence[Premise]) -> list[Judgement]:
        """The stance of each premise; neutral where it cannot tell."""
        ...


class RuleStances:
    """The rules alone: concepts, negation, amounts, directions, quantifiers, comparisons and values.

    A premise supports only when everything in the claim is accounted for; it conflicts when it deals with the same thing
    and says otherwise on one point; it qualifies when it says less than the claim. In all other cases it is neutral.

    >>> judgement = RuleStances().judge("It is painless.", [Premise("Some discomfort is possible.", 0, 28)])[0]
    >>> judgement.stance, judgement.why
    ('conflicts', 'the claim rules out pain, the source speaks of it')
    """

    def __init__(self, likeness: Likeness | None = None) -> None:
        self._likeness = likeness

    def judge(self, claim: str, premises: Sequence[Premise]) -> list[Judgement]:
        stated = read(claim)
        return [self._judge(stated, premise) for premise in premises]

    def _judge(self, claim: Statement, premise: Premise) -> Judgement:
        pair = Pair(claim, premise, self._likeness)
        if pair.source.question or premise.role == "aim":
            return _neutral(premise, ONLY_ASKS)
        if not pair.same_treatment:
            return _neutral(premise, ANOTHER_TREATMENT)
        remarks = [remark for test in POINTS for remark in test(pair)]
        return _combine(pair, remarks)


def _neutral(premise: Premise, why: str) -> Judgement:
    return Judgement("neutral", min(1.0, max(0.0, premise.similarity)), why, premise.start, premise.end)


def _combine(pair: Pair, remarks: Sequence[Remark]) -> Judgement:
    premise = pair.premise
    opposed = max((r for r in remarks if r.kind == "opposes"), key=lambda r: r.weight, default=None)
    if opposed is not None and pair.variant:
        opposed = Remark("opposes", opposed.weight * 0.75, f"{opposed.why} (about {pair.variant})")
    if opposed is not None and opposed.weight >= ENOUGH_TO_OPPOSE:
        return Judgement("conflicts", opposed.weight, opposed.why, premise.start, premise.end)
    left_open = next((r for r in remarks if r.kind == "open"), None)
    weaker = max((r for r in remarks if r.kind == "weaker"), key=lambda r: r.weight, default=None)
    missing = pair.missing
    if left_open is not None or missing or pair.coverage < COVERED:
        if left_open is not None and pair.coverage >= TOPIC:
            return _neutral(premise, left_open.why)
        return _neutral(premise, f"it does not mention: {', '.join(missing[:4])}" if missing else "it does not state the claim")
    agreed = next((r.why for r in remarks if r.kind == "agrees"), "")
    if not agreed and weaker is None and pair.coverage < SAME:
        # The same words in another order say another thing; without a point on which both agree, nearly all of them must be there.
        return _neutral(premise, ONLY_ALIKE)
    confidence = min(0.98, 0.45 + 0.35 * pair.coverage + 0.25 * max(0.0, premise.similarity - 0.3))
    if pair.condition or pair.variant:
        said = f"about {pair.variant}" if pair.variant else f"when combined with {pair.condition}"
        weaker = weaker or Remark("weaker", 0.6, f"the source says it {said}")
    if weaker is not None:
        return Judgement("qualifies", min(confidence, weaker.weight + 0.2), weaker.why, premise.start, premise.end)
    hedge = "; the source says that it may" if pair.source.hedged and not pair.claim.hedged else ""
    return Judgement("supports", confidence, (agreed or "the source says the same") + hedge, premise.start, premise.end)
