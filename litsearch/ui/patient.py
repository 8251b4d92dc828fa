"""The patient's page under its field: what the library says, and the article behind each passage."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from litsearch.contact import Contact
from litsearch.errors import FeedbackError, QuestionError
from litsearch.feedback import Helped
from litsearch.records import Answers
from litsearch.safety import Raised
from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.spelling import everyday_words
from litsearch.ui import frame, reader
from litsearch.ui.arranging import MAX_SOURCES, by_source
from litsearch.ui.aspects import ASPECTS, Section, questions_by_aspect
from litsearch.ui.cards import Articles, Visit, best_card, further_card, how_read, kind_badge, name_of, side_panel
from litsearch.ui.examples import Example, near, varied
from litsearch.ui.language import is_foreign
from litsearch.ui.markup import Html, inner_link, join, link, phone_link, tag, text
from litsearch.ui.resources import (
    examples_of,
    feedback_of,
    flags_of,
    glossary_of,
    no_names_of,
    searcher_of,
    sections_of,
)
from litsearch.ui.stated import contact_of, current_settings
from litsearch.ui.strings import Strings
from litsearch.ui.words import Words

log = logging.getLogger(__name__)

N_EXAMPLES = 6
# Hits asked for: enough for the further sources when several come from one article.
N_HITS = 12


def open_library(settings: Settings) -> Searcher:
    """The searcher over the open library, once the practice's files that a page needs are read too; opened before, it is at hand.

    Raises:
        LitsearchError: when the library cannot be searched, or a file of the practice's cannot be used.
    """
    searcher = searcher_of(settings)
    flags_of(settings)
    searcher.manifest()
    glossary_of(settings)
    everyday_words()
    return searcher


def article_page(visit: Visit) -> None:
    """The page of an article."""
    settings = current_settings()
    searcher = open_library(settings)
    reader.draw(_with_words(visit, settings), searcher)
    frame.show(frame.not_advice(visit.say), frame.tools(visit))


def below(visit: Visit, urgent: DeltaGenerator, problem: DeltaGenerator, *, submitted: bool) -> None:
    """What the library has for this visit, under the field; into ``urgent``, above everything, what cannot wait."""
    settings = current_settings()
    searcher = open_library(settings)
    visit = _with_words(visit, settings)
    if visit.question.strip():
        with urgent:
            frame.show(urgent_help(flags_of(settings).raised_by(visit.question), contact_of(settings), visit.say))
        answer(visit, searcher, problem)
    else:
        if submitted:
            field_error(problem, visit)
        first_visit(visit, searcher)
    frame.show(frame.tools(visit))


def _with_words(visit: Visit, settings: Settings) -> Visit:
    return replace(visit, words=Words(glossary_of(settings), everyday_words()))


def field_error(problem: DeltaGenerator, visit: Visit) -> None:
    """That there is no question to search for, and what one looks like, above the field."""
    words = visit.say("field.error", problem=visit.say("field.empty"))
    with problem:
        frame.show(tag("p", words, class_="field-error", role="alert", dir="auto"))


def urgent_help(raised: Sequence[Raised], contact: Contact, say: Strings) -> Html:
    """The practice's words for what cannot wait, above everything else; nothing for a question that raises no flag."""
    if not raised:
        return Html()
    # The most urgent alone: a second, milder text would only bury it.
    raised = [one for one in raised if one.flag.urgency == raised[0].flag.urgency]
    said = list(dict.fromkeys(one.flag.say for one in raised))
    mentioned = "; ".join(dict.fromkeys(one.words for one in raised))
    beyond = contact.emergency if raised[0].flag.urgency == "immediate" else contact.advice
    return tag(
        "section",
        tag("h2", say(f"urgent.{raised[0].flag.urgency}"), id="urgent"),
        *(tag("p", words, dir="auto", class_="say") for words in said),
        tag("p", beyond, dir="auto", class_="beyond") if beyond else "",
        contact_lines(contact, say),
        tag("p", say("urgent.why", words=mentioned), " ", say("urgent.continue"), class_="why", dir="auto"),
        class_=f"panel urgent {raised[0].flag.urgency}",
        role="alert",
        aria_labelledby="urgent",
    )


def first_visit(visit: Visit, searcher: Searcher) -> None:
    """Questions to start from, and the library itself."""
    say = visit.say
    examples = varied(examples_of(searcher.settings), N_EXAMPLES)
    kept = feedback_of(searcher.settings)
    if kept.on:
        # Said before anything is asked, not after.
        frame.show(tag("p", say("helped.kept", days=kept.days), class_="kept"))
    # The pages may speak another language than the library does.
    note = tag("p", say("language.note"), class_="language") if say.of_library else ""
    frame.show(
        note,
        example_list(examples, visit, say("examples.title")),
        aspect_list(visit, searcher),
        article_list(visit, searcher),
    )


def answer(visit: Visit, searcher: Searcher, problem: DeltaGenerator) -> None:
    """What the library has on the question: an answer, related passages, or plainly nothing."""
    say = visit.say
    try:
        with st.spinner(say("field.searching")):
            answers = searcher.ask(visit.question, top=N_HITS)
    except QuestionError:
        # The search refuses one thing alone: a question without a letter or a digit.
        field_error(problem, visit)
        first_visit(visit, searcher)
        return
    read = cache(searcher.article)
    drawn = {"answered": answered, "related": related, "nothing": nothing}[answers.outcome]
    is_other = is_foreign(visit.question) or (say.of_library and not answers.answered)
    foreign = tag("p", say("language.note"), class_="language") if is_other else ""
    frame.show(foreign, how_read(answers.reading, say), drawn(answers, visit, read, searcher), visit.words.list(say))
    feedback(answers, visit)


def feedback(answers: Answers, visit: Visit) -> None:
    """Whether it helped, where the practice keeps questions; one that was not answered is kept without asking."""
    settings, say = current_settings(), visit.say
    kept = feedback_of(settings)
    if not kept.on:
        return
    # One word a question and visit: turning pages must not count twice.
    told: dict[str, str] = st.session_state.setdefault("told", {})

    def keep(helped: Helped) -> None:
        told[answers.question] = helped or "kept"
        nearest = answers.hits[0].metadata.name if answers.hits else ""
        try:
            kept.keep(answers.question, outcome=answers.outcome, helped=helped, nearest=nearest, known=no_names_of(settings))
        except FeedbackError as error:
            # A patient's answer does not depend on what the practice keeps.
            log.error("a question was not kept: %s", error)

    if not answers.answered and answers.question not in told:
        keep("")
    frame.show(tag("h2", say("helped.title"), class_="helped") if answers.answered else "")
    if answers.answered and answers.question not in told:
        with st.container(horizontal=True):
            st.button(say("helped.yes"), key="helped_yes", on_click=keep, args=("yes",))
            st.button(say("helped.no"), key="helped_no", on_click=keep, args=("no",))
    elif answers.answered:
        frame.show(tag("p", say("helped.thanks"), role="status"))
    frame.show(tag("p", say("helped.kept", days=kept.days), class_="kept"))


def answered(answers: Answers, visit: Visit, article: Articles, searcher: Searcher) -> Html:
    """The best passage with what qualifies it beside it, then further sources."""
    say = visit.say
    groups = by_source(answers.hits)
    top, whole = best_card(groups[0].hit, visit, article)
    same = [further_card(group, visit, article, mark=True) for group in by_source(groups[0].more)]
    others = [further_card(group, visit, article, mark=True) for group in groups[1 : 1 + MAX_SOURCES]]
    return tag(
        "section",
        tag("h2", say("answered.title"), id="answer"),
        _beside(
            _panels(answers, visit, article), top, whole, _cards(others, say("others.title")), _cards(same, say("others.same"))
        ),
        class_="outcome answered",
        aria_labelledby="answer",
    )


def related(answers: Answers, visit: Visit, article: Articles, searcher: Searcher) -> Html:
    """Passages near the question, none of them marked as an answer, and whom to ask."""
    say = visit.say
    cards = [further_card(group, visit, article, mark=False) for group in by_source(answers.hits)[:MAX_SOURCES]]
    return tag(
        "section",
        tag("div", tag("h2", say("related.title"), id="answer"), tag("p", say("related.lead")), class_="panel plain"),
        _beside(_panels(answers, visit, article), _cards(cards[:1]), _cards(cards[1:]), whom_to_ask(visit)),
        class_="outcome related",
        aria_labelledby="answer",
    )


def _panels(answers: Answers, visit: Visit, article: Articles) -> Html:
    return join(
        side_panel(answers.cautions, visit, article, name="cautions"),
        side_panel(answers.differing, visit, article, name="differing"),
    )


def _beside(panels: Html, first: Html, *rest: Html) -> Html:
    """The panels next to the first card where there is room, straight after it on a narrow screen."""
    side = tag("div", panels, class_="panels") if panels else ""
    return tag("div", first, side, *rest, class_="answer-grid with-panels" if panels else "answer-grid")


def _cards(cards: list[Html], title: str = "") -> Html:
    heading = tag("h2", title) if title else ""
    return tag("section", heading, tag("ul", *cards, class_="cards"), class_="further") if cards else Html()


def nothing(answers: Answers, visit: Visit, article: Articles, searcher: Searcher) -> Html:
    """That the library is silent, whom to ask, and what it could be asked instead."""
    say = visit.say
    found_in = [hit.passage.document_id for hit in answers.hits]
    close = near(answers.question, found_in, examples_of(searcher.settings))
    return tag(
        "section",
        tag("div", tag("h2", say("nothing.title"), id="answer"), tag("p", say("nothing.lead")), class_="panel plain"),
        whom_to_ask(visit),
        example_list(close, visit, say("near.title")),
        class_="outcome nothing",
        aria_labelledby="answer",
    )


def whom_to_ask(visit: Visit) -> Html:
    """Whom to ask when the library cannot say: the practice, as its contact file states it."""
    say = visit.say
    contact = contact_of(current_settings())
    lead = say("whom.practice", name=contact.known_as) if contact.known_as else say("whom.default")
    return tag(
        "section",
        tag("h2", say("whom.title"), id="whom"),
        tag("p", lead, dir="auto"),
        contact_lines(contact, say),
        tag("p", contact.advice, dir="auto") if contact.advice else "",
        class_="panel contact",
        aria_labelledby="whom",
    )


def contact_lines(contact: Contact, say: Strings) -> Html:
    """How to reach the practice; nothing where its file states nothing."""
    stated = [
        ("phone", phone_link(contact.phone) if contact.phone else Html()),
        ("hours", text(contact.hours)),
        ("out_of_hours", text(contact.out_of_hours)),
        ("email", text(contact.email)),
        ("website", link(contact.website, contact.website) if contact.website else Html()),
        ("address", text(contact.address)),
    ]
    rows = [join(tag("dt", say(f"contact.{name}")), tag("dd", value, dir="auto")) for name, value in stated if value]
    return tag("dl", *rows, class_="reach") if rows else Html()


def example_list(examples: list[Example], visit: Visit, title: str) -> Html:
    """Questions as links; nothing when there is none."""
    if not examples:
        return Html()
    return tag("section", tag("h2", title), _questions(examples, visit))


def aspect_list(visit: Visit, searcher: Searcher) -> Html:
    """What can be asked, by aspect: questions that the library answers, and the sections of articles that are about it."""
    say = visit.say
    questions, sections = questions_by_aspect(examples_of(searcher.settings)), sections_of(searcher.settings)
    drawn = [
        tag(
            "details",
            tag("summary", say(f"aspect.{aspect}")),
            *([_questions(questions[aspect], visit)] if aspect in questions else []),
            *([tag("h3", say("aspect.sections")), _sections(sections[aspect], visit)] if sections.get(aspect) else []),
            class_="aspect",
        )
        for aspect in ASPECTS
        if aspect in questions or sections.get(aspect)
    ]
    if not drawn:
        return Html()
    return tag("section", tag("h2", say("aspect.title"), id="aspects"), *drawn, class_="aspects", aria_labelledby="aspects")


def _questions(examples: Sequence[Example], visit: Visit) -> Html:
    rows = [tag("li", inner_link(visit.to(q=example.question), example.question)) for example in examples]
    return tag("ul", *rows, class_="examples", lang=visit.say.of_library)


def _sections(sections: Sequence[Section], visit: Visit) -> Html:
    rows = [
        tag(
            "li",
            inner_link(visit.to(passage=one.passage_id), name_of(one.metadata, visit.say), dir="auto", lang=visit.say.of_library),
            tag(
                "span",
                tag("span", one.section, lang=visit.say.of_library) if one.section else visit.say("aspect.opening"),
                " · ",
                visit.say(f"kind.{one.metadata.kind}"),
                dir="auto",
                class_="of",
            ),
        )
        for one in sections
    ]
    return tag("ul", *rows, class_="sections")


def article_list(visit: Visit, searcher: Searcher) -> Html:
    """Every article, with its kind: for people who do not know what to ask."""
    say = visit.say
    articles = searcher.articles()
    rows = [
        tag(
            "li",
            inner_link(visit.to(article=document_id), name_of(metadata, say), dir="auto", lang=say.of_library),
            " ",
            kind_badge(metadata, say),
        )
        for document_id, _, metadata in articles
    ]
    return tag(
        "details",
        tag("summary", say("browse.title"), " ", tag("span", say("browse.count", n=len(articles)), class_="count")),
        tag("p", say("browse.hint")),
        tag("ul", *rows, class_="articles"),
        class_="browse",
    )
