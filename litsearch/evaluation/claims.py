"""Claims with known findings through the check story: how many are found right, and how many in the wrong direction.

Run: ``python -m litsearch.evaluation.claims --committed INDEX --originals INDEX --texts DIR`` (see ``--help``).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np

from litsearch.checking import Checker, CheckRules, TextVectors, decide, weigh
from litsearch.claims.model import StanceModel, open_stance_model
from litsearch.claims.records import Evidence, Finding
from litsearch.embedding import Encoder, open_encoder
from litsearch.errors import LitsearchError
from litsearch.evaluation.libraries import Library, read_libraries
from litsearch.evaluation.metrics import N_RESAMPLES, Figure, mean
from litsearch.evaluation.results import RESULTS, commit, made_from, processor, table, write_part
from litsearch.records import Answer, Hit, Metadata, Passage, Span
from litsearch.searching import Searcher
from litsearch.settings import ROOT, Settings, load_settings

Half = Literal["dev", "test"]
CLASSES = ("stated", "conflicts", "qualified", "not_found")


@dataclass(frozen=True, slots=True)
class Expected:
    """One claim with the finding that a reader of the sources comes to, and the sentences that settle it."""

    claim_id: str
    corpus: str
    claim: str
    finding: str
    numbers: bool
    settles: tuple[str, ...]

    @property
    def half(self) -> Half:
        """Which half the claim is in, by its text alone, so that a claim never moves when others are added.

        >>> Expected("a", "committed", "It is painless.", "conflicts", False, ()).half
        'dev'
        """
        return "dev" if hashlib.sha256(self.claim.encode()).digest()[-1] % 2 else "test"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one expected claim."""

    expected: Expected
    finding: str
    settled: bool
    evidence: tuple[Evidence, ...]

    @property
    def found(self) -> str:
        """The finding as one of the four classes: passages that are only related do not cover a claim."""
        return "not_found" if self.finding in ("related", "not_found") else self.finding


def load_expected(file: Path, texts: Path | None) -> list[Expected]:
    """The claims of a file; those on the original texts only when their folder is there (places are offsets into its files)."""
    rows: list[Expected] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["corpus"] == "originals" and texts is None:
            continue
        settles = tuple(_settling(place, texts) for place in row["settles"])
        rows.append(Expected(row["id"], row["corpus"], row["claim"], row["finding"], row["numbers"], settles))
    return rows


def _settling(place: dict[str, Any], texts: Path | None) -> str:
    if "quote" in place:
        return str(place["quote"])
    if texts is None:
        raise ValueError(f"{place['path']} needs the folder of the original texts")
    whole: str = (texts / place["path"]).read_text(encoding="utf-8")
    return whole[int(place["start"]) : int(place["end"])]


def run(checker: Checker, expected: Iterable[Expected]) -> Iterator[Outcome]:
    """Every claim through the check story."""
    for row in expected:
        findings = [finding for finding in checker.check(row.claim) if finding.claim.factual]
        finding = _joined(findings)
        evidence = tuple(e for f in findings for e in f.evidence)
        yield Outcome(row, finding, any(_shows(e.text, quote) for e in evidence for quote in row.settles), evidence)


_FINDINGS = {"supports": "stated", "conflicts": "conflicts", "neutral": "not_found"}
# The draw of docs/RESULTS.md, "What the rules need to be sure of".
_DRAWN_BY = 3


def over_libraries(libraries: Iterable[Library], settings: Settings, work: Path, *, n_each: int) -> Iterator[Outcome]:
    """Claims of small libraries, ``n_each`` of each drawn by seed, asked of their whole library, which is indexed below ``work``."""
    for library in libraries:
        drawn = Random(_DRAWN_BY).sample(library.claims, min(n_each, len(library.claims)))  # noqa: S311 - a sample
        expected = (
            Expected(
                f"{library.name} {number}",
                library.name,
                claim.words,
                _FINDINGS[claim.stance],
                numbers=False,
                settles=() if claim.stance == "neutral" else (claim.quote.text,),
            )
            for number, claim in enumerate(drawn)
        )
        yield from run(Checker(library.open(settings, work), settings), expected)


def _joined(findings: Sequence[Finding]) -> str:
    """One finding for a text that was divided: the gravest part."""
    order = ("conflicts", "not_found", "related", "qualified", "stated")
    return min((f.finding for f in findings), key=order.index, default="not_found")


def _shows(text: str, quote: str) -> bool:
    """Whether a passage holds a quote, whatever a reader made of spaces, quotation marks and broken letters."""
    return _plain(quote) in _plain(text)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower().encode("ascii", "ignore").decode())


def measure(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of one set of outcomes; rates are 0..1.

    ``macro_f1`` is over the classes that occur; ``wrong_direction`` is the part of the contradicted claims that were found
    "stated"; ``uncovered_stated`` the part of those that the sources do not cover.
    """
    pairs = [(o.expected.finding, o.found) for o in outcomes]
    classes = [c for c in CLASSES if any(expected == c for expected, _ in pairs)]
    settled = [o.settled for o in outcomes if o.expected.settles]
    return {
        "claims": len(outcomes),
        "right": sum(a == b for a, b in pairs),
        "accuracy": _rate([a == b for a, b in pairs]),
        "macro_f1": round(sum(_f1(pairs, c) for c in classes) / len(classes), 4) if classes else 0.0,
        "macro_f1_of_three": round(sum(_f1(pairs, c) for c in _THREE) / 3, 4),
        "f1": {c: round(_f1(pairs, c), 4) for c in classes},
        "wrong_direction": _rate([found == "stated" for expected, found in pairs if expected == "conflicts"]),
        "uncovered_stated": _rate([found == "stated" for expected, found in pairs if expected == "not_found"]),
        "stated_as_conflicts": _rate([found == "conflicts" for expected, found in pairs if expected == "stated"]),
        "evidence_recall": _rate(settled),
        "confusion": {f"{a} -> {b}": n for (a, b), n in sorted(Counter(pairs).items())},
    }


def _f1(pairs: Sequence[tuple[str, str]], name: str) -> float:
    hits = sum(a == b == name for a, b in pairs)
    named = sum(a == name for a, _ in pairs) + sum(b == name for _, b in pairs)
    return 2 * hits / named if named else 0.0


def _rate(flags: Sequence[bool]) -> float:
    return round(sum(flags) / len(flags), 4) if flags else 0.0


# ------------------------------------------------------------------------------------------------------------ SciFact


@dataclass(frozen=True, slots=True)
class Settled:
    """A claim held against one abstract that it cites: what the annotators say of the two, and what the check story finds.

    ``on_rationale`` says whether the deciding sentence is one of the annotators'; None where either names none.
    """

    expected: str
    found: str
    on_rationale: bool | None


# Claims whose cited abstracts neither support nor contradict them: so many, always the same, beside all that are settled.
N_UNSETTLED = 200


def scifact(
    folder: Path, encoder: Encoder, model: StanceModel | None = None, *, n_unsettled: int = N_UNSETTLED, limit: int = 0
) -> list[Settled]:
    """SciFact train claims against the abstracts that they cite, weighed and decided as the check story does.

    All claims with evidence, and of those without a sample by the hash of their text. ``limit`` above 0 takes only so many.
    Source: Wadden et al., EMNLP 2020.
    """
    abstracts = {row["doc_id"]: _abstract(row) for row in _rows(folder / "corpus_sentences.jsonl.gz")}
    rows = list(_rows(folder / "claims_train.jsonl.gz"))
    unsettled = sorted(
        (row for row in rows if not row["evidence"]), key=lambda row: hashlib.sha256(row["claim"].encode()).digest()
    )
    chosen = [*(row for row in rows if row["evidence"]), *unsettled[:n_unsettled]]
    chosen.sort(key=lambda row: hashlib.sha256(row["claim"].encode()).digest())
    vectors, rules = TextVectors(encoder), CheckRules()
    found = []
    for row in chosen[: limit or None]:
        for document in row["cited_doc_ids"]:
            held = row["evidence"].get(str(document), [])
            expected = {"SUPPORT": "stated", "CONTRADICT": "conflicts"}.get(held[0]["label"] if held else "", "not_found")
            evidence = weigh(row["claim"], [abstracts[document]], vectors, model)
            named = _of_three(decide(evidence, rules)[0])
            rationale = {
                abstracts[document].passage.sentences[n].start
                for group in held
                for n in group["sentences"]
                if n < len(abstracts[document].passage.sentences)
            }
            on_rationale = evidence[0].sentence_start in rationale if rationale and named != "not_found" else None
            found.append(Settled(expected, named, on_rationale))
    return found


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _abstract(row: Mapping[str, Any]) -> Hit:
    """An abstract as one passage of the sentences that the annotators numbered."""
    spans: list[Span] = []
    text = ""
    for sentence in (s.strip() or "-" for s in row["abstract"]):
        text += " " if text else ""
        spans.append(Span(len(text), len(text) + len(sentence)))
        text += sentence
    passage = Passage(str(row["doc_id"]), str(row["doc_id"]), 0, len(text), text, "", "text", tuple(spans))
    return Hit(1, passage, "", Metadata(row["title"]), Answer(0, 0, ""), 0.0, 0.0)


_THREE = ("stated", "conflicts", "not_found")


def _of_three(finding: str) -> str:
    """A finding as one of three classes: qualified is stated with a condition, passages that are only related cover nothing."""
    return {"qualified": "stated", "related": "not_found"}.get(finding, finding)


def figures_of(pairs: Sequence[tuple[str, str]]) -> dict[str, Figure]:
    """Macro-F1 of three classes, wrong direction and the like with bootstrap intervals; a pair is (expected, found).

    Resampled are the pairs (1,000 times); a rate without a pair in a resample counts as 0 there.

    >>> figures_of([("stated", "stated"), ("conflicts", "stated")])["wrong direction"].value
    1.0
    """
    known = {(a, b): number for number, (a, b) in enumerate((a, b) for a in _THREE for b in _THREE)}
    cells = np.array([known[_of_three(a), _of_three(b)] for a, b in pairs], dtype=np.int64)
    counts = np.bincount(cells, minlength=9).astype(np.float64)
    drawn = np.random.default_rng(_SEED).multinomial(len(pairs), counts / max(counts.sum(), 1), size=N_RESAMPLES)
    tables = np.concatenate([counts[None], drawn]).reshape(-1, 3, 3)
    expected, found, hits = tables.sum(axis=2), tables.sum(axis=1), tables[:, range(3), range(3)]
    rates = {
        "macro-F1": (2 * hits / np.maximum(expected + found, 1)).mean(axis=1),
        "right": hits.sum(axis=1) / np.maximum(tables.sum(axis=(1, 2)), 1),
        "wrong direction": tables[:, 1, 0] / np.maximum(expected[:, 1], 1),
        "stated found conflicting": tables[:, 0, 1] / np.maximum(expected[:, 0], 1),
        "not covered found stated": tables[:, 2, 0] / np.maximum(expected[:, 2], 1),
        "conflicting found conflicting": hits[:, 1] / np.maximum(expected[:, 1], 1),
        "stated found stated": hits[:, 0] / np.maximum(expected[:, 0], 1),
    }
    return {
        name: Figure(float(v[0]), *(float(bound) for bound in np.percentile(v[1:], [2.5, 97.5]))) for name, v in rates.items()
    }


_SEED = 20_261_121


def record_scifact(
    found: Sequence[Settled], encoder: Encoder, model: StanceModel | None, n_threads: int, file: Path = RESULTS
) -> None:
    """Write the part "claims-scifact" of docs/RESULTS.md."""
    figures = figures_of([(row.expected, row.found) for row in found])
    expected = Counter(row.expected for row in found)
    rationale = [row.on_rationale for row in found if row.on_rationale is not None]
    confusion = Counter((row.expected, row.found) for row in found)
    text = "\n".join(
        [
            "Written by `python -m litsearch.evaluation.claims --scifact DIR --record`; do not edit by hand.",
            "",
            f"- date {date.today().isoformat()}, commit {commit()}",
            f"- model {encoder.name} (SHA-256 {encoder.sha256[:16]}); {stances_by(model)}",
            f"- {processor()}, {os.cpu_count()} cores, {n_threads} threads",
            "",
            f"**SciFact train claims against the abstracts they cite** ({len(found)} pairs of claim and abstract: {expected['stated']}"
            f" supported, {expected['conflicts']} contradicted, {expected['not_found']} neither; all claims with evidence, and"
            f" {N_UNSETTLED} without, drawn by hash). The abstract is weighed and decided on as a passage is in a check; a qualified"
            " statement counts as stated. 95 % bootstrap intervals (1,000 resamples of the pairs). Wrong direction: contradicted"
            " claims found stated. No rule was chosen on these claims.",
            "",
            table(["figure", "value"], [[name, figure] for name, figure in figures.items()]),
            "",
            table(
                ["annotators", *(f"found {c.replace('_', ' ')}" for c in _THREE)],
                [[a.replace("_", " "), *(confusion[a, b] for b in _THREE)] for a in _THREE],
            ),
            "",
            f"Where a stance was taken on a settled pair, the deciding sentence is one of the annotators' in {sum(rationale)} of"
            f" {len(rationale)}.",
        ]
    )
    write_part("claims-scifact", text, file)


def stances_by(model: StanceModel | None) -> str:
    """What told the stances, for the head of a table."""
    return f"stance by rules and {model.name} (SHA-256 {model.sha256[:16]})" if model else "stance by the rules alone"


def record_own(
    outcomes: Sequence[Outcome], manifests: Mapping[str, Mapping[str, Any]], n_threads: int, file: Path = RESULTS
) -> None:
    """Write the part "claims" of docs/RESULTS.md."""

    def row(name: str, of: Sequence[Outcome]) -> list[object]:
        figures = figures_of([(o.expected.finding, o.found) for o in of])
        recall = mean(np.array([float(o.settled) for o in of if o.expected.settles]))
        return [name, len(of), *(figures[shown] for shown in _SHOWN), recall]

    rows = [
        row(f"{corpus}, {half}", [o for o in outcomes if o.expected.half == half and o.expected.corpus == corpus])
        for half in ("dev", "test")
        for corpus in sorted({o.expected.corpus for o in outcomes})
    ]
    rows.append(row("with numbers, both halves", [o for o in outcomes if o.expected.numbers]))
    text = "\n".join(
        [
            "Written by `python -m litsearch.evaluation.claims --record`; do not edit by hand.",
            "",
            made_from(manifests, n_threads),
            "",
            "**Our own claims through the check story.** Macro-F1 over stated, conflicts and not found; a qualified claim counts as"
            " stated, passages that are only related do not cover a claim. Wrong direction: contradicted claims found stated. 95 %"
            " bootstrap intervals (1,000 resamples of the claims). The rules were chosen on the dev half.",
            "",
            table(["claims", "number", *_SHOWN, "evidence recall"], rows),
        ]
    )
    write_part("claims", text, file)


_SHOWN = ("macro-F1", "wrong direction", "stated found conflicting", "not covered found stated")


# -------------------------------------------------------------------------------------------------------- command line


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures, each half apart; ``--show`` lists what was found wrong in the dev half only."""
    parser = argparse.ArgumentParser(prog="python -m litsearch.evaluation.claims", description=__doc__)
    parser.add_argument("--claims", type=Path, default=ROOT / "tests" / "quality" / "claims.jsonl")
    parser.add_argument("--committed", metavar="INDEX", help="index of the committed corpus (default: index/)")
    parser.add_argument("--originals", metavar="INDEX", help="index of the original texts")
    parser.add_argument("--texts", type=Path, metavar="DIR", help="folder of the original texts")
    parser.add_argument("--half", choices=("dev", "test", "both"), default="both")
    parser.add_argument("--show", action="store_true", help="list the claims of the dev half that were found wrong")
    parser.add_argument("--scifact", type=Path, metavar="DIR", help="SciFact train against its cited abstracts instead (minutes)")
    parser.add_argument(
        "--libraries",
        type=Path,
        metavar="DIR",
        help="claims of the small libraries instead, indexed in DIR (a quarter of an hour)",
    )
    parser.add_argument("--each", type=int, default=24, metavar="N", help="with --libraries: claims of each (default: 24)")
    parser.add_argument("--record", action="store_true", help="write the figures to their part of docs/RESULTS.md")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="with --scifact: only the first N claims")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    try:
        if arguments.scifact:
            return _scifact(arguments)
        if arguments.libraries:
            chosen_on = [library for library in read_libraries() if library.fold == "dev"]
            outcomes = list(over_libraries(chosen_on, load_settings(), arguments.libraries, n_each=arguments.each))
            _print({"libraries": measure(outcomes)}, as_json=arguments.json)
            return 0
        manifests: dict[str, Mapping[str, Any]] = {}
        outcomes = list(_outcomes(arguments, manifests))
    except LitsearchError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    if arguments.record:
        record_own(outcomes, manifests, load_settings().n_threads)
    groups: dict[str, dict[str, Any]] = {}
    for half in ("dev", "test"):
        if arguments.half in (half, "both"):
            of_half = [o for o in outcomes if o.expected.half == half]
            groups[half] = measure(of_half)
            for corpus in sorted({o.expected.corpus for o in of_half}):
                groups[f"{half} {corpus}"] = measure([o for o in of_half if o.expected.corpus == corpus])
            groups[f"{half} with numbers"] = measure([o for o in of_half if o.expected.numbers])
    _print(groups, as_json=arguments.json)
    if arguments.show:
        for outcome in outcomes:
            if outcome.expected.half == "dev" and (
                outcome.found != outcome.expected.finding or (outcome.expected.settles and not outcome.settled)
            ):
                _show(outcome)
    return 0


def _scifact(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    encoder = open_encoder(settings.model, settings.index / "models", n_threads=settings.n_threads)
    model = open_stance_model(settings.stance, n_threads=settings.n_threads)
    found = scifact(arguments.scifact, encoder, model, limit=arguments.limit)
    if arguments.record:
        record_scifact(found, encoder, model, settings.n_threads)
    for name, figure in figures_of([(row.expected, row.found) for row in found]).items():
        print(json.dumps({"figure": name, "value": round(figure.value, 4)}) if arguments.json else f"{name}: {figure}")
    return 0


def _outcomes(arguments: argparse.Namespace, manifests: dict[str, Mapping[str, Any]]) -> Iterator[Outcome]:
    """Every expected claim's outcome; ``manifests`` is filled with what each index was made of."""
    expected = load_expected(arguments.claims, arguments.texts if arguments.originals else None)
    if arguments.half != "both":
        expected = [row for row in expected if row.half == arguments.half]
    for corpus, index in (("committed", arguments.committed), ("originals", arguments.originals)):
        rows = [row for row in expected if row.corpus == corpus]
        if rows:
            settings = load_settings(index=index)
            searcher = Searcher(settings)
            manifests[corpus] = searcher.manifest()
            yield from run(Checker(searcher, settings), rows)


def _print(groups: dict[str, dict[str, Any]], *, as_json: bool) -> None:
    for name, figures in groups.items():
        if as_json:
            print(json.dumps({"set": name, **figures}))
        else:
            print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in figures.items() if key not in ("confusion", "f1")))
            print("    " + ", ".join(f"{key}: {value}" for key, value in {**figures["f1"], **figures["confusion"]}.items()))


def _show(outcome: Outcome) -> None:
    print(
        f"\n{outcome.expected.claim_id} {outcome.expected.claim}\n  expected {outcome.expected.finding}, found"
        f" {outcome.finding}, settled {outcome.settled}"
    )
    for evidence in outcome.evidence[:4]:
        print(
            f"    {evidence.stance} {evidence.confidence:.2f} {evidence.why} | {evidence.path} | {evidence.sentence_text[:140]!r}"
        )


if __name__ == "__main__":
    sys.exit(main())
