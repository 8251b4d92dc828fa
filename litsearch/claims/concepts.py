"""The words of treatment claims as concepts: what means the same, what is a kind of what, what is the opposite of what."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import Stemmer

# One concept a line (an indented line goes on with the one before): its name, then the words and phrases that stand for
# it. A leading "!" marks words that say its absence
# ("painless"), "~" words that say only a little of it, "+" words that say by themselves that it gets better
# ("regrowth"), "=" phrases whose first word must stand in just this form ("enlarged pores", not "enlarges pores").
# Stems are matched, so one form of a word is enough.
_BURDENS = """
pain: pain, painful, hurt, hurts, discomfort, uncomfortable, soreness, sore, sting, ache, !painless, !painlessly,
    !pain-free, !comfortable, ~tolerable, ~bearable
downtime: downtime, down-time, down time, time off, recovery time, recovery, recover, days off, convalescence, back to
    work, return to work
redness: redness, red skin, red face, reddened, erythema, flushing
swelling: swelling, swollen, puffiness, oedema, edema
bleeding: bleeding, bleed
bruising: bruising, bruise
peeling: flaking, flake, scaling, scab, scabbing, crusting
irritation: irritation, irritate, irritating, dermatitis, itch, itchy
sensitivity: sensitivity, sensitive
infection: infection, infected, contamination, contaminated, hiv, bloodborne
burn: burns, burning
granuloma: granuloma, granulomatous
tramtrack: tram track, tram-track
nerve: nerve damage, nerve
fatloss: fat loss, loss of fat, fat atrophy
allergy: allergy, allergic, hypersensitivity
sideeffect: side effect, side-effect, adverse effect, adverse event, adverse, complication, unwanted effect, reaction
risk: risk, risky, riskier, danger, dangerous, hazard, hazardous, unsafe, harm, harmful, !risk-free, !harmless
relapse: relapse, relapsed, recur, recurrence, come back, wear off, temporary
"""
_HARMS_IN = """
wrinkle: wrinkle, wrinkled, fine line, line, crease, crow's feet
scar: scar, scarring, scarred, surgical scar, surgery scar
acne: acne, breakout, pimple, spot
pore: pore, =enlarged pore, =large pore, =open pore, =visible pore
pigmentation: pigmentation, hyperpigmentation, post-inflammatory hyperpigmentation, pih, pigment change, pigment, dark
    mark, dark spot, darkening, discolouration, discoloration, uneven tone, uneven skin tone, uneven colour
melasma: melasma
sundamage: sun damage, sunspot, sun spot, age spot
stretchmark: stretch mark, striae
blackhead: blackhead
laxity: sagging, sag, laxity, loose skin, slackness
hairloss: hair loss, alopecia, alopecia areata, baldness, thinning hair
sweating: sweat, sweating, hyperhidrosis, perspiration
cellulite: cellulite
rosacea: rosacea
ageing: ageing, aging, signs of age
dryness: dryness, dry skin, dehydrated
tattoo: tattoo
keloid: keloid
eczema: eczema, atopic dermatitis
psoriasis: psoriasis
"""
_GOODS = """
collagen: collagen
elastin: elastin, elastic fibre, elastic fiber
texture: texture
tone: tone, skin tone, complexion, colour
glow: glow, glowing, radiance, radiant, bright, brighter, brighten, luminous
firmness: firm, firmer, firmness, tight, tighter, tighten, toned, lift, lifted
smoothness: smooth, smoother, smoothness, even, soft, supple, suppleness
absorption: absorption, absorb, absorbed, take up, sink in, receptive, uptake
moisture: moisture, hydrated, hydration, moist
healing: heal, healing, repair, regenerate, regeneration, renew, renewal
youth: young, younger, youthful, rejuvenate, rejuvenated, rejuvenation
hair: +hair growth, +regrowth, +regrow, hair count, hair density, hair
elasticity: elasticity, elastic
satisfaction: satisfaction, satisfied, pleased, preferred, happy, happier
quality: quality of life
density: density, thickness
"""
_TREATMENTS = """
microneedling: microneedling, micro-needling, needling, skin needling, microneedle therapy, collagen induction therapy,
    collagen induction, mesoneedling, dermaroller, dermapen
rf: radiofrequency microneedling, radiofrequency-microneedling, rf-microneedling, radiofrequency, rf microneedling, rf
    needling, rf, fractional microneedle radiofrequency
laser: laser, laser treatment, laser gun, laser resurfacing, ipl
peel: peel, chemical peel, glycolic acid peel, glycolic peel
microdermabrasion: microdermabrasion
dermabrasion: dermabrasion
surgery: surgery, surgical, surgeries, operation, operations
injection: injection, injected, microinjection, filler, shot
botulinum: botulinum toxin, botulinum, botox
prp: platelet-rich plasma, platelet rich plasma, prp, vampire facial, plasma facial
minoxidil: minoxidil
isotretinoin: isotretinoin
tranexamic: tranexamic acid
steroid: steroid, triamcinolone
vitaminc: vitamin c
retinoid: retinol, retinoid, tretinoin
exosome: exosome
combination: =combination, combined group, combined treatment
"""
_PEOPLE = """
pregnancy: pregnant, pregnancy, expectant
breastfeeding: breastfeeding, breast-feeding, nursing
cancer: cancer, chemotherapy, radiation therapy, radiotherapy, oncology, tumour
bloodthinner: blood thinner, blood-thinner, anticoagulant, warfarin, blood disorder
coldsore: cold sore, herpes, rash
growth: mole, freckle, skin tag, skin growth
darkskin: dark skin, darker skin, skin of colour, skin of color, dark-skinned, darker, darker-skinned, skin type iv,
    skin type v, skin type vi, type iv, type v, type vi, types iv
lightskin: light skin, lighter skin, fair skin, pale skin
children: child, children, teenager, teen, adolescent, minor, under 18
diabetes: diabetes, diabetic
skincondition: skin condition, skin disease
acnemedicine: medication for acne, acne medication
tan: suntanned, suntan, tanned, sunburnt
skintype: skin type, skin tone type, type of skin
"""
_THINGS = """
wound: wound, injury, micro-injury, microinjury, micro-wound, puncture, prick, hole, channel, pierce
session: session, sitting, appointment, visit
needle: needle, microneedle, pin
device: device, pen, roller, stamp, tool, cartridge
professional: professional, practitioner, provider, aesthetician, specialist, expert, therapist, clinician, healthcare,
    physician, doctor, dermatologist, surgeon
training: trained, training, qualified, qualification, licensed, license, experienced, skilled, certified
askfirst: consult, consultation, see a doctor, see your doctor, ask a doctor, speak to, talk to
anaesthetic: anaesthetic, anaesthesia, anesthesia, anesthetic, sedation
numbing: numbing, numbing cream, topical anaesthetic, numb
blade: surgical blade, blade, scalpel, knife
product: product, cream, serum, lotion, moisturiser, moisturizer, skincare, topical, ointment, skin care
vaccine: vaccine, vaccination
medicine: medicine, medication, drug
patch: patch
sun: sun, sunlight, sunbathe, sunbathing, sun exposure, uv
makeup: make-up, makeup
face: face, facial
eyes: eye, around the eyes
mouth: mouth, lip
forehead: forehead
neck: neck
decolletage: decolletage, chest
hands: hand
legs: leg
abdomen: abdomen, abdominal, belly, stomach
thighs: thigh
buttocks: buttock
arms: arm
scalp: scalp
armpit: armpit, axillary, underarm
body: body, body part, area of the body
surface: surface, topmost layer, uppermost layer, outermost, top layer, superficial, shallow
deeplayer: deep layer, deeper layer, deepest layer, underlying layer, beneath the surface, below the surface, dermis
depth: deep, depth, deeper, penetrate, penetration, length
sunburn: sunburn
home: home, home use, at home, yourself, self
cost: cost, price, expensive, cheap, affordable, low-cost
insurance: insurance, insurer, insured, medicare, medicaid
diet: diet, eat, eating, food, nutrition
approval: approved, approval, !unauthorised, !unauthorized, !unlicensed, !unapproved, licence, device licence, licensed for, licence for, license for, fda cleared, cleared by, cleared device, cleared devices, clearance, authorised,
    authorized, authorisation, authorization, licensed for sale, approve, authorise
fda: fda, food and drug administration
healthcanada: health canada, canada, canadian
activity: activity, activities, normal life, everyday life, daily life, routine, back to normal
invasive: invasive, !non-invasive, !noninvasive
popular: popular, popularity, prevalent, widespread, common, commonly
immune: immune system, immune
brain: brain
layer: layer, layers
spa: spa, salon
infectioncontrol: infection control
evidence: study, trial, review, evidence, research
capillary: capillary, blood vessel
nail: nail
eyelid: eyelid
cheek: cheek, jaw, chin
eyebag: bag under the eye, eye bag, under-eye
skincancer: skin cancer
"""
_ACTIONS = """
up: increase, boost, stimulate, promote, enhance, raise, encourage, induce, spur, trigger, prompt, provoke, activate,
    enlarge, grow, higher, greater, larger, bigger, rise, accelerate, multiply, gain, speed up, strengthen, more,
    thicker, fuller, fortify
make: produce, production, generate, make, create, build, form, formation, lay down, send, deliver, release
down: reduce, reduction, decrease, diminish, shrink, minimise, minimize, lower, lessen, less, fewer, fade, soften,
    smaller, small, rarer, slow, slow down, weaken, drop, fall, fell, decline, ease, relieve, cut, minimised, minimized,
    tightly knit, inhibit, suppress, suppresses
remove: remove, removal, eliminate, erase, vanish, disappear, cure, rid, get rid of, wipe away, dissolve, gone,
    scar-free, clear up, clear
improve: improve, improvement, better, help, treat, treated, benefit, beneficial, effective, efficacy, effectiveness,
    work, success, successful, restore, refine, good for, aid, useful, advantage, progress, resolution, resolve
worsen: worsen, worse, damage, deteriorate, aggravate, ruin, destroy, break down
safe: safe, safely, safety, safer
gentle: gentle, gently
suitable: suitable, suit, candidate, appropriate, ideal, right for, right option, option, fit for, can have, may have,
    good choice
need: need, require, necessary, necessity, must, essential, vital, should, have to, crucial, enough
avoid: avoid, refrain, keep out of, keep away, stay out of, care not
recommend: recommend, advise, advice, recommended
last: last, long-lasting, remain, stay, persist, hold
permanent: permanent, permanently, forever, lifelong, for good, lasting
begin: begin, start
vary: vary, varies, differ, different, differently, difference, individual, depend
same: same, identical, alike, equal, equally, uniform
visible: visible, noticeable, appearance, look, appear, show, notice, apparent
adjust: adjust, adjustable, tailor, set, match, customise
often: often, frequently, mostly, mainly, usually, typically, most commonly, most often
rare: rare, rarely, uncommon, seldom, unusual
result: result, outcome, effect
fast: fast, quick, quickly, soon, rapid, rapidly, faster
new: new, fresh, newly
tiny: tiny, minuscule, minute, very small
apply: apply, put on, use, used
carry: perform, administer, carry out, done by, operate
return: return, resume, back to
invent: invent, invented, discover, develop
"""

Group = str


@dataclass(frozen=True, slots=True)
class Concept:
    """A meaning with the group it belongs to; ``valence`` is -1 for what people want less of, +1 for more of, 0 else."""

    name: str
    group: Group
    valence: int


def _read(group: Group, valence: int, lines: str) -> list[tuple[Concept, str, str]]:
    entries: list[tuple[Concept, str, str]] = []
    for line in lines.strip().replace("\n ", " ").splitlines():
        name, _, phrases = line.partition(":")
        concept = Concept(name.strip(), group, valence)
        for phrase in phrases.split(","):
            phrase = phrase.strip()
            mark = phrase[0] if phrase[0] in "!~+=" else ""
            entries.append((concept, phrase.lstrip("!~+="), mark))
    return entries


_ENTRIES = (
    _read("burden", -1, _BURDENS)
    + _read("target", -1, _HARMS_IN)
    + _read("good", 1, _GOODS)
    + _read("treatment", 0, _TREATMENTS)
    + _read("people", 0, _PEOPLE)
    + _read("thing", 0, _THINGS)
    + _read("action", 0, _ACTIONS)
)

# A kind of: what holds of the narrower concept speaks to the broader one.
BROADER: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "redness",
            "swelling",
            "bleeding",
            "bruising",
            "peeling",
            "irritation",
            "sensitivity",
            "infection",
            "burn",
            "granuloma",
            "tramtrack",
            "nerve",
            "fatloss",
            "allergy",
        ),
        ("sideeffect", "risk"),
    ),
    "pain": ("sideeffect",),
    "sideeffect": ("risk",),
    "eyes": ("face",),
    "mouth": ("face",),
    "forehead": ("face",),
    "cheek": ("face",),
    "melasma": ("pigmentation",),
    "sundamage": ("pigmentation",),
    "eczema": ("skincondition",),
    "psoriasis": ("skincondition",),
    "rosacea": ("skincondition",),
    "keloid": ("scar",),
    "stretchmark": ("scar",),
    "vaccine": ("medicine",),
    "permanent": ("last",),
}
AREAS = frozenset(
    {
        "face",
        "eyes",
        "mouth",
        "forehead",
        "neck",
        "decolletage",
        "hands",
        "legs",
        "abdomen",
        "thighs",
        "buttocks",
        "arms",
        "scalp",
        "armpit",
        "cheek",
        "eyelid",
        "body",
    }
)
# Different words for one subject: a claim about either is spoken to by the other.
RELATED: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        ("hair", "hairloss"),
        ("firmness", "laxity"),
        ("youth", "ageing"),
        ("moisture", "dryness"),
        ("downtime", "activity"),
        ("smoothness", "texture"),
        ("risk", "sideeffect"),
        ("glow", "tone"),
        ("tone", "pigmentation"),
        ("improve", "remove"),
        ("elasticity", "elastin"),
        ("elasticity", "firmness"),
        ("professional", "askfirst"),
        ("professional", "training"),
        ("numbing", "anaesthetic"),
        ("last", "permanent"),
        ("surgery", "blade"),
        ("sun", "tan"),
        ("scar", "wound"),
        ("need", "recommend"),
        ("skintype", "darkskin"),
        ("skintype", "lightskin"),
    )
)
# On one subject but the other way round: such a source deals with the same thing and does not say the same.
CONTRASTS: frozenset[frozenset[str]] = frozenset(
    frozenset(pair) for pair in (("risk", "safe"), ("depth", "surface"), ("home", "professional"), ("vary", "same"))
)
OPPOSITES: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        ("same", "vary"),
        ("safe", "risk"),
        ("permanent", "relapse"),
        ("surface", "deeplayer"),
        ("darkskin", "lightskin"),
    )
)
# Words that carry no claim of their own: a claim is not unsupported for want of them.
LIGHT = frozenset(
    {
        "visible",
        "result",
        "apply",
        "make",
        "need",
        "often",
        "begin",
        "new",
        "tiny",
        "body",
        "popular",
        "fast",
        "layer",
        "carry",
        "evidence",
        "improve",
        "up",
        "down",
        "last",
        "avoid",
        "recommend",
        "return",
        "adjust",
        "remove",
        "worsen",
        "wound",
        "session",
        "tone",
    }
)

_stemmer = Stemmer.Stemmer("english")
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Token:
    """One word with its place in the text; ``stem`` is what concepts are matched by."""

    word: str
    stem: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """The words of a text in lower case; hyphenated words stay whole where the hyphen joins letters.

    >>> [t.word for t in tokens_of("It's pain-free: 1.5 mm, décolletage!")]
    ["it's", 'pain-free', '1.5', 'mm', 'decolletage']
    """
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        plain = unicodedata.normalize("NFKD", match.group().lower().replace("’", "'"))
        word = "".join(c for c in plain if not unicodedata.combining(c))
        tokens.append(Token(word, stem(word), match.start(), match.end()))
    return tokens


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem that a word's forms share."""
    stemmed: str = _stemmer.stemWord(word)
    return stemmed


def _table() -> dict[tuple[str, ...], tuple[Concept, str]]:
    table: dict[tuple[str, ...], tuple[Concept, str]] = {}
    for concept, phrase, mark in _ENTRIES:
        key = tuple(token.stem for token in tokens_of(phrase))
        # The first entry wins, so that a word has one meaning; the tables stand in order of how telling they are.
        table.setdefault(key, (concept, mark))
    return table


_TABLE = _table()
_EXACT = frozenset(tokens_of(phrase)[0].word for _, phrase, mark in _ENTRIES if mark == "=")
_LONGEST = max(map(len, _TABLE))
CONCEPTS: dict[str, Concept] = {concept.name: concept for concept, _, _ in _ENTRIES}


@dataclass(frozen=True, slots=True)
class Found:
    """A concept found at ``tokens[first:last]``; ``mark`` is "!" for absence, "~" for little, "+" for better, else empty."""

    concept: Concept
    mark: str
    first: int
    last: int


def concepts_in(tokens: list[Token]) -> list[Found]:
    """The concepts in a text, longest phrase first, none overlapping.

    >>> [(f.concept.name, f.mark) for f in concepts_in(tokens_of("A painless way to fade stretch marks"))]
    [('pain', '!'), ('down', ''), ('stretchmark', '')]
    """
    found: list[Found] = []
    position = 0
    stems = [token.stem for token in tokens]
    while position < len(tokens):
        for length in range(min(_LONGEST, len(tokens) - position), 0, -1):
            entry = _TABLE.get(tuple(stems[position : position + length]))
            if entry is not None and entry[1] == "=" and tokens[position].word not in _EXACT:
                entry = None
            if entry is None and length == 1:
                entry = _of_compound(tokens[position].word)
            if entry is not None:
                found.append(Found(entry[0], entry[1], position, position + length))
                position += length
                break
        else:
            position += 1
    return found


@lru_cache(maxsize=10_000)
def _of_compound(word: str) -> tuple[Concept, str] | None:
    """ "scar-free", "unlicensed", "anti-ageing": a concept with something joined to it."""
    for ending in ("-free", "less"):
        if word.endswith(ending):
            base = _TABLE.get((stem(word.removesuffix(ending)),))
            if base is not None and base[0].group in ("burden", "target"):
                return base[0], "!"
    for opening in ("un", "non-", "non"):
        if word.startswith(opening) and len(word) > len(opening) + 3:
            base = _TABLE.get((stem(word.removeprefix(opening)),))
            if base is not None and base[0].group in ("thing", "action"):
                return base[0], "!"
    if "-" in word:
        for part in reversed(word.split("-")):
            base = _TABLE.get((stem(part),))
            if base is not None and base[0].group in ("burden", "target", "good", "treatment"):
                return base[0], base[1]
    return None
