"""The Library page: what is searched, what changed last, adding and removing, the rebuild, and what the library covers."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from litsearch.errors import LitsearchError, Refused
from litsearch.ingesting import SIDECAR, check
from litsearch.library.comparing import Changes
from litsearch.library.overview import Overview, find_articles
from litsearch.library.report import ArticleReport
from litsearch.library.shelving import add_article, remove_article
from litsearch.records import IngestReport
from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.ui import charts, frame
from litsearch.ui.cards import Visit, kind_badge, prose, source_line
from litsearch.ui.markup import Html, tag
from litsearch.ui.resources import build_of, changes_of, overview_of_library, searcher_of, upload_limit_mb
from litsearch.ui.stated import current_settings
from litsearch.ui.strings import Strings
from litsearch.ui.tables import notice, section, table

# Rows of the articles' table; more are found by typing, and a page of ten thousand rows takes a minute to draw.
_MAX_ROWS = 200
# Passages listed of one sort of change.
_MAX_PASSAGES = 50
# Characters of an article's preview: its opening, enough to know it by.
_PREVIEW = 2_500


def library_page(visit: Visit) -> None:
    """The page, from the generation in use; patients are served from it whatever is done here."""
    say, settings = visit.say, current_settings()
    searcher = searcher_of(settings)
    generation = str(searcher.manifest()["generation"])
    overview, changes = overview_of_library(settings, generation), changes_of(settings, generation)
    frame.show(tag("h1", say("library.title")), tag("p", say("library.lead"), class_="lead"))
    _state(settings, searcher, overview, say)
    _told()
    _rebuild(settings, visit)
    _add(settings, say)
    frame.show(_changes(changes, say))
    _articles(overview, say)
    _one_article(overview, searcher, settings, say)
    _coverage(overview, say)
    frame.show(_refused(overview, say), _repairs(overview, say))


# ------------------------------------------------------------------------------------------------ state and rebuild


def _state(settings: Settings, searcher: Searcher, overview: Overview, say: Strings) -> None:
    manifest, report = searcher.manifest(), overview.report
    counts = {"documents": len(report.articles), "passages": int(manifest["n_passages"])}
    parts = [
        tag("p", say("library.generation", generation=report.generation, **counts)),
        tag("p", say("library.sources", n=len(report.sources))),
    ]
    if searcher.notice:
        parts.append(notice(say("library.notice"), searcher.notice))
    try:
        found = _checked(repr(settings), report.generation, settings)
    except LitsearchError as error:
        parts.append(notice(say("library.notice"), str(error)))
    else:
        if found.fresh:
            parts.append(tag("p", say("library.fresh")))
        else:
            differs = say("library.stale.changes", added=len(found.added), changed=len(found.changed), removed=len(found.removed))
            also = f" ({'; '.join(found.notes)})" if found.notes else ""
            parts.append(notice(say("library.stale"), f"{say('library.stale.why')} {differs}{also}"))
    frame.show(*parts)


@st.cache_data(ttl=10, show_spinner=False, max_entries=4)
def _checked(key: str, generation: str, _settings: Settings) -> IngestReport:
    """Whether the index is up to date; looked up at most every ten seconds, as it reads the whole corpus."""
    return check(_settings)


def _start_build(settings: Settings, *, anew: bool = False) -> None:
    build_of(settings).start(rebuild=anew)
    _checked.clear()


def _rebuild(settings: Settings, visit: Visit) -> None:
    say = visit.say
    running = build_of(settings).state.phase == "running"
    anew = st.checkbox(say("library.rebuild.all"), key="rebuild_all", disabled=running)
    if st.button(say("library.rebuild"), key="rebuild", type="primary", help=say("library.rebuild.help"), disabled=running):
        _start_build(settings, anew=anew)
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
        frame.show(notice(say("build.failed"), str(state.error or say("error.unexpected"))))
    elif state.report is not None:
        frame.show(tag("p", _outcome(state.report, say), role="status"))


def _outcome(report: IngestReport, say: Strings) -> str:
    if report.fresh:
        return say("library.unchanged")
    return say(
        "library.rebuilt",
        seconds=say.decimal(report.seconds),
        documents=report.documents,
        passages=report.passages,
        embedded=report.embedded,
    )


# --------------------------------------------------------------------------------------------------- add and remove


def _told() -> None:
    """What the last click came to, once."""
    for words, is_problem in st.session_state.pop("library_told", []):
        frame.show(tag("p", words, class_="panel failed" if is_problem else "panel plain", role="status", dir="auto"))


def _tell(told: list[tuple[str, bool]]) -> None:
    st.session_state["library_told"] = told
    st.rerun()


def _add(settings: Settings, say: Strings) -> None:
    limit_mb = upload_limit_mb(settings)
    larger = [tag("p", say("library.add.larger", mb=settings.max_file_mb))] if settings.max_file_mb > limit_mb else []
    frame.show(section(say("library.add"), tag("p", say("library.add.lead", mb=limit_mb)), *larger))
    with st.form("library_add", clear_on_submit=True):
        files = st.file_uploader(
            say("library.add.files"), accept_multiple_files=True, max_upload_size=limit_mb, key="library_files"
        )
        submitted = st.form_submit_button(say("library.add.submit"), key="library_add_submit")
    if not submitted or not files:
        return
    told: list[tuple[str, bool]] = []
    # A description needs its article to be there.
    for file in sorted(files, key=lambda file: file.name.endswith(SIDECAR)):
        try:
            with st.spinner(say("library.add.reading", name=file.name)):
                told.append((say("library.added", path=add_article(settings, file.name, file.getvalue())), False))
        except Refused as refused:
            told.append((say("library.add.refused", name=file.name, reason=str(refused)), True))
        except LitsearchError as error:
            told.append((str(error), True))
    if not all(is_problem for _, is_problem in told):
        _start_build(settings)
    _tell(told)


def _remove(article: ArticleReport, overview: Overview, settings: Settings, say: Strings) -> None:
    n_articles = len(overview.of_file(article.path))
    if n_articles > 1:
        frame.show(tag("p", say("library.remove.several", path=article.path, n=n_articles), dir="auto"))
    sure = st.checkbox(say("library.remove.sure"), key=f"remove_sure_{article.document_id}")
    if not st.button(say("library.remove"), key="library_remove", disabled=not sure):
        return
    try:
        place = remove_article(settings, article.path).relative_to(settings.corpus).as_posix()
    except LitsearchError as error:
        _tell([(str(error), True)])
    else:
        _start_build(settings)
        _tell([(say("library.removed", path=article.path, place=place), False)])


# --------------------------------------------------------------------------------------------------------- articles


def _articles(overview: Overview, say: Strings) -> None:
    frame.show(section(say("library.articles")))
    articles = overview.report.articles
    found = find_articles(articles, st.text_input(say("library.find"), key="library_find"))
    rows = [
        (
            say(f"kind.{article.kind}"),
            article.title,
            say.date(article.date) if article.date else say("source.date.none"),
            str(article.n_passages),
            str(article.n_repairs),
            "; ".join(dict.fromkeys(say(f"problem.{problem.name}") for problem in article.problems)),
            article.path,
        )
        for article in found[:_MAX_ROWS]
    ]
    names = ("kind", "title", "date", "passages", "repairs", "problems", "file")
    shown = say("library.find.shown", n=len(rows), of=len(articles))
    frame.show(tag("p", shown), table([say(f"column.{name}") for name in names], rows, label=say("library.articles")))


def _one_article(overview: Overview, searcher: Searcher, settings: Settings, say: Strings) -> None:
    frame.show(section(say("library.preview")))
    by_id = {article.document_id: article for article in overview.report.articles}

    def name(document_id: str) -> str:
        article = by_id.get(document_id)
        return f"{article.title} ({article.document_id})" if article else document_id

    chosen = st.selectbox(
        say("library.preview.choose"),
        list(by_id),
        index=None,
        format_func=name,
        placeholder=say("field.choose"),
        key="library_article",
    )
    document = searcher.article(chosen) if chosen else None
    if chosen is None or document is None or chosen not in by_id:
        return
    article = by_id[chosen]
    problems = [
        tag("li", say(f"problem.{problem.name}") + (f": {problem.detail}" if problem.detail else ""), dir="auto")
        for problem in article.problems
    ]
    end = next((block.end for block in document.blocks if block.end > _PREVIEW), len(document.text))
    frame.show(
        tag(
            "article",
            tag("h3", article.title, dir="auto"),
            tag("div", kind_badge(document.metadata, say), source_line(document.metadata, say), class_="source"),
            tag("ul", *problems) if problems else tag("p", say("library.problems.none")),
            tag("div", prose(document, 0, end, level=4), class_="body"),
            tag("p", say("library.preview.more")) if end < len(document.text) else "",
            class_="card reader",
        )
    )
    _remove(article, overview, settings, say)


# ---------------------------------------------------------------------------------------------------------- changes


def _changes(changes: Changes | None, say: Strings) -> Html:
    if changes is None:
        return section(say("library.changes"), tag("p", say("library.changes.none")))
    rows = [
        (say(f"library.change.{name}"), document_id)
        for name in ("added", "changed", "removed")
        for document_id in getattr(changes, f"{name}_documents")
    ]
    rows += [(say("library.change.renamed"), f"{old} → {new}") for old, new in changes.renamed_documents]
    counts = {"added": len(changes.added), "removed": len(changes.removed), "edited": len(changes.edited)}
    made = [tag("p", say("library.changes.made", parts=", ".join(changes.made_differently)))] if changes.made_differently else []
    return section(
        say("library.changes"),
        tag("p", say("library.changes.between", old=changes.old, new=changes.new)),
        *made,
        table([say("column.change"), say("column.file")], rows[:_MAX_ROWS], label=say("library.changes")) if rows else "",
        tag("p", say("library.changes.passages", **counts)),
        _passages(changes, say),
    )


def _passages(changes: Changes, say: Strings) -> Html:
    rows: list[Sequence[str]] = [
        (say("library.change.edited"), edit.after.path, edit.before.passage.text, edit.after.passage.text)
        for edit in changes.edited[:_MAX_PASSAGES]
    ]
    rows += [(say("library.change.added"), one.path, "", one.passage.text) for one in changes.added[:_MAX_PASSAGES]]
    rows += [(say("library.change.removed"), one.path, one.passage.text, "") for one in changes.removed[:_MAX_PASSAGES]]
    if not rows:
        return Html()
    head = [say(f"column.{name}") for name in ("change", "file", "before", "after")]
    title = say("library.changes.show")
    return tag("details", tag("summary", title), table(head, rows, label=title))


# ------------------------------------------------------------------------------------------------ coverage and mends


def _coverage(overview: Overview, say: Strings) -> None:
    frame.show(section(say("library.coverage"), tag("h3", say("library.by_year"))))
    st.altair_chart(charts.articles_by_year(overview.by_year, say), alt=say("library.by_year"), key="library_by_year")
    frame.show(tag("h3", say("library.evidence")), tag("p", say("library.evidence.lead")))
    found = overview.evidence
    st.altair_chart(charts.evidence(found, say), alt=say("library.evidence"), key="library_evidence")
    head = [say("column.aspect"), *(say(f"kind.{kind}") for kind in found.kinds), say("column.all")]
    rows = [
        [say(f"evidence.{aspect}"), *(str(found.count(aspect, kind)) for kind in found.kinds), str(found.total(aspect))]
        for aspect in found.aspects
    ]
    title = say("library.evidence.table")
    frame.show(tag("details", tag("summary", title), table(head, rows, label=title)))


def _refused(overview: Overview, say: Strings) -> Html:
    rows = [(refusal.path, refusal.reason) for refusal in overview.report.refused]
    body = table([say("column.file"), say("column.reason")], rows) if rows else tag("p", say("library.refused.none"))
    return section(say("library.refused"), body)


def _repairs(overview: Overview, say: Strings) -> Html:
    rows = [
        (article.document_id, f"{repair.what} ({repair.example})" if repair.example else repair.what, str(repair.count))
        for article in overview.report.articles
        for repair in article.repairs
    ]
    head = [say("column.file"), say("column.what"), say("column.repairs")]
    return section(say("library.repairs"), table(head, rows[:_MAX_ROWS]) if rows else tag("p", say("library.repairs.none")))
