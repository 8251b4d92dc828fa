"""Put an article into the corpus and take one out: safe names, nothing overwritten, nothing lost."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from litsearch.errors import CorpusError, Refused
from litsearch.files import make_folder, rename, storage, sync_folder, write_whole
from litsearch.ingesting import SIDECAR
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.settings import Settings

# Hidden, so that no ingest takes what lies there for an article.
REMOVED = ".removed"
# Most file systems hold names of 255 bytes; the sidecar's ending must fit behind.
_MAX_NAME_BYTES = 240
_FORBIDDEN = set('/\\:*?"<>|')


def add_article(settings: Settings, name: str, content: bytes) -> str:
    """Write a file into the corpus under a safe form of its name, once its reader has read it; returns the path in the corpus.

    The index is brought up to date by the next ingest, not here.

    Raises:
        Refused: when the file cannot be read as an article or another of its name is there; the reason says what to do.
        StorageError: when the disk refuses.
    """
    path = safe_name(name)
    target = settings.corpus / path
    if len(content) > settings.max_file_mb * 1_000_000:
        raise Refused(f"is larger than {settings.max_file_mb} MB. Split it, or raise max_file_mb in practice/settings.toml.")
    if os.path.lexists(target):
        same = target.is_file() and target.read_bytes() == content
        reason = (
            "is in the library already." if same else "has the name of another article. Rename it, or remove the other first."
        )
        raise Refused(reason)
    limits = Limits(settings.max_file_mb, settings.max_pages, settings.max_records, settings.read_timeout_s)
    reading = read_file(SourceFile(path, content), limits)
    if not reading.documents:
        reason = reading.refused[0].reason if reading.refused else "holds no text."
        raise Refused(f"has nothing that can be read: {reason}")
    write_whole(target, content)
    return path


def safe_name(name: str) -> str:
    """The last part of a name as a file of the corpus may bear it: no folders, no control characters, not hidden.

    Raises:
        Refused: when nothing of the name is left.

    >>> safe_name("../../etc/My leaflet: part 1.txt"), safe_name("C:\\\\Users\\\\a\\\\.hidden.md")
    ('My leaflet_ part 1.txt', 'hidden.md')
    """
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    kept = "".join("_" if c in _FORBIDDEN else c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    kept = kept.strip().lstrip(".~$ ").rstrip(". ")
    if kept.endswith(SIDECAR):
        raise Refused("is a file about an article. Put it beside its article in the corpus folder yourself.")
    stem, dot, ending = kept.rpartition(".")
    if dot:
        kept = _cut(stem, _MAX_NAME_BYTES - len(ending.encode()) - 1) + dot + ending
    kept = _cut(kept, _MAX_NAME_BYTES)
    if not any(c.isalnum() for c in kept):
        raise Refused("has a name that no file can bear. Rename it.")
    return kept


def _cut(text: str, n_bytes: int) -> str:
    return text.encode()[: max(n_bytes, 0)].decode(errors="ignore")


def remove_article(settings: Settings, path: str) -> Path:
    """Take a file, with what lies beside it about it, out of the corpus into its hidden folder ``.removed``; returns where it went.

    The index is brought up to date by the next ingest, not here.

    Raises:
        CorpusError: when there is no such file in the corpus.
        StorageError: when the disk refuses.
    """
    source = settings.corpus / path
    # The folder is resolved and the name is not: a link in the corpus is taken out itself, not what it leads to.
    inside = source.parent.resolve().is_relative_to(settings.corpus.resolve())
    parts = Path(path).parts
    if not parts or ".." in parts or parts[0] == REMOVED or not inside or not (source.is_file() or source.is_symlink()):
        raise CorpusError(f"There is no article {path} in {settings.corpus}. Its file may have been removed or renamed already.")
    target = _free(settings.corpus / REMOVED / path)
    beside = source.with_name(source.name + SIDECAR)
    with storage(settings.corpus):
        make_folder(target.parent)
        rename(source, target)
        if beside.is_file():
            rename(beside, target.with_name(target.name + SIDECAR))
        for folder in {target.parent, source.parent}:
            sync_folder(folder)
    return target


def _free(path: Path) -> Path:
    """The path, or with a number in its name where something bears it already."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free
