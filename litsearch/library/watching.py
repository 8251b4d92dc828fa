"""Bring the index up to date whenever the corpus has changed and come to rest: ``python ingest.py --watch``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Event

import watchfiles

from litsearch.errors import IndexBusy, LitsearchError
from litsearch.ingesting import ingest
from litsearch.records import IngestReport
from litsearch.settings import Settings

log = logging.getLogger(__name__)

# A corpus in which nothing changed for so long has settled: a copy over a network writes several times a second.
_SETTLED_MS = 1_000
# Where something changes all the time, the index is brought up to date this often all the same.
_AT_LATEST_MS = 60_000


def watch(
    settings: Settings,
    *,
    on_report: Callable[[IngestReport], None],
    on_problem: Callable[[LitsearchError], None],
    run: Callable[[Settings], IngestReport] = ingest,
    stop: Event | None = None,
) -> None:
    """Ingest once, and again after every change of the corpus that has settled, until ``stop`` is set.

    A file that cannot be read is refused and listed as in any ingest. While another ingest holds the index, this one waits for
    its turn. Any other problem is told and waits for the next change. A change made while an ingest is at work is seen after it.
    """
    due = True
    changes = watchfiles.watch(
        settings.corpus,
        watch_filter=lambda change, path: _is_article(settings.corpus, path),
        step=_SETTLED_MS,
        debounce=_AT_LATEST_MS,
        rust_timeout=_SETTLED_MS,
        yield_on_timeout=True,
        stop_event=stop,
        ignore_permission_denied=True,
    )
    # The first turn comes when the watcher is at work, so that nothing slips in between the first ingest and it.
    for changed in changes:
        if not changed and not due:
            continue
        due = False
        try:
            on_report(run(settings))
        except IndexBusy as error:
            log.info("waiting: %s", error)
            due = True
        except LitsearchError as error:
            on_problem(error)
        except Exception:  # a fault of ours must not end the watch over one change; the log has the trace
            log.exception("an ingest failed; the next change starts another")


def _is_article(corpus: Path, path: str) -> bool:
    """Whether a change can concern an article: hidden files and editors' lock files are none."""
    try:
        parts = Path(path).relative_to(corpus).parts
    except ValueError:
        return True
    return not any(part.startswith((".", "~$")) for part in parts)
