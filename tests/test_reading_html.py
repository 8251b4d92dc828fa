"""Web pages: the article whole, with its lists and cautions, and nothing of what stands around it."""

from __future__ import annotations

import pytest

from litsearch.reading.selling import kind_if_selling, sells
from tests.reading_files import blocks_of, read_one, reason, repairs_of, texts_of

HEAD = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body>
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/t">All treatments</a></li></ul></nav></header>"""
FOOT = "<footer><p>All rights reserved. Privacy. Cookies.</p></footer></body></html>"
LEAFLET = """<h1>After needling</h1>
<p>Your skin will look red for one to three days after the treatment. This is expected and it settles by itself.</p>
<img src="a.jpg" alt="a woman with clear skin">
<h2>Who should wait</h2>
<p>Please tell us before the session if you have:</p>
<ul><li>keloid scars</li><li>active acne or <b>cold sores</b></li><li>taken isotretinoin<ul><li>in the last six months</li></ul></li></ul>
<h2>Looking after your skin</h2>
<ol><li>Wash with lukewarm water.</li><li>Use sun cream of factor 50.</li></ol>
<table><tr><th>Day</th><th>What to expect</th></tr><tr><td>1</td><td>Redness</td></tr><tr><td>3</td><td>Flaking</td></tr></table>
<figure><img src="b.jpg" alt="before and after pictures"><figcaption>Before and after three sessions</figcaption></figure>
<p>Do not use retinoids for five days, because the skin needs its rest.<br><br>Ask a nurse if the redness gets worse.</p>
<div class="newsletter-signup"><p>Subscribe to our newsletter and get the latest news about skin every week.</p></div>
<aside><p>Our new serum is in the shop now, with a discount for those who read this page to its end.</p></aside>"""
EXPECTED = [
    ("heading", "After needling"),
    ("paragraph", "Your skin will look red for one to three days after the treatment. This is expected and it settles by itself."),
    ("caption", "a woman with clear skin"),
    ("heading", "Who should wait"),
    ("paragraph", "Please tell us before the session if you have:"),
    ("item", "keloid scars"), ("item", "active acne or cold sores"), ("item", "taken isotretinoin"), ("item", "in the last six months"),
    ("heading", "Looking after your skin"),
    ("item", "Wash with lukewarm water."), ("item", "Use sun cream of factor 50."),
    ("row", "Day | What to expect"), ("row", "1 | Redness"), ("row", "3 | Flaking"),
    ("caption", "Before and after three sessions"),
    ("paragraph", "Do not use retinoids for five days, because the skin needs its rest."),
    ("paragraph", "Ask a nurse if the redness gets worse."),
]  # fmt: skip


def page(body: str = LEAFLET, *, title: str = "After needling | Example Hospital", head: str = "") -> str:
    return HEAD.format(title=title, head=head) + body + FOOT


@pytest.mark.parametrize("frame", ["{}", "<main><article>{}</article></main>", "<div class='content'>{}</div>"])
def test_the_article_stays_whole_and_its_surroundings_go(frame: str):
    """Extractors alone drop the short items of the list, and the caution with them."""
    document = read_one("leaflet.html", page(frame.format(LEAFLET)))
    assert blocks_of(document) == EXPECTED
    assert document.metadata.title == "After needling"


def test_words_of_a_picture_are_never_within_a_sentence():
    body = "<p>Needling is safe <img alt='a smiling woman outdoors' src='x'>for most adults, and most of them heal in a few days.</p>"
    document = read_one("a.html", page(body * 3))
    assert texts_of(document, "paragraph")[0] == "Needling is safe for most adults, and most of them heal in a few days."
    assert "a smiling woman outdoors" in texts_of(document, "caption")


def test_questions_and_answers_in_accordions_are_headings_and_paragraphs():
    body = """<article><details><summary>Does it hurt?</summary><p>Most people feel a light scratching while numbing cream
    is at work, and nothing after that.</p></details><dl><dt>How long does it take?</dt><dd>A session takes between thirty and
    sixty minutes, with the time for the numbing cream counted in, which is most of it.</dd></dl></article>"""
    found = blocks_of(read_one("faq.html", page(body, title="Questions")))
    assert ("heading", "Does it hurt?") in found and ("heading", "How long does it take?") in found


def test_the_page_says_who_wrote_it_and_when():
    head = """<meta name="author" content="Anna Example; Otto Sample"><meta property="og:site_name" content="Example Hospital">
    <meta property="article:published_time" content="2021-09-21T10:00:00Z"><link rel="canonical" href="https://example.org/after">"""
    metadata = read_one("a.html", page(head=head)).metadata
    assert metadata.authors == ("Anna Example", "Otto Sample")
    assert (metadata.publisher, metadata.published, metadata.url) == (
        "Example Hospital",
        "2021-09-21",
        "https://example.org/after",
    )
    assert metadata.kind == "not-stated"


def test_a_page_that_states_nothing_gets_nothing():
    metadata = read_one("a.html", page(title="", head="")).metadata
    assert (metadata.title, metadata.authors, metadata.date, metadata.publisher) == ("After needling", (), "", "")


def test_a_journals_page_is_cited_as_an_article():
    head = """<meta name="citation_title" content="Needling for scars: a randomised controlled trial">
    <meta name="citation_author" content="Example, Anna"><meta name="citation_doi" content="doi:10.1000/web.1">
    <meta name="citation_journal_title" content="Journal of Examples"><meta name="citation_publication_date" content="2020/03/01">"""
    metadata = read_one("a.html", page(head=head)).metadata
    assert metadata.title == "Needling for scars: a randomised controlled trial"
    assert (metadata.authors, metadata.journal, metadata.doi) == (("Anna Example",), "Journal of Examples", "10.1000/web.1")
    assert (metadata.kind, metadata.published) == ("randomised-trial", "2020-03-01")


def test_structured_data_names_author_and_news():
    head = """<script type="application/ld+json">{"@graph": [{"@type": "NewsArticle",
    "author": [{"@type": "Person", "name": "Anna Example"}]}]}</script><script type="application/ld+json">{broken</script>"""
    metadata = read_one("a.html", page(head=head)).metadata
    assert (metadata.kind, metadata.authors) == ("news-report", ("Anna Example",))


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("cp1252", "iso-8859-1"), ("cp1251", "windows-1251"), ("shift_jis", "Shift_JIS"), ("utf-8", "iso-8859-1")],
)
def test_the_declared_encoding_is_believed_unless_the_page_is_utf8(encoding: str, declared: str):
    letters = {"cp1252": "naïve “skin”", "cp1251": "кожа лица", "shift_jis": "皮膚の治療", "utf-8": "naïve “skin”"}[encoding]
    content = page(f"<p>{letters} heals in a few days after the session, as a rule without any mark at all.</p>" * 2)
    raw = content.replace('charset="utf-8"', f'charset="{declared}"').encode(encoding)
    document = read_one("a.html", raw)
    assert letters in document.text
    assert any(what.startswith("read as") for what in repairs_of(document)) == (encoding != "utf-8")


def test_a_page_whose_text_a_script_loads_is_refused():
    assert "print it to PDF" in reason("a.html", "<html><body><div id='root'></div><script>load()</script></body></html>")


def test_a_page_nested_without_end_is_refused():
    assert "nested too deeply" in reason("a.html", f"<html><body>{'<div>' * 3000}<p>Text</p></body></html>")


def test_a_second_copy_for_the_printer_is_left_out():
    text = "<p>Needling pricks the skin with many thin needles, and the skin heals over several days after that.</p>"
    document = read_one("a.html", page(f"<article>{text}</article><div class='print'>{text}</div>"))
    assert document.text.count("Needling pricks") == 1


# ---------------------------------------------------------------------------------------------------------- selling

PROSE = "Microneedling makes tiny channels in the skin, and the skin makes new collagen. Redness fades in a few days. "


@pytest.mark.parametrize(
    "text",
    [
        PROSE + "Book your free consultation at our clinic.",
        PROSE + "Schedule an appointment today.",
        PROSE + "At our clinic we offer microneedling. Sessions from £120.",
        PROSE + "Enjoy 20% off your first session. Contact us today.",
        PROSE + "Our experienced practitioners will look after you. Call us.",
        PROSE + "\n\nTry it today!",
        PROSE + "See what Springfield Hills laser treatments do for a youthful look.",
    ],
)
def test_a_page_that_sells_is_promotional_whatever_its_tone(text: str):
    assert kind_if_selling("", text) == "promotional-web-article"


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        PROSE + "In the United States a session costs $200 to $700.",
        PROSE + "Call us on the ward if the redness gets worse. Our clinic is open on weekdays.",
        PROSE + "To book an appointment, ask your doctor for a referral.",
        PROSE + "Speak to your dermatologist first. Contact your doctor today if you have fever.",
        PROSE + "Example NHS Foundation Trust. Contact us today or book online for your session at our clinic.",
        "The new car is in our showroom. Book now! 20% off. Visit us today. Our prices are the best. " * 5,
        "",
    ],
)
def test_information_stays_information(text: str):
    assert kind_if_selling("", text) == "not-stated"


def test_a_stated_kind_is_kept():
    assert kind_if_selling("patient-information", PROSE + "Book now at our clinic!") == "patient-information"


def test_public_bodies_sell_nothing():
    text = PROSE + "Book online at our clinic. Contact us today."
    assert sells(text) and not sells(text, url="https://www.example.nhs.uk/needling")


def test_buttons_and_menus_around_an_article_show_its_seller():
    menu = "<nav><a href='/b'>Book now</a><a href='/p'>Our prices</a></nav>"
    sold = page(menu + f"<main><p>{PROSE * 3}</p></main>")
    assert read_one("a.html", sold).metadata.kind == "promotional-web-article"
    assert read_one("b.html", page(f"<main><p>{PROSE * 3}</p></main>")).metadata.kind == "not-stated"


def test_text_files_without_a_stated_kind_are_judged_as_pages_are():
    advert = PROSE + "Book your free consultation at our clinic."
    assert read_one("a.txt", advert).metadata.kind == "promotional-web-article"
    assert read_one("a.md", advert).metadata.kind == "promotional-web-article"
    assert read_one("a.md", f"---\nkind: cohort\n---\n{advert}").metadata.kind == "cohort"
