"""Compare structures for unit vectors by size: what each takes to build and search, and how much of the exact answer it finds.

    python benchmarks/vectors.py INDEX [--sizes 10000 100000 1000000] [--hnsw-up-to 100000]

INDEX is a built index; its vectors are the real ones. What is missing to a size is made up: each further vector lies between two
real ones with noise added, so that neighbourhoods are as crowded as in a library of that size and no two vectors are equal.
Questions are real vectors with noise, asked one at a time on one thread. Prints the table of docs/PERFORMANCE.md; what is stated as
found is the part of the ten, and of the 400, that exact search finds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from litsearch.engines.faiss import CellVectors, ExactVectors, n_cells_for, write_vectors  # noqa: E402
from litsearch.index import Index  # noqa: E402

Floats = NDArray[np.float32]
N_WANTED, N_QUESTIONS, SEED = 400, 200, 20261121
# How far a made-up vector lies from the line between two real ones, and a question from a real one, as parts of their length.
NOISE, QUESTION_NOISE = 0.4, 0.6
NPROBES = (16, 32, 48, 96)


def beside(vectors: Floats, noise: float, random: np.random.Generator) -> Floats:
    """Unit vectors near the given ones, shape (n, dim)."""
    moved = vectors + noise * random.standard_normal(vectors.shape, dtype=np.float32) / np.sqrt(vectors.shape[1])
    found: Floats = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
    return found


def grown(real: Floats, n: int, random: np.random.Generator) -> Floats:
    """``n`` vectors: the real ones, then made-up ones."""
    vectors = np.empty((n, real.shape[1]), dtype=np.float32)
    vectors[: len(real)] = real[:n]
    for start in range(min(n, len(real)), n, 50_000):
        part = vectors[start : start + 50_000]
        one, other = (real[random.integers(0, len(real), len(part))] for _ in range(2))
        share = random.uniform(0, 0.5, (len(part), 1)).astype(np.float32)
        part[:] = beside((1 - share) * one + share * other, NOISE, random)
    return vectors


def structures(vectors: Floats, folder: Path, hnsw_up_to: int) -> Iterator[tuple[str, float, float, Callable[..., object]]]:
    """Name, seconds to build, megabytes on the disk, and the search of each structure."""
    started = time.perf_counter()
    write_vectors(folder / "exact", vectors, exact_up_to=len(vectors))
    built = time.perf_counter() - started
    yield "every vector", built, _megabytes(folder / "exact"), ExactVectors.open(folder / "exact").search
    started = time.perf_counter()
    write_vectors(folder / "cells", vectors, exact_up_to=0)
    built = time.perf_counter() - started
    for n_probed in NPROBES:
        name = f"{n_probed} of {n_cells_for(len(vectors)):,} cells, 8 bits, first compared in full"
        yield name, built, _megabytes(folder / "cells"), CellVectors.open(folder / "cells", n_probed=n_probed).search
    if len(vectors) <= hnsw_up_to:
        started = time.perf_counter()
        graph = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction, graph.hnsw.efSearch = 100, N_WANTED
        graph.add(vectors)
        built = time.perf_counter() - started
        yield "graph (HNSW, 32 links)", built, faiss.serialize_index(graph).nbytes / 1e6, graph.search


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def rows_of(real: Floats, n: int, hnsw_up_to: int) -> Iterator[str]:
    """The rows of one size."""
    random = np.random.default_rng(SEED)
    questions = beside(real[random.choice(len(real), N_QUESTIONS)], QUESTION_NOISE, random)
    vectors = grown(real, n, random)
    exact: list[NDArray[np.int64]] = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in ("exact", "cells"):
            (Path(temporary) / name).mkdir()
        for name, built, megabytes, search in structures(vectors, Path(temporary), hnsw_up_to):
            times, found = [], []
            for question in questions:
                started = time.perf_counter()
                _, positions = search(question[None], N_WANTED)  # type: ignore[misc]
                times.append((time.perf_counter() - started) * 1000)
                found.append(positions[0])
            exact = exact or found
            ten, all_of = (
                statistics.mean(len(set(a[:k]) & set(b[:k])) / min(k, n) for a, b in zip(found, exact, strict=True))
                for k in (10, N_WANTED)
            )
            late = statistics.quantiles(times, n=20)[-1]
            yield (
                f"| {n:,} | {name} | {built:.1f} | {megabytes:,.0f} | {statistics.median(times):.2f} | {late:.2f} |"
                f" {ten:.3f} | {all_of:.3f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path, metavar="INDEX")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--hnsw-up-to", type=int, default=100_000, metavar="N", help="larger graphs take hours to build")
    arguments = parser.parse_args()
    faiss.omp_set_num_threads(1)
    generation = Index(arguments.index).open()
    # The same sentence in two articles has the same vector twice; which of the two is found is no matter of recall.
    real = np.unique(generation.vectors.at(np.arange(len(generation.vectors))), axis=0)
    real = np.random.default_rng(SEED).permutation(real)
    print(f"{len(real):,} real vectors of {real.shape[1]} entries; one thread.\n")
    print("| vectors | structure | built, s | MB on disk | median ms | 95th percentile ms | of the ten | of the 400 |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|")
    for n in arguments.sizes:
        for row in rows_of(real, n, arguments.hnsw_up_to):
            print(row, flush=True)


if __name__ == "__main__":
    main()
