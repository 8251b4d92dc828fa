"""What a question is after, and which sections of an article answer that: cautions, aftercare, results, who was studied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Intent:
    """A kind of question: how it is put, and how much more (or less) each role of a section is worth to it."""

    name: str
    asked: re.Pattern[str]
    roles: Mapping[str, float]


def _intent(name: str, asked: str, **roles: float) -> Intent:
    return Intent(name, re.compile(asked, re.IGNORECASE), roles)


# Words that anybody uses for these wishes, not those of particular questions; the sizes were chosen on the dev questions
# (docs/RESULTS.md, "Intent").
INTENTS: tuple[Intent, ...] = (
    _intent(
        "who should not",
        r"who (should|must|can)( not|n.t|not)|should(n.t| not) (have|get|use|do)|candidate|contra.?indicat|not (suitable|allowed|advisable)|am i (ok|okay|allowed|suitable|eligible)"
        r"|\b(can|could|may|should) (i|we|she|he|they|someone|people|my \w+)( still| even| safely)? (have|get|do|use|go|be treated)\b|is it (ok|okay|safe|fine|alright|risky) (for|if|with|to|when|while)|rule[sd]? (me )?out|stop me",
        caution=0.25,
        safety=0.08,
    ),
    _intent(
        "harm",
        r"side.?effects?|risks?\b|danger|go(es|ne)? wrong|complication|harm|safe\b|safety|adverse|damage|infect|scar me|worse|reaction|allerg",
        safety=0.2,
        caution=0.1,
    ),
    _intent(
        "aftercare",
        r"after(wards|care| care)?\b|following (day|treatment)|look after|days? later|heal|recover|down.?time|straight away|next day|same day",
        advice=0.1,
        safety=0.03,
    ),
    _intent(
        "does it work",
        r"\b(does|do|will|would|can|did) (it|this|that|they|\w+ing|microneedling|needling)( really| actually)? (work|help|improve|get rid|fade|remove|make)|effective|results?|success|how (much|well)|better|evidence|proof|proven|improve|percent|%",
        results=0.1,
        conclusion=0.08,
    ),
    _intent(
        "study",
        r"how many (people|patients|women|men|studies|trials|participants|subjects)|who (was|were) (studied|in)|sample size|participants?\b|how (was|were) (it|they|results?|the results?) (judged|measured|rated|scored)|blinded|randomi[sz]ed|which (scale|stud)|enrol",
        methods=0.2,
    ),
)  # fmt: skip


def role_preferences(question: str) -> dict[str, float]:
    """How much each role of a section is worth to this question, beyond its usual worth; empty for a question of no known kind.

    >>> role_preferences("Who should not have it?")
    {'caution': 0.25, 'safety': 0.08}
    """
    preferences: dict[str, float] = {}
    for intent in INTENTS:
        if intent.asked.search(question):
            for role, worth in intent.roles.items():
                preferences[role] = max(preferences.get(role, 0.0), worth)
    return preferences
