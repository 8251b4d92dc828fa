"""Which format a file is: by its first bytes, then by its ending; and for what cannot be read, what to save it as."""

from __future__ import annotations

import io
import json
import re
import zipfile

from litsearch.reading.source import SourceFile

# Longer than any prolog met in practice: licence comments stand before <html>, entity lists before <article>.
_HEAD = 65_536

_HTML_ENDINGS = (".html", ".htm", ".xhtml", ".xht", ".aspx", ".php")
_ROOT = re.compile(r"<(?:[A-Za-z][\w.-]*:)?([A-Za-z][\w.-]*)")
_DOCTYPE = re.compile(r"<!DOCTYPE\s+([\w.:-]+)", re.IGNORECASE)
_PUBMED_ROOTS = {
    "PubmedArticleSet",
    "PubmedArticle",
    "PubmedBookArticle",
    "PubmedBookArticleSet",
    "MedlineCitationSet",
    "MedlineCitation",
}
_JATS_ROOTS = {"article", "pmc-articleset", "book-part-wrapper"}
_MEDLINE = re.compile(r"\s*(?:PMID|PUBM|OWN |STAT|NBIB)-[ ]", re.MULTILINE)
_MEDLINE_LINE = re.compile(r"^(?:PMID|TI  |AB  )- ", re.MULTILINE)
_RIS = re.compile(r"(?:.*\n){0,5}?\s*TY  ?- ?[A-Z]")
_BIBTEX = re.compile(r"(?:^|\n)[ \t]*@[A-Za-z]+[ \t]*[{(]\s*[^\s,{}()\"#%]*\s*,")
_HTML_BODY = re.compile(r"<(?:html|head|body|div|p|h1|table|article|section|main|meta|title)\b[^>]*>", re.IGNORECASE)
_HTML_ROOTS = {"html", "head", "body", "div", "p", "h1", "h2", "section", "main", "meta", "title", "table", "span"}

# First bytes of what is no article, with what to do instead.
_UNREADABLE: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "is a Rich Text file. Open it in Word, save it as .docx and add that."),
    (b"\x1f\x8b", "is compressed (gzip). Unpack it and add the file inside."),
    (b"BZh", "is compressed (bzip2). Unpack it and add the file inside."),
    (b"\xfd7zXZ\x00", "is compressed (xz). Unpack it and add the file inside."),
    (b"\x28\xb5\x2f\xfd", "is compressed (zstd). Unpack it and add the file inside."),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive. Unpack it and add the files inside."),
    (b"Rar!\x1a\x07", "is a RAR archive. Unpack it and add the files inside."),
    (b"\x89PNG", "is a picture. Run text recognition (OCR) on it and add the text."),
    (b"\xff\xd8\xff", "is a picture. Run text recognition (OCR) on it and add the text."),
    (b"GIF8", "is a picture. Run text recognition (OCR) on it and add the text."),
    (b"II*\x00", "is a picture. Run text recognition (OCR) on it and add the text."),
    (b"MM\x00*", "is a picture. Run text recognition (OCR) on it and add the text."),
    (b"RIFF", "is a sound, film or picture. Add its text instead."),
    (b"ID3", "is a sound recording. Add its text instead."),
    (b"OggS", "is a sound recording or film. Add its text instead."),
    (b"%!PS", "is PostScript. Print or convert it to PDF and add that."),
    (b"AT&TFORM", "is a DjVu scan. Run text recognition (OCR) on it and add the text."),
    (b"SQLite format 3\x00", "is a database. Export the article as text and add that."),
    (b"\x7fELF", "is a program, not an article. Delete it from the corpus."),
    (b"MZ", "is a program, not an article. Delete it from the corpus."),
    (b"\x00\x00\x01\x00", "is a picture. Run text recognition (OCR) on it and add the text."),
)
_BY_ENDING = {
    ".pdf": "has the ending of a PDF but holds none. Download or export it again and add that.",
    ".docx": "has the ending of a Word file but holds none. Open it in Word, save it anew and add that.",
    ".doc": "has the ending of an old Word file but holds none. Open it in Word, save it as .docx and add that.",
    ".nbib": "has the ending of a PubMed export but holds no record. Export it again (Save, format PubMed) and add that.",
    ".ris": "has the ending of a RIS export but holds no record. Export the references again and add that.",
    ".bib": "has the ending of a BibTeX file but holds no entry. Export the references again and add that.",
    ".jsonl": "is JSON lines without the fields _id and text. Write one record with both a line and add that.",
    ".html": "has the ending of a web page but holds none. Save the page again as 'web page, HTML only' and add that.",
    ".htm": "has the ending of a web page but holds none. Save the page again as 'web page, HTML only' and add that.",
    ".csv": "is a table (.csv). Write what it says as text, or export the references as .ris, and add that.",
    ".tsv": "is a table (.tsv). Write what it says as text, or export the references as .ris, and add that.",
    ".json": "is JSON data, not an article. Save the article as text, Word, PDF or a web page and add that.",
    ".tex": "is LaTeX source. Make a PDF of it and add that.",
    ".mht": "is a web archive. Save the page again as 'web page, HTML only' and add that.",
    ".mhtml": "is a web archive. Save the page again as 'web page, HTML only' and add that.",
    ".eml": "is an e-mail. Save its text or its attachment and add that.",
    ".enw": "is an EndNote file. Export the references as RIS (.ris) and add that.",
    ".enl": "is an EndNote library. Export the references as RIS (.ris) and add that.",
}
_ZIP_KINDS = (
    ("application/vnd.oasis.opendocument", "is an OpenDocument file. Save it as .docx and add that."),
    ("application/epub+zip", "is an e-book (EPUB). Save the chapter you need as text or PDF and add that."),
    ("xl/workbook", "is a spreadsheet. Write what it says as text and add that."),
    ("ppt/presentation", "is a presentation. Save it as PDF and add that."),
    ("index/document.iwa", "is an Apple Pages file. Export it as Word (.docx) and add that."),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_READABLE = "PDF, Word (.docx), a web page (.html), text (.txt) or Markdown (.md)"


def is_pdf(file: SourceFile) -> bool:
    """A PDF's signature may stand behind some stray bytes; readers look for it in the first kilobyte."""
    head = file.content[:1024]
    if head.lstrip(b"\xef\xbb\xbf \t\r\n\x00").startswith(b"%PDF-"):
        return True
    return b"%PDF-" in head and (file.suffix == ".pdf" or _is_binary(file))


def is_docx(file: SourceFile) -> bool:
    """A zip archive that holds a Word document."""
    return any(re.fullmatch(r"word/document\d*\.xml", name) for name in _zip_names(file.content))


def is_html(file: SourceFile) -> bool:
    """A page that opens as one, or has the ending of one and holds markup."""
    if _is_binary(file):
        return False
    head = _head(file)
    doctype, root = _prolog(head)
    if doctype.lower() == "html":
        return True
    if root.lower() in ("html", "head", "body"):
        return True
    if file.suffix in _HTML_ENDINGS:
        return root.lower() in _HTML_ROOTS or _HTML_BODY.search(head) is not None
    # A text that opens with a tag of HTML's and holds several more is a page that lost its <html>.
    return file.suffix in (".txt", ".text", "") and root.lower() in _HTML_ROOTS and len(_HTML_BODY.findall(head)) > 5


def is_pubmed_xml(file: SourceFile) -> bool:
    """PubMed's XML export, by its outermost element."""
    return not _is_binary(file) and _root(_head(file)) in _PUBMED_ROOTS


def is_jats(file: SourceFile) -> bool:
    """A journal article in JATS (or the NLM form before it), alone or in PubMed Central's envelope."""
    if _is_binary(file):
        return False
    head = _head(file)
    root = _root(head)
    if root not in _JATS_ROOTS and root not in ("OAI-PMH", "records"):
        return False
    # HTML5 has an <article> too: JATS begins with its front matter or says what it is.
    return file.suffix == ".nxml" or re.search(r"<(?:\w+:)?front\b|article-type=|JATS|NLM//DTD|<article-meta", head) is not None


def is_medline(file: SourceFile) -> bool:
    """PubMed's text export (``.nbib``): lines such as ``PMID- 123``."""
    if _is_binary(file):
        return False
    head = _head(file)
    return _MEDLINE.match(head) is not None and (file.suffix == ".nbib" or len(set(_MEDLINE_LINE.findall(head))) >= 2)


def is_ris(file: SourceFile) -> bool:
    """RIS references: the first line with a tag is ``TY  - ...``."""
    return not _is_binary(file) and _RIS.match(_head(file)) is not None


def is_bibtex(file: SourceFile) -> bool:
    """BibTeX references: entries such as ``@article{key,``; in a file with another ending, only when it opens with one."""
    if _is_binary(file):
        return False
    head = _head(file)
    found = _BIBTEX.search(head)
    if found is None:
        return False
    before = head[: found.start()].strip()
    return file.suffix == ".bib" or not before or all(line.startswith("%") for line in before.splitlines())


def is_beir(file: SourceFile) -> bool:
    """A BEIR corpus: one JSON object a line with ``_id`` and ``text``."""
    if _is_binary(file) or not _head(file, 64).lstrip().startswith("{"):
        return False
    for line in file.content[:1_000_000].removeprefix(b"\xef\xbb\xbf").splitlines()[:20]:
        if line.strip():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict) and "_id" in record and "text" in record:
                return True
    return False


def why_unreadable(file: SourceFile) -> str:
    """For a file that is plainly no text: what it is and what to save it as; empty when it may be text."""
    content = file.content
    if content.startswith(b"PK\x03\x04") or content.startswith(b"PK\x05\x06"):
        return _why_no_zip(content)
    if content.startswith(_OLE):
        return _why_no_ole(content)
    if content[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"):
        return "is a picture. Run text recognition (OCR) on it and add the text."
    if content[4:8] == b"ftyp":
        return "is a film or sound recording. Add its text instead."
    for signature, reason in _UNREADABLE:
        # "MZ", "RIFF" or "GIF8" may begin an ordinary text as well.
        if content.startswith(signature) and (not signature.isascii() or signature[:1] in b"{%" or _is_binary(file)):
            return reason
    if _is_binary(file):
        return f"holds binary data that no reader here knows. Save the article as {_READABLE} and add that."
    if content[:_HEAD].lstrip().startswith((b"MIME-Version:", b"From: <Saved by")):
        return _BY_ENDING[".mhtml"]
    return ""


def why_no_reader(file: SourceFile) -> str:
    """For a text that no reader claims: what to do with it."""
    if file.path.lower().endswith((".meta.yml", ".meta.yaml")):
        return (
            "describes an article, but none of that name lies beside it, or several do. It must have the article's whole name"
            " with .meta.yml behind it, as leaflet.pdf.meta.yml for leaflet.pdf. Rename it."
        )
    if file.suffix in _BY_ENDING:
        return _BY_ENDING[file.suffix]
    if _head(file, 512).lstrip().startswith("<"):
        root = _root(_head(file))
        what = f"XML of a kind that is not known here (<{root}>)" if root else "markup of an unknown kind"
        return f"is {what}. Save the article as {_READABLE}, or export it from PubMed, and add that."
    return (
        f"has an ending that is not known here ({file.suffix or 'none'})."
        f" Save it as {_READABLE}, or as a reference export (.nbib, .ris, .bib, PubMed or JATS .xml), and add that."
    )


# ------------------------------------------------------------------------------------------------- looking inside


def _head(file: SourceFile, length: int = _HEAD) -> str:
    content = file.content[:length]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content[: len(content) & ~1].decode("utf-16", errors="replace")
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace")


def _root(head: str) -> str:
    return _prolog(head)[1]


def _prolog(head: str) -> tuple[str, str]:
    """The names of the document type and of the outermost element, empty where there is none; steps over what precedes them."""
    at = 0
    doctype = ""
    while True:
        while at < len(head) and head[at].isspace():
            at += 1
        if head.startswith("<?", at):
            end = head.find("?>", at)
        elif head.startswith("<!--", at):
            end = head.find("-->", at)
        elif found := _DOCTYPE.match(head, at):
            doctype = found.group(1)
            end = _doctype_end(head, at)
        else:
            root = _ROOT.match(head, at)
            return doctype, root.group(1) if root else ""
        if end < 0:
            return doctype, ""
        at = head.index(">", end) + 1


def _doctype_end(head: str, at: int) -> int:
    depth = 0
    quote = ""
    for position in range(at, len(head)):
        c = head[position]
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'" and depth == 0:
            quote = c
        elif c in "[]":
            depth += 1 if c == "[" else -1
        elif c == ">" and depth <= 0:
            return position
    return -1


# All of ASCII's but tab, the ends of lines and pages, and escape.
_CONTROL = bytes(byte for byte in range(32) if not 9 <= byte <= 13 and byte != 27)


def _is_binary(file: SourceFile) -> bool:
    head = file.content[:4096]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    n_control = len(head) - len(head.translate(None, _CONTROL))
    return n_control > max(1, len(head) // 50)


def _zip_names(content: bytes) -> tuple[str, ...]:
    if not content.startswith(b"PK"):
        return ()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return tuple(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return ()


def _why_no_zip(content: bytes) -> str:
    names = _zip_names(content)
    if not names:
        return "is a damaged archive or Word file. Open it in the program it came from, save it anew and add that."
    mimetype = content[30:120].decode("latin-1")
    for mark, reason in _ZIP_KINDS:
        if mark in mimetype or any(name.lower().startswith(mark) for name in names):
            return reason
    return "is a zip archive. Unpack it and add the articles inside."


def _why_no_ole(content: bytes) -> str:
    def holds(name: str) -> bool:
        return name.encode("utf-16-le") in content

    if holds("EncryptedPackage"):
        return "is protected by a password. Open it in Word, remove the password, save it as .docx and add that."
    if holds("WordDocument"):
        return "is a Word file of the old kind (.doc). Open it in Word, save it as .docx and add that."
    if holds("Workbook") or holds("Book"):
        return "is a spreadsheet. Write what it says as text and add that."
    if holds("PowerPoint Document"):
        return "is a presentation. Save it as PDF and add that."
    if holds("__substg1.0_"):
        return "is an Outlook message. Save its text or its attachment and add that."
    return "is an Office file of an old kind. Open it in the program it came from, save it as .docx or PDF and add that."
