"""What orders and judges passages: reprints, sources, sides taken, what a question is after, and whether it is answered."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.errors import ModelError
from litsearch.ranking.answerability import NAMES, Judge, Signals, TokenCoverage, load_judge, signals_of
from litsearch.ranking.balance import merge_identical, spread_sources
from litsearch.ranking.differences import MATTERS, Statement, find_differences
from litsearch.ranking.intent import INTENTS, role_preferences

NO_TOKENS = TokenCoverage(*(np.zeros(0, dtype=np.float32) for _ in range(3)))


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


# -------------------------------------------------------------------------------------------- reprints and sources


def test_a_reprint_joins_the_first_of_its_text_and_a_third_joins_the_same() -> None:
    texts = [
        "The skin is red for two days.",
        "It costs little.",
        "The skin is red for two days!",
        "The skin is red for two days,",
    ]
    assert merge_identical(texts) == [[0, 2, 3], [1]]


def test_texts_are_one_from_92_percent_of_their_letters_on() -> None:
    """Of 25 letters each, two changed: 1 - 2 * 2 / 50 = 0.92 is a reprint; three changed, 0.88, is a text of its own."""
    text = "abcdefghijklmnopqrstuvwxy"
    assert merge_identical([text, "ab--efghijklmnopqrstuvwxy".replace("--", "12")]) == [[0, 1]]
    assert merge_identical([text, "ab---fghijklmnopqrstuvwxy".replace("---", "123")]) == [[0], [1]]


def test_no_texts_give_no_groups_and_no_sources_no_order() -> None:
    assert merge_identical([]) == [] and spread_sources([], most=2, first=3) == []


def test_a_source_fills_no_more_than_its_places_at_the_front() -> None:
    """Two of a, then b and c move up; behind the first four, the given order stands."""
    assert spread_sources(["a", "a", "a", "a", "b", "c", "c"], most=2, first=4) == [0, 1, 4, 5, 2, 3, 6]
    assert spread_sources(["a", "a", "b"], most=1, first=2) == [0, 2, 1]
    assert spread_sources(["a", "a", "a"], most=2, first=3) == [0, 1, 2], "nobody else is there to have the place"


@given(sources=st.lists(st.sampled_from("abcd"), max_size=12), most=st.integers(1, 3), first=st.integers(0, 8))
def test_spreading_loses_nothing_and_keeps_each_sources_own_order(sources: list[str], most: int, first: int) -> None:
    order = spread_sources(sources, most=most, first=first)
    assert sorted(order) == list(range(len(sources)))
    for source in set(sources):
        own = [position for position in order if sources[position] == source]
        assert own == sorted(own)


# ------------------------------------------------------------------------------------------------------ differences


def sides(question: str, *passages: str, sources: str = "abcdef") -> list[tuple[int, str]]:
    return [(s.passage, s.side) for s in find_differences(question, [[p] for p in passages], list(sources[: len(passages)]))]


@pytest.mark.parametrize(
    ("question", "one", "other", "expected"),
    [
        ("Will I be numbed?", "No anaesthetic was given.", "A numbing cream is put on first.", ["without", "with"]),
        ("does it hurt", "Lidocaine is not needed.", "Lidocaine cream is used.", ["without", "with"]),
        ("How many sessions?", "Two sessions were enough.", "It takes 3 to 4 sessions.", ["about two", "about three"]),
        ("how often do i go", "A single treatment did it.", "Several monthly sessions are usual.", ["about one", "several"]),
        ("Is it fine for dark skin?", "It is safe for all skin types.", "Darker skin has a higher risk.", ["all", "some"]),
        ("Is it painful?", "Patients felt mild pain.", "It hurts.", ["little", "more"]),
        ("What is the downtime?", "Redness fades in two days.", "There is no downtime.", ["days", "none"]),
        ("How long is recovery?", "A few days.", "It took three weeks for the redness to go.", ["days", "weeks"]),
    ],
)
def test_passages_that_take_different_sides_are_put_side_by_side(
    question: str, one: str, other: str, expected: list[str]
) -> None:
    assert [side for _, side in sides(question, one, other)] == expected
    assert [side for _, side in sides(question, other, one)] == expected[::-1], "best passages first"


def test_every_matter_is_asked_about_in_some_way() -> None:
    assert [matter.name for matter in MATTERS] == [
        "numbing",
        "number of sessions",
        "skin types",
        "pain",
        "recovery time",
    ]
    assert all(len(matter.sides) > 1 for matter in MATTERS)


def test_agreement_another_question_and_nothing_are_no_difference() -> None:
    assert sides("How many sessions?", "Two sessions.", "Two sessions were enough.") == []
    assert sides("What does it cost?", "Two sessions.", "Four sessions.") == []
    assert sides("How many sessions?") == []


def test_a_source_speaks_once_and_a_side_is_stated_once() -> None:
    """The same article saying two and later four is no difference between sources; the third passage repeats the first's side."""
    assert sides("How many sessions?", "Two sessions.", "Four sessions.", sources="aa") == []
    found = sides("How many sessions?", "Two sessions.", "Four sessions.", "Two sessions.", "Four sessions.", sources="aabc")
    assert found == [(0, "about two"), (3, "about four")]


def test_a_statement_names_the_sentence_that_takes_the_side() -> None:
    passages = [["It is brief.", "Two sessions were enough.", "Four sessions help more."], ["Plan six sessions."]]
    assert find_differences("How many sessions?", passages, ["a", "b"]) == [
        Statement(0, 1, "about two"),
        Statement(1, 0, "about six"),
    ]


def test_the_next_matter_is_looked_at_when_the_first_one_asked_about_shows_no_difference() -> None:
    """Pain is asked about: the first matter that fits is numbing, on which these say nothing; the matter of pain has two sides."""
    assert [side for _, side in sides("Is there pain?", "There was mild pain.", "It hurts.")] == ["little", "more"]


# ---------------------------------------------------------------------------------------------------------- intent


@pytest.mark.parametrize(
    ("question", "roles"),
    [
        ("Who should not have it?", {"caution": 0.25, "safety": 0.08}),
        ("Can I have it while pregnant?", {"caution": 0.25, "safety": 0.08}),
        ("What are the side effects?", {"safety": 0.2, "caution": 0.1}),
        ("Is it safe for me, or is there danger?", {"caution": 0.25, "safety": 0.2}),
        ("How do I look after my skin?", {"advice": 0.1, "safety": 0.03}),
        ("Does it really work?", {"results": 0.1, "conclusion": 0.08}),
        ("How many patients were there?", {"methods": 0.2}),
        ("What is a dermal roller?", {}),
        ("", {}),
    ],
)
def test_a_question_prefers_the_sections_that_answer_its_kind(question: str, roles: dict[str, float]) -> None:
    """Where two kinds fit, each role keeps the larger of its two worths."""
    assert role_preferences(question) == roles


def test_case_makes_no_difference_to_what_a_question_is_after() -> None:
    assert role_preferences("SIDE EFFECTS?") == role_preferences("side effects?") != {}
    assert {intent.name for intent in INTENTS} == {"who should not", "harm", "aftercare", "does it work", "study"}


# ---------------------------------------------------------------------------------------------------- answerability


def test_signals_by_hand() -> None:
    """Rarities 1, 2 and 5 make 8: the first passage holds 1 + 2, one of the first three also 5, and 2 stands nowhere."""
    found = signals_of(
        floats(0.2, 0.9, 0.5),
        floats(0.4, 0.1),
        ["red", "skin", "keloid"],
        {"red": 1.0, "skin": 2.0, "keloid": 5.0},
        {"skin"},
        [{"red", "skin"}, {"keloid"}, set(), {"red"}],
        [True, False, False, True],
        TokenCoverage(floats(0.3, 0.8), floats(0.9, 0.5, 0.6), floats(0.9, 0.1, 0.5)),
    )
    assert found.coverage_first == pytest.approx(3 / 8) and found.coverage_three == pytest.approx(1.0)
    assert found.unknown == pytest.approx(2 / 8) and found.known_concepts == pytest.approx(0.5)
    assert (found.sentence_similarity, found.passage_similarity) == pytest.approx((0.9, 0.4))
    # Of fewer than six candidates the least similar one is the ordinary one.
    assert (found.sentence_margin, found.passage_margin) == pytest.approx((0.7, 0.3))
    assert (found.token_coverage, found.token_margin, found.expanded_margin) == pytest.approx((0.8, 0.5, 0.4))
    assert found.token_weakest == pytest.approx(0.1)


def test_a_fourth_passage_counts_for_no_coverage() -> None:
    found = signals_of(floats(), floats(), ["a"], {"a": 2.0}, set(), [set(), set(), set(), {"a"}], [], NO_TOKENS)
    assert (found.coverage_first, found.coverage_three) == (0.0, 0.0)


def test_the_ordinary_passages_are_those_from_the_sixth_to_the_twentieth() -> None:
    """1.0, four of 0.9, fifteen of 0.5, then 0.1 without end: the margin is 1 - 0.5, whatever comes after the twentieth."""
    values = floats(1.0, *[0.9] * 4, *[0.5] * 15, *[0.1] * 30)
    found = signals_of(values, values[::-1], [], {}, set(), [], [], NO_TOKENS)
    assert (found.sentence_margin, found.passage_margin) == pytest.approx((0.5, 0.5))
    few = signals_of(floats(1.0, 0.9, 0.8, 0.7, 0.6), floats(1.0, 0.9, 0.8, 0.7, 0.6, 0.5), [], {}, set(), [], [], NO_TOKENS)
    assert few.sentence_margin == pytest.approx(0.4), "of five the last"
    assert few.passage_margin == pytest.approx(0.5), "of six the sixth"


def test_nothing_found_and_nothing_asked_gives_signals_of_nothing() -> None:
    found = signals_of(floats(), floats(), [], {}, set(), [], [], NO_TOKENS)
    assert found == Signals(**{**dict.fromkeys(NAMES, 0.0), "known_concepts": 1.0})


def test_the_weakest_tokens_are_a_fifth_of_them_and_at_least_one() -> None:
    assert TokenCoverage(floats(), floats(), floats(0.8, 0.2, 0.6)).weakest() == pytest.approx(0.2)
    ten = floats(1, 1, 1, 1, 0.4, 1, 1, 0.2, 1, 1)
    assert TokenCoverage(floats(), floats(), ten).weakest() == pytest.approx(0.3)
    assert NO_TOKENS.weakest() == 0.0


def test_confidence_by_hand() -> None:
    """1 - 2 * 0.25 = 0.5 over a similarity of 0.25: 1 / (1 + e^-0.5)."""
    judge = Judge({"sentence_similarity": -2.0}, 1.0, 0.6, 0.3)
    nothing = Signals(**dict.fromkeys(NAMES, 0.0))
    assert judge.confidence(replace(nothing, sentence_similarity=0.25)) == pytest.approx(1 / (1 + math.exp(-0.5)))
    assert judge.confidence(nothing) == pytest.approx(1 / (1 + math.exp(-1)))


def test_confidence_stays_between_0_and_1_however_large_the_weights() -> None:
    """Beyond 30 it is cut: e^30 still is a number, e^1000 is none."""
    nothing = Signals(**dict.fromkeys(NAMES, 0.0))
    surest = Judge({}, 1e6, 0.6, 0.3).confidence(nothing)
    least = Judge({}, -1e6, 0.6, 0.3).confidence(nothing)
    assert surest == pytest.approx(1 / (1 + math.exp(-30)), abs=1e-15) and least == pytest.approx(
        1 / (1 + math.exp(30)), rel=1e-6, abs=0
    )


GOOD = {"weights": {"unknown": -2}, "intercept": 1, "answered_from": 0.6, "related_from": 0.3, "fitted": {}}


def test_a_stored_judge_is_read_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(GOOD), encoding="utf-8")
    assert load_judge(tmp_path / "a.json") == Judge({"unknown": -2.0}, 1.0, 0.6, 0.3)
    shipped = load_judge()
    assert shipped.weights.keys() <= set(NAMES) and 0 < shipped.related_from < shipped.answered_from < 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        "null",
        json.dumps({**GOOD, "weights": {"of nothing": 1}}),
        json.dumps({**GOOD, "weights": [1, 2]}),
        json.dumps({**GOOD, "intercept": "high"}),
        json.dumps({name: value for name, value in GOOD.items() if name != "related_from"}),
    ],
)
def test_a_damaged_judge_is_an_error_that_names_file_and_remedy(tmp_path: Path, content: str) -> None:
    (tmp_path / "judge.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"judge\.json is missing or damaged.*make calibrate"):
        load_judge(tmp_path / "judge.json")
    with pytest.raises(ModelError, match="missing"):
        load_judge(tmp_path / "none.json")
