"""Who says it: front matter or a ``name.meta.yml`` beside the file, validated with errors that name the field and the fix."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from litsearch.errors import Refused
from litsearch.records import KIND_BY_NAME, NOT_STATED, Metadata

_FRONT_MATTER = re.compile(r"\A(?:---[ \t]*\n)(.*?)(?:\n---[ \t]*(?:\n|\Z))", re.DOTALL)


def _silent(value: Any) -> Any:
    """``not stated`` in a file means that the field is empty."""
    return "" if value is None or (isinstance(value, str) and value.strip().lower() in (NOT_STATED, "")) else value


def _text(value: Any) -> Any:
    value = _silent(value)
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, int | float) else value


def _names(value: Any) -> Any:
    value = _silent(value)
    if value == "":
        return ()
    return (value,) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_text), Field(max_length=2_000)]
Names = Annotated[tuple[Text, ...], BeforeValidator(_names), Field(max_length=500)]


class _Stated(BaseModel):
    """The fields that front matter may have; unknown ones are reported, so that a typing error is not lost in silence."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    title: Text = ""
    kind: Text = ""
    authors: Names = ()
    author: Names = ()
    publisher: Text = ""
    journal: Text = ""
    # The bounds belong to the number: on "number or none" they fail for none.
    year: Annotated[Annotated[int, Field(ge=1500, le=2200)] | None, BeforeValidator(lambda v: _silent(v) or None)] = None
    published: Text = ""
    date: Text = ""
    doi: Text = ""
    pmid: Text = ""
    pmcid: Text = ""
    url: Text = ""
    treatment: Text = ""
    restates: Text = ""
    source: Text = ""

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        if kind and kind not in KIND_BY_NAME:
            raise ValueError(f"must be one of: {', '.join(KIND_BY_NAME)}")
        return kind

    @field_validator("published", "date")
    @classmethod
    def _iso_date(cls, stated: str) -> str:
        if stated and not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", stated):
            raise ValueError("must be written as 2021, 2021-09 or 2021-09-21")
        return stated

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if url and not re.match(r"https?://\S+$", url):
            raise ValueError("must start with http:// or https:// and hold no spaces")
        return url

    @field_validator("doi")
    @classmethod
    def _bare_doi(cls, doi: str) -> str:
        return re.sub(r"^(https?://(dx\.)?doi\.org/|doi:\s*)", "", doi, flags=re.IGNORECASE)


def split_front_matter(text: str) -> tuple[str, str]:
    """Front matter (YAML between two ``---`` lines at the very top) and the rest; empty when there is none.

    >>> split_front_matter("---\\ntitle: Scars\\n---\\nText.")
    ('title: Scars', 'Text.')
    """
    found = _FRONT_MATTER.match(text)
    return (found.group(1), text[found.end() :]) if found else ("", text)


def parse_metadata(stated: str, *, place: str) -> dict[str, Any]:
    """The fields that a YAML text states, validated; empty text gives no fields.

    Raises:
        Refused: naming ``place``, the field and the fix.
    """
    if not stated.strip():
        return {}
    try:
        loaded = yaml.safe_load(stated)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f", line {line + 2}" if line is not None else ""
        raise Refused(f"{place}{where}: not valid YAML. Put texts with a colon in quotation marks and indent evenly.") from error
    if not isinstance(loaded, dict):
        raise Refused(f"{place}: must be lines like 'title: ...', not {type(loaded).__name__}.")
    try:
        fields = _Stated.model_validate({str(key): value for key, value in loaded.items()})
    except ValidationError as error:
        problems = "; ".join(_explain(problem) for problem in error.errors())
        raise Refused(f"{place}: {problems}.") from error
    found = {name: value for name, value in fields.model_dump().items() if value not in ("", (), None)}
    if author := found.pop("author", None):
        found.setdefault("authors", author)
    if day := found.pop("date", None):
        found.setdefault("published", day)
    return found


def _explain(problem: Any) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"field '{field}' is not known (known: {', '.join(_Stated.model_fields)})"
    return f"field '{field}' {problem['msg'].removeprefix('Value error, ')}"


def make_metadata(path: str, sidecar: bytes | None, *layers: dict[str, Any]) -> Metadata:
    """Metadata from layers (weakest first), the sidecar file strongest; the source is the file's own name unless stated.

    Raises:
        Refused: when the sidecar cannot be used.
    """
    fields: dict[str, Any] = {}
    for layer in layers:
        fields.update({name: value for name, value in layer.items() if value not in ("", (), None)})
    if sidecar is not None:
        try:
            stated = sidecar.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Refused(f"{path}.meta.yml: not UTF-8. Save it as UTF-8.") from error
        fields.update(parse_metadata(stated.removeprefix("---\n"), place=f"{path}.meta.yml"))
    fields.setdefault("source", path.rsplit("/", 1)[-1])
    return Metadata(**{"title": "", **fields})
