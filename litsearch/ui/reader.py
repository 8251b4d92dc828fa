"""The article reader: a whole article, word for word, with the passage for a question highlighted and brought into view."""

from __future__ import annotations

from litsearch.errors import QuestionError
from litsearch.index import Index
from litsearch.library.report import VERY_DIFFICULT, readability
from litsearch.records import Document, Hit, Passage, Span
from litsearch.searching import Searcher
from litsearch.ui import frame
from litsearch.ui.arranging import place_of
from litsearch.ui.cards import Visit, kind_badge, name_of, prose, provenance, publication_link, source_line
from litsearch.ui.former import former_passage
from litsearch.ui.markup import Html, anchor_link, inner_link, join, tag
from litsearch.ui.strings import Strings
from litsearch.ui.words import Words

# The hits among which "next passage" moves: as many as the answers' page shows at most.
N_HITS = 12


def draw(visit: Visit, searcher: Searcher) -> None:
    """The article that the address names, by a passage of it or by its own id."""
    say = visit.say
    passage, document = _in_use(visit, searcher)
    notice = Html()
    if document is None and visit.passage:
        found = former_passage(Index(searcher.settings.index), visit.passage)
        if found is not None:
            passage, document = found
            notice = tag("section", tag("p", say("passage.former")), class_="panel cautions", role="status")
    if document is None:
        name = "passage" if visit.passage else "article"
        missing = [tag("h1", say(f"{name}.missing.title")), tag("p", say("article.missing"))]
        frame.show(way_back(visit), tag("section", *missing, class_="panel plain"))
        return
    hits = _hits(visit.question, searcher)
    ease = _ease(searcher, document) if not notice else None
    frame.show(notice, article(document, passage, hits, visit, ease), visit.words.list(say))
    if passage is not None:
        frame.arrive("here", passage.passage_id)


def _hits(question: str, searcher: Searcher) -> tuple[Hit, ...]:
    """The passages for the question of the address; none for one without a letter or a digit, which the article can do without."""
    try:
        return searcher.ask(question, top=N_HITS).hits if question.strip() else ()
    except QuestionError:
        return ()


def _in_use(visit: Visit, searcher: Searcher) -> tuple[Passage | None, Document | None]:
    """The passage and the article that the address names in the generation in use, both from the same one."""
    for _ in range(2):
        passage = searcher.passage(visit.passage) if visit.passage else None
        document = searcher.article(passage.document_id if passage else visit.article)
        if passage is None or (document is not None and document.text[passage.start : passage.end] == passage.text):
            return passage, document
        # A newer generation came between the two: look again, in that one.
    return None, None


def _ease(searcher: Searcher, document: Document) -> float | None:
    """How easily an article reads; None for one that is too short to tell."""
    return readability(document, searcher.passages(document.document_id))[1]


def ease_badge(ease: float | None, say: Strings) -> Html:
    """How easily an article reads, in words that open to what they rest on; nothing where it cannot be told."""
    if ease is None:
        return Html()
    level = next(name for name, least in EASE_LEVELS if ease >= least)
    return tag(
        "details",
        tag("summary", say(f"ease.{level}"), class_="badge", title=say("ease.what")),
        tag("p", say("ease.means", ease=f"{ease:.0f}"), class_="means"),
        class_="kind ease",
    )


# Flesch's own table, its seven steps drawn together to four: 60 is where it puts plain English.
EASE_LEVELS: tuple[tuple[str, float], ...] = (
    ("plain", 60.0),
    ("fair", 50.0),
    ("hard", VERY_DIFFICULT),
    ("expert", float("-inf")),
)


def article(document: Document, passage: Passage | None, hits: tuple[Hit, ...], visit: Visit, ease: float | None = None) -> Html:
    """The article with its source, contents, and the ways to the other passages for the question."""
    say, metadata = visit.say, document.metadata
    hit = _hit_of(passage, hits)
    quoted = hit.answer.text if hit else document.text[passage.start : passage.end].partition("\n")[0] if passage else ""
    return tag(
        "article",
        way_back(visit),
        tag(
            "header",
            tag("h1", name_of(metadata, say), dir="auto", lang=say.of_library),
            tag(
                "div",
                kind_badge(metadata, say),
                ease_badge(ease, say),
                source_line(metadata, say),
                provenance(metadata, say, "source.digest.here"),
                tag("p", publication_link(metadata, say, quoted), class_="links"),
                class_="source",
            ),
        ),
        contents(document, visit),
        _moves(passage, hits, visit) if passage else "",
        tag("div", _body(document, passage, hits, visit.words), class_="body", lang=say.of_library),
        _moves(passage, hits, visit) if passage else "",
        class_="reader",
    )


def way_back(visit: Visit) -> Html:
    """The link to the answers that led here, or to the question page."""
    say = visit.say
    if visit.question.strip():
        back = inner_link(visit.to(q=visit.question), say("article.back", question=visit.question), dir="auto")
    else:
        back = inner_link(visit.to(), say("article.home"))
    return tag("nav", tag("p", back, class_="back"), aria_label=say("nav.ask"))


def contents(document: Document, visit: Visit) -> Html:
    """The article's headings as links; nothing for an article with fewer than two."""
    begins = _after_title(document)
    headings = [block for block in document.blocks if block.kind == "heading" and block.start >= begins]
    if len(headings) < 2:
        return Html()
    rows = [tag("li", anchor_link(f"at-{b.start}", document.text[b.start : b.end], dir="auto")) for b in headings]
    title = visit.say("article.contents")
    listed = tag("ul", *rows, lang=visit.say.of_library)
    return tag("nav", tag("details", tag("summary", title), listed), class_="contents", aria_label=title)


def _moves(passage: Passage | None, hits: tuple[Hit, ...], visit: Visit) -> Html:
    say = visit.say
    if passage is None:
        return Html()
    at = place_of(hits, passage.passage_id)
    if at < 0:
        return tag("p", say("article.marked"), class_="moves")
    moves = []
    if at > 0:
        moves.append(
            inner_link(visit.to_passage(hits[at - 1]), say("article.previous"), title=name_of(hits[at - 1].metadata, say))
        )
    if at + 1 < len(hits):
        moves.append(inner_link(visit.to_passage(hits[at + 1]), say("article.next"), title=name_of(hits[at + 1].metadata, say)))
    label = say("article.place", n=at + 1, of=len(hits))
    return tag("nav", tag("span", label), *(join(" ", move) for move in moves), class_="moves", aria_label=label)


def _hit_of(passage: Passage | None, hits: tuple[Hit, ...]) -> Hit | None:
    return next((hit for hit in hits if passage and hit.passage.passage_id == passage.passage_id), None)


def _body(document: Document, passage: Passage | None, hits: tuple[Hit, ...], words: Words) -> Html:
    """The article in three stretches: before the passage, the passage, after it."""
    begins = _after_title(document)
    # Under a title that the page's own heading shows, the sections follow it directly.
    level = 1 if begins else 2
    if passage is None:
        return prose(document, begins, len(document.text), level=level, words=words)
    hit = _hit_of(passage, hits)
    marked = Span(hit.answer.start, hit.answer.end) if hit else Span(passage.start, passage.end)
    here = prose(document, passage.start, passage.end, [(marked, "answer")], level=level, words=words)
    return join(
        prose(document, min(begins, passage.start), passage.start, level=level, words=words),
        tag("div", here, id="here", class_="here"),
        prose(document, passage.end, len(document.text), level=level, words=words),
    )


def _after_title(document: Document) -> int:
    """Where an article goes on after a first heading that is its title, which the page's own heading shows already; else 0."""
    first = document.blocks[0] if document.blocks else None
    if first is None or first.kind != "heading":
        return 0
    return first.end if document.text[first.start : first.end].split() == document.metadata.title.split() else 0
