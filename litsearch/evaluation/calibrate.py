"""Fits when a question counts as answered, on dev questions, and shows how far the confidence can be trusted (``make calibrate``).

Run: ``python -m litsearch.evaluation.calibrate [--work DIR] [--public]``; ``--public`` adds SciFact and MedQuAD (minutes).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from litsearch.errors import LitsearchError, QuestionError
from litsearch.evaluation import metrics
from litsearch.evaluation.indexes import build_index
from litsearch.evaluation.libraries import read_libraries
from litsearch.evaluation.metrics import Figure, Floats
from litsearch.evaluation.public import PublicCase, medquad_case, scifact_case, write_corpus
from litsearch.evaluation.quality import open_corpora, rate
from litsearch.evaluation.questions import Question
from litsearch.evaluation.results import made_from, table, write_part
from litsearch.files import write_whole
from litsearch.ranking.answerability import MODEL_FILE, NAMES, RERANKED_FILE, Judge, Signals
from litsearch.reranking import open_reranker
from litsearch.searching import Searcher
from litsearch.settings import ROOT, Settings, load_settings

DOCS = ROOT / "docs"
DATA = ROOT.parent / "shared" / "data"

# Weak enough to let a dozen signals speak, strong enough that none runs away on 400 questions.
_C = 0.3
# A question on the small libraries counts for a seventh of one of our own: more of it gains there and loses here
# (docs/RESULTS.md, "What the reranker adds").
_COUNTS_BESIDE = 0.15
_FOLDS = 5
_SEED = 0
# A covered question that gets "nothing at all" is the worse mistake, so few may; most off-topic ones should.
_COVERED_BELOW_RELATED = 0.03
_OFF_TOPIC_BELOW_RELATED = 0.90
_BINS = 10

Labels = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seen:
    """Questions of one corpus as the judge sees them: signals (n, one a name of ``NAMES``), covered or not, near the subject or not, dev or test."""

    name: str
    signals: Floats
    covered: Labels
    near: Labels
    dev: Labels

    def __post_init__(self) -> None:
        if not len(self.signals) == len(self.covered) == len(self.near) == len(self.dev):
            raise ValueError(f"{self.name}: rows of unequal number")

    def part(self, *, dev: bool) -> Seen:
        """The dev questions, or the test questions."""
        keep = self.dev == dev
        return Seen(self.name, self.signals[keep], self.covered[keep], self.near[keep], self.dev[keep])


def join(parts: Sequence[Seen]) -> Seen:
    """Several corpora as one."""
    return Seen(
        " + ".join(part.name for part in parts),
        np.concatenate([part.signals for part in parts]),
        np.concatenate([part.covered for part in parts]),
        np.concatenate([part.near for part in parts]),
        np.concatenate([part.dev for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A judge and what it was fitted on: confidences out of fold, with the rates that its bounds have there."""

    judge: Judge
    seen: Seen
    out_of_fold: Floats

    def rates(self) -> dict[str, float]:
        """What the two bounds cost on the questions that they were set on, out of fold."""
        covered, uncovered = self.out_of_fold[self.seen.covered], self.out_of_fold[~self.seen.covered]
        off_topic = self.out_of_fold[~self.seen.covered & ~self.seen.near]
        return {
            "false_refusals": _share(covered < self.judge.answered_from),
            "false_answers": _share(uncovered >= self.judge.answered_from),
            "covered_below_related": _share(covered < self.judge.related_from),
            "off_topic_below_related": _share(off_topic < self.judge.related_from),
        }


def fit(seen: Seen, beside: Seen | None = None) -> Fitted:
    """A judge from questions that are known to be covered or not; those ``beside`` count for little, and for the weights alone.

    Logistic regression on standardised signals with both classes weighing the same; then Platt's scaling of its out-of-fold
    values, which makes the confidence a probability at the set's own share of covered questions. Source: Platt 1999.
    """
    values = np.zeros(len(seen.covered))
    for train, held_out in _folds(seen):
        weights, intercept = _logistic(seen.signals[train], seen.covered[train], beside)
        values[held_out] = seen.signals[held_out] @ weights + intercept
    slope, shift = _platt(values, seen.covered)
    weights, intercept = _logistic(seen.signals, seen.covered, beside)
    out_of_fold = 1 / (1 + np.exp(-(slope * values + shift)))
    answered_from = _equal_errors(out_of_fold[seen.covered], out_of_fold[~seen.covered])
    off_topic = out_of_fold[~seen.covered & ~seen.near]
    related_from = min(_related_from(out_of_fold[seen.covered], off_topic), answered_from)
    scaled = {name: round(float(slope * weight), 6) for name, weight in zip(NAMES, weights, strict=True)}
    # To four significant digits, not places: a bound of 0.00003 must not become 0.
    answered_from, related_from = (float(f"{bound:.4g}") for bound in (answered_from, related_from))
    judge = Judge(scaled, round(float(slope * intercept + shift), 6), answered_from, related_from)
    return Fitted(judge, seen, out_of_fold)


def confidences(judge: Judge, seen: Seen) -> Floats:
    """The judge's confidence in each question."""
    return np.array([judge.confidence(Signals(*map(float, row))) for row in seen.signals], dtype=np.float64)


def _logistic(signals: Floats, covered: Labels, beside: Seen | None = None) -> tuple[Floats, float]:
    """Weights and intercept for signals as they come."""
    from sklearn.linear_model import LogisticRegression

    counts = np.ones(len(covered))
    if beside is not None:
        signals, covered = np.concatenate([signals, beside.signals]), np.concatenate([covered, beside.covered])
        counts = np.concatenate([counts, np.full(len(beside.covered), _COUNTS_BESIDE)])
    centre, spread = signals.mean(axis=0), signals.std(axis=0)
    # A signal that never changes tells nothing; without this it would be divided by 0.
    spread = np.where(spread > 1e-9, spread, 1.0)
    model = LogisticRegression(C=_C, class_weight="balanced", max_iter=1_000).fit(
        (signals - centre) / spread, covered, sample_weight=counts
    )
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ centre)


def _platt(values: Floats, covered: Labels) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6, max_iter=1_000).fit(values[:, None], covered)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _folds(seen: Seen) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    from sklearn.model_selection import StratifiedKFold

    kinds = seen.covered.astype(int) * 2 + seen.near
    yield from StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED).split(seen.signals, kinds)


def _equal_errors(covered: Floats, uncovered: Floats) -> float:
    """The bound at which the rates of false refusals and false answers are nearest to each other.

    >>> _equal_errors(np.array([0.9, 0.75, 0.25]), np.array([0.1, 0.2, 0.5]))
    0.375
    """
    bounds = _between(np.concatenate([covered, uncovered]))
    gaps = [abs(_share(covered < bound) - _share(uncovered >= bound)) for bound in bounds]
    return float(bounds[int(np.argmin(gaps))])


def _related_from(covered: Floats, off_topic: Floats) -> float:
    """The lowest bound with enough off-topic questions below it, or the highest with few enough covered ones, the lower of both."""
    bounds = _between(np.concatenate([covered, off_topic]))
    enough = [bound for bound in bounds if _share(off_topic < bound) >= _OFF_TOPIC_BELOW_RELATED]
    few = [bound for bound in bounds if _share(covered < bound) <= _COVERED_BELOW_RELATED]
    return float(min(min(enough, default=1.0), max(few, default=0.0)))


def _between(values: Floats) -> Floats:
    """Bounds that fall between the values, and one below and one above them all."""
    ordered = np.unique(values)
    return np.concatenate([[ordered[0] / 2], (ordered[1:] + ordered[:-1]) / 2, [(ordered[-1] + 1) / 2]])


def _share(values: Labels) -> float:
    return float(values.mean()) if len(values) else 0.0


# ---------------------------------------------------------------------------------------------------------- asking


def see(name: str, searcher: Searcher, questions: Sequence[tuple[str, bool, bool, bool]]) -> Seen:
    """The signals of questions given as text, covered, near, dev; one that is turned away is left out: no judge sees it."""
    rows: list[tuple[list[float], bool, bool, bool]] = []
    for text, *labels in questions:
        try:
            signals = searcher.signals(text)
        except QuestionError:
            continue
        rows.append((list(asdict(signals).values()), labels[0], labels[1], labels[2]))
    values = np.array([row[0] for row in rows], dtype=np.float64).reshape(-1, len(NAMES))
    covered, near, dev = (np.array([row[n] for row in rows], dtype=np.bool_) for n in (1, 2, 3))
    return Seen(name, values, covered, near, dev)


def labelled(questions: Iterable[Question]) -> list[tuple[str, bool, bool, bool]]:
    """Questions of ours as ``see`` takes them."""
    return [(q.text, q.answerable, q.near or q.answerable, q.half == "dev") for q in questions]


def see_public(case: PublicCase, settings: Settings, work: Path) -> Seen:
    """The same for a public set, of which every question is on the corpus's subject and none is dev."""
    write_corpus(case, work / "corpus")
    searcher = Searcher(build_index(settings, work / "corpus", work / "index"))
    return see(
        case.name, searcher, [(q, True, True, False) for q in case.covered] + [(q, False, True, False) for q in case.uncovered]
    )


def see_libraries(settings: Settings, work: Path) -> tuple[Seen, Seen]:
    """The same for the small libraries on other treatments that no model was trained on: every other one of them to fit with,
    and the others to report on."""
    kept = [library for library in read_libraries() if library.fold == "dev"]
    parts = [see(library.name, library.open(settings, work), labelled(library.asked())) for library in kept]
    beside, elsewhere = parts[::2], parts[1::2]
    return replace(join(beside), name=f"{len(beside)} libraries"), replace(
        join(elsewhere), name=f"{len(elsewhere)} other libraries"
    )


# ------------------------------------------------------------------------------------------------------- reporting


def stored(fitted: Fitted, generations: Mapping[str, str], reranker_sha256: str = "") -> dict[str, Any]:
    """The judge as its file holds it."""
    rates = {name: round(value, 4) for name, value in fitted.rates().items()}
    return {
        "weights": dict(fitted.judge.weights),
        "intercept": fitted.judge.intercept,
        "answered_from": fitted.judge.answered_from,
        "related_from": fitted.judge.related_from,
        **({"reranker": reranker_sha256} if reranker_sha256 else {}),
        "fitted": {
            "date": date.today().isoformat(),
            "corpora": list(generations),
            "generations": dict(generations),
            "questions": len(fitted.seen.covered),
            "covered_share": round(_share(fitted.seen.covered), 4),
            "rates_out_of_fold": rates,
        },
        "rule": (
            "answered_from: false refusals of covered questions and false answers to uncovered ones are equally frequent on the"
            " dev questions, out of fold. related_from: at most 3 % of the covered dev questions fall below it and, where that"
            " can be had, 90 % of the uncovered ones off the subject do. confidence is a probability at covered_share."
        ),
    }


def report(
    fitted: Fitted,
    seen: Sequence[Seen],
    elsewhere: Seen,
    manifests: Mapping[str, Mapping[str, Any]],
    n_threads: int,
    plot: str = "reliability.svg",
) -> str:
    """The part of docs/RESULTS.md: what the bounds cost on dev and test, and on corpora that were not fitted on.

    ``elsewhere`` is never part of the fit that is served; ``plot`` is the name of the plot beside the tables.
    """
    rates = fitted.rates()
    tested = join([part.part(dev=False) for part in seen])
    test_confidence = confidences(fitted.judge, tested)
    lines = [
        "Written by `make calibrate`; do not edit by hand.\n\n" + made_from(manifests, n_threads),
        f"Fitted on {len(fitted.seen.covered)} dev questions, {_share(fitted.seen.covered):.0%} of them covered."
        f" A question counts as answered from a confidence of {fitted.judge.answered_from:.3f}: there, out of fold,"
        f" {rates['false_refusals']:.1%} of the covered questions are refused and {rates['false_answers']:.1%} of the uncovered ones"
        f" answered. Below {fitted.judge.related_from:.3f} nothing is shown as related:"
        f" {rates['covered_below_related']:.1%} of the covered questions fall there and"
        f" {rates['off_topic_below_related']:.1%} of the uncovered ones off the subject.",
        f"Expected calibration error on the test questions ({_BINS} bins): {calibration_error(test_confidence, tested.covered):.3f}."
        f" ![Reliability on test questions]({plot})",
        judged_table(_judged(fitted, seen, elsewhere)),
        f"The {elsewhere.name} are small libraries on other treatments (`training/libraries/`); two in three of their uncovered"
        " questions ask, in words that the articles use, for a fact that no article gives.",
    ]
    return "\n\n".join(lines)


def _judged(fitted: Fitted, seen: Sequence[Seen], elsewhere: Seen) -> Iterator[tuple[str, Seen, Judge]]:
    for part in (*seen, elsewhere):
        yield fitted.seen.name + " (dev)", part.part(dev=False), fitted.judge
    for part in seen:
        others = [other for other in seen if other is not part]
        if others:
            without = fit(join([other.part(dev=True) for other in others]))
            yield without.seen.name + " (dev) alone", part.part(dev=False), without.judge


def judged_table(cases: Iterator[tuple[str, Seen, Judge]]) -> str:
    """A row a case: fitted on, tested on, AUROC, false refusals and answers at the fit's own bound."""
    rows = []
    for origin, seen, judge in cases:
        confidence = confidences(judge, seen)
        covered, uncovered = confidence[seen.covered], confidence[~seen.covered]
        off_topic = confidence[~seen.covered & ~seen.near]
        rows.append(
            [
                origin,
                f"{seen.name} (test)",
                f"{len(covered)} / {len(uncovered)}",
                metrics.auroc(covered, uncovered),
                _rate(covered < judge.answered_from),
                _rate(uncovered >= judge.answered_from),
                _rate(covered < judge.related_from),
                _rate(off_topic < judge.related_from),
            ]
        )
    header = ["fitted on", "tested on", "covered / uncovered", "AUROC", "false refusals", "false answers"]
    return table([*header, "covered shown nothing", "off-topic shown nothing"], rows)


def _rate(values: Labels) -> Figure:
    return rate(list(map(bool, values)))


def bins_of(confidence: Floats, covered: Labels) -> list[tuple[float, float, int]]:
    """Of each bin of confidence that holds questions: mean confidence, share covered, number of questions.

    >>> bins_of(np.array([0.05, 0.95, 0.97]), np.array([False, True, False]))
    [(0.05, 0.0, 1), (0.96, 0.5, 2)]
    """
    numbers = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    found = []
    for number in np.unique(numbers):
        members = numbers == number
        found.append((float(confidence[members].mean()), float(covered[members].mean()), int(members.sum())))
    return found


def calibration_error(confidence: Floats, covered: Labels) -> float:
    """The mean distance of confidence and share covered over bins, weighted by their questions."""
    return sum(abs(mean - share) * n for mean, share, n in bins_of(confidence, covered)) / max(len(confidence), 1)


def reliability_plot(confidence: Floats, covered: Labels) -> str:
    """An SVG: share of covered questions against confidence, a dot a bin with its number of questions, beside the diagonal."""
    left, top, side = 60, 20, 360

    def x(value: float) -> float:
        return round(left + side * value, 1)

    def y(value: float) -> float:
        return round(top + side * (1 - value), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + side + 30} {top + side + 60}" role="img"'
        ' aria-labelledby="title" font-family="sans-serif" font-size="12">',
        "<title id='title'>Share of test questions that the library covers, by confidence</title>",
        f'<rect width="{left + side + 30}" height="{top + side + 60}" fill="#fff"/>',
        f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="none" stroke="#333"/>',
        f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}" stroke="#999" stroke-dasharray="4 4"/>',
    ]
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts.append(f'<text x="{x(tick)}" y="{y(0) + 18}" text-anchor="middle">{tick:.1f}</text>')
        parts.append(f'<text x="{x(0) - 8}" y="{y(tick) + 4}" text-anchor="end">{tick:.1f}</text>')
    for mean, share, n in bins_of(confidence, covered):
        radius = round(3 + 0.8 * n**0.5, 1)
        parts.append(f'<circle cx="{x(mean)}" cy="{y(share)}" r="{radius}" fill="#1f6f8b" fill-opacity="0.75"/>')
        parts.append(f'<text x="{x(mean)}" y="{y(share) - radius - 3}" text-anchor="middle" fill="#333">{n}</text>')
    parts.append(f'<text x="{x(0.5)}" y="{y(0) + 42}" text-anchor="middle">confidence</text>')
    parts.append(f'<text transform="rotate(-90)" x="{-y(0.5)}" y="18" text-anchor="middle">share covered</text>')
    return "\n".join([*parts, "</svg>", ""])


def main(argv: Sequence[str] | None = None) -> int:
    """Fit, store the judge and its plot, and write the tables; progress goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m litsearch.evaluation.calibrate", description=__doc__)
    parser.add_argument("--work", metavar="DIR", type=Path, help="keep the indexes here (default: a temporary folder)")
    parser.add_argument("--public", action="store_true", help="also judge parts of SciFact and MedQuAD, which were not fitted on")
    parser.add_argument("--print", action="store_true", dest="only_print", help="write no file")
    arguments = parser.parse_args(argv)
    started = time.perf_counter()

    def say(line: str) -> None:
        print(f"{time.perf_counter() - started:5.0f} s  {line}", file=sys.stderr, flush=True)

    try:
        settings = load_settings()
        with tempfile.TemporaryDirectory() as temporary:
            _calibrate(settings, (arguments.work or Path(temporary)).resolve(), arguments, say)
    except LitsearchError as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 1
    return 0


def _calibrate(settings: Settings, work: Path, arguments: argparse.Namespace, say: Callable[[str], None]) -> None:
    """A judge for the search alone, and one for the search with the reranker where there is one."""
    reranker = open_reranker(settings.reranker, n_threads=1)
    _calibrate_one(replace(settings, reranker="none"), "", work, arguments, say)
    if reranker is not None:
        _calibrate_one(settings, reranker.sha256, work, arguments, say)


def _calibrate_one(
    settings: Settings, reranker_sha256: str, work: Path, arguments: argparse.Namespace, say: Callable[[str], None]
) -> None:
    corpora = open_corpora(settings, work, say)
    manifests = {corpus.name: corpus.bench.manifest() for corpus in corpora}
    seen = []
    for corpus in corpora:
        seen.append(see(corpus.name, corpus.bench, labelled(corpus.questions)))
        say(f"{corpus.name}: signals of {len(seen[-1].covered)} questions")
    beside, elsewhere = see_libraries(replace(settings, index=corpora[0].bench.settings.index), work / "libraries")
    say(f"signals of {len(beside.covered) + len(elsewhere.covered)} questions on small libraries")
    # Without the reranker a linear judge cannot serve both: what it gains on the libraries it loses on our own questions.
    fitted = fit(join([part.part(dev=True) for part in seen]), beside if reranker_sha256 else None)
    test = join([part.part(dev=False) for part in seen])
    model = json.dumps(stored(fitted, {name: str(m["generation"]) for name, m in manifests.items()}, reranker_sha256), indent=1)
    part = "calibration-reranked" if reranker_sha256 else "calibration"
    plot = "reliability.svg" if reranker_sha256 else "reliability-search-alone.svg"
    text = report(fitted, seen, elsewhere, manifests, settings.n_threads, plot)
    print(model, text, sep="\n\n", flush=True)
    if not arguments.only_print:
        write_whole(RERANKED_FILE if reranker_sha256 else MODEL_FILE, f"{model}\n".encode())
        write_whole(DOCS / plot, reliability_plot(confidences(fitted.judge, test), test.covered).encode())
        write_part(part, text)
    if arguments.public:
        public = _public(fitted, settings, corpora[0].bench.settings, work, say)
        print(public)
        if not arguments.only_print:
            write_part("public-reranked" if reranker_sha256 else "public", public)


def _public(fitted: Fitted, settings: Settings, with_model: Settings, work: Path, say: Callable[[str], None]) -> str:
    cases = []
    for name, make in (("SciFact", scifact_case), ("MedQuAD", medquad_case)):
        folder = DATA / name.lower()
        if not folder.is_dir():
            say(f"{name} is not at {folder}; left out.")
            continue
        case = make(folder)
        seen = see_public(case, with_model, work / name.lower())
        cases.append((fitted.seen.name + " (dev)", seen, fitted.judge))
        say(f"{name}: signals of {len(seen.covered)} questions on {len(case.documents)} documents")
    return (
        "Written by `python -m litsearch.evaluation.calibrate --public`; do not edit by hand. Part of each set"
        f" ({date.today().isoformat()}, fitted judge as above): a question is uncovered when the documents that answer it were"
        " taken out, so that all others on its subject stay.\n\n" + judged_table(iter(cases))
    )


if __name__ == "__main__":
    sys.exit(main())
