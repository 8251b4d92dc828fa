"""The directions that token vectors are reduced to, so that late interaction takes half of the room.

    python -m training.token_basis litsearch/models/encoder

The principal directions (about the origin, since cosines are compared) of the token vectors of paragraphs of our small train
libraries, written as ``token_basis.npy`` into the model's folder: float32, shape (dimensions, 192), its columns orthonormal. How many
are kept is chosen in docs/RESULTS.md ("Token vectors").
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from pathlib import Path
from random import Random

import numpy as np

from litsearch.embedding import BASIS, OnnxEncoder, Vectors, export
from litsearch.evaluation.libraries import FOLDER, read_libraries
from litsearch.files import sha256_of

_KEPT = 192
_PARAGRAPHS = 400
# Shorter ones are headings and menus.
_LETTERS = 120


def basis_of(tokens: Vectors, kept: int) -> Vectors:
    """The ``kept`` directions that hold most of the energy of vectors of shape (n, d): float32, shape (d, kept), strongest first.

    >>> basis_of(np.array([[0, 2], [0, -1], [1, 0]], dtype=np.float32), 1).tolist()
    [[0.0], [1.0]]
    """
    wide = tokens.astype(np.float64)
    energies, directions = np.linalg.eigh(wide.T @ wide)
    strongest = directions[:, np.argsort(-energies)[:kept]]
    # A direction and its opposite are as good; the one that is taken must not hang on the processor.
    signs = np.sign(strongest[np.abs(strongest).argmax(axis=0), np.arange(strongest.shape[1])])
    basis: Vectors = (strongest * signs).astype(np.float32)
    return basis


def main(given: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of a sentence-transformers model")
    parser.add_argument("--kept", type=int, default=_KEPT)
    parser.add_argument("--seed", type=int, default=20261121)
    arguments = parser.parse_args(None if given is None else list(given))
    folder: Path = arguments.model
    (folder / BASIS).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as work:
        export(folder, folder.name, sha256_of(folder / "model.safetensors"), Path(work) / "whole")
        encoder = OnnxEncoder(Path(work) / "whole", n_threads=2)
    paragraphs = [
        paragraph
        for library in read_libraries(FOLDER)
        if library.fold == "train"
        for article in library.articles.values()
        for paragraph in article.split("\n\n")
        if len(paragraph) > _LETTERS
    ]
    drawn = Random(arguments.seed).sample(paragraphs, min(_PARAGRAPHS, len(paragraphs)))
    # Without the two tokens that frame every text.
    tokens = np.concatenate([rows[1:-1] for rows in encoder.embed_tokens(drawn)[1]])
    basis = basis_of(tokens, arguments.kept)
    np.save(folder / BASIS, basis, allow_pickle=False)
    kept = float(np.square(tokens @ basis).sum() / np.square(tokens).sum())
    print(f"{len(tokens)} token vectors, {arguments.kept} of {tokens.shape[1]} directions hold {kept:.3f} of their energy")
    print(f"{sha256_of(folder / BASIS)}  {BASIS}")


if __name__ == "__main__":
    main()
