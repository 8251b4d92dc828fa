"""Help with reading, browsing and feedback on the patient's page, and the staff's view of what was asked; real model, real pages."""

# The fixtures of the pages' tests are used by their names, which looks like redefining them.
# ruff: noqa: F401, F811

from __future__ import annotations

import html
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from litsearch.feedback import Feedback
from litsearch.glossary import Entry, Glossary
from litsearch.ingesting import ingest
from litsearch.records import Metadata
from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.spelling import english_words, everyday_words
from litsearch.ui.arranging import around
from litsearch.ui.aspects import ASPECTS, questions_by_aspect, sections_by_aspect
from litsearch.ui.cards import publication_link, text_fragment
from litsearch.ui.examples import Example
from litsearch.ui.reader import EASE_LEVELS, ease_badge
from litsearch.ui.strings import Strings
from litsearch.ui.words import Words
from tests.conftest import ARTICLE
from tests.test_ui_pages import (
    Serve,
    _nothing_shared,
    markup_of,
    open_page,
    own,
    serve,
    terms_of_page,
    words_of_page,
)
from tests.test_ui_parts import _document

SAY = Strings()
SCARS = "How many sessions do I need for scars?"
BUS = "Which bus goes to the stadium on Sundays?"


# --------------------------------------------------------------------------------------------------------- glossary


def test_the_longest_term_is_explained_once_where_it_stands_first_and_the_text_stays():
    glossary = Glossary(
        [Entry("plasma", explain="A."), Entry("platelet-rich plasma", explain="B."), Entry("arm", kind="body-area", explain="C.")]
    )
    explain = Words(glossary).explainer()
    drawn = explain("Platelet-rich plasma, plasma; platelet-rich plasma for the arm.") + explain("Plasma")
    assert re.findall(r">([^<]+)</dfn>", drawn) == ["Platelet-rich plasma", "plasma"]
    assert re.sub(r"<[^>]+>", "", drawn) == "Platelet-rich plasma, plasma; platelet-rich plasma for the arm.Plasma"


def test_plurals_are_explained_and_parts_of_words_are_not():
    glossary = Glossary(
        [Entry("keloid", explain="A raised scar."), Entry("peel", explain="An acid."), Entry("rash", explain="Spots.")]
    )
    assert [(e.start, e.end) for e in glossary.explained_in("Keloids, peeling, rashes")] == [(0, 7), (18, 24)]


def test_an_everyday_word_is_left_alone_unless_it_is_part_of_a_term():
    glossary = Glossary([Entry("pain", explain="It hurts."), Entry("pain scale", explain="A number for it.")])
    assert [e.entry.term for e in glossary.explained_in("Pain by a pain scale", {"pain"})] == ["pain scale"]
    assert glossary.explained_in("") == []


def test_an_explanation_is_text_whatever_the_practice_writes():
    """Read back as a browser reads it: the elements and attributes are ours alone, the words arrive unchanged."""
    hostile = "<script>alert(1)</script>\" onfocus='x' 'y"
    words = Words(Glossary([Entry("striae", explain=hostile)]))
    drawn = words.explainer()("Striae fade.") + words.list(SAY)
    found: list[tuple[str, dict[str, str | None]]] = []
    texts: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
            found.append((name, dict(attributes)))

        def handle_data(self, data: str) -> None:
            texts.append(data)

    Reader().feed(drawn)
    assert {name for name, _ in found} == {"dfn", "details", "summary", "span", "p", "dl", "dt", "dd"}
    term = next(attributes for name, attributes in found if name == "dfn")
    assert set(term) == {"class", "tabindex", "aria-describedby", "data-explain"}
    assert term["data-explain"] == hostile and hostile in "".join(texts)


def test_every_explained_term_can_be_focused_and_names_its_explanation_in_the_list(serve: Serve, committed_index: Settings):
    page = serve(committed_index, q="Does it help acne scars?")
    bodies = "".join(str(element.proto.body) for element in page.get("html"))
    terms = re.findall(r"<dfn ([^>]*)>", bodies)
    assert len(terms) >= 5
    for attributes in terms:
        assert 'tabindex="0"' in attributes
        named = re.search(r'aria-describedby="([^"]+)"', attributes)
        assert named is not None and bodies.count(f'id="{named[1]}"') == 1
    assert ("Many tiny, shallow needle punctures in the skin, meant to start its repair.", "microneedling") in terms_of_page(page)
    assert SAY("words.title") in words_of_page(page)


def test_the_explanation_is_no_part_of_the_quoted_passage(serve: Serve, committed_index: Settings):
    page = serve(committed_index, q=SCARS)
    explanation = terms_of_page(page)[0][0]
    quotes = re.findall(r"<blockquote.*?</blockquote>", markup_of(page), re.S)
    assert quotes and all(html.unescape(explanation) not in html.unescape(re.sub(r"<[^>]+>", "", quote)) for quote in quotes)


# --------------------------------------------------------------------------------------- surroundings and the source


def test_around_takes_one_block_on_each_side_and_no_more():
    document = _document("# T\n\nOne one.\n\nTwo two.\n\nThree three.\n\n## H\n\nFour four.\n")
    text = document.text
    start = text.index("Three")
    assert text[slice(*around(document, start, start + len("Three three.")))] == text[text.index("Two") :].rstrip()
    assert around(document, 0, len(text)) == (0, len(text))


def test_what_stands_around_a_passage_can_be_shown_word_for_word(serve: Serve, committed_index: Settings):
    searcher = Searcher(committed_index)
    hit = searcher.ask(SCARS).hits[0]
    document = searcher.article(hit.passage.document_id)
    assert document is not None
    start, end = around(document, hit.passage.start, hit.passage.end)
    assert end - start > len(hit.passage.text)
    shown = re.search(r'<details class="around">.*?</details>', markup_of(serve(committed_index, q=SCARS)), re.S)
    assert shown is not None and SAY("passage.around") in shown[0]
    words = html.unescape(re.sub(r"<[^>]+>", " ", shown[0].split("<blockquote>")[1])).split()
    expected = [
        word for b in document.blocks if start <= b.start and b.end <= end for word in document.text[b.start : b.end].split()
    ]
    assert words == expected


@pytest.mark.parametrize(
    "metadata", [Metadata("T", url="https://example.org/a", restates="page"), Metadata("T", url="https://example.org/a")]
)
def test_only_an_originals_link_leads_to_its_words(metadata: Metadata):
    """A digest's words do not stand on the page: a link to them would lead nowhere."""
    drawn = publication_link(metadata, SAY, "Scars look flatter, after weeks.")
    assert ("https://example.org/a#:~:text=Scars%20look%20flatter%2C%20after%20weeks." in drawn) == (not metadata.restates)


def test_a_fragment_survives_what_has_a_meaning_in_addresses():
    assert text_fragment("50 % & 60-70, #1") == ":~:text=50%20%25%20%26%2060%2D70%2C%20%231"
    assert 'href="https://example.org/a#part:~:text=Word"' in publication_link(
        Metadata("T", url="https://example.org/a#part"), SAY, "Word"
    )


def test_the_article_page_links_to_the_words_in_the_original(
    serve: Serve,
    real_settings: Callable[[Path], Settings],
    tmp_path: Path,
):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(
        ARTICLE.replace("year: 2020", "year: 2020\nurl: https://example.org/scars"), encoding="utf-8"
    )
    settings = real_settings(corpus)
    ingest(settings)
    question = "Do scars look flatter?"
    hit = Searcher(settings).ask(question).hits[0]
    fragment = html.escape(text_fragment(hit.answer.text))
    for page in (serve(settings, q=question), serve(settings, q=question, passage=hit.passage.passage_id)):
        assert f'href="https://example.org/scars#{fragment}"' in markup_of(page)


@pytest.mark.parametrize(
    ("ease", "level"), [(75.0, "plain"), (60.0, "plain"), (59.9, "fair"), (49.9, "hard"), (10.0, "expert"), (-20.0, "expert")]
)
def test_reading_ease_is_said_in_words(ease: float, level: str):
    assert SAY(f"ease.{level}") in ease_badge(ease, SAY)
    assert [name for name, _ in EASE_LEVELS] == ["plain", "fair", "hard", "expert"]


def test_an_article_says_how_easily_it_reads_and_one_too_short_says_nothing(
    serve: Serve, committed_index: Settings, own: Settings
):
    long, short = "web-who-should-and-should-not.md", "scars.md"
    assert SAY("ease.what") in markup_of(serve(committed_index, article=long))
    assert SAY("ease.what") not in markup_of(serve(own, article=short))
    assert ease_badge(None, SAY) == ""


# ---------------------------------------------------------------------------------------------------- size and print


def test_larger_text_is_kept_by_every_link_of_the_page(serve: Serve, committed_index: Settings):
    page = serve(committed_index, size="large")
    assert any("font-size: 22px" in str(element.proto.body) for element in page.get("html"))
    links = re.findall(r'href="(\?[^"]*)"', markup_of(page))
    assert len(links) > 10
    smaller = [link for link in links if "size=large" not in link]
    assert len(smaller) == 1 and SAY("tools.smaller") in words_of_page(page)
    assert not any("font-size: 22px" in str(element.proto.body) for element in serve(committed_index).get("html"))


# -------------------------------------------------------------------------------------------------------------- browse


def test_the_aspects_offer_questions_that_are_answered_and_sections_that_open(serve: Serve, committed_index: Settings):
    markup = markup_of(serve(committed_index))
    part = markup[markup.index('class="aspects"') : markup.index('class="browse"')]
    searcher = Searcher(committed_index)
    questions = [html.unescape(words) for words in re.findall(r'<a href="\?q=[^"]*" target="_self">([^<]+)</a>', part)]
    assert len(questions) >= 10 and all(searcher.ask(question).answered for question in questions)
    opened = re.findall(r'href="\?passage=([^"&]+)"', part)
    assert len(opened) >= 10 and all(searcher.passage(passage_id) for passage_id in opened)


def test_sections_are_one_an_article_cautions_first_strongest_sources_first(committed_index: Settings):
    searcher = Searcher(committed_index)
    about = {document_id: metadata for document_id, _, metadata in searcher.articles()}
    found = sections_by_aspect(searcher.passages(), about)
    assert set(found) <= set(ASPECTS)
    for sections in found.values():
        names = [section.metadata.name for section in sections]
        assert 0 < len(names) == len(set(names)) <= 8
    safety = [searcher.passage(section.passage_id) for section in found["safety"]]
    for passage in safety:
        assert passage is not None and passage.role in ("caution", "safety")
        roles = {p.role for p in searcher.passages(passage.document_id)}
        assert passage.role == "caution" or "caution" not in roles
    assert sections_by_aspect([], {}) == {aspect: [] for aspect in found}


def test_an_aspect_without_an_answered_question_is_not_offered():
    assert list(questions_by_aspect([Example("Does it hurt?", "course", 0.9, ())])) == ["course"]
    assert questions_by_aspect([]) == {}


# ------------------------------------------------------------------------------------------------ feedback, coverage


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A practice that keeps questions for 30 days; its folder."""
    monkeypatch.setenv("LITSEARCH_KEEP_QUESTIONS_DAYS", "30")
    return tmp_path


def test_nothing_is_asked_or_kept_unless_the_practice_switches_it_on(serve: Serve, committed_index: Settings, tmp_path: Path):
    for question in (SCARS, BUS):
        page = serve(committed_index, practice=tmp_path, q=question)
        assert SAY("helped.title") not in words_of_page(page)
        assert "helped_yes" not in [button.key for button in page.button]
    assert list(tmp_path.iterdir()) == []


def test_a_patient_says_whether_it_helped_once(serve: Serve, committed_index: Settings, keeping: Path):
    page = serve(committed_index, practice=keeping, q=f"I'm Priya. {SCARS}")
    assert SAY("helped.kept", days=30) in words_of_page(page)
    assert not (keeping / "questions.sqlite").exists()
    page.button(key="helped_no").click().run()
    assert SAY("helped.thanks") in words_of_page(page)
    assert [button.key for button in page.button if str(button.key).startswith("helped")] == []
    (asked,) = Feedback(keeping / "questions.sqlite", days=30).asked()
    assert (asked.question, asked.outcome, asked.helped) == (f"I'm [name]. {SCARS}", "answered", "no")
    assert asked.nearest in {metadata.name for _, _, metadata in Searcher(committed_index).articles()}


def test_a_question_without_an_answer_is_kept_once_a_visit(serve: Serve, committed_index: Settings, keeping: Path):
    page = serve(committed_index, practice=keeping, q=BUS)
    page.run()
    page.run()
    assert [one.question for one in Feedback(keeping / "questions.sqlite", days=30).asked()] == [BUS]
    assert SAY("helped.title") not in words_of_page(page)


def test_patients_are_told_before_they_ask(serve: Serve, committed_index: Settings, keeping: Path):
    assert SAY("helped.kept", days=30) in words_of_page(serve(committed_index, practice=keeping))


def test_a_question_that_cannot_be_kept_is_answered_all_the_same(serve: Serve, committed_index: Settings, keeping: Path):
    """As on a disk that is read-only or full: the file's place is taken by a folder."""
    (keeping / "questions.sqlite").mkdir()
    page = serve(committed_index, practice=keeping, q=BUS)
    assert SAY("nothing.title") in words_of_page(page)
    assert SAY("error.title") not in words_of_page(page)


def test_the_coverage_page_groups_what_was_asked_and_deletes_it(serve: Serve, own: Settings, keeping: Path):
    kept = Feedback(keeping / "questions.sqlite", days=30)
    kept.keep("What are the side effects of <b>this</b>?", outcome="nothing", nearest="On <i>risks</i>")
    kept.keep("what are the side effects of <b>this</b>", outcome="nothing", nearest="On <i>risks</i>")
    serve(own, staff=True, practice=keeping)
    page = open_page(serve(own, staff=True, practice=keeping), "coverage")
    said = words_of_page(page)
    assert SAY("coverage.kept", n=2, days=30) in said and SAY("coverage.times", n=2) in said
    assert SAY("coverage.about.harm") in said and "On <i>risks</i>" in said and "<b>this</b>" in said
    assert "<b>" not in markup_of(page) and "<i>" not in markup_of(page)
    assert page.button(key="questions_delete").disabled
    page.checkbox(key="questions_sure").check().run()
    page.button(key="questions_delete").click().run()
    assert SAY("coverage.deleted", n=2) in words_of_page(page) and SAY("coverage.none") in words_of_page(page)
    assert kept.asked() == []


def test_the_coverage_page_says_how_to_switch_it_on(serve: Serve, own: Settings, tmp_path: Path):
    page = open_page(serve(own, staff=True, practice=tmp_path), "coverage")
    assert SAY("coverage.off") in words_of_page(page)
    assert "keep_questions_days" in words_of_page(page)


@pytest.mark.parametrize("days", ["30", "0"])
@pytest.mark.parametrize("staff", [False, True], ids=["patients", "staff"])
def test_old_questions_go_with_the_first_page_that_anybody_opens(
    serve: Serve, own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, staff: bool, days: str
):
    """A year old: gone once either process draws its first page, also where keeping was switched off since."""
    Feedback(tmp_path / "questions.sqlite", days=30, today=lambda: date(2020, 1, 1)).keep("Zebra?", outcome="nothing")
    monkeypatch.setenv("LITSEARCH_KEEP_QUESTIONS_DAYS", days)
    page = serve(own, staff=staff, practice=tmp_path)
    assert SAY("error.title") not in words_of_page(page)
    with sqlite3.connect(tmp_path / "questions.sqlite") as database:
        assert database.execute("SELECT count(*) FROM asked").fetchone() == (0,)


def test_a_file_of_questions_that_cannot_be_used_stops_no_page(serve: Serve, own: Settings, tmp_path: Path):
    (tmp_path / "questions.sqlite").write_bytes(b"no database at all" * 100)
    said = words_of_page(serve(own, practice=tmp_path, q="Do scars look flatter?"))
    assert SAY("answered.title") in said and SAY("error.title") not in said


# -------------------------------------------------------------------------------------------------------------- states


def test_a_question_in_another_language_is_told_so_and_searched_all_the_same(serve: Serve, committed_index: Settings):
    said = words_of_page(serve(committed_index, q="¿Cuántas sesiones necesito para las cicatrices?"))
    assert SAY("language.note") in said
    assert any(SAY(f"{outcome}.title") in said for outcome in ("answered", "related", "nothing"))
    assert SAY("language.note") not in words_of_page(serve(committed_index, q=SCARS))


class Said(HTMLParser):
    """What a page says in its own language: its words and its labels, without quotations, names and the practice's own words."""

    # Names of works, sections and people, what was typed, and what the practice's files say.
    LEFT_OUT = frozenset({"by-line", "digest", "section", "reading", "say", "beyond", "reach", "on-paper"})

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._open: list[bool] = []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        stated = dict(attributes)
        outside = stated.get("lang") == "en" or not self.LEFT_OUT.isdisjoint((stated.get("class") or "").split())
        self._open.append(outside or (bool(self._open) and self._open[-1]))
        if not self._open[-1] and stated.get("class") != "open":
            self.words += [stated.get("aria-label") or "", stated.get("title") or ""]
        if name in ("br", "hr"):
            self._open.pop()

    def handle_endtag(self, name: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._open[-1:]):
            self.words.append(data)


# Little words that Spanish does not have.
ENGLISH = frozenset(
    "the and of is are was this that these with not for from to what which who how it its by in on at your you".split()
)


def english_in(page: AppTest) -> list[str]:
    """The texts of a page in which English words stand that are no quotation."""
    reader = Said()
    reader.feed(markup_of(page))
    labels = [str(part.label) for part in (*page.button, *page.text_input, *page.checkbox, *page.selectbox)]
    return [text for text in (*reader.words, *labels) if ENGLISH & set(re.findall(r"[a-z]+", text.lower()))]


def test_the_finder_of_english_finds_it_and_leaves_quotations_alone():
    reader = Said()
    reader.feed('<p title="The kind">Uno<q lang="en">one of <b>the</b> two</q> dos</p><p>What is it?</p>')
    assert [words for words in reader.words if words] == ["The kind", "Uno", " dos", "What is it?"]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": "Does it help acne scars?"},
        {"q": "is it done with a lazer?"},
        {"q": BUS},
        {"q": "?!"},
        {"q": "I have truble brething"},
        {"article": "web-who-should-and-should-not.md"},
        {"article": "nowhere"},
    ],
    ids=["first visit", "answered", "related", "nothing", "empty", "urgent", "article", "missing article"],
)
def test_a_spanish_page_says_nothing_in_english_but_what_it_quotes(
    serve: Serve, committed_index: Settings, query: dict[str, str]
):
    page = serve(committed_index, lang="es", **query)
    assert english_in(page) == []
    assert Strings("es")("tools.print") in words_of_page(page)


@pytest.mark.parametrize("name", ["library", "coverage", "settings"])
def test_the_staffs_spanish_pages_say_nothing_in_english(serve: Serve, own: Settings, keeping: Path, name: str):
    """The claims desk's words stand in no catalogue yet."""
    Feedback(keeping / "questions.sqlite", days=30).keep("Zebra?", outcome="nothing")
    serve(own, staff=True, practice=keeping)
    script = f"from litsearch.ui import staff\nfrom litsearch.ui.app import guarded\nguarded(staff.{name})"
    page = AppTest.from_string(script, default_timeout=300)
    page.query_params["lang"] = "es"
    page.run()
    assert Strings("es")(f"{name}.title") in words_of_page(page)
    # The corpus's own titles, and where folders lie, stand in tables.
    quoted = ("hostile", "needling", str(own.corpus.parent.parent.parent))
    assert [text for text in english_in(page) if not any(name in text.lower() for name in quoted)] == []


def test_what_is_quoted_on_a_page_in_another_language_says_that_it_is_english(serve: Serve, committed_index: Settings):
    """A screen reader then reads it aloud in English; on English pages nothing needs saying."""
    quotes = re.findall(r"<blockquote[^>]*>", markup_of(serve(committed_index, lang="es", q=SCARS)))
    assert len(quotes) > 3 and all(' lang="en"' in quote for quote in quotes)
    assert 'lang="en"' not in markup_of(serve(committed_index, q=SCARS))


def test_a_corpus_that_changed_after_the_index_was_built_is_served_from_the_index_and_named_to_the_staff(
    serve: Serve,
    real_settings: Callable[[Path], Settings],
    tmp_path: Path,
):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE, encoding="utf-8")
    settings = real_settings(corpus)
    ingest(settings)
    (corpus / "scars.md").write_text(ARTICLE.replace("flatter", "smoother"), encoding="utf-8")
    said = words_of_page(serve(settings, q="Do scars look flatter?"))
    assert "Scars look flatter" in said and "smoother" not in said
    assert SAY("library.stale") in words_of_page(open_page(serve(settings, staff=True), "library"))


@pytest.fixture
def read_only(own: Settings) -> Iterator[Settings]:
    """The library in a folder in which the user who runs the test can write nothing."""
    # What is loaded late is loaded now: nobody may not be allowed to read the interpreter's own folder.
    Searcher(own).ask(BUS)
    english_words(), everyday_words()
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(own.index, folder / "index")
    places = [folder, *folder.rglob("*")]
    for path in places:
        path.chmod(0o555 if path.is_dir() else 0o444)
    # Permissions do not count for the superuser: the rest runs as nobody.
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield replace(own, index=folder / "index", practice=folder)
    finally:
        if is_root:
            os.seteuid(0)
        for path in places:
            path.chmod(0o755)
        shutil.rmtree(folder)


def test_a_library_on_a_read_only_disk_is_searched(serve: Serve, read_only: Settings, monkeypatch: pytest.MonkeyPatch):
    """Nothing of the index or the practice can be written; a question is answered, also one that should be kept."""
    with pytest.raises(PermissionError):
        (read_only.practice / "x").write_text("x", encoding="utf-8")
    monkeypatch.setenv("LITSEARCH_KEEP_QUESTIONS_DAYS", "30")
    for question in ("Do scars look flatter?", BUS):
        said = words_of_page(serve(read_only, q=question))
        assert SAY("error.title") not in said
        assert any(SAY(f"{outcome}.title") in said for outcome in ("answered", "related", "nothing"))
    assert "Scars look flatter" in words_of_page(serve(read_only, q="Do scars look flatter?"))


# ------------------------------------------------------------------------------------------------------------- sign-in


STAFF = "from litsearch.ui.app import run\nrun(staff=True)"


def test_with_a_sign_in_set_up_nobody_sees_a_staff_page_without_it(serve: Serve, own: Settings):
    """Wherever the process listens; and before it nothing of the library is shown."""
    page = serve(own, staff=True)
    assert SAY("staff.only") in words_of_page(page)
    page.secrets["auth"] = {
        "redirect_uri": "http://localhost/oauth2callback",
        "cookie_secret": "x",
        "client_id": "x",
        "client_secret": "x",
    }
    st.config.set_option("server.address", "0.0.0.0")
    try:
        page.run()
    finally:
        st.config.set_option("server.address", "localhost")
    said = words_of_page(page)
    assert SAY("staff.sign_in.title") in said and SAY("staff.sign_in.lead") in said
    assert [button.key for button in page.button] == ["sign_in"]
    assert not page.text_input
    for words in (SAY("field.label"), SAY("browse.title"), SAY("staff.only"), "Needling and scars"):
        assert words not in said


def test_without_a_sign_in_the_staff_pages_say_that_they_are_for_this_machine_alone(serve: Serve, own: Settings):
    page = serve(own, staff=True)
    assert SAY("staff.only") in words_of_page(page)
    assert "sign_in" not in [button.key for button in page.button]
