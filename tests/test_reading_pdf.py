"""PDFs come out in the order in which a person reads them, with page numbers, and say what was mended."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.passages import SplitRules, split
from litsearch.reading import Limits
from litsearch.reading.layout import Bit, columns_of, join_lines, lines_of
from litsearch.testing import FakeEncoder
from tests.reading_files import Words, blocks_of, make_pdf, read_one, reason, repairs_of, texts_of, wrapped

LEFT = "The first column speaks of needles and of nothing else, and it does so for many lines without an end in sight. " * 6
RIGHT = "Another column tells about recovery, redness, sun cream and the days on which a person should stay at home. " * 6


def test_two_columns_are_read_one_after_the_other_even_when_the_file_stores_their_lines_in_turns():
    left, right = wrapped(LEFT, x=50, y=700, characters=45), wrapped(RIGHT, x=320, y=700, characters=45)
    in_turns = [words for pair in zip(left, right, strict=False) for words in pair] + left[len(right) :] + right[len(left) :]
    document = read_one("columns.pdf", make_pdf([[Words(50, 760, "A title over both columns of it", 18), *in_turns]]))
    assert blocks_of(document) == [
        ("heading", "A title over both columns of it"),
        ("paragraph", LEFT.strip()),
        ("paragraph", RIGHT.strip()),
    ]


def test_columns_whose_lines_stand_at_different_heights_stay_apart():
    left, right = wrapped(LEFT, x=50, y=700, characters=45), wrapped(RIGHT, x=320, y=694, characters=45, leading=13)
    document = read_one("uneven.pdf", make_pdf([[*right, *left]]))
    assert texts_of(document, "paragraph") == [LEFT.strip(), RIGHT.strip()]


def test_a_paragraph_goes_on_in_the_next_column_and_on_the_next_page():
    """Cut after the tenth word, its halves stand at the ends of two columns, then of two pages."""
    words = LEFT.split()
    first, second = " ".join(words[:60]), " ".join(words[60:])
    columns = make_pdf([[*wrapped(first, x=50, y=700, characters=45), *wrapped(second, x=320, y=700, characters=45)]])
    assert texts_of(read_one("columns.pdf", columns), "paragraph") == [LEFT.strip()]
    pages = make_pdf([wrapped(first, x=50, y=700, characters=80), wrapped(second, x=50, y=700, characters=80)])
    document = read_one("pages.pdf", pages)
    assert texts_of(document, "paragraph") == [LEFT.strip()]
    assert document.blocks[0].page == 1


def test_every_block_knows_its_page():
    document = read_one("pages.pdf", make_pdf([[Words(50, 700, "Text of the first.")], [Words(50, 700, "Text of the second.")]]))
    assert [block.page for block in document.blocks] == [1, 2]


def test_a_word_divided_at_a_line_end_is_joined_and_recorded():
    lines = [Words(50, 700, "The needles make tiny chan-"), Words(50, 688, "nels in the skin and nothing else.")]
    document = read_one("divided.pdf", make_pdf([lines]))
    assert texts_of(document, "paragraph") == ["The needles make tiny channels in the skin and nothing else."]
    (repair,) = document.repairs
    assert (repair.what, repair.count, repair.example) == ("words divided at line ends joined", 1, "chan-nels -> channels")


def test_a_hyphen_that_belongs_to_the_word_stays():
    lines = [
        Words(50, 700, "A follow-up visit is booked. At the follow-"),
        Words(50, 688, "up visit the skin is seen by a well-"),
        Words(50, 676, "trained nurse from Stratford-"),
        Words(50, 664, "Upon and others."),
    ]
    document = read_one("hyphens.pdf", make_pdf([lines]))
    assert texts_of(document, "paragraph") == [
        "A follow-up visit is booked. At the follow-up visit the skin is seen by a well-trained nurse from Stratford-Upon and others."
    ]
    assert document.repairs == ()


def test_a_passage_of_a_pdf_knows_the_page_to_open():
    pages = [[Words(50, 700, "Text of the first page.")], [Words(50, 700, "Text of the second page.")]]
    passages = split(read_one("pages.pdf", make_pdf(pages)), SplitRules(64), FakeEncoder().count_tokens)
    assert [(passage.text, passage.page) for passage in passages] == [
        ("Text of the first page.", 1),
        ("Text of the second page.", 2),
    ]


def test_running_headers_and_page_numbers_go_and_the_title_stays():
    """The title of the first page stands again at the top of the others, in the size of the text."""
    pages = []
    for number in range(1, 5):
        size = 20 if number == 1 else 10
        pages.append(
            [
                Words(50, 800, "Needling for scars", size),
                *wrapped(f"Page {number} has a text of its own that no other page has. " * 5, x=50, y=700, characters=80),
                Words(280, 30, f"Page {number} of 4", 8),
                Words(50, 20, "Journal of Needles 12 (2020)", 8),
            ]
        )
    document = read_one("running.pdf", make_pdf(pages))
    assert document.text.count("Needling for scars") == 1
    assert "Journal of Needles" not in document.text and "of 4" not in document.text
    assert repairs_of(document) == {"running headers and footers left out": 7, "page numbers left out": 4}
    assert document.metadata.title == "Needling for scars"


def test_larger_and_bold_lines_are_headings_with_levels():
    page = [
        Words(50, 780, "Needling explained", 22),
        Words(50, 740, "Before the session", 14),
        *wrapped("Come with clean skin and without make-up on the area. " * 4, x=50, y=720, characters=80),
        Words(50, 640, "What to bring", 10, bold=True),
        *wrapped("Bring a list of all medicines that you take at present. " * 4, x=50, y=625, characters=80),
    ]
    document = read_one("headings.pdf", make_pdf([page]))
    headings = [(document.text[b.start : b.end], b.level) for b in document.blocks if b.kind == "heading"]
    assert headings == [("Needling explained", 1), ("Before the session", 2), ("What to bring", 3)]


def test_bullets_and_numbers_are_items_under_the_sentence_that_introduces_them():
    page = [
        Words(50, 700, "Please wait if you have:"),
        Words(60, 685, "• keloid scars"),
        Words(60, 670, "• an infection of the skin, for example a cold sore, or have had one in"),
        Words(69, 658, "the last two weeks"),
        Words(60, 640, "1. active acne"),
    ]
    assert blocks_of(read_one("list.pdf", make_pdf([page]))) == [
        ("paragraph", "Please wait if you have:"),
        ("item", "keloid scars"),
        ("item", "an infection of the skin, for example a cold sore, or have had one in the last two weeks"),
        ("item", "active acne"),
    ]


def test_a_table_comes_as_rows():
    cells = [("Day", "Redness", "Swelling"), ("1", "strong", "some"), ("3", "slight", "none")]
    page = [Words(50 + 120 * column, 700 - 15 * row, cell) for row, line in enumerate(cells) for column, cell in enumerate(line)]
    document = read_one("table.pdf", make_pdf([page]))
    assert texts_of(document, "row") == ["Day | Redness | Swelling", "1 | strong | some", "3 | slight | none"]


def test_a_figure_caption_is_a_caption():
    page = [*wrapped(LEFT, x=50, y=700, characters=80), Words(50, 500, "Figure 2. Skin before and after the course.", 8)]
    assert texts_of(read_one("figure.pdf", make_pdf([page])), "caption") == ["Figure 2. Skin before and after the course."]


def test_raised_reference_numbers_do_not_run_into_the_word_before_them():
    """A raised 12 after "healing" cites; the raised 2 after "cm" is a square."""
    page = [
        Words(50, 700, "Needling speeds healing"), Words(160, 705, "12", 6), Words(168, 700, "of an area of 4 cm"),
        Words(249, 705, "2", 6), Words(255, 700, "at most."),
    ]  # fmt: skip
    document = read_one("raised.pdf", make_pdf([page]))
    assert document.text == "Needling speeds healing of an area of 4 cm2 at most."
    assert repairs_of(document) == {"superscript reference numbers left out": 1}


def test_a_page_turned_sideways_reads_as_an_upright_one():
    page = wrapped(LEFT, x=50, y=700, characters=80)
    upright = read_one("upright.pdf", make_pdf([page]))
    assert read_one("turned.pdf", make_pdf([page], rotate=90)).text == upright.text


def test_the_title_is_the_files_own_only_where_the_page_bears_it_out():
    page = [Words(50, 780, "Needling in dark skin", 20), *wrapped(LEFT, x=50, y=700, characters=80)]
    junk = make_pdf([page], info={"Title": "Microsoft Word - draft3.docx", "Author": "admin"})
    assert read_one("junk.pdf", junk).metadata.title == "Needling in dark skin"
    assert read_one("junk.pdf", junk).metadata.authors == ()
    real = make_pdf([page], info={"Title": "Needling in dark skin", "Author": "A. Example; B. Example"})
    assert read_one("real.pdf", real).metadata.authors == ("A. Example", "B. Example")


def test_a_doi_on_the_page_is_cited():
    page = [Words(50, 780, "Needling in dark skin: a systematic review", 20), Words(50, 760, "https://doi.org/10.1000/needle.7")]
    document = read_one("doi.pdf", make_pdf([[*page, *wrapped(LEFT, x=50, y=700, characters=80)]]))
    assert (document.metadata.doi, document.metadata.kind) == ("10.1000/needle.7", "systematic-review")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (make_pdf([[], []], pictures=True), "page images only. Run text recognition"),
        (make_pdf([[]]), "holds no text"),
        (b"%PDF-1.7\nnothing of use", "damaged"),
        (make_pdf([[Words(50, 700, "Text.")]])[:300], "damaged"),
    ],
    ids=["scanned", "blank", "broken", "cut off"],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(content: bytes, words: str):
    assert words in reason("bad.pdf", content)


def test_pictures_among_pages_of_text_are_named():
    document = read_one("mixed.pdf", make_pdf([[Words(50, 700, "Text of the first page.")], []], pictures=True))
    assert repairs_of(document) == {"pages without text, only pictures, left out": 1}


def test_a_pdf_of_more_pages_than_the_limit_is_refused():
    content = make_pdf([[Words(50, 700, f"Page {number}.")] for number in range(4)])
    assert "4 pages, more than the limit of 3" in reason("long.pdf", content, Limits(max_pages=3))


# ----------------------------------------------------------------------------------------------------------- layout

_BITS = st.lists(
    st.builds(
        lambda text, x, top, width, size: Bit(text, x, top, x + width, top + size, size),
        st.text(alphabet="abc ", min_size=1, max_size=30).filter(lambda text: bool(text.strip())),
        st.floats(0, 500), st.floats(0, 800), st.floats(1, 300), st.floats(4, 30),
    ),
    max_size=60,
)  # fmt: skip


@given(_BITS)
def test_ordering_loses_nothing_and_adds_nothing(bits: list[Bit]):
    columns = columns_of(bits)
    assert Counter(map(id, (bit for column in columns for bit in column))) == Counter(map(id, bits))
    lines = [line for column in columns for line in lines_of(column, 1)]
    assert Counter(id(bit) for line in lines for bit in line.bits) == Counter(map(id, bits))


@given(_BITS)
def test_ordering_is_the_same_every_time(bits: list[Bit]):
    assert columns_of(bits) == columns_of(list(bits))


@given(st.lists(st.text(alphabet="abCD-. 12", min_size=1, max_size=20).filter(lambda text: bool(text.strip())), max_size=8))
def test_joining_lines_changes_nothing_but_spaces_and_hyphens(lines: list[str]):
    text, joins = join_lines(lines, Counter())
    assert [c for c in text if c not in " -"] == [c for line in lines for c in line if c not in " -"]
    assert text.count("-") == sum(line.count("-") for line in lines) - len(joins)
