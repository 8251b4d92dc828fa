"""One build of the index at a time, in the background, watched by every session."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from litsearch.errors import IndexBusy, LitsearchError
from litsearch.records import IngestReport
from litsearch.settings import Settings

if TYPE_CHECKING:
    from litsearch.assembling import Progress

log = logging.getLogger(__name__)

Phase = Literal["idle", "running", "done", "failed"]
# How long to wait for another process that holds the index before looking again.
_BUSY_WAIT_S = 1.0


@dataclass(frozen=True, slots=True)
class BuildState:
    """How far a build is: ``stage`` is the ingest's own name for it, ``done`` of ``of`` within that stage.

    ``error`` is why it failed; None also for a fault of ours, which the log has.
    """

    phase: Phase = "idle"
    stage: str = "preparing"
    done: int = 0
    of: int = 0
    error: LitsearchError | None = None
    report: IngestReport | None = None


def _ingest(settings: Settings, *, rebuild: bool, progress: Progress) -> IngestReport:
    # Loaded with the first build: the page's first frame names this module and must not wait for the readers.
    from litsearch.ingesting import ingest

    return ingest(settings, rebuild=rebuild, progress=progress)


class Build:
    """Runs the ingest in a thread of its own; starting it twice runs it once. Safe to share between threads."""

    def __init__(self, settings: Settings, run: Callable[..., IngestReport] = _ingest) -> None:
        self._settings = settings
        self._run = run
        self._lock = threading.Lock()
        self._state = BuildState()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> BuildState:
        """How far the build is now."""
        with self._lock:
            return self._state

    def start(self, *, rebuild: bool = False) -> bool:
        """Start a build unless one is under way; whether this call started it."""
        with self._lock:
            if self._state.phase == "running":
                return False
            self._state = BuildState("running", report=self._state.report)
            self._thread = threading.Thread(target=self._work, args=(rebuild,), name="index-build", daemon=True)
            self._thread.start()
        return True

    def wait(self, timeout_s: float) -> BuildState:
        """The state once the build under way has ended, or after the timeout."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self.state

    def _work(self, rebuild: bool) -> None:
        pause = threading.Event()
        progress: Progress = self._note
        while True:
            try:
                report = self._run(self._settings, rebuild=rebuild, progress=progress)
            except IndexBusy:
                self._set(stage="waiting", done=0, of=0)
                pause.wait(_BUSY_WAIT_S)
                continue
            except LitsearchError as error:
                log.error("the index could not be built: %s", error)
                self._set(phase="failed", error=error)
            except Exception:  # the thread must not die in silence: every session would wait for ever
                log.exception("the build failed")
                self._set(phase="failed", error=None)
            else:
                self._set(phase="done", report=report)
            return

    def _note(self, stage: str, done: int, of: int) -> None:
        self._set(stage=stage, done=done, of=of)

    def _set(self, **changes: object) -> None:
        with self._lock:
            self._state = replace(self._state, **changes)  # type: ignore[arg-type]
