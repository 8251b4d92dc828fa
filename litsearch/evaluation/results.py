"""The machine-written parts of docs/RESULTS.md, and what every table must state about its making."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from litsearch.files import write_whole
from litsearch.settings import ROOT

RESULTS = ROOT / "docs" / "RESULTS.md"


def write_part(name: str, text: str, file: Path = RESULTS) -> None:
    """Put ``text`` between ``<!-- name:begin -->`` and ``<!-- name:end -->``; all else stays. Missing marks are added at the end."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before = file.read_text(encoding="utf-8") if file.is_file() else "# Results\n"
    if begin not in before or end not in before:
        before = f"{before.rstrip()}\n\n{begin}\n{end}\n"
    head, rest = before.split(begin, 1)
    tail = rest.split(end, 1)[1]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, f"{head}{begin}\n{text.strip()}\n{end}{tail}".encode())


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; the first column is text, the others are figures.

    >>> print(table(["stage", "hit@1"], [["bare", 0.5]]))
    | stage | hit@1 |
    |---|---:|
    | bare | 0.5 |
    """
    lines = [f"| {' | '.join(header)} |", f"|---|{'---:|' * (len(header) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def made_from(manifests: Mapping[str, Mapping[str, Any]], n_threads: int) -> str:
    """Date, commit, generations, corpora, model, processor and threads, a line each."""
    lines = [f"- date {date.today().isoformat()}, commit {commit()}"]
    for name, manifest in manifests.items():
        files = json.dumps(manifest["inputs"]["files"], sort_keys=True).encode()
        lines.append(
            f"- {name}: generation {manifest['generation']}, corpus {hashlib.sha256(files).hexdigest()[:16]},"
            f" {manifest['n_documents']} documents, {manifest['n_passages']} passages"
        )
    models = sorted({f"{m['model']['name']} (SHA-256 {m['model']['sha256'][:16]})" for m in manifests.values()})
    lines.append(f"- model {', '.join(models)}")
    lines.append(f"- {processor()}, {os.cpu_count()} cores, {n_threads} threads")
    return "\n".join(lines)


def commit() -> str:
    """The commit of the working tree, with a note when it was changed since."""
    git = shutil.which("git")
    if git is None:
        return "not known"

    def say(*arguments: str) -> str:
        # Our own constant arguments, no shell.
        run = subprocess.run([git, "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)  # noqa: S603
        return run.stdout.strip() if run.returncode == 0 else ""

    head = say("rev-parse", "--short=12", "HEAD")
    changed = say("status", "--porcelain", "--", "litsearch", "corpus", "practice", "tests/quality")
    return f"{head}{' with changes' if changed else ''}" if head else "not known"


def processor() -> str:
    """The processor's name."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or platform.machine()
