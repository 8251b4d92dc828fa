"""The patient's page over a search that takes its time, so that a test can look at the page meanwhile."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from litsearch.records import Answers
from litsearch.searching import Searcher
from litsearch.ui import resources
from litsearch.ui.app import run

# Longer than axe-core takes to look at the page on a busy machine.
SEARCH_S = 12.0


class SlowSearcher(Searcher):
    """Waits before each search."""

    def ask(self, question: str, *, top: int = 5) -> Answers:
        time.sleep(SEARCH_S)
        return super().ask(question, top=top)


# Only as a script: whoever imports this file, as the search for doctests does, must not slow down every other test.
if __name__ == "__main__":
    resources.Searcher = SlowSearcher  # type: ignore[misc]
    run(staff=False)
