"""The embedded engine's vectors: exact search over unit vectors in a FAISS file on the local disk."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from litsearch.errors import IndexDamaged


class FaissVectors:
    """Unit vectors by position; the inner product of two is their cosine similarity."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> FaissVectors:
        """A flat index over vectors of shape (n, dim), rows of length 1, in their order."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    def save(self, path: Path) -> None:
        """Write the index to a file.

        Raises:
            OSError: when the disk refuses (FAISS's own writer can lose the last block of a full disk in silence).
        """
        path.write_bytes(faiss.serialize_index(self._index).data)

    @classmethod
    def open(cls, path: Path) -> FaissVectors:
        """Open a saved index; its checksum is the caller's to check, because FAISS loads flipped bytes in silence.

        Raises:
            IndexDamaged: when FAISS cannot read the file.
        """
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            raise IndexDamaged(f"{path} cannot be read by FAISS. Run: python ingest.py --rebuild") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimensions(self) -> int:
        return int(self._index.d)

    def search(self, queries: NDArray[np.float32], n: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The ``n`` most similar vectors to each query of shape (q, dim): similarities and positions, both (q, n'), best first.

        ``n'`` is ``n`` or the number of vectors, whichever is smaller.
        """
        n = min(n, len(self))
        if n == 0 or len(queries) == 0:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        similarities, positions = self._index.search(np.ascontiguousarray(queries, dtype=np.float32), n)
        return similarities, positions

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors at these positions, shape (n, dim)."""
        if not len(positions):
            return np.zeros((0, self.dimensions), np.float32)
        return np.asarray(self._index.reconstruct_batch(positions.astype(np.int64)), dtype=np.float32)
