"""axe-core finds nothing to object to on any page and state, in both themes, on a phone and on a desktop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from litsearch.settings import Settings
from litsearch.ui.strings import Strings
from tests.browser.chromium import DESKTOP, PHONE, settled
from tests.browser.conftest import NewPage
from tests.browser.test_claims_desk import check
from tests.served import served

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed (axe-playwright-python)")

SAY = Strings()
PATIENT = {
    "first visit": "",
    "answered": "?q=How+many+sessions+do+I+need+for+acne+scars%3F",
    "misspelt": "?q=how+many+sesions+for+stretch+marks",
    "related or answered": "?q=Is+it+done+with+a+laser%3F",
    "nothing": "?q=Which+bus+goes+to+the+stadium+on+Sundays%3F",
    "urgent": "?q=I+have+truble+brething",
    "article": "?article=web-who-should-and-should-not.md",
    "missing article": "?article=nowhere",
    "Spanish": "?lang=es",
    "larger text": "?q=Does+it+help+acne+scars%3F&size=large",
}
STAFF = {
    "ask": "",
    "claims": "claims",
    "register": "register",
    "library": "library",
    "coverage": "coverage",
    "settings": "settings",
}


@pytest.fixture(scope="module")
def broken_app(committed_index: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The patient's process with a setting that cannot be used: every page is an error."""
    practice = tmp_path_factory.mktemp("broken")
    (practice / "safety.yml").write_text("flags: 1\n", encoding="utf-8")
    (practice / "contact.yml").write_text("- no mapping\n", encoding="utf-8")
    with served(replace(committed_index, practice=practice)) as address:
        yield address


def violations(page: Page) -> list[dict[str, Any]]:
    """What axe-core finds, of any impact: WCAG 2.2 AA and its own best practices."""
    found: list[dict[str, Any]] = axe.Axe().run(page).response["violations"]
    # Streamlit's field for files is a section that says of itself that it is none; of minor impact, and not ours to mend.
    ours = [one for one in found if one["id"] != "presentation-role-conflict"]
    return [{"rule": one["id"], "impact": one["impact"], "where": [node["target"] for node in one["nodes"][:3]]} for one in ours]


@pytest.mark.parametrize(("size", "dark"), [(PHONE, True), (DESKTOP, False)], ids=["phone-dark", "desktop-light"])
@pytest.mark.parametrize("state", PATIENT)
def test_the_patients_page_is_accessible(patient_app: str, new_page: NewPage, state: str, size: tuple[int, int], dark: bool):
    page = new_page(size, dark=dark)
    page.goto(f"{patient_app}/{PATIENT[state]}")
    settled(page)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert violations(page) == []


@pytest.mark.parametrize(("size", "dark"), [(PHONE, True), (DESKTOP, False)], ids=["phone-dark", "desktop-light"])
@pytest.mark.parametrize("name", STAFF)
def test_the_staffs_pages_are_accessible_and_fit_a_phone(
    staff_app: str, new_page: NewPage, name: str, size: tuple[int, int], dark: bool
):
    page = new_page(size, dark=dark)
    page.goto(f"{staff_app}/{STAFF[name]}")
    settled(page)
    assert violations(page) == []
    widths = page.evaluate("[document.documentElement.scrollWidth, document.querySelector('.stMain').scrollWidth]")
    assert max(widths) <= size[0]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_checked_copy_with_its_evidence_and_forms_is_accessible(staff_app: str, new_page: NewPage, dark: bool):
    page = new_page(DESKTOP, dark=dark)
    check(page, staff_app)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.locator(".claim-evidence").count() > 3
    assert violations(page) == []


def test_an_error_page_is_accessible(broken_app: str, new_page: NewPage):
    page = new_page(PHONE)
    page.goto(f"{broken_app}/?q=Does+it+hurt%3F")
    settled(page)
    assert page.get_by_role("alert").count() == 1
    assert violations(page) == []


SIGN_IN = """[auth]
redirect_uri = "http://localhost:8501/oauth2callback"
cookie_secret = "only for this test"
client_id = "litsearch"
client_secret = "only for this test"
server_metadata_url = "http://localhost:9/.well-known/openid-configuration"
"""


@pytest.mark.parametrize(("size", "dark"), [(PHONE, True), (DESKTOP, False)], ids=["phone-dark", "desktop-light"])
def test_the_sign_in_is_accessible_and_shows_nothing_else(
    library: Settings, new_page: NewPage, tmp_path: Path, size: tuple[int, int], dark: bool
):
    """Where a sign-in is set up, every staff page is that alone until somebody has signed in."""
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(SIGN_IN, encoding="utf-8")
    with served(library, staff=True, options=("--secrets.files", str(secrets))) as address:
        page = new_page(size, dark=dark)
        for place in ("library", "register"):
            page.goto(f"{address}/{place}")
            expect(page.get_by_role("heading", name=SAY("staff.sign_in.title"))).to_be_visible()
            expect(page.get_by_role("button", name=SAY("staff.sign_in"))).to_be_visible()
            settled(page)
            assert page.get_by_role("table").count() == page.locator("input").count() == 0
            assert violations(page) == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder in which nobody, the superuser included, can make files")
def test_a_disk_that_takes_no_index_is_told_accessibly(committed_index: Settings, new_page: NewPage):
    """The index's folder cannot be made, as on a disk that is only for reading."""
    with served(replace(committed_index, index=Path("/proc/litsearch/index"))) as address:
        page = new_page(PHONE)
        page.goto(address)
        expect(page.get_by_role("heading", name=SAY("build.failed"))).to_be_visible()
        expect(page.get_by_role("alert")).to_contain_text("/proc/litsearch")
        settled(page)
        assert violations(page) == []


def test_the_check_itself_objects_to_a_page_that_is_not_accessible(patient_app: str, new_page: NewPage, tmp_path: Path):
    page = new_page()
    page.set_content("<html><body><img src='x.png'><button></button></body></html>")
    assert {one["rule"] for one in violations(page)} >= {"image-alt", "button-name", "html-has-lang"}


def test_reading_order_is_note_answer_cautions_passage(patient_app: str, new_page: NewPage, library: Settings):
    """What a screen reader meets, from the top: the title, the field, the note, then the answer before everything else."""
    page = new_page()
    page.goto(f"{patient_app}/?q=Does+it+help+acne+scars%3F")
    settled(page)
    headings: list[str] = page.locator("h1, h2, h3").evaluate_all("all => all.map(one => one.tagName + ' ' + one.id)")
    places = [headings.index(name) for name in ("H2 answer", "H3 best", "H3 panel-cautions", "H3 whole") if name in headings]
    assert places == sorted(places) and len(places) >= 3
    assert headings[0].startswith("H1") and sum(one.startswith("H1") for one in headings) == 1
