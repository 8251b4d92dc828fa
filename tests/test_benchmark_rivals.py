"""The counting and the table of the comparison with other products, and a process that fails under it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import rivals
from benchmarks.rivals import Found, Measured, Process, Unavailable, Way, answered_within, figures, first_right, table
from litsearch.evaluation.questions import Gold, Question

ANSWER = "Four sessions are usual, a month apart."


def question(*golds: Gold) -> Question:
    return Question("q1", "committed", "How many sessions?", "sessions", ("plain",), True, True, golds or (Gold("a.md", ANSWER),))


def measured(*served: list[Found], ms: float = 10.0) -> Measured:
    found = Measured("one", build_s=[3.0, 1.0, 2.0], build_mb=500.0, ask_ms=[ms] * len(served), ask_mb=400.0)
    found.served.extend(served)
    return found


def test_first_text_of_the_right_article_that_holds_the_quote_counts() -> None:
    """The second text has the words of another article, the third has them with other line breaks."""
    served = [
        Found(("a.md",), "Pain."),
        Found(("b.md",), ANSWER),
        Found(("a.md",), "Sessions\n\nFour sessions\nare usual, a month apart."),
    ]
    assert first_right(question(), served) == 3
    assert first_right(question(), served[:2]) == 0
    assert first_right(question(), []) == 0


def test_reading_stops_at_the_word_limit() -> None:
    """Three words stand before the answer's seven: it is read to its end with the tenth word and not with the ninth."""
    served = [Found(("a.md",), "About the pain."), Found(("a.md",), ANSWER)]
    assert answered_within(question(), served, 10)
    assert not answered_within(question(), served, 9)
    assert answered_within(question(), [Found(("a.md",), f"About the pain. {ANSWER}")], 10)
    assert not answered_within(question(), [Found(("a.md",), f"About the pain. {ANSWER}")], 9)


def test_a_text_cut_by_the_limit_is_no_part_of_an_answer() -> None:
    """All nine words that are read lie inside the quote, but its end was not read."""
    long = Gold("a.md", "one two three four five six seven eight nine ten eleven twelve thirteen")
    assert not answered_within(question(long), [Found(("a.md",), long.text)], 12)
    assert answered_within(question(long), [Found(("a.md",), long.text)], 13)


def test_figures_of_a_row() -> None:
    """Right first, right third, never: 1/3 and 2/3; the texts of the first three have 7, 1, 1, 7 and 1 words, 17 in 5."""
    right, wrong = Found(("a.md",), ANSWER), Found(("a.md",), "Pain.")
    row = figures(measured([right], [wrong, wrong, right], [wrong]), [question()] * 3)
    assert row == pytest.approx([2.0, 500.0, 10.0, 10.0, 400.0, 17 / 5, 1 / 3, 2 / 3, 2 / 3])


def test_a_question_that_was_not_asked_is_no_figure() -> None:
    with pytest.raises(ValueError, match="shorter"):
        figures(measured([Found(("a.md",), ANSWER)]), [question()] * 2)


def test_every_number_stands_with_its_ratio_to_the_first_row() -> None:
    """Half of 2 s is 0.50; where the first row has 0 there is no ratio."""
    lines = table(
        [("ours", [2.0, 400, 50, 90, 300, 45, 0.5, 0.0, 0.5]), ("theirs", [1.0, 800, 25, 45, 600, 90, 0.25, 0.5, 0.25])]
    )
    ours, theirs = lines.splitlines()[2:]
    assert ours.startswith("| ours | 2.0 (1.00) | 400 (1.00) | 50.0 (1.00) |")
    assert (
        theirs
        == "| theirs | 1.0 (0.50) | 800 (2.00) | 25.0 (0.50) | 45.0 (0.50) | 600 (2.00) | 90 (2.00) | 0.250 (0.50) | 0.500 | 0.250 (0.50) |"
    )
    assert len({line.count("|") for line in lines.splitlines()}) == 1


def test_every_way_has_an_adapter_and_pinned_packages() -> None:
    for product in {way.product for way in rivals.WAYS}:
        assert (rivals.ADAPTERS / f"with_{product}.py").is_file()
        if product != "litsearch":
            pins = (rivals.ADAPTERS / f"{product}.txt").read_text(encoding="utf-8").split()
            assert all("==" in pin for pin in pins)
            assert sum(pin.startswith("torch==") for pin in pins) == 1


def test_only_dev_questions_that_the_corpus_answers_are_asked() -> None:
    asked = rivals.dev_questions(None)
    assert asked
    assert {(q.corpus, q.answerable, q.half) for q in asked} == {("committed", True, "dev")}
    assert rivals.dev_questions(3) == asked[:3]


ECHO = """
from harness import Result, run
def open_index(job):
    print("a product's own chatter")
    return lambda question: [Result([job.variant], question.upper())]
def build(job, model):
    raise RuntimeError("no such model")
run([], load=lambda job: None, build=build, open_index=open_index)
"""


@pytest.fixture
def adapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of adapters with the real harness and one product that answers in capitals and cannot build."""
    (tmp_path / "harness.py").write_bytes((rivals.ADAPTERS / "harness.py").read_bytes())
    (tmp_path / "with_echo.py").write_text(ECHO, encoding="utf-8")
    monkeypatch.setattr(rivals, "ADAPTERS", tmp_path)
    return tmp_path


def job(folder: Path) -> dict[str, object]:
    return {"variant": "v", "model": "", "documents": "", "corpus": "", "folder": str(folder), "threads": 1}


def test_questions_pass_to_a_process_and_its_texts_back(adapters: Path) -> None:
    """What the product prints itself does not come between."""
    with Process(Way("Echo", "echo", "v"), "ask", job(adapters), sys.executable, adapters / "echo.log") as process:
        assert process.said() == {"ready": True}
        answer = process.ask("Größe?\nreally")
        assert answer["results"] == [{"paths": ["v"], "text": "GRÖSSE?\nREALLY"}]
        assert 0 <= answer["seconds"] < 10
        assert process.ended()["peak_mb"] > 1
    assert "chatter" in (adapters / "echo.log").read_text(encoding="utf-8")


def test_a_product_that_fails_is_named_with_its_last_words(adapters: Path) -> None:
    with (
        Process(Way("Echo", "echo", "v"), "build", job(adapters), sys.executable, adapters / "echo.log") as process,
        pytest.raises(Unavailable, match=r"Echo \(build\): RuntimeError: no such model"),
    ):
        process.said()


def test_articles_carry_their_title_as_first_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(rivals.ADAPTERS))
    harness = pytest.importorskip("harness")
    rows = [{"path": "a.md", "title": "Scars", "text": "One.\n\nTwo."}]
    (tmp_path / "documents.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    articles = harness.Job(**{**job(tmp_path), "documents": str(tmp_path / "documents.jsonl")}).articles()
    assert [(article.path, article.text) for article in articles] == [("a.md", "Scars\n\nOne.\n\nTwo.")]
