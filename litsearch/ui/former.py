"""Passages that a newer generation replaced: a link to one shows it as it was."""

from __future__ import annotations

from litsearch.catalogue import Catalogue
from litsearch.errors import LitsearchError
from litsearch.index import Index
from litsearch.records import Document, Passage


def former_passage(index: Index, passage_id: str) -> tuple[Passage, Document] | None:
    """A passage and its article from the newest kept generation that holds it; None when none does.

    Only the catalogue of a generation is opened: what is shown is checked against itself, the text at the passage's place.
    """
    for generation_id in index.history():
        try:
            catalogue = Catalogue(index.generations / generation_id / "library.sqlite")
            try:
                passage = catalogue.passage(passage_id)
                document = catalogue.document(passage.document_id) if passage else None
            finally:
                catalogue.close()
        except LitsearchError:
            continue
        if passage is not None and document is not None and document.text[passage.start : passage.end] == passage.text:
            return passage, document
    return None
