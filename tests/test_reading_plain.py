"""Articles as they come: accidents mended and told, headings and lists seen for what they are, front matter checked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litsearch.errors import Refused
from litsearch.index import Index
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.reading.metadata import parse_metadata, split_front_matter
from litsearch.reading.repairs import decode, glued_caption, mend_encoding
from litsearch.records import Document, Passage
from litsearch.settings import Settings


def _read(content: str | bytes, name: str = "a.txt", sidecar: str | None = None) -> Document:
    encoded = content.encode() if isinstance(content, str) else content
    (document,) = read_file(SourceFile(name, encoded, sidecar.encode() if sidecar is not None else None), Limits()).documents
    return document


def _blocks(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


# ------------------------------------------------------------------------------------------------------ accidents


def test_utf_8_read_as_a_dos_code_page_is_mended_and_told() -> None:
    document = _read("The face, neck, d├ęcolletage, and hands are treated.")
    assert document.text == "The face, neck, décolletage, and hands are treated."
    (repair,) = document.repairs
    assert (repair.what, repair.count, repair.example) == ("UTF-8 had been read as cp852", 1, "├ę -> é")


@pytest.mark.parametrize("page", ["cp852", "cp850", "cp437", "cp1252", "latin-1"])
@pytest.mark.parametrize("word", ["décolletage", "naïve", "über", "crème"])
def test_words_read_with_the_wrong_code_page_come_back(page: str, word: str) -> None:
    try:
        accident = word.encode().decode(page)
    except UnicodeDecodeError:
        pytest.skip(f"{page} has no letter for a byte of {word}")
    mended, repairs = mend_encoding(f"Their {accident} was treated.")
    assert mended == f"Their {word} was treated."
    assert repairs


@pytest.mark.parametrize("page", ["cp850", "cp437", "cp1252"])
@pytest.mark.parametrize("sign", ["’", "–", "•"])
def test_signs_read_with_the_wrong_code_page_come_back(page: str, sign: str) -> None:
    """Three bytes each; the first shows as Ô, as Γ or as â."""
    mended, repairs = mend_encoding(f"It doesn{sign.encode().decode(page)}t hurt.")
    assert mended == f"It doesn{sign}t hurt." and repairs


def test_a_letter_of_which_the_accident_lost_a_byte_is_shown_as_lost_and_the_others_come_back() -> None:
    """The last byte of the closing mark means nothing in code page 1252, so some program wrote a question mark in its place."""
    mended, repairs = mend_encoding("the so-called â€œplumpingâ€\ufffd of dÃ©colletÃ© skin")
    assert mended == "the so-called “plumping\ufffd of décolleté skin"
    assert [repair.what for repair in repairs] == ["wrong encoding undone (ftfy)"]


@pytest.mark.parametrize(
    "text",
    [
        "Plain words.",
        "décolletage, naïve, Ångström, Łódź, Şişli, Việt, ½ µm ± 0.5 °C",
        "“Quotes” – dashes — ellipsis… don’t",
        "皮膚 кожа δέρμα جلد",
        "A ─── rule, a │ bar and a ┌─┬─┐ frame",
        "ﬁne ligatures stay, full-width ＡＢＣ stays",
        "<b>&amp; &lt;tags&gt; stay</b>",
        "Ôôô, and Γενικά για το δέρμα",
    ],
)
def test_text_that_is_right_is_left_alone(text: str) -> None:
    """Verbatim is the promise: only accidents are mended."""
    assert mend_encoding(text) == (text, [])


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_invisible_characters_are_removed_and_told(name: str) -> None:
    """A soft hyphen or a zero-width space within a word would hide the word from the search."""
    document = _read("The micro\u00adneedling\u200b lasts\ufeff an hour.\x07 \u200eIt is safe.", name)
    assert document.text == "The microneedling lasts an hour. It is safe."
    assert [(repair.what, repair.count) for repair in document.repairs] == [
        ("control characters removed", 1), ("soft hyphens removed", 1), ("zero-width characters removed", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_a_file_of_invisible_characters_alone_holds_no_text(name: str) -> None:
    with pytest.raises(Refused, match="holds no text"):
        _read("\u200b\u200b \u00ad\n\n\ufeff\u200b", name)


def test_joiners_that_spell_a_word_stay() -> None:
    text = "नमस्\u200dते is a greeting."
    assert _read(text).text == text


def test_every_line_is_mended_for_itself() -> None:
    document = _read("One dÃ©colletage here.\n\nTwo “quotes” there.\n\nThree naÃ¯ve ones.")
    assert document.text == "One décolletage here.\n\nTwo “quotes” there.\n\nThree naïve ones."
    assert sum(repair.count for repair in document.repairs) == 2


def test_an_images_description_is_parted_from_the_sentence_it_runs_into() -> None:
    document = _read("How it works\n\na smiling woman with long hairNeedling is a brief procedure. Needling takes an hour.")
    assert _blocks(document) == [
        ("heading", "How it works"),
        ("caption", "a smiling woman with long hair"),
        ("paragraph", "Needling is a brief procedure. Needling takes an hour."),
    ]
    (repair,) = document.repairs
    assert repair.what.startswith("image description parted")
    assert "hair|Needling" in repair.example


@pytest.mark.parametrize(
    "text",
    [
        "The SkinPen and the DermaRoller are devices. The Pen and the Roller differ.",
        "It is brief. It uses a microNeedling pen. Needling is brief.",
        "Use of YouTube or iPhone is fine. Tube and Phone are words.",
        "A pH of 5 is fine. McDonald was there. Donald too.",
    ],
)
def test_names_with_a_capital_inside_are_no_accident(text: str) -> None:
    assert glued_caption(text, text) is None


# -------------------------------------------------------------------------------------------------------- decoding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_a_text_is_read_in_the_encodings_that_editors_save(encoding: str) -> None:
    text = "The décolletage is treated. Crème brûlée is not a treatment, naïve as it may be to say so.\n" * 3
    found, repairs = decode(text.encode(encoding))
    assert found == text
    assert bool(repairs) == (encoding not in ("utf-8", "utf-8-sig"))


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_are_read(ends: str) -> None:
    assert _blocks(_read(f"Redness{ends}{ends}The skin is red for two days.{ends}")) == [
        ("heading", "Redness"),
        ("paragraph", "The skin is red for two days."),
    ]


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 8, b"\x00" * 100, b"%PDF-1.7 broken", b"PK\x03\x04" + bytes(60), b"", b" \n\t "]
)
def test_what_is_no_text_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(Refused) as caught:
        _read(content)
    assert len(str(caught.value)) > 10


@settings(max_examples=150)
@given(content=st.binary(max_size=200), name=st.sampled_from(["a.txt", "a.md", "a"]))
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    try:
        document = _read(content, name)
    except Refused:
        return
    assert all(document.text[block.start : block.end].strip() for block in document.blocks)
    document.text.encode()


# ----------------------------------------------------------------------------------------------- headings and lists


def test_a_plain_texts_shape_is_seen() -> None:
    text = (
        "What is it?\n\nA brief procedure with tiny needles that make small wounds.\n\n1. Reduces scars\n\nAfter several sessions the scars of most people in the studies looked flatter than before.\n\n"
        "There are many benefits including\n\n  • Texture: smoother.\n  • Pores: smaller.\n\nTry it today\n"
    )
    assert _blocks(_read(text)) == [
        ("heading", "What is it?"),
        ("paragraph", "A brief procedure with tiny needles that make small wounds."),
        ("heading", "1. Reduces scars"),
        ("paragraph", "After several sessions the scars of most people in the studies looked flatter than before."),
        ("paragraph", "There are many benefits including"),
        ("item", "Texture: smoother."),
        ("item", "Pores: smaller."),
        ("heading", "Try it today"),
    ]


def test_the_text_of_a_plain_file_stays_to_the_letter() -> None:
    text = "Heading\n\n  Odd   spacing,\ttabs, “quotes” and $5 <b>stay</b>. *Stars* too.\n\n\n\nEnd of it, with a full stop."
    assert _read(text).text == text


def test_markdowns_markup_goes_and_its_words_stay() -> None:
    text = (
        "# Title\n\nA **bold** and *slanted* [link](https://example.org) with `code` & <b>tags</b>.\n\n![alt words](x.png)\n\n"
        "- one\n- two\n\n3. three\n4. four\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n"
    )
    assert _blocks(_read(text, "a.md")) == [
        ("heading", "Title"),
        ("paragraph", "A bold and slanted link with code & <b>tags</b>."),
        ("item", "one"),
        ("item", "two"),
        ("item", "three"),
        ("item", "four"),
        ("row", "a | b"),
        ("row", "1 | 2"),
        ("paragraph", "quoted"),
    ]


def test_a_list_in_a_list_keeps_every_item() -> None:
    document = _read("# T\n\nBefore:\n\n- one\n  - one a\n  - one b\n- two\n\n  more of two\n", "a.md")
    assert [text for kind, text in _blocks(document) if kind != "heading"] == [
        "Before:",
        "one",
        "one a",
        "one b",
        "two",
        "more of two",
    ]


def test_a_file_nested_without_end_is_no_crash() -> None:
    for content in ("> " * 5_000 + "deep", "- " * 5_000 + "deep", "[" * 20_000 + "deep", "*" * 20_000 + "deep words"):
        try:
            document = _read("Words first.\n\n" + content, "a.md")
        except Refused:
            continue
        assert document.text.startswith("Words first.")


# ------------------------------------------------------------------------------------------------------ front matter


def test_front_matter_says_who_says_it() -> None:
    document = _read(
        "---\ntitle: 'Scars: a review'\nkind: systematic-review\nauthors: [A. One, B. Two]\nyear: 2020\ndoi: https://doi.org/10.1/x\n"
        "publisher: not stated\n---\n\nText enough.\n"
    )
    found = document.metadata
    assert (found.title, found.kind, found.authors, found.year, found.doi) == (
        "Scars: a review", "systematic-review", ("A. One", "B. Two"), 2020, "10.1/x",
    )  # fmt: skip
    assert (found.publisher, found.source) == ("", "a.txt")
    assert document.text.strip() == "Text enough."


@pytest.mark.parametrize(
    ("stated", "named"),
    [
        ("kind: rumour", "kind"),
        ("titel: Scars", "titel"),
        ("year: 20200", "year"),
        ("year: soon", "year"),
        ("published: 1 May 2020", "published"),
        ("url: javascript:alert(1)", "url"),
        ("title: a: b", "front matter"),
        ("- a list", "front matter"),
        ("title: &a [*a]", "title"),
        ("published: 2020-13-45", "front matter"),
    ],
)
def test_a_mistake_in_the_front_matter_is_named(stated: str, named: str) -> None:
    with pytest.raises(Refused, match=named):
        _read(f"---\n{stated}\n---\n\nText enough.\n", "a.md")


def test_a_sidecar_outweighs_the_front_matter_and_the_heading_neither() -> None:
    document = _read("---\ntitle: Mine\nyear: 2020\n---\n\n# Heading\n\nText enough.\n", "a.md", "title: Theirs\n")
    assert (document.metadata.title, document.metadata.year) == ("Theirs", 2020)
    assert _read("# Heading\n\nText enough.\n", "a.md").metadata.title == "Heading"
    assert _read("Text enough, and no heading at all stands above this text.\n").metadata.title == ""


def test_a_rule_further_down_is_no_front_matter() -> None:
    assert split_front_matter("Text.\n---\ntitle: x\n---\n") == ("", "Text.\n---\ntitle: x\n---\n")
    assert parse_metadata("", place="a") == {}


# ---------------------------------------------------------------------------------------------------- the originals


@pytest.fixture(scope="module")
def originals(originals_index: Settings) -> dict[str, tuple[Document, list[Passage]]]:
    """Each original by the number that its name starts with."""
    catalogue = Index(originals_index.index).open().catalogue
    return {d.path[:3]: (d, list(catalogue.passages(d.document_id))) for d in catalogue.documents()}


def test_the_originals_encoding_accident_is_mended_and_told(originals: dict[str, tuple[Document, list[Passage]]]) -> None:
    document, passages = originals["001"]
    assert any("décolletage, and hands" in passage.text for passage in passages)
    assert "├" not in document.text
    assert [(repair.what, repair.count) for repair in document.repairs] == [("UTF-8 had been read as cp852", 1)]


def test_the_originals_glued_description_is_parted_and_not_quoted(originals: dict[str, tuple[Document, list[Passage]]]) -> None:
    document, passages = originals["003"]
    assert ("caption", "35 year old blonde woman with clean fresh face and hands with long hair") in _blocks(document)
    assert any(passage.text.startswith("Microneedling is a safe and straightforward procedure") for passage in passages)
    assert not any("blonde" in passage.text for passage in passages)
    assert any("parted" in repair.what for repair in document.repairs)


def test_the_originals_orphan_heading_gives_no_passage(originals: dict[str, tuple[Document, list[Passage]]]) -> None:
    document, passages = originals["003"]
    assert _blocks(document)[-1] == ("heading", "Try It Today")
    assert not any("Try It Today" in passage.text for passage in passages)


def test_the_originals_list_of_cautions_stands_with_its_lead_in(originals: dict[str, tuple[Document, list[Passage]]]) -> None:
    _, passages = originals["002"]
    (cautions,) = [passage for passage in passages if "keloids" in passage.text]
    assert cautions.text.startswith("If you have any of the following conditions, see your doctor")
    assert cautions.text.endswith("psoriasis or eczema.")
    assert (cautions.role, cautions.section) == ("caution", "Who is a bad candidate for microneedling?")


def test_the_originals_long_items_keep_the_sentence_that_introduces_them(
    originals: dict[str, tuple[Document, list[Passage]]],
) -> None:
    for number, lead, item in (
        ("001", "There are many benefits", "Reduced Scarring"),
        ("004", "used as an anti-aging treatment", "Minimal Downtime"),
    ):
        document, passages = originals[number]
        (found,) = [passage for passage in passages if item in passage.text]
        introduced = document.text[found.lead_in.start : found.lead_in.end] if found.lead_in else found.text
        assert lead in introduced


def test_the_originals_numbered_headings_are_sections(originals: dict[str, tuple[Document, list[Passage]]]) -> None:
    _, passages = originals["000"]
    (found,) = [passage for passage in passages if "laser guns" in passage.text]
    assert found.section == "5. Microneedling is safe for all skin types"


def test_the_originals_need_no_other_mending(originals: dict[str, tuple[Document, list[Passage]]]) -> None:
    assert {number: len(document.repairs) for number, (document, _) in originals.items()} == {
        "000": 0,
        "001": 1,
        "002": 0,
        "003": 1,
        "004": 0,
    }
