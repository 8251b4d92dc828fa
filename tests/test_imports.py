"""What the project is made of: quick to import, never pickled, every requirement pinned and explained."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from litsearch.settings import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SOURCES = sorted([*(ROOT / "litsearch").rglob("*.py"), ROOT / "app.py", ROOT / "ingest.py"])


def _name(requirement: str) -> str:
    """A requirement's normalised name (PEP 503)."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def _pins(path: Path) -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
    return {_name(line): line for line in lines if line}


def test_importing_the_package_takes_under_300_milliseconds() -> None:
    """In a fresh interpreter; the fastest of five, because other programs run beside the test."""
    program = "import time; t = time.perf_counter(); import litsearch; print(time.perf_counter() - t)"
    seconds = [
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True).stdout)
        for _ in range(5)
    ]
    assert min(seconds) < 0.3


@pytest.mark.parametrize(
    "module", ["litsearch", "litsearch.settings", "litsearch.records", "litsearch.commands", "litsearch.searching"]
)
def test_no_module_of_the_serving_side_loads_torch(module: str) -> None:
    """Serving needs ONNX Runtime alone; torch would cost seconds and hundreds of megabytes at every start."""
    program = f"import sys, {module}; print([m for m in ('torch', 'sentence_transformers', 'transformers', 'streamlit') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_is_ever_pickled() -> None:
    """A pickle runs whatever its writer wants. No module that pickles is imported, and numpy's own pickling stays off."""
    pickling = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    found: list[str] = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            names: set[str] = set()
            if isinstance(node, ast.Import):
                names = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {(node.module or "").split(".")[0]}
            elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                names = set() if isinstance(node.value, ast.Constant) and node.value.value is False else {"pickle"}
            elif isinstance(node, ast.Attribute) and node.attr in ("read_pickle", "to_pickle"):
                names = {"pickle"}
            found += [f"{path.relative_to(ROOT)}:{node.lineno}" for _ in names & pickling]  # type: ignore[attr-defined]
    assert len(SOURCES) > 20
    assert found == []


def test_every_requirement_is_pinned_and_every_direct_one_is_there() -> None:
    pins = _pins(ROOT / "requirements.txt")
    assert all(re.fullmatch(r"[a-z0-9.-]+==\S+", line) for line in pins.values())
    assert {_name(requirement) for requirement in PROJECT["dependencies"]} <= set(pins)


def test_the_pins_satisfy_what_the_project_states() -> None:
    requirements = pytest.importorskip("packaging.requirements")
    pins = _pins(ROOT / "requirements.txt")
    for stated in PROJECT["dependencies"]:
        requirement = requirements.Requirement(stated)
        version = pins[_name(stated)].split("==")[1]
        assert requirement.specifier.contains(version), f"{stated} is pinned to {version}"


def test_the_developers_requirements_agree_with_the_users() -> None:
    path = ROOT / "requirements-dev.txt"
    if not path.exists():
        pytest.skip("requirements-dev.txt is not compiled yet: make lock")
    pins, user_pins = _pins(path), _pins(ROOT / "requirements.txt")
    assert all(re.fullmatch(r"[a-z0-9.-]+==\S+", line) for line in pins.values())
    assert {_name(requirement) for requirement in PROJECT["optional-dependencies"]["dev"]} <= set(pins)
    assert {name: pins[name] for name in set(pins) & set(user_pins)} == {
        name: user_pins[name] for name in set(pins) & set(user_pins)
    }


def test_every_direct_dependency_has_its_line_of_reasons() -> None:
    """Why this one, and what it was compared with."""
    text = (ROOT / "docs" / "dependencies.md").read_text().lower()
    direct = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    missing = [
        _name(requirement)
        for requirement in direct
        if not re.search(rf"(?<![\w-]){re.escape(_name(requirement))}(?![\w-])", text)
    ]
    assert missing == []


def test_no_source_names_a_machine_or_a_registry() -> None:
    """What is installed from where is the installer's business; no path of the machine it was written on is in it."""
    told = re.compile(r"/(root|home|work)/\w|https?://[^\s\"']*pypi", re.IGNORECASE)
    places = [*SOURCES, *(ROOT / "tests").glob("*.py"), ROOT / "requirements.txt", ROOT / "Makefile", ROOT / "pyproject.toml"]
    here = Path(__file__).name
    found = [str(path.relative_to(ROOT)) for path in places if path.name != here and told.search(path.read_text())]
    assert found == []
