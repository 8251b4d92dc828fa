"""The stance model beside the rules: it speaks where they are silent and never overrules them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from litsearch.claims.model import LABELS, Bounds, ModelStances, open_stance_model
from litsearch.claims.pair import Premise, shown
from litsearch.claims.stance import ANOTHER_TREATMENT, ONLY_ALIKE, ONLY_ASKS, RuleStances

BOUNDS = Bounds(n_read=2, supports_from=0.8, conflicts_from=0.7)
CLAIM = "It is painless."
SILENT = "Bring a book for the waiting room."
AGAINST = "Some discomfort is possible."


class Told:
    """A stance model that says what it was told, and remembers what it was asked."""

    name = "told"
    sha256 = "0"

    def __init__(self, supports: float, conflicts: float) -> None:
        self.row = [supports, conflicts, 1 - supports - conflicts]
        self.read: list[str] = []

    def probabilities(self, claim: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.read += texts
        return np.array([self.row] * len(texts), dtype=np.float32).reshape(len(texts), 3)


def premise(text: str, *, similarity: float = 0.5, lead_in: str = "", role: str = "text", treatment: str = "") -> Premise:
    return Premise(text, 0, len(text), lead_in=lead_in, treatment=treatment, role=role, similarity=similarity)


def stance(model: Told, *premises: Premise, claim: str = CLAIM) -> list[str]:
    return [judgement.stance for judgement in ModelStances(model, RuleStances(), BOUNDS).judge(claim, premises)]


@pytest.mark.parametrize(
    ("supports", "conflicts", "expected"),
    [(0.81, 0.1, "supports"), (0.79, 0.1, "neutral"), (0.1, 0.71, "conflicts"), (0.1, 0.69, "neutral")],
)
def test_the_model_speaks_where_the_rules_are_silent(supports: float, conflicts: float, expected: str):
    assert RuleStances().judge(CLAIM, [premise(SILENT)])[0].stance == "neutral"
    assert stance(Told(supports, conflicts), premise(SILENT)) == [expected]


def test_the_rules_stand_however_sure_the_model_is():
    judgement = ModelStances(Told(0.99, 0.0), RuleStances(), BOUNDS).judge(CLAIM, [premise(AGAINST)])[0]
    assert judgement == RuleStances().judge(CLAIM, [premise(AGAINST)])[0]
    assert judgement.stance == "conflicts"


def test_more_is_needed_to_support_than_to_conflict():
    """As delivered: a contradicted claim that is found stated is the worst error."""
    judged = ModelStances(Told(0.0, 0.85), RuleStances()).judge(CLAIM, [premise(SILENT)])
    other = ModelStances(Told(0.85, 0.0), RuleStances()).judge(CLAIM, [premise(SILENT)])
    assert [j.stance for j in (*judged, *other)] == ["conflicts", "neutral"]


def test_less_is_needed_where_a_sentence_has_much_of_the_claims_words():
    rules, alike = (
        RuleStances(lambda ours, theirs: [0.5] * len(ours)),
        premise("The silicone sheet stays on in the daytime alone."),
    )
    claim = "The silicone sheet is kept on at night."
    assert rules.judge(claim, [alike])[0].why == ONLY_ALIKE
    judged = [ModelStances(Told(p, 0.0), rules).judge(claim, [alike])[0].stance for p in (0.69, 0.71)]
    assert judged == ["neutral", "supports"]


def test_what_only_asks_or_is_about_another_treatment_stays_silent():
    asks = premise("Is it painless?")
    other = premise("Laser treatment is painless.", treatment="laser")
    judged = ModelStances(Told(0.99, 0.0), RuleStances(), BOUNDS).judge("Microneedling is painless.", [asks, other])
    assert [(j.stance, j.why) for j in judged] == [("neutral", ONLY_ASKS), ("neutral", ANOTHER_TREATMENT)]


def test_only_the_nearest_premises_are_read_and_the_order_stays():
    model = Told(0.99, 0.0)
    far, near, nearer = premise(SILENT, similarity=0.1), premise(SILENT, similarity=0.5), premise(SILENT, similarity=0.9)
    assert stance(model, far, near, nearer) == ["neutral", "supports", "supports"]
    assert len(model.read) == 2


def test_an_item_is_read_under_its_lead_in():
    model = Told(0.0, 0.99)
    item = premise("open wounds", lead_in="Not suitable if you have:")
    assert stance(model, item, claim="People with open wounds can have it.") == ["conflicts"]
    assert model.read == [shown(item)] == ["Not suitable if you have: open wounds"]


def test_no_premise_no_judgement():
    assert stance(Told(0.5, 0.4)) == []


def test_the_shipped_model_is_opened_by_default_and_left_out_on_request():
    """A sentence beside itself, beside what it rules out, and beside something else; the rows are probabilities."""
    assert open_stance_model("none", n_threads=1) is None
    model = open_stance_model("", n_threads=1)
    assert model is not None
    said = "Most people have no pain during the session."
    texts = [said, "Most people have severe pain during the session.", "The clinic is open on Saturdays."]
    rows = model.probabilities(said, texts)
    assert rows.shape == (3, 3)
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)
    assert [LABELS[place] for place in rows.argmax(axis=1)] == ["supports", "conflicts", "neutral"]
