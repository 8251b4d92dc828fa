"""Time a question against its floor, and the serving process's start and memory.

    python benchmarks/serving.py [--index DIR] [--questions N]

The floor is one forward pass of the encoder on the question and one search of the vectors; both run in turns with the
whole question in one process, so that a busy machine slows all alike. Prints the tables of docs/PERFORMANCE.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

_START = """
import resource, sys, time
began = time.perf_counter()
from litsearch.searching import Searcher
from litsearch.settings import load_settings
loaded = time.perf_counter()
searcher = Searcher(load_settings(index=sys.argv[1]))
searcher.ask("Does it hurt?")
answered = time.perf_counter()
for _ in range(50):
    searcher.ask("Who should not have it?")
print(loaded - began, answered - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "torch" in sys.modules)
"""


def questions() -> list[str]:
    """The answerable questions on the committed corpus, in the order of their file."""
    lines = (ROOT / "tests" / "quality" / "questions-digests.jsonl").read_text(encoding="utf-8").splitlines()
    return [row["question"] for row in map(json.loads, lines) if row["answerable"]]


def milliseconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def ask_table(index: Path, n_questions: int) -> str:
    """Median and 95th percentile of the whole question, of its stages, and of the floor."""
    from litsearch.searching import Searcher, rank, retrieve, understand
    from litsearch.settings import load_settings

    searcher = Searcher(load_settings(index=str(index)))
    library = searcher._library()
    tokens, vectors, encoder, rules = library.generation.tokens, library.generation.vectors, library.encoder, searcher.rules
    searcher.ask("Does it hurt?")
    times: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        times.setdefault(name, []).append(milliseconds(work))

    for text in questions()[:n_questions]:
        understood = understand(text, library.glossary, library.speller, rules)
        candidates = retrieve(understood, library.generation, encoder, rules)
        passages = library.generation.catalogue.passages_at([int(place) for place in candidates.positions])
        timed("floor: one forward pass, one vector search", lambda t=text: vectors.search(encoder.embed([t]), 30))
        timed("the whole question", lambda t=text: searcher.ask(t))
        timed("- understand", lambda t=text: understand(t, library.glossary, library.speller, rules))
        timed("- both retrievers", lambda u=understood: retrieve(u, library.generation, encoder, rules))
        timed("- rank", lambda u=understood, c=candidates, p=passages: rank(u.core, c, p, tokens, rules))
    floor = statistics.median(times["floor: one forward pass, one vector search"])
    lines = ["| stage | median ms | 95th percentile ms | against the floor |", "|---|---:|---:|---:|"]
    for name, found in times.items():
        middle, late = statistics.median(found), statistics.quantiles(found, n=20)[-1]
        lines.append(f"| {name} | {middle:.1f} | {late:.1f} | {middle / floor:.2f} |")
    return "\n".join(lines)


def start_table(index: Path, n_runs: int = 3) -> str:
    """Import, first answer and memory of a fresh process, the best of a few runs."""
    runs = []
    for _ in range(n_runs):
        command = [sys.executable, "-c", _START, str(index)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        runs.append(done.stdout.split())
    imported, answered, memory = (min(float(run[n]) for run in runs) for n in range(3))
    torch = "yes" if any(run[3] == "True" for run in runs) else "no"
    lines = ["| fresh process | |", "|---|---:|", f"| modules imported after | {imported:.2f} s |"]
    lines += [f"| first question answered after | {answered:.2f} s |", f"| peak memory after 51 questions | {memory:.0f} MB |"]
    return "\n".join([*lines, f"| torch imported | {torch} |"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=ROOT / "index")
    parser.add_argument("--questions", type=int, default=200)
    arguments = parser.parse_args()
    print(ask_table(arguments.index, arguments.questions))
    print()
    print(start_table(arguments.index))


if __name__ == "__main__":
    main()
