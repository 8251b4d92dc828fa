"""The check story over real libraries with the real model: on the command line, by its contract, and how often it is right."""

from __future__ import annotations

import csv
import gc
import gzip
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docx import Document

from litsearch.checking import Checker, decode_copy, read_copy
from litsearch.claims.export import quote_parts
from litsearch.commands import main
from litsearch.embedding import OnnxEncoder
from litsearch.errors import Refused
from litsearch.evaluation.claims import (
    Expected,
    figures_of,
    load_expected,
    measure,
    over_libraries,
    record_scifact,
    run,
    scifact,
)
from litsearch.evaluation.libraries import Claim, Library, Quote
from litsearch.index import Index
from litsearch.searching import Searcher
from litsearch.settings import ROOT, Settings
from litsearch.testing import FakeEncoder
from tests.conftest import ORIGINALS

COPY = "Microneedling is safe for all skin types, with no downtime at all. Book now! Microneedling devices are licensed for use at home."
CLAIMS = ROOT / "tests" / "quality" / "claims.jsonl"


@pytest.fixture(scope="module")
def committed(committed_index: Settings) -> Checker:
    return Checker(Searcher(committed_index), committed_index)


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert main(["check", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_command_prints_one_object_a_factual_claim(
    committed_index: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "copy.txt"
    file.write_text(COPY, encoding="utf-8")
    rows = checked(capsys, "--index", str(committed_index.index), "--json", str(file))
    assert [row["claim"] for row in rows] == [
        "Microneedling is safe for all skin types",
        "with no downtime at all.",
        "Microneedling devices are licensed for use at home.",
    ]
    generation = Index(committed_index.index).open()
    for row in rows:
        assert COPY[row["start"] : row["end"]] == row["claim"]
        assert row["finding"] in ("stated", "conflicts", "qualified", "related", "not_found")
        assert 0 <= row["confidence"] <= 1
        assert all(COPY[flag["start"] : flag["end"]] == flag["text"] and flag["kind"] and flag["why"] for flag in row["flags"])
        assert row["evidence"]
        for evidence in row["evidence"]:
            document = generation.catalogue.document(evidence["document_id"])
            assert document is not None
            assert document.text[evidence["start"] : evidence["end"]] == evidence["text"]
            sentence = evidence["sentence"]
            assert document.text[sentence["start"] : sentence["end"]] == sentence["text"]
            assert evidence["stance"] in ("supports", "conflicts", "qualifies", "neutral")
    assert {flag["rule"] for row in rows for flag in row["flags"]} >= {"safe-for-everyone", "no-downtime", "home-use"}
    assert [row["finding"] for row in rows] == ["conflicts", "conflicts", "conflicts"]


def test_claims_of_a_small_library_are_asked_of_the_whole_of_it(committed_index: Settings, tmp_path: Path):
    article = "On tanning\n\nTanning does not hurt. The colour fades after six weeks.\n"
    quote = Quote("a1.txt", article.index("Tanning does"), "Tanning does not hurt.")
    claims = (Claim("Tanning is painful.", quote, "conflicts"), Claim("Tanning is free of charge.", quote, "neutral"))
    library = Library("tanning", {"a1.txt": article}, (), claims)
    outcomes = list(over_libraries([library], committed_index, tmp_path, n_each=24))
    found = {outcome.expected.claim: (outcome.expected.finding, outcome.found) for outcome in outcomes}
    assert found == {
        "Tanning is painful.": ("conflicts", "conflicts"),
        "Tanning is free of charge.": ("not_found", "not_found"),
    }
    assert next(outcome for outcome in outcomes if outcome.expected.finding == "conflicts").settled


def test_slogans_are_shown_on_demand_and_the_check_is_exported(
    committed_index: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "copy.md"
    file.write_text("It is painless. Book now!", encoding="utf-8")
    out = tmp_path / "check.docx"
    rows = checked(capsys, "--index", str(committed_index.index), "--json", "--all", "--export", str(out), str(file))
    assert [row["factual"] for row in rows] == [True, False]
    words = "\n".join(paragraph.text for paragraph in Document(str(out)).paragraphs)
    assert rows[0]["generation"] in words
    assert rows[0]["evidence"][0]["text"] in words
    assert "Not checked: call to action." in words


def test_an_unknown_kind_of_export_is_refused(committed_index: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "copy.txt"
    file.write_text("Hello!", encoding="utf-8")
    assert main(["check", "--index", str(committed_index.index), "--export", str(tmp_path / "x.xyz"), str(file)]) == 1
    assert ".docx" in capsys.readouterr().err


def test_the_register_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("LITSEARCH_PRACTICE", str(tmp_path))
    assert main(["register", "verify"]) == 0
    assert "0 entries" in capsys.readouterr().out
    assert main(["register", "verify", "--head", "ab", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"]
    assert main(["register", "list", "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["register", "export", str(tmp_path / "all.csv")]) == 0
    rows = list(csv.reader(io.StringIO((tmp_path / "all.csv").read_text(encoding="utf-8-sig"))))
    assert rows[0][0] == "claim"
    assert len(rows) == 1


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]):
    assert main(["check", "/no/such/copy.txt"]) == 1
    assert "/no/such/copy.txt cannot be read" in capsys.readouterr().err


def test_copy_is_read_from_text_word_and_odd_encodings(tmp_path: Path):
    settings = Settings()
    (tmp_path / "a.txt").write_bytes("“Safe”".encode("cp1252"))
    assert read_copy(tmp_path / "a.txt", settings) == "“Safe”"
    assert decode_copy("Safe – é".encode("utf-16")) == "Safe – é"
    document = Document()
    document.add_paragraph("It is painless.")
    document.save(str(tmp_path / "a.docx"))
    assert "It is painless." in read_copy(tmp_path / "a.docx", settings)
    with pytest.raises(Refused, match=r"a\.zip"):
        (tmp_path / "a.zip").write_bytes(b"PK nonsense")
        read_copy(tmp_path / "a.zip", settings)


def test_who_is_listed_under_a_caution_is_shown_with_the_caution(committed: Checker):
    """The deciding sentence may be "You have cancer and are being treated": alone it speaks against nothing."""
    finding = next(iter(committed.check("Microneedling is safe for people who take anticoagulants.")))
    listed = [e for e in finding.evidence if e.lead_in and e.stance == "conflicts"]
    assert listed
    for evidence in listed:
        words = "".join(words for words, decides in quote_parts(evidence.to_json()) if decides)
        assert evidence.lead_in in words and evidence.sentence_text in words
    assert any("Speak to your doctor before you have microneedling" in evidence.lead_in for evidence in listed)


def test_a_check_opens_no_encoder_of_its_own(committed_index: Settings):
    """Two would cost the memory twice, and could differ while a new generation is switched to."""
    searcher = Searcher(committed_index)
    searcher.manifest()

    def n_open() -> int:
        return sum(isinstance(one, OnnxEncoder) for one in gc.get_objects())

    before = n_open()
    assert next(iter(Checker(searcher, committed_index).check("Microneedling is painless."))).evidence
    assert n_open() == before


def test_no_text_has_no_findings(committed: Checker):
    assert list(committed.check("")) == []


def test_a_finding_says_when_only_advertisements_support_it(tmp_path: Path, real_settings: Callable[[Path], Settings]):
    from litsearch.ingesting import ingest

    corpus = tmp_path / "corpus"
    corpus.mkdir()
    article = "---\ntitle: Pores\nkind: {kind}\ntreatment: microneedling\n---\n# Pores\n\nMicroneedling shrinks enlarged pores.\n"
    (corpus / "a.md").write_text(article.format(kind="promotional-web-article"), encoding="utf-8")
    settings = real_settings(corpus)
    ingest(settings)
    finding = next(Checker(Searcher(settings), settings).check("Microneedling shrinks pores."))
    assert finding.finding == "stated"
    assert finding.strength.promotional_only
    assert "substantiates nothing" in finding.strength.note
    (corpus / "b.md").write_text(article.format(kind="randomised-trial").replace("enlarged", "large"), encoding="utf-8")
    ingest(settings)
    finding = next(Checker(Searcher(settings), settings).check("Microneedling shrinks pores."))
    assert not finding.strength.promotional_only
    assert finding.strength.n_sources == 2
    assert finding.strength.kinds == ("randomised-trial", "promotional-web-article")


# ------------------------------------------------------------------------------------------------------ the figures


def expected_of(corpus: str) -> list[Expected]:
    texts = ORIGINALS if ORIGINALS.is_dir() else None
    return [row for row in load_expected(CLAIMS, texts) if row.corpus == corpus]


def test_the_claims_cover_what_they_should():
    rows = [json.loads(line) for line in CLAIMS.read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 60
    assert sum(row["numbers"] for row in rows) >= 20
    assert {row["finding"] for row in rows} == {"stated", "conflicts", "qualified", "not_found"}
    assert len({row["claim"] + row["corpus"] for row in rows}) == len(rows)
    for row in rows:
        assert bool(row["settles"]) == (row["finding"] != "not_found")
        for place in row["settles"]:
            if row["corpus"] == "committed":
                assert place["quote"] in (ROOT / "corpus" / place["path"]).read_text(encoding="utf-8")
            else:
                assert set(place) == {"path", "start", "end"}


@pytest.mark.slow
@pytest.mark.parametrize("corpus", ["originals", "committed"])
def test_few_claims_go_in_the_wrong_direction(corpus: str, request: pytest.FixtureRequest):
    """Both halves together; what each half gave stands in docs/RESULTS.md."""
    settings: Settings = request.getfixturevalue(f"{corpus}_index")
    figures = measure(list(run(Checker(Searcher(settings), settings), expected_of(corpus))))
    assert figures["wrong_direction"] < 0.05
    assert figures["uncovered_stated"] < 0.1
    assert figures["evidence_recall"] >= 0.9
    assert figures["macro_f1_of_three"] >= (0.8 if corpus == "originals" else 0.65)


def test_figures_of_pairs_count_what_goes_the_wrong_way():
    """Two of four contradicted claims found stated: 0.5; a qualified claim counts as stated, a related one as not found."""
    pairs = [("conflicts", "stated")] * 2 + [("conflicts", "conflicts")] * 2 + [("qualified", "stated"), ("not_found", "related")]
    figures = figures_of(pairs)
    assert figures["wrong direction"].value == 0.5
    assert figures["stated found stated"].value == 1.0
    assert figures["not covered found stated"].value == 0.0
    assert figures["wrong direction"].low < 0.5 < figures["wrong direction"].high
    # F1: stated 2*1/(1+3), conflicts 2*2/(4+2), not found 1
    assert figures["macro-F1"].value == pytest.approx((0.5 + 2 / 3 + 1) / 3)


def test_scifact_claims_go_through_the_check_story_and_are_recorded(tmp_path: Path):
    """Sentence 1 of the one abstract rules pain out; the claim that speaks of none is supported there, the other contradicted."""
    abstracts = [{"doc_id": 7, "title": "On needling", "abstract": ["Twenty people took part.", "Needling caused no pain."]}]
    claims = [
        {"claim": "Needling causes no pain.", "evidence": {"7": [{"sentences": [1], "label": "SUPPORT"}]}, "cited_doc_ids": [7]},
        {"claim": "Needling causes pain.", "evidence": {"7": [{"sentences": [1], "label": "CONTRADICT"}]}, "cited_doc_ids": [7]},
        {"claim": "Needling reduces cellulite.", "evidence": {}, "cited_doc_ids": [7]},
    ]
    for name, rows in (("corpus_sentences", abstracts), ("claims_train", claims)):
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row) + "\n" for row in rows)
    found = scifact(tmp_path, FakeEncoder())
    assert sorted((row.expected, row.found, row.on_rationale) for row in found if row.expected != "not_found") == [
        ("conflicts", "conflicts", True),
        ("stated", "stated", True),
    ]
    assert [row.found for row in found if row.expected == "not_found"] == ["not_found"]
    record_scifact(found, FakeEncoder(), None, 1, tmp_path / "RESULTS.md")
    written = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "<!-- claims-scifact:begin -->" in written
    assert "| wrong direction | 0.000 (0.00-0.00) |" in written


def test_wording_rules_of_the_practice_are_used(committed_index: Settings, tmp_path: Path):
    from dataclasses import replace

    shutil.copy(ROOT / "practice" / "wording.yml", tmp_path)
    rules = Checker(Searcher(committed_index), replace(committed_index, practice=tmp_path)).wording
    assert rules
    assert Checker(Searcher(committed_index), replace(committed_index, practice=tmp_path / "none")).wording == []
