"""Starts the real ``streamlit run app.py`` on a free port, and a headless Chromium that looks at it."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from litsearch.settings import ROOT, Settings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Chromium's own calls home are switched off, so that every request seen is one of the page's.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip
PHONE, DESKTOP = (390, 844), (1280, 900)


@contextmanager
def app(settings: Settings, *, staff: bool = False, log: Path | None = None) -> Iterator[str]:
    """Serve the app over a library; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LITSEARCH_", "STREAMLIT_"))},
        "LITSEARCH_CORPUS": str(settings.corpus),
        "LITSEARCH_INDEX": str(settings.index),
        "LITSEARCH_PRACTICE": str(settings.practice),
        "LITSEARCH_THREADS": "2",
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"]
    with (log or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(
            [*command, *(["--", "--staff"] if staff else [])],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_the_tests if sys.platform == "linux" else None,
        )
        try:
            _wait_until_up(f"http://localhost:{port}/_stcore/health", process)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _end_with_the_tests() -> None:
    """Have the kernel end the server when the tests are killed, which no ``finally`` survives (prctl's PR_SET_PDEATHSIG is 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _wait_until_up(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the app ended at once, with {process.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("the app was not up after two minutes")


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS))
        try:
            yield chromium
        finally:
            chromium.close()


def settled(page: Page) -> Page:
    """The page once it is drawn and its script rests."""
    page.wait_for_selector(".stHtml h1, .stHtml h2", timeout=120_000)
    page.wait_for_function("document.querySelector('.stApp').dataset.testScriptState === 'notRunning'", timeout=120_000)
    page.wait_for_timeout(250)
    return page
