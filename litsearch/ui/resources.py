"""What all sessions of one process share: the searcher, the build under way, the examples, the practice's files."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import streamlit as st

from litsearch.errors import FeedbackError
from litsearch.feedback import Feedback, everyday_language
from litsearch.glossary import Glossary, load_glossary
from litsearch.index import Index
from litsearch.library.comparing import Changes
from litsearch.library.overview import Overview, last_changes, overview_of
from litsearch.safety import RedFlags, load_flags
from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.spelling import english_words
from litsearch.ui.aspects import Section, sections_by_aspect
from litsearch.ui.building import Build
from litsearch.ui.examples import Example, answered_examples
from litsearch.ui.stated import changed

log = logging.getLogger(__name__)


def upload_limit_mb(settings: Settings) -> int:
    """The largest file, in megabytes, that a page takes: no larger than Streamlit lets through, nor than the reader reads.

    Streamlit's limit stays the smaller one as delivered (``maxUploadSize`` in ``.streamlit/config.toml``): an upload is held in
    memory, a file in the corpus folder is not. What a page promises is what it takes, so it asks here and nowhere else.
    """
    return min(settings.max_file_mb, int(st.get_option("server.maxUploadSize")))


def searcher_of(settings: Settings) -> Searcher:
    """The one searcher of this process for these settings."""
    return _searcher(repr(settings), settings)


def build_of(settings: Settings) -> Build:
    """The one build of this process for these settings: every session watches the same."""
    return _build(repr(settings), settings)


def examples_of(settings: Settings) -> Sequence[Example]:
    """The example questions that the generation in use answers, found once a generation.

    Raises:
        LitsearchError: when the library cannot be searched.
    """
    searcher = searcher_of(settings)
    return _examples(repr(settings), str(searcher.manifest()["generation"]), searcher)


def sections_of(settings: Settings) -> Mapping[str, Sequence[Section]]:
    """The sections of the generation in use by aspect, found once a generation.

    Raises:
        LitsearchError: when the library cannot be searched.
    """
    searcher = searcher_of(settings)
    return _sections(repr(settings), str(searcher.manifest()["generation"]), searcher)


def no_names_of(settings: Settings) -> frozenset[str]:
    """Words that are certainly no names: those that the articles write without a capital, and the glossary's.

    Raises:
        LitsearchError: when the library cannot be searched or the glossary cannot be read.
    """
    searcher = searcher_of(settings)
    return _no_names(repr(settings), str(searcher.manifest()["generation"]), searcher) | glossary_of(settings).words


def feedback_of(settings: Settings) -> Feedback:
    """The questions that the practice keeps, if it keeps any."""
    return Feedback(settings.practice / "questions.sqlite", days=settings.keep_questions_days)


def forget_old_questions(settings: Settings) -> None:
    """Delete the kept questions whose days are over: once a day in each process, with the first page of that day."""
    kept = feedback_of(settings)
    _forgotten(str(kept.file), kept.days, kept.today)


def glossary_of(settings: Settings) -> Glossary:
    """The practice's glossary, read again when the file changes.

    Raises:
        SettingsError: for a file that cannot be used.
    """
    path = settings.practice / "glossary.yml"
    return _glossary(str(path), changed(path))


def overview_of_library(settings: Settings, generation: str) -> Overview:
    """Report, evidence map and years of one generation, computed once a generation.

    Raises:
        LitsearchError: when the generation cannot be read.
    """
    return _overview(str(settings.index), generation, settings)


def changes_of(settings: Settings, generation: str) -> Changes | None:
    """What the last two kept generations differ in, looked at anew when another generation is in use."""
    return _changes(str(settings.index), generation, settings)


def flags_of(settings: Settings) -> RedFlags:
    """The practice's red flags, read again when the file changes.

    Raises:
        SettingsError: for a file that cannot be used; a safety layer must not fail in silence.
    """
    path = settings.practice / "safety.yml"
    return _flags(str(path), changed(path))


@st.cache_resource(show_spinner=False, max_entries=4)
def _glossary(path: str, changed: int) -> Glossary:
    return load_glossary(Path(path))


@st.cache_resource(show_spinner=False, max_entries=8)
def _sections(key: str, generation: str, _searcher: Searcher) -> dict[str, list[Section]]:
    return sections_by_aspect(_searcher.passages(), {name: about for name, _, about in _searcher.articles()})


@st.cache_resource(show_spinner=False, max_entries=8)
def _no_names(key: str, generation: str, _searcher: Searcher) -> frozenset[str]:
    return everyday_language(passage.text for passage in _searcher.passages())


@st.cache_resource(show_spinner=False, max_entries=4)
def _flags(path: str, changed: int) -> RedFlags:
    return RedFlags(load_flags(Path(path)), english_words())


@st.cache_resource(show_spinner=False, max_entries=8)
def _searcher(key: str, _settings: Settings) -> Searcher:
    return Searcher(_settings)


@st.cache_resource(show_spinner=False, max_entries=8)
def _build(key: str, _settings: Settings) -> Build:
    return Build(_settings)


@st.cache_resource(show_spinner=False, max_entries=4)
def _forgotten(file: str, days: int, today: date) -> int:
    try:
        return Feedback(Path(file), days=days).forget()
    except FeedbackError as error:
        # No page depends on it; the staff's Coverage page says what is wrong with the file.
        log.error("kept questions whose days are over were not deleted: %s", error)
        return 0


@st.cache_resource(show_spinner=False, max_entries=4)
def _overview(key: str, generation: str, _settings: Settings) -> Overview:
    opened = Index.of(_settings).open(generation)
    with closing(opened.catalogue):
        return overview_of(opened)


@st.cache_resource(show_spinner=False, max_entries=4)
def _changes(key: str, generation: str, _settings: Settings) -> Changes | None:
    return last_changes(Index.of(_settings))


@st.cache_resource(show_spinner=False, max_entries=8)
def _examples(key: str, generation: str, _searcher: Searcher) -> list[Example]:
    return answered_examples(lambda question: _searcher.ask(question, top=3))
