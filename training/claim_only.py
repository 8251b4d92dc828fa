"""What the wording of claims alone gives away of their stance: the baseline that a stance model must leave behind.

    python -m training.claim_only [--data DIR]

A logistic regression on the shipped encoder's vectors of the claims, without the texts, fitted on the train fold and measured on
the dev fold of each set. Balanced classes, so that guessing gives a third.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from random import Random

from sklearn.linear_model import LogisticRegression

from litsearch.embedding import open_encoder
from litsearch.settings import load_settings
from training.stance import by_source, judged

_MOST = 12_000  # claims that it learns from: more would take minutes


def main(given: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seed", type=int, default=20261121)
    arguments = parser.parse_args(None if given is None else list(given))
    settings = load_settings()
    encoder = open_encoder(settings.model, settings.index / "models", n_threads=settings.n_threads)
    found = judged(arguments.data, seed=arguments.seed)
    learn, aside = ([one for one in found if one.fold == fold] for fold in ("train", "dev"))
    learn = Random(arguments.seed).sample(learn, _MOST)
    judge = LogisticRegression(max_iter=500, class_weight="balanced")
    judge.fit(encoder.embed([one.claim for one in learn]), [one.stance for one in learn])
    said = judge.predict(encoder.embed([one.claim for one in aside]))
    print("| set | pairs | accuracy | macro-F1 |\n|---|---:|---:|---:|")
    for name, figures in by_source(aside, said).items():
        print(f"| {name} | {figures['pairs']} | {figures['accuracy']:.3f} | {figures['macro-F1']:.3f} |")


if __name__ == "__main__":
    main()
