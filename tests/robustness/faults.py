"""Faults at every change of the disk: a power cut, a program's sudden end, a full or read-only disk."""

from __future__ import annotations

import errno
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from litsearch.files import Operation, watched

# What a disk may hold of changes that were not flushed: none of them; names but no content; or any mixture.
Loss = Literal["all lost", "names kept", "mixed"]
# A file's content, or a folder's names with what stands behind each.
Tree = dict[str, "bytes | Tree"]


@dataclass
class Disk:
    """What a folder's disk holds for certain, beside what the programs see: only flushed content and flushed names last.

    Files and folders are told apart by their inodes; each is held open, so that no number is used twice.
    """

    root: Path
    content: dict[int, bytes] = field(default_factory=dict)
    names: dict[int, dict[str, int]] = field(default_factory=dict)
    _held: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Everything that is there at the start has long been flushed."""
        for place in self._look():
            self.flush(place)

    def flush(self, place: Path) -> None:
        if place.is_dir():
            self.names[place.stat().st_ino] = {entry.name: entry.stat().st_ino for entry in place.iterdir()}
        elif place.is_file():
            self.content[place.stat().st_ino] = place.read_bytes()

    def _look(self) -> Iterator[Path]:
        for place in [self.root, *sorted(self.root.rglob("*"))]:
            if place.stat().st_ino not in self._held:
                self._held[place.stat().st_ino] = os.open(place, os.O_PATH)
            yield place

    def after_a_cut(self, loss: Loss, chance: random.Random) -> Tree:
        """What the disk may hold when the power goes now."""
        seen = {place.stat().st_ino: place for place in self._look()}

        def lasting(number: int) -> bytes | Tree:
            place = seen.get(number)
            if number in self.names or (place is not None and place.is_dir()):
                flushed = self.names.get(number, {})
                seen_names = {entry.name: entry.stat().st_ino for entry in place.iterdir()} if place is not None else flushed
                if loss == "all lost":
                    kept = flushed
                elif loss == "names kept":
                    kept = seen_names
                else:
                    kept = {}
                    for name in sorted({*flushed, *seen_names}):
                        which = chance.choice((flushed, seen_names))
                        if name in which:
                            kept[name] = which[name]
                return {name: lasting(child) for name, child in kept.items()}
            flushed_content = self.content.get(number, b"")
            if loss != "mixed" or place is None:
                return flushed_content
            written = place.read_bytes()
            if written == flushed_content:
                return written
            return chance.choice((flushed_content, written[: len(written) // 2], written))

        tree = lasting(self.root.stat().st_ino)
        assert isinstance(tree, dict)
        return tree

    def close(self) -> None:
        for handle in self._held.values():
            os.close(handle)
        self._held.clear()


def lay_out(tree: Tree, folder: Path) -> None:
    """Write a tree into a new folder."""
    folder.mkdir(parents=True)
    for name, held in tree.items():
        if isinstance(held, bytes):
            (folder / name).write_bytes(held)
        else:
            lay_out(held, folder / name)


@contextmanager
def power_cuts(root: Path, losses: tuple[Loss, ...], seed: int = 0) -> Iterator[dict[str, Tree]]:
    """Collects every different state that a power cut during the block could leave, by where it was cut."""
    disk = Disk(root)
    states: dict[str, Tree] = {}
    seen: list[Tree] = []
    under_way: list[tuple[Operation, Path]] = []

    def cut(where: str) -> None:
        for loss in losses:
            tree = disk.after_a_cut(loss, random.Random(f"{seed} {where} {loss}"))
            if tree not in seen:
                seen.append(tree)
                states[f"{where}, {loss}"] = tree

    def watch(operation: Operation, path: Path) -> None:
        # The operation told of before this one is done by now.
        for done, place in under_way:
            if done in ("sync", "sync folder"):
                disk.flush(place)
        under_way[:] = [(operation, path)]
        cut(f"{len(states)}: before {operation} {path.name}")

    try:
        with watched(watch):
            yield states
        watch("sync", root / "the end")
    finally:
        disk.close()


class Stop(Exception):
    """Raised to leave a build at a chosen operation when nothing of it is to be cleaned up."""


@contextmanager
def failing_disk(number: int, code: int) -> Iterator[list[str]]:
    """From the ``number``-th change on, every change fails with ``code`` (a full or read-only disk); lists the changes tried."""
    tried: list[str] = []

    def refuse(operation: Operation, path: Path) -> None:
        tried.append(f"{operation} {path.name}")
        # A full disk still flushes, renames and removes; a read-only one does none of it.
        grows = operation in ("make", "write", "rename")
        if len(tried) > number and (code != errno.ENOSPC or grows):
            raise OSError(code, os.strerror(code), str(path))

    with watched(refuse):
        yield tried


def die_at(number: int) -> Callable[[Operation, Path], None]:
    """A watcher that ends this process at the ``number``-th change, as kill -9 does: nothing is cleaned up."""
    count = 0

    def watch(operation: Operation, path: Path) -> None:
        nonlocal count
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    return watch
