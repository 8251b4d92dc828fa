"""Open a model folder the way the project does and hold it against PyTorch.

An encoder is exported to ONNX by litsearch itself, which compares the vectors; a reranker or stance model is run on a
few pairs, alone and padded in a batch, which must agree.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from training.export import _CHECKED
from training.reranker import encode_pairs, padded

log = logging.getLogger(__name__)


def check_encoder(folder: Path) -> None:
    from litsearch.embedding import OnnxEncoder, export, model_sha256

    sha256 = model_sha256(folder, folder.name)
    if sha256 not in (folder / "README.md").read_text(encoding="utf-8"):
        raise ValueError(f"{folder}: the model card names other weights")
    with tempfile.TemporaryDirectory() as place:
        export(folder, folder.name, sha256, Path(place) / "export")
        vectors = OnnxEncoder(Path(place) / "export", n_threads=1).embed([t for pair in _CHECKED for t in pair])
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4):
        raise ValueError(f"{folder}: vectors are not of length 1")
    log.info("%s holds %s and agrees with PyTorch", folder, sha256[:12])


def check_pairs(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    found = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    if found != config["sha256"]:
        raise ValueError(f"{folder}: model.onnx is not the one that config.json names")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    pairs = [p for q, t in _CHECKED for p in encode_pairs(tokenizer, q, [t])]

    def run(some: list) -> np.ndarray:
        return session.run(None, {n: t.numpy() for n, t in zip(config["inputs"], padded(some), strict=True)})[0]

    alone = np.concatenate([run([p]) for p in pairs])
    apart = float(np.abs(alone - run(pairs)).max())
    if apart > 1e-3:
        raise ValueError(f"{folder}: a pair's logits change by {apart:.4f} with its neighbours")
    log.info("%s: alone and in a batch within %.5f", folder, apart)


def main(given: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    arguments = parser.parse_args(None if given is None else list(given))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for folder in arguments.folders:
        (check_encoder if (folder / "model.safetensors").is_file() else check_pairs)(folder)


if __name__ == "__main__":
    main()
