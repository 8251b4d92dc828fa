"""Adding and removing articles: into the corpus and nowhere else, read before it is kept, out without being lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.commands import main
from litsearch.errors import CorpusError, Refused
from litsearch.ingesting import SIDECAR
from litsearch.library.shelving import REMOVED, add_article, remove_article, safe_name
from litsearch.settings import Settings
from tests.conftest import ARTICLE, Shelf
from tests.reading_files import Words, make_pdf

PDF = make_pdf([[Words(50, 700 - 20 * n, "Needling leaves the skin red for two days after a session.") for n in range(6)]])


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd.txt", "/etc/passwd.txt", "..\\..\\passwd.txt", "C:\\a\\passwd.txt", ".passwd.txt", "a/~$passwd.txt"],
)
def test_an_added_file_lands_in_the_corpus_whatever_its_name(shelf: Shelf, name: str) -> None:
    assert add_article(shelf.settings, name, ARTICLE.encode()) == "passwd.txt"
    assert [path.relative_to(shelf.folder).as_posix() for path in shelf.folder.rglob("*.txt")] == ["corpus/passwd.txt"]
    assert shelf.ingest().added == ("passwd.txt",)


@given(name=st.text(max_size=300))
def test_a_safe_name_is_one_plain_name_and_stays_as_it_is(name: str) -> None:
    try:
        safe = safe_name(name)
    except Refused:
        return
    assert Path(safe).name == safe and not safe.startswith((".", "~$", "/"))
    assert safe.isprintable() or not safe.isascii()
    assert len(safe.removesuffix(SIDECAR).encode()) <= 200
    assert safe_name(safe) == safe


@pytest.mark.parametrize("name", ["", "..", "///", "...", "\x00\x01", "a" + SIDECAR])
def test_a_name_that_no_article_can_bear_is_refused(shelf: Shelf, name: str) -> None:
    with pytest.raises(Refused):
        add_article(shelf.settings, name, ARTICLE.encode())
    assert list(shelf.corpus.iterdir()) == []


def test_every_format_that_the_readers_take_can_be_added(shelf: Shelf) -> None:
    assert add_article(shelf.settings, "leaflet.pdf", PDF) == "leaflet.pdf"
    assert shelf.ingest().documents == 1


def test_what_no_reader_takes_is_refused_with_its_reason_and_not_kept(shelf: Shelf) -> None:
    for name, content, reason in (
        ("empty.txt", b"", "is empty"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "is a picture"),
        ("huge.txt", b"x" * 51_000_000, "larger than 50 MB"),
        ("records.jsonl", b'{"_id": "1", "text": ""}\n', "has no text"),
    ):
        with pytest.raises(Refused, match=reason):
            add_article(shelf.settings, name, content)
    assert list(shelf.corpus.iterdir()) == []


def test_nothing_is_overwritten(shelf: Shelf) -> None:
    add_article(shelf.settings, "a.md", ARTICLE.encode())
    with pytest.raises(Refused, match="already"):
        add_article(shelf.settings, "a.md", ARTICLE.encode())
    with pytest.raises(Refused, match="another file"):
        add_article(shelf.settings, "a.md", b"# Other\n\nIt says something else.\n")
    assert (shelf.corpus / "a.md").read_text() == ARTICLE


def test_a_link_that_leads_nowhere_is_not_written_through(shelf: Shelf) -> None:
    (shelf.corpus / "a.md").symlink_to(shelf.folder / "outside.md")
    with pytest.raises(Refused, match="another file"):
        add_article(shelf.settings, "a.md", ARTICLE.encode())
    assert not (shelf.folder / "outside.md").exists()


def test_a_removed_article_leaves_the_index_and_can_be_put_back(stocked: Shelf) -> None:
    stocked.write(f"sub/price.md{SIDECAR}", "title: Price\n")
    where = remove_article(stocked.settings, "sub/price.md")
    assert where == stocked.corpus / REMOVED / "sub" / "price.md" and where.is_file()
    assert where.with_name(f"price.md{SIDECAR}").is_file()
    assert stocked.ingest().removed == ("sub/price.md",)
    stocked.write("sub/price.md", "# Another price\n\nIt went up.\n")
    second = remove_article(stocked.settings, "sub/price.md")
    assert second.name == "price (2).md" and "went up" in second.read_text() and "went up" not in where.read_text()


@pytest.mark.parametrize(
    "path", ["", ".", "none.md", "../secret.txt", "/etc/hostname", "sub", f"{REMOVED}/x.md", "sub/../../secret.txt"]
)
def test_only_an_article_of_the_corpus_can_be_removed(stocked: Shelf, path: str) -> None:
    secret = stocked.folder / "secret.txt"
    secret.write_text("not an article")
    stocked.write(f"{REMOVED}/x.md", ARTICLE)
    with pytest.raises(CorpusError, match="no article"):
        remove_article(stocked.settings, path)
    assert secret.is_file() and (stocked.corpus / "scars.md").is_file()


def test_removing_a_link_takes_the_link_and_leaves_what_it_leads_to(stocked: Shelf) -> None:
    outside = stocked.folder / "outside.txt"
    outside.write_text("It stays.")
    (stocked.corpus / "link.txt").symlink_to(outside)
    remove_article(stocked.settings, "link.txt")
    assert outside.read_text() == "It stays." and not (stocked.corpus / "link.txt").is_symlink()


def test_the_command_line_adds_and_removes_through_the_same_code(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--corpus", str(shelf.corpus)]
    new = tmp_path / "new leaflet.md"
    new.write_text(ARTICLE)
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert main(["add", *place, str(bad), str(new)]) == 1
    captured = capsys.readouterr()
    assert "added new leaflet.md" in captured.out and "python ingest.py" in captured.out
    assert "bad.png is a picture" in captured.err
    assert main(["remove", *place, "new leaflet.md", "none.md"]) == 1
    captured = capsys.readouterr()
    assert "removed new leaflet.md" in captured.out and "no article none.md" in captured.err
    assert [path.name for path in shelf.corpus.iterdir()] == [REMOVED]


def test_what_describes_an_article_goes_beside_it_and_only_where_the_article_reads_with_it(shelf: Shelf) -> None:
    name = f"leaflet.pdf{SIDECAR}"
    with pytest.raises(Refused, match="Add the article first"):
        add_article(shelf.settings, name, b"kind: cohort\n")
    add_article(shelf.settings, "leaflet.pdf", PDF)
    with pytest.raises(Refused, match="field 'kind' must be one of"):
        add_article(shelf.settings, name, b"kind: rumour\n")
    with pytest.raises(Refused, match="Shorten it"):
        add_article(shelf.settings, name, b"# " + b"x" * 1_000_000)
    assert [path.name for path in shelf.corpus.iterdir()] == ["leaflet.pdf"]
    assert add_article(shelf.settings, name, b"kind: cohort\ntitle: After the session\n") == name
    with pytest.raises(Refused, match="another file"):
        add_article(shelf.settings, name, b"kind: consensus\n")
    assert shelf.ingest().refused == ()
    (document,) = shelf.open().catalogue.documents()
    assert (document.metadata.kind, document.metadata.title) == ("cohort", "After the session")


def test_an_article_and_what_describes_it_can_be_added_in_either_order(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.md").write_text(ARTICLE)
    (tmp_path / f"new.md{SIDECAR}").write_text("year: 2019\n")
    assert main(["add", "--corpus", str(shelf.corpus), str(tmp_path / f"new.md{SIDECAR}"), str(tmp_path / "new.md")]) == 0
    assert sorted(path.name for path in shelf.corpus.iterdir()) == ["new.md", f"new.md{SIDECAR}"]


def test_files_that_cannot_be_added_are_named_with_what_to_do(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing, folder = tmp_path / "missing.pdf", tmp_path / "folder"
    folder.mkdir()
    assert main(["add", "--corpus", str(shelf.corpus), str(missing), str(folder)]) == 1
    said = capsys.readouterr().err
    assert f"{missing} is not there." in said and f"{folder} is a folder." in said and "Errno" not in said


def test_a_record_cannot_be_removed_by_itself_and_is_told_so(shelf: Shelf) -> None:
    shelf.write("refs.nbib", "PMID- 1\nTI  - Needling.\nAB  - It pricks.\n")
    with pytest.raises(CorpusError, match=r"is one record of the file refs\.nbib\. Take out the whole file"):
        remove_article(shelf.settings, "refs.nbib#1")
    assert (shelf.corpus / "refs.nbib").is_file()


@pytest.mark.parametrize("letter", ["x", "é", "皮"])
def test_an_article_of_the_longest_name_can_be_added_and_described(shelf: Shelf, letter: str) -> None:
    path = add_article(shelf.settings, f"{letter * 300}.md", ARTICLE.encode())
    assert path.endswith(f"{letter}.md")
    assert add_article(shelf.settings, path + SIDECAR, b"year: 2019\n") == path + SIDECAR


def test_a_description_may_leave_out_the_ending_and_goes_with_its_article(shelf: Shelf) -> None:
    add_article(shelf.settings, "leaflet.md", ARTICLE.encode())
    assert add_article(shelf.settings, f"leaflet{SIDECAR}", b"title: Redness\n") == f"leaflet{SIDECAR}"
    shelf.ingest()
    assert shelf.titles() == ["Redness"]
    where = remove_article(shelf.settings, "leaflet.md")
    assert where.with_name(f"leaflet.md{SIDECAR}").is_file() and not (shelf.corpus / f"leaflet{SIDECAR}").exists()


def test_a_description_without_its_article_says_how_it_must_be_called(shelf: Shelf) -> None:
    """Nothing there is called ``other``, with or without an ending."""
    shelf.write("leaflet.md", ARTICLE)
    shelf.write(f"other{SIDECAR}", "kind: cohort\n")
    (refusal,) = shelf.ingest().refused
    assert refusal.path == f"other{SIDECAR}" and "leaflet.pdf.meta.yml for leaflet.pdf. Rename it." in refusal.reason


def test_a_file_over_the_settings_limit_is_refused_by_them(shelf: Shelf) -> None:
    small = Settings(corpus=shelf.corpus, index=shelf.folder / "index", max_file_mb=1)
    with pytest.raises(Refused, match="larger than 1 MB"):
        add_article(small, "a.txt", b"word " * 250_000)
