"""One file in, its documents out: each format has a reader, chosen by content."""

from __future__ import annotations

from litsearch.errors import Refused
from litsearch.reading import formats
from litsearch.reading.beir import BeirReader
from litsearch.reading.isolation import Isolated, LargeInChild
from litsearch.reading.plain import MarkdownReader, PlainTextReader
from litsearch.reading.source import FileReading, Limits, Reader, SourceFile

# The first that recognises a file reads it. Formats known by their content stand before those known by their ending.
# ``version`` goes up when the same bytes would be read differently.
READERS: tuple[Reader, ...] = (
    Isolated("litsearch.reading.pdf:PdfReader", name="pdf", version=2, recognises=formats.is_pdf),
    Isolated("litsearch.reading.docx:DocxReader", name="docx", version=2, recognises=formats.is_docx),
    Isolated("litsearch.reading.pubmed:PubmedXmlReader", name="pubmed-xml", version=2, recognises=formats.is_pubmed_xml),
    Isolated("litsearch.reading.jats:JatsReader", name="jats", version=2, recognises=formats.is_jats),
    Isolated("litsearch.reading.pubmed:MedlineReader", name="medline", version=2, recognises=formats.is_medline),
    Isolated("litsearch.reading.ris_bibtex:RisReader", name="ris", version=2, recognises=formats.is_ris),
    Isolated("litsearch.reading.ris_bibtex:BibtexReader", name="bibtex", version=2, recognises=formats.is_bibtex),
    BeirReader(),
    Isolated("litsearch.reading.html:HtmlReader", name="html", version=2, recognises=formats.is_html),
    LargeInChild(MarkdownReader()),
    LargeInChild(PlainTextReader()),
)

__all__ = ["READERS", "FileReading", "Limits", "Reader", "SourceFile", "find_reader", "read_file"]


def find_reader(file: SourceFile) -> Reader:
    """The reader for a file.

    Raises:
        Refused: when no reader knows the format; it says what to save the file as.
    """
    unreadable = formats.why_unreadable(file)
    for reader in READERS:
        # Plain readers go by the ending alone: what is plainly no text must not reach them.
        if reader.recognises(file) and not (unreadable and isinstance(reader, LargeInChild)):
            return reader
    raise Refused(unreadable or formats.why_no_reader(file))


def read_file(file: SourceFile, limits: Limits) -> FileReading:
    """The documents in one file, and the records in it that were refused while the others went on.

    Raises:
        Refused: with a reason that a person can act on, when nothing of the file can be used.
    """
    megabytes = len(file.content) / 1e6
    if megabytes > limits.max_file_mb:
        raise Refused(f"is {megabytes:.0f} MB, more than the limit of {limits.max_file_mb} MB. Split it or raise max_file_mb.")
    if not file.content.strip():
        raise Refused("is empty. Add the article's text or delete the file.")
    found = find_reader(file).read(file, limits)
    return found if isinstance(found, FileReading) else FileReading(tuple(found))
