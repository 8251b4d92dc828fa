"""Kept questions: no personal detail in any usual spelling, gone after their days, and grouped for the staff."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from litsearch.errors import FeedbackError, SettingsError
from litsearch.feedback import MAX_CHARACTERS, Asked, Feedback, everyday_language, gaps, kind_of, without_personal_details
from litsearch.glossary import load_glossary
from litsearch.settings import ROOT, Settings

TODAY = date(2026, 6, 15)


@pytest.fixture(scope="module")
def known() -> frozenset[str]:
    """What the library would call its own words: those of the glossary and of the committed articles."""
    words = set(load_glossary(ROOT / "practice" / "glossary.yml").words)
    texts = (path.read_text(encoding="utf-8") for path in sorted((ROOT / "corpus").glob("*.md")))
    return frozenset(words) | everyday_language(texts)


@pytest.mark.parametrize(
    "number",
    [
        "020 7946 0018",
        "+44 20 7946 0018",
        "+442079460018",
        "(020) 7946-0018",
        "07700 900123",
        "07700900123",
        "555-0142-88",
        "+1 (212) 555-0142",
        "212.555.0142",
        "0049 30 123456",
        "06 12 34 56 78",
        "943 476 5919",
        "AB1234567",
        "MRN00012345",
    ],
)
def test_telephone_and_patient_numbers_go(number: str):
    kept = without_personal_details(f"Ring me on {number} about redness please")
    assert kept == "Ring me on [number] about redness please"


@pytest.mark.parametrize(
    "address",
    [
        "jane.doe@example.org",
        "JANE_DOE+skin@mail.example.co.uk",
        "jane (at) example.org",
        "jane@example dot org",
        "jane at example dot org",
        "o'neil-7@example.com",
    ],
)
def test_e_mail_addresses_go(address: str):
    kept = without_personal_details(f"Write to {address} please, does it hurt?")
    assert kept == "Write to [e-mail] please, does it hurt?"


@pytest.mark.parametrize(
    "day",
    [
        "12/03/1985",
        "12.3.85",
        "1985-03-12",
        "12-03-1985",
        "3/12/2024",
        "12 March 1985",
        "12th of March 1985",
        "the 12th of March",
        "March 12, 1985",
        "Mar 12th",
        "12 mar '85",
        "12-Mar-1985",
        "march 1985",
        "1985",
    ],
)
def test_dates_go(day: str):
    kept = without_personal_details(f"I was treated on {day} and it is red")
    assert "[date]" in kept
    assert not any(character.isdigit() for character in kept)
    assert "mar" not in kept.casefold().replace("[date]", "")


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("My name is Jane Doe and I have acne", "Jane Doe"),
        ("my name is jane doe and i have acne", "jane doe"),
        ("I'm Priya, is it safe for me?", "Priya"),
        ("Hi, I am Jean-Luc O'Neill. Does it hurt?", "Jean-Luc O'Neill"),
        ("im Siobhan and want to know about scars", "Siobhan"),
        ("Can Dr Nowak do my stretch marks?", "Nowak"),
        ("can dr. nowak do my stretch marks", "nowak"),
        ("Mrs Okafor-Brown said it was safe", "Okafor-Brown"),
        ("nurse Kelly told me to wait", "Kelly"),
        ("Is it safe? Thanks, Anna", "Anna"),
        ("is it safe for scars, regards anna kowalska", "anna kowalska"),
        ("My husband Tomasz had it, is redness normal?", "Tomasz"),
        ("Yesterday Grace Mbeki did my face, is it normal?", "Grace Mbeki"),
        ("Anna Kowalska here, does it hurt?", "Anna Kowalska"),
        ("I saw Łukasz Żak at the clinic", "Łukasz Żak"),
        ("ask @jane_doe91 about it", "jane_doe91"),
        ("I live in Bramley and want needling", "Bramley"),
    ],
)
def test_names_go(question: str, name: str, known: frozenset[str]):
    kept = without_personal_details(question, known)
    assert "[name]" in kept
    for part in name.replace("-", " ").split():
        assert part.casefold() not in kept.casefold().split(), kept


@pytest.mark.parametrize(
    "place", ["SW1A 1AA", "m1 1ae", "12 Garden Street", "221b Baker St", "https://example.org/me?x=1", "www.example.org/jane"]
)
def test_addresses_go(place: str):
    kept = without_personal_details(f"I live at {place} so can you come?")
    assert ("[address]" in kept) or ("[link]" in kept)
    assert not any(part in kept for part in place.split())


@pytest.mark.parametrize(
    "question",
    [
        "How many sessions do I need for acne scars?",
        "Is a depth of 1.5 mm enough, or 0.5-2.5 mm?",
        "Can I have Botox and Juvederm 2 weeks before?",
        "What does the FDA say about it?",
        "I'm pregnant, can I have it?",
        "I am allergic to lidocaine. Is numbing cream used?",
        "Is Morpheus8 better than CO2 laser for Fitzpatrick VI skin?",
        "After 3 to 6 sessions, 4 weeks apart, is 50 % better usual?",
        "Does it help PIH?",
        "May I wear make-up on the day?",
    ],
)
def test_what_is_no_personal_detail_stays_word_for_word(question: str, known: frozenset[str]):
    assert without_personal_details(question, known) == question


def test_ordinary_questions_lose_capitals_alone(known: frozenset[str]):
    """Brands and places may go with the names; of words in lower case at most 1 question in 100 loses one."""
    paths = sorted((ROOT / "tests" / "quality").glob("questions-*.jsonl"))
    questions = list(dict.fromkeys(json.loads(line)["question"] for path in paths for line in path.open("rb")))
    damaged = []
    for question in questions:
        kept = set(re.findall(r"[a-z']+", without_personal_details(question[:250], known)))
        lost = [
            word for word in re.findall(r"(?<![\w’'-])[a-z']+(?![\w’'-])", question[:250].replace("’", "'")) if word not in kept
        ]
        if lost and "http" not in question:
            damaged.append((question, lost))
    assert len(questions) > 500
    assert len(damaged) <= 0.01 * len(questions), damaged


def test_a_name_that_the_articles_hold_only_as_a_name_is_no_word_of_the_language():
    words = everyday_language(["Alster wrote it. The needles of Alster were short. Platelet-rich plasma."])
    assert {"needles", "plasma", "short"} <= words
    assert not words & {"alster"}


@given(some.text(max_size=500))
def test_any_text_is_stripped_without_failing_and_twice_is_as_once(question: str):
    once = without_personal_details(question)
    assert len(once) <= MAX_CHARACTERS
    assert not [run for run in once.split() if run.isascii() and run.isdigit() and len(run) >= 5]


# ------------------------------------------------------------------------------------------------------ the storage


def kept(tmp_path: Path, days: int = 30, today: date = TODAY) -> Feedback:
    return Feedback(tmp_path / "questions.sqlite", days=days, today=lambda: today)


def test_nothing_is_kept_by_default(tmp_path: Path):
    assert Settings().keep_questions_days == 0
    feedback = kept(tmp_path, days=0)
    feedback.keep("Does it hurt?", outcome="nothing")
    assert not feedback.on and feedback.asked() == [] and list(tmp_path.iterdir()) == []


def test_a_negative_number_of_days_is_refused():
    with pytest.raises(SettingsError, match="keep_questions_days"):
        Settings(keep_questions_days=-1)


def test_what_is_kept_is_the_day_the_stripped_question_and_what_came_of_it(tmp_path: Path):
    kept(tmp_path).keep("I'm Priya, does it hurt?", outcome="related", helped="no", nearest="On pain")
    assert kept(tmp_path).asked() == [Asked("2026-06-15", "I'm [name], does it hurt?", "related", "no", "On pain")]
    assert b"Priya" not in (tmp_path / "questions.sqlite").read_bytes()


def test_a_question_goes_when_its_days_are_over(tmp_path: Path):
    """Kept on day 0 for 30 days: there on day 29, gone on day 30, also from the file."""
    kept(tmp_path).keep("Does an unusual zebra hurt?", outcome="nothing")
    assert len(kept(tmp_path, today=TODAY + timedelta(days=29)).asked()) == 1
    assert kept(tmp_path, today=TODAY + timedelta(days=30)).asked() == []
    assert b"zebra" not in (tmp_path / "questions.sqlite").read_bytes()


def test_what_was_kept_goes_also_once_keeping_is_switched_off(tmp_path: Path):
    kept(tmp_path).keep("Does it hurt?", outcome="nothing")
    assert kept(tmp_path, days=0).asked() == []


def test_forgetting_needs_nobody_to_look_and_says_how_many_went(tmp_path: Path):
    """Two on day 0 and one on day 20, kept for 30 days: on day 30 two go, also once keeping is off the third."""
    assert kept(tmp_path).forget() == 0 and list(tmp_path.iterdir()) == []
    for _ in range(2):
        kept(tmp_path).keep("Does an unusual zebra hurt?", outcome="nothing")
    kept(tmp_path, today=TODAY + timedelta(days=20)).keep("Does it hurt?", outcome="nothing")
    later = TODAY + timedelta(days=30)
    assert kept(tmp_path, today=later).forget() == 2
    assert b"zebra" not in (tmp_path / "questions.sqlite").read_bytes()
    assert kept(tmp_path, today=later).forget() == 0
    assert kept(tmp_path, days=0, today=later).forget() == 1


def test_a_kept_question_takes_the_old_ones_with_it(tmp_path: Path):
    kept(tmp_path).keep("Does an unusual zebra hurt?", outcome="nothing")
    kept(tmp_path, today=TODAY + timedelta(days=30)).keep("Does it hurt?", outcome="nothing")
    with sqlite3.connect(tmp_path / "questions.sqlite") as database:
        assert database.execute("SELECT question FROM asked").fetchall() == [("Does it hurt?",)]


def test_delete_all_leaves_no_word_in_the_file(tmp_path: Path):
    feedback = kept(tmp_path)
    for number in range(20):
        feedback.keep(f"Does an unusual zebra hurt {number} times?", outcome="nothing")
    assert feedback.delete_all() == 20
    assert feedback.asked() == [] and feedback.delete_all() == 0
    assert b"zebra" not in (tmp_path / "questions.sqlite").read_bytes()


def test_a_file_that_is_no_database_is_named_with_its_remedy(tmp_path: Path):
    (tmp_path / "questions.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(FeedbackError, match=r"questions\.sqlite.*keep_questions_days"):
        kept(tmp_path).keep("Does it hurt?", outcome="nothing")


def test_the_table_holds_nothing_else(tmp_path: Path):
    kept(tmp_path).keep("Does it hurt?", outcome="nothing")
    with sqlite3.connect(tmp_path / "questions.sqlite") as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(asked)")]
    assert columns == ["number", "day", "question", "outcome", "helped", "nearest"]


# --------------------------------------------------------------------------------------------------------- coverage


def test_questions_are_grouped_by_what_they_are_after_and_the_nearest_article_the_most_unanswered_first():
    asked = [
        Asked("2026-06-15", "What are the side effects?", "nothing", "", "On risks"),
        Asked("2026-06-15", "what are the SIDE EFFECTS", "related", "", "On risks"),
        Asked("2026-06-14", "Is it dangerous?", "answered", "no", "On risks"),
        Asked("2026-06-14", "Zebra?", "nothing", "", ""),
        Asked("2026-06-14", "Does it work?", "answered", "yes", "On scars"),
    ]
    first, second, third = gaps(asked)
    assert (first.about, first.nearest, first.n_unanswered, first.n_answered, first.n_not_helped) == ("harm", "On risks", 2, 1, 1)
    assert [count for _, count in first.questions] == [2, 1]
    assert (second.about, second.questions) == ("other", (("Zebra?", 1),))
    assert (third.about, third.n_helped, third.n_unanswered) == ("does it work", 1, 0)
    assert gaps([]) == []
    assert kind_of("Who should not have it?") == "who should not"
