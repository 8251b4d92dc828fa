"""The staff's pages: who may see them, and the settings with their origins; the others have modules of their own, loaded late."""

from __future__ import annotations

from dataclasses import fields

import streamlit as st

from litsearch.settings import Settings
from litsearch.ui import frame
from litsearch.ui.cards import Visit
from litsearch.ui.markup import tag
from litsearch.ui.opening import loaded
from litsearch.ui.stated import current_settings
from litsearch.ui.strings import Strings
from litsearch.ui.tables import table

# Addresses that only programs on the same machine can reach.
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def admitted(say: Strings) -> bool:
    """Whether the staff's pages may be drawn: after signing in where that is set up, else only on this machine itself."""
    if _signs_in():
        # Streamlit states it only once it knows; what is not stated is no.
        if not st.user.get("is_logged_in", False):
            frame.show(tag("h1", say("staff.sign_in.title")), tag("p", say("staff.sign_in.lead"), class_="lead"))
            st.button(say("staff.sign_in"), key="sign_in", type="primary", on_click=st.login)
            return False
        frame.show(
            tag("p", say("staff.signed_in", name=str(st.user.get("name") or st.user.get("email") or "")), class_="staff-note")
        )
        return True
    address = str(st.get_option("server.address") or "0.0.0.0")  # noqa: S104 - Streamlit's own default, named to be refused
    if address not in _LOOPBACK:
        frame.show(tag("section", tag("p", say("staff.exposed", address=address)), class_="panel failed", role="alert"))
        return False
    frame.show(tag("p", say("staff.only"), class_="staff-note"))
    return True


def _signs_in() -> bool:
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def library(visit: Visit) -> None:
    """The articles that are searched, and everything that is done with them."""
    loaded()
    from litsearch.ui.library import library_page

    library_page(visit)


def claims(visit: Visit) -> None:
    """Marketing copy against the literature."""
    loaded()
    from litsearch.ui.claims_check import check_page
    from litsearch.ui.resources import searcher_of

    settings = current_settings()
    check_page(searcher_of(settings), settings, visit.say)


def register(visit: Visit) -> None:
    """The decisions on claims, and those due for review."""
    loaded()
    from litsearch.ui.claims_register import register_page
    from litsearch.ui.resources import searcher_of

    settings = current_settings()
    register_page(searcher_of(settings), settings, visit.say)


def coverage(visit: Visit) -> None:
    """What patients asked, where the practice keeps that."""
    loaded()
    from litsearch.ui.coverage import coverage_page

    coverage_page(visit)


def settings(visit: Visit) -> None:
    """Every setting, its value, and where the value comes from; nothing can be changed here."""
    say, values = visit.say, current_settings()
    rows = [
        (
            field.name,
            str(getattr(values, field.name)) or say("settings.empty"),
            _origin(values.origins.get(field.name, ""), say),
        )
        for field in fields(Settings)
        if field.name != "origins"
    ]
    head = [say("column.setting"), say("column.value"), say("column.origin")]
    frame.show(tag("h1", say("settings.title")), tag("p", say("settings.lead"), class_="lead"), table(head, rows))


def _origin(origin: str, say: Strings) -> str:
    """Where a value comes from, in the page's language."""
    kind, _, name = origin.partition(" ")
    return say("settings.environment", name=name) if kind == "environment" and name else origin or say("settings.default")
