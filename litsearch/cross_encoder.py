"""Models that read two texts together, exported as ONNX: what the reranker and the stance model have in common."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from litsearch.embedding import encodable
from litsearch.errors import ModelError
from litsearch.files import sha256_of

_BATCH = 16


class CrossEncoder:
    """A folder of ``model.onnx``, ``config.json`` and ``tokenizer.json``; safe to share between threads."""

    def __init__(self, folder: Path, *, kind: str, n_threads: int) -> None:
        """Open a model of ``kind``, "reranker" or "stance", which is also the name of the setting that chooses it.

        Raises:
            ModelError: when a file is missing, damaged, or of another kind.
        """
        import onnxruntime
        from tokenizers import Tokenizer

        remedy = f'Reinstall the project, or set {kind} = "none".'
        try:
            about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            if about["kind"] != kind:
                raise ModelError(f"{folder} holds a {about['kind']} model. Name another folder in the setting '{kind}'.")
            for name, sha256 in (("model.onnx", about["sha256"]), ("tokenizer.json", about["tokenizer_sha256"])):
                if sha256_of(folder / name) != sha256:
                    raise ModelError(f"{folder / name} is damaged. {remedy}")
            self.name: str = about["name"]
            self.sha256: str = about["sha256"]
            self.labels: tuple[str, ...] = tuple(about["labels"])
            self.temperature = float(about["temperature"])
            self._max_tokens = int(about["max_tokens"])
            self._max_first = int(about["max_question_tokens"])
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"The {kind} model in {folder} cannot be read. {remedy}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._frame = [int(self._tokenizer.token_to_id(mark) or 0) for mark in ("[CLS]", "[SEP]")]
        self._lock = threading.Lock()  # the tokenizer fails when two threads use it at once
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])

    def logits(self, first: str, second: Sequence[str]) -> NDArray[np.float32]:
        """The model's logits for ``first`` read with each of ``second``, divided by its temperature: float32, shape (n, labels)."""
        pairs = self._pairs(first, second)
        logits = np.zeros((len(pairs), len(self.labels)), dtype=np.float32)
        order = sorted(range(len(pairs)), key=lambda number: (-len(pairs[number][0]), number))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            longest = max(len(pairs[number][0]) for number in batch)
            ids = np.zeros((len(batch), longest), dtype=np.int64)
            mask, parts = np.zeros_like(ids), np.zeros_like(ids)
            for place, number in enumerate(batch):
                tokens, n_first = pairs[number]
                ids[place, : len(tokens)] = tokens
                mask[place, : len(tokens)] = 1
                parts[place, n_first : len(tokens)] = 1
            output = self._session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": parts})[0]
            logits[batch] = np.asarray(output, dtype=np.float32).reshape(len(batch), len(self.labels)) / self.temperature
        return logits

    def _pairs(self, first: str, second: Sequence[str]) -> list[tuple[list[int], int]]:
        """``[CLS] first [SEP] second [SEP]``; a long first text keeps its two ends, a long second one its beginning."""
        cls, sep = self._frame
        with self._lock:
            asked = self._tokenizer.encode(encodable(first), add_special_tokens=False).ids
            encoded = self._tokenizer.encode_batch([encodable(text) for text in second], add_special_tokens=False)
        if len(asked) > self._max_first:
            half = self._max_first // 2
            asked = [*asked[:half], *asked[-half:]]
        head = [cls, *asked, sep]
        room = self._max_tokens - len(head) - 1
        return [([*head, *text.ids[:room], sep], len(head)) for text in encoded]


def folder_of(setting: str, kind: str) -> Path | None:
    """The folder that a setting names, else the shipped one if there is one; None for "none" or where none is shipped."""
    if setting == "none":
        return None
    if setting:
        return Path(setting).expanduser()
    shipped = Path(__file__).parent / "models" / kind
    return shipped if (shipped / "model.onnx").is_file() else None
