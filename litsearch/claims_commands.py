"""The claims desk on the command line: ``check`` and ``register verify|list|export|review``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litsearch.errors import RegisterError
from litsearch.settings import Settings, load_settings

if TYPE_CHECKING:
    from litsearch.claims.export import Report
    from litsearch.claims.records import Finding
    from litsearch.claims.register import Case, Register

OK, PROBLEMS = 0, 1


def add_to(commands: Any) -> None:
    """Add the claims desk's commands to the parser's (an ``argparse`` sub-parsers action)."""
    check = commands.add_parser("check", help="check the claims of a piece of marketing copy against the library")
    check.add_argument("file", metavar="FILE", help="a text, Markdown, HTML, Word or PDF file, or - for standard input")
    check.add_argument("--index", metavar="DIR")
    check.add_argument("--all", action="store_true", help="show slogans, prices and calls to action too")
    check.add_argument("--json", action="store_true", help="one JSON object a claim")
    check.add_argument(
        "--export", type=Path, metavar="OUT", help="also write the whole check to OUT (.docx, .html, .csv or .json)"
    )
    check.set_defaults(run=_check)

    register = commands.add_parser("register", help="the register of decisions on claims")
    actions = register.add_subparsers(required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="check that no entry was changed, removed or put in between; exit 1 if one was")
    verify.add_argument("--head", default="", metavar="HASH", help="the last entry's hash as noted elsewhere")
    verify.set_defaults(run=_verify)
    listed = actions.add_parser("list", help="checked claims with the decision in force, newest first")
    listed.add_argument("--state", choices=("open", "review", "keep", "change", "withdraw", "hold"))
    listed.add_argument("--campaign", metavar="TEXT")
    listed.set_defaults(run=_list)
    export = actions.add_parser("export", help="write the register to a file (.docx, .html, .csv or .json)")
    export.add_argument("out", type=Path, metavar="OUT")
    export.add_argument("--campaign", metavar="TEXT")
    export.set_defaults(run=_export)
    review = actions.add_parser("review", help="queue decisions whose evidence the index in use changed, dropped or contradicts")
    review.add_argument("--index", metavar="DIR")
    review.set_defaults(run=_review)
    for action in (verify, listed, export, review):
        action.add_argument("--json", action="store_true")


def _check(arguments: argparse.Namespace) -> int:
    from litsearch.checking import Checker, decode_copy, read_copy
    from litsearch.claims.export import report_of_findings
    from litsearch.searching import Searcher

    settings = load_settings(index=arguments.index)
    copy = decode_copy(sys.stdin.buffer.read()) if arguments.file == "-" else read_copy(Path(arguments.file), settings)
    findings: list[Finding] = []
    for finding in Checker(Searcher(settings), settings).check(copy):
        findings.append(finding)
        if not (finding.claim.factual or arguments.all):
            continue
        if arguments.json:
            _print_json(finding.to_json())
        else:
            print("\n".join(_finding_lines(finding)), flush=True)
    if arguments.export:
        _write(arguments.export, report_of_findings(findings, title="Check of marketing copy", made_at=_now()))
    return OK


def _finding_lines(finding: Finding) -> Iterator[str]:
    from litsearch.claims.records import FINDING_LABELS

    yield f"\n{finding.claim.text}"
    if not finding.claim.factual:
        yield f"  not checked: {finding.claim.not_checked}"
    else:
        yield f"  {FINDING_LABELS[finding.finding]} ({finding.why})"
    for flag in finding.flags:
        yield f"  wording: “{flag.text}”: {flag.why}"
    if finding.strength.note:
        yield f"  {finding.strength.note}"
    for evidence in finding.evidence[:5]:
        yield f"  {evidence.stance}: {evidence.sentence_text} [{evidence.metadata.name}, {evidence.path}]"


def _open(settings: Settings) -> Register:
    from litsearch.claims.register import open_register

    return open_register(settings.register, settings.practice)


def _verify(arguments: argparse.Namespace) -> int:
    register = _open(load_settings())
    problems = register.verify(expected_head=arguments.head)
    count, head = register.head()
    if arguments.json:
        listed = [{"number": p.number, "entry_id": p.entry_id, "what": p.what} for p in problems]
        _print_json({"entries": count, "head": head, "problems": listed})
    elif problems:
        for problem in problems:
            print(f"entry {problem.number} ({problem.entry_id}): {problem.what}")
    else:
        print(f"{count} entries, every one as it was recorded. Last entry: {head}")
    return PROBLEMS if problems else OK


def _list(arguments: argparse.Namespace) -> int:
    for case in _cases(_open(load_settings()), arguments.campaign):
        if arguments.state and case.state != arguments.state:
            continue
        body, decision = case.check.body, case.decision.body if case.decision else None
        if arguments.json:
            _print_json(
                {
                    "check_id": case.check.entry_id,
                    "recorded_at": case.check.recorded_at,
                    "campaign": body["campaign"],
                    "claim": body["claim"],
                    "finding": body["finding"],
                    "generation": body["generation"],
                    "state": case.state,
                    "decision": dict(decision) if decision else None,
                    "reviews": len(case.reviews),
                }
            )
        else:
            who = f"{decision['decision']} by {decision['person']} ({decision['role']})" if decision else "no decision"
            print(f"{case.check.entry_id}  {body['finding']:<10} {case.state:<8} {who}: {body['claim']}")
    return OK


def _export(arguments: argparse.Namespace) -> int:
    from litsearch.claims.export import report_of_cases

    register = _open(load_settings())
    cases = _cases(register, arguments.campaign)
    _write(arguments.out, report_of_cases(cases, title="Register of claims", made_at=_now(), register_head=register.head()[1]))
    if arguments.json:
        _print_json({"written": str(arguments.out), "claims": len(cases)})
    else:
        print(f"{len(cases)} claims written to {arguments.out}")
    return OK


def _review(arguments: argparse.Namespace) -> int:
    from litsearch.checking import Checker
    from litsearch.claims.reviews import queue_reviews
    from litsearch.searching import Searcher

    settings = load_settings(index=arguments.index)
    searcher = Searcher(settings)
    queued = queue_reviews(_open(settings), searcher, Checker(searcher, settings).check_claim)
    for entry in queued:
        if arguments.json:
            _print_json({"decision_id": entry.subject_id, **entry.body})
        else:
            print(f"decision {entry.subject_id}: {', '.join(change['what'] for change in entry.body['changes'])}")
    if not arguments.json:
        print(f"{len(queued)} decisions queued for review.")
    return OK


def _cases(register: Register, campaign: str | None) -> list[Case]:
    return [
        case
        for case in register.cases()
        if campaign is None or case.check.body["campaign"].casefold() == campaign.strip().casefold()
    ]


def _write(path: Path, report: Report) -> None:
    from litsearch.claims import export
    from litsearch.files import write_whole

    writers: dict[str, Callable[[Report], bytes]] = {
        ".docx": export.to_docx,
        ".html": lambda r: export.to_html(r).encode(),
        ".csv": lambda r: export.to_csv(r).encode(),
        ".json": lambda r: export.to_json(r).encode(),
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise RegisterError(f"{path.name} names no kind of export. End the name with {', '.join(writers)}.")
    write_whole(path, writer(report))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)
