"""What a practice states and every page needs at once: its settings and how to reach it. Light: the first frame waits for it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from litsearch.contact import Contact, load_contact
from litsearch.settings import Settings, load_settings


def current_settings() -> Settings:
    """The settings in use, read anew on every run: they are small, and a mended file helps at once.

    Raises:
        SettingsError: with the place to mend.
    """
    return load_settings()


def contact_of(settings: Settings) -> Contact:
    """How to reach the practice, read again when the file changes.

    Raises:
        SettingsError: for a file that cannot be used.
    """
    path = settings.practice / "contact.yml"
    return _contact(str(path), changed(path))


def changed(path: Path) -> int:
    """When a file was last changed, in nanoseconds; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_resource(show_spinner=False, max_entries=4)
def _contact(path: str, changed: int) -> Contact:
    return load_contact(Path(path))
