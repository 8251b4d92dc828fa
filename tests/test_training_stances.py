"""The blocks that a stance model learns from: a claim and its opposite, texts for each and for neither, none on skin needling."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from litsearch.settings import ROOT

FILES = sorted((ROOT / "training" / "stances").glob("*.jsonl"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_block_has_both_sides(file: Path) -> None:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        block = json.loads(line)
        where = f"{file.name}, line {number}"
        assert block.keys() == {"kind", "claim", "opposite", "for", "against", "neither"}, where
        assert [len(block[name]) for name in ("for", "against", "neither")] == [2, 2, 3], where
        texts = [block["claim"], block["opposite"], *block["for"], *block["against"], *block["neither"]]
        assert len(set(texts)) == len(texts) and all(text.strip() == text for text in texts), where
        assert not re.search(r"micro-?needl|derma-?roll|derma-?pen", " ".join(texts), re.IGNORECASE), where


def test_every_kind_is_there_often() -> None:
    kinds = Counter(json.loads(line)["kind"] for file in FILES for line in file.read_text(encoding="utf-8").splitlines())
    assert len(kinds) == 15 and min(kinds.values()) >= 40
