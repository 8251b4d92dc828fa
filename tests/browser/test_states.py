"""Every state that a page can be in is drawn, fits a phone, and is accessible, in both themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from litsearch.feedback import Feedback
from litsearch.ingesting import ingest
from litsearch.searching import Searcher
from litsearch.settings import Settings
from litsearch.ui.strings import Strings
from tests.browser.chromium import DESKTOP, PHONE, settled
from tests.browser.conftest import NewPage
from tests.browser.test_accessibility import violations
from tests.conftest import ARTICLE
from tests.served import served

SAY = Strings()
# Each state is looked at twice: so both themes and both widths are, without looking four times.
LOOKS = pytest.mark.parametrize(("size", "dark"), [(PHONE, True), (DESKTOP, False)], ids=["phone-dark", "desktop-light"])


def fits(page: Page) -> None:
    """Nothing to object to, and nothing beside the window."""
    assert violations(page) == []
    widths = page.evaluate("[document.documentElement.scrollWidth, document.querySelector('.stMain').scrollWidth]")
    size = page.viewport_size
    assert size is not None and max(widths) <= size["width"]


@pytest.fixture(scope="module")
def moved(real_settings: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str]:
    """A library of one article that was changed twice: in the index, and again after it was built; and a passage of before.

    The practice keeps questions, one of them unanswered.
    """
    folder = tmp_path_factory.mktemp("moved")
    (folder / "corpus").mkdir()
    (folder / "practice").mkdir()
    file = folder / "corpus" / "scars.md"
    file.write_text(ARTICLE, encoding="utf-8")
    settings = replace(real_settings(folder / "corpus"), practice=folder / "practice", keep_questions_days=30)
    ingest(settings)
    former = next(passage for passage in Searcher(settings).passages() if "Scars look flatter" in passage.text)
    file.write_text(ARTICLE.replace("flatter", "smoother"), encoding="utf-8")
    ingest(settings)
    file.write_text(ARTICLE.replace("flatter", "softer"), encoding="utf-8")
    Feedback(settings.practice / "questions.sqlite", days=30).keep(
        "Does a zebra help?", outcome="nothing", nearest="Needling and scars"
    )
    return settings, former.passage_id


@pytest.fixture(scope="module")
def moved_app(moved: tuple[Settings, str]) -> Iterator[str]:
    """The patient's process over it."""
    with served(moved[0]) as address:
        yield address


@pytest.fixture(scope="module")
def moved_desk(moved: tuple[Settings, str]) -> Iterator[str]:
    """The staff's process over it."""
    with served(moved[0], staff=True) as address:
        yield address


@LOOKS
def test_typing(patient_app: str, new_page: NewPage, size: tuple[int, int], dark: bool):
    """What was there stays where it is; the field shows that it has the focus."""
    page = new_page(size, dark=dark)
    page.goto(patient_app)
    settled(page)
    before = page.locator(".examples").first.bounding_box()
    field = page.get_by_label(SAY("field.label"))
    frame = (
        "element => [...element.closest('.stTextInput').querySelectorAll('*')].map(part => getComputedStyle(part))"
        ".map(style => style.borderColor + style.boxShadow + style.outline).join()"
    )
    at_rest = field.evaluate(frame)
    field.press_sequentially("How many sessions do I need for acne scars, and how long is the recovery after each of them?")
    assert page.locator(".examples").first.bounding_box() == before
    assert field.evaluate(frame) != at_rest
    fits(page)


@LOOKS
def test_searching(moved: tuple[Settings, str], new_page: NewPage, size: tuple[int, int], dark: bool):
    with served(moved[0], script="tests/browser/slow_app.py") as address:
        page = new_page(size, dark=dark)
        page.goto(f"{address}/?q=Do+scars+look+smoother%3F")
        expect(page.get_by_text(SAY("field.searching"))).to_be_visible()
        expect(page.get_by_label(SAY("field.label"))).to_have_value("Do scars look smoother?")
        fits(page)
        expect(page.get_by_text(SAY("field.searching"))).to_be_visible()
        expect(page.locator(".card.best mark.answer")).to_be_visible()
        expect(page.get_by_text(SAY("field.searching"))).to_have_count(0)


@LOOKS
def test_related_only(library: Settings, new_page: NewPage, size: tuple[int, int], dark: bool):
    """So strict a practice that no passage counts as an answer."""
    with served(replace(library, strictness=0.999)) as address:
        page = new_page(size, dark=dark)
        page.goto(f"{address}/?q=Is+it+done+with+a+laser+and+acne+scars%3F")
        expect(page.get_by_role("heading", name=SAY("related.title"))).to_be_visible()
        settled(page)
        assert page.locator(".outcome mark").count() == 0
        expect(page.get_by_role("heading", name=SAY("whom.title"))).to_be_visible()
        fits(page)


@LOOKS
def test_a_question_without_a_word(patient_app: str, new_page: NewPage, size: tuple[int, int], dark: bool):
    page = new_page(size, dark=dark)
    page.goto(patient_app)
    settled(page)
    page.get_by_label(SAY("field.label")).press("Enter")
    expect(page.get_by_role("alert")).to_have_text(SAY("field.error", problem=SAY("field.empty")))
    settled(page)
    fits(page)


@LOOKS
def test_the_index_is_being_built(
    real_settings: Callable[[Path], Settings], tmp_path: Path, new_page: NewPage, size: tuple[int, int], dark: bool
):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number in range(600):
        (corpus / f"scars-{number:03}.md").write_text(ARTICLE.replace("several", f"{number + 2}"), encoding="utf-8")
    with served(real_settings(corpus)) as address:
        page = new_page(size, dark=dark)
        page.goto(address)
        expect(page.get_by_role("heading", name=SAY("build.title"))).to_be_visible()
        expect(page.get_by_role("progressbar")).to_be_visible()
        fits(page)
        expect(page.get_by_role("heading", name=SAY("build.title"))).to_be_visible()


@LOOKS
def test_the_index_cannot_be_built(
    real_settings: Callable[[Path], Settings], tmp_path: Path, new_page: NewPage, size: tuple[int, int], dark: bool
):
    """Without an article; once there is one, the button builds it."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    with served(real_settings(corpus)) as address:
        page = new_page(size, dark=dark)
        page.goto(address)
        expect(page.get_by_role("heading", name=SAY("build.failed"))).to_be_visible()
        expect(page.get_by_role("alert")).to_contain_text("holds no articles")
        settled(page)
        fits(page)
        (corpus / "scars.md").write_text(ARTICLE, encoding="utf-8")
        page.get_by_role("button", name=SAY("error.retry")).click()
        expect(page.get_by_label(SAY("field.label"))).to_be_visible()


@LOOKS
def test_a_stale_index_is_served_to_patients_and_named_to_staff(
    moved_app: str, moved_desk: str, new_page: NewPage, size: tuple[int, int], dark: bool
):
    page = new_page(size, dark=dark)
    page.goto(f"{moved_app}/?q=Do+scars+look+smoother%3F")
    expect(page.locator(".card.best mark.answer")).to_contain_text("smoother")
    page.goto(f"{moved_desk}/library")
    expect(page.get_by_role("heading", name=SAY("library.stale"))).to_be_visible()
    expect(page.get_by_role("button", name=SAY("library.rebuild"))).to_be_visible()
    settled(page)
    fits(page)


@LOOKS
def test_a_passage_that_was_replaced(
    moved: tuple[Settings, str], moved_app: str, new_page: NewPage, size: tuple[int, int], dark: bool
):
    page = new_page(size, dark=dark)
    page.goto(f"{moved_app}/?passage={moved[1]}")
    expect(page.get_by_role("status").filter(has_text=SAY("passage.former"))).to_be_visible()
    expect(page.locator("#here")).to_contain_text("flatter")
    settled(page)
    fits(page)


@LOOKS
def test_whether_it_helped_is_asked_and_thanked_for(moved_app: str, new_page: NewPage, size: tuple[int, int], dark: bool):
    page = new_page(size, dark=dark)
    page.goto(f"{moved_app}/?q=Do+scars+look+smoother%3F")
    expect(page.get_by_role("heading", name=SAY("helped.title"))).to_be_visible()
    settled(page)
    fits(page)
    page.get_by_role("button", name=SAY("helped.yes"), exact=True).click()
    expect(page.get_by_text(SAY("helped.thanks"))).to_be_visible()
    settled(page)
    fits(page)


@LOOKS
def test_coverage_with_kept_questions(moved_desk: str, new_page: NewPage, size: tuple[int, int], dark: bool):
    page = new_page(size, dark=dark)
    page.goto(f"{moved_desk}/coverage")
    expect(page.get_by_text("Does a zebra help?")).to_be_visible()
    settled(page)
    fits(page)
