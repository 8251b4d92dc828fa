"""Numbers as values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.claims.values import relate, values_of


def values(text: str) -> list[tuple[str, float, float]]:
    return [(v.kind, round(v.low, 2), v.high if math.isinf(v.high) else round(v.high, 2)) for v in values_of(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("needles of 1.5 mm", [("length", 1.5, 1.5)]),
        ("0.06 inches", [("length", 1.52, 1.52)]),
        ("300 µm below", [("length", 0.3, 0.3)]),
        ("for a day or two", [("duration", 1, 2)]),
        ("within a few days", [("duration", 0, 6)]),
        ("no more than 7 days", [("duration", 0, 7)]),
        ("longer than an hour", [("duration", 0.04, math.inf)]),
        ("do not use it for longer than 7 days", [("duration", 0, 7)]),
        ("an hour and a half", [("duration", 0.06, 0.06)]),
        ("three in every hundred treatments", [("percentage", 3, 3)]),
        ("a third of all treatments", [("percentage", 33.3, 33.4)]),
        ("between 3 and 5 years", [("duration", 1095.75, 1826.25)]),
        ("at least 6 weeks apart", [("interval", 42, math.inf)]),
        ("every two weeks", [("interval", 14, 14)]),
        ("three monthly sessions", [("count", 3, 3), ("interval", 30.44, 30.44)]),
        ("4 to 6 sessions", [("count", 4, 6)]),
        ("after a single treatment", [("count", 1, 1)]),
        ("several sessions", [("count", 2, math.inf)]),
        ("2,805 patients", [("count", 2805, 2805)]),
        ("9 out of 10 patients", [("percentage", 90, 90)]),
        ("improved by 41%", [("percentage", 41, 41)]),
        ("nearly half of the patients", [("percentage", 42, 50)]),
        ("aged 22 or over", [("age", 22, math.inf)]),
        ("teenagers", [("age", 13, 19)]),
        ("twice daily", [("frequency", 2, 2)]),
        ("three times as likely", [("amount", 3, 3)]),
        ("instantly", [("duration", 0, 0.05)]),
        ("10 years younger", []),
        ("95% CI 0.2 to 6.5", []),
        ("Everyone was pleased", []),
        ("", []),
    ],
)
def test_values_in_one_unit_a_kind(text: str, expected: list[tuple[str, float, float]]):
    assert values(text) == expected


@pytest.mark.parametrize(
    ("claim", "source", "relation"),
    [
        ("1 mm needles", "needles 1000 µm long", "same"),
        ("4 weeks apart", "a month apart", "same"),
        ("every 28 days", "monthly", "same"),
        ("one session", "multiple sessions", "differs"),
        ("four sessions", "several sessions", "vaguer"),
        ("five sessions", "4 to 6 sessions", "same"),
        ("3 to 5 sessions", "4 to 6 sessions", "overlaps"),
        ("lasts several weeks", "lasts a day or two", "differs"),
        ("longer than an hour", "75 minutes", "same"),
        ("within two weeks", "three days", "same"),
        ("nearly half of the patients", "45.9%", "same"),
        ("two sessions", "two patients", "incomparable"),
        ("2 mm", "2 days", "incomparable"),
    ],
)
def test_a_claim_and_a_source_are_compared_as_values(claim: str, source: str, relation: str):
    assert relate(values_of(claim)[0], values_of(source)[0]) == relation


@given(st.text(alphabet="0123456789 .,%-–toandmweeksdaysessionhalf", max_size=80))
def test_any_text_gives_ordered_values_that_stand_in_it(text: str):
    found = values_of(text)
    assert all(text[v.start : v.end] == v.text and v.low <= v.high for v in found)
    assert [v.start for v in found] == sorted(v.start for v in found)
