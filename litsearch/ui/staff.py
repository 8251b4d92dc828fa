"""The staff's pages: the library with its rebuild, and the settings with their origins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields

import streamlit as st

from litsearch.errors import LitsearchError
from litsearch.ingesting import check
from litsearch.records import IngestReport
from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.ui import frame
from litsearch.ui.cards import Visit
from litsearch.ui.claims_check import check_page
from litsearch.ui.claims_register import register_page
from litsearch.ui.markup import Html, tag
from litsearch.ui.resources import build_of, current_settings, searcher_of
from litsearch.ui.strings import Strings

# Addresses that only programs on the same machine can reach.
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def admitted(say: Strings) -> bool:
    """Whether the staff's pages may be drawn: after signing in where that is set up, else only on this machine itself."""
    if _signs_in():
        if not st.user.is_logged_in:
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
    """The articles that are searched, the files that were refused, and the rebuild with its progress."""
    say, settings = visit.say, current_settings()
    searcher = searcher_of(settings)
    searcher.manifest()
    frame.show(tag("h1", say("library.title")), tag("p", say("library.lead"), class_="lead"))
    _state(settings, searcher, say)
    _rebuild(settings, visit)
    report = build_of(settings).state.report
    frame.show(_articles(searcher, say), _refused(searcher, say), _changes(report, say), _repairs(searcher, say))


def claims(visit: Visit) -> None:
    """Marketing copy against the literature."""
    settings = current_settings()
    check_page(searcher_of(settings), settings)


def register(visit: Visit) -> None:
    """The decisions on claims, and those due for review."""
    settings = current_settings()
    register_page(searcher_of(settings), settings)


def settings(visit: Visit) -> None:
    """Every setting, its value, and where the value comes from; nothing can be changed here."""
    say, values = visit.say, current_settings()
    rows = [
        (
            field.name,
            str(getattr(values, field.name)) or say("settings.empty"),
            values.origins.get(field.name, say("settings.default")),
        )
        for field in fields(Settings)
        if field.name != "origins"
    ]
    head = [say("column.setting"), say("column.value"), say("column.origin")]
    frame.show(tag("h1", say("settings.title")), tag("p", say("settings.lead"), class_="lead"), _table(head, rows))


def _state(settings: Settings, searcher: Searcher, say: Strings) -> None:
    manifest = searcher.manifest()
    text = say(
        "library.generation",
        generation=str(manifest["generation"]),
        documents=int(manifest["n_documents"]),
        passages=int(manifest["n_passages"]),
    )
    parts = [tag("p", text)]
    if searcher.notice:
        parts.append(_notice(say("library.notice"), searcher.notice))
    try:
        found = _checked(repr(settings), str(manifest["generation"]), settings)
    except LitsearchError as error:
        parts.append(_notice(say("library.notice"), str(error)))
    else:
        if found.fresh:
            parts.append(tag("p", say("library.fresh")))
        else:
            changes = say("library.stale.changes", added=len(found.added), changed=len(found.changed), removed=len(found.removed))
            also = f" ({'; '.join(found.notes)})" if found.notes else ""
            parts.append(_notice(say("library.stale"), f"{say('library.stale.why')} {changes}{also}"))
    frame.show(*parts)


@st.cache_data(ttl=10, show_spinner=False, max_entries=4)
def _checked(key: str, generation: str, _settings: Settings) -> IngestReport:
    """Whether the index is up to date; looked up at most every ten seconds, as it reads the whole corpus."""
    return check(_settings)


def _notice(title: str, text: str) -> Html:
    return tag("section", tag("h2", title), tag("p", text, dir="auto"), class_="panel cautions", role="status")


def _rebuild(settings: Settings, visit: Visit) -> None:
    say, build = visit.say, build_of(settings)
    running = build.state.phase == "running"
    anew = st.checkbox(say("library.rebuild.all"), key="rebuild_all", disabled=running)
    if st.button(say("library.rebuild"), key="rebuild", type="primary", help=say("library.rebuild.help"), disabled=running):
        build.start(rebuild=anew)
        _checked.clear()
        st.rerun()
    _progress(settings, visit)


@st.fragment(run_every=0.5)
def _progress(settings: Settings, visit: Visit) -> None:
    say, state = visit.say, build_of(settings).state
    was_running = bool(st.session_state.get("build_seen_running"))
    st.session_state["build_seen_running"] = state.phase == "running"
    if state.phase == "running":
        frame.show(tag("p", say("library.rebuilding"), role="status"))
        frame.bar(state, say, key="rebuild")
        return
    if was_running:
        _checked.clear()
        st.rerun()
    if state.phase == "failed":
        frame.show(_notice(say("build.failed"), state.error or say("error.unexpected")))
    elif state.report is not None:
        frame.show(tag("p", _outcome(state.report, say), role="status"))


def _outcome(report: IngestReport, say: Strings) -> str:
    if report.fresh:
        return say("library.unchanged")
    return say(
        "library.rebuilt",
        seconds=f"{report.seconds:.1f}",
        documents=report.documents,
        passages=report.passages,
        embedded=report.embedded,
    )


def _articles(searcher: Searcher, say: Strings) -> Html:
    counts = Counter(passage.document_id for passage in searcher.passages())
    repairs = Counter(path for path, *_ in searcher.manifest()["repairs"])
    rows = [
        (
            say(f"kind.{metadata.kind}"),
            metadata.name,
            say.date(metadata.date) if metadata.date else say("source.date.none"),
            str(counts[document_id]),
            str(repairs[path]),
            path,
        )
        for document_id, path, metadata in searcher.articles()
    ]
    names = ("kind", "title", "date", "passages", "repairs", "file")
    return _section(say("library.articles"), _table([say(f"column.{name}") for name in names], rows))


def _refused(searcher: Searcher, say: Strings) -> Html:
    rows = [(row["path"], row["reason"]) for row in searcher.manifest()["refused"]]
    body = _table([say("column.file"), say("column.reason")], rows) if rows else tag("p", say("library.refused.none"))
    return _section(say("library.refused"), body)


def _repairs(searcher: Searcher, say: Strings) -> Html:
    rows = [
        (path, f"{what} ({example})" if example else what, str(count))
        for path, what, count, example in searcher.manifest()["repairs"]
    ]
    body = (
        _table([say("column.file"), say("column.what"), say("column.repairs")], rows)
        if rows
        else tag("p", say("library.repairs.none"))
    )
    return _section(say("library.repairs"), body)


def _changes(report: IngestReport | None, say: Strings) -> Html:
    if report is None:
        return _section(say("library.changes"), tag("p", say("library.changes.none")))
    rows = [(say(f"library.change.{name}"), path) for name in ("added", "changed", "removed") for path in getattr(report, name)]
    rows += [(say("library.change.renamed"), f"{old} → {new}") for old, new in report.renamed]
    body = _table([say("column.change"), say("column.file")], rows) if rows else tag("p", say("library.unchanged"))
    return _section(say("library.changes"), body)


def _section(title: str, body: Html) -> Html:
    return tag("section", tag("h2", title), body)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", name, scope="col") for name in head))),
            tag("tbody", *(tag("tr", *_cells(head, row)) for row in rows)),
        ),
        class_="table",
        tabindex=0,
        role="region",
        aria_label=head[0],
    )


def _cells(head: Sequence[str], row: Sequence[str]) -> list[Html]:
    """The cells of one row, each with its column's name for narrow screens, where rows are drawn one below the other."""
    return [tag("td", cell, dir="auto", data_label=name) for name, cell in zip(head, row, strict=True)]
