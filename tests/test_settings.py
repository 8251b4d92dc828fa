"""One ``Settings``: defaults, then the file, then the environment, then the command line; a mistake is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litsearch.errors import SettingsError
from litsearch.settings import ROOT, Settings, load_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_without_file_and_environment_the_defaults_hold(file: Path) -> None:
    assert load_settings(file, {}) == Settings()
    assert Settings().corpus == ROOT / "corpus"
    assert Settings().n_threads >= 1


def test_the_environment_outweighs_the_file_and_the_command_line_both(file: Path) -> None:
    file.write_text("threads = 1\nmax_pages = 10\nkeep_generations = 5\n")
    found = load_settings(file, {"LITSEARCH_THREADS": "2", "LITSEARCH_MAX_PAGES": "20"}, threads=3)
    assert (found.threads, found.max_pages, found.keep_generations) == (3, 20, 5)
    assert found.origins == {
        "threads": "command line",
        "max_pages": "environment LITSEARCH_MAX_PAGES",
        "keep_generations": "settings.toml",
    }


def test_an_argument_that_was_not_given_overrides_nothing(file: Path) -> None:
    assert load_settings(file, {"LITSEARCH_THREADS": "2"}, threads=None, corpus=None).threads == 2


@pytest.mark.parametrize(
    ("stated", "named"),
    [
        ("thread = 2", "thread"),
        ("threads = 'two'", "threads"),
        ("threads = 1.5", "threads"),
        ("threads = true", "threads"),
        ("threads = [1]", "threads"),
        ("threads = -1", "threads"),
        ("keep_generations = 0", "keep_generations"),
        ("max_file_mb = 0", "max_file_mb"),
        ("strictness = 1.0", "strictness"),
        ("strictness = -0.1", "strictness"),
        ("strictness = nan", "strictness"),
        ("strictness = 'high'", "strictness"),
        ("corpus = 5", "corpus"),
        ("corpus = ''", "corpus"),
        ("model = true", "model"),
        ("origins = 1", "origins"),
        ("threads = ", "TOML"),
        ("[practice]\nname = 'x'", "practice"),
    ],
)
def test_an_unusable_line_is_named(file: Path, stated: str, named: str) -> None:
    file.write_text(stated)
    with pytest.raises(SettingsError, match=named):
        load_settings(file, {})


def test_a_file_that_is_no_text_is_named(file: Path) -> None:
    file.write_bytes(b"\xff\xfet\x00")
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        load_settings(file, {})


@pytest.mark.parametrize(("name", "value"), [("LITSEARCH_THREADS", "many"), ("LITSEARCH_NONSENSE", "1"), ("LITSEARCH_INDEX", "")])
def test_an_unusable_variable_is_named(file: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings(file, {name: value})


def test_other_programs_variables_and_the_log_level_are_no_settings(file: Path) -> None:
    assert load_settings(file, {"HOME": "/", "LITSEARCH": "x", "LITSEARCH_LOG": "DEBUG"}) == Settings()


def test_relative_paths_count_from_the_project_in_the_file_and_from_here_on_the_command_line(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file.write_text('corpus = "articles"')
    assert load_settings(file, {}).corpus == ROOT / "articles"
    assert load_settings(file, {"LITSEARCH_CORPUS": "articles"}).corpus == ROOT / "articles"
    assert load_settings(file, {}, corpus="articles").corpus == tmp_path.resolve() / "articles"
    assert load_settings(file, {}, corpus=str(tmp_path)).corpus == tmp_path.resolve()


def test_the_home_folder_is_written_with_a_tilde(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings(file, {"LITSEARCH_INDEX": "~/index"}).index == tmp_path.resolve() / "index"


@given(threads=st.integers(0, 64), strictness=st.floats(0, 1, exclude_max=True), model=st.text(max_size=20))
def test_what_the_environment_states_is_what_is_set(threads: int, strictness: float, model: str) -> None:
    """Every value survives being written as text."""
    stated = {"LITSEARCH_THREADS": str(threads), "LITSEARCH_STRICTNESS": repr(strictness), "LITSEARCH_MODEL": model}
    found = load_settings(Path("no-such-file.toml"), stated)
    assert (found.threads, found.strictness, found.model) == (threads, strictness, model)
