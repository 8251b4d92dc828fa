"""The points on which a claim and a source are compared, each a rule that names its reason: amounts, directions, values, ..."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from litsearch.claims.concepts import AREAS, BROADER, LIGHT, OPPOSITES, RELATED, stem
from litsearch.claims.pair import COVERED, FAMILY, TOPIC, Pair, words_in
from litsearch.claims.statement import ANY_OTHER, Comparison, Statement, read
from litsearch.claims.values import Value, relate


@dataclass(frozen=True, slots=True)
class Remark:
    """What one comparison of claim and premise came to; ``weight`` is 0..1."""

    kind: Literal["agrees", "opposes", "weaker", "open"]
    weight: float
    why: str


# A denial of one word, or an effect in the other direction, opposes only where this part of the claim's content is accounted for.
POLAR = 0.7
_SERIOUS = frozenset({"burn", "nerve", "fatloss", "granuloma", "tramtrack", "infection"})
# Speaks of how skin ages or is damaged, not of what a treatment does.
_BACKGROUND = re.compile(
    r"\b(as (you|we|people) (age|get older|grow older)|with age\b|the older we|uv rays|exposure to the sun|from the sun\b"
    r"|sun exposure|usually hard to|until now)\b",
    re.IGNORECASE,
)


def _burdens(pair: Pair) -> Iterator[Remark]:
    """Pain, downtime, side effects: how much of it the claim promises against how much the source speaks of."""
    if pair.claim.comparison or pair.source.comparison:
        return
    for said in (m for m in pair.claim.mentions if m.concept.group == "burden"):
        for found in (m for m in pair.source.mentions if m.concept.group in ("burden", "target")):
            kind = _kinship(said.name, found.name)
            if not kind or pair.rest_covered(said.name) < TOPIC or (kind == "same" and pair.coverage < TOPIC):
                continue
            name = _plain(said.name)
            if said.amount == 0 and found.amount > 0 and not found.negated:
                if not said.absent or (pair.claim.most and not pair.source.most and not pair.source.universal):
                    # What is not done to sore skin says nothing of soreness; "most feel no pain" leaves room for some.
                    yield Remark("open", 0.5, f"the source does not say whether there is {name}")
                    continue
                weight = (0.85 if kind == "same" else 0.7) - (0.15 if found.effect > 0 else 0.0)
                yield Remark(
                    "opposes",
                    weight,
                    f"the claim rules out {name}, the source speaks of {'it' if kind == 'same' else _plain(found.name)}",
                )
            elif said.amount == 0 and kind == "same":
                yield Remark("agrees", 0.8, f"both rule out {name}")
            elif (
                said.negated
                and said.amount == 1
                and ((found.amount == 3 and not found.negated) or (found.name in _SERIOUS and found.amount))
            ):
                yield Remark("opposes", 0.75, f"the claim rules out serious {name}, the source speaks of {_plain(found.name)}")
            elif said.amount == 3 and found.amount <= 1 and kind == "same":
                yield Remark("opposes", 0.8, f"the claim speaks of much {name}, the source of little or none")
            elif said.amount == 1 and not said.negated and found.amount == 3 and kind == "same":
                yield Remark("opposes", 0.7, f"the claim speaks of little {name}, the source of much")
            elif said.amount == 2 and not said.negated and found.amount == 0 and kind == "same" and pair.coverage >= COVERED:
                yield Remark("opposes", 0.7, f"the claim speaks of {name}, the source rules it out")
            elif kind == "same":
                yield Remark("agrees", 0.7, f"both speak of {name}")


def _kinship(said: str, found: str) -> str:
    """Whether the source's concept is the claim's, a kind of it, or what makes it up; empty when it is neither."""
    if said == found:
        return "same"
    if said in BROADER.get(found, ()) or (said == "downtime" and found in ("redness", "swelling", "peeling")):
        return "kind"
    return "same" if {said, found} == {"risk", "sideeffect"} else ""


def _effects(pair: Pair) -> Iterator[Remark]:
    """Good or harm done to what a treatment is for: the same direction, the opposite one, or less than claimed."""
    if pair.claim.comparison or pair.source.comparison or _BACKGROUND.search(pair.source.text):
        return
    listed_good = pair.lead.names & {"improve", "suitable"} or re.search(r"\b(consider|want)\b", pair.lead.text)
    for said in (m for m in pair.claim.mentions if m.concept.group in ("target", "good")):
        name = _plain(said.name)
        about = [m for m in pair.source.mentions if m.concept.group in ("target", "good") and _same_aim(said.name, m.name)]
        silent = said.effect and about and not any(m.effect or m.incomplete for m in about)
        if silent and (pair.listed_caution or not listed_good):
            yield Remark("open", 0.5, f"the source does not say what becomes of {name}")
        if pair.coverage < POLAR:
            continue
        for found in about:
            if said.complete and said.effect > 0 and found.incomplete:
                yield Remark("opposes", 0.85, f"the claim says that {name} goes away, the source that it does not")
            elif said.incomplete and found.complete and found.effect > 0:
                yield Remark("opposes", 0.7, f"the claim says that {name} does not go away, the source that it does")
            elif said.incomplete and found.incomplete:
                yield Remark("agrees", 0.8, f"both say that {name} does not go away entirely")
            elif (
                said.effect
                and found.effect
                and said.effect != found.effect
                and said.name == found.name
                and not pair.listed_caution
            ):
                yield Remark("opposes", 0.75, f"the claim and the source point in opposite directions on {name}")
            elif said.effect and found.effect == said.effect:
                if said.complete and not found.complete:
                    yield Remark("weaker", 0.6, f"the source speaks of improvement of {name}, not of its going away")
                else:
                    yield Remark("agrees", 0.75, f"both speak of the same effect on {name}")
            elif (
                said.negated != found.negated
                and (said.absent or found.absent)
                and said.concept.group == "target"
                and not said.effect
                and not found.effect
                and said.name == found.name
            ):
                yield Remark("opposes", 0.7, f"one rules out {name}, the other speaks of it")


def _same_aim(said: str, found: str) -> bool:
    return said == found or said in BROADER.get(found, ()) or frozenset((said, found)) in RELATED


def _suitability(pair: Pair) -> Iterator[Remark]:
    """Who can have it: a claim for everyone or for one group against the people whom a source names as exceptions."""
    claim, source = pair.claim, pair.source
    fit = any(m.name in ("safe", "suitable") and not m.negated for m in claim.mentions)
    fit = fit or (claim.permits and (claim.universal or bool(_people(claim))) and not any(m.effect for m in claim.mentions))
    if claim.caution or not fit:
        if claim.caution and pair.caution and (_people(claim) & _people(source) or pair.coverage >= COVERED):
            yield Remark("agrees", 0.8, "both say who should be careful")
        elif (
            claim.caution
            and not pair.caution
            and claim.names & source.names
            and pair.coverage >= TOPIC
            and any(m.name in ("safe", "suitable") and not m.negated for m in source.mentions)
        ):
            yield Remark("opposes" if source.universal else "open", 0.55, "the source says that it is safe")
        elif claim.mentions and pair.listed_caution:
            yield Remark("open", 0.5, "the source names this among those who should ask a doctor first")
        return
    people = _people(claim)
    if people and people & _people(source):
        if pair.caution and not (pair.source.caution and _allowed(source.text, people)):
            yield Remark("opposes", 0.85, "the source names these people among those who should be careful or ask a doctor first")
        elif not any(m.name in ("safe", "suitable") and not m.negated for m in source.mentions):
            yield Remark("open", 0.5, "the source mentions these people without saying that it is suitable for them")
        return
    if people:
        return
    others = pair.rest_covered("safe", "suitable", "skintype", "risk", "askfirst", "professional") >= TOPIC
    if claim.universal and others:
        if source.not_universal and (source.names & {"safe", "suitable"} or source.caution):
            yield Remark("opposes", 0.85, "the source says that it is not for everyone")
        elif pair.caution and (_people(source) or pair.listed_caution):
            yield Remark("opposes", 0.75, "the source names people who should be careful or ask a doctor first")
        elif source.names & {"safe", "suitable"} and not source.universal:
            yield Remark("weaker", 0.6, "the source says it for most or some people, not for all")
    elif pair.caution and source.not_universal and others:
        yield Remark("weaker", 0.65, "the source says that it is not for everyone")


def _allowed(text: str, people: frozenset[str]) -> bool:
    """Whether the part of a sentence that names these people says that they can have it, and warns of nothing."""
    parts = [read(part) for part in re.split(r"[,;:]|\b(?:but|however|although|though)\b", text)]
    about = [part for part in parts if _people(part) & people]
    return bool(about) and all(_FITS.search(part.text) and not part.caution and not part.negative for part in about)


# Says that somebody can have it, or that nothing stands in the way.
_FITS = re.compile(
    r"\b(can|may) (still |usually |safely |generally )?(be (treated|done|removed|given|offered|operated|injected)|have|undergo"
    r"|go ahead|start|receive)\b|\b(suitable|suited|safe|fine|eligible|good candidates?|welcome) (for|in|to)\b",
    re.IGNORECASE,
)
_NO_OBSTACLE = re.compile(
    r"\b(no|not an?|never an?|hardly an?) (obstacle|barrier|hindrance|problem|reason|contra.?indication|bar)\b"
    r"|\b(do|does|did|is|are|need) not (prevent|rule out|exclude|stop|matter|be interrupted)\b|\bnothing speaks against\b",
    re.IGNORECASE,
)


def _exclusions(pair: Pair) -> Iterator[Remark]:
    """An item of a list of those who should not have it, or should ask first, against a claim that they can have it."""
    claim, source = pair.claim, pair.source
    fits = _FITS.search(claim.text)
    allows = bool(_NO_OBSTACLE.search(claim.text)) or (fits is not None and not read(claim.text[: fits.end()]).negative)
    if not allows:
        if claim.negative and (_NO_OBSTACLE.search(source.text) or _FITS.search(source.text)):
            yield Remark("open", 0.5, "the source says that they can have it, or warns of something else")
        return
    if not pair.listed_caution:
        if not _people(claim) and (source.negative or not _FITS.search(source.text)) and not claim.universal:
            yield Remark("open", 0.5, "the source does not say for whom it is suitable")
        return
    if _NO_OBSTACLE.search(source.text):
        return
    ours, theirs = claim.affirmed | claim.denied, source.affirmed | source.denied
    named = {m.name for m in claim.mentions} & {m.name for m in source.mentions} - LIGHT
    if (theirs and len(ours & theirs) >= LISTED * len(theirs)) or named:
        yield Remark("opposes", 0.85, "the source lists this among the reasons not to have it or to ask a doctor first")
    else:
        yield Remark("open", 0.5, "the source lists other reasons not to have it")


def _people(statement: Statement) -> frozenset[str]:
    """The groups of people, conditions that make a group, and skin types that a statement names."""
    conditions = {"keloid", "eczema", "psoriasis", "rosacea", "acne", "infection", "allergy", "isotretinoin", "skincondition"}
    return frozenset(m.name for m in statement.mentions if m.concept.group == "people" or m.name in conditions) - {"skintype"}


def _comparisons(pair: Pair) -> Iterator[Remark]:
    """More or less than something else: the same order, the reverse, or no difference."""
    claim, source = pair.claim.comparison, pair.source.comparison
    if claim is None:
        return
    if source is None:
        yield Remark("open", 0.5, "the source does not compare the two")
        return
    oriented = _orientation(claim, source, pair)
    if not oriented or not _same_dimension(claim, source) or pair.coverage < TOPIC:
        yield Remark("open", 0.5, "the source compares something else")
        return
    if claim.sign == source.sign * oriented:
        yield Remark("agrees", 0.85, "both compare them the same way")
    elif not source.sign:
        yield Remark("opposes", 0.75, "the source finds no difference between them")
    elif not claim.sign:
        yield Remark("opposes", 0.75, "the claim calls them alike, the source finds a difference")
    else:
        yield Remark("opposes", 0.85, "the source compares them the other way round")


def _orientation(claim: Comparison, source: Comparison, pair: Pair) -> int:
    """+1 when both name the same first, -1 when the source names them in turn, 0 when they compare other things."""
    subject = pair.document.treatments
    claim_left, claim_right = claim.left or subject, claim.right
    source_left, source_right = source.left or subject, source.right
    if not claim.sign or not source.sign:
        sides, others = claim_left | claim_right, source_left | source_right | subject
        named = pair.source.treatments | pair.lead.treatments
        return 1 if named & sides and len(sides & others) >= min(2, len(sides)) else 0
    if not claim.left and not claim.right:
        return _orientation_by_words(pair.claim.text, pair.source.text)
    if "combination" in source_left:
        # "More with the combination": the side of the claim that joins more treatments.
        return (len(claim_left) > len(claim_right)) - (len(claim_left) < len(claim_right))
    if source_right == ANY_OTHER:
        return 1 if claim_left & source_left and not claim_right & source_left else -1 if claim_right & source_left else 0
    if claim_right & source_right or (claim_left & source_left and not claim_right and not source_right):
        return 1
    return -1 if claim_right & source_left and claim_left & source_right else 0


_THAN = re.compile(r"\b(?:than|versus|vs|against|compared (?:with|to))\b", re.IGNORECASE)


def _orientation_by_words(claim: str, source: str) -> int:
    """The same where the claim sets no two treatments against each other: where its second side stands in the source."""
    second = {stem(word) for word in words_in(" ".join(_THAN.split(claim)[1:]))}
    before, *after = ({stem(word) for word in words_in(part)} for part in _THAN.split(source))
    there, ahead = bool(second & set().union(*after)), bool(second & before)
    return there - ahead


def _same_dimension(claim: Comparison, source: Comparison) -> bool:
    ours, theirs = claim.dimensions - {"visible", "often"}, source.dimensions - {"visible", "often"}
    if not ours or not theirs or ours & theirs:
        return True
    return any(_kinship(a, b) or frozenset((a, b)) in RELATED or b in BROADER.get(a, ()) for a in ours for b in theirs)


def _figures(pair: Pair) -> Iterator[Remark]:
    """Numbers, durations and counts: equal, compatible, different, or not in the source at all."""
    for value in pair.claim.values:
        attribute = _attribute(pair.claim, value)
        found = [(other, relate(value, other)) for s in (pair.source, pair.lead) for other in s.values]
        found = [(o, r) for o, r in found if r != "incomparable" and _fits(attribute, _attribute(pair.source, o))]
        found += [(o, "same") for o in pair.around.values if relate(value, o) == "same"]
        relations = {relation for _, relation in found}
        said = f"“{value.text.strip()}”"
        if _DENIED_AFTER.match(pair.claim.text[value.end :]):
            # "One session is not enough" is not what "one session" says.
            if not pair.source.negative or not relations:
                yield Remark("open", 0.6, f"the source does not deny it of {said}")
        elif "same" in relations:
            yield Remark("agrees", 0.8, f"the source gives {said} as well")
        elif "overlaps" in relations:
            yield Remark(
                "agrees" if value.kind in ("duration", "interval") else "weaker",
                0.6,
                f"the source's figure only overlaps with {said}",
            )
        elif "vaguer" in relations:
            yield Remark("open", 0.6, f"the source gives no figure for {said}, only “{_first(found, 'vaguer')}”")
        elif "differs" in relations and _may_differ(pair, value, found):
            yield Remark("opposes", 0.75, f"the claim says {said}, the source “{_first(found, 'differs')}”")
        elif "differs" in relations:
            yield Remark("open", 0.6, f"the source gives another figure than {said}: “{_first(found, 'differs')}”")
        else:
            yield Remark("open", 0.6, f"the source does not give {said}")


_DENIED_AFTER = re.compile(r"(?:\s+[\w-]+){1,5}?\s+(?:not|never|no|cannot)\b", re.IGNORECASE)


def _first(found: Sequence[tuple[Value, str]], relation: str) -> str:
    return next(value.text.strip() for value, r in found if r == relation)


def _may_differ(pair: Pair, value: Value, found: Sequence[tuple[Value, str]]) -> bool:
    """Whether another figure contradicts: one session against several does; 41% in one trial against 30% in another does not."""
    if max(pair.coverage, pair.premise.similarity) < TOPIC:
        return False  # the figure of something else
    other = next(v for v, r in found if r == "differs")
    if value.of == "session":
        return (value.high == 1 and other.low >= 2) or (value.low > 1 and other.high == 1)
    if value.kind == "duration":
        attribute = _attribute(pair.claim, value)
        # "Over time" says how soon a change shows, not how long a recovery or an effect lasts.
        return attribute == _attribute(pair.source, other) != "" and (
            not other.vague or not math.isinf(other.high) or attribute == "onset"
        )
    if value.kind == "length":
        return pair.rest_covered() >= 0.75 and bool(pair.claim.names & pair.source.names & {"needle", "depth", "device"})
    if value.kind == "percentage" and _SHARE.search(value.text) and _SHARE.search(other.text):
        # Trials differ; a third of all treatments against three in a hundred is more than that.
        return pair.rest_covered() >= 0.85 and min(value.high, other.high) * 4 <= max(value.low, other.low)
    return pair.rest_covered() >= 0.85 and pair.premise.similarity >= 0.7 and value.kind in ("frequency", "age")


# A part of people or treatments, as against a percentage of improvement or a confidence bound.
_SHARE = re.compile(r"\b(in|of)\b", re.IGNORECASE)
_ATTRIBUTES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("age", r"\b(aged?|years? old|older|under \d\d)\b"),
        (
            "recovery",
            r"\b(red(ness)?|swell\w*|downtime|recover\w*|activit\w+|heal(s|ed|ing)?|subside\w*|sensitiv\w*|side effects?"
            r"|effects? of needling|sore\w*|flak\w+|unwanted"
            r"|everyday|back to|return\w*|events?|reaction)\b",
        ),
        ("preparation", r"\b(before|beforehand|prior|stop(ped)?|numbing|stays on)\b"),
        ("durability", r"\b(lasts?|lasting|remain\w*|stays?|maintain\w*|kept|permanent\w*|hold)\b"),
        (
            "onset",
            r"\b(results?|visible|see|seen|notice\w*|appear\w*|shows?|improve\w*|change|difference|benefits?|first show|smoother"
            r"|effect)\b",
        ),
        ("length", r"\b(sessions? (takes?|lasts?)|takes?|appointment|procedure (takes?|lasts?))\b"),
    )
)


def _attribute(statement: Statement, value: Value) -> str:
    """What a duration is the duration of; empty for other kinds of value, or where the words do not tell."""
    if value.kind != "duration":
        return ""
    if (
        value.high <= 0.25
        and re.search(r"\b(session|appointment|procedure|takes?)\b", statement.text, re.IGNORECASE)
        and "result" not in statement.names
    ):
        return "length"
    return next((name for name, pattern in _ATTRIBUTES if pattern.search(statement.text)), "")


def _fits(ours: str, theirs: str) -> bool:
    return ours == theirs or not ours or not theirs


# An item of a list is what a claim speaks of when the claim holds this part of its words: "a pacemaker or an implanted ...".
LISTED = 0.3
_BOUNDED = re.compile(r"\b(until|unless|before|without|other than|as \w+ as|more than|any \w+(er|ier))\b", re.IGNORECASE)
_USE = re.compile(r"\b(use[sd]?|using|requires?|required|involves?|needs?|needed|done with|contains?)\b", re.IGNORECASE)


def _polarity(pair: Pair) -> Iterator[Remark]:
    """One thing affirmed and denied: used and not used, needed and not needed, allowed and to be avoided."""
    # Where both deny something, or one only until or unless, a word under a negation here and not there tells nothing.
    one_denies = pair.claim.negative != pair.source.negative and not _BOUNDED.search(pair.claim.text)
    for said in (m for m in pair.claim.mentions if m.concept.group in ("thing", "treatment", "action") and m.name not in LIGHT):
        if said.name in ("safe", "suitable", "remove", "worsen") or (
            said.name in pair.claimed_treatments & FAMILY and not said.negated and said.first < 3
        ):
            continue
        same = [m for m in pair.source.mentions if m.name == said.name]
        if not same or pair.rest_covered(said.name) < TOPIC or pair.premise.similarity < 0.2:
            continue
        if said.name in pair.document.treatments:
            continue
        if said.concept.group == "treatment" and not (_USE.search(pair.claim.text) and _USE.search(pair.source.text)):
            continue
        if pair.claim.caution and said.negated and not pair.source.permits:
            continue
        if all(m.negated != said.negated for m in same):
            if not one_denies or pair.coverage < POLAR:
                continue
            yield Remark("opposes", 0.65, f"one says it of {_plain(said.name)}, the other denies it")
        elif all(m.negated == said.negated for m in same) and said.negated:
            yield Remark("agrees", 0.6, f"both deny it of {_plain(said.name)}")
    for said in (
        m for m in pair.claim.mentions if m.negated and m.name not in LIGHT and m.concept.group not in ("burden", "people")
    ):
        if said.name in pair.document.treatments or said.effect or said.incomplete:
            continue
        if not any(m.negated for m in pair.source.mentions if m.name == said.name):
            yield Remark("open", 0.4, f"the source does not deny it of {_plain(said.name)}")


def _denials(pair: Pair) -> Iterator[Remark]:
    """The whole sentence: a claim that denies is not carried by a source that denies nothing, nor one denied by the source."""
    claim, source = pair.claim, pair.source
    ruled_out = any(m.amount == 0 and m.concept.group == "burden" for m in claim.mentions)
    if claim.negative and not source.negative and not pair.caution and not ruled_out:
        yield Remark("open", 0.5, "the source denies nothing of what the claim denies")
    flipped = (claim.denied & source.affirmed - source.denied) | (claim.affirmed & source.denied - source.affirmed)
    kept = ((claim.denied & source.denied) | (claim.affirmed & source.affirmed)) - flipped
    if len(flipped) > len(kept) or (flipped and claim.negative != source.negative):
        yield Remark("open", 0.5, "one denies what the other says")
    strong = pair.coverage >= SAME and not pair.missing and pair.premise.similarity >= ALIKE and not claim.values
    strong = strong and not pair.lead.negative and not pair.caution
    if strong and not ruled_out and not claim.comparison and not _BOUNDED.search(claim.text):
        if claim.negative and not source.negative:
            yield Remark("opposes", 0.65, "the claim denies what the source says")
        elif not claim.negative and flipped and len(flipped) >= len(kept):
            yield Remark("opposes", 0.65, "the source denies what the claim says")


# From here on a sentence says so much of the claim that it supports it, and contradicts it where one denies and the other does not.
SAME, ALIKE = 0.85, 0.55


def _likelihoods(pair: Pair) -> Iterator[Remark]:
    """More or less likely, a higher or a lower risk: the same way, the other way, or not said."""
    claim, source = pair.claim, pair.source
    if not claim.likelihood or claim.comparison:
        return
    if not source.likelihood or pair.coverage < POLAR:
        yield Remark("open", 0.5, "the source does not say that it is more or less likely")
    elif (claim.likelihood == source.likelihood) != (claim.negative == source.negative):
        yield Remark("opposes", 0.75, "the claim and the source disagree on whether it becomes more or less likely")
    else:
        yield Remark("agrees", 0.7, "both say whether it becomes more or less likely")


_COMPARES = re.compile(
    r"\b(as \w+ as|just as|than|compared|versus|whereas|while|unlike|both|equal\w*|alike|same)\b", re.IGNORECASE
)
_MOST_OF = re.compile(r"\b(most|the majority) (of|people|patients|clients|\w+s)\b", re.IGNORECASE)
_DOES = frozenset({"up", "down", "improve", "worsen", "remove"})


def _unsaid(pair: Pair) -> Iterator[Remark]:
    """What a claim adds to the words it shares with a source: a comparison, a majority, an effect."""
    claim, source = pair.claim, pair.source
    if _COMPARES.search(claim.text) and not _COMPARES.search(source.text) and not source.comparison:
        yield Remark("open", 0.5, "the source does not compare the two")
    if _MOST_OF.search(claim.text) and not (
        source.most or source.universal or any(v.kind == "percentage" for v in source.values)
    ):
        yield Remark("weaker", 0.6, "the source does not say it of most")
    does = claim.names & _DOES
    if does and not any(m.effect for m in claim.mentions) and not source.names & _DOES:
        yield Remark("open", 0.5, "the source does not say that it does this")


_TWO_SIDES = re.compile(r"\b(whereas|while|but others?|others|some .{1,60}\bothers)\b", re.IGNORECASE)
# Safe beside risk and dark beside light skin are said in one breath without excluding each other.
_EXCLUDING = OPPOSITES - {frozenset({"safe", "risk"}), frozenset({"darkskin", "lightskin"})}


def _opposites(pair: Pair) -> Iterator[Remark]:
    """Words that exclude each other on the same subject: the same and different, permanent and temporary."""
    if pair.claim.comparison or pair.source.comparison:
        return
    for said in (m for m in pair.claim.mentions if not m.negated):
        for found in (m for m in pair.source.mentions if not m.negated):
            pair_of_names = frozenset((said.name, found.name))
            if pair_of_names in _EXCLUDING and not _TWO_SIDES.search(pair.source.text) and pair.rest_covered(said.name) >= TOPIC:
                yield Remark("opposes", 0.7, f"the claim says “{_plain(said.name)}”, the source “{_plain(found.name)}”")


# "No significant difference between the halves" is a comparison; this says that people or cases differ.
_VARIES = re.compile(
    r"\b(var(y|ies|ied|ying)|depend(s|ed|ing)? on|differs? (from|between) (person|patient|people|case|one)|individual)\b",
    re.IGNORECASE,
)


def _quantities_of_people(pair: Pair) -> Iterator[Remark]:
    """All, most, some, none: a claim for all is not carried by a source that speaks of most or of some."""
    claim, source = pair.claim, pair.source
    covered = pair.rest_covered() >= TOPIC
    if claim.only and covered and (claim.names & AREAS) and (source.names & AREAS) - claim.names:
        yield Remark("opposes", 0.75, "the claim says only there, the source names other places")
    at_home = any(m.name == "home" and not m.negated for m in claim.mentions)
    if at_home and source.only and "professional" in source.names and "home" not in source.names:
        yield Remark("opposes", 0.75, "the source says only by professionals")
    if not claim.universal or not covered:
        return
    if source.not_universal and pair.coverage >= TOPIC:
        yield Remark("opposes", 0.7, "the source says that it does not hold for all")
    elif _VARIES.search(source.text) and pair.coverage >= TOPIC:
        yield Remark("opposes", 0.6, "the source says that this differs from case to case")
    elif not source.universal:
        yield Remark("weaker", 0.6, "the source does not say it of all" + (", it says most" if source.most else ""))


def _absolutes(pair: Pair) -> Iterator[Remark]:
    """Guaranteed, permanent, complete: a plain source does not carry an absolute claim."""
    if (
        pair.claim.absolute
        and not pair.claim.negative
        and not pair.source.absolute
        and not any(m.amount == 0 and m.concept.group == "burden" for m in pair.claim.mentions)
    ):
        yield Remark("weaker", 0.6, "the source does not say it so absolutely")
    if pair.claim.only and not pair.source.only:
        yield Remark("weaker", 0.55, "the source does not say “only”")


def _authorities(pair: Pair) -> Iterator[Remark]:
    """Approved for a use: a source that lists the uses authorised and does not name this one says otherwise."""
    claimed = [m for m in pair.claim.mentions if m.name == "approval"]
    stated = [m for m in pair.source.mentions if m.name == "approval"]
    if not claimed or claimed[0].negated:
        return
    if stated and "need" in pair.source.names and "need" not in pair.claim.names:
        yield Remark("open", 0.5, "the source says that permission is needed, not that it was given")
    listing = pair.lead if any(m.name == "approval" for m in pair.lead.mentions) else pair.around if not stated else pair.source
    if not stated and not any(m.name == "approval" for m in listing.mentions):
        return
    uses = frozenset(m.name for m in pair.claim.mentions if m.concept.group in ("target", "good")) | _people(pair.claim)
    listed = frozenset(m.name for m in pair.source.mentions if m.concept.group in ("target", "good"))
    ages = any(v.kind == "age" for v in pair.source.values)
    if uses and len(listed) >= 2 and not uses & listed and (not _people(pair.claim) or ages):
        yield Remark("opposes", 0.65, "the source lists what is authorised and does not name this")
    elif not uses and pair.source.some:
        yield Remark("weaker", 0.6, "the source says it of particular products or uses only")


POINTS: tuple[Callable[[Pair], Iterator[Remark]], ...] = (
    _burdens,
    _effects,
    _suitability,
    _exclusions,
    _comparisons,
    _figures,
    _polarity,
    _denials,
    _likelihoods,
    _unsaid,
    _opposites,
    _quantities_of_people,
    _absolutes,
    _authorities,
)

_PLAIN = {
    "sideeffect": "side effects",
    "stretchmark": "stretch marks",
    "hairloss": "hair loss",
    "sundamage": "sun damage",
    "wrinkle": "wrinkles",
    "scar": "scars",
    "pore": "pores",
    "blackhead": "blackheads",
    "professional": "a professional",
    "askfirst": "asking a doctor first",
    "numbing": "numbing",
    "anaesthetic": "anaesthesia",
    "blade": "blades",
    "need": "the need",
    "fatloss": "loss of fat",
    "nerve": "nerve damage",
    "tramtrack": "tram-track scarring",
    "burn": "burns",
    "product": "products on the skin",
    "deeplayer": "deeper layers",
}


def _plain(name: str) -> str:
    return _PLAIN.get(name, name)
