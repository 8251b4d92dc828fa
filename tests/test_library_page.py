"""The Library page: what it lists is what the library holds, and what is clicked happens in the corpus and the index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from litsearch.index import Index
from litsearch.ingesting import ingest
from litsearch.library.comparing import Changes
from litsearch.library.evidence import ASPECTS, EvidenceMap
from litsearch.library.overview import find_articles, last_changes, overview_of
from litsearch.library.report import ArticleReport, Problem
from litsearch.library.shelving import REMOVED
from litsearch.records import KIND_BY_NAME
from litsearch.searching import Searcher
from litsearch.settings import ROOT, Settings
from litsearch.ui import charts
from litsearch.ui.resources import build_of
from litsearch.ui.stated import current_settings
from litsearch.ui.strings import Strings, languages
from tests.conftest import ARTICLE, Shelf
from tests.test_ui_pages import SAY, Serve, _nothing_shared, markup_of, open_page, serve, words_of_page

__all__ = ["_nothing_shared", "serve"]

LEAFLET = "After the session\n\nThe skin is red for two days. Keep it clean and out of the sun.\n"


@pytest.fixture
def library(real_settings: Callable[[Path], Settings], tmp_path: Path) -> Settings:
    """Two articles and a refused file, in two generations."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE, encoding="utf-8")
    settings = real_settings(corpus)
    ingest(settings)
    (corpus / "em<p>ty.txt").write_text("", encoding="utf-8")
    (corpus / "leaflet.txt").write_text(LEAFLET, encoding="utf-8")
    (corpus / "scars.md").write_text(ARTICLE.replace("flatter", "smoother"), encoding="utf-8")
    ingest(settings)
    return settings


def _open(serve: Serve, settings: Settings) -> AppTest:
    serve(settings, staff=True)
    return open_page(None, "library")  # type: ignore[arg-type]


def test_the_page_lists_articles_problems_changes_and_refusals(serve: Serve, library: Settings) -> None:
    page = _open(serve, library)
    said = words_of_page(page)
    for words in ("Needling and scars", "leaflet.txt", "em<p>ty.txt", "is empty", SAY("problem.author"), SAY("library.fresh")):
        assert words in said
    old, new = reversed(Index(library.index).history())
    assert SAY("library.changes.between", old=old, new=new) in said
    assert SAY("library.changes.passages", added=1, removed=0, edited=1) in said
    assert "Scars look flatter" in said and "Scars look smoother" in said
    assert "<p>ty" not in markup_of(page)


def test_the_plots_draw_what_was_counted(serve: Serve, library: Settings) -> None:
    page = _open(serve, library)
    assert len(page.get("vega_lite_chart")) == 2
    said = words_of_page(page)
    assert all(SAY(f"evidence.{aspect}") in said for aspect in ASPECTS)


def test_what_is_typed_narrows_the_table(serve: Serve, library: Settings) -> None:
    page = _open(serve, library)
    assert SAY("library.find.shown", n=2, of=2) in words_of_page(page)
    page.text_input(key="library_find").set_value("scar").run()
    assert SAY("library.find.shown", n=1, of=2) in words_of_page(page)
    page.text_input(key="library_find").set_value("zebra").run()
    assert SAY("library.find.shown", n=0, of=2) in words_of_page(page)


def test_an_uploaded_article_is_added_and_served_and_a_bad_one_says_why(serve: Serve, library: Settings) -> None:
    page = _open(serve, library)
    uploads = [
        ("../new leaflet.txt", b"# Zebras\n\nA zebra session takes an hour.\n"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(99)),
    ]
    page.file_uploader(key="library_files").set_value([(name, content, "text/plain") for name, content in uploads])
    page.button(key="library_add_submit").click().run()
    said = words_of_page(page)
    assert SAY("library.added", path="new leaflet.txt") in said
    assert "picture.png" in said and "is a picture" in said
    assert build_of(current_settings()).wait(60).phase == "done"
    assert sorted(path.name for path in library.corpus.iterdir()) == ["em<p>ty.txt", "leaflet.txt", "new leaflet.txt", "scars.md"]
    assert "new leaflet.txt" in {path for _, path, _ in Searcher(library).articles()}
    assert "Zebras" in words_of_page(page.run())


def test_an_article_is_looked_at_and_taken_out_once_that_is_confirmed(serve: Serve, library: Settings) -> None:
    page = _open(serve, library)
    page.selectbox(key="library_article").set_value("leaflet.txt").run()
    assert "The skin is red for two days." in words_of_page(page)
    assert page.button(key="library_remove").disabled
    page.checkbox(key="remove_sure_leaflet.txt").check().run()
    page.button(key="library_remove").click().run()
    assert SAY("library.removed", path="leaflet.txt", place=f"{REMOVED}/leaflet.txt") in words_of_page(page)
    assert build_of(current_settings()).wait(60).phase == "done"
    assert [path for _, path, _ in Searcher(library).articles()] == ["scars.md"]
    assert (library.corpus / REMOVED / "leaflet.txt").read_text() == LEAFLET
    assert not page.run().exception


def test_the_page_draws_in_every_language(serve: Serve, library: Settings) -> None:
    serve(library, staff=True)
    for language in languages():
        page = AppTest.from_string(
            "from litsearch.ui import staff\nfrom litsearch.ui.app import guarded\nguarded(staff.library)", default_timeout=90
        )
        page.query_params["lang"] = language
        assert Strings(language)("library.evidence") in words_of_page(page.run())


# ------------------------------------------------------------------------------------------------------- its parts


def test_the_overview_is_of_one_generation(stocked: Shelf) -> None:
    generation = stocked.open()
    overview = overview_of(generation)
    generation.catalogue.close()
    assert [article.path for article in overview.of_file("scars.md")] == ["scars.md"]
    assert overview.of_file("none.md") == []
    assert overview.by_year == (("narrative-review", 2020, 1), ("not-stated", None, 2))
    assert overview.evidence.count("conditions", "narrative-review") == 1


def test_what_changed_last_needs_two_generations(stocked: Shelf) -> None:
    assert last_changes(stocked.index) is None
    stocked.write("new.txt", LEAFLET)
    stocked.ingest()
    changes = last_changes(stocked.index)
    assert isinstance(changes, Changes) and changes.added_documents == ("new.txt",)


def test_an_article_is_found_by_the_beginnings_of_its_words() -> None:
    article = ArticleReport("a.md", "web/needling.md", "Décolletage", "case-report", "", 1, 9, None, (), (Problem("date"),))
    found = {
        typed: bool(find_articles([article], typed)) for typed in ("", "decol", "case report", "needl web", "olletage", "zebra")
    }
    assert found == {"": True, "decol": True, "case report": True, "needl web": True, "olletage": False, "zebra": False}


def test_the_charts_know_every_kind_and_draw_an_empty_library() -> None:
    say = Strings()
    rows = [(kind, 2020, 1) for kind in KIND_BY_NAME] + [("cohort", None, 2)]
    drawn = charts.articles_by_year(rows, say).to_dict()
    assert _values(drawn)[-1] == {"kind": "Cohort study", "year": say("year.none"), "n": 2}
    assert drawn["encoding"]["x"]["sort"] == ["2020", say("year.none")]
    assert _values(charts.articles_by_year([], say).to_dict()) == []
    assert _values(charts.evidence(EvidenceMap(tuple(ASPECTS), (), {}), say).to_dict()) == []
    found = charts.evidence(EvidenceMap(("pain", "areas"), ("cohort",), {("pain", "cohort"): 3}), say).to_dict()
    assert [value["n"] for value in _values(found)] == [3, 0]


def _values(drawn: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that a chart draws, wherever Altair put them."""
    data = drawn["data"] if "data" in drawn else drawn["layer"][0]["data"]
    values: list[dict[str, Any]] = drawn["datasets"][data["name"]] if "name" in data else data["values"]
    return values


@pytest.mark.parametrize("language", languages())
def test_no_key_stands_twice_in_a_catalogue(language: str) -> None:
    """The later of two would win in silence."""
    tree = yaml.compose((ROOT / "litsearch" / "ui" / f"strings.{language}.yml").read_text(encoding="utf-8"))
    keys = [key.value for key, _ in tree.value]
    assert sorted(keys) == sorted(set(keys))
