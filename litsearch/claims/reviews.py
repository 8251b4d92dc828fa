"""Decisions stay true: what a new generation changed in the evidence that a decision rests on, queued with before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from litsearch.claims.records import CHANGES, Claim, Finding
from litsearch.claims.register import Case, Entry, Register
from litsearch.records import Passage

_CHANGED, _DROPPED, _CONTRARY, _FINDING = CHANGES


class Library(Protocol):
    """What a review needs of the library in use."""

    def passage(self, passage_id: str) -> Passage | None:
        """A passage of the generation in use, or None."""
        ...

    def manifest(self) -> Mapping[str, Any]:
        """What the generation in use was made of."""
        ...


def queue_reviews(register: Register, library: Library, check_again: Callable[[Claim], Finding]) -> list[Entry]:
    """Queue every decision in force whose evidence the generation in use changed, dropped or contradicts anew.

    A decision made on this very generation is passed over. What was queued before for the same change is not queued again.
    Returns the new entries.
    """
    generation = str(library.manifest()["generation"])
    queued: list[Entry] = []
    for case in reversed(register.cases()):
        if case.decision is None or case.check.body["generation"] == generation:
            continue
        changes = changes_of(case, library, check_again(claim_of(case.check)))
        if changes:
            entry = register.request_review(case.decision.entry_id, generation=generation, changes=changes)
            if entry is not None:
                queued.append(entry)
    return queued


def changes_of(case: Case, library: Library, now: Finding) -> list[dict[str, Any]]:
    """What differs for one case, each with before and after: passages changed or dropped, new contrary ones, another finding."""
    shown = [evidence for evidence in case.check.body["evidence"] if evidence["stance"] != "neutral"]
    changes: list[dict[str, Any]] = []
    for evidence in shown:
        if library.passage(evidence["passage_id"]) is not None:
            continue
        # A passage's id follows from its words: the same words elsewhere in the document are the same passage moved.
        successor = next((e for e in now.evidence if e.path == evidence["path"] and e.section == evidence["section"]), None)
        changes.append(
            {
                "what": _CHANGED if successor else _DROPPED,
                "title": evidence["title"],
                "path": evidence["path"],
                "before": evidence["text"],
                "after": successor.text if successor else "",
            }
        )
    known = {evidence["passage_id"] for evidence in case.check.body["evidence"] if evidence["stance"] == "conflicts"}
    successors = {change["after"] for change in changes}
    for evidence_now in now.evidence:
        if evidence_now.stance == "conflicts" and evidence_now.passage_id not in known and evidence_now.text not in successors:
            changes.append(
                {
                    "what": _CONTRARY,
                    "title": evidence_now.metadata.name,
                    "path": evidence_now.path,
                    "before": "",
                    "after": evidence_now.text,
                }
            )
    if changes and now.finding != case.check.body["finding"]:
        changes.append({"what": _FINDING, "title": "", "path": "", "before": case.check.body["finding"], "after": now.finding})
    return changes


def claim_of(check: Entry) -> Claim:
    """The claim that a recorded check was about."""
    body = check.body
    return Claim(
        text=body["claim"],
        start=body["start"],
        end=body["end"],
        not_checked=body["not_checked"],
        kinds=tuple(body["kinds"]),
        implied=body["implied"],
        subject=body["subject"],
    )


def due(cases: Sequence[Case], today: str) -> list[Case]:
    """The cases that wait for a person: changed evidence first, then those whose review-by date has come, oldest first."""
    waiting = [case for case in cases if case.reviews or case.overdue(today)]
    return sorted(waiting, key=lambda case: (not case.reviews, case.check.number))
