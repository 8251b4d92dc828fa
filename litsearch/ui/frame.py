"""What every page has: its dress, its note, and the panels for help, failure and a build under way."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from litsearch.ui.building import Build, BuildState
from litsearch.ui.cards import LARGE, Visit
from litsearch.ui.markup import Html, anchor_link, inner_link, join, script, style, tag
from litsearch.ui.problems import told
from litsearch.ui.strings import Strings

ICON = str(Path(__file__).with_name("icon.svg"))
_HERE = Path(__file__).parent
# How often a page looks at the build: often enough to feel live, seldom enough to cost nothing.
_LOOK_EVERY_S = 0.5


@cache
def _sheet() -> Html:
    return style((_HERE / "style.css").read_text(encoding="utf-8"))


@cache
def _behaviour() -> str:
    return (_HERE / "behaviour.js").read_text(encoding="utf-8")


def dress(say: Strings, *, staff: bool, large: bool = False) -> None:
    """The style sheet, the page's language, and the script that keeps the app's own links within the page."""
    st.html(_sheet())
    if large:
        # Everything is measured in this size: columns and gaps grow with the letters.
        st.html(style("html { font-size: 22px !important; }"))
    st.html(script(f"document.documentElement.lang = {say.language!r}", marker=say.language), unsafe_allow_javascript=True)
    if staff:
        # The navigation lies over the top of the page.
        st.html(
            style(".stMainBlockContainer { padding-top: 4.2rem !important; } .stApp .stAppHeader { background: var(--paper); }")
        )
    st.html(script(_behaviour(), marker="staff" if staff else "patient"), unsafe_allow_javascript=True)


def show(*parts: str) -> None:
    """Draw markup; nothing when it is empty."""
    markup = join(*parts)
    if markup:
        st.html(markup)


def arrive(place: str, marker: str) -> None:
    """Bring an element of this page into view; once for each marker."""
    st.html(script(f"window.litsearchArrive && window.litsearchArrive({place!r})", marker=marker), unsafe_allow_javascript=True)


def not_advice(say: Strings, *, short: bool = False) -> Html:
    """The note that stands on every page of the patient's."""
    more = say("not_advice.short" if short else "not_advice.more")
    return tag("p", tag("strong", say("not_advice")), " ", more, class_="not-advice", role="note")


def tools(visit: Visit) -> Html:
    """Larger or normal text, and the page on paper."""
    say = visit.say
    here = {"q": visit.question, "passage": visit.passage, "article": visit.article}
    size = say("tools.smaller") if visit.large else say("tools.larger")
    links = [inner_link(visit.to(**here, size="" if visit.large else LARGE), size), anchor_link("print", say("tools.print"))]
    return tag("nav", *(tag("span", one) for one in links), class_="tools", aria_label=say("tools"))


def failure(problem: Html, visit: Visit) -> None:
    """An error as a page: what it means for the reader, and for the practice what to do."""
    say = visit.say
    show(
        tag(
            "section",
            tag("h1", say("error.title"), id="failed"),
            tag("p", say("error.lead")),
            tag(
                "details",
                tag("summary", say("error.for_practice")),
                problem,
                open=True,
            ),
            tag("p", inner_link(visit.to(q=visit.question, passage=visit.passage, article=visit.article), say("error.retry"))),
            class_="panel failed",
            role="alert",
            aria_labelledby="failed",
        )
    )


def building(build: Build, visit: Visit) -> None:
    """Start the build if none was started, and show how far it is; the page goes on by itself when it is done."""
    if build.state.phase in ("idle", "done"):
        build.start()
    _watch(build, visit)


@st.fragment(run_every=_LOOK_EVERY_S)
def _watch(build: Build, visit: Visit) -> None:
    say, state = visit.say, build.state
    if state.phase == "done":
        st.rerun()
    if state.phase == "failed":
        show(
            tag(
                "section",
                tag("h1", say("build.failed")),
                told(state.error, say) if state.error is not None else tag("p", say("error.unexpected")),
                class_="panel failed",
                role="alert",
            )
        )
        st.button(say("error.retry"), key="build_retry", on_click=_start, args=(build,))
        return
    show(tag("section", tag("h1", say("build.title")), tag("p", say("build.lead")), class_="panel build", role="status"))
    bar(state, say, key="build")


def _start(build: Build) -> None:
    build.start()


def bar(state: BuildState, say: Strings, *, key: str) -> None:
    """A build's progress, with what it is doing in words."""
    st.progress(state.done / state.of if state.of else 0.0, text=stage_text(state, say))


def stage_text(state: BuildState, say: Strings) -> str:
    """What a build is doing, in words."""
    if state.stage in ("reading", "embedding"):
        return say(f"build.{state.stage}", done=state.done, of=state.of)
    known = ("preparing", "writing", "checking", "switching", "waiting")
    return say(f"build.{state.stage if state.stage in known else 'preparing'}")
