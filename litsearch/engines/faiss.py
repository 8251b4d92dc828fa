"""The embedded engine's vectors: unit vectors in FAISS files on the local disk, searched exactly or, past a size, by cells."""

from __future__ import annotations

import math
from pathlib import Path

import faiss
import numpy as np

from litsearch.engines import Floats, Positions, Vectors
from litsearch.errors import IndexDamaged
from litsearch.files import writing

# Up to here a question is compared with every vector (docs/PERFORMANCE.md, "Vectors by size").
EXACT_UP_TO = 150_000
# Of the cells, this many of the nearest to a question are searched, and so many of the first found compared again in full.
N_PROBED = 96
N_COMPARED = 64
_WRITTEN_AT_ONCE = 1 << 20
# A cell's centre is placed by at most this many vectors.
_PER_CELL = 64

_EXACT, _WHOLE, _CELLS = "vectors.faiss", "vectors.npy", "cells.faiss"


def write_vectors(folder: Path, vectors: Floats, *, exact_up_to: int = EXACT_UP_TO) -> None:
    """Write unit vectors of shape (n, dim) below ``folder``, in the structure that fits their number.

    Raises:
        OSError: when the disk refuses.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if len(vectors) <= exact_up_to:
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        _save(index, folder / _EXACT)
        return
    with writing(folder / _WHOLE):
        np.save(folder / _WHOLE, vectors, allow_pickle=False)
    _save(_cells_of(vectors), folder / _CELLS)


def open_vectors(folder: Path) -> Vectors:
    """Open what ``write_vectors`` wrote; checksums are the caller's to check, because FAISS loads flipped bytes in silence.

    Raises:
        IndexDamaged: when FAISS cannot read a file.
    """
    return CellVectors.open(folder) if (folder / _CELLS).exists() else ExactVectors.open(folder)


def n_cells_for(n_vectors: int) -> int:
    """How many cells so many vectors are divided into: four times their root, which is usual, as a power of two."""
    return 1 << round(math.log2(4 * math.sqrt(n_vectors)))


def _cells_of(vectors: Floats) -> faiss.Index:
    """Vectors in 8 bits an entry, in cells; the same vectors give the same cells."""
    n, dimensions = vectors.shape
    n_cells = n_cells_for(n)
    centres = faiss.IndexFlatIP(dimensions)
    index = faiss.IndexIVFScalarQuantizer(centres, dimensions, n_cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, _PER_CELL
    index.train(vectors[:: max(1, n // (n_cells * _PER_CELL))])
    index.add(vectors)
    return index


def _save(index: faiss.Index, path: Path) -> None:
    # FAISS's own writer can lose the last block of a full disk in silence, and tells an error of ours without its kind.
    failures: list[OSError] = []
    with writing(path), path.open("wb") as file:

        def write(part: bytes) -> None:
            try:
                file.write(part)
            except OSError as error:
                failures.append(error)
                raise

        try:
            faiss.write_index(index, faiss.PyCallbackIOWriter(write, _WRITTEN_AT_ONCE))  # type: ignore[attr-defined]
        except RuntimeError as error:
            raise failures[0] if failures else OSError(str(error)) from error


def _read(path: Path, flags: int = 0) -> faiss.Index:
    try:
        return faiss.read_index(str(path), flags)
    except RuntimeError as error:
        raise IndexDamaged(f"{path} cannot be read by FAISS. Run: python ingest.py --rebuild") from error


class ExactVectors:
    """Unit vectors by position, all of them in memory; the inner product of two is their cosine similarity."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def open(cls, folder: Path) -> ExactVectors:
        return cls(_read(folder / _EXACT))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, queries: Floats, n: int) -> tuple[Floats, Positions]:
        n = min(n, len(self))
        if n == 0 or len(queries) == 0:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        similarities, positions = self._index.search(np.ascontiguousarray(queries, dtype=np.float32), n)
        return similarities, positions

    def at(self, positions: Positions) -> Floats:
        if not len(positions):
            return np.zeros((0, int(self._index.d)), np.float32)
        return np.asarray(self._index.reconstruct_batch(positions.astype(np.int64)), dtype=np.float32)


class CellVectors:
    """Unit vectors by position in cells of like ones: a question is compared with those of the nearest cells, in 8 bits an entry,
    and with the first found in full. Both files are memory-mapped, so that they may be larger than the memory.

    FAISS's own ids are the positions; nothing is ever removed from a generation.
    """

    def __init__(self, cells: faiss.Index, whole: Floats, *, n_probed: int) -> None:
        self._cells = cells
        self._whole = whole
        self._parameters = faiss.SearchParametersIVF()
        self._parameters.nprobe = n_probed

    @classmethod
    def open(cls, folder: Path, *, n_probed: int = N_PROBED) -> CellVectors:
        try:
            whole = np.load(folder / _WHOLE, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise IndexDamaged(f"{folder / _WHOLE} cannot be read. Run: python ingest.py --rebuild") from error
        return cls(_read(folder / _CELLS, faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY), whole, n_probed=n_probed)

    def __len__(self) -> int:
        return len(self._whole)

    def search(self, queries: Floats, n: int) -> tuple[Floats, Positions]:
        """The ``n`` most similar vectors of the cells searched, those of the first ``N_COMPARED`` by their exact similarity; fewer
        where the cells hold fewer."""
        n = min(n, len(self))
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if n == 0 or len(queries) == 0:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        similarities, positions = self._cells.search(queries, max(n, min(N_COMPARED, len(self))), params=self._parameters)
        # FAISS fills up with -1 where the cells searched hold too few; every question loses as many places.
        n_found = int((positions >= 0).sum(axis=1).min())
        similarities, positions = similarities[:, :n_found], positions[:, :n_found]
        for query, near, at in zip(queries, similarities, positions, strict=True):
            first = at[:N_COMPARED]
            near[: len(first)] = self._whole[first] @ query
            order = np.argsort(-near, kind="stable")
            near[:], at[:] = near[order], at[order]
        return similarities[:, :n], positions[:, :n]

    def at(self, positions: Positions) -> Floats:
        return np.asarray(self._whole[positions], dtype=np.float32).reshape(-1, self._whole.shape[1])
