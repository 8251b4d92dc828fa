"""What a sentence says, as far as rules can read it: concepts, negation, amounts, directions, quantifiers, comparisons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from litsearch.claims.concepts import Concept, Found, Token, concepts_in, tokens_of
from litsearch.claims.values import Value, values_of


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept as a sentence speaks of it.

    ``amount``: 0 none, 1 little, 2 some (or not stated), 3 much. ``effect``: +1 when the sentence says that a treatment does
    good there (less of what is unwanted, more of what is wanted), -1 harm or no benefit, 0 not stated. ``complete`` when it is
    said to go away altogether, ``incomplete`` when it is said not to. ``absent`` when it is itself what is said not to be
    there: "no pain", "not painful", but not "should not be done on infected skin".
    """

    concept: Concept
    negated: bool
    amount: int
    effect: int
    complete: bool
    incomplete: bool
    first: int
    last: int
    absent: bool = False

    @property
    def name(self) -> str:
        return self.concept.name


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is more or less than what: the concepts measured, the sign (0: alike), and what stands on either side."""

    dimensions: frozenset[str]
    sign: int
    left: frozenset[str]
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence as the rules read it.

    ``denied`` and ``affirmed`` hold the stems of its content words by whether they stand under a negation; ``negative`` when
    anything in it denies. ``question`` also when it only raises one without settling it. ``likelihood`` is +1 when something
    is said to become likelier or more frequent, -1 for less so, 0 where neither is said.
    """

    text: str
    mentions: tuple[Mention, ...]
    words: tuple[str, ...]
    values: tuple[Value, ...]
    comparison: Comparison | None
    universal: bool
    not_universal: bool
    most: bool
    some: bool
    only: bool
    absolute: bool
    hedged: bool
    caution: bool
    permits: bool
    question: bool
    denied: frozenset[str]
    affirmed: frozenset[str]
    negative: bool
    likelihood: int

    def named(self, name: str) -> list[Mention]:
        return [m for m in self.mentions if m.name == name]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(m.name for m in self.mentions)

    @property
    def treatments(self) -> frozenset[str]:
        return frozenset(m.name for m in self.mentions if m.concept.group == "treatment")


@lru_cache(maxsize=20_000)
def read(text: str) -> Statement:
    """Read one sentence.

    >>> s = read("It does not hurt and never leaves scars.")
    >>> [(m.name, m.negated, m.amount) for m in s.mentions if m.concept.group in ("burden", "target")]
    [('pain', True, 0), ('scar', True, 0)]
    >>> read("Microneedling carries fewer risks than surgery.").comparison.sign
    -1
    """
    tokens = tokens_of(text)
    found = concepts_in(tokens)
    clauses = _clauses(text, tokens)
    negated = _negated(tokens, clauses)
    mentions = _share_in_lists([_mention(f, found, tokens, clauses, negated) for f in found])
    covered = {n for f in found for n in range(f.first, f.last)}
    values = tuple(values_of(text))
    words = tuple(
        token.word
        for n, token in enumerate(tokens)
        if n not in covered
        and token.word not in _COMMON
        and not any(v.start <= token.start < v.end for v in values)
        and len(token.word) > 2
    )
    universal, not_universal = _quantifiers(tokens, negated)
    content = [(t.stem, n) for n, t in enumerate(tokens) if t.word not in _COMMON and t.word not in _NEGATORS and len(t.word) > 2]
    return Statement(
        text=text,
        mentions=mentions,
        words=words,
        values=values,
        comparison=_comparison(tokens, found),
        universal=universal,
        not_universal=not_universal,
        most=bool(_MOST.search(text)),
        some=bool(_SOME.search(text)),
        only=bool(_ONLY.search(text)),
        absolute=bool(_ABSOLUTE.search(text)),
        hedged=bool(_HEDGED.search(text)),
        caution=bool(CAUTION.search(text)),
        permits=bool(_PERMITS.search(text)),
        question=text.rstrip().endswith("?") or bool(_RAISES.search(text)),
        denied=frozenset(stem for stem, n in content if negated[n]),
        affirmed=frozenset(stem for stem, n in content if not negated[n]),
        negative=any(negated) or any(f.mark == "!" for f in found) or bool(_DENIES.search(text)),
        likelihood=_likelihood(text),
    )


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that carry nothing of a claim that could be missing from a source.
_COMMON = _set("""
    a an and are as at be been being but by can could did do does for from had has have he her his if in into is it its
    may might more most much of on or our own she so such than that the their them then there these they this those to too
    was we were when where which while who whom whose why will with would you your am about also after all any because
    before both during each either even every few following get gets give gives given go goes got how however just like
    made many neither no nor not often only other over per same should since some still take takes taken through thus
    under until up upon use used uses using very via well what whatever within without yet one two three four five six
    seven eight nine ten treatment treatments procedure procedures method technique therapy skin patient patients people
    person persons individual individuals client clients everyone everybody anyone anybody whoever nobody cause causes
    caused cosmetic aesthetic area areas part parts certain particular various several multiple numerous number kind kinds
    type types first second third time times thing things least less completely totally entirely absolutely perfectly
    really simply special whatsoever additional able allow allows let lets leave leaves include includes including involve
    involves provide provides provided come comes become becomes seem seems another else ever never always already again
    once it's don't doesn't isn't can't cannot won't shouldn't aren't day days week weeks month months year years hour
    hours minute minutes mm percent afterwards afterward straight any found find finds case cases way ways feel feels
    little mild overall nearly almost significantly significant later earlier together alone combined group groups side
    sides average averaged series direct directly proper properly quite somewhat slightly highly great greatly good bad
    full fully whole actual actually clearly likely probably perhaps rather soon already long short usual usually typical
    typically normal normally general generally want wants wanted desire desired achieve achieved obtain reach reaches
    reached experience experiences experienced participant participants rate rated rates report reported say says said
    state stated according compared happen happens occur occurs keep keeps kept put puts stop stops try tries offer offers
    deal deals lead leads turn turns trial study abstract bring brings draw draws tell tells think thinks believe believes
    consider considered describe described regard regarded call called named refer main chiefly primarily largely partly
    fairly pretty too hence therefore split-face add adds adding added course courses
""")

_NEGATORS = _set("""
    not no never without none neither nor cannot zero nobody nothing nowhere lack lacks lacking n't avoid avoids avoiding
    rather fails fail
""")
# "Swelling was not seen": what stands before is what was not there.
_NOTICED = _set("seen found observed reported noted recorded detected noticed needed required used")
_NOT_NEGATION = re.compile(
    r"^(not only|not just|not merely|no more than|no less than|not more than|no later than|no matter|no longer than|no"
    r" sooner|no doubt)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[;:!?]|\s[—–-]\s|,\s(?=\w+ing\s)|,?\s(?=(?:but|although|though|because|whereas|while|therefore|however|unless|yet"
    r"|which|so that)\s)"
    r"|,\s(?=(?:and|so)\s+(?:it|this|they|the|most|you|there|patients|people)\s)|\.\s",
    re.IGNORECASE,
)
_LITTLE = _set("""
    minimal minimally mild mildly slight slightly little low minor minimum brief negligible few small light barely hardly
    relatively
""")
_MUCH = _set("""
    severe severely serious seriously significant extreme extremely unbearable unbearably intense intensely heavy strong
    high major excruciating considerable substantial terrible lot agonising agonizing
""")
_COMPLETE = _set("completely complete totally total entirely fully altogether all every any whole permanently forever once")

_ALL = _set("all every everyone everybody anyone anybody any each always whichever regardless whatever 100 irrespective")
_NOT_ALL = re.compile(
    r"\b(at all|above all|overall|after all|all over|any of the following|if any|all the same|first of all|any potential"
    r"|any further)\b",
    re.IGNORECASE,
)
_MOST = re.compile(
    r"\b(most|majority|typically|usually|generally|normally|commonly|mostly|as a rule)\b(?! (often|effective))", re.IGNORECASE
)
_SOME = re.compile(r"\b(some|certain|sometimes|particular|occasionally|a few|in some cases|up to)\b", re.IGNORECASE)
_ONLY = re.compile(
    r"\b(only|solely|exclusively|nothing but|nowhere else)\b(?! (need|takes?|if|when|after|one|a |the first))", re.IGNORECASE
)
_ABSOLUTE = re.compile(
    r"\b(guarantee[sd]?|certain to|sure to|definitely|proven|always|never|100 ?%|completely|totally|entirely|absolutely"
    r"|perfectly|fully|permanent(ly)?|forever"
    r"|for ever|for good|once and for all|whatsoever|without exception|every time|instant(ly)?|immediate(ly)?|cures?)\b",
    re.IGNORECASE,
)
_HEDGED = re.compile(
    r"\b(may|might|could|possibly|potential(ly)?|perhaps|suggests?|appears? to|seems?|likely|thought to|believed?)\b",
    re.IGNORECASE,
)
CAUTION = re.compile(
    r"\bnot (be |been )?(necessarily )?(a )?(good |right |the right )?(suitable|recommended|advised|right|safe|appropriate"
    r"|for everyone|a candidate|candidates?|everyone)"
    r"|\bshould (not|avoid|never|ask|see|consult|talk|speak)\b|\bshouldn.t\b|contra.?indicat|\b(bad|poor|unsuitable)"
    r" candidates?\b|\bunsuitable\b"
    r"|\b(see|consult|ask|talk to|speak to|check with|tell)( with)? (your|a|an|the)( [a-z]+)? ?(doctor|dermatologist|gp"
    r"|physician|professional|provider|nurse|surgeon|midwife|pharmacist|therapist|practitioner|clinician)"
    r"|\b(at|higher|increased|greater|more) (a )?(higher |increased |greater )?risk\b|\bmust not\b|\bwarn(s|ed|ing)?\b"
    r"|\b(will|can) not (be )?(offered|possible|go ahead|treat|done)\b|\bnot (then )?possible\b|\bcannot be treated\b|\bavoid(ing|ed)?\b",
    re.IGNORECASE,
)
_PERMITS = re.compile(
    r"\b(can|may|able to|free to|suitable|ideal|safe|safely|fine|allowed|recommended|perfect|right|good|works?|without (any"
    r" )?(concern|worr\w+|risk|problem)s?"
    r"|no (concern|worr\w+|problem)s?|no need|not need(ed)?|needn.t|welcome|eligible|nothing to stop)\b",
    re.IGNORECASE,
)


# Speaks of a question, a worry or a rumour and leaves open what is so: "Many clients ask whether it helps."
_RAISES = re.compile(
    r"(?<!regardless of )(?<!no matter )\bwhether\b(?! or not)(?![^.;]{0,60}\bor (old|young|new|small|large|not)\b)"
    r"|\b(people|patients?|clients?|readers?|customers?|women|men|guests?|parents?|visitors?|users?|friends?|athletes|some|many"
    r"|others|most|everyone|they)\b[^.;]{0,30}\b(ask(s|ed)?|wonder(s|ed)?|enquired?|debate[sd]?|speculate[sd]?)\b"
    r"|\b(we|i|us|are|is|am) (are |am |is )?(often|frequently|sometimes|regularly|always|also|now)? ?(asked|being asked|being talked)\b"
    r"|\b(keep|kept) asking\b|\basked about\b"
    r"|\b(is|remains|are|remain) (still )?(an? )?(open|unanswered|matter of debate|debated|disputed|unclear|unknown|not known|not (yet )?settled)"
    r"|\b(nobody|no one|no study|no trial) (has|have) (yet )?settled\b|\bcould not agree\b|\ba question (for|that|on which|of taste)\b"
    r"|\bquestions? (about|on) [^.;]{1,60}\b(should be|are best|can be|are for|is for)\b"
    r"|\b(may|might|will) have (heard|read)\b|\b(lovely |many )?stories (are told|about)\b|\b(nervous|worried|anxious|curious) about\b"
    r"|\b(can|could|may|will) (discuss|talk (to you )?about|be discussed)\b|\bis a (debate|question|topic|subject) for\b"
    r"|\b(raise|mention|bring) (it|this|these|any worry|them) (at|to|with|when|up)\b",
    re.IGNORECASE,
)
# Denies without a word of negation in it.
_DENIES = re.compile(
    r"\b(seldom|rarely|hardly|barely|scarcely|unlike|instead of|fail(s|ed)?|un(suitable|able|likely|safe|necessary|changed|affected)"
    r"|impossible|in vain|too \w+ to|too much for|neither|nor|refus\w+|exclud\w+|rul(es?|ed) out|forbidden|banned"
    r"|contra.?indicat\w+|free (of|from)|far from|anything but|except|only)\b",
    re.IGNORECASE,
)
_LIKELIER = re.compile(
    r"\b(more|likelier|likeliest)( much| far| a lot)? (likely|often|common|commonly|frequent|frequently)\b|\blikelier\b"
    r"|\b(rais(es?|ed|ing)|increas(es?|ed|ing)|add(s|ed)? to|higher|greater)( in| the| your| their| a| is)* (risk|chance|odds|likelihood|danger)\b"
    r"|\b(risk|chance|odds|likelihood|danger)s? (\w+ ){0,4}(ris(es?|ing)|rose|goes up|higher|greater|increas\w+)\b",
    re.IGNORECASE,
)
_UNLIKELIER = re.compile(
    r"\bless( much| far| a lot)? (likely|often|common|commonly|frequent|frequently)\b"
    r"|\b(lower(s|ed|ing)?|reduc(es?|ed|ing)|cuts?|decreas(es?|ed|ing)|lessen(s|ed)?|smaller)( the| your| their| a)*"
    r" (risk|chance|odds|likelihood|danger)\b"
    r"|\b(risk|chance|odds|likelihood|danger)s? (\w+ ){0,4}(falls?|fell|goes down|lower|smaller|decreas\w+|reduced)\b",
    re.IGNORECASE,
)


def _likelihood(text: str) -> int:
    return bool(_LIKELIER.search(text)) - bool(_UNLIKELIER.search(text))


def _clauses(text: str, tokens: Sequence[Token]) -> list[int]:
    """For each token the number of its clause."""
    ends = [match.start() for match in _CLAUSE_END.finditer(text)]
    return [sum(end <= token.start for end in ends) for token in tokens]


def _negated(tokens: Sequence[Token], clauses: Sequence[int]) -> list[bool]:
    """Whether each token stands under a negation: after a negator, to the end of its clause."""
    flags = [False] * len(tokens)
    for n, token in enumerate(tokens):
        following = " ".join(t.word for t in tokens[n : n + 3])
        if token.word in ("avoided", "refrained") or following.startswith(("kept off", "kept away", "kept out", "left off")):
            # "Sun should be avoided": what stands before is what is not to be.
            for earlier in range(max(0, n - 6), n):
                flags[earlier] = flags[earlier] or clauses[earlier] == clauses[n]
        if token.word in ("not", "never") and n + 1 < len(tokens) and tokens[n + 1].word in _NOTICED:
            for earlier in range(max(0, n - 6), n):
                flags[earlier] = flags[earlier] or clauses[earlier] == clauses[n]
        keeps_off = following.startswith(
            ("keep away", "keep out", "keep off", "stay away", "stay out", "keeping out", "keeping away")
        )
        stops = token.word in ("stop", "stopping") and n + 1 < len(tokens) and tokens[n + 1].word.endswith("ing")
        if token.word not in _NEGATORS and not token.word.endswith("n't") and not keeps_off and not stops:
            continue
        if _NOT_NEGATION.match(following) or (token.word == "rather" and not following.startswith("rather than")):
            continue
        # Two negations side by side take each other back ("never without", "not without").
        twice = n > 0 and flags[n] and (tokens[n - 1].word in _NEGATORS or tokens[n - 1].word.endswith("n't"))
        for later in range(n + 1, min(len(tokens), n + 14)):
            if clauses[later] != clauses[n]:
                break
            flags[later] = not twice
    return flags


def _quantifiers(tokens: Sequence[Token], negated: Sequence[bool]) -> tuple[bool, bool]:
    text = " ".join(token.word for token in tokens)
    excused = {word for match in _NOT_ALL.finditer(text) for word in match.group().split()}
    places = [n for n, token in enumerate(tokens) if token.word in _ALL and token.word not in excused]
    # "no ... any" means none of it; only "not ... all/everyone/every" leaves some.
    not_all = any(negated[n] and tokens[n].word in ("all", "every", "everyone", "everybody", "each", "always") for n in places)
    return any(not negated[n] for n in places), not_all


def _mention(
    found: Found, others: Sequence[Found], tokens: Sequence[Token], clauses: Sequence[int], negated: Sequence[bool]
) -> Mention:
    is_negated = negated[found.first] != (found.mark == "!")
    near = [
        tokens[n].word
        for n in range(max(0, found.first - 3), min(len(tokens), found.last + 4))
        if clauses[n] == clauses[found.first]
    ]
    amount = 2
    if found.mark == "~" or _LITTLE & set(near):
        amount = 1
    if _MUCH & set(near):
        # "No serious effects" leaves room for slight ones.
        amount = 1 if is_negated else 3
    elif is_negated:
        amount = 0
    effect, complete, incomplete = _effect(found, others, tokens, clauses, negated)
    absent = amount == 0 and (found.mark == "!" or _is_absent(found, others, tokens, clauses))
    return Mention(found.concept, is_negated, amount, effect, complete, incomplete, found.first, found.last, absent)


# What may stand between "not" and what it says is not there: "does not cause any lasting pain".
_BRINGS = _set("""
    a an any the much very really cause causes caused feel feels felt have has had be been being become becomes get gets give
    gives lead leads to experience need needs produce leave leaves result in come comes with require notice at all single too
    and or of from suffer see seen found observed reported noted recorded known bring brings mean means involve involves
    carry carries more than brief lasting long serious severe major significant some kind especially particularly necessarily
""")


def _is_absent(found: Found, others: Sequence[Found], tokens: Sequence[Token], clauses: Sequence[int]) -> bool:
    """Whether a negated concept is itself what is denied, not something done to it or in spite of it."""
    burdens = {n for o in others if o.concept.group == "burden" for n in range(o.first, o.last)}
    for n in range(found.first - 1, -1, -1):
        if clauses[n] != clauses[found.first]:
            break
        word = tokens[n].word
        if word in ("no", "without", "zero", "free", "nobody", "none", "neither", "nor", "lack", "lacks"):
            return True
        if word in _NEGATORS or word.endswith("n't"):
            return n == 0 or tokens[n - 1].word not in _MODALS
        if word not in _BRINGS and n not in burdens:
            break
    # "Swelling was not seen", "pain is avoided": the denial follows.
    after = [tokens[n].word for n in range(found.last, min(len(tokens), found.last + 4))]
    return bool({"not", "never", "absent", "avoided", "nobody", "none"} & set(after))


_MODALS = _set("should must may ought shall")


def _share_in_lists(mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """What is done to the first of a list is done to the others: "diminishes acne scars, burns and stretch marks"."""
    shared: list[Mention] = []
    for mention in mentions:
        before = shared[-1] if shared else None
        listed = (
            before is not None and before.concept.valence == mention.concept.valence != 0 and mention.first - before.last <= 2
        )
        if listed and before is not None and before.effect and before.concept.group in ("target", "good"):
            mention = replace(mention, effect=before.effect, complete=before.complete, incomplete=before.incomplete)
        shared.append(mention)
    return tuple(shared)


# Words for outcomes that are good in themselves: "smoother skin" needs no verb.
_DEGREES = _set("more less fewer higher greater larger bigger smaller lower")
_OUTCOMES = frozenset(
    {"glow", "firmness", "smoothness", "youth", "moisture", "absorption", "healing", "satisfaction", "elasticity"}
)
_EFFECTS = ("up", "down", "remove", "improve", "worsen", "make")


def _effect(
    found: Found, others: Sequence[Found], tokens: Sequence[Token], clauses: Sequence[int], negated: Sequence[bool]
) -> tuple[int, bool, bool]:
    """What the nearest action does to a concept: +1 good, -1 harm or none, 0 unknown; whether completely; expressly not so."""
    valence = found.concept.valence
    if not valence:
        return 0, False, False
    if found.mark == "!":
        return (1 if found.concept.group == "target" else 0), True, False
    if found.mark == "+":
        return (-1 if negated[found.first] else 1), False, False
    clause = [t.word for t, c in zip(tokens, clauses, strict=True) if c == clauses[found.first]]
    if valence < 0 and "still" in clause and {"there", "visible", "remain", "remains"} & set(clause):
        return 0, False, True
    known = [name for name in _EFFECTS if name != "make" or valence > 0]
    actions = [o for o in others if o.concept.name in known and clauses[o.first] == clauses[found.first]]
    # "More even skin" is no more of anything; "more collagen" is: a bare degree must stand beside what it measures.
    actions = [o for o in actions if tokens[o.first].word not in _DEGREES or _distance(o, found) <= 2]
    strong = [o for o in actions if o.concept.name != "make"]
    # "Slows the production of collagen": making is what is slowed.
    actions = [o for o in actions if o.concept.name != "make" or not any(abs(o.first - s.first) <= 3 for s in strong)]
    ranked = sorted(actions, key=lambda o: (_distance(o, found), o.first > found.first, o.first))
    reach = 8 if found.concept.group == "good" else 6
    if not ranked or _distance(ranked[0], found) > reach:
        return (1 if found.concept.name in _OUTCOMES and not negated[found.first] else 0), False, False
    action = ranked[0]
    name = action.concept.name
    sign = {"up": valence, "make": valence, "down": -valence, "remove": -valence, "improve": 1, "worsen": -1}[name]
    if negated[action.first] != (action.mark == "!"):
        if name == "remove":
            return 0, False, True
        sign = -sign
    around = {tokens[n].word for n in range(max(0, action.first - 2), min(len(tokens), action.last + 3))}
    complete = name == "remove" or bool(around & {"completely", "totally", "entirely", "fully", "altogether"})
    return sign, complete, False


def _distance(action: Found, found: Found) -> int:
    return found.first - action.last if action.first < found.first else action.first - found.last


_TIMES_AS = re.compile(r"\b(?:times|twice|as) as (?:\w+ ){1,6}as (?:after|with|for|in)\b", re.IGNORECASE)


def _unsaid_comparison(words: Sequence[str], names: Sequence[tuple[str, str, int]]) -> Comparison | None:
    """A comparison whose other side is not named ("redness lasted longer with the laser"): anything may stand there."""
    for marker, word in enumerate(words):
        if (word not in _MORE and word not in _LESS) or word in ("further", "often", "easily"):
            continue
        if marker and words[marker - 1] in ("no", "not", "any", "once", "needs", "need", "and"):
            continue
        joined = next((n for n in range(marker + 1, min(len(words), marker + 5)) if words[n] in ("with", "after", "in")), None)
        after = {
            name for name, group, first in names if joined is not None and group == "treatment" and joined < first <= joined + 4
        }
        verbs = {
            name
            for name, group, first in names
            if first == marker - 1 and group in ("burden", "good", "action") and name not in ("up", "down")
        }
        ahead = {name for name, group, first in names if group == "treatment" and first < marker}
        left = after or (ahead if verbs else set())
        if left:
            measured = {name for name, group, first in names if first < marker + 3 and group in ("burden", "target", "good")}
            return Comparison(frozenset(measured), -1 if word in _LESS else 1, frozenset(left), ANY_OTHER)
    return None


# Stands for whatever else a source compares with, where it does not name it.
ANY_OTHER = frozenset({"*"})
_MORE = _set("""
    more higher greater larger bigger deeper better longer faster safer stronger further riskier worse easier easily often
    thicker sooner quicker cheaper
""")
_LESS = _set("fewer less lower smaller shorter slower weaker rarer")
_WORDS_OF_DIMENSION = {
    "deeper": "depth",
    "safer": "safe",
    "riskier": "risk",
    "better": "improve",
    "worse": "improve",
    "longer": "duration",
    "shorter": "duration",
    "cheaper": "cost",
    "larger": "size",
    "bigger": "size",
    "smaller": "size",
    "faster": "fast",
    "slower": "fast",
}
_DOWNWARD = frozenset({"worse"})
_ALIKE = re.compile(
    r"\b(no (significant |statistically significant )?difference|not (be |been )?(significantly |statistically )?(different"
    r"|superior|better)|neither\b.{0,60}\b(better|superior|ahead)"
    r"|comparable|equally|equal(ly)? (good|well)|as (well|good|much|effective|many|safe|painful|often|strong) as|alike"
    r"|nearly level|similar(ly)?|did not differ|the same as)\b",
    re.IGNORECASE,
)


def _comparison(tokens: Sequence[Token], found: Sequence[Found]) -> Comparison | None:
    """The comparison that a sentence draws with "than", "against" or a word of equality; None where it draws none."""
    text = " ".join(token.word for token in tokens)
    place = next(
        (
            n
            for n, t in enumerate(tokens)
            if t.word in ("than", "versus", "vs", "against", "beats", "beat", "outperforms", "outperformed") and n > 0
        ),
        None,
    )
    if (
        place is not None
        and place + 1 < len(tokens)
        and tokens[place + 1].word in ("before", "ever", "one", "once", "half", "expected", "usual", "1", "just")
    ):
        place = None
    names = [(f.concept.name, f.concept.group, f.first) for f in found]
    alike = _ALIKE.search(text)
    if alike:
        sides = frozenset(name for name, group, _ in names if group == "treatment")
        return Comparison(
            frozenset(name for name, group, _ in names if group not in ("treatment", "people")), 0, sides, frozenset()
        )
    words = [t.word for t in tokens]
    times = _TIMES_AS.search(text)
    if times:
        before = len(text[: times.start()].split())
        middle = len(text[: times.end()].split())
        return Comparison(
            frozenset(name for name, group, first in names if first < before and group not in ("treatment", "people"))
            - {"up", "down"},
            1,
            frozenset(name for name, group, first in names if group == "treatment" and before <= first < middle),
            frozenset(name for name, group, first in names if group == "treatment" and first >= middle),
        )
    if place is None:
        return _unsaid_comparison(words, names)
    if words[place].startswith(("beat", "outperform")):
        return Comparison(
            frozenset(name for name, group, _ in names if group in ("target", "good", "burden")) | {"improve"},
            1,
            frozenset(name for name, group, first in names if group == "treatment" and first < place),
            frozenset(name for name, group, first in names if group == "treatment" and first > place) or ANY_OTHER,
        )
    marker = next((n for n in range(place - 1, -1, -1) if words[n] in _MORE or words[n] in _LESS), None)
    if marker is None or (marker > 0 and words[marker - 1] in ("no", "not")):
        return None
    word = words[marker]
    sign = -1 if word in _LESS else 1
    between = {name for name, _, first in names if marker <= first < place} - {"up", "down"}
    dimensions = set(between)
    if word in _WORDS_OF_DIMENSION:
        dimensions.add(_WORDS_OF_DIMENSION[word])
    if word in _DOWNWARD:
        sign = -sign
    if word in ("more", "less") and words[marker + 1].startswith("slow"):
        dimensions, sign = (dimensions - {"down"}) | {"fast"}, -sign
    # Safe and risky are one scale read from its two ends.
    if "safe" in dimensions:
        dimensions, sign = (dimensions - {"safe"}) | {"risk"}, -sign
    if "pain" in dimensions and "comfortable" in words[marker:place]:
        sign = -sign
    if not dimensions:
        dimensions = {name for name, group, first in names if first < marker and group in ("target", "good", "burden")}
    left = frozenset(name for name, group, first in names if group == "treatment" and first < marker)
    right = frozenset(name for name, group, first in names if group == "treatment" and first > place)
    return Comparison(frozenset(dimensions), sign, left, right)
