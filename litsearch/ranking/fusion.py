"""Puts several rankings of the same candidates together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def weighted_sum(signals: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """The sum of each signal, moved to 0..1, times its weight; all of shape (n,).

    Raises:
        KeyError: for a signal without a weight.
    """
    total: Floats | None = None
    for name in sorted(signals):
        part = np.float32(weights[name]) * min_max(signals[name])
        total = part if total is None else total + part
    if total is None:
        raise ValueError("no signal to add up")
    return total.astype(np.float32)


def reciprocal_rank_fusion(rankings: Sequence[Sequence[str]], *, k: int = 60) -> list[str]:
    """Merge rankings of passage ids into one, best first.

    Each ranking adds ``1 / (k + rank)``, ranks from 1; ties break by id.
    Source: Cormack, Clarke & Buettcher, SIGIR 2009.

    Raises:
        ValueError: if ``k`` is negative.

    >>> reciprocal_rank_fusion([["a", "b"], ["b", "c"]])
    ['b', 'a', 'c']
    """
    if k < 0:
        raise ValueError(f"k must not be negative, not {k}")
    totals: dict[str, float] = {}
    for ranking in rankings:
        for rank, passage_id in enumerate(ranking, start=1):
            totals[passage_id] = totals.get(passage_id, 0.0) + 1 / (k + rank)
    return sorted(totals, key=lambda passage_id: (-totals[passage_id], passage_id))
