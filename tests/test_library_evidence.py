"""The evidence map: passages speak on what their questions ask, sources count once, gaps show."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import closing

import pytest

from litsearch.evaluation.questions import Gold, is_right
from litsearch.index import Index
from litsearch.ingesting import ingest
from litsearch.library.evidence import ASPECTS, aspects_of, by_kind_and_year, evidence_map
from litsearch.records import Metadata, Passage, Role, Span
from litsearch.settings import ROOT, Settings
from litsearch.testing import FakeEncoder


def _passage(text: str, document_id: str = "d", role: Role = "text", section: str = "") -> Passage:
    return Passage("p", document_id, 0, len(text), text, section, role, (Span(0, len(text)),))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Passage], dict[str, str]]:
    """The committed corpus's passages and the file of each document; vectors play no part."""
    settings = Settings(corpus=ROOT / "corpus", index=tmp_path_factory.mktemp("index"), threads=1)
    ingest(settings, encoder=FakeEncoder(max_tokens=256))
    generation = Index(settings.index).open()
    with closing(generation.catalogue):
        paths = {i: path for i, (path, _) in generation.catalogue.metadata().items()}
        return list(generation.catalogue.passages()), paths


def test_the_answers_to_questions_on_an_aspect_are_found_to_speak_on_it(corpus: tuple[list[Passage], dict[str, str]]) -> None:
    """Over the answers of the project's own questions on the committed corpus, whose aspect people assigned."""
    passages, paths = corpus
    found: dict[str, list[bool]] = defaultdict(list)
    for file in sorted((ROOT / "tests" / "quality").glob("questions-*.jsonl")):
        for row in map(json.loads, file.read_text().splitlines()):
            if row["corpus"] != "committed" or row["aspect"] not in ASPECTS or not row["answerable"]:
                continue
            golds = [Gold(answer["path"], answer["quote"]) for answer in row["answers"]]
            right = [p for p in passages if is_right(golds, [paths[p.document_id]], p.text)]
            found[row["aspect"]].append(any(row["aspect"] in aspects_of(p) for p in right))
    shares = {aspect: sum(hits) / len(hits) for aspect, hits in found.items()}
    assert set(shares) == set(ASPECTS)
    assert min(shares.values()) >= 0.8, shares
    assert sum(map(sum, found.values())) / sum(map(len, found.values())) >= 0.9, shares


def test_no_aspect_is_found_everywhere(corpus: tuple[list[Passage], dict[str, str]]) -> None:
    """Words that every passage holds would fill the map and hide its gaps."""
    passages, _ = corpus
    shares = {name: sum(name in aspects_of(p) for p in passages) / len(passages) for name in ASPECTS}
    assert max(shares.values()) <= 0.5, shares


def test_a_reprint_adds_no_source_and_a_gap_stays_a_gap() -> None:
    metadata = {"a": Metadata("A", "cohort"), "b": Metadata("B", "news-report"), "c": Metadata("C", "randomised-trial")}
    passages = [_passage("It hurts a little.", name) for name in "abc"]
    found = evidence_map(passages, metadata, [["a", "b"], ["c"]])
    assert found.kinds == ("randomised-trial", "cohort")
    assert (found.count("pain", "cohort"), found.count("pain", "randomised-trial"), found.total("pain")) == (1, 1, 2)
    assert found.total("regulation") == 0 and "regulation" in found.aspects


def test_many_passages_of_one_source_are_one_source() -> None:
    found = evidence_map([_passage("It hurts a little.")] * 3, {"d": Metadata("D")}, [["d"]])
    assert found.count("pain", "not-stated") == 1


def test_a_section_speaks_by_its_role_and_declarations_speak_on_nothing() -> None:
    assert "who-should-not" in aspects_of(_passage("People with darker hair.", role="caution"))
    assert aspects_of(_passage("The authors report no pain.", role="declarations")) == set()


def test_an_empty_library_has_an_empty_map() -> None:
    found = evidence_map([], {}, [])
    assert (found.kinds, sum(map(found.total, found.aspects))) == ((), 0)
    assert by_kind_and_year([]) == []


def test_articles_are_counted_by_kind_in_the_order_of_strength_then_by_year() -> None:
    stated = [Metadata("a", "cohort", year=2021), Metadata("b", "regulator", published="2019-03-01"), Metadata("c", "cohort"),
              Metadata("d", "cohort", year=2020), Metadata("e", "cohort", year=2021)]  # fmt: skip
    assert by_kind_and_year(stated) == [
        ("regulator", 2019, 1), ("cohort", 2020, 1), ("cohort", 2021, 2), ("cohort", None, 1),
    ]  # fmt: skip
