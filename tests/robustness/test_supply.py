"""What the project is made of: no pickle, models checked by hash before use, every package named and pinned."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from litsearch.embedding import BASIS, OnnxEncoder, find_model, model_sha256
from litsearch.errors import ModelError
from litsearch.settings import ROOT
from tests.robustness.sbom import bill

# Modules that run code found in a file, or read such files, and calls that do.
_PICKLING = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}


def _shipped() -> list[Path]:
    """The files that git tracks; outside a checkout, those of the package and the practice."""
    git = shutil.which("git")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False) if git else None
    if listed is not None and listed.returncode == 0 and listed.stdout:
        return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]
    return [path for folder in ("litsearch", "practice", "tests") for path in (ROOT / folder).rglob("*") if path.is_file()]


def pickling_in(source: str) -> list[str]:
    """The places of a Python text that pickle, or that let a library do it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [f"line {node.lineno}: import {a.name}" for a in node.names if a.name.split(".")[0] in _PICKLING]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _PICKLING:
            found.append(f"line {node.lineno}: from {node.module}")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            keywords = {k.arg: ast.unparse(k.value) for k in node.keywords}
            if keywords.get("allow_pickle") == "True" or keywords.get("weights_only") == "False":
                found.append(f"line {node.lineno}: {name}")
            if name == "torch.load" and keywords.get("weights_only") != "True":
                found.append(f"line {node.lineno}: torch.load without weights_only")
            if name in ("np.load", "numpy.load", "np.save", "numpy.save") and keywords.get("allow_pickle") != "False":
                found.append(f"line {node.lineno}: {name} without allow_pickle=False")
    return found


def is_pickled(content: bytes) -> bool:
    """A pickle of protocol 2 or later, or an archive that torch wrote."""
    return (content[:1] == b"\x80" and content[1:2] in b"\x02\x03\x04\x05" and content.endswith(b".")) or (
        content[:2] == b"PK" and (b"/data.pkl" in content or b"constants.pkl" in content)
    )


def test_no_program_of_the_project_pickles() -> None:
    sources = [path for path in _shipped() if path.suffix == ".py"]
    assert len(sources) > 50
    found = {
        path.relative_to(ROOT).as_posix(): places
        for path in sources
        if path.is_relative_to(ROOT / "litsearch") and (places := pickling_in(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_no_shipped_file_is_a_pickle() -> None:
    assert [path.name for path in _shipped() if path.stat().st_size and is_pickled(path.read_bytes())] == []
    assert [
        path.name for path in _shipped() if path.suffix in (".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib")
    ] == []


def test_the_two_searches_for_pickles_find_what_they_look_for() -> None:
    import io
    import pickle

    import torch

    assert is_pickled(pickle.dumps({"a": 1}))
    held = io.BytesIO()
    torch.save({"a": 1}, held)
    assert is_pickled(held.getvalue())
    assert not is_pickled(b"\x80 is the euro sign elsewhere.\n")
    assert (
        len(pickling_in("import pickle\nfrom joblib import load\nnp.load('x', allow_pickle=True)\ntorch.load('x')\nnp.load('x')"))
        == 6
    )


def test_the_models_own_weights_are_checked_before_they_are_loaded(tmp_path: Path) -> None:
    """The shipped model beside a record of another hash is refused by name; the export is checked at every opening below."""
    folder, name = find_model("")
    hashes = {component["name"]: component["hashes"][0]["content"] for component in bill()["components"] if "hashes" in component}
    weights, basis = (hashes[(folder / file).relative_to(ROOT).as_posix()] for file in ("model.safetensors", BASIS))
    assert model_sha256(folder, name) == hashlib.sha256(f"{weights} {basis}".encode()).hexdigest()


def test_an_exported_model_with_one_bit_changed_is_not_loaded(model_exports: Path, tmp_path: Path) -> None:
    (export,) = [path for path in model_exports.iterdir() if path.is_dir()][:1]
    for name in ("encoder.onnx", "tokenizer.json"):
        copy = tmp_path / name
        shutil.copytree(export, copy)
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        with pytest.raises(ModelError, match=re.escape(name)):
            OnnxEncoder(copy, n_threads=1)


def test_every_package_is_pinned_to_one_version_and_no_address_is_named() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
        assert len(lines) > 50
        assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[^\s;]+( ;.*)?", line)] == []


def test_the_bill_of_materials_names_every_pinned_package_and_every_model_file() -> None:
    made = json.loads(json.dumps(bill()))
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    listed = {component["name"] for component in made["components"]}
    pinned = {line.split("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line}
    assert pinned <= {name.replace(".", "-") for name in listed} | listed
    assert "litsearch/models/encoder/model.safetensors" in listed


def test_known_weaknesses_of_the_packages_are_looked_up_where_that_can_be() -> None:
    audit = shutil.which("pip-audit")
    if audit is None:
        pytest.skip(
            "pip-audit is not installed: it asks a service on the network, which tests here never do; run it where you release"
        )
    done = subprocess.run([audit, "-r", "requirements.txt", "--no-deps"], cwd=ROOT, capture_output=True, text=True, check=False)
    if "ConnectionError" in done.stderr or "ServiceError" in done.stderr:
        pytest.skip("pip-audit cannot reach its service from here")
    assert done.returncode == 0, done.stdout
