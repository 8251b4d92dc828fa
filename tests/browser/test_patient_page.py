"""What a patient meets, in a real browser on the real server."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.ui.strings import Strings
from tests.browser.chromium import DESKTOP, PHONE, settled
from tests.browser.conftest import HOSTILE, NewPage

SAY = Strings()
QUESTION = "How many sessions do I need for acne scars?"


def to(address: str, **parameters: str) -> str:
    return address + "/?" + "&".join(f"{name}={quote(value)}" for name, value in parameters.items())


def on_screen(page: Page, selector: str) -> bool:
    """Whether the top of an element lies within the window."""
    box = page.locator(selector).first.bounding_box()
    size = page.viewport_size
    return box is not None and size is not None and 0 <= box["y"] < size["height"] and 0 <= box["x"] < size["width"]


def test_a_typed_question_is_answered_with_its_sentence_marked_on_the_screen(
    patient_app: str, new_page: NewPage, library: Settings
):
    page = new_page()
    page.goto(patient_app)
    page.get_by_label(SAY("field.label")).fill(QUESTION)
    page.keyboard.press("Enter")
    mark = page.locator(".card.best mark.answer")
    expect(mark).to_be_visible()
    answer = Searcher(library).ask(QUESTION).hits[0].answer.text
    assert mark.inner_text().split() == answer.split()
    assert on_screen(page, ".card.best mark.answer")
    background = mark.evaluate("element => getComputedStyle(element).backgroundColor")
    assert background not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")
    assert f"q={quote(QUESTION).replace('%20', '+')}" in page.url or "q=" + quote(QUESTION) in page.url


def test_an_address_with_a_question_shows_its_answer_and_keeps_it_in_the_field(patient_app: str, new_page: NewPage):
    page = new_page()
    page.goto(to(patient_app, q=QUESTION))
    expect(page.locator(".card.best mark.answer")).to_be_visible()
    expect(page.get_by_label(SAY("field.label"))).to_have_value(QUESTION)


def test_the_passage_opens_in_its_article_in_view_and_back_leads_to_the_answer(patient_app: str, new_page: NewPage):
    page = new_page(PHONE)
    page.goto(to(patient_app, q=QUESTION))
    page.locator("a.open").first.click()
    expect(page.locator("#here mark.answer")).to_be_visible()
    settled(page)
    assert on_screen(page, "#here")
    assert "passage=" in page.url
    page.reload()
    expect(page.locator("#here mark.answer")).to_be_visible()
    page.get_by_role("link", name=SAY("article.next")).first.click()
    expect(page.get_by_text(SAY("article.place", n=2, of=12)).first).to_be_visible()
    page.go_back()
    expect(page.get_by_text(SAY("article.place", n=1, of=12)).first).to_be_visible()
    page.locator(".back a").click()
    expect(page.locator(".card.best mark.answer")).to_be_visible()


def test_an_example_question_leads_to_an_answer(patient_app: str, new_page: NewPage):
    page = new_page()
    page.goto(patient_app)
    example = page.locator(".examples a").first
    words = example.inner_text()
    example.click()
    expect(page.locator(".card.best mark.answer")).to_be_visible()
    expect(page.get_by_label(SAY("field.label"))).to_have_value(words)


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_cautions_are_in_sight_together_with_the_answer_they_qualify(
    patient_app: str, new_page: NewPage, library: Settings, size: tuple[int, int]
):
    searcher = Searcher(library)
    questions = [
        "Does it help acne scars?",
        "Can it improve stretch marks?",
        "Is it safe for dark skin?",
        "Does it help melasma?",
    ]
    qualified = [q for q in questions if searcher.ask(q, top=12).answered and searcher.ask(q, top=12).cautions]
    assert qualified
    for question in qualified:
        page = new_page(size)
        page.goto(to(patient_app, q=question))
        settled(page)
        assert on_screen(page, ".card.best mark.answer"), question
        assert on_screen(page, ".panel.cautions h3"), question
        assert on_screen(page, ".panel.cautions blockquote"), question


def test_urgent_help_stands_above_everything_for_a_misspelt_alarm(patient_app: str, new_page: NewPage):
    page = new_page(PHONE)
    page.goto(to(patient_app, q="I have truble brething since yesterday"))
    panel = page.get_by_role("alert").filter(has_text=SAY("urgent.immediate"))
    expect(panel).to_be_visible()
    box = panel.bounding_box()
    assert box is not None and box["y"] < 100
    expect(panel.get_by_role("link", name="+44 20 0000 0000")).to_have_attribute("href", "tel:+442000000000")
    expect(panel.get_by_text("Practice <&> Sons")).to_have_count(0)


def test_nothing_found_names_the_practice_and_offers_three_questions(patient_app: str, new_page: NewPage):
    page = new_page()
    page.goto(to(patient_app, q="Which bus goes to the stadium on Sundays?"))
    expect(page.get_by_role("heading", name=SAY("nothing.title"))).to_be_visible()
    expect(page.locator(".panel.contact").get_by_text("Practice <&> Sons")).to_be_visible()
    expect(page.locator(".examples a")).to_have_count(3)


@pytest.mark.parametrize("dark", [False, True])
def test_no_page_scrolls_sideways_on_a_phone(patient_app: str, hostile_app: str, new_page: NewPage, dark: bool):
    pages = [
        to(patient_app),
        to(patient_app, q=QUESTION),
        to(patient_app, q="x" * 3000),
        to(patient_app, q="Which bus goes to the stadium on Sundays?"),
        to(patient_app, article="web-who-should-and-should-not.md"),
        to(hostile_app),
        to(hostile_app, q=f"hostile price of a zebra session {HOSTILE}"),
    ]
    for address in pages:
        page = new_page(PHONE, dark=dark)
        page.goto(address)
        settled(page)
        widths = page.evaluate("[document.documentElement.scrollWidth, document.querySelector('.stMain').scrollWidth]")
        assert max(widths) <= PHONE[0], address
        page.close()


def test_hostile_text_shows_as_text_and_runs_nothing(hostile_app: str, new_page: NewPage):
    page = new_page()
    page.goto(to(hostile_app, q=f"What is the hostile price of a zebra session? {HOSTILE}"))
    settled(page)
    shown = page.locator(".stMain").inner_text()
    assert HOSTILE in " ".join(shown.split())
    assert "<i>Title</i> $t$" in shown
    assert "<img src=x onerror=window.hacked=2>" in shown
    assert page.evaluate("window.hacked") is None
    assert page.locator(".stMain .katex").count() == 0
    assert page.locator(".stMain a[href^='javascript']").count() == 0


def test_every_request_stays_on_the_host(patient_app: str, new_page: NewPage):
    page = new_page()
    hosts: set[str] = set()
    page.on(
        "request", lambda request: hosts.add(urlsplit(request.url).netloc) if request.url.startswith(("http", "ws")) else None
    )
    page.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).netloc))
    for address in (to(patient_app), to(patient_app, q=QUESTION), to(patient_app, article="web-who-should-and-should-not.md")):
        page.goto(address)
        settled(page)
    page.wait_for_timeout(1000)
    assert hosts == {urlsplit(patient_app).netloc}


@pytest.mark.parametrize("name", ["library", "settings", "claims", "register", "coverage", "staff"])
def test_the_patients_process_has_no_staff_pages(patient_app: str, new_page: NewPage, name: str):
    page = new_page()
    page.goto(f"{patient_app}/{name}")
    page.wait_for_timeout(1500)
    shown = page.locator("body").inner_text()
    for words in (SAY("library.rebuild"), SAY("settings.lead"), SAY("staff.only"), "LITSEARCH_INDEX"):
        assert words not in shown
    assert page.get_by_test_id("stTopNavLink").count() == 0


def test_the_page_can_be_used_by_keyboard_alone(patient_app: str, new_page: NewPage):
    page = new_page()
    page.goto(patient_app)
    settled(page)
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "INPUT":
            break
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".card.best mark.answer")).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('open')"):
            break
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(width.removesuffix("px")) >= 2, "the focus cannot be seen"
    page.keyboard.press("Enter")
    expect(page.locator("#here mark.answer")).to_be_visible()
