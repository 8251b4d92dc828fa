"""One check of a piece of copy at work in the background: findings as they come, progress, and a way to stop it."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from litsearch.claims.extract import extract
from litsearch.claims.records import Finding
from litsearch.errors import LitsearchError

log = logging.getLogger(__name__)

Phase = Literal["running", "done", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class CheckState:
    """How far a check is: ``findings`` in the order of the copy, ``of`` statements in all.

    ``error`` says why a check failed; it is empty where the fault is the program's own.
    """

    phase: Phase
    findings: tuple[Finding, ...]
    of: int
    error: str = ""


class CheckRun:
    """Checks one piece of copy in a thread of its own. Safe to share between threads.

    ``stance`` names what tells the stances: a model by its hash, or "rules" alone.
    """

    def __init__(self, copy: str, campaign: str, check: Callable[[str], Iterator[Finding]], *, stance: str = "rules") -> None:
        self.copy = copy
        self.campaign = campaign
        self.stance = stance
        self.sha256 = hashlib.sha256(copy.encode("utf-8", "surrogatepass")).hexdigest()
        # The register's entry of each finding that was recorded, by the finding's place in the list.
        self.recorded: dict[int, str] = {}
        self._check = check
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._state = CheckState("running", (), len(extract(copy)))
        self._thread = threading.Thread(target=self._work, name="claims-check", daemon=True)

    @property
    def state(self) -> CheckState:
        """How far the check is now."""
        with self._lock:
            return self._state

    def start(self) -> None:
        """Begin; call it once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the claim that is being looked at; what was found stays."""
        self._stopping.set()

    def wait(self, timeout_s: float) -> CheckState:
        """The state once the check has ended, or after the timeout."""
        self._thread.join(timeout_s)
        return self.state

    def _work(self) -> None:
        try:
            for finding in self._check(self.copy):
                with self._lock:
                    self._state = replace(self._state, findings=(*self._state.findings, finding))
                if self._stopping.is_set():
                    self._end("stopped")
                    return
        except LitsearchError as error:
            self._end("failed", str(error))
        except Exception:  # the thread must not die in silence: the page would wait for ever
            log.exception("a check failed")
            self._end("failed")
        else:
            self._end("done")

    def _end(self, phase: Phase, error: str = "") -> None:
        with self._lock:
            self._state = replace(self._state, phase=phase, error=error)
