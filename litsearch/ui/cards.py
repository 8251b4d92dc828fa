"""Passages, sources and panels as markup: what a person reads of an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from litsearch.records import NOT_STATED, Document, Hit, Metadata, Reading, Span
from litsearch.ui.arranging import Piece, Source, around, pieces_of
from litsearch.ui.markup import Html, inner_link, join, link, tag, text
from litsearch.ui.strings import DEFAULT, Strings
from litsearch.ui.words import Explain, Words, no_words

# The value of ``size`` in an address for larger text.
LARGE = "large"


@dataclass(frozen=True, slots=True)
class Visit:
    """What an address of this app asks for, in which language and size; ``words`` gathers the terms that its page explains."""

    say: Strings
    question: str = ""
    passage: str = ""
    article: str = ""
    large: bool = False
    words: Words = field(default_factory=no_words, compare=False)

    def to(self, **parameters: str) -> dict[str, str]:
        """The parameters of another page in the same language and size."""
        language = self.say.language
        return {"size": LARGE if self.large else "", **parameters, "lang": language if language != DEFAULT else ""}

    def to_passage(self, hit: Hit) -> dict[str, str]:
        """The parameters of a hit's place in its article, for this question."""
        return self.to(q=self.question, passage=hit.passage.passage_id)


# The whole document of a hit, for its blocks: lists are drawn as lists.
Articles = Callable[[str], Document | None]


def prose(
    document: Document,
    start: int,
    end: int,
    marked: Sequence[tuple[Span, str]] = (),
    *,
    level: int = 3,
    words: Words | None = None,
) -> Html:
    """A stretch of a document as paragraphs and lists, word for word, with spans marked by a class each and terms explained.

    ``level`` is that of the highest heading; 0 draws headings as lines of their own, where a heading of the page would mislead.
    """
    explain = (words or no_words()).explainer()
    drawn: list[Html] = []
    items: list[Piece] = []

    def close_list() -> None:
        if items:
            numbered = all(item.number for item in items)
            rows = [tag("li", _marked(i, marked, explain), dir="auto", value=i.number if numbered else None) for i in items]
            drawn.append(tag("ol" if numbered else "ul", *rows))
            items.clear()

    for piece in pieces_of(document, start, end):
        if piece.kind == "item":
            items.append(piece)
            continue
        close_list()
        if piece.kind == "heading" and level:
            # The first level is the page's own heading's.
            name = f"h{min(max(level + max(piece.level - 1, 0), 2), 6)}"
            drawn.append(tag(name, _marked(piece, marked), dir="auto", id=f"at-{piece.start}"))
        else:
            kind = piece.kind if piece.kind != "paragraph" else None
            drawn.append(tag("p", _marked(piece, marked, explain), dir="auto", class_=kind))
    close_list()
    return join(*drawn)


def _marked(piece: Piece, marked: Sequence[tuple[Span, str]], explain: Explain = text) -> Html:
    """The piece's text with the marked spans in ``mark`` elements; line breaks of the source are spaces, as in its print."""
    cuts = sorted((max(span.start, piece.start), min(span.end, piece.end), name) for span, name in marked)
    parts: list[str] = []
    at = piece.start
    for low, high, name in cuts:
        low = max(low, at)
        if low >= high:
            continue
        parts.append(explain(piece.text[at - piece.start : low - piece.start]))
        parts.append(tag("mark", explain(piece.text[low - piece.start : high - piece.start]), class_=name))
        at = high
    parts.append(explain(piece.text[at - piece.start :]))
    return join(*parts)


def document_of(hit: Hit, article: Articles) -> Document | None:
    """The document in which a hit's passage stands; None when a newer generation came between, and it stands there no more."""
    document = article(hit.passage.document_id)
    if document is None or document.text[hit.passage.start : hit.passage.end] != hit.passage.text:
        return None
    return document


def passage_prose(hit: Hit, article: Articles, words: Words, *, mark: bool) -> Html:
    """A hit's passage, word for word, with the sentence that introduces it and, if wanted, the answering sentence marked."""
    document = document_of(hit, article)
    spans = [(Span(hit.answer.start, hit.answer.end), "answer")] if mark else []
    if document is None:
        piece = Piece("paragraph", hit.passage.start, hit.passage.end, hit.passage.text)
        return tag("p", _marked(piece, spans, words.explainer()), dir="auto", class_="as-is")
    lead = document.lead_in_of(hit.passage)
    return join(
        tag("p", lead, dir="auto", class_="lead-in") if lead else "",
        prose(document, hit.passage.start, hit.passage.end, spans, words=words),
    )


def surroundings(hit: Hit, visit: Visit, article: Articles) -> Html:
    """The passage with the paragraph before it and the one after it, to open; nothing when it is all of its article."""
    document = document_of(hit, article)
    if document is None:
        return Html()
    start, end = around(document, hit.passage.start, hit.passage.end)
    if (start, end) == (hit.passage.start, hit.passage.end):
        return Html()
    return tag(
        "details",
        tag("summary", visit.say("passage.around")),
        tag(
            "blockquote",
            prose(document, start, hit.passage.start, level=0, words=visit.words),
            tag("div", prose(document, hit.passage.start, hit.passage.end, level=0, words=visit.words), class_="here"),
            prose(document, hit.passage.end, end, level=0, words=visit.words),
            lang=visit.say.of_library,
        ),
        class_="around",
    )


def glance(hit: Hit, visit: Visit, article: Articles) -> Html:
    """The answering sentence large; an item of a list keeps the sentence that introduces the list."""
    document = document_of(hit, article)
    lead = _introduction(hit, document) if document is not None else ""
    size = "glance long" if len(hit.answer.text) > _LONG_SENTENCE else "glance"
    spoken = visit.say.of_library
    sentence = tag("p", tag("mark", _one_line(hit.answer.text), class_="answer"), class_=size, dir="auto", lang=spoken)
    return join(tag("p", lead, class_="lead-in", dir="auto", lang=spoken) if lead else "", sentence)


# Characters from which a sentence is set smaller, so that what qualifies it stays in sight on a phone.
_LONG_SENTENCE = 220


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _introduction(hit: Hit, document: Document) -> str:
    lead = document.lead_in_of(hit.passage)
    pieces = pieces_of(document, hit.passage.start, hit.passage.end)
    inside = next((p for p in pieces if p.start <= hit.answer.start < p.end), None)
    if lead or inside is None or inside.kind != "item" or pieces[0].kind == "item":
        return lead
    before = [s for s in hit.passage.sentences if s.end <= pieces[0].end]
    return document.text[before[-1].start : before[-1].end] if before else ""


# ------------------------------------------------------------------------------------------------------- the source


def kind_badge(metadata: Metadata, say: Strings) -> Html:
    """The kind of source, which opens to what that kind is."""
    name = say(f"kind.{metadata.kind}")
    return tag(
        "details",
        tag("summary", name, class_="badge", title=say("source.kind")),
        tag("p", say(f"kind.{metadata.kind}.means"), class_="means"),
        class_=f"kind kind-{_strength(metadata.kind)}",
    )


def _strength(kind: str) -> str:
    """How a kind's badge is drawn: promotion must not look like evidence."""
    if kind in ("promotional-web-article", "news-report", "not-stated"):
        return "weak"
    return "public" if kind in ("regulator", "consensus", "patient-information") else "study"


def source_line(metadata: Metadata, say: Strings) -> Html:
    """Authors or publisher, journal and date in one line."""
    by = metadata.by if metadata.by != NOT_STATED else say("source.by.none")
    parts = [tag("span", by, dir="auto", class_="by")]
    if metadata.journal:
        parts.append(tag("span", metadata.journal, dir="auto", class_="journal"))
    elif metadata.authors and metadata.publisher:
        parts.append(tag("span", metadata.publisher, dir="auto"))
    parts.append(tag("span", say.date(metadata.date) if metadata.date else say("source.date.none"), class_="date"))
    return tag("p", *_separated(parts, " · "), class_="by-line")


def _separated(parts: Sequence[Html], mark: str) -> list[str]:
    separated: list[str] = []
    for part in parts:
        separated += [mark, part] if separated else [part]
    return separated


def name_of(metadata: Metadata, say: Strings) -> str:
    """The title, or that there is none and which file it is."""
    return metadata.title or say("source.untitled", file=metadata.source or say("source.untitled.no_file"))


def title_line(metadata: Metadata, say: Strings) -> Html:
    """The title; for a digest after saying so, so that nobody takes its wording for the authors'."""
    title = tag("cite", name_of(metadata, say), dir="auto", lang=say.of_library)
    if not metadata.restates:
        return tag("p", title, class_="title")
    return tag(
        "p",
        tag("span", say("source.digest_of", restates=_restated(metadata.restates, say)), class_="digest-of"),
        " ",
        title,
        class_="title",
    )


def _restated(part: str, say: Strings) -> str:
    return say(f"restates.{part}") if part in ("abstract", "page", "article") else part


def provenance(metadata: Metadata, say: Strings, key: str = "source.digest") -> Html:
    """For a digest, a sentence that says whose work it restates; nothing for an original."""
    if not metadata.restates:
        return Html()
    return digest_note(metadata.restates, metadata.by, metadata.date, name_of(metadata, say), say, key)


def digest_note(part: str, by: str, date: str, name: str, say: Strings, key: str = "source.digest") -> Html:
    """The sentence on a digest from its source's fields: the part that it restates, of what, by whom and when (empty: unknown)."""
    authors = by if by != NOT_STATED else say("source.digest.by.none")
    year = f" ({date[:4]})" if date else ""
    return tag("p", say(key, restates=_restated(part, say), work=f"{authors}{year}, {name}"), class_="digest", dir="auto")


def publication_link(metadata: Metadata, say: Strings, quoted: str = "") -> Html:
    """The link to the publication itself; to the quoted words where the page holds them verbatim.

    A digest's words are not the publication's: its link leads to the top.
    """
    address = metadata.link
    if not address:
        return tag("span", say("source.no_link"), class_="no-link")
    host = urlsplit(address).netloc or address
    label = say("source.original", host=host)
    if quoted and not metadata.restates:
        address = f"{address}{'' if '#' in address else '#'}{text_fragment(quoted)}"
    return link(address, label, class_="outside") if host else join(label)


# Words of a long quotation that name its beginning and its end; so few match even where the page broke its lines elsewhere.
_FRAGMENT_WORDS = 6


def text_fragment(quoted: str) -> str:
    """The end of an address that brings quoted words of a page into view.

    Source: the WICG's draft "URL Fragment Text Directives"; a comma, a hyphen and an ampersand have a meaning there.

    >>> text_fragment("Well-known facts")
    ':~:text=Well%2Dknown%20facts'
    >>> text_fragment("a b c d e f g h i j k l m")
    ':~:text=a%20b%20c%20d%20e%20f,h%20i%20j%20k%20l%20m'
    """
    words = quoted.split()
    ends = [words] if len(words) <= 2 * _FRAGMENT_WORDS else [words[:_FRAGMENT_WORDS], words[-_FRAGMENT_WORDS:]]
    return ":~:text=" + ",".join(quote(" ".join(end), safe="").replace("-", "%2D") for end in ends)


def source(hit: Hit, visit: Visit, *, brief: bool = False) -> Html:
    """Who says it, in the few lines that a reader needs to weigh a passage; ``brief`` leaves out place and publication."""
    say, metadata = visit.say, hit.metadata
    ways = (
        [open_link(hit, visit)] if brief else [open_link(hit, visit), Html(" "), publication_link(metadata, say, hit.answer.text)]
    )
    return tag(
        "div",
        kind_badge(metadata, say),
        title_line(metadata, say),
        source_line(metadata, say),
        Html() if brief else place_line(hit, say),
        tag("p", *ways, class_="links"),
        class_="source",
    )


def place_line(hit: Hit, say: Strings) -> Html:
    """Section, page, and the other articles in which the same passage stands."""
    parts: list[Html] = []
    if hit.passage.section:
        parts.append(tag("span", say("source.section", section=hit.passage.section), dir="auto"))
    if hit.passage.page:
        parts.append(tag("span", say("source.page", page=hit.passage.page)))
    if hit.also_in:
        parts.append(tag("span", say("source.also", titles="; ".join(hit.also_in)), dir="auto"))
    return tag("p", *_separated(parts, " · "), class_="section") if parts else Html()


def open_link(hit: Hit, visit: Visit) -> Html:
    """Leads to the passage in its article; its name says which article, for those who hear links by themselves."""
    say = visit.say
    return inner_link(
        visit.to_passage(hit),
        say("source.open"),
        class_="open",
        aria_label=say("source.open.of", title=name_of(hit.metadata, say)),
    )


# -------------------------------------------------------------------------------------------------------- the page


def best_card(hit: Hit, visit: Visit, article: Articles) -> tuple[Html, Html]:
    """The answer at a glance with who says it, and the whole passage it stands in with the place and the publication."""
    say = visit.say
    top = tag(
        "section",
        tag("h3", say("answered.best"), class_="out-of-sight", id="best"),
        glance(hit, visit, article),
        source(hit, visit, brief=True),
        class_="card best",
        aria_labelledby="best",
    )
    whole = tag(
        "section",
        tag("h3", say("passage.title"), id="whole"),
        tag("blockquote", passage_prose(hit, article, visit.words, mark=True), lang=say.of_library),
        surroundings(hit, visit, article),
        place_line(hit, say),
        provenance(hit.metadata, say),
        tag("p", publication_link(hit.metadata, say, hit.answer.text), class_="links"),
        class_="card whole",
        aria_labelledby="whole",
    )
    return top, whole


def further_card(group: Source, visit: Visit, article: Articles, *, mark: bool) -> Html:
    """One further source: its passage, who says it, and what else it says on the question."""
    spoken = visit.say.of_library
    more = [tag("li", tag("q", one.answer.text, dir="auto", lang=spoken), " ", open_link(one, visit)) for one in group.more]
    return tag(
        "li",
        tag(
            "article",
            tag("blockquote", passage_prose(group.hit, article, visit.words, mark=mark), lang=spoken),
            surroundings(group.hit, visit, article),
            source(group.hit, visit),
            tag("details", tag("summary", visit.say("others.same")), tag("ul", *more), class_="same") if more else "",
            class_="card",
        ),
    )


def side_panel(hits: Sequence[Hit], visit: Visit, article: Articles, *, name: str) -> Html:
    """A panel beside the answer: who should not have it, or where sources differ; nothing without hits."""
    if not hits:
        return Html()
    say = visit.say
    lead = [tag("p", say("differing.lead"))] if name == "differing" else []
    entries = [panel_entry(hit, visit, article, whole=name == "cautions") for hit in hits]
    # Where sources differ, both sides are in sight at once; of the cautions the nearest, so that the panel stays short.
    n_open = 2 if name == "differing" else 1
    first, rest = entries[:n_open], entries[n_open:]
    more = tag("details", tag("summary", say("panel.more", n=len(rest))), *rest) if rest else ""
    return tag(
        "aside",
        tag("h3", say(f"{name}.title"), id=f"panel-{name}"),
        *lead,
        *first,
        more,
        class_=f"panel {name}",
        aria_labelledby=f"panel-{name}",
    )


def panel_entry(hit: Hit, visit: Visit, article: Articles, *, whole: bool) -> Html:
    """One caution, with its whole passage: who is meant stands in all of it; or one differing statement, its sentence alone."""
    words = passage_prose(hit, article, visit.words, mark=False) if whole else tag("p", hit.answer.text, dir="auto")
    quoted = tag("blockquote", words, lang=visit.say.of_library)
    return tag("div", quoted, source(hit, visit, brief=True), class_="entry")


def how_read(reading: Reading, say: Strings) -> Html:
    """How the question was understood, when that is not word for word."""
    lines = [tag("li", say("reading.spelling", said=said, read=read), dir="auto") for said, read in reading.corrections]
    lines += [tag("li", say("reading.term", said=said, term=term), dir="auto") for said, term in reading.terms]
    if not lines:
        return Html()
    return tag("section", tag("ul", *lines), class_="reading", aria_label=say("reading.title"))
