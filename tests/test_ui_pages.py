"""The pages in each of their states, over small libraries of their own and the committed one, with the real model."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from litsearch.index import Index
from litsearch.ingesting import ingest
from litsearch.searching import Searcher
from litsearch.settings import ROOT, Settings
from litsearch.ui.resources import build_of, searcher_of
from litsearch.ui.strings import Strings
from tests.conftest import ARTICLE
from tests.served import environment_of

SAY = Strings()
HOSTILE = r"Price $5 and $6$ <b>bold</b> <script>alert(1)</script> **stars** [a](javascript:alert(2)) \(x\) `code` :red[x]"

Serve = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _nothing_shared() -> Iterator[None]:
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """A page of the app over the library of some settings, by its query parameters."""

    def start(
        settings: Settings, *, staff: bool = False, practice: Path | None = None, strictness: float = 0.0, **query: str
    ) -> AppTest:
        given = replace(settings, practice=practice or settings.practice, strictness=strictness)
        for name, value in environment_of(given).items():
            monkeypatch.setenv(name, value)
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
        if staff:
            page = AppTest.from_string("from litsearch.ui.app import run\nrun(staff=True)", default_timeout=300)
        for name, value in query.items():
            page.query_params[name] = value
        return page.run()

    return start


def markup_of(page: AppTest) -> str:
    """All markup of a page, without the style sheet and the scripts."""
    assert not page.exception, page.exception
    bodies = [element.proto.body for element in page.get("html")]  # type: ignore[attr-defined]
    markup = "\n".join(body for body in bodies if not body.startswith(("<style", "<script")))
    # Explained terms are marked within words; the tests of the terms look at ``terms_of_page``.
    return re.sub(r"</?dfn[^>]*>", "", markup)


def terms_of_page(page: AppTest) -> list[tuple[str, str]]:
    """The terms that a page explains, with their explanations."""
    bodies = "".join(str(element.proto.body) for element in page.get("html"))  # type: ignore[attr-defined]
    return re.findall(r'<dfn [^>]*data-explain="([^"]*)">([^<]*)</dfn>', bodies)


def words_of_page(page: AppTest) -> str:
    """What a page says, as text."""
    return html.unescape(re.sub(r"<[^>]+>", " ", markup_of(page)))


@pytest.fixture(scope="module")
def own(real_settings: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A library of two articles, one of them hostile."""
    corpus = tmp_path_factory.mktemp("own") / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE, encoding="utf-8")
    metadata = "title: '<i>Hostile</i> $title$'\nkind: news-report\npublisher: '<img src=x onerror=alert(3)> *News*'"
    hostile = f"---\n{metadata}\n---\n\n# {HOSTILE}\n\n"
    (corpus / "hostile.md").write_text(
        hostile + f"The hostile price of an unusual zebra session is this. {HOSTILE}\n", encoding="utf-8"
    )
    settings = real_settings(corpus)
    assert ingest(settings).documents == 2
    return settings


# ---------------------------------------------------------------------------------------------------- first visit


def test_the_first_visit_offers_only_questions_that_the_library_answers(serve: Serve, committed_index: Settings):
    page = serve(committed_index)
    offered = re.findall(r'<a href="\?q=[^"]*" target="_self">([^<]+)</a>', markup_of(page))
    assert len(offered) >= 4
    searcher = Searcher(committed_index)
    assert all(searcher.ask(html.unescape(question)).answered for question in offered)


def test_the_first_visit_lists_every_article_and_says_that_it_is_no_advice(serve: Serve, committed_index: Settings):
    page = serve(committed_index)
    assert SAY("not_advice") in words_of_page(page)
    assert markup_of(page).count('href="?article=') == len(Searcher(committed_index).articles())


def test_a_library_that_answers_no_example_still_has_a_first_visit(serve: Serve, own: Settings):
    page = serve(own, strictness=0.999999)
    assert SAY("examples.title") not in words_of_page(page)
    assert SAY("browse.title") in words_of_page(page)


# ------------------------------------------------------------------------------------------------------- outcomes


def test_asking_puts_the_question_into_the_address_and_marks_the_answer(serve: Serve, committed_index: Settings):
    page = serve(committed_index)
    page.text_input(key="question").set_value("How many sessions do I need for scars?")
    page.button[0].click().run()
    assert page.query_params["q"] in ("How many sessions do I need for scars?", ["How many sessions do I need for scars?"])
    best = Searcher(committed_index).ask("How many sessions do I need for scars?").hits[0]
    assert f'<mark class="answer">{html.escape(best.answer.text, quote=True)}</mark>' in markup_of(page)
    for stated in (best.metadata.name, best.metadata.by, SAY(f"kind.{best.metadata.kind}"), SAY("not_advice")):
        assert stated in words_of_page(page)


def test_an_answer_stands_word_for_word_inside_its_passage(serve: Serve, committed_index: Settings):
    question = "How many sessions do I need for scars?"
    page = serve(committed_index, q=question)
    best = Searcher(committed_index).ask(question).hits[0]
    whole = re.search(r'<section class="card whole".*?</blockquote>', markup_of(page), re.S)
    assert whole is not None
    shown = html.unescape(re.sub(r"<[^>]+>", "", whole[0].split("<blockquote>")[1]))
    assert shown.split() == best.passage.text.split()


def test_a_digest_says_whose_work_it_restates(serve: Serve, committed_index: Settings):
    searcher = Searcher(committed_index)
    question = next(q for q in ("Does it help acne scars?", "Does it help melasma?") if searcher.ask(q).hits[0].metadata.restates)
    best = searcher.ask(question).hits[0]
    page = serve(committed_index, q=question)
    assert best.metadata.provenance in words_of_page(page)
    assert SAY("source.digest_of", restates=best.metadata.restates) in words_of_page(page)


def test_cautions_and_differing_sources_stand_straight_after_the_answer_they_qualify(serve: Serve, committed_index: Settings):
    """In reading order: the answer at a glance, the panels, then everything else."""
    searcher = Searcher(committed_index)
    questions = ("Does it help acne scars?", "Is it safe for dark skin?", "Who should not have microneedling?")
    question = next(q for q in questions if searcher.ask(q, top=12).answered and searcher.ask(q, top=12).cautions)
    found = searcher.ask(question, top=12)
    markup = markup_of(serve(committed_index, q=question))
    glance, panel = markup.index('class="card best"'), markup.index('class="panel cautions"')
    assert glance < panel < markup.index('class="card whole"')
    assert html.escape(found.cautions[0].passage.text.splitlines()[0], quote=True) in markup[panel:]
    if found.differing:
        assert panel < markup.index('class="panel differing"') < markup.index('class="card whole"')


def test_related_passages_are_not_marked_as_answers(serve: Serve, committed_index: Settings):
    page = serve(committed_index, q="Is it done with a laser and acne scars?", strictness=0.999)
    assert SAY("related.title") in words_of_page(page)
    assert "<mark" not in markup_of(page)
    assert SAY("whom.title") in words_of_page(page)


def test_nothing_found_says_so_and_gives_whom_to_ask_and_questions_that_are_answered(
    serve: Serve, committed_index: Settings, tmp_path: Path
):
    (tmp_path / "contact.yml").write_text("name: Example Practice\nphone: '+44 20 0000 0000'\n", encoding="utf-8")
    page = serve(committed_index, practice=tmp_path, q="Which bus goes to the stadium on Sundays?")
    said = words_of_page(page)
    assert SAY("nothing.title") in said
    assert "Example Practice" in said
    assert 'href="tel:+442000000000"' in markup_of(page)
    near = re.findall(r'<a href="\?q=[^"]*" target="_self">([^<]+)</a>', markup_of(page))
    assert len(near) == 3
    searcher = Searcher(committed_index)
    assert all(searcher.ask(html.unescape(question)).answered for question in near)


def test_the_page_says_how_it_read_a_misspelt_question_and_an_everyday_word(
    serve: Serve, committed_index: Settings, tmp_path: Path
):
    (tmp_path / "glossary.yml").write_text("entries:\n- term: striae\n  says: [stretch marks]\n", encoding="utf-8")
    said = words_of_page(serve(committed_index, practice=tmp_path, q="how many sesions for stretch marks"))
    assert SAY("reading.spelling", said="sesions", read="sessions") in said
    assert re.search(r"For “stretch marks?” the literature says “striae”", said)


@pytest.mark.parametrize("question", ["", "   ", "?!"])
def test_an_empty_question_is_told_what_to_do(serve: Serve, committed_index: Settings, question: str):
    page = serve(committed_index)
    page.text_input(key="question").set_value(question)
    page.button[0].click().run()
    assert SAY("field.error", problem="") in words_of_page(page)
    assert SAY("examples.title") in words_of_page(page)


def test_a_question_of_ten_thousand_characters_is_answered_or_refused_in_words(serve: Serve, own: Settings):
    page = serve(own, q="Do scars look flatter? " * 450)
    assert SAY("error.title") not in words_of_page(page)


# ------------------------------------------------------------------------------------------------- hostile text


def test_hostile_text_in_corpus_and_question_shows_as_itself(serve: Serve, own: Settings):
    page = serve(own, q=f"What is the hostile price of a zebra session? {HOSTILE}")
    markup = markup_of(page)
    assert "The hostile price of an unusual zebra session is this." in words_of_page(page)
    assert HOSTILE.split(" <b>")[0] in words_of_page(page)
    assert "<script" not in markup
    assert "<b>" not in markup
    assert "<i>Hostile" not in markup
    assert "<img" not in markup
    assert not re.search(r'href="(?!\?|#|https?:|tel:)', markup)


def test_no_text_of_the_corpus_reaches_streamlits_own_markdown(serve: Serve, own: Settings):
    """Markdown would turn dollars into formulas and stars into bold type."""
    page = serve(own, q="What is the hostile price of a zebra session?")
    assert not [element for element in page.markdown if "zebra" in element.value]


# --------------------------------------------------------------------------------------------------- the article


def test_a_passage_opens_its_whole_article_with_the_answer_marked(serve: Serve, committed_index: Settings):
    question = "How many sessions do I need for scars?"
    hits = Searcher(committed_index).ask(question, top=12).hits
    page = serve(committed_index, q=question, passage=hits[0].passage.passage_id)
    document = Searcher(committed_index).article(hits[0].passage.document_id)
    assert document is not None
    markup = markup_of(page)
    body = html.unescape(re.sub(r"<[^>]+>", " ", markup[markup.index("<header><h1") :]))
    for block in document.blocks:
        assert " ".join(document.text[block.start : block.end].split()) in " ".join(body.split())
    here = markup[markup.index('id="here"') :]
    assert here.index(html.escape(hits[0].answer.text, quote=True)) < here.index("</mark>")
    assert SAY("article.place", n=1, of=len(hits)) in words_of_page(page)
    assert f"passage={hits[1].passage.passage_id}" in markup
    assert SAY("article.back", question=question) in words_of_page(page)


def test_an_article_that_begins_with_its_title_shows_it_once(serve: Serve, own: Settings):
    """The file states it in its front matter and as its first heading; the page's own heading is both."""
    (document_id,) = [name for name, _, metadata in Searcher(own).articles() if metadata.title == "Needling and scars"]
    markup = markup_of(serve(own, article=document_id))
    assert markup.count("Needling and scars") == 1
    assert "<h1" in markup and SAY("article.contents") in markup and "What it does</a>" in markup


def test_an_article_opens_by_its_own_address(serve: Serve, committed_index: Settings):
    document_id, _, metadata = Searcher(committed_index).articles()[0]
    page = serve(committed_index, article=document_id)
    assert metadata.name in words_of_page(page)
    assert 'id="here"' not in markup_of(page)


@pytest.mark.parametrize("query", [{"passage": "0000"}, {"article": "../../etc/passwd"}, {"passage": "<b>"}])
def test_an_address_of_nothing_says_so(serve: Serve, own: Settings, query: dict[str, str]):
    said = words_of_page(serve(own, **query))
    assert SAY("article.missing") in said


def test_a_passage_that_a_newer_generation_replaced_is_shown_as_it_was_with_a_notice(
    serve: Serve, real_settings: Callable[[Path], Settings], tmp_path: Path
):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE, encoding="utf-8")
    settings = real_settings(corpus)
    ingest(settings)
    old = next(passage for passage in Searcher(settings).passages() if "Scars look flatter" in passage.text)
    (corpus / "scars.md").write_text(ARTICLE.replace("flatter", "smoother"), encoding="utf-8")
    ingest(settings)
    assert Searcher(settings).passage(old.passage_id) is None
    said = words_of_page(serve(settings, passage=old.passage_id))
    assert SAY("passage.former") in said
    assert "Scars look flatter" in said and "smoother" not in said


# -------------------------------------------------------------------------------------------------------- urgent


def test_a_red_flag_puts_the_practices_words_above_everything(serve: Serve, own: Settings, tmp_path: Path):
    (tmp_path / "safety.yml").write_text(
        "flags:\n- {id: breath, urgency: immediate, any: [trouble breathing], say: 'Call <112> now.', review: open}\n",
        encoding="utf-8",
    )
    markup = markup_of(serve(own, practice=tmp_path, q="I have truble brething since my scars treatment"))
    assert markup.lstrip().startswith('<section class="panel urgent immediate"')
    assert "Call &lt;112&gt; now." in markup
    assert markup.index('class="panel urgent') < markup.index("<h1")


def test_only_the_most_urgent_words_are_shown(serve: Serve, own: Settings, tmp_path: Path):
    (tmp_path / "safety.yml").write_text(
        "flags:\n- {id: a, urgency: urgent, any: [pus], say: Ring today., review: open}\n"
        "- {id: b, urgency: immediate, any: [faint], say: Call now., review: open}\n",
        encoding="utf-8",
    )
    said = words_of_page(serve(own, practice=tmp_path, q="There is pus and I feel faint"))
    assert "Call now." in said and "Ring today." not in said


def test_a_safety_file_that_cannot_be_read_is_an_error_and_no_silence(serve: Serve, own: Settings, tmp_path: Path):
    (tmp_path / "safety.yml").write_text("flags:\n- {id: a, urgency: soon, any: [x y], say: z}\n", encoding="utf-8")
    said = words_of_page(serve(own, practice=tmp_path, q="Do scars look flatter?"))
    assert SAY("error.title") in said
    assert "safety.yml, flag 'a'" in said


# ------------------------------------------------------------------------------------------- missing and damaged


def test_a_missing_index_is_built_once_for_all_sessions_and_then_answers(
    serve: Serve, real_settings: Callable[[Path], Settings], tmp_path: Path
):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE, encoding="utf-8")
    settings = real_settings(corpus)
    first = serve(settings)
    second = serve(settings)
    assert SAY("build.title") in words_of_page(first) + words_of_page(second) or Index(settings.index).current_id()
    from litsearch.ui.stated import current_settings

    state = build_of(current_settings()).wait(60)
    assert state.phase == "done"
    assert state.report is not None and not state.report.fresh
    assert SAY("browse.title") in words_of_page(first.run())
    assert "Scars look flatter" in words_of_page(serve(settings, q="Do scars look flatter?"))


def test_an_empty_corpus_is_an_error_with_its_remedy(serve: Serve, real_settings: Callable[[Path], Settings], tmp_path: Path):
    (tmp_path / "corpus").mkdir()
    settings = real_settings(tmp_path / "corpus")
    page = serve(settings)
    from litsearch.ui.stated import current_settings

    assert build_of(current_settings()).wait(60).phase == "failed"
    said = words_of_page(page.run())
    assert SAY("build.failed") in said
    assert "holds no articles" in said
    assert page.button(key="build_retry").label == SAY("error.retry")


def test_a_damaged_index_is_an_error_with_its_remedy(serve: Serve, own: Settings, tmp_path: Path):
    damaged = tmp_path / "index"
    shutil.copytree(own.index, damaged, symlinks=True)
    file = next((damaged / "generations").glob("*/vectors.faiss"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    said = words_of_page(serve(Settings(corpus=own.corpus, index=damaged), q="Do scars look flatter?"))
    assert SAY("error.title") in said
    assert "checksum" in said and "python ingest.py" in said


def test_an_index_below_a_plain_file_is_told_as_what_it_is(serve: Serve, own: Settings, tmp_path: Path):
    file = tmp_path / "some.txt"
    file.write_text("no folder")
    said = words_of_page(serve(Settings(corpus=own.corpus, index=file / "index"), q="Do scars look flatter?"))
    assert "The library cannot be searched just now" in said
    assert f"{file}, a part of this path, is a file, not a folder. Name a folder for the index" in said
    assert "damaged" not in said


def test_a_setting_that_cannot_be_used_is_an_error_with_its_remedy(serve: Serve, own: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LITSEARCH_TYPO", "1")
    assert "Unknown setting 'typo'" in words_of_page(serve(own))


# --------------------------------------------------------------------------------------------------------- staff


def test_the_patients_process_has_no_staff_page(serve: Serve, own: Settings):
    page = serve(own)
    assert SAY("library.rebuild") not in [button.label for button in page.button]
    assert SAY("settings.title") not in words_of_page(page)


def test_the_library_page_lists_articles_refusals_and_repairs(
    serve: Serve, real_settings: Callable[[Path], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE, encoding="utf-8")
    (corpus / "em<p>ty.txt").write_text("", encoding="utf-8")
    settings = real_settings(corpus)
    ingest(settings)
    page = serve(settings, staff=True)
    (corpus / "new.txt").write_text("A new leaflet\n\nKeep the skin clean.\n", encoding="utf-8")
    page = open_page(page, "library")
    said = words_of_page(page)
    assert "Needling and scars" in said and "em<p>ty.txt" in said and "is empty" in said
    assert SAY("library.stale") in said
    page.button(key="rebuild").click().run()
    assert build_of(searcher_settings(page)).wait(60).phase == "done"
    said = words_of_page(page.run())
    assert "new.txt" in said and SAY("library.change.added") in said
    assert SAY("library.fresh") in said


def test_the_settings_page_says_where_each_value_comes_from(serve: Serve, own: Settings):
    page = open_page(serve(own, staff=True), "settings")
    said = words_of_page(page)
    assert str(own.index) in said and "environment variable LITSEARCH_INDEX" in said and SAY("settings.default") in said


def test_staff_pages_are_refused_where_other_machines_could_reach_them(
    serve: Serve, own: Settings, monkeypatch: pytest.MonkeyPatch
):
    st.config.set_option("server.address", "0.0.0.0")
    try:
        said = words_of_page(serve(own, staff=True))
    finally:
        st.config.set_option("server.address", "localhost")
    assert SAY("staff.exposed", address="0.0.0.0") in said
    assert SAY("library.title") not in said


def open_page(page: AppTest, name: str) -> AppTest:
    """Another page of the staff's, opened by drawing it alone: the navigation is the browser tests' matter."""
    script = f"from litsearch.ui import staff\nfrom litsearch.ui.app import guarded\nguarded(staff.{name})"
    return AppTest.from_string(script, default_timeout=300).run()


def searcher_settings(page: AppTest) -> Settings:
    """The settings that the pages use now."""
    from litsearch.ui.stated import current_settings

    settings = current_settings()
    assert searcher_of(settings) is searcher_of(settings)
    return settings
