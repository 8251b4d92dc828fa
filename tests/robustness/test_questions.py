"""Ten thousand hostile strings as questions and as copy: an answer or a clear error, never a fault, never markup."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from litsearch.checking import Checker, decode_copy
from litsearch.commands import main
from litsearch.errors import LitsearchError, QuestionError
from litsearch.ingesting import ingest
from litsearch.records import Answers
from litsearch.safety import RedFlags, load_flags
from litsearch.searching import Searcher
from litsearch.settings import ROOT, Settings
from litsearch.ui.cards import how_read
from litsearch.ui.language import is_foreign
from litsearch.ui.markup import tag
from litsearch.ui.strings import strings_for
from tests.conftest import ARTICLE
from tests.robustness.hostile import hostile_strings, huge_strings


@pytest.fixture(scope="module")
def small(real_settings: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A library of two articles with the real model, the practice's own glossary and rules."""
    corpus = tmp_path_factory.mktemp("hostile") / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE)
    (corpus / "price.txt").write_text("What it costs\n\nA session costs as much as a good meal. It hurts a little.\n")
    settings = real_settings(corpus)
    ingest(settings)
    return settings


@pytest.fixture(scope="module")
def searcher(small: Settings) -> Searcher:
    return Searcher(small)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append(name)


def _tags_of(markup: str) -> list[str]:
    parser = _Tags()
    parser.feed(markup)
    parser.close()
    return parser.found


def _answer(searcher: Searcher, question: str) -> Answers | None:
    """An answer in a form that can be sent, or None for a question that cannot be asked."""
    try:
        answers = searcher.ask(question)
    except QuestionError as error:
        assert "Type a question" in str(error)
        return None
    assert 0 <= answers.confidence <= 1
    sent = json.dumps(answers.to_json())
    assert json.loads(sent)["generation"] == answers.generation
    return answers


def _ask_all(searcher: Searcher, questions: Iterable[str]) -> tuple[int, int]:
    """How many were answered in some way, and how many refused in words; every other end fails the test."""
    flags = RedFlags(load_flags(ROOT / "practice" / "safety.yml"))
    say = strings_for("en")
    n_answered = n_refused = 0
    for question in questions:
        try:
            answers = _answer(searcher, question)
            flags.raised_by(question)
            is_foreign(question)
            # What the page shows of the question is text in tags of ours: no tag of the question's own.
            assert set(_tags_of(tag("p", question))) == {"p"}
            if answers is not None:
                plain = set(_tags_of(how_read(answers.reading, say)))
                assert not plain & {"script", "img", "svg", "iframe", "style", "h1", "a"}
        except LitsearchError as error:
            raise AssertionError(f"{question!r}: {error}") from error
        except BaseException as error:
            error.add_note(f"for the question {question[:200]!r}")
            raise
        if answers is None:
            n_refused += 1
        else:
            n_answered += 1
    return n_answered, n_refused


def test_the_generator_makes_the_same_strings_and_all_kinds_of_trouble() -> None:
    made = list(hostile_strings(3_000))
    assert made == list(hostile_strings(3_000))
    assert len(set(made)) > 2_500
    assert any("\x00" in s for s in made) and any("\ud800" <= c <= "\udfff" for s in made for c in s)
    assert any("<script>" in s for s in made) and any("DROP TABLE" in s for s in made) and any("\u202e" in s for s in made)


def test_hostile_questions_get_an_answer_or_a_clear_error(searcher: Searcher) -> None:
    n_answered, n_refused = _ask_all(searcher, hostile_strings(120))
    assert n_answered > 60 and n_refused > 10


@pytest.mark.long
def test_ten_thousand_hostile_questions_get_an_answer_or_a_clear_error(searcher: Searcher) -> None:
    n_answered, n_refused = _ask_all(searcher, hostile_strings(10_000))
    assert n_answered + n_refused == 10_000 and n_answered > 8_000


@pytest.mark.parametrize("kinds", [slice(0, None, 5), pytest.param(slice(None), marks=pytest.mark.long)])
def test_a_question_of_a_million_characters_costs_seconds_not_minutes(searcher: Searcher, kinds: slice) -> None:
    flags = RedFlags(load_flags(ROOT / "practice" / "safety.yml"))
    for question in list(huge_strings())[kinds]:
        started = time.process_time()
        _answer(searcher, question)
        flags.raised_by(question[:10_000])
        assert time.process_time() - started < 20, question[:20]


class _Input(io.TextIOWrapper):
    """Standard input as a pipe gives it: bytes, text or not."""


def _command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: bytes, *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "stdin", _Input(io.BytesIO(content), encoding="utf-8"))
    status = main(arguments)
    written = capsys.readouterr()
    return status, written.out, written.err


def _lines_through_the_command(
    small: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], n: int
) -> None:
    made = [s for s in hostile_strings(n, seed=1) if s.strip("\r\n")]
    lines = [s.replace("\n", " ").replace("\r", " ").encode("utf-8", "surrogatepass") for s in made]
    content = b"\n".join(lines)
    n_askable = sum(any(c.isalnum() for c in line.decode("utf-8", "replace")) for line in lines)
    status, out, errors = _command(monkeypatch, capsys, content, "ask", "--index", str(small.index), "--json")
    rows = [json.loads(line) for line in out.split("\n") if line]
    assert "Traceback" not in errors
    assert len(rows) == n_askable > len(made) / 2
    assert status == (1 if any(s.strip() for s in made) and n_askable < len(made) else 0)
    assert all(row["answered"] in (True, False) and row["generation"] for row in rows)


def test_hostile_lines_on_standard_input_cost_no_other_line_its_answer(
    small: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _lines_through_the_command(small, monkeypatch, capsys, 60)


@pytest.mark.long
def test_ten_thousand_hostile_lines_on_standard_input(
    small: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _lines_through_the_command(small, monkeypatch, capsys, 10_000)


def _check_all(small: Settings, searcher: Searcher, copies: Iterable[str]) -> int:
    checker = Checker(searcher, Settings(corpus=small.corpus, index=small.index, practice=ROOT / "practice", threads=1))
    n_findings = 0
    for copy in copies:
        try:
            for finding in checker.check(copy):
                claim = finding.claim
                assert copy[claim.start : claim.end] == claim.text
                json.dumps(finding.to_json())
                n_findings += 1
        except BaseException as error:
            error.add_note(f"for the copy {copy[:300]!r}")
            raise
    return n_findings


def test_hostile_copy_is_checked_or_left_and_every_claim_stands_in_it(small: Settings, searcher: Searcher) -> None:
    copies = [f"Needling is painless. {text} It always works." for text in hostile_strings(15)]
    assert _check_all(small, searcher, [*hostile_strings(20), *copies]) >= 20


@pytest.mark.long
def test_ten_thousand_hostile_copies_are_checked(small: Settings, searcher: Searcher) -> None:
    assert _check_all(small, searcher, hostile_strings(10_000, seed=2, longest=300)) > 5_000


@pytest.mark.parametrize("content", [b"", b"\x00", b"\xff\xfe", b"\xff" * 1000, b"\xed\xa0\x80 safe", b"Painless!\x00 No risk."])
def test_copy_that_is_no_text_is_decoded_or_refused_in_words(content: bytes) -> None:
    try:
        copy = decode_copy(content)
    except LitsearchError as error:
        assert str(error)
    else:
        copy.encode("utf-8")


@pytest.mark.slow
def test_copy_of_a_hundred_thousand_characters_is_read_in_seconds(small: Settings, searcher: Searcher) -> None:
    """Only what comes before the search is timed: splitting into claims and the wording rules."""
    from litsearch.claims.extract import extract
    from litsearch.claims.wording import check_wording, load_wording

    rules = load_wording(ROOT / "practice" / "wording.yml")
    for copy in huge_strings():
        started = time.process_time()
        cut = copy[:100_000]  # as many as the staff's page takes
        check_wording(cut, rules)
        extract(cut)
        assert time.process_time() - started < 30, copy[:20]
