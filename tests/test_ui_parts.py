"""The parts of the pages that can be tested without a page: the catalogue, the layout, the build, the dress."""

from __future__ import annotations

import json
import re
import string
import threading
import tomllib
from pathlib import Path

import pytest
import streamlit as st

from litsearch.claims.records import (
    CHANGES,
    DECISIONS,
    FINDINGS,
    FIT_ANSWERS,
    FIT_QUESTIONS,
    NOT_CHECKED,
    STANCES,
)
from litsearch.errors import CorpusError, IndexBusy
from litsearch.passages import SplitRules, split
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.records import Document, IngestReport
from litsearch.settings import ROOT, Settings
from litsearch.ui.arranging import pieces_of
from litsearch.ui.building import Build, BuildState
from litsearch.ui.cards import prose
from litsearch.ui.examples import CANDIDATES, Example, near, varied
from litsearch.ui.language import is_foreign
from litsearch.ui.problems import KINDS
from litsearch.ui.resources import upload_limit_mb
from litsearch.ui.strings import Strings, catalogue, languages, strings_for
from tests.conftest import ARTICLE

UI = ROOT / "litsearch" / "ui"
REPORT = IngestReport("g", 1, 2, ("a",), (), (), 0, (), (), 3, 0.1)


# ----------------------------------------------------------------------------------------------------- catalogue


def _fields(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


@pytest.mark.parametrize("language", languages())
def test_every_language_says_everything_with_the_same_values(language: str):
    english, other = catalogue("en"), catalogue(language)
    assert set(english) == set(other)
    assert {key: _fields(words) for key, words in other.items()} == {key: _fields(words) for key, words in english.items()}
    assert all(isinstance(words, str) and words for words in other.values())
    assert len(other["months"].split("|")) == 12


# Keys that the code puts together from a name: a kind of source, a column, a stage of the build ...
MADE = (
    "kind.", "urgent.", "evidence.", "problem.", "contact.", "column.", "build.", "restates.", "library.change.", "cautions.", "differing.",
    "passage.missing", "article.missing", "not_advice", "source.digest", "aspect.", "ease.", "coverage.about.",
    "number.", "decide.missing.", "export.",
)  # fmt: skip

# Keys that the code puts together from a name that records have: of these the catalogue holds every one, and no other.
OF_RECORDS: dict[str, list[str]] = {
    "error.what.": list(KINDS.values()),
    "finding.": [*FINDINGS, *(f"{name}.means" for name in FINDINGS)],
    "stance.": [*STANCES],
    "decision.": [*DECISIONS],
    "fit.": [*(name for name, _ in FIT_QUESTIONS), *FIT_ANSWERS],
    "unchecked.": [reason for reason in NOT_CHECKED if reason],
    "change.": [*CHANGES],
    "state.": ["open", "review"],
}


@pytest.mark.parametrize("family", OF_RECORDS)
def test_what_records_name_has_a_name_on_the_pages(family: str):
    held = {key.removeprefix(family) for key in catalogue("en") if key.startswith(family)}
    assert held == set(OF_RECORDS[family])


def test_no_finding_is_called_true_or_proven_in_any_language():
    """A finding says what the library holds; whether a claim is true, nobody has looked at."""
    promised = re.compile(
        r"\b(true|prove[ns]?|proven|verified|compliant|verdader|probad|demostrad|comprobad|verificad|cierto)", re.IGNORECASE
    )
    for language in languages():
        said = [words for key, words in catalogue(language).items() if key.startswith(("finding.", "stance."))]
        assert len(said) == 2 * len(FINDINGS) + len(STANCES)
        assert not [words for words in said if promised.search(words)]


def test_every_key_is_used_and_every_used_key_exists():
    code = "".join(path.read_text(encoding="utf-8") for path in UI.glob("*.py"))
    used = set(re.findall(r"(?:say|self)\(\s*\"([a-z_.]+)\"", code)) | set(re.findall(r"say\('([a-z_.]+)'\)", code))
    assert used <= set(catalogue("en")), used - set(catalogue("en"))
    assert not [key for key in catalogue("en") if key not in used and not key.startswith((*MADE, *OF_RECORDS))]


def test_an_unknown_language_is_english():
    assert strings_for("xx") == strings_for("../../etc/passwd") == strings_for("") == Strings("en")


def test_hardly_any_english_question_is_taken_for_foreign():
    paths = sorted((ROOT / "tests" / "quality").glob("questions-*.jsonl"))
    questions = [json.loads(line)["question"] for path in paths for line in path.open("rb")]
    foreign = [question for question in questions if is_foreign(question)]
    assert len(questions) > 500
    assert len(foreign) <= 0.01 * len(questions), foreign


@pytest.mark.parametrize(
    "question",
    [
        "¿Cuánto dura la recuperación?",
        "¿Cuántas sesiones necesito?",
        "¿Es seguro para la piel oscura?",
        "Combien de séances faut-il pour les cicatrices ?",
        "Wie viele Sitzungen brauche ich für die Narben?",
        "Quante sedute sono necessarie per le cicatrici?",
        "这个治疗痛吗？",
        "هل العلاج مؤلم؟",
    ],
)
def test_a_question_in_another_language_is_noticed(question: str):
    assert is_foreign(question)


# -------------------------------------------------------------------------------------------------------- layout


def _document(content: str = ARTICLE, name: str = "a.md") -> Document:
    (document,) = read_file(SourceFile(name, content.encode(), None), Limits()).documents
    return document


def test_pieces_hold_every_word_of_a_passage_in_order():
    document = _document()
    passages = split(document, SplitRules(), lambda texts: [len(text.split()) for text in texts])
    for passage in passages:
        pieces = pieces_of(document, passage.start, passage.end)
        assert all(document.text[piece.start : piece.end] == piece.text for piece in pieces)
        joined = " ".join(piece.text for piece in pieces)
        assert joined.split() == [word for word in passage.text.split() if word not in ("•", "-")]


def test_a_list_is_drawn_as_a_list_and_numbers_stay_the_sources():
    drawn = prose(_document("# A\n\nDo this:\n\n3. wash\n4. dry\n\n- and <rest>\n"), 0, 10_000)
    assert '<ol><li dir="auto" value="3">wash</li><li dir="auto" value="4">dry</li>' in drawn or "<ul>" in drawn
    assert "&lt;rest&gt;" in drawn and "<rest>" not in drawn


def test_examples_shown_first_are_of_different_subjects():
    examples = [Example(f"{s}{n}", s, 0.9 - n / 10, ()) for s in "abc" for n in range(3)]
    assert [e.question for e in varied(examples, 4)] == ["a0", "a1", "b0", "c0"]
    assert varied([], 4) == [] and near("x", [], []) == []


def test_every_candidate_example_is_a_question_of_its_own():
    questions = [question for _, several in CANDIDATES for question in several]
    assert len(set(questions)) == len(questions) >= 20
    assert all(question.endswith("?") for question in questions)


# --------------------------------------------------------------------------------------------------------- build


def test_a_build_that_is_started_twice_runs_once():
    going, runs = threading.Event(), []

    def run(settings: Settings, *, rebuild: bool, progress: object) -> IngestReport:
        runs.append(rebuild)
        assert going.wait(10)
        return REPORT

    build = Build(Settings(), run)
    assert build.start(rebuild=True)
    assert not build.start()
    going.set()
    assert build.wait(10) == BuildState("done", "preparing", 0, 0, None, REPORT)
    assert runs == [True]


def test_a_build_tells_how_far_it_is_and_why_it_failed():
    seen: list[BuildState] = []

    def run(settings: Settings, *, rebuild: bool, progress: object) -> IngestReport:
        progress("embedding", 3, 7)  # type: ignore[operator]
        seen.append(build.state)
        raise CorpusError("Put articles there.")

    build = Build(Settings(), run)
    build.start()
    assert build.wait(10).phase == "failed"
    assert str(build.state.error) == "Put articles there."
    assert (seen[0].stage, seen[0].done, seen[0].of) == ("embedding", 3, 7)


def test_a_fault_of_the_program_ends_a_build_too():
    def run(settings: Settings, *, rebuild: bool, progress: object) -> IngestReport:
        raise ZeroDivisionError

    build = Build(Settings(), run)
    build.start()
    assert build.wait(10).phase == "failed"


def test_a_build_waits_for_another_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("litsearch.ui.building._BUSY_WAIT_S", 0.01)
    answers = iter([IndexBusy("busy"), IndexBusy("busy"), REPORT])

    def run(settings: Settings, *, rebuild: bool, progress: object) -> IngestReport:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    build = Build(Settings(), run)
    build.start()
    assert build.wait(10).phase == "done"


# --------------------------------------------------------------------------------------------------------- dress


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio: (lighter + 0.05) / (darker + 0.05)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    """Black on white is 21; #767676 on white is the well-known 4.54."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def _colours(theme: int) -> dict[str, str]:
    sheet = (UI / "style.css").read_text(encoding="utf-8")
    return {name: pair[theme] for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", sheet)}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast_of_at_least_4_5_to_1_on_everything_it_stands_on(theme: int):
    colours = _colours(theme)
    grounds = ("paper", "card", "caution", "differ", "urgent")
    pairs = [(text, ground) for text in ("ink", "soft", "accent") for ground in grounds]
    pairs += [("mark-ink", "mark"), ("weak", "weak-back"), ("study", "study-back"), ("public", "public-back")]
    poor = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in pairs
        if contrast(colours[pair[0]], colours[pair[1]]) < 4.5
    }
    assert not poor


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_edges_that_carry_meaning_have_contrast_of_at_least_3_to_1(theme: int):
    colours = _colours(theme)
    pairs = [("caution-edge", "paper"), ("differ-edge", "paper"), ("urgent-edge", "paper"), ("accent", "paper")]
    assert all(contrast(colours[a], colours[b]) >= 3 for a, b in pairs)


def test_the_apps_theme_is_the_sheets():
    """Streamlit's widgets and our markup take their colours from two files; they must agree."""
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    for name, number in (("light", 0), ("dark", 1)):
        colours = _colours(number)
        assert theme[name]["backgroundColor"] == colours["paper"]
        assert theme[name]["textColor"] == colours["ink"]
        assert contrast(theme[name]["borderColor"], theme[name]["secondaryBackgroundColor"]) >= 3
        assert contrast(theme[name]["textColor"], theme[name]["secondaryBackgroundColor"]) >= 4.5


def test_no_page_promises_a_larger_file_than_it_takes():
    """The server refuses what is over its own limit, whatever the page's field allows."""
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    delivered = config["server"]["maxUploadSize"]
    before = st.get_option("server.maxUploadSize")
    st.config.set_option("server.maxUploadSize", delivered)
    try:
        assert upload_limit_mb(Settings()) == delivered < Settings().max_file_mb
        assert upload_limit_mb(Settings(max_file_mb=3)) == 3
    finally:
        st.config.set_option("server.maxUploadSize", before)
    for path in UI.glob("*.py"):
        code = path.read_text(encoding="utf-8")
        n_fields = len(re.findall(r"\.file_uploader\(", code))
        assert (
            len(re.findall(r"max_upload_size=limit_mb\b", code)) == n_fields == code.count("limit_mb = upload_limit_mb(settings)")
        )


def test_the_configuration_is_private_and_quiet():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"
    server = config["server"]
    assert server["address"] == "localhost"
    assert server["enableXsrfProtection"] is True and server["enableCORS"] is True
    assert server["fileWatcherType"] == "none"
    assert server["maxUploadSize"] <= 20


def test_nothing_of_the_dress_comes_from_another_host():
    for path in (*UI.glob("*.css"), *UI.glob("*.js"), *UI.glob("*.svg"), ROOT / ".streamlit" / "config.toml"):
        addresses = re.findall(r"https?://[^\s\"')]+", path.read_text(encoding="utf-8"))
        assert all(address.startswith("http://www.w3.org/2000/svg") for address in addresses), path


def test_html_is_made_in_one_module_alone():
    """Any other file of the pages with an element in a string would bypass the escaping."""
    for path in UI.glob("*.py"):
        if path.name == "markup.py":
            continue
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"[\"'][^\"'\n]*</?[a-z]+[ >][^\"'\n]*[\"']", code), path.name
        assert "unsafe_allow_html" not in code and 'Html("' not in code.replace('Html(" ")', ""), path.name


def test_every_widget_has_a_key():
    for path in UI.glob("*.py"):
        code = path.read_text(encoding="utf-8")
        for call in re.finditer(
            r"st\.(button|checkbox|text_input|form_submit_button|radio|selectbox|text_area|toggle|file_uploader|download_button)\(",
            code,
        ):
            depth, end = 0, call.end() - 1
            for end in range(call.end() - 1, len(code)):
                depth += {"(": 1, ")": -1}.get(code[end], 0)
                if depth == 0:
                    break
            assert "key=" in code[call.start() : end], f"{path.name}: {code[call.start() : end]}"


def test_the_files_that_the_pages_need_lie_beside_them():
    for name in ("style.css", "behaviour.js", "icon.svg", "strings.en.yml"):
        assert Path(UI / name).is_file()
