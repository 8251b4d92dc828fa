"""What the adapters share: an index is built in one process and questions are answered from it in another.

    python with_PRODUCT.py load|build|ask JOB

JOB is a JSON object with the fields of ``Job``. ``load`` only loads the model, so that what it leaves on disk or in the page
cache is there for all. ``build`` prints one JSON line. ``ask`` prints a line when the index is open, then one for each JSON string
that it reads on standard input, and a last one with its peak memory. What a product itself prints goes to standard error.

Only the standard library is imported here: each product has an environment of its own, where litsearch is not installed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

N_RESULTS = 5  # as many as the patient's page shows


@dataclass(frozen=True, slots=True)
class Job:
    """What to index and how: ``documents`` is a file of JSON lines with path, title and text, ``folder`` is where the index goes."""

    variant: str
    model: str
    documents: str
    corpus: str
    folder: str
    threads: int

    def articles(self) -> list[Article]:
        """The articles, each with its title as its first line, as a file of it would read."""
        rows = map(json.loads, Path(self.documents).read_text(encoding="utf-8").splitlines())
        return [Article(row["path"], f"{row['title']}\n\n{row['text']}") for row in rows]


@dataclass(frozen=True, slots=True)
class Article:
    """A document as a product is given it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """A text that a product found, and the files of the corpus that it stands in."""

    paths: Sequence[str]
    text: str


Ask = Callable[[str], list[Result]]


def run(
    packages: Sequence[str],
    *,
    load: Callable[[Job], Any],
    build: Callable[[Job, Any], int],
    open_index: Callable[[Job], Ask],
) -> None:
    """Do what the command line says.

    ``load`` gives the model, ready; ``build`` writes an index of the job's articles with it and gives the number of texts in the
    index; ``open_index`` opens what ``build`` wrote and gives a function from a question to the first ``N_RESULTS``, best first.
    """
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**found: Any) -> None:
        print(json.dumps(found), file=out, flush=True)

    task, job = sys.argv[1], Job(**json.loads(sys.argv[2]))
    if task == "load":
        load(job)
        say(versions={name: version(name) for name in packages})
    elif task == "build":
        model = load(job)
        started = time.perf_counter()
        n_texts = build(job, model)
        say(seconds=time.perf_counter() - started, n_texts=n_texts, peak_mb=peak_mb())
    elif task == "ask":
        ask = open_index(job)
        say(ready=True)
        for line in sys.stdin:
            question = json.loads(line)
            started = time.perf_counter()
            results = ask(question)
            seconds = time.perf_counter() - started
            say(seconds=seconds, results=[asdict(result) for result in results])
        say(peak_mb=peak_mb())


def peak_mb() -> float:
    """The most memory that this process has held at once, in MB (2^20 bytes)."""
    # Not getrusage: Linux hands a parent's peak on to its children there.
    return int(Path("/proc/self/status").read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) / 1024
