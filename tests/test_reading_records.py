"""Exports of references: one document a record, and a bad record never costs the good ones."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.errors import Refused
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.reading.bibliography import add_abstract, clean_title, date_fields, is_retracted, kind_of, natural_name
from litsearch.reading.building import DocumentBuilder
from tests.reading_files import blocks_of, read_all, read_one, reason, repairs_of

MEDLINE = """
PMID- 101
OWN - NLM
DP  - 2014 Nov 3
TI  - Needling of scars: what was
      measured.
LID - 10.1000/needle.1 [doi]
AB  - IMPORTANCE: Scars are common. OBJECTIVE: To compare two needles. MAIN OUTCOMES
      AND MEASURES: A scale from 0 to 10. RESULTS: Scores fell by 3 points (p=.03): a
      small change. CONCLUSIONS: Both may help.
FAU - Example, Anna B
AU  - Example AB
FAU - Sample, Otto
PT  - Journal Article
PT  - Randomized Controlled Trial
JT  - Journal of examples
PMC - PMC999

PMID- 102
TI  - A letter without an abstract.
PT  - Letter

PMID- 103
TI  - [A translated title].
AB  - One paragraph and nothing else.
PT  - Review
DP  - 1999 Spring

PMID- 104
TI  - A withdrawn trial.
AB  - It found much.
PT  - Retracted Publication
"""


def test_medline_records_become_documents_with_their_citation():
    documents, refused = read_all("export.nbib", MEDLINE)
    assert [document.document_id for document in documents] == ["export.nbib#101", "export.nbib#103"]
    assert {document.path for document in documents} == {"export.nbib"}
    first = documents[0].metadata
    assert first.title == "Needling of scars: what was measured"
    assert first.authors == ("Anna B Example", "Otto Sample")
    assert (first.journal, first.year, first.published) == ("Journal of examples", 2014, "2014-11-03")
    assert (first.doi, first.pmid, first.pmcid) == ("10.1000/needle.1", "101", "PMC999")
    assert first.kind == "randomised-trial"
    assert first.source == "export.nbib"
    assert documents[1].metadata.title == "A translated title"
    assert (documents[1].metadata.kind, documents[1].metadata.date) == ("narrative-review", "1999")
    assert [(refusal.path, refusal.reason.split(",")[0]) for refusal in refused] == [
        ("export.nbib#102", "has no abstract"),
        ("export.nbib#104", "was retracted"),
    ]


def test_the_labels_of_a_structured_abstract_are_headings():
    documents, _ = read_all("export.nbib", MEDLINE)
    assert blocks_of(documents[0]) == [
        ("heading", "Needling of scars: what was measured"),
        ("heading", "IMPORTANCE"), ("paragraph", "Scars are common."),
        ("heading", "OBJECTIVE"), ("paragraph", "To compare two needles."),
        ("heading", "MAIN OUTCOMES AND MEASURES"), ("paragraph", "A scale from 0 to 10."),
        ("heading", "RESULTS"), ("paragraph", "Scores fell by 3 points (p=.03): a small change."),
        ("heading", "CONCLUSIONS"), ("paragraph", "Both may help."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "abstract",
    [
        "We studied DNA: it is long. RNA: it is not.",
        "One label. RESULTS: only later.",
        "Needling was compared at two depths: 1 mm and 2 mm.",
    ],
)
def test_a_colon_alone_makes_no_heading(abstract: str):
    builder = DocumentBuilder()
    add_abstract(builder, abstract)
    assert [block.kind for block in builder.blocks] == ["paragraph"] and builder.text == abstract


@given(st.text(alphabet="ABC abc:.METHODS RESULTS\n", max_size=200))
def test_splitting_an_abstract_loses_no_letter(abstract: str):
    """Letters before = letters after; only colons after labels go."""
    builder = DocumentBuilder()
    add_abstract(builder, abstract)
    assert [c for c in builder.text if c.isalpha()] == [c for c in abstract if c.isalpha()]


# ------------------------------------------------------------------------------------------------------ PubMed XML


def pubmed(*records: str) -> str:
    return f"<?xml version='1.0' encoding='utf-8'?><PubmedArticleSet>{''.join(records)}</PubmedArticleSet>"


def article(
    pmid: str, abstract: str, *, title: str = "Needling &lt;2 mm&gt;", types: str = "Journal Article", more: str = ""
) -> str:
    return f"""<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article>
      <Journal><JournalIssue><PubDate><Year>2020</Year><Month>Feb</Month></PubDate></JournalIssue><Title>Examples</Title></Journal>
      <ArticleTitle>{title}</ArticleTitle>{f"<Abstract>{abstract}</Abstract>" if abstract else ""}
      <AuthorList><Author><LastName>Example</LastName><ForeName>Anna</ForeName></Author>
        <Author><CollectiveName>Needle Group</CollectiveName></Author></AuthorList>
      <PublicationTypeList><PublicationType>{types}</PublicationType></PublicationTypeList></Article>{more}</MedlineCitation>
      <PubmedData><ArticleIdList><ArticleId IdType="doi">10.1000/x{pmid}</ArticleId></ArticleIdList>
        <ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.1000/cited</ArticleId></ArticleIdList></Reference>
        </ReferenceList></PubmedData></PubmedArticle>"""


ABSTRACT = (
    '<AbstractText Label="METHODS">We used H<sub>2</sub>O.</AbstractText><AbstractText Label="RESULTS">It was wet.</AbstractText>'
)


def test_pubmed_xml_gives_sections_and_citation():
    document = read_one("a.xml", pubmed(article("7", ABSTRACT, types="Meta-Analysis")))
    assert document.document_id == "a.xml#7"
    assert blocks_of(document)[0] == ("heading", "Needling <2 mm>")
    assert blocks_of(document)[1:] == [
        ("heading", "METHODS"), ("paragraph", "We used H2O."), ("heading", "RESULTS"), ("paragraph", "It was wet."),
    ]  # fmt: skip
    metadata = document.metadata
    assert (metadata.kind, metadata.doi, metadata.pmid, metadata.published) == ("meta-analysis", "10.1000/x7", "7", "2020-02")
    assert metadata.authors == ("Anna Example", "Needle Group")


def test_good_records_stand_beside_refused_ones():
    retracted = '<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"/></CommentsCorrectionsList>'
    documents, refused = read_all(
        "a.xml", pubmed(article("1", ABSTRACT), article("2", ""), article("3", ABSTRACT, more=retracted), article("4", ABSTRACT))
    )
    assert [document.metadata.pmid for document in documents] == ["1", "4"]
    assert [refusal.path for refusal in refused] == ["a.xml#2", "a.xml#3"]


def test_a_damaged_end_does_not_cost_the_records_before_it():
    whole = pubmed(article("1", ABSTRACT), article("2", ABSTRACT))
    documents, refused = read_all("a.xml", whole[: whole.index("2020", whole.index("2020") + 4)])
    assert [document.metadata.pmid for document in documents] == ["1"]
    assert "not well-formed XML" in refused[0].reason and "1 records before" in refused[0].reason


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("root", ["PubmedArticleSet", "article"])
def test_entity_bombs_are_refused(root: str, encoding: str):
    """Ten to the ninth letters from half a kilobyte."""
    front = "<front><article-meta/></front>" if root == "article" else ""
    declared = BOMB.replace("DOCTYPE x", f"DOCTYPE {root} PUBLIC 'JATS' 'x'")
    assert "declares its own XML entities" in reason("a.xml", f"{declared}]><{root}>{front}&i;</{root}>".encode(encoding))


def test_files_and_addresses_named_by_entities_are_not_opened():
    content = '<!DOCTYPE PubmedArticleSet [<!ENTITY e SYSTEM "file:///etc/hostname">]><PubmedArticleSet>&e;</PubmedArticleSet>'
    assert "declares its own XML entities" in reason("a.xml", content)


def test_xml_nested_without_end_is_refused():
    content = pubmed(article("1", f"<AbstractText>{'<i>' * 5000}x{'</i>' * 5000}</AbstractText>"))
    assert "nested too deeply" in reason("a.xml", content)


# ----------------------------------------------------------------------------------------------------- RIS, BibTeX

RIS = """TY  - JOUR
AU  - Example, Anna
AU  - Sample, Otto, Jr.
T1  - Needling for scars: a systematic review
JF  - Journal of Examples
PY  - 2021/03/05/
DO  - https://doi.org/10.1000/Ris.1
UR  - https://example.org/a
AB  - Background: Scars are common.
Methods: We searched for all studies.
ER  -

TY  - JOUR
TI  - Without an abstract
ID  - x9
ER  -

TY - JOUR
TI - Written with one space, and never ended
N2 - An abstract all the same.

TY  - NEWS
TI  - A report
AB  - Somebody said something.
ER  -
"""


def test_ris_records_become_documents():
    documents, refused = read_all("zotero.ris", RIS)
    assert [document.document_id for document in documents] == [
        "zotero.ris#10.1000/Ris.1",
        "zotero.ris#record-3",
        "zotero.ris#record-4",
    ]
    first = documents[0].metadata
    assert first.authors == ("Anna Example", "Otto Sample Jr.")
    assert (first.journal, first.published, first.doi) == ("Journal of Examples", "2021-03-05", "10.1000/Ris.1")
    assert (first.kind, first.url) == ("systematic-review", "https://example.org/a")
    assert [text for kind, text in blocks_of(documents[0]) if kind == "heading"][1:] == ["Background", "Methods"]
    assert documents[1].text.endswith("An abstract all the same.")
    assert documents[2].metadata.kind == "news-report"
    assert [(refusal.path, "no abstract" in refusal.reason) for refusal in refused] == [("zotero.ris#x9", True)]


BIBTEX = r"""% exported
@article{good2020, title = {{Needling} for {S}cars}, author = {M{\"u}ller, J{\"o}rg and Sample, Otto and others},
  abstract = {It helped 50% of them, for \$200 or $300, at $p < 0.05$ --- and 3 \% were "worse".},
  journal = {Examples}, year = 2020, month = mar, doi = {10.1000/bib.1}, url = {https://example.org/b}}
@comment{nothing}
@book{empty2021, title = {No abstract}, year = {2021}}
@article{broken2022, title = {Unclosed, abstract = "x"

@article{good2023, title = "Second", abstract = "Text of the second.", date = {2023-04-05}}
@article{good2020, title = "Same key", abstract = "Another text."}
"""


def test_bibtex_entries_become_documents():
    documents, refused = read_all("refs.bib", BIBTEX)
    by_id = {document.document_id: document for document in documents}
    assert set(by_id) == {"refs.bib#good2020", "refs.bib#good2023", "refs.bib#good2020~2"}
    first = by_id["refs.bib#good2020"]
    assert first.metadata.title == "Needling for Scars"
    assert first.metadata.authors == ("Jörg Müller", "Otto Sample")
    assert (first.metadata.published, first.metadata.doi) == ("2020-03", "10.1000/bib.1")
    assert blocks_of(first)[1] == ("paragraph", 'It helped 50% of them, for $200 or $300, at p < 0.05 — and 3 % were "worse".')
    assert by_id["refs.bib#good2023"].metadata.published == "2023-04-05"
    reasons = {refusal.path: refusal.reason for refusal in refused}
    assert "no abstract" in reasons["refs.bib#empty2021"]
    assert any("cannot be read (line 7)" in said for said in reasons.values())


# ------------------------------------------------------------------------------------------------------------ BEIR


def test_beir_lines_become_documents():
    lines = [
        json.dumps({"_id": "10", "title": "Needling", "text": "It pricks.\n\nIt heals.", "metadata": {"x": 1}}),
        "{broken",
        "",
        json.dumps({"_id": "11", "title": "Empty", "text": " "}),
        json.dumps({"_id": 12, "text": "No title."}),
        json.dumps({"_id": "10", "title": "Needling", "text": "It pricks.\n\nIt heals."}),
        json.dumps([1]),
    ]
    documents, refused = read_all("corpus.jsonl", "\n".join(lines))
    assert [document.document_id for document in documents] == ["corpus.jsonl#10", "corpus.jsonl#12"]
    assert blocks_of(documents[0]) == [("heading", "Needling"), ("paragraph", "It pricks."), ("paragraph", "It heals.")]
    assert documents[1].metadata.name == "Untitled (corpus.jsonl)"
    assert [refusal.reason.split(".")[0] for refusal in refused] == [
        "is not valid JSON (line 2)",
        "has no text (line 4)",
        "stands in the file twice; the first one was kept",
        "is not a JSON object (line 7)",
    ]


def test_json_nested_without_end_costs_its_line_only():
    documents, refused = read_all("a.jsonl", json.dumps({"_id": "1", "text": "Good."}) + "\n" + "[" * 100_000)
    assert len(documents) == 1 and len(refused) == 1


def test_more_records_than_the_limit_refuse_the_file():
    lines = "\n".join(json.dumps({"_id": str(number), "text": "Text."}) for number in range(5))
    assert "more than the limit of 4 records" in reason("a.jsonl", lines, Limits(max_records=4))
    assert "more than the limit of 1 records" in reason("a.nbib", MEDLINE, Limits(max_records=1))


def test_a_sidecar_speaks_for_every_record_and_is_read_once():
    reading = read_file(SourceFile("a.nbib", MEDLINE.encode(), b"treatment: microneedling\n"), Limits())
    assert {document.metadata.treatment for document in reading.documents} == {"microneedling"}
    assert [document.metadata.pmid for document in reading.documents] == ["101", "103"]


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=20)), max_size=12))
def test_ids_are_unique_and_no_record_is_lost(records: list[tuple[str, str]]):
    content = "\n".join(json.dumps({"_id": key, "text": text}) for key, text in [("first", "Text."), *records])
    reading = read_file(SourceFile("a.jsonl", content.encode()), Limits())
    ids = [document.document_id for document in reading.documents]
    assert len(set(ids)) == len(ids)
    assert len(reading.documents) + len(reading.refused) == len(records) + 1
    for document in reading.documents:
        assert document.document_id.startswith("a.jsonl#")


# ----------------------------------------------------------------------------------------------------- bibliography


@pytest.mark.parametrize(
    ("types", "title", "kind"),
    [
        (["Practice Guideline"], "", "consensus"),
        (["Consensus Development Conference", "Review"], "", "consensus"),
        (["Systematic Review", "Meta-Analysis"], "", "meta-analysis"),
        (["Systematic Review"], "", "systematic-review"),
        (["Comparative Study", "Randomized Controlled Trial"], "", "randomised-trial"),
        (["Clinical Trial"], "", "cohort"),
        (["Observational Study"], "", "cohort"),
        (["Clinical Trial"], "Needling: a randomised, split-face trial", "randomised-trial"),
        (["Case Reports", "Review"], "", "case-report"),
        (["Case Reports"], "Granulomas after needling: a case series", "case-series"),
        (["Review"], "Needling in practice", "narrative-review"),
        (["Review"], "Needling: a systematic review", "systematic-review"),
        (["News"], "", "news-report"),
        (["Patient Education Handout"], "", "patient-information"),
        (["Journal Article"], "Needling and its history", ""),
        (["Journal Article"], "Needling: study protocol for a randomised controlled trial", ""),
        (["Letter"], "Comment on: a randomised controlled trial of needling", ""),
        (["Published Erratum"], "Needling: a systematic review", ""),
        ([], "A retrospective cohort study of needling", "cohort"),
        ([], "Consensus recommendations on needling", "consensus"),
    ],
)
def test_publication_types_and_titles_give_the_kind_of_source(types: list[str], title: str, kind: str):
    assert kind_of(types, title) == kind


def test_only_the_withdrawn_article_is_withdrawn():
    assert is_retracted(["Retracted Publication"], "")
    assert is_retracted([], "RETRACTED: Needling works")
    assert not is_retracted(["Retraction of Publication"], "Retraction of an earlier article")
    assert not is_retracted([], "Retracted nipples: a review")


@pytest.mark.parametrize(
    ("stated", "fields"),
    [
        ("2020", {"year": 2020}),
        ("2020 Jan-Feb", {"year": 2020, "published": "2020-01"}),
        ("2020-02-31", {"year": 2020, "published": "2020-02"}),
        ("2020 13", {"year": 2020}),
        ("99", {}),
        ("", {}),
    ],
)
def test_dates_are_read_as_far_as_they_are_stated(stated: str, fields: dict[str, object]):
    assert date_fields(stated) == fields


def test_names_stand_in_their_natural_order():
    assert natural_name("King, Jr., Martin") == "Martin King Jr."
    assert natural_name("Otto Sample") == "Otto Sample"


def test_markup_left_in_titles_goes():
    assert clean_title("<i>In vivo</i> needling &amp; more.") == "In vivo needling & more"


def test_mends_of_an_encoding_are_listed_on_every_record():
    content = MEDLINE.replace("Sample, Otto", "Sämple, Otto").encode("cp1252")
    documents, _ = read_all("a.nbib", content)
    assert documents[0].metadata.authors[1] == "Otto Sämple"
    assert any("because it is not valid UTF-8" in what for what in repairs_of(documents[1]))


def test_an_export_without_records_is_refused():
    with pytest.raises(Refused, match="holds no records"):
        read_file(SourceFile("a.xml", pubmed().encode()), Limits())
