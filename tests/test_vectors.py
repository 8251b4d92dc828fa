"""The embedded engine's vectors past the size up to which it compares a question with all of them."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from litsearch.engines.faiss import CellVectors, ExactVectors, open_vectors, write_vectors
from litsearch.errors import IndexDamaged

N, DIMENSIONS, N_SUBJECTS = 6_000, 48, 150


def _vectors(n: int = N, seed: int = 5) -> NDArray[np.float32]:
    """Unit vectors in loose groups, as sentences on the same subjects have them."""
    random = np.random.default_rng(seed)
    subjects = np.random.default_rng(1).standard_normal((N_SUBJECTS, DIMENSIONS))
    vectors = subjects[random.integers(0, N_SUBJECTS, n)] + 0.8 * random.standard_normal((n, DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with vectors in cells."""
    folder = tmp_path_factory.mktemp("cells")
    write_vectors(folder, _vectors(), exact_up_to=N - 1)
    return folder


def test_the_structure_goes_by_the_number_of_vectors(cells: Path, tmp_path: Path) -> None:
    write_vectors(tmp_path, _vectors(), exact_up_to=N)
    assert isinstance(open_vectors(tmp_path), ExactVectors)
    assert isinstance(open_vectors(cells), CellVectors)
    assert [path.name for path in tmp_path.iterdir()] == ["vectors.faiss"]


def test_nearly_all_of_the_nearest_are_found_with_their_exact_similarity(cells: Path) -> None:
    """Of the ten nearest to each of 100 questions 98 in 100 are found, in the order of products that numpy makes."""
    vectors, questions = _vectors(), _vectors(100, seed=6)
    products = questions @ vectors.T
    similarities, positions = open_vectors(cells).search(questions, 50)
    assert similarities.shape == positions.shape == (100, 50)
    assert (similarities.dtype, positions.dtype) == (np.float32, np.int64)
    nearest = np.argsort(-products, axis=1)[:, :10]
    found = sum(len(set(of_one[:10]) & set(best)) for of_one, best in zip(positions.tolist(), nearest.tolist(), strict=True))
    assert found >= 980
    np.testing.assert_allclose(similarities, np.take_along_axis(products, positions, axis=1), atol=1e-5)
    assert (np.diff(similarities, axis=1) <= 0).all()


def test_a_search_wider_than_the_exact_comparison_stays_in_order(cells: Path) -> None:
    """400 are asked for, of which only the first are compared in full; the rest are near their true similarity."""
    vectors, question = _vectors(), _vectors(1, seed=7)
    similarities, positions = open_vectors(cells).search(question, 400)
    assert len(set(positions[0].tolist())) == 400
    assert (np.diff(similarities[0]) <= 0).all()
    np.testing.assert_allclose(similarities[0], vectors[positions[0]] @ question[0], atol=0.02)


def test_vectors_come_back_bit_for_bit(cells: Path) -> None:
    opened = open_vectors(cells)
    assert len(opened) == N
    wanted = np.array([N - 1, 0, 0, 17])
    assert opened.at(wanted).tobytes() == _vectors()[wanted].tobytes()
    assert opened.at(np.zeros(0, dtype=np.int64)).shape == (0, DIMENSIONS)


def test_the_same_vectors_give_the_same_files(cells: Path, tmp_path: Path) -> None:
    write_vectors(tmp_path, _vectors(), exact_up_to=N - 1)
    assert {path.name for path in tmp_path.iterdir()} == {"vectors.npy", "cells.faiss"}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (cells / path.name).read_bytes()


def test_more_than_the_searched_cells_hold_gives_what_they_hold(tmp_path: Path) -> None:
    """Four of 64 cells hold a part of the 300 vectors: nothing is made up for what is missing."""
    vectors = _vectors(300)
    write_vectors(tmp_path, vectors, exact_up_to=0)
    few = CellVectors.open(tmp_path, n_probed=4)
    _, positions = few.search(vectors[:2], 1_000)
    assert 0 < positions.shape[1] < 300
    assert positions.min() >= 0
    assert positions[:, 0].tolist() == [0, 1]
    assert open_vectors(tmp_path).search(vectors[:2], 1_000)[1].shape == (2, 300)
    assert open_vectors(tmp_path).search(vectors[:0], 5)[0].shape == (0, 0)


@pytest.mark.parametrize("name", ["cells.faiss", "vectors.npy"])
def test_a_damaged_file_is_named_with_its_remedy(cells: Path, tmp_path: Path, name: str) -> None:
    for path in cells.iterdir():
        (tmp_path / path.name).write_bytes(b"" if path.name == name else path.read_bytes())
    with pytest.raises(IndexDamaged, match=rf"{name}.*python ingest\.py --rebuild"):
        open_vectors(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(("exact_up_to", "file"), [(1_000, "vectors.faiss"), (10, "cells.faiss")])
def test_a_full_disk_is_told_as_such(exact_up_to: int, file: str, tmp_path: Path) -> None:
    (tmp_path / file).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as told:
        write_vectors(tmp_path, _vectors(500), exact_up_to=exact_up_to)
    assert told.value.errno == errno.ENOSPC
