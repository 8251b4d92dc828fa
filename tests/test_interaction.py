"""Late interaction over stored token vectors, and what the judge of answerability takes from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from litsearch.engines.tokens import TokenVectors, pack
from litsearch.ranking.answerability import Signals, TokenCoverage, signals_of

Floats = NDArray[np.float32]


def unit(n: int, seed: int, dimensions: int = 16) -> Floats:
    rows = np.random.default_rng(seed).normal(size=(n, dimensions)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def passages() -> list[Floats]:
    return [unit(n, seed) for seed, n in enumerate((5, 0, 1, 12))]


@pytest.fixture
def tokens(passages: list[Floats], tmp_path: Path) -> TokenVectors:
    TokenVectors.write(tmp_path, [pack(vectors) for vectors in passages], 16)
    return TokenVectors.open(tmp_path)


def test_coverage_is_the_mean_of_the_nearest_cosines(passages: list[Floats], tokens: TokenVectors):
    questions = [unit(3, 10), unit(7, 11)]
    asked = np.array([3, 1, 0, 2])
    covered = tokens.interaction(questions, asked)
    assert covered.shape == (2, 4)
    for question, row in zip(questions, covered, strict=True):
        expected = [(question @ passages[p].T).max(axis=1).mean() if len(passages[p]) else 0.0 for p in asked]
        assert row == pytest.approx(expected, abs=0.01)


def test_questions_do_not_change_each_other(tokens: TokenVectors):
    one, other = unit(3, 10), unit(7, 11)
    together = tokens.interaction([one, other], np.arange(4))
    assert np.allclose(together[0], tokens.interaction([one], np.arange(4))[0], atol=1e-6)
    assert np.allclose(together[1], tokens.interaction([other], np.arange(4))[0], atol=1e-6)


@pytest.mark.parametrize("asked", [[], [1]], ids=["no passages", "a passage without tokens"])
def test_nothing_to_compare_is_covered_by_nothing(tokens: TokenVectors, asked: list[int]):
    assert not tokens.interaction([unit(3, 10)], np.array(asked, dtype=np.int64)).any()


def test_a_question_without_tokens_is_covered_by_nothing(tokens: TokenVectors):
    covered = tokens.interaction([unit(3, 10)[:0], unit(3, 10)], np.arange(4))
    assert not covered[0].any() and covered[1, 0] != 0


def coverage(*, question: list[float], first: list[float]) -> TokenCoverage:
    values = np.array(question, dtype=np.float32)
    return TokenCoverage(values, values / 2, np.array(first, dtype=np.float32))


def signals(tokens: TokenCoverage) -> Signals:
    similarity = np.array([0.5, 0.2], dtype=np.float32)
    return signals_of(similarity, similarity, ["laser"], {"laser": 1.0}, [], [["laser"]], [], tokens)


def test_the_margin_is_over_ordinary_passages():
    found = signals(coverage(question=[0.9, *[0.5] * 30], first=[1.0]))
    assert found.token_coverage == pytest.approx(0.9) and found.token_margin == pytest.approx(0.4)
    assert found.expanded_margin == pytest.approx(0.2)


def test_the_weakest_words_show_that_a_passage_leaves_something_out():
    whole = signals(coverage(question=[0.9], first=[0.9] * 10))
    partly = signals(coverage(question=[0.9], first=[0.1, *[0.9] * 9]))
    assert whole.token_weakest == pytest.approx(0.9) and partly.token_weakest == pytest.approx(0.5)
    assert replace(whole, token_weakest=partly.token_weakest) == partly


def test_a_question_that_leaves_no_tokens_has_signals():
    found = signals(coverage(question=[], first=[]))
    assert (found.token_coverage, found.token_margin, found.token_weakest) == (0.0, 0.0, 0.0)
