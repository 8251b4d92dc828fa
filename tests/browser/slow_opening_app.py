"""The patient's page over a library that takes its time to open, so that a test can look at the page meanwhile."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from litsearch.searching import Searcher
from litsearch.ui import resources
from litsearch.ui.app import run

# Longer than a browser on a busy machine takes to draw the first frame and to type into it.
OPENING_S = 15.0
BEGUN = time.monotonic()


class SlowSearcher(Searcher):
    """Has its library open a while after the process began."""

    def manifest(self) -> Mapping[str, Any]:
        time.sleep(max(0.0, BEGUN + OPENING_S - time.monotonic()))
        return super().manifest()


# Only as a script: whoever imports this file, as the search for doctests does, must not slow down every other test.
if __name__ == "__main__":
    resources.Searcher = SlowSearcher  # type: ignore[misc]
    run(staff=False)
