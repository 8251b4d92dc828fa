"""The app served over the committed library and over a hostile one, and pages that look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from litsearch.ingesting import ingest
from litsearch.settings import Settings
from tests.browser.chromium import CHROMIUM, DESKTOP, browser
from tests.served import served

HOSTILE = r"Price $5 and $6$ <b>bold</b> <script>window.hacked=1</script> **stars** [a](javascript:alert(2)) \(x\) `code` :red[x]"
PRACTICE = {
    "contact.yml": "name: Practice <&> Sons\nphone: '+44 20 0000 0000'\nhours: Monday to Friday, 9 am to 5 pm\n",
    "safety.yml": ("flags:\n- {id: breath, urgency: immediate, any: [trouble breathing], say: Call for help., review: open}\n"),
    "glossary.yml": (
        "entries:\n- {term: striae, says: [stretch marks], explain: 'Lines <b>in</b> skin that was stretched.'}\n"
        "- {term: microneedling, explain: 'Many <b>tiny</b> needle punctures in the skin, made on purpose.'}\n"
    ),
}

NewPage = Callable[..., Page]

# How long a test waits for the page: a machine that builds other things at the same time can be slow. Speed has tests of its own.
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium here; install it (Debian: apt-get install chromium)"))


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice's files."""
    folder = tmp_path_factory.mktemp("practice")
    for name, content in PRACTICE.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def library(committed_index: Settings, practice: Path) -> Settings:
    """The committed library with a practice's files."""
    return replace(committed_index, practice=practice)


@pytest.fixture(scope="session")
def patient_app(library: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The patient's process over the committed library."""
    with served(library, log=tmp_path_factory.mktemp("log") / "patient.log") as address:
        yield address


@pytest.fixture(scope="session")
def staff_app(library: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The staff's process over the committed library."""
    with served(library, staff=True, log=tmp_path_factory.mktemp("log") / "staff.log") as address:
        yield address


@pytest.fixture(scope="session")
def hostile_app(
    real_settings: Callable[[Path], Settings], practice: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The patient's process over a library that tries to be markup, script and formula."""
    corpus = tmp_path_factory.mktemp("hostile") / "corpus"
    corpus.mkdir()
    metadata = f"title: '<i>Title</i> $t$ {'x' * 300}'\nkind: news-report\npublisher: '<img src=x onerror=window.hacked=2>'\n"
    words = f"The hostile price of an unusual zebra session is this. {HOSTILE} {'wonderful' * 60} عربي نص 💉"
    (corpus / "<b>hostile.txt").write_text(f"Prices {HOSTILE}\n\n{words}\n", encoding="utf-8")
    (corpus / "<b>hostile.txt.meta.yml").write_text(metadata, encoding="utf-8")
    settings = replace(real_settings(corpus), practice=practice)
    assert ingest(settings).documents == 1
    with served(settings) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser for all tests."""
    with browser() as started:
        yield started


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[NewPage]:
    """Makes pages of a size and theme, each with its own empty profile; ``page.requests`` lists every address it asked for."""
    contexts = []

    def make(size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        return page

    yield make
    for context in contexts:
        context.close()
