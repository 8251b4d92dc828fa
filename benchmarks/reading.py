"""Compare the readers of PDF and web pages on real files, and count false alarms of the selling rule.

    python benchmarks/reading.py pdf | pages | selling [--samples ../shared/data]

Prints the tables of docs/reading-measurements.md.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import logging
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

Ngrams = Counter[tuple[str, ...]]


# ------------------------------------------------------------------------------------------------------------- PDF

_EXTRACT = {
    "pypdfium2": """
import pypdfium2
document = pypdfium2.PdfDocument(path)
text = "".join(page.get_textpage().get_text_range() for page in document)
""",
    "pypdf": """
import pypdf
text = "".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
""",
    "pdfminer.six": """
from pdfminer.high_level import extract_text
text = extract_text(path)
""",
    "litsearch (on pypdfium2)": """
from pathlib import Path
from litsearch.errors import Refused
from litsearch.reading.pdf import PdfReader
from litsearch.reading.source import Limits, SourceFile
try:
    text = PdfReader().read(SourceFile("a.pdf", Path(path).read_bytes()), Limits())[0].text
except Refused as refused:
    if "text" not in str(refused) and "images" not in str(refused):
        raise
    text = ""
""",
}
_RUN = """
import logging, resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000,) * 2)
logging.disable(50)
path = sys.argv[1]
{imports}
started = time.perf_counter()
{code}
print("\\n", len("".join(text.split())), time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def compare_pdf(samples: Path) -> None:
    """Files opened, letters found, seconds and memory of each reader, a process a file; then reading order."""
    paths = sorted((samples / "parser_samples").rglob("*.pdf"))
    print(f"| reader | opened of {len(paths)} | failed beside locked ones | letters | s, all files | slowest file, s | peak MB |")
    print("|---|---|---|---|---|---|---|")
    for name, code in _EXTRACT.items():
        n_opened, n_locked, failed, letters, seconds, peak = 0, 0, [], 0, [], 0.0
        imports = "\n".join(line for line in code.splitlines() if line.startswith(("import", "from")))
        for path in paths:
            command = [sys.executable, "-c", _RUN.format(imports=imports, code=code), str(path)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
            except subprocess.TimeoutExpired:
                failed.append(path.name)
                continue
            if done.returncode == 0:
                found, took, memory = done.stdout.split()[-3:]
                n_opened, letters, peak = n_opened + 1, letters + int(found), max(peak, float(memory) / 1024)
                seconds.append(float(took))
            elif re.search(r"password|decrypted", done.stderr, re.IGNORECASE):
                n_locked += 1
            else:
                failed.append(path.name)
        row = f"{sum(seconds):.1f} | {max(seconds):.2f} | {peak:.0f}"
        print(f"| {name} | {n_opened} (+ {n_locked} locked) | {', '.join(failed) or 'none'} | {letters} | {row} |")
    print("\nLine pairs in order, of two columns of 40 lines under a title, by how the file stores them:\n")
    stored = dict(_two_columns())
    print(f"| reader | {' | '.join(stored)} |\n|---|{'---|' * len(stored)}")
    for name, code in _EXTRACT.items():
        shares = [f"{_in_order(code, content):.2f}" for content in stored.values()]
        print(f"| {name} | {' | '.join(shares)} |")


def _two_columns() -> Iterator[tuple[str, bytes]]:
    from tests.reading_files import Words, make_pdf

    def line(number: int) -> str:
        return f"mark{number:03d} some more words of prose"

    title = Words(150, 790, "A title over both columns", 16)
    left = [Words(50, 750 - 12 * number, line(number)) for number in range(40)]
    right = [Words(310, 750 - 12 * number, line(40 + number)) for number in range(40)]
    lower = [Words(310, 744 - 12 * number, line(40 + number)) for number in range(40)]
    turns = [words for pair in zip(left, right, strict=True) for words in pair]
    yield "column by column", make_pdf([[title, *left, *right]])
    yield "line by line", make_pdf([[title, *turns]])
    yield "right first", make_pdf([[title, *right, *left]])
    yield "line by line, at other heights", make_pdf([[title, *(w for pair in zip(left, lower, strict=True) for w in pair)]])
    yield "bottom up", make_pdf([[*reversed(turns), title]])


def _in_order(code: str, content: bytes) -> float:
    path = Path(__file__).with_name("_columns.pdf")
    path.write_bytes(content)
    try:
        scope: dict[str, str] = {"path": str(path)}
        exec(code, scope)
    finally:
        path.unlink()
    marks = [int(mark) for mark in re.findall(r"mark(\d{3})", scope["text"])]
    return sum(after == before + 1 for before, after in itertools.pairwise(marks)) / 79


# ------------------------------------------------------------------------------------------------------- web pages


def ngrams(text: str, n: int = 4) -> Ngrams:
    """Every run of ``n`` words, counted; a shorter text is one run."""
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[at : at + n]) for at in range(max(1, len(words) - n + 1))) if words else Counter()


def precision_recall_f1(expected: Mapping[str, str], found: Mapping[str, str]) -> tuple[float, float, float]:
    """Means over pages of the shares of shared word runs, and the harmonic mean of the two means."""
    precisions, recalls = [], []
    for key, text in expected.items():
        wanted, got = ngrams(text), ngrams(found.get(key, ""))
        shared = sum((wanted & got).values())
        precisions.append(shared / sum(got.values()) if got else float(not wanted))
        recalls.append(shared / sum(wanted.values()) if wanted else 1.0)
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return precision, recall, 2 * precision * recall / (precision + recall)


def pages_and_truth(samples: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """The pages of the article extraction benchmark and the text of each article."""
    folder = samples / "parser_samples" / "scrapinghub__article-extraction-benchmark"
    pages = {path.name.split(".")[0]: gzip.decompress(path.read_bytes()) for path in sorted((folder / "html").glob("*.gz"))}
    truth = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    return pages, {key: truth[key]["articleBody"] for key in pages}


def article_text(content: bytes) -> str:
    """A page as the reader gives it, without title and captions, which the truth leaves out as well."""
    from litsearch.errors import Refused
    from litsearch.reading.html import HtmlReader
    from litsearch.reading.source import Limits, SourceFile

    try:
        document = HtmlReader().read(SourceFile("page.html", content), Limits())[0]
    except Refused:
        return ""
    blocks = [block for block in document.blocks if block.kind != "caption"]
    opens = bool(blocks) and blocks[0].kind == "heading" and blocks[0].level == 1
    return "\n".join(document.text[block.start : block.end] for block in blocks[opens:])


def compare_pages(samples: Path) -> None:
    """Trafilatura's modes and the reader on the article extraction benchmark."""
    import trafilatura

    def by(**options: bool) -> Callable[[bytes], str]:
        def extract(content: bytes) -> str:
            found = trafilatura.bare_extraction(content.decode("utf-8", "replace"), include_comments=False, **options)
            return "\n".join(found.body.itertext()) if found is not None and found.body is not None else ""

        return extract

    pages, truth = pages_and_truth(samples)
    print(f"| {len(pages)} pages | precision | recall | F1 | s |\n|---|---|---|---|---|")
    ways = {
        "trafilatura, balanced": by(),
        "trafilatura, precision": by(favor_precision=True),
        "trafilatura, recall": by(favor_recall=True),
        "trafilatura, fast": by(fast=True),
        "litsearch (trafilatura + neighbours)": article_text,
    }
    for name, extract in ways.items():
        started = time.perf_counter()
        found = {key: extract(content) for key, content in pages.items()}
        took = time.perf_counter() - started
        print(f"| {name} | {' | '.join(f'{share:.3f}' for share in precision_recall_f1(truth, found))} | {took:.1f} |")


# --------------------------------------------------------------------------------------------------------- selling


def count_false_alarms(samples: Path) -> None:
    """How many texts of science, public health and news the selling rule takes for advertisements."""
    from litsearch.reading.selling import sells

    print("| texts | number | taken for selling |\n|---|---|---|")
    for name, pattern in (
        ("answers of public health bodies", "medquad/questions_answers.jsonl.gz"),
        ("abstracts", "scifact/corpus*.jsonl.gz"),
        ("abstracts with questions", "pubmedqa/train.jsonl.gz"),
        ("passages of all sorts", "general/passages.jsonl.gz"),
    ):
        for path in sorted(samples.glob(pattern)):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                texts = [" ".join(map(str, json.loads(line).values())) for line in lines]
            print(f"| {name} ({path.parent.name}) | {len(texts)} | {sum(map(sells, texts))} |")
    pages, _ = pages_and_truth(samples)
    n_sold = 0
    for content in pages.values():
        around = re.sub(r"<[^>]+>", " ", content.decode("utf-8", "replace"))
        n_sold += sells(article_text(content), surroundings=around)
    print(f"| news and blog pages, menus included | {len(pages)} | {n_sold} |")


def main() -> None:
    """Print the table that was asked for."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["pdf", "pages", "selling"])
    parser.add_argument("--samples", type=Path, default=ROOT.parent / "shared" / "data")
    arguments = parser.parse_args()
    {"pdf": compare_pdf, "pages": compare_pages, "selling": count_false_alarms}[arguments.what](arguments.samples)


if __name__ == "__main__":
    main()
