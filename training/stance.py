"""Train the stance model: does a sentence, read in its context, support a claim, conflict with it, or neither?

The same reading as the reranker's (claim and sentence together), with three logits. Trained on entailment pairs,
SciFact claims, Evidence Inference prompts put as claims, the claims of our small libraries, blocks of claims that we
wrote against texts for, against and beside them, and contrast pairs made by rule, which turn negations, comparatives,
numbers and "who should not" lists the other way round. ``--claim-only`` hides the sentence: what a model scores then, it
scores by the wording of claims alone, and no figure means more than its distance from that.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from litsearch.checking import premises_of
from litsearch.claims.model import LABELS
from litsearch.claims.pair import shown
from litsearch.evaluation.libraries import read_libraries
from litsearch.passages import SplitRules
from litsearch.passages import split as split_document
from litsearch.reading import Limits, SourceFile, read_file
from litsearch.records import Answer, Hit
from training.data import fold_of, rows, split, stems, tidy
from training.reranker import Pair, Reranker, encode_pairs, load_tokenizer, logits_of, save

log = logging.getLogger(__name__)

_NLI = {"entailment": 0, "contradiction": 1, "neutral": 2}
# Breaking NLI is 87 % contradiction and HELP is made by rule: a little of each is enough.
_FEWER = {"breaking_nli": 0.2, "help": 0.3}
# How often a pair of a set is drawn. Entailment pairs outnumber the rest by far; the rest is nearer to the task.
_DRAWN = {
    "blocks": 2.0, "libraries": 1.5, "scifact": 1.0, "evidence_inference": 0.7, "contrast": 0.4, "exclusions": 0.4,
    "mnli": 0.4, "taxinli_mnli": 0.4, "vitaminc_real": 0.2, "fool_me_twice": 0.4, "negation_nli": 0.4,
}  # fmt: skip
_DRAWN_ELSE = 0.12
_BLOCKS = Path(__file__).parent / "stances"


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, the text that it is held against, and the place of the stance in ``LABELS``."""

    claim: str
    text: str
    stance: int
    source: str
    fold: str


class Stance(Reranker):
    """(claim, text) pairs to three logits in the order of ``LABELS``, shape (n, 3)."""

    def __init__(self, *, n_layers: int = 6) -> None:
        super().__init__(n_layers=n_layers)
        self.out = nn.Linear(self.hidden.out_features, len(LABELS))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        features, _ = self.features(input_ids, attention_mask, token_type_ids)
        return self.out(F.gelu(self.hidden(features)))


# --- data -------------------------------------------------------------------------------------------------------


def judged(data: Path, *, seed: int) -> list[Judged]:
    rng = Random(seed)
    found = [
        *from_nli(data, rng),
        *from_scifact(data, rng),
        *from_trials(data, rng),
        *from_libraries(rng),
        *from_blocks(),
        *contrasts(data, rng),
        *exclusions(rng),
    ]
    log.info("%s", Counter((j.source, LABELS[j.stance]) for j in found))
    return found


def from_nli(data: Path, rng: Random) -> Iterator[Judged]:
    """Entailment pairs; "not_entailment" names no stance and is left out."""
    for r in rows(data / "general/nli.jsonl.gz"):
        keep = next((share for name, share in _FEWER.items() if name in r["source"].lower()), 1.0)
        if r["label"] in _NLI and rng.random() < keep:
            yield Judged(r["hypothesis"], tidy(r["premise"]), _NLI[r["label"]], r["source"], fold_of(r["premise"]))


def from_libraries(rng: Random) -> Iterator[Judged]:
    """The claims of our small libraries against the sentence that they were written on, under its heading and lead-in; sentences
    elsewhere in the library that share some words, though not the most, settle nothing."""
    for library in read_libraries():
        sentences = [s for name, text in library.articles.items() for s in _in_context(name, text)]
        for claim in library.claims:
            here = [
                s
                for s in sentences
                if s.path == claim.quote.path
                and s.start < claim.quote.start + len(claim.quote.text)
                and claim.quote.start < s.end
            ]
            if not here:
                continue
            for_model = " ".join([here[0].shown, *(s.text for s in here[1:])])
            yield Judged(claim.words, for_model, LABELS.index(claim.stance), "libraries", library.fold)
            asked = stems(claim.words)
            others = [s for s in sentences if s not in here and s.path != claim.quote.path]
            others.sort(key=lambda s: -len(asked & stems(s.text)))
            for other in rng.sample(others[3:30], 2):
                yield Judged(claim.words, other.shown, 2, "libraries", library.fold)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a library, and what a stance model reads of it."""

    path: str
    start: int
    end: int
    text: str
    shown: str


def _in_context(path: str, text: str) -> Iterator[_Sentence]:
    document = next(iter(read_file(SourceFile(path, text.encode()), Limits()).documents))
    for passage in split_document(document, SplitRules(), lambda texts: [len(t.split()) for t in texts]):
        hit = Hit(1, passage, path, document.metadata, Answer(0, 0, ""), 0.0, 0.0, lead_in=document.lead_in_of(passage))
        for premise in premises_of(hit):
            yield _Sentence(path, premise.start, premise.end, premise.text, shown(premise))


def from_blocks() -> Iterator[Judged]:
    """Blocks of ours: a claim and its opposite, each against texts for the one, for the other, and for neither."""
    for file in sorted(_BLOCKS.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            block = json.loads(line)
            fold = fold_of(block["claim"])
            for claim, stances in ((block["claim"], (0, 1, 2)), (block["opposite"], (1, 0, 2))):
                for name, stance in zip(("for", "against", "neither"), stances, strict=True):
                    yield from (Judged(claim, text, stance, "blocks", fold) for text in block[name])


def from_scifact(data: Path, rng: Random) -> Iterator[Judged]:
    """Rationale sentences with their stance; a sentence of the same abstract that is no rationale is neutral."""
    abstracts = {str(r["doc_id"]): r for r in rows(data / "scifact/corpus_sentences.jsonl.gz")}
    for r in rows(data / "scifact/claims_train.jsonl.gz"):
        fold = fold_of(str(r["id"]))
        for doc_id in r["evidence"] or [str(d) for d in r["cited_doc_ids"][:1]]:
            sentences = abstracts[doc_id]["abstract"]
            rationale = {i for e in r["evidence"].get(doc_id, []) for i in e["sentences"]}
            for e in r["evidence"].get(doc_id, []):
                text = " ".join(sentences[i].strip() for i in e["sentences"] if i < len(sentences))
                yield Judged(r["claim"], text, 0 if e["label"] == "SUPPORT" else 1, "scifact", fold)
            apart = [s.strip() for i, s in enumerate(sentences) if i not in rationale]
            if apart:
                yield Judged(r["claim"], rng.choice(apart), 2, "scifact", fold)


def from_trials(data: Path, rng: Random) -> Iterator[Judged]:
    """Evidence Inference prompts as claims of each direction; evidence for another outcome is neutral."""
    claims = {
        "significantly increased": ["{i} increases {o} compared with {c}", "{o} is higher with {i} than with {c}"],
        "significantly decreased": ["{i} reduces {o} compared with {c}", "{o} is lower with {i} than with {c}"],
        "no significant difference": ["{i} and {c} do not differ in {o}", "{i} does not change {o} compared with {c}"],
    }
    by_paper: dict[str, list[tuple[dict, str, str]]] = defaultdict(list)
    for r in rows(data / "evidence_inference/prompts_train.jsonl.gz"):
        texts = [tidy(e["text"])[:500] for e in r["evidence"] if e["text"]]
        if texts and len(set(r["labels"])) == 1 and r["labels"][0] in claims:
            by_paper[r["pmcid"]].append((r, r["labels"][0], texts[0]))
    for pmcid, own in by_paper.items():
        for r, label, text in own:
            words = {"i": r["intervention"].strip(), "c": r["comparator"].strip(), "o": r["outcome"].strip()}
            for asserted, wordings in claims.items():
                claim = rng.choice(wordings).format(**words)
                yield Judged(claim, text, 0 if asserted == label else 1, "evidence_inference", fold_of(pmcid))
            others = [t for o, _, t in own if o["outcome"].lower() != r["outcome"].lower() and t != text]
            if others:
                claim = rng.choice(claims[label]).format(**words)
                yield Judged(claim, rng.choice(others), 2, "evidence_inference", fold_of(pmcid))


_TURNED = [
    ("increases", "decreases"), ("increased", "decreased"), ("increase", "decrease"), ("higher", "lower"), ("more", "less"),
    ("improves", "worsens"), ("improved", "worsened"), ("better", "worse"), ("safe", "unsafe"), ("common", "rare"),
    ("effective", "ineffective"), ("painful", "painless"), ("before", "after"), ("always", "never"), ("most", "few"),
    ("can be", "cannot be"), ("should", "should not"), ("may", "cannot"), ("required", "not needed"), ("with", "without"),
    ("is", "is not"), ("are", "are not"), ("does", "does not"), ("was", "was not"), ("were", "were not"),
]  # fmt: skip


def contrasts(data: Path, rng: Random, *, n_answers: int = 6000) -> Iterator[Judged]:
    """Sentences of MedQuAD held against themselves, plain and turned round by one word or number."""
    answers = [r for r in rows(data / "medquad/questions_answers.jsonl.gz") if len(r["answer"]) > 80]
    for r in rng.sample(answers, n_answers):
        sentences = [s for s in split(r["answer"])[:12] if 6 <= len(s.split()) <= 30]
        if len(sentences) < 2:
            continue
        sentence, other = rng.sample(sentences, 2)
        fold = fold_of(r["focus"] or r["answer"][:40])
        turned = turn_round(sentence, rng)
        if not turned:
            continue
        # Text and claim change places at random, so that the negated wording is no sign of a conflict.
        claim, text = (turned, sentence) if rng.random() < 0.5 else (sentence, turned)
        yield Judged(claim, text, 1, "contrast", fold)
        # The agreeing text has a neighbour, as sentences in their context do, so that equality is not all there is to see.
        said = turned if rng.random() < 0.5 else sentence
        yield Judged(said, f"{other} {said}" if rng.random() < 0.5 else f"{said} {other}", 0, "contrast", fold)
        yield Judged(turn_round(sentence, rng) or sentence, other, 2, "contrast", fold)


def turn_round(sentence: str, rng: Random) -> str:
    """Return the sentence with one word or number changed so that it says otherwise, or "" where nothing fits.

    >>> turn_round("Redness is common.", Random(1)) != "Redness is common."
    True
    >>> turn_round("Hello there", Random(1))
    ''
    """
    numbers = list(re.finditer(r"(?<![\w.,-])\d{1,4}(?![\w.,-]*\d)", sentence))
    if numbers and rng.random() < 0.5:
        at = rng.choice(numbers)
        changed = max(1, int(int(at[0]) * rng.choice([0.3, 0.5, 2, 3, 5])))
        if str(changed) != at[0]:
            return sentence[: at.start()] + str(changed) + sentence[at.end() :]
    ways = _TURNED + [(b, a) for a, b in _TURNED]
    fitting = [(a, b) for a, b in ways if re.search(rf"\b{a}\b", sentence) and not re.search(rf"\b{b}\b", sentence)]
    if not fitting:
        return ""
    old, new = rng.choice(fitting)
    return re.sub(rf"\b{old}\b", new, sentence, count=1)


_CONDITIONS = [
    "an active skin infection", "a tendency to keloid scars", "open wounds", "pregnancy", "blood thinners", "active acne",
    "a metal allergy", "recent sunburn", "diabetes that is poorly controlled", "a recent course of isotretinoin",
    "eczema in the area", "cold sores", "a bleeding disorder", "a weak immune system", "psoriasis in the area",
]  # fmt: skip
_SUBJECTS = ["the treatment", "the procedure", "a session", "the peel", "laser treatment", "the injection", "needling"]


def exclusions(rng: Random, *, n: int = 1500) -> Iterator[Judged]:
    """Lists of who should not be treated, and list items under their lead-in: read the wrong way round by a first try."""
    bans = ["{s} is not suitable for people with: {a}, {b}.", "Who should not have {s}: people with {a} or {b}.",
            "Contraindications to {s}: {a}; {b}.", "Do not have {s} if you have {a}. The same goes for {b}."]  # fmt: skip
    for _ in range(n):
        a, b, c = rng.sample(_CONDITIONS, 3)
        s = rng.choice(_SUBJECTS)
        text = rng.choice(bans).format(s=s, a=a, b=b)
        text = text[0].upper() + text[1:]
        named = rng.choice([a, b])
        fold = fold_of(a + s)
        yield Judged(f"People with {named} can have {s}.", text, 1, "exclusions", fold)
        yield Judged(f"{s.capitalize()} should be avoided with {named}.", text, 0, "exclusions", fold)
        claim = rng.choice([f"People with {c} can have {s}.", f"{s.capitalize()} should be avoided with {c}."])
        yield Judged(claim, text, 2, "exclusions", fold)


# --- training ---------------------------------------------------------------------------------------------------


def train(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    rng = Random(arguments.seed)
    tokenizer = load_tokenizer()
    found = judged(arguments.data, seed=arguments.seed)
    learn = [j for j in found if j.fold == "train"]
    drawn_from = {**_DRAWN, **dict(arguments.drawn)}
    weights = [drawn_from.get(j.source, _DRAWN_ELSE) for j in learn]
    aside = [j for j in found if j.fold == "dev"]
    dev = rng.sample(aside, min(arguments.n_dev, len(aside)))
    model = Stance(n_layers=arguments.layers)
    if arguments.start:
        held = torch.load(arguments.start, weights_only=True)["average"]
        fitting = {k: v for k, v in held.items() if k in model.state_dict() and v.shape == model.state_dict()[k].shape}
        model.load_state_dict(fitting, strict=False)
    for p in (*model.encoder.embeddings.parameters(), *model.encoder.encoder.layer[0].parameters()):
        p.requires_grad = False
    learning = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=arguments.lr, weight_decay=0.01, fused=True)
    average = deepcopy(model).requires_grad_(False)
    arguments.out.mkdir(parents=True, exist_ok=True)
    began = saved_at = time.monotonic()
    losses: list[float] = []
    step = 0
    ready: list[list[tuple[Pair, int]]] = []
    while (done := (time.monotonic() - began) / 60 / arguments.minutes) < 1 and not (arguments.out / "stop").exists():
        if not ready:
            drawn = rng.choices(learn, weights=weights, k=40 * arguments.batch)
            pairs = [(pair_of(tokenizer, j, claim_only=arguments.claim_only), j.stance) for j in drawn]
            pairs.sort(key=lambda p: len(p[0].ids))
            ready = [pairs[at : at + arguments.batch] for at in range(0, len(pairs), arguments.batch)]
            rng.shuffle(ready)
        batch = ready.pop()
        step += 1
        for pg in optimiser.param_groups:
            pg["lr"] = arguments.lr * min(1.0, step / 150) * max(0.05, 1 - done)
        model.train()
        loss = F.cross_entropy(logits_of(model, [p for p, _ in batch]), torch.tensor([s for _, s in batch]))
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
        if step % 50 == 0:
            log.info("step %d loss %.4f %.1f min", step, np.mean(losses[-200:]), (time.monotonic() - began) / 60)
        if time.monotonic() - saved_at > 60 * arguments.save_every:
            save(arguments.out, model, average, optimiser, step)
            saved_at = time.monotonic()
    save(arguments.out, model, average, optimiser, step)
    report(average, tokenizer, dev, arguments)


def pair_of(tokenizer: object, one: Judged, *, claim_only: bool) -> Pair:
    return encode_pairs(tokenizer, one.claim, ["" if claim_only else one.text])[0]  # type: ignore[arg-type]


@torch.inference_mode()
def report(model: nn.Module, tokenizer: object, dev: Sequence[Judged], arguments: argparse.Namespace) -> None:
    """Log accuracy and macro-F1 by source, and write them beside the checkpoint."""
    model.eval()
    pairs = [pair_of(tokenizer, j, claim_only=arguments.claim_only) for j in dev]
    found = by_source(dev, logits_of(model, pairs, n_slices=max(1, len(pairs) // 32)).argmax(1).numpy())
    for name, figures in found.items():
        log.info("%s %s", name, figures)
    (arguments.out / "dev.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def by_source(judged: Sequence[Judged], said: NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Pairs, accuracy and macro-F1 over the stances that occur, of each source and of all, for the stances ``said``, shape (n,)."""
    from sklearn.metrics import accuracy_score, f1_score

    groups: dict[str, list[int]] = defaultdict(list)
    for at, j in enumerate(judged):
        groups[j.source].append(at)
        groups["all"].append(at)
    found = {}
    for name, at in sorted(groups.items()):
        true = [judged[i].stance for i in at]
        found[name] = {
            "pairs": len(at),
            "accuracy": round(float(accuracy_score(true, said[at])), 4),
            "macro-F1": round(float(f1_score(true, said[at], average="macro", labels=sorted(set(true)))), 4),
        }
    return found


def _drawn(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    return name, float(share)


def main(given: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints; a file 'stop' in it ends the run")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--claim-only", action="store_true", help="hide the sentence: the baseline that reads claims alone")
    parser.add_argument("--start", type=Path, help="checkpoint to start from: of this script, or of training.reranker")
    parser.add_argument("--drawn", type=_drawn, nargs="*", default=[], help="SOURCE=SHARE: how often pairs of a set are drawn")
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--save-every", type=float, default=10, help="minutes between checkpoints")
    parser.add_argument("--layers", type=int, default=6, choices=[3, 4, 6])
    parser.add_argument("--lr", type=float, default=8e-5)
    parser.add_argument("--average", type=float, default=0.997)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--n-dev", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20261121)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(parser.parse_args(None if given is None else list(given)))


if __name__ == "__main__":
    main()
