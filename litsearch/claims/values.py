"""Numbers as values: lengths, durations, percentages, ages, counts and the like, compared across units and words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

ValueKind = Literal["length", "duration", "interval", "percentage", "age", "count", "frequency", "temperature", "amount"]
Relation = Literal["same", "overlaps", "differs", "vaguer", "incomparable"]


@dataclass(frozen=True, slots=True)
class Value:
    """A value that a text states, as a range in one unit a kind.

    Units: length mm, duration and interval days, age years, percentage per cent, frequency times a day, temperature °C;
    counts and amounts have none. ``vague`` marks words without a figure ("several", "a few"). ``of`` is what is counted
    or measured, as one plain word ("session", "needle"), empty where the text does not say.
    """

    kind: ValueKind
    low: float
    high: float
    text: str
    start: int
    end: int
    vague: bool = False
    of: str = ""

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"{self.text!r}: {self.low} is more than {self.high}")


def values_of(text: str) -> list[Value]:
    """The values in a text, in its order; ``text[value.start:value.end] == value.text``.

    >>> [(v.kind, v.low, v.high, v.of) for v in values_of("4 to 6 sessions, at least 6 weeks apart")]
    [('count', 4.0, 6.0, 'session'), ('interval', 42.0, inf, '')]
    >>> [(v.kind, v.low, v.high) for v in values_of("needles of 0.5 mm, that is 500 µm")]
    [('length', 0.5, 0.5), ('length', 0.5, 0.5)]
    """
    found: list[Value] = []
    for reader in (_spoken, _measured):
        for value in reader(text):
            if not any(value.start < other.end and value.end > other.start and _excludes(value, other) for other in found):
                found.append(value)
    return sorted(found, key=lambda value: value.start)


def relate(claim: Value, source: Value) -> Relation:
    """How a source's value stands to a claim's.

    ``same``: equal, or the claim lies within the source's range. ``overlaps``: they share some values. ``vaguer``: the source
    has only a word ("several") that would allow the claim's figure without stating it. ``differs``: they share none.

    >>> several = values_of("several sessions")[0]
    >>> relate(values_of("one session")[0], several), relate(values_of("four sessions")[0], several)
    ('differs', 'vaguer')
    >>> relate(values_of("every 4 weeks")[0], values_of("once a month")[0])
    'same'
    """
    if claim.kind != source.kind or (claim.of and source.of and claim.of != source.of):
        return "incomparable"
    slack = _SLACK.get(claim.kind, 0.0)
    low, high = source.low * (1 - slack), source.high * (1 + slack)
    if claim.high < low or claim.low > high:
        return "differs"
    if (
        not source.vague
        and not claim.vague
        and claim.low <= source.low
        and source.high <= claim.high
        and claim.kind == "percentage"
    ):
        return "same"
    if source.vague and not claim.vague:
        return "vaguer"
    # "Longer than an hour" is said by "75 minutes": what lies within an open bound states it.
    if (math.isinf(claim.high) or claim.low == 0) and not claim.vague and claim.low <= source.low and source.high <= claim.high:
        return "same"
    return "same" if low <= claim.low and claim.high <= high else "overlaps"


def comparable(claim: Iterable[Value], source: Iterable[Value]) -> Iterator[tuple[Value, Value, Relation]]:
    """Every pair of a claim's and a source's value that measure the same thing."""
    held = list(source)
    for one in claim:
        for other in held:
            relation = relate(one, other)
            if relation != "incomparable":
                yield one, other, relation


def _excludes(value: Value, other: Value) -> bool:
    """ "Five monthly sessions" holds a count and an interval; other values that overlap are two readings of one."""
    return {value.kind, other.kind} != {"count", "interval"}


# A month is 30.4 days and four weeks are 28: within a tenth, durations count as the same.
_SLACK: dict[str, float] = {"duration": 0.1, "interval": 0.1, "length": 0.02, "age": 0.02}

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS: dict[str, float] = {word: float(number) for number, word in enumerate(_ONES)}
_WORDS |= {word: float(10 * number) for number, word in enumerate(_TENS, start=2)}
_WORDS |= {f"{ten}-{one}": _WORDS[ten] + _WORDS[one] for ten in _TENS for one in _ONES[1:10]}
_WORDS |= {f"{ten} {one}": _WORDS[ten] + _WORDS[one] for ten in _TENS for one in _ONES[1:10]}
_WORDS |= {"a hundred": 100.0, "one hundred": 100.0, "a dozen": 12.0, "half a": 0.5, "half an": 0.5}

_NUMBER = (
    r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,·]\d+)?|" + "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True)) + ")"
)
# What a vague word may mean at the least and at the most.
_VAGUE: dict[str, tuple[float, float]] = {
    "several": (2, math.inf),
    "multiple": (2, math.inf),
    "numerous": (3, math.inf),
    "many": (3, math.inf),
    "a number of": (2, math.inf),
    "a series of": (2, math.inf),
    "a course of": (2, math.inf),
    "repeated": (2, math.inf),
    "repeat": (2, math.inf),
    "various": (2, math.inf),
    "some": (2, math.inf),
    "a few": (2, 6),
    "few": (2, 6),
    "a couple of": (2, 2),
    "a handful of": (3, 6),
    "a minimum of": (1, math.inf),
    "more": (2, math.inf),
    "further": (2, math.inf),
    "countless": (10, math.inf),
    "dozens of": (24, math.inf),
    "hundreds of": (200, math.inf),
    "thousands of": (2000, math.inf),
}
_VAGUE_WORD = "|".join(sorted(map(re.escape, _VAGUE), key=len, reverse=True))
_ONE = r"(?:just |only |a )?(?:single|one)|just an?|only an?"

_UNITS: tuple[tuple[str, ValueKind, float, str], ...] = (
    ("length", "length", 1.0, r"mm|milli-?met(?:re|er)s?"),
    ("length", "length", 0.001, r"µm|μm|um|microns?|micro-?met(?:re|er)s?"),
    ("length", "length", 10.0, r"cm|centi-?met(?:re|er)s?"),
    ("length", "length", 25.4, r"inch(?:es)?|in\.|″"),
    ("duration", "duration", 1 / 86400, r"seconds?|secs?"),
    ("duration", "duration", 1 / 1440, r"minutes?|mins?"),
    ("duration", "duration", 1 / 24, r"hours?|hrs?"),
    ("duration", "duration", 1.0, r"days?|nights?"),
    ("duration", "duration", 7.0, r"weeks?|wks?"),
    ("duration", "duration", 30.44, r"months?"),
    ("duration", "duration", 365.25, r"years?|yrs?"),
    ("percentage", "percentage", 1.0, r"%|per ?cent"),
    ("temperature", "temperature", 1.0, r"°C|degrees celsius"),
)
_UNIT = "|".join(f"(?P<u{number}>{pattern})" for number, (_, _, _, pattern) in enumerate(_UNITS))
_SESSION = r"sessions?|treatments?|visits?|appointments?|sittings?|procedures?|needlings?|rounds?|goes"
_COUNTED: tuple[tuple[str, str], ...] = (
    ("session", _SESSION),
    ("person", r"patients?|people|persons?|adults?|women|men|clients?|participants?|volunteers?|subjects?"),
    ("study", r"studies|study|trials?|papers?|articles?|publications?|rcts?"),
    ("needle", r"(?:micro-?)?needles?"),
    ("layer", r"layers?"),
)
_HEAD = "|".join(pattern for _, pattern in _COUNTED)
_BOUND = (
    r"(?P<bound>at least|no less than|a minimum of|from"
    r"|more than|longer than|over|above|beyond|up to|at most|no more than|no longer than|less than|fewer than|shorter than"
    r"|under|below|within"
    r"|about|around|roughly|approximately|almost|nearly|as few as|as little as|every|each|once every|for)?(?(bound)\s+)"
)
_RANGE = rf"(?:between\s+)?(?P<low>{_NUMBER})(?:\s*(?:-|–|—|to|and|or)\s*(?P<high>{_NUMBER}))?"
_MEASURED = re.compile(
    rf"(?<![\w.]){_BOUND}(?:{_RANGE}|(?P<vague>{_VAGUE_WORD})|(?P<article>an?|the next|next|the following))[\s-]*(?:more\s+"
    rf"|full\s+|short\s+)?(?:{_UNIT})(?![\w])(?!\s+(?:younger|of experience|CI\b|confidence))"
    r"(?P<after>\s*(?:apart|intervals?|between|of age|[- ]?olds?|and over|or (?:over|older|above)|or more|or two|in between))?",
    re.IGNORECASE,
)
_COUNT = re.compile(
    rf"(?<![\w.%]){_BOUND}(?:{_RANGE}|(?P<one>{_ONE})|(?P<vague>{_VAGUE_WORD}))\s+(?:(?!(?:and|or|of|the|in|to|with|for"
    rf"|after|before|at|on|than|from|by|since|during|is|are|was|mm|cm|µm|minutes?|hours?|days?|weeks?|months?"
    rf"|years?)\b)[\w-]+\s+){{0,2}}?(?:{_HEAD})\b(?!\s+of\s+(?:days|weeks|months))",
    re.IGNORECASE,
)
_OUT_OF = re.compile(
    rf"(?P<low>{_NUMBER})\s+(?:out of|in|of)\s+(?P<every>every\s+)?(?P<high>{_NUMBER}|hundred|thousand)\b"
    rf"(?P<head>\s+(?:{_COUNTED[1][1]}|{_SESSION}|operations?|injections?|users|cases))?",
    re.IGNORECASE,
)
_TIMES = re.compile(rf"\b(?P<low>{_NUMBER})(?:\s?x|\s+times|-fold|\s?fold)\b(?!\s+(?:a|per|each)\b)", re.IGNORECASE)
_ORDINAL = re.compile(
    r"\b(?:after|from|in|at|with|following|by)\s+(?:the|your|just the)?\s*(?:very )?(?P<nth>first|second|third|fourth|1st"
    r"|2nd|3rd)\s+(?:" + _SESSION + r")\b",
    re.IGNORECASE,
)
_AGE = re.compile(
    rf"\b(?:aged?|ages|age of|ages of)\s+(?:from\s+|over\s+|under\s+)?(?P<low>{_NUMBER})(?:\s*(?:-|–|to"
    rf"|and)\s*(?P<high>{_NUMBER}))?(?P<over>\s+(?:and|or)\s+(?:over|older|above|up))?"
    rf"|\b(?P<older>over|under)\s+(?P<limit>\d\d)s?\b(?!\s*(?:%|per|mm|cm|days|weeks|months|years? of experience|sessions"
    rf"|treatments))"
    r"|\b(?P<any>any age|all ages|every age|whatever your age)\b|\b(?P<teen>teen(?:ager)?s?|adolescents?)\b"
    r"|\b(?P<child>child(?:ren)?|kids)\b",
    re.IGNORECASE,
)
_SPOKEN: tuple[tuple[str, ValueKind, float, float, str], ...] = (
    (
        r"instant(?:ly|aneous(?:ly)?)?|immediate(?:ly)?|straight ?away|right away|at once|in an instant|on the spot",
        "duration",
        0,
        0.05,
        "",
    ),
    (r"overnight", "duration", 0, 1, ""),
    (r"same[- ]day|by the next morning|the next day|next-day", "duration", 0, 1.5, ""),
    (
        r"(?:over|with|in) (?:the course of )?time|gradual(?:ly)?|little by little|takes time|take time|eventually|in time",
        "duration",
        7,
        math.inf,
        "",
    ),
    (r"twice (?:a day|daily)", "frequency", 2, 2, ""),
    (r"(?:once a|each|every|per) day|daily|every day", "frequency", 1, 1, ""),
    (r"(?:once a|each|every|per) week|weekly|every week", "interval", 7, 7, ""),
    (r"(?:once an?|each|every|per) month|monthly|every month|a month apart", "interval", 30.44, 30.44, ""),
    (r"(?:once a|each|every|per) year|yearly|annual(?:ly)?|every year", "interval", 365.25, 365.25, ""),
    (r"fortnightly|every fortnight|every other week", "interval", 14, 14, ""),
    (r"(?:only|just|needed|need|have|had|done)(?: it| this)? once\b|one[- ]off|in one go", "count", 1, 1, "session"),
    (r"(?:nearly|almost|just under) half(?: of)?(?: the| all)?(?: patients| people| them)?", "percentage", 42, 50, ""),
    (r"(?:more than|over) half(?: of)?(?: the| all)?(?: patients| people| them)?", "percentage", 50, 60, ""),
    (r"at least half|half or more", "percentage", 50, 100, ""),
    (r"two[- ]thirds of(?: the| all| our)?", "percentage", 66.6, 66.7, ""),
    (r"three[- ]quarters of(?: the| all| our)?", "percentage", 75, 75, ""),
    (r"an? (?:hour|hours) and a half", "duration", 1.5 / 24, 1.5 / 24, ""),
    (r"half of (?:the |all )?(?:patients|people|them)", "percentage", 50, 50, ""),
    (r"(?:a|one) quarter of (?:the |all |those |our )?(?:patients|people|them|enrolled)?", "percentage", 25, 25, ""),
    (
        r"(?:a|one) third of (?:the |all |our )?(?:patients|people|them|treatments|cases|users|clients)",
        "percentage",
        33.3,
        33.4,
        "",
    ),
    (r"(?:a|one) fifth of (?:the |all |our )?(?:patients|people|them|treatments|cases|users|clients)", "percentage", 20, 20, ""),
    (r"(?:a|one) tenth of (?:the |all |our )?(?:patients|people|them|treatments|cases|users|clients)", "percentage", 10, 10, ""),
    (r"\bhalv(?:e|es|ed|ing)\b|\bby half\b|\bcut in half\b", "percentage", 50, 50, ""),
    (r"\bdoubl(?:e|es|ed|ing)\b", "percentage", 100, 100, ""),
    (r"\btripl(?:e|es|ed|ing)\b|\bthree ?fold\b", "percentage", 200, 200, ""),
)
_SPOKEN_PATTERNS = tuple(
    (re.compile(rf"\b(?:{p})\b", re.IGNORECASE), kind, float(low), float(high), of) for p, kind, low, high, of in _SPOKEN
)


def _measured(text: str) -> Iterator[Value]:
    """Figures with a unit, ages, and counted sessions, people, studies and needles."""
    yield from _ages(text)
    for match in _OUT_OF.finditer(text):
        part, whole = _number(match.group("low")), _number(match.group("high"))
        if (match.group("head") or match.group("every")) and 0 < part <= whole:
            yield Value("percentage", 100 * part / whole, 100 * part / whole, match.group(), match.start(), match.end())
        elif "out of" in match.group().lower() and whole:
            yield Value("amount", part, part, match.group(), match.start(), match.end(), False, f"of {whole:g}")
    for match in _TIMES.finditer(text):
        times = _number(match.group("low"))
        yield Value("amount", times, times, match.group(), match.start(), match.end(), False, "times")
    for match in _MEASURED.finditer(text):
        number = next(n for n in range(len(_UNITS)) if match.group(f"u{n}"))
        _, kind, factor, _ = _UNITS[number]
        after = (match.group("after") or "").strip().lower()
        low, high, vague = _span(match)
        if (kind == "duration" and after in ("apart", "interval", "intervals", "between", "in between")) or (
            kind == "duration" and (match.group("bound") or "").lower() in ("every", "each", "once every")
        ):
            kind = "interval"
        elif kind == "duration" and factor > 300 and ("old" in after or "age" in after or "over" in after or "above" in after):
            kind, factor = "age", 1.0
            high = math.inf if "over" in after or "above" in after or "older" in after else high
        if math.isinf(high) and not vague and _NOT_BEYOND.search(text[: match.start()]):
            # "Do not use it for longer than a week" allows a week at most.
            low, high = 0.0, low
        if after == "or two" and not math.isinf(high):
            high = max(high, 2.0)
        if after == "or more":
            high = math.inf
        if match.group("article") and kind not in ("duration", "interval"):
            continue
        begin, end = match.start(), match.end()
        yield Value(kind, low * factor, high * factor, text[begin:end], begin, end, vague)
    for match in _COUNT.finditer(text):
        low, high, vague = (1.0, 1.0, False) if match.group("one") else _span(match)
        head = match.group().split()[-1].lower()
        of = next(name for name, pattern in _COUNTED if re.fullmatch(pattern, head, re.IGNORECASE))
        yield Value("count", low, high, match.group(), match.start(), match.end(), vague, of)
    for match in _ORDINAL.finditer(text):
        nth = {"first": 1.0, "1st": 1.0, "second": 2.0, "2nd": 2.0, "third": 3.0, "3rd": 3.0, "fourth": 4.0}[
            match.group("nth").lower()
        ]
        yield Value("count", nth, nth, match.group(), match.start(), match.end(), False, "session")


_NOT_BEYOND = re.compile(r"(\b(not|never|cannot)|n't)\b[^,.;:]{0,40}$", re.IGNORECASE)


def _ages(text: str) -> Iterator[Value]:
    for match in _AGE.finditer(text):
        if match.group("any"):
            low, high = 0.0, math.inf
        elif match.group("teen"):
            low, high = 13.0, 19.0
        elif match.group("child"):
            low, high = 0.0, 17.0
        elif match.group("limit"):
            limit = float(match.group("limit"))
            low, high = (limit, math.inf) if match.group("older").lower() == "over" else (0.0, limit)
        else:
            low = _number(match.group("low"))
            high = math.inf if match.group("over") else _number(match.group("high")) if match.group("high") else low
        if low <= high:
            yield Value("age", low, high, match.group(), match.start(), match.end())


def _spoken(text: str) -> Iterator[Value]:
    for pattern, kind, low, high, of in _SPOKEN_PATTERNS:
        for match in pattern.finditer(text):
            vague = kind == "duration" and "half" not in match.group().lower()
            yield Value(kind, low, high, match.group(), match.start(), match.end(), vague, of)


def _span(match: re.Match[str]) -> tuple[float, float, bool]:
    """The range that a match states, in its own unit, and whether it is only a vague word."""
    bound = (match.group("bound") or "").lower()
    vague = match.group("vague")
    if vague:
        low, high = _VAGUE[vague.lower()]
        return (0.0, high, True) if bound in ("within", "up to", "under", "less than") else (low, high, True)
    if match.groupdict().get("article"):
        low = high = 1.0
    else:
        low = _number(match.group("low"))
        high = _number(match.group("high")) if match.group("high") else low
    if high < low:
        low, high = high, low
    if bound in ("nearly", "almost", "about", "around", "roughly", "approximately") and low == high:
        # "Nearly half" and "about 73%" are said of 45.9% and 73.33%.
        return (
            low * (0.9 if bound in ("nearly", "almost") else 0.95),
            low * (1.0 if bound in ("nearly", "almost") else 1.05),
            False,
        )
    if (
        bound in ("at least", "no less than", "a minimum of", "from", "more than", "longer than", "over", "above", "beyond")
        and low == high
    ):
        return low, math.inf, False
    if bound in (
        *("up to", "at most", "no more than", "no longer than", "less than", "fewer than", "shorter than", "under", "below"),
        *("within", "as little as", "as few as"),
    ):
        return (low, high, False) if bound.startswith("as ") else (0.0, high, False)
    return low, high, False


def _number(text: str) -> float:
    """
    >>> _number("2,805"), _number("1.5"), _number("1·5"), _number("forty-eight")
    (2805.0, 1.5, 1.5, 48.0)
    """
    spoken = {"hundred": 100.0, "thousand": 1000.0}.get(text.lower(), _WORDS.get(text.lower()))
    if spoken is not None:
        return spoken
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
        return float(text.replace(",", ""))
    return float(text.replace(",", ".").replace("·", "."))
