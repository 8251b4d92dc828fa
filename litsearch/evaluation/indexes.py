"""Indexes made for one evaluation, and a searcher that embeds each text once however many stages ask for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from litsearch.embedding import Encoder, Progress, Vectors
from litsearch.ingesting import ingest
from litsearch.searching import RankingRules, Searcher
from litsearch.settings import Settings


def build_index(
    settings: Settings,
    corpus: Path,
    index: Path,
    progress: Callable[[str, int, int], None] = lambda stage, done, of: None,
    encoder: Encoder | None = None,
) -> Settings:
    """Settings for an index of ``corpus`` in ``index``, brought up to date by the production ingest.

    The model that the project's own index has exported already is used from there. Its vectors lie with it and are made here, whichever
    engine and workers the settings name: a temporary index leaves nothing behind on a server, and workers know no other encoder.
    """
    index.mkdir(parents=True, exist_ok=True)
    exports = settings.index / "models"
    if exports.is_dir() and not (index / "models").exists():
        (index / "models").symlink_to(exports.resolve(), target_is_directory=True)
    settings = replace(settings, corpus=corpus, index=index, engine="", workers="")
    ingest(settings, progress=progress, encoder=encoder)
    return settings


class Remembering:
    """An encoder that remembers what it made of each text; the vectors are those of the encoder that it wraps."""

    def __init__(self, encoder: Encoder) -> None:
        self.name = encoder.name
        self.sha256 = encoder.sha256
        self.dimensions = encoder.dimensions
        self.token_dimensions = encoder.token_dimensions
        self.max_tokens = encoder.max_tokens
        self._encoder = encoder
        self._known: dict[str, tuple[Vectors, Vectors]] = {}

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As the encoder."""
        return self._encoder.count_tokens(texts)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """As the encoder, without remembering."""
        return self._encoder.embed(texts, progress)

    def embed_tokens(self, texts: Sequence[str], progress: Progress | None = None) -> tuple[Vectors, list[Vectors]]:
        """As the encoder, each text once."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            vectors, tokens = self._encoder.embed_tokens(new, progress)
            # Shape (1, dimensions) for the text's own vector, so that those of many stack without a copy each.
            self._known.update({text: (vectors[n : n + 1], tokens[n]) for n, text in enumerate(new)})
        found = [self._known[text] for text in texts]
        return self._encoder.embed([]) if not found else _stack(found), [tokens for _, tokens in found]


def _stack(found: Sequence[tuple[Vectors, Vectors]]) -> Vectors:
    import numpy as np

    return np.concatenate([vector for vector, _ in found])


class Bench(Searcher):
    """The production searcher with rules that change between stages; asking for hits, order and signals ranks once."""

    def __init__(self, settings: Settings, rules: RankingRules | None = None) -> None:
        super().__init__(settings, rules)
        self._wrapped: tuple[Any, Any] = (None, None)
        self._last: tuple[RankingRules | None, str, Any] = (None, "", None)

    @property
    def has_reranker(self) -> bool:
        """Whether a reranker is shipped or named in the settings."""
        return self._library().reranker is not None

    def _library(self) -> Any:
        library = super()._library()
        if self._wrapped[0] is not library:
            self._wrapped = (library, replace(library, encoder=Remembering(library.encoder)))
        return self._wrapped[1]

    def _find(self, library: Any, question: str, rules: RankingRules | None = None) -> Any:
        rules = rules or self.rules
        if self._last[0] is not rules or self._last[1] != question:
            self._last = (rules, question, super()._find(library, question, rules))
        return self._last[2]
