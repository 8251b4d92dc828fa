"""Figures over questions, with the interval that another draw of as many questions would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

N_RESAMPLES = 1_000
_SEED = 20_240_501
_BOUNDS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and the bounds between which 95 % of bootstrap resamples give it; all nan when nothing was measured."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "-"
        return f"{self.value:.3f} ({self.low:.2f}-{self.high:.2f})"


NONE = Figure(float("nan"), float("nan"), float("nan"))


def mean(values: Floats) -> Figure:
    """The mean of values of shape (n,), one a question.

    >>> mean(np.array([1.0, 1.0, 1.0]))
    Figure(value=1.0, low=1.0, high=1.0)
    """
    if not len(values):
        return NONE
    resampled = _counts(len(values)) @ values / len(values)
    return Figure(float(values.mean()), *_bounds(resampled))


def hit(ranks: NDArray[np.int64], at: int) -> Floats:
    """1 for each question whose first right passage has a rank of at most ``at``, else 0; rank 0 is none.

    >>> hit(np.array([1, 3, 4, 0]), 3).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    return ((ranks > 0) & (ranks <= at)).astype(np.float64)


def reciprocal(ranks: NDArray[np.int64]) -> Floats:
    """1 / rank of the first right passage, 0 where there is none.

    >>> reciprocal(np.array([1, 4, 0])).tolist()
    [1.0, 0.25, 0.0]
    """
    return np.where(ranks > 0, 1 / np.maximum(ranks, 1), 0.0)


def paired_p(first: Floats, second: Floats) -> float:
    """How often chance alone would part two rows of figures on the same questions at least as far (two-sided).

    Paired bootstrap of the differences, moved to mean 0. Source: Efron & Tibshirani 1993, chapter 16.

    >>> paired_p(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    1.0
    """
    differences = second - first
    observed = abs(float(differences.mean())) if len(differences) else 0.0
    if observed == 0:
        return 1.0
    resampled = np.abs(_counts(len(differences)) @ (differences - differences.mean()) / len(differences))
    return float((1 + (resampled >= observed - 1e-12).sum()) / (1 + N_RESAMPLES))


def auroc(covered: Floats, uncovered: Floats) -> Figure:
    """The chance that a covered question has a higher confidence than an uncovered one; ties count half.

    >>> auroc(np.array([0.9, 0.4]), np.array([0.4, 0.1])).value
    0.875
    """
    if not len(covered) or not len(uncovered):
        return NONE
    wins = (covered[:, None] > uncovered[None]) + 0.5 * (covered[:, None] == uncovered[None])
    left, right = _counts(len(covered)), _counts(len(uncovered), stream=1)
    resampled = ((left @ wins) * right).sum(axis=1) / (len(covered) * len(uncovered))
    return Figure(float(wins.mean()), *_bounds(resampled))


def risks(confidence: Floats, wrong: Floats) -> Floats:
    """The share of wrong ones among the k most confident, for k = 1 to n; questions of one confidence count alike.

    Source: El-Yaniv & Wiener, JMLR 2010.

    >>> risks(np.array([0.9, 0.2, 0.5]), np.array([0.0, 1.0, 0.0])).round(3).tolist()
    [0.0, 0.0, 0.333]
    """
    if not len(confidence):
        return np.zeros(0)
    _, group = np.unique(-confidence, return_inverse=True)
    fair = np.bincount(group, weights=wrong) / np.bincount(group)
    ordered = fair[np.sort(group)]
    return np.asarray(np.cumsum(ordered) / np.arange(1, len(ordered) + 1))


def risk_at(risks_: Floats, coverage: float) -> float:
    """The risk when this share of questions is answered, rounded up to whole questions."""
    return float(risks_[max(int(np.ceil(coverage * len(risks_) - 1e-9)), 1) - 1]) if len(risks_) else float("nan")


def _counts(n: int, stream: int = 0) -> Floats:
    """How often each of n questions is drawn in each resample, shape (N_RESAMPLES, n); the same for the same n."""
    generator = np.random.default_rng([_SEED, stream])
    return generator.multinomial(n, np.full(n, 1 / n), size=N_RESAMPLES).astype(np.float64)


def _bounds(resampled: Floats) -> tuple[float, float]:
    low, high = np.percentile(resampled, _BOUNDS)
    return float(low), float(high)
