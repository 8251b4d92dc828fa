"""The fitted judge: bounds at the stated rates, a probability that holds, a file that the search reads back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from litsearch.evaluation.calibrate import (
    NAMES,
    Seen,
    bins_of,
    calibration_error,
    confidences,
    fit,
    join,
    reliability_plot,
    report,
    see,
    stored,
)
from litsearch.ingesting import ingest
from litsearch.ranking.answerability import Signals, load_judge
from litsearch.searching import Searcher
from litsearch.settings import Settings
from tests.conftest import ARTICLE


def drawn(n: int, *, apart: float = 1.0, share: float = 0.7, seed: int = 0, name: str = "drawn") -> Seen:
    """Questions whose first signal is ``apart`` standard deviations higher when they are covered; the others are noise."""
    generator = np.random.default_rng(seed)
    covered = generator.random(n) < share
    signals = generator.normal(size=(n, len(NAMES)))
    signals[:, 0] += apart * covered
    signals[:, 0] = 0.5 + 0.1 * signals[:, 0]
    near = covered | (generator.random(n) < 0.5)
    return Seen(name, signals, covered, near, generator.random(n) < 0.5)


def test_the_signal_that_tells_gets_the_weight() -> None:
    """Every signal but the first is noise of ten times its spread, so per unit of spread the first must lead by far."""
    seen = drawn(400, apart=2.0)
    weights = np.array([fit(seen).judge.weights[name] for name in NAMES]) * seen.signals.std(axis=0)
    assert weights[0] > 1
    assert np.abs(weights[1:]).max() < weights[0] / 3


def test_false_refusals_equal_false_answers_at_the_default() -> None:
    rates = fit(drawn(400, apart=2.0)).rates()
    assert rates["false_refusals"] == pytest.approx(rates["false_answers"], abs=0.02)
    assert 0.05 < rates["false_refusals"] < 0.30


def test_few_covered_questions_are_told_that_there_is_nothing() -> None:
    fitted = fit(drawn(400, apart=1.0))
    assert fitted.rates()["covered_below_related"] <= 0.03
    assert 0 < fitted.judge.related_from <= fitted.judge.answered_from


def test_no_more_is_kept_back_than_the_off_topic_ones_need() -> None:
    """When the two sorts are far apart, the lower bound stops at 90 % of the off-topic ones and costs no covered one."""
    fitted = fit(drawn(400, apart=4.0))
    assert fitted.rates()["covered_below_related"] == 0
    assert fitted.rates()["off_topic_below_related"] == pytest.approx(0.9, abs=0.02)


def test_confidence_is_a_probability_on_other_questions() -> None:
    """Weighing both classes alike would shift it; on 4,000 fresh questions of the same sort it is off by a few per cent."""
    judge = fit(drawn(1_000, apart=1.5, share=0.8)).judge
    fresh = drawn(4_000, apart=1.5, share=0.8, seed=1)
    confidence = confidences(judge, fresh)
    assert confidence.mean() == pytest.approx(0.8, abs=0.04)
    assert calibration_error(confidence, fresh.covered) < 0.05


def test_a_signal_that_never_changes_does_no_harm() -> None:
    seen = drawn(200)
    seen.signals[:, 6] = 0.0
    assert all(np.isfinite(list(fit(seen).judge.weights.values())))


def test_questions_beside_teach_a_little_and_set_no_bound() -> None:
    """Beside, the second signal tells, which in our own questions is noise: it gets some weight, the first keeps more."""
    own, beside = drawn(400, apart=2.0), drawn(400, apart=0.0, seed=1)
    beside.signals[:, 1] += 2.0 * beside.covered
    spread = own.signals.std(axis=0)
    alone, fitted = ([fit(own, *more).judge.weights[name] for name in NAMES] * spread for more in ((), (beside,)))
    assert abs(alone[1]) < 0.2 * alone[0]
    assert 0.2 * fitted[0] < fitted[1] < fitted[0]
    assert fit(own, beside).seen is own
    assert len(fit(own, beside).out_of_fold) == 400


def test_the_stored_judge_is_read_back(tmp_path: Path) -> None:
    fitted = fit(drawn(200))
    file = tmp_path / "answerability.json"
    file.write_text(json.dumps(stored(fitted, {"committed": "abc"})))
    assert load_judge(file) == fitted.judge
    file.write_text(json.dumps(stored(fitted, {}, "abc")))
    assert load_judge(file) == replace(fitted.judge, reranker_sha256="abc")
    file.write_text(json.dumps(stored(fitted, {"committed": "abc"})))
    about = json.loads(file.read_text())["fitted"]
    assert about["questions"] == 200
    assert about["generations"] == {"committed": "abc"}
    assert about["covered_share"] == pytest.approx(fitted.seen.covered.mean(), abs=1e-4)


def test_the_same_questions_give_the_same_judge() -> None:
    assert fit(drawn(200)).judge == fit(drawn(200)).judge


def test_a_corpus_is_judged_by_what_the_others_taught() -> None:
    """Two corpora on whose first signal covered questions lie on opposite sides: each must fail the other."""
    one, other = drawn(300, apart=3.0, name="one"), drawn(300, apart=-3.0, seed=1, name="other")
    fitted = fit(join([part.part(dev=True) for part in (one, other)]))
    manifest = {
        "generation": "g",
        "inputs": {"files": {}},
        "n_documents": 1,
        "n_passages": 1,
        "model": {"name": "m", "sha256": "0" * 64},
    }
    elsewhere = drawn(300, apart=3.0, seed=2, name="elsewhere")
    lines = report(fitted, [one, other], elsewhere, {"one": manifest}, 2).splitlines()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if "(test)" in line]
    assert [(row[1], row[2]) for row in rows] == [
        *(("one + other (dev)", f"{tested} (test)") for tested in ("one", "other", "elsewhere")),
        ("other (dev) alone", "one (test)"),
        ("one (dev) alone", "other (test)"),
    ]
    assert all(float(row[4].split()[0]) < 0.2 for row in rows if "alone" in row[1])


def test_bins_and_their_error_by_hand() -> None:
    """(0.05: none of 1 covered; 0.9 on average: one of 2): (1 * 0.05 + 2 * 0.4) / 3."""
    confidence, covered = np.array([0.05, 0.9, 0.9]), np.array([False, True, False])
    assert bins_of(confidence, covered) == [(0.05, 0.0, 1), (0.9, 0.5, 2)]
    assert calibration_error(confidence, covered) == pytest.approx(0.85 / 3)
    assert bins_of(np.array([1.0]), np.array([True])) == [(1.0, 1.0, 1)]


def test_the_plot_shows_every_bin() -> None:
    svg = ElementTree.fromstring(reliability_plot(np.array([0.05, 0.9, 0.9]), np.array([False, True, False])))
    circles = svg.findall("{http://www.w3.org/2000/svg}circle")
    labels = [text.text for text in svg.findall("{http://www.w3.org/2000/svg}text")]
    assert len(circles) == 2
    assert {"1", "2", "confidence", "share covered"} <= set(labels)


def test_signals_come_from_the_search_and_refused_questions_are_left_out(
    real_settings: Callable[[Path], Settings], tmp_path: Path
) -> None:
    (tmp_path / "scars.md").write_text(ARTICLE)
    settings = real_settings(tmp_path)
    ingest(settings)
    searcher = Searcher(settings)
    seen = see(
        "tiny", searcher, [("Who should wait?", True, True, True), ("???", True, True, True), ("Price?", False, True, False)]
    )
    assert seen.covered.tolist() == [True, False]
    assert seen.dev.tolist() == [True, False]
    assert Signals(*seen.signals[0].tolist()) == searcher.signals("Who should wait?")
