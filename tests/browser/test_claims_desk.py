"""The claims desk from the pasted copy to the Word file in the practice's folder, on the staff's real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest
from docx import Document
from playwright.sync_api import Locator, Page, TimeoutError, expect

from litsearch.claims.register import Register
from litsearch.settings import ROOT, Settings
from litsearch.ui.strings import Strings
from tests.browser.chromium import PHONE, settled
from tests.browser.conftest import NewPage
from tests.served import served

SAY = Strings()
SKIN, REST = "Microneedling is safe for all skin types.", "There is no downtime at all."
COPY = f"{SKIN} {REST} Book now!"
REASON = "The sources name people at higher risk."


@pytest.fixture(scope="module")
def desk(library: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The staff's process with the delivered wording rules and an empty register; its address and the practice's folder."""
    practice = tmp_path_factory.mktemp("desk")
    copy(ROOT / "practice" / "wording.yml", practice)
    with served(replace(library, practice=practice), staff=True) as address:
        yield address, practice


def check(page: Page, address: str, words: str = COPY) -> None:
    """Paste copy and wait until every statement of it was looked at."""
    page.goto(f"{address}/claims")
    page.get_by_label("Copy to check").fill(words)
    page.get_by_label("Campaign or page it belongs to").fill("Spring leaflet")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", name="Claim by claim")).to_be_visible()
    settled(page)


def claim_of(page: Page, words: str) -> Locator:
    """The part of the page that holds one claim, opened."""
    part = page.get_by_test_id("stExpander").filter(has_text=words)
    if part.locator("details[open]").count() == 0:
        part.locator("summary").first.click()
    return part


def choose(part: Locator, label: str, option: str) -> None:
    """Take an option of a list. The list may be drawn anew, and so closed, just after it was opened: it is opened again."""
    chosen = part.page.get_by_role("option", name=option)
    for _ in range(10):
        part.get_by_label(label, exact=True).press("ArrowDown")
        try:
            chosen.click(timeout=5_000)
        except TimeoutError:
            continue
        return
    raise AssertionError(f"the list {label!r} never offered {option!r}")


def decide(page: Page, words: str) -> None:
    """Decide on one claim, sign, and wait until it is recorded."""
    part = claim_of(page, words)
    choose(part, "Decision", "Change the wording")
    part.get_by_label("Reason").fill(REASON)
    part.get_by_label("Your name").fill("Reader One")
    part.get_by_label("Your role").fill("Manager")
    part.get_by_role("button", name="Sign and record").click()
    expect(page.get_by_text("Decided. The decision stands in the register")).to_be_visible()
    settled(page)


def test_copy_is_checked_decided_on_and_exported_with_claim_quotes_and_decision(
    desk: tuple[str, Path], new_page: NewPage, tmp_path: Path
):
    address, practice = desk
    page = new_page()
    check(page, address)
    marked = page.locator(".claim-copy mark.claim-conflicts")
    assert [mark.inner_text() for mark in marked.all()] == [SKIN, REST]

    skin = claim_of(page, SKIN)
    contrary = skin.locator(".claim-evidence.conflicts blockquote mark")
    expect(contrary.first).to_be_visible()
    quotes = [quote.inner_text() for quote in contrary.all()]
    assert any(
        re.search(r"not (be right for |suitable for |for )?everyone|should not|not suitable|dark|keloid", quote, re.IGNORECASE)
        for quote in quotes
    ), quotes
    downtime = claim_of(page, REST).locator(".claim-evidence.conflicts blockquote mark")
    assert any(re.search(r"\bred|swell|days|hours", quote.inner_text(), re.IGNORECASE) for quote in downtime.all())

    skin = claim_of(page, SKIN)
    skin.get_by_role("button", name="Sign and record").click()
    expect(skin.get_by_text("Not recorded yet. Please give a decision, a reason, your name, your role.")).to_be_visible()
    settled(page)
    decide(page, SKIN)

    with page.expect_download() as awaited:
        page.get_by_role("button", name="Word").click()
    file = tmp_path / "check.docx"
    awaited.value.save_as(file)
    assert awaited.value.suggested_filename.endswith(".docx")
    document = Document(str(file))
    headings = [p.text for p in document.paragraphs if p.style is not None and p.style.name == "Heading 1"]
    assert headings[:2] == [f"1. {SKIN}", f"2. {REST}"]
    written = "\n".join(p.text for p in document.paragraphs)
    for quote in quotes:
        assert " ".join(quote.split()) in " ".join(written.split())
    assert f"Decision: Change the wording. Reason: {REASON} (Reader One, Manager, " in written
    assert f"“{REST}”: no decision is recorded." in written
    assert f"“{SKIN}”: no decision is recorded." not in written

    register = Register(f"sqlite:///{practice / 'register.sqlite'}")
    assert [(case.check.body["claim"], case.state) for case in register.cases()] == [(SKIN, "change")]
    assert register.verify() == []
    register.close()


def test_copy_in_a_word_file_is_checked_and_a_file_that_is_no_copy_is_refused_by_name(
    desk: tuple[str, Path], new_page: NewPage, tmp_path: Path
):
    """The file that is dropped counts, not what stands in the field; one too long is not cut in silence."""
    leaflet, broken, book = tmp_path / "leaflet.docx", tmp_path / "broken.docx", tmp_path / "book.txt"
    written = Document()
    written.add_paragraph(f"{REST} {SKIN}")
    written.save(str(leaflet))
    broken.write_bytes(leaflet.read_bytes()[:300])
    book.write_text("It never hurts. " * 7_000)
    page = new_page()
    for file, told in ((broken, "broken.docx"), (book, "112,000 characters")):
        page.goto(f"{desk[0]}/claims")
        page.locator("input[type=file]").set_input_files(file)
        settled(page)
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.get_by_role("alert").filter(has_text=told)).to_be_visible()
    page.goto(f"{desk[0]}/claims")
    page.get_by_label("Copy to check").fill("Our clinic is nice.")
    page.locator("input[type=file]").set_input_files(leaflet)
    settled(page)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", name="Claim by claim")).to_be_visible()
    assert [mark.inner_text() for mark in page.locator(".claim-copy mark.claim-conflicts").all()] == [REST, SKIN]


def test_the_decision_stands_in_the_register_after_the_browser_was_closed(desk: tuple[str, Path], new_page: NewPage):
    page = new_page()
    page.goto(f"{desk[0]}/register")
    part = claim_of(page, SKIN)
    expect(part.get_by_text(REASON)).to_be_visible()
    page.get_by_role("button", name="Check the whole register").click()
    expect(page.get_by_text("2 entries, every one as it was recorded")).to_be_visible()


@pytest.mark.parametrize("place", ["claims", "register"])
def test_the_desk_does_not_scroll_sideways_on_a_phone(desk: tuple[str, Path], new_page: NewPage, place: str):
    page = new_page(PHONE)
    if place == "claims":
        check(page, desk[0], f"It works for {'very' * 80} deep scars. {COPY}")
    else:
        page.goto(f"{desk[0]}/{place}")
        settled(page)
    closed = page.locator("[data-testid=stExpander] > details:not([open]) > summary")
    while closed.count():
        closed.first.click()
    page.wait_for_timeout(500)
    widths = page.evaluate("[document.documentElement.scrollWidth, document.querySelector('.stMain').scrollWidth]")
    assert max(widths) <= PHONE[0]


def test_the_language_stays_from_one_staff_page_to_the_next(desk: tuple[str, Path], new_page: NewPage):
    """The navigation drops the address's parameters; whoever reads Spanish on one page reads it on the others too."""
    say = Strings("es")
    page = new_page()
    page.goto(f"{desk[0]}/claims?lang=es")
    expect(page.get_by_role("heading", name=say("claims.title"))).to_be_visible()
    expect(page.get_by_label(say("claims.copy"))).to_be_visible()
    page.get_by_role("link", name=say("nav.register")).click()
    expect(page.get_by_role("heading", name=say("register.title"))).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.goto(f"{desk[0]}/register?lang=en")
    expect(page.get_by_role("heading", name=SAY("register.title"))).to_be_visible()
