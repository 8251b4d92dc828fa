"""The ask story: question -> understood -> candidates -> ranked -> judged -> hits, all from one generation."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from litsearch.embedding import Encoder, OnnxEncoder, export_folder, find_model, model_sha256
from litsearch.engines import Postings
from litsearch.engines.tokens import TokenVectors
from litsearch.errors import QuestionError
from litsearch.glossary import Entry, Glossary, expansions_of, load_glossary
from litsearch.index import WHOLE_PASSAGE, Generation, Index
from litsearch.lexical import terms_of
from litsearch.passages import caution_in, headed, sentences_of
from litsearch.ranking.answerability import Judge, Signals, TokenCoverage, judge_for, signals_of
from litsearch.ranking.balance import merge_identical, spread_sources
from litsearch.ranking.differences import find_differences
from litsearch.ranking.fusion import best_first, min_max, promote, reciprocal_rank_fusion
from litsearch.ranking.intent import role_preferences
from litsearch.records import Answer, Answers, Document, Hit, Metadata, Outcome, Passage, Reading
from litsearch.reranking import Reranker, open_reranker
from litsearch.settings import Settings
from litsearch.spelling import Speller

Floats = NDArray[np.float32]

# A longer question is cut there: twenty pages of text are no question, and every word costs.
MAX_QUESTION_CHARACTERS = 10_000
# Answers held in memory, so that whoever opens an article from one, or makes the letters larger, does not wait for it again.
_MOST_KNOWN = 64
# What a question can be about; the glossary's other kinds (a measure, a way of asking) name nothing that a corpus could lack.
CONCEPT_KINDS = frozenset({"drug", "class", "condition", "body-area", "procedure", "device", "population", "sign"})
# What everyone is asked before a treatment; finds the passages that say who should not have it.
_CAUTION_QUESTION = "Who should not have this treatment, and who should ask a doctor first?"


@dataclass(frozen=True, slots=True)
class RankingRules:
    """How candidates are put in order; every number has its row in docs/RESULTS.md."""

    n_dense_units: int = 400
    n_lexical: int = 100
    sentence_weight: float = 0.5
    passage_weight: float = 0.5
    lexical_weight: float = 0.3
    rank_fusion_k: int | None = None  # None: normalised sums
    n_interacting: int = 60
    interaction_weight: float = 2.0
    use_spelling: bool = True
    use_glossary: bool = True
    expansion_weight: float = 0.5
    core_words: int = 20
    role_weights: Mapping[str, float] = field(
        default_factory=lambda: {"aim": -0.44, "background": -0.16, "methods": -0.24, "declarations": -0.44, "limits": -0.10}
    )
    use_intent: bool = True
    n_reranked: int = 5
    reranker_weight: float = 0.1
    most_of_one_source: int = 2
    n_cautions: int = 3
    caution_from: float = 0.25


@dataclass(frozen=True, slots=True)
class Understood:
    """A question made ready for both retrievers: the texts to embed and the weighted terms to look up."""

    reading: Reading
    text: str
    core: str
    queries: tuple[str, ...]
    concepts: tuple[Entry, ...]
    terms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What both retrievers found: arrays over the same candidate passages, shape (n,); ``best_sentence`` -1 is none.

    ``core_tokens`` and ``question_tokens`` are the token vectors, (n_tokens, d), of the part that asks as it stands and with
    the glossary's other words.
    """

    positions: NDArray[np.int64]
    sentence_similarity: Floats
    passage_similarity: Floats
    lexical: Floats
    best_sentence: NDArray[np.int64]
    query: Floats
    core_tokens: Floats
    question_tokens: Floats


def understand(question: str, glossary: Glossary, speller: Speller, rules: RankingRules) -> Understood:
    """Mend the spelling, find what the question is about in the glossary, and pick the sentence that asks.

    Raises:
        QuestionError: for an empty question.
    """
    question = " ".join(question[:MAX_QUESTION_CHARACTERS].replace("\x00", " ").split())
    if not any(character.isalnum() for character in question):
        raise QuestionError("Type a question first, for example: Who should not have this treatment?")
    text, corrections = speller.mend(question) if rules.use_spelling else (question, ())
    matches = glossary.find(text) if rules.use_glossary else []
    expansions = expansions_of(matches)
    terms = dict.fromkeys(terms_of(text), 1.0)
    for phrase in expansions:
        for term in terms_of(phrase):
            terms.setdefault(term, rules.expansion_weight)
    explained = tuple((match.words, match.entry.term) for match in matches if not match.is_term)
    core = core_of(text, rules.core_words)
    queries = [text, core, *([f"{core} ({', '.join(expansions[:8])})"] if expansions else [])]
    concepts = tuple(match.entry for match in matches if match.entry.kind in CONCEPT_KINDS)
    return Understood(
        Reading(question, corrections, explained, expansions), text, core, tuple(dict.fromkeys(queries)), concepts, terms
    )


_OPENS_QUESTION = re.compile(
    r"(what|when|where|which|who|why|how|can|could|should|shall|is|are|am|do|does|did|will|would|may|has|have|any)\b",
    re.IGNORECASE,
)


def core_of(text: str, at_most: int) -> str:
    """The part of a message longer than ``at_most`` words that asks: its sentences with a question mark, else those that open
    like a question, else all of it.

    >>> core_of("My wedding is in May. I had acne for years. Will the scars fade?", 5)
    'Will the scars fade?'
    """
    if len(text.split()) <= at_most:
        return text
    sentences = [text[s.start : s.end] for s in sentences_of(text)]
    asking = [s for s in sentences if s.rstrip().endswith("?")] or [s for s in sentences if _OPENS_QUESTION.match(s)]
    return " ".join(asking) or text


def retrieve(understood: Understood, generation: Generation, encoder: Encoder, rules: RankingRules) -> Candidates:
    """The passages that either retriever finds near the question."""
    vectors, tokens = encoder.embed_tokens(understood.queries)
    query = vectors.mean(axis=0)
    query /= max(float(np.linalg.norm(query)), 1e-9)
    similarities, units = generation.vectors.search(query[None], rules.n_dense_units)
    by_meaning = generation.units.passages[units[0]].astype(np.int64)
    positions, lexical = generation.lexical.candidates(understood.terms, rules.n_lexical, by_meaning)
    place = {int(position): number for number, position in enumerate(positions)}
    # A passage that only its words found is at most as similar as the least similar one that its vector found.
    floor = float(similarities.min()) if similarities.size else 0.0
    sentence, passage = np.full((2, len(positions)), floor, dtype=np.float32)
    best = np.full(len(positions), -1, dtype=np.int64)
    for similarity, unit in zip(similarities[0], units[0], strict=True):
        number = place[int(generation.units.passages[unit])]
        ordinal = int(generation.units.sentences[unit])
        if ordinal == WHOLE_PASSAGE:
            passage[number] = similarity
        elif best[number] < 0:
            sentence[number], best[number] = similarity, ordinal
    # Without the two tokens that frame every text: they match each other in every passage.
    core = tokens[understood.queries.index(understood.core)][1:-1]
    return Candidates(positions, sentence, passage, lexical, best, query, core, tokens[-1][1:-1])


@dataclass(frozen=True, slots=True)
class Ranked:
    """The relevance of each candidate, shape (n,), and of those ``looked_at`` for it how well they cover the question's tokens,
    and these with the glossary's other words: ``coverage`` and ``expanded_coverage`` have the shape of ``looked_at``.

    ``stated`` are the reranker's logits of the candidates that it read, best of the search first; empty without a reranker.
    """

    relevance: Floats
    looked_at: NDArray[np.int64]
    coverage: Floats
    expanded_coverage: Floats
    stated: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))


def rank(question: str, candidates: Candidates, passages: Sequence[Passage], tokens: TokenVectors, rules: RankingRules) -> Ranked:
    """Order candidates by meaning, words, and what their section is worth to the question; then the first ``n_interacting`` also
    by how well their tokens cover the question's. The others stay below them in their order.
    """
    dense = rules.sentence_weight * candidates.sentence_similarity + rules.passage_weight * candidates.passage_similarity
    worth = dict(rules.role_weights)
    for role, more in (role_preferences(question) if rules.use_intent else {}).items():
        worth[role] = worth.get(role, 0.0) + more
    roles = np.array([worth.get(passage.role, 0.0) for passage in passages], dtype=np.float32)
    if rules.rank_fusion_k is None:
        found = min_max(dense) + rules.lexical_weight * min_max(candidates.lexical)
    else:
        found = min_max(reciprocal_rank_fusion([dense, candidates.lexical], [1.0, rules.lexical_weight], k=rules.rank_fusion_k))
    fused = (found + roles).astype(np.float32)
    first = best_first(fused)[: rules.n_interacting]
    covered, expanded = tokens.interaction([candidates.core_tokens, candidates.question_tokens], candidates.positions[first])
    if rules.interaction_weight:
        fused = promote(fused, first, np.float32(rules.interaction_weight) * min_max(expanded))
    return Ranked(fused, first, covered, expanded)


class Searcher:
    """Answers questions from the generation in use; notices a new one without a restart. Safe to share between threads.

    With ``generation`` it answers from that kept one, whichever is in use.
    """

    def __init__(self, settings: Settings, rules: RankingRules | None = None, *, generation: str = "") -> None:
        self.settings = settings
        self.rules = rules or RankingRules()
        self.generation = generation
        self.notice = ""
        self._index = Index.of(settings)
        self._lock = threading.Lock()
        # Questions wait for one of these threads: more at once than cores finish no sooner, and every thread that computes keeps
        # memory of its own, which never shrank while each session's thread did (docs/RELIABILITY.md, "Load").
        self._workers = ThreadPoolExecutor(settings.n_threads, thread_name_prefix="search")
        self._open: _Library | None = None
        self._answered: tuple[_Library | None, RankingRules, OrderedDict[tuple[str, int], Answers]] = (
            None,
            self.rules,
            OrderedDict(),
        )

    def ask(self, question: str, *, top: int = 5) -> Answers:
        """The passages that answer, best first, with the cautions beside them and, where sources differ, one for each side.

        Raises:
            QuestionError: for an empty question.
            IndexMissing, IndexDamaged, IndexMismatch, EngineError, ModelError, SettingsError: each with its remedy.
        """
        started = time.perf_counter()
        library = self._library()
        known = self._known(library)
        if (before := known.get((question, top))) is not None:
            return replace(before, milliseconds=(time.perf_counter() - started) * 1000)
        found = self._find(library, question)
        confidence = library.judge.confidence(self._signals(library, found))
        hits = self._hits(library, found, top)
        answers = Answers(
            question=found.understood.reading.question,
            reading=found.understood.reading,
            outcome=self._outcome(library.judge, confidence),
            confidence=confidence,
            hits=hits,
            cautions=self._cautions(library, found),
            differing=_differing(found.understood.core, hits),
            generation=library.generation.generation_id,
            milliseconds=(time.perf_counter() - started) * 1000,
        )
        with self._lock:
            known[question, top] = answers
            while len(known) > _MOST_KNOWN:
                known.popitem(last=False)
        return answers

    def _known(self, library: _Library) -> OrderedDict[tuple[str, int], Answers]:
        """The last answers from this generation under these rules: a page asks again whenever something on it is touched."""
        with self._lock:
            if self._answered[0] is not library or self._answered[1] is not self.rules:
                self._answered = (library, self.rules, OrderedDict())
            return self._answered[2]

    def near(self, question: str, *, top: int) -> list[Hit]:
        """The first passages by the search alone, for those who read them all: without the reranker and the judge.

        Raises:
            As ``ask``.
        """
        library = self._library()
        return list(self._hits(library, self._find(library, question, replace(self.rules, reranker_weight=0.0)), top))

    def signals(self, question: str) -> Signals:
        """What the judge of answerability sees of a question.

        Raises:
            As ``ask``.
        """
        library = self._library()
        return self._signals(library, self._find(library, question))

    def rank_passages(self, question: str, n: int) -> list[tuple[Passage, float]]:
        """The first ``n`` candidates with their relevance, best first, before reprints are merged and sources spread.

        Raises:
            As ``ask``.
        """
        found = self._find(self._library(), question)
        return [(found.passages[number], float(found.relevance[number])) for number in found.order[:n]]

    def rank_documents(self, question: str, n: int) -> list[tuple[str, float]]:
        """Ids of the first ``n`` documents by their best passage, with its relevance.

        Raises:
            As ``ask``.
        """
        found = self._find(self._library(), question)
        best: dict[str, float] = {}
        for number in found.order:
            best.setdefault(found.passages[number].document_id, float(found.relevance[number]))
        return list(best.items())[:n]

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

    @property
    def encoder(self) -> Encoder:
        """The encoder that the generation in use was made with, for those who compare texts of their own with it."""
        return self._library().encoder

    # ------------------------------------------------------------------------------------------------- the stages

    def _find(self, library: _Library, question: str, rules: RankingRules | None = None) -> _Found:
        return self._workers.submit(_found, library, question, rules or self.rules).result()

    def _signals(self, library: _Library, found: _Found) -> Signals:
        lexical = library.generation.lexical
        terms = list(dict.fromkeys(terms_of(found.understood.core)))
        top = [found.passages[number] for number in found.order[:3]]
        return signals_of(
            found.candidates.sentence_similarity,
            found.candidates.passage_similarity,
            terms,
            {term: lexical.rarity(term) for term in terms},
            {term for term in terms if not lexical.n_holding(term)},
            [set(terms_of(_headed(library, passage))) for passage in top],
            [_is_named(concept, lexical) for concept in found.understood.concepts],
            TokenCoverage(
                found.ranked.coverage, found.ranked.expanded_coverage, _nearest_tokens(library.generation.tokens, found)
            ),
            found.ranked.stated,
        )

    def _outcome(self, judge: Judge, confidence: float) -> Outcome:
        answered_from = self.settings.strictness or judge.answered_from
        if confidence >= answered_from:
            return "answered"
        return "related" if confidence >= min(judge.related_from, answered_from) else "nothing"

    def _hits(self, library: _Library, found: _Found, top: int) -> tuple[Hit, ...]:
        # Look a little further than asked, so that merging reprints and spreading sources leaves enough.
        order = found.order[: top * 3 + 10]
        groups = merge_identical([found.passages[number].text for number in order])
        leaders = [order[group[0]] for group in groups]
        twins = {order[group[0]]: [order[place] for place in group[1:]] for group in groups}
        spread = spread_sources(
            [found.passages[number].document_id for number in leaders], most=self.rules.most_of_one_source, first=top
        )
        chosen = [leaders[place] for place in spread][:top]
        return tuple(
            self._hit(
                library,
                found,
                number,
                place,
                tuple(library.metadata[found.passages[twin].document_id][0] for twin in twins[number]),
            )
            for place, number in enumerate(chosen, start=1)
        )

    def _hit(self, library: _Library, found: _Found, number: int, place: int, also_in: tuple[str, ...]) -> Hit:
        candidates, passage = found.candidates, found.passages[number]
        path, metadata = library.metadata[passage.document_id]
        return Hit(
            rank=place,
            passage=passage,
            path=path,
            metadata=metadata,
            answer=_sentence(passage, max(int(candidates.best_sentence[number]), 0)),
            similarity=float(max(candidates.sentence_similarity[number], candidates.passage_similarity[number])),
            relevance=float(found.relevance[number]),
            lead_in=_lead_in(library, passage),
            also_in=also_in,
        )

    def _cautions(self, library: _Library, found: _Found) -> tuple[Hit, ...]:
        """The passages that say who should not have the treatment, those nearest to the question first, one a source."""
        if not len(library.caution_positions):
            return ()
        near = library.caution_vectors @ found.candidates.query
        # A list names the people; a sentence often says no more than "ask your doctor".
        lists = np.array(["\n" in passage.text for passage in library.cautions])
        together = 0.5 * near + 0.5 * library.caution_similarity + np.where(lists, np.float32(0.15), np.float32(0.0))
        hits: list[Hit] = []
        sources: set[str] = set()
        for number in np.lexsort((library.caution_positions, -together)):
            if together[number] < self.rules.caution_from or len(hits) == self.rules.n_cautions:
                break
            passage = library.cautions[int(number)]
            if passage.document_id in sources:
                continue
            sources.add(passage.document_id)
            path, metadata = library.metadata[passage.document_id]
            similarity, relevance = float(near[number]), float(together[number])
            hits.append(
                Hit(
                    len(hits) + 1,
                    passage,
                    path,
                    metadata,
                    _sentence(passage, caution_in(passage)),
                    similarity,
                    relevance,
                    _lead_in(library, passage),
                )
            )
        return tuple(hits)

    def _library(self) -> _Library:
        """The generation that the pointer names now, opened once."""
        with self._lock:
            state = _pointer_state(self._index)
            if self._open is None or self._open.state != state:
                generation, notice = (self._index.open(self.generation), "") if self.generation else self._index.open_good()
                self.notice = " ".join(part for part in (notice, _model_notice(self.settings, generation)) if part)
                self._open = _open_library(self.settings, self._index, generation, state, self._open)
            return self._open


# ------------------------------------------------------------------------------------------------------- its parts


@dataclass(frozen=True, slots=True)
class _Found:
    understood: Understood
    candidates: Candidates
    passages: Sequence[Passage]
    ranked: Ranked
    order: list[int]

    @property
    def relevance(self) -> Floats:
        return self.ranked.relevance


@dataclass(frozen=True, slots=True)
class _Library:
    """One generation, open, with everything that answering from it needs."""

    state: tuple[int, int]
    generation: Generation
    encoder: Encoder
    reranker: Reranker | None
    glossary: Glossary
    speller: Speller
    judge: Judge
    metadata: Mapping[str, tuple[str, Metadata]]
    cautions: Sequence[Passage]
    caution_positions: NDArray[np.int64]
    caution_vectors: Floats
    caution_similarity: Floats


def _found(library: _Library, question: str, rules: RankingRules) -> _Found:
    understood = understand(question, library.glossary, library.speller, rules)
    candidates = retrieve(understood, library.generation, library.encoder, rules)
    passages = library.generation.catalogue.passages_at([int(position) for position in candidates.positions])
    ranked = rank(understood.core, candidates, passages, library.generation.tokens, rules)
    if library.reranker is not None and rules.reranker_weight:
        ranked = _rerank(library, library.reranker, understood, passages, ranked, rules)
    return _Found(understood, candidates, passages, ranked, [int(number) for number in best_first(ranked.relevance)])


def _rerank(
    library: _Library,
    reranker: Reranker,
    understood: Understood,
    passages: Sequence[Passage],
    ranked: Ranked,
    rules: RankingRules,
) -> Ranked:
    """The same with the reranker's word on the first candidates added."""
    first = best_first(ranked.relevance)[: rules.n_reranked]
    stated = reranker.relevance(understood.text, [_headed(library, passages[int(number)]) for number in first])
    # The logarithm of the probability: it sets back what does not state the answer and leaves the rest in its order.
    more = np.float32(-rules.reranker_weight) * np.logaddexp(np.float32(0), -stated)
    return replace(ranked, relevance=promote(ranked.relevance, first, more), stated=stated)


def _open_library(
    settings: Settings, index: Index, generation: Generation, state: tuple[int, int], before: _Library | None
) -> _Library:
    """Everything for a generation; the models of the one ``before`` serve on where they are the same."""
    model = generation.manifest["model"]
    if before is not None and before.encoder.sha256 == model["sha256"]:
        encoder = before.encoder
    else:
        encoder = OnnxEncoder(export_folder(index.exports, model["sha256"]), n_threads=settings.n_threads)
    glossary = load_glossary(settings.practice / "glossary.yml")
    positions = np.array(generation.catalogue.positions_of("caution"), dtype=np.int64)
    units = np.flatnonzero((generation.units.sentences == WHOLE_PASSAGE) & np.isin(generation.units.passages, positions))
    vectors = generation.vectors.at(units)
    reranker = before.reranker if before is not None else open_reranker(settings.reranker, n_threads=settings.n_threads)
    return _Library(
        state=state,
        generation=generation,
        encoder=encoder,
        reranker=reranker,
        glossary=glossary,
        speller=Speller(generation.word_counts, glossary.words),
        judge=judge_for(reranker.sha256 if reranker is not None else ""),
        metadata=generation.catalogue.metadata(),
        cautions=generation.catalogue.passages_at([int(position) for position in positions]),
        caution_positions=positions,
        caution_vectors=vectors,
        caution_similarity=vectors @ encoder.embed([_CAUTION_QUESTION])[0],
    )


def _model_notice(settings: Settings, generation: Generation) -> str:
    """Names an index that another model made than the settings ask for; it answers all the same, by its own model's export."""
    folder, name = find_model(settings.model)
    if model_sha256(folder, name) == generation.manifest["model"]["sha256"]:
        return ""
    made_by = generation.manifest["model"]["name"]
    return f"The index was made by the model {made_by}, the settings name {name}. Run: python ingest.py"


def _pointer_state(index: Index) -> tuple[int, int]:
    try:
        status = (index.root / "current.json").stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)


def _nearest_tokens(tokens: TokenVectors, found: _Found) -> Floats:
    """The cosine of each of the question's tokens to the nearest one of the first passage, shape (n_tokens,)."""
    asked = found.candidates.core_tokens
    if not found.order:
        return asked[:0, 0]
    first = tokens.of(int(found.candidates.positions[found.order[0]]))
    nearest: Floats = (asked @ first.T).max(axis=1, initial=0.0)
    return nearest


def _is_named(concept: Entry, lexical: Postings) -> bool:
    """Whether the corpus has all the words of the concept's term or of something said for it."""
    phrases = (terms_of(phrase) for phrase in (concept.term, *concept.says))
    return any(phrase and all(lexical.n_holding(term) for term in phrase) for phrase in phrases)


def _sentence(passage: Passage, ordinal: int) -> Answer:
    span = passage.sentences[ordinal]
    return Answer(span.start, span.end, passage.text[span.start - passage.start : span.end - passage.start])


def _headed(library: _Library, passage: Passage) -> str:
    return headed(library.metadata[passage.document_id][1].title, passage, _lead_in(library, passage))


def _lead_in(library: _Library, passage: Passage) -> str:
    if passage.lead_in is None:
        return ""
    document = library.generation.catalogue.document(passage.document_id)
    return document.lead_in_of(passage) if document else ""


def _differing(question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits that take different sides on what was asked, each marked at the sentence that does."""
    sentences = [[_sentence(hit.passage, n).text for n in range(len(hit.passage.sentences))] for hit in hits]
    statements = find_differences(question, sentences, [hit.passage.document_id for hit in hits])
    return tuple(
        replace(hits[s.passage], answer=_sentence(hits[s.passage].passage, s.sentence), rank=place)
        for place, s in enumerate(statements, start=1)
    )
