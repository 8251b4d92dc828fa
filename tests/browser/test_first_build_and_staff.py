"""An index that is missing is built on the first visit; the staff's pages, in the staff's process alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import expect

from litsearch.settings import Settings
from litsearch.ui.strings import Strings
from tests.browser.chromium import settled
from tests.browser.conftest import NewPage
from tests.conftest import ARTICLE
from tests.served import served

SAY = Strings()


def test_a_missing_index_is_built_on_the_first_visit_while_others_watch(
    real_settings: Callable[[Path], Settings], practice: Path, tmp_path: Path, new_page: NewPage
):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    # Enough different texts that the build outlasts the first page.
    for number in range(400):
        (corpus / f"scars-{number:03}.md").write_text(ARTICLE.replace("several", f"{number + 2}"), encoding="utf-8")
    settings = replace(real_settings(corpus), practice=practice)
    with served(settings) as address:
        first, second = new_page(), new_page()
        first.goto(address)
        expect(first.get_by_role("heading", name=SAY("build.title"))).to_be_visible()
        # Whether it meets the build or its end depends on the machine; that it gets its answer, and no second build, does not.
        second.goto(f"{address}/?q=Do+scars+look+flatter%3F")
        expect(second.locator(".card.best mark.answer")).to_be_visible(timeout=300_000)
        expect(first.get_by_label(SAY("field.label"))).to_be_visible(timeout=300_000)
    assert len(list((settings.index / "generations").iterdir())) == 1


def test_staff_walk_through_their_pages(staff_app: str, library: Settings, new_page: NewPage):
    page = new_page()
    page.goto(staff_app)
    expect(page.get_by_label(SAY("field.label"))).to_be_visible()
    page.get_by_role("link", name=SAY("nav.library")).click()
    expect(page.get_by_role("heading", name=SAY("library.title"), exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=SAY("library.rebuild"))).to_be_visible()
    expect(page.locator("td").get_by_text("web-who-should-and-should-not.md")).to_be_visible()
    page.get_by_role("link", name=SAY("nav.settings")).click()
    expect(page.get_by_role("cell", name=str(library.index))).to_be_visible()
    settled(page)
    assert SAY("staff.only") in page.locator(".stMain").inner_text()
