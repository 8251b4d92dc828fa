"""What the first frame waits for: nothing that takes long to load; the library is opened beside it, once, from the start on."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from litsearch.errors import IndexMissing
from litsearch.settings import ROOT, Settings
from litsearch.ui.opening import HeadStart
from litsearch.ui.resources import searcher_of
from tests.served import RUNNING, served

# Each of them, or what it stands for here, costs a tenth of a second and more to import.
HEAVY = frozenset(
    "faiss onnxruntime torch tokenizers transformers sentence_transformers numpy scipy pandas pyarrow altair bm25s rapidfuzz"
    " pydantic sqlalchemy sklearn syntok symspellpy lxml trafilatura pypdfium2 docx ftfy".split()
)


def loaded_by(program: str) -> set[str]:
    """The packages that a program has loaded at its end, in a fresh interpreter."""
    program += "\nimport sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("module", ["litsearch.ui.app", "litsearch.ui.front", "litsearch.ui.staff"])
def test_what_the_first_frame_needs_loads_nothing_heavy(module: str):
    assert loaded_by(f"import {module}") & HEAVY == set()


def test_the_first_frame_is_drawn_with_nothing_heavy_loaded():
    """Here the library is never open: the page stops where it would wait for it. What Streamlit loads for
    any page with an icon (numpy) does not count."""
    program = """
import streamlit
from streamlit.testing.v1 import AppTest
from litsearch.ui import front, opening
front.LIBRARY, front.loaded = opening.HeadStart(print), streamlit.stop
page = AppTest.from_string("from litsearch.ui.app import run\\nrun(staff=False)", default_timeout=120).run()
assert [field.label for field in page.text_input] == ["Your question"], page
"""
    bare = """
from streamlit.testing.v1 import AppTest
script = "import streamlit\\nstreamlit.set_page_config(page_icon='litsearch/ui/icon.svg')\\nstreamlit.text_input('x')"
AppTest.from_string(script, default_timeout=120).run()
"""
    assert loaded_by(program) & (HEAVY - loaded_by(bare)) == set()


def test_the_search_itself_loads_what_the_first_frame_does_not():
    """The list above names what there is to wait for."""
    assert {"faiss", "numpy", "bm25s", "rapidfuzz", "pydantic"} <= loaded_by("import litsearch.ui.patient") & HEAVY


def test_a_head_start_is_made_once_however_many_ask():
    made: list[int] = []
    start = HeadStart(lambda: (time.sleep(0.1), made.append(1)))
    with ThreadPoolExecutor(8) as askers:
        seen = list(askers.map(lambda _: (start.wait(), len(made))[1], range(8)))
    assert seen == [1] * 8
    assert start.done


def test_nobody_waits_for_what_is_done_ahead():
    released = threading.Event()
    start = HeadStart(lambda: None, lambda _: released.wait())
    start.wait()
    assert start.done and not released.is_set()
    released.set()


@pytest.mark.parametrize("error", [IndexMissing("No index."), ZeroDivisionError("a fault")])
def test_who_waits_is_let_go_when_the_head_start_fails(error: Exception):
    """And meets the error in work of its own: it can tell a reader, the thread cannot."""

    def fail() -> None:
        raise error

    start = HeadStart(fail)
    start.wait()
    assert start.done


def test_visitors_at_once_open_the_library_once(committed_index: Settings):
    def opened(_: int) -> tuple[int, int]:
        searcher = searcher_of(committed_index)
        return id(searcher), id(searcher.manifest())

    with ThreadPoolExecutor(6) as visitors:
        assert len(set(visitors.map(opened, range(6)))) == 1


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether something comes to hold in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return holds()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_the_library_is_opened_with_the_server_before_anyone_visits(committed_index: Settings):
    with served(committed_index) as address:
        maps = Path(f"/proc/{RUNNING[address]}/maps")
        postings = str(committed_index.index.resolve())
        assert within(120, lambda: postings in (text := maps.read_text()) and "onnxruntime" in text)


def test_a_browser_is_opened_unless_the_server_is_headless(
    committed_index: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As Streamlit does for an app of its own; ``BROWSER`` names the program that the standard library starts."""
    asked = tmp_path / "asked.txt"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {asked}\n', encoding="utf-8")
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    with served(committed_index) as address:
        urllib.request.urlopen(address, timeout=60).close()
        assert not asked.exists()
    with served(committed_index, options=["--server.headless", "false"]) as address:
        assert within(60, asked.exists)
        assert within(10, lambda: asked.read_text().split() == [f"{address}/"])
