"""Word documents keep their headings, lists and tables; bombs and locked files are refused."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

import pytest
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from litsearch.reading import docx as reading
from tests.reading_files import blocks_of, make_docx, read_one, reason, repairs_of, texts_of, with_parts


def leaflet(document: WordDocument) -> None:
    document.core_properties.title = "Needling leaflet"
    document.core_properties.author = "Anna Example; Otto Sample"
    document.core_properties.modified = datetime(2022, 3, 4)
    document.add_heading("Before your needling", level=1)
    document.add_paragraph("Please tell us if you have:")
    for words in ("keloid scars", "active acne"):
        document.add_paragraph(words, style="List Bullet")
    document.add_heading("On the day", level=2)
    for words in ("Wash your face.", "Wear no make-up."):
        document.add_paragraph(words, style="List Number")
    table = document.add_table(rows=2, cols=2)
    for row, words in enumerate((("Day", "Redness"), ("1", "strong"))):
        for column, word in enumerate(words):
            table.cell(row, column).text = word
    document.add_paragraph("Ask us anything.")


def test_a_leaflet_keeps_headings_lists_and_tables():
    document = read_one("leaflet.docx", make_docx(leaflet))
    assert blocks_of(document) == [
        ("heading", "Before your needling"),
        ("paragraph", "Please tell us if you have:"),
        ("item", "keloid scars"), ("item", "active acne"),
        ("heading", "On the day"),
        ("item", "Wash your face."), ("item", "Wear no make-up."),
        ("row", "Day | Redness"), ("row", "1 | strong"),
        ("paragraph", "Ask us anything."),
    ]  # fmt: skip
    assert [block.level for block in document.blocks if block.kind == "heading"] == [1, 2]
    assert "• keloid scars\n• active acne" in document.text and "1. Wash your face.\n2. Wear no make-up." in document.text


def test_who_wrote_it_comes_from_the_documents_properties():
    metadata = read_one("leaflet.docx", make_docx(leaflet)).metadata
    assert metadata.title == "Needling leaflet"
    assert metadata.authors == ("Anna Example", "Otto Sample")
    assert metadata.published == "2022-03-04"


def test_what_a_program_put_into_the_properties_is_no_title_and_no_author():
    def build(document: WordDocument) -> None:
        leaflet(document)
        document.core_properties.title = "Microsoft Word - Document1"
        document.core_properties.author = "Microsoft Office User"

    metadata = read_one("leaflet.docx", make_docx(build)).metadata
    assert (metadata.title, metadata.authors) == ("Before your needling", ())


def test_a_short_bold_line_is_a_heading_and_a_typed_bullet_an_item():
    def build(document: WordDocument) -> None:
        document.add_paragraph().add_run("Who should wait").bold = True
        document.add_paragraph("Wait if you have:")
        document.add_paragraph("• keloids")
        document.add_paragraph("- eczema")
        document.add_paragraph().add_run("Stop if it bleeds.").bold = True

    assert blocks_of(read_one("a.docx", make_docx(build))) == [
        ("heading", "Who should wait"), ("paragraph", "Wait if you have:"), ("item", "keloids"), ("item", "eczema"),
        ("paragraph", "Stop if it bleeds."),
    ]  # fmt: skip


def test_insertions_count_and_deletions_do_not():
    def build(document: WordDocument) -> None:
        paragraph = document.add_paragraph("Needling is ")
        for name, text, word in (("ins", "t", "not "), ("del", "delText", "always ")):
            paragraph._p.append(
                parse_xml(f'<w:{name} {nsdecls("w")}><w:r><w:{text} xml:space="preserve">{word}</w:{text}></w:r></w:{name}>')
            )
        paragraph.add_run("safe for all.")

    document = read_one("a.docx", make_docx(build))
    assert document.text == "Needling is not safe for all."
    assert repairs_of(document) == {"tracked deletions left out": 1}


def test_text_in_content_controls_and_text_boxes_is_read_once():
    control = "<w:sdt {}><w:sdtContent><w:p><w:r><w:t>Within a control.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    box = (
        '<w:r {} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:AlternateContent><mc:Choice Requires="x">'
        "<w:txbxContent><w:p><w:r><w:t>Within a box.</w:t></w:r></w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p>"
        "<w:r><w:t>Within a box.</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>"
    )

    def build(document: WordDocument) -> None:
        paragraph = document.add_paragraph("Outside.")
        paragraph._p.append(parse_xml(box.format(nsdecls("w"))))
        paragraph._p.addnext(parse_xml(control.format(nsdecls("w"))))

    assert texts_of(read_one("a.docx", make_docx(build)), "paragraph") == ["Outside.", "Within a box.", "Within a control."]


def test_merged_cells_keep_the_columns_in_place():
    def build(document: WordDocument) -> None:
        table = document.add_table(rows=2, cols=3)
        for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
            cell.text = str(number)
        table.cell(0, 0).merge(table.cell(1, 0)).text = "both"

    assert texts_of(read_one("a.docx", make_docx(build)), "row") == ["both | 1 | 2", "| 4 | 5"]


def test_a_table_of_one_column_is_a_frame():
    def build(document: WordDocument) -> None:
        document.add_table(rows=1, cols=1).cell(0, 0).text = "Call us if it bleeds for more than a day."

    assert blocks_of(read_one("a.docx", make_docx(build))) == [("paragraph", "Call us if it bleeds for more than a day.")]


def test_the_iso_standards_own_names_are_understood():
    plain = make_docx(lambda document: document.add_paragraph("Saved as Strict Open XML."))
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        changed = {
            name: archive.read(name)
            .replace(
                b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
                b"http://purl.oclc.org/ooxml/wordprocessingml/main",
            )
            .replace(b"http://schemas.openxmlformats.org/officeDocument/2006/", b"http://purl.oclc.org/ooxml/officeDocument/")
            for name in archive.namelist()
            if name.endswith((".xml", ".rels"))
        }
    assert read_one("strict.docx", with_parts(plain, changed)).text == "Saved as Strict Open XML."


def test_notes_stand_at_the_end():
    notes = (
        f'<w:footnotes {nsdecls("w")}><w:footnote w:id="2"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )

    def build(document: WordDocument) -> None:
        paragraph = document.add_paragraph("With a note.")
        paragraph._p.append(parse_xml(f'<w:r {nsdecls("w")}><w:footnoteReference w:id="2"/></w:r>'))
        document.add_paragraph("After it.")

    plain = make_docx(build)
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        relations = archive.read("word/_rels/document.xml.rels").replace(
            b"</Relationships>",
            b'<Relationship Id="rIdN" Target="footnotes.xml"'
            b' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"/></Relationships>',
        )
        types = archive.read("[Content_Types].xml").replace(
            b"</Types>",
            b'<Override PartName="/word/footnotes.xml"'
            b' ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"/></Types>',
        )
    changed = {"word/footnotes.xml": notes.encode(), "word/_rels/document.xml.rels": relations, "[Content_Types].xml": types}
    assert texts_of(read_one("a.docx", with_parts(plain, changed)), "paragraph") == ["With a note.", "After it.", "A note."]


# -------------------------------------------------------------------------------------------------------- refusals

PLAIN = make_docx(lambda document: document.add_paragraph("Needling."))


def test_a_bomb_is_refused_by_its_directory():
    """250 MB of spaces in a quarter of a megabyte."""
    assert "unpacks to more than 200 MB" in reason("bomb.docx", with_parts(PLAIN, {"word/document.xml": b" " * 250_000_000}))


def test_a_bomb_whose_directory_lies_is_stopped_while_it_unpacks(monkeypatch: pytest.MonkeyPatch):
    """What comes out is counted as well: with the limit at ten bytes, an honest document is over it while being read."""
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as archive:
        part = archive.getinfo("word/document.xml")
        assert reading._unpack(archive, part, 10_000_000)
        with pytest.raises(reading.Refused, match="unpacks to more than"):
            reading._unpack(archive, part, 10)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PLAIN[: len(PLAIN) // 2], "damaged"),
        (with_parts(PLAIN, {"word/document.xml": b"<w:document"}), "damaged"),
        (with_parts(PLAIN, {"[Content_Types].xml": b"<Types/>"}), "damaged"),
        (make_docx(lambda document: None), "holds no text"),
    ],
    ids=["half", "broken XML", "no types", "empty"],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(content: bytes, words: str):
    assert words in reason("bad.docx", content)


def test_entities_in_a_document_are_not_opened():
    part = (
        b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]><w:document xmlns:w='
        b'"http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Before &e; after</w:t></w:r></w:p>'
        b"</w:body></w:document>"
    )
    document = read_one("a.docx", with_parts(PLAIN, {"word/document.xml": part}))
    assert document.text.startswith("Before")
    assert not any(character.isdigit() for character in document.text)
