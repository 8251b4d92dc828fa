"""Claims out of copy, and the wording rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.claims.extract import extract
from litsearch.claims.wording import check_wording, load_wording
from litsearch.errors import SettingsError
from litsearch.settings import ROOT

COPY = """Welcome to the clinic!
# Microneedling: younger skin in one session

Say goodbye to wrinkles. Our microneedling is painless and safe for all skin types,
with no downtime at all. It stimulates collagen and reduces the look of acne scars.
- No side effects
- FDA approved
Only £99 until Friday. Book today! Are you ready?
"I love my skin", says one of our patients.
"""


def found(copy: str) -> dict[str, str]:
    return {claim.text: claim.not_checked for claim in extract(copy)}


def test_every_claim_is_the_copy_word_for_word_at_its_place():
    claims = extract(COPY)
    assert claims
    assert all(COPY[claim.start : claim.end] == claim.text for claim in claims)
    assert [claim.start for claim in claims] == sorted(claim.start for claim in claims)


@given(st.text(max_size=300))
def test_offsets_hold_for_any_text(copy: str):
    last = 0
    for claim in extract(copy):
        assert copy[claim.start : claim.end] == claim.text
        assert claim.start >= last
        last = claim.end


def test_what_states_nothing_is_kept_and_not_checked():
    statements = found(COPY)
    assert statements["Welcome to the clinic!"] == "greeting"
    assert statements["Only £99 until Friday."] == "price"
    assert statements["Book today!"] == "call to action"
    assert statements["Are you ready?"] == "question"
    assert statements['"I love my skin", says one of our patients.'] == "testimonial"


def test_short_promises_without_a_verb_are_claims():
    statements = found(COPY)
    assert statements["No side effects"] == ""
    assert statements["FDA approved"] == ""
    assert found("Painless") == {"Painless": ""}


def test_a_line_wrapped_at_a_fixed_width_is_one_sentence():
    statements = found(COPY)
    assert "safe for all skin types" in statements
    assert "with no downtime at all." in statements
    assert statements["Our microneedling is painless"] == ""


def test_a_sentence_is_divided_only_between_two_claims_with_verbs_of_their_own():
    assert list(found("It shrinks pores and fades scars.")) == ["It shrinks pores", "fades scars."]
    whole = "It uses no blades, anaesthetic or lasers."
    assert list(found(whole)) == [whole]
    nouns = "Wrinkles and fine lines are reduced."
    assert list(found(nouns)) == [nouns]


def test_kinds_and_implied_claims():
    by_text = {claim.text: claim for claim in extract(COPY)}
    assert by_text["Say goodbye to wrinkles."].implied
    assert set(by_text["safe for all skin types"].kinds) == {"safety", "absolute"}
    assert by_text["FDA approved"].kinds == ("regulatory",)
    assert extract("It works better than a laser in 90% of patients.")[0].kinds == ("efficacy", "comparative", "numeric")


def test_a_claim_that_says_it_carries_the_treatment_that_the_copy_speaks_of():
    """The treatment compared with is not the subject: "it" is still microneedling."""
    claims = extract("Microneedling is gentler than a laser. It leaves no marks.")
    assert [claim.subject for claim in claims] == ["", "microneedling"]


def test_no_copy_has_no_claims():
    assert extract("") == [] == extract(" \n\n ")


# ------------------------------------------------------------------------------------------------------------ wording

RULES = load_wording(ROOT / "practice" / "wording.yml")


@pytest.mark.parametrize(
    ("copy", "rule"),
    [
        ("A Pain-Free hour", "painless"),
        ("It doesn’t hurt", "painless"),
        ("without any side effects? No: no side-effects", "no-side-effects"),
        ("safe for everyone", "safe-for-everyone"),
        ("suitable for all skin types", "safe-for-everyone"),
        ("with no down-time", "no-downtime"),
        ("results last forever", "permanent"),
        ("guaranteed results", "guaranteed"),
        ("Our FDA-approved device", "fda-approved"),
        ("cures acne", "cure"),
        ("the best treatment", "superlative"),
        ("today only", "urgency"),
        ("look 10 years younger", "before-after"),
        ("92% of patients", "percentage"),
        ("in just one session", "sessions"),
        ("within 3 days", "duration"),
        ("clinically proven", "proven"),
    ],
)
def test_wording_that_needs_a_second_look_is_flagged_with_a_reason_and_a_source(copy: str, rule: str):
    flags = [flag for flag in check_wording(copy, RULES) if flag.rule == rule]
    assert flags
    assert all(copy[flag.start : flag.end] == flag.text and flag.why and flag.source for flag in flags)


@pytest.mark.parametrize(
    "copy", ["20% off until Friday", "Our team has 12 years of experience", "The treated skin may be red.", ""]
)
def test_plain_wording_is_left_alone(copy: str):
    assert check_wording(copy, RULES) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rules:\n- id: x\n  kind: absolute\n  why: because\n  source: somewhere", ["'x'", "words"]),
        ("rules:\n- id: x\n  kind: wrong\n  words: [a b]\n  why: because\n  source: somewhere", ["'x'", "kind"]),
        (
            "rules:\n- id: x\n  kind: cure\n  pattern: '('\n  why: because\n  source: somewhere",
            ["'x'", "pattern", "regular expression"],
        ),
        ("rules:\n- id: x\n  kind: cure\n  pattern: 'a*'\n  why: because\n  source: somewhere", ["'x'", "pattern", "empty"]),
        ("rules:\n- id: x\n  kind: cure\n  words: [a]\n  source: somewhere", ["'x'", "why"]),
        ("rules:\n- id: x\n  kind: cure\n  words: [a]\n  why: yes it is\n  source: somewhere\n  extra: 1", ["'x'", "extra"]),
        ("- id: x", ["rules:"]),
        ("rules: [", ["wording.yml"]),
    ],
)
def test_a_rule_that_cannot_be_used_is_named_with_field_and_fix(tmp_path: Path, text: str, names: list[str]):
    file = tmp_path / "wording.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_wording(file)
    assert all(name in str(error.value) for name in names)


def test_two_rules_of_one_name_are_refused(tmp_path: Path):
    rule = "- {id: x, kind: cure, words: [a], why: because, source: somewhere}\n"
    (tmp_path / "wording.yml").write_text("rules:\n" + rule + rule, encoding="utf-8")
    with pytest.raises(SettingsError, match="twice"):
        load_wording(tmp_path / "wording.yml")


def test_a_missing_file_has_no_rules(tmp_path: Path):
    assert load_wording(tmp_path / "none.yml") == []
