"""Whether a page sells the treatment it describes: then it is promotional, whatever its tone."""

from __future__ import annotations

import re

_VISIT = r"(consultation|treatment|session|facial|skin analysis)"
_FREELY = r"(free |complimentary |no[- ]obligation |initial |online |in-person |virtual )*"
_MONEY = r"[£$€]\s?\d"
_HOUSE = r"(clinic|clinics|practice|med(ical)? ?spa|salon|aesthetics? (centre|center)|skin (centre|center))"
_TRADE = r"(aesthetics?|laser|skin ?care|cosmetic|med(ical)? spa)"

# What only a seller writes, by sort. One sort needs a second sign beside it; two sorts are enough.
_STRONG: dict[str, tuple[str, ...]] = {
    "booking": (
        rf"\bbook (now|today|online|(your|a|my) {_FREELY}{_VISIT})\b",
        rf"\b(schedule|request|arrange|reserve|claim) (your|a|an) {_FREELY}{_VISIT}\b",
        r"\b(schedule|book|make|request) (your|an?) (appointment|consultation|visit|session) (with us|today|now|online)\b",
        r"\b(call|contact|visit|get in touch with) us (today|now|to (book|schedule|arrange|set up|learn|find out))\b",
        rf"\b(call|contact|visit) us at (our|the) {_HOUSE}\b",
        r"\b(free|complimentary|no[- ]obligation) consultation\b",
        r"\btry it today\b",
    ),
    "offer": (
        r"\b\d{1,2}\s?% (off|discount)\b",
        r"\b(special|limited[- ]time|introductory|exclusive|seasonal) (offer|price|discount|deal)s?\b",
        r"\bbuy (one|two|three|\d),? get\b",
        r"\bgift (card|voucher|certificate)s? available\b",
        r"\bmembership (plan|price)s?\b",
        r"\bpay in instal?lments\b|\bfinancing (is )?available\b",
    ),
    "prices": (
        r"\bour (prices|price list|pricing|rates)\b|\bprice list\b",
        rf"\b(prices?|treatments?|sessions?|packages?|courses?) (start(s|ing)? )?from (only |just )?{_MONEY}",
        rf"\b(course|package) of (three|four|five|six|\d+)\b.{{0,40}}{_MONEY}",
        rf"\bfrom (only |just )?{_MONEY}\d* (per|a|each) (session|treatment)\b",
    ),
    "own practice": (
        rf"\b(at|in|visit|of|to) our {_HOUSE}\b",
        r"\bwe (are proud to |are pleased to |now |also |proudly )*(offer|provide) (a (wide )?range of )?([a-z-]+ ){0,4}"
        r"(microneedling|dermaplaning|botox|fillers?|facials?|peels?|laser|aesthetic|cosmetic|injectables?|treatments)\b",
        r"\bour (expert|experienced|skilled|qualified|certified|licensed|highly trained|talented|friendly) (team|practitioners?"
        r"|aestheticians?|estheticians?|injectors?|providers?|specialists?|staff|nurses?|dermatologists?|surgeons?)\b",
    ),
}
# What health services write as well; it only supports a strong sign.
_WEAK = (
    r"\b(call|contact|phone|ring|e-?mail|message) us\b|\bget in touch\b",
    r"\bour (clinic|practice|team|treatments?|services|patients|clients)\b",
    r"\b(book|schedule|make) an appointment\b",
    _MONEY,
    r"\b(glowing|radiant|flawless|youthful(-looking)?|younger[- ]looking) (skin|complexion|look|glow)\b",
    r"\byou deserve\b|\bdream skin\b|\brevolutionary\b",
    r"\b(testimonials?|five[- ]star|5[- ]star|award[- ]winning|voted best)\b",
    r"\b(med(ical)? ?spa|aesthetics? clinic|laser specialist|skin clinic)\b",
)
# An appeal to buy is enough by itself: it closes advertisements that look like articles.
_APPEALS = (
    r"\b(schedule|book|make) (an|your) (appointment|consultation|session) (today|now)\b",
    r"^\W*(try it|book|call|contact us) (today|now)\W*$",
    r"\b(talk|speak) to (us|our team) (today|now)\b",
    r"\bvisit our (website|clinic|practice) (today|to)\b",
)
# Advertising for search engines runs a place into the trade: "Springfield Hills laser treatments".
_PLACED = re.compile(
    rf"\b[A-Z][a-z]+ [A-Z][a-z]+ {_TRADE} (procedures|treatments|services|clinics?|specialists?)\b"
    rf"|\b{_TRADE} (specialist|provider|clinic|practice|surgeon)s? [A-Z][a-z]+ [A-Z][a-z]+\b"
)
# Public bodies invite people to call and to book too, and sell nothing by it.
_PUBLIC_NAMES = (
    r"\bNHS (Foundation )?Trust\b",
    r"\bPatient Advice and Liaison\b",
    r"\bnational (health service|institutes? of)\b",
    r"\bcharity (no|number)\b",
    r"\bDepartment of Health\b",
)
_PUBLIC_SITE = re.compile(
    r"https?://([\w-]+\.)*(nhs\.uk|nhs\.scot|hscni\.net|gov|gov\.[a-z]{2}|gc\.ca|europa\.eu|who\.int|edu|ac\.uk)(/|$)"
)
_TREATMENTS = (
    r"micro-?needling|needling|derma-?(roller|pen|planing)|skin ?pen|treatments?|procedures?|skin|facials?|peels?|laser",
    r"filler|botox|collagen|scars?|acne|wrinkles?|dermatolog\w+|aesthetics?|hair (loss|removal)|anti-?ag(e?ing)|rejuvenation",
)
# The share of words on a treatment from which a text is about one: a shop for cars has offers too, but sells no treatment
# (docs/reading-measurements.md, "Selling").
_MIN_TREATMENT_SHARE = 0.012


def _any(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE | re.MULTILINE)


_STRONG_PATTERNS = {name: _any(patterns) for name, patterns in _STRONG.items()}
_WEAK_PATTERNS = tuple(_any((pattern,)) for pattern in _WEAK)
_APPEAL, _PUBLIC, _TREATMENT = _any(_APPEALS), _any(_PUBLIC_NAMES), _any((rf"\b({'|'.join(_TREATMENTS)})\b",))


def sells(text: str, *, surroundings: str = "", url: str = "") -> bool:
    """Whether a text sells the treatment: it invites to book or buy, and speaks as a seller does in a second way.

    ``surroundings`` is what stands around the article on its page (menus, buttons, footers): a sign there counts only
    when the article itself is about a treatment. Public bodies, known by ``url`` or by name, are never sellers.

    >>> sells("Microneedling renews skin. At our clinic we offer microneedling from £120 per session. Book now!")
    True
    >>> sells("Microneedling costs $200 to $700 per session. Call your doctor if redness lasts.")
    False
    """
    if _PUBLIC_SITE.match(url) or _PUBLIC.search(text) or not _on_treatment(text):
        return False
    if _APPEAL.search(text):
        return True
    strong = _strong_signs(text)
    weak = any(pattern.search(text) for pattern in _WEAK_PATTERNS)
    if len(strong) >= 2 or (weak and (strong or _PLACED.search(text))):
        return True
    around = _strong_signs(surroundings)
    # Its menus and buttons alone show a seller when they do so in two ways, or once beside the article's own sign.
    return len(around) >= 2 or (bool(around) and (bool(strong) or weak))


def _strong_signs(text: str) -> set[str]:
    return {name for name, pattern in _STRONG_PATTERNS.items() if pattern.search(text)}


def _on_treatment(text: str) -> bool:
    n_words = len(text.split())
    return len(_TREATMENT.findall(text)) >= max(2, _MIN_TREATMENT_SHARE * n_words)


def kind_if_selling(kind: str, text: str, *, surroundings: str = "", url: str = "") -> str:
    """The stated kind of source; where none is stated, promotional when the text sells, else not stated."""
    if kind and kind != "not-stated":
        return kind
    return "promotional-web-article" if sells(text, surroundings=surroundings, url=url) else "not-stated"
