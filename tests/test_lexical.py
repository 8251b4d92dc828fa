"""BM25 by hand, its words, and an index that opens as it was saved."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.lexical import K1, B, LexicalIndex, PassageTerms, terms_of, words_of

PASSAGES = [["redness", "fade"], ["redness", "redness", "last", "day"], ["keloid"], []]
TERMS = st.sampled_from(["redness", "fade", "keloid", "acn", "co2", "1.5", "ß", "皮膚"])


def _bm25(term: str, passages: list[list[str]], number: int) -> float:
    """Lucene's BM25 of one term: idf * tf / (tf + k1 * (1 - b + b * length / mean length))."""
    n_holding = sum(term in passage for passage in passages)
    idf = math.log(1 + (len(passages) - n_holding + 0.5) / (n_holding + 0.5))
    frequency = passages[number].count(term)
    mean = sum(map(len, passages)) / len(passages)
    return idf * frequency / (frequency + K1 * (1 - B + B * len(passages[number]) / mean))


def _index(passages: list[list[str]]) -> LexicalIndex:
    return LexicalIndex.build(PassageTerms.of(passages))


def test_relevance_by_hand() -> None:
    """Four passages of 2, 4, 1 and 0 terms, 1.75 on average; "redness" stands in two of them, once and twice."""
    found = _index(PASSAGES).relevance({"redness": 1.0})
    assert (found.shape, found.dtype) == ((4,), np.float32)
    assert found.tolist() == pytest.approx([_bm25("redness", PASSAGES, number) for number in range(4)], abs=1e-6)
    assert found[2] == found[3] == 0


@given(passages=st.lists(st.lists(TERMS, max_size=6), min_size=1, max_size=8).filter(any))
def test_the_postings_are_those_of_the_library_that_reads_them(passages: list[list[str]]) -> None:
    terms = PassageTerms.of(passages)
    theirs = bm25s.BM25(method="lucene", k1=K1, b=B)
    ids = [terms.numbers[start:end].tolist() for start, end in itertools.pairwise(terms.starts)]
    theirs.index((ids, {term: number for number, term in enumerate(terms.vocabulary)}), show_progress=False)
    ours = LexicalIndex.build(terms)._bm25
    assert ours.scores.keys() == theirs.scores.keys() and vars(ours).keys() == vars(theirs).keys()
    for name in ("indptr", "indices", "data"):
        assert ours.scores[name].dtype == theirs.scores[name].dtype, name
        np.testing.assert_allclose(ours.scores[name], theirs.scores[name][: len(ours.scores[name])], atol=1e-6)


def test_weights_count_and_terms_add_up() -> None:
    index = _index(PASSAGES)
    whole = index.relevance({"redness": 1.0, "fade": 0.5, "keloid": 1.0})
    parts = index.relevance({"redness": 1.0}) + 0.5 * index.relevance({"fade": 1.0}) + index.relevance({"keloid": 1.0})
    np.testing.assert_allclose(whole, parts, atol=1e-6)


def test_unknown_terms_and_no_terms_count_nothing() -> None:
    index = _index(PASSAGES)
    assert index.relevance({}).tolist() == index.relevance({"tungsten": 1.0}).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("passages", [[], [[]], [[], []]])
def test_an_index_without_terms_is_no_error(passages: list[list[str]], tmp_path: Path) -> None:
    index = _index(passages)
    index.save(tmp_path / "lexical")
    for opened in (index, LexicalIndex.open(tmp_path / "lexical")):
        assert opened.relevance({"redness": 1.0}).tolist() == [0] * len(passages)


@pytest.mark.parametrize("passages", [[["a"], []], [[], ["a"]], [[], [], ["a"], [], []]])
def test_passages_without_terms_keep_their_places(passages: list[list[str]]) -> None:
    """A passage of stop words alone, first, last or between."""
    found = _index(passages).relevance({"a": 1.0})
    assert [value > 0 for value in found] == [bool(passage) for passage in passages]


@given(passages=st.lists(st.lists(TERMS, max_size=6), max_size=8), asked=st.dictionaries(TERMS, st.sampled_from([0.5, 1.0, 2.0])))
def test_an_index_opens_as_it_was_saved(
    passages: list[list[str]], asked: dict[str, float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    built = _index(passages)
    folder = tmp_path_factory.mktemp("lexical")
    built.save(folder)
    opened = LexicalIndex.open(folder)
    assert (opened.relevance(asked) == built.relevance(asked)).all()
    for number, found in enumerate(built.relevance(asked).tolist()):
        expected = sum(weight * _bm25(term, passages, number) for term, weight in asked.items() if term in passages[number])
        assert found == pytest.approx(expected, abs=1e-5)
    for term in asked:
        holding = sum(term in passage for passage in passages)
        assert opened.n_holding(term) == built.n_holding(term) == holding
        assert opened.rarity(term) == pytest.approx(math.log(1 + (len(passages) - holding + 0.5) / (holding + 0.5)))


@given(passages=st.lists(st.lists(TERMS, max_size=6), max_size=8))
def test_the_same_passages_give_the_same_bytes(passages: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> None:
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    _index(passages).save(one)
    _index(passages).save(other)
    assert {path.name: path.read_bytes() for path in one.iterdir()} == {path.name: path.read_bytes() for path in other.iterdir()}


@given(
    passages=st.lists(st.lists(TERMS, max_size=6), max_size=8),
    cuts=st.lists(st.integers(0, 8), max_size=3),
    fresh=st.lists(st.lists(TERMS, max_size=6), max_size=3),
)
def test_parts_joined_are_the_terms_of_all(
    passages: list[list[str]], cuts: list[int], fresh: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Cut anywhere, one part left out, others put between: as if the terms of what is there now had been given at once."""
    folder = tmp_path_factory.mktemp("terms")
    PassageTerms.of(passages).save(folder)
    whole = PassageTerms.open(folder)
    places = sorted({0, len(passages), *(min(cut, len(passages)) for cut in cuts)})
    kept = list(itertools.pairwise(places))[1:]
    joined = PassageTerms.joined([PassageTerms.of(fresh), *(whole.part(range(*part)) for part in kept)])
    expected = PassageTerms.of(fresh + [terms for part in kept for terms in passages[slice(*part)]])
    assert (joined.vocabulary, joined.starts.tolist(), joined.numbers.tolist()) == (
        expected.vocabulary,
        expected.starts.tolist(),
        expected.numbers.tolist(),
    )
    assert (joined.starts.dtype, joined.numbers.dtype) == (np.int64, np.int32)


@given(passages=st.lists(st.lists(TERMS, max_size=6), max_size=8), term=TERMS)
def test_the_weights_of_the_passages_are_what_their_terms_add(passages: list[list[str]], term: str) -> None:
    """An engine that keeps the weights elsewhere adds them up again."""
    index = _index(passages)
    starts, numbers, weights = index.weights()
    assert len(starts) == len(passages) + 1 and len(numbers) == len(weights) == starts[-1]
    relevance = index.relevance({term: 1.0})
    for passage, held in enumerate(passages):
        place = slice(starts[passage], starts[passage + 1])
        by_term = {index.terms[number]: weight for number, weight in zip(numbers[place], weights[place], strict=True)}
        assert set(by_term) == set(held)
        assert by_term.get(term, 0.0) == relevance[passage]


def test_candidates_are_the_best_and_those_beside_them() -> None:
    """ "redness" stands in 0 and 1, and 1 holds it twice in twice the words; 3 holds nothing and is there because it is asked for."""
    index = _index(PASSAGES)
    beside = np.array([3])
    for n, expected in ((0, [3]), (2, [0, 1, 3]), (9, [0, 1, 3])):
        positions, relevance = index.candidates({"redness": 1.0}, n, beside)
        assert positions.tolist() == expected
        assert relevance.tolist() == index.relevance({"redness": 1.0})[expected].tolist()
    equal = _index([["same"]] * 4)
    assert equal.candidates({"same": 1.0}, 2, np.zeros(0, dtype=np.int64))[0].tolist() == [0, 1]


def test_words_lose_case_and_accents_and_keep_their_numbers() -> None:
    assert words_of("DÉCOLLETAGE, 0.5–2.5 mm; CO2 & A6S. Ångström ﬁne") == [
        "decolletage", "0.5", "2.5", "mm", "co2", "a6s", "angstrom", "fine",
    ]  # fmt: skip
    assert words_of("") == words_of(" — ?!") == []


def test_no_and_not_are_kept_because_they_turn_a_sentence_round() -> None:
    assert terms_of("It is not safe, and there is no cure.") == ["not", "safe", "no", "cure"]


def test_a_question_of_fillers_has_no_terms() -> None:
    assert terms_of("Hello, what is it about please?") == []


@given(text=st.text(max_size=80))
def test_any_text_has_words_and_terms_in_lower_case(text: str) -> None:
    for word in [*words_of(text), *terms_of(text)]:
        assert word
        assert not any(character.isspace() for character in word)
