"""No word that a person reads stands in the pages' code: looked for in the code, and on pages drawn without any words."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from litsearch.claims.register import Register
from litsearch.settings import ROOT
from litsearch.ui import strings
from litsearch.ui.strings import Strings, catalogue, languages
from tests.test_claims_ui import COPY, REASON, Start, _nothing_shared, button, checked, decided, start

__all__ = ["_nothing_shared", "start"]

UI = ROOT / "litsearch" / "ui"

# ------------------------------------------------------------------------------------------------------- in the code

# Example questions are put to the library and stay in its language; the little words tell languages apart; elements and
# their attributes are made of names.
NOT_WORDS_OF_PAGES = ("examples.py", "language.py", "markup.py")
# What draws its arguments, and the arguments by name that are read or heard.
DRAWS = ("tag", "join", "text", "section", "notice", "problem_note", "table", "link", "inner_link")
READ = ("title", "aria_label", "label", "alt", "text", "help", "placeholder")
# A report's title stands in the export, which is a record and English. Styles are no words.
RECORDS_AND_STYLES = ("report_of_findings", "report_of_cases", "style")
PROSE = re.compile(r"[^\W\d_]{2,}[,;:]? [^\W\d_]{2,}|^\W*[A-Z][a-z]+\W*$")
WORD = re.compile(r"[^\W\d_]{2,}")


def words_in_code(code: str) -> list[str]:
    """Strings of a page's code that look like words for a person: all that it draws, and elsewhere two words in a row."""
    tree = ast.parse(code)
    left_out: set[ast.AST] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            left_out.add(node.body[0].value)  # type: ignore[attr-defined]
        elif _is_for_nobody(node):
            left_out |= set(ast.walk(node))
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and PROSE.search(node.value)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += [one for one in _drawn(node) if WORD.search(str(one.value))]
    return sorted({f"{node.lineno}: {node.value}" for node in found if node not in left_out})


def _is_for_nobody(node: ast.AST) -> bool:
    """Styles, errors of the program's own, the log, and the titles of exports."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return _name_of_target(node) in ("_SHEET", "size")
    if isinstance(node, ast.Call):
        return _called(node) in RECORDS_AND_STYLES or _called(node).startswith("log.")
    return isinstance(node, ast.Raise) or (isinstance(node, ast.keyword) and node.arg == "class_")


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return f"log.{call.func.attr}" if getattr(call.func.value, "id", "") == "log" else call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _name_of_target(node: ast.Assign | ast.AnnAssign) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return target.id if isinstance(target, ast.Name) else ""


def _drawn(call: ast.Call) -> Iterator[ast.Constant]:
    """The strings that a call draws: of elements all but the name, of Streamlit's widgets the label."""
    drawn = [keyword.value for keyword in call.keywords if keyword.arg in READ]
    if _called(call) in DRAWS:
        drawn += call.args[1:] if _called(call) == "tag" else call.args
    elif call.args and any(keyword.arg == "key" for keyword in call.keywords):
        drawn.append(call.args[0])
    for node in drawn:
        yield from _strings(node)


def _strings(node: ast.AST) -> Iterator[ast.Constant]:
    """The strings of an expression that are part of its value; those handed on to another call are that call's."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
    elif isinstance(node, ast.JoinedStr | ast.BoolOp | ast.List | ast.Tuple | ast.BinOp | ast.IfExp | ast.Starred):
        parts: Iterable[ast.AST] = [child for child in ast.iter_child_nodes(node) if child is not getattr(node, "test", None)]
        for part in parts:
            yield from _strings(part)


@pytest.mark.parametrize("name", sorted(path.name for path in UI.glob("*.py") if path.name not in NOT_WORDS_OF_PAGES))
def test_no_words_stand_in_the_code_of_a_page(name: str):
    assert words_in_code((UI / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "code",
    [
        'tag("p", "nothing")',
        'tag("p", say("a"), f"{n} of {m}" if n else x, title="as it was")',
        'tag("p", campaign or "unknown")',
        'st.button("Stop", key="stop")',
        'left.selectbox("Finding", names, key="finding")',
        'label = "Stated in the library"',
        'LABELS = {"": "All"}',
        'st.progress(0.5, text=f"{done} done")',
        'frame.show(problem_note("; ".join(f"entry {n}" for n in found) + "entry"))',
    ],
)
def test_words_in_code_are_found(code: str):
    assert words_in_code(code)


@pytest.mark.parametrize(
    "code",
    [
        '"""A module of words."""',
        'tag("p", say("a.key"), class_="panel failed", role="alert")',
        'st.button(say("a.key"), key="stop_it", type="primary")',
        'raise ValueError("no such thing")',
        'log.error("a page failed")',
    ],
)
def test_what_nobody_reads_on_a_page_is_left_alone(code: str):
    assert words_in_code(code) == []


# ---------------------------------------------------------------------------------------- on pages without any words


@pytest.fixture
def wordless(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A language whose every text is a mark and its values: any other word on a page does not come from the catalogue."""
    folder = tmp_path_factory.mktemp("languages")
    for language in languages():
        name = f"strings.{language}.yml"
        (folder / name).write_text((UI / name).read_text(encoding="utf-8"), encoding="utf-8")
    english = catalogue("en")
    # Each with a number of its own: the test's browser tells options of a list apart by what they say.
    texts = {
        key: " ".join([f"¤{number}", *(f"{{{field}}}" for field in _fields(words))])
        for number, (key, words) in enumerate(english.items())
    }
    kept = {key: words for key, words in english.items() if key.startswith("number.") or key == "date.field"}
    texts |= {**kept, "months": "|".join("¤" * 12)}
    (folder / "strings.qq.yml").write_text(yaml.safe_dump(texts, allow_unicode=True), encoding="utf-8")
    monkeypatch.setattr(strings, "_HERE", folder)
    languages.cache_clear()
    catalogue.cache_clear()
    yield "qq"
    monkeypatch.undo()
    languages.cache_clear()
    catalogue.cache_clear()


def _fields(words: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(words) if name]


class _Reading(HTMLParser):
    """What is read or heard of markup, but for what it says is in the library's language."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        stated = dict(attrs)
        foreign = stated.get("lang") == "en" or tag in ("style", "script") or (bool(self._open) and self._open[-1])
        if tag not in ("br", "hr"):
            self._open.append(foreign)
        if not foreign:
            self.said += [stated[name] or "" for name in ("title", "aria-label", "data-label") if name in stated]

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open or not self._open[-1]:
            self.said.append(data)


def said_by(page: AppTest) -> list[str]:
    """All that a page says in its own words: its markup, and the labels, options, hints and messages of its widgets."""
    assert not page.exception
    said: list[str] = []
    for element in _elements(page.main):
        proto: Any = element.proto
        if element.type == "html":
            reading = _Reading()
            reading.feed(proto.body)
            said += reading.said
            continue
        stated = {field.name: value for field, value in proto.ListFields()} if hasattr(proto, "ListFields") else {}
        for name in ("label", "help", "placeholder", "body", "text"):
            said.append(str(stated.get(name, "")))
        said += [str(option) for option in stated.get("options", ())]
    return [words for words in said if words.strip()]


def _elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        yield child
        if hasattr(child, "children"):
            yield from _elements(child)


def words_left(page: AppTest, data: Iterable[str]) -> set[str]:
    """The words of a page once the data that it shows are taken out."""
    left = "\n".join(said_by(page)).replace("\\", "")
    for known in sorted((" ".join(one.split()) for one in data), key=len, reverse=True):
        left = left.replace(known, " ") if known else left
    return set(re.findall(r"[^\W\d_]{2,}", left))


def test_every_word_of_the_claims_and_register_pages_comes_from_the_catalogue(start: Start, wordless: str, tmp_path: Path):
    """Drawn in a language without words, the pages still show the copy, the citations and what a person typed; nothing else."""
    page = checked(start, lang=wordless)
    findings = page.session_state["claims_run"].state.findings
    citations = [evidence.metadata.citation() for finding in findings for evidence in finding.evidence]
    data = [
        *(part.strip() for finding in findings for part in (finding.claim.text, finding.claim.text.rstrip("."))),
        *(str(citation[field]) for citation in citations for field in ("title", "by")),
        *(flag.text for finding in findings for flag in finding.flags),
        *(finding.generation for finding in findings),
        COPY, "Spring", REASON, "R. Reader", "Manager",
    ]  # fmt: skip
    assert len(citations) > 4
    assert words_left(page, data) == set()
    refused = button(page, "claims_1_send")
    assert refused.error and words_left(refused, data) == set()
    decided(refused)
    held = Register(f"sqlite:///{tmp_path / 'register.sqlite'}")
    (case,) = held.cases()
    assert case.decision is not None
    changes = [
        {"what": "passage dropped", "title": "", "path": "¤", "before": "It was so.", "after": ""},
        {"what": "finding changed", "title": "", "path": "", "before": "stated", "after": "conflicts"},
    ]
    held.request_review(case.decision.entry_id, generation="g2", changes=changes)
    head = held.head()[1]
    held.close()
    register = button(start("register", lang=wordless), "register_verify")
    assert Strings(wordless)("register.shown", n=1, of=1) in said_by(register) and len(said_by(register)) > 50
    assert words_left(register, [*data, head, case.check.body["generation"]]) == set()


def test_a_page_in_english_is_seen_to_have_words(start: Start):
    """The same look at a page with words finds them."""
    assert {"Check", "marketing", "copy", "Campaign"} <= words_left(start(), [])
    assert Strings()("claims.lead").split()[0] in words_left(start(), [])
