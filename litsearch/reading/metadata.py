"""Who says it: front matter or a ``name.meta.yml`` beside the file, validated with errors that name the field and the fix."""

from __future__ import annotations

import difflib
import re
from datetime import date
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from litsearch.errors import Refused
from litsearch.reading.source import SourceFile
from litsearch.records import KIND_BY_NAME, NOT_STATED, Metadata

_FRONT_MATTER = re.compile(r"\A(?:---[ \t]*\n)(.*?)(?:\n---[ \t]*(?:\n|\Z))", re.DOTALL)
# How messages call what stands between the two lines of ---.
FRONT_MATTER = "the lines at its top (front matter)"
# What each field takes, for a value of the wrong sort; the others take a text.
_TAKES = {
    "year": "must be a year in digits, such as 2021",
    "authors": "must be a name or a list of names, as [Anna Example, Berta Example]",
    "author": "must be a name or a list of names, as [Anna Example, Berta Example]",
}
_TAKES_TEXT = "must be a text of one line"


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


def parse_metadata(stated: str, *, place: str, first_line: int = 1) -> dict[str, Any]:
    """The fields that a YAML text states, validated; empty text gives no fields. ``first_line`` is its first line's number.

    Raises:
        Refused: naming ``place``, the field and the fix.
    """
    if not stated.strip():
        return {}
    try:
        loaded = yaml.safe_load(stated)
    except (yaml.YAMLError, RecursionError) as error:
        raise Refused(f"has a mistake in {place}: {_explain_yaml(error, stated, first_line)}.") from error
    except ValueError as error:  # 2021-02-30
        raise Refused(
            f"has a mistake in {place}: a date or number there is impossible. Write dates as 2021, 2021-09 or 2021-09-21."
        ) from error
    if not isinstance(loaded, dict):
        raise Refused(
            f"has a mistake in {place}: write lines such as 'title: How skin heals' there, each a field and what it says."
        )
    loaded = {str(key): value for key, value in loaded.items()}
    try:
        fields = _Stated.model_validate(loaded)
    except ValidationError as error:
        order = {name: number for number, name in enumerate(loaded)}
        problems = sorted(error.errors(), key=lambda problem: order.get(str(problem["loc"][0]), 0))
        explained = "; ".join(dict.fromkeys(map(_explain, problems)))
        raise Refused(f"has a mistake in {place}: {explained}.") from error
    found = {name: value for name, value in fields.model_dump().items() if value not in ("", (), None)}
    if author := found.pop("author", None):
        found.setdefault("authors", author)
    if day := found.pop("date", None):
        found.setdefault("published", day)
    return found


def _explain_yaml(error: Exception, stated: str, first_line: int) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return "it cannot be understood. Write lines such as 'title: How skin heals' there, each a field and what it says"
    lines = stated.split("\n")
    at = min(mark.line, len(lines) - 1)
    if not lines[at].strip():
        # What was opened and never closed is missed at the end; the mistake stands where it was opened.
        opened = getattr(error, "context_mark", None)
        at = min(opened.line, at) if opened is not None else at
    return (
        f"line {at + first_line} cannot be understood ({_short(lines[at])})."
        " Put a text that holds a colon in quotation marks, indent with spaces and close every quotation mark and bracket"
    )


def _explain(problem: Any) -> str:
    """One mistake in words: the field, what was written, and what it must be."""
    field = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field.lower(), _Stated.model_fields, 1)
        meant = f"did you mean '{near[0]}'? " if near else ""
        return f"field '{field}' is not known ({meant}known: {', '.join(_Stated.model_fields)})"
    if problem["type"] == "value_error":
        return f"field '{field}' {problem['msg'].removeprefix('Value error, ')}, not {_short(problem['input'])}"
    return f"field '{field}' {_TAKES.get(field, _TAKES_TEXT)}, not {_short(problem['input'])}"


def _short(value: Any) -> str:
    words = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(str(value).split()))
    return f"'{words}'" if len(words) <= 60 else f"'{words[:59]}…'"


def sidecar_fields(file: SourceFile) -> dict[str, Any]:
    """What the ``.meta.yml`` beside a file states, with or without lines of ``---`` around it; nothing without one.

    Raises:
        Refused: when it cannot be used.
    """
    if file.sidecar is None:
        return {}
    place = file.sidecar_path or f"{file.path}.meta.yml"
    try:
        stated = file.sidecar.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise Refused(f"has a mistake in {place}: it is not UTF-8. Save it as UTF-8.") from error
    opened = re.match(r"\s*---[ \t]*(?:\n|\Z)", stated)
    body = stated[opened.end() :] if opened else stated
    body = re.sub(r"(?:\A|\n)---\s*\Z", "\n", body)
    return parse_metadata(body, place=place, first_line=1 + (opened.group().count("\n") if opened else 0))


def make_metadata(file: SourceFile, *layers: dict[str, Any]) -> Metadata:
    """Metadata from layers (weakest first), the sidecar strongest; the source is the file's own name unless stated.

    Raises:
        Refused: when the sidecar cannot be used.
    """
    fields: dict[str, Any] = {}
    for layer in layers:
        fields.update({name: value for name, value in layer.items() if value not in ("", (), None)})
    fields.update(sidecar_fields(file))
    fields.setdefault("source", file.path.rsplit("/", 1)[-1])
    return Metadata(**{"title": "", **fields})
