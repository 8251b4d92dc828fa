"""Real files from the test folders of well-known readers: each is read or refused with a reason, in bounded time and memory."""

from __future__ import annotations

import gzip
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.reading import article_text, pages_and_truth, precision_recall_f1
from litsearch.errors import Refused
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.reading.isolation import WORKER

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
