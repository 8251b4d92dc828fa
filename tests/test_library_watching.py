"""``ingest.py --watch``: what is dropped in is served, whatever comes between, until it is told to stop."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from litsearch.commands import ingest_main
from litsearch.errors import IndexBusy, LitsearchError
from litsearch.ingesting import ingest
from litsearch.library.watching import watch
from litsearch.records import IngestReport
from litsearch.settings import ROOT, Settings
from tests.conftest import ARTICLE, Shelf

WAIT_S = 30


@contextmanager
def _watching(shelf: Shelf, run: Callable[[Settings], IngestReport] | None = None) -> Iterator[queue.Queue[object]]:
    """Reports and problems as they come, from a watch in a thread of its own; it must end when it is told to."""
    told: queue.Queue[object] = queue.Queue()
    stop = threading.Event()

    def work() -> None:
        run_once = run or (lambda settings: ingest(settings, encoder=shelf.encoder))
        watch(shelf.settings, on_report=told.put, on_problem=told.put, run=run_once, stop=stop)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join(WAIT_S)
        assert not thread.is_alive()


def _report(told: queue.Queue[object]) -> IngestReport:
    report = told.get(timeout=WAIT_S)
    assert isinstance(report, IngestReport)
    return report


def test_a_watch_builds_at_once_and_again_after_a_change_and_lives_through_a_bad_file(shelf: Shelf) -> None:
    shelf.write("scars.md", ARTICLE)
    with _watching(shelf) as told:
        assert _report(told).added == ("scars.md",)
        shelf.write("bad.txt", bytes(range(256)) * 20)
        assert [refusal.path for refusal in _report(told).refused] == ["bad.txt"]
        shelf.write("new.txt", "A new text about redness. It fades after two days.")
        assert _report(told).added == ("new.txt",)
        (shelf.corpus / "bad.txt").unlink()
        report = _report(told)
        assert (report.removed, report.refused) == (("bad.txt",), ())


def test_a_watch_waits_for_its_turn_while_another_ingest_holds_the_index(stocked: Shelf) -> None:
    tried = threading.Semaphore(0)

    def run(settings: Settings) -> IngestReport:
        tried.release()
        return ingest(settings, encoder=stocked.encoder)

    stocked.write("new.txt", "A new text about redness. It fades after two days.")
    with stocked.index.locked():
        watching = _watching(stocked, run)
        told = watching.__enter__()
        assert tried.acquire(timeout=WAIT_S) and tried.acquire(timeout=WAIT_S)
        assert told.empty()
    assert _report(told).added == ("new.txt",)
    watching.__exit__(None, None, None)


def test_a_problem_is_told_and_the_next_change_is_taken_up(stocked: Shelf) -> None:
    """An emptied corpus, as of a drive that is not mounted: the index stays, and the articles' return is seen."""
    with _watching(stocked) as told:
        assert _report(told).fresh
        for path in sorted(stocked.corpus.rglob("*.*")):
            path.unlink()
        problem = told.get(timeout=WAIT_S)
        assert isinstance(problem, LitsearchError) and "no articles" in str(problem)
        stocked.write("scars.md", ARTICLE)
        assert _report(told).removed == ("aftercare.txt", "sub/price.md")


def test_a_fault_of_the_program_does_not_end_the_watch(stocked: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    faults: list[Exception] = [RuntimeError("a fault of ours"), IndexBusy("held")]

    def run(settings: Settings) -> IngestReport:
        if faults:
            raise faults.pop(0)
        return ingest(settings, encoder=stocked.encoder)

    with _watching(stocked, run) as told:
        while len(faults) == 2:
            threading.Event().wait(0.05)
        stocked.write("new.txt", "A new text about redness. It fades after two days.")
        assert _report(told).added == ("new.txt",)
    assert "a fault of ours" in caplog.text


def test_hidden_files_wake_nobody(stocked: Shelf) -> None:
    with _watching(stocked) as told:
        assert _report(told).fresh
        stocked.write(".hidden.txt", "x")
        stocked.write("~$scars.md", "x")
        stocked.write(".folder/x.txt", "x")
        with pytest.raises(queue.Empty):
            told.get(timeout=4)


def test_ctrl_c_ends_the_watch_cleanly(real_settings: Callable[[Path], Settings], tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE)
    made = real_settings(corpus)
    program = [sys.executable, "ingest.py", "--watch", "--json", "--corpus", str(corpus), "--index", str(made.index)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LITSEARCH_")}
    # A shell's background jobs, these tests perhaps among them, hand on to their children that Ctrl+C is ignored.
    watching = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert watching.stdout is not None
    try:
        assert json.loads(watching.stdout.readline())["added"] == ["scars.md"]
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=WAIT_S)
    finally:
        watching.kill()
    assert (watching.returncode, out, b"Traceback" in err) == (0, b"", False), err.decode()
    assert b"no longer watching" in err


def test_watching_and_checking_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        ingest_main(["--watch", "--check"])
    assert left.value.code == 2
    assert "not allowed with" in capsys.readouterr().err
