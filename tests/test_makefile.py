"""``make app`` serves nothing where nothing was published, and installs nothing that the locks do not name."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from litsearch.settings import ROOT


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("ingest", "published", "goes_on"),
    [(0, True, True), (1, True, True), (1, False, False), (2, True, False), (130, True, False)],
    ids=["published", "refused files", "the build failed", "unusable arguments", "interrupted"],
)
def test_make_goes_on_only_where_a_generation_is_published(tmp_path: Path, ingest: int, published: bool, goes_on: bool) -> None:
    """A stand-in for Python ends as the ingest would, and tells by its exit whether a published generation could be read."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\ncase "$1" in ingest.py) exit {ingest};; *) exit {0 if published else 1};; esac\n')
    python.chmod(0o755)
    (tmp_path / "requirements.lock").touch()
    command = ["make", "-f", str(ROOT / "Makefile"), "-o", ".venv/user.done", "index"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=30)
    assert (done.returncode == 0) is goes_on, done.stderr.decode()


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_requirement_but_torch_is_locked_by_its_hash(name: str) -> None:
    pinned = {line for line in (ROOT / f"{name}.txt").read_text(encoding="utf-8").splitlines() if "==" in line}
    blocks = re.split(r"\n(?=\S)", (ROOT / f"{name}.lock").read_text(encoding="utf-8").strip())
    hashed = {block.split(" ")[0] for block in blocks if "--hash=sha256:" in block}
    assert {line for line in pinned if not line.startswith("torch==")} == hashed
    assert len(hashed) == len(blocks) > 90
