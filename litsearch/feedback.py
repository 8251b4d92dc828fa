"""What patients asked and whether it helped, if the practice keeps that: without personal details, for a limited time.

Nothing is kept unless the setting ``keep_questions_days`` is above 0. Kept are a day (no time), the question after
``without_personal_details``, what came of it, and the article nearest to it: no address, no browser, no session.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

from litsearch.errors import FeedbackError
from litsearch.lexical import words_of
from litsearch.ranking.intent import INTENTS

Helped = Literal["yes", "no", ""]

# A longer question tells more about a person than about the library.
MAX_CHARACTERS = 300


# ------------------------------------------------------------------------------------------------- personal details

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"
_WEB = r"(?:https?://|www\.)\S+"
# In this order: an e-mail address holds dots and digits that later patterns would cut up.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("[link]", _WEB),
        ("[e-mail]", r"[\w.+'-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:(?:\.|\s?(?:\(dot\)|\[dot\]|\bdot\b)\s?)[\w-]+)+"),
        ("[e-mail]", r"[\w.+'-]+\s+at\s+[\w-]+(?:\s+dot\s+[\w-]+)+"),
        ("[name]", r"(?<!\w)@\w[\w.]{2,}"),
        ("[date]", rf"\b{_YEAR}\s?[-/.]\s?\d{{1,2}}\s?[-/.]\s?\d{{1,2}}\b"),
        ("[date]", r"\b\d{1,2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?(?:19|20)?\d\d\b"),
        ("[date]", rf"\b{_DAY}\s?(?:of\s+)?[-.]?\s?{_MONTH}\b\.?(?:,?\s?[-.]?\s?(?:{_YEAR}|'?\d\d)\b)?"),
        ("[date]", rf"\b{_MONTH}\.?\s?(?:the\s+)?{_DAY}\b(?:,?\s?{_YEAR}\b)?"),
        ("[date]", rf"\b{_MONTH}\.?,?\s?{_YEAR}\b"),
        ("[date]", rf"\b{_YEAR}\b"),
        # Postcodes of the United Kingdom, and American ones behind a state.
        ("[address]", r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b"),
        ("[address]", r"\b\d{1,4}[a-z]?,?\s+(?:[A-Z][\w'-]+\s+){1,3}(?:street|st|road|rd|avenue|ave|lane|ln|drive|close|court|way|place|square|terrace|gardens|crescent)\b\.?"),
        # A telephone or patient number: seven digits or more however they are set; five or more in one piece.
        ("[number]", r"(?<![\w.])\+?\(?\d(?:[\s().\-/–]{0,3}\d){6,}(?!\w)"),
        ("[number]", r"\b[A-Z]{0,3}\d{5,}[A-Z]?\b"),
    )
)  # fmt: skip
_TITLES = r"(?:dr|prof|mr|mrs|ms|mx)"
# Titles that are words as well ("my sister laughed"): a name follows only where it has a capital.
_TITLE_WORDS = r"(?:doctor|professor|miss|nurse|sister|matron)"
# What names somebody, whatever letters it is written in; up to three words follow, until one that is no name.
_NAMING = re.compile(
    rf"\b(?:my (?:full )?name(?:'s| is)|name\s?:|(?:i am|i'm|im|this is|it's|its) (?=(?-i:[A-Z]))|called|signed|regards,?|thanks,|cheers,|yours,?|love,"
    rf"|my (?:husband|wife|partner|son|daughter|mother|father|mum|mom|dad|sister|brother|friend|boyfriend|girlfriend)(?:,| is called)? (?=(?-i:[A-Z]))"
    rf"|{_TITLES}\.?|{_TITLE_WORDS}(?= (?-i:[A-Z])))\s+((?:[^\W\d_][\w'’-]*\.?\s*){{1,3}})",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
# Little words at which a name that follows "my name is" ends.
_NO_NAME = frozenset(
    "a an and the i im i'm is am are was were have has had my me we you he she it they of to for from in on at with without after before but so"
    " because who what when where why how can could should would will do does did not no please hi hello thanks thank about if or as than that this very really just also still already trying getting having going using taking asking wondering worried pregnant allergic diabetic"
    " i've i'd i'll it's that's don't can't won't isn't monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays"
    " thursdays fridays saturdays sundays january february march april may june july august september october november december christmas"
    " easter eid diwali ramadan".split()
)
_OPENS = re.compile(r"(?:^|[.!?:;\n]\s*|[\"“(]\s*)$")


def without_personal_details(question: str, known: Container[str] = frozenset()) -> str:
    """A question without names, numbers, addresses and dates, each replaced by a word in brackets, cut to 300 characters.

    ``known`` are words in lower case that are certainly no names: those of the library and the glossary. A capital in the middle
    of a sentence makes any other word a name, and so does "my name is", a title or a greeting at the end. What is doubtful goes:
    losing a word of a question costs little, keeping a name may not be mended.

    >>> without_personal_details("My name is Jane Doe, call 020 7946 0018: does it hurt?")
    'My name is [name], call [number]: does it hurt?'
    """
    text = " ".join(question.split())
    for name, pattern in _PATTERNS:
        text = pattern.sub(name, text)
    text = _NAMING.sub(lambda found: _named(found, known), text)
    text = _without_capitals(text, known)
    text = re.sub(r"\[name\](?:[\s,&]+(?:and )?\[name\])+", "[name]", text)
    return text[:MAX_CHARACTERS]


def everyday_language(texts: Iterable[str]) -> frozenset[str]:
    """The words that texts write without a capital: no names, at least there."""
    return frozenset(word for text in texts for word in _WORD.findall(text) if word.islower())


def _named(found: re.Match[str], known: Container[str]) -> str:
    """The cue and, for the words after it that may be a name, a bracket."""
    cue, words = found[0][: found.start(1) - found.start()], found[1]
    end = 0
    is_title = re.fullmatch(rf"(?:{_TITLES}|{_TITLE_WORDS})\.?\s+", cue, re.IGNORECASE) is not None
    for word in _WORD.finditer(words):
        plain = word.group().casefold()
        capital = word.group()[0].isupper()
        if plain in _NO_NAME or (plain in known and not capital) or (is_title and end and not capital):
            break
        if plain in known and not re.match(r"my |name|regards|signed", cue, re.IGNORECASE) and not is_title:
            break
        end = word.end()
    return f"{cue}[name]{words[end:]}" if end else found[0]


def _without_capitals(text: str, known: Container[str]) -> str:
    words = list(_WORD.finditer(text))
    parts: list[str] = []
    at = 0
    after_name = False
    for place, word in enumerate(words):
        written, plain = word.group(), re.sub(r"'s$", "", word.group().casefold().replace("’", "'"))
        opens = bool(_OPENS.search(text[: word.start()]))
        if text[word.start() - 1 : word.start()] == "[":
            after_name = False
            continue
        looks = written[0].isupper() and not written.isupper() and plain not in known and plain not in _NO_NAME
        following = words[place + 1].group() if place + 1 < len(words) else ""
        # At the beginning of a sentence every word has a capital: a name there has another capital after it.
        joined = looks and following[:1].isupper() and not following.isupper() and following.casefold() not in _NO_NAME
        is_name = (looks and (not opens or (joined and following.casefold() not in known))) or (
            after_name and written[0].isupper() and not written.isupper() and plain not in _NO_NAME and not opens
        )
        if is_name:
            parts += [text[at : word.start()], "[name]"]
            at = word.end()
        after_name = is_name
    return "".join([*parts, text[at:]])


# ------------------------------------------------------------------------------------------------------ the storage


@dataclass(frozen=True, slots=True)
class Asked:
    """One kept question: the day it was asked, its words without personal details, and what came of it."""

    day: str
    question: str
    outcome: str
    helped: Helped
    nearest: str


class Feedback:
    """The kept questions of a practice, in a small SQLite file of their own; safe to share between threads and processes."""

    def __init__(self, file: Path, *, days: int, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        """``days`` is how long a question is kept; 0 keeps nothing, and makes no file."""
        self.file = file
        self.days = days
        self._today = today
        self._lock = threading.Lock()

    @property
    def on(self) -> bool:
        return self.days > 0

    def keep(
        self, question: str, *, outcome: str, helped: Helped = "", nearest: str = "", known: Container[str] = frozenset()
    ) -> None:
        """Keep a question without its personal details; nothing happens where the practice keeps none.

        Raises:
            FeedbackError: when the file cannot be written.
        """
        if not self.on:
            return
        row = (self._today().isoformat(), without_personal_details(question, known), outcome, helped, nearest)
        with self._open() as database:
            self._forget_old(database)
            database.execute("INSERT INTO asked (day, question, outcome, helped, nearest) VALUES (?, ?, ?, ?, ?)", row)

    @property
    def today(self) -> date:
        """The day by which a question's days are counted, in universal time."""
        return self._today()

    def forget(self) -> int:
        """Delete the questions past their time, also where keeping was switched off; how many there were.

        Raises:
            FeedbackError: when the file cannot be written.
        """
        if not self.file.is_file():
            return 0
        with self._open() as database:
            return self._forget_old(database)

    def asked(self) -> list[Asked]:
        """The questions that are kept still, newest first; those past their time are deleted first.

        Raises:
            FeedbackError: when the file cannot be used.
        """
        if not self.file.is_file():
            return []
        with self._open() as database:
            self._forget_old(database)
            rows = database.execute("SELECT day, question, outcome, helped, nearest FROM asked ORDER BY number DESC").fetchall()
        return [Asked(*row) for row in rows]

    def delete_all(self) -> int:
        """Delete every kept question, also from the file's free space; how many there were.

        Raises:
            FeedbackError: when the file cannot be written.
        """
        if not self.file.is_file():
            return 0
        with self._open() as database:
            count = int(database.execute("DELETE FROM asked").rowcount)
        self._compact()
        return count

    def _forget_old(self, database: sqlite3.Connection) -> int:
        oldest = self._today() - timedelta(days=max(self.days, 0))
        return int(database.execute("DELETE FROM asked WHERE day <= ?", (oldest.isoformat(),)).rowcount)

    def _compact(self) -> None:
        with self._lock, self._errors():
            database = sqlite3.connect(self.file, timeout=10, isolation_level=None)
            try:
                database.execute("VACUUM")
            finally:
                database.close()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._errors():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.file, timeout=10)
            try:
                # What is deleted is overwritten, not only given up.
                database.execute("PRAGMA secure_delete = ON")
                with database:
                    database.execute(
                        "CREATE TABLE IF NOT EXISTS asked (number INTEGER PRIMARY KEY, day TEXT NOT NULL, question TEXT NOT NULL,"
                        " outcome TEXT NOT NULL, helped TEXT NOT NULL, nearest TEXT NOT NULL)"
                    )
                    yield database
            finally:
                database.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise FeedbackError(
                f"The kept questions in {self.file} cannot be used ({error}). Check that the folder can be written, or set"
                " keep_questions_days to 0."
            ) from error


# --------------------------------------------------------------------------------------------------------- coverage


@dataclass(frozen=True, slots=True)
class Gap:
    """Kept questions of one kind that were nearest to one article: what people ask, and how well the library does on it."""

    about: str
    nearest: str
    questions: tuple[tuple[str, int], ...]
    n_answered: int
    n_unanswered: int
    n_helped: int
    n_not_helped: int


# The name under which questions of no known kind are grouped.
OTHER = "other"
KINDS: tuple[str, ...] = (*(intent.name for intent in INTENTS), OTHER)


def kind_of(question: str) -> str:
    """What a question is after, by its words; ``other`` when no kind fits.

    >>> kind_of("What are the side effects?"), kind_of("Zebra?")
    ('harm', 'other')
    """
    return next((intent.name for intent in INTENTS if intent.asked.search(question)), OTHER)


def gaps(asked: Sequence[Asked]) -> list[Gap]:
    """The kept questions grouped by what they are after and the article nearest to them, the most unanswered first.

    Questions of the same words are counted together; ties go by name.
    """
    groups: dict[tuple[str, str], list[Asked]] = {}
    for one in asked:
        groups.setdefault((kind_of(one.question), one.nearest), []).append(one)
    found = []
    for (about, nearest), several in groups.items():
        counts = Counter(" ".join(words_of(one.question)) for one in several)
        wording = {" ".join(words_of(one.question)): one.question for one in several}
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        found.append(
            Gap(
                about,
                nearest,
                tuple((wording[key], count) for key, count in ordered),
                n_answered=sum(one.outcome == "answered" for one in several),
                n_unanswered=sum(one.outcome != "answered" for one in several),
                n_helped=sum(one.helped == "yes" for one in several),
                n_not_helped=sum(one.helped == "no" for one in several),
            )
        )
    return sorted(found, key=lambda gap: (-gap.n_unanswered - gap.n_not_helped, gap.about, gap.nearest))
