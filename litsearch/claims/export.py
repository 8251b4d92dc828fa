"""A whole check on paper, as Word, HTML, CSV and JSON: generation, quotes, decisions and open points in each."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litsearch.claims.records import (
    DECISION_LABELS,
    FINDING_EXPLANATIONS,
    FINDING_LABELS,
    FIT_QUESTIONS,
    STANCE_LABELS,
    Finding,
)
from litsearch.claims.register import Case
from litsearch.records import KIND_BY_NAME

# Stands on every export: what a finding is, and what it is not.
NOTICE = (
    "The findings were made by a program that finds and orders passages; they are no judgement on the claims, no legal or"
    " regulatory advice, and no person's decision. Quotes are word for word from the sources named."
)


@dataclass(frozen=True, slots=True)
class Item:
    """One claim as it is exported: the finding's JSON and, where there is one, the decision's."""

    finding: Mapping[str, Any]
    decision: Mapping[str, Any] | None = None
    decided_at: str = ""
    n_earlier: int = 0
    reviews: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on one export."""

    title: str
    made_at: str
    items: tuple[Item, ...]
    register_head: str = ""

    @property
    def generations(self) -> list[str]:
        """The generations of the library that the findings came from."""
        return sorted({str(item.finding["generation"]) for item in self.items})

    def open_points(self) -> list[str]:
        """What is left for a person to do, in plain sentences, in the order of the claims."""
        points: list[str] = []
        for item in self.items:
            claim = f"“{item.finding['claim']}”"
            if not item.finding["factual"]:
                continue
            if item.decision is None:
                points.append(f"{claim}: no decision is recorded.")
            else:
                unclear = [question for name, question in FIT_QUESTIONS if item.decision["fit"].get(name, "unclear") == "unclear"]
                if unclear:
                    points.append(f"{claim}: left open: {' '.join(unclear)}")
                if item.decision["decision"] == "hold":
                    points.append(f"{claim}: on hold.")
            if item.reviews:
                points.append(f"{claim}: the evidence has changed since the decision; a review is due.")
            if item.finding["strength"]["note"]:
                points.append(f"{claim}: {item.finding['strength']['note']}")
        return points


def report_of_findings(
    findings: Sequence[Finding], *, title: str, made_at: str, cases: Mapping[int, Case] | None = None
) -> Report:
    """A report of the findings of one check, in the order of the copy.

    ``cases`` holds, by a finding's place in the list, what the register has on those that somebody has decided on.
    """
    cases = cases or {}
    items = (_item(cases[n]) if n in cases else Item(finding.to_json()) for n, finding in enumerate(findings))
    return Report(title, made_at, tuple(items))


def report_of_cases(cases: Sequence[Case], *, title: str, made_at: str, register_head: str) -> Report:
    """A report from the register, oldest check first."""
    items = (_item(case) for case in sorted(cases, key=lambda case: case.check.number))
    return Report(title, made_at, tuple(items), register_head)


def _item(case: Case) -> Item:
    return Item(
        finding=case.check.body,
        decision=case.decision.body if case.decision else None,
        decided_at=case.decision.recorded_at if case.decision else "",
        n_earlier=len(case.earlier),
        reviews=tuple(review.body for review in case.reviews),
    )


def to_json(report: Report) -> str:
    """The report as one JSON object."""
    value = {
        "title": report.title,
        "made_at": report.made_at,
        "notice": NOTICE,
        "generations": report.generations,
        "register_head": report.register_head,
        "claims": [
            {
                **item.finding,
                "decision": dict(item.decision) if item.decision else None,
                "decided_at": item.decided_at,
                "earlier_decisions": item.n_earlier,
                "reviews": [dict(review) for review in item.reviews],
            }
            for item in report.items
        ],
        "open_points": report.open_points(),
    }
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


_COLUMNS = (
    "claim",
    "campaign",
    "finding",
    "why",
    "flags",
    "stance",
    "introduced_by",
    "quote",
    "source",
    "kind",
    "by",
    "date",
    "link",
    "file",
    "start",
    "end",
    "passage_id",
    "decision",
    "reason",
    "person",
    "role",
    "decided_at",
    "review_by",
    "new_wording",
    "open_review",
    "generation",
)


def to_csv(report: Report) -> str:
    """One row a quote (one row for a claim without any), for a spreadsheet; cells that it would take for formulas are defused."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for item in report.items:
        for evidence in item.finding["evidence"] or [None]:
            row = _csv_row(item, evidence)
            writer.writerow([safe_cell(row.get(column, "")) for column in _COLUMNS])
    # The mark at the start tells spreadsheets that the file is UTF-8.
    return "\ufeff" + out.getvalue()


def safe_cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before what could begin one.

    Source: OWASP, CSV Injection.

    >>> safe_cell("=1+1"), safe_cell(" @SUM(A1)"), safe_cell("3.4"), safe_cell("-5 mm")
    ("'=1+1", "' @SUM(A1)", '3.4', "'-5 mm")
    """
    text = _clean("" if value is None else str(value))
    if text[:1] in ("\t", "\r", "\n") or text.lstrip()[:1] in ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"):
        return f"'{text}"
    return text


def _csv_row(item: Item, evidence: Mapping[str, Any] | None) -> dict[str, Any]:
    finding, decision = item.finding, item.decision or {}
    row: dict[str, Any] = {
        "claim": finding["claim"],
        "campaign": finding.get("campaign", ""),
        "finding": finding["finding"] if finding["factual"] else f"not checked: {finding['not_checked']}",
        "why": finding["why"],
        "flags": "; ".join(f"{flag['text']}: {flag['why']}" for flag in finding["flags"]),
        "decision": decision.get("decision", ""),
        "reason": decision.get("reason", ""),
        "person": decision.get("person", ""),
        "role": decision.get("role", ""),
        "decided_at": item.decided_at,
        "review_by": decision.get("review_by", ""),
        "new_wording": decision.get("wording", ""),
        "open_review": "yes" if item.reviews else "",
        "generation": finding["generation"],
    }
    if evidence is not None:
        citation = evidence["citation"]
        row |= {
            "stance": evidence["stance"],
            "introduced_by": evidence.get("lead_in", ""),
            "quote": evidence["text"],
            "source": evidence["title"],
            "kind": citation["kind_label"],
            "by": citation["by"],
            "date": citation["date"],
            "link": citation["url"],
            "file": evidence["path"],
            "start": evidence["start"],
            "end": evidence["end"],
            "passage_id": evidence["passage_id"],
        }
    return row


def to_html(report: Report) -> str:
    """A page of its own to print or keep: no scripts, no addresses fetched, every text escaped."""
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f"<title>{_e(report.title)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>{_e(report.title)}</h1>",
    ]
    parts += [f'<p class="about">{_e(line)}</p>' for line in _about(report)]
    parts.append(f"<p>{_e(NOTICE)}</p>")
    for number, item in enumerate(report.items, start=1):
        parts.append(f"<section><h2>{number}. {_e(item.finding['claim'])}</h2>")
        for style, line in _lines(item):
            parts.append(f'<p class="{style}">{_e(line)}</p>')
        for evidence in item.finding["evidence"]:
            parts.append(f'<div class="evidence"><p class="stance {_e(evidence["stance"])}">{_e(_stance_line(evidence))}</p>')
            parts.append(f'<blockquote>{_marked(evidence)}</blockquote><p class="source">{_e(_source_line(evidence))}</p></div>')
        parts.append("</section>")
    parts.append("<section><h2>Open points</h2>")
    points = report.open_points()
    parts.append("<ul>" + "".join(f"<li>{_e(point)}</li>" for point in points) + "</ul>" if points else "<p>None.</p>")
    parts += ["</section>", "</body>", "</html>", ""]
    return "\n".join(parts)


def to_docx(report: Report) -> bytes:
    """The report as a Word file, with headings that Word's navigation shows."""
    from docx import Document
    from docx.shared import Pt

    document = Document()
    document.styles["Normal"].font.size = Pt(10)
    document.core_properties.title = _clean(report.title)[:255]
    document.core_properties.author = ""
    document.add_heading(_clean(report.title), level=0)
    for line in [*_about(report), NOTICE]:
        document.add_paragraph(_clean(line))
    for number, item in enumerate(report.items, start=1):
        document.add_heading(_clean(f"{number}. {item.finding['claim']}"), level=1)
        for _, line in _lines(item):
            document.add_paragraph(_clean(line))
        for evidence in item.finding["evidence"]:
            document.add_paragraph(_clean(_stance_line(evidence)), style="List Bullet")
            quote = document.add_paragraph(style="Quote")
            for words, decides in quote_parts(evidence):
                quote.add_run(_clean(words)).bold = decides
            document.add_paragraph(_clean(_source_line(evidence)))
    document.add_heading("Open points", level=1)
    for point in report.open_points() or ["None."]:
        document.add_paragraph(_clean(point), style="List Bullet")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _about(report: Report) -> Iterator[str]:
    yield f"Made: {report.made_at}"
    yield f"Generation of the library: {', '.join(report.generations) or 'none'}"
    if report.register_head:
        yield f"Last entry of the register: {report.register_head}"


def _lines(item: Item) -> Iterator[tuple[str, str]]:
    """What stands above the quotes of one claim, each line with its style."""
    finding, decision = item.finding, item.decision
    if not finding["factual"]:
        yield "finding", f"Not checked: {finding['not_checked']}."
    else:
        name = finding["finding"]
        yield "finding", f"Finding of the program: {FINDING_LABELS[name]}. {FINDING_EXPLANATIONS[name]} Reason: {finding['why']}."
        strength = finding["strength"]
        if strength["sources"]:
            yield (
                "strength",
                f"Supporting sources: {strength['sources']} ({', '.join(strength['kind_labels'])}). {strength['note']}".strip(),
            )
    if finding.get("campaign"):
        yield "about", f"Campaign: {finding['campaign']}; place in the copy: {finding['start']} to {finding['end']}"
    for flag in finding["flags"]:
        yield "flag", f"Wording, “{flag['text']}” ({flag['kind']}): {flag['why']} Source: {flag['source']}"
    if decision is None:
        if finding["factual"]:
            yield "decision", "Decision: none recorded."
        return
    who = f"{decision['person']}, {decision['role']}, {item.decided_at}"
    yield "decision", f"Decision: {DECISION_LABELS[decision['decision']]}. Reason: {decision['reason']} ({who})"
    if decision["wording"]:
        yield "decision", f"New wording: {decision['wording']}"
    if decision["review_by"]:
        yield "decision", f"To be reviewed by: {decision['review_by']}"
    for fit, question in FIT_QUESTIONS:
        yield "fit", f"{question} {decision['fit'].get(fit, 'unclear')}"
    if item.n_earlier:
        yield "decision", f"Earlier decisions that this one corrects: {item.n_earlier}"
    for review in item.reviews:
        for change in review["changes"]:
            yield (
                "review",
                f"Review due, {change['what']} {change['path']}. Before: {change['before'] or 'nothing'} After:"
                f" {change['after'] or 'nothing'}",
            )


def _stance_line(evidence: Mapping[str, Any]) -> str:
    return f"This source {STANCE_LABELS[evidence['stance']]}: {evidence['why']}"


def _source_line(evidence: Mapping[str, Any]) -> str:
    citation = evidence["citation"]
    kind = KIND_BY_NAME[evidence["kind"]].label
    parts = [citation["title"], kind, citation["by"], citation["date"], citation["url"]]
    if citation["provenance"]:
        parts.append(citation["provenance"])
    parts.append(f"{evidence['path']}, characters {evidence['start']} to {evidence['end']}, passage {evidence['passage_id']}")
    return " | ".join(str(part) for part in parts)


def quote_parts(evidence: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """The passage of one evidence in stretches, each with whether it decides: the sentence, and what introduces it in a list.

    An introduction that stands outside the passage comes first, in a line of its own.
    """
    text, sentence, lead_in = evidence["text"], evidence["sentence"], evidence.get("lead_in", "")
    start, end = sentence["start"] - evidence["start"], sentence["end"] - evidence["start"]
    before = text[:start]
    at = before.rfind(lead_in) if lead_in else -1
    if at >= 0:
        opening = [(before[:at], False), (lead_in, True), (before[at + len(lead_in) :], False)]
    else:
        opening = [(f"{lead_in}\n" if lead_in else "", True), (before, False)]
    return [(words, decides) for words, decides in [*opening, (text[start:end], True), (text[end:], False)] if words]


def _marked(evidence: Mapping[str, Any]) -> str:
    return "".join(f"<strong>{_e(words)}</strong>" if decides else _e(words) for words, decides in quote_parts(evidence))


# Characters that XML and HTML cannot carry; a Word file with one does not open.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def _e(text: str) -> str:
    return html.escape(_clean(str(text)), quote=True)


_STYLE = (
    "body{font:11pt/1.45 Georgia,serif;max-width:46em;margin:2em auto;padding:0"
    " 1em;color:#111}h1{font-size:1.6em}h2{font-size:1.15em}"
    "blockquote{margin:.3em 0 .3em 1em;padding-left:.8em;border-left:3px solid"
    " #999;white-space:pre-wrap}.source,.about{font-size:.85em;color:#444}"
    ".stance{font-weight:bold;margin-bottom:0}.flag,.review{border-left:3px solid"
    " #a60;padding-left:.6em}.decision{font-weight:bold}"
    "section,.evidence{break-inside:avoid-page}@page{margin:18mm}"
)
