"""Ingests in processes of their own, which can be ended at any instant; forked from one that has everything loaded."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

from litsearch.errors import IndexBusy
from litsearch.files import watched
from litsearch.ingesting import ingest
from tests.conftest import Shelf
from tests.robustness.faults import die_at

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["tests.robustness.children", "tests.conftest"])
KILLED, DONE, BUSY = -signal.SIGKILL, 0, 3


def start(folder: Path, *, rebuild: bool = False, die: int = -1, together: Barrier | None = None) -> ForkServerProcess:
    """Start an ingest of the shelf at ``folder``; one that dies does so before its ``die``-th change of the disk."""
    child = FORKING.Process(target=_ingest, args=(str(folder), rebuild, die, together))
    child.start()
    return child


def _ingest(folder: str, rebuild: bool, die: int, together: Barrier | None) -> None:
    shelf = Shelf(Path(folder))
    if together is not None:
        together.wait(60)
    try:
        with watched(die_at(die)):
            ingest(shelf.settings, rebuild=rebuild, encoder=shelf.encoder)
    except IndexBusy:
        raise SystemExit(BUSY) from None
