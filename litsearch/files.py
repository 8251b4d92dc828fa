"""Files that appear whole or not at all: write beside, flush to disk, rename."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from litsearch.errors import StorageError

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


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, never a part, also after a power cut.

    Raises:
        StorageError: when the disk refuses; the old content stays.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    with storage(path):
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
            sync_folder(path.parent)
        finally:
            beside.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush one file to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk (a no-op where folders cannot be opened)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
