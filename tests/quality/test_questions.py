"""The evaluation questions keep their own rules: every answer they name stands where they say it stands.

One JSON object a line in ``questions-*.jsonl``. Answers over the committed corpus carry ``path`` and ``quote``; answers
over the original web articles, which are not part of the project, carry ``path``, ``start`` and ``end`` and no text.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "corpus"
ORIGINALS = ROOT.parent / "shared" / "seeds"
FILES = sorted(Path(__file__).parent.glob("questions-*.jsonl"))

ASPECTS = frozenset(
    [
        "pain",
        "sessions",
        "downtime",
        "aftercare",
        "who-should-not",
        "conditions",
        "areas",
        "device",
        "who-performs",
        "comparison",
        "mechanism",
        "results",
        "safety",
        "evidence",
        "preparation",
        "regulation",
    ]
)
STYLES = frozenset(["plain", "misspelt", "brand", "euphemism", "letter", "staff"])

SAMPLE_TEXT = '---\ntitle: "On needling"\n---\n## Pain\nIt hurts little. It is soon over.\n\nA cream helps.\n'


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def body(text: str) -> str:
    """The text after its front matter; all of it when there is none.

    >>> body('---\\ntitle: x\\n---\\nRest')
    'Rest'
    """
    return re.sub(r"\A---\n.*?\n---\n", "", text, count=1, flags=re.DOTALL)


def row_faults(row: Mapping[str, Any]) -> list[str]:
    """What is wrong with the row by itself, before any source is opened; an empty list when nothing is."""
    faults = []
    for field in ("id", "corpus", "question"):
        if not isinstance(row.get(field), str) or not row[field].strip():
            faults.append(f"{field} is missing or empty")
    if row.get("corpus") not in {"committed", "originals"}:
        faults.append(f"unknown corpus {row.get('corpus')!r}")
    if row.get("aspect") not in ASPECTS:
        faults.append(f"unknown aspect {row.get('aspect')!r}")
    style = row.get("style")
    if not isinstance(style, list) or not style or not set(style) <= STYLES or len(style) != len(set(style)):
        faults.append(f"style {style!r} is not a list of known styles, each once")
    answers = row.get("answers")
    if not isinstance(answers, list):
        return [*faults, "answers is not a list"]
    if row.get("answerable") is True:
        if not answers:
            faults.append("answerable without an answer")
    elif row.get("answerable") is False:
        if answers:
            faults.append("unanswerable with answers")
        if not isinstance(row.get("near"), bool):
            faults.append("unanswerable without near: true or false")
    else:
        faults.append("answerable is neither true nor false")
    fields = {"path", "quote"} if row.get("corpus") == "committed" else {"path", "start", "end"}
    for answer in answers:
        if set(answer) != fields:
            faults.append(f"answer has {sorted(answer)}, not {sorted(fields)}")
        elif Path(answer["path"]).is_absolute() or ".." in Path(answer["path"]).parts:
            faults.append(f"{answer['path']} is not a path inside its corpus")
    return faults


def quote_faults(row: Mapping[str, Any], corpus: Path) -> list[str]:
    """Which quotes of a row on the committed corpus do not stand word for word in one paragraph of their file."""
    faults = []
    for answer in row["answers"]:
        source = corpus / answer["path"]
        quote = answer["quote"]
        if not source.is_file():
            faults.append(f"{answer['path']} is not in the corpus")
        elif not quote.strip() or "\n" in quote:
            faults.append(f"empty quote, or one over several paragraphs: {quote!r}")
        elif quote not in body(source.read_text(encoding="utf-8")):
            faults.append(f"not in {answer['path']}: {quote!r}")
    quotes = [(answer["path"], answer["quote"]) for answer in row["answers"]]
    for i, (path, quote) in enumerate(quotes):
        if any(path == other and quote in longer for j, (other, longer) in enumerate(quotes) if i != j):
            faults.append(f"listed twice: {quote!r}")
    return faults


def span_faults(row: Mapping[str, Any], originals: Path) -> list[str]:
    """Which spans of a row on the original articles lie outside their file."""
    faults = []
    for answer in row["answers"]:
        source = originals / answer["path"]
        start, end = answer["start"], answer["end"]
        if not source.is_file():
            faults.append(f"{answer['path']} is not among the originals")
        elif not (type(start) is int and type(end) is int):
            faults.append(f"start {start!r} and end {end!r} are not whole numbers")
        elif not 0 <= start < end <= len(source.read_text(encoding="utf-8")):
            faults.append(f"{start}:{end} is no span of {answer['path']}")
    return faults


def named(rows: list[dict[str, Any]], faults: list[list[str]]) -> list[str]:
    return [f"{row.get('id')}: {fault}" for row, found in zip(rows, faults, strict=True) for fault in found]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_row_is_well_formed(path: Path) -> None:
    rows = read_rows(path)
    assert rows
    assert named(rows, [row_faults(row) for row in rows]) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_quote_stands_in_the_corpus(path: Path) -> None:
    rows = [row for row in read_rows(path) if row["corpus"] == "committed"]
    assert named(rows, [quote_faults(row, CORPUS) for row in rows]) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_span_lies_in_its_original(path: Path) -> None:
    rows = [row for row in read_rows(path) if row["corpus"] == "originals" and row["answers"]]
    if rows and not ORIGINALS.is_dir():
        pytest.skip("the original web articles are not part of the project and are not on this machine")
    assert named(rows, [span_faults(row, ORIGINALS) for row in rows]) == []


def test_there_are_questions() -> None:
    """Without this, a misnamed folder would leave every test above with nothing to check."""
    assert FILES


def test_no_id_and_no_question_comes_twice() -> None:
    rows = [row for path in FILES for row in read_rows(path)]
    ids = Counter(row["id"] for row in rows)
    questions = Counter((row["corpus"], " ".join(row["question"].lower().split())) for row in rows)
    assert [key for key, n in ids.items() if n > 1] == []
    assert [key for key, n in questions.items() if n > 1] == []


def sample_row(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "s1",
        "corpus": "committed",
        "question": "sore?",
        "aspect": "pain",
        "style": ["plain"],
        "answerable": True,
        "answers": [{"path": "a.md", "quote": "It hurts little."}],
    }
    return row | changes


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"id": ""}, "id is missing or empty"),
        ({"corpus": "elsewhere"}, "unknown corpus 'elsewhere'"),
        ({"aspect": "weather"}, "unknown aspect 'weather'"),
        ({"style": []}, "style [] is not a list of known styles, each once"),
        ({"style": ["plain", "loud"]}, "style ['plain', 'loud'] is not a list of known styles, each once"),
        ({"answers": []}, "answerable without an answer"),
        ({"answerable": "yes"}, "answerable is neither true nor false"),
        ({"answerable": False, "near": True}, "unanswerable with answers"),
        ({"answerable": False, "answers": []}, "unanswerable without near: true or false"),
        ({"answers": [{"path": "a.md"}]}, "answer has ['path'], not ['path', 'quote']"),
        ({"answers": [{"path": "../a.md", "quote": "x"}]}, "../a.md is not a path inside its corpus"),
        (
            {"corpus": "originals", "answers": [{"path": "a.txt", "start": 0, "end": 1, "text": "x"}]},
            "answer has ['end', 'path', 'start', 'text'], not ['end', 'path', 'start']",
        ),
    ],
)
def test_a_malformed_row_is_named(changes: dict[str, Any], fault: str) -> None:
    assert fault in row_faults(sample_row(**changes))


def test_a_sound_row_has_no_fault(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(SAMPLE_TEXT, encoding="utf-8")
    assert row_faults(sample_row()) == []
    assert quote_faults(sample_row(), tmp_path) == []


@pytest.mark.parametrize(
    "quotes",
    [
        ["It hurts a little."],
        ["On needling"],
        ["It is soon over.\n\nA cream helps."],
        [""],
        ["It hurts little.", "It hurts little. It is soon over."],
    ],
    ids=["reworded", "front matter", "two paragraphs", "empty", "inside another"],
)
def test_a_quote_that_does_not_stand_there_is_named(tmp_path: Path, quotes: list[str]) -> None:
    (tmp_path / "a.md").write_text(SAMPLE_TEXT, encoding="utf-8")
    row = sample_row(answers=[{"path": "a.md", "quote": quote} for quote in quotes])
    assert len(quote_faults(row, tmp_path)) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert quote_faults(sample_row(), tmp_path) == ["a.md is not in the corpus"]


@pytest.mark.parametrize(("start", "end", "sound"), [(0, 5, True), (0, 6, False), (3, 3, False), (-1, 2, False), (0.0, 2, False)])
def test_a_span_must_lie_in_its_text(tmp_path: Path, start: int, end: int, sound: bool) -> None:
    """The file holds five characters, so 0:5 is the longest span."""
    (tmp_path / "a.txt").write_text("abcde", encoding="utf-8")
    row = sample_row(corpus="originals", answers=[{"path": "a.txt", "start": start, "end": end}])
    assert (span_faults(row, tmp_path) == []) is sound
