"""Passages are what a reader would quote: word for word, whole, with their heading, and never longer than the model sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litsearch.embedding import OnnxEncoder
from litsearch.index import Index
from litsearch.passages import SplitRules, caution_in, role_of, sentences_of, split
from litsearch.reading import Limits, SourceFile
from litsearch.reading.plain import MarkdownReader, PlainTextReader
from litsearch.records import Block, Document, Metadata, Passage
from litsearch.settings import Settings
from litsearch.testing import FakeEncoder

COUNT = FakeEncoder().count_tokens


def _document(text: str, name: str = "a.txt") -> Document:
    reader = MarkdownReader() if name.endswith(".md") else PlainTextReader()
    (document,) = reader.read(SourceFile(name, text.encode()), Limits())
    return document


def _split(text: str, name: str = "a.txt", max_tokens: int = 64) -> list[Passage]:
    document = _document(text, name)
    passages = split(document, SplitRules(max_tokens), COUNT)
    _check(document, passages)
    return passages


def _check(document: Document, passages: list[Passage]) -> None:
    """What every passage promises."""
    assert len({passage.passage_id for passage in passages}) == len(passages)
    last = 0
    for passage in passages:
        assert document.text[passage.start : passage.end] == passage.text
        assert passage.text.strip() == passage.text != ""
        assert passage.start >= last
        last = passage.end
        assert passage.sentences
        inside = passage.start
        for sentence in passage.sentences:
            assert inside <= sentence.start < sentence.end <= passage.end
            inside = sentence.end
        if passage.lead_in:
            assert passage.lead_in.end <= passage.start


def _lost(document: Document, passages: list[Passage]) -> str:
    """The letters and digits of paragraphs, items and rows that stand in no passage."""
    covered = {at for passage in passages for at in range(passage.start, passage.end)}
    quoted = (block for block in document.blocks if block.kind not in ("heading", "caption"))
    return "".join(
        document.text[at]
        for block in quoted
        for at in range(block.start, block.end)
        if at not in covered and document.text[at].isalnum()
    )


def _paged(blocks: list[tuple[str, str, int]]) -> Document:
    """A document of blocks given as kind, text and page."""
    text, made = "", []
    for kind, words, page in blocks:
        text += "\n\n" if text else ""
        made.append(Block(kind, len(text), len(text) + len(words), page=page))
        text += words
    return Document("a.pdf", "a.pdf", text, tuple(made), Metadata("A title"))


# ------------------------------------------------------------------------------------------------- what is quoted


def test_every_passage_carries_the_page_it_begins_on() -> None:
    """Paragraphs, a sentence cut off for length, a short list, and the pieces of a list that is longer than the model's room."""
    long = " ".join(f"Sentence {n} of a long paragraph speaks of needles." for n in range(30))
    items = [
        ("item", f"Item {n} tells in a good dozen words of something that one should not do after it.", 3 + n // 4)
        for n in range(12)
    ]
    document = _paged([
        ("paragraph", "It is brief.", 1),
        ("paragraph", long, 2),
        ("paragraph", "Avoid the following:", 3),
        *items,
    ])  # fmt: skip
    passages = split(document, SplitRules(64), COUNT)
    _check(document, passages)
    begins = {block.start: block.page for block in document.blocks}
    assert len(passages) > 6
    for passage in passages:
        begun = max(start for start in begins if start <= passage.start)
        assert passage.page == begins[begun]
    assert {passage.page for passage in passages} == {1, 2, 3, 4, 5}


def test_a_paragraph_is_a_passage_under_its_heading() -> None:
    """The article's title is said with every passage already, so it is no section of its own."""
    (first, second) = _split("Microneedling\n\nIt is brief. It is safe.\n\nRecovery\n\nThe skin is red for two days.")
    assert (first.text, first.section, len(first.sentences)) == ("It is brief. It is safe.", "", 2)
    assert (second.text, second.section) == ("The skin is red for two days.", "Recovery")


def test_headings_give_no_passages_also_an_orphan_at_the_end() -> None:
    passages = _split("Microneedling\n\nThe skin is red for two days.\n\nTry it today")
    assert [passage.text for passage in passages] == ["The skin is red for two days."]


def test_a_list_of_short_items_is_one_passage_with_its_lead_in() -> None:
    (passage,) = _split("See a doctor first if you have:\n\n  • a tendency to form keloids\n  • eczema\n  • frequent cold sores")
    assert passage.text.startswith("See a doctor first if you have:")
    assert passage.text.endswith("frequent cold sores")
    assert (passage.lead_in, passage.role, len(passage.sentences)) == (None, "caution", 4)


def test_items_of_several_sentences_are_passages_of_their_own_that_keep_the_lead_in() -> None:
    text = "It has two benefits:\n\n  • Texture: the skin is smoother. It takes weeks.\n  • Scars: they are flatter. It takes months."
    document = _document(text)
    lead, one, two = split(document, SplitRules(64), COUNT)
    assert lead.text == "It has two benefits:"
    assert (one.text, two.text) == ("Texture: the skin is smoother. It takes weeks.", "Scars: they are flatter. It takes months.")
    for item in (one, two):
        assert item.lead_in is not None
        assert document.text[item.lead_in.start : item.lead_in.end] == "It has two benefits:"


def test_a_list_too_long_for_one_passage_is_cut_between_items() -> None:
    """Items of five tokens; 64 seen, half of them kept free for the lead-in at worst: every piece fits, no item is torn."""
    items = [f"condition number {number} and more" for number in range(30)]
    passages = _split("You should not have it with any of these:\n\n" + "\n".join(f"  • {item}" for item in items))
    assert len(passages) > 3
    assert [line.removeprefix("  • ").removeprefix("• ") for p in passages[1:] for line in p.text.split("\n")] == items
    assert all(passage.lead_in for passage in passages[1:])


def test_a_paragraph_too_long_for_the_model_is_cut_between_sentences() -> None:
    sentences = [f"Sentence number {number} says something about redness." for number in range(20)]
    passages = _split(" ".join(sentences))
    assert len(passages) > 1
    assert " ".join(passage.text for passage in passages) == " ".join(sentences)
    assert all(passage.text.endswith(".") for passage in passages)


def test_a_sentence_too_long_for_the_model_is_cut_between_words() -> None:
    words = [f"word{number}" for number in range(200)]
    passages = _split(" ".join(words))
    assert len(passages) >= 200 / 62
    assert [word for passage in passages for word in passage.text.split()] == words


def test_a_word_too_long_for_the_model_is_cut_between_characters() -> None:
    encoder = FakeEncoder(letters_a_token=1)
    document = _document("a" * 300)
    passages = split(document, SplitRules(64), encoder.count_tokens)
    assert "".join(passage.text for passage in passages) == "a" * 300
    assert max(encoder.count_tokens([passage.text for passage in passages])) <= 62


def test_a_document_without_text_gives_no_passages() -> None:
    assert split(Document("d", "d.txt", "", (), Metadata("")), SplitRules(), COUNT) == []
    heading = Document("d", "d.txt", "Title", (Block("heading", 0, 5, 1),), Metadata("Title"))
    assert split(heading, SplitRules(), COUNT) == []


def test_an_images_description_is_never_quoted() -> None:
    text = "How it works\n\na smiling woman with long hairNeedling is a brief procedure. Needling takes an hour."
    (passage,) = _split(text)
    assert passage.text == "Needling is a brief procedure. Needling takes an hour."


def test_the_same_paragraph_twice_gives_two_passages_with_two_ids() -> None:
    one, two = _split("The skin is red.\n\nThe skin is red.")
    assert one.text == two.text and one.passage_id != two.passage_id


def test_an_id_stays_when_something_else_in_the_article_changes() -> None:
    """Links to a passage survive edits elsewhere."""
    before = _split("The skin is red for two days.\n\nIt fades then.")
    after = _split("A new opening stands here.\n\nThe skin is red for two days.\n\nIt fades then.")
    assert [passage.passage_id for passage in before] == [passage.passage_id for passage in after[1:]]


# ------------------------------------------------------------------------------------------------------ sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It is safe. Is it?", ["It is safe.", "Is it?"]),
        ("Needles of 0.5 mm were used. They were sterile.", ["Needles of 0.5 mm were used.", "They were sterile."]),
        ("Dr. Smith et al. treated twenty adults.", ["Dr. Smith et al. treated twenty adults."]),
        ("It helped, e.g. with scars, i.e. acne scars.", ["It helped, e.g. with scars, i.e. acne scars."]),
        ("", []),
        ("   \n ", []),
    ],
)
def test_sentences_are_those_that_a_reader_sees(text: str, sentences: list[str]) -> None:
    assert [text[span.start : span.end] for span in sentences_of(text)] == sentences


@settings(max_examples=200)
@given(
    text=st.text(
        alphabet=st.one_of(st.sampled_from("aB .,;:!?\n\t-–—'’\"()0129%µé\u00a0\u00ad\u200b\u2028"), st.characters()), max_size=60
    )
)
def test_sentences_of_any_text_are_in_order_and_lose_no_letter(text: str) -> None:
    spans = sentences_of(text, 100)
    last = 100
    for span in spans:
        assert last <= span.start < span.end <= 100 + len(text)
        last = span.end
    covered = {at for span in spans for at in range(span.start - 100, span.end - 100)}
    assert [character for at, character in enumerate(text) if at not in covered and character.isalnum()] == []


# ---------------------------------------------------------------------------------------------------------- roles


@pytest.mark.parametrize(
    ("headings", "text", "role"),
    [
        (["Needling and scars", "Who was studied"], "Twenty adults took part.", "methods"),
        (["Who is a bad candidate for microneedling?"], "Moles that bleed.", "caution"),
        (["Benefits"], "It may not be suitable for everyone.", "caution"),
        (["Benefits"], "The skin is smoother.", "text"),
        (["Safety and Professional Administration"], "It is safe.", "safety"),
        (["What was found", "Redness"], "It faded.", "results"),
        ([], "Microneedling is brief.", "text"),
        (["What to expect"], "People with keloids should not have it.", "caution"),
    ],
)
def test_a_passage_knows_what_it_does_in_its_article(headings: list[str], text: str, role: str) -> None:
    assert role_of(headings, text) == role


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("It does much for lines. Even so, it may not be right for everyone. Ask about it.", 1),
        ("See your doctor before treatment if you have:\neczema\nacne", 0),
        ("People with an active infection. Care is urged.", 0),
    ],
)
def test_the_sentence_that_cautions_is_found(text: str, place: int) -> None:
    passage = Passage("p", "d", 5, 5 + len(text), text, "", "caution", tuple(sentences_of(text, 5)))
    assert caution_in(passage) == place


def test_the_sentence_that_cautions_is_found_far_into_an_article() -> None:
    """Sentences count from the article's start: 700 characters on, the third sentence still is the third."""
    text = "It is brief. It is gentle. People with keloids should not have it. It is loved."
    passage = Passage("p", "d", 700, 700 + len(text), text, "", "caution", tuple(sentences_of(text, 700)))
    assert caution_in(passage) == 2


def test_one_caution_at_the_end_of_an_advertisement_does_not_make_it_a_caution() -> None:
    praise = "It is brief. It is gentle. It is loved. It lasts. "
    assert role_of(["Benefits"], praise + "It may not be suitable for everyone.") == "text"


# ------------------------------------------------------------------------------------------------- any text at all

LINES = st.one_of(
    st.sampled_from(
        [
            "A heading",
            "# Marked",
            "1. Numbered",
            "See a doctor if you have:",
            "",
            "",
            "It is safe. Is it? Yes!",
            "•",
            "- ",
            "***",
            "—",
            "...",
        ]
    ),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40),
    st.lists(st.sampled_from(["skin", "keloid", "0.5", "mm.", "e.g.", "Dr.", "it's", "(red)", "–"]), max_size=60).map(" ".join),
).flatmap(lambda line: st.sampled_from(["", "  • ", "- ", "  1. "]).map(lambda marker: marker + line))


@settings(max_examples=150)
@given(lines=st.lists(LINES, min_size=1, max_size=12), blank=st.booleans(), name=st.sampled_from(["a.txt", "a.md"]))
def test_any_text_is_split_word_for_word_without_loss_and_within_the_models_sight(
    lines: list[str], blank: bool, name: str
) -> None:
    """Nothing that is no heading or caption is lost; what is embedded fits 40 tokens beside a heading of up to 12 words."""
    from litsearch.errors import Refused

    try:
        document = _document(("\n\n" if blank else "\n").join(lines), name)
    except Refused:
        return
    passages = split(document, SplitRules(40), COUNT)
    _check(document, passages)
    assert _lost(document, passages) == ""
    for passage in passages:
        assert COUNT([passage.text])[0] <= 38


# -------------------------------------------------------------------------------------------------- the real thing


def test_every_passage_of_the_committed_corpus_keeps_its_promises(committed_index: Settings, encoder: OnnxEncoder) -> None:
    """Verbatim, nothing lost, and heading, lead-in and passage together within the model's 256 tokens."""
    generation = Index(committed_index.index).open()
    for document in generation.catalogue.documents():
        passages = list(generation.catalogue.passages(document.document_id))
        _check(document, passages)
        assert _lost(document, passages) == "", document.path
        embedded = []
        for passage in passages:
            lead = document.text[passage.lead_in.start : passage.lead_in.end] if passage.lead_in else ""
            embedded.append(f"{document.metadata.title}. {passage.section}. {lead} {passage.text}")
        assert max(encoder.count_tokens(embedded)) + 2 <= encoder.max_tokens, document.path


def test_splitting_is_the_same_every_time(committed_index: Settings, encoder: OnnxEncoder) -> None:
    generation = Index(committed_index.index).open()
    document = next(generation.catalogue.documents())
    assert split(document, SplitRules(encoder.max_tokens), encoder.count_tokens) == list(
        generation.catalogue.passages(document.document_id)
    )


def test_every_passage_of_the_originals_keeps_its_promises(originals_index: Settings) -> None:
    generation = Index(originals_index.index).open()
    documents = list(generation.catalogue.documents())
    assert len(documents) == 5
    for document in documents:
        assert Path(document.path).suffix == ".txt"
        passages = list(generation.catalogue.passages(document.document_id))
        _check(document, passages)
        assert _lost(document, passages) == "", document.path
