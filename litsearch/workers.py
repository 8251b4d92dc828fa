"""Who embeds the texts of an ingest: this process, or workers that Ray Data feeds, on this machine or on several.

Workers give the vectors that this process would give. A portion that a lost worker had is done again by another; each worker
has at most two portions at a time, and no more results wait for us than Ray's store of objects has room for.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import socket
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from filelock import FileLock

from litsearch.embedding import Encoder, encodable, export_folder, open_encoder
from litsearch.engines.tokens import Floats, Packed, pack
from litsearch.errors import LitsearchError, ModelError, WorkersError
from litsearch.files import make_folder, sha256_of
from litsearch.settings import Settings

log = logging.getLogger(__name__)

# The number of a text, its vector, shape (dimensions,), and the token vectors of a whole passage.
Embedded = tuple[int, Floats, Packed | None]

# Token vectors of one portion lie in memory at full width: 384 entries of four bytes each, about 300 MB.
HERE_TOKENS = 200_000
# A worker's portion: a few seconds of work for one core, so little is done twice when a worker is lost, and 3 MB of results.
# Little to embed is cut finer, so that all workers get some of it.
WORKER_TOKENS = 8_192
_FINEST_TOKENS = 1_024
_N_PORTIONS = 32
_IN_FLIGHT = 2  # one at work, one at hand
_RETRIES = 3  # a text that ends every worker that gets it must not do so for ever
_STARTS = 2
_CONNECT_TIMEOUT_S = 10
_SENT_AT_ONCE = 500  # portions a message to a cluster: some 20 MB
_STORE_BYTES = 500_000_000  # of this machine's memory for texts and results on the way; what exceeds it goes to the disk


class Embedding(Protocol):
    """Embeds texts, some at a time, in any order."""

    def __call__(self, texts: Sequence[str], n_whole: int, done: Callable[[int], None]) -> Iterator[Embedded]:
        """Every text once; the first ``n_whole`` are whole passages, which get token vectors. ``done`` hears how many are done."""


def embedding_by(settings: Settings, encoder: Encoder, exports: Path) -> Embedding:
    """The way of embedding that the settings name; ``exports`` holds the encoder's export.

    Raises:
        WorkersError: when Ray is not installed or nobody listens at the address of its cluster.
    """
    if settings.workers:
        return Workers(settings, encoder, exports).embedded

    def here(texts: Sequence[str], n_whole: int, done: Callable[[int], None]) -> Iterator[Embedded]:
        return embedded_here(encoder, texts, n_whole, done)

    return here


def embedded_here(encoder: Encoder, texts: Sequence[str], n_whole: int, done: Callable[[int], None]) -> Iterator[Embedded]:
    """See ``Embedding``: in this process."""
    n_done = 0

    def tell(before: int) -> Callable[[int, int], None]:
        return lambda number, of: done(before + number)

    for some in portions(encoder.count_tokens(texts[:n_whole]), HERE_TOKENS):
        found, tokens = encoder.embed_tokens([texts[number] for number in some], tell(n_done))
        for number, vector, of_text in zip(some, found, tokens, strict=True):
            yield number, vector, pack(of_text)
        n_done += len(some)
    for number, vector in enumerate(encoder.embed(texts[n_whole:], tell(n_done)), start=n_whole):
        yield number, vector, None


def portions(n_tokens: Sequence[int], room: int) -> Iterator[list[int]]:
    """Numbers of texts of like length together, longest first, about ``room`` tokens at a time.

    >>> list(portions([40, 150, 120, 60, 250], 200))
    [[4], [1], [2, 3], [0]]
    """
    portion: list[int] = []
    left = room
    for number in sorted(range(len(n_tokens)), key=lambda number: (-n_tokens[number], number)):
        if portion and n_tokens[number] > left:
            yield portion
            portion, left = [], room
        portion.append(number)
        left -= n_tokens[number]
    if portion:
        yield portion


# -------------------------------------------------------------------------------------------------------- our side


@dataclass(frozen=True, slots=True)
class Asked:
    """What each worker is to open: the model of the settings, whose weights and whose export have these SHA-256.

    ``exports`` is where we keep the export; a worker that does not see that folder keeps one of its own.
    """

    model: str
    exports: str
    sha256: str
    export_sha256: str
    n_threads: int


class Workers:
    """Embeds by so many processes on this machine, or by a Ray cluster with a worker for each of its processors."""

    def __init__(self, settings: Settings, encoder: Encoder, exports: Path) -> None:
        _library()
        self._address = settings.workers if settings.workers.startswith("ray://") else ""
        self._n_here = 0 if self._address else int(settings.workers)
        if self._address:
            _knock(self._address)
        n_threads = (settings.threads or 1) if self._address else max(1, settings.n_threads // self._n_here)
        about = export_folder(exports, encoder.sha256) / "about.json"
        try:
            export_sha256 = sha256_of(about)
        except OSError as error:
            raise ModelError(f"{encoder.name} has no export in {about.parent}, so no worker can open it.") from error
        self._asked = Asked(settings.model, str(exports.absolute()), encoder.sha256, export_sha256, n_threads)
        self._encoder = encoder

    def embedded(self, texts: Sequence[str], n_whole: int, done: Callable[[int], None]) -> Iterator[Embedded]:
        """See ``Embedding``.

        Raises:
            WorkersError: when the cluster goes, or a portion was tried several times in vain.
            ModelError: when a worker has another model.
        """
        if not texts:
            return
        sent = self._portions(texts, n_whole)
        waiting = dict(enumerate(sent))
        seen: set[str] = set()
        n_done = 0
        for result in self._results([_message(number, texts, some, n_whole) for number, some in waiting.items()]):
            if result["problem"]:
                raise ModelError(f"A worker on {result['worker']} cannot embed: {result['problem']}")
            if result["worker"] not in seen:
                seen.add(result["worker"])
                log.info("worker %s has the model open", result["worker"])
            some = waiting.pop(result["portion"])
            yield from _unpacked(result, some, n_whole, self._encoder)
            n_done += len(some)
            done(n_done)
        if waiting:
            raise WorkersError(f"{len(waiting)} of {len(sent)} portions of texts did not come back from the workers. {_AGAIN}")

    def _portions(self, texts: Sequence[str], n_whole: int) -> list[list[int]]:
        n_tokens = self._encoder.count_tokens(texts)
        room = max(_FINEST_TOKENS, min(WORKER_TOKENS, sum(n_tokens) // _N_PORTIONS))
        whole = list(portions(n_tokens[:n_whole], room))
        parts = [[number + n_whole for number in some] for some in portions(n_tokens[n_whole:], room)]
        return whole + parts

    def _results(self, messages: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        try:
            # Ray tells of lost workers on standard output, which belongs to the report.
            with redirect_stdout(sys.stderr), self._feed(messages) as following:
                while (result := following()) is not None:
                    yield result
        except LitsearchError:
            raise
        except Exception as error:  # Ray raises errors of its own, of gRPC and of the standard library
            reason = (str(error).strip().splitlines() or [""])[-1]
            where = f"The Ray cluster at {self._address}" if self._address else "Ray"
            hint = " A cluster that asks for a token needs RAY_AUTH_MODE=token here as well." if self._address else ""
            raise WorkersError(f"{where} failed ({type(error).__name__}: {reason}).{hint} {_AGAIN}") from error

    @contextmanager
    def _feed(self, messages: Sequence[dict[str, Any]]) -> Iterator[Callable[[], dict[str, Any] | None]]:
        """Connected to the cluster, or to one of our own for as long; what is yielded gives one result after the other."""
        ray = _library()
        quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
        try:
            if self._address:
                ray.init(self._address, **quiet)
                n_workers = int(ray.cluster_resources().get("CPU", 1)) // self._asked.n_threads
                # Ray Data does not run over a client's connection, so it runs in the cluster.
                feed = ray.remote(num_cpus=0)(Feed).remote(self._asked, max(1, n_workers))
                for start in range(0, len(messages), _SENT_AT_ONCE):
                    ray.get(feed.add.remote(messages[start : start + _SENT_AT_ONCE]))
                yield lambda: ray.get(feed.following.remote())
            else:
                n_cpus = self._n_here * self._asked.n_threads
                _start(num_cpus=n_cpus, object_store_memory=_STORE_BYTES, include_dashboard=False, **quiet)
                here = Feed(self._asked, self._n_here)
                here.add(messages)
                yield here.following
        finally:
            ray.shutdown()


_AGAIN = "The index stays as it was. Try again, or empty 'workers' in practice/settings.toml."


# Read when Ray is first imported, and by the processes that it starts.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to its makers
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # a cluster of our own listens on the loopback address alone, as Ray's do on macOS
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # its core warns of worker arguments that a lost machine takes along; ours lie with us
}


def _library() -> Any:
    os.environ |= _ENVIRONMENT
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise WorkersError(
            "The setting 'workers' needs Ray, which is not installed: pip install -e .[ray], or empty the setting."
        ) from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray


def _start(**how: Any) -> None:
    """A cluster of our own. Ray gives its processes some fifteen seconds to start, which a busy machine may exceed, so it gets
    another try.
    """
    ray = _library()
    for n_left in reversed(range(_STARTS)):
        try:
            ray.init("local", **how)
            return
        except Exception as error:
            if not n_left:
                raise
            log.info("Ray did not start (%s), trying again", error)
            ray.shutdown()


def _knock(address: str) -> None:
    """An address where nobody listens is told before hours of reading; Ray itself would try for half a minute."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise WorkersError(
            f"No Ray cluster answers at {address} ({error.strerror or error}). Start it, or mend 'workers' in practice/settings.toml."
        ) from error


def _message(portion: int, texts: Sequence[str], some: Sequence[int], n_whole: int) -> dict[str, Any]:
    content = json.dumps([encodable(texts[number]) for number in some]).encode()
    return {"portion": portion, "texts": content, "whole": some[0] < n_whole}


def _unpacked(result: dict[str, Any], some: Sequence[int], n_whole: int, encoder: Encoder) -> Iterator[Embedded]:
    vectors = np.frombuffer(result["vectors"], dtype=np.float32).reshape(len(some), encoder.dimensions)
    if some[0] >= n_whole:
        yield from ((number, vector, None) for number, vector in zip(some, vectors, strict=True))
        return
    ends = np.cumsum(np.frombuffer(result["lengths"], dtype=np.int64))[:-1]
    entries = np.split(np.frombuffer(result["entries"], dtype=np.int8).reshape(-1, encoder.token_dimensions), ends)
    scales = np.split(np.frombuffer(result["scales"], dtype=np.float16), ends)
    for number, vector, of_entries, of_scales in zip(some, vectors, entries, scales, strict=True):
        yield number, vector, Packed(of_entries, of_scales)


# ------------------------------------------------------------------------------------------------ the cluster's side


class Feed:
    """Hands portions of texts to workers by Ray Data and their results to us, as fast as we take them."""

    def __init__(self, asked: Asked, n_workers: int) -> None:
        self._asked = asked
        self._n_workers = n_workers
        self._messages: list[dict[str, Any]] = []
        self._results: Iterator[dict[str, Any]] | None = None

    def add(self, messages: Sequence[dict[str, Any]]) -> None:
        """More portions; all come before the first result is asked for."""
        self._messages.extend(messages)

    def following(self) -> dict[str, Any] | None:
        """The result of one more portion, in any order; none when all are done."""
        if self._results is None:
            self._results = self._run()
        return next(self._results, None)

    def _run(self) -> Iterator[dict[str, Any]]:
        ray = _library()
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        size = min(self._n_workers, len(self._messages))
        with warnings.catch_warnings():
            # Bounded retries go by an argument that Ray 2.64 takes away, so pyproject.toml stays below that.
            warnings.simplefilter("ignore")
            results = ray.data.from_items(self._messages, override_num_blocks=len(self._messages)).map(
                EmbeddingWorker,
                fn_constructor_args=(self._asked,),
                compute=ray.data.ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=_IN_FLIGHT),
                # Half of what it uses: when a machine is lost, its workers find room on the others.
                num_cpus=self._asked.n_threads / 2,
                max_task_retries=_RETRIES,
            )
        self._messages = []
        yield from results.iter_rows()


class EmbeddingWorker:
    """Opens the model once and embeds one portion of texts after the other; lives in a process of its own.

    A model that cannot be opened is told with every portion, because Ray would start a worker that fails again and again.
    """

    def __init__(self, asked: Asked) -> None:
        self._name = f"{platform.node()} process {os.getpid()}"
        self._problem = ""
        try:
            self._encoder = open_asked(asked)
        except LitsearchError as error:
            self._problem = str(error)

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        """Vectors and packed token vectors of one portion, as bytes, row after row."""
        result = {"portion": message["portion"], "worker": self._name, "problem": self._problem}
        result |= dict.fromkeys(("vectors", "lengths", "entries", "scales"), b"")
        if self._problem:
            return result
        texts = json.loads(message["texts"])
        if not message["whole"]:
            return result | {"vectors": self._encoder.embed(texts).tobytes()}
        vectors, tokens = self._encoder.embed_tokens(texts)
        packed = [pack(of_text) for of_text in tokens]
        return result | {
            "vectors": vectors.tobytes(),
            "lengths": np.array([len(one.scales) for one in packed], dtype=np.int64).tobytes(),
            "entries": b"".join(one.entries.tobytes() for one in packed),
            "scales": b"".join(one.scales.tobytes() for one in packed),
        }


def open_asked(asked: Asked) -> Encoder:
    """The encoder that is asked for, on whatever machine this is; exported there first where that was not done.

    Raises:
        ModelError: when this machine has no such model, another one, or makes another export of it.
    """
    exports = Path(asked.exports)
    if not exports.is_dir():
        exports = Path.home() / ".cache" / "litsearch" / "models"
        make_folder(exports)
    with FileLock(exports / ".lock"):
        encoder = open_encoder(asked.model, exports, n_threads=asked.n_threads)
    if encoder.sha256 != asked.sha256:
        raise ModelError(
            f"its model is {encoder.name} (SHA-256 {encoder.sha256[:12]}...), asked for is {asked.sha256[:12]}...."
            " Check the same version of litsearch out there; a folder named by 'model' must be the same on every machine."
        )
    folder = export_folder(exports, encoder.sha256)
    if sha256_of(folder / "about.json") != asked.export_sha256:
        raise ModelError(
            f"its export of {encoder.name} in {folder} differs from ours in {asked.exports}. Install the same requirements.txt"
            " there and delete that folder, or copy ours there."
        )
    return encoder
