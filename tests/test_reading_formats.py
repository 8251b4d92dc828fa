"""A file is what its bytes say, whatever its name says; what cannot be read is refused with what to do instead."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.errors import Refused
from litsearch.reading import READERS, Limits, SourceFile, find_reader, read_file
from litsearch.reading.isolation import Isolated
from litsearch.reading.source import FileReading
from tests.reading_files import Words, make_docx, make_pdf, read_all, read_one, reason, repairs_of

PDF = make_pdf([[Words(50, 700, "Needling pricks the skin.")]])
DOCX = make_docx(lambda document: document.add_paragraph("Needling pricks the skin."))
NBIB = b"\nPMID- 1\nTI  - Needling\nAB  - It pricks.\n"
RIS = b"TY  - JOUR\nTI  - Needling\nAB  - It pricks.\nER  - \n"
BIBTEX = b"@article{key1, title={Needling}, abstract={It pricks.}}"
JSONL = b'{"_id": "1", "title": "Needling", "text": "It pricks."}\n'
PUBMED = b"<?xml version='1.0'?>\n<!-- export --><!DOCTYPE PubmedArticleSet PUBLIC 'a' 'b'><PubmedArticleSet></PubmedArticleSet>"
JATS = b"<!DOCTYPE article PUBLIC 'JATS' 'x.dtd' [<!-- > -->]><article article-type='research-article'><front/></article>"
HTML = b"<!-- saved --><!DOCTYPE html><html><body><p>Needling pricks the skin.</p></body></html>"


@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.md", "noending", "a.docx"])
@pytest.mark.parametrize(
    ("content", "reader"),
    [
        (PDF, "pdf"), (b"\r\n" + PDF, "pdf"), (DOCX, "docx"), (NBIB, "medline"), (RIS, "ris"), (BIBTEX, "bibtex"), (JSONL, "beir"),
        (PUBMED, "pubmed-xml"), (JATS, "jats"), (HTML, "html"), (b"\xef\xbb\xbf" + HTML, "html"), (HTML.decode().encode("utf-16"), "html"),
    ],
)  # fmt: skip
def test_content_decides_before_the_name(name: str, content: bytes, reader: str):
    assert find_reader(SourceFile(name, content)).name == reader


@pytest.mark.parametrize(
    ("name", "content", "reader"),
    [
        ("a.txt", b"Needling pricks the skin.", "text"),
        ("a.md", b"# Needling\n\nIt <b>pricks</b>.", "markdown"),
        ("LICENSE", b"Anyone may use it.", "text"),
        ("a.txt", b"The file began with %PDF-1.4, said the text.", "text"),
        ("a.txt", b"MZ is short for megazoom. ID3 and BZh and RIFF too.", "text"),
        ("a.md", b"Write to @article{ or\n\n    @article{key, title={x}}\n", "markdown"),
        ("a.html", b"<p>Needling pricks the skin.</p>", "html"),
        ("a.bib", b"% my references\n@article{key1, title={Needling}}", "bibtex"),
        ("a.html", b"<article><p>Needling pricks the skin.</p></article>", "html"),
        ("a.txt", b"PMID- is how a record begins", "text"),
    ],
)
def test_texts_that_only_mention_a_format_stay_texts(name: str, content: bytes, reader: str):
    assert find_reader(SourceFile(name, content)).name == reader


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.doc", OLE + "WordDocument".encode("utf-16-le"), "old kind (.doc). Open it in Word, save it as .docx"),
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        ("a.xls", OLE + "Workbook".encode("utf-16-le"), "spreadsheet"),
        ("a.msg", OLE + "__substg1.0_".encode("utf-16-le"), "Outlook message"),
        ("a.xlsx", zipped("xl/workbook.xml"), "spreadsheet"),
        ("a.pptx", zipped("ppt/presentation.xml"), "Save it as PDF"),
        ("a.docx", zipped("a.txt"), "zip archive. Unpack it"),
        ("a.docx", b"PK\x03\x04 and then nothing of use", "damaged archive"),
        ("a.txt", gzip.compress(b"text"), "compressed (gzip). Unpack it"),
        ("a.rtf", b"{\\rtf1 text}", "save it as .docx"),
        ("a.pdf", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "picture. Run text recognition"),
        ("a.txt", bytes(range(256)) * 8, "binary data"),
        ("a.csv", b"a,b\n1,2\n", "is a table (.csv)"),
        ("a.json", b'{"a": 1}', "JSON data"),
        ("a.pdf", b"Just words.", "ending of a PDF but holds none"),
        ("a.nbib", b"Just words.", "ending of a PubMed export but holds no record"),
        ("a.xml", b"<rss><channel/></rss>", "XML of a kind that is not known here (<rss>)"),
        ("a.mht", b"From: <Saved by Blink>\r\nMIME-Version: 1.0", "web archive"),
        ("a.zzz", b"Just words.", "ending that is not known here (.zzz)"),
        ("a.txt", b"  \n ", "is empty"),
    ],
)
def test_refusals_say_what_to_do(name: str, content: bytes, words: str):
    said = reason(name, content)
    assert words in said and said.endswith(".")


def test_a_file_over_the_size_limit_is_refused():
    assert "more than the limit of 1 MB" in reason("a.txt", b"x" * 1_500_000, Limits(max_file_mb=1))


@given(st.binary(max_size=400), st.sampled_from(["a.txt", "a.pdf", "a.html", "a.xml", "a.bib", "a.jsonl", "a.nbib", "a"]))
def test_any_bytes_are_given_to_a_reader_or_refused(content: bytes, name: str):
    try:
        find_reader(SourceFile(name, content))
    except Refused as refused:
        assert str(refused)


@pytest.mark.parametrize(
    "prefix", [b"<?a?>" * 20_000, b"<!--" * 20_000, b"<!DOCTYPE [" * 20_000, b"@a{" * 20_000, b"TY" * 40_000]
)
def test_no_opening_makes_the_choice_slow(prefix: bytes):
    """A pattern that backtracks over these would take hours."""
    try:
        find_reader(SourceFile("a.xyz", prefix))
    except Refused as refused:
        assert "unknown kind" in str(refused) or "not known here" in str(refused)


def test_the_readers_versions_say_that_more_accidents_are_mended_now():
    """An index of an earlier version holds texts with invisible characters and half-mended ones; they must be read again."""
    assert {reader.version for reader in READERS if reader.name in ("text", "markdown")} == {4}
    assert {reader.version for reader in READERS if reader.name not in ("text", "markdown")} == {2}


def test_a_reader_in_the_child_bears_the_name_and_version_under_which_it_is_listed():
    """The index is rebuilt when a listed version goes up, so the list must not fall behind the reader."""
    for listed in READERS:
        if isinstance(listed, Isolated):
            module, _, kind = listed.reader.partition(":")
            reader = getattr(import_module(module), kind)()
            assert (reader.name, reader.version) == (listed.name, listed.version)


def test_parsers_are_loaded_in_the_child_alone():
    heavy = "{'lxml', 'docx', 'pypdfium2', 'trafilatura', 'bibtexparser', 'rispy', 'torch', 'streamlit'}"
    code = f"import sys, litsearch.reading; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_gives_a_reading():
    reading = read_file(SourceFile("a.txt", b"Needling pricks the skin."), Limits())
    assert isinstance(reading, FileReading)
    assert [document.document_id for document in reading.documents] == ["a.txt"] and reading.refused == ()


@pytest.mark.parametrize(
    ("name", "content"), [("a.pdf", PDF), ("a.docx", DOCX), ("a.html", HTML), ("a.nbib", NBIB), ("a.bib", BIBTEX)]
)
def test_reading_twice_gives_the_same(name: str, content: bytes):
    assert read_all(name, content) == read_all(name, content)


def test_a_sidecar_has_the_last_word():
    sidecar = b"title: Another title\nkind: patient-information\n"
    for name, content in (("a.pdf", PDF), ("a.docx", DOCX), ("a.html", HTML), ("a.nbib", NBIB)):
        metadata = read_one(name, content, sidecar=sidecar).metadata
        assert (metadata.title, metadata.kind) == ("Another title", "patient-information")


def test_a_bad_sidecar_refuses_the_file_by_field():
    for name, content in (("a.pdf", PDF), ("a.nbib", NBIB)):
        with pytest.raises(Refused, match="field 'kind' must be one of"):
            read_file(SourceFile(name, content, b"kind: hearsay\n"), Limits())


def test_invisible_characters_are_counted_in_every_format():
    html = "<html><body><p>Micro\u00adneedling pricks\u200b the skin of the face many times over, and then it heals.</p></body></html>"
    for name, content in (("a.html", html), ("a.nbib", "PMID- 1\nTI  - N\nAB  - Micro\u00adneedling pricks\u200b.\n")):
        document = read_one(name, content)
        assert "Microneedling pricks" in document.text
        assert repairs_of(document) == {"soft hyphens removed": 1, "zero-width characters removed": 1}
