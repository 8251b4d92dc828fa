"""``python -m tests.browser.screenshots``: every state of the pages, as it looks, into ``docs/screenshots/``.

``--index DIR`` takes an index that is there already and leaves out the picture of the first build.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from litsearch.settings import ROOT, Settings
from tests.browser.chromium import CHROMIUM, DESKTOP, PHONE, browser, settled
from tests.browser.test_claims_desk import SKIN, check, claim_of, decide
from tests.served import served

FOLDER = ROOT / "docs" / "screenshots"
# Colours kept: enough for flat surfaces and text, and a picture stays far below 150 KB.
N_COLOURS = 96

# The longest that a build may take on a slow machine.
BUILD_MS = 1_800_000

ANSWERED = "?q=Does+it+help+acne+scars%3F"
RELATED = "?q=is+it+done+with+a+lazer%3F"
NOTHING = "?q=Which+bus+goes+to+the+stadium+on+Sundays%3F"
URGENT = "?q=my+lips+are+really+swolen+and+I+feel+dizzy"


def main() -> int:
    """Serve the app over the committed corpus with a new index, and take the pictures."""
    if CHROMIUM is None:
        print("no Chromium here; install it (Debian: apt-get install chromium)", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("--index", type=Path, help="an index of the committed corpus that is there already")
    given: Path | None = parser.parse_args().index
    with tempfile.TemporaryDirectory() as temporary, browser() as chromium:
        settings = Settings(index=given.resolve() if given else Path(temporary) / "index")
        with served(settings, log=Path(temporary) / "app.log") as address:
            page = open_page(chromium, f"{address}/", DESKTOP)
            if given is None:
                # The first visit finds no index: the build is a state of its own, and makes the index for the other pictures.
                page.get_by_test_id("stProgress").get_by_text(re.compile(r"\d+ of \d+")).wait_for(timeout=BUILD_MS)
                take(page, "building-desktop", close=False)
            page.locator(".examples, .panel.failed").first.wait_for(timeout=BUILD_MS)
            if page.locator(".panel.failed").count():
                print(page.locator(".panel.failed").inner_text(), file=sys.stderr)
                return 1
            take(settled(page), "first-visit-desktop")
            shoot(chromium, f"{address}/", PHONE, "first-visit-phone-dark", dark=True)
            shoot(chromium, f"{address}/{ANSWERED}", DESKTOP, "answered-desktop")
            shoot(chromium, f"{address}/{ANSWERED}", PHONE, "answered-phone")
            shoot(chromium, f"{address}/{RELATED}", PHONE, "related-phone-dark", dark=True)
            shoot(chromium, f"{address}/{NOTHING}", PHONE, "nothing-phone")
            shoot(chromium, f"{address}/{URGENT}", PHONE, "urgent-phone")
            page = settled(open_page(chromium, f"{address}/{ANSWERED}", DESKTOP, dark=True))
            page.locator("a.open").first.click()
            page.wait_for_selector("#here")
            take(settled(page), "article-desktop-dark")
            shoot(chromium, f"{address}/{ANSWERED}&lang=es", PHONE, "answered-phone-spanish")
        staff_pages(chromium, settings, Path(temporary) / "desk")
        broken = Path(temporary) / "practice"
        broken.mkdir()
        (broken / "safety.yml").write_text("flags:\n- {id: fever, urgency: soon, any: [fever], say: Ask.}\n", encoding="utf-8")
        with served(replace(settings, practice=broken)) as address:
            shoot(chromium, f"{address}/{ANSWERED}", PHONE, "error-phone")
    return 0


def staff_pages(chromium: Browser, settings: Settings, practice: Path) -> None:
    """The staff's pages with something on them: a checked piece of copy, a decision, questions that were asked."""
    # A folder of their own: the delivered files, and no register or kept question of anybody's.
    practice.mkdir()
    for name in ("wording.yml", "glossary.yml", "safety.yml", "contact.yml"):
        shutil.copy(ROOT / "practice" / name, practice)
    with served(replace(settings, practice=practice, keep_questions_days=30), staff=True) as address:
        shoot(chromium, f"{address}/library", DESKTOP, "staff-library-desktop")
        for question in (ANSWERED, RELATED, NOTHING, NOTHING):
            settled(open_page(chromium, f"{address}/{question}", DESKTOP)).context.close()
        shoot(chromium, f"{address}/coverage", DESKTOP, "staff-coverage-desktop")
        page = settled(open_page(chromium, f"{address}/settings", DESKTOP))
        # A picture must not carry the folders of the machine on which it was taken.
        for folder, name in ((settings.corpus, "corpus"), (settings.index, "index"), (practice, "practice")):
            page.get_by_role("cell", name=str(folder), exact=True).evaluate(
                "(cell, shown) => { cell.textContent = shown }", f"/srv/litsearch/{name}"
            )
        take(page, "staff-settings-desktop")
        for size, name in ((PHONE, "staff-claims-phone"), (DESKTOP, "staff-claims-desktop")):
            page = open_page(chromium, address, size)
            check(page, address)
            # From the counts on, clear of the navigation that lies over the page.
            page.locator(".claim-counts").evaluate("one => { one.style.scrollMarginTop = '6rem'; one.scrollIntoView() }")
            page.wait_for_timeout(500)
            take(page, name, close=size == PHONE)
        decide(page, SKIN)
        page.context.close()
        for size, name in ((PHONE, "staff-register-phone-dark"), (DESKTOP, "staff-register-desktop")):
            page = settled(open_page(chromium, f"{address}/register", size, dark=size == PHONE))
            claim_of(page, SKIN)
            page.wait_for_timeout(500)
            take(page, name)


def open_page(chromium: Browser, address: str, size: tuple[int, int], *, dark: bool = False) -> Page:
    """A page of a size and theme, in a profile of its own."""
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    return page


def shoot(chromium: Browser, address: str, size: tuple[int, int], name: str, *, dark: bool = False) -> None:
    """One picture of one address."""
    take(settled(open_page(chromium, address, size, dark=dark)), name)


def take(page: Page, name: str, *, close: bool = True) -> None:
    """What the window shows, as a small PNG; then the page is closed, if wanted."""
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    file = FOLDER / f"{name}.png"
    picture.quantize(N_COLOURS).save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} KB")
    if close:
        page.context.close()


if __name__ == "__main__":
    sys.exit(main())
