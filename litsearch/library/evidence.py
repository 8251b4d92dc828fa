"""Who speaks on what: independent sources by aspect of the treatment and kind of source, and articles by kind and year."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from litsearch.records import SOURCE_KINDS, Metadata, Passage

# What patients and staff ask about, under the names that the question sets bear (tests/quality), with words by which a passage
# speaks on it. tests/test_library_evidence.py measures how many of those questions' answers each finds; the words were chosen
# on the same questions, so the figure holds for this corpus and is no measure of another.
_AREA = (
    r"face|facial|cheeks?|forehead|eye(lid)?s?|neck|d[eé]collet\w+|chest|hands?|arms?|legs?|thighs?|abdom\w+|belly|stomach|buttocks?"
    r"|scalp|armpits?|axilla\w*|back|nose|lips?|mouth|body|trunk|knees?"
)
_CONDITION = (
    r"scar(s|ring|red)?|acne|wrinkles?|fine lines?|pores?|pigment\w*|hyperpigmentation|melasma|stretch marks?|striae?|alopecia|hair loss"
    r"|hyperhidrosis|sweat\w*|rosacea|sun damage|photodamage|photoage?ing|age?ing|lax(ity)?|sagging|cellulite|keloids?|burns?|vitiligo|warts?"
)
ASPECTS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "mechanism": r"collagen|elastin|growth factors?|wound[- ]healing|punctur\w+|tiny (holes|wounds|injur\w+)|micro-?(channels?|injur\w+|wounds?)"
                     r"|remodel\w*|penetrat\w+|absor(b|ption)\w*|stimulat\w+|heat(s|ed|ing)?|dermis|how it works|how .{0,20}works?\b",
        "conditions": rf"\b({_CONDITION})\b",
        "areas": rf"\b({_AREA})\b",
        "device": r"\bdevices?|\bpens?\b|rollers?|dermaroller|dermapen|stamps?\b|needle (length|depth)|\d(\.\d+)? ?mm\b|cartridges?|radiofrequency"
                  r"|insulated|needles? (of|were|are)|\bRF\b|tips?\b",
        "who-performs": r"dermatologists?|practitioners?|providers?|aesthetic(ian|ist)s?|nurses?|profession\w+|clinicians?|doctors?|physicians?|surgeons?"
                        r"|trained|training|licen[sc]ed|qualified|at home|home use|home devices?|spas?\b|operators?|supervis\w+",
        "preparation": r"\bbefore (the |your |each |any )?(treatment|session|procedure|appointment|needling|it)|beforehand|prepar\w+|prior to|in advance"
                       r"|\b(days?|weeks?|months?|hours?) before|before (you|anything|start\w*)\b|stop (taking|using)|patch test|consult\w*|shav(e|ed|ing)\b"
                       r"|\b(see|ask|talk (to|with)|speak (to|with))\b.{0,40}\b(doctor|dermatologist|professional|person)",
        "sessions": r"\b(sessions?|sittings?|treatments?|visits?|procedures?|appointments?)\b.{0,60}\b(apart|interval|weeks?|months?|monthly|weekly)"
                    r"|\b(\d+|one|two|three|four|five|six|several|multiple|single|number of)( \w+){0,3} (sessions?|sittings?|treatments?|appointments?)"
                    r"|\b(weekly|fortnightly|monthly)\b|course of|\b(every|each|a) (\w+ )?(weeks?|months?)\b|\bat weeks? \d",
        "pain": r"\bpain\w*|\bhurts?|discomfort|uncomfortable|numb\w*|an(a)?esthe\w+|lidocaine|sting\w*|tolerab\w+|\bsore(ness)?\b|prilocaine",
        "downtime": r"downtime|down-time|recover\w*|redness|erythema|swell\w*|swollen|oedema|edema|\bheal(s|ed|ing)?\b|back to (work|normal)|time off|settle[sd]?"
                    r"|crust\w*|peel(s|ed|ing)\b|bruis\w*|flak\w+",
        "aftercare": r"after ?-?care|\bafter (the |your |each )?(treatment|session|procedure|needling)\b.{0,160}\b(avoid|use|apply|keep|wash|wear|do not|don.t|stay|clean)"
                     r"|sun ?screen|sun ?block|\bSPF\b|moisturi[sz]\w+|keep (it|the|your)|make-?up|avoid .{0,40}(sun|swim|sauna|exercise|gym|heat|alcohol)"
                     r"|\bafterwards\b|out of (the |direct )?sun|cleans(e|er|ing)|petroleum|cool (pack|compress)",
        "results": r"\b(improv\w+|results?|effective\w*|efficac\w+|reduc\w+|better|clearance|satisf\w+|respon(se|ded|ders?)|success\w*|relapse\w*"
                   r"|visible|\d+ ?%|last(s|ed|ing)?|fade[sd]?)\b",
        "comparison": r"compar\w+|\bversus\b|\bvs\b|(more|less|better|worse|fewer|higher|lower|greater) than|instead of|alternative|lasers?|\bpeels?\b"
                      r"|microdermabrasion|alone|combin\w+|whereas|superior|similar|no difference|differ\w*",
        "safety": r"side.?effects?|adverse|complications?|\brisks?\b|infect\w*|granulom\w+|hyperpigment\w*|\bPIH\b|safe(ty|ly|r)?\b|burns?\b|tram|nerve"
                  r"|harm\w*|allerg\w*|reactions?|scarring|HIV|toler\w+|injur(y|ies)\b|unwanted",
        "who-should-not": r"should not|shouldn.t|contra.?indicat\w*|not (be )?(suitable|recommended|advised)|pregnan\w+|keloids?|isotretinoin|blood (thinn\w+|disorder)"
                          r"|anticoag\w+|candidates?|active acne|eczema|cold sores?|herpes|immun\w+|diabet\w+|exclu(ded|sion|ding)|avoid (it|the treatment)"
                          r"|(see|ask|talk to|consult) (a|your) (doctor|dermatologist|health)|too young|breast-?feeding|wait",
        "regulation": r"\bFDA\b|regulat\w+|authori[sz]\w+|licen[sc](e|ed|ing)\b|clear(ed|ance)\b.{0,40}(device|FDA|sale)|\bMHRA\b|Health Canada|approv\w+|recall(s|ed)?"
                      r"|unauthori[sz]ed|\bCE\b|warning|advisory|prescription|medical devices? (act|law)",
    }.items()
}  # fmt: skip
# A section's job tells its subject where its words do not.
_ASPECT_OF_ROLE = {"caution": "who-should-not", "safety": "safety", "results": "results"}
# What a study says of itself is nothing that it says on the treatment.
_SILENT_ROLES = frozenset({"declarations"})


@dataclass(frozen=True, slots=True)
class EvidenceMap:
    """How many independent sources of each kind speak on each aspect; a cell without any is a gap."""

    aspects: tuple[str, ...]
    kinds: tuple[str, ...]
    counts: Mapping[tuple[str, str], int]

    def count(self, aspect: str, kind: str) -> int:
        """The number of independent sources of this kind on this aspect."""
        return self.counts.get((aspect, kind), 0)

    def total(self, aspect: str) -> int:
        """The number of independent sources on this aspect, whatever their kind."""
        return sum(self.count(aspect, kind) for kind in self.kinds)


def aspects_of(passage: Passage) -> set[str]:
    """The aspects that a passage speaks on: those whose words its text or heading holds, and its section's own.

    >>> from litsearch.records import Span
    >>> text = "The skin is red for two days."
    >>> sorted(aspects_of(Passage("p", "d", 0, 29, text, "Downtime", "text", (Span(0, 29),))))
    ['downtime']
    """
    if passage.role in _SILENT_ROLES:
        return set()
    text = f"{passage.section}. {passage.text}"
    found = {name for name, pattern in ASPECTS.items() if pattern.search(text)}
    own = _ASPECT_OF_ROLE.get(passage.role)
    return found | {own} if own else found


def evidence_map(passages: Iterable[Passage], metadata: Mapping[str, Metadata], sources: Sequence[Sequence[str]]) -> EvidenceMap:
    """The map of these passages; ``sources`` groups the documents that are one source, each counted as its first's kind.

    Kinds are those that the library has, strongest first; every aspect is listed, those that nobody speaks on too.
    """
    source_of = {document_id: group[0] for group in sources for document_id in group}
    speaking: dict[str, set[str]] = {name: set() for name in ASPECTS}
    for passage in passages:
        for aspect in aspects_of(passage):
            speaking[aspect].add(source_of[passage.document_id])
    counts = Counter((aspect, metadata[name].kind) for aspect, names in speaking.items() for name in names)
    present = {metadata[group[0]].kind for group in sources}
    return EvidenceMap(tuple(ASPECTS), tuple(kind.name for kind in SOURCE_KINDS if kind.name in present), counts)


def by_kind_and_year(metadata: Iterable[Metadata]) -> list[tuple[str, int | None, int]]:
    """Kind, year (None where not stated) and number of articles, by kind in the order of strength, then by year.

    >>> by_kind_and_year([Metadata("a", year=2020), Metadata("b", published="2020-05"), Metadata("c")])
    [('not-stated', 2020, 2), ('not-stated', None, 1)]
    """
    order = {kind.name: number for number, kind in enumerate(SOURCE_KINDS)}
    counts = Counter((one.kind, _year(one)) for one in metadata)
    rows = sorted(counts.items(), key=lambda row: (order[row[0][0]], row[0][1] is None, row[0][1] or 0))
    return [(kind, year, n) for (kind, year), n in rows]


def _year(metadata: Metadata) -> int | None:
    stated = metadata.date[:4]
    return int(stated) if stated.isdigit() else None
