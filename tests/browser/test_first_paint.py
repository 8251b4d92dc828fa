"""The very first visit of a process: the frame stands before the library is open, and what comes later comes into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from litsearch.ingesting import ingest
from litsearch.settings import Settings
from litsearch.ui.strings import Strings
from tests.browser.chromium import DESKTOP, PHONE, settled
from tests.browser.conftest import NewPage
from tests.browser.test_accessibility import violations
from tests.conftest import ARTICLE
from tests.served import served

SAY = Strings()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_title_and_field_stand_while_the_library_is_opened(library: Settings, new_page: NewPage, size: tuple[int, int]):
    with served(library, script="tests/browser/slow_opening_app.py") as address:
        page = new_page(size)
        page.goto(address)
        expect(page.get_by_role("heading", name=SAY("ask.title"))).to_be_visible()
        field = page.get_by_label(SAY("field.label"))
        field.fill("Does it hurt?")
        assert page.locator(".examples").count() == 0
        assert violations(page) == []
        field.press("Enter")
        expect(page.locator(".card.best mark.answer")).to_be_visible()
        expect(field).to_have_value("Does it hurt?")
        page.go_back()
        expect(page.locator(".examples").first).to_be_visible()


def test_what_cannot_wait_comes_above_a_title_that_stood_before(library: Settings, new_page: NewPage):
    with served(library, script="tests/browser/slow_opening_app.py") as address:
        page = new_page(PHONE)
        page.goto(f"{address}/?q=I+have+trouble+breathing")
        title = page.get_by_role("heading", name=SAY("ask.title"))
        expect(title).to_be_visible()
        expect(page.get_by_text(SAY("field.searching"))).to_be_visible()
        urgent = page.get_by_role("alert").filter(has_text="Call for help.")
        expect(urgent).to_be_visible()
        settled(page)
        above, below = urgent.bounding_box(), title.bounding_box()
        assert above and below and above["y"] + above["height"] <= below["y"]


def test_a_damaged_index_is_a_page_of_its_own_for_the_first_visitor_too(
    real_settings: Callable[[Path], Settings], tmp_path: Path, new_page: NewPage
):
    (tmp_path / "scars.md").write_text(ARTICLE, encoding="utf-8")
    settings = real_settings(tmp_path)
    ingest(settings)
    for file in settings.index.glob("generations/*/library.sqlite"):
        file.write_bytes(b"no library")
    with served(settings) as address:
        page = new_page()
        page.goto(address)
        expect(page.get_by_role("alert")).to_contain_text("library.sqlite is damaged")
        settled(page)
        expect(page.get_by_label(SAY("field.label"))).to_have_count(0)
        assert page.locator("h1").all_inner_texts() == [SAY("error.title")]
