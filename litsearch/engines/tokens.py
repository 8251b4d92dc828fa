"""Token vectors of every passage in one memory-mapped file, for late interaction with a question's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class TokenVectors:
    """One vector a token and passage, eight bits an entry with a scale a token; a unit vector's entry errs by under 0.4 %."""

    def __init__(self, entries: NDArray[np.int8], scales: NDArray[np.float16], starts: NDArray[np.int64]) -> None:
        self._entries = entries
        self._scales = scales
        self._starts = starts

    @classmethod
    def build(cls, passages: Sequence[Floats], dimensions: int) -> TokenVectors:
        """From one array of unit vectors a passage, each of shape (n_tokens, dimensions)."""
        starts = np.zeros(len(passages) + 1, dtype=np.int64)
        np.cumsum([len(vectors) for vectors in passages], out=starts[1:])
        entries = np.zeros((int(starts[-1]), dimensions), dtype=np.int8)
        scales = np.zeros(int(starts[-1]), dtype=np.float16)
        for number, vectors in enumerate(passages):
            place = slice(starts[number], starts[number + 1])
            # The scale is rounded first, so that an entry is never off by the scale's own rounding as well.
            scales[place] = np.abs(vectors).max(axis=1, initial=1e-6) / 127
            entries[place] = np.clip(np.rint(vectors / scales[place].astype(np.float32)[:, None]), -127, 127)
        return cls(entries, scales, starts)

    def save(self, folder: Path) -> None:
        """Write the three arrays below ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in (("entries", self._entries), ("scales", self._scales), ("starts", self._starts)):
            np.save(folder / f"{name}.npy", array, allow_pickle=False)

    @classmethod
    def open(cls, folder: Path) -> TokenVectors:
        """Open what ``save`` wrote; the vectors stay on the disk until they are asked for."""
        entries, scales, starts = (
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ("entries", "scales", "starts")
        )
        return cls(entries, scales, np.asarray(starts))

    def of(self, passage: int) -> Floats:
        """The token vectors of one passage, shape (n_tokens, dimensions)."""
        place = slice(self._starts[passage], self._starts[passage + 1])
        return self._entries[place].astype(np.float32) * self._scales[place].astype(np.float32)[:, None]

    def interaction(self, questions: Sequence[Floats], passages: NDArray[np.int64]) -> Floats:
        """How well each passage covers the tokens of each question, shape (n_questions, n_passages): the mean over them of the
        nearest token's cosine.

        A question has shape (n_question_tokens, dimensions), rows of length 1; one without tokens is covered by 0.
        Source: Khattab & Zaharia, ColBERT, SIGIR 2020, with the mean in place of the sum.
        """
        covered = np.zeros((len(questions), len(passages)), dtype=np.float32)
        counts = self._starts[passages + 1] - self._starts[passages]
        filled = np.flatnonzero(counts)
        if not any(map(len, questions)) or len(filled) == 0:
            return covered
        # One product for all: a hundred small ones cost more in calls than in arithmetic.
        rows = np.concatenate([np.arange(self._starts[p], self._starts[p + 1]) for p in passages[filled]])
        tokens = self._entries[rows].astype(np.float32) * self._scales[rows].astype(np.float32)[:, None]
        firsts = np.concatenate([[0], np.cumsum(counts[filled])[:-1]])
        nearest = np.maximum.reduceat(np.concatenate(questions) @ tokens.T, firsts, axis=1)
        start = 0
        for number, question in enumerate(questions):
            if len(question):
                covered[number, filled] = nearest[start : start + len(question)].mean(axis=0)
            start += len(question)
        return covered
