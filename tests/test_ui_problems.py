"""The reasons that a patient's page gives when nothing can be searched: in the page's language, and exactly for the practice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from litsearch import errors
from litsearch.errors import FeedbackError, IndexProblem, LitsearchError, Refused, RegisterError
from litsearch.settings import Settings
from litsearch.ui.problems import KINDS, told
from litsearch.ui.strings import Strings, catalogue
from tests.test_ui_pages import Serve, _nothing_shared, markup_of, own, serve, words_of_page
from tests.test_ui_words import said_by, wordless, words_left

__all__ = ["_nothing_shared", "own", "serve", "wordless"]

# Refused files, the register and kept questions are told on the staff's pages alone.
STAFFS = {Refused, RegisterError, FeedbackError}


def every_kind(of: type[LitsearchError] = LitsearchError) -> Iterator[type[LitsearchError]]:
    for kind in of.__subclasses__():
        yield kind
        yield from every_kind(kind)


def test_every_error_of_the_project_has_its_sentence_or_is_the_staffs():
    ours = {kind for kind in every_kind() if kind.__module__ == errors.__name__}
    assert ours - STAFFS - {IndexProblem} == set(KINDS)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_problem_is_told_in_the_pages_language_with_the_exact_words_after_it(kind: type[LitsearchError], language: str):
    markup = told(kind("There is no index in /a <b>. Run it."), Strings(language))
    sentence = catalogue(language)[f"error.what.{KINDS[kind]}"]
    assert markup.startswith(f"<p>{sentence}</p>".replace("'", "&#x27;"))
    assert 'lang="en">There is no index in /a &lt;b&gt;. Run it.</p>' in markup


def test_the_two_languages_say_it_differently():
    assert all(catalogue("en")[f"error.what.{end}"] != catalogue("es")[f"error.what.{end}"] for end in KINDS.values())


def test_an_error_page_says_every_word_from_the_catalogue(serve: Serve, own: Settings, wordless: str, tmp_path: Path):
    """Drawn in a language without words, nothing is left but the program's own words, which are marked as English."""
    page = serve(own, lang=wordless, practice=_with_file(tmp_path, "safety.yml", "flags: none"), q="Do scars look flatter?")
    assert words_left(page, ["Do scars look flatter?"]) == set()
    assert Strings(wordless)("error.what.settings") in said_by(page)
    assert 'lang="en">safety.yml: must start with' in markup_of(page)


def test_a_build_that_fails_says_every_word_from_the_catalogue(serve: Serve, own: Settings, wordless: str, tmp_path: Path):
    from litsearch.ui.resources import build_of
    from litsearch.ui.stated import current_settings

    (tmp_path / "corpus").mkdir()
    page = serve(replace(own, corpus=tmp_path / "corpus", index=tmp_path / "index"), lang=wordless)
    assert build_of(current_settings()).wait(60).phase == "failed"
    page.run()
    assert words_left(page, []) == set()
    assert Strings(wordless)("error.what.corpus") in said_by(page)


def test_a_spanish_patient_reads_the_reason_in_spanish(serve: Serve, own: Settings, tmp_path: Path):
    practice = _with_file(tmp_path, "contact.yml", "- just a list")
    said = words_of_page(serve(own, lang="es", practice=practice))
    assert "Un ajuste, o un archivo de la consulta, no se puede usar como está." in said
    assert "En palabras del propio programa, en inglés:" in said and "contact.yml: must hold lines like" in said


@pytest.mark.parametrize("question", ["???", "…", "-"])
def test_an_article_opens_also_with_a_question_that_asks_nothing(serve: Serve, own: Settings, question: str):
    """Such an address was refused as if the library could not be searched, in English on every page."""
    from litsearch.searching import Searcher

    passage = Searcher(own).passages()[0]
    said = words_of_page(serve(own, passage=passage.passage_id, q=question, lang="es"))
    assert Strings("es")("article.marked") in said
    assert Strings("es")("error.title") not in said


def _with_file(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder
