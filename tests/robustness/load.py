"""Patients at the real server: ``python -m tests.robustness.load --sessions 50 --seconds 600`` with a rebuild in the middle.

Each session is a websocket with Streamlit's own messages: it opens the page, asks, waits for the answer, reads, asks again. The
library holds an article that states its own version; every answer must show one version only, and one that was published.
"""

from __future__ import annotations

import argparse
import html
import json
import random
import re
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from litsearch.embedding import open_encoder
from litsearch.ingesting import ingest
from litsearch.settings import ROOT, Settings
from tests.served import RUNNING, served

QUESTIONS = (
    "Who should not have microneedling?", "does it hurt", "How many sessions for acne scars?", "how long is the skin red",
    "Is it safe in pregnancy?", "What is the capital of Mongolia?", "can i do it at home", "Which version is this library at?",
)  # fmt: skip
_VERSION = re.compile(r"library version (\d+)")


class Session:
    """One browser's connection; ``draw`` runs the page and gives the text of what it drew."""

    def __init__(self, address: str) -> None:
        self._address = address.replace("http://", "ws://") + "/_stcore/stream"
        self._origin = address

    def __enter__(self) -> Session:
        self._connection = connect(
            self._address,
            origin=self._origin,  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            open_timeout=120,
        )
        self._socket = self._connection.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.__exit__(kind, error, trace)

    def draw(self, query: str, *, page: str = "", timeout_s: float = 180) -> str:
        """Run the page at this query; the text of all that it drew.

        Raises:
            TimeoutError: when the page does not end in time.
            AssertionError: when the server reports an error of its own.
        """
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        self._socket.send(message.SerializeToString())
        drawn: list[str] = []
        until = time.monotonic() + timeout_s
        while True:
            received = self._socket.recv(timeout=max(0.1, until - time.monotonic()))
            forward = ForwardMsg()
            forward.ParseFromString(received if isinstance(received, bytes) else received.encode())
            kind = forward.WhichOneof("type")
            if kind == "delta" and forward.delta.WhichOneof("type") == "new_element":
                element = forward.delta.new_element
                what = element.WhichOneof("type")
                assert what != "exception", element.exception.message
                drawn.append(element.html.body if what == "html" else str(getattr(element, what)) if what else "")
            elif kind == "script_finished":
                return "\n".join(drawn)

    def ask(self, question: str) -> str:
        """What the page shows for a question."""
        return self.draw(f"q={quote(question)}")


@dataclass
class Outcome:
    """What the load showed; times in seconds, memory in bytes."""

    sessions: int
    seconds: float
    answered: int = 0
    errors: list[str] = field(default_factory=list)
    wrong_generations: int = 0
    versions: set[int] = field(default_factory=set)
    waits: list[float] = field(default_factory=list)
    waits_while_building: list[float] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)
    open_files: list[int] = field(default_factory=list)

    def growth_in_last_half(self) -> float:
        """The middle of the last quarter's memory over that of the quarter before, less one."""
        used = [n for _, n in self.memory]
        third, fourth = used[len(used) // 2 : 3 * len(used) // 4], used[3 * len(used) // 4 :]
        return statistics.median(fourth) / statistics.median(third) - 1

    def to_json(self) -> dict[str, object]:
        waits = sorted(self.waits)
        building = sorted(self.waits_while_building)
        return {
            "sessions": self.sessions,
            "seconds": round(self.seconds),
            "pages_answered": self.answered,
            "errors": len(self.errors),
            "first_errors": self.errors[:3],
            "wrong_generations": self.wrong_generations,
            "versions_seen": sorted(self.versions),
            "wait_p50_s": round(statistics.median(waits), 2),
            "wait_p95_s": round(waits[int(0.95 * len(waits))], 2),
            "wait_p95_while_rebuilding_s": round(building[int(0.95 * len(building))], 2) if building else None,
            "memory_mb": [round(n / 1e6) for _, n in self.memory[:: max(1, len(self.memory) // 12)]],
            "memory_growth_in_last_half": round(self.growth_in_last_half(), 4),
            "open_files": [min(self.open_files), max(self.open_files)],
        }


def _version_article(version: int) -> str:
    return f"# Which version\n\nThis is library version {version}. The practice keeps its library at one version for all its pages.\n"


def load(settings: Settings, *, sessions: int, seconds: float, think_s: float, log: Path) -> Outcome:
    """Serve ``settings``' library to that many sessions for that long; half-way the version article changes and is ingested."""
    outcome = Outcome(sessions, seconds)
    article = settings.corpus / "version.md"
    article.write_text(_version_article(1))
    ingest(settings)
    published, building = {1}, threading.Event()
    lock, done = threading.Lock(), threading.Event()

    def patient(number: int) -> None:
        chance = random.Random(number)
        try:
            with Session(address) as session:
                session.draw("")
                while not done.is_set():
                    question = chance.choice(QUESTIONS)
                    rebuilding, started = building.is_set(), time.monotonic()
                    drawn = html.unescape(session.ask(question))
                    waited = time.monotonic() - started
                    shown = {int(n) for n in _VERSION.findall(drawn)}
                    with lock:
                        outcome.answered += 1
                        (outcome.waits_while_building if rebuilding or building.is_set() else outcome.waits).append(waited)
                        outcome.versions |= shown
                        if len(shown) > 1 or not shown <= published:
                            outcome.wrong_generations += 1
                        if 'class="panel failed"' in drawn or 'class="panel build"' in drawn:
                            outcome.errors.append(f"{question}: {re.sub('<[^>]+>', ' ', drawn)[-300:]}")
                    done.wait(chance.uniform(0, 2 * think_s))
        except Exception as error:  # every fault of a session is a finding of the load
            with lock:
                outcome.errors.append(repr(error))

    with served(settings, log=log) as address:
        with Session(address) as first:
            first.draw("", timeout_s=600)
        process = Path("/proc") / str(RUNNING[address])
        patients = [threading.Thread(target=patient, args=(number,), daemon=True) for number in range(sessions)]
        for one in patients:
            one.start()
        started, rebuilt = time.monotonic(), False
        while (passed := time.monotonic() - started) < seconds:
            resident = int(re.search(r"VmRSS:\s+(\d+)", (process / "status").read_text()).group(1)) * 1024  # type: ignore[union-attr]
            outcome.memory.append((passed, resident))
            outcome.open_files.append(len(list((process / "fd").iterdir())))
            if not rebuilt and passed > seconds / 2:
                rebuilt = True
                article.write_text(_version_article(2))
                published.add(2)
                building.set()
                ingest(settings)
                # The first answers after it open the new generation.
                building.clear()
            time.sleep(min(1.0, seconds / 20))
        done.set()
        for one in patients:
            one.join(300)
    if not rebuilt or any(one.is_alive() for one in patients):
        outcome.errors.append("the load did not come to its end")
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--think", type=float, default=20, help="seconds that a patient reads, on average (default: 20)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "corpus").mkdir()
        for source in sorted((ROOT / "corpus").glob("*.md")):
            (place / "corpus" / source.name).write_bytes(source.read_bytes())
        settings = replace(Settings(), corpus=place / "corpus", index=place / "index", threads=2)
        open_encoder(settings.model, settings.index / "models", n_threads=2)
        outcome = load(
            settings, sessions=arguments.sessions, seconds=arguments.seconds, think_s=arguments.think, log=place / "log"
        )
        print(json.dumps(outcome.to_json()))


if __name__ == "__main__":
    main()
