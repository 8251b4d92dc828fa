"""What one would use instead of litsearch: other products on the same model, articles, questions and machine.

    python benchmarks/rivals.py [--work DIR] [--threads N] [--rounds 3] [--questions N] [--only NAME ...]

Each product has an adapter and a file of pinned packages in ``benchmarks/rivals/`` and gets an environment of its own, made below
``--work`` (several GB; kept for the next run). A product whose packages cannot be had is named and left out. All are given the
articles as litsearch's readers make them and the same all-MiniLM-L6-v2, and are asked the dev half of the questions on the
committed corpus that it covers. Builds go round by round, questions in turns, each product in processes of its own, so that a busy
machine slows all alike. Needs no network once the environments are there. Prints the table of docs/PERFORMANCE.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from litsearch.evaluation.questions import Question, is_right, letters, load_questions
from litsearch.settings import ROOT

ADAPTERS = Path(__file__).with_name("rivals")
# Of the committed questions, the half that choices were made on; the other one only reports, in docs/RESULTS.md.
HALF = "dev"
# What a person reads in half a minute; a product that serves long texts holds an answer in them sooner than one that serves short.
READ_WORDS = 100
# Threads of the process asked before may spin for a moment after their work.
_PAUSE_S = 0.05
_FIRST_QUESTION = "Does it hurt?"


@dataclass(frozen=True, slots=True)
class Way:
    """One row of the table: a product, and which of its adapter's ways to search."""

    name: str
    product: str
    variant: str


# The first is what the others are compared with.
WAYS = (
    Way("litsearch as shipped", "litsearch", "shipped"),
    Way("litsearch, all-MiniLM-L6-v2", "litsearch", "packaged"),
    Way("litsearch, all-MiniLM-L6-v2, no reranker", "litsearch", "packaged-alone"),
    Way("txtai, dense", "txtai", "dense"),
    Way("txtai, hybrid", "txtai", "hybrid"),
    Way("Haystack, dense", "haystack", "dense"),
    Way("Haystack, hybrid", "haystack", "hybrid"),
    Way("LlamaIndex, dense", "llamaindex", "dense"),
    Way("LlamaIndex, dense, 256 tokens a text", "llamaindex", "dense-256"),
    Way("LlamaIndex, hybrid, 256 tokens a text", "llamaindex", "hybrid-256"),
    Way("LangChain + FAISS, dense", "langchain", "dense"),
    Way("LangChain + FAISS, hybrid", "langchain", "hybrid"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A text that was served, and the files that it stands in."""

    paths: tuple[str, ...]
    text: str


@dataclass(slots=True)
class Measured:
    """What one way came to: seconds of each build, milliseconds of each question, peaks in MB, and the texts for each question."""

    name: str
    versions: Mapping[str, str] = field(default_factory=dict)
    n_texts: int = 0
    build_s: list[float] = field(default_factory=list)
    build_mb: float = 0.0
    ask_ms: list[float] = field(default_factory=list)
    ask_mb: float = 0.0
    served: list[list[Found]] = field(default_factory=list)


# --------------------------------------------------------------------------------------------------------- counting


def first_right(question: Question, served: Sequence[Found]) -> int:
    """The place, from 1, of the first text that answers, or 0; counted as docs/RESULTS.md counts, for every product alike."""
    places = (place for place, found in enumerate(served, 1) if is_right(question.golds, found.paths, found.text))
    return next(places, 0)


def answered_within(question: Question, served: Sequence[Found], n_words: int) -> bool:
    """Whether who reads the texts in their order, and stops after ``n_words`` words, has read an answer to its end.

    Of the text in which the reading stops, only a whole gold text counts.
    """
    left = n_words
    for found in served:
        words = found.text.split()
        if len(words) <= left:
            if is_right(question.golds, found.paths, found.text):
                return True
            left -= len(words)
            continue
        read = letters(" ".join(words[:left]))
        return any(gold.path in found.paths and letters(gold.text) in read for gold in question.golds)
    return False


# ----------------------------------------------------------------------------------------------------------- table


_COLUMNS = (
    "index build, s",
    "its peak, MB",
    "question, median ms",
    "p95 ms",
    "its peak, MB",
    "words a text, first three",
    "first text answers",
    "one of three",
    f"within {READ_WORDS} words",
)
_DIGITS = (1, 0, 1, 1, 0, 0, 3, 3, 3)


def figures(measured: Measured, questions: Sequence[Question]) -> list[float]:
    """The numbers of a row, in the order of the columns.

    Raises:
        ValueError: when not every question was asked.
    """
    places = [first_right(question, served) for question, served in zip(questions, measured.served, strict=True)]
    within = [answered_within(question, served, READ_WORDS) for question, served in zip(questions, measured.served, strict=True)]
    words = [len(found.text.split()) for served in measured.served for found in served[:3]]
    return [
        statistics.median(measured.build_s),
        measured.build_mb,
        statistics.median(measured.ask_ms),
        statistics.quantiles(measured.ask_ms, n=20, method="inclusive")[-1],
        measured.ask_mb,
        statistics.fmean(words) if words else 0.0,
        statistics.fmean(place == 1 for place in places),
        statistics.fmean(1 <= place <= 3 for place in places),
        statistics.fmean(within),
    ]


def table(rows: Sequence[tuple[str, Sequence[float]]]) -> str:
    """The rows in Markdown, each number with its ratio to the first row's in brackets."""
    lines = [f"| | {' | '.join(_COLUMNS)} |", f"|---|{'---:|' * len(_COLUMNS)}"]
    first = rows[0][1] if rows else []
    for name, numbers in rows:
        cells = [
            f"{number:.{digits}f}" + (f" ({number / reference:.2f})" if reference else "")
            for number, reference, digits in zip(numbers, first, _DIGITS, strict=True)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------------- processes


class Unavailable(Exception):
    """A product whose packages cannot be had here, or which does not run; the text says why."""


def environment(threads: int) -> dict[str, str]:
    """The variables of every process: so many threads, no telemetry, no download, and no settings of a practice."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LITSEARCH_") and name != "PYTHONPATH"}
    switches = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    quiet = {"HAYSTACK_TELEMETRY_ENABLED": "False", "LANGCHAIN_TRACING_V2": "false", "DO_NOT_TRACK": "1"}
    return {**kept, **switches, **quiet, "OMP_NUM_THREADS": str(threads)}


def interpreter(product: str, environments: Path) -> str:
    """The Python of a product's environment, which is made if it is not there yet; litsearch runs in the present one.

    Raises:
        Unavailable: when its packages cannot be installed.
    """
    if product == "litsearch":
        return sys.executable
    folder, pins = environments / product, ADAPTERS / f"{product}.txt"
    python, done = folder / "bin" / "python", folder / "installed.txt"
    if done.is_file() and done.read_text(encoding="utf-8") == pins.read_text(encoding="utf-8"):
        return str(python)
    print(f"{product}: making its environment", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    torch = next(line for line in pins.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    for what in ([torch], ["-r", str(pins)]):
        tried = subprocess.run([*install, *what], capture_output=True, text=True, check=False)
        if tried.returncode:
            errors = [line for line in tried.stderr.splitlines() if line.startswith("ERROR")]
            raise Unavailable(f"{product}: {(errors or ['pip failed'])[-1]}")
    done.write_text(pins.read_text(encoding="utf-8"), encoding="utf-8")
    return str(python)


class Process:
    """An adapter at work; its own messages and its product's go to a file."""

    def __init__(self, way: Way, task: str, job: Mapping[str, Any], python: str, log: Path) -> None:
        self._way, self._task, self._log = way, task, log
        command = [python, str(ADAPTERS / f"with_{way.product}.py"), task, json.dumps(job)]
        with log.open("a", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=log.parent,
                env=environment(job["threads"]),
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        with suppress(BrokenPipeError):
            self._process.__exit__(None, None, None)

    def said(self) -> dict[str, Any]:
        """The next line that it prints.

        Raises:
            Unavailable: when it ended without one.
        """
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            last = (self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing was said"])[-1]
            raise Unavailable(f"{self._way.name} ({self._task}): {last}")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, question: str) -> dict[str, Any]:
        """What it serves for a question, and in how many seconds."""
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(question) + "\n")
                self._process.stdin.flush()
        return self.said()

    def ended(self) -> dict[str, Any]:
        """Its last line, once there is no question left."""
        if self._process.stdin:
            self._process.stdin.close()
        return self.said()


# -------------------------------------------------------------------------------------------------------- measuring


def dev_questions(at_most: int | None) -> list[Question]:
    """The questions of the dev half that the committed corpus answers, in the order of their files."""
    questions = load_questions(ROOT / "tests" / "quality", None)
    return [q for q in questions if q.corpus == "committed" and q.answerable and q.half == HALF][:at_most]


def write_documents(index: Path, path: Path) -> None:
    """The articles of a litsearch index, as its readers made them, a JSON object a line."""
    from litsearch.index import Index
    from litsearch.settings import Settings

    documents = Index.of(Settings(index=index)).open().catalogue.documents()
    rows = ({"path": document.path, "title": document.metadata.name, "text": document.text} for document in documents)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


class Bench:
    """The ways that run here, measured side by side; those that do not are named in ``left_out`` with the reason."""

    def __init__(self, work: Path, ways: Sequence[Way], threads: int) -> None:
        self.work, self.threads = work, threads
        self.left_out: list[str] = []
        self.measured = {way: Measured(way.name) for way in ways}
        self._pythons: dict[str, str] = {}

    def prepare(self) -> None:
        """Make the environments, load each model once, and write the articles down."""
        for product in dict.fromkeys(way.product for way in self.measured):
            try:
                self._pythons[product] = interpreter(product, self.work / "environments")
            except Unavailable as reason:
                self._leave_out([way for way in self.measured if way.product == product], reason)
        for way in list(self.measured):
            if (found := self._once(way, "load")) is not None:
                self.measured[way].versions = found["versions"]
        # Not counted: the index that the articles are taken from.
        if self._once(WAYS[0], "build") is None:
            raise SystemExit("\n".join(self.left_out))
        write_documents(self.work / WAYS[0].product / WAYS[0].variant, self.work / "documents.jsonl")

    def build(self) -> None:
        """One index of each way."""
        for way in list(self.measured):
            if (found := self._once(way, "build")) is not None:
                measured = self.measured[way]
                measured.build_s.append(found["seconds"])
                measured.build_mb = max(measured.build_mb, found["peak_mb"])
                measured.n_texts = found["n_texts"]
                print(f"{way.name}: {found['n_texts']} texts in {found['seconds']:.1f} s", file=sys.stderr)

    def ask(self, questions: Sequence[str]) -> None:
        """Each question to each way in turn, the first way another one each time."""
        with ExitStack() as open_until_asked:
            asked: dict[Way, Process] = {}
            for way in list(self.measured):
                process = open_until_asked.enter_context(self._process(way, "ask"))
                try:
                    process.said()
                    process.ask(_FIRST_QUESTION)
                    asked[way] = process
                except Unavailable as reason:
                    self._leave_out([way], reason)
            for number, question in enumerate(questions):
                ways = list(self.measured)
                first = number % len(ways)
                for way in ways[first:] + ways[:first]:
                    time.sleep(_PAUSE_S)
                    try:
                        found = asked[way].ask(question)
                    except Unavailable as reason:
                        self._leave_out([way], reason)
                        continue
                    self.measured[way].ask_ms.append(found["seconds"] * 1000)
                    self.measured[way].served.append([Found(tuple(r["paths"]), r["text"]) for r in found["results"]])
            for way, measured in self.measured.items():
                measured.ask_mb = asked[way].ended()["peak_mb"]

    def _process(self, way: Way, task: str) -> Process:
        folder = self.work / way.product / way.variant
        folder.mkdir(parents=True, exist_ok=True)
        job = {
            "variant": way.variant,
            "model": str(packaged_model()),
            "documents": str(self.work / "documents.jsonl"),
            "corpus": str(ROOT / "corpus"),
            "folder": str(folder),
            "threads": self.threads,
        }
        return Process(way, task, job, self._pythons[way.product], self.work / f"{way.product}.log")

    def _once(self, way: Way, task: str) -> dict[str, Any] | None:
        try:
            with self._process(way, task) as process:
                return process.said()
        except Unavailable as reason:
            self._leave_out([way], reason)
            return None

    def _leave_out(self, ways: Sequence[Way], reason: Unavailable) -> None:
        print(reason, file=sys.stderr)
        self.left_out.append(str(reason))
        for way in ways:
            self.measured.pop(way, None)


def packaged_model() -> Path:
    """The folder of the unchanged all-MiniLM-L6-v2."""
    from litsearch.embedding import find_model

    return find_model("packaged")[0]


def report(bench: Bench, questions: Sequence[Question], rounds: int) -> str:
    """The table with what it was made from, in Markdown."""
    n_texts = ", ".join(f"{measured.name} {measured.n_texts}" for measured in bench.measured.values())
    versions = dict(item for measured in bench.measured.values() for item in measured.versions.items())
    lines = [
        f"{len(questions)} covered questions of the {HALF} half; {bench.threads} threads; builds: median of {rounds};"
        f" {platform.machine()}, Python {platform.python_version()}. In brackets: against the first row.",
        "",
        table([(measured.name, figures(measured, questions)) for measured in bench.measured.values()]),
        "",
        f"Versions: {', '.join(f'{name} {number}' for name, number in sorted(versions.items()))}.",
        f"Texts in the index: {n_texts}.",
    ]
    return "\n".join([*lines, *(f"Left out: {reason}" for reason in bench.left_out)])


def main() -> None:
    """Measure and print the table."""
    products = sorted({way.product for way in WAYS} - {WAYS[0].product})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, metavar="DIR", help="where environments and indexes are made and kept")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, metavar="N", help="of every process")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="builds of each index")
    parser.add_argument("--questions", type=int, metavar="N", help="only the first N questions")
    parser.add_argument("--only", nargs="+", choices=products, default=products, help="these products beside litsearch")
    arguments = parser.parse_args()
    questions = dev_questions(arguments.questions)
    with tempfile.TemporaryDirectory() as temporary:
        work = (arguments.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        ways = [way for way in WAYS if way.product in {WAYS[0].product, *arguments.only}]
        bench = Bench(work, ways, arguments.threads)
        bench.prepare()
        for _ in range(arguments.rounds):
            bench.build()
        bench.ask([question.text for question in questions])
    print(report(bench, questions, arguments.rounds))


if __name__ == "__main__":
    main()
