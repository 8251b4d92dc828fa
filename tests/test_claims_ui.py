"""The claims pages in each of their states, with the real model over the committed corpus."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from litsearch.claims.extract import extract
from litsearch.claims.records import Finding, Strength
from litsearch.settings import ROOT, Settings
from litsearch.ui.claims_check import marked_copy
from litsearch.ui.claims_running import CheckRun

PAGE = """
import streamlit as st
from litsearch.ui.claims_check import check_page
from litsearch.ui.claims_register import register_page
from litsearch.ui.resources import current_settings, searcher_of
settings = current_settings()
draw = register_page if st.query_params.get("page") == "register" else check_page
draw(searcher_of(settings), settings)
"""
COPY = "Microneedling is safe for all skin types. There is no downtime at all. <b>Book now!</b>"
Start = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _nothing_shared() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def start(committed_index: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    shutil.copy(ROOT / "practice" / "wording.yml", tmp_path)
    monkeypatch.setenv("LITSEARCH_INDEX", str(committed_index.index))
    monkeypatch.setenv("LITSEARCH_PRACTICE", str(tmp_path))
    monkeypatch.setenv("LITSEARCH_THREADS", "2")

    def begin(page: str = "check") -> AppTest:
        test = AppTest.from_string(PAGE, default_timeout=120)
        test.query_params["page"] = page
        return test.run()

    return begin


def shown(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(str(element.proto.body) for element in page.get("html"))


def words(page: AppTest) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", shown(page)))


def button(page: AppTest, key: str) -> AppTest:
    return next(b for b in page.button if b.key == key).click().run()


def checked(start: Start) -> AppTest:
    page = start()
    page.text_area(key="claims_copy").set_value(COPY)
    page.text_input(key="claims_campaign").set_value("Spring")
    page = button(page, "claims_start")
    assert page.session_state["claims_run"].wait(120).phase == "done"
    return page.run()


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
    page.selectbox(key="claims_0_decision").set_value("change")
    page.text_area(key="claims_0_reason").set_value("The sources name people at higher risk.")
    page.text_input(key="claims_0_person").set_value("R. Reader")
    page.text_input(key="claims_0_role").set_value("Manager")
    page = button(page, "claims_0_send")
    assert "Decided." in words(page)
    register = start("register")
    assert [e.label for e in register.expander] == ["Change the wording\\: Microneedling is safe for all skin types\\."]
    assert "The sources name people at higher risk." in words(register)
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
    marked = marked_copy(copy, findings)
    assert html.unescape(re.sub(r"<[^>]+>", "", marked)) == copy
