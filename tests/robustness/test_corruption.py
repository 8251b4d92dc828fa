"""Damage anywhere in a generation is found when it is opened and named; the generation before it is served, with a notice to staff."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from litsearch.errors import IndexDamaged
from litsearch.index import SCHEMA_VERSION, Generation
from litsearch.searching import Searcher
from litsearch.settings import Settings
from tests.conftest import Shelf
from tests.test_index import _publish_several, _seal

Damage = Callable[[Path, Path, random.Random], None]


def _flip(path: Path, other: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def _truncate(path: Path, other: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def _grow(path: Path, other: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes() + chance.randbytes(chance.randint(1, 100)))


def _blank(path: Path, other: Path, chance: random.Random) -> None:
    """A block of zeros or of noise, as a failing disk or a lost write leaves it."""
    content = bytearray(path.read_bytes())
    start = chance.randrange(len(content))
    length = min(chance.choice((1, 16, 512)), len(content) - start)
    content[start : start + length] = chance.choice((bytes(length), chance.randbytes(length)))
    path.write_bytes(content)


def _delete(path: Path, other: Path, chance: random.Random) -> None:
    path.unlink()


def _replace_by_folder(path: Path, other: Path, chance: random.Random) -> None:
    path.unlink()
    path.mkdir()


def _swap(path: Path, other: Path, chance: random.Random) -> None:
    """The same file of the generation before: whole, with a checksum of its own, and wrong."""
    path.write_bytes(other.read_bytes())


AT_A_PLACE: tuple[Damage, ...] = (_flip, _truncate, _grow, _blank)
WHOLE_FILE: tuple[Damage, ...] = (_delete, _replace_by_folder, _swap)


@pytest.fixture
def two(stocked: Shelf) -> tuple[Shelf, Path, Path]:
    """A shelf with two generations: the one in use and the one before it."""
    before = stocked.generation_folder
    _publish_several(stocked, 1)
    return stocked, stocked.generation_folder, before


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _damage_and_look(two: tuple[Shelf, Path, Path], name: str, damage: Damage, chance: random.Random) -> bool:
    """Damage one file, look, mend it; whether the damage changed anything."""
    shelf, current, before = two
    path = current / name
    whole = path.read_bytes()
    damage(path, before / name, chance)
    try:
        if path.is_file() and path.read_bytes() == whole:
            return False
        with pytest.raises(IndexDamaged, match=path.name) as caught:
            shelf.open()
        assert "python ingest.py" in str(caught.value)
        generation, notice = shelf.index.open_good()
        assert generation.generation_id == before.name
        assert path.name in notice and before.name in notice
        generation.catalogue.close()
        return True
    finally:
        if path.is_dir():
            path.rmdir()
        path.write_bytes(whole)


def _damage_every_file(two: tuple[Shelf, Path, Path], n_places: int) -> int:
    chance = random.Random(7)
    n_found = 0
    for name in _files(two[1]):
        for number in range(n_places):
            n_found += _damage_and_look(two, name, AT_A_PLACE[number % len(AT_A_PLACE)], chance)
        for damage in WHOLE_FILE:
            n_found += _damage_and_look(two, name, damage, chance)
    assert two[0].open().generation_id == two[1].name
    return n_found


def test_damage_at_places_of_every_file_is_found_and_the_one_before_is_served(two: tuple[Shelf, Path, Path]) -> None:
    """Fifteen files, eight places and the three ways to lose a whole one; 500 places in the slow tests."""
    assert _damage_every_file(two, 8) >= 15 * 9


@pytest.mark.slow
def test_damage_at_500_places_of_every_file_is_found_and_the_one_before_is_served(
    two: tuple[Shelf, Path, Path], record_property: Callable[[str, object], None]
) -> None:
    n_found = _damage_every_file(two, 500)
    record_property("damages found", n_found)
    assert n_found >= 15 * 480


def test_a_generation_under_the_name_of_another_is_found(two: tuple[Shelf, Path, Path]) -> None:
    """Every file of it is whole and its checksums fit; only its name does not."""
    shelf, current, before = two
    good = shelf.contents()
    shutil.rmtree(current)
    shutil.copytree(before, current)
    with pytest.raises(IndexDamaged, match="that of another generation"):
        shelf.open()
    generation, notice = shelf.index.open_good()
    assert generation.generation_id == before.name and current.name in notice
    shelf.ingest()
    assert shelf.contents() == good


def test_a_generation_in_a_newer_form_is_passed_over_for_one_that_this_program_reads(two: tuple[Shelf, Path, Path]) -> None:
    """The program was set back to an earlier version: the generation that it made itself is still there."""
    shelf, current, before = two
    _seal(current, schema=SCHEMA_VERSION + 1)
    generation, notice = shelf.index.open_good()
    assert generation.generation_id == before.name
    assert f"form {SCHEMA_VERSION + 1}" in notice and before.name in notice


def test_staff_read_which_file_is_damaged_and_patients_are_answered(
    real_settings: Callable[[Path], Settings], tmp_path: Path
) -> None:
    from litsearch.index import Index
    from litsearch.ingesting import ingest

    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.txt").write_text("Redness\n\nThe skin is red for two days after needling.\n")
    settings = real_settings(corpus)
    first = ingest(settings).generation
    (corpus / "b.txt").write_text("Pain\n\nMost people feel little pain with a numbing cream.\n")
    second = ingest(settings).generation
    vectors = Index(settings.index).generations / second / "vectors.faiss"
    vectors.write_bytes(vectors.read_bytes()[:-1])
    searcher = Searcher(settings)
    answers = searcher.ask("How long is the skin red?")
    assert answers.generation == first and answers.hits
    assert "vectors.faiss" in searcher.notice and first in searcher.notice


def test_checksums_cost_less_than_a_fifth_of_the_start(committed_index: Settings) -> None:
    """The best of five each, so that a busy machine does not decide: opening with checksums against a whole start without."""
    from litsearch.index import Index

    folder = Index(committed_index.index).open().folder

    def best_of_five(action: Callable[[], object]) -> float:
        seconds = []
        for _ in range(5):
            started = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - started)
        return min(seconds)

    checked = best_of_five(lambda: Generation(folder))
    unchecked = best_of_five(lambda: Generation(folder, verify=False))
    start = best_of_five(lambda: Searcher(committed_index).ask("Does it hurt?"))
    assert checked - unchecked < 0.2 * (start - (checked - unchecked))
