"""The door to a reranker: reads question and passage together and says whether the passage states the answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from litsearch.embedding import encodable
from litsearch.errors import ModelError
from litsearch.files import sha256_of

SHIPPED = Path(__file__).parent / "models" / "reranker"
_BATCH = 16


class Reranker(Protocol):
    """What the search knows of a reranker."""

    name: str
    sha256: str

    def relevance(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """One logit a text, float32, shape (n,): above 0 it rather states the answer than not."""
        ...


class OnnxReranker:
    """A cross-encoder exported as ONNX with its ``config.json`` and ``tokenizer.json``; safe to share between threads."""

    def __init__(self, folder: Path, *, n_threads: int) -> None:
        """Open a reranker.

        Raises:
            ModelError: when a file is missing, damaged, or no reranker.
        """
        import onnxruntime
        from tokenizers import Tokenizer

        try:
            about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            if about["kind"] != "reranker":
                raise ModelError(f"{folder} holds a {about['kind']}, no reranker. Name another folder in the setting 'reranker'.")
            if sha256_of(folder / "model.onnx") != about["sha256"]:
                raise ModelError(f'{folder / "model.onnx"} is damaged. Reinstall the project, or set reranker = "none".')
            self.name: str = about["name"]
            self.sha256: str = about["sha256"]
            self._max_tokens = int(about["max_tokens"])
            self._max_question = int(about["max_question_tokens"])
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f'The reranker in {folder} cannot be read. Reinstall the project, or set reranker = "none".'
            ) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._frame = [int(self._tokenizer.token_to_id(mark) or 0) for mark in ("[CLS]", "[SEP]")]
        self._lock = threading.Lock()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])

    def relevance(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = self._encode(question, texts)
        relevance = np.zeros(len(texts), dtype=np.float32)
        order = sorted(range(len(rows)), key=lambda number: (-len(rows[number][0]), number))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            longest = max(len(rows[number][0]) for number in batch)
            ids = np.zeros((len(batch), longest), dtype=np.int64)
            mask, parts = np.zeros_like(ids), np.zeros_like(ids)
            for place, number in enumerate(batch):
                tokens, question_length = rows[number]
                ids[place, : len(tokens)] = tokens
                mask[place, : len(tokens)] = 1
                parts[place, question_length : len(tokens)] = 1
            output = self._session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": parts})[0]
            relevance[batch] = np.asarray(output, dtype=np.float32).reshape(len(batch))
        return relevance

    def _encode(self, question: str, texts: Sequence[str]) -> list[tuple[list[int], int]]:
        """``[CLS] question [SEP] text [SEP]``; a long question keeps its two ends, a long text its beginning."""
        cls, sep = self._frame
        with self._lock:
            asked = self._tokenizer.encode(encodable(question), add_special_tokens=False).ids
            encoded = self._tokenizer.encode_batch([encodable(text) for text in texts], add_special_tokens=False)
        if len(asked) > self._max_question:
            half = self._max_question // 2
            asked = [*asked[:half], *asked[-half:]]
        head = [cls, *asked, sep]
        room = self._max_tokens - len(head) - 1
        return [([*head, *text.ids[:room], sep], len(head)) for text in encoded]


def open_reranker(setting: str, *, n_threads: int) -> Reranker | None:
    """The reranker that the setting names, else the shipped one if there is one; None for ``none`` or where none is shipped.

    Raises:
        ModelError: when the named one cannot be used.
    """
    if setting == "none":
        return None
    if setting:
        return OnnxReranker(Path(setting).expanduser(), n_threads=n_threads)
    return OnnxReranker(SHIPPED, n_threads=n_threads) if (SHIPPED / "model.onnx").is_file() else None
