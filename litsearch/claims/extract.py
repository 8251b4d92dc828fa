"""Claims out of copy: statements with their offsets, factual or not, of which kinds, express or implied."""

from __future__ import annotations

import re
from collections.abc import Iterator

from litsearch.claims.records import Claim, ClaimKind, NotChecked
from litsearch.passages import sentences_of
from litsearch.records import Span


def extract(copy: str) -> list[Claim]:
    """The statements of a piece of copy in their order; ``copy[claim.start:claim.end] == claim.text`` for each.

    Lines, list items and sentences are statements of their own. A sentence is divided only between two halves that are
    each a claim with a verb. Slogans, prices, greetings and calls to action are kept and marked as not checked.

    >>> [(claim.text, claim.not_checked) for claim in extract("Book now! It is painless, and it shrinks pores.")]
    [('Book now!', 'call to action'), ('It is painless', ''), ('it shrinks pores.', '')]
    >>> extract("")
    []
    """
    claims: list[Claim] = []
    subject = _subject_of(copy)
    for block in _blocks(copy):
        for sentence in sentences_of(copy[block.start : block.end], block.start):
            for span in _clauses(copy, sentence):
                text = copy[span.start : span.end]
                named = _subject_of(text)
                if named and _opens_with(text, named):
                    subject = named
                claims.append(_claim(text, span, "" if named else subject))
    return claims


# What a statement is about. A statement may be of several kinds; the words are those that copy uses.
_KINDS: tuple[tuple[ClaimKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"(?<![\w])(?:{words})", re.IGNORECASE))  # type: ignore[misc]
    for kind, words in (
        (
            "efficacy",
            r"improv\w*|reduc\w*|remov\w*|eras\w+|eliminat\w*|treat(?:s|ing|ed)?\b|work(?:s|ed)?\b|effective\w*|effect\b"
            r"|results?\b|smooth\w*"
            r"|firm(?:s|er|ing)?\b|tight\w*|tone[sd]?\b|brighten\w*|glow\w*|radian\w*|rejuvenat\w*|renew\w*|restor\w+"
            r"|stimulat\w*|boost\w*"
            r"|collagen|elastin|shrink\w*|fad(?:e|es|ed|ing)\b|minimi[sz]\w+|diminish\w*|young\w*|youth\w*|anti-?age?ing"
            r"|cure[sd]?\b|benefit\w*"
            r"|help(?:s|ed)?\b|clear(?:s|er)?\b|plump\w*|lift\w*|regrow\w*|grow(?:s|th)?\b|absor\w+|penetrat\w*|heal(?:s"
            r"|ing)?\b|prevent\w*"
            r"|enhanc\w*|increas\w*|decreas\w*|soften\w*|transform\w*|goodbye|wrinkle\w*|scar\w*|pores?\b|stretch marks?"
            r"|pigment\w*",
        ),
        (
            "safety",
            r"safe\w*|risk\w*|side.?effects?|pain\w*|hurt\w*|discomfort|comfortabl\w+|uncomfortabl\w+|down.?time|recover\w*"
            r"|red(?:ness)?\b"
            r"|swell\w*|swollen|bleed\w*|bruis\w*|infect\w*|numb\w*|an(?:a)?esth\w*|suitabl\w*|gentle|complication\w*"
            r"|pregnan\w*|breast.?feed\w*"
            r"|candidates?|allerg\w*|adverse|harm\w*|burn(?:s|ing)?\b|side-?effect|toler\w+|keloid\w*|contra.?indicat\w*"
            r"|irritat\w*|peel(?:s|ing)?\b"
            r"|back to (?:work|normal)|scabs?\b|non-?invasive|minimally.invasive|doctor|dermatologist|everyone|anyone|any age",
        ),
        (
            "comparative",
            r"than\b|versus\b|vs\b|compared|better|best\b|superior|unlike|alternative|as \w+ as\b|rather than|prefer\w*"
            r"|outperform\w*|beats?\b"
            r"|leading|only treatment|number one|no\. ?1\b|more \w+ than|instead of",
        ),
        (
            "absolute",
            r"all\b|every\w*|anyone|any\b|never|always|no\b|none\b|zero|100 ?%|guarantee\w*|permanent\w*|forever"
            r"|complete\w*|total(?:ly)?\b"
            r"|entire\w*|instant\w*|cure[sd]?\b|perfect\w*|painless\w*|\w+-free\b|without\b|proven|once and for all"
            r"|immediate\w*|overnight|only\b",
        ),
        (
            "numeric",
            r"\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|single|double[sd]?|tripl\w+|half|dozen|several"
            r"|multiple|couple of)\b",
        ),
        (
            "regulatory",
            r"FDA\b|MHRA\b|EMA\b|TGA\b|NICE\b|CQC\b|Health Canada|CE[- ]?mark\w*|510\(k\)|de novo|approv(?:ed|al)\b"
            r"|cleared\b|clearance\b|licen[sc]ed?\b"
            r"|authori[sz]\w+|certif\w+|registered\b|regulat\w+|medical[- ]grade|clinically (?:proven|tested)",
        ),
    )
)

_IMPLIED = re.compile(
    r"\b(say|wave|kiss) (good)?bye|turn(ing)? back (the clock|time)|no more\b|imagine\b|look(ing)? (up to )?(\w+ )?years"
    r" younger|secret (to|of)"
    r"|your skin will (love|thank)|reveal\b|unlock\b|like never before|back to (your )?life|doctors? (love|recommend)"
    r"|trusted by|celebrit",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^\W*(welcome\b|hello\b|hi\b|hey\b|dear\b|good (morning|afternoon|evening)|thank you|thanks\b|happy )", re.IGNORECASE
)
_PRICE = re.compile(
    r"[£$€]\s?\d|\b\d+(\.\d\d)?\s?(gbp|usd|eur|pounds|dollars|euros)\b|\d+ ?% off\b|\bhalf.price\b|\b(offer|sale) (ends"
    r"|runs|valid)\b"
    r"|\bdiscount\w*\b|\bfinance available\b|\bgift (card|voucher)|\bfree (consultation|gift)\b|\bprices? (start|from)\b",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"^\W*(book|call|ring|phone|contact|visit|schedule|come|click|tap|join|follow|sign up|subscribe|discover|find out|learn"
    r"|get in touch|get started"
    r"|don.t (miss|wait)|treat yourself|try|ask (us|our)|message|email|request|reserve|enquire|shop|hurry|act now|read more"
    r"|see (our|more)"
    r"|speak (to|with) (us|our|one of)|talk to (us|our|one of)|let us|why not|take the first step|start your)\b",
    re.IGNORECASE,
)
_TESTIMONIAL = re.compile(r"^\W*[\"“'‘].*\b(I|my|me)\b.*|\b(I|my)\b.*[\"”]\s*[-–—]", re.DOTALL)
_OWN_VOICE = re.compile(
    r"^\W*(we|our|us|at our|here at|because you|you deserve|your (beauty|journey|confidence|best))\b", re.IGNORECASE
)

# Verbs that stand for a finite verb without a grammar: what statements about treatments use.
_FINITE = re.compile(
    r"\b(is|are|was|were|isn.t|aren.t|has|have|had|does|do|doesn.t|don.t|did|can|can.t|cannot|will|won.t|may|might|could"
    r"|would|should|must"
    r"|needs?|requires?|takes?|lasts?|works?|leaves?|causes?|reduces?|improves?|removes?|shrinks?|makes?|gives?|stimulates?"
    r"|boosts?|treats?"
    r"|helps?|costs?|fades?|tightens?|smooths?|heals?|uses?|involves?|produces?|restores?|erases?|increases?|decreases?"
    r"|hurts?|feels?|goes"
    r"|penetrates?|lets?|allows?|starts?|appears?|shows?|disappears?|subsides?|returns?|stays?|remains?|suits?|carries"
    r"|offers?|provides?"
    r"|delivers?|means?|clears?|cures?|prevents?|promotes?|encourages?|triggers?|comes?|gets?|brings?|eliminates?|softens?"
    r"|brightens?|firms?"
    r"|lifts?|plumps?|regrows?|sees?|experiences?|notices?|recommends?|approved|proven|depends?|varies|vary|continues?"
    r"|beats?|outperforms?)\b",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"\s*;\s+|\s+[—–]\s+|,?\s+(?:but|whereas|while|yet)\s+|,\s+(?:and|so)\s+|\s+and\s+|,?\s+(?=with\s+\w+\s|without\s)",
    re.IGNORECASE,
)
# "... with no downtime" promises something of its own beside what stands before it.
_WITHOUT_BURDEN = re.compile(
    r"(with (no|zero|little|minimal|hardly any|almost no)|without( any)?)\s+(\w+ )?(pain|discomfort|down.?time"
    r"|side.?effects?|risks?|scarring|recovery"
    r"|redness|swelling|bruising|complications?|bleeding)\b",
    re.IGNORECASE,
)
_SECOND_QUALITY = re.compile(
    r"(completely |totally |perfectly |always |very )?(safe|painless|gentle|suitable|effective|permanent|approved|cleared"
    r"|FDA|fit|free from)\b.*\b"
    r"(for|in|on|to|with|from|by)\b|(FDA|MHRA)[- ]\w+",
    re.IGNORECASE | re.DOTALL,
)
_HALF_NAMED = re.compile(r"\b(a|an|the|this|our)\s+(\w+\s+)?\w+$", re.IGNORECASE)
_OPENS_CLAUSE = re.compile(
    r"(it|its|they|you|your|there|this|that|these|those|the|most|many|some|all|no|every|each|results?|patients?|people"
    r"|recovery|treatments?"
    r"|sessions?|microneedling|skin)\b",
    re.IGNORECASE,
)

TREATMENTS = re.compile(
    r"\b((?:rf|radio.?frequency|fractional)[ -](?:rf[ -])?(?:micro.?)?needling|micro.?needling|(?:skin|medical|derma)["
    r" -]?needling|needling"
    r"|collagen induction(?: therapy)?|derma.?(?:rollers?|pens?|stamps?)|micro.?dermabrasion|dermabrasion|vampire facials?"
    r"|platelet.rich plasma|prp"
    r"|chemical peels?|peels?|fractional lasers?|laser (?:resurfacing|treatment|hair removal)|lasers?|ipl|botulinum toxin"
    r"|botox|dermal fillers?"
    r"|fillers?|mesotherapy|cryotherapy|led therapy|exosomes?|polynucleotides?|hydrafacials?|thread lifts?|isotretinoin"
    r"|minoxidil)\b",
    re.IGNORECASE,
)


def kinds_of(text: str) -> tuple[ClaimKind, ...]:
    """What a statement is about, in a fixed order.

    >>> kinds_of("Less painful than a laser, in only two sessions")
    ('safety', 'comparative', 'absolute', 'numeric')
    """
    return tuple(kind for kind, pattern in _KINDS if pattern.search(text))


def _claim(text: str, span: Span, subject: str) -> Claim:
    kinds = kinds_of(text)
    not_checked = _why_not_checked(text, kinds)
    implied = bool(_IMPLIED.search(text)) or (bool(_CALL.match(text)) and not not_checked)
    return Claim(text, span.start, span.end, not_checked, kinds, implied, subject)


def _why_not_checked(text: str, kinds: tuple[ClaimKind, ...]) -> NotChecked:
    states = set(kinds) & {"efficacy", "safety", "comparative", "regulatory"}
    if text.rstrip().endswith("?"):
        return "question"
    if _TESTIMONIAL.search(text):
        return "testimonial"
    if _GREETING.match(text) and not _FINITE.search(text):
        return "greeting"
    if _PRICE.search(text) and not states:
        return "price"
    if _CALL.match(text) and not (states & {"safety", "regulatory"} or ("absolute" in kinds and states)):
        return "call to action"
    if states or _IMPLIED.search(text) or (len(text.split()) > 4 and _subject_of(text)):
        return ""
    has_verb = bool(_FINITE.search(text))
    if not has_verb and text.rstrip()[-1:] not in ".!" and "numeric" not in kinds and "absolute" not in kinds:
        return "heading"
    if _OWN_VOICE.match(text) or not (has_verb or "numeric" in kinds or "absolute" in kinds):
        return "slogan"
    return ""


_BULLET = re.compile(r"[ \t]*(?:[-*•●▪◦‣✓✔✅➤·]|\(?\d{1,2}[.)](?=[ \t])|#{1,6}(?=[ \t])|>(?=[ \t]))[ \t]*")


def _blocks(copy: str) -> Iterator[Span]:
    """Stretches of text that hold whole statements: paragraphs, headings, list items, without their markers."""
    held: Span | None = None
    position = 0
    for line in copy.splitlines(keepends=True):
        marker = _BULLET.match(line)
        begin = position + (marker.end() if marker else 0)
        end = position + len(line.rstrip())
        while begin < end and copy[begin].isspace():
            begin += 1
        position += len(line)
        continues = held is not None and begin < end and not marker and _goes_on(copy[held.start : held.end], copy[begin:end])
        if continues and held is not None:
            held = Span(held.start, end)
            continue
        if held is not None:
            yield held
        held = Span(begin, end) if begin < end else None
    if held is not None:
        yield held


def _goes_on(before: str, line: str) -> bool:
    """Whether a line goes on with the sentence of the line before it (text wrapped at a fixed width)."""
    if before[-1] in '.!?:"”':
        return False
    return line[0].islower() or before[-1] in ",;" or len(before.rsplit("\n", 1)[-1]) > 65


def _clauses(copy: str, sentence: Span) -> Iterator[Span]:
    """The sentence, or its parts where both sides of a joint are claims with a verb of their own."""
    text = copy[sentence.start : sentence.end]
    if text.rstrip().endswith("?"):
        yield sentence
        return
    begin = 0
    for joint in _JOINT.finditer(text):
        left, right = text[begin : joint.start()], text[joint.end() :]
        if (_stands_alone(left) or (begin and _SECOND_QUALITY.match(left))) and (
            (_stands_alone(right) and _can_open(right, joint.group())) or _adds_quality(left, right)
        ):
            yield Span(sentence.start + begin, sentence.start + joint.start())
            begin = joint.end()
    if text[begin:].strip():
        yield Span(sentence.start + begin, sentence.end)


def _stands_alone(text: str) -> bool:
    return bool(_FINITE.search(text)) and bool(set(kinds_of(text)) - {"absolute", "numeric"}) and len(text.split()) >= 2


def _adds_quality(left: str, right: str) -> bool:
    """ "... with no downtime" and "... and safe for all skin types" are claims without a verb of their own."""
    return bool(_WITHOUT_BURDEN.match(right)) or (bool(_SECOND_QUALITY.match(right)) and not _HALF_NAMED.search(left))


def _can_open(right: str, joint: str) -> bool:
    """A bare "and" may join two nouns: the right side must then open with a verb or a new subject with its verb near."""
    opening = " ".join(right.split()[:6])
    if not joint.strip(" ,"):
        return False
    if _FINITE.match(right):
        return True
    new_subject = bool(_OPENS_CLAUSE.match(right)) and bool(_FINITE.search(opening))
    return new_subject or (joint.strip() not in ("and", ", and") and bool(_FINITE.search(opening)))


# What follows these is what the subject is compared with.
_COMPARED = re.compile(r"\b(than|versus|vs|unlike|compared (?:to|with)|instead of|rather than)\b", re.IGNORECASE)


def _subject_of(text: str) -> str:
    """The first treatment named that is not merely compared with, in lower case; empty when there is none."""
    compared = _COMPARED.search(text)
    found = TREATMENTS.search(text, 0, compared.start() if compared else len(text))
    return found.group().lower() if found else ""


def _opens_with(text: str, treatment: str) -> bool:
    return treatment in " ".join(text.lower().split()[:6])
