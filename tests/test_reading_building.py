"""The builder: every block is where it says, and everything taken out of a text is counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from litsearch.reading.building import DocumentBuilder, without_invisible
from litsearch.records import Metadata

KINDS = ("heading", "paragraph", "item", "row", "caption")


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.text(max_size=40), st.sampled_from(["", "• ", "1. "])), max_size=20))
def test_every_block_is_the_text_that_was_added(pieces: list[tuple[str, str, str]]):
    """Blocks do not overlap (the document checks it), and each is its text with white space joined."""
    builder = DocumentBuilder()
    for kind, text, marker in pieces:
        builder.add(kind, text, marker=marker)  # type: ignore[arg-type]
    document = builder.document("a", "a", Metadata("T"))
    found = sorted(document.text[b.start : b.end] for b in document.blocks)
    cleaner = DocumentBuilder()
    expected = sorted(clean for _, text, _ in pieces if (clean := " ".join(cleaner.clean(text).split())))
    assert found == expected
    assert all(text == " ".join(text.split()) for text in found)


@given(st.text(alphabet="ab \n\t\x00\x07\x7f\x85\u00ad\u200b\u200d\u200e\ufeff\u0645é", max_size=40))
def test_what_is_invisible_goes_and_is_counted(text: str):
    """Letters before = letters after; the count is what went, beside line ends of other systems, which become new lines."""
    clean, repairs = without_invisible(text)
    assert not set(clean) & set("\x00\x07\x7f\u00ad\u200b\u200e\ufeff")
    assert [c for c in clean if c in "abé\u0645"] == [c for c in text if c in "abé\u0645"]
    assert len(text) - len(clean) == sum(repair.count for repair in repairs)


def test_joiners_stay_where_they_are_spelling():
    persian, family = "می\u200cخواهم", "👩\u200d👧"
    assert without_invisible(f"{persian} {family}") == (f"{persian} {family}", [])
    assert without_invisible("needl\u200ding")[0] == "needling"


def test_mojibake_is_mended_and_listed():
    builder = DocumentBuilder()
    builder.add("paragraph", "the patient\u00e2\u20ac\u2122s skin")
    assert builder.text == "the patient’s skin"
    assert [repair.what for repair in builder.repairs] == ["wrong encoding undone (ftfy)"]


def test_a_caption_never_stands_between_a_sentence_and_its_list():
    builder = DocumentBuilder()
    for kind, text in (("paragraph", "Wait if you have:"), ("caption", "a woman"), ("item", "acne"), ("paragraph", "Ask us.")):
        builder.add(kind, text)  # type: ignore[arg-type]
    assert [block.kind for block in builder.blocks] == ["paragraph", "item", "caption", "paragraph"]
