"""What the check page and the register page share: evidence on a page, and the form in which a person decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from litsearch.claims.export import STANCE_LABELS, quote_parts
from litsearch.claims.records import DECISION_LABELS, DECISIONS, FINDING_EXPLANATIONS, FIT_ANSWERS, FIT_QUESTIONS, Decision
from litsearch.records import KIND_BY_NAME
from litsearch.ui.markup import Html, join, link, style, tag, text

_SHEET = """
.claim-copy { white-space: pre-wrap; border: 1px solid var(--line); border-radius: 0.5rem; padding: 1rem 1.2rem; }
.claim-copy mark, .claim-counts span { padding: 0.05em 0.25em; border-radius: 3px; border-bottom: 3px solid; color: var(--ink); }
.claim-conflicts { border-color: var(--urgent-edge) !important; background: var(--urgent) !important; }
.claim-qualified { border-color: var(--caution-edge) !important; background: var(--caution) !important; }
.claim-stated { border-color: var(--study) !important; background: var(--study-back) !important; }
.claim-related, .claim-not_found { border-color: var(--differ-edge) !important; background: var(--differ) !important; }
.claim-unchecked { color: var(--soft); }
.claim-counts { list-style: none; padding: 0 !important; display: flex; flex-wrap: wrap; gap: 0.4rem 1.2rem; }
.claim-evidence { border-left: 5px solid var(--line); padding-left: 0.9rem; margin: 0 0 1rem; }
.claim-evidence.conflicts { border-color: var(--urgent-edge); }
.claim-evidence.supports { border-color: var(--study); }
.claim-evidence.qualifies { border-color: var(--caution-edge); }
.claim-evidence blockquote { white-space: pre-line; }
.claim-evidence mark { background: var(--mark); color: var(--mark-ink); }
"""


def sheet() -> Html:
    """The few rules that only the claims pages need."""
    return style(_SHEET)


def evidence_list(finding: Mapping[str, Any]) -> Html:
    """What was found on one claim: why, flags, strength, then each passage whole with its source; from the finding's JSON."""
    parts: list[str] = [tag("p", f"{FINDING_EXPLANATIONS[finding['finding']]} Reason: {finding['why']}.")]
    for flag in finding["flags"]:
        parts.append(tag("p", tag("strong", f"Wording “{flag['text']}”: "), f"{flag['why']} ", tag("em", flag["source"])))
    strength = finding["strength"]
    if strength["sources"]:
        sources = f"Supporting sources: {strength['sources']} ({', '.join(strength['kind_labels'])})."
        parts.append(tag("p", f"{sources} {strength['note']}".strip()))
    shown = [evidence for evidence in finding["evidence"] if evidence["stance"] != "neutral"]
    related = [evidence for evidence in finding["evidence"] if evidence["stance"] == "neutral"]
    parts += [_evidence(evidence) for evidence in shown]
    if related:
        title = "Related passages" if shown else "Nothing states it or says otherwise. The closest passages:"
        entries = [_evidence(evidence) for evidence in related]
        parts.append(tag("details", tag("summary", f"{title} ({len(related)})"), *entries, open=not shown))
    return join(*parts)


def _evidence(evidence: Mapping[str, Any]) -> Html:
    citation = evidence["citation"]
    quote = join(*(tag("mark", words) if decides else text(words) for words, decides in quote_parts(evidence)))
    kind = KIND_BY_NAME[evidence["kind"]]
    source = join(
        tag("strong", link(citation["url"], citation["title"])),
        " | ",
        tag("span", kind.label, title=kind.explanation),
        " | ",
        text(citation["by"]),
        " | ",
        text(citation["date"]),
        *([" | ", text(citation["provenance"])] if citation["provenance"] else []),
    )
    return tag(
        "div",
        tag("p", tag("strong", f"This source {STANCE_LABELS[evidence['stance']]}"), f": {evidence['why']}"),
        tag("blockquote", quote, dir="auto"),
        tag("p", source, class_="by-line"),
        class_=f"claim-evidence {evidence['stance']}",
    )


def decision_form(key: str) -> Callable[[str, str], Decision] | None:
    """The form; once it is sent, what makes the decision from a check's id and the id of the decision that it corrects."""
    with st.form(f"{key}_form"):
        choice = st.selectbox(
            "Decision", DECISIONS, format_func=lambda name: DECISION_LABELS[name], index=None, key=f"{key}_decision"
        )
        reason = st.text_area("Reason", key=f"{key}_reason", max_chars=2000)
        wording = st.text_input("New wording, if it changes", key=f"{key}_wording", max_chars=1000)
        fit = [
            (name, st.radio(question, FIT_ANSWERS, index=len(FIT_ANSWERS) - 1, horizontal=True, key=f"{key}_{name}"))
            for name, question in FIT_QUESTIONS
        ]
        left, middle, right = st.columns(3)
        person = left.text_input(
            "Your name", value=st.session_state.get("claims_signed_name", ""), key=f"{key}_person", max_chars=120
        )
        role = middle.text_input(
            "Your role", value=st.session_state.get("claims_signed_role", ""), key=f"{key}_role", max_chars=120
        )
        review_by = right.date_input("Review by", value=None, key=f"{key}_review")
        sent = st.form_submit_button("Sign and record", key=f"{key}_send", type="primary")
    if not sent:
        return None
    missing = [
        label
        for label, value in (
            ("a decision", choice),
            ("a reason", reason.strip()),
            ("your name", person.strip()),
            ("your role", role.strip()),
        )
        if not value
    ]
    if missing or choice is None:
        st.error(f"Not recorded yet. Please give {', '.join(missing)}.")
        return None
    # The next claim is mostly signed by the same person.
    st.session_state["claims_signed_name"], st.session_state["claims_signed_role"] = person, role
    due = review_by.isoformat() if review_by else ""

    def make(check_id: str, supersedes: str) -> Decision:
        return Decision(
            check_id, choice, reason.strip(), person.strip(), role.strip(), tuple(fit), wording.strip(), due, supersedes
        )

    return make
