"""Figures agree with arithmetic done by hand, and their intervals with what chance allows."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.evaluation import metrics

RANKS = np.array([1, 2, 3, 4, 31, 0])


def test_hits_and_reciprocal_ranks_by_hand() -> None:
    """1, 1/2, 1/3, 1/4, 1/31 and nothing: together 2.1156, by six 0.3526."""
    assert metrics.mean(metrics.hit(RANKS, 1)).value == pytest.approx(1 / 6)
    assert metrics.mean(metrics.hit(RANKS, 3)).value == pytest.approx(3 / 6)
    assert metrics.mean(metrics.hit(RANKS, 30)).value == pytest.approx(4 / 6)
    assert metrics.mean(metrics.reciprocal(RANKS)).value == pytest.approx(0.3526, abs=1e-4)


def test_hits_and_reciprocal_ranks_agree_with_ir_measures() -> None:
    qrels = [ir_measures.Qrel(f"q{n}", "right", 1) for n in range(len(RANKS))]
    run = [
        ir_measures.ScoredDoc(f"q{n}", "right" if place == rank else f"wrong{place}", -float(place))
        for n, rank in enumerate(RANKS)
        for place in range(1, 41)
    ]
    expected = ir_measures.calc_aggregate([ir_measures.Success @ 3, ir_measures.RR], qrels, run)
    assert metrics.mean(metrics.hit(RANKS, 3)).value == pytest.approx(expected[ir_measures.Success @ 3])
    assert metrics.mean(metrics.reciprocal(RANKS)).value == pytest.approx(expected[ir_measures.RR])


def test_auroc_by_hand() -> None:
    """Of the six pairs the covered one wins in four and ties in one: 4.5 / 6."""
    figure = metrics.auroc(np.array([0.9, 0.6, 0.3]), np.array([0.3, 0.5]))
    assert figure.value == pytest.approx(4.5 / 6)
    assert figure.low < figure.value < figure.high


def test_auroc_needs_both_sides() -> None:
    assert np.isnan(metrics.auroc(np.array([0.9]), np.array([])).value)
    assert str(metrics.NONE) == "-"


def test_interval_of_a_coin_is_the_binomial_one() -> None:
    """100 questions, half right: the standard error is 0.05, so 95 % of resamples lie within about 0.40 and 0.60."""
    figure = metrics.mean(np.array([0.0, 1.0] * 50))
    assert figure.low == pytest.approx(0.40, abs=0.015)
    assert figure.high == pytest.approx(0.60, abs=0.015)


def test_the_same_questions_have_the_same_interval() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.5])
    assert metrics.mean(values) == metrics.mean(values.copy())


def test_paired_p_tells_a_steady_gain_from_noise() -> None:
    """40 of 100 questions gained and none lost is no chance; 20 gained and 20 lost is."""
    before = np.zeros(100)
    gain = np.array([1.0] * 40 + [0.0] * 60)
    noise = np.array([1.0] * 21 + [-1.0] * 20 + [0.0] * 59)
    assert metrics.paired_p(before, before + gain) < 0.01
    assert metrics.paired_p(before, before + noise) > 0.5


def test_risks_by_hand() -> None:
    """By confidence: right, wrong, right, wrong: 0/1, 1/2, 1/3, 2/4."""
    risks = metrics.risks(np.array([0.4, 0.9, 0.1, 0.6]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert risks.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4])
    assert metrics.risk_at(risks, 0.5) == pytest.approx(1 / 2)
    assert metrics.risk_at(risks, 0.51) == pytest.approx(1 / 3)
    assert metrics.risk_at(risks, 1.0) == pytest.approx(2 / 4)


def test_risks_of_equal_confidence_are_the_mean_whatever_the_order() -> None:
    assert metrics.risks(np.full(4, 0.5), np.array([1.0, 0, 0, 1])).tolist() == [0.5] * 4


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_the_last_risk_is_the_share_of_wrong_ones(rows: list[tuple[float, bool]]) -> None:
    confidence, wrong = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assert metrics.risks(confidence, wrong)[-1] == pytest.approx(wrong.mean())


def test_nothing_measured_gives_no_figure() -> None:
    assert np.isnan(metrics.mean(np.array([])).value)
    assert len(metrics.risks(np.array([]), np.array([]))) == 0
    assert np.isnan(metrics.risk_at(np.array([]), 0.5))
