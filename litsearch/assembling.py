"""What a generation's vectors and postings are made of: articles read now, and those of the generation before that did not change."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from litsearch.catalogue import Articles, Stretch
from litsearch.embedding import Encoder
from litsearch.engines import Positions
from litsearch.engines.tokens import Kept, Packed, pack
from litsearch.index import WHOLE_PASSAGE, Contents, Generation, Units
from litsearch.lexical import PassageTerms, terms_among, words_of
from litsearch.passages import headed
from litsearch.records import Document, Passage
from litsearch.workers import Embedding

# Goes up when the texts that are embedded or indexed for the same passage change their form.
FORM_VERSION = 2
# The stage, how many are done, of how many.
Progress = Callable[[str, int, int], None]

_NEW = -1


def assemble(
    parts: Sequence[Articles | Stretch],
    previous: Generation | None,
    encoder: Encoder,
    embedding: Embedding,
    manifest: Mapping[str, Any],
    progress: Progress,
) -> tuple[Contents, int]:
    """What goes into the generation of a ``manifest``, from articles in their order, and how many texts were embedded for it.

    Stretches are those of the ``previous`` generation. What it has of the same model is taken over, whatever article it stands in.
    """
    if previous is not None and previous.manifest["model"]["sha256"] != encoder.sha256:
        previous = None  # another model's vectors say nothing here, and may have other dimensions
    known = {row.tobytes(): number for number, row in enumerate(previous.unit_hashes)} if previous is not None else {}
    portions = [_portion(part, previous, known) for part in parts]
    units = _joined([portion.units for portion in portions])
    hashes = np.concatenate([portion.hashes for portion in portions])
    sources = np.concatenate([portion.sources for portion in portions])
    texts = [text for portion in portions for text in portion.texts]
    tokens, places = _tokens(units, sources, previous, encoder.token_dimensions)
    if previous is None:
        vectors = np.zeros((len(sources), encoder.dimensions), dtype=np.float32)
    else:
        vectors = previous.vectors.at(np.maximum(sources, 0))  # rows of new texts hold another's vector until their own is there
    # The same text is embedded once, wherever it stands; passages come first.
    alike: dict[bytes, list[int]] = {}
    for number in np.flatnonzero(sources == _NEW).tolist():
        alike.setdefault(hashes[number].tobytes(), []).append(number)
    new = sorted(alike.values(), key=lambda numbers: numbers[0] not in places)
    n_whole = sum(numbers[0] in places for numbers in new)
    embedded = embedding([texts[numbers[0]] for numbers in new], n_whole, lambda done: progress("embedding", done, len(new)))
    for which, vector, packed in embedded:
        vectors[new[which]] = vector
        if packed is not None:
            for number in new[which]:
                tokens[places[number]] = packed
    terms = PassageTerms.joined([portion.terms for portion in portions])
    counts = _word_counts(parts, portions, previous)
    return Contents(parts, units, hashes, vectors, tokens, terms, counts, manifest, previous), len(new)


# -------------------------------------------------------------------------------------------------------- portions


@dataclass(frozen=True, slots=True)
class _Portion:
    """What one part of the library brings: ``units`` that count its passages from 0; by unit the ``hashes``, uint8, shape (n, 16), the
    ``sources``, where the previous generation has its vector or ``_NEW``, and the ``texts``, empty where they are not needed.

    ``words`` are counted in articles that were read now alone.
    """

    units: Units
    hashes: NDArray[np.uint8]
    sources: Positions
    texts: Sequence[str]
    terms: PassageTerms
    words: Counter[str]


def _portion(part: Articles | Stretch, previous: Generation | None, known: Mapping[bytes, int]) -> _Portion:
    if isinstance(part, Articles):
        return _read_now(part, known)
    if previous is None:
        raise ValueError(f"{part} is of no generation")
    return _taken_over(part, previous)


def _taken_over(stretch: Stretch, previous: Generation) -> _Portion:
    first, last = np.searchsorted(previous.units.passages, [stretch.passages.start, stretch.passages.stop]).tolist()
    there = slice(first, last)
    units = Units(previous.units.passages[there] - np.int32(stretch.passages.start), previous.units.sentences[there])
    terms = previous.terms.part(stretch.passages)
    return _Portion(units, previous.unit_hashes[there], np.arange(first, last), [""] * (last - first), terms, Counter())


def _read_now(articles: Articles, known: Mapping[bytes, int]) -> _Portion:
    texts, units = units_of(articles.documents, articles.passages)
    hashes = list(map(_hash, texts, units.sentences.tolist()))
    sources = np.array([known.get(key, _NEW) for key in hashes], dtype=np.int64)
    words = _words(texts, units)
    table = np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(len(hashes), -1)
    counts = Counter(word for of_passage in words for word in of_passage)
    return _Portion(units, table, sources, texts, PassageTerms.of(map(terms_among, words)), counts)


def units_of(documents: Sequence[Document], passages: Sequence[Passage]) -> tuple[list[str], Units]:
    """The texts to embed: every passage under its article's title and section, and every sentence of it by itself.

    A list's lead-in goes before each. A heading helps a passage and misleads a sentence (docs/RESULTS.md, "Units").
    """
    by_id = {document.document_id: document for document in documents}
    texts: list[str] = []
    rows: list[tuple[int, int]] = []
    for position, passage in enumerate(passages):
        document = by_id[passage.document_id]
        lead_in = document.lead_in_of(passage)
        texts.append(headed(document.metadata.title, passage, lead_in))
        rows.append((position, WHOLE_PASSAGE))
        for number, sentence in enumerate(passage.sentences):
            said = document.text[sentence.start : sentence.end]
            texts.append(f"{lead_in} {said}" if lead_in else said)
            rows.append((position, number))
    table = np.array(rows, dtype=np.int32).reshape(-1, 2)
    return texts, Units(table[:, 0].copy(), table[:, 1].copy())


def _hash(text: str, sentence: int) -> bytes:
    # A passage keeps token vectors as well, so it is another thing than a sentence of the same words.
    kind = b"passage" if sentence == WHOLE_PASSAGE else b"sentence"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, person=kind).digest()


def _words(texts: Sequence[str], units: Units) -> list[list[str]]:
    """The words of each passage: BM25 sees it as the encoder does."""
    return [words_of(texts[number]) for number in np.flatnonzero(units.sentences == WHOLE_PASSAGE).tolist()]


# --------------------------------------------------------------------------------------------------------- joining


def _joined(parts: Sequence[Units]) -> Units:
    firsts = np.cumsum([0, *(part.passages[-1] + 1 for part in parts[:-1])]).astype(np.int32)
    passages = [part.passages + first for part, first in zip(parts, firsts, strict=True)]
    return Units(np.concatenate(passages), np.concatenate([part.sentences for part in parts]))


def _tokens(
    units: Units, sources: Positions, previous: Generation | None, dimensions: int
) -> tuple[list[Packed | Kept], dict[int, int]]:
    """The token vectors of all passages in their order, and which of them are still to be filled in, by the number of the unit.

    Passages that follow each other in the previous generation too are one part.
    """
    whole = np.flatnonzero(units.sentences == WHOLE_PASSAGE)
    there = np.full(len(whole), _NEW)
    if previous is not None:
        has = sources[whole] != _NEW
        there[has] = previous.units.passages[sources[whole][has]]
    breaks = np.flatnonzero((np.diff(there) != 1) | (there[:-1] == _NEW)) + 1
    tokens: list[Packed | Kept] = []
    places: dict[int, int] = {}
    for run in np.split(np.arange(len(whole)), breaks):
        first = int(there[run[0]])
        if previous is None or first == _NEW:
            places[int(whole[run[0]])] = len(tokens)
            tokens.append(pack(np.zeros((0, dimensions), dtype=np.float32)))
        else:
            tokens.append(previous.tokens.kept(range(first, first + len(run))))
    return tokens, places


def _word_counts(
    parts: Sequence[Articles | Stretch], portions: Sequence[_Portion], previous: Generation | None
) -> Mapping[str, int]:
    """How often each word stands in the library: what the previous generation counted, without the articles that went."""
    counts: Counter[str] = Counter()
    stretches = [part for part in parts if isinstance(part, Stretch)]
    if previous is not None and stretches:
        counts.update(previous.word_counts)
        for gone in _gone(stretches, previous):
            articles = previous.catalogue.articles(gone)
            for of_passage in _words(*units_of(articles.documents, articles.passages)):
                counts.subtract(of_passage)
    for portion in portions:
        counts.update(portion.words)
    return +counts


def _gone(kept: Sequence[Stretch], previous: Generation) -> Iterator[Stretch]:
    """What lies between the stretches of the previous generation that are kept."""
    documents = passages = 0
    n_documents, n_passages = previous.manifest["n_documents"], previous.manifest["n_passages"]
    end = Stretch(range(n_documents, n_documents), range(n_passages, n_passages))
    for stretch in [*sorted(kept, key=lambda one: one.documents.start), end]:
        if stretch.documents.start > documents:
            yield Stretch(range(documents, stretch.documents.start), range(passages, stretch.passages.start))
        documents, passages = stretch.documents.stop, stretch.passages.stop
