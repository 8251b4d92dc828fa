"""What is wrong, in the language of the page: a sentence for each kind of error that a patient's page can meet."""

from __future__ import annotations

from litsearch.errors import (
    CorpusError,
    EngineError,
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    LitsearchError,
    ModelError,
    QuestionError,
    SettingsError,
    StorageError,
    WorkersError,
)
from litsearch.ui.markup import Html, join, tag
from litsearch.ui.strings import LIBRARY, Strings

# Each kind with the end of its key in the catalogue (``error.what.*``). Those of the staff's pages alone have none.
KINDS: dict[type[LitsearchError], str] = {
    SettingsError: "settings",
    CorpusError: "corpus",
    ModelError: "model",
    IndexMissing: "missing",
    IndexDamaged: "damaged",
    IndexMismatch: "mismatch",
    IndexBusy: "busy",
    StorageError: "storage",
    EngineError: "engine",
    WorkersError: "workers",
    QuestionError: "question",
}


def told(error: LitsearchError, say: Strings) -> Html:
    """What is wrong and what to do, in the page's language; then the program's own words, which name the place, in theirs."""
    exact = tag("p", str(error), class_="problem", dir="auto", lang=LIBRARY)
    kind = KINDS.get(type(error))
    return join(tag("p", say(f"error.what.{kind}")), tag("p", say("error.exactly")), exact) if kind else exact
