"""Staff: check marketing copy. Claims marked in place, evidence for and against beside each, the person's decision."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

import streamlit as st

from litsearch.checking import Checker, read_copy
from litsearch.claims import export
from litsearch.claims.records import FINDINGS, Finding
from litsearch.claims.register import Register, open_register
from litsearch.errors import LitsearchError
from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.ui import frame
from litsearch.ui.claims_deciding import decision_form, evidence_list, sheet
from litsearch.ui.claims_running import CheckRun, CheckState
from litsearch.ui.language import is_foreign
from litsearch.ui.markup import Html, join, tag, text
from litsearch.ui.resources import upload_limit_mb
from litsearch.ui.strings import LIBRARY, Strings

# 40 pages: a longer text is no piece of copy, and each claim costs about a second.
MAX_COPY_CHARACTERS = 100_000
_RUN = "claims_run"
_KINDS = ("txt", "md", "html", "htm", "docx", "pdf")
MIME = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html",
    "csv": "text/csv",
    "json": "application/json",
}


def check_page(searcher: Searcher, settings: Settings, say: Strings) -> None:
    """The page: paste or drop copy, watch the check, read what was found, decide, export."""
    frame.show(sheet(), tag("h1", say("claims.title")), tag("p", say("claims.lead"), class_="lead"))
    _ask(searcher, settings, say)
    run: CheckRun | None = st.session_state.get(_RUN)
    if run is None:
        return
    if run.state.phase == "running":
        _watch(say)
        return
    _results(run, settings, say)


def checker_of(searcher: Searcher, settings: Settings) -> Checker:
    """The checker of this process; made anew when the wording rules change.

    Raises:
        SettingsError: when the wording rules cannot be used.
    """
    file = settings.practice / "wording.yml"
    return _checker(repr(settings), file.stat().st_mtime_ns if file.is_file() else 0, searcher, settings)


@st.cache_resource(show_spinner=False, max_entries=4)
def _checker(key: str, changed: int, _searcher: Searcher, _settings: Settings) -> Checker:
    return Checker(_searcher, _settings)


def register_of(settings: Settings) -> Register:
    """The register of this process.

    Raises:
        RegisterError: when it cannot be opened.
    """
    return _register(settings.register, str(settings.practice))


@st.cache_resource(show_spinner=False, max_entries=4)
def _register(setting: str, practice: str) -> Register:
    return open_register(setting, Path(practice))


def _ask(searcher: Searcher, settings: Settings, say: Strings) -> None:
    with st.form("claims_form"):
        pasted = st.text_area(say("claims.copy"), key="claims_copy", height=200, max_chars=MAX_COPY_CHARACTERS)
        limit_mb = upload_limit_mb(settings)
        dropped = st.file_uploader(
            say("claims.file", mb=limit_mb), type=list(_KINDS), max_upload_size=limit_mb, key="claims_file"
        )
        campaign = st.text_input(say("claims.campaign"), key="claims_campaign", max_chars=200)
        started = st.form_submit_button(say("claims.start"), key="claims_start", type="primary")
    if not started:
        return
    if dropped is not None:
        try:
            pasted = _read(dropped.name, dropped.getvalue(), settings)
        except LitsearchError as error:
            frame.show(error_note(error))
            return
    if not pasted.strip():
        frame.show(problem_note(say("claims.empty")))
        return
    if len(pasted) > MAX_COPY_CHARACTERS:
        frame.show(problem_note(say("claims.long", n=len(pasted), most=MAX_COPY_CHARACTERS)))
        return
    former: CheckRun | None = st.session_state.get(_RUN)
    if former is not None:
        former.stop()
    checker = checker_of(searcher, settings)
    stance = checker.model.sha256 if checker.model else "rules"
    run = CheckRun(pasted, campaign, checker.check, stance=stance)
    run.start()
    st.session_state[_RUN] = run


def _read(name: str, content: bytes, settings: Settings) -> str:
    # The name comes from outside: only its last part is used, in a folder of its own that goes away again.
    with TemporaryDirectory() as folder:
        file = Path(folder) / (PurePath(name).name or "copy.txt")
        file.write_bytes(content)
        return read_copy(file, settings)


@st.fragment(run_every=0.7)
def _watch(say: Strings) -> None:
    run: CheckRun = st.session_state[_RUN]
    state = run.state
    if state.phase != "running":
        st.rerun()
    done = len(state.findings)
    st.progress(done / max(state.of, done, 1), text=say("claims.progress", done=done, of=state.of))
    st.button(say("claims.stop"), key="claims_stop", on_click=run.stop)
    if state.findings:
        frame.show(_summary(state, say))


def _results(run: CheckRun, settings: Settings, say: Strings) -> None:
    state = run.state
    if state.phase == "failed":
        frame.show(problem_note(state.error, lang=LIBRARY) if state.error else problem_note(say("error.unexpected")))
    if state.phase == "stopped":
        frame.show(tag("p", say("claims.stopped", n=len(state.findings), of=state.of), role="status"))
    if is_foreign(run.copy):
        frame.show(tag("p", say("claims.foreign"), class_="panel plain", role="status"))
    factual = [finding for finding in state.findings if finding.claim.factual]
    if not factual:
        if state.phase != "failed":
            frame.show(tag("p", say("claims.none"), role="status"))
        return
    marked = marked_copy(run.copy, state.findings, say)
    frame.show(_summary(state, say), tag("h2", say("claims.marked")), marked, tag("h2", say("claims.each")))
    try:
        register = register_of(settings)
    except LitsearchError as error:
        frame.show(error_note(error))
        return
    for number, finding in enumerate(state.findings):
        if finding.claim.factual:
            _claim(number, finding, run, register, settings, say)
    _exports(run, register, say)


def _claim(number: int, finding: Finding, run: CheckRun, register: Register, settings: Settings, say: Strings) -> None:
    label = f"{say(f'finding.{finding.finding}')}: {shortened(finding.claim.text)}"
    with st.expander(plain_label(label), expanded=finding.finding == "conflicts", key=f"claims_open_{number}"):
        body = finding.to_json()
        frame.show(evidence_list(body, say))
        recorded = run.recorded.get(number)
        if recorded:
            frame.show(tag("p", say("claims.decided"), role="status"))
            return
        made = decision_form(f"claims_{number}", say)
        if made is None:
            return
        try:
            check_id = register.record_check(
                finding, campaign=run.campaign, copy_sha256=run.sha256, models=models_of(settings, run, finding)
            ).entry_id
            register.decide(made(check_id, ""))
        except (LitsearchError, ValueError) as error:
            frame.show(error_note(error))
            return
        run.recorded[number] = check_id
        st.rerun()


def models_of(settings: Settings, run: CheckRun, finding: Finding) -> dict[str, str]:
    """The hashes of the models behind a finding: the encoder of the generation that it came from, and the stance model."""
    from litsearch.index import Index, read_manifest

    model = read_manifest(Index(settings.index).generations / finding.generation)["model"]
    return {"encoder": str(model["sha256"]), "stance": run.stance}


def _summary(state: CheckState, say: Strings) -> Html:
    counts = {name: sum(f.finding == name for f in state.findings if f.claim.factual) for name in FINDINGS}
    items = [
        tag(
            "li",
            tag("span", say(f"finding.{name}"), class_=f"claim-{name}"),
            f" {say.number(count)}",
            title=say(f"finding.{name}.means"),
        )
        for name, count in counts.items()
        if count
    ]
    return tag("ul", *items, class_="claim-counts")


def marked_copy(copy: str, findings: tuple[Finding, ...], say: Strings) -> Html:
    """The copy as it was pasted, each claim marked by its finding; what was not checked stays plain."""
    parts: list[str] = []
    position = 0
    for finding in findings:
        claim = finding.claim
        parts.append(text(copy[position : claim.start]))
        if claim.factual:
            label = say(f"finding.{finding.finding}")
            parts.append(
                tag("mark", claim.text, class_=f"claim-{finding.finding}", title=label, aria_label=f"{label}: {claim.text}")
            )
        else:
            why = say("claims.unchecked", why=say(f"unchecked.{claim.not_checked}"))
            parts.append(tag("span", claim.text, class_="claim-unchecked", title=why))
        position = claim.end
    parts.append(text(copy[position:]))
    return tag("div", join(*parts), class_="claim-copy", dir="auto")


def _exports(run: CheckRun, register: Register, say: Strings) -> None:
    """The whole check, with the decisions that the register holds on its claims.

    An export is a record and stays in English, its title too, whatever language the page speaks.
    """
    held = {case.check.entry_id: case for case in register.cases()} if run.recorded else {}
    made = export.report_of_findings(
        run.state.findings,
        title="Check of marketing copy",
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cases={number: held[check_id] for number, check_id in run.recorded.items() if check_id in held},
    )
    export_buttons(made, say, key="claims_export", name=f"check-{date.today().isoformat()}")


def export_buttons(report: export.Report, say: Strings, *, key: str, name: str) -> None:
    """Four downloads of one report."""
    frame.show(tag("h2", say("export.title")))
    writers = (
        ("docx", export.to_docx(report)),
        ("html", export.to_html(report).encode()),
        ("csv", export.to_csv(report).encode()),
        ("json", export.to_json(report).encode()),
    )
    for column, (ending, content) in zip(st.columns(len(writers)), writers, strict=True):
        label = say(f"export.{ending}")
        # Without a rerun: it would make the files anew and take the one under way from the browser.
        column.download_button(label, content, f"{name}.{ending}", MIME[ending], key=f"{key}_{ending}", on_click="ignore")


def shortened(words: str) -> str:
    """Words on one line, cut between words when there are too many for a title."""
    line = " ".join(words.split())
    return line if len(line) <= 90 else f"{line[:88].rsplit(' ', 1)[0]} ..."


def plain_label(label: str) -> str:
    """A widget's label is Markdown: what would be markup in it is shown as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|$<>:~" else c for c in label)


def problem_note(words: str, *, lang: str | None = None) -> Html:
    """What went wrong and what to do about it."""
    return tag("section", tag("p", words, dir="auto", lang=lang), class_="panel failed", role="alert")


def error_note(error: Exception) -> Html:
    """An error's own words, which are English on every page."""
    return problem_note(str(error), lang=LIBRARY)
