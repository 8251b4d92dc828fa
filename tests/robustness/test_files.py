"""Files made to hang, fill or fool a reader: each is read word for word or refused by name, and the others go on."""

from __future__ import annotations

import os
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litsearch.errors import Refused
from litsearch.ingesting import ingest
from litsearch.passages import SplitRules, split
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.settings import Settings
from litsearch.testing import FakeEncoder
from tests.conftest import ARTICLE, Shelf
from tests.robustness.fuzz import FINDINGS, TARGETS, try_one
from tests.robustness.strategies import FORMATS, Written, documents

_COUNT = FakeEncoder(max_tokens=64).count_tokens


# ------------------------------------------------------------------------------------------------- any document


def _read_or_refused(file: Written) -> int:
    """How many documents the file gave; each passage stands word for word where it says, refusals are sentences."""
    try:
        reading = read_file(SourceFile(file.name, file.content), Limits(read_timeout_s=30))
    except Refused as refused:
        assert str(refused).endswith(".") and "crashed" not in str(refused) and "took longer" not in str(refused)
        return 0
    assert reading.documents or reading.refused
    for document in reading.documents:
        document.text.encode("utf-8")
        for block in document.blocks:
            assert 0 <= block.start < block.end <= len(document.text)
        for passage in split(document, SplitRules(max_tokens=64), _COUNT):
            assert document.text[passage.start : passage.end] == passage.text
            for sentence in passage.sentences:
                assert passage.start <= sentence.start < sentence.end <= passage.end
    return len(reading.documents)


@settings(max_examples=60)
@given(documents())
def test_any_document_is_read_word_for_word_or_refused(file: Written) -> None:
    _read_or_refused(file)


@pytest.mark.long
@pytest.mark.parametrize("form", FORMATS)
def test_any_document_of_each_format_is_read_word_for_word_or_refused(form: str) -> None:
    n_read: list[int] = []

    @settings(max_examples=1_000)
    @given(documents((form,)))
    def check(file: Written) -> None:
        n_read.append(_read_or_refused(file))

    check()
    assert sum(n > 0 for n in n_read) > 100, "a strategy that only makes refused files proves little"


@settings(max_examples=15)
@given(st.lists(documents(("txt", "md", "jsonl")), min_size=1, max_size=4))
def test_a_corpus_of_any_documents_is_published_and_equal_however_it_was_built(
    new_shelf: Callable[[], Shelf], files: list[Written]
) -> None:
    """One at a time or all at once beside a good article: the same bytes."""
    at_once, in_steps = new_shelf(), new_shelf()
    for shelf in (at_once, in_steps):
        shelf.write("good.md", ARTICLE)
    in_steps.ingest()
    for number, file in enumerate(files):
        for shelf in (at_once, in_steps):
            shelf.write(f"{number}-{file.name}", file.content)
        in_steps.ingest()
    at_once.ingest()
    assert at_once.contents() == in_steps.contents()
    assert "Needling and scars" in at_once.titles()


# ------------------------------------------------------------------------------------------------- kept findings


def _findings() -> list[tuple[str, Path]]:
    return [(place.parent.name, place) for place in sorted(FINDINGS.glob("*/*"))]


def test_every_finding_belongs_to_a_target() -> None:
    assert _findings(), "the folder of findings has gone"
    assert {target for target, _ in _findings()} <= set(TARGETS)


@pytest.mark.parametrize(("target", "place"), _findings(), ids=lambda value: value if isinstance(value, str) else value.name)
def test_what_fuzzing_found_stays_mended(target: str, place: Path) -> None:
    assert try_one(target, place.read_bytes()) == ""


# -------------------------------------------------------------------------------------------------------- bombs


def _zip_bomb() -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"<w:document>" + b" " * 300_000_000)
    return packed.getvalue()


def _entities(root: str) -> str:
    """Each entity names the one before ten times: a billion letters from a kilobyte."""
    names = "abcdefghi"
    declared = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(names))
    return f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY a "lollollol">{declared}]>'


BOMBS: dict[str, Callable[[], bytes]] = {
    "entities.xml": lambda: f"{_entities('PubmedArticleSet')}<PubmedArticleSet>&i;</PubmedArticleSet>".encode(),
    "jats.nxml": lambda: f"{_entities('article')}<article><front/><body><p>&i;</p></body></article>".encode(),
    "outside.xml": lambda: (
        b'<!DOCTYPE PubmedArticleSet [<!ENTITY e SYSTEM "file:///etc/passwd">]><PubmedArticleSet>&e;</PubmedArticleSet>'
    ),
    "zipped.docx": _zip_bomb,
    "deep.html": lambda: b"<html><body>" + b"<div>" * 50_000 + b"<p>text</p></body></html>",
    "deep.nxml": lambda: b"<article><front/><body>" + b"<sec>" * 50_000 + b"</body></article>",
    "deep.md": lambda: b"> " * 20_000 + b"text",
    "deep.jsonl": lambda: b'{"_id": "1", "text": ' + b"[" * 50_000 + b"}",
    "deep.md.meta.yml": lambda: b"[" * 50_000,
}


def test_bombs_beside_an_article_are_refused_and_the_article_is_published(shelf: Shelf) -> None:
    """All in one corpus: none takes the ingest down, none lets a file of the machine in, the good article stands."""
    shelf.write("good.md", ARTICLE)
    for name, make in BOMBS.items():
        shelf.write(name, make())
    started = time.monotonic()
    report = shelf.ingest()
    assert time.monotonic() - started < 300
    assert report.documents >= 1
    assert "Needling and scars" in shelf.titles()
    refused = {refusal.path: refusal.reason for refusal in report.refused}
    for name in ("entities.xml", "jats.nxml", "outside.xml", "zipped.docx", "deep.html", "deep.nxml", "deep.md"):
        assert name in refused, name
        assert "crashed" not in refused[name] and "took longer" not in refused[name], refused[name]
    generation = shelf.open()
    assert not any("root:" in document.text for document in generation.catalogue.documents())
    generation.catalogue.close()


# Two brackets make the Markdown parser look for the end of a link again and again: four times as long for twice the text.
@pytest.mark.parametrize(
    ("name", "piece"), [("brackets.md", "!["), ("list.md", "- a\n"), ("words.txt", "word "), ("marks.txt", "?!")]
)
def test_a_large_plain_file_has_the_time_limit_of_the_others(name: str, piece: str) -> None:
    content = (piece * (600_000 // len(piece))).encode()
    started = time.monotonic()
    try:
        reading = read_file(SourceFile(name, content), Limits(read_timeout_s=5))
    except Refused as refused:
        assert "took longer than 5 seconds" in str(refused) or "nested too deeply" in str(refused)
    else:
        assert len(reading.documents) == 1
    assert time.monotonic() - started < 30, "five seconds, and the start of the child after it on a busy machine"


def test_a_large_article_reads_in_the_child_as_it_does_here(shelf: Shelf) -> None:
    text = ARTICLE + "".join(f"\n\n## Part {n}\n\nThe skin is red for {n} days after the session.\n" for n in range(1_900))
    from litsearch.reading.plain import MarkdownReader

    file = SourceFile("long.md", text.encode())
    (document,) = read_file(file, Limits()).documents
    assert len(text) > 100_000
    assert [document] == MarkdownReader().read(file, Limits())


@pytest.mark.long
@pytest.mark.parametrize("name", ["line.txt", "line.md", "line.html", "line.nbib", "line.jsonl", "line.xml"])
def test_a_line_of_200_megabytes_is_refused_or_read_in_bounded_time(name: str, new_shelf: Callable[[], Shelf]) -> None:
    """By default it is over the limit of 50 MB; a practice that raised the limit gets a refusal or an article in its time limit."""
    content = b"<html><p>" * (name.endswith("html")) + b"word " * 40_000_000
    assert len(content) >= 200_000_000
    shelf = new_shelf()
    shelf.write("good.md", ARTICLE)
    shelf.write(name, content)
    (refusal,) = shelf.ingest().refused
    assert "limit of 50 MB" in refusal.reason
    started = time.monotonic()
    with pytest.raises(Refused):
        read_file(SourceFile(name, content), Limits(max_file_mb=300, read_timeout_s=30))
    assert time.monotonic() - started < 90


# ------------------------------------------------------------------------------------------- what stands beside


@pytest.mark.parametrize("kind", ["pipe", "link", "circle", "large", "binary"])
def test_a_sidecar_that_cannot_be_used_refuses_its_article_and_nothing_else(stocked: Shelf, kind: str) -> None:
    """A pipe would be waited for without end; a link could show any file of the machine as provenance."""
    outside = stocked.folder / "outside.yml"
    outside.write_text("title: Something private\n")
    sidecar = stocked.corpus / "scars.md.meta.yml"
    if kind == "pipe":
        os.mkfifo(sidecar)
    elif kind == "link":
        sidecar.symlink_to(outside)
    elif kind == "circle":
        sidecar.symlink_to(sidecar)
    else:
        sidecar.write_bytes(b"title: a\nsource: " + (b"a" * 2_000_000 if kind == "large" else b"\xff\x00"))
    (refusal,) = stocked.ingest().refused
    assert refusal.path == "scars.md" and "scars.md.meta.yml" in refusal.reason
    assert len(stocked.titles()) == 2 and "Something private" not in stocked.titles()
    sidecar.unlink()
    assert stocked.ingest().refused == ()


def test_a_year_that_is_not_stated_is_no_obstacle(shelf: Shelf) -> None:
    """Found by fuzzing: an empty year refused the whole article."""
    for number, year in enumerate(("not stated", "", "''", "0")):
        shelf.write(f"{number}.md", ARTICLE.replace("year: 2020", f"year: {year}"))
    assert shelf.ingest().refused == ()


# ----------------------------------------------------------------------------------------- files that do not rest


class _Meddling(FakeEncoder):
    """Changes a file of the corpus while the ingest is at work: at its first question about tokens."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        super().__init__()
        self._meddle: Callable[[], object] | None = meddle

    def count_tokens(self, texts: object) -> list[int]:
        meddle, self._meddle = self._meddle, None
        if meddle is not None:
            meddle()
        return super().count_tokens(texts)  # type: ignore[arg-type]


@pytest.mark.parametrize("what", ["changed", "removed", "pipe", "sidecar", "folder"])
def test_a_file_that_changes_between_the_survey_and_its_reading_is_refused_and_read_next_time(shelf: Shelf, what: str) -> None:
    shelf.write("a-first.md", ARTICLE)
    late = shelf.write("late.txt", "A text about redness. It fades.")
    sidecar = shelf.write("late.txt.meta.yml", "title: Redness\n")

    def meddle() -> None:
        if what == "sidecar":
            sidecar.write_text("title: Redness and more\n")
            return
        late.unlink()
        if what == "changed":
            late.write_text("Another text, longer than the one before it.")
        elif what == "pipe":
            os.mkfifo(late)
        elif what == "folder":
            late.mkdir()

    shelf.encoder = _Meddling(meddle)
    done: list[object] = []
    work = threading.Thread(target=lambda: done.append(shelf.ingest()), daemon=True)
    work.start()
    work.join(60)
    assert done, "the ingest waits for a file that does not come"
    report = done[0]
    assert [refusal.path for refusal in report.refused] == ["late.txt"]  # type: ignore[attr-defined]
    if what == "pipe":
        late.unlink()
    if what == "folder":
        late.rmdir()
    if what != "sidecar":
        late.write_text("The text at rest.")
    shelf.ingest()
    clean = Shelf(shelf.folder / "clean")
    for path in shelf.corpus.iterdir():
        clean.write(path.name, path.read_bytes())
    clean.ingest()
    assert shelf.contents() == clean.contents()


@pytest.mark.slow
def test_an_ingest_of_files_that_never_rest_ends_and_the_one_at_rest_is_right(shelf: Shelf) -> None:
    """A writer rewrites five files all the while: ten ingests each publish whole articles, the last equals a clean build."""
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            shelf.write(f"{number % 5}.txt", f"Version {number}. " * (number % 50 + 1))

    shelf.write("good.md", ARTICLE)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            report = shelf.ingest()
            assert "Needling and scars" in shelf.titles()
            assert {refusal.path for refusal in report.refused} <= {f"{n}.txt" for n in range(5)}
    finally:
        done.set()
        writer.join()
    shelf.ingest()
    clean = Shelf(shelf.folder / "clean")
    for path in shelf.corpus.iterdir():
        clean.write(path.name, path.read_bytes())
    clean.ingest()
    assert shelf.contents() == clean.contents()


def test_limits_hold_for_the_whole_ingest(new_shelf: Callable[[], Shelf]) -> None:
    shelf = new_shelf()
    shelf.write("good.md", ARTICLE)
    shelf.write("large.txt", "word " * 300_000)
    limited: Settings = replace(shelf.settings, max_file_mb=1)
    (refusal,) = ingest(limited, encoder=shelf.encoder).refused
    assert refusal.path == "large.txt" and "limit of 1 MB" in refusal.reason
