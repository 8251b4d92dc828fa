"""The ask story: question -> understood -> candidates -> ranked -> judged -> hits, all from one generation."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from litsearch.embedding import Encoder, OnnxEncoder
from litsearch.errors import QuestionError
from litsearch.glossary import Glossary, Match, expansions_of, load_glossary
from litsearch.index import Generation, Index
from litsearch.lexical import terms_of
from litsearch.passages import sentences_of
from litsearch.ranking.fusion import min_max
from litsearch.records import Answer, Answers, Document, Hit, Metadata, Outcome, Passage, Reading
from litsearch.settings import Settings
from litsearch.spelling import Speller

Floats = NDArray[np.float32]

# A longer question is cut there: 20 pages of text is no question, and every word costs.
MAX_QUESTION_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class RankingRules:
    """How candidates are put in order; every number has its row in docs/RESULTS.md."""

    n_dense_units: int = 400
    n_lexical: int = 100
    sentence_weight: float = 0.6
    passage_weight: float = 0.4
    lexical_weight: float = 0.3
    expansion_weight: float = 0.5
    core_weight: float = 0.5
    role_weights: Mapping[str, float] = field(
        default_factory=lambda: {"aim": -0.15, "background": -0.05, "methods": -0.08, "declarations": -0.15, "limits": -0.03}
    )


@dataclass(frozen=True, slots=True)
class Understood:
    """A question made ready for both retrievers."""

    reading: Reading
    text: str
    core: str
    matches: tuple[Match, ...]
    terms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What both retrievers found: arrays over the same candidate passages, shape (n,)."""

    positions: NDArray[np.int64]
    similarity: Floats
    sentence_similarity: Floats
    passage_similarity: Floats
    lexical: Floats
    best_sentence: NDArray[np.int64]


def understand(question: str, glossary: Glossary, speller: Speller, rules: RankingRules) -> Understood:
    """Mend the spelling, find what the question is about in the glossary, and pick the sentence that asks.

    Raises:
        QuestionError: for an empty question.
    """
    question = " ".join(question[:MAX_QUESTION_CHARACTERS].replace("\x00", " ").split())
    if not any(character.isalnum() for character in question):
        raise QuestionError("Type a question first, for example: Who should not have this treatment?")
    text, corrections = speller.mend(question)
    matches = tuple(glossary.find(text))
    expansions = expansions_of(matches)
    terms = dict.fromkeys(terms_of(text), 1.0)
    for phrase in expansions:
        for term in terms_of(phrase):
            terms.setdefault(term, rules.expansion_weight)
    explained = tuple((m.words, m.entry.term) for m in matches if not m.is_term)
    return Understood(Reading(question, corrections, explained, expansions), text, core_of(text), matches, terms)


_ASKS = re.compile(r"\?\s*$")
_OPENS_QUESTION = re.compile(
    r"\b(what|when|where|which|who|why|how|can|could|should|shall|is|are|am|do|does|did|will|would|may|has|have|any)\b", re.IGNORECASE
)


def core_of(text: str) -> str:
    """The part of a long message that asks: its sentences with a question mark, else those that open like a question, else all.

    >>> core_of("My wedding is in May. I had acne for years. Will the scars fade?")
    'Will the scars fade?'
    """
    if len(text.split()) <= 20:
        return text
    sentences = [text[s.start : s.end] for s in sentences_of(text)]
    asking = [s for s in sentences if _ASKS.search(s)] or [s for s in sentences if _OPENS_QUESTION.match(s)]
    return " ".join(asking) if asking else text


def retrieve(understood: Understood, generation: Generation, encoder: Encoder, rules: RankingRules) -> Candidates:
    """The passages that either retriever finds near the question."""
    texts = [understood.text]
    if understood.core != understood.text:
        texts.append(understood.core)
    if understood.reading.expansions:
        texts.append(f"{understood.core} ({', '.join(understood.reading.expansions[:12])})")
    queries = encoder.embed(texts)
    query = queries.mean(axis=0, keepdims=True)
    query /= max(float(np.linalg.norm(query)), 1e-9)
    similarities, units = generation.vectors.search(query, rules.n_dense_units)
    lexical = generation.lexical.relevance(understood.terms)
    n_lexical = min(rules.n_lexical, int((lexical > 0).sum()))
    by_words = np.argsort(-lexical, kind="stable")[:n_lexical]
    positions = np.union1d(generation.units.passages[units[0]].astype(np.int64), by_words.astype(np.int64))
    place = {int(position): number for number, position in enumerate(positions)}
    floor = float(similarities.min()) if similarities.size else 0.0
    sentence = np.full(len(positions), floor, dtype=np.float32)
    passage = np.full(len(positions), floor, dtype=np.float32)
    best = np.full(len(positions), -1, dtype=np.int64)
    for similarity, unit in zip(similarities[0], units[0], strict=True):
        number = place[int(generation.units.passages[unit])]
        ordinal = int(generation.units.sentences[unit])
        if ordinal < 0:
            passage[number] = similarity
        elif best[number] < 0:
            sentence[number], best[number] = similarity, ordinal
    return Candidates(positions, np.maximum(sentence, passage), sentence, passage, lexical[positions], best)


def rank(candidates: Candidates, passages: Sequence[Passage], rules: RankingRules) -> Floats:
    """A relevance for each candidate: dense and lexical together, and what its section does in its document."""
    dense = rules.sentence_weight * candidates.sentence_similarity + rules.passage_weight * candidates.passage_similarity
    roles = np.array([rules.role_weights.get(p.role, 0.0) for p in passages], dtype=np.float32)
    total: Floats = min_max(dense.astype(np.float32)) + rules.lexical_weight * min_max(candidates.lexical) + roles
    return total


class Searcher:
    """Answers questions from the generation in use; notices a new one without a restart. Safe to share between threads."""

    def __init__(self, settings: Settings, rules: RankingRules | None = None) -> None:
        self.settings = settings
        self.rules = rules or RankingRules()
        self.notice = ""
        self._index = Index(settings.index)
        self._lock = threading.Lock()
        self._open: _Open | None = None

    def ask(self, question: str, *, top: int = 5) -> Answers:
        """The passages that answer, best first, with the cautions beside them.

        Raises:
            QuestionError: for an empty question.
            IndexMissing, IndexDamaged, IndexMismatch, ModelError: each with its remedy.
        """
        started = time.perf_counter()
        held = self._library()
        understood = understand(question, held.glossary, held.speller, self.rules)
        candidates = retrieve(understood, held.generation, held.encoder, self.rules)
        passages = held.generation.catalogue.passages_at([int(p) for p in candidates.positions])
        relevance = rank(candidates, passages, self.rules)
        order = np.lexsort((candidates.positions, -relevance))
        hits = [self._hit(held, rank_, passages[n], candidates, int(n), float(relevance[n])) for rank_, n in enumerate(order[:top], 1)]
        confidence = float(candidates.similarity.max()) if len(passages) else 0.0
        outcome: Outcome = "answered" if confidence > 0.5 else "related"
        milliseconds = (time.perf_counter() - started) * 1000
        return Answers(
            understood.reading.question, understood.reading, outcome, confidence, tuple(hits), (), (),
            held.generation.generation_id, milliseconds,
        )  # fmt: skip

    def article(self, document_id: str) -> Document | None:
        """A whole document of the generation in use, or None when it has none of that id."""
        return self._library().generation.catalogue.document(document_id)

    def passage(self, passage_id: str) -> Passage | None:
        """A passage of the generation in use, or None when it has none of that id."""
        return self._library().generation.catalogue.passage(passage_id)

    def passages(self, document_id: str | None = None) -> list[Passage]:
        """All passages of the generation in use in their order, or those of one document."""
        return list(self._library().generation.catalogue.passages(document_id))

    def articles(self) -> list[tuple[str, str, Metadata]]:
        """Id, path and metadata of every document of the generation in use, in the corpus's order."""
        return [(document_id, path, metadata) for document_id, (path, metadata) in self._library().metadata.items()]

    def manifest(self) -> Mapping[str, Any]:
        """What the generation in use was made of."""
        return self._library().generation.manifest

    def _hit(self, held: _Open, rank_: int, passage: Passage, candidates: Candidates, number: int, relevance: float) -> Hit:
        path, metadata = held.metadata[passage.document_id]
        ordinal = int(candidates.best_sentence[number])
        span = passage.sentences[max(ordinal, 0)]
        answer = Answer(span.start, span.end, passage.text[span.start - passage.start : span.end - passage.start])
        return Hit(rank_, passage, path, metadata, answer, float(candidates.similarity[number]), relevance)

    def _library(self) -> _Open:
        """The generation that the pointer names now, opened once."""
        with self._lock:
            current = _pointer_state(self._index)
            if self._open is None or self._open.state != current:
                generation, self.notice = self._index.open_good()
                self._open = _open(self.settings, self._index, generation, current)
            return self._open


@dataclass(frozen=True, slots=True)
class _Open:
    state: tuple[int, int]
    generation: Generation
    encoder: Encoder
    glossary: Glossary
    speller: Speller
    metadata: Mapping[str, tuple[str, Metadata]]


def _pointer_state(index: Index) -> tuple[int, int]:
    try:
        status = (index.root / "current.json").stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)


def _open(settings: Settings, index: Index, generation: Generation, state: tuple[int, int]) -> _Open:
    model = generation.manifest["model"]
    encoder = OnnxEncoder(index.exports / model["sha256"][:16], n_threads=settings.n_threads)
    glossary = load_glossary(settings.practice / "glossary.yml")
    speller = Speller(generation.word_counts, glossary.words)
    return _Open(state, generation, encoder, glossary, speller, generation.catalogue.metadata())
