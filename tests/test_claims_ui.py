"""The claims pages in each of their states, with the real model over the committed corpus."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from litsearch.checking import _strength
from litsearch.claims.export import report_of_cases, to_html
from litsearch.claims.extract import extract
from litsearch.claims.records import Evidence, Finding, Strength
from litsearch.claims.register import Register
from litsearch.records import Metadata
from litsearch.settings import ROOT, Settings
from litsearch.ui.claims_check import marked_copy
from litsearch.ui.claims_deciding import weight_note
from litsearch.ui.claims_register import _changed
from litsearch.ui.claims_running import CheckRun
from litsearch.ui.strings import Strings
from tests.served import environment_of

PAGE = """
import streamlit as st
from litsearch.ui.claims_check import check_page
from litsearch.ui.claims_register import register_page
from litsearch.ui.resources import searcher_of
from litsearch.ui.stated import current_settings
from litsearch.ui.strings import strings_for
settings = current_settings()
draw = register_page if st.query_params.get("page") == "register" else check_page
draw(searcher_of(settings), settings, strings_for(st.query_params.get("lang", "")))
"""
COPY = "Microneedling is safe for all skin types. There is no downtime at all. <b>Book now!</b>"
REASON = "The sources name people at higher risk."
Start = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _nothing_shared() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def start(committed_index: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    shutil.copy(ROOT / "practice" / "wording.yml", tmp_path)
    for name, value in environment_of(replace(committed_index, practice=tmp_path)).items():
        monkeypatch.setenv(name, value)

    def begin(page: str = "check", lang: str = "en") -> AppTest:
        test = AppTest.from_string(PAGE, default_timeout=120)
        test.query_params["page"] = page
        test.query_params["lang"] = lang
        return test.run()

    return begin


def shown(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(str(element.proto.body) for element in page.get("html"))


def words(page: AppTest) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", shown(page)))


def button(page: AppTest, key: str) -> AppTest:
    return next(b for b in page.button if b.key == key).click().run()


def checked(start: Start, lang: str = "en") -> AppTest:
    page = start(lang=lang)
    page.text_area(key="claims_copy").set_value(COPY)
    page.text_input(key="claims_campaign").set_value("Spring")
    page = button(page, "claims_start")
    assert page.session_state["claims_run"].wait(120).phase == "done"
    return page.run()


def decided(page: AppTest) -> AppTest:
    """The first claim, decided on."""
    page.selectbox(key="claims_0_decision").set_value("change")
    page.text_area(key="claims_0_reason").set_value(REASON)
    page.text_input(key="claims_0_person").set_value("R. Reader")
    page.text_input(key="claims_0_role").set_value("Manager")
    return button(page, "claims_0_send")


def test_nothing_asked_shows_the_form_alone(start: Start):
    page = start()
    assert "Check marketing copy" in words(page)
    assert not page.expander


def test_empty_copy_says_what_to_do(start: Start):
    assert "Paste the copy" in words(button(start(), "claims_start"))


def test_copy_without_claims_says_so(start: Start):
    page = start()
    page.text_area(key="claims_copy").set_value("Book now!")
    page = button(page, "claims_start")
    page.session_state["claims_run"].wait(60)
    assert "No factual claim" in words(page.run())


def test_contrary_passages_are_shown_and_a_decision_is_recorded(start: Start):
    page = checked(start)
    assert [e.label.split("\\")[0] for e in page.expander] == ["Sources conflict with it"] * 2
    assert "says otherwise" in words(page)
    assert "<b>Book" not in shown(page)
    page = button(page, "claims_0_send")
    assert "Please give a decision, a reason, your name, your role" in page.error[0].value
    page = decided(page)
    assert "Decided." in words(page)
    register = start("register")
    assert [e.label for e in register.expander] == ["Change the wording\\: Microneedling is safe for all skin types\\."]
    assert REASON in words(register)
    assert "1 of 1 claims" in words(register)
    assert "2 entries, every one as it was recorded" in words(button(register, "register_verify"))
    register.selectbox(key="register_state").set_value("withdraw").run()
    assert "0 of 1 claims" in words(register)


def test_an_empty_register_says_so(start: Start):
    assert "Nothing is recorded yet" in words(start("register"))


def test_a_check_can_be_stopped_and_keeps_what_it_found():
    copy = "It is safe. It is painless. It works."

    def slowly(text: str) -> Iterator[Finding]:
        for claim in extract(text):
            run.stop()
            yield Finding(claim, "related", 0.5, (), (), Strength(0, (), False, ""), "x", "g")

    run = CheckRun(copy, "", slowly)
    run.start()
    state = run.wait(10)
    assert (state.phase, len(state.findings), state.of) == ("stopped", 1, 3)


def test_a_check_that_fails_says_so():
    def fail(text: str) -> Iterator[Finding]:
        raise RuntimeError("broken")
        yield

    run = CheckRun("It is safe.", "", fail)
    run.start()
    assert run.wait(10).phase == "failed"


def test_marks_leave_the_copy_as_it_was():
    """Every character of the copy stands in the marked text, in its order, escaped."""
    copy = "<i>It</i> is safe & sound. Book now!\n\nIt works."
    findings = tuple(Finding(c, "related", 0.5, (), (), Strength(0, (), False, ""), "x", "g") for c in extract(copy))
    marked = marked_copy(copy, findings, Strings())
    assert html.unescape(re.sub(r"<[^>]+>", "", marked)) == copy


def test_the_pages_speak_spanish_and_their_records_stay_english(start: Start, tmp_path: Path):
    """What is recorded and exported is the same whatever language the person reads; only the page says it in theirs."""
    page = decided(checked(start, lang="es"))
    say = Strings("es")
    assert say("claims.title") in words(page) and "Check marketing copy" not in words(page)
    assert page.expander[0].label.startswith(say("finding.conflicts"))
    assert say("claims.source", stance=say("stance.conflicts")) in words(page)
    assert 'lang="en"' in shown(page) and say("claims.decided") in words(page)
    register = start("register", lang="es")
    assert register.expander[0].label.startswith(say("decision.change"))
    assert say("register.shown", n=1, of=1) in words(register)
    held = Register(f"sqlite:///{tmp_path / 'register.sqlite'}")
    (case,) = held.cases()
    assert (case.state, case.check.body["finding"]) == ("change", "conflicts")
    assert case.decision is not None and set(case.decision.body["fit"].values()) == {"unclear"}
    assert say.moment(case.decision.recorded_at) in words(register) and " UTC" in words(register)
    written = to_html(report_of_cases([case], title="Register of claims", made_at="", register_head=""))
    assert "Sources conflict with it" in written and "Change the wording" in written
    held.close()


def test_a_fault_of_the_programs_own_is_told_in_the_pages_language(start: Start):
    def fail(text: str) -> Iterator[Finding]:
        raise RuntimeError("broken")
        yield

    page = start(lang="es")
    run = CheckRun("It is safe.", "", fail)
    run.start()
    run.wait(10)
    page.session_state["claims_run"] = run
    assert Strings("es")("error.unexpected") in words(page.run())


@pytest.mark.parametrize(("copy", "noted"), [("El tratamiento es seguro para todos y no duele.", True), (COPY, False)])
def test_copy_in_another_language_is_told_that_nothing_found_means_nothing(start: Start, copy: str, noted: bool):
    page = start(lang="es")
    run = CheckRun(copy, "", lambda text: iter(()))
    run.start()
    run.wait(10)
    page.session_state["claims_run"] = run
    assert (Strings("es")("claims.foreign") in words(page.run())) is noted


@pytest.mark.parametrize("kinds", [["promotional-web-article"], ["not-stated"], ["case-series", "news-report"], ["cohort"], []])
def test_the_warning_on_the_weight_of_sources_is_the_records_own(kinds: list[str]):
    """The page words it from the kinds beside it; in English that must be what the record says."""
    metadata = [Metadata(title="A title", kind=kind) for kind in kinds]
    evidence = [
        Evidence(
            "supports", 0.9, "it says so", f"p{n}", f"d{n}", "a.md", "", "", about, "It works.", 0, 9, "It works.", 0, 9, 0.8
        )
        for n, about in enumerate(metadata)
    ]
    strength = _strength(evidence)
    assert weight_note(strength.to_json(), Strings()) == strength.note
    assert bool(weight_note(strength.to_json(), Strings("es"))) == bool(strength.note)


def test_a_changed_finding_is_told_by_its_name_and_a_changed_passage_word_for_word():
    say = Strings("es")
    finding = _changed({"what": "finding changed", "path": "", "before": "stated", "after": "conflicts"}, say)
    assert say("finding.stated") in finding and say("finding.conflicts") in finding and "stated<" not in finding
    passage = _changed({"what": "passage dropped", "path": "a.md", "before": "It is <safe>.", "after": ""}, say)
    assert '<span dir="auto" lang="en">It is &lt;safe&gt;.</span>' in passage
    assert say("register.nothing") in passage and "a.md" in passage
