"""A reranker in the search: it reads the first candidates, the judge hears of it, and who wants the plain search has it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from litsearch.ranking.answerability import MODEL_FILE, RERANKED_FILE, judge_for, load_judge
from litsearch.searching import RankingRules, Searcher
from litsearch.settings import Settings
from tests.test_cross_encoder import make

QUESTION = "Who should not have this treatment?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reranker that holds a text for an answer the shorter it is."""
    return make(tmp_path_factory.mktemp("reranker"), slope=-1.0, max_tokens=250)


def test_the_first_candidates_are_read_and_stay_before_the_others(committed_index: Settings, folder: Path):
    plain = Searcher(replace(committed_index, reranker="none"))
    searcher = Searcher(replace(committed_index, reranker=str(folder)), RankingRules(n_reranked=5, reranker_weight=100.0))
    before = [passage for passage, _ in plain.rank_passages(QUESTION, 20)]
    after = [passage for passage, _ in searcher.rank_passages(QUESTION, 20)]
    assert after[5:] == before[5:]
    assert {p.passage_id for p in after[:5]} == {p.passage_id for p in before[:5]}
    # Title and section are read as well, so the order by length of the text alone need not be the model's to the last place.
    assert len(after[0].text) == min(len(p.text) for p in before[:5])


def test_the_judge_hears_of_it(committed_index: Settings, folder: Path):
    told = Searcher(replace(committed_index, reranker=str(folder))).signals(QUESTION)
    assert 0 > told.stated > told.stated_three
    untold = Searcher(replace(committed_index, reranker="none")).signals(QUESTION)
    assert (untold.stated, untold.stated_three) == (0.0, 0.0)


def test_the_plain_search_is_there_for_those_who_read_everything(committed_index: Settings, folder: Path):
    plain = Searcher(replace(committed_index, reranker="none"))
    searcher = Searcher(replace(committed_index, reranker=str(folder)), RankingRules(reranker_weight=100.0))
    assert searcher.near(QUESTION, top=8) == list(plain.ask(QUESTION, top=8).hits)
    assert searcher.near(QUESTION, top=8) != list(searcher.ask(QUESTION, top=8).hits)


def test_the_same_question_is_answered_once_a_generation_and_rules(committed_index: Settings):
    searcher = Searcher(replace(committed_index, reranker="none"))
    first = searcher.ask(QUESTION)
    assert searcher.ask(QUESTION).hits is first.hits
    assert searcher.ask(QUESTION, top=2).hits == first.hits[:2] != first.hits
    searcher.rules = replace(searcher.rules, use_intent=False)
    under_others = searcher.ask(QUESTION)
    assert under_others.hits is not first.hits
    for number in range(64):
        searcher.ask(f"{QUESTION} {number}")
    again = searcher.ask(QUESTION)
    assert again.hits == under_others.hits and again.hits is not under_others.hits, "not more are held than 64"


def test_a_judge_serves_only_the_reranker_that_it_was_fitted_with():
    assert judge_for("") == judge_for("another") == load_judge(MODEL_FILE)
    if RERANKED_FILE.is_file():
        fitted = load_judge(RERANKED_FILE)
        assert judge_for(fitted.reranker_sha256) == fitted != load_judge(MODEL_FILE)
