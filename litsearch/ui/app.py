"""The app's two processes: the patient's page alone, or the staff's pages with the same question page among them."""

from __future__ import annotations

import logging
from collections.abc import Callable

import streamlit as st

from litsearch.errors import IndexMissing, LitsearchError
from litsearch.ui import frame, front
from litsearch.ui.cards import LARGE, Visit
from litsearch.ui.markup import tag
from litsearch.ui.problems import told
from litsearch.ui.stated import current_settings
from litsearch.ui.strings import Strings, strings_for

log = logging.getLogger(__name__)


def run(*, staff: bool) -> None:
    """Draw the page that the address asks for. The patient's process never imports, names or registers a staff page."""
    if staff and "lang" in st.query_params:
        # The navigation between the staff's pages leaves the address's parameters behind.
        st.session_state["staff_language"] = st.query_params["lang"]
    say = _say()
    asked = " ".join(st.query_params.get("q", "").split())[:80]
    title = f"{asked} – {say('app')}" if asked else say("app")
    st.set_page_config(page_title=title, page_icon=frame.ICON, layout="wide", initial_sidebar_state="collapsed")
    large = st.query_params.get("size", "") == LARGE
    if not staff:
        frame.dress(say, staff=False, large=large)
        guarded(front.draw)
        return
    from litsearch.ui import staff as desk

    frame.dress(say, staff=True, large=large)
    if not desk.admitted(say):
        return
    pages = [
        st.Page(lambda: guarded(front.draw), title=say("nav.ask"), url_path="ask", default=True),
        st.Page(lambda: guarded(desk.claims), title=say("nav.claims"), url_path="claims"),
        st.Page(lambda: guarded(desk.register), title=say("nav.register"), url_path="register"),
        st.Page(lambda: guarded(desk.library), title=say("nav.library"), url_path="library"),
        st.Page(lambda: guarded(desk.coverage), title=say("nav.coverage"), url_path="coverage"),
        st.Page(lambda: guarded(desk.settings), title=say("nav.settings"), url_path="settings"),
    ]
    st.navigation(pages, position="top").run()


def _say() -> Strings:
    """The words of the language that the address names; for staff, else those of the one that it named last."""
    return strings_for(st.query_params.get("lang", st.session_state.get("staff_language", "")))


def guarded(draw: Callable[[Visit], None]) -> None:
    """Draw a view; every error that can happen becomes a text with its remedy, a missing index is built."""
    parameters = st.query_params
    say = _say()
    large = parameters.get("size", "") == LARGE
    visit = Visit(say, parameters.get("q", ""), parameters.get("passage", ""), parameters.get("article", ""), large)
    try:
        try:
            draw(visit)
        except IndexMissing:
            from litsearch.ui.resources import build_of

            frame.building(build_of(current_settings()), visit)
    except LitsearchError as error:
        frame.failure(told(error, say), visit)
    except Exception:
        # A fault of ours: the log has the trace, the page says that it is not the reader's. Streamlit's own stops and reruns
        # are no Exception and pass through.
        log.exception("a page failed")
        frame.failure(tag("p", say("error.unexpected")), visit)
