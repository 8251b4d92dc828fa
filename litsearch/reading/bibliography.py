"""What the reference formats share: record ids, kinds of source, dates, names, structured abstracts, and bad records left out."""

from __future__ import annotations

import calendar
import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from litsearch.errors import Refused
from litsearch.reading.building import DocumentBuilder, squeeze
from litsearch.reading.metadata import make_metadata, sidecar_fields
from litsearch.reading.source import FileReading, Limits, SourceFile
from litsearch.records import Document, Refusal

_NO_ABSTRACT = "has no abstract, so there is nothing to search. Add the article itself (PDF) or delete the record"
_NO_TEXT = "holds no text. Add the article itself (PDF) or delete the record"
_RETRACTED = "was retracted, so it must not be quoted. Delete the record"

# A record as its format's reader found it: what it is called there (empty when it has no name), and what builds its document
# and its metadata or refuses it.
Built = tuple[DocumentBuilder, dict[str, Any]]
Found = tuple[str, Callable[[], Built]]


class Records:
    """The documents of one file of many records, each under ``path#key``, and the records left out."""

    def __init__(self, file: SourceFile, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._bare = replace(file, sidecar=None)  # read once for all records, not once a record
        self._sidecar = sidecar_fields(file)
        self._documents: dict[str, Document] = {}
        self._refused: list[Refusal] = []
        self.n_found = 0

    def take(self, found: Iterable[Found]) -> None:
        """Build each record as it is found; one that is refused is left out by name and the others go on.

        Raises:
            Refused: when the file holds more records than the limit.
        """
        for key, build in found:
            self.n_found += 1
            if self.n_found > self._limits.max_records:
                raise Refused(f"holds more than the limit of {self._limits.max_records} records. Split it or raise max_records.")
            document_id = f"{self._file.path}#{_clean_key(key or f'record-{self.n_found}')}"
            try:
                builder, fields = build()
                self._keep(document_id, builder, fields)
            except Refused as refused:
                self._refused.append(Refusal(document_id, str(refused)))

    def _keep(self, stated_id: str, builder: DocumentBuilder, fields: dict[str, Any]) -> None:
        """Add one record; of two with the same id and text the second is refused, with another text it is numbered."""
        if not builder.has_text:
            raise Refused(_named(_NO_TEXT, str(fields.get("title", ""))))
        document_id, number = stated_id, 1
        while (earlier := self._documents.get(document_id)) is not None:
            if earlier.text == builder.text:
                raise Refused("stands in the file twice; the first one was kept.")
            number += 1
            document_id = f"{stated_id}~{number}"
        metadata = make_metadata(self._bare, fields, self._sidecar)
        self._documents[document_id] = builder.document(document_id, self._file.path, metadata)

    def refuse_rest(self, reason: str) -> None:
        """Leave the rest of the file out."""
        self._refused.append(Refusal(self._file.path, reason))

    def reading(self) -> FileReading:
        """All that was kept and refused.

        Raises:
            Refused: when there was no record at all.
        """
        if not self._documents and not self._refused:
            raise Refused("holds no records. Export the references again and add that.")
        return FileReading(tuple(self._documents.values()), tuple(self._refused))


def read_records(file: SourceFile, limits: Limits, found: Iterable[Found]) -> FileReading:
    """What a file of many records holds, once each was built or refused.

    Raises:
        Refused: when there is no record, or there are more than the limit.
    """
    records = Records(file, limits)
    records.take(found)
    return records.reading()


def refuse_retracted(types: Iterable[str], title: str, *, stated: bool = False) -> None:
    """Refuse a record whose article was withdrawn, by its types or title or as the format states it elsewhere.

    Raises:
        Refused: naming the title, because few know a record's number.
    """
    if stated or is_retracted(types, title):
        raise Refused(_named(_RETRACTED, title))


def refuse_empty(abstract: str, title: str) -> None:
    """Refuse a record without an abstract.

    Raises:
        Refused: naming the title.
    """
    if not abstract.strip():
        raise Refused(_named(_NO_ABSTRACT, title))


def _named(reason: str, title: str) -> str:
    """The reason with the title behind it.

    >>> _named("has no abstract", "Needling and scars"), _named("has no abstract", "")
    ('has no abstract (“Needling and scars”).', 'has no abstract.')
    """
    words = squeeze(title)
    words = words if len(words) <= 100 else f"{words[:99]}…"
    return f"{reason} (“{words}”)." if words else f"{reason}."


def _clean_key(key: str) -> str:
    return re.sub(r"[\s\x00-\x1f#]+", "-", key.strip())[:200] or "record"


# ------------------------------------------------------------------------------------------------ kinds of source

# Publication types of PubMed (MeSH) and article types of JATS, strongest first: what they name is what was done.
_STRONG_TYPES: tuple[tuple[str, frozenset[str]], ...] = (
    ("consensus", frozenset({"practice guideline", "guideline", "consensus development conference", "consensus statement",
                             "consensus development conference, nih"})),
    ("meta-analysis", frozenset({"meta-analysis", "network meta-analysis"})),
    ("systematic-review", frozenset({"systematic review", "systematic-review"})),
    ("randomised-trial", frozenset({"randomized controlled trial", "randomised controlled trial", "pragmatic clinical trial",
                                    "equivalence trial"})),
)  # fmt: skip
# These say less than a title that names its design ("Clinical Trial", "Review"), so the title is asked between the two.
_WEAK_TYPES: tuple[tuple[str, frozenset[str]], ...] = (
    ("case-report", frozenset({"case reports", "case report", "case-report", "case study"})),
    ("cohort", frozenset({"clinical trial", "clinical trial, phase i", "clinical trial, phase ii", "clinical trial, phase iii",
                          "clinical trial, phase iv", "controlled clinical trial", "observational study", "comparative study",
                          "multicenter study", "cohort study", "clinical study", "clinical-trial"})),
    ("narrative-review", frozenset({"review", "review article", "review-article", "scoping review", "mini review"})),
    ("patient-information", frozenset({"patient education handout"})),
    ("news-report", frozenset({"news", "newspaper article"})),
)  # fmt: skip
_NO_STUDY = frozenset({
    "letter", "editorial", "comment", "published erratum", "correction", "erratum", "retraction of publication",
    "clinical trial protocol", "protocol", "reply", "book review", "book-review", "article-commentary",
})  # fmt: skip
_RETRACTED_TYPES = frozenset({"retracted publication", "retracted-article"})

_NO_STUDY_TITLE = re.compile(
    r"\bprotocol\b|^(re|reply|response|comment(ary)?|letter|erratum|correction|corrigendum|editorial|author'?s'? reply)\b[ :]"
    r"|\b(comment|reply|response|letter|correction) (on|to)\b", re.IGNORECASE,
)  # fmt: skip
_TITLE_KINDS = (
    ("consensus", r"\b(consensus (statement|recommendations?|guidelines?|report|document|paper|conference)"
                  r"|\b(expert|delphi) consensus"
                  r"|clinical practice guidelines?|s[123]k?[ -]guidelines?)\b"),
    ("meta-analysis", r"\bmeta-?\s?analys[ei]s\b"),
    ("systematic-review", r"\bsystematic(al)? (literature )?review\b"),
    ("randomised-trial", r"\brandomi[sz]ed\b.{0,60}\b(trial|study|comparison)\b"),
    ("case-series", r"\bcase series\b"),
    ("case-report", r"\b(a )?case reports?\b|\breport of (a|one|two|three|\d) cases?\b"),
    ("cohort", r"\b(cohort|(prospective|retrospective|observational|follow-up|longitudinal)( [a-z-]+){0,3}) study\b"),
    ("narrative-review", r"\b(narrative|literature|scoping) review\b|[:.] an? ([a-z-]+ ){0,2}review\.?$"),
)  # fmt: skip
_TITLE_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _TITLE_KINDS)


def kind_of(types: Iterable[str], title: str) -> str:
    """The kind of source that publication types and, between strong and weak types, the title state; empty when neither does.

    >>> kind_of(["Journal Article", "Randomized Controlled Trial"], "Needling for acne scars")
    'randomised-trial'
    >>> kind_of(["Journal Article", "Review"], "Needling for scars: a systematic review of randomised controlled trials")
    'systematic-review'
    >>> kind_of(["Journal Article"], "Protocol for a randomised controlled trial of needling")
    ''
    """
    stated = {squeeze(kind).lower() for kind in types}
    for kind, names in _STRONG_TYPES:
        if stated & names:
            return kind
    if stated & _NO_STUDY or _NO_STUDY_TITLE.search(title):
        return ""
    for kind, pattern in _TITLE_PATTERNS:
        if pattern.search(title):
            return kind
    for kind, names in _WEAK_TYPES:
        if stated & names:
            return kind
    return ""


def is_retracted(types: Iterable[str], title: str) -> bool:
    """Whether the record says that its article was withdrawn; a notice about another article is not meant."""
    return any(squeeze(kind).lower() in _RETRACTED_TYPES for kind in types) or bool(
        re.match(r"\W*(retracted|withdrawn)( article)?\s*:", title, re.IGNORECASE)
    )


# ------------------------------------------------------------------------------------------------- dates and names

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}


def date_fields(stated: str) -> dict[str, Any]:
    """``year`` and, when a month is stated, ``published`` from the ways in which records write dates.

    >>> date_fields("2014 Nov 3")
    {'year': 2014, 'published': '2014-11-03'}
    >>> date_fields("2014/11//")
    {'year': 2014, 'published': '2014-11'}
    >>> date_fields("2014 Nov-Dec")
    {'year': 2014, 'published': '2014-11'}
    >>> date_fields("in press")
    {}
    """
    parts = re.findall(r"\d+|[A-Za-z]+", stated)
    years = [int(part) for part in parts if re.fullmatch(r"1[5-9]\d\d|20\d\d|21\d\d", part)]
    if not years:
        return {}
    year = years[0]
    rest = parts[parts.index(str(year)) + 1 :]
    month = 0
    if rest:
        month = int(rest[0]) if rest[0].isdigit() else _MONTHS.get(rest[0][:3].lower(), 0)
    if not 1 <= month <= 12:
        return {"year": year}
    day = int(rest[1]) if len(rest) > 1 and rest[1].isdigit() else 0
    # "2014 Nov-Dec" and "2014 Nov 31 suppl" name no day.
    exact = f"-{day:02d}" if len(rest) == 2 and 1 <= day <= calendar.monthrange(year, month)[1] else ""
    return {"year": year, "published": f"{year}-{month:02d}{exact}"}


def bare_doi(stated: str) -> str:
    """A DOI without its address or trailing signs; empty when there is none.

    >>> bare_doi("https://doi.org/10.1001/jamadermatol.2013.8687.")
    '10.1001/jamadermatol.2013.8687'
    """
    found = re.search(r"10\.\d{4,9}/[^\s\"<>]+", stated)
    return found.group().rstrip(".,;)]}'") if found else ""


def web_address(stated: str) -> str:
    """An address that starts with http or https and holds no spaces; otherwise empty."""
    return stated.strip() if re.fullmatch(r"https?://\S+", stated.strip()) else ""


def natural_name(stated: str) -> str:
    """``Alam, Murad`` as ``Murad Alam``; other names stay.

    >>> natural_name("West, Dennis P."), natural_name("Health Canada")
    ('Dennis P. West', 'Health Canada')
    """
    parts = [part.strip() for part in stated.split(",")]
    if len(parts) == 2 and all(parts):
        return f"{parts[1]} {parts[0]}"
    if len(parts) == 3 and all(parts):  # "King, Jr., Martin" (BibTeX) or "King, Martin, Jr." (RIS)
        first, suffix = (
            (parts[2], parts[1]) if re.fullmatch(r"(jr|sr|[ivx]+)\.?", parts[1], re.IGNORECASE) else (parts[1], parts[2])
        )
        return f"{first} {parts[0]} {suffix}"
    return squeeze(stated)


def clean_title(stated: str) -> str:
    """A title without markup, trailing stop, or the square brackets that PubMed puts round translated ones.

    >>> clean_title("[Microneedling in practice].")
    'Microneedling in practice'
    """
    title = squeeze(without_tags(stated))
    bracketed = re.fullmatch(r"\[(.*)\]\.?", title)
    title = bracketed.group(1) if bracketed else title
    return title.removesuffix(".") if not title.endswith("..") else title


def without_tags(text: str) -> str:
    """Text of a field in which exports leave web markup: tags go, entities become their characters.

    >>> without_tags("H<sub>2</sub>O at p &lt; 0.05")
    'H2O at p < 0.05'
    """
    text = re.sub(r"</?(?:jats:)?(p|br|title|sec|div|li)\b[^<>]*>", " ", text, flags=re.IGNORECASE)
    text = re.sub(r"</?(?:jats:)?(i|b|em|strong|sub|sup|u|span|sc|italic|bold|a)\b[^<>]*>", "", text, flags=re.IGNORECASE)
    return html.unescape(text)


# --------------------------------------------------------------------------------------------- structured abstracts

_LABEL_WORDS = (
    "background|introduction|context|importance|objectives?|aims?|purpose|rationale|hypothesis|goals?|methods?|materials|patients"
    "|participants|subjects|design|setting|settings|interventions?|measurements?|outcomes?|results?|findings|conclusions?|discussion"
    "|interpretation|significance|relevance|limitations?|summary|safety|efficacy|evidence|data|study|search|main|trial|funding"
    "|registration|implications?|case|observations?|exposures?|question|level of evidence|level|recommendations?|definition"
)
_CAPITALS = r"[A-Z][A-Z]+(?:[ /&,()-]+[A-Z]+){0,7}"
_LABEL = rf"(?:{_CAPITALS}|(?i:{_LABEL_WORDS})(?:(?: and |/| & | of the |,? or |, | |-)(?:[A-Za-z]+)){{0,5}})"
_LABELLED = re.compile(rf"(?:(?<=^)|(?<=[.!?)\]%] )|(?<=\n))({_LABEL})\s?:\s+(?=\S)")
_FIRST_WORD = re.compile(rf"(?:{_LABEL_WORDS})\b", re.IGNORECASE)


def add_abstract(builder: DocumentBuilder, abstract: str) -> None:
    """Add an abstract in one string: its own labels (``METHODS: ...``) become headings, when it opens with one of at least two.

    >>> builder = DocumentBuilder()
    >>> add_abstract(builder, "AIMS: To compare two. RESULTS: Both helped.")
    >>> [builder.text[b.start : b.end] for b in builder.blocks]
    ['AIMS', 'To compare two.', 'RESULTS', 'Both helped.']
    """
    abstract = without_tags(abstract).strip()
    labels = [
        found for found in _LABELLED.finditer(abstract) if _FIRST_WORD.search(found.group(1)) or len(found.group(1).split()) > 1
    ]
    if len(labels) < 2 or abstract[: labels[0].start()].strip() or not _FIRST_WORD.search(labels[0].group(1)):
        for paragraph in re.split(r"\n\s*\n", abstract):
            builder.add("paragraph", paragraph)
        return
    ends = [*(found.start() for found in labels[1:]), len(abstract)]
    for label, end in zip(labels, ends, strict=True):
        builder.add("heading", label.group(1), level=2)
        builder.add("paragraph", abstract[label.end() : end])


def add_sections(builder: DocumentBuilder, sections: Sequence[tuple[str, str]]) -> None:
    """Add an abstract whose parts the format itself labels: ``[("METHODS", "..."), ...]``; a part may have no label."""
    if len(sections) == 1 and not sections[0][0]:
        add_abstract(builder, sections[0][1])
        return
    for label, text in sections:
        builder.add("heading", label.strip().rstrip(":"), level=2)
        builder.add("paragraph", text)
