"""Check the small libraries that were written for training, and make groups to train on from them.

python -m training.libraries                     check every folder
python -m training.libraries tattoo-removal      check one
python -m training.libraries --out groups.jsonl  make groups to train on, as training.data does
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from litsearch.evaluation.indexes import Bench
from litsearch.evaluation.libraries import FOLDER, Library, read_libraries, read_library
from litsearch.evaluation.questions import is_right
from litsearch.records import Passage
from litsearch.settings import load_settings

_MOST_OTHERS = 14  # look-alikes a group, those that the search puts first


def groups_of(library: Library, bench: Bench, *, seed: int = 20261121) -> Iterator[dict]:
    """One group a question, in the form of ``training.data``: what answers, then what the search finds most like an answer.

    An answer is a passage that holds one of the quotes, and the quote's own sentence; a question that the library leaves open
    has look-alikes alone.
    """
    rng = Random(f"{seed} {library.name}")
    paths = {document_id: path for document_id, path, _ in bench.articles()}
    headers = {document_id: metadata.title for document_id, _, metadata in bench.articles()}
    articles = {document_id: bench.article(document_id) for document_id in paths}

    def lead_in(passage: Passage) -> str:
        article = articles[passage.document_id]
        return f"{article.lead_in_of(passage)} " if article and passage.lead_in else ""

    def whole(passage: Passage, *, states: bool) -> dict:
        title = ". ".join(part for part in (headers[passage.document_id], passage.section) if part)
        return {"title": title, "text": lead_in(passage) + passage.text, "states": states}

    def sentence(passage: Passage, text: str, *, states: bool) -> dict:
        return {"title": "", "text": lead_in(passage) + text, "states": states}

    for question in library.asked():
        stating, others = [], []
        for passage, _ in bench.rank_passages(question.text, 60):
            path = [paths[passage.document_id]]
            if is_right(question.golds, path, passage.text):
                stating.append(whole(passage, states=True))
                stating += [
                    sentence(passage, gold.text, states=True) for gold in question.golds if is_right([gold], path, passage.text)
                ]
            elif len(others) < _MOST_OTHERS:
                others.append(whole(passage, states=False))
                long = [s for s in passage.sentences if s.end - s.start > 25]
                if long and len(others) % 3 == 0:
                    drawn = rng.choice(long)
                    text = passage.text[drawn.start - passage.start : drawn.end - passage.start]
                    others.append(sentence(passage, text, states=False))
        if question.answerable and not stating:
            continue
        yield {
            "question": question.text,
            "source": "libraries",
            "doc_id": library.name,
            "fold": library.fold,
            "candidates": stating + others,
        }


def write_groups(out: Path, work: Path | None) -> None:
    """Index every library, below ``work`` where it is named, and write the groups of all, a line each."""
    settings = load_settings()
    with TemporaryDirectory() as temporary, out.open("w", encoding="utf-8") as lines:
        for library in read_libraries():
            bench = library.open(settings, work or Path(temporary))
            settings = replace(settings, index=bench.settings.index)  # the model is exported once
            for group in groups_of(library, bench):
                lines.write(json.dumps(group, ensure_ascii=False) + "\n")


def main(argv: list[str] | None = None) -> int:
    """Check libraries and print what each holds; 0 when all are right, 1 when one is not."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="folders to check; all of them when none is named")
    parser.add_argument("--out", type=Path, help="write groups to train on, those of every library, to this file")
    parser.add_argument("--work", type=Path, help="keep the indexes that it takes here")
    arguments = parser.parse_args(argv)
    if arguments.out:
        write_groups(arguments.out, arguments.work)
        return 0
    wrong = 0
    for folder in sorted(path for path in FOLDER.iterdir() if path.is_dir()):
        if arguments.names and folder.name not in arguments.names:
            continue
        try:
            library = read_library(folder)
        except (OSError, ValueError) as error:
            print(error)
            wrong += 1
            continue
        answered = [q for q in library.questions if q.answers]
        print(
            f"{library.name} ({library.fold}): {len(library.articles)} articles, {sum(len(t.split()) for t in library.articles.values())} words; "
            f"{len(answered)} questions answered ({sum(len(q.answers) for q in answered)} quotes), "
            f"{len(library.questions) - len(answered)} left open; "
            f"claims {dict(Counter(c.stance for c in library.claims))}; styles {dict(Counter(q.style for q in library.questions))}"
        )
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
