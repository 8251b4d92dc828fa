"""The command line keeps its contracts: keys, exit codes, one JSON object a line on standard output, the rest on standard error."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from litsearch.commands import ingest_main, main
from litsearch.index import Index
from litsearch.ingesting import ingest
from litsearch.records import KIND_BY_NAME
from litsearch.settings import ROOT, Settings
from tests.conftest import ARTICLE

# The keys that scripts may rely on; more may stand beside them.
INGEST_KEYS = {"generation", "documents", "passages", "added", "changed", "removed", "unchanged", "refused", "repairs", "seconds"}
ASK_KEYS = {"question", "answered", "confidence", "generation", "milliseconds", "hits"}
HIT_KEYS = {
    "rank", "document_id", "passage_id", "title", "kind", "path", "section", "start", "end", "text", "answer", "similarity",
    "relevance", "citation",
}  # fmt: skip


def _run(program: Sequence[str], *, stdin: bytes = b"", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LITSEARCH_")} | (env or {})
    return subprocess.run(
        [sys.executable, *program], input=stdin, capture_output=True, cwd=ROOT, env=environment, check=False, timeout=120
    )


def _one_object(text: str) -> dict[str, Any]:
    (line,) = text.splitlines()
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def small(real_settings: Callable[[Path], Settings], tmp_path: Path) -> Settings:
    """A corpus of one good article with an index folder that has the exported model; not ingested yet."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE)
    return real_settings(corpus)


@pytest.fixture
def places(small: Settings) -> list[str]:
    return ["--corpus", str(small.corpus), "--index", str(small.index)]


# --------------------------------------------------------------------------------------------------------- ingest


def test_ingest_prints_one_object_with_the_promised_keys(places: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest_main([*places, "--json"]) == 0
    report = _one_object(capsys.readouterr().out)
    assert set(report) >= INGEST_KEYS
    assert (report["documents"], report["added"], report["refused"], report["repairs"]) == (1, ["scars.md"], [], [])
    assert (report["changed"], report["removed"], report["unchanged"]) == ([], [], 0)
    assert re.fullmatch(r"[0-9a-f]{16}", report["generation"])
    assert report["passages"] > 0
    assert report["seconds"] > 0
    assert ingest_main([*places, "--json"]) == 0
    again = _one_object(capsys.readouterr().out)
    assert (again["generation"], again["added"], again["unchanged"]) == (report["generation"], [], 1)


def test_ingest_exits_1_when_files_are_refused_and_publishes_the_rest(
    small: Settings, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (small.corpus / "empty.txt").write_text("")
    (small.corpus / "mended.txt").write_text("The d├ęcolletage is treated too. It takes an hour.")
    assert ingest_main([*places, "--json"]) == 1
    report = _one_object(capsys.readouterr().out)
    (refused,) = report["refused"]
    assert refused["path"] == "empty.txt" and "empty" in refused["reason"]
    (repair,) = report["repairs"]
    assert repair["path"] == "mended.txt" and "cp852" in repair["what"]
    assert report["documents"] == 2
    assert Index(small.index).current_id() == report["generation"]


def test_ingest_without_json_names_refused_files_and_repairs(
    small: Settings, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (small.corpus / "empty.txt").write_text("")
    (small.corpus / "mended.txt").write_text("The d├ęcolletage is treated too. It takes an hour.")
    assert ingest_main(places) == 1
    out = capsys.readouterr().out
    assert "REFUSED empty.txt" in out
    assert "mended in mended.txt" in out
    assert ingest_main(places) == 1
    assert "up to date" in capsys.readouterr().out


@pytest.mark.parametrize("below", ["", "index", "of/several/index"])
@pytest.mark.parametrize(
    ("command", "arguments"),
    [(ingest_main, ["--check"]), (ingest_main, []), (main, ["ask", "Does it hurt?"]), (main, ["rollback"]), (main, ["report"])],
    ids=["check", "ingest", "ask", "rollback", "report"],
)
def test_an_index_below_a_plain_file_is_told_as_what_it_is(
    small: Settings,
    tmp_path: Path,
    command: Callable[[Sequence[str]], int],
    arguments: list[str],
    below: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is damaged there, and an ingest would not help: the place is wrong."""
    file = tmp_path / "some.txt"
    file.write_text("no folder")
    corpus = ["--corpus", str(small.corpus)] if command is ingest_main else []
    assert command([*arguments, *corpus, "--index", str(file / below)]) == 2
    said = capsys.readouterr().err
    assert f"There can be no index in {file / below}: " in said
    assert ("it is a file, not a folder" if not below else f"{file}, a part of this path, is a file") in said
    assert "--index DIR" in said and "'index' in practice/settings.toml" in said
    assert "damaged" not in said
    assert file.read_text() == "no folder" and sorted(small.corpus.iterdir()) == [small.corpus / "scars.md"]


def test_check_exits_0_when_fresh_and_1_when_stale_or_missing_and_changes_nothing(
    small: Settings, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest_main([*places, "--check"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "python ingest.py" in captured.err
    assert sorted(path.name for path in small.index.iterdir()) == ["models"]
    assert ingest_main(places) == 0
    assert ingest_main([*places, "--check"]) == 0
    (small.corpus / "new.txt").write_text("A new text about redness. It fades after two days.")
    before = {path: path.stat().st_mtime_ns for path in small.index.rglob("*")}
    capsys.readouterr()
    assert ingest_main([*places, "--check", "--json"]) == 1
    report = _one_object(capsys.readouterr().out)
    assert set(report) >= INGEST_KEYS
    assert report["added"] == ["new.txt"]
    assert {path: path.stat().st_mtime_ns for path in small.index.rglob("*")} == before


def test_check_exits_1_for_a_damaged_index_and_says_how_to_mend_it(
    small: Settings, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest_main(places) == 0
    index = Index(small.index)
    (index.generations / index.current_id() / "vectors.faiss").write_bytes(b"")
    capsys.readouterr()
    assert ingest_main([*places, "--check"]) == 1
    assert re.search(r"vectors\.faiss.*python ingest\.py --rebuild", capsys.readouterr().err)
    assert ingest_main([*places, "--rebuild"]) == 0
    assert ingest_main([*places, "--check"]) == 0


@pytest.mark.parametrize(
    "arguments", [["--corpus", "/no/such/folder"], ["--corpus", __file__], ["--nonsense"], ["extra"], ["--corpus"]]
)
def test_ingest_exits_2_for_unusable_arguments(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = ingest_main(["--index", str(tmp_path), *arguments])
    except SystemExit as left:
        status = int(left.code or 0)
    assert status == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err
    assert list(tmp_path.iterdir()) == []


def test_ingest_exits_2_for_an_unusable_setting(
    places: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LITSEARCH_THREADS", "many")
    assert ingest_main(places) == 2
    assert "LITSEARCH_THREADS" in capsys.readouterr().err


def test_a_relative_folder_on_the_command_line_counts_from_where_the_command_is_given(
    small: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As every program does; from the project's folder both readings agree."""
    monkeypatch.chdir(small.corpus.parent)
    assert ingest_main(["--corpus", "corpus", "--index", str(small.index), "--json"]) == 0
    assert _one_object(capsys.readouterr().out)["added"] == ["scars.md"]


def test_an_empty_folder_name_is_refused_and_not_taken_for_the_project(
    small: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--corpus "$UNSET"`` must not index the whole project folder."""
    assert ingest_main(["--corpus", "", "--index", str(small.index)]) == 2
    assert "corpus" in capsys.readouterr().err


def test_a_file_name_that_is_no_text_is_reported_all_the_same(small: Settings, places: list[str]) -> None:
    """The name is latin-1 bytes; standard output is UTF-8."""
    with open(os.path.join(os.fsencode(small.corpus), b"r\xe9sum\xe9.txt"), "w") as file:
        file.write("A text. It has words.")
    for arguments in (["--json"], []):
        done = _run(["ingest.py", *places, *arguments], env={"PYTHONUTF8": "1"})
        assert (done.returncode, b"Traceback" in done.stderr) == (1, False), done.stderr.decode()
    done = _run(["ingest.py", *places, "--json"], env={"PYTHONUTF8": "1"})
    assert "Rename it" in _one_object(done.stdout.decode())["refused"][0]["reason"]


def test_logs_can_be_asked_for_and_go_to_standard_error(places: list[str]) -> None:
    done = _run(["ingest.py", *places, "--json"], env={"LITSEARCH_LOG": "info"})
    assert done.returncode == 0, done.stderr.decode()
    assert b"INFO" in done.stderr
    _one_object(done.stdout.decode())


def test_an_unknown_log_level_is_an_unusable_setting(places: list[str]) -> None:
    done = _run(["ingest.py", *places], env={"LITSEARCH_LOG": "loud"})
    assert (done.returncode, b"Traceback" in done.stderr) == (2, False)
    assert b"LITSEARCH_LOG" in done.stderr


# ------------------------------------------------------------------------------------------------------------ ask


def _check_answer(answer: dict[str, Any], settings: Settings, top: int) -> None:
    """Everything that the contract promises of one line of ``ask``."""
    assert set(answer) >= ASK_KEYS
    assert isinstance(answer["answered"], bool)
    assert 0 <= answer["confidence"] <= 1
    assert answer["milliseconds"] > 0
    generation = Index(settings.index).open()
    assert answer["generation"] == generation.generation_id
    assert 0 < len(answer["hits"]) <= top
    assert [hit["rank"] for hit in answer["hits"]] == list(range(1, len(answer["hits"]) + 1))
    relevance = [hit["relevance"] for hit in answer["hits"]]
    for hit in answer["hits"]:
        assert set(hit) >= HIT_KEYS
        document = generation.catalogue.document(hit["document_id"])
        assert document is not None
        assert document.text[hit["start"] : hit["end"]] == hit["text"]
        best = hit["answer"]
        assert document.text[best["start"] : best["end"]] == best["text"] != ""
        assert hit["start"] <= best["start"] < best["end"] <= hit["end"]
        assert best["text"] in hit["text"]
        assert hit["kind"] in KIND_BY_NAME
        assert hit["path"] == document.path
        assert (settings.corpus / hit["path"]).is_file()
        passage = generation.catalogue.passage(hit["passage_id"])
        assert passage is not None and passage.text == hit["text"] and passage.section == hit["section"]
        assert hit["title"] == document.metadata.name == hit["citation"]["title"]
        assert -1.001 <= hit["similarity"] <= 1.001
        assert all(
            hit["citation"][field] for field in ("authors", "publisher", "date", "doi", "pmid", "url") if field != "authors"
        )
    assert len({hit["passage_id"] for hit in answer["hits"]}) == len(answer["hits"])
    assert len(relevance) == len(answer["hits"])
    generation.catalogue.close()


def test_a_question_on_standard_input_is_answered_by_the_contract(committed_index: Settings) -> None:
    """``printf 'is it done with a laser?\\n' | python -m litsearch ask --json --top 5``"""
    done = _run(
        ["-m", "litsearch", "ask", "--json", "--top", "5", "--index", str(committed_index.index)],
        stdin=b"is it done with a laser?\n",
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    answer = _one_object(done.stdout.decode())
    assert answer["question"] == "is it done with a laser?"
    assert len(answer["hits"]) == 5
    _check_answer(answer, committed_index, 5)
    assert any("laser" in hit["text"].lower() for hit in answer["hits"])


def test_a_question_is_answered_from_the_originals_too(originals_index: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--json", "--top", "5", "--index", str(originals_index.index), "is it done with a laser?"]) == 0
    answer = _one_object(capsys.readouterr().out)
    _check_answer(answer, originals_index, 5)
    assert any("does not use surgical blades, anesthesia, or laser guns" in hit["text"] for hit in answer["hits"][:3])


QUESTIONS = [
    "Who should not have microneedling?",
    "does it hurt",
    "What is the boiling point of tungsten?",
    "<b>$5</b> **bold** ☃ 皮膚 \\d+ %s {0}",
    "?! … how — long? " * 30,
    "a",
    "Can I have it while I take isotretinoin? I finished in May. My skin is dark and I tend to form keloids. " * 12,
]


def test_each_line_of_input_is_one_line_of_output_in_the_same_order(
    committed_index: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("\n\n".join(QUESTIONS) + "\n   \n"))
    assert main(["ask", "--json", "--top", "3", "--index", str(committed_index.index)]) == 0
    lines = capsys.readouterr().out.splitlines()
    answers = [json.loads(line) for line in lines]
    assert [answer["question"] for answer in answers] == [" ".join(question.split()) for question in QUESTIONS]
    for answer in answers:
        _check_answer(answer, committed_index, 3)


def test_an_unusable_question_costs_the_others_nothing(committed_index: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["ask", "--json", "--index", str(committed_index.index), "does it hurt?", "???", "", "how long is the skin red?"])
        == 1
    )
    captured = capsys.readouterr()
    assert [json.loads(line)["question"] for line in captured.out.splitlines()] == ["does it hurt?", "how long is the skin red?"]
    assert captured.err.count("Type a question first") == 2


def test_bytes_that_are_no_text_do_not_stop_the_questions_after_them(committed_index: Settings) -> None:
    done = _run(
        ["-m", "litsearch", "ask", "--json", "--top", "1", "--index", str(committed_index.index)],
        stdin=b"does it h\xff\xferurt?\nis it safe?\n",
        env={"PYTHONUTF8": "1"},
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr.decode()
    assert len(done.stdout.splitlines()) == 2


def test_output_is_utf_8_whatever_the_locale(committed_index: Settings) -> None:
    done = _run(
        ["-m", "litsearch", "ask", "--json", "--top", "1", "--index", str(committed_index.index)],
        stdin="is the décolletage ☃ treated?\n".encode(),
        env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr.decode()
    assert "décolletage ☃" in _one_object(done.stdout.decode())["question"]


def test_the_reader_of_the_output_may_leave(committed_index: Settings) -> None:
    """``ask ... | head -1`` is no error."""
    program = f"{sys.executable} -m litsearch ask --json --index {committed_index.index} | head -c 1"
    questions = b"does it hurt?\n" * 20
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", program], input=questions, capture_output=True, cwd=ROOT, check=False, timeout=120
    )
    assert (done.stdout, done.stderr, done.returncode) == (b"{", b"", 0)


def test_ask_without_an_index_exits_1_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--json", "--index", str(tmp_path / "none"), "does it hurt?"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Run: python ingest.py" in captured.err


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["ask", "--top", "0", "x"], ["ask", "--top", "-1", "x"], ["ask", "--top", "five"]]
)
def test_unusable_arguments_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_more_hits_than_passages_gives_all_passages(small: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    n_passages = ingest(small).passages
    assert main(["ask", "--json", "--top", "500", "--index", str(small.index), "what does it do?"]) == 0
    answer = _one_object(capsys.readouterr().out)
    assert 0 < len(answer["hits"]) <= n_passages
    _check_answer(answer, small, 500)


def test_ask_for_people_shows_source_and_kind(committed_index: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--index", str(committed_index.index), "--top", "2", "Who should not have microneedling?"]) == 0
    out = capsys.readouterr().out
    assert "Who should not have microneedling?" in out
    assert any(kind.label in out for kind in KIND_BY_NAME.values())


# ------------------------------------------------------------------------------------------------------- rollback


def test_rollback_serves_the_earlier_generation(small: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    first = ingest(small).generation
    (small.corpus / "new.txt").write_text("A new text about redness. It fades after two days.")
    second = ingest(small).generation
    assert main(["rollback", "--json", "--index", str(small.index)]) == 0
    assert _one_object(capsys.readouterr().out) == {"generation": first}
    assert main(["rollback", second, "--index", str(small.index)]) == 0
    assert second in capsys.readouterr().out
    assert main(["rollback", "0123456789abcdef", "--index", str(small.index)]) == 1
    assert Index(small.index).current_id() == second


def test_rollback_of_no_index_creates_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "--index", str(tmp_path / "none")]) == 1
    assert "Run: python ingest.py" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
