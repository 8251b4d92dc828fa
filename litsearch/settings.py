"""One ``Settings``: defaults, then ``practice/settings.toml``, then the environment, each value with where it came from."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from litsearch.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT_PREFIX = "LITSEARCH_"
LOG_VARIABLE = "LITSEARCH_LOG"  # the level of the log on standard error; no setting, because it is needed before them
_ENGINE = re.compile(r"milvus://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")
_WORKERS = re.compile(r"[1-9]\d{0,2}|ray://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set.

    Paths are absolute; relative ones in the file and the environment count from the project's folder, those of the command
    line from where the command is given.
    """

    corpus: Path = ROOT / "corpus"
    index: Path = ROOT / "index"
    practice: Path = ROOT / "practice"
    model: str = ""  # empty: the shipped encoder; "packaged": plain all-MiniLM-L6-v2; or a local sentence-transformers folder
    reranker: str = ""  # empty: the shipped one if there is one; "none": no reranker; or a local folder
    stance: str = ""  # the same for the model that reads claims beside sentences
    engine: str = ""  # empty: vectors and postings lie in the index; or the address of a server, as milvus://host:19530
    workers: str = ""  # who embeds for an ingest; empty: this process; else how many on this machine, or ray://host:10001
    threads: int = 0  # 0: as many as the machine has cores
    keep_generations: int = 3  # the current one and two to roll back to
    strictness: float = 0.0  # 0: the calibrated default; else the confidence from which a question counts as answered
    max_file_mb: int = 50  # a treatment article is far smaller; a larger file is a mistake or an attack
    max_pages: int = 500
    max_records: int = 200_000
    read_timeout_s: int = 60
    register: str = ""  # empty: practice/register.sqlite; or the address of a database, as postgresql+psycopg://user@host/name
    keep_questions_days: int = 0  # 0: no question is kept; else for so many days, without personal details
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("threads", "strictness", "keep_questions_days"):
            if not getattr(self, name) >= 0:
                raise SettingsError(f"Setting {name!r} must not be negative. Mend it in practice/settings.toml.")
        if self.strictness >= 1:
            raise SettingsError("Setting 'strictness' is a confidence between 0 and 1. Mend it in practice/settings.toml.")
        if self.engine and not _ENGINE.fullmatch(self.engine):
            raise SettingsError("Setting 'engine' is empty or like milvus://host:19530. Mend it in practice/settings.toml.")
        if self.workers and not _WORKERS.fullmatch(self.workers):
            raise SettingsError(
                "Setting 'workers' is empty, a number of processes, or like ray://host:10001. Mend it in practice/settings.toml."
            )
        for name in ("keep_generations", "max_file_mb", "max_pages", "max_records", "read_timeout_s"):
            if getattr(self, name) < 1:
                raise SettingsError(f"Setting {name!r} must be at least 1. Mend it in practice/settings.toml.")

    @property
    def n_threads(self) -> int:
        return self.threads or os.cpu_count() or 1


def load_settings(file: Path | None = None, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from defaults, the settings file, the environment (``LITSEARCH_CORPUS=...``) and the command line, in that order.

    Raises:
        SettingsError: for an unknown name or a value of the wrong type; it names the place.
    """
    file = file or ROOT / "practice" / "settings.toml"
    environment = os.environ if environment is None else environment
    types: dict[str, type] = {f.name: type(f.default) for f in fields(Settings) if f.name != "origins"}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}

    def take(name: str, value: Any, origin: str) -> None:
        if name not in types:
            known = ", ".join(sorted(types))
            raise SettingsError(f"Unknown setting {name!r} in {origin}. Known settings: {known}.")
        values[name] = _convert(name, value, types[name], origin)
        origins[name] = origin

    if file.is_file():
        try:
            stated = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file.name} is not valid TOML ({error}). Mend that line or delete it.") from error
        for name, value in stated.items():
            take(name, value, file.name)
    for name, value in sorted(environment.items()):
        # LITSEARCH_TEST_... names what the tests may use, no setting.
        if name.startswith(ENVIRONMENT_PREFIX) and name != LOG_VARIABLE and not name.startswith(f"{ENVIRONMENT_PREFIX}TEST_"):
            take(name.removeprefix(ENVIRONMENT_PREFIX).lower(), value, f"environment {name}")
    for name, value in overrides.items():
        if value is not None:
            take(name, value, "command line")
    return Settings(**values, origins=origins)


def _convert(name: str, value: Any, kind: type, origin: str) -> Any:
    try:
        if issubclass(kind, Path):
            if value == "":
                raise ValueError("an empty path would name the whole project")
            return ((Path.cwd() if origin == "command line" else ROOT) / Path(value).expanduser()).resolve()
        if isinstance(value, bool) or (kind.__name__ == "int" and isinstance(value, float)):
            raise ValueError("another type")
        convert: Callable[[Any], Any] = kind
        return convert(value)
    except (TypeError, ValueError, RuntimeError) as error:  # RuntimeError: links in a circle, "~" of nobody
        wanted = {"int": "a whole number", "float": "a number", "str": "a text"}.get(kind.__name__, "a path")
        raise SettingsError(f"Setting {name!r} in {origin} must be {wanted}, not {value!r}.") from error
