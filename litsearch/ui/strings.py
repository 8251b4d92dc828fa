"""Every word that the pages say, in each language: one catalogue a language (``strings.en.yml``), nothing worded twice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from litsearch.claims.records import (
    CHANGES,
    DECISION_LABELS,
    FINDING_EXPLANATIONS,
    FINDING_LABELS,
    FIT_ANSWERS,
    FIT_QUESTIONS,
    NOT_CHECKED,
    STANCE_LABELS,
)
from litsearch.records import SOURCE_KINDS

DEFAULT = "en"
# The language of the library's articles, of its search and of the glossary's explanations.
LIBRARY = "en"
_HERE = Path(__file__).parent
# libyaml reads a catalogue in a tenth of the time; the first frame waits for it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a catalogue, by their ISO 639-1 codes."""
    return tuple(sorted(path.name.split(".")[1] for path in _HERE.glob("strings.??.yml")))


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """The texts of one language by their keys."""
    loaded = yaml.load((_HERE / f"strings.{language}.yml").read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both are safe
    return {**_named_by_records(), **loaded}


def _named_by_records() -> dict[str, str]:
    """The English names that stand beside what they name: pages, commands and exports take them from there.

    A page in another language has its own names in its catalogue. Exports and the register stay in English: they are records.
    """
    named: dict[str, str] = {}
    for kind in SOURCE_KINDS:
        named |= {f"kind.{kind.name}": kind.label, f"kind.{kind.name}.means": kind.explanation}
    named |= {f"finding.{name}": label for name, label in FINDING_LABELS.items()}
    named |= {f"finding.{name}.means": words for name, words in FINDING_EXPLANATIONS.items()}
    named |= {f"stance.{name}": label for name, label in STANCE_LABELS.items()}
    named |= {f"decision.{name}": label for name, label in DECISION_LABELS.items()}
    named |= {f"fit.{name}": question for name, question in FIT_QUESTIONS}
    named |= {f"fit.{answer}": answer for answer in FIT_ANSWERS}
    named |= {f"unchecked.{reason}": reason for reason in NOT_CHECKED if reason}
    named |= {f"change.{change}": change for change in CHANGES}
    return named


@dataclass(frozen=True, slots=True)
class Strings:
    """The words of one language; calling it gives a text with its values filled in."""

    language: str = DEFAULT

    def __call__(self, key: str, **values: str | int) -> str:
        """The text for a key; whole numbers are written as the language writes them.

        Raises:
            KeyError: for a key that the catalogue lacks, so that a test finds it.

        >>> Strings()("browse.count", n=45)
        '45 articles'
        """
        words = catalogue(self.language)[key]
        stated = {name: self.number(value) if isinstance(value, int) else value for name, value in values.items()}
        return words.format(**stated) if stated else words

    @property
    def of_library(self) -> str | None:
        """The language of the library's own words where the pages speak another one, for ``lang`` attributes; else None."""
        return LIBRARY if self.language != LIBRARY else None

    def number(self, value: int) -> str:
        """A whole number in groups of three digits, from as many digits on as the language groups.

        Source: the Unicode CLDR's symbols and ``minimumGroupingDigits`` of each language.

        >>> [Strings(language).number(n) for language in ("en", "es") for n in (999, 1234, 12345)]
        ['999', '1,234', '12,345', '999', '1234', '12.345']
        """
        mark, fewest = catalogue(self.language)["number.group"], int(catalogue(self.language)["number.group.from"])
        return f"{value:,}".replace(",", mark) if len(str(abs(value))) >= fewest else str(value)

    def date(self, stated: str) -> str:
        """A date as people write it; what is no ISO date stays as it is.

        >>> [Strings().date(d) for d in ("2021-09-21", "2021-09", "2021", "spring 2021")]
        ['21 September 2021', 'September 2021', '2021', 'spring 2021']
        """
        found = re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?", stated)
        if found is None or not 1 <= int(found[2]) <= 12:
            return stated
        month = self("months").split("|")[int(found[2]) - 1]
        if found[3]:
            return self("date.day", day=str(int(found[3])), month=month, year=found[1])
        return self("date.month", month=month, year=found[1])

    def moment(self, recorded: str) -> str:
        """A moment as the register keeps it, to the minute; what is no such moment stays as it is.

        >>> Strings().moment("2026-03-05T14:07:31+00:00"), Strings("es").moment("2026-03-05T14:07:31+00:00")
        ('5 March 2026, 14:07 UTC', '5 de marzo de 2026, 14:07 UTC')
        """
        found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}):\d{2}(?:\.\d+)?(?:\+00:00|Z)", recorded)
        return self("date.moment", date=self.date(found[1]), time=found[2]) if found else recorded

    def decimal(self, value: float) -> str:
        """A number from 0 on, with one digit after the mark.

        >>> Strings().decimal(0.25), Strings("es").decimal(1234.56)
        ('0.2', '1234,6')
        """
        whole, tenths = f"{value:.1f}".split(".")
        return f"{self.number(int(whole))}{self('number.decimal')}{tenths}"


def strings_for(language: str) -> Strings:
    """The words for a language; English for one that has no catalogue."""
    return Strings(language if language in languages() else DEFAULT)
