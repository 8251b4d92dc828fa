"""The one door to BM25: words in, a relevance for every passage out."""

from __future__ import annotations

import json
import logging
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import bm25s
import numpy as np
import Stemmer
from numpy.typing import NDArray

# Numbers keep their decimals ("1.5"), names keep their digits ("co2", "a6s").
_WORD = re.compile(r"\d+(?:[.,]\d+)+|\w+")
# Words too common to tell passages apart; question words and fillers, not "no" or "not".
_STOP = frozenset(
    "a an and are as at be been being but by can could did do does for from had has have he her him his how i if in into is it its"
    " just me my of on or our she so some than that the their them then there these they this those to too was we were what when"
    " where which who whom why will with would you your am any about get got im ive also please hi hello thanks thank".split()
)
# Robertson's usual range; chosen on SciFact train and the dev questions (docs/RESULTS.md, "Lexical").
K1, B = 1.2, 0.75

# bm25s sets its logger to DEBUG when imported.
logging.getLogger("bm25s").setLevel(logging.WARNING)

_stemmer = Stemmer.Stemmer("english")


def words_of(text: str) -> list[str]:
    """The words of a text in lower case without accents, in order.

    >>> words_of("The Décolletage: 1.5 mm, CO2!")
    ['the', 'decolletage', '1.5', 'mm', 'co2']
    """
    plain = text.casefold()
    if not plain.isascii():
        plain = _NOT_ASCII.sub(_without_accent, unicodedata.normalize("NFKD", plain))
    return _WORD.findall(plain.replace("’", "'").replace("'s ", " "))


_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def _without_accent(character: re.Match[str]) -> str:
    return "" if unicodedata.combining(character[0]) else character[0]


def terms_of(text: str) -> list[str]:
    """The stemmed words of a text that can tell passages apart.

    >>> terms_of("What are the stretch marks on my bellies?")
    ['stretch', 'mark', 'belli']
    """
    return terms_among(words_of(text))


def terms_among(words: Sequence[str]) -> list[str]:
    """The terms of a text given by its words, as ``words_of`` gives them."""
    return list[str](_stemmer.stemWords([word for word in words if word not in _STOP]))


@dataclass(frozen=True, slots=True)
class PassageTerms:
    """The terms of passages in their order: those of passage ``i`` are ``vocabulary[numbers[starts[i]:starts[i + 1]]]``.

    ``vocabulary`` is sorted; ``starts`` int64, shape (n_passages + 1,); ``numbers`` int32, (starts[-1],).
    """

    vocabulary: Sequence[str]
    starts: NDArray[np.int64]
    numbers: NDArray[np.int32]

    @classmethod
    def of(cls, passages: Iterable[Sequence[str]]) -> PassageTerms:
        """Those of passages given as lists of terms.

        >>> PassageTerms.of([["scar", "acne", "scar"], []]).numbers.tolist()
        [1, 0, 1]
        """
        listed = list(passages)
        vocabulary = sorted({term for terms in listed for term in terms})
        place = {term: number for number, term in enumerate(vocabulary)}
        lengths = np.array([0, *map(len, listed)], dtype=np.int64)
        return cls(vocabulary, lengths.cumsum(), np.array([place[term] for terms in listed for term in terms], dtype=np.int32))

    @classmethod
    def joined(cls, parts: Sequence[PassageTerms]) -> PassageTerms:
        """The parts' passages one after the other, as if their terms had been given to ``of`` together.

        >>> whole = PassageTerms.of([["b"], ["a", "b"], ["c"]])
        >>> again = PassageTerms.joined([whole.part(range(1, 2)), PassageTerms.of([["b", "d"]])])
        >>> again.vocabulary, again.starts.tolist(), again.numbers.tolist()
        (['a', 'b', 'd'], [0, 2, 4], [0, 1, 1, 2])
        """
        used = [np.unique(part.numbers) for part in parts]
        vocabulary = sorted(
            {part.vocabulary[number] for part, of_part in zip(parts, used, strict=True) for number in of_part.tolist()}
        )
        place = {term: number for number, term in enumerate(vocabulary)}
        numbers = [np.zeros(0, dtype=np.int32)]
        for part, of_part in zip(parts, used, strict=True):
            there = np.zeros(len(part.vocabulary), dtype=np.int32)
            there[of_part] = [place[part.vocabulary[number]] for number in of_part.tolist()]
            numbers.append(there[part.numbers])
        lengths = np.concatenate([np.zeros(1, np.int64), *(np.diff(part.starts) for part in parts)])
        return cls(vocabulary, lengths.cumsum(), np.concatenate(numbers))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def part(self, passages: range) -> PassageTerms:
        """Those of passages that follow each other, with the vocabulary of all."""
        starts = self.starts[passages.start : passages.stop + 1]
        return PassageTerms(self.vocabulary, starts - starts[0], self.numbers[starts[0] : starts[-1]])

    def save(self, folder: Path) -> None:
        """Write them below ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "vocabulary.json").write_text(json.dumps(self.vocabulary), encoding="utf-8")
        np.save(folder / "starts.npy", self.starts, allow_pickle=False)
        np.save(folder / "numbers.npy", self.numbers, allow_pickle=False)

    @classmethod
    def open(cls, folder: Path) -> PassageTerms:
        """Open what ``save`` wrote."""
        vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        starts, numbers = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("starts", "numbers"))
        return cls(vocabulary, starts, numbers)


class LexicalIndex:
    """BM25 over passages; position ``i`` of every array is passage ``i``. Safe to share between threads once built."""

    def __init__(self, bm25: bm25s.BM25, vocabulary: Mapping[str, int], n_passages: int) -> None:
        self._bm25 = bm25
        self._vocabulary = vocabulary
        self._n_passages = n_passages

    @classmethod
    def build(cls, passages: PassageTerms) -> LexicalIndex:
        """An index over passages, of whose vocabulary each term stands in one; the same passages give the same postings.

        Lucene's BM25, as ``bm25s.BM25.index`` makes it, in a tenth of the time: every change of the library waits for it.
        """
        vocabulary = {term: number for number, term in enumerate(passages.vocabulary)}
        bm25 = bm25s.BM25(method="lucene", k1=K1, b=B)
        if not vocabulary:
            return cls(bm25, vocabulary, len(passages))
        n, lengths = len(passages), np.diff(passages.starts)
        stands_in = np.repeat(np.arange(n), lengths)
        # Each term with each passage that holds it once, by term and then by passage.
        pairs, counts = np.unique(passages.numbers.astype(np.int64) * n + stands_in, return_counts=True)
        terms, holders = np.divmod(pairs, n)
        n_holding = np.bincount(terms, minlength=len(vocabulary))
        rarity = np.array([rarity_of(holding, n) for holding in n_holding.tolist()])
        saturation = counts / (counts + K1 * (1 - B + B * lengths[holders] / lengths.mean()))
        bm25.scores = {
            "data": (rarity[terms] * saturation).astype(np.float32),
            "indices": holders.astype(np.int32),
            "indptr": np.concatenate([[0], n_holding.cumsum()]).astype(np.int64),
            "num_docs": n,
        }
        bm25.vocab_dict = dict(vocabulary)
        bm25.unique_token_ids_set = set(vocabulary.values())
        bm25.nonoccurrence_array = None
        return cls(bm25, vocabulary, n)

    def save(self, folder: Path) -> None:
        """Write the postings below ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        about = {"n_passages": self._n_passages, "n_terms": len(self._vocabulary)}
        (folder / "about.json").write_text(json.dumps(about, sort_keys=True), encoding="utf-8")
        if self._vocabulary:
            self._bm25.save(str(folder), corpus=None, show_progress=False)

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """Open what ``save`` wrote, memory-mapped."""
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        if not about["n_terms"]:
            return cls(bm25s.BM25(), {}, about["n_passages"])
        bm25 = bm25s.BM25.load(str(folder), mmap=True, load_corpus=False)
        return cls(bm25, bm25.vocab_dict, about["n_passages"])

    def relevance(self, weighted_terms: Mapping[str, float]) -> NDArray[np.float32]:
        """BM25 of every passage for weighted terms: float32, shape (n_passages,). Unknown terms count nothing."""
        total = np.zeros(self._n_passages, dtype=np.float32)
        for weight in sorted(set(weighted_terms.values())):
            known = [term for term, w in sorted(weighted_terms.items()) if w == weight and term in self._vocabulary]
            if known:
                total += np.float32(weight) * self._bm25.get_scores(known)[: self._n_passages]
        return total

    def candidates(
        self, weighted_terms: Mapping[str, float], n: int, beside: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The ``n`` passages of the highest BM25 for weighted terms together with those ``beside``: their positions, ascending,
        and the BM25 of each, both of shape (n',). Passages that hold no term are no candidates of their own; of equal ones the
        first come in.
        """
        relevance = self.relevance(weighted_terms)
        positions = np.union1d(beside, _largest(relevance, n)).astype(np.int64)
        return positions, relevance[positions]

    @property
    def terms(self) -> list[str]:
        """All terms, sorted; a term's number is its place here."""
        return sorted(self._vocabulary)

    def weights(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """What each term of each passage adds to its BM25 when it is asked for: ``starts``, shape (n_passages + 1,), and the numbers
        of the terms and what they add, both (n_postings,); those of passage ``i`` stand at ``starts[i]:starts[i + 1]``.
        """
        if not self._vocabulary:
            return np.zeros(self._n_passages + 1, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
        by_term = self._bm25.scores["indptr"][: len(self._vocabulary) + 1]
        passages, added = (self._bm25.scores[name][: by_term[-1]] for name in ("indices", "data"))
        order = np.argsort(passages, kind="stable")
        starts = np.searchsorted(passages[order], np.arange(self._n_passages + 1)).astype(np.int64)
        numbers = np.repeat(np.arange(len(self._vocabulary)), np.diff(by_term))
        return starts, numbers[order], np.asarray(added[order], dtype=np.float32)

    def n_holding(self, term: str) -> int:
        """In how many passages the term stands."""
        number = self._vocabulary.get(term)
        if number is None:
            return 0
        starts = self._bm25.scores["indptr"]
        return int(starts[number + 1] - starts[number])

    def rarity(self, term: str) -> float:
        """How much a term tells: BM25's inverse document frequency, highest for a term that no passage holds."""
        return rarity_of(self.n_holding(term), self._n_passages)


def _largest(relevance: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """The places of the ``n`` largest values above zero, in no order; of equal ones the first come in.

    Without sorting them all: of a million passages a common word stands in a good part.

    >>> sorted(_largest(np.array([0, 2, 1, 3, 1], dtype=np.float32), 3).tolist())
    [1, 2, 3]
    """
    holding = np.flatnonzero(relevance > 0)
    if len(holding) <= n:
        return holding
    values = relevance[holding]
    last = np.partition(values, -n)[-n] if n else np.inf
    above = holding[values > last]
    return np.concatenate([above, holding[values == last][: n - len(above)]])


def rarity_of(n_holding: int, n_passages: int) -> float:
    """BM25's inverse document frequency of a term that stands in ``n_holding`` of ``n_passages`` passages.

    >>> round(rarity_of(1, 3), 3)  # ln(1 + 2.5 / 1.5)
    0.981
    """
    return math.log(1 + (n_passages - n_holding + 0.5) / (n_holding + 0.5))
