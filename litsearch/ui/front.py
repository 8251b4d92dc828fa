"""The question page's first frame: title, field and note. It needs nothing that takes long to load, and waits for nothing."""

from __future__ import annotations

from contextlib import nullcontext

import streamlit as st

from litsearch.contact import Contact
from litsearch.ui import frame
from litsearch.ui.cards import Visit
from litsearch.ui.markup import Html, tag
from litsearch.ui.opening import LIBRARY, loaded
from litsearch.ui.stated import contact_of, current_settings
from litsearch.ui.strings import Strings


def draw(visit: Visit) -> None:
    """The page that the address asks for: an article, an answer, or the first visit.

    While a fresh process still loads, the title and the field stand there already.
    """
    contact = contact_of(current_settings())
    if visit.passage or visit.article:
        loaded()
        from litsearch.ui import patient

        patient.article_page(visit)
        return
    waiting = not LIBRARY.done
    if not waiting:
        # Before anything is drawn: what cannot be searched is a page of its own.
        _ready()
    asked = bool(visit.question.strip())
    urgent = st.empty()
    frame.show(
        masthead(contact, visit.say, asked=asked), tag("p", visit.question, class_="on-paper", dir="auto") if asked else ""
    )
    problem = st.container()
    submitted = question_form(visit)
    frame.show(frame.not_advice(visit.say, short=asked))
    if waiting:
        try:
            with st.spinner(visit.say("field.searching")) if asked else nullcontext():
                _ready()
        except Exception:
            # Nothing can be searched: the next run finds everything loaded and draws the page that says why.
            st.rerun()
    from litsearch.ui import patient

    patient.below(visit, urgent, problem, submitted=submitted)


def _ready() -> None:
    """Wait until the library is open.

    Raises:
        LitsearchError: when it cannot be searched, or a file of the practice's cannot be used.
    """
    loaded()
    from litsearch.ui import patient

    patient.open_library(current_settings())


def masthead(contact: Contact, say: Strings, *, asked: bool) -> Html:
    """The page's title; small once there is an answer to make room for."""
    name = tag("p", contact.known_as, class_="practice", dir="auto") if contact.known_as else ""
    if asked:
        return tag("header", name, tag("h1", say("ask.title")), class_="masthead asked")
    return tag("header", name, tag("h1", say("ask.title")), tag("p", say("ask.lead"), class_="lead"), class_="masthead")


def question_form(visit: Visit) -> bool:
    """The one field. A question that came by the address stands in it; submitting puts the question into the address."""
    say = visit.say
    if st.session_state.get("drawn_question") != visit.question:
        st.session_state["drawn_question"] = visit.question
        st.session_state["question"] = visit.question
    with st.form("ask", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(say("field.label"), key="question", autocomplete="off")
        return st.form_submit_button(say("field.submit"), key="ask_submit", type="primary", on_click=_submit)


def _submit() -> None:
    question = str(st.session_state.get("question", ""))
    st.session_state["drawn_question"] = question
    st.query_params["q"] = question
