"""Real files from the test folders of well-known readers: each is read or refused with a reason, in bounded time and memory."""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.reading import article_text, pages_and_truth, precision_recall_f1
from litsearch.errors import Refused
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.reading.isolation import WORKER
from litsearch.reading.repairs import decode, mend_encoding

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SAMPLES = DATA / "parser_samples"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample files (../shared/data/parser_samples) are not here"),
]


def samples() -> list[tuple[str, bytes]]:
    """Every file, compressed pages also unpacked."""
    found = []
    for path in sorted(path for path in SAMPLES.rglob("*") if path.is_file()):
        name = path.relative_to(SAMPLES).as_posix()
        found.append((name, path.read_bytes()))
        if name.endswith(".gz"):
            found.append((name.removesuffix(".gz"), gzip.decompress(path.read_bytes())))
    return found


def test_every_sample_is_read_or_refused_with_a_reason(capsys: pytest.CaptureFixture[str]):
    """None crashes its reader or takes a minute; the child that reads them all stays under 2 GB."""
    outcomes: Counter[str] = Counter()
    slowest = (0.0, "")
    for name, content in samples():
        started = time.monotonic()
        try:
            reading = read_file(SourceFile(name, content), Limits())
            assert reading.documents or reading.refused, name
            for document in reading.documents:
                assert document.blocks and document.text, name
            outcomes["read"] += 1
        except Refused as refused:
            said = str(refused)
            assert said.endswith(".") and "crashed" not in said and "took longer" not in said and "memory" not in said, (
                name,
                said,
            )
            outcomes["refused"] += 1
        slowest = max(slowest, (time.monotonic() - started, name))
    assert slowest[0] < 60, slowest
    with capsys.disabled():
        print(f"\nsamples: {dict(outcomes)}; slowest {slowest[0]:.1f} s ({slowest[1].rsplit('/', 1)[-1]})")
    assert outcomes["read"] > 0.5 * sum(outcomes.values())


def test_reading_the_samples_takes_less_than_2_gb():
    resource = pytest.importorskip("resource", reason="no measure of memory on this system")
    for name, content in samples():
        try:
            read_file(SourceFile(name, content), Limits())
        except Refused:
            continue
    WORKER.stop()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    assert peak < 2_000_000_000, f"{peak / 1e6:.0f} MB"


def test_reading_the_samples_again_gives_the_same():
    for name, content in samples():
        if name.endswith((".pdf", ".docx", ".nxml", ".xml")):
            file = SourceFile(name, content)
            try:
                first = read_file(file, Limits())
            except Refused:
                continue
            assert read_file(file, Limits()) == first, name


def test_articles_are_extracted_from_web_pages_as_well_as_by_the_best_extractors(capsys: pytest.CaptureFixture[str]):
    """The floor is that of trafilatura's default mode, 0.965 (docs/reading-measurements.md, "Web pages")."""
    pages, truth = pages_and_truth(DATA)
    precision, recall, f1 = precision_recall_f1(truth, {key: article_text(content) for key, content in pages.items()})
    with capsys.disabled():
        print(f"\narticle extraction, {len(pages)} pages: precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}")
    assert f1 >= 0.965


# The encoding that each file was saved in: for twelve as the collection's own tests state it, for the others as their text comes out right.
ENCODINGS = {
    "arabic-1": "cp1256",
    "french-1": "cp1252",
    "chinese": "big5",
    "greek": "cp1253",
    "greek-2": "cp1253",
    "hebrew-2": "cp1255",
    "hebrew-3": "cp1255",
    "korean": "cp949",
    "turkish": "cp1254",
    "russian": "mac_cyrillic",
}


def test_texts_in_nine_encodings_come_out_letter_by_letter(capsys: pytest.CaptureFixture[str]):
    """The withheld part of the collection may hold harder ones; of these none may be wrong."""
    wrong = []
    paths = sorted((SAMPLES / "jawah__charset_normalizer" / "data").glob("sample-*.txt"))
    for path in paths:
        encoding = ENCODINGS.get(path.stem.removeprefix("sample-"), "utf-8-sig")
        expected = path.read_bytes().decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        if decode(path.read_bytes())[0] != expected:
            wrong.append(path.name)
    with capsys.disabled():
        print(f"\nencodings: {len(paths) - len(wrong)} of {len(paths)} texts right")
    assert paths and not wrong, wrong


def test_accidents_with_encodings_are_undone_as_their_collection_expects(capsys: pytest.CaptureFixture[str]):
    """Cases that the collection's own program fails are left out. One in 151 stays wrong: a drawing of box signs."""
    cases = [
        case
        for path in sorted((SAMPLES / "rspeer__python-ftfy" / "tests" / "test-cases").glob("*.json"))
        for case in json.loads(path.read_text(encoding="utf-8"))
        if case["expect"] == "pass"
    ]
    wrong = [case["label"] for case in cases if mend_encoding(case["original"])[0] != case.get("fixed-encoding", case["fixed"])]
    with capsys.disabled():
        print(f"\naccidents with encodings: {len(cases) - len(wrong)} of {len(cases)} as expected")
    assert cases and len(wrong) <= 1, wrong
