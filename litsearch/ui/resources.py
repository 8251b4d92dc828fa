"""What all sessions of one process share: settings, the searcher, the build under way, the examples, the practice's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from litsearch.safety import Contact, RedFlags, load_contact, load_flags
from litsearch.searching import Searcher
from litsearch.settings import Settings, load_settings
from litsearch.spelling import english_words
from litsearch.ui.building import Build
from litsearch.ui.examples import Example, answered_examples


def current_settings() -> Settings:
    """The settings in use, read anew on every run: they are small, and a mended file helps at once.

    Raises:
        SettingsError: with the place to mend.
    """
    return load_settings()


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


def flags_of(settings: Settings) -> RedFlags:
    """The practice's red flags, read again when the file changes.

    Raises:
        SettingsError: for a file that cannot be used; a safety layer must not fail in silence.
    """
    path = settings.practice / "safety.yml"
    return _flags(str(path), _changed(path))


def contact_of(settings: Settings) -> Contact:
    """How to reach the practice, read again when the file changes.

    Raises:
        SettingsError: for a file that cannot be used.
    """
    path = settings.practice / "contact.yml"
    return _contact(str(path), _changed(path))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_resource(show_spinner=False, max_entries=4)
def _flags(path: str, changed: int) -> RedFlags:
    return RedFlags(load_flags(Path(path)), english_words())


@st.cache_resource(show_spinner=False, max_entries=4)
def _contact(path: str, changed: int) -> Contact:
    return load_contact(Path(path))


@st.cache_resource(show_spinner=False, max_entries=8)
def _searcher(key: str, _settings: Settings) -> Searcher:
    return Searcher(_settings)


@st.cache_resource(show_spinner=False, max_entries=8)
def _build(key: str, _settings: Settings) -> Build:
    return Build(_settings)


@st.cache_resource(show_spinner=False, max_entries=8)
def _examples(key: str, generation: str, _searcher: Searcher) -> list[Example]:
    return answered_examples(lambda question: _searcher.ask(question, top=3))
