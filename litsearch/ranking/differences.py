"""Where sources differ on what was asked: passages that say one thing, and passages that say another, side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that sources are known to differ on: how people ask about it, and the sides that a sentence can take."""

    name: str
    asked: re.Pattern[str]
    sides: tuple[tuple[str, re.Pattern[str]], ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a passage that takes a side: the passage's number, the sentence's number in it, and the side."""

    passage: int
    sentence: int
    side: str


def _matter(name: str, asked: str, **sides: str) -> Matter:
    compiled = tuple((side, re.compile(pattern, re.IGNORECASE)) for side, pattern in sides.items())
    return Matter(name, re.compile(asked, re.IGNORECASE), compiled)


_NUMB = r"(an(a)?esthe\w+|anaesthetic|numbing|numbed|lidocaine)"
_COUNT = r"(\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|twelve)"
_SESSION = r"(sessions?|sittings?|treatments?|procedures?)"

# Matters of treatments in general; each is a question that clinics are asked daily and that literature settles both ways.
MATTERS: tuple[Matter, ...] = (
    _matter(
        "numbing",
        r"numb|an(a)?esthe|pain|hurt|sore|ouch|lidocaine|emla|feel",
        without=rf"(\b(no|not|without|never|nor)\b[^.]{{0,60}}{_NUMB})|({_NUMB}[^.]{{0,25}}\bnot (needed|used|required))",
        **{"with": rf"(?<!no )(?<!without ){_NUMB}( cream| gel| agent)?"},
    ),
    _matter(
        "number of sessions",
        rf"how (many|often|long)|number of|{_SESSION}|times|course|visits|appointments",
        **{
            f"about {label}": rf"\b({words})\b( to {_COUNT}| or {_COUNT}|-{_COUNT})?( \w+){{0,3}} {_SESSION}|{_SESSION}[^.]{{0,20}}\b({words})\b times"
            for label, words in (("one", "1|one|single"), ("two", "2|two"), ("three", "3|three"), ("four", "4|four"), ("five", "5|five"), ("six", "6|six"))
        },
        several=rf"\b(several|multiple|numerous|a few|many|more than one|a series of)\b( \w+){{0,3}} {_SESSION}",
    ),
    _matter(
        "skin types",
        r"skin (type|tone|colou?r)|dark|black|brown|asian|african|indian|hispanic|olive|fitzpatrick|colou?r|pigment|race|ethnic|all skins?|every",
        all=r"(safe|suitable|works?|fine|right|effective) (for|on|in|whatever) (all|every|any|the)( \w+)? (skin|tone|complexion)|whatever (your|the) skin"
            r"|regardless of (your )?skin|all skin types|every skin",
        some=r"(darker|dark|black|brown|asian|types? (iii|iv|v|vi)|skin of colou?r)[^.]{0,120}(risk|hyperpigment|dark(er)? (mark|patch)|discolou?r|pih|complication|scar)"
             r"|(risk|hyperpigment|pih|complication)[^.]{0,120}(darker|dark skin|black|brown|types? (iii|iv|v|vi)|skin of colou?r)",
    ),
    _matter(
        "pain",
        r"pain|hurt|sore|ouch|uncomfortable|discomfort|feel|sting|burn",
        little=r"\b(minimal|slight|little|mild|tolerable|painless|no)\b[^.]{0,20}\b(pain|discomfort)|(pain|discomfort)[^.]{0,30}\b(minimal|slight|mild|tolerable)",
        more=r"\b(hurt more|hurts|painful|more pain|higher pain|uncomfortable|burning|pain scores? (were|was)? ?higher)",
    ),
    _matter(
        "recovery time",
        r"down.?time|recover|heal|time off|back to work|how long|redness|look normal|days? after",
        days=r"\b(a few|few|several|one|two|three|1|2|3|4|5|6|7)( or \w+| to \w+)? days?\b",
        weeks=r"\b(a few|few|several|one|two|three|\d+)( or \w+| to \w+)? (weeks?|months?)\b[^.]{0,40}(redness|heal|recover|settle|fade)",
        none=r"\b(no|without|zero|little or no)\b (down.?time|time off|recovery)",
    ),
)  # fmt: skip


def find_differences(question: str, sentences: Sequence[Sequence[str]], sources: Sequence[str]) -> list[Statement]:
    """One statement a side, from different sources, for the first matter that the question asks and on which the passages differ.

    ``sentences[i]`` are the sentences of passage ``i`` and ``sources[i]`` its source, best passages first. Empty when they agree.
    """
    for matter in MATTERS:
        if not matter.asked.search(question):
            continue
        found: dict[str, Statement] = {}
        used: set[str] = set()
        for number, passage in enumerate(sentences):
            if sources[number] in used:
                continue
            statement = _side_of(matter, number, passage)
            if statement is not None and statement.side not in found:
                found[statement.side] = statement
                used.add(sources[number])
        if len(found) > 1:
            return sorted(found.values(), key=lambda statement: statement.passage)
    return []


def _side_of(matter: Matter, number: int, passage: Sequence[str]) -> Statement | None:
    for ordinal, sentence in enumerate(passage):
        for side, pattern in matter.sides:
            if pattern.search(sentence):
                return Statement(number, ordinal, side)
    return None
