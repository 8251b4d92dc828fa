"""Stand-ins for tests that fit the project's protocols; the tests of the real parts use the real parts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from litsearch.embedding import Progress, Vectors

_TOKEN = re.compile(r"\w+|[^\w\s]")


class FakeEncoder:
    """A bag of hashed words: a text's vector counts its words, so that texts that share words are near each other.

    A token is a word or a single mark. Equal texts have equal vectors whatever is embedded beside them. Two fakes of
    different ``name`` or size have different ``sha256`` and count as different models. ``embedded`` lists every text that
    was embedded, in order.

    >>> FakeEncoder().embed(["Redness fades.", "The redness fades."]).shape
    (2, 32)
    """

    def __init__(
        self,
        name: str = "fake",
        *,
        dimensions: int = 32,
        token_dimensions: int = 24,
        max_tokens: int = 64,
        letters_a_token: int = 1_000,
    ) -> None:
        self.name = name
        self.sha256 = hashlib.sha256(
            f"{name} {dimensions} {token_dimensions} {max_tokens} {letters_a_token}".encode()
        ).hexdigest()
        self.dimensions = dimensions
        self.token_dimensions = token_dimensions
        self.max_tokens = max_tokens
        self.embedded: list[str] = []
        self._letters_a_token = letters_a_token

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words and marks in each text; a word longer than ``letters_a_token`` is several tokens."""
        return [len(self._tokens(text)) for text in texts]

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """One vector a text: float32, shape (n, dimensions), rows of length 1. Texts past ``max_tokens`` are cut there."""
        return self.embed_tokens(texts, progress)[0]

    def embed_tokens(self, texts: Sequence[str], progress: Progress | None = None) -> tuple[Vectors, list[Vectors]]:
        """As ``embed``, and for each text one vector a token, shape (n_tokens, token_dimensions), rows of length 1, frame
        included."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        tokens: list[Vectors] = []
        for number, text in enumerate(texts):
            self.embedded.append(text)
            framed = ["[", *self._tokens(text)[: self.max_tokens - 2], "]"]
            hashes = np.array([self._hash(token) for token in framed])
            tokens.append(np.eye(self.token_dimensions, dtype=np.float32)[hashes % self.token_dimensions])
            vectors[number] = np.bincount(hashes % self.dimensions, minlength=self.dimensions)
            vectors[number] /= np.linalg.norm(vectors[number])
            if progress is not None:
                progress(number + 1, len(texts))
        return vectors, tokens

    def _hash(self, token: str) -> int:
        digest = hashlib.blake2b(f"{self.name} {token.casefold()}".encode("utf-8", "surrogatepass"), digest_size=4).digest()
        return int.from_bytes(digest, "big")

    def _tokens(self, text: str) -> list[str]:
        width = self._letters_a_token
        return [word[at : at + width] for word in _TOKEN.findall(text) for at in range(0, len(word), width)]
