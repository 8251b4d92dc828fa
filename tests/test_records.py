"""Records check themselves, and a citation says ``not stated`` where the source is silent."""

from __future__ import annotations

import json

import pytest

from litsearch.records import (
    KIND_BY_NAME,
    NOT_STATED,
    SOURCE_KINDS,
    Answer,
    Answers,
    Block,
    Document,
    Hit,
    IngestReport,
    Metadata,
    Passage,
    Reading,
    Refusal,
    Repair,
    Span,
)

TEXT = "The skin is red. It fades."


def _passage(**changes: object) -> Passage:
    fields: dict[str, object] = {
        "passage_id": "p", "document_id": "d", "start": 0, "end": 16, "text": TEXT[:16], "section": "", "role": "text",
        "sentences": (Span(0, 16),),
    }  # fmt: skip
    return Passage(**(fields | changes))  # type: ignore[arg-type]


def test_a_passage_whose_span_misfits_its_text_is_refused() -> None:
    with pytest.raises(ValueError, match="misfits"):
        _passage(end=17)


@pytest.mark.parametrize("sentence", [Span(0, 17), Span(-1, 5), Span(5, 5), Span(6, 5)])
def test_a_sentence_outside_its_passage_is_refused(sentence: Span) -> None:
    with pytest.raises(ValueError, match="sentence leaves"):
        _passage(sentences=(sentence,))


@pytest.mark.parametrize(
    "blocks",
    [
        (Block("paragraph", 0, 27),),
        (Block("paragraph", 5, 5),),
        (Block("paragraph", 0, 10), Block("paragraph", 9, 12)),
        (Block("paragraph", 10, 12), Block("paragraph", 0, 5)),
        (Block("paragraph", -1, 5),),
    ],
)
def test_blocks_that_overlap_or_leave_the_text_are_refused(blocks: tuple[Block, ...]) -> None:
    """The text has 26 characters."""
    assert len(TEXT) == 26
    with pytest.raises(ValueError, match="block"):
        Document("d", "d.txt", TEXT, blocks, Metadata(""))


def test_a_document_without_blocks_is_empty_and_no_error() -> None:
    assert Document("d", "d.txt", "", (), Metadata("")).blocks == ()


def test_an_unknown_kind_of_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="randomised-trial"):
        Metadata("x", kind="rumour")


def test_every_kind_has_one_name_a_label_and_an_explanation() -> None:
    assert len(KIND_BY_NAME) == len(SOURCE_KINDS) == 13
    assert all(kind.label and kind.explanation.endswith(".") for kind in SOURCE_KINDS)


def test_a_source_that_states_nothing_is_cited_as_not_stated() -> None:
    citation = Metadata("", source="a.txt").citation()
    assert citation["title"] == "Untitled (a.txt)"
    assert {citation[field] for field in ("by", "publisher", "journal", "date", "doi", "pmid", "url", "restates")} == {NOT_STATED}
    assert (citation["authors"], citation["kind_label"], citation["provenance"]) == ([], "Kind not stated", "")


def test_more_than_three_authors_are_cut_and_three_are_not() -> None:
    assert Metadata("x", authors=("A", "B", "C"), publisher="P").by == "A, B, C"
    assert Metadata("x", authors=("A", "B", "C", "D")).by == "A et al."
    assert Metadata("x", publisher="P").by == "P"


def test_the_link_is_the_dois_then_the_pages_then_pubmeds() -> None:
    whole = Metadata("x", doi="10.1/x", url="https://example.org/", pmid="1")
    assert whole.link == "https://doi.org/10.1/x"
    assert Metadata("x", url="https://example.org/", pmid="1").link == "https://example.org/"
    assert Metadata("x", pmid="1").link == "https://pubmed.ncbi.nlm.nih.gov/1/"
    assert Metadata("x").link == ""


def test_a_digest_names_whose_work_it_restates() -> None:
    digest = Metadata("Scars", authors=("A", "B", "C", "D"), published="2021-09-21", restates="abstract")
    assert digest.provenance == "digest of the abstract of: A et al. (2021), Scars"
    assert Metadata("Scars", restates="page").provenance == "digest of the page of: authors not stated, Scars"


def test_a_date_is_the_fullest_one_stated() -> None:
    assert [Metadata("x", year=2020).date, Metadata("x", year=2020, published="2020-05").date, Metadata("x").date] == [
        "2020",
        "2020-05",
        "",
    ]


def test_an_answer_prints_as_json_with_numbers_rounded() -> None:
    hit = Hit(1, _passage(), "d.txt", Metadata("T"), Answer(0, 16, TEXT[:16]), 0.123456789, 1.23456789)
    answers = Answers("q", Reading("q"), "related", 0.123456, (hit,), (), (), "g", 1.2345)
    printed = json.loads(json.dumps(answers.to_json()))
    assert (printed["answered"], printed["confidence"], printed["milliseconds"]) == (False, 0.1235, 1.23)
    assert (printed["hits"][0]["similarity"], printed["hits"][0]["relevance"]) == (0.123457, 1.234568)
    assert printed["hits"][0]["answer"] == {"start": 0, "end": 16, "text": "The skin is red."}


def test_a_report_prints_as_json() -> None:
    report = IngestReport(
        generation="g", documents=1, passages=2, added=("a",), changed=(), removed=(), unchanged=0, refused=(Refusal("b", "why"),),
        repairs=(("a", Repair("what", 3, "x -> y")),), embedded=4, seconds=1.23456, renamed=(("c", "a"),),
    )  # fmt: skip
    printed = json.loads(json.dumps(report.to_json()))
    assert printed["refused"] == [{"path": "b", "reason": "why"}]
    assert printed["repairs"] == [{"path": "a", "what": "what", "count": 3, "example": "x -> y"}]
    assert (printed["renamed"], printed["seconds"]) == ([["c", "a"]], 1.235)
