"""The ingest story: corpus -> documents -> passages -> vectors -> a published generation, with every change accounted for."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from litsearch import passages as splitting
from litsearch.assembling import FORM_VERSION, Progress, assemble
from litsearch.catalogue import Articles, Stretch
from litsearch.embedding import Encoder, find_model, model_sha256, open_encoder
from litsearch.errors import CorpusError, EngineError, LitsearchError, Refused, SettingsError, StorageError
from litsearch.files import make_folder, write_whole
from litsearch.index import SCHEMA_VERSION, Generation, Index, fingerprint
from litsearch.passages import SplitRules, split
from litsearch.reading import READERS, Limits, SourceFile, read_file
from litsearch.records import Document, IngestReport, Passage, Refusal, Repair
from litsearch.settings import Settings
from litsearch.workers import embedding_by

log = logging.getLogger(__name__)

SIDECAR = ".meta.yml"
# Twenty short lines; the longest abstract that could stand in one is far below this.
MAX_SIDECAR_MB = 1


def ingest(
    settings: Settings,
    *,
    rebuild: bool = False,
    progress: Progress = lambda stage, done, of: None,
    encoder: Encoder | None = None,
) -> IngestReport:
    """Bring the index up to date with the corpus and say what changed; unchanged passages keep their vectors.

    ``rebuild`` reads and embeds everything anew. A file that cannot be read is refused, listed and left out. Without an
    ``encoder`` the one that the settings name is opened.

    Raises:
        CorpusError: when the corpus folder is missing or gives no document at all.
        SettingsError: when the index lies in the corpus, or a file where its folder should be.
        IndexBusy, ModelError, StorageError, EngineError, WorkersError: the generation in use stays served.
    """
    started = time.perf_counter()
    _check_places(settings)
    index = Index.of(settings)
    files = survey(settings.corpus, index.root, trust_dates=not rebuild)
    with index.locked():
        encoder = encoder or open_encoder(settings.model, index.exports, n_threads=settings.n_threads)
        before = _previous(index)
        inputs = inputs_of(settings, encoder.sha256, encoder.max_tokens, files)
        if before is not None and before.manifest["inputs"] == inputs and not rebuild:
            report = _fresh_report(before, files, time.perf_counter() - started)
            before.catalogue.close()
            return report
        previous = None if rebuild else before
        embedding = embedding_by(settings, encoder, index.exports)
        library = _read(settings, files, previous, encoder, progress)
        if not library.parts:
            raise CorpusError(_nothing_read(settings.corpus, library.refused))
        refused = [asdict(refusal) for refusal in library.refused]
        # A reader may refuse a file once and read the same bytes later (time ran out): that makes another generation.
        generation_id = fingerprint({"inputs": inputs, "refused": refused})
        manifest = {
            "generation": generation_id,
            "inputs": inputs,
            "model": {
                "name": encoder.name,
                "sha256": encoder.sha256,
                "dimensions": encoder.dimensions,
                "token_dimensions": encoder.token_dimensions,
            },
            "refused": refused,
            "repairs": [[path, r.what, r.count, r.example] for path, r in library.repairs],
        }
        contents, n_embedded = assemble(library.parts, previous, encoder, embedding, manifest, progress)
        index.publish(contents, lambda stage: progress(stage, 0, 0))
        report = _report(generation_id, before, library, files, n_embedded, time.perf_counter() - started)
        if before is not None:
            before.catalogue.close()
    return report


def check(settings: Settings) -> IngestReport:
    """What an ingest would find, without changing anything: ``fresh`` says whether the index is up to date with the corpus.

    Raises:
        CorpusError, SettingsError, IndexMissing, IndexDamaged, IndexMismatch, ModelError: each with its remedy.
    """
    started = time.perf_counter()
    _check_places(settings)
    index = Index.of(settings)
    current = index.open()
    files = survey(settings.corpus, None, trust_dates=False)
    recorded = current.manifest["inputs"]
    folder, name = find_model(settings.model)
    inputs = inputs_of(settings, model_sha256(folder, name), recorded["splitter"]["max_tokens"], files)
    report = _fresh_report(current, files, time.perf_counter() - started)
    current.catalogue.close()
    if inputs == recorded:
        return report
    old, new = recorded["files"], inputs["files"]
    notes = [
        f"the {part} changed"
        for part in ("model", "splitter", "readers", "form", "engine")
        if recorded.get(part) != inputs.get(part)
    ]
    return IngestReport(
        generation=current.generation_id,
        documents=report.documents,
        passages=report.passages,
        added=tuple(sorted(set(new) - set(old))),
        changed=tuple(sorted(path for path in set(new) & set(old) if new[path] != old[path])),
        removed=tuple(sorted(set(old) - set(new))),
        unchanged=sum(new.get(path) == stated for path, stated in old.items()),
        refused=report.refused,
        repairs=report.repairs,
        embedded=0,
        seconds=time.perf_counter() - started,
        published=False,
        notes=tuple(notes),
    )


def _check_places(settings: Settings) -> None:
    if settings.index.resolve().is_relative_to(settings.corpus.resolve()):
        raise SettingsError(
            f"The index folder {settings.index} lies in the corpus {settings.corpus}, so its files would be taken for articles."
            " Set 'index' to a folder outside it: --index DIR"
        )
    Index.of(settings).check_place()


# --------------------------------------------------------------------------------------------------- the corpus


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file of the corpus, the path of its sidecar if it has one, and the hashes of both; ``problem`` when it may not be read at
    all."""

    path: str
    sha256: str
    sidecar: str = ""
    sidecar_sha256: str = ""
    problem: str = ""

    @property
    def state(self) -> str:
        return f"{self.sha256}:{self.sidecar_sha256}" if not self.problem else f"refused:{self.problem}"


def survey(corpus: Path, index_root: Path | None, *, trust_dates: bool) -> list[CorpusFile]:
    """Every file of the corpus with its content's hash, by path; hidden files and sidecars are no articles.

    A file whose size and dates are those of the last survey keeps its recorded hash when ``trust_dates``.

    Raises:
        CorpusError: when the folder is missing or unreadable.
    """
    if not corpus.is_dir():
        raise CorpusError(f"The corpus folder {corpus} is missing. Create it, put your articles there, and run: python ingest.py")
    census = _load_census(index_root) if index_root is not None and trust_dates else {}
    fresh: dict[str, list[object]] = {}
    files: list[CorpusFile] = []
    try:
        paths = sorted(_walk(corpus))
    except OSError as error:
        raise CorpusError(f"The corpus folder {corpus} cannot be read ({error.strerror}). Mend its permissions.") from error
    described = sidecars_of([path for path, _ in paths])
    used = set(described.values())
    for relative, path in paths:
        if relative in used:
            continue
        beside = described.get(relative, "")
        problem = _problem(corpus, path, relative)
        sidecar = corpus / beside if beside else None
        if not problem and sidecar and (unusable := _problem(corpus, sidecar, beside)):
            # Without it the article would lose its provenance; and opening a pipe would wait for ever.
            problem = f"has a {sidecar.name} beside it that {unusable}"
        if problem:
            files.append(CorpusFile(relative, "", problem=problem))
            continue
        try:
            sha256 = _content_hash(path, relative, census, fresh)
            sidecar_sha256 = _content_hash(sidecar, beside, census, fresh) if sidecar else ""
        except OSError as error:
            files.append(CorpusFile(relative, "", problem=f"cannot be opened ({error.strerror}). Mend its permissions."))
            continue
        files.append(CorpusFile(relative, sha256, beside, sidecar_sha256))
    if index_root is not None:
        _save_census(index_root, fresh)
    return files


def sidecars_of(paths: Sequence[str]) -> dict[str, str]:
    """The sidecar of each file that has one: its whole name with the ending behind it, else, where no other file of the folder is
    called so, its name without its own ending.

    >>> sidecars_of(["a.pdf", "a.pdf.meta.yml", "b.md", "b.meta.yml", "c.md", "c.pdf", "c.meta.yml"])
    {'b.md': 'b.meta.yml', 'a.pdf': 'a.pdf.meta.yml'}
    """
    articles: dict[str, list[str]] = {}
    for path in paths:
        if not path.endswith(SIDECAR):
            articles.setdefault(path, []).insert(0, path)
            folder, slash, name = path.rpartition("/")
            stem = name.rpartition(".")[0]
            if stem:
                articles.setdefault(f"{folder}{slash}{stem}", []).append(path)
    named = [(path.removesuffix(SIDECAR), path) for path in paths if path.endswith(SIDECAR)]
    whole = {name: sidecar for name, sidecar in named if articles.get(name, [""])[0] == name}
    short = {articles[name][0]: sidecar for name, sidecar in named if name not in whole and len(articles.get(name, [])) == 1}
    return {**short, **whole}


def _walk(corpus: Path) -> Iterator[tuple[str, Path]]:
    closed: list[Path] = []

    def note(error: OSError) -> None:
        # Without the corpus itself there is nothing to go on with; a folder in it is refused and the others go on.
        if Path(error.filename) == corpus:
            raise error
        closed.append(Path(error.filename))

    for folder, folders, names in os.walk(corpus, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # A linked folder is not entered; it is listed, so that it is refused by its name and not skipped in silence.
        links = (name for name in folders if os.path.islink(Path(folder) / name))  # noqa: PTH114 - Path.is_symlink raises where it may not look
        inside = Path(folder).relative_to(corpus).as_posix() + "/"
        for name in [*names, *links]:
            if not name.startswith((".", "~$")):
                yield (inside + name).removeprefix("./"), Path(folder) / name
    yield from ((path.relative_to(corpus).as_posix(), path) for path in closed)


def _problem(corpus: Path, path: Path, relative: str) -> str:
    if any(ord(c) < 32 for c in relative) or not _is_utf8(relative):
        return "has a name with control or undecodable characters. Rename it."
    try:
        mode = path.lstat().st_mode
        is_link = stat.S_ISLNK(mode)
        is_file = path.is_file() if is_link else stat.S_ISREG(mode)
    except OSError as error:  # its folder tells the names of its files and nothing else
        return f"cannot be opened ({error.strerror}). Mend its permissions."
    # realpath, because Path.resolve raises on links in a circle.
    if is_link and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(corpus)):
        return "is a link that leads out of the corpus. Copy the article itself into the corpus."
    if stat.S_ISDIR(mode):
        return "is a folder that cannot be opened, so its articles are left out. Mend its permissions."
    if not is_file:
        return "is not an ordinary file. Copy the article itself into the corpus."
    return ""


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _content_hash(path: Path, relative: str, census: Mapping[str, Sequence[object]], fresh: dict[str, list[object]]) -> str:
    status = path.stat()
    dates = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    known = census.get(relative)
    if known is not None and list(known[:4]) == dates:
        sha256 = str(known[4])
    else:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    # A file that changed within the last two seconds may change again without its dates showing it.
    if time.time_ns() - status.st_mtime_ns > 2_000_000_000:
        fresh[relative] = [*dates, sha256]
    return sha256


def _load_census(root: Path) -> dict[str, list[object]]:
    try:
        census = json.loads((root / "census.json").read_text(encoding="utf-8"))
        return census if isinstance(census, dict) and all(len(row) == 5 for row in census.values()) else {}
    except (OSError, ValueError, TypeError):
        return {}


def _save_census(root: Path, census: Mapping[str, Sequence[object]]) -> None:
    try:
        make_folder(root)
        write_whole(root / "census.json", json.dumps(census).encode())
    except (OSError, StorageError) as error:
        # Only speed is lost with it; the publishing below meets the same disk and reports it.
        log.warning("the record of file dates could not be kept: %s", error)


def inputs_of(settings: Settings, model_sha256: str, max_tokens: int, files: Sequence[CorpusFile]) -> dict[str, Any]:
    """Everything that decides what a generation holds; equal inputs build equal generations.

    Which engine keeps it belongs to that, where the engine's server stands does not.
    """
    return {
        **({"engine": settings.engine.partition(":")[0]} if settings.engine else {}),
        "form": f"{SCHEMA_VERSION}.{FORM_VERSION}",
        "model": model_sha256,
        "splitter": {"version": splitting.SPLITTER_VERSION, "max_tokens": max_tokens},
        "readers": {reader.name: reader.version for reader in READERS},
        "limits": asdict(_limits(settings)),
        "files": {file.path: file.state for file in files},
    }


def _limits(settings: Settings) -> Limits:
    return Limits(settings.max_file_mb, settings.max_pages, settings.max_records, settings.read_timeout_s)


# -------------------------------------------------------------------------------------------- documents, passages


@dataclass(frozen=True, slots=True)
class _Library:
    """What a generation will hold: articles read now and stretches of the previous generation, in the order of the corpus's files."""

    parts: list[Articles | Stretch]
    refused: list[Refusal]
    repairs: list[tuple[str, Repair]]

    def add(self, document: Document, passages: Sequence[Passage]) -> None:
        """An article that was read now."""
        last = self.parts[-1] if self.parts else None
        if not isinstance(last, Articles):
            last = Articles([], [])
            self.parts.append(last)
        last.documents.append(document)
        last.passages.extend(passages)

    def keep(self, stretch: Stretch) -> None:
        """Articles of the previous generation."""
        last = self.parts[-1] if self.parts else None
        if isinstance(last, Stretch) and last.documents.stop == stretch.documents.start:
            documents, passages = last.documents.start, last.passages.start
            stretch = Stretch(range(documents, stretch.documents.stop), range(passages, stretch.passages.stop))
            self.parts.pop()
        self.parts.append(stretch)


def _previous(index: Index) -> Generation | None:
    try:
        return index.open()
    except EngineError:
        raise  # before hours of embedding for a server that does not answer
    except LitsearchError as error:
        log.info("building without an earlier generation: %s", error)
        return None


def _read(
    settings: Settings, files: Sequence[CorpusFile], previous: Generation | None, encoder: Encoder, progress: Progress
) -> _Library:
    """Documents and passages of all files; those of unchanged files stay where they are, in the previous generation."""
    kept = _unchanged(settings, files, previous, encoder)
    stretches = previous.catalogue.stretches() if previous is not None and kept else {}
    old_refused: dict[str, list[Refusal]] = {}
    old_repairs: dict[str, list[tuple[str, Repair]]] = {}
    if previous is not None:
        for row in previous.manifest["refused"]:
            old_refused.setdefault(_file_of(row["path"], kept), []).append(Refusal(**row))
        for path, repair in _recorded_repairs(previous):
            old_repairs.setdefault(path, []).append((path, repair))
    library = _Library([], [], [])
    rules = SplitRules(max_tokens=encoder.max_tokens)
    for number, file in enumerate(files):
        progress("reading", number, len(files))
        if file.path in kept:
            if file.path in stretches:
                library.keep(stretches[file.path])
            library.repairs.extend(old_repairs.get(file.path, []))
            library.refused.extend(old_refused.get(file.path, []))
            continue
        documents, refused = _read_one(settings, file)
        library.refused.extend(refused)
        for document in documents:
            passages = split(document, rules, encoder.count_tokens)
            if passages:
                library.add(document, passages)
                library.repairs.extend((document.path, repair) for repair in document.repairs)
            else:
                library.refused.append(Refusal(document.document_id, "holds headings but no text. Add the article's text."))
    progress("reading", len(files), len(files))
    return library


def _file_of(refused: str, paths: Container[str]) -> str:
    """The file that a refusal is about: its path, or the path in ``path#key``; either may hold a ``#`` of its own."""
    at = len(refused)
    while at > 0 and refused[:at] not in paths:
        at = refused.rfind("#", 0, at)
    return refused[: max(at, 0)]


def _unchanged(settings: Settings, files: Sequence[CorpusFile], previous: Generation | None, encoder: Encoder) -> set[str]:
    if previous is None:
        return set()
    recorded = previous.manifest["inputs"]
    now = inputs_of(settings, encoder.sha256, encoder.max_tokens, files)
    # Another splitter, reader or limit may read the same bytes otherwise; another model may count other tokens in them.
    if any(recorded.get(part) != now[part] for part in ("form", "model", "splitter", "readers", "limits")):
        return set()
    return {file.path for file in files if recorded["files"].get(file.path) == file.state}


def _read_one(settings: Settings, file: CorpusFile) -> tuple[list[Document], list[Refusal]]:
    if file.problem:
        return [], [Refusal(file.path, file.problem)]
    path = settings.corpus / file.path
    try:
        content = _content(path, file.sha256, settings.max_file_mb)
        sidecar = settings.corpus / file.sidecar
        beside = f"has a {sidecar.name} beside it that "
        stated = _content(sidecar, file.sidecar_sha256, MAX_SIDECAR_MB, beside) if file.sidecar else None
        source = SourceFile(file.path, content, stated, file.sidecar)
        reading = read_file(source, _limits(settings))
    except Refused as refused:
        return [], [Refusal(file.path, str(refused))]
    except OSError as error:
        return [], [Refusal(file.path, f"cannot be opened ({error.strerror}). Mend its permissions.")]
    except Exception:  # a reader's own fault must not stop the other files; the log has the trace
        log.exception("reader failed on %s", file.path)
        return [], [Refusal(file.path, "cannot be read: the file confuses its reader. Save it in another format and add that.")]
    return list(reading.documents), list(reading.refused)


def _content(path: Path, sha256: str, limit_mb: int, name: str = "") -> bytes:
    """A file's content, which must be what the survey saw; ``name`` opens the refusal of a file that goes with another."""
    size = path.stat().st_size
    if size > limit_mb * 1e6:
        remedy = "Shorten it." if name else "Split it, or raise max_file_mb in practice/settings.toml."
        raise Refused(f"{name}is {size / 1e6:.0f} MB, more than the limit of {limit_mb} MB. {remedy}")
    # It may have become a pipe since: opening one must not wait for somebody to write to it.
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:  # noqa: PTH123 - opened by its number
        content = file.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refused(f"{name}changed while it was being read. Run the ingest again when it is saved.")
    return content


# ---------------------------------------------------------------------------------------------------------- report


def _nothing_read(corpus: Path, refused: Sequence[Refusal]) -> str:
    if not refused:
        return f"The corpus folder {corpus} holds no articles. Put .txt or .md files there and run: python ingest.py"
    reasons = "; ".join(f"{refusal.path}: {refusal.reason}" for refusal in refused[:5])
    return f"None of the {len(refused)} files in {corpus} could be read, so the index stays as it was. {reasons}"


def _recorded_repairs(generation: Generation) -> tuple[tuple[str, Repair], ...]:
    return tuple((path, Repair(*repair)) for path, *repair in generation.manifest["repairs"])


def _fresh_report(current: Generation, files: Sequence[CorpusFile], seconds: float) -> IngestReport:
    return IngestReport(
        generation=current.generation_id,
        documents=current.manifest["n_documents"],
        passages=current.manifest["n_passages"],
        added=(),
        changed=(),
        removed=(),
        unchanged=len(files),
        refused=tuple(Refusal(**row) for row in current.manifest["refused"]),
        repairs=_recorded_repairs(current),
        embedded=0,
        seconds=seconds,
        fresh=True,
    )


def _report(
    generation_id: str,
    previous: Generation | None,
    library: _Library,
    files: Sequence[CorpusFile],
    n_embedded: int,
    seconds: float,
) -> IngestReport:
    old: dict[str, str] = previous.manifest["inputs"]["files"] if previous is not None else {}
    new = {file.path: file.state for file in files}
    added, removed = set(new) - set(old), set(old) - set(new)
    # Files that were never read have no content to be recognised by.
    by_state = {old[path]: path for path in sorted(removed, reverse=True) if not old[path].startswith("refused:")}
    renamed = []
    for path in sorted(added):
        source = by_state.pop(new[path], None)
        if source is not None:
            renamed.append((source, path))
    added -= {path for _, path in renamed}
    removed -= {path for path, _ in renamed}
    return IngestReport(
        generation=generation_id,
        documents=sum(len(part.documents) for part in library.parts),
        passages=sum(len(part.passages) for part in library.parts),
        added=tuple(sorted(added)),
        changed=tuple(sorted(path for path in set(new) & set(old) if new[path] != old[path])),
        removed=tuple(sorted(removed)),
        renamed=tuple(renamed),
        unchanged=sum(new.get(path) == state for path, state in old.items()),
        refused=tuple(library.refused),
        repairs=tuple(library.repairs),
        embedded=n_embedded,
        seconds=seconds,
    )
