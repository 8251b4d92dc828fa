"""The command line: arguments in, JSON or plain lines out on standard output, logs and progress on standard error."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from litsearch import claims_commands, library_commands
from litsearch.errors import CorpusError, IndexProblem, LitsearchError, QuestionError, SettingsError
from litsearch.records import Answers, IngestReport
from litsearch.settings import LOG_VARIABLE, Settings, load_settings

OK, REFUSED, UNUSABLE = 0, 1, 2


def ingest_main(argv: Sequence[str] | None = None) -> int:
    """``python ingest.py``: exit 0 published or already fresh; 1 refused files, or stale under ``--check``; 2 unusable arguments."""
    parser = argparse.ArgumentParser(prog="ingest.py", description="Bring the index up to date with the articles in the corpus.")
    parser.add_argument("--corpus", metavar="DIR", help="folder of articles (default: corpus/)")
    parser.add_argument("--index", metavar="DIR", help="folder of the index (default: index/)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="only say whether the index is up to date; change nothing")
    how.add_argument("--watch", action="store_true", help="stay, and do it again whenever the articles change; Ctrl+C ends it")
    parser.add_argument("--workers", metavar="N|ray://HOST:PORT", help="embed by N processes here, or by a Ray cluster")
    parser.add_argument("--rebuild", action="store_true", help="read and embed everything anew")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    return _run(parser, argv, _ingest)


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m litsearch COMMAND``: exit 0 done; 1 an error with its remedy on standard error; 2 unusable arguments."""
    parser = argparse.ArgumentParser(prog="python -m litsearch", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", help="answer questions from the index")
    ask.add_argument(
        "question", nargs="*", metavar="QUESTION", help="without one, questions are read from standard input, one a line"
    )
    ask.add_argument("--index", metavar="DIR")
    ask.add_argument("--top", type=_positive, default=5, metavar="N", help="hits a question (default: 5)")
    ask.add_argument("--json", action="store_true", help="one JSON object a question")
    ask.set_defaults(run=_ask)

    claims_commands.add_to(commands)
    library_commands.add_to(commands, _progress_bar)

    evaluate = commands.add_parser("evaluate", help="measure the search on a public data set in BEIR's layout")
    evaluate.add_argument("dataset", metavar="DATASET", help="folder with corpus.jsonl, queries.jsonl and qrels/test.tsv")
    evaluate.add_argument("--index", metavar="DIR", help="keep the data set's index here (default: a temporary folder)")
    evaluate.add_argument("--queries", type=_positive, default=0, metavar="N", help="only so many queries, always the same ones")
    evaluate.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    evaluate.set_defaults(run=_evaluate)

    rollback = commands.add_parser("rollback", help="serve an earlier generation of the index again")
    rollback.add_argument("generation", nargs="?", metavar="GENERATION", help="default: the one before the current")
    rollback.add_argument("--index", metavar="DIR")
    rollback.add_argument("--json", action="store_true")
    rollback.set_defaults(run=_rollback)
    return _run(parser, argv, lambda arguments: arguments.run(arguments))


def _run(parser: argparse.ArgumentParser, argv: Sequence[str] | None, command: Callable[[argparse.Namespace], int]) -> int:
    arguments = parser.parse_args(argv)
    # UTF-8 whatever the locale; bytes that are no text become marks in a question and escapes (valid in JSON) in the output.
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)
    try:
        _start_log(os.environ.get(LOG_VARIABLE, "WARNING").upper())
        return command(arguments)
    except SettingsError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return UNUSABLE
    except LitsearchError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def _start_log(level: str) -> None:
    if level not in logging.getLevelNamesMapping():
        raise SettingsError(f"{LOG_VARIABLE} must be one of DEBUG, INFO, WARNING and ERROR, not {level!r}.")
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(message)s")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)


# ---------------------------------------------------------------------------------------------------------- ingest


def _ingest(arguments: argparse.Namespace) -> int:
    from litsearch.ingesting import check, ingest

    settings = load_settings(corpus=arguments.corpus, index=arguments.index, workers=arguments.workers)
    if not settings.corpus.is_dir():
        raise SettingsError(f"The corpus folder {settings.corpus} is missing. Create it or name another: --corpus DIR")
    if arguments.watch:
        return _watch(settings, arguments)
    if arguments.check:
        try:
            report = check(settings)
        except (IndexProblem, CorpusError) as error:
            print(f"ingest.py: {error}", file=sys.stderr)
            return REFUSED
    else:
        report = ingest(settings, rebuild=arguments.rebuild, progress=_progress_bar())
    _print_report(report, arguments)
    return REFUSED if report.refused or not (report.fresh or report.published) else OK


def _watch(settings: Settings, arguments: argparse.Namespace) -> int:
    from litsearch.ingesting import ingest
    from litsearch.library.watching import watch

    anew = [arguments.rebuild]  # the first time alone
    print(f"ingest.py: watching {settings.corpus}; Ctrl+C ends it.", file=sys.stderr)
    try:
        watch(
            settings,
            on_report=lambda report: _print_report(report, arguments),
            on_problem=lambda problem: print(f"ingest.py: {problem}", file=sys.stderr),
            run=lambda now: ingest(now, rebuild=bool(anew and anew.pop()), progress=_progress_bar()),
        )
    except KeyboardInterrupt:
        # An ingest that is at work is given up: the generation in use stays.
        print("\ningest.py: no longer watching.", file=sys.stderr)
    return OK


def _print_report(report: IngestReport, arguments: argparse.Namespace) -> None:
    if arguments.json:
        _print_json(report.to_json())
    else:
        print("\n".join(_report_lines(report, check_only=arguments.check)), flush=True)


def _progress_bar() -> Callable[[str, int, int], None]:
    """A progress bar on standard error, a new one each stage; none where standard error is no terminal."""
    from tqdm import tqdm

    bars: dict[str, Any] = {}

    def show(stage: str, done: int, of: int) -> None:
        if not of:
            return
        if stage not in bars:
            bars[stage] = tqdm(total=of, desc=stage, file=sys.stderr, disable=None, leave=True)
        bars[stage].update(done - bars[stage].n)
        if done >= of:
            bars[stage].close()

    return show


def _report_lines(report: IngestReport, *, check_only: bool) -> Iterator[str]:
    if report.fresh:
        yield f"The index is up to date: {report.documents} articles, {report.passages} passages (generation {report.generation})."
    elif check_only:
        yield f"The index is out of date (generation {report.generation}). Run: python ingest.py"
    else:
        yield (
            f"Published generation {report.generation}: {report.documents} articles, {report.passages} passages,"
            f" {report.embedded} texts embedded, {report.seconds:.1f} s."
        )
    for note in report.notes:
        yield f"  {note}"
    for name, paths in (("added", report.added), ("changed", report.changed), ("removed", report.removed)):
        if paths:
            yield f"  {name}: {len(paths)}" + (f" ({', '.join(paths)})" if len(paths) <= 10 else "")
    for old, new in report.renamed:
        yield f"  renamed: {old} -> {new}"
    for path, repair in report.repairs:
        yield f"  mended in {path}: {repair.what}" + (f" ({repair.example})" if repair.example else "")
    for refusal in report.refused:
        yield f"  REFUSED {refusal.path}: {refusal.reason}"


# ------------------------------------------------------------------------------------------------------------- ask


def _ask(arguments: argparse.Namespace) -> int:
    from litsearch.searching import Searcher

    searcher = Searcher(load_settings(index=arguments.index))
    status = OK
    for question in arguments.question or _lines():
        try:
            answers = searcher.ask(question, top=arguments.top)
        except QuestionError as error:
            # One unusable line must not cost the answers to the others.
            print(f"ask: {error}", file=sys.stderr)
            status = REFUSED
            continue
        if arguments.json:
            _print_json(answers.to_json())
        else:
            print("\n".join(_answer_lines(answers)), flush=True)
    return status


def _lines() -> Iterator[str]:
    for line in sys.stdin:
        if line.strip():
            yield line.rstrip("\n")


def _answer_lines(answers: Answers) -> Iterator[str]:
    opening = {
        "answered": "",
        "related": "No passage clearly answers this. Related passages:",
        "nothing": "Nothing in the library answers this.",
    }
    yield f"\n{answers.question}"
    if opening[answers.outcome]:
        yield opening[answers.outcome]
    for hit in answers.hits:
        section = f" | {hit.passage.section}" if hit.passage.section else ""
        yield f"\n{hit.rank}. {hit.metadata.name}{section}"
        yield f"   {hit.metadata.citation()['kind_label']} | {hit.metadata.by} | {hit.metadata.date or 'date not stated'} | {hit.path}"
        yield "   " + hit.passage.text.replace("\n", "\n   ")


# -------------------------------------------------------------------------------------------------------- evaluate


def _evaluate(arguments: argparse.Namespace) -> int:
    from litsearch.evaluation.beir import evaluate, lines_of

    index = Path(arguments.index) if arguments.index else None
    report = evaluate(
        Path(arguments.dataset), load_settings(), index=index, n_queries=arguments.queries, progress=_progress_bar()
    )
    if arguments.json:
        _print_json(report)
    else:
        print("\n".join(lines_of(report)))
    return OK


# -------------------------------------------------------------------------------------------------------- rollback


def _rollback(arguments: argparse.Namespace) -> int:
    from litsearch.index import Index

    settings = load_settings(index=arguments.index)
    index = Index.of(settings)
    index.current_id()  # without an index there is nothing to lock
    with index.locked():
        generation_id = index.roll_back(arguments.generation)
    if arguments.json:
        _print_json({"generation": generation_id})
    else:
        print(f"Generation {generation_id} is served again. The next ingest brings the index up to date with the corpus.")
    return OK
