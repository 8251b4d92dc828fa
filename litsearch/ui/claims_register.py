"""Staff: the register of decisions on claims, with filters, reviews due, corrections, the chain's check, and exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import streamlit as st

from litsearch.claims import export
from litsearch.claims.records import CHANGES, DECISIONS, FINDINGS
from litsearch.claims.register import Case, Register
from litsearch.claims.reviews import due, queue_reviews
from litsearch.errors import LitsearchError
from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.ui import frame
from litsearch.ui.claims_check import checker_of, error_note, export_buttons, plain_label, register_of, shortened
from litsearch.ui.claims_deciding import decision_form, evidence_list, sheet
from litsearch.ui.markup import Html, join, tag
from litsearch.ui.strings import LIBRARY, Strings

# What a case can be, in the order of the filter: without a decision, waiting for review, or as it was decided.
_STATES = ("open", "review", *DECISIONS)
# As many as a page can show and a person can read; the filters find the others.
_PER_PAGE = 20


def register_page(searcher: Searcher, settings: Settings, say: Strings) -> None:
    """The page: what waits for review first, then every claim that was decided on."""
    frame.show(sheet(), tag("h1", say("register.title")), tag("p", say("register.lead"), class_="lead"))
    try:
        register = register_of(settings)
        cases = register.cases()
    except LitsearchError as error:
        frame.show(error_note(error))
        return
    if not cases:
        frame.show(tag("p", say("register.none"), role="status"))
        return
    _reviews(register, cases, searcher, settings, say)
    chosen = _filtered(cases, say)
    frame.show(tag("p", say("register.shown", n=len(chosen), of=len(cases)), role="status"))
    n_pages = max(1, -(-len(chosen) // _PER_PAGE))
    page = st.number_input(say("register.page"), 1, n_pages, key="register_page") if n_pages > 1 else 1
    for case in chosen[(int(page) - 1) * _PER_PAGE : int(page) * _PER_PAGE]:
        _case(case, register, say)
    _verify(register, say)
    if chosen:
        # A record: it stays in English, its title too.
        report = export.report_of_cases(
            chosen,
            title="Register of claims",
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            register_head=register.head()[1],
        )
        export_buttons(report, say, key="register_export", name=f"register-{date.today().isoformat()}")


def _reviews(register: Register, cases: list[Case], searcher: Searcher, settings: Settings, say: Strings) -> None:
    waiting = due(cases, date.today().isoformat())
    frame.show(tag("h2", say("register.reviews", n=len(waiting))))
    if st.button(say("register.look"), key="register_review", help=say("register.look.help")):
        queued = queue_reviews(register, searcher, checker_of(searcher, settings).check_claim)
        st.session_state["register_queued"] = len(queued)
        st.rerun()
    if "register_queued" in st.session_state:
        frame.show(tag("p", say("register.queued", n=st.session_state.pop("register_queued")), role="status"))
    if waiting:
        frame.show(tag("ul", *(tag("li", _review_line(case, say), dir="auto") for case in waiting)))


def _review_line(case: Case, say: Strings) -> str:
    why = ", ".join(_change(change["what"], say) for review in case.reviews for change in review.body["changes"])
    return f"{shortened(case.check.body['claim'])}: {why or say('register.overdue')}"


def _change(what: str, say: Strings) -> str:
    return say(f"change.{what}") if what in CHANGES else what


def _filtered(cases: list[Case], say: Strings) -> list[Case]:
    frame.show(tag("h2", say("register.claims")))
    left, middle, right = st.columns(3)
    everything = say("register.all")
    campaigns = sorted({case.check.body["campaign"] for case in cases} - {""})
    campaign = left.selectbox(
        say("register.campaign"), ["", *campaigns], format_func=lambda name: name or everything, key="register_campaign"
    )
    state = middle.selectbox(
        say("register.state"), ["", *_STATES], format_func=lambda name: _state(name, say), key="register_state"
    )
    finding = right.selectbox(
        say("register.finding"),
        ["", *FINDINGS],
        format_func=lambda name: say(f"finding.{name}") if name else everything,
        key="register_finding",
    )
    words = st.text_input(say("register.words"), key="register_words").casefold().split()
    return [
        case
        for case in cases
        if (not campaign or case.check.body["campaign"] == campaign)
        and (not state or case.state == state)
        and (not finding or case.check.body["finding"] == finding)
        and all(word in case.check.body["claim"].casefold() for word in words)
    ]


def _state(name: str, say: Strings) -> str:
    """The name of a case's state, which is its decision's where it has one in force; of no state, that all are shown."""
    if not name:
        return say("register.all")
    return say(f"decision.{name}") if name in DECISIONS else say(f"state.{name}")


def _case(case: Case, register: Register, say: Strings) -> None:
    body = case.check.body
    label = f"{_state(case.state, say)}: {shortened(body['claim'])}"
    with st.expander(plain_label(label), key=f"register_{case.check.entry_id}"):
        frame.show(_history(case, say), evidence_list(body, say))
        made = decision_form(f"register_{case.check.entry_id}", say)
        if made is None:
            return
        try:
            register.decide(made(case.check.entry_id, case.decision.entry_id if case.decision else ""))
        except (LitsearchError, ValueError) as error:
            frame.show(error_note(error))
            return
        st.rerun()


def _history(case: Case, say: Strings) -> Html:
    body = case.check.body
    campaign = body["campaign"] or say("register.campaign.none")
    place = say("register.place", campaign=campaign, start=body["start"], end=body["end"], generation=body["generation"])
    parts = [
        tag("p", place, class_="by-line", dir="auto"),
        tag("p", tag("strong", say("register.found", finding=say(f"finding.{body['finding']}")))),
    ]
    decisions = [*case.earlier, *([case.decision] if case.decision else [])]
    for number, entry in enumerate(decisions):
        made = entry.body
        decided = say(f"decision.{made['decision']}")
        line = f"{decided}: {made['reason']} ({made['person']}, {made['role']}, {say.moment(entry.recorded_at)})"
        title = say("register.corrected") if number < len(case.earlier) else say("register.decided")
        parts.append(tag("p", tag("strong", title), " ", line, dir="auto"))
    for review in case.reviews:
        parts += [_changed(change, say) for change in review.body["changes"]]
    return join(*parts)


def _changed(change: Mapping[str, Any], say: Strings) -> Html:
    """One change in the evidence, before and after: passages word for word, or the findings by their names."""

    def side(words: str) -> Html:
        if words in FINDINGS:
            return tag("span", say(f"finding.{words}"))
        return tag("span", words, dir="auto", lang=say.of_library) if words else tag("span", say("register.nothing"))

    what = " ".join([_change(change["what"], say), change["path"]]).strip()
    return tag(
        "p",
        tag("strong", say("register.due", what=what)),
        f" {say('register.before')} ",
        side(change["before"]),
        f" {say('register.after')} ",
        side(change["after"]),
        class_="panel cautions",
    )


def _verify(register: Register, say: Strings) -> None:
    frame.show(tag("h2", say("register.chain")))
    if not st.button(say("register.verify"), key="register_verify"):
        return
    problems = register.verify()
    count, head = register.head()
    if not problems:
        frame.show(tag("p", say("register.verified", n=count, head=head), role="status"))
        return
    rows = [
        tag("li", say("register.entry", n=problem.number), " ", tag("span", problem.what, lang=LIBRARY)) for problem in problems
    ]
    frame.show(tag("section", tag("ul", *rows), class_="panel failed", role="alert"))
