"""The practice's glossary: everyday words found in a question, and mistakes in the file named with their fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.errors import SettingsError
from litsearch.glossary import Entry, Glossary, expansions_of, load_glossary
from litsearch.settings import ROOT

STRIAE = Entry("striae", says=("stretch marks", "tiger stripes"), broader=("scars",))
SCAR = Entry("scar", says=("mark",))
ISOTRETINOIN = Entry("isotretinoin", says=("Accutane", "Roaccutane"), broader=("retinoid",), kind="drug")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "glossary.yml"


def _found(glossary: Glossary, question: str) -> list[str]:
    return [match.entry.term for match in glossary.find(question)]


def test_case_accents_and_word_endings_do_not_matter() -> None:
    glossary = Glossary([STRIAE, Entry("décolletage", says=("cleavage",))])
    assert _found(glossary, "Will my STRETCH MARK fade on the DECOLLETAGE?") == ["striae", "décolletage"]


def test_the_longest_phrase_wins() -> None:
    """ "stretch marks" is striae, not striae and a scar besides."""
    assert _found(Glossary([STRIAE, SCAR]), "stretch marks") == ["striae"]
    assert _found(Glossary([STRIAE, SCAR]), "a mark") == ["scar"]


def test_whole_words_only() -> None:
    assert _found(Glossary([SCAR, Entry("PRP")]), "scarcely PRPs1 remarkable") == []


def test_an_entry_found_twice_counts_once() -> None:
    assert _found(Glossary([STRIAE]), "striae, stretch marks, tiger stripes") == ["striae"]


def test_a_phrase_shared_by_two_entries_finds_both() -> None:
    assert sorted(_found(Glossary([Entry("acne", says=("spots",)), Entry("melasma", says=("spots",))]), "spots")) == [
        "acne",
        "melasma",
    ]


def test_nothing_asked_or_nothing_known_finds_nothing() -> None:
    assert Glossary().find("stretch marks") == Glossary([STRIAE]).find("") == []
    assert expansions_of([]) == ()


def test_a_search_is_widened_by_the_term_and_its_broader_words_once_each() -> None:
    matches = Glossary([STRIAE, ISOTRETINOIN]).find("stretch marks after roaccutane")
    assert expansions_of(matches) == ("striae", "scars", "isotretinoin", "retinoid")
    assert [match.is_term for match in matches] == [False, False]


@given(question=st.text(max_size=80))
def test_any_question_can_be_looked_up(question: str) -> None:
    glossary = Glossary([STRIAE, SCAR, ISOTRETINOIN])
    assert len(glossary.find(question)) <= 3


# ------------------------------------------------------------------------------------------------------- the file


def test_a_missing_file_is_an_empty_glossary(file: Path) -> None:
    assert load_glossary(file).entries == ()


def test_a_file_is_read(file: Path) -> None:
    file.write_text("entries:\n- term: striae\n  says: [stretch marks, 5]\n  kind: condition\n  explain: Lines in the skin.\n")
    (entry,) = load_glossary(file).entries
    assert entry == Entry("striae", ("stretch marks", "5"), (), "condition", "Lines in the skin.")


def test_one_phrase_needs_no_brackets(file: Path) -> None:
    """Its letters are no phrases: 's' would be said for striae, and every question would find it."""
    file.write_text("entries:\n- term: striae\n  says: stretch marks\n  broader: scars\n")
    (entry,) = load_glossary(file).entries
    assert (entry.says, entry.broader) == (("stretch marks",), ("scars",))


@pytest.mark.parametrize(
    ("stated", "named"),
    [
        ("", "entries"),
        ("[]", "entries"),
        ("entries:", "entries"),
        ("entries: 5", "entries"),
        ("entries:\n- says: [a]", "number 1"),
        ("entries:\n- term: x", "'x'"),
        ("entries:\n- term: striae\n  sais: [a]", "sais"),
        ("entries:\n- term: striae\n  kind: animal", "kind"),
        ("entries:\n- striae", "number 1"),
        ("entries:\n- term: [striae", r"glossary\.yml"),
        ("entries:\n- term: striae\n  says: {stretch: marks}", "says"),
        ("entries:\n- term: striae\n  says: 5", "says"),
        ("entries:\n- term: striae\n  says: [a b]\n- term: scar\n  says: [A B]", "already said"),
        ("entries:\n- term: striae\n  explain: 2020-13-45", r"striae|glossary\.yml"),
    ],
)
def test_a_mistake_is_named_with_its_place(file: Path, stated: str, named: str) -> None:
    file.write_text(stated)
    with pytest.raises(SettingsError, match=named):
        load_glossary(file)


def test_a_file_that_is_no_text_is_named(file: Path) -> None:
    file.write_bytes(b"entries:\n- term: caf\xe9\n")
    with pytest.raises(SettingsError, match=r"glossary\.yml"):
        load_glossary(file)


def test_the_practices_own_glossary_can_be_read() -> None:
    path = ROOT / "practice" / "glossary.yml"
    if not path.exists():
        pytest.skip("the practice has written no glossary")
    assert load_glossary(path).entries
