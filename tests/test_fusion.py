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
RANKINGS = st.lists(st.lists(st.sampled_from("abcdef"), unique=True), max_size=4)


def test_agreement_beats_one_first_place() -> None:
    """b: 1/62 + 1/61 = 0.0325; a: 1/61 = 0.0164; c: 1/62 = 0.0161."""
    assert reciprocal_rank_fusion([["a", "b"], ["b", "c"]]) == ["b", "a", "c"]


def test_a_small_k_lets_a_first_place_outweigh_agreement() -> None:
    """k = 0. a: 1 + 0; b: 1/2 + 1/4 = 0.75; with k = 60 b has 1/62 + 1/64 = 0.0318 against 1/61 = 0.0164."""
    rankings = [["a", "b"], ["c", "d", "e", "b"]]
    assert reciprocal_rank_fusion(rankings, k=0)[0] == "a"
    assert reciprocal_rank_fusion(rankings)[0] == "b"


def test_ties_break_by_id() -> None:
    assert reciprocal_rank_fusion([["z", "a"], ["a", "z"]]) == ["a", "z"]
    assert reciprocal_rank_fusion([["z"], ["a"], ["m"]]) == ["a", "m", "z"]


def test_no_rankings_give_no_ranking() -> None:
    assert reciprocal_rank_fusion([]) == reciprocal_rank_fusion([[], []]) == []


def test_a_negative_k_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        reciprocal_rank_fusion([["a"]], k=-1)


@given(rankings=RANKINGS)
def test_the_merged_ranking_holds_every_id_once(rankings: list[list[str]]) -> None:
    merged = reciprocal_rank_fusion(rankings)
    assert sorted(merged) == sorted({name for ranking in rankings for name in ranking})


@given(rankings=RANKINGS)
def test_the_order_of_the_rankings_does_not_matter(rankings: list[list[str]]) -> None:
    assert reciprocal_rank_fusion(rankings) == reciprocal_rank_fusion(rankings[::-1])


@given(ranking=st.lists(st.sampled_from("abcdef"), unique=True), n=st.integers(1, 3))
def test_one_ranking_repeated_is_itself(ranking: list[str], n: int) -> None:
    assert reciprocal_rank_fusion([ranking] * n) == ranking


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
