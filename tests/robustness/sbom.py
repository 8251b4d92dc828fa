"""Prints a software bill of materials (CycloneDX 1.6, JSON) of what is installed: ``python -m tests.robustness.sbom > sbom.json``.

From the installed packages' own metadata, so it needs no network and no further package; model files are listed with their hashes.
"""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from litsearch.files import sha256_of
from litsearch.settings import ROOT


def bill() -> dict[str, Any]:
    """Every distribution of this environment once, and every model file that the project ships."""
    components = [_package(found) for found in metadata.distributions() if found.metadata["Name"]]
    once = {component["purl"]: component for component in components}
    models = [_model(path) for path in sorted((ROOT / "litsearch" / "models").rglob("*")) if path.is_file()]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "litsearch", "version": _version()}},
        "components": [*sorted(once.values(), key=lambda component: str(component["purl"])), *models],
    }


def _version() -> str:
    import tomllib

    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _package(found: metadata.Distribution) -> dict[str, Any]:
    name = found.metadata["Name"].lower().replace("_", "-")
    stated = found.metadata.get("License-Expression") or found.metadata.get("License") or ""
    classified = [
        line.rsplit(" :: ", 1)[-1] for line in found.metadata.get_all("Classifier", []) if line.startswith("License ::")
    ]
    licence = stated.splitlines()[0][:100] if stated.strip() else "; ".join(classified)
    component: dict[str, Any] = {
        "type": "library",
        "name": name,
        "version": found.version,
        "purl": f"pkg:pypi/{name}@{found.version}",
    }
    if licence:
        component["licenses"] = [{"license": {"name": licence}}]
    return component


def _model(path: Path) -> dict[str, Any]:
    return {
        "type": "machine-learning-model" if path.suffix in (".safetensors", ".onnx") else "data",
        "name": path.relative_to(ROOT).as_posix(),
        "hashes": [{"alg": "SHA-256", "content": sha256_of(path)}],
    }


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=1)
    print()
