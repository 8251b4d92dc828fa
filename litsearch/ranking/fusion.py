"""Puts several rankings of the same candidates together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def min_max(values: Floats) -> Floats:
    """Values of shape (n,) moved to 0..1, smallest to largest; all zeros where they are all alike.

    >>> min_max(np.array([2.0, 4.0, 3.0], dtype=np.float32)).tolist()
    [0.0, 1.0, 0.5]
    """
    if len(values) == 0:
        return values.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    return ((values - low) / (high - low)).astype(np.float32) if high > low else np.zeros_like(values, dtype=np.float32)


def best_first(relevance: Floats) -> NDArray[np.int64]:
    """Positions by relevance of shape (n,), best first; ties in the given order.

    >>> best_first(np.array([0.1, 0.7, 0.7], dtype=np.float32)).tolist()
    [1, 2, 0]
    """
    return np.argsort(-relevance, kind="stable").astype(np.int64)


def promote(relevance: Floats, first: NDArray[np.int64], more: Floats) -> Floats:
    """Relevance of shape (n,) with ``more`` added at the positions ``first``, all of which then stand before the others.

    >>> promote(np.array([3, 2, 1], dtype=np.float32), np.array([0, 1]), np.array([0, 2], dtype=np.float32)).tolist()
    [3.0, 4.0, 2.5]
    """
    promoted = relevance.copy()
    promoted[first] = relevance[first] + more
    others = np.ones(len(relevance), dtype=bool)
    others[first] = False
    if others.any() and len(first):
        # Below the last promoted one by a constant, so that the others keep their order and their distances.
        promoted[others] += promoted[first].min() - relevance[others].max() - np.float32(0.5)
    return promoted


def reciprocal_rank_fusion(scores: Sequence[Floats], weights: Sequence[float], *, k: int) -> Floats:
    """Fuse several scores of the same candidates, each of shape (n,), by their ranks alone; returns shape (n,).

    Each score adds ``weight / (k + rank)``, ranks from 1, ties in the given order; candidates at its lowest value it has not
    found, and adds nothing to them. Source: Cormack, Clarke & Buettcher, SIGIR 2009.

    Raises:
        ValueError: if ``k`` is negative.

    >>> reciprocal_rank_fusion([np.array([3.0, 2.0, 0.0]), np.array([0.0, 9.0, 4.0])], [1.0, 1.0], k=0).tolist()
    [1.0, 1.5, 0.5]
    """
    if k < 0:
        raise ValueError(f"k must not be negative, not {k}")
    fused = np.zeros(len(scores[0]) if scores else 0, dtype=np.float32)
    for values, weight in zip(scores, weights, strict=True):
        found = values > values.min(initial=np.inf)
        rank = np.empty(len(values), dtype=np.float32)
        rank[best_first(values)] = np.arange(1, len(values) + 1)
        fused += np.where(found, np.float32(weight) / (k + rank), np.float32(0.0))
    return fused
