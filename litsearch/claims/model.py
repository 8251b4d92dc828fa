"""Stances by a trained model that reads claim and sentence together, held against the rules, which can name their reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from litsearch.claims.pair import Premise, shown
from litsearch.claims.records import Judgement, StanceName
from litsearch.claims.stance import ANOTHER_TREATMENT, ONLY_ALIKE, ONLY_ASKS, RuleStances
from litsearch.cross_encoder import CrossEncoder, folder_of

Floats = NDArray[np.float32]

LABELS: tuple[StanceName, ...] = ("supports", "conflicts", "neutral")


class StanceModel(Protocol):
    """What the claims desk knows of a stance model."""

    name: str
    sha256: str

    def probabilities(self, claim: str, texts: Sequence[str]) -> Floats:
        """How likely each text supports the claim, conflicts with it, or settles nothing: float32, shape (n, 3), rows of sum 1."""
        ...


class OnnxStanceModel:
    """A stance model exported by ``training.export``; safe to share between threads."""

    def __init__(self, folder: Path, *, n_threads: int) -> None:
        """Open a stance model.

        Raises:
            ModelError: when a file is missing, damaged, or no stance model.
        """
        self._model = CrossEncoder(folder, kind="stance", n_threads=n_threads)
        self.name = self._model.name
        self.sha256 = self._model.sha256

    def probabilities(self, claim: str, texts: Sequence[str]) -> Floats:
        logits = self._model.logits(claim, texts)
        exponents = np.exp(logits - logits.max(axis=1, initial=-np.inf, keepdims=True))
        probabilities: Floats = exponents / exponents.sum(axis=1, keepdims=True)
        return probabilities


def open_stance_model(setting: str, *, n_threads: int) -> StanceModel | None:
    """The model that the setting names, else the shipped one if there is one; None for ``none`` or where none is shipped.

    Raises:
        ModelError: when the named one cannot be used.
    """
    folder = folder_of(setting, "stance")
    return OnnxStanceModel(folder, n_threads=n_threads) if folder else None


@dataclass(frozen=True, slots=True)
class Bounds:
    """When the model's word is taken: chosen on dev claims, with more needed to support than to conflict, because a contradicted
    claim that is found "stated" is the worst error (docs/RESULTS.md, "The stance model"). Less is needed where a sentence has much
    of the claim's words (``alike_supports_from``).
    """

    n_read: int = 15
    supports_from: float = 0.9
    conflicts_from: float = 0.8
    alike_supports_from: float = 0.7


class ModelStances:
    """The rules first, then the model on the premises nearest to the claim.

    The model speaks where the rules are silent, except where they say that a sentence only asks or is about another treatment.
    """

    def __init__(self, model: StanceModel, rules: RuleStances, bounds: Bounds | None = None) -> None:
        self._model = model
        self._rules = rules
        self._bounds = bounds or Bounds()

    def judge(self, claim: str, premises: Sequence[Premise]) -> list[Judgement]:
        judgements = self._rules.judge(claim, premises)
        near = sorted(range(len(premises)), key=lambda number: (-premises[number].similarity, number))[: self._bounds.n_read]
        read = self._model.probabilities(claim, [shown(premises[number]) for number in near])
        for number, (supports, conflicts, _) in zip(near, read, strict=True):
            judgements[number] = self._joined(judgements[number], float(supports), float(conflicts))
        return judgements

    def _joined(self, ruled: Judgement, supports: float, conflicts: float) -> Judgement:
        bounds = self._bounds
        if ruled.stance != "neutral" or ruled.why in (ONLY_ASKS, ANOTHER_TREATMENT):
            return ruled
        if conflicts >= bounds.conflicts_from:
            return replace(
                ruled, stance="conflicts", confidence=conflicts, why="read beside the claim, the sentence says otherwise"
            )
        if supports >= (bounds.alike_supports_from if ruled.why == ONLY_ALIKE else bounds.supports_from):
            return replace(ruled, stance="supports", confidence=supports, why="read beside the claim, the sentence says the same")
        return ruled
