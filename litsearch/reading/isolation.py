"""Reads a file of a risky format in a child process, so that a bad file can neither hang nor crash nor fill the ingest."""

from __future__ import annotations

import atexit
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from litsearch.errors import Refused
from litsearch.reading.source import FileReading, Limits, Reader, SourceFile
from litsearch.records import Block, Document, Metadata, Refusal, Repair

MEMORY_LIMIT_BYTES = 2_000_000_000
# A child that once took this much is replaced: allocators rarely give memory back, and the next file deserves all of it.
_RECYCLE_BYTES = 1_000_000_000
# One import of the parsers (about half a second) is spread over this many files; leaks in C libraries stay small.
_RECYCLE_FILES = 2_000
# The longest article of the shipped library has 4 kB; the worst text of this size takes seconds (docs/RELIABILITY.md).
_LARGE_BYTES = 100_000
_TRY_OTHERWISE = "Open it in the program it came from, save it anew (or as text), and add that."


class Isolated:
    """A reader run in the child process; recognising stays here, where it only looks at the first bytes.

    ``reader`` names the class as ``module:Class``: its parser is loaded in the child alone.
    """

    def __init__(
        self, reader: str, *, name: str, version: int, recognises: Callable[[SourceFile], bool], worker: Worker | None = None
    ) -> None:
        self.name = name
        self.version = version
        self.recognises = recognises
        self.reader = reader
        self._worker = worker

    def read(self, file: SourceFile, limits: Limits) -> FileReading:
        """What the reader makes of the file in the child.

        Raises:
            Refused: also when the file takes longer than ``limits.read_timeout_s``, more than 2 GB, or crashes its parser.
        """
        return (self._worker or WORKER).read(self.reader, file, limits)


class LargeInChild:
    """A reader of plain files, run here for the size that an article has and in the child, with its limits, for a larger file.

    Starting the child costs half a second, which a library of short texts need not pay; but a megabyte of opening brackets keeps
    the Markdown parser busy for minutes.
    """

    def __init__(self, reader: Reader) -> None:
        self.name = reader.name
        self.version = reader.version
        self.recognises = reader.recognises
        self._here = reader
        kind = type(reader)
        self._there = Isolated(
            f"{kind.__module__}:{kind.__qualname__}", name=reader.name, version=reader.version, recognises=reader.recognises
        )

    def read(self, file: SourceFile, limits: Limits) -> list[Document] | FileReading:
        """As ``Isolated.read`` for a large file, as the reader itself for others."""
        return (self._there if len(file.content) > _LARGE_BYTES else self._here).read(file, limits)


class Worker:
    """The one child process, started at first need and again after a crash, a timeout or too much memory."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._n_files = 0
        self._lock = threading.Lock()

    def read(self, reader: str, file: SourceFile, limits: Limits) -> FileReading:
        """What a reader, named as ``module:Class``, makes of a file in the child.

        Raises:
            Refused: by the reader, or for a timeout, too much memory or a crash.
            ReaderFault: when the reader failed in a way it did not foresee.
        """
        request = {"reader": reader, "path": file.path, "limits": asdict(limits), "sidecar": file.sidecar is not None}
        request["sidecar_path"] = file.sidecar_path
        with self._lock:
            answer = self._ask(request, [file.content, file.sidecar or b""], limits.read_timeout_s)
        if refused := answer.get("refused_file"):
            raise Refused(refused)
        if fault := answer.get("fault"):
            raise ReaderFault(fault)
        return _to_reading(answer)

    def _ask(self, request: dict[str, Any], parts: list[bytes], timeout_s: int) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(timeout_s, give_up)
        timer.start()
        try:
            _send(process.stdin, json.dumps(request).encode(), *parts)
            (payload,) = _receive(process.stdout, 1)
            answer: dict[str, Any] = json.loads(payload)
        except (OSError, EOFError) as error:
            self.stop()
            if late.is_set():
                raise Refused(f"took longer than {timeout_s} seconds to read and was given up. {_TRY_OTHERWISE}") from error
            raise Refused(f"crashed its reader, so it is damaged or needs too much memory. {_TRY_OTHERWISE}") from error
        except BaseException:  # interrupted half-way through an answer: the next file must not get the rest of it
            self.stop()
            raise
        finally:
            timer.cancel()
        self._n_files += 1
        if answer["peak_bytes"] > _RECYCLE_BYTES or self._n_files >= _RECYCLE_FILES:
            self.stop()
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            root = str(Path(__file__).resolve().parents[2])
            start = f"import sys; sys.path.insert(0, {root!r}); from litsearch.reading.isolation import serve; serve()"
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and our own module)
                [sys.executable, "-c", start],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONHASHSEED": "0"},  # the same file reads the same way every time
                start_new_session=True,  # Ctrl+C reaches the ingest, which ends the child itself
            )
            self._n_files = 0
        return self._process

    def stop(self) -> None:
        """End the child; the next file starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except OSError:  # unsent bytes for a child that is gone
                        continue


class ReaderFault(Exception):
    """A reader failed in a way that it did not foresee; the text is the child's traceback, for the log."""


WORKER = Worker()
atexit.register(WORKER.stop)


# ------------------------------------------------------------------------------------------------ in the child


def serve() -> None:
    """Answer one request after another until the parent goes away: the child's main loop."""
    import logging  # loaded here: the parent has no need of these
    import signal

    logging.disable(logging.CRITICAL)  # parsers complain at length about bad files; what matters is in the answer
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # A parser that prints must not speak into the answers, one that reads must not swallow requests.
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(quiet, 1)
    _limit_memory()
    readers: dict[str, Reader] = {}
    while True:
        try:
            header, content, sidecar = _receive(requests, 3)
        except EOFError:
            return
        request = json.loads(header)
        if hasattr(signal, "alarm"):
            # Should the parent die while this file hangs, the child ends by itself.
            signal.alarm(request["limits"]["read_timeout_s"] + 10)
        answer = _answer(readers, request, content, sidecar)
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        _send(answers, json.dumps({**answer, "peak_bytes": _peak_bytes()}).encode())


def _answer(readers: dict[str, Reader], request: dict[str, Any], content: bytes, sidecar: bytes) -> dict[str, Any]:
    import traceback

    name = request["reader"]
    try:
        if name not in readers:
            module, _, kind = name.partition(":")
            readers[name] = getattr(import_module(module), kind)()
        file = SourceFile(request["path"], content, sidecar if request["sidecar"] else None, request["sidecar_path"])
        found = readers[name].read(file, Limits(**request["limits"]))
        reading = found if isinstance(found, FileReading) else FileReading(tuple(found))
        return {"documents": [asdict(d) for d in reading.documents], "refused": [asdict(r) for r in reading.refused]}
    except Refused as refused:
        return {"refused_file": str(refused)}
    except MemoryError:
        return {"refused_file": f"needs more than 2 GB of memory to read. {_TRY_OTHERWISE}"}
    except RecursionError:
        return {"refused_file": f"is nested too deeply to read. {_TRY_OTHERWISE}"}
    except Exception:  # any parser's fault becomes an answer; the parent logs the trace
        return {"fault": traceback.format_exc()}


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit alone protects
        return
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    except (ValueError, OSError):  # macOS does not always allow it
        return


def _peak_bytes() -> int:
    """The most memory that this process itself has held, or 0 where the system does not tell."""
    try:
        # Linux hands a parent's peak on to its children in getrusage; /proc starts anew with the program.
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


# ------------------------------------------------------------------------------------------------ between the two


def _send(pipe: IO[bytes], *parts: bytes) -> None:
    for part in parts:
        pipe.write(struct.pack(">Q", len(part)))
        pipe.write(part)
    pipe.flush()


def _receive(pipe: IO[bytes], n_parts: int) -> list[bytes]:
    parts = []
    for _ in range(n_parts):
        (length,) = struct.unpack(">Q", _exactly(pipe, 8))
        parts.append(_exactly(pipe, length))
    return parts


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    content = pipe.read(length)
    if len(content) < length:
        raise EOFError("the other side went away")
    return content


def _to_reading(answer: dict[str, Any]) -> FileReading:
    documents = tuple(_to_document(fields) for fields in answer["documents"])
    return FileReading(documents, tuple(Refusal(**fields) for fields in answer["refused"]))


def _to_document(fields: dict[str, Any]) -> Document:
    metadata = fields["metadata"]
    return Document(
        fields["document_id"],
        fields["path"],
        fields["text"],
        tuple(Block(**block) for block in fields["blocks"]),
        Metadata(**{**metadata, "authors": tuple(metadata["authors"])}),
        tuple(Repair(**repair) for repair in fields["repairs"]),
    )
