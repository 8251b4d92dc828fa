"""Wording checks: words in copy that need a second look whatever the literature says, from a file that staff edit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from litsearch.claims.records import Flag
from litsearch.errors import SettingsError
from litsearch.passages import sentences_of

FlagKind = Literal[
    "absolute", "regulatory", "cure", "superlative", "urgency", "before-after", "number", "duration", "evidence", "audience"
]
_Text = Annotated[str, Field(min_length=3, max_length=600)]


class _StatedRule(BaseModel):
    """One rule as staff write it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
    kind: FlagKind
    words: Annotated[tuple[str, ...], Field(max_length=200)] = ()
    pattern: str = ""
    unless: str = ""
    why: _Text
    source: _Text

    @field_validator("words")
    @classmethod
    def _words_say_something(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in words:
            if not any(character.isalnum() for character in phrase):
                raise ValueError(f"{phrase!r} holds no letter or digit; remove it")
        return words

    @field_validator("pattern", "unless")
    @classmethod
    def _patterns_compile(cls, pattern: str) -> str:
        try:
            compiled = re.compile(pattern, re.IGNORECASE)
        except re.error as error:
            raise ValueError(f"is no regular expression ({error}); mend it or list plain words under 'words'") from error
        if pattern and compiled.search(""):
            raise ValueError("matches empty text and so would flag everything; make it longer")
        return pattern

    @model_validator(mode="after")
    def _looks_for_something(self) -> _StatedRule:
        if not self.words and not self.pattern:
            raise ValueError("needs 'words' or 'pattern', else it can never be found")
        return self


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule ready for use."""

    rule_id: str
    kind: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    why: str
    source: str


def load_wording(path: Path) -> list[Rule]:
    """The wording rules of a practice in their order; a missing file has none.

    Raises:
        SettingsError: naming the rule, the field and the fix.
    """
    if not path.is_file():
        return []
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: not UTF-8, or a day 2020-13-45
        raise SettingsError(f"{path.name} cannot be read: {error}. Mend that line; each rule starts with '- id:'.") from error
    stated = loaded.get("rules") if isinstance(loaded, dict) else None
    if not isinstance(stated, list):
        raise SettingsError(f"{path.name} must start with 'rules:' and a list of rules under it, each starting with '- id:'.")
    rules: list[Rule] = []
    for number, row in enumerate(stated, start=1):
        name = row.get("id", f"number {number}") if isinstance(row, dict) else f"number {number}"
        try:
            valid = _StatedRule.model_validate(row)
        except ValidationError as error:
            problems = "; ".join(f"field '{'.'.join(map(str, p['loc'])) or 'rule'}': {p['msg']}" for p in error.errors())
            raise SettingsError(f"{path.name}, rule {name!r}: {problems}. Mend that field.") from error
        if any(rule.rule_id == valid.id for rule in rules):
            raise SettingsError(f"{path.name}, rule {name!r}: field 'id': is used twice. Rename one of the two.")
        rules.append(_rule(valid))
    return rules


def check_wording(copy: str, rules: Sequence[Rule]) -> list[Flag]:
    """Every place in the copy that a rule speaks of, in the copy's order; ``copy[flag.start:flag.end] == flag.text``.

    Where one rule's words lie inside a longer match of the same rule, only the longer one is flagged.

    >>> rule = Rule("painless", "absolute", re.compile("painless", re.I), None, "Promises too much.", "House rule")
    >>> [(f.text, f.start, f.end, f.why) for f in check_wording("A Painless hour.", [rule])]
    [('Painless', 2, 10, 'Promises too much.')]
    """
    flags: list[Flag] = []
    sentences = sentences_of(copy)
    for rule in rules:
        for match in rule.pattern.finditer(copy):
            around = next((copy[s.start : s.end] for s in sentences if s.start <= match.start() < s.end), copy)
            if rule.unless and rule.unless.search(around):
                continue
            flags.append(Flag(rule.kind, match.start(), match.end(), match.group(), rule.why, rule.source, rule.rule_id))
    return sorted(flags, key=lambda flag: (flag.start, -flag.end, flag.rule))


def flags_within(flags: Sequence[Flag], start: int, end: int) -> tuple[Flag, ...]:
    """The flags that lie in, or reach into, one stretch of the copy."""
    return tuple(flag for flag in flags if flag.start < end and flag.end > start)


def _rule(stated: _StatedRule) -> Rule:
    # Longest first, so that "no recovery time" is not cut to "no recovery".
    phrases = sorted({_phrase_pattern(phrase) for phrase in stated.words}, key=lambda p: (-len(p), p))
    alternatives = [rf"(?<![^\W_]){phrase}(?![^\W_])" for phrase in phrases]
    if stated.pattern:
        alternatives.insert(0, f"(?:{stated.pattern})")
    return Rule(
        rule_id=stated.id,
        kind=stated.kind,
        pattern=re.compile("|".join(alternatives), re.IGNORECASE),
        unless=re.compile(stated.unless, re.IGNORECASE) if stated.unless else None,
        why=stated.why,
        source=stated.source,
    )


def _phrase_pattern(phrase: str) -> str:
    """A phrase as a pattern: spaces and hyphens alike, either apostrophe, any stretch of white space."""
    words = re.split(r"[\s-]+", phrase.strip())
    return r"[\s‐-―-]+".join(re.escape(word).replace("'", "['’]") for word in words)
