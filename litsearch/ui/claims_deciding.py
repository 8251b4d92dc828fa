"""What the check page and the register page share: evidence on a page, and the form in which a person decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from litsearch.claims.export import quote_parts
from litsearch.claims.records import DECISIONS, FIT_ANSWERS, FIT_QUESTIONS, Decision
from litsearch.records import NOT_STATED
from litsearch.ui.cards import digest_note
from litsearch.ui.markup import Html, join, link, style, tag, text
from litsearch.ui.strings import Strings

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


def evidence_list(finding: Mapping[str, Any], say: Strings) -> Html:
    """What was found on one claim: why, flags, strength, then each passage whole with its source; from the finding's JSON.

    The program's reasons, the wording rules and the passages are in the library's language on every page: they stand here as
    they are recorded.
    """
    of_library = say.of_library
    means = say(f"finding.{finding['finding']}.means")
    parts: list[str] = [
        tag("p", f"{means} ", say("claims.reason"), " ", tag("span", f"{finding['why']}.", dir="auto", lang=of_library))
    ]
    for flag in finding["flags"]:
        why = tag("span", f"{flag['why']} ", tag("em", flag["source"]), dir="auto", lang=of_library)
        parts.append(tag("p", tag("strong", say("claims.flag", words=flag["text"])), " ", why))
    strength = finding["strength"]
    if strength["sources"]:
        kinds = ", ".join(say(f"kind.{kind}") for kind in strength["kinds"])
        sources = say("claims.sources", n=strength["sources"], kinds=kinds)
        parts.append(tag("p", f"{sources} {weight_note(strength, say)}".strip()))
    shown = [evidence for evidence in finding["evidence"] if evidence["stance"] != "neutral"]
    related = [evidence for evidence in finding["evidence"] if evidence["stance"] == "neutral"]
    parts += [_evidence(evidence, say) for evidence in shown]
    if related:
        title = say("claims.related", n=len(related)) if shown else say("claims.closest", n=len(related))
        entries = [_evidence(evidence, say) for evidence in related]
        parts.append(tag("details", tag("summary", title), *entries, open=not shown))
    return join(*parts)


def weight_note(strength: Mapping[str, Any], say: Strings) -> str:
    """The warning on what stands behind a claim, in the page's language; empty where the record has none.

    The record keeps its own words, in English; which of the three it is follows from the kinds beside them.
    """
    if not strength["note"]:
        return ""
    if strength["promotional_only"]:
        return say("claims.weight.promotional")
    if strength["kinds"] == ["not-stated"]:
        return say("claims.weight.unknown")
    return say("claims.weight.uncontrolled", kinds=", ".join(say(f"kind.{kind}").lower() for kind in strength["kinds"]))


def _evidence(evidence: Mapping[str, Any], say: Strings) -> Html:
    citation, of_library = evidence["citation"], say.of_library
    quote = join(*(tag("mark", words) if decides else text(words) for words, decides in quote_parts(evidence)))
    kind = f"kind.{evidence['kind']}"
    date = citation["date"] if citation["date"] != NOT_STATED else ""
    source = join(
        tag("strong", link(citation["url"], citation["title"]), dir="auto", lang=of_library),
        " | ",
        tag("span", say(kind), title=say(f"{kind}.means")),
        " | ",
        text(citation["by"] if citation["by"] != NOT_STATED else say("source.by.none")),
        " | ",
        text(say.date(date) if date else say("source.date.none")),
    )
    digest = digest_note(citation["restates"], citation["by"], date, citation["title"], say) if citation["provenance"] else Html()
    stance = say("claims.source", stance=say(f"stance.{evidence['stance']}"))
    return tag(
        "div",
        tag("p", tag("strong", stance), ": ", tag("span", evidence["why"], dir="auto", lang=of_library)),
        tag("blockquote", quote, dir="auto", lang=of_library),
        tag("p", source, class_="by-line"),
        digest,
        class_=f"claim-evidence {evidence['stance']}",
    )


def decision_form(key: str, say: Strings) -> Callable[[str, str], Decision] | None:
    """The form; once it is sent, what makes the decision from a check's id and the id of the decision that it corrects."""
    with st.form(f"{key}_form"):
        choice = st.selectbox(
            say("decide.decision"),
            DECISIONS,
            format_func=lambda name: say(f"decision.{name}"),
            index=None,
            placeholder=say("field.choose"),
            key=f"{key}_decision",
        )
        reason = st.text_area(say("decide.reason"), key=f"{key}_reason", max_chars=2000)
        wording = st.text_input(say("decide.wording"), key=f"{key}_wording", max_chars=1000)
        fit = [(name, _fit(name, f"{key}_{name}", say)) for name, _ in FIT_QUESTIONS]
        left, middle, right = st.columns(3)
        person = left.text_input(
            say("decide.person"), value=st.session_state.get("claims_signed_name", ""), key=f"{key}_person", max_chars=120
        )
        role = middle.text_input(
            say("decide.role"), value=st.session_state.get("claims_signed_role", ""), key=f"{key}_role", max_chars=120
        )
        review_by = right.date_input(say("decide.review_by"), value=None, format=say("date.field"), key=f"{key}_review")
        sent = st.form_submit_button(say("decide.send"), key=f"{key}_send", type="primary")
    if not sent:
        return None
    stated = {"decision": choice, "reason": reason.strip(), "person": person.strip(), "role": role.strip()}
    missing = [say(f"decide.missing.{name}") for name, value in stated.items() if not value]
    if missing or choice is None:
        st.error(say("decide.missing", what=", ".join(missing)))
        return None
    # The next claim is mostly signed by the same person.
    st.session_state["claims_signed_name"], st.session_state["claims_signed_role"] = person, role
    due = review_by.isoformat() if review_by else ""

    def make(check_id: str, supersedes: str) -> Decision:
        return Decision(
            check_id, choice, reason.strip(), person.strip(), role.strip(), tuple(fit), wording.strip(), due, supersedes
        )

    return make


def _fit(name: str, key: str, say: Strings) -> str:
    """One fit question; the answer is the record's, whatever the page calls it."""
    return st.radio(
        say(f"fit.{name}"),
        FIT_ANSWERS,
        format_func=lambda answer: say(f"fit.{answer}"),
        index=len(FIT_ANSWERS) - 1,
        horizontal=True,
        key=key,
    )
