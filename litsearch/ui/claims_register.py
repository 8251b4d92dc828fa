"""Staff: the register of decisions on claims, with filters, reviews due, corrections, the chain's check, and exports."""

from __future__ import annotations

from datetime import UTC, date, datetime

import streamlit as st

from litsearch.claims import export
from litsearch.claims.records import DECISION_LABELS, FINDING_LABELS
from litsearch.claims.register import Case, Register
from litsearch.claims.reviews import due, queue_reviews
from litsearch.errors import LitsearchError
from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.ui import frame
from litsearch.ui.claims_check import checker_of, export_buttons, plain_label, problem_note, register_of, shortened
from litsearch.ui.claims_deciding import decision_form, evidence_list, sheet
from litsearch.ui.markup import Html, join, tag

_STATES: dict[str, str] = {
    "": "All",
    "open": "No decision",
    "review": "Review due",
    **{str(name): label for name, label in DECISION_LABELS.items()},
}
# As many as a page can show and a person can read; the filters find the others.
_PER_PAGE = 20


def register_page(searcher: Searcher, settings: Settings) -> None:
    """The page: what waits for review first, then every claim that was decided on."""
    frame.show(
        sheet(),
        tag("h1", "Register of claims"),
        tag("p", "Entries are never changed: a correction is a new entry.", class_="lead"),
    )
    try:
        register = register_of(settings)
        cases = register.cases()
    except LitsearchError as error:
        frame.show(problem_note(str(error)))
        return
    if not cases:
        frame.show(tag("p", "Nothing is recorded yet. Decisions made on the check page appear here.", role="status"))
        return
    _reviews(register, cases, searcher, settings)
    chosen = _filtered(cases)
    frame.show(tag("p", f"{len(chosen)} of {len(cases)} claims", role="status"))
    page = st.number_input("Page", 1, max(1, -(-len(chosen) // _PER_PAGE)), key="register_page") if len(chosen) > _PER_PAGE else 1
    for case in chosen[(int(page) - 1) * _PER_PAGE : int(page) * _PER_PAGE]:
        _case(case, register)
    _verify(register)
    if chosen:
        report = export.report_of_cases(
            chosen,
            title="Register of claims",
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            register_head=register.head()[1],
        )
        export_buttons(report, key="register_export", name=f"register-{date.today().isoformat()}")


def _reviews(register: Register, cases: list[Case], searcher: Searcher, settings: Settings) -> None:
    waiting = due(cases, date.today().isoformat())
    frame.show(tag("h2", f"Reviews due: {len(waiting)}"))
    if st.button(
        "Look for changed evidence", key="register_review", help="Compares every decision with the library as it is now."
    ):
        queued = queue_reviews(register, searcher, checker_of(searcher, settings).check_claim)
        st.session_state["register_queued"] = len(queued)
        st.rerun()
    if "register_queued" in st.session_state:
        frame.show(tag("p", f"{st.session_state.pop('register_queued')} decisions were queued for review.", role="status"))
    if waiting:
        frame.show(tag("ul", *(tag("li", _review_line(case)) for case in waiting)))


def _review_line(case: Case) -> str:
    why = ", ".join(change["what"] for review in case.reviews for change in review.body["changes"])
    return f"{shortened(case.check.body['claim'])}: {why or 'the review-by date has come'}"


def _filtered(cases: list[Case]) -> list[Case]:
    frame.show(tag("h2", "Claims"))
    left, middle, right = st.columns(3)
    campaigns = sorted({case.check.body["campaign"] for case in cases})
    campaign = left.selectbox("Campaign", ["", *campaigns], format_func=lambda name: name or "All", key="register_campaign")
    state = middle.selectbox("State", list(_STATES), format_func=lambda name: _STATES[name], key="register_state")
    finding = right.selectbox("Finding", ["", *FINDING_LABELS], format_func=_finding_label, key="register_finding")
    words = st.text_input("Words in the claim", key="register_words").casefold().split()
    return [
        case
        for case in cases
        if (not campaign or case.check.body["campaign"] == campaign)
        and (not state or case.state == state)
        and (not finding or case.check.body["finding"] == finding)
        and all(word in case.check.body["claim"].casefold() for word in words)
    ]


def _finding_label(name: str) -> str:
    return next((label for known, label in FINDING_LABELS.items() if known == name), "All")


def _case(case: Case, register: Register) -> None:
    body = case.check.body
    with st.expander(plain_label(f"{_STATES[case.state]}: {shortened(body['claim'])}"), key=f"register_{case.check.entry_id}"):
        frame.show(_history(case), evidence_list(body))
        made = decision_form(f"register_{case.check.entry_id}")
        if made is None:
            return
        try:
            register.decide(made(case.check.entry_id, case.decision.entry_id if case.decision else ""))
        except (LitsearchError, ValueError) as error:
            frame.show(problem_note(str(error)))
            return
        st.rerun()


def _history(case: Case) -> Html:
    body = case.check.body
    campaign, place_in_copy = body["campaign"] or "not stated", f"{body['start']} to {body['end']}"
    place = f"Campaign: {campaign} | place in the copy: {place_in_copy} | library {body['generation']}"
    parts = [
        tag("p", place, class_="by-line"),
        tag("p", tag("strong", f"Finding of the program: {_finding_label(body['finding'])}")),
    ]
    decisions = [*case.earlier, *([case.decision] if case.decision else [])]
    for number, entry in enumerate(decisions):
        made = entry.body
        line = f"{DECISION_LABELS[made['decision']]}: {made['reason']} ({made['person']}, {made['role']}, {entry.recorded_at})"
        parts.append(tag("p", tag("strong", "Corrected later: " if number < len(case.earlier) else "Decision: "), line))
    for review in case.reviews:
        for change in review.body["changes"]:
            before, after = change["before"] or "nothing", change["after"] or "nothing"
            words = join(tag("strong", f"Review due, {change['what']} {change['path']}."), f" Before: {before} After: {after}")
            parts.append(tag("p", words, class_="panel cautions"))
    return join(*parts)


def _verify(register: Register) -> None:
    frame.show(tag("h2", "Is it as it was recorded?"))
    if not st.button("Check the whole register", key="register_verify"):
        return
    problems = register.verify()
    count, head = register.head()
    if problems:
        frame.show(problem_note("; ".join(f"entry {problem.number}: {problem.what}" for problem in problems)))
    else:
        frame.show(
            tag(
                "p", f"{count} entries, every one as it was recorded. Note the last entry's hash elsewhere: {head}", role="status"
            )
        )
