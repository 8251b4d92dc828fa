"""The quality tables: stages grow into the default, the oracle bounds them, and only the marked part of the file is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from litsearch.evaluation.indexes import Bench, Remembering, build_index
from litsearch.evaluation.quality import Corpus, Measured, group_table, measure, refusal_rows, report, stage_table, stages
from litsearch.evaluation.questions import Asked, Gold, Question
from litsearch.evaluation.results import made_from, table, write_part
from litsearch.ingesting import ingest
from litsearch.records import Outcome
from litsearch.searching import RankingRules, Searcher
from litsearch.settings import Settings
from litsearch.testing import FakeEncoder
from tests.conftest import ARTICLE


def question(text: str, gold: str = "", *, near: bool = False) -> Question:
    golds = (Gold("scars.md", gold),) if gold else ()
    return Question(text, "tiny", text, "results", ("plain",), bool(gold), near, golds)


QUESTIONS = [
    question("What does needling do to collagen?", "The skin then makes new collagen."),
    question("Who should see a doctor first?", "a tendency to form keloids"),
    question("Can I go with eczema?", "active acne or eczema"),
    question("What does a session cost?", near=True),
    question("Who won the cup?"),
]


def asked(rank: int, confidence: float, *, answerable: bool = True, near: bool = False, outcome: Outcome = "answered") -> Asked:
    return Asked(question(f"{rank} {confidence}", "x" if answerable else "", near=near), rank, rank, confidence, outcome)


@pytest.fixture
def tiny(real_settings: Callable[[Path], Settings], tmp_path: Path) -> Corpus:
    (tmp_path / "scars.md").write_text(ARTICLE)
    (tmp_path / "long.md").write_text("# Weather\n\n" + "Rain fell on the hills all day long. " * 8 + "\n")
    settings = real_settings(tmp_path)
    ingest(settings)
    bench = Bench(settings)
    return Corpus("tiny", bench, QUESTIONS, {document_id: path for document_id, path, _ in bench.articles()})


@pytest.mark.parametrize("reranker", [False, True])
def test_the_last_stage_is_what_readers_get(reranker: bool) -> None:
    default = RankingRules()
    last = stages(reranker=reranker)[-1].rules
    differing = {f.name for f in fields(RankingRules) if getattr(last, f.name) != getattr(default, f.name)}
    assert differing <= (set() if reranker else {"reranker_weight"})


def test_each_stage_changes_something() -> None:
    found = [stage.rules for stage in stages(reranker=True)]
    assert all(one != following for one, following in pairwise(found))
    assert not found[0].use_spelling and not found[0].use_glossary and not found[0].role_weights


def test_no_stage_beats_the_oracle_and_the_trivial_one_is_beaten(tiny: Corpus) -> None:
    rows = measure(tiny, lambda line: None)
    hits = {row.name: sum(a.rank == 1 for a in row.asked) for row in rows}
    oracle = next(n for name, n in hits.items() if name.startswith("oracle"))
    trivial = next(n for name, n in hits.items() if name.startswith("trivial"))
    default = next(n for name, n in hits.items() if name.endswith("(default)"))
    assert all(n <= oracle for n in hits.values())
    assert oracle == 3
    assert trivial == 0, "the longest passage is about the weather"
    assert default >= 2


def test_the_report_has_every_stage_and_the_circumstances(tiny: Corpus) -> None:
    rows = measure(tiny, lambda line: None)
    text = report([tiny], {"tiny": rows}, 2)
    assert all(f"| {row.name} |" in text for row in rows)
    manifest = tiny.bench.manifest()
    assert manifest["generation"] in text
    assert manifest["model"]["sha256"][:16] in text
    assert "2 threads" in text


def test_the_bench_ranks_as_the_search_does(tiny: Corpus) -> None:
    plain = Searcher(tiny.bench.settings)
    for q in QUESTIONS:
        ours, theirs = tiny.bench.ask(q.text), plain.ask(q.text)
        assert [hit.passage.passage_id for hit in ours.hits] == [hit.passage.passage_id for hit in theirs.hits]
        assert ours.confidence == theirs.confidence


def test_rules_changed_between_stages_count_at_once(tiny: Corpus) -> None:
    """The last ranking is remembered; under other rules it must not be."""
    text = "What does needling do to collagen?"
    before = tiny.bench.rank_passages(text, 5)
    tiny.bench.rules = RankingRules(sentence_weight=0, passage_weight=0, lexical_weight=1, interaction_weight=0, role_weights={})
    after = tiny.bench.rank_passages(text, 5)
    tiny.bench.rules = RankingRules()
    assert [relevance for _, relevance in before] != [relevance for _, relevance in after]
    assert tiny.bench.rank_passages(text, 5) == before


def test_documents_stand_where_their_best_passage_stands(tiny: Corpus) -> None:
    passages = tiny.bench.rank_passages("Who should see a doctor first?", 100)
    documents = tiny.bench.rank_documents("Who should see a doctor first?", 100)
    assert [document_id for document_id, _ in documents] == list(dict.fromkeys(p.document_id for p, _ in passages))
    assert documents[0][1] == passages[0][1]
    assert len(tiny.bench.rank_documents("Who should see a doctor first?", 1)) == 1


def test_a_text_is_embedded_once() -> None:
    fake = FakeEncoder()
    remembering = Remembering(fake)
    first = remembering.embed_tokens(["red skin", "sore"])
    again = remembering.embed_tokens(["sore", "red skin", "sore"])
    assert fake.embedded == ["red skin", "sore"]
    assert np.array_equal(again[0], first[0][[1, 0, 1]])
    assert np.array_equal(again[1][1], first[1][0])
    assert remembering.embed_tokens([])[0].shape == (0, fake.dimensions)


def test_an_index_is_made_for_the_corpus_named(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "scars.md").write_text(ARTICLE)
    (tmp_path / "own" / "models").mkdir(parents=True)
    settings = build_index(Settings(index=tmp_path / "own"), tmp_path / "corpus", tmp_path / "new", encoder=FakeEncoder())
    assert settings.index == tmp_path / "new"
    assert (tmp_path / "new" / "current.json").is_file()
    assert not (tmp_path / "own" / "current.json").exists()
    assert (tmp_path / "new" / "models").resolve() == (tmp_path / "own" / "models").resolve()


def test_false_refusals_and_answers_by_hand() -> None:
    """Of 4 covered one is refused; of 4 uncovered two are answered: one of the two near ones, one of the two others."""
    rows = [
        asked(1, 0.9), asked(2, 0.8), asked(9, 0.7), asked(1, 0.2, outcome="related"),
        asked(0, 0.6, answerable=False, near=True), asked(0, 0.1, answerable=False, near=True, outcome="nothing"),
        asked(0, 0.5, answerable=False), asked(0, 0.05, answerable=False, outcome="related"),
    ]  # fmt: skip
    name, refusals, answers, near, off_topic, _, *risks = map(str, refusal_rows("tiny, dev", rows))
    assert name == "tiny, dev"
    assert [figure.split()[0] for figure in (refusals, answers, near, off_topic)] == ["0.250", "0.500", "0.500", "0.500"]
    # Right within three: 0.9, 0.8 and 0.2. Answering 20 % is 2 of 8: none wrong; all 8: 5 wrong.
    assert (risks[0], risks[-1]) == ("0.00", "0.62")


def test_the_step_between_rows_is_tested_on_the_same_questions() -> None:
    none, all_ = [asked(0, 0.5) for _ in range(60)], [asked(1, 0.5) for _ in range(60)]
    half = none[0].question.half
    lines = stage_table([Measured("none", none), Measured("all", all_)], half).splitlines()
    assert lines[2].split("|")[5].strip() == "-"
    assert float(lines[3].split("|")[5]) < 0.01


def test_groups_without_a_covered_question_have_no_row() -> None:
    text = group_table("aspect", {"pain": [asked(1, 0.9)], "cost": [asked(0, 0.1, answerable=False)]})
    assert "| pain | 1 | 1.000" in text
    assert "cost" not in text


def test_only_the_marked_part_is_written(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    file.write_text("# Results\n\nBy hand.\n\n<!-- a:begin -->\nold\n<!-- a:end -->\n\nAlso by hand.\n")
    write_part("a", "new", file)
    write_part("b", "more", file)
    write_part("b", "most", file)
    assert file.read_text() == (
        "# Results\n\nBy hand.\n\n<!-- a:begin -->\nnew\n<!-- a:end -->\n\nAlso by hand.\n\n<!-- b:begin -->\nmost\n<!-- b:end -->\n"
    )


def test_a_missing_file_is_begun(tmp_path: Path) -> None:
    write_part("a", "new", tmp_path / "docs" / "RESULTS.md")
    assert (tmp_path / "docs" / "RESULTS.md").read_text() == "# Results\n\n<!-- a:begin -->\nnew\n<!-- a:end -->\n"


def test_another_corpus_has_another_hash() -> None:
    def made(files: dict[str, str]) -> str:
        model = {"name": "m", "sha256": "0" * 64}
        return made_from(
            {"c": {"generation": "g", "inputs": {"files": files}, "n_documents": 1, "n_passages": 2, "model": model}}, 1
        )

    assert made({"a.md": "1"}) != made({"a.md": "2"})


def test_a_table_needs_no_rows() -> None:
    assert table(["stage", "hit@1"], []).splitlines()[1] == "|---|---:|"
