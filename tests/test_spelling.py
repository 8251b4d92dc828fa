"""Misspelt words are mended by the corpus's own words; what the corpus or the dictionary knows is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.index import Index
from litsearch.settings import Settings
from litsearch.spelling import Speller, english_words


@pytest.fixture(scope="module")
def speller(committed_index: Settings) -> Speller:
    generation = Index(committed_index.index).open()
    return Speller(generation.word_counts)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("microneedeling", "microneedling"),
        ("micronedling", "microneedling"),
        ("keloyds", "keloids"),
        ("isotretinoine", "isotretinoin"),
        ("hyperpigmentaton", "hyperpigmentation"),
        ("collegen", "collagen"),
        ("numming", "numbing"),
    ],
)
def test_a_misspelt_word_of_the_field_is_mended(speller: Speller, typed: str, meant: str) -> None:
    text, corrections = speller.mend(f"What about {typed}?")
    (pair,) = corrections
    assert pair[0] == typed
    assert pair[1].rstrip("s")[:8] == meant.rstrip("s")[:8]
    assert text == f"What about {pair[1]}?"


@pytest.mark.parametrize(
    "question",
    [
        "Who should not have microneedling?",
        "Is it safe while breastfeeding or pregnant?",
        "Will it hurt, and for how long is the skin red?",
        "How much does a session cost in euros?",
        "Can I wear makeup and go to the gym afterwards?",
        "I don't know whether it doesn't, isn't, can't, won't, wouldn't, shouldn't, hasn't, didn't or aren't",
        "I dont know whether it doesnt, isnt, cant, wont, wouldnt, shouldnt, hasnt, didnt or arent, youre, theyve",
        "Who shouldn’t have it, and why mustn’t they?",
        "What's the dermatologist's advice? I've, I'm, you're, they'll, it's, let's",
        "CO2 PRP RF A6S SPF50 1550nm 1.5mm 10% b12 3D",
        "Pizza Manchester Elizabeth football",
    ],
)
def test_words_that_exist_are_left_alone(speller: Speller, question: str) -> None:
    """A word changed without need asks another question than the patient did."""
    assert speller.mend(question) == (question, ())


def test_nothing_known_mends_nothing() -> None:
    assert Speller({}).mend("Wat is microneedeling?") == ("Wat is microneedeling?", ())


def test_an_empty_question_stays_empty(speller: Speller) -> None:
    assert speller.mend("") == ("", ())


def test_the_nearest_word_wins_then_the_commoner_then_the_first_by_alphabet() -> None:
    """keloib: keloid and keloim are one letter away; the commoner one is meant; equally common, the alphabet decides."""
    assert Speller({"keloid": 1, "keloim": 9}).mend("keloib")[0] == "keloim"
    assert Speller({"keloid": 5, "keloim": 5}).mend("keloib")[0] == "keloid"
    assert Speller({"keloid": 1, "kaloimo": 99}).mend("keloidd")[0] == "keloid"


def test_a_glossary_word_is_known_too() -> None:
    assert Speller({}, also=["tranexamic"]).mend("tranexamick acid")[0] == "tranexamic acid"


def test_everything_but_the_words_stays_as_typed(speller: Speller) -> None:
    assert speller.mend("  <b>keloyds</b>,\tcollegen!?\n$5")[0].startswith("  <b>kelo")
    assert speller.mend("  <b>keloyds</b>,\tcollegen!?\n$5")[0].endswith("</b>,\tcollagen!?\n$5")


def test_the_dictionary_is_there() -> None:
    assert {"laser", "skin", "treatment"} <= english_words()
    assert len(english_words()) > 80_000


@given(question=st.text(max_size=60))
def test_any_text_comes_back_with_its_corrections_and_a_mended_text_is_stable(speller: Speller, question: str) -> None:
    mended, corrections = speller.mend(question)
    assert (mended == question) == (not corrections)
    assert speller.mend(mended)[0] == mended
