"""Embedding by workers: the vectors of this process bit for bit, whoever makes them and whoever is lost meanwhile.

What starts workers is skipped where Ray is not installed. LITSEARCH_TEST_RAY=ray://host:10001 runs it on that cluster as well.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litsearch.commands import ingest_main
from litsearch.embedding import OnnxEncoder, export_folder
from litsearch.errors import ModelError, SettingsError, WorkersError
from litsearch.files import sha256_of
from litsearch.index import Index
from litsearch.ingesting import ingest, inputs_of
from litsearch.settings import ROOT, Settings, load_settings
from litsearch.testing import FakeEncoder
from litsearch.workers import Asked, Embedded, EmbeddingWorker, Workers, _message, _unpacked, embedded_here, open_asked, portions
from tests.conftest import Shelf
from tests.served import free_port

CLUSTER = os.environ.get("LITSEARCH_TEST_RAY", "")
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="not installed: ray")

PASSAGES = [
    "Needling and scars. What it does\nNeedling makes tiny wounds in the skin. The skin then makes new collagen.",
    "Décolletage, 皮膚, ☃, \U0001f489 and a lone surrogate: \ud800",
    "The skin is red for two days. " * 60,
    "",
]
SENTENCES = ["Needling makes tiny wounds in the skin.", "The skin then makes new collagen.", " "]


def _asked(exports: Path, encoder: OnnxEncoder, /, **changes: Any) -> Asked:
    about = export_folder(exports, encoder.sha256) / "about.json"
    return replace(Asked("", str(exports), encoder.sha256, sha256_of(about), 1), **changes)


def _by_number(embedded: Sequence[Embedded]) -> dict[int, tuple[bytes, ...]]:
    """Every bit of what was embedded."""
    found = {
        number: (vector.tobytes(), *((packed.entries.tobytes(), packed.scales.tobytes()) if packed else ()))
        for number, vector, packed in embedded
    }
    assert len(found) == len(embedded)
    return found


def _kept(settings: Settings) -> dict[str, bytes]:
    """Every file of the generation in use."""
    index = Index.of(settings)
    folder = index.generations / index.current_id()
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# ------------------------------------------------------------------------------------------------------- portions


def test_passages_are_embedded_in_portions_of_like_length() -> None:
    """200,000 tokens a portion, longest first: 120,000 and 60,000 fit together, the 40,000 after them no more."""
    assert list(portions([40_000, 150_000, 120_000, 60_000, 250_000], 200_000)) == [[4], [1], [2, 3], [0]]
    assert list(portions([], 200_000)) == []


def test_a_worker_makes_the_vectors_of_this_process_bit_for_bit(model_exports: Path, encoder: OnnxEncoder) -> None:
    """There with one thread, here with two, and in other portions; token vectors arrive packed as they would be kept."""
    texts = PASSAGES + SENTENCES
    done: list[int] = []
    here = list(embedded_here(encoder, texts, len(PASSAGES), done.append))
    assert done[-1] == len(texts)
    worker = EmbeddingWorker(_asked(model_exports, encoder))
    there: list[Embedded] = []
    for number, some in enumerate([[3, 1], [0], [2], [4, 5], [6]]):
        result = worker(_message(number, texts, some, len(PASSAGES)))
        assert (result["portion"], result["problem"]) == (number, "")
        there += _unpacked(result, some, len(PASSAGES), encoder)
    assert _by_number(there) == _by_number(here)
    assert {number for number, _, packed in there if packed} == {0, 1, 2, 3}


# ------------------------------------------------------------------------------------------------ a worker's model


def test_a_worker_that_does_not_see_our_export_makes_the_same_one(
    model_exports: Path, encoder: OnnxEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    opened = open_asked(_asked(model_exports, encoder, exports=str(tmp_path / "elsewhere" / "models")))
    assert np.array_equal(opened.embed(SENTENCES), encoder.embed(SENTENCES))
    assert export_folder(tmp_path / ".cache" / "litsearch" / "models", encoder.sha256).is_dir()
    assert not (tmp_path / "elsewhere").exists()


def test_a_worker_with_another_model_is_refused(model_exports: Path, encoder: OnnxEncoder) -> None:
    with pytest.raises(ModelError, match=rf"SHA-256 {encoder.sha256[:12]}.*asked for is 000000000000.*same version"):
        open_asked(_asked(model_exports, encoder, sha256="0" * 64))


def test_a_worker_with_another_export_of_the_model_is_refused(model_exports: Path, encoder: OnnxEncoder, tmp_path: Path) -> None:
    """As another version of torch might make it: the same weights under another graph."""
    ours = _asked(model_exports, encoder)
    shutil.copytree(model_exports, tmp_path / "models")
    about = export_folder(tmp_path / "models", encoder.sha256) / "about.json"
    about.write_bytes(about.read_bytes() + b"\n")
    with pytest.raises(ModelError, match=r"export of .* differs.*delete that folder"):
        open_asked(replace(ours, exports=str(tmp_path / "models")))


def test_a_worker_tells_with_its_portion_that_it_has_no_model(model_exports: Path, encoder: OnnxEncoder) -> None:
    worker = EmbeddingWorker(_asked(model_exports, encoder, sha256="0" * 64))
    result = worker(_message(7, SENTENCES, [0, 1], 0))
    assert result["portion"] == 7 and "asked for is 000000000000" in result["problem"] and result["vectors"] == b""


# ----------------------------------------------------------------------------------------------------- the setting


@pytest.mark.parametrize("workers", ["0", "-1", "two", "1.5", "ray://", "ray://host", "http://host:1", "ray://me:secret@host:1"])
def test_workers_that_are_none_are_refused(workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError, match=r"'workers'.*ray://host:10001"):
        Settings(workers=workers)
    assert ingest_main([f"--workers={workers}"]) == 2
    assert "'workers'" in capsys.readouterr().err


def test_workers_are_a_number_or_a_cluster(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    for workers in ("", "1", "16", "ray://10.0.0.7:10001", "ray://node-1.practice.lan:10001", "ray://[::1]:10001"):
        assert Settings(workers=workers).workers == workers
    file.write_text("workers = 2\n")
    assert load_settings(file, {}).workers == "2"
    assert load_settings(file, {"LITSEARCH_WORKERS": "3"}).workers == "3"
    assert load_settings(file, {"LITSEARCH_WORKERS": "3"}, workers="ray://host:10001").workers == "ray://host:10001"


def test_who_embeds_makes_no_other_generation() -> None:
    assert inputs_of(Settings(workers="2"), "0", 64, []) == inputs_of(Settings(), "0", 64, [])


_INGEST = """
import sys
from pathlib import Path
from litsearch.ingesting import ingest
from litsearch.settings import Settings
from litsearch.testing import FakeEncoder
if sys.argv[2]:
    sys.modules["ray"] = None
folder = Path(sys.argv[1])
ingest(Settings(corpus=folder / "corpus", index=folder / "index", workers=sys.argv[2]), encoder=FakeEncoder())
print("ray" in sys.modules)
"""


def _ingest_apart(shelf: Shelf, workers: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", _INGEST, str(shelf.folder), workers]
    return subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=False)


def test_without_ray_the_error_names_what_to_install_before_anything_is_read(stocked: Shelf) -> None:
    served = stocked.index.current_id()
    stocked.write("new.txt", "A new text about redness. It fades after two days.")
    for workers in ("2", "ray://127.0.0.1:1"):
        done = _ingest_apart(stocked, workers)
        assert done.returncode == 1
        assert "WorkersError" in done.stderr and "pip install -e .[ray]" in done.stderr
    assert stocked.index.current_id() == served


def test_an_ingest_by_this_process_imports_no_ray(stocked: Shelf) -> None:
    stocked.write("new.txt", "A new text about redness. It fades after two days.")
    assert _ingest_apart(stocked, "").stdout == "False\n"


@needs_ray
def test_a_cluster_that_does_not_answer_is_named_before_anything_is_read(stocked: Shelf) -> None:
    served = stocked.index.current_id()
    stocked.write("new.txt", "A new text about redness. It fades after two days.")
    read: list[str] = []
    address = f"ray://127.0.0.1:{free_port()}"
    with pytest.raises(WorkersError, match=rf"{re.escape(address)}.*Connection refused.*mend 'workers'"):
        ingest(
            replace(stocked.settings, workers=address),
            encoder=stocked.encoder,
            progress=lambda stage, done, of: read.append(stage),
        )
    assert (read, stocked.index.current_id()) == ([], served)


@needs_ray
def test_a_model_without_an_export_is_no_model_for_workers(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no worker can open it"):
        Workers(Settings(workers="2"), FakeEncoder(), tmp_path)


# ------------------------------------------------------------------------------------------------------- the story


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """Five of the committed articles: some 100 texts to embed."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for path in sorted((ROOT / "corpus").glob("*.md"))[:5]:
        shutil.copy(path, corpus)
    return corpus


@needs_ray
def test_a_worker_killed_midway_costs_no_vector(
    real_settings: Callable[[Path], Settings],
    articles: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two processes embed; the one that tells its first portion is killed with most still to do. Every file of the generation is
    that of an ingest by this process, standard output stays free for the report, and the cluster of our own is gone afterwards.
    """
    local, by_workers = real_settings(articles), replace(real_settings(articles), workers="2")
    ingest(local)
    killed: list[tuple[int, int, int]] = []

    def kill(stage: str, done: int, of: int) -> None:
        if stage == "embedding" and not killed:
            (process,) = _workers(caplog)
            os.kill(process, signal.SIGKILL)
            killed.append((process, done, of))

    with caplog.at_level(logging.INFO, "litsearch.workers"):
        try:
            report = ingest(by_workers, progress=kill)
        except WorkersError as error:
            if killed or "timed out during startup" not in str(error):
                raise
            pytest.skip("this machine is so busy that Ray's own processes do not start within the fifteen seconds it gives them")
    ((process, done, of),) = killed
    assert report.embedded == of and done < of / 2
    assert set(_workers(caplog)) - {process}
    assert _kept(by_workers) == _kept(local)
    assert capsys.readouterr().out == ""
    import ray

    assert not ray.is_initialized()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def _workers(caplog: pytest.LogCaptureFixture) -> list[int]:
    """The processes that have told a portion so far."""
    found = (re.search(r"worker \S+ process (\d+) has", record.getMessage()) for record in caplog.records)
    return [int(match.group(1)) for match in found if match]


@needs_ray
@pytest.mark.skipif(not CLUSTER, reason="LITSEARCH_TEST_RAY names no cluster")
def test_a_cluster_makes_the_generation_of_this_process(real_settings: Callable[[Path], Settings], articles: Path) -> None:
    local, by_cluster = real_settings(articles), replace(real_settings(articles), workers=CLUSTER)
    ingest(local)
    ingest(by_cluster)
    assert _kept(by_cluster) == _kept(local)
