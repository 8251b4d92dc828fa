"""Time what a reader waits for, in a browser over the real server: the first paint, the field, and the answer.

    python benchmarks/pages.py [--index DIR] [--visits N]

Every visit is a browser profile of its own, so that nothing is cached. The times come from the page's own clock: it looks at
every frame whether what is waited for stands on the screen. The last rows answer while ``ingest.py --rebuild`` runs on a copy of
the index. Prints the table of docs/PERFORMANCE.md. Needs Chromium and the packages of requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page  # noqa: E402

from litsearch.settings import Settings, load_settings  # noqa: E402
from tests.browser.chromium import DESKTOP, browser  # noqa: E402
from tests.served import served  # noqa: E402

# Questions of different kinds, each answered by the committed corpus.
QUESTIONS = (
    "How many sessions do I need for scars?",
    "Does it help acne scars?",
    "What are the side effects?",
    "Who should not have microneedling?",
    "What should I put on my skin afterwards?",
)
# What may stand before a question, so that no text comes twice: a process keeps its last answers.
OPENINGS = (
    "", "Please tell me. ", "Hello. ", "I would like to know. ", "One question. ", "May I ask? ", "Quick question. ", "I wonder. ",
    "Good morning. ", "Good evening. ", "Sorry to ask. ", "Just asking. ", "Hi there. ", "Thank you. ", "Excuse me. ", "Dear all. ",
)  # fmt: skip
FIELD, ANSWER = ".stTextInput input", ".card.best mark.answer"
# Notes the time of the first frame in which an element is drawn; the page's clock starts with the navigation.
_WATCH = """
window.firstSeen = {};
window.watchFor = (selector) => {
  delete window.firstSeen[selector];
  const look = () => {
    const found = document.querySelector(selector);
    if (found && found.getBoundingClientRect().height > 0) window.firstSeen[selector] = performance.now();
    else requestAnimationFrame(look);
  };
  look();
};
"""


def asked(number: int) -> str:
    """One of 80 texts."""
    return OPENINGS[number // len(QUESTIONS) % len(OPENINGS)] + QUESTIONS[number % len(QUESTIONS)]


def open_page(chromium: Browser, address: str, selector: str) -> tuple[Page, float]:
    """A page in a new profile, and the seconds from the navigation until the element was on the screen."""
    page = chromium.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]}).new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(f"{_WATCH} window.watchFor({selector!r});")
    page.goto(address, wait_until="commit")
    return page, seen(page, selector)


def seen(page: Page, selector: str) -> float:
    """When an element was first on the screen, in seconds of the page's clock."""
    page.wait_for_function("selector => window.firstSeen && window.firstSeen[selector]", arg=selector)
    return float(page.evaluate("selector => window.firstSeen[selector]", selector)) / 1000


def first_paint(page: Page) -> float:
    """When anything at all was painted, in seconds from the navigation."""
    return float(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")) / 1000


def typed_answer(page: Page, question: str) -> float:
    """Seconds from the Enter key until the answering sentence stands on the screen."""
    page.locator(FIELD).fill(question)
    page.evaluate(
        "document.addEventListener('keydown', () => { window.pressedAt = performance.now() }, { capture: true, once: true })"
    )
    page.evaluate(f"window.watchFor({ANSWER!r})")
    page.keyboard.press("Enter")
    return seen(page, ANSWER) - float(page.evaluate("window.pressedAt")) / 1000


def visits(chromium: Browser, address: str, n: int) -> dict[str, list[float]]:
    """What ``n`` visitors wait for on a server that has answered before."""
    times: dict[str, list[float]] = {}
    for number in range(n):
        page, field = open_page(chromium, f"{address}/", FIELD)
        times.setdefault("first visit: anything painted", []).append(first_paint(page))
        times.setdefault("first visit: a question can be typed", []).append(field)
        page.wait_for_selector(".examples")
        times.setdefault("a question typed: answered", []).append(typed_answer(page, asked(number)))
        page.context.close()
        page, answered = open_page(chromium, f"{address}/?q={quote(asked(number + n))}", ANSWER)
        times.setdefault("an address with a question: answered", []).append(answered)
        page.context.close()
    return times


def fresh_starts(chromium: Browser, settings: Settings, n: int) -> dict[str, list[float]]:
    """What the very first visitor of a server process waits for, who comes while it is still loading the model and the index."""
    times: dict[str, list[float]] = {}
    for _ in range(n):
        with served(settings) as address:
            page, field = open_page(chromium, f"{address}/", FIELD)
            times.setdefault("very first visit of a process: anything painted", []).append(first_paint(page))
            times.setdefault("very first visit of a process: a question can be typed", []).append(field)
            page.wait_for_selector(".examples")
            times.setdefault("very first question of a process: answered", []).append(typed_answer(page, asked(0)))
            page.context.close()
    return times


def while_rebuilding(chromium: Browser, settings: Settings) -> dict[str, list[float]]:
    """Typed questions before a rebuild and while one runs beside the server, on a copy of the index."""
    still: list[float] = []
    rebuilding: list[float] = []
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "index"
        shutil.copytree(settings.index, copy)
        with served(load_settings(index=str(copy))) as address:
            page, _ = open_page(chromium, f"{address}/", ".examples")
            for number in range(10):
                still.append(typed_answer_anew(page, number))
            command = [sys.executable, "ingest.py", "--index", str(copy), "--rebuild"]
            ingest = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            number = len(still)
            while ingest.poll() is None:
                waited = typed_answer_anew(page, number)
                if ingest.poll() is None:
                    rebuilding.append(waited)
                number += 1
            page.context.close()
    return {"a question typed, nothing else going on": still, "a question typed while a rebuild runs": rebuilding}


def typed_answer_anew(page: Page, number: int) -> float:
    """The answer to one question after a page without any, so that no earlier answer is taken for it."""
    page.evaluate("window.history.pushState({}, '', '?'); window.dispatchEvent(new PopStateEvent('popstate', { state: {} }))")
    page.wait_for_selector(ANSWER, state="detached")
    page.wait_for_function("document.querySelector('.stApp').dataset.testScriptState === 'notRunning'")
    return typed_answer(page, asked(number))


def table(times: dict[str, Sequence[float]]) -> str:
    """Median and longest of each wait."""
    lines = ["| seconds until | median | longest | measured |", "|---|---:|---:|---:|"]
    for name, found in times.items():
        if found:
            lines.append(f"| {name} | {statistics.median(found):.2f} | {max(found):.2f} | {len(found)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=ROOT / "index")
    parser.add_argument("--visits", type=int, default=20)
    arguments = parser.parse_args()
    settings = load_settings(index=str(arguments.index.resolve()))
    times: dict[str, Sequence[float]] = {}
    with browser() as chromium:
        times |= fresh_starts(chromium, settings, 3)
        with served(settings) as address:
            page, _ = open_page(chromium, f"{address}/", ".examples")
            page.context.close()
            times |= visits(chromium, address, arguments.visits)
        times |= while_rebuilding(chromium, settings)
    print(table(times))


if __name__ == "__main__":
    main()
