"""How to reach the practice: its ``contact.yml``, which the first frame of the patient's page names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from litsearch.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach the practice; empty where it states nothing."""

    name: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    address: str = ""
    hours: str = ""
    out_of_hours: str = ""
    emergency: str = ""
    advice: str = ""

    @property
    def known_as(self) -> str:
        """The practice's name; empty while its file still holds the placeholder it was delivered with."""
        return "" if self.name.casefold() == "your practice" else self.name


def load_contact(path: Path) -> Contact:
    """How to reach the practice; nothing is stated where the file is missing.

    Raises:
        SettingsError: for a file that cannot be read; fields that this program does not know are left to the practice.
    """
    loaded = read_texts(path)
    if not isinstance(loaded, dict):
        raise SettingsError(f"{path.name}: must hold lines like 'phone: ...'.")
    inner = loaded.get("practice", loaded)
    stated: Mapping[str, Any] = inner if isinstance(inner, dict) else loaded
    known = {name: _one_text(stated[name]) for name in Contact.__dataclass_fields__ if stated.get(name)}
    return Contact(**known)


def _one_text(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value).strip()


def read_texts(path: Path) -> Any:
    """What a YAML file of the practice's holds, every value a text; an empty mapping where the file is missing or empty.

    Raises:
        SettingsError: for a file that cannot be read.
    """
    if not path.is_file():
        return {}
    try:
        # Every value a text: a telephone number must not be read as a number, which would lose its zeros or its plus.
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader) or {}  # noqa: S506 - makes texts only
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise SettingsError(f"{path.name} cannot be read: {error}. Mend that line.") from error
