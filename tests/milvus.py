"""A Milvus server of the tests' own: Milvus Lite on this machine alone, or the cluster that LITSEARCH_TEST_MILVUS names."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.served import free_port

CLUSTER = os.environ.get("LITSEARCH_TEST_MILVUS", "")


def missing() -> str:
    """Why no server can be had here; empty when one can."""
    needed = ["pymilvus"] if CLUSTER else ["pymilvus", "milvus_lite"]
    lacking = [name.replace("_", "-") for name in needed if importlib.util.find_spec(name) is None]
    return f"not installed: {' and '.join(lacking)}" if lacking else ""


class MilvusLite:
    """A server over a folder, started and stopped as a test likes; its port stays the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"milvus://127.0.0.1:{self._port}"

    def start(self) -> None:
        # Its default host is open to every machine of the network.
        place = ["--data-dir", str(self._folder / "data"), "--host", "127.0.0.1", "--port", str(self._port)]
        with (self._folder / "milvus.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "milvus_lite", "server", *place], stdout=log, stderr=subprocess.STDOUT
            )
        give_up = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > give_up:
                    said = (self._folder / "milvus.log").read_text()
                    raise RuntimeError(f"Milvus Lite did not start: {said}") from None
                time.sleep(0.1)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None
