"""Corpora and indexes that the tests share: the committed one, the originals, and shelves of a few files."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
import pytest

from litsearch.embedding import OnnxEncoder, open_encoder
from litsearch.index import Generation, Index
from litsearch.ingesting import ingest
from litsearch.records import IngestReport
from litsearch.settings import ROOT, Settings
from litsearch.testing import FakeEncoder

# The same examples in every run, however busy the machine.
hypothesis.settings.register_profile("project", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("project")

ORIGINALS = ROOT.parent / "shared" / "seeds"

ARTICLE = """---
title: Needling and scars
kind: narrative-review
authors: not stated
year: 2020
---

# Needling and scars

## What it does

Needling makes tiny wounds in the skin. The skin then makes new collagen. Scars look flatter after several sessions.

## Who should wait

See a doctor first if you have any of the following:

- a tendency to form keloids
- active acne or eczema
- a blood disorder, or medicines that thin the blood
"""


@contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[list[BaseException]]:
    """Do ``work`` again and again in a thread beside the block; gives the list that holds whatever it raised."""
    problems: list[BaseException] = []
    done = threading.Event()

    def repeat() -> None:
        while not done.is_set():
            try:
                work()
            except BaseException as error:
                problems.append(error)

    worker = threading.Thread(target=repeat)
    worker.start()
    try:
        yield problems
    finally:
        done.set()
        worker.join()


@dataclass
class Shelf:
    """A corpus of a few files and its index, both in one temporary folder, embedded by a fake."""

    folder: Path
    encoder: FakeEncoder = field(default_factory=FakeEncoder)
    engine: str = ""

    def __post_init__(self) -> None:
        self.corpus.mkdir(parents=True, exist_ok=True)

    @property
    def corpus(self) -> Path:
        return self.folder / "corpus"

    @property
    def index(self) -> Index:
        return Index.of(self.settings)

    @property
    def settings(self) -> Settings:
        index, practice = self.folder / "index", self.folder / "practice"
        return Settings(corpus=self.corpus, index=index, practice=practice, engine=self.engine, threads=1)

    @property
    def generation_folder(self) -> Path:
        """The folder of the generation in use."""
        return self.index.generations / self.index.current_id()

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def ingest(self, *, rebuild: bool = False) -> IngestReport:
        return ingest(self.settings, rebuild=rebuild, encoder=self.encoder)

    def open(self) -> Generation:
        return self.index.open()

    def titles(self) -> list[str]:
        """The titles of the generation in use, in its order."""
        generation = self.open()
        try:
            return [document.metadata.title for document in generation.catalogue.documents()]
        finally:
            generation.catalogue.close()

    def contents(self) -> dict[str, bytes]:
        """Every file of the generation in use, by its path in it."""
        folder = self.generation_folder
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty shelf."""
    return Shelf(tmp_path)


@pytest.fixture
def stocked(shelf: Shelf) -> Shelf:
    """A shelf with three articles, ingested once."""
    shelf.write("scars.md", ARTICLE)
    shelf.write("aftercare.txt", "After the session\n\nThe skin is red for two days. Keep it clean and out of the sun.\n")
    shelf.write("sub/price.md", "# What it costs\n\nA session costs about as much as a good meal. Several are needed.\n")
    shelf.ingest()
    shelf.encoder.embedded.clear()
    return shelf


@pytest.fixture(scope="session")
def new_shelf(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Shelf]:
    """Makes a new empty shelf at every call, for tests that need many."""
    return lambda: Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="session")
def model_exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged model, exported once for all tests (it takes ten seconds); indexes link to it."""
    exports = tmp_path_factory.mktemp("exports") / "models"
    open_encoder("", exports, n_threads=2)
    return exports


@pytest.fixture(scope="session")
def encoder(model_exports: Path) -> OnnxEncoder:
    """The real encoder."""
    return open_encoder("", model_exports, n_threads=2)


@pytest.fixture(scope="session")
def real_settings(model_exports: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Settings]:
    """Settings for a corpus with an index of its own that has the exported model already; not yet ingested.

    Without the models that read two texts together, which cost a fifth of a second a question or claim: tests about them ask
    for them.
    """

    def make(corpus: Path) -> Settings:
        index = tmp_path_factory.mktemp("index")
        (index / "models").symlink_to(model_exports, target_is_directory=True)
        return Settings(corpus=corpus, index=index, reranker="none", stance="none", threads=2)

    return make


@pytest.fixture(scope="session")
def committed_index(real_settings: Callable[[Path], Settings]) -> Settings:
    """Settings for an index of the committed corpus, built with the real model; for reading only."""
    settings = real_settings(ROOT / "corpus")
    ingest(settings)
    return settings


@pytest.fixture(scope="session")
def originals_index(real_settings: Callable[[Path], Settings]) -> Settings:
    """Settings for an index of the five original articles, built with the real model; for reading only."""
    if not ORIGINALS.is_dir():
        pytest.skip("the five original articles are other people's texts: not in the repository, and not at ../shared/seeds here")
    settings = real_settings(ORIGINALS)
    ingest(settings)
    return settings


@pytest.fixture
def unprivileged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder owned by the user who runs the test, who is not the superuser: permissions count for everybody else alone."""
    if os.geteuid() != 0:
        yield tmp_path_factory.mktemp("unprivileged")
        return
    import shutil
    import tempfile

    nobody = 65534
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, nobody, nobody)
    os.seteuid(nobody)
    try:
        yield folder
    finally:
        os.seteuid(0)
        shutil.rmtree(folder)
