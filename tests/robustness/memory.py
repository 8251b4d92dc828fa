"""Memory of one searcher under many short-lived threads: ``python -m tests.robustness.memory --index index --questions 120``.

Each question comes in a thread of its own, as a session's does; prints resident and anonymous memory in MB as it goes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import threading
from dataclasses import replace
from pathlib import Path

from litsearch.searching import Searcher
from litsearch.settings import ROOT, load_settings


def memory_mb() -> dict[str, int]:
    """Resident memory of this process and the part of it that is no file's, in MB."""
    status = Path("/proc/self/status").read_text()
    found = {name: re.search(rf"{name}:\s+(\d+)", status) for name in ("VmRSS", "RssAnon")}
    return {name: round(int(match.group(1)) * 1024 / 1e6) for name, match in found.items() if match}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=ROOT / "index")
    parser.add_argument("--questions", type=int, default=120)
    parser.add_argument("--threads", type=int, default=25)
    arguments = parser.parse_args()
    lines = (ROOT / "tests" / "quality" / "questions-digests.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [str(json.loads(line)["question"]) for line in lines]
    searcher = Searcher(replace(load_settings(), index=arguments.index, threads=2))
    searcher.ask("warm")
    print(json.dumps({"asked": 0, **memory_mb()}), flush=True)
    chance = random.Random(1)
    asked = [chance.choice(questions) for _ in range(arguments.questions)]
    count = itertools.count(1)

    def patient(first: int) -> None:
        for question in asked[first :: arguments.threads]:
            one = threading.Thread(target=searcher.ask, args=(question,), kwargs={"top": 12})
            one.start()
            one.join()
            number = next(count)
            if number % max(1, arguments.questions // 6) == 0:
                print(json.dumps({"asked": number, **memory_mb()}), flush=True)

    patients = [threading.Thread(target=patient, args=(number,)) for number in range(arguments.threads)]
    for one in patients:
        one.start()
    for one in patients:
        one.join()


if __name__ == "__main__":
    main()
