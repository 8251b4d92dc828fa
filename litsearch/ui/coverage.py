"""Staff: what patients asked, grouped by what they were after and the article nearest to it; and how to delete it."""

from __future__ import annotations

import streamlit as st

from litsearch.feedback import Feedback, Gap, gaps
from litsearch.ui import frame
from litsearch.ui.cards import Visit
from litsearch.ui.markup import Html, tag
from litsearch.ui.resources import feedback_of
from litsearch.ui.stated import current_settings
from litsearch.ui.strings import Strings


def coverage_page(visit: Visit) -> None:
    """The page: how many questions are kept and for how long, the groups, and the deletion of everything.

    Raises:
        FeedbackError: when the kept questions cannot be read.
    """
    say = visit.say
    kept = feedback_of(current_settings())
    frame.show(tag("h1", say("coverage.title")), tag("p", say("coverage.lead"), class_="lead"))
    if not kept.on:
        frame.show(tag("section", tag("p", say("coverage.off")), class_="panel plain"))
    asked = kept.asked()
    if "questions_deleted" in st.session_state:
        frame.show(tag("p", say("coverage.deleted", n=st.session_state.pop("questions_deleted")), role="status"))
    if not asked:
        if kept.on:
            frame.show(tag("p", say("coverage.none"), role="status"))
        return
    frame.show(tag("p", say("coverage.kept", n=len(asked), days=kept.days)), *(_group(gap, say) for gap in gaps(asked)))
    _deletion(kept, say)


def _group(gap: Gap, say: Strings) -> Html:
    about = say(f"coverage.about.{gap.about}")
    title = say("coverage.group", about=about, nearest=gap.nearest) if gap.nearest else say("coverage.group.none", about=about)
    counts = say(
        "coverage.counts",
        unanswered=gap.n_unanswered,
        answered=gap.n_answered,
        helped=gap.n_helped,
        not_helped=gap.n_not_helped,
    )
    rows = [
        tag(
            "li",
            tag("span", question, dir="auto"),
            *([" ", tag("span", say("coverage.times", n=count), class_="count")] if count > 1 else []),
        )
        for question, count in gap.questions
    ]
    return tag("section", tag("h2", title, dir="auto"), tag("p", counts), tag("ul", *rows), class_="gap")


def _deletion(kept: Feedback, say: Strings) -> None:
    sure = st.checkbox(say("coverage.delete.sure"), key="questions_sure")
    st.button(say("coverage.delete"), key="questions_delete", disabled=not sure, on_click=_delete, args=(kept,))


def _delete(kept: Feedback) -> None:
    st.session_state["questions_deleted"] = kept.delete_all()
    st.session_state["questions_sure"] = False
