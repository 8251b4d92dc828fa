"""Staff: check marketing copy. Claims marked in place, evidence for and against beside each, the person's decision."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

import streamlit as st

from litsearch.checking import Checker, read_copy
from litsearch.claims import export
from litsearch.claims.records import FINDING_EXPLANATIONS, FINDING_LABELS, Finding
from litsearch.claims.register import Register, open_register
from litsearch.errors import LitsearchError
from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.ui import frame
from litsearch.ui.claims_deciding import decision_form, evidence_list, sheet
from litsearch.ui.claims_running import CheckRun, CheckState
from litsearch.ui.markup import Html, join, tag, text

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


def check_page(searcher: Searcher, settings: Settings) -> None:
    """The page: paste or drop copy, watch the check, read what was found, decide, export."""
    frame.show(
        sheet(),
        tag("h1", "Check marketing copy"),
        tag(
            "p",
            "Each claim is looked up in the library, as it stands and turned round. A finding is no decision: you decide.",
            class_="lead",
        ),
    )
    _ask(searcher, settings)
    run: CheckRun | None = st.session_state.get(_RUN)
    if run is None:
        return
    if run.state.phase == "running":
        _watch()
        return
    _results(run, settings)


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


def _ask(searcher: Searcher, settings: Settings) -> None:
    with st.form("claims_form"):
        pasted = st.text_area("Copy to check", key="claims_copy", height=200, max_chars=MAX_COPY_CHARACTERS)
        dropped = st.file_uploader("Or a file (text, Markdown, HTML, Word or PDF)", type=list(_KINDS), key="claims_file")
        campaign = st.text_input("Campaign or page it belongs to", key="claims_campaign", max_chars=200)
        started = st.form_submit_button("Check", key="claims_start", type="primary")
    if not started:
        return
    if dropped is not None:
        try:
            pasted = _read(dropped.name, dropped.getvalue(), settings)
        except LitsearchError as error:
            frame.show(problem_note(str(error)))
            return
    if not pasted.strip():
        frame.show(problem_note("Paste the copy, or choose a file, and press Check."))
        return
    former: CheckRun | None = st.session_state.get(_RUN)
    if former is not None:
        former.stop()
    run = CheckRun(pasted[:MAX_COPY_CHARACTERS], campaign, checker_of(searcher, settings).check)
    run.start()
    st.session_state[_RUN] = run


def _read(name: str, content: bytes, settings: Settings) -> str:
    # The name comes from outside: only its last part is used, in a folder of its own that goes away again.
    with TemporaryDirectory() as folder:
        file = Path(folder) / (PurePath(name).name or "copy.txt")
        file.write_bytes(content)
        return read_copy(file, settings)


@st.fragment(run_every=0.7)
def _watch() -> None:
    run: CheckRun = st.session_state[_RUN]
    state = run.state
    if state.phase != "running":
        st.rerun()
    done = len(state.findings)
    st.progress(done / max(state.of, done, 1), text=f"{done} of {state.of} statements looked at")
    st.button("Stop", key="claims_stop", on_click=run.stop)
    if state.findings:
        frame.show(_summary(state))


def _results(run: CheckRun, settings: Settings) -> None:
    state = run.state
    if state.phase == "failed":
        frame.show(problem_note(state.error))
    if state.phase == "stopped":
        frame.show(
            tag("p", f"Stopped after {len(state.findings)} of {state.of} statements. The rest was not looked at.", role="status")
        )
    factual = [finding for finding in state.findings if finding.claim.factual]
    if not factual:
        if state.phase != "failed":
            frame.show(tag("p", "No factual claim was found in this text: nothing to look up.", role="status"))
        return
    frame.show(_summary(state), tag("h2", "The copy"), marked_copy(run.copy, state.findings), tag("h2", "Claim by claim"))
    try:
        register = register_of(settings)
    except LitsearchError as error:
        frame.show(problem_note(str(error)))
        return
    for number, finding in enumerate(state.findings):
        if finding.claim.factual:
            _claim(number, finding, run, register, settings)
    _exports(run, register)


def _claim(number: int, finding: Finding, run: CheckRun, register: Register, settings: Settings) -> None:
    label = f"{FINDING_LABELS[finding.finding]}: {shortened(finding.claim.text)}"
    with st.expander(plain_label(label), expanded=finding.finding == "conflicts", key=f"claims_open_{number}"):
        body = finding.to_json()
        frame.show(evidence_list(body))
        recorded = run.recorded.get(number)
        if recorded:
            frame.show(tag("p", "Decided. The decision stands in the register, where it can be corrected.", role="status"))
            return
        made = decision_form(f"claims_{number}")
        if made is None:
            return
        try:
            check_id = register.record_check(
                finding, campaign=run.campaign, copy_sha256=run.sha256, models=checker_of_models(settings, finding)
            ).entry_id
            register.decide(made(check_id, ""))
        except (LitsearchError, ValueError) as error:
            frame.show(problem_note(str(error)))
            return
        run.recorded[number] = check_id
        st.rerun()


def checker_of_models(settings: Settings, finding: Finding) -> dict[str, str]:
    """The hashes of the models behind a finding, from the generation that it came from."""
    from litsearch.index import Index, read_manifest

    model = read_manifest(Index(settings.index).generations / finding.generation)["model"]
    return {"encoder": str(model["sha256"]), "stance": "rules"}


def _summary(state: CheckState) -> Html:
    counts = {name: sum(f.finding == name for f in state.findings if f.claim.factual) for name in FINDING_LABELS}
    items = [
        tag("li", tag("span", FINDING_LABELS[name], class_=f"claim-{name}"), f" {count}", title=FINDING_EXPLANATIONS[name])
        for name, count in counts.items()
        if count
    ]
    return tag("ul", *items, class_="claim-counts")


def marked_copy(copy: str, findings: tuple[Finding, ...]) -> Html:
    """The copy as it was pasted, each claim marked by its finding; what was not checked stays plain."""
    parts: list[str] = []
    position = 0
    for finding in findings:
        claim = finding.claim
        parts.append(text(copy[position : claim.start]))
        if claim.factual:
            label = FINDING_LABELS[finding.finding]
            parts.append(
                tag("mark", claim.text, class_=f"claim-{finding.finding}", title=label, aria_label=f"{label}: {claim.text}")
            )
        else:
            parts.append(tag("span", claim.text, class_="claim-unchecked", title=f"not checked: {claim.not_checked}"))
        position = claim.end
    parts.append(text(copy[position:]))
    return tag("div", join(*parts), class_="claim-copy")


def _exports(run: CheckRun, register: Register) -> None:
    """The whole check, with the decisions that the register holds on its claims."""
    held = {case.check.entry_id: case for case in register.cases()} if run.recorded else {}
    made = export.report_of_findings(
        run.state.findings,
        title="Check of marketing copy",
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cases={number: held[check_id] for number, check_id in run.recorded.items() if check_id in held},
    )
    export_buttons(made, key="claims_export", name=f"check-{date.today().isoformat()}")


def export_buttons(report: export.Report, *, key: str, name: str) -> None:
    """Four downloads of one report."""
    frame.show(tag("h2", "Export"))
    writers = (
        ("docx", "Word", export.to_docx(report)),
        ("html", "To print", export.to_html(report).encode()),
        ("csv", "Spreadsheet", export.to_csv(report).encode()),
        ("json", "JSON", export.to_json(report).encode()),
    )
    for column, (ending, label, content) in zip(st.columns(len(writers)), writers, strict=True):
        # Without a rerun: it would make the files anew and take the one under way from the browser.
        column.download_button(label, content, f"{name}.{ending}", MIME[ending], key=f"{key}_{ending}", on_click="ignore")


def shortened(words: str) -> str:
    """Words on one line, cut between words when there are too many for a title."""
    line = " ".join(words.split())
    return line if len(line) <= 90 else f"{line[:88].rsplit(' ', 1)[0]} ..."


def plain_label(label: str) -> str:
    """A widget's label is Markdown: what would be markup in it is shown as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|$<>:~" else c for c in label)


def problem_note(words: str) -> Html:
    """What went wrong and what to do about it."""
    return tag("section", tag("p", words), class_="panel failed", role="alert")
