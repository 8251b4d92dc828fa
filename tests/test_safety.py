"""Red flags: found despite misspellings, silent for the questions that patients ordinarily ask."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from litsearch.contact import Contact, load_contact
from litsearch.errors import SettingsError
from litsearch.safety import URGENCIES, Flag, RedFlags, load_flags
from litsearch.settings import ROOT
from litsearch.spelling import english_words

QUALITY = ROOT / "tests" / "quality"


@pytest.fixture(scope="module")
def delivered() -> RedFlags:
    """The red flags as delivered."""
    return RedFlags(load_flags(ROOT / "practice" / "safety.yml"), english_words())


def flags(**fields: object) -> RedFlags:
    """One flag with a sensible rest."""
    values = {"flag_id": "one", "urgency": "urgent", "phrases": ("face swollen",), "say": "Call.", **fields}
    return RedFlags([Flag(**values)], english_words())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "flag_id"),
    [
        ("i cant breath propperly since the injection", "breathing-or-throat"),
        ("I have truble brething", "breathing-or-throat"),
        ("My tongue is really swolen", "breathing-or-throat"),
        ("my lips are very swollen and I feel dizzy", "severe-allergy"),
        ("blury vision since the filler next to my nose", "eyes"),
        ("After my filler the skin has turned white and it hurts", "filler-blood-supply"),
        ("The redness is spreding and I feel shivery", "infection-and-unwell"),
        ("there is pus and I have a feaver", "possible-infection"),
        ("the bleeding won’t stop", "heavy-bleeding"),
        ("my lip filer has turned white", "filler-blood-supply"),
        ("skin went white after filers", "filler-blood-supply"),
        ("had phillers and my skin is dusky", "filler-blood-supply"),
        ("after lip fillers it turned whte", "filler-blood-supply"),
        ("I am loosing my sight", "eyes"),
        ("lost my site in one eye", "eyes"),
        ("there is puss coming out", "possible-infection"),
        ("my tounge is swolen", "breathing-or-throat"),
        ("is this anafilaxis", "severe-allergy"),
        ("sudden sweling of my lips", "severe-allergy"),
        ("dizy after the numbing creme", "numbing-cream-poisoning"),
    ],
)
def test_alarms_are_heard_however_they_are_spelt(delivered: RedFlags, question: str, flag_id: str):
    assert flag_id in [raised.flag.flag_id for raised in delivered.raised_by(question)]


@pytest.mark.parametrize(
    "question",
    [
        "How many sessions do I need for scars?",
        "Is redness normal?",
        "Can microneedling cause infection?",
        "I have no fever and no pus, is redness normal?",
        "Is there a laser that doesn't burn?",
        "Is there a waitting room for children?",
        "Will it make my skin glow?",
        "Is a nail filer used on the skin?",
        "Is the injection site going red normal?",
        "Does lip filler hurt?",
        "",
        "?!",
    ],
)
def test_ordinary_questions_raise_nothing(delivered: RedFlags, question: str):
    assert delivered.raised_by(question) == []


def test_false_alarms_are_rare_over_the_quality_set(delivered: RedFlags):
    """Nobody in the set asks for help in an emergency of their own, so every panel there is one too many: at most 3 in 100.

    A panel for something immediate is at most 1 in 100.
    """
    questions = [json.loads(line)["question"] for path in sorted(QUALITY.glob("questions-*.jsonl")) for line in path.open("rb")]
    raised = {question: delivered.raised_by(question) for question in dict.fromkeys(questions)}
    alarms = [question for question, found in raised.items() if found]
    immediate = [question for question, found in raised.items() if found and found[0].flag.urgency == "immediate"]
    assert len(questions) > 500
    assert len(alarms) <= 0.03 * len(raised), alarms
    assert len(immediate) <= 0.01 * len(raised), immediate


def test_every_delivered_flag_waits_for_a_clinician_or_names_one(delivered: RedFlags):
    assert all(flag.review for flag in delivered.flags)
    assert {flag.urgency for flag in delivered.flags} == set(URGENCIES)


def test_other_words_may_stand_between_but_not_too_many():
    assert flags().raised_by("my face is very swollen")
    assert not flags().raised_by("my face was treated and then my knee got swollen")
    assert not flags().raised_by("It is my face. Swollen knees run in the family.")


def test_a_denied_phrase_is_not_reported():
    assert not flags(phrases=("fever",)).raised_by("I have redness but no fever")
    assert not flags(phrases=("laser burn",)).raised_by("which laser does not burn")


def test_also_and_unless_narrow_a_flag():
    flag = flags(phrases=("redness",), also=("fever",), unless=("hay fever",))
    assert flag.raised_by("Redness and fever since yesterday")
    assert not flag.raised_by("Redness since yesterday")
    assert not flag.raised_by("Redness, and I have hay fever")


def test_a_word_of_the_language_is_not_taken_for_a_misspelling():
    """fiver, fever: one letter apart, both English."""
    assert not flags(phrases=("fever",)).raised_by("it cost a fiver")
    assert flags(phrases=("fever",)).raised_by("i have a feever")


def test_a_slip_that_a_practice_uses_itself_is_left_alone():
    """A flag on nail filers speaks of them, not of fillers."""
    assert flags(phrases=("filler white",)).raised_by("my filer went white")
    assert not RedFlags(
        [Flag("a", "urgent", ("filer cut",), "Ring."), Flag("b", "urgent", ("filler white",), "Ring.")], english_words()
    ).raised_by("my filer went white")


def test_the_most_urgent_flag_comes_first():
    both = RedFlags(
        [
            Flag("a", "non-urgent", ("itch",), "Wait."),
            Flag("b", "immediate", ("faint",), "Call."),
            Flag("c", "urgent", ("pus",), "Ring."),
        ]
    )
    assert [raised.flag.flag_id for raised in both.raised_by("itch, pus, and I feel faint")] == ["b", "c", "a"]


@given(some.text(max_size=300))
def test_no_question_breaks_the_matching(question: str):
    for raised in flags(phrases=("face swollen", "pus", "a"), also=()).raised_by(question):
        assert raised.words


# ------------------------------------------------------------------------------------------------- the files


def test_a_missing_file_has_no_flags(tmp_path: Path):
    assert load_flags(tmp_path / "safety.yml") == []
    assert load_contact(tmp_path / "contact.yml") == Contact()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("flags:\n- {id: a, urgency: soon, any: [pus], say: x}", "flag 'a'.*urgency"),
        ("flags:\n- {id: a, urgency: urgent, any: [], say: x}", "flag 'a'.*any"),
        ("flags:\n- {id: a, urgency: urgent, any: [pus]}", "flag 'a'.*say"),
        ("flags:\n- {id: a, urgency: urgent, any: [pus], say: x, wiht: [y]}", "flag 'a'.*wiht"),
        ("flags:\n- {id: a, urgency: urgent, any: [pus], say: x}\n- {id: a, urgency: urgent, any: [pus], say: x}", "twice"),
        ("flags:\n- just words", "number 1"),
        ("- a list", "must start with 'flags:'"),
        ("flags: [", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_names_the_place(tmp_path: Path, content: str, problem: str):
    (tmp_path / "safety.yml").write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=f"(?s)safety.yml.*{problem}"):
        load_flags(tmp_path / "safety.yml")


def test_contact_details_are_read_and_the_placeholder_is_no_name(tmp_path: Path):
    (tmp_path / "contact.yml").write_text("name: your practice\nphone: 01234\nopening: ignored\n", encoding="utf-8")
    contact = load_contact(tmp_path / "contact.yml")
    assert (contact.phone, contact.known_as, contact.email) == ("01234", "", "")
