"""The one door to the disk for what is published: files appear whole or not at all, written beside, flushed, renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from litsearch.errors import StorageError

Operation = Literal["make", "write", "sync", "sync folder", "rename", "remove"]
# Told of every change to the disk just before it is made: the operation and the place.
Watcher = Callable[[Operation, Path], None]

_CHECKED_AT_ONCE, _READ_AT_ONCE = 64 << 20, 1 << 20

_watchers: list[Watcher] = []

_REMEDIES = {
    errno.ENOSPC: "The disk is full. Free some space and run it again",
    errno.EDQUOT: "The disk quota is used up. Free some space and run it again",
    errno.EROFS: "The disk is read-only. Make it writable and run it again",
    errno.EACCES: "No permission to write there. Mend the folder's permissions and run it again",
    errno.EPERM: "No permission to write there. Mend the folder's permissions and run it again",
}


@contextmanager
def storage(place: Path) -> Iterator[None]:
    """Turn the operating system's write errors at ``place`` into a ``StorageError`` with its remedy."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "The disk reported an error. Check it and run it again")
        raise StorageError(
            f"Could not write {place}: {error.strerror or error}. {remedy}; what was there before is kept."
        ) from error


@contextmanager
def watched(by: Watcher) -> Iterator[None]:
    """Tell ``by`` of every change before it is made; what it raises is raised there, as a failing disk would.

    The tests cut the power, fill the disk and end the program at each of these places (tests/robustness).
    """
    _watchers.append(by)
    try:
        yield
    finally:
        _watchers.remove(by)


def _tell(operation: Operation, path: Path) -> None:
    for watcher in tuple(_watchers):
        watcher(operation, path)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, never a part, also after a power cut.

    Raises:
        StorageError: when the disk refuses; the old content stays.
    """
    # Two threads of one process may write the same file, each its own beside it.
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    with storage(path):
        try:
            with writing(beside):
                beside.write_bytes(content)
            sync(beside)
            rename(beside, path)
            sync_folder(path.parent)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Goes round whatever writes below ``path``, a library's own writer too; ``sync`` makes it last."""
    _tell("write", path)
    yield


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are missing, so that they are still there after a power cut."""
    if path.is_dir():
        return
    make_folder(path.parent)
    _tell("make", path)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def file_on_the_way(folder: Path) -> Path | None:
    """The file that stands where a folder should be: the folder's own path or one above it; None where there is none."""
    for part in (folder, *folder.parents):
        with suppress(OSError):  # what may not be looked at is told by whoever opens it
            if part.is_file():
                return part
    return None


def rename(old: Path, new: Path) -> None:
    """Give a file or folder another name, at once; ``sync_folder`` makes it last."""
    _tell("rename", new)
    old.replace(new)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all in it, or as much of it as the disk allows: what is left is swept another time."""
    try:
        _tell("remove", folder)
    except OSError:
        return
    shutil.rmtree(folder, ignore_errors=True)


def sync(path: Path) -> None:
    """Flush one file to the disk."""
    _tell("sync", path)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk (a no-op where folders cannot be opened)."""
    _tell("sync folder", folder)
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checksums_of(paths: Sequence[Path]) -> list[str]:
    """A checksum of each file: the SHA-256 of its content, or, past 64 MB, of the SHA-256 of its parts of 64 MB, so that all cores
    share a generation of gigabytes.

    Raises:
        OSError: of the first file that cannot be read; its ``filename`` says which.
    """
    starts = [range(0, max(path.stat().st_size, 1), _CHECKED_AT_ONCE) for path in paths]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        of_files = [
            [threads.submit(_sha256_of_part, path, at) for at in of_file] for path, of_file in zip(paths, starts, strict=True)
        ]
        found = [[part.result() for part in of_file] for of_file in of_files]
    return [parts[0].hex() if len(parts) == 1 else hashlib.sha256(b"".join(parts)).hexdigest() for parts in found]


def _sha256_of_part(path: Path, at: int) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(at)
        left = _CHECKED_AT_ONCE
        while left and (content := file.read(min(left, _READ_AT_ONCE))):
            digest.update(content)
            left -= len(content)
    return digest.digest()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
