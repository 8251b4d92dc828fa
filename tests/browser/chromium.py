"""A headless Chromium for the real app, which ``served`` starts on a free port."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Chromium's own calls home are switched off, so that every request seen is one of the page's.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip
PHONE, DESKTOP = (390, 844), (1280, 900)


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS))
        try:
            yield chromium
        finally:
            chromium.close()


def settled(page: Page) -> Page:
    """The page once it is drawn and its script rests."""
    page.wait_for_selector(".stHtml h1, .stHtml h2", timeout=120_000)
    page.wait_for_function("document.querySelector('.stApp').dataset.testScriptState === 'notRunning'", timeout=120_000)
    page.wait_for_timeout(250)
    return page
