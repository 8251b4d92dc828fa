"""The door to a reranker: reads question and passage together and says whether the passage states the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from litsearch.cross_encoder import CrossEncoder, folder_of


class Reranker(Protocol):
    """What the search knows of a reranker."""

    name: str
    sha256: str

    def relevance(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """One logit a text, float32, shape (n,): above 0 it rather states the answer than not."""
        ...


class OnnxReranker:
    """A reranker exported by ``training.export``; safe to share between threads."""

    def __init__(self, folder: Path, *, n_threads: int) -> None:
        """Open a reranker.

        Raises:
            ModelError: when a file is missing, damaged, or no reranker.
        """
        self._model = CrossEncoder(folder, kind="reranker", n_threads=n_threads)
        self.name = self._model.name
        self.sha256 = self._model.sha256

    def relevance(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._model.logits(question, texts)[:, 0]


def open_reranker(setting: str, *, n_threads: int) -> Reranker | None:
    """The reranker that the setting names, else the shipped one if there is one; None for ``none`` or where none is shipped.

    Raises:
        ModelError: when the named one cannot be used.
    """
    folder = folder_of(setting, "reranker")
    return OnnxReranker(folder, n_threads=n_threads) if folder else None
