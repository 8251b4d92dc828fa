"""What the wording of claims alone gives away of their stance: the baseline that a stance model must leave behind.

    python -m training.claim_only [--data DIR]

A logistic regression on the shipped encoder's vectors of the claims, without the texts, fitted on the train fold and measured on
the dev fold of each set. Balanced classes, so that guessing gives a third.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

from litsearch.embedding import open_encoder
from litsearch.settings import load_settings
from training.stance import Judged, judged

_MOST = {"train": 12_000, "dev": 3_000}


def main(given: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seed", type=int, default=20261121)
    arguments = parser.parse_args(None if given is None else list(given))
    settings = load_settings()
    encoder = open_encoder(settings.model, settings.index / "models", n_threads=settings.n_threads)
    folds: dict[str, list[Judged]] = {"train": [], "dev": []}
    for one in judged(arguments.data, seed=arguments.seed):
        folds.get(one.fold, []).append(one)
    rng = Random(arguments.seed)
    learn, aside = (rng.sample(of, min(len(of), _MOST[name])) for name, of in folds.items())
    judge = LogisticRegression(max_iter=500, class_weight="balanced")
    judge.fit(encoder.embed([one.claim for one in learn]), [one.stance for one in learn])
    said = judge.predict(encoder.embed([one.claim for one in aside]))
    groups: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(aside):
        for name in ("all", one.source):
            groups[name].append(number)
    print("| set | pairs | accuracy | macro-F1 |\n|---|---:|---:|---:|")
    for name, numbers in sorted(groups.items()):
        true = np.array([aside[number].stance for number in numbers])
        f1 = f1_score(true, said[numbers], average="macro")
        print(f"| {name} | {len(numbers)} | {accuracy_score(true, said[numbers]):.3f} | {f1:.3f} |")


if __name__ == "__main__":
    main()
