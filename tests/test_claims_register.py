"""The register, on SQLite always and on PostgreSQL where it is installed or ``LITSEARCH_TEST_POSTGRES`` names a server."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from sqlalchemy import create_engine, text

from litsearch.claims import export
from litsearch.claims.records import Claim, Decision, Evidence, Finding, Flag, Strength
from litsearch.claims.register import GENESIS, Register, open_register
from litsearch.claims.reviews import due, queue_reviews
from litsearch.errors import RegisterError
from litsearch.records import Metadata, Passage, Span
from tests.postgres import postgres_server, programs

POSTGRES = os.environ.get("LITSEARCH_TEST_POSTGRES", "")
PASSAGE = "Mild redness is usual. It passes within days."


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A server's address: the one that is named, or one started here."""
    if POSTGRES:
        yield POSTGRES
    elif programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql), and LITSEARCH_TEST_POSTGRES names no server")
    else:
        with postgres_server() as address:
            yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'register.sqlite'}"
        return
    server = request.getfixturevalue("postgres")
    name = f"register_{uuid.uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield engine.url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def register(address: str) -> Iterator[Register]:
    register = Register(address)
    yield register
    register.close()


def evidence(**changes: Any) -> Evidence:
    metadata = Metadata("On redness", kind="promotional-web-article")
    sentence = PASSAGE.split(". ")[0] + "."
    made = Evidence(
        "conflicts",
        0.8,
        "the source speaks of redness",
        "p1",
        "d1",
        "a.md",
        "Recovery",
        "text",
        metadata,
        PASSAGE,
        10,
        10 + len(PASSAGE),
        sentence,
        10,
        10 + len(sentence),
        0.7,
    )
    return replace(made, **changes)


def finding(claim: str = "=No redness at all", **changes: Any) -> Finding:
    flag = Flag("absolute", 0, 3, claim[:3], "Leaves no exception.", "House rule", "never-always")
    made = Finding(
        Claim(claim, 0, len(claim), kinds=("safety",)),
        "conflicts",
        0.8,
        (flag,),
        (evidence(),),
        Strength(0, (), False, ""),
        "redness is usual",
        "g1",
    )
    return replace(made, **changes)


def record(register: Register, found: Finding | None = None) -> str:
    return register.record_check(found or finding(), campaign="Spring", copy_sha256="ab", models={"encoder": "cd"}).entry_id


def decision(check_id: str, **changes: Any) -> Decision:
    made = Decision(
        check_id, "change", "The sources speak of redness.", "R. Reader", "Practice manager", fit=(("same_treatment", "yes"),)
    )
    return replace(made, **changes)


def tamper(address: str, statement: str) -> None:
    """What somebody with access to the database could do: switch the triggers off and write."""
    engine = create_engine(address)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for name in ("register_no_update", "register_no_delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        else:
            connection.execute(text("ALTER TABLE register_entries DISABLE TRIGGER ALL"))
        connection.execute(text(statement))
    engine.dispose()


def test_a_check_and_the_decision_on_it_are_entries_of_their_own(register: Register):
    check_id = record(register)
    register.decide(decision(check_id))
    case = register.cases()[0]
    assert case.check.body["finding"] == "conflicts"
    assert "decision" not in case.check.body
    assert case.check.body["evidence"][0]["text"] == PASSAGE
    assert case.decision is not None
    assert case.decision.body["person"] == "R. Reader"
    assert case.decision.body["fit"] == {"same_treatment": "yes"}
    assert case.state == "change"


def test_a_correction_supersedes_and_keeps_what_it_corrects(register: Register):
    check_id = record(register)
    first = register.decide(decision(check_id))
    register.decide(decision(check_id, decision="withdraw", reason="On second thoughts.", supersedes=first.entry_id))
    case = register.cases()[0]
    assert case.state == "withdraw"
    assert [entry.entry_id for entry in case.earlier] == [first.entry_id]
    assert len(register.entries("decision")) == 2


def test_a_decision_made_on_an_outdated_view_is_refused(register: Register):
    check_id = record(register)
    register.decide(decision(check_id))
    with pytest.raises(RegisterError, match="in the meantime"):
        register.decide(decision(check_id))
    with pytest.raises(RegisterError, match="no check"):
        register.decide(decision("nothing"))
    other = record(register)
    with pytest.raises(RegisterError, match="no decision"):
        register.decide(decision(other, supersedes="nothing"))


def test_two_who_decide_at_once_cannot_both(address: str, register: Register):
    check_id = record(register)
    outcomes: list[str] = []

    def decide() -> None:
        mine = Register(address)
        try:
            mine.decide(decision(check_id))
            outcomes.append("decided")
        except RegisterError:
            outcomes.append("refused")
        finally:
            mine.close()

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["decided", "refused", "refused", "refused"]
    assert register.verify() == []


def test_a_whole_chain_verifies_and_begins_at_the_genesis(register: Register):
    assert register.verify() == []
    assert register.head() == (0, GENESIS)
    check_id = record(register)
    register.decide(decision(check_id))
    entries = register.entries()
    assert [entry.previous for entry in entries] == [GENESIS, entries[0].hash]
    assert register.verify() == []
    assert register.head() == (2, entries[1].hash)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE register_entries SET body = replace(body, 'conflicts', 'stated') WHERE number = 2", "was changed"),
        ("UPDATE register_entries SET recorded_at = '2020-01-01T00:00:00+00:00' WHERE number = 2", "was changed"),
        ("UPDATE register_entries SET body = 'no json' WHERE number = 2", "was changed"),
        ("DELETE FROM register_entries WHERE number = 2", "missing"),
        ("DELETE FROM register_entries WHERE number = 1", "missing"),
    ],
)
def test_a_tampered_row_is_found(address: str, register: Register, statement: str, what: str):
    for number in range(3):
        record(register, finding(f"Claim {number}"))
    tamper(address, statement)
    problems = register.verify()
    assert problems
    assert what in problems[0].what
    assert len(register.entries()) >= 2


def test_rows_cut_off_at_the_end_are_found_by_the_noted_head(address: str, register: Register):
    record(register)
    record(register, finding("Another"))
    head = register.head()[1]
    tamper(address, "DELETE FROM register_entries WHERE number = 2")
    assert register.verify() == []
    assert register.verify(expected_head=head)[0].what.startswith("the noted last entry")


@pytest.mark.parametrize("statement", ["UPDATE register_entries SET kind = 'check'", "DELETE FROM register_entries"])
def test_the_database_refuses_to_change_rows(address: str, register: Register, statement: str):
    record(register)
    engine = create_engine(address)
    with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_an_opened_register_keeps_what_was_recorded(address: str):
    first = Register(address)
    record(first)
    first.close()
    second = Register(address)
    assert len(second.cases()) == 1
    second.close()


def test_the_default_is_a_sqlite_file_in_wal_mode(tmp_path: Path):
    register = open_register("", tmp_path / "practice")
    record(register)
    connection = sqlite3.connect(tmp_path / "practice" / "register.sqlite")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    register.close()


@pytest.mark.parametrize("setting", ["nonsense", "nosuch://x/y", "sqlite:////no/such/folder/x.sqlite"])
def test_an_unusable_address_is_named_with_the_remedy(setting: str):
    with pytest.raises(RegisterError, match="setting 'register'"):
        Register(setting)


@pytest.mark.parametrize(
    "changes",
    [{"reason": " "}, {"person": ""}, {"role": ""}, {"decision": "true"}, {"fit": (("x", "yes"),)}, {"review_by": "soon"}],
)
def test_a_decision_is_signed_and_reasoned(changes: dict[str, Any]):
    with pytest.raises(ValueError, match=r".+"):
        decision("c", **changes)


# ------------------------------------------------------------------------------------------------------------- reviews


class Held:
    """A library of one generation with the passages given."""

    def __init__(self, generation: str, *passage_ids: str) -> None:
        self.generation = generation
        self.passage_ids = passage_ids

    def passage(self, passage_id: str) -> Passage | None:
        if passage_id not in self.passage_ids:
            return None
        return Passage(passage_id, "d1", 0, len(PASSAGE), PASSAGE, "", "text", (Span(0, len(PASSAGE)),))

    def manifest(self) -> dict[str, Any]:
        return {"generation": self.generation}


def decided(register: Register) -> str:
    return register.decide(decision(record(register))).entry_id


def test_a_dropped_passage_queues_the_decision_with_before_and_after(register: Register):
    decision_id = decided(register)
    queued = queue_reviews(register, Held("g2"), lambda claim: finding(finding="not_found", evidence=(), generation="g2"))
    assert [entry.subject_id for entry in queued] == [decision_id]
    assert queued[0].body["changes"][0] == {
        "what": "passage dropped",
        "title": "On redness",
        "path": "a.md",
        "before": PASSAGE,
        "after": "",
    }
    assert queued[0].body["changes"][-1]["what"] == "finding changed"
    assert register.cases()[0].state == "review"
    assert register.verify() == []


def test_a_changed_passage_is_queued_with_its_new_words(register: Register):
    decided(register)
    new = evidence(
        passage_id="p2", text="Redness lasts for a month.", end=36, sentence_text="Redness lasts for a month.", sentence_end=36
    )
    queued = queue_reviews(register, Held("g2", "p2"), lambda claim: finding(evidence=(new,), generation="g2"))
    assert [(c["what"], c["before"], c["after"]) for c in queued[0].body["changes"]] == [
        ("passage changed", PASSAGE, "Redness lasts for a month.")
    ]


def test_a_new_contrary_passage_queues_the_decision(register: Register):
    decided(register)
    other = evidence(passage_id="p9", path="b.md")
    queued = queue_reviews(register, Held("g2", "p1", "p9"), lambda claim: finding(evidence=(evidence(), other), generation="g2"))
    assert [change["what"] for change in queued[0].body["changes"]] == ["contrary passage added"]


def test_nothing_is_queued_twice_nor_without_a_change(register: Register):
    decided(register)
    assert queue_reviews(register, Held("g1"), lambda claim: finding()) == []
    assert queue_reviews(register, Held("g2", "p1"), lambda claim: finding(generation="g2")) == []
    gone = lambda claim: finding(evidence=(), generation="g3")  # noqa: E731
    assert len(queue_reviews(register, Held("g3"), gone)) == 1
    assert queue_reviews(register, Held("g3"), gone) == []


def test_a_new_decision_takes_the_claim_out_of_the_queue(register: Register):
    first = decided(register)
    queue_reviews(register, Held("g2"), lambda claim: finding(evidence=(), generation="g2"))
    assert len(due(register.cases(), "2020-01-01")) == 1
    register.decide(decision(register.cases()[0].check.entry_id, supersedes=first))
    assert due(register.cases(), "2020-01-01") == []


def test_a_review_by_date_that_has_come_is_due(register: Register):
    check_id = record(register)
    register.decide(decision(check_id, review_by="2026-03-01"))
    assert due(register.cases(), "2026-02-28") == []
    assert len(due(register.cases(), "2026-03-01")) == 1


# ------------------------------------------------------------------------------------------------------------- exports


@pytest.fixture
def report(tmp_path: Path) -> export.Report:
    register = Register(f"sqlite:///{tmp_path / 'r.sqlite'}")
    check_id = record(register, finding("=No <b>redness</b> at all"))
    register.decide(decision(check_id))
    record(register, finding("Undecided \x0b claim"))
    made = export.report_of_cases(register.cases(), title="Spring & more", made_at="2026-01-01", register_head=register.head()[1])
    register.close()
    return made


def test_every_export_has_generation_quote_decision_and_open_points(report: export.Report):
    document = Document(io.BytesIO(export.to_docx(report)))
    word = "\n".join(paragraph.text for paragraph in document.paragraphs)
    rows = list(csv.DictReader(io.StringIO(export.to_csv(report).lstrip("\ufeff"), newline="")))
    parsed = json.loads(export.to_json(report))
    page = export.to_html(report)
    for whole in (word, page):
        assert "g1" in whole
        assert "R. Reader, Practice manager" in whole
        assert "no decision is recorded" in whole
        assert export.NOTICE.split(";")[0] in whole
    assert PASSAGE in word
    assert "Mild redness is usual." in page
    assert [row["quote"] for row in rows] == [PASSAGE, PASSAGE]
    assert [row["decision"] for row in rows] == ["change", ""]
    assert parsed["generations"] == ["g1"]
    assert parsed["claims"][0]["decision"]["reason"] == "The sources speak of redness."
    assert len(parsed["open_points"]) == 2


def test_the_export_of_a_fresh_check_has_the_decisions_made_on_it(register: Register):
    """The first claim is decided on, the second is not; each says so, in the order of the copy."""
    found = [finding("No redness at all."), finding("It never swells.")]
    check_id = record(register, found[0])
    register.decide(decision(check_id))
    made = export.report_of_findings(found, title="Check", made_at="2026-01-01", cases={0: register.cases()[0]})
    assert [item.finding["claim"] for item in made.items] == ["No redness at all.", "It never swells."]
    assert [item.decision["decision"] if item.decision else "" for item in made.items] == ["change", ""]
    assert "“It never swells.”: no decision is recorded." in made.open_points()
    assert "“No redness at all.”: no decision is recorded." not in made.open_points()


@pytest.mark.parametrize(
    ("lead_in", "expected"),
    [
        ("", [("Wait if you have: ", False), ("Eczema.", True)]),
        ("Wait if you have:", [("Wait if you have:", True), (" ", False), ("Eczema.", True)]),
        ("Ask first.", [("Ask first.\n", True), ("Wait if you have: ", False), ("Eczema.", True)]),
    ],
)
def test_an_item_of_a_list_is_quoted_with_what_introduces_it(lead_in: str, expected: list[tuple[str, bool]]):
    """Within the passage it is marked where it stands; from outside it comes first."""
    passage = "Wait if you have: Eczema."
    shown = evidence(
        text=passage, end=10 + len(passage), sentence_text="Eczema.", sentence_start=28, sentence_end=35, lead_in=lead_in
    )
    assert export.quote_parts(shown.to_json()) == expected


def test_an_entry_recorded_before_introductions_were_kept_is_quoted_as_it_was():
    body = {name: value for name, value in evidence().to_json().items() if name != "lead_in"}
    assert "".join(words for words, _ in export.quote_parts(body)) == PASSAGE


def test_no_cell_of_the_spreadsheet_is_a_formula(report: export.Report):
    rows = list(csv.reader(io.StringIO(export.to_csv(report).lstrip("\ufeff"), newline="")))
    assert rows[1][0] == "'=No <b>redness</b> at all"
    assert not any(cell.lstrip()[:1] in tuple("=+-@") for row in rows[1:] for cell in row if cell)


def test_text_in_the_html_is_text(report: export.Report):
    page = export.to_html(report)
    assert "<b>" not in page
    assert "=No &lt;b&gt;redness&lt;/b&gt; at all" in page
    assert "<script" not in page
    assert "\x0b" not in page


def test_an_empty_register_exports_too():
    empty = export.Report("Nothing", "2026-01-01", ())
    assert len(list(csv.reader(io.StringIO(export.to_csv(empty))))) == 1
    assert "None." in export.to_html(empty)
    assert Document(io.BytesIO(export.to_docx(empty))).paragraphs[-1].text == "None."
    assert json.loads(export.to_json(empty))["claims"] == []
