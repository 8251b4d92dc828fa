"""One contract for every engine: the same hits, whole generations, and a named remedy when a server is gone.

Runs on the embedded engine always, on Milvus Lite where it is installed, and on a cluster where LITSEARCH_TEST_MILVUS names one.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litsearch.engines import Engine, Postings, Searchable, Vectors, open_engine
from litsearch.engines.embedded import Embedded
from litsearch.errors import EngineError, IndexDamaged, IndexMismatch, SettingsError
from litsearch.index import Generation, Index
from litsearch.ingesting import ingest, inputs_of, survey
from litsearch.lexical import PassageTerms, terms_of
from litsearch.searching import Searcher
from litsearch.settings import ROOT, Settings
from tests.conftest import ARTICLE, Shelf, meanwhile
from tests.milvus import CLUSTER, MilvusLite, missing
from tests.served import free_port

N_PASSAGES, N_UNITS, DIMENSIONS = 120, 400, 32
WORDS = [f"word{number}" for number in range(60)]


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Milvus server for all tests."""
    if reason := missing():
        pytest.skip(reason)
    if CLUSTER:
        yield CLUSTER
        return
    server = MilvusLite(tmp_path_factory.mktemp("milvus"))
    server.start()
    try:
        yield server.address
    finally:
        server.stop()


@pytest.fixture(params=["embedded", "milvus"])
def address(request: pytest.FixtureRequest) -> str:
    """The setting that names each engine."""
    return "" if request.param == "embedded" else str(request.getfixturevalue("milvus"))


@pytest.fixture
def engine(address: str, tmp_path: Path) -> Iterator[Engine]:
    """Each engine, for an index of its own; what it keeps is removed at the end."""
    (tmp_path / "index").mkdir()
    engine = open_engine(address, tmp_path / "index")
    yield engine
    engine.sweep(())


@pytest.fixture
def new_shelf_of(tmp_path: Path) -> Iterator[Callable[..., Shelf]]:
    """Makes shelves whose generations an engine keeps; what they leave on a server is removed at the end."""
    made: list[Shelf] = []

    def make(address: str, name: str = "shelf") -> Shelf:
        made.append(Shelf(tmp_path / name, engine=address))
        return made[-1]

    yield make
    for shelf in made:
        if shelf.engine and (shelf.index.root / "engine.json").exists():
            shelf.index.engine.sweep(())


def _searchable(seed: int = 7) -> Searchable:
    """Units in no order of passages; passages 3 and 60 share all their terms, passage 5 has none; units 10 and 11 are equal."""
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((N_UNITS, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[11] = vectors[10]
    whole = np.sort(random.choice(N_UNITS, N_PASSAGES, replace=False)).astype(np.int64)
    terms = [random.choice(WORDS, size=int(random.integers(3, 30))).tolist() for _ in range(N_PASSAGES)]
    terms[60], terms[5] = terms[3], []
    return Searchable(vectors, whole, PassageTerms.of(terms))


def _n_holding(searchable: Searchable, term: str) -> int:
    terms = searchable.terms
    return sum(
        term in {terms.vocabulary[number] for number in terms.numbers[start:end]}
        for start, end in itertools.pairwise(terms.starts)
    )


def _kept(engine: Engine, folder: Path, searchable: Searchable, name: str = "0a") -> tuple[Vectors, Postings]:
    (folder / name).mkdir()
    engine.write(name, folder / name, searchable)
    return engine.open(name, folder / name)


def _publish(shelf: Shelf, n: int) -> list[str]:
    ids = []
    for number in range(n):
        shelf.write("growing.txt", f"Version {number} of this text on needling. It says something else each time.")
        ids.append(shelf.ingest().generation)
    return ids


def _collections(address: str, index: Index) -> set[str]:
    """The generations that a Milvus server keeps of an index."""
    import pymilvus

    prefix = f"litsearch_{json.loads((index.root / 'engine.json').read_text())['id']}_"
    names = pymilvus.MilvusClient(uri=address.replace("milvus://", "http://")).list_collections()
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def _aliased(address: str, index: Index) -> str:
    """The generation that the alias of an index names."""
    import pymilvus

    prefix = f"litsearch_{json.loads((index.root / 'engine.json').read_text())['id']}_"
    told = pymilvus.MilvusClient(uri=address.replace("milvus://", "http://")).describe_alias(f"{prefix}current")
    return str(told["collection_name"]).removeprefix(prefix)


# ----------------------------------------------------------------------------------------------------------- hits


def test_the_most_similar_vectors_are_found_exactly(engine: Engine, tmp_path: Path) -> None:
    """Against plain products in numpy: the first 50 of each of eight queries, by similarity; units 10 and 11 are one vector."""
    searchable = _searchable()
    vectors, _ = _kept(engine, tmp_path, searchable)
    queries = _searchable(seed=8).vectors[:8]
    products = queries @ searchable.vectors.T
    similarities, positions = vectors.search(queries, 50)
    assert similarities.shape == positions.shape == (8, 50)
    assert (similarities.dtype, positions.dtype) == (np.float32, np.int64)
    for of_query, found, product in zip(similarities, positions, products, strict=True):
        expected = np.argsort(-product, kind="stable")[:50]
        np.testing.assert_allclose(of_query, product[expected], atol=1e-4)
        np.testing.assert_allclose(product[found], of_query, atol=1e-4)
        assert set(found.tolist()) - {10, 11} == set(expected.tolist()) - {10, 11}
        assert len(set(found.tolist())) == 50


def test_the_same_candidates_by_words_as_the_embedded_engine(engine: Engine, tmp_path: Path) -> None:
    """Terms of different weight, one that is unknown, and 40 passages found otherwise; from 0 to more than there are."""
    searchable = _searchable()
    _, postings = _kept(engine, tmp_path, searchable)
    _, expected = _kept(Embedded(), tmp_path, searchable, "0b")
    beside = np.arange(0, N_PASSAGES, 3)
    for terms in ({"word1": 1.0}, {"word2": 1.0, "word3": 0.5, "never": 1.0}, dict.fromkeys(WORDS[:20], 0.5)):
        for n in (0, 1, 10, 100, 1_000):
            positions, relevance = postings.candidates(terms, n, beside)
            expected_positions, expected_relevance = expected.candidates(terms, n, beside)
            assert positions.tolist() == expected_positions.tolist(), (terms, n)
            np.testing.assert_allclose(relevance, expected_relevance, atol=1e-4)
            assert (positions.dtype, relevance.dtype) == (np.int64, np.float32)


def test_candidates_by_words_worked_by_hand(engine: Engine, tmp_path: Path) -> None:
    """Three passages of two terms: a in 0 and 1, b in 2 alone. Lengths are equal, so BM25 is the rarity over 1 + K1 = 2.2.

    Passage 2: ln(1 + 2.5 / 1.5) / 2.2 = 0.446, halved by the weight; 0 and 1 hold no b, and 1 is there because it is asked for.
    """
    _, postings = _kept(
        engine,
        tmp_path,
        Searchable(np.eye(3, dtype=np.float32), np.arange(3), PassageTerms.of([["a", "x"], ["a", "y"], ["b", "z"]])),
    )
    positions, relevance = postings.candidates({"b": 0.5}, 2, np.array([1]))
    assert positions.tolist() == [1, 2]
    np.testing.assert_allclose(relevance, [0.0, 0.223], atol=1e-3)


def test_of_equal_passages_the_first_are_the_candidates(engine: Engine, tmp_path: Path) -> None:
    """Ten passages of the same word, five wanted."""
    _, postings = _kept(
        engine, tmp_path, Searchable(np.eye(10, dtype=np.float32), np.arange(10), PassageTerms.of([["same"]] * 10))
    )
    assert postings.candidates({"same": 1.0}, 5, np.zeros(0, dtype=np.int64))[0].tolist() == [0, 1, 2, 3, 4]


def test_terms_are_as_rare_as_in_the_embedded_engine(engine: Engine, tmp_path: Path) -> None:
    searchable = _searchable()
    _, postings = _kept(engine, tmp_path, searchable)
    _, expected = _kept(Embedded(), tmp_path, searchable, "0b")
    for term in [*WORDS, "never"]:
        assert postings.n_holding(term) == expected.n_holding(term) == _n_holding(searchable, term)
        assert postings.rarity(term) == expected.rarity(term)


def test_vectors_come_back_bit_for_bit(engine: Engine, tmp_path: Path) -> None:
    """An ingest takes them over into the next generation, so a bit lost would grow with every step."""
    searchable = _searchable()
    vectors, _ = _kept(engine, tmp_path, searchable)
    wanted = np.array([399, 0, 11, 11, 250])
    assert vectors.at(wanted).tobytes() == searchable.vectors[wanted].tobytes()
    assert vectors.at(np.arange(N_UNITS)).tobytes() == searchable.vectors.tobytes()
    assert vectors.at(np.zeros(0, dtype=np.int64)).shape == (0, DIMENSIONS)


def test_more_units_than_one_message_holds_are_all_there(engine: Engine, tmp_path: Path) -> None:
    """6,000 units, 5,500 of them asked for at once; they go to a server and come back 2,500 at a time."""
    random = np.random.default_rng(3)
    vectors = random.standard_normal((6_000, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    searchable = Searchable(vectors, np.arange(6_000), PassageTerms.of([WORDS[number % 60], "all"] for number in range(6_000)))
    opened, postings = _kept(engine, tmp_path, searchable)
    wanted = random.permutation(6_000)[:5_500]
    assert opened.at(wanted).tobytes() == vectors[wanted].tobytes()
    positions, relevance = postings.candidates({"word7": 1.0}, 10, wanted)
    assert set(positions.tolist()) >= set(wanted.tolist())
    assert set(positions[relevance > 0].tolist()) >= {number for number in wanted.tolist() if number % 60 == 7}
    assert not relevance[positions % 60 != 7].any()


def test_an_empty_generation_gives_empty_hits(engine: Engine, tmp_path: Path) -> None:
    empty = Searchable(np.zeros((0, DIMENSIONS), np.float32), np.zeros(0, np.int64), PassageTerms.of([]))
    vectors, postings = _kept(engine, tmp_path, empty)
    similarities, positions = vectors.search(np.ones((2, DIMENSIONS), np.float32), 5)
    assert (len(vectors), similarities.shape, positions.shape) == (0, (2, 0), (2, 0))
    assert vectors.at(np.zeros(0, dtype=np.int64)).shape == (0, DIMENSIONS)
    positions, relevance = postings.candidates({"a": 1.0}, 5, np.zeros(0, dtype=np.int64))
    assert (len(positions), len(relevance), postings.n_holding("a")) == (0, 0, 0)


def test_a_search_for_more_than_there_is_gives_all(engine: Engine, tmp_path: Path) -> None:
    vectors, _ = _kept(
        engine, tmp_path, Searchable(np.eye(3, dtype=np.float32), np.arange(3), PassageTerms.of([["a"], ["b"], []]))
    )
    assert sorted(vectors.search(np.eye(3, dtype=np.float32)[:1], 400)[1][0].tolist()) == [0, 1, 2]
    assert vectors.search(np.zeros((0, 3), np.float32), 2)[0].shape[0] == 0


# ---------------------------------------------------------------------------------------------------- generations


def test_an_index_built_in_steps_holds_what_one_built_at_once_holds(address: str, new_shelf_of: Callable[..., Shelf]) -> None:
    """Adding, changing and removing articles, and the vectors of those that stay are not made anew."""
    stepwise, clean = new_shelf_of(address, "stepwise"), new_shelf_of(address, "clean")
    stepwise.write("scars.md", ARTICLE)
    stepwise.write("gone.txt", "This article is taken away again. Nobody will miss it.")
    stepwise.ingest()
    (stepwise.corpus / "gone.txt").unlink()
    stepwise.write("new.txt", "A new text about redness. It fades after two days.")
    stepwise.encoder.embedded.clear()
    stepwise.ingest()
    assert not any("tiny wounds" in text for text in stepwise.encoder.embedded)
    clean.write("scars.md", ARTICLE)
    clean.write("new.txt", "A new text about redness. It fades after two days.")
    assert clean.ingest().generation == stepwise.index.current_id()
    assert clean.contents() == stepwise.contents()
    one, other = stepwise.open(), clean.open()
    everything = np.arange(len(one.vectors))
    assert one.vectors.at(everything).tobytes() == other.vectors.at(everything).tobytes()
    assert one.lexical.n_holding("miss") == 0
    assert stepwise.ingest().fresh


def test_no_more_generations_are_kept_than_the_settings_say(address: str, new_shelf_of: Callable[..., Shelf]) -> None:
    """Three of five; a server keeps the one replaced last as well, until the next ingest, for the questions under way on it."""
    shelf = new_shelf_of(address)
    ids = _publish(shelf, 5)
    assert shelf.index.history() == ids[:1:-1]
    if address:
        assert _collections(address, shelf.index) == set(ids[1:])


def test_an_open_generation_reads_on_when_it_is_replaced(address: str, new_shelf_of: Callable[..., Shelf]) -> None:
    """One generation is kept, and the one that is being read goes at the next ingest."""
    shelf = new_shelf_of(address)
    settings = replace(shelf.settings, keep_generations=1)
    shelf.write("scars.md", ARTICLE)
    ingest(settings, encoder=shelf.encoder)
    opened = Index.of(settings).open()
    before = _found(opened, shelf)
    shelf.write("new.txt", "A new text about scars. They fade.")
    ingest(settings, encoder=shelf.encoder)
    assert Index.of(settings).history() == [Index.of(settings).current_id()] != [opened.generation_id]
    assert _found(opened, shelf) == before


def _found(generation: Generation, shelf: Shelf) -> list[Any]:
    """What a question finds by meaning and by words in a generation."""
    query = shelf.encoder.embed(["Do scars look flatter?"])
    similarities, units = generation.vectors.search(query, 1_000)
    positions, relevance = generation.lexical.candidates(dict.fromkeys(terms_of("scars flatter"), 1.0), 100, np.arange(1))
    order = np.lexsort((units[0], -similarities[0].round(5)))
    return [units[0][order].tolist(), similarities[0][order].round(5).tolist(), positions.tolist(), relevance.round(4).tolist()]


def test_readers_see_whole_generations_while_they_are_switched(address: str, new_shelf_of: Callable[..., Shelf]) -> None:
    """One thread opens and searches again and again while six generations are published and half of them rolled back."""
    shelf = new_shelf_of(address)
    shelf.write("scars.md", ARTICLE)
    shelf.ingest()
    known = {shelf.index.current_id()}
    seen: dict[str, list[Any]] = {}

    def read() -> None:
        generation = shelf.open()
        found = _found(generation, shelf)
        assert seen.setdefault(generation.generation_id, found) == found
        assert len(found[0]) == generation.manifest["n_units"]
        generation.catalogue.close()

    with meanwhile(read) as problems:
        for number in range(3):
            shelf.write("growing.txt", f"Version {number} on scars. " + "It says more each time. " * (number + 1))
            known.add(shelf.ingest().generation)
            with shelf.index.locked():
                known.add(shelf.index.roll_back())
    assert problems == []
    assert set(seen) <= known and len(seen) > 1
    if address:
        assert _aliased(address, shelf.index) == shelf.index.current_id()


def test_rolling_back_serves_the_earlier_generation(address: str, new_shelf_of: Callable[..., Shelf]) -> None:
    shelf = new_shelf_of(address)
    shelf.write("scars.md", ARTICLE)
    first = shelf.ingest().generation
    before = _found(shelf.open(), shelf)
    (second,) = _publish(shelf, 1)
    assert _found(shelf.open(), shelf) != before
    assert shelf.index.roll_back() == first
    assert _found(shelf.open(), shelf) == before
    if address:
        assert _aliased(address, shelf.index) == first
    assert shelf.ingest().generation == second == shelf.index.current_id()
    if address:
        assert _aliased(address, shelf.index) == second


def test_the_engine_is_changed_by_the_setting_and_the_vectors_come_along(milvus: str, new_shelf_of: Callable[..., Shelf]) -> None:
    """To the server and back: nothing is embedded on the way there; without the server its generations are named, not opened."""
    shelf = new_shelf_of("")
    shelf.write("scars.md", ARTICLE)
    local = shelf.ingest().generation
    expected = _found(shelf.open(), shelf)
    shelf.engine = milvus
    assert shelf.open().generation_id == local
    assert _changed_inputs(shelf) == ["engine"]
    report = shelf.ingest()
    assert (report.published, report.embedded, report.unchanged) == (True, 0, 1)
    assert report.generation != local
    assert not (shelf.generation_folder / "vectors.faiss").exists() and not (shelf.generation_folder / "lexical").exists()
    assert _found(shelf.open(), shelf) == expected
    assert shelf.index.roll_back() == local and _found(shelf.open(), shelf) == expected
    shelf.index.roll_back(report.generation)
    shelf.engine = ""
    with pytest.raises(IndexMismatch, match=r"Milvus.*'engine'.*python ingest\.py"):
        shelf.open()
    generation, notice = shelf.index.open_good()
    assert generation.generation_id == local and "Milvus" in notice
    assert shelf.ingest().generation == local == shelf.index.current_id()
    shelf.engine = milvus


def _changed_inputs(shelf: Shelf) -> list[str]:
    """What an ingest finds changed."""
    recorded = shelf.open().manifest["inputs"]
    files = survey(shelf.corpus, None, trust_dates=False)
    now = inputs_of(shelf.settings, shelf.encoder.sha256, shelf.encoder.max_tokens, files)
    return [part for part in sorted({*recorded, *now}) if recorded.get(part) != now.get(part)]


def test_what_a_crash_left_on_the_server_is_swept(milvus: str, new_shelf_of: Callable[..., Shelf], tmp_path: Path) -> None:
    """A collection without its folder, as one is that was being written when the program ended."""
    shelf = new_shelf_of(milvus)
    shelf.write("scars.md", ARTICLE)
    first = shelf.ingest().generation
    (tmp_path / "half").mkdir()
    shelf.index.engine.write("deadbeef", tmp_path / "half", _searchable())
    assert _collections(milvus, shelf.index) == {first, "deadbeef"}
    (second,) = _publish(shelf, 1)
    assert _collections(milvus, shelf.index) == {first, second}


def test_indexes_on_one_server_leave_each_other_alone(milvus: str, new_shelf_of: Callable[..., Shelf]) -> None:
    """The same corpus twice has the same generation; one index replaces it four times, the other still has it."""
    one, other = new_shelf_of(milvus, "one"), new_shelf_of(milvus, "other")
    for shelf in (one, other):
        shelf.write("scars.md", ARTICLE)
    assert one.ingest().generation == other.ingest().generation
    _publish(one, 5)
    assert _collections(milvus, other.index) == {other.index.current_id()}
    assert _found(other.open(), other)[0]


def test_a_collection_that_is_gone_or_half_there_is_damage_and_the_next_ingest_mends_it(
    milvus: str, new_shelf_of: Callable[..., Shelf], tmp_path: Path
) -> None:
    """Removed on the server, or replaced there by one of another size: named, and written anew under the same name."""
    shelf = new_shelf_of(milvus)
    shelf.write("scars.md", ARTICLE)
    generation = shelf.ingest().generation
    expected = _found(shelf.open(), shelf)
    shelf.index.engine.sweep(())
    with pytest.raises(IndexDamaged, match=r"no collection.*python ingest\.py"):
        shelf.open()
    assert shelf.ingest().generation == generation and _found(shelf.open(), shelf) == expected
    (tmp_path / "other").mkdir()
    shelf.index.engine.write(generation, tmp_path / "other", _searchable())
    with pytest.raises(IndexDamaged, match="400 vectors"):
        shelf.open()
    assert shelf.ingest().generation == generation and _found(shelf.open(), shelf) == expected
    assert _aliased(milvus, shelf.index) == generation


# ------------------------------------------------------------------------------------------------- a server that goes


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[MilvusLite]:
    """A server of one test's own, to be stopped and started."""
    if reason := missing():
        pytest.skip(reason)
    if CLUSTER:
        pytest.skip("a cluster is not stopped for a test")
    server = MilvusLite(tmp_path)
    server.start()
    yield server
    server.stop()


def test_a_lost_server_is_named_and_an_open_generation_reads_on_when_it_is_back(lite: MilvusLite, tmp_path: Path) -> None:
    """Searching, opening and ingesting each say what to do; nothing is embedded in vain, and nothing on the disk changes."""
    shelf = Shelf(tmp_path / "shelf", engine=lite.address)
    shelf.write("scars.md", ARTICLE)
    generation = shelf.ingest().generation
    opened = shelf.open()
    expected = _found(opened, shelf)
    lite.stop()
    before = shelf.contents()
    shelf.write("new.txt", "A new text about redness. It fades after two days.")
    shelf.encoder.embedded.clear()
    for lost in (lambda: opened.vectors.search(np.ones((1, 32), np.float32), 3), shelf.open, shelf.index.open_good, shelf.ingest):
        with pytest.raises(EngineError, match=rf"{lite.address} does not answer.*Start it"):
            lost()
    assert shelf.encoder.embedded == [] and shelf.contents() == before
    lite.start()
    time.sleep(1.5)  # the client tries again once a second
    assert _found(opened, shelf) == expected == _found(shelf.open(), shelf)
    assert shelf.open().generation_id == generation
    assert _aliased(lite.address, shelf.index) == generation
    assert shelf.ingest().added == ("new.txt",)


def test_a_server_that_is_lost_while_it_is_written_to_keeps_the_old_generation(lite: MilvusLite, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", engine=lite.address)
    shelf.write("scars.md", ARTICLE)
    first = shelf.ingest().generation
    shelf.write("new.txt", "A new text about redness. It fades after two days.")

    def stop_it(stage: str, done: int, of: int) -> None:
        if stage == "writing":
            lite.stop()

    with pytest.raises(EngineError, match="Start it"):
        ingest(shelf.settings, encoder=shelf.encoder, progress=stop_it)
    assert shelf.index.current_id() == first and list(shelf.index.generations.glob(".*")) == []
    lite.start()
    time.sleep(1.5)
    assert shelf.open().generation_id == first
    second = shelf.ingest().generation
    assert _collections(lite.address, shelf.index) == {first, second}


def test_a_server_that_was_never_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    pytest.importorskip("pymilvus", reason="not installed: pymilvus")
    shelf = Shelf(tmp_path, engine=f"milvus://127.0.0.1:{free_port()}")
    shelf.write("scars.md", ARTICLE)
    with pytest.raises(EngineError, match=r"does not answer.*'engine' in practice/settings\.toml"):
        shelf.ingest()


# -------------------------------------------------------------------------------------------------------- the setting


@pytest.mark.parametrize(
    "address", ["milvus", "http://127.0.0.1:19530", "milvus://", "milvus://host", "milvus://me:secret@host:1"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match=r"'engine'.*milvus://host:19530"):
        Settings(engine=address)


def test_an_address_names_a_host_and_a_port() -> None:
    for address in ("", "milvus://localhost:19530", "milvus://10.0.0.7:19530", "milvus://[::1]:19530"):
        assert Settings(engine=address).engine == address


def test_without_the_client_the_error_names_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; sys.modules['pymilvus'] = None\n"
        "from litsearch.engines import open_engine\n"
        "open_engine('milvus://127.0.0.1:1', pathlib.Path(sys.argv[1])).sweep(())"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "EngineError" in done.stderr and "pip install -e .[milvus]" in done.stderr


def test_the_embedded_engine_imports_nothing_of_the_other(tmp_path: Path) -> None:
    """A whole ingest and an open index, in a fresh interpreter."""
    program = (
        "import sys, pathlib; from tests.conftest import ARTICLE, Shelf; shelf = Shelf(pathlib.Path(sys.argv[1]))\n"
        "shelf.write('scars.md', ARTICLE); shelf.ingest(); shelf.open()\n"
        "print([name for name in ('pymilvus', 'grpc', 'litsearch.engines.milvus') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------------------------------------------------- the story


def test_a_question_is_answered_alike_from_either_engine(
    milvus: str, real_settings: Callable[[Path], Settings], tmp_path: Path
) -> None:
    """The whole story with the real model: the same passages, cautions and confidence, and a new article is noticed."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "scars.md").write_text(ARTICLE)
    (corpus / "aftercare.txt").write_text(
        "After the session\n\nThe skin is red for two days. Keep it clean and out of the sun.\n"
    )
    local, remote = real_settings(corpus), replace(real_settings(corpus), engine=milvus)
    questions = [
        "Who should wait before needling?",
        "How long is the skin red?",
        "Do scars get flatter?",
        "What does a bus cost?",
    ]
    try:
        for settings in (local, remote):
            ingest(settings)
        here, there = Searcher(local), Searcher(remote)
        for question in questions:
            expected, found = here.ask(question), there.ask(question)
            assert [hit.passage for hit in found.hits] == [hit.passage for hit in expected.hits] != []
            assert [hit.passage for hit in found.cautions] == [hit.passage for hit in expected.cautions]
            assert found.outcome == expected.outcome
            assert found.confidence == pytest.approx(expected.confidence, abs=1e-4)
            for hit, wanted in zip((*found.hits, *found.cautions), (*expected.hits, *expected.cautions), strict=True):
                assert hit.similarity == pytest.approx(wanted.similarity, abs=1e-4)
                assert hit.relevance == pytest.approx(wanted.relevance, abs=1e-3)
        (corpus / "price.txt").write_text("What it costs\n\nA session costs about as much as a good meal.\n")
        assert ingest(remote).added == ("price.txt",)
        assert there.ask("What does a session cost?").hits[0].path == "price.txt"
    finally:
        Index.of(remote).engine.sweep(())
