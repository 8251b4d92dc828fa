"""Rankings put together: what is added up, how ties break, and what nothing gives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from litsearch.ranking.fusion import best_first, min_max, promote, reciprocal_rank_fusion

FINITE = arrays.arrays(np.float32, st.integers(0, 20), elements=st.floats(-1e6, 1e6, width=32))


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_agreement_beats_one_first_place() -> None:
    """Of a, b, c: b 1/62 + 1/61 = 0.0325; a 1/61 = 0.0164 and c 1/62 = 0.0161, each found by one alone."""
    fused = reciprocal_rank_fusion([floats(9, 8, 0), floats(0, 9, 8)], [1, 1], k=60)
    assert fused == pytest.approx([1 / 61, 1 / 62 + 1 / 61, 1 / 62], abs=1e-6)


def test_a_small_k_lets_a_first_place_outweigh_agreement() -> None:
    """k = 0: the first has 1, the second 1/2 + 1/4; with k = 60 the second has 1/62 + 1/64 against 1/61."""
    scores = [floats(9, 8, 0, 0, 0), floats(0, 2, 9, 8, 7)]
    assert reciprocal_rank_fusion(scores, [1, 1], k=0)[:2] == pytest.approx([1, 0.75])
    fused = reciprocal_rank_fusion(scores, [1, 1], k=60)
    assert fused[1] > fused[0]


def test_a_weight_scales_what_its_score_adds() -> None:
    assert reciprocal_rank_fusion([floats(1, 0), floats(0, 1)], [1, 0.25], k=1).tolist() == [0.5, 0.125]


def test_ties_rank_in_their_order_and_scores_that_are_all_alike_add_nothing() -> None:
    assert reciprocal_rank_fusion([floats(1, 1, 0)], [1], k=0).tolist() == [1, 0.5, 0]
    assert reciprocal_rank_fusion([floats(1, 1)], [1], k=0).tolist() == [0, 0]


def test_no_scores_and_no_candidates_give_nothing() -> None:
    assert len(reciprocal_rank_fusion([], [], k=60)) == 0
    assert len(reciprocal_rank_fusion([floats(), floats()], [1, 1], k=60)) == 0


def test_a_negative_k_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        reciprocal_rank_fusion([floats(1)], [1], k=-1)


@given(values=FINITE)
def test_one_score_keeps_its_order(values: np.ndarray) -> None:
    fused = reciprocal_rank_fusion([values], [1], k=60)
    assert best_first(fused).tolist() == best_first(values).tolist()


@given(
    scores=st.integers(1, 8).flatmap(
        lambda n: st.lists(arrays.arrays(np.float32, n, elements=st.integers(0, 5)), min_size=1, max_size=4)
    )
)
def test_the_order_of_the_scores_does_not_matter(scores: list[np.ndarray]) -> None:
    weights = [1.0] * len(scores)
    one, other = reciprocal_rank_fusion(scores, weights, k=60), reciprocal_rank_fusion(scores[::-1], weights, k=60)
    assert one == pytest.approx(other, abs=1e-6)


@given(values=FINITE)
def test_min_max_moves_values_to_0_to_1_and_keeps_their_order(values: np.ndarray) -> None:
    moved = min_max(values)
    assert moved.shape == values.shape and moved.dtype == np.float32
    if len(values):
        assert moved.min() >= 0 and moved.max() <= 1
        order = np.argsort(values, kind="stable")
        assert (np.diff(moved[order]) >= 0).all()


def test_values_that_are_all_alike_become_zeros() -> None:
    """Nothing tells them apart; 0/0 is no number."""
    assert min_max(np.array([3, 3, 3], dtype=np.float32)).tolist() == [0, 0, 0]
    assert min_max(np.array([7], dtype=np.float32)).tolist() == [0]


def test_min_max_by_hand() -> None:
    """(3 - 2) / (6 - 2) = 0.25; float32 also of what was not."""
    moved = min_max(np.array([2.0, 6.0, 3.0]))
    assert (moved.tolist(), moved.dtype) == ([0, 1, 0.25], np.float32)
    assert min_max(np.array([3.0, 3.0])).dtype == np.float32


def test_fused_relevance_is_float32_and_every_score_needs_its_weight() -> None:
    assert reciprocal_rank_fusion([np.array([1.0, 0.0])], [1], k=0).dtype == np.float32
    assert reciprocal_rank_fusion([], [], k=0).dtype == np.float32
    for weights in ([1], [1, 1, 1]):
        with pytest.raises(ValueError, match="zip"):
            reciprocal_rank_fusion([floats(1, 0), floats(0, 1)], weights, k=0)


def test_no_values_give_no_values() -> None:
    assert min_max(np.zeros(0, dtype=np.float32)).tolist() == []


@given(values=FINITE)
def test_best_first_goes_down_and_keeps_ties_in_their_order(values: np.ndarray) -> None:
    order = best_first(values)
    assert sorted(order.tolist()) == list(range(len(values)))
    for one, following in itertools.pairwise(order):
        assert values[one] > values[following] or (values[one] == values[following] and one < following)


def test_promotion_by_hand() -> None:
    """Positions 2 and 0 gain 1 and 0: 1 + 1 = 2 and 3 + 0 = 3, the lower is 2; the others, 5 and 4, go half below it: 1.5, 0.5."""
    relevance = np.array([3, 5, 1, 4], dtype=np.float32)
    promoted = promote(relevance, np.array([2, 0]), np.array([1, 0], dtype=np.float32))
    assert promoted.tolist() == [3, 1.5, 2, 0.5]
    assert relevance.tolist() == [3, 5, 1, 4]


@given(
    values=arrays.arrays(np.float32, st.integers(1, 12), elements=st.floats(-10, 10, width=16), unique=True), n=st.integers(0, 12)
)
def test_the_promoted_stand_before_the_others_and_these_keep_their_order(values: np.ndarray, n: int) -> None:
    order = best_first(values)
    first = order[:n]
    promoted = promote(values, first, np.zeros(len(first), dtype=np.float32))
    others = [position for position in order.tolist() if position not in first]
    assert not others or not len(first) or promoted[others].max() < promoted[first].min()
    assert [position for position in best_first(promoted).tolist() if position in others] == others


def test_promoting_none_or_all_changes_only_what_is_added() -> None:
    relevance = np.array([3, 1], dtype=np.float32)
    assert promote(relevance, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)).tolist() == [3, 1]
    assert promote(relevance, np.array([1, 0]), np.array([5, 0], dtype=np.float32)).tolist() == [3, 6]
