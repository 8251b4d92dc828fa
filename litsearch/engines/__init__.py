"""Where the vectors and postings of every generation live: one Protocol, two engines."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from litsearch.lexical import PassageTerms

Floats = NDArray[np.float32]
Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Searchable:
    """What an engine keeps of one generation.

    ``vectors`` are those of all units, float32, shape (n_units, dim), rows of length 1; ``whole`` says which unit is the whole
    of each passage, int64, shape (n_passages,), ascending; ``terms`` are those of each passage, each term of the vocabulary in one of them.
    """

    vectors: Floats
    whole: Positions
    terms: PassageTerms

    def __post_init__(self) -> None:
        if len(self.whole) != len(self.terms):
            raise ValueError(f"{len(self.whole)} passages have vectors, {len(self.terms)} have terms")


class Vectors(Protocol):
    """The unit vectors of one generation by position, open for searching. Safe to share between threads."""

    def __len__(self) -> int: ...

    def search(self, queries: Floats, n: int) -> tuple[Floats, Positions]:
        """The ``n`` most similar vectors to each query of shape (q, dim): similarities and positions, both (q, n'), best first.

        ``n'`` is ``n`` or the number of vectors, whichever is smaller; an engine that looks through a part of them may find fewer.
        Which of equal vectors comes first is the engine's choice.
        """

    def at(self, positions: Positions) -> Floats:
        """The vectors at these positions, shape (n, dim), bit for bit as they were written."""


class Postings(Protocol):
    """BM25 over the passages of one generation, open for searching. Safe to share between threads."""

    def candidates(self, weighted_terms: Mapping[str, float], n: int, beside: Positions) -> tuple[Positions, Floats]:
        """The ``n`` passages of the highest BM25 for weighted terms together with those ``beside``: their positions, ascending,
        and the BM25 of each, both of shape (n',). Passages that hold no term are no candidates of their own.
        """

    def n_holding(self, term: str) -> int:
        """In how many passages the term stands."""

    def rarity(self, term: str) -> float:
        """How much a term tells: BM25's inverse document frequency, highest for a term that no passage holds."""


class Engine(Protocol):
    """Keeps generations. A generation that was written never changes, so a reader that opened one reads on while others come."""

    # As a generation's inputs name the engine that keeps it; empty is the embedded one.
    name: str

    def write(self, generation_id: str, folder: Path, searchable: Searchable) -> None:
        """Keep a generation; what belongs on the local disk goes into its ``folder``."""

    def open(self, generation_id: str, folder: Path) -> tuple[Vectors, Postings]:
        """Open a generation that was written.

        Raises:
            IndexDamaged: when the engine has no such generation, or only a part of it.
        """

    def switch(self, generation_id: str) -> None:
        """Note which generation is served, at once."""

    def sweep(self, kept: Collection[str]) -> None:
        """Remove what the engine holds of generations that are not ``kept``: replaced ones, and what a crash left behind."""


def open_engine(address: str, index: Path) -> Engine:
    """The engine that the settings name for the index in this folder; nothing of another one is imported.

    Raises:
        EngineError: when what the engine needs is not installed.
    """
    if not address:
        from litsearch.engines.embedded import Embedded

        return Embedded()
    from litsearch.engines.milvus import Milvus

    return Milvus(address, index)
