"""Throws damaged files at a reader or at the loader of a practice's file: ``python -m tests.robustness.fuzz TARGET --seconds 1800``.

Guided by coverage where atheris is installed (``pip install atheris``; it is no dependency, as it has no wheel for every system),
else by mutation alone (``--blind``). What breaks a target is written to ``tests/robustness/findings/TARGET/``, where a test keeps it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from litsearch.claims.wording import load_wording
from litsearch.contact import load_contact
from litsearch.errors import LitsearchError
from litsearch.glossary import load_glossary
from litsearch.passages import SplitRules, split
from litsearch.reading import Limits, SourceFile, find_reader, formats
from litsearch.reading.beir import BeirReader
from litsearch.reading.docx import DocxReader
from litsearch.reading.html import HtmlReader
from litsearch.reading.jats import JatsReader
from litsearch.reading.metadata import make_metadata, parse_metadata, split_front_matter
from litsearch.reading.pdf import PdfReader
from litsearch.reading.plain import MarkdownReader, PlainTextReader
from litsearch.reading.pubmed import MedlineReader, PubmedXmlReader
from litsearch.reading.ris_bibtex import BibtexReader, RisReader
from litsearch.reading.source import FileReading, Reader
from litsearch.safety import RedFlags, load_flags
from litsearch.settings import ROOT, load_settings
from litsearch.testing import FakeEncoder
from tests.conftest import ARTICLE
from tests.robustness.strategies import _WRITERS, TROUBLE

FINDINGS = Path(__file__).parent / "findings"
# Longer than this for an input of a few kilobytes is a finding as well.
TOO_SLOW_S = 10.0
_BLOCKS = [
    ("heading", "Who should wait"), ("paragraph", "See a doctor first if you have any of these."), ("item", "keloids"),
    ("item", "active acne"), ("row", "1.5 mm | 3 sessions"), ("quote", "It hurt for 2 days, e.g. on the chin."),
]  # fmt: skip
_COUNT = FakeEncoder(max_tokens=64).count_tokens
_PLACE = Path(tempfile.gettempdir()) / f"fuzzed-{hashlib.sha256(__file__.encode()).hexdigest()[:8]}"

Target = Callable[[bytes], None]


def _reader(make: Callable[[], Reader], name: str, *, in_child: bool) -> Target:
    """A reader, and the splitter behind it: what it reads must be word for word where it says."""
    reader = make()

    def run(content: bytes) -> None:
        file = SourceFile(name, content)
        formats.why_unreadable(file)
        reader.recognises(file)
        try:
            found = reader.read(file, Limits(read_timeout_s=20))
        except (MemoryError, RecursionError):
            if not in_child:
                raise
            return  # the child process turns both into a refusal (litsearch/reading/isolation.py)
        reading = found if isinstance(found, FileReading) else FileReading(tuple(found))
        for document in reading.documents:
            document.text.encode("utf-8")
            for passage in split(document, SplitRules(max_tokens=64), _COUNT):
                assert document.text[passage.start : passage.end] == passage.text
        json.dumps([refusal.reason for refusal in reading.refused])

    return run


def _any_file(content: bytes) -> None:
    """Which reader takes it: decided by looking at the bytes alone, under every ending."""
    for ending in ("", ".txt", ".md", ".html", ".xml", ".nbib", ".ris", ".bib", ".pdf", ".docx", ".jsonl", ".zip"):
        try:
            find_reader(SourceFile("file" + ending, content))
        except LitsearchError:
            continue


def _front_matter(content: bytes) -> None:
    front, _ = split_front_matter(content.decode("utf-8", "replace"))
    parse_metadata(front, place="file.md, front matter")
    make_metadata(SourceFile("file.md", b"", content))


def _loader(load: Callable[[Path], object]) -> Target:
    def run(content: bytes) -> None:
        _PLACE.write_bytes(content)
        load(_PLACE)

    return run


def _flags(path: Path) -> None:
    RedFlags(load_flags(path)).raised_by("My face is swollen and I cannot breathe")


def _glossary(path: Path) -> None:
    load_glossary(path).find("Will my stretch marks fade?")


TARGETS: dict[str, Target] = {
    "pdf": _reader(PdfReader, "file.pdf", in_child=True),
    "docx": _reader(DocxReader, "file.docx", in_child=True),
    "pubmed": _reader(PubmedXmlReader, "file.xml", in_child=True),
    "jats": _reader(JatsReader, "file.xml", in_child=True),
    "nbib": _reader(MedlineReader, "file.nbib", in_child=True),
    "ris": _reader(RisReader, "file.ris", in_child=True),
    "bib": _reader(BibtexReader, "file.bib", in_child=True),
    "html": _reader(HtmlReader, "file.html", in_child=True),
    "jsonl": _reader(BeirReader, "file.jsonl", in_child=False),
    "md": _reader(MarkdownReader, "file.md", in_child=False),
    "txt": _reader(PlainTextReader, "file.txt", in_child=False),
    "any": _any_file,
    "front-matter": _front_matter,
    "glossary": _loader(_glossary),
    "wording": _loader(load_wording),
    "safety": _loader(_flags),
    "contact": _loader(load_contact),
    "settings": _loader(lambda path: load_settings(path, {})),
}


def seeds_of(target: str) -> list[bytes]:
    """Good files to start from."""
    if target in _WRITERS:
        return [_WRITERS[target](_BLOCKS).encode(), ARTICLE.encode()]
    if target == "pdf":
        from tests.reading_files import make_pdf, wrapped

        return [make_pdf([wrapped("Needling makes tiny wounds in the skin. " * 9, x=72, y=700, characters=60)])]
    if target == "docx":
        from tests.reading_files import make_docx

        return [make_docx(lambda d: [d.add_heading("Scars", 1), d.add_paragraph("The skin is red for two days.")])]
    if target in ("glossary", "wording", "safety", "contact"):
        # The first entries alone: a whole file would hide them from the mutations.
        whole = (ROOT / "practice" / f"{target}.yml").read_text(encoding="utf-8")
        return ["\n".join(whole.splitlines()[:60]).encode(), b"flags:\n- {id: a, urgency: prompt, any: [pain], say: Call.}\n"]
    if target == "settings":
        return [b'threads = 2\nstrictness = 0.5\ncorpus = "corpus"\n']
    return [
        ARTICLE.encode(),
        _WRITERS["html"](_BLOCKS).encode(),
        _WRITERS["jats"](_BLOCKS).encode(),
        b"%PDF-1.4\n",
        b"PK\x03\x04",
    ]


class TooSlow(BaseException):
    """Raised in the midst of an input that takes too long."""


def try_one(target: str, content: bytes) -> str:
    """What is wrong with how a target takes this input; empty when it reads it or refuses it with an error of ours."""

    def give_up(number: int, frame: object) -> None:
        raise TooSlow(f"took longer than {TOO_SLOW_S:.0f} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, TOO_SLOW_S)
    try:
        TARGETS[target](content)
    except LitsearchError as error:
        if not str(error).strip() or "Traceback" in str(error):
            return f"an error without a text: {error!r}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return "".join(traceback.format_exception(error)[-3:])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return ""


def keep(target: str, content: bytes, problem: str) -> None:
    """Write a finding where the test finds it, and say what it is."""
    place = FINDINGS / target / hashlib.sha256(content).hexdigest()[:16]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    print(f"{place}:\n{problem}", file=sys.stderr)


def mutated(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """One to eight changes: flips, cuts, repeats, numbers at their edges, pieces of another input, marks that trouble readers."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(made) + 1)
        length = chance.choice((1, 2, 4, 16, 64, 256))
        what = chance.randrange(7)
        if what == 0 and at < len(made):
            made[at] ^= 1 << chance.randrange(8)
        elif what == 1:
            del made[at : at + length]
        elif what == 2:
            made[at:at] = made[at : at + length] * chance.choice((1, 2, 10, 100))
        elif what == 3:
            made[at : at + length] = chance.choice(
                (b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"-1", b"99999999999", b"1e309", b"NaN")
            )
        elif what == 4 and other:
            start = chance.randrange(len(other))
            made[at:at] = other[start : start + length]
        elif what == 5:
            made[at:at] = chance.choice(TROUBLE).encode("utf-8", "surrogatepass")
        else:
            made[at:at] = chance.randbytes(min(length, 16))
    return bytes(made[:20_000])


def blind(target: str, seconds: float, seed: int) -> tuple[int, int]:
    """Mutate for so long; how many inputs were tried and how many findings kept."""
    chance = random.Random(f"{target} {seed}")
    pool = seeds_of(target)
    seen: set[str] = set()
    n_tried = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        content = mutated(chance.choice(pool), chance.choice(pool), chance)
        problem = try_one(target, content)
        n_tried += 1
        kind = problem.strip().splitlines()[-1][:80] if problem else ""
        if problem and kind not in seen:
            seen.add(kind)
            keep(target, content, problem)
        elif not problem and len(pool) < 500 and chance.random() < 0.02:
            pool.append(content)
    return n_tried, len(seen)


def guided(target: str, seconds: int) -> None:
    """Let atheris choose the inputs by the branches they reach; it ends at the first finding, or when the time is up."""
    import atheris

    def one(content: bytes) -> None:
        problem = try_one(target, content)
        if problem:
            keep(target, content, problem)
            raise AssertionError(problem)

    for module in sorted(name for name in sys.modules if name.startswith("litsearch.")):
        for held in list(vars(sys.modules[module]).values()):
            if callable(held) and getattr(held, "__module__", "") == module and hasattr(held, "__code__"):
                atheris.instrument_func(held)
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds_of(target)):
            (Path(folder) / str(number)).write_bytes(seed)
        options = [
            sys.argv[0],
            f"-max_total_time={seconds}",
            "-max_len=20000",
            "-timeout=60",
            "-rss_limit_mb=3000",
            "-print_final_stats=1",
        ]
        atheris.Setup([*options, f"-artifact_prefix={folder}/", folder], one)
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=[*TARGETS, "all"])
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--blind", action="store_true", help="mutate without looking at coverage")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    targets = list(TARGETS) if arguments.target == "all" else [arguments.target]
    if not arguments.blind:
        if arguments.target == "all":
            parser.error("coverage-guided fuzzing takes one target at a time")
        guided(arguments.target, arguments.seconds)
        return
    for target in targets:
        n_tried, n_findings = blind(target, arguments.seconds, arguments.seed)
        print(f"{target}: {n_tried} inputs, {n_findings} findings", flush=True)


if __name__ == "__main__":
    main()
