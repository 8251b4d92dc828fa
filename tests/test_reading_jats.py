"""Journal articles in JATS: sections, lists, tables and captions each become what they are."""

from __future__ import annotations

import pytest

from tests.reading_files import blocks_of, read_all, read_one, reason, repairs_of, texts_of

META = """<article-meta><article-id pub-id-type="pmid">77</article-id><article-id pub-id-type="pmc">88</article-id>
<article-id pub-id-type="doi">10.1000/jats.1</article-id>
<article-categories><subj-group><subject>{subject}</subject></subj-group></article-categories>
<title-group><article-title>Needling of <italic>striae</italic></article-title><subtitle>what is known</subtitle></title-group>
<contrib-group><contrib contrib-type="author"><name><surname>Example</surname><given-names>Anna B</given-names></name></contrib>
<contrib contrib-type="editor"><name><surname>Editor</surname><given-names>E</given-names></name></contrib>
<contrib contrib-type="author"><collab>Needle Group</collab></contrib></contrib-group>
<pub-date pub-type="ppub"><year>2021</year></pub-date>
<pub-date pub-type="epub"><day>3</day><month>11</month><year>2020</year></pub-date>
{more}
<abstract><sec><title>Methods:</title><p>We looked.</p></sec><sec><title>Conclusion:</title><p>We saw.</p></sec></abstract>
</article-meta>"""

BODY = """<p>Before any section.</p>
<sec><label>1</label><title>Who should wait</title>
<p>Needling heals<sup><xref ref-type="bibr" rid="r1">1</xref>,<xref ref-type="bibr" rid="r2">2</xref></sup> well &nbsp;at 10<sup>3</sup>
 needles <xref ref-type="bibr" rid="r3">[3]</xref>, see <xref ref-type="table" rid="t1">Table 1</xref>. Wait with:
<list list-type="bullet"><list-item><p>keloids</p></list-item><list-item><p>acne</p></list-item></list>and ask.</p>
<sec><title>In order</title><list list-type="order"><list-item><p>Wash.</p><p>With water.</p></list-item>
<list-item><p>Dry.</p></list-item></list></sec>
<fig id="f1"><label>Figure 1</label><caption><title>Skin.</title><p>Before needling.</p></caption><graphic/></fig>
<def-list><def-item><term>MN</term><def><p>microneedling</p></def></def-item></def-list>
<disp-formula><tex-math>x^2</tex-math><label>(1)</label></disp-formula>
</sec>"""
TABLE = """<floats-group><table-wrap id="t1"><label>Table 1</label><caption><p>Redness by day</p></caption><table>
<thead><tr><th>Day</th><th>Redness</th></tr></thead><tbody><tr><td>1</td><td>strong<break/>mostly</td></tr></tbody></table>
<table-wrap-foot><fn><p>Own count.</p></fn></table-wrap-foot></table-wrap></floats-group>"""
BACK = """<back><ack><title>Thanks</title><p>To all.</p></ack><fn-group><fn><p>Nothing to declare.</p></fn></fn-group>
<ref-list><title>References</title><ref><mixed-citation>Somebody.</mixed-citation></ref></ref-list></back>"""
DOCTYPE = '<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) v1.0//EN" "JATS-archivearticle1.dtd">\n'


def jats(*, kind: str = "research-article", subject: str = "Article", more: str = "", body: str = BODY, rest: str = TABLE) -> str:
    meta = META.format(subject=subject, more=more)
    journal = (
        "<journal-meta><journal-title-group><journal-title>Journal of Striae</journal-title></journal-title-group></journal-meta>"
    )
    return (
        f'{DOCTYPE}<article article-type="{kind}" xmlns:xlink="http://www.w3.org/1999/xlink"><front>{journal}{meta}</front>'
        f"<body>{body}</body>{BACK}{rest}</article>"
    )


def test_an_article_reads_from_abstract_to_the_end():
    document = read_one("a.nxml", jats())
    assert document.document_id == "a.nxml"
    assert blocks_of(document) == [
        ("heading", "Needling of striae: what is known"),
        ("heading", "Methods"), ("paragraph", "We looked."),
        ("heading", "Conclusion"), ("paragraph", "We saw."),
        ("heading", "Needling of striae: what is known"),
        ("paragraph", "Before any section."),
        ("heading", "1 Who should wait"),
        ("paragraph", "Needling heals well at 103 needles [3], see Table 1. Wait with:"),
        ("item", "keloids"), ("item", "acne"),
        ("paragraph", "and ask."),
        ("paragraph", "Table 1. Redness by day"),
        ("row", "Day | Redness"), ("row", "1 | strong mostly"),
        ("caption", "Own count."),
        ("heading", "In order"),
        ("item", "Wash."), ("item", "With water."), ("item", "Dry."),
        ("item", "MN: microneedling"),
        ("caption", "Figure 1. Skin. Before needling."),
        ("heading", "Thanks"), ("paragraph", "To all."),
    ]  # fmt: skip
    levels = {document.text[b.start : b.end]: b.level for b in document.blocks if b.kind == "heading"}
    assert levels["1 Who should wait"] == 2 and levels["In order"] == 3
    assert repairs_of(document) == {"superscript reference numbers left out": 1}


def test_the_numbers_of_an_ordered_list_stand_before_its_items():
    assert "1. Wash.\n" in read_one("a.nxml", jats()).text + "\n"


def test_the_citation_is_complete_and_dated_by_first_appearance():
    metadata = read_one("a.xml", jats()).metadata
    assert metadata.title == "Needling of striae: what is known"
    assert metadata.authors == ("Anna B Example", "Needle Group")
    assert (metadata.journal, metadata.published, metadata.year) == ("Journal of Striae", "2020-11-03", 2020)
    assert (metadata.doi, metadata.pmid, metadata.pmcid) == ("10.1000/jats.1", "77", "PMC88")


@pytest.mark.parametrize(
    ("kind", "subject", "expected"),
    [
        ("research-article", "Article", "not-stated"),
        ("systematic-review", "Article", "systematic-review"),
        ("review-article", "Article", "narrative-review"),
        ("case-report", "Article", "case-report"),
        ("research-article", "Case Report", "case-report"),
        ("research-article", "Systematic Review", "systematic-review"),
        ("news", "Article", "news-report"),
        ("letter", "Systematic Review", "systematic-review"),
        ("editorial", "Article", "not-stated"),
    ],
)
def test_article_type_and_subject_give_the_kind_of_source(kind: str, subject: str, expected: str):
    assert read_one("a.xml", jats(kind=kind, subject=subject)).metadata.kind == expected


def test_a_retracted_article_is_refused():
    assert "was retracted" in reason("a.xml", jats(more='<related-article related-article-type="retraction-forward"/>'))


def test_several_articles_in_one_envelope_are_documents_of_their_own():
    one = jats().removeprefix(DOCTYPE).replace("&nbsp;", " ")
    other = one.replace(">88<", ">99<").replace("We looked.", "They looked.")
    empty = "<article article-type='letter'><front><article-meta><title-group/></article-meta></front></article>"
    documents, refused = read_all("many.xml", f"<pmc-articleset>{one}{other}{empty}</pmc-articleset>")
    assert [document.document_id for document in documents] == ["many.xml#88", "many.xml#99"]
    assert [(refusal.path, "no text" in refusal.reason) for refusal in refused] == [("many.xml#record-3", True)]


def test_names_of_any_edition_are_understood():
    """JATS in a namespace of its own, as some repositories deliver it."""
    plain = jats().removeprefix(DOCTYPE).replace("&nbsp;", " ")
    content = plain.replace("<article ", '<article xmlns="https://jats.nlm.nih.gov/ns/archiving/1.4/" ', 1)
    assert texts_of(read_one("a.nxml", content), "item")[:2] == ["keloids", "acne"]


def test_an_article_without_text_is_refused():
    content = "<article article-type='letter'><front><article-meta><title-group/></article-meta></front></article>"
    assert "holds no text" in reason("a.nxml", content)


def test_no_word_is_lost_between_citations_and_lists():
    """Every word of the paragraph, in its order, whatever stands around it."""
    body = """<sec><title>S</title><p>one<sup><xref ref-type="bibr" rid="a">1</xref></sup> two <bold>three</bold> four<xref ref-type="bibr"
    rid="b"><sup>2</sup></xref> five<fn><p>note</p></fn> six <list><list-item><p>seven<sup><xref ref-type="bibr" rid="c">3</xref>
    </sup> eight</p></list-item></list> nine</p></sec>"""
    document = read_one("a.nxml", jats(body=body, rest=""))
    assert texts_of(document, "paragraph")[2:6] == ["one two three four five six", "nine", "note", "To all."]
    assert texts_of(document, "item") == ["seven eight"]
    assert repairs_of(document) == {"superscript reference numbers left out": 3}


def test_broken_xml_is_refused_with_its_line():
    assert "not well-formed XML (line" in reason("a.nxml", jats()[:-30])
