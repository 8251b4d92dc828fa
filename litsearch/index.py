"""Generations: an index is built beside the one in use, checked, and switched to by one atomic rename."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata as packages
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from numpy.typing import NDArray

from litsearch.catalogue import Articles, Catalogue, Stretch, write_catalogue
from litsearch.engines import Engine, Searchable, open_engine
from litsearch.engines.embedded import Embedded
from litsearch.engines.tokens import Kept, Packed, TokenVectors
from litsearch.errors import EngineError, IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, LitsearchError, SettingsError
from litsearch.files import (
    checksums_of,
    file_on_the_way,
    make_folder,
    remove_tree,
    rename,
    storage,
    sync,
    sync_folder,
    write_whole,
    writing,
)
from litsearch.lexical import PassageTerms
from litsearch.settings import Settings

log = logging.getLogger(__name__)

# Goes up when a generation's files change their form; an index of another schema is named as such and rebuilt.
SCHEMA_VERSION = 3

_POINTER = "current.json"
# A file that is being written is renamed within seconds; one that is an hour old was left behind.
_LEFT_BEHIND_S = 3_600
WHOLE_PASSAGE = -1


@dataclass(frozen=True, slots=True)
class Units:
    """What the vectors stand for: row ``i`` belongs to passage ``passages[i]`` and its sentence ``sentences[i]``.

    Both int32, shape (n_units,); sentence ``WHOLE_PASSAGE`` is all of it.
    """

    passages: NDArray[np.int32]
    sentences: NDArray[np.int32]

    def __post_init__(self) -> None:
        if self.passages.shape != self.sentences.shape:
            raise ValueError(f"units misfit: {self.passages.shape} passages, {self.sentences.shape} sentences")


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that goes into one generation.

    Stretches of ``articles`` are those of the ``earlier`` generation; ``unit_hashes`` are uint8, shape (n_units, 16).
    """

    articles: Sequence[Articles | Stretch]
    units: Units
    unit_hashes: NDArray[np.uint8]
    vectors: NDArray[np.float32]
    tokens: Sequence[Packed | Kept]
    terms: PassageTerms
    word_counts: Mapping[str, int]
    manifest: Mapping[str, Any]
    earlier: Generation | None = None


class Generation:
    """One published generation, open for reading; it never changes."""

    def __init__(self, folder: Path, *, engine: Engine | None = None, verify: bool = True) -> None:
        """Open and check a generation; without an ``engine`` one whose vectors lie in the folder.

        Raises:
            IndexDamaged: when a file is missing or not what its checksum says.
            IndexMismatch: when it has another schema than this program reads, or another engine keeps its vectors.
            EngineError: when the engine cannot be reached.
        """
        self.folder = folder
        self.manifest = read_manifest(folder)
        if verify:
            _check_files(folder, self.manifest)
        engine = engine or Embedded()
        if _kept_by(self.manifest) != engine.name:
            raise IndexMismatch(
                f"The vectors of generation {self.generation_id} are kept in {_kept_by(self.manifest).capitalize()}, and the setting"
                " 'engine' names no such server. Set it in practice/settings.toml or run: python ingest.py"
            )
        self.catalogue = Catalogue(folder / "library.sqlite")
        self.vectors, self.lexical = engine.open(self.generation_id, folder)
        rows = np.load(folder / "units.npy", mmap_mode="r", allow_pickle=False)
        self.units = Units(np.asarray(rows[:, 0]), np.asarray(rows[:, 1]))
        self.tokens = TokenVectors.open(folder / "tokens")
        self.word_counts: dict[str, int] = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        if len(self.vectors) != len(self.units.passages):
            raise IndexDamaged(f"{folder} has {len(self.vectors)} vectors for {len(self.units.passages)} units. " + _REBUILD)

    @property
    def generation_id(self) -> str:
        return str(self.manifest["generation"])

    @cached_property
    def unit_hashes(self) -> NDArray[np.uint8]:
        """The hash of each embedded text, shape (n_units, 16)."""
        hashes: NDArray[np.uint8] = np.load(self.folder / "unit_hashes.npy", allow_pickle=False)
        return hashes

    @cached_property
    def terms(self) -> PassageTerms:
        """The terms that each passage is found by."""
        return PassageTerms.open(self.folder / "terms")


_REBUILD = "Run: python ingest.py --rebuild"


def read_manifest(folder: Path) -> dict[str, Any]:
    """A generation's manifest.

    Raises:
        IndexDamaged: when it cannot be read.
        IndexMismatch: when its schema is not this program's.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest["checksum"] != _digest({key: value for key, value in manifest.items() if key != "checksum"}):
            raise IndexDamaged(f"{folder / 'manifest.json'} was changed after it was written. {_REBUILD}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(f"{folder / 'manifest.json'} is missing or damaged. {_REBUILD}") from error
    if manifest.get("schema") != SCHEMA_VERSION:
        raise IndexMismatch(
            f"The index was written in form {manifest.get('schema', 'unknown')}, this program reads form {SCHEMA_VERSION}. Run: python ingest.py"
        )
    return manifest


def _kept_by(manifest: Mapping[str, Any]) -> str:
    """The name of the engine that keeps a generation's vectors and postings; empty: they lie in its folder."""
    return str(manifest.get("inputs", {}).get("engine", ""))


def _check_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    paths = [folder / name for name in manifest["files"]]
    try:
        found = checksums_of(paths)
    except OSError as error:
        raise IndexDamaged(f"{error.filename} is missing or unreadable. {_REBUILD}") from error
    for path, checksum, expected in zip(paths, found, manifest["files"].values(), strict=True):
        if checksum != expected:
            raise IndexDamaged(f"{path} is damaged: its checksum is not the recorded one. {_REBUILD}")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """The name of the generation that these inputs build: the same inputs have the same name, always."""
    return _digest(inputs)[:16]


class Index:
    """The folder ``index/``: its generations and the pointer to the one in use."""

    def __init__(self, root: Path, *, keep: int = 3, engine: str = "") -> None:
        """``engine`` is the address of the one that new generations go to; empty: the embedded one."""
        self.root = root
        self.keep = keep
        self.address = engine

    @classmethod
    def of(cls, settings: Settings) -> Index:
        """The index that the settings name."""
        return cls(settings.index, keep=settings.keep_generations, engine=settings.engine)

    @cached_property
    def engine(self) -> Engine:
        """Where new generations go."""
        return open_engine(self.address, self.root)

    @property
    def generations(self) -> Path:
        return self.root / "generations"

    @property
    def exports(self) -> Path:
        """Where exported models lie, by the hash of their weights."""
        return self.root / "models"

    def check_place(self) -> None:
        """Refuse a place where no folder can be.

        Raises:
            SettingsError: when the index, or a folder that it lies in, is a file.
        """
        file = file_on_the_way(self.root)
        if file is not None:
            of = "it" if file == self.root else f"{file}, a part of this path,"
            raise SettingsError(
                f"There can be no index in {self.root}: {of} is a file, not a folder. Name a folder for the index, with --index DIR"
                " or as 'index' in practice/settings.toml."
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the index for one ingest.

        Raises:
            IndexBusy: when another ingest holds it.
        """
        with storage(self.root):
            make_folder(self.root)
            lock = filelock.FileLock(self.root / "ingest.lock", timeout=0)
            try:
                lock.acquire()
            except filelock.Timeout as error:
                raise IndexBusy(
                    f"Another ingest is at work on {self.root}. Wait until it has finished and run it again."
                ) from error
        try:
            yield
        finally:
            lock.release()

    def pointer(self) -> dict[str, Any]:
        """What the pointer file says: ``generation`` and ``history`` (newest first).

        Raises:
            SettingsError: as ``check_place``.
            IndexMissing: when nothing was published yet.
            IndexDamaged: when the pointer cannot be read.
        """
        path = self.root / _POINTER
        try:
            pointer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(pointer["generation"], str) or not isinstance(pointer["history"], list):
                raise ValueError("not a pointer")
        except FileNotFoundError as error:
            raise IndexMissing(f"No index in {self.root} yet. Run: python ingest.py") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.check_place()
            raise IndexDamaged(f"{path} is damaged. Run: python ingest.py") from error
        return pointer

    def current_id(self) -> str:
        """The id of the generation in use.

        Raises:
            IndexMissing, IndexDamaged: as ``pointer``.
        """
        return str(self.pointer()["generation"])

    def history(self) -> list[str]:
        """The ids of the kept generations, newest first; empty when there is none."""
        try:
            recorded = [str(name) for name in self.pointer()["history"]]
        except LitsearchError:
            recorded = []
        on_disk = [path.name for path in sorted(self.generations.glob("[0-9a-f]*"), key=lambda p: -p.stat().st_mtime)]
        return [name for name in recorded if name in on_disk] + [name for name in on_disk if name not in recorded]

    def open(self, generation_id: str | None = None) -> Generation:
        """Open the generation in use, or a kept one by its id.

        Raises:
            IndexMissing: when there is none, or none of that id.
            IndexDamaged, IndexMismatch: when it cannot be used.
        """
        name = generation_id or self.current_id()
        folder = self.generations / name
        if not folder.is_dir():
            kept = ", ".join(self.history()) or "none"
            raise IndexMissing(f"There is no generation {name} in {self.root} (kept: {kept}). Run: python ingest.py")
        return self._open_own(folder)

    def _open_own(self, folder: Path) -> Generation:
        """The generation in a folder, which must be the one that the folder is named after."""
        manifest = read_manifest(folder)
        found = str(manifest.get("generation"))
        if found != folder.name:
            raise IndexDamaged(f"{folder / 'manifest.json'} is that of another generation ({found}). {_REBUILD}")
        return Generation(folder, engine=self.engine if _kept_by(manifest) else Embedded())

    def _is_whole(self, folder: Path) -> bool:
        if not folder.is_dir():
            return False
        try:
            self._open_own(folder).catalogue.close()
        except EngineError:
            raise  # of a server that does not answer nothing is known
        except LitsearchError:
            return False
        return True

    def open_good(self) -> tuple[Generation, str]:
        """Open the generation in use or, when it is damaged or in a form that this program does not read, the newest kept one
        that is whole; and a notice for staff.

        Raises:
            IndexMissing, IndexDamaged, IndexMismatch: when none can be used.
        """
        named = self._named()
        try:
            return self.open(), ""
        except (IndexDamaged, IndexMismatch, IndexMissing) as error:
            if self._named() != named:
                # An ingest switched meanwhile and removed the generation that was being opened.
                return self.open_good()
            for name in self.history():
                try:
                    generation = self.open(name)
                except LitsearchError:
                    continue
                notice = f"{error} Until then the earlier generation {name} is served."
                log.warning(notice)
                return generation, notice
            raise

    def _named(self) -> str:
        try:
            return self.current_id()
        except LitsearchError:
            return ""

    def publish(self, contents: Contents, on_stage: Callable[[str], None] = lambda stage: None) -> str:
        """Write, check and switch to a new generation; a reader sees the old or the new one, whole. Returns its id.

        Raises:
            StorageError, EngineError: when the disk or the engine refuses; the generation in use stays.
        """
        generation_id = str(contents.manifest["generation"])
        target = self.generations / generation_id
        with storage(self.root):
            self._sweep()
            if not self._is_whole(target):
                remove_tree(target)
                building = self.generations / f".building-{os.getpid()}"
                make_folder(building)
                try:
                    on_stage("writing")
                    _write(building, contents, self.engine)
                    on_stage("checking")
                    # Its checksums were just taken from the disk; what is checked is that its parts open and fit each other.
                    Generation(building, engine=self.engine, verify=False).catalogue.close()
                    on_stage("switching")
                    rename(building, target)
                except BaseException:
                    remove_tree(building)
                    raise
            # Also for one that an ended ingest left: its name must last before the pointer names it.
            sync_folder(self.generations)
        # Readers go by the pointer: where the disk refuses it now, they stay with the old one until the next ingest.
        self.engine.switch(generation_id)
        self._point_at(generation_id, [generation_id, *(name for name in self.history() if name != generation_id)])
        with storage(self.root):
            for name in self.history()[self.keep :]:
                remove_tree(self.generations / name)
        return generation_id

    def roll_back(self, generation_id: str | None = None) -> str:
        """Serve a kept generation again: the one named, else the one before the current. Returns its id.

        Raises:
            IndexMissing: when there is no such generation.
            IndexDamaged, IndexMismatch, EngineError: when it cannot be used; the current one stays.
        """
        history = self.history()
        older = history[history.index(self.current_id()) + 1 :] if self.current_id() in history else history
        name = generation_id or (older[0] if older else "")
        if not name:
            raise IndexMissing(f"There is no earlier generation in {self.root} to go back to.")
        generation = self.open(name)
        generation.catalogue.close()
        if _kept_by(generation.manifest):
            self.engine.switch(name)
        # The order of publishing stays, so that going back twice goes back two steps.
        self._point_at(name, history)
        return name

    def _point_at(self, generation_id: str, history: Sequence[str]) -> None:
        pointer = {"generation": generation_id, "history": history[: self.keep]}
        write_whole(self.root / _POINTER, json.dumps(pointer, indent=1).encode())

    def _sweep(self) -> None:
        """Remove what an interrupted ingest left behind; only the holder of the lock comes here."""
        make_folder(self.generations)
        # Those replaced by the last ingest are dropped only now: until then a question under way read on from them.
        self.engine.sweep(self.history())
        for leftover in self.generations.glob(".building-*"):
            remove_tree(leftover)
        # Half-written files of an ended program; another that surveys its corpus just now writes one of these for a moment.
        for leftover in self.root.glob(".*.new"):
            with suppress(FileNotFoundError):
                if time.time() - leftover.stat().st_mtime > _LEFT_BEHIND_S:
                    leftover.unlink()


def _write(folder: Path, contents: Contents, engine: Engine) -> None:
    with writing(folder / "tokens"), ThreadPoolExecutor(1) as beside:
        # Most of what is written: copied while the rest is put together.
        dimensions = contents.manifest["model"]["token_dimensions"]
        tokens = beside.submit(TokenVectors.write, folder / "tokens", contents.tokens, dimensions)
        with writing(folder / "library.sqlite"):
            earlier = contents.earlier.folder / "library.sqlite" if contents.earlier is not None else None
            write_catalogue(folder / "library.sqlite", contents.articles, earlier)
        whole = np.flatnonzero(contents.units.sentences == WHOLE_PASSAGE)
        engine.write(str(contents.manifest["generation"]), folder, Searchable(contents.vectors, whole, contents.terms))
        with writing(folder / "terms"):
            contents.terms.save(folder / "terms")
        rows = np.stack([contents.units.passages, contents.units.sentences], axis=1).astype(np.int32)
        with writing(folder / "units.npy"):
            np.save(folder / "units.npy", rows, allow_pickle=False)
        with writing(folder / "unit_hashes.npy"):
            np.save(folder / "unit_hashes.npy", contents.unit_hashes, allow_pickle=False)
        with writing(folder / "words.json"):
            (folder / "words.json").write_text(json.dumps(contents.word_counts, sort_keys=True), encoding="utf-8")
        tokens.result()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        **contents.manifest,
        "schema": SCHEMA_VERSION,
        "n_documents": sum(len(part.documents) for part in contents.articles),
        "n_passages": len(contents.terms),
        "n_units": len(contents.unit_hashes),
        "libraries": {
            name: packages.version(name) for name in ("faiss-cpu", "bm25s", "numpy", "onnxruntime", "sentence-transformers")
        },
        "python": platform.python_version(),
        "files": dict(zip((path.relative_to(folder).as_posix() for path in files), checksums_of(files), strict=True)),
    }
    manifest["checksum"] = _digest(manifest)
    with writing(folder / "manifest.json"):
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
    for path in (*files, folder / "manifest.json"):
        sync(path)
    for part in sorted({path.parent for path in files} - {folder}):
        sync_folder(part)
    sync_folder(folder)
