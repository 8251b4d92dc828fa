"""Put an article into the corpus and take one out: safe names, nothing overwritten, nothing lost."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from litsearch.errors import CorpusError, Refused
from litsearch.files import make_folder, rename, storage, sync_folder, write_whole
from litsearch.ingesting import MAX_SIDECAR_MB, SIDECAR, sidecars_of
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.settings import Settings

# Hidden, so that no ingest takes what lies there for an article.
REMOVED = ".removed"
# Most file systems hold names of 255 bytes; the sidecar's ending and that of a file being written must fit behind.
_MAX_NAME_BYTES = 200
_FORBIDDEN = set('/\\:*?"<>|')
# Controls, marks of direction, lone surrogates, private and unassigned characters, and the two that break a line.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def add_article(settings: Settings, name: str, content: bytes) -> str:
    """Write a file into the corpus under a safe form of its name, once its reader has read it; returns the path in the corpus.

    The index is brought up to date by the next ingest, not here.

    A ``.meta.yml`` goes beside its article, which must be there already and must read with it.

    Raises:
        Refused: when the file cannot be read as an article or another of its name is there; the reason says what to do.
        StorageError: when the disk refuses.
    """
    path = safe_name(name)
    target = settings.corpus / path
    if path.endswith(SIDECAR):
        described = sidecars_of([*_names(settings.corpus), path])
        _read_with(settings, next((article for article, sidecar in described.items() if sidecar == path), ""), path, content)
        _refuse_taken(target, content)
        write_whole(target, content)
        return path
    if len(content) > settings.max_file_mb * 1_000_000:
        raise Refused(f"is larger than {settings.max_file_mb} MB. Split it, or raise max_file_mb in practice/settings.toml.")
    _refuse_taken(target, content)
    _refuse_unreadable(settings, SourceFile(path, content))
    write_whole(target, content)
    return path


def _refuse_taken(target: Path, content: bytes) -> None:
    if os.path.lexists(target):
        same = target.is_file() and target.read_bytes() == content
        raise Refused(
            "is in the library already." if same else "has the name of another file there. Rename it, or remove the other first."
        )


def _refuse_unreadable(settings: Settings, file: SourceFile) -> None:
    limits = Limits(settings.max_file_mb, settings.max_pages, settings.max_records, settings.read_timeout_s)
    reading = read_file(file, limits)
    if not reading.documents:
        reason = reading.refused[0].reason if reading.refused else "holds no text."
        raise Refused(f"has nothing that can be read: it {reason}")


def _names(folder: Path) -> list[str]:
    """The names of the files in a folder, none where it is missing."""
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith(".")) if folder.is_dir() else []


def _read_with(settings: Settings, article: str, name: str, sidecar: bytes) -> None:
    """Refuse what an article cannot be read with: nothing may be added that would take the article out of the library."""
    source = settings.corpus / article
    if not article or source.is_symlink() or not source.is_file():
        raise Refused(
            f"describes an article {name.removesuffix(SIDECAR)} that is not in the library, or several there. Add the article first;"
            f" this file must have the article's whole name with {SIDECAR} behind it, as in leaflet.pdf{SIDECAR}."
        )
    if len(sidecar) > MAX_SIDECAR_MB * 1e6:
        raise Refused(f"is larger than {MAX_SIDECAR_MB} MB, but describes one article. Shorten it.")
    _refuse_unreadable(settings, SourceFile(article, source.read_bytes(), sidecar, name))


def safe_name(name: str) -> str:
    """The last part of a name as a file of the corpus may bear it: no folders, no control characters, not hidden.

    Raises:
        Refused: when nothing of the name is left.

    >>> safe_name("../../etc/My leaflet: part 1.txt"), safe_name("C:\\\\Users\\\\a\\\\.hidden.md")
    ('My leaflet_ part 1.txt', 'hidden.md')
    """
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    kept = "".join("_" if c in _FORBIDDEN else c for c in last if unicodedata.category(c) not in _UNSEEN)
    kept = kept.strip().lstrip(".~$ ").rstrip(". ")
    # What describes an article bears the name that the article was given.
    about, kept = (SIDECAR, kept.removesuffix(SIDECAR)) if kept.endswith(SIDECAR) else ("", kept)
    stem, dot, ending = kept.rpartition(".")
    if dot:
        kept = _cut(stem, _MAX_NAME_BYTES - len(ending.encode()) - 1) + dot + ending
    kept = _cut(kept, _MAX_NAME_BYTES)
    if not any(c.isalnum() for c in kept):
        raise Refused("has a name that no file can bear. Rename it.")
    return kept + about


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
        file, _, record = path.rpartition("#")
        if inside and record and file and (settings.corpus / file).is_file() and ".." not in parts:
            raise CorpusError(
                f"{path} is one record of the file {file}. Take out the whole file ({file}), or delete the record where the file"
                " was exported and add it again."
            )
        raise CorpusError(f"There is no article {path} in {settings.corpus}. Its file may have been removed or renamed already.")
    target = _free(settings.corpus / REMOVED / path)
    described = sidecars_of(_names(source.parent)).get(source.name, "")
    with storage(settings.corpus):
        make_folder(target.parent)
        rename(source, target)
        if described:
            rename(source.with_name(described), target.with_name(target.name + SIDECAR))
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
