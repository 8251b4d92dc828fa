"""Token vectors of every passage in one memory-mapped file, for late interaction with a question's tokens."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_COPIED_AT_ONCE = 4 << 20


@dataclass(frozen=True, slots=True)
class Packed:
    """The token vectors of one passage as they are kept: ``entries`` int8, shape (n_tokens, d), and ``scales`` float16, (n_tokens,)."""

    entries: NDArray[np.int8]
    scales: NDArray[np.float16]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of its tokens, as ``Kept`` has them."""
        return np.array([len(self.scales)], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Kept:
    """The token vectors of passages that follow each other below another ``folder``, from token ``first`` on; ``lengths`` are their
    numbers of tokens, int64, shape (n_passages,)."""

    folder: Path
    first: int
    lengths: NDArray[np.int64]


def pack(vectors: Floats) -> Packed:
    """The unit vectors of one passage, shape (n_tokens, d), in a quarter of the room; an entry errs by under 0.4 %.

    >>> packed = pack(np.array([[0.6, -0.8]], dtype=np.float32))
    >>> packed.entries.tolist()
    [[95, -127]]
    """
    # The scale is rounded first, so that an entry is never off by the scale's own rounding as well.
    scales = (np.abs(vectors).max(axis=1, initial=1e-6) / 127).astype(np.float16)
    entries = np.clip(np.rint(vectors / scales.astype(np.float32)[:, None]), -127, 127).astype(np.int8)
    return Packed(entries, scales)


def _copy(array: Path, first: int, n: int, target: BinaryIO) -> None:
    """Copy ``n`` bytes of an array's file, from byte ``first`` of its content on.

    Read, not mapped: page by page a mapped file takes twice as long.
    """
    with array.open("rb", buffering=0) as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        file.seek(first, os.SEEK_CUR)
        room = memoryview(bytearray(min(n, _COPIED_AT_ONCE)))
        while n and (read := file.readinto(room[:n])):
            target.write(room[:read])
            n -= read


class TokenVectors:
    """One vector a token and passage, eight bits an entry with a scale a token, memory-mapped."""

    def __init__(self, folder: Path, entries: NDArray[np.int8], scales: NDArray[np.float16], starts: NDArray[np.int64]) -> None:
        self._folder = folder
        self._entries = entries
        self._scales = scales
        self._starts = starts

    @classmethod
    def write(cls, folder: Path, parts: Sequence[Packed | Kept], dimensions: int) -> None:
        """Write the vectors of all passages below ``folder``, one part at a time."""
        folder.mkdir(parents=True, exist_ok=True)
        starts = np.concatenate([np.zeros(1, np.int64), *(part.lengths for part in parts)]).cumsum()
        np.save(folder / "starts.npy", starts, allow_pickle=False)
        n_tokens = int(starts[-1])
        for name, kind, shape in (("entries", np.int8, (n_tokens, dimensions)), ("scales", np.float16, (n_tokens,))):
            with (folder / f"{name}.npy").open("wb") as file:
                header = {"descr": np.lib.format.dtype_to_descr(np.dtype(kind)), "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                row = np.dtype(kind).itemsize * math.prod(shape[1:])
                for part in parts:
                    if isinstance(part, Packed):
                        file.write(getattr(part, name).tobytes())
                    else:
                        _copy(part.folder / f"{name}.npy", part.first * row, int(part.lengths.sum()) * row, file)

    @classmethod
    def open(cls, folder: Path) -> TokenVectors:
        """Open what ``write`` wrote; the vectors stay on the disk until they are asked for."""
        entries, scales, starts = (
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ("entries", "scales", "starts")
        )
        return cls(folder, entries, scales, np.asarray(starts))

    def of(self, passage: int) -> Floats:
        """The token vectors of one passage, shape (n_tokens, dimensions)."""
        place = slice(self._starts[passage], self._starts[passage + 1])
        return self._entries[place].astype(np.float32) * self._scales[place].astype(np.float32)[:, None]

    def kept(self, passages: range) -> Kept:
        """Those of passages that follow each other, left on the disk, to be written again without loss."""
        starts = self._starts[passages.start : passages.stop + 1]
        return Kept(self._folder, int(starts[0]), np.diff(starts))

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
