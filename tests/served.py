"""The real ``streamlit run app.py``, started over a library on a free port, without a browser at hand."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from litsearch.settings import ROOT, Settings

# Processes of the server started here, so that a test can look at their memory.
RUNNING: dict[str, int] = {}


def free_port() -> int:
    """A port of this machine that nothing listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that give the app these settings, as far as tests set them."""
    given = ("corpus", "index", "practice", "reranker", "stance", "strictness")
    return {f"LITSEARCH_{name.upper()}": str(getattr(settings, name)) for name in given} | {"LITSEARCH_THREADS": "2"}


@contextmanager
def served(
    settings: Settings, *, staff: bool = False, options: Sequence[str] = (), log: Path | None = None, script: str = "app.py"
) -> Iterator[str]:
    """Serve the app over a library; gives its address on this machine. ``script`` may be a stand-in for the app, from the root."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LITSEARCH_", "STREAMLIT_"))},
        **environment_of(settings),
        "LITSEARCH_KEEP_QUESTIONS_DAYS": str(settings.keep_questions_days),
    }
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        script,
        "--server.port",
        str(port),
        "--server.headless",
        "true",
        *options,
    ]
    with (log or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(
            [*command, *(["--", "--staff"] if staff else [])],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_the_tests if sys.platform == "linux" else None,
        )
        address = f"http://localhost:{port}"
        RUNNING[address] = process.pid
        try:
            _wait_until_up(f"{address}/_stcore/health", process)
            yield address
        finally:
            del RUNNING[address]
            process.terminate()
            process.wait(30)


def _end_with_the_tests() -> None:
    """Have the kernel end the server when the tests are killed, which no ``finally`` survives (prctl's PR_SET_PDEATHSIG is 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _wait_until_up(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the app ended at once, with {process.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the app was not up after three minutes")
