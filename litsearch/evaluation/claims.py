"""Claims with known findings through the check story: how many are found right, and how many in the wrong direction.

Run: ``python -m litsearch.evaluation.claims --committed INDEX --originals INDEX --texts DIR`` (see ``--help``).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from litsearch.checking import Checker
from litsearch.claims.records import Evidence, Finding, Judgement
from litsearch.claims.stance import Premise, RuleStances, Stances
from litsearch.errors import LitsearchError
from litsearch.searching import Searcher
from litsearch.settings import ROOT, load_settings

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
        "macro_f1_of_three": round(sum(_f1(pairs, c) for c in ("stated", "conflicts", "not_found")) / 3, 4),
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


def scifact(folder: Path, stances: Stances, *, limit: int = 0) -> dict[str, Any]:
    """SciFact train claims against the sentences of their cited abstracts: a claim's label is the surest stance of any sentence.

    Claims without evidence in a cited abstract count as neutral there. Source: Wadden et al., EMNLP 2020.
    """
    sentences: dict[int, list[str]] = {}
    titles: dict[int, str] = {}
    with gzip.open(folder / "corpus_sentences.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            sentences[row["doc_id"]], titles[row["doc_id"]] = row["abstract"], row["title"]
    pairs: list[tuple[str, str]] = []
    rationale: list[bool] = []
    with gzip.open(folder / "claims_train.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][: limit or None]
    for row in rows:
        for document in row["cited_doc_ids"]:
            held = row["evidence"].get(str(document), [])
            expected = {"SUPPORT": "stated", "CONTRADICT": "conflicts"}.get(held[0]["label"] if held else "", "not_found")
            premises = [
                Premise(text, n, n + 1, section=titles[document], similarity=0.5) for n, text in enumerate(sentences[document])
            ]
            judged = stances.judge(row["claim"], premises)
            best = _surest(judged)
            pairs.append(
                (expected, {"supports": "stated", "qualifies": "stated", "conflicts": "conflicts"}.get(best.stance, "not_found"))
            )
            if held and best.stance != "neutral":
                rationale.append(any(best.start in group["sentences"] for group in held))
    classes = ("stated", "conflicts", "not_found")
    return {
        "pairs": len(pairs),
        "accuracy": _rate([a == b for a, b in pairs]),
        "macro_f1": round(sum(_f1(pairs, c) for c in classes) / 3, 4),
        "f1": {c: round(_f1(pairs, c), 4) for c in classes},
        "wrong_direction": _rate([b == "stated" for a, b in pairs if a == "conflicts"]),
        "judged_on_a_rationale_sentence": _rate(rationale),
        "confusion": {f"{a} -> {b}": n for (a, b), n in sorted(Counter(pairs).items())},
    }


def _surest(judged: Sequence[Judgement]) -> Judgement:
    return min(judged, key=lambda j: (j.stance == "neutral", -j.confidence, j.start))


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
    parser.add_argument("--scifact", type=Path, metavar="DIR", help="SciFact train through the rules instead (minutes)")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="with --scifact: only the first N claims")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    try:
        if arguments.scifact:
            _print({"scifact train": scifact(arguments.scifact, RuleStances(), limit=arguments.limit)}, as_json=arguments.json)
            return 0
        outcomes = list(_outcomes(arguments))
    except LitsearchError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
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


def _outcomes(arguments: argparse.Namespace) -> Iterator[Outcome]:
    expected = load_expected(arguments.claims, arguments.texts if arguments.originals else None)
    if arguments.half != "both":
        expected = [row for row in expected if row.half == arguments.half]
    for corpus, index in (("committed", arguments.committed), ("originals", arguments.originals)):
        rows = [row for row in expected if row.corpus == corpus]
        if rows:
            settings = load_settings(index=index)
            yield from run(Checker(Searcher(settings), settings), rows)


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
