"""Whether the first passage answers: a calibrated probability from several signals, by a small logistic model kept as data."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from litsearch.errors import ModelError

Floats = NDArray[np.float32]

# One judge for the search alone, and one for the search with the shipped reranker.
MODEL_FILE = Path(__file__).parent.parent / "models" / "answerability.json"
RERANKED_FILE = MODEL_FILE.with_name("answerability-reranked.json")
# The ranks whose mean similarity stands for "what this corpus says to any question on its subject".
_ORDINARY = slice(5, 20)


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known about a question's best passages before anyone has read them.

    ``*_margin`` is how far the best stands out from ordinary passages; ``coverage_*`` the share of the question's words,
    weighted by rarity in the corpus, that stand in the first passage, or in one of the first three; ``unknown`` the share
    that stands nowhere in the corpus; ``known_concepts`` the share of the glossary's concepts in the question (a drug, a
    condition, a part of the body ...) that some passage names, 1 for a question without any. ``token_*`` compare the tokens of
    the question with those of passages (``TokenCoverage``); ``expanded_margin`` does so with the glossary's other words added.
    ``stated`` is the best of the reranker's logits that a passage states the answer, ``stated_three`` the mean of the best three;
    both are 0 where there is no reranker.
    """

    sentence_similarity: float
    passage_similarity: float
    sentence_margin: float
    passage_margin: float
    coverage_first: float
    coverage_three: float
    unknown: float
    known_concepts: float
    token_coverage: float
    token_margin: float
    token_weakest: float
    expanded_margin: float
    stated: float = 0.0
    stated_three: float = 0.0


NAMES = tuple(field.name for field in fields(Signals))


@dataclass(frozen=True, slots=True)
class TokenCoverage:
    """How well the passages in question cover its tokens, by late interaction, in any order.

    ``question`` and ``expanded`` are the mean over the tokens of the nearest one's cosine, a passage an entry, shape (n,);
    ``first`` is that cosine for each of the question's tokens in the first passage, shape (n_tokens,).
    """

    question: Floats
    expanded: Floats
    first: Floats

    def weakest(self) -> float:
        """The mean over the fifth of the tokens that the first passage covers least, at least one."""
        ordered = np.sort(self.first)
        return float(ordered[: max(1, len(ordered) // 5)].mean()) if len(ordered) else 0.0


_NONE: Floats = np.zeros(0, dtype=np.float32)


def signals_of(
    sentence_similarity: Floats,
    passage_similarity: Floats,
    question_terms: Sequence[str],
    rarity: Mapping[str, float],
    unknown_terms: Collection[str],
    top_terms: Sequence[Collection[str]],
    concepts_known: Sequence[bool],
    tokens: TokenCoverage,
    stated: Floats = _NONE,
) -> Signals:
    """The signals of one question.

    ``sentence_similarity`` and ``passage_similarity`` are the cosines of all candidates, shape (n,), in any order;
    ``rarity`` weighs each question term; ``top_terms`` are the terms of the first passages, best first; ``concepts_known``
    says of each concept in the question whether the corpus names it; ``stated`` are the reranker's logits, in any order.
    """
    total = sum(rarity[term] for term in question_terms) or 1.0

    def share(terms: Sequence[str]) -> float:
        return sum(rarity[term] for term in terms) / total

    first = top_terms[0] if top_terms else ()
    three = set().union(*top_terms[:3])
    sentence, sentence_margin = _best_and_margin(sentence_similarity)
    passage, passage_margin = _best_and_margin(passage_similarity)
    coverage, token_margin = _best_and_margin(tokens.question)
    return Signals(
        sentence_similarity=sentence,
        passage_similarity=passage,
        sentence_margin=sentence_margin,
        passage_margin=passage_margin,
        coverage_first=share([term for term in question_terms if term in first]),
        coverage_three=share([term for term in question_terms if term in three]),
        unknown=share([term for term in question_terms if term in unknown_terms]),
        known_concepts=sum(concepts_known) / len(concepts_known) if concepts_known else 1.0,
        token_coverage=coverage,
        token_margin=token_margin,
        token_weakest=tokens.weakest(),
        expanded_margin=_best_and_margin(tokens.expanded)[1],
        stated=float(stated.max()) if len(stated) else 0.0,
        stated_three=float(np.sort(stated)[-3:].mean()) if len(stated) else 0.0,
    )


def _best_and_margin(values: Floats) -> tuple[float, float]:
    ordered = np.sort(values)[::-1]
    best = float(ordered[0]) if len(ordered) else 0.0
    ordinary = ordered[_ORDINARY] if len(ordered) > _ORDINARY.start else ordered[-1:]
    return best, best - float(ordinary.mean()) if len(ordinary) else 0.0


@dataclass(frozen=True, slots=True)
class Judge:
    """A logistic model over signals, and the confidences from which a question counts as answered, or at least related.

    ``reranker_sha256`` names the reranker whose order and logits it was fitted on; it is empty for the search alone.
    """

    weights: Mapping[str, float]
    intercept: float
    answered_from: float
    related_from: float
    reranker_sha256: str = ""

    def confidence(self, signals: Signals) -> float:
        """The calibrated probability, 0..1, that the library answers the question."""
        values = asdict(signals)
        logit = self.intercept + sum(weight * values[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def load_judge(path: Path = MODEL_FILE) -> Judge:
    """The judge that ``make calibrate`` wrote.

    Raises:
        ModelError: when the file is missing or not of its form.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        judge = Judge(
            weights={str(name): float(weight) for name, weight in stored["weights"].items()},
            intercept=float(stored["intercept"]),
            answered_from=float(stored["answered_from"]),
            related_from=float(stored["related_from"]),
            reranker_sha256=str(stored.get("reranker", "")),
        )
        judge.confidence(Signals(**dict.fromkeys(NAMES, 0.0)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is missing or damaged. Reinstall the project, or run: make calibrate") from error
    return judge


def judge_for(reranker_sha256: str) -> Judge:
    """The judge that was fitted with a reranker; for another one, or none ("" for its hash), that of the search alone.

    Raises:
        ModelError: as ``load_judge``.
    """
    if reranker_sha256 and RERANKED_FILE.is_file():
        judge = load_judge(RERANKED_FILE)
        if judge.reranker_sha256 == reranker_sha256:
            return judge
    return load_judge()
