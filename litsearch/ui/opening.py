"""The head start: what takes seconds to load is loaded once, in a thread, from the moment that the server starts.

A page draws its title and field meanwhile, and waits for the rest. The head start decides nothing: each page opens the library
itself, finds it open, or meets the error that the head start met and says so.
"""

from __future__ import annotations

import logging
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import streamlit as st
from streamlit.starlette import App

from litsearch.errors import LitsearchError
from litsearch.settings import Settings
from litsearch.ui.stated import current_settings

log = logging.getLogger(__name__)

NeededT = TypeVar("NeededT")


class HeadStart(Generic[NeededT]):
    """Work for every page, begun once in a thread of its own however many ask for it; safe to share between threads."""

    def __init__(self, needed: Callable[[], NeededT], ahead: Callable[[NeededT], object] = lambda _: None) -> None:
        """``needed`` is waited for; ``ahead`` follows in the same thread with what it gave, and nobody waits for that."""
        self._needed, self._ahead = needed, ahead
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._done = threading.Event()

    def begin(self) -> None:
        """Begin, if nobody did so before."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="head-start", daemon=True)
                self._thread.start()

    @property
    def done(self) -> bool:
        """Whether what is needed is there, or has failed."""
        return self._done.is_set()

    def wait(self) -> None:
        """Return once what is needed is there, or has failed: whoever needs it meets the same error and can tell a reader."""
        self.begin()
        self._done.wait()

    def _work(self) -> None:
        try:
            given = self._needed()
            self._done.set()
            self._ahead(given)
        except LitsearchError as error:
            log.info("the head start ended: %s", error)
        except Exception:
            log.exception("the head start failed")
        finally:
            self._done.set()


def _open_library() -> Settings:
    from litsearch.ui import patient

    settings = current_settings()
    patient.open_library(settings)
    return settings


def _find_examples(settings: Settings) -> None:
    from litsearch.ui.resources import examples_of, sections_of

    examples_of(settings)
    sections_of(settings)


LIBRARY = HeadStart(_open_library, _find_examples)


def loaded() -> None:
    """Wait for what takes long to load; afterwards pages import it without a wait. With a day's first page kept questions whose
    days are over are deleted.

    Raises:
        SettingsError: with the place to mend.
    """
    LIBRARY.wait()
    from litsearch.ui.resources import forget_old_questions

    forget_old_questions(current_settings())


@asynccontextmanager
async def lifespan(app: App) -> AsyncIterator[None]:
    """Begin with the server, before anyone visits; and open a browser, as Streamlit does for an app of its own, unless headless."""
    LIBRARY.begin()
    if not st.get_option("server.headless"):
        threading.Thread(target=webbrowser.open, args=(_address(),), daemon=True).start()
    yield


def _address() -> str:
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{scheme}://{st.get_option('browser.serverAddress')}:{st.get_option('server.port')}/{path}"
