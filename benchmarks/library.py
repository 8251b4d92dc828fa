"""How long the library takes at size: the first build, a build of nothing new, and a build after one changed file.

    python benchmarks/library.py DATA [--documents 10000] [--layout files|records] [--work DIR]

DATA is a folder with public texts: ``scifact/corpus.jsonl[.gz]`` (BEIR layout) and, where there are not enough abstracts,
``medquad/questions_answers.jsonl[.gz]``; or one such file. What is still missing is made up by abstracts again, each with a
sentence of its own, so that no two are the same text. Prints the table of docs/PERFORMANCE.md. Each build runs in a process
of its own, whose peak memory is measured; the model is exported before and loaded before the clock starts.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_BUILD = """
import json, resource, sys, time
from dataclasses import replace
from pathlib import Path
from litsearch.embedding import open_encoder
from litsearch.index import Index
from litsearch.ingesting import ingest
from litsearch.settings import load_settings
settings = replace(load_settings(corpus=sys.argv[1], index=sys.argv[2]), max_records=1_000_000, max_file_mb=1_000, read_timeout_s=3_600)
loading = time.perf_counter()
encoder = open_encoder(settings.model, Path(sys.argv[3]), n_threads=settings.n_threads)
loading = time.perf_counter() - loading
started = time.perf_counter()
report = ingest(settings, encoder=encoder)
seconds = time.perf_counter() - started
# Linux hands a parent's peak on to its children in getrusage; /proc starts anew with the program.
status = Path("/proc/self/status")
peak_kb = int(status.read_text().split("VmHWM:")[1].split()[0]) if status.is_file() else None
peak_mb = peak_kb / 1024 if peak_kb else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024
print(json.dumps({"seconds": seconds, "loading": loading, "peak_mb": peak_mb, "threads": settings.n_threads, **report.to_json()}))
"""


def abstracts(data: Path) -> Iterator[tuple[str, str]]:
    """Title and text of every public text there is, without end: from the second round on each with a sentence of its own."""
    rows = list(_rows(data))
    for number in itertools.count():
        for at, (title, text) in enumerate(rows):
            yield title, text if not number else f"{text} This is copy {number} of abstract {at}, made to reach the size."


def _rows(data: Path) -> Iterator[tuple[str, str]]:
    names = ("scifact/corpus.jsonl", "medquad/questions_answers.jsonl")
    places = [data] if data.is_file() else [data / f"{name}{ending}" for name in names for ending in ("", ".gz")]
    for place in filter(Path.is_file, places):
        with gzip.open(place, "rt", encoding="utf-8") if place.suffix == ".gz" else place.open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                text = row.get("text") or row.get("answer") or ""
                if text.strip():
                    yield row.get("title") or row.get("question") or "", " ".join(text.split())


def write_corpus(corpus: Path, texts: list[tuple[str, str]], layout: str) -> Path:
    """The corpus in one layout; returns the file to change."""
    corpus.mkdir(parents=True)
    if layout == "records":
        path = corpus / "corpus.jsonl"
        rows = ({"_id": str(number), "title": title, "text": text} for number, (title, text) in enumerate(texts))
        path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
        return path
    for number, (title, text) in enumerate(texts):
        folder = corpus / f"{number // 1000:03d}"
        folder.mkdir(exist_ok=True)
        path = folder / f"{number:06d}.txt"
        path.write_text(f"{title}\n\n{text}\n", encoding="utf-8")
    return corpus / "000" / "000000.txt"


def change(path: Path, layout: str) -> None:
    """Add a sentence to one abstract."""
    content = path.read_text(encoding="utf-8")
    more = " One sentence was added to this abstract afterwards."
    if layout == "records":
        first, rest = content.split("\n", 1)
        row = json.loads(first)
        content = f"{json.dumps({**row, 'text': row['text'] + more})}\n{rest}"
    else:
        content = content.rstrip("\n") + more + "\n"
    path.write_text(content, encoding="utf-8")


def build(corpus: Path, index: Path, exports: Path) -> dict[str, float]:
    """One build in a process of its own."""
    command = [sys.executable, "-c", _BUILD, str(corpus), str(index), str(exports)]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--documents", type=int, default=10_000, metavar="N")
    parser.add_argument(
        "--layout", choices=("files", "records"), default="files", help="a file an abstract, or one file of records"
    )
    parser.add_argument("--work", type=Path, metavar="DIR", help="where corpus and index are made (default: a temporary folder)")
    arguments = parser.parse_args()
    if next(_rows(arguments.data), None) is None:
        print(f"Skipped: {arguments.data} holds no scifact/corpus.jsonl[.gz] and no other file of texts.", file=sys.stderr)
        return 0
    if arguments.work:
        arguments.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.work) as temporary:
        work = Path(temporary)
        texts = list(itertools.islice(abstracts(arguments.data), arguments.documents))
        path = write_corpus(work / "corpus", texts, arguments.layout)
        # A model that is exported already is used from there; else a build of one small corpus exports it, unmeasured.
        exports = ROOT / "index" / "models" if (ROOT / "index" / "models").is_dir() else work / "models"
        if not exports.is_dir():
            write_corpus(work / "small", texts[:1], "files")
            build(work / "small", work / "small-index", exports)
        rows = [("first build", build(work / "corpus", work / "index", exports))]
        rows.append(("nothing changed", build(work / "corpus", work / "index", exports)))
        change(path, arguments.layout)
        rows.append(("one abstract changed", build(work / "corpus", work / "index", exports)))
    first = rows[0][1]
    what = "a file each" if arguments.layout == "files" else "in one file of records"
    print(
        f"{arguments.documents:,} abstracts, {what}: {int(first['passages']):,} passages; {int(first['threads'])} threads,",
        end=" ",
    )
    print(f"{platform.machine()}, Python {platform.python_version()}. Loading the model is not in the seconds.\n")
    print("| build | seconds | passages/s | texts embedded | peak MB | loading the model, s |\n|---|---|---|---|---|---|")
    for name, found in rows:
        speed = f"{found['passages'] / found['seconds']:,.0f}" if found["embedded"] else "-"
        figures = (
            f"{found['seconds']:.2f} | {speed} | {int(found['embedded']):,} | {found['peak_mb']:,.0f} | {found['loading']:.1f}"
        )
        print(f"| {name} | {figures} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
