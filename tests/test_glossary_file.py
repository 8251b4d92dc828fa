"""The practice's glossary keeps the rules that its own first lines state."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from litsearch.lexical import terms_of, words_of

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "practice" / "glossary.yml"
MEDQUAD = ROOT.parent / "shared" / "data" / "medquad" / "synonyms.jsonl.gz"
"""Public data that the sources cite; it is no part of the repository."""

KINDS = {"drug", "class", "condition", "body-area", "procedure", "device", "sign", "population", "measure", "other"}
EXPLAINED = KINDS - {"body-area"}
FIELDS = {"term", "kind", "says", "broader", "explain", "source", "shared"}
EVERYDAY = """
    spot mark line bump skin body colour color white black brown blue dark light hot cold dry wet hard soft big small
    thin thick pen roller needle cream gel oil patch mask pill tablet drop jab shot cut pick work help need want use
    take put go come get give make look feel see know think tell start stop stay keep try wait avoid good bad better
    best worse worst new old normal natural much many more most less little long short often soon quick fast slow time
    day week month year hour age first last next after before during again always never still back front down up off out
    over under side top bottom end part area place thing way problem question answer treatment doctor clinic nurse
    patient person people effect effective result change cause reason mean sure ready happy right wrong food water air
    period temperature
"""

Entry = Mapping[str, Any]


def names(entry: Entry) -> list[str]:
    return [entry["term"], *entry.get("says", [])]


def key(name: str) -> tuple[str, ...]:
    """What matching compares: the words without endings and without little words."""
    return tuple(terms_of(name)) or tuple(words_of(name))


def cycle_in(broader: Mapping[str, Sequence[str]]) -> list[str]:
    """Terms that lead back to the first of them, or nothing."""
    done: set[str] = set()

    def walk(term: str, path: list[str]) -> list[str]:
        if term in path:
            return path[path.index(term) :]
        if term in done:
            return []
        for target in broader.get(term, ()):
            if found := walk(target, [*path, term]):
                return found
        done.add(term)
        return []

    return next((found for term in broader if (found := walk(term, []))), [])


def owners(entries: Iterable[Entry]) -> dict[tuple[str, ...], list[Entry]]:
    """The entries that each name leads to."""
    owned: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        for name in {key(name) for name in names(entry)}:
            owned[name].append(entry)
    return owned


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    loaded = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert set(loaded) == {"entries"}
    return loaded["entries"]


def test_it_is_large_enough_to_be_of_use(entries: list[Entry]) -> None:
    assert len(entries) >= 300


def test_every_entry_has_its_fields_and_none_is_empty(entries: list[Entry]) -> None:
    for entry in entries:
        assert {"term", "kind", "says"} <= set(entry) <= FIELDS, entry
        for field in ("term", "kind", "explain", "source"):
            if field in entry:
                assert isinstance(entry[field], str) and entry[field].strip() == entry[field] != "", (entry["term"], field)
        for field in ("says", "broader"):
            if field in entry:
                assert isinstance(entry[field], list) and entry[field], (entry["term"], field)
                assert all(isinstance(item, str) and item.strip() == item != "" for item in entry[field]), (entry["term"], field)
        assert entry.get("shared", True) is True, entry["term"]


def test_kinds_are_known(entries: list[Entry]) -> None:
    assert {entry["kind"] for entry in entries} <= KINDS


def test_no_term_stands_twice(entries: list[Entry]) -> None:
    terms = [entry["term"].casefold() for entry in entries]
    assert sorted(terms) == sorted(set(terms))


def test_no_name_leads_to_two_entries_unless_both_say_so(entries: list[Entry]) -> None:
    twice = {
        name: [entry["term"] for entry in held]
        for name, held in owners(entries).items()
        if len(held) > 1 and not all(entry.get("shared") for entry in held)
    }
    assert not twice


def test_what_is_marked_shared_is_shared(entries: list[Entry]) -> None:
    """A mark that is left over would hide the next clash."""
    owned = owners(entries)
    left_over = [e["term"] for e in entries if e.get("shared") and all(len(owned[key(name)]) == 1 for name in names(e))]
    assert not left_over


def test_no_name_stands_twice_in_one_entry(entries: list[Entry]) -> None:
    """Endings, capitals and hyphens make no difference to matching, so such a second form only lengthens the file."""
    for entry in entries:
        keys = [key(name) for name in names(entry)]
        assert len(keys) == len(set(keys)), entry["term"]


def test_no_name_is_a_single_everyday_word(entries: list[Entry]) -> None:
    """To the matching, "my back" is "back", and would be found in "will it come back"."""
    everyday = {key(word) for word in EVERYDAY.split()}
    assert not [(e["term"], name) for e in entries for name in names(e) if key(name) in everyday]
    assert not [(e["term"], name) for e in entries for name in names(e) if not terms_of(name)]


def test_explanations_are_short_and_stand_where_readers_need_one(entries: list[Entry]) -> None:
    for entry in entries:
        assert "explain" in entry or entry["kind"] not in EXPLAINED, entry["term"]
        if "explain" in entry:
            assert len(entry["explain"].split()) <= 15, entry["term"]
            assert re.fullmatch(r"[A-Z5].*\.", entry["explain"]), entry["term"]


def test_broader_words_are_few_and_never_the_term_itself(entries: list[Entry]) -> None:
    for entry in entries:
        broader = [word.casefold() for word in entry.get("broader", [])]
        assert len(broader) == len(set(broader)) <= 3, entry["term"]
        assert entry["term"].casefold() not in broader


def test_broader_words_lead_in_no_circle(entries: list[Entry]) -> None:
    assert not cycle_in({e["term"].casefold(): [word.casefold() for word in e.get("broader", [])] for e in entries})


def test_a_circle_would_be_found() -> None:
    assert cycle_in({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c"]
    assert cycle_in({"a": ["b", "c"], "b": ["d"], "c": ["d"]}) == []


def test_entries_are_sorted_within_their_sections() -> None:
    section, terms = "", {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("  # "):
            section = line[4:]
            assert section not in terms, section
            terms[section] = []
        elif line.startswith("  - term: "):
            terms[section].append(yaml.safe_load(line[10:]).casefold())
    assert len(terms) > 10
    for section, held in terms.items():
        assert held and held == sorted(held), section


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ("Roaccutane", "isotretinoin"),
        ("Eliquis", "apixaban"),
        ("Clexane", "enoxaparin"),
        ("Humira", "adalimumab"),
        ("Tetralysal", "lymecycline"),
        ("Zovirax", "aciclovir"),
        ("EMLA", "lidocaine with prilocaine"),
        ("Betadine", "povidone-iodine"),
        ("blood thinners", "anticoagulant"),
        ("blood thinners", "antiplatelet"),
        ("Dysport", "botulinum toxin"),
        ("Juvéderm", "hyaluronic acid filler"),
        ("SkinPen", "microneedling pen"),
        ("Morpheus8", "radiofrequency microneedling"),
        ("vampire facial", "platelet-rich plasma"),
        ("collagen induction therapy", "microneedling"),
        ("Ultherapy", "focused ultrasound"),
        ("tiger stripes", "striae distensae"),
        ("crow's feet", "lateral canthal lines"),
        ("elevens", "glabellar lines"),
        ("chicken skin", "keratosis pilaris"),
        ("bingo wings", "upper arm laxity"),
        ("man boobs", "gynaecomastia"),
        ("raccoon eyes", "periorbital hyperpigmentation"),
        ("pits in my cheeks", "acne scar"),
        ("sweaty pits", "axillary hyperhidrosis"),
        ("bum", "buttocks"),
        ("edema", "oedema"),
        ("aging skin", "skin ageing"),
        ("dark skin", "skin of colour"),
        ("nursing mum", "breastfeeding"),
        ("down time", "downtime"),
    ],
)
def test_what_people_say_leads_to_the_literatures_word(entries: list[Entry], said: str, term: str) -> None:
    assert term in [entry["term"] for entry in owners(entries).get(key(said), [])]


def test_cited_concepts_carry_a_name_of_the_entry(entries: list[Entry]) -> None:
    """A UMLS number in `source` is checked against the data set that it is cited from."""
    if not MEDQUAD.is_file():
        pytest.skip("the MedQuAD synonyms are not beside this checkout")
    named: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    with gzip.open(MEDQUAD, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            for concept in row["cui"]:
                named[concept] |= {key(name) for name in (row["focus"], *row["synonyms"])}
    cited = [(entry, concept) for entry in entries for concept in re.findall(r"C\d{7}", entry.get("source", ""))]
    assert len(cited) >= 50
    for entry, concept in cited:
        assert named[concept] & {key(name) for name in names(entry)}, (entry["term"], concept)
