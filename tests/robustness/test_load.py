"""Many at once: sessions at the real server with a rebuild in the middle, and threads that share one encoder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from litsearch.embedding import OnnxEncoder
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


@pytest.mark.slow
def test_fifty_sessions_see_no_error_and_memory_stays(real_settings: Callable[[Path], Settings], tmp_path: Path) -> None:
    """Five minutes here; ten by ``python -m tests.robustness.load`` (docs/RELIABILITY.md)."""
    outcome = _loaded(real_settings, tmp_path, sessions=50, seconds=300, think_s=20)
    assert outcome.versions == {1, 2}
    assert outcome.growth_in_last_half() < 0.05
    # One file a question would end at the system's limit after a morning.
    assert outcome.open_files[-1] < outcome.open_files[len(outcome.open_files) // 4] + 60


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


@pytest.mark.slow
def test_four_thousand_concurrent_calls_get_the_answers_of_one_alone(encoder: OnnxEncoder) -> None:
    _shared(encoder, 4_000, 64)
