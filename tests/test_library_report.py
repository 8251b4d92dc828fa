"""The quality report: each problem found where it is, none where it is not, reprints counted once."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from litsearch.commands import main
from litsearch.index import Index
from litsearch.ingesting import ingest
from litsearch.library.report import ArticleReport, GenerationReport, Problem, orphan_headings, report_of
from litsearch.library.sources import independent_sources
from litsearch.records import Block, Document, Metadata
from litsearch.settings import ROOT, Settings
from litsearch.testing import FakeEncoder
from tests.conftest import ARTICLE, Shelf

SYNDICATED = " ".join(
    f"Paragraph {n} says that needling number {n} left the skin red for {n} days, and that {n} creams helped a little."
    for n in range(12)
)


def _report(shelf: Shelf) -> GenerationReport:
    generation = shelf.open()
    with closing(generation.catalogue):
        return report_of(generation)


def _problems(article: ArticleReport) -> list[str]:
    return [problem.name for problem in article.problems]


def _only(shelf: Shelf, text: str, name: str = "a.md") -> ArticleReport:
    shelf.write(name, text)
    shelf.ingest()
    (article,) = _report(shelf).articles
    return article


def test_an_article_in_order_has_no_problem(shelf: Shelf) -> None:
    article = _only(shelf, ARTICLE.replace("authors: not stated", "authors: A. Author"))
    assert (article.problems, article.repairs) == ((), ())
    assert (article.title, article.kind, article.date, article.n_passages) == (
        "Needling and scars",
        "narrative-review",
        "2020",
        2,
    )


def test_what_the_source_does_not_state_is_named(shelf: Shelf) -> None:
    assert _problems(_only(shelf, "The skin is red for two days. Keep it clean.\n")) == ["title", "date", "author", "kind"]


def test_a_publisher_stands_for_an_author(shelf: Shelf) -> None:
    assert "author" not in _problems(_only(shelf, ARTICLE.replace("authors: not stated", "publisher: A health service")))


def test_headings_without_text_captions_and_shreds_are_named(shelf: Shelf) -> None:
    """Under "Part" stands another heading of lower level, so it is no orphan; under "Empty" and "Last" stands nothing."""
    article = _only(shelf, "# Title\n\n# Part\n\n## Empty\n\n## Full\n\nIt fades after some days.\n\nRead more\n\n## Last\n")
    found = [problem for problem in article.problems if problem.name in ("heading", "caption", "short")]
    assert found == [
        Problem("heading", "Title"), Problem("heading", "Empty"), Problem("heading", "Last"), Problem("short", "Read more"),
    ]  # fmt: skip


def test_a_caption_between_a_heading_and_its_text_orphans_nothing() -> None:
    text = "Heading\n\na smiling face\n\nText."
    blocks = (Block("heading", 0, 7, 1), Block("caption", 9, 23), Block("paragraph", 25, 30))
    assert orphan_headings(Document("a", "a", text, blocks, Metadata("T"))) == []


def test_repairs_are_listed_with_their_article(shelf: Shelf) -> None:
    article = _only(shelf, "The d├ęcolletage is treated too. It takes an hour.\n", "a.txt")
    assert [repair.what for repair in article.repairs] == ["UTF-8 had been read as cp852"]
    assert article.n_repairs == 1


def test_one_syndicated_text_is_one_source(shelf: Shelf) -> None:
    """The second copy has a frame of its own and another spelling; the third differs by capitals alone."""
    shelf.write("a.md", f"# First\n\n{SYNDICATED}\n")
    shelf.write("b.md", f"# Second\n\nFrom our partners.\n\n{SYNDICATED.replace('number 7', 'no 7')}\n\nSubscribe now.\n")
    shelf.write("c.md", f"# FIRST\n\n{SYNDICATED.upper()}\n")
    shelf.write("d.md", ARTICLE)
    shelf.ingest()
    found = _report(shelf)
    assert found.sources == (("a.md", "b.md", "c.md"), ("d.md",))
    assert found.reprints == (("a.md", "b.md", "c.md"),)
    reprints = {article.path: [p.detail for p in article.problems if p.name == "reprint"] for article in found.articles}
    assert reprints == {"a.md": [], "b.md": ["a.md"], "c.md": ["a.md"], "d.md": []}


def test_two_articles_that_share_a_paragraph_are_two_sources() -> None:
    """Half of the words in common: 0.5 is below 0.8."""
    half = SYNDICATED[: len(SYNDICATED) // 2]
    others = [" ".join(f"{word}{n}" for n in range(100)) for word in ("alpha", "beta")]
    documents = [Document(n, n, f"{half} {other}", (), Metadata(n)) for n, other in zip("ab", others, strict=True)]
    assert independent_sources(documents) == [["a"], ["b"]]


def test_a_copy_in_more_articles_than_a_set_phrase_may_have_is_still_one_source() -> None:
    documents = [Document(str(n), str(n), SYNDICATED, (), Metadata("T")) for n in range(60)]
    assert len(independent_sources(documents)) == 1
    assert independent_sources([]) == []


def test_hard_words_in_long_sentences_read_as_very_difficult(shelf: Shelf) -> None:
    easy = "The skin is red for two days. Keep it clean and dry. Use a mild soap. " * 8
    hard = (
        "Histopathological characterisation of neocollagenesis following radiofrequency microneedling demonstrated statistically"
        " significant dermoepidermal remodelling irrespective of individual photosensitivity classification. "
    ) * 8
    shelf.write("easy.txt", easy)
    shelf.write("hard.txt", hard)
    shelf.write("short.txt", "It fades.")
    shelf.ingest()
    by_path = {article.path: article for article in _report(shelf).articles}
    assert by_path["short.txt"].reading_ease is None
    easy_ease, hard_ease = by_path["easy.txt"].reading_ease, by_path["hard.txt"].reading_ease
    assert easy_ease is not None and hard_ease is not None and hard_ease < 0 < 90 < easy_ease
    assert "reading" in _problems(by_path["hard.txt"]) and "reading" not in _problems(by_path["easy.txt"])


def test_the_committed_corpus_is_in_order(tmp_path: Path) -> None:
    """Every article states its title and kind, and no two are one text; vectors play no part in it."""
    settings = Settings(corpus=ROOT / "corpus", index=tmp_path / "index", threads=1)
    ingest(settings, encoder=FakeEncoder(max_tokens=256))
    generation = Index(settings.index).open()
    with closing(generation.catalogue):
        found = report_of(generation)
    assert len(found.articles) == len(list((ROOT / "corpus").glob("*.md")))
    assert found.reprints == ()
    assert not {"title", "kind", "reprint", "short"} & set(found.problem_counts())


def test_the_report_is_one_object_or_lines_for_people(stocked: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    stocked.write("empty.txt", "")
    stocked.ingest()
    place = ["--index", str(stocked.index.root)]
    assert main(["report", *place, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert (found["documents"], found["sources"], found["generation"]) == (3, 3, stocked.index.current_id())
    assert [refusal["path"] for refusal in found["refused"]] == ["empty.txt"]
    assert {article["path"] for article in found["articles"]} == {"aftercare.txt", "scars.md", "sub/price.md"}
    assert found["problems"]["author"] == 3
    assert main(["report", *place]) == 0
    said = capsys.readouterr().out
    assert "3 articles, 3 independent sources" in said and "empty.txt" in said and "no author or publisher" in said


def test_a_report_without_an_index_says_how_to_build_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--index", str(tmp_path / "none")]) == 1
    assert "python ingest.py" in capsys.readouterr().err
