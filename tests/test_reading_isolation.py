"""A bad file costs itself and nothing else: its reader runs in a child with limits on time and memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from litsearch.errors import Refused
from litsearch.reading.isolation import Isolated, ReaderFault, Worker
from litsearch.reading.source import FileReading, Limits, SourceFile
from litsearch.records import Block, Metadata, Repair

Ask = Callable[..., FileReading]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    worker = Worker()

    def read(reader: str, content: bytes = b"ok", sidecar: bytes | None = None, timeout_s: int = 30) -> FileReading:
        spec = f"tests.parsers_gone_wrong:{reader}"
        isolated = Isolated(spec, name="wrong", version=1, recognises=lambda file: True, worker=worker)
        return isolated.read(SourceFile("a.txt", content, sidecar), Limits(read_timeout_s=timeout_s))

    yield read
    worker.stop()


def process_of(reading: FileReading) -> str:
    return reading.documents[0].text.split()[1]


def test_everything_comes_back_as_it_was_and_printing_does_not_disturb(ask: Ask):
    (document,) = ask("Prints", content="ök".encode(), sidecar=b"12345").documents
    assert document.text.startswith("ök ") and document.text.endswith(" 5")
    assert document.metadata == Metadata("Tïtle", authors=("A", "B"), year=2020)
    assert document.blocks == (Block("paragraph", 0, 2, 1, 7),)
    assert document.repairs == (Repair("a", 2, "b"),)


def test_one_process_reads_many_files(ask: Ask):
    assert len({process_of(ask("Prints")) for _ in range(5)}) == 1


def test_a_big_parent_does_not_cost_the_child_its_life(ask: Ask, monkeypatch: pytest.MonkeyPatch):
    """A child must be judged by its own memory: an ingest with a model loaded would start one a file otherwise."""
    monkeypatch.setattr("litsearch.reading.isolation._RECYCLE_BYTES", 150_000_000)
    hoard = bytearray(b"x" * 200_000_000)
    with pytest.raises(Refused, match="crashed its reader"):
        ask("Crashes")  # the next child is started by a parent of this size
    assert len({process_of(ask("Prints")) for _ in range(3)}) == 1
    assert len(hoard) == 200_000_000


def test_a_hanging_reader_is_given_up_in_time_and_the_next_file_is_read(ask: Ask):
    before = process_of(ask("Prints"))
    started = time.monotonic()
    with pytest.raises(Refused, match="took longer than 1 seconds"):
        ask("Hangs", timeout_s=1)
    assert time.monotonic() - started < 5
    assert process_of(ask("Prints")) != before


def test_a_crash_refuses_the_file_and_the_next_one_is_read(ask: Ask):
    with pytest.raises(Refused, match="crashed its reader"):
        ask("Crashes")
    assert ask("Prints").documents


def test_memory_without_end_is_refused(ask: Ask):
    pytest.importorskip("resource", reason="no limits on memory on this system")
    with pytest.raises(Refused, match="more than 2 GB of memory"):
        ask("Eats")
    assert ask("Prints").documents


def test_nesting_without_end_is_refused(ask: Ask):
    with pytest.raises(Refused, match="nested too deeply"):
        ask("Nests")


def test_a_refusal_keeps_its_words(ask: Ask):
    with pytest.raises(Refused, match=r"^holds nothing of use\.$"):
        ask("Refuses")


def test_a_fault_that_no_reader_foresaw_comes_with_its_trace(ask: Ask):
    with pytest.raises(ReaderFault, match="a fault of its own"):
        ask("Fails")
    assert ask("Prints").documents


def test_the_child_ends_with_its_worker():
    worker = Worker()
    isolated = Isolated("tests.parsers_gone_wrong:Prints", name="wrong", version=1, recognises=lambda file: True, worker=worker)
    isolated.read(SourceFile("a.txt", b"ok"), Limits())
    process = worker._process
    assert process is not None and process.poll() is None
    worker.stop()
    assert process.poll() is not None
