"""The embedded engine: FAISS and BM25 in files of the generation's own folder, nothing to run beside it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from litsearch.engines import Postings, Searchable, Vectors
from litsearch.engines.faiss import open_vectors, write_vectors
from litsearch.files import writing
from litsearch.lexical import LexicalIndex


class Embedded:
    """Vectors and postings lie with the rest of the generation, so they come and go with its folder."""

    name = ""

    def write(self, generation_id: str, folder: Path, searchable: Searchable) -> None:
        write_vectors(folder, searchable.vectors)
        with writing(folder / "lexical"):
            LexicalIndex.build(searchable.terms).save(folder / "lexical")

    def open(self, generation_id: str, folder: Path) -> tuple[Vectors, Postings]:
        return open_vectors(folder), LexicalIndex.open(folder / "lexical")

    def switch(self, generation_id: str) -> None:
        """The pointer file says it all."""

    def sweep(self, kept: Collection[str]) -> None:
        """The index removes the folders."""
