"""Many at once: sessions at the real server with a rebuild in the middle, and threads that share one encoder."""

from __future__ import annotations

import gc
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from litsearch.embedding import OnnxEncoder, Progress, Vectors
from litsearch.errors import QuestionError
from litsearch.ingesting import ingest
from litsearch.searching import Searcher
from litsearch.settings import ROOT, Settings
from tests.robustness.load import Outcome, load


def _loaded(real_settings: Callable[[Path], Settings], tmp_path: Path, sessions: int, seconds: float, think_s: float) -> Outcome:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for source in sorted((ROOT / "corpus").glob("web-*.md")):
        (corpus / source.name).write_bytes(source.read_bytes())
    outcome = load(real_settings(corpus), sessions=sessions, seconds=seconds, think_s=think_s, log=tmp_path / "log")
    assert outcome.errors == []
    assert outcome.wrong_generations == 0
    assert "Traceback" not in (tmp_path / "log").read_text(errors="replace")
    return outcome


@pytest.mark.slow
def test_five_sessions_see_no_error_through_a_rebuild(real_settings: Callable[[Path], Settings], tmp_path: Path) -> None:
    outcome = _loaded(real_settings, tmp_path, sessions=5, seconds=40, think_s=1)
    assert outcome.answered >= 10 and outcome.versions == {1, 2}


@pytest.mark.long
def test_fifty_sessions_see_no_error_and_memory_stays(real_settings: Callable[[Path], Settings], tmp_path: Path) -> None:
    """Five minutes, or as many seconds as ``LITSEARCH_TEST_LOAD_S`` says: 600 for the ten minutes of docs/RELIABILITY.md."""
    seconds = float(os.environ.get("LITSEARCH_TEST_LOAD_S", "300"))
    outcome = _loaded(real_settings, tmp_path, sessions=50, seconds=seconds, think_s=20)
    assert outcome.versions == {1, 2}
    assert outcome.growth_in_last_half() < 0.05
    # One file a question would end at the system's limit after a morning.
    assert outcome.open_files[-1] < outcome.open_files[len(outcome.open_files) // 4] + 60


# ------------------------------------------------------------------------------------------- what a rebuild leaves


@pytest.fixture
def growing(real_settings: Callable[[Path], Settings], tmp_path: Path) -> Callable[[int], Settings]:
    """Publishes a library of one article in another version at each call."""
    (tmp_path / "corpus").mkdir()
    settings = replace(real_settings(tmp_path / "corpus"), keep_generations=1, threads=2)

    def publish(version: int) -> Settings:
        (settings.corpus / "a.txt").write_text(f"Redness\n\nThe skin is red for {version} days after needling.\n")
        ingest(settings)
        return settings

    return publish


def test_a_replaced_generation_is_read_to_the_end_and_then_closed(growing: Callable[[int], Settings]) -> None:
    """At once, not when the collector happens to run; the models serve on."""
    searcher = Searcher(growing(2))
    under_way = searcher._library()
    old, encoder = under_way.generation.catalogue, searcher.encoder
    growing(3)
    gc.disable()
    try:
        assert "3 days" in searcher.ask("How long is the skin red?").hits[0].passage.text
        assert [passage.text for passage in old.passages()], "a question that began before reads on"
        connection = old._connection
        del under_way, old
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
    finally:
        gc.enable()
    assert searcher.encoder is encoder


def test_rebuilding_again_and_again_leaves_no_file_open(growing: Callable[[int], Settings]) -> None:
    searcher = Searcher(growing(0))
    open_files = []
    for version in range(1, 7):
        growing(version)
        searcher.ask("How long is the skin red?")
        open_files.append(len(os.listdir("/proc/self/fd")))
    assert open_files[-1] <= open_files[1]


class _Counting(OnnxEncoder):
    """The real encoder, noting how many use it at the same time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, n_threads=1)
        self.now = self.most = 0
        self._noting = threading.Lock()

    def embed_tokens(self, texts: Sequence[str], progress: Progress | None = None) -> tuple[Vectors, list[Vectors]]:
        with self._noting:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            time.sleep(0.01)
            return super().embed_tokens(texts, progress)
        finally:
            with self._noting:
                self.now -= 1


def test_no_more_questions_are_worked_on_at_once_than_there_are_cores(
    growing: Callable[[int], Settings], model_exports: Path
) -> None:
    """Sixteen ask, two are at work; one that fails makes room like the others."""
    searcher = Searcher(growing(2))
    (export,) = [path for path in model_exports.iterdir() if (path / "about.json").is_file()]
    encoder = _Counting(export)
    searcher._open = replace(searcher._library(), encoder=encoder)
    answered: list[bool] = []

    def ask(question: str) -> None:
        try:
            answered.append(bool(searcher.ask(question).hits))
        except QuestionError:
            answered.append(False)

    threads = [threading.Thread(target=ask, args=("" if n % 4 == 0 else "How long is the skin red?",)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (sum(answered), len(answered), encoder.most) == (12, 16, 2)


# -------------------------------------------------------------------------------------------------- one encoder


def _shared(encoder: OnnxEncoder, n_calls: int, n_threads: int) -> None:
    texts = [f"Question {number % 97} on needling and scars, {'again ' * (number % 13)}?" for number in range(n_calls)]
    alone = {text: encoder.embed([text])[0] for text in dict.fromkeys(texts)}
    counted = {text: encoder.count_tokens([text])[0] for text in alone}
    differing: list[str] = []
    start = threading.Barrier(n_threads)

    def work(first: int) -> None:
        start.wait()
        for text in texts[first::n_threads]:
            if not np.array_equal(encoder.embed([text])[0], alone[text]) or encoder.count_tokens([text])[0] != counted[text]:
                differing.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert differing == []


def test_threads_that_share_the_encoder_get_the_answers_of_one_alone(encoder: OnnxEncoder) -> None:
    """To the last bit."""
    _shared(encoder, 200, 16)


@pytest.mark.long
def test_four_thousand_concurrent_calls_get_the_answers_of_one_alone(encoder: OnnxEncoder) -> None:
    _shared(encoder, 4_000, 64)
