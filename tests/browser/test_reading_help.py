"""Help with reading in a real browser: terms explained by keyboard, larger text, and the page on paper with its sources."""

from __future__ import annotations

import io
import re
import unicodedata

from playwright.sync_api import Page, expect
from pypdf import PdfReader

from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.ui.strings import Strings
from tests.browser.chromium import PHONE, settled
from tests.browser.conftest import NewPage

SAY = Strings()
QUESTION = "Does it help acne scars?"
ASKED = "?q=Does+it+help+acne+scars%3F"


def tip(page: Page) -> str:
    """What the style sheet draws beside the term that has the focus."""
    drawn: str = page.evaluate(
        "(() => { const a = getComputedStyle(document.activeElement, '::after');"
        " return a.display === 'none' || a.content === 'none' ? '' : a.content })()"
    )
    return drawn.strip('"')


def test_a_term_is_explained_by_keyboard_and_put_away_by_escape(patient_app: str, new_page: NewPage):
    """The test practice's glossary explains its terms with words that try to be markup."""
    page = new_page()
    page.goto(f"{patient_app}/?q=Does+it+help+striae%3F")
    settled(page)
    terms = page.locator("dfn.term")
    expect(terms.first).to_be_attached()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('dfn.term')"):
            break
    explanation = page.evaluate("document.activeElement.dataset.explain")
    assert tip(page) == explanation and "<b>" in explanation
    described = page.evaluate("document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent")
    assert described == explanation
    page.keyboard.press("Escape")
    assert tip(page) == ""
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert tip(page) != ""


def test_a_shown_explanation_does_not_make_a_phones_page_scroll_sideways(patient_app: str, new_page: NewPage):
    page = new_page(PHONE)
    page.goto(f"{patient_app}/?q=Does+it+help+striae%3F")
    settled(page)
    for term in page.locator("dfn.term").all():
        if not term.is_visible():
            continue
        term.focus()
        width = page.evaluate("document.querySelector('.stMain').scrollWidth")
        assert width <= PHONE[0]
        right = term.evaluate("e => e.getBoundingClientRect().left + parseFloat(getComputedStyle(e, '::after').left || 0)")
        assert right >= 0


def test_larger_text_is_larger_stays_while_moving_on_and_fits_a_phone(patient_app: str, new_page: NewPage):
    page = new_page(PHONE)
    page.goto(f"{patient_app}/{ASKED}")
    settled(page)
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    before = page.evaluate(size)
    page.get_by_role("link", name=SAY("tools.larger")).click()
    page.wait_for_function(f"{size} > {before} * 1.2")
    settled(page)
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= PHONE[0]
    page.locator("a.open").first.click()
    page.wait_for_selector("#here")
    settled(page)
    assert "size=large" in page.url
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= PHONE[0]
    page.get_by_role("link", name=SAY("tools.smaller")).click()
    page.wait_for_url(lambda address: "size=large" not in address)


def test_what_stands_around_opens_and_holds_the_passage(patient_app: str, new_page: NewPage):
    page = new_page()
    page.goto(f"{patient_app}/{ASKED}")
    settled(page)
    around = page.locator("details.around").first
    around.locator("summary").click()
    expect(around.locator(".here")).to_be_visible()


def plain(words: str) -> str:
    """Words without spaces and hyphens, which paper puts where its lines end, and without ligatures."""
    return re.sub(r"[\s\u00ad\u2010-]", "", unicodedata.normalize("NFKC", words))


def test_on_paper_every_source_and_every_caution_stands_and_nothing_to_press(
    patient_app: str, new_page: NewPage, library: Settings
):
    """Also what is folded away on the screen; on white, whatever the theme."""
    found = Searcher(library).ask(QUESTION, top=12)
    page = new_page(dark=True)
    page.goto(f"{patient_app}/{ASKED}")
    settled(page)
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".stForm").first).to_be_hidden()
    expect(page.locator(".tools")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor") == "rgb(255, 255, 255)"
    ink = page.evaluate(
        "getComputedStyle(document.querySelector('.card p.title')).color.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    )
    assert max(ink) < 100
    paper = PdfReader(io.BytesIO(page.pdf(format="A4")))
    expect(page.locator(".on-paper")).to_have_text(QUESTION)
    written = plain("".join(sheet.extract_text() for sheet in paper.pages))
    for hit in (found.hits[0], *found.cautions):
        assert plain(hit.metadata.name) in written
        for line in hit.passage.text.splitlines():
            assert plain(line.lstrip("•- "))[:60] in written
    if found.hits[0].metadata.link:
        assert plain(found.hits[0].metadata.link) in written
    assert len(paper.pages) >= 2
