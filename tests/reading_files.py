"""Small files of each format, made by hand, for the tests of the readers."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import docx

from litsearch.errors import Refused
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.records import Document, Refusal


def read_one(name: str, content: bytes | str, *, sidecar: bytes | None = None, limits: Limits | None = None) -> Document:
    """The only document in a file."""
    documents, refused = read_all(name, content, sidecar=sidecar, limits=limits)
    assert len(documents) == 1 and not refused, (documents, refused)
    return documents[0]


def read_all(
    name: str, content: bytes | str, *, sidecar: bytes | None = None, limits: Limits | None = None
) -> tuple[tuple[Document, ...], tuple[Refusal, ...]]:
    """Everything in a file."""
    raw = content.encode() if isinstance(content, str) else content
    reading = read_file(SourceFile(name, raw, sidecar), limits or Limits())
    return reading.documents, reading.refused


def reason(name: str, content: bytes | str, limits: Limits | None = None) -> str:
    """Why a file is refused; fails when it is not."""
    try:
        documents, refused = read_all(name, content, limits=limits)
    except Refused as error:
        return str(error)
    raise AssertionError(f"{name} was read: {documents} {refused}")


def blocks_of(document: Document) -> list[tuple[str, str]]:
    """Each block's kind and text."""
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def texts_of(document: Document, kind: str) -> list[str]:
    """The texts of one kind of block."""
    return [text for found, text in blocks_of(document) if found == kind]


def repairs_of(document: Document) -> dict[str, int]:
    """Each mend and how often it was made."""
    return {repair.what: repair.count for repair in document.repairs}


# ------------------------------------------------------------------------------------------------------------ PDF


@dataclass(frozen=True)
class Words:
    """A line of a page: where it begins (from the bottom left, in points), its size, and whether it is bold."""

    x: float
    y: float
    text: str
    size: float = 10
    bold: bool = False


def make_pdf(
    pages: Sequence[Sequence[Words]], *, info: dict[str, str] | None = None, rotate: int = 0, pictures: bool = False
) -> bytes:
    """A PDF with Helvetica text, in the order given; ``pictures`` puts an image on every page."""
    objects: list[bytes] = []

    def add(body: bytes) -> int:
        objects.append(body)
        return len(objects)

    regular = add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    bold = add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>")
    image = add(
        b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>"
        b"\nstream\n\x80\nendstream"
    )
    tree = len(objects) + 1 + 2 * len(pages)
    kids = []
    for page in pages:
        parts = [b"q 500 0 0 700 50 50 cm /Im Do Q"] if pictures else []
        for words in page:
            text = words.text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            font = "B" if words.bold else "R"
            parts.append(f"BT /{font} {words.size} Tf {words.x} {words.y} Td (".encode() + text + b") Tj ET")
        packed = zlib.compress(b"\n".join(parts))
        stream = add(b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(packed) + packed + b"\nendstream")
        resources = f"<< /Font << /R {regular} 0 R /B {bold} 0 R >> /XObject << /Im {image} 0 R >> >>"
        kids.append(
            add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 595 842] /Rotate {rotate}"
                f" /Resources {resources} /Contents {stream} 0 R >>".encode()
            )
        )
    assert len(objects) + 1 == tree
    add(f"<< /Type /Pages /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] /Count {len(kids)} >>".encode())
    catalogue = add(f"<< /Type /Catalog /Pages {tree} 0 R >>".encode())
    fields = "".join(f"/{name} ({value}) " for name, value in (info or {}).items())
    about = add(f"<< {fields}>>".encode())
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    table = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.writelines(f"{place:010d} 00000 n \n".encode() for place in places)
    out.write(f"trailer << /Size {len(objects) + 1} /Root {catalogue} 0 R /Info {about} 0 R >>\n".encode())
    out.write(f"startxref\n{table}\n%%EOF\n".encode())
    return out.getvalue()


def wrapped(text: str, *, x: float, y: float, characters: int, leading: float = 12, size: float = 10) -> list[Words]:
    """A paragraph as lines of at most so many characters, divided only between words."""
    lines: list[Words] = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > characters:
            lines.append(Words(x, y - leading * len(lines), line, size))
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, Words(x, y - leading * len(lines), line, size)]


# ----------------------------------------------------------------------------------------------------------- DOCX


def make_docx(build: Callable[[docx.document.Document], object]) -> bytes:
    """A Word document that ``build`` fills."""
    document = docx.Document()
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def with_parts(content: bytes, changed: dict[str, bytes]) -> bytes:
    """A zip archive with some of its files replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changed:
                new.writestr(name, old.read(name))
        for name, body in changed.items():
            new.writestr(name, body)
    return out.getvalue()
