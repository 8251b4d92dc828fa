"""The library on the command line: ``changes``, ``report``, ``add`` and ``remove``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from litsearch.errors import CorpusError, Refused, StorageError
from litsearch.settings import ROOT, Settings, load_settings

if TYPE_CHECKING:
    from litsearch.library.comparing import Changes, Moved
    from litsearch.library.report import GenerationReport

OK, REFUSED = 0, 1
_QUALITY_SET = ROOT / "tests" / "quality"
_PREVIEW = 160


def add_to(commands: Any, progress_bar: Callable[[], Callable[[str, int, int], None]]) -> None:
    """Add the library's commands to the parser's (an ``argparse`` sub-parsers action)."""
    changes = commands.add_parser("changes", help="what two kept generations of the index differ in")
    changes.add_argument("old", nargs="?", metavar="OLD", help="default: the one published before the last")
    changes.add_argument("new", nargs="?", metavar="NEW", help="default: the one published last")
    changes.add_argument("--index", metavar="DIR")
    asked = changes.add_mutually_exclusive_group()
    asked.add_argument(
        "--questions", type=Path, metavar="FILE", help="questions to ask of both (default: the project's own, where they are)"
    )
    asked.add_argument("--no-questions", action="store_true", help="compare documents and passages alone")
    changes.add_argument("--json", action="store_true", help="print the changes as one JSON object")
    changes.set_defaults(run=lambda arguments: _changes(arguments, progress_bar()))

    report = commands.add_parser("report", help="the quality of the articles: repairs, reprints, what is missing, readability")
    report.add_argument("--index", metavar="DIR")
    report.add_argument("--json", action="store_true", help="print the report as one JSON object")
    report.set_defaults(run=_report)

    add = commands.add_parser("add", help="put files into the corpus, each once its reader has read it")
    add.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add.set_defaults(run=_add)
    remove = commands.add_parser("remove", help="take articles out of the corpus, into its hidden folder .removed")
    remove.add_argument("paths", nargs="+", metavar="PATH", help="as the reports name it: relative to the corpus")
    remove.set_defaults(run=_remove)
    for command in (add, remove):
        command.add_argument("--corpus", metavar="DIR")


# --------------------------------------------------------------------------------------------------------- changes


def _changes(arguments: argparse.Namespace, progress: Callable[[str, int, int], None]) -> int:
    from litsearch.index import Index
    from litsearch.library.comparing import compare, pick, read_questions

    settings = load_settings(index=arguments.index)
    index = Index.of(settings)
    old, new = pick(index, arguments.old, arguments.new)
    place = arguments.questions or (_QUALITY_SET if _QUALITY_SET.is_dir() and not arguments.no_questions else None)
    questions = read_questions(place) if place else []
    before, after = index.open(old), index.open(new)
    with closing(before.catalogue), closing(after.catalogue):
        changes = compare(before, after)
    moved = _moved(settings, changes, questions, progress)
    if arguments.json:
        asked = {"asked": len(questions), "moved": [one.to_json() for one in moved]}
        _print_json({**changes.to_json(), "questions": asked})
    else:
        print("\n".join(_change_lines(changes, moved, len(questions))))
    return OK


def _moved(settings: Settings, changes: Changes, questions: list[str], progress: Callable[[str, int, int], None]) -> list[Moved]:
    from litsearch.library.comparing import moved_answers
    from litsearch.searching import Searcher

    if not questions or changes.old == changes.new:
        return []
    before, after = (Searcher(settings, generation=name) for name in (changes.old, changes.new))
    renamed = changes.renamed_documents
    return moved_answers(questions, lambda q: before.ask(q, top=1), lambda q: after.ask(q, top=1), renamed, progress)


def _change_lines(changes: Changes, moved: list[Moved], n_asked: int) -> Iterator[str]:
    yield f"From generation {changes.old} to {changes.new}:"
    if changes.made_differently:
        yield f"  also made differently: {', '.join(changes.made_differently)}"
    lists = {"added": changes.added_documents, "changed": changes.changed_documents, "removed": changes.removed_documents}
    for what, documents in lists.items():
        yield from (f"  article {what}: {document_id}" for document_id in documents)
    yield from (f"  article renamed: {old} -> {new}" for old, new in changes.renamed_documents)
    yield f"Passages: {len(changes.added)} added, {len(changes.removed)} removed, {len(changes.edited)} edited."
    for sign, passages in (("+", changes.added), ("-", changes.removed)):
        yield from (f"  {sign} {placed.path}: {_short(placed.passage.text)}" for placed in passages)
    for edit in changes.edited:
        yield f"  ~ {edit.after.path} ({edit.decided_by})"
        yield f"      before: {_short(edit.before.passage.text)}"
        yield f"      after:  {_short(edit.after.passage.text)}"
    if n_asked:
        yield f"Questions whose first answer moved: {len(moved)} of {n_asked}."
    for one in moved:
        yield f"  ? {one.question}"
        for when, first in (("before", one.before), ("after", one.after)):
            yield f"      {when + ':':<7} " + (f"{first.path}: {_short(first.answer)}" if first.text else f"({first.outcome})")


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _PREVIEW else f"{words[: _PREVIEW - 2]} …"


# ---------------------------------------------------------------------------------------------------------- report

_PROBLEMS = {
    "title": "no title",
    "date": "no date",
    "author": "no author or publisher",
    "kind": "kind of source not stated",
    "reprint": "the same text as another article",
    "heading": "headings with nothing under them",
    "caption": "descriptions of pictures, left out of the search",
    "short": "passages of a few words",
    "reading": "very difficult to read (reading ease below 30)",
}


def _report(arguments: argparse.Namespace) -> int:
    from litsearch.index import Index
    from litsearch.library.report import report_of

    generation = Index.of(load_settings(index=arguments.index)).open()
    with closing(generation.catalogue):
        report = report_of(generation)
    if arguments.json:
        _print_json(report.to_json())
    else:
        print("\n".join(_report_lines(report)))
    return OK


def _report_lines(report: GenerationReport) -> Iterator[str]:
    n_sources = len(report.sources)
    yield f"Generation {report.generation}: {len(report.articles)} articles, {n_sources} independent sources."
    if eases := [article.reading_ease for article in report.articles if article.reading_ease is not None]:
        yield (
            f"Reading ease of {len(eases)} articles: from {min(eases):.0f} to {max(eases):.0f}, median {median(eases):.0f}"
            " (60 to 70 is plain English, below 30 very difficult; each article's own with --json)."
        )
    for name, n_articles in sorted(report.problem_counts().items(), key=lambda row: (-row[1], row[0])):
        yield f"{_PROBLEMS[name]}: {n_articles} article{'s' if n_articles > 1 else ''}"
        for article in report.articles:
            found = [problem.detail for problem in article.problems if problem.name == name]
            if found:
                details = "; ".join(_short(detail) for detail in found[:3] if detail)
                more = f" and {len(found) - 3} more" if len(found) > 3 else ""
                yield f"  {article.document_id}" + (f" ({details}{more})" if details else "")
    for article in report.articles:
        yield from (f"mended in {article.document_id}: {repair.what} ({repair.count})" for repair in article.repairs)
    yield from (f"REFUSED {refusal.path}: {refusal.reason}" for refusal in report.refused)
    if report.problem_counts().keys() & {"title", "date", "author", "kind"}:
        yield (
            "To state a title, date, author or kind of source, write a file beside the article that has its whole name with"
            " .meta.yml behind it (leaflet.pdf.meta.yml), with lines such as 'year: 2021'."
        )


# --------------------------------------------------------------------------------------------------- add and remove

_NEXT = "The index does not have this yet. Run: python ingest.py"


def _add(arguments: argparse.Namespace) -> int:
    from litsearch.ingesting import SIDECAR
    from litsearch.library.shelving import add_article

    settings = load_settings(corpus=arguments.corpus)
    # A description needs its article to be there.
    files = sorted(arguments.files, key=lambda file: file.name.endswith(SIDECAR))
    return _each(files, lambda file: f"added {add_article(settings, file.name, _content(file))}")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise Refused("is not there. Check the spelling of its name and the folder.") from error
    except IsADirectoryError as error:
        raise Refused("is a folder. Name the files in it.") from error
    except OSError as error:
        raise Refused(f"cannot be opened ({error.strerror}). Mend its permissions.") from error


def _remove(arguments: argparse.Namespace) -> int:
    from litsearch.library.shelving import remove_article

    settings = load_settings(corpus=arguments.corpus)
    return _each(arguments.paths, lambda path: f"removed {path}; it lies in {remove_article(settings, path)} now")


def _each(names: Sequence[Any], do: Callable[[Any], str]) -> int:
    """Do it for each, the others too where one cannot be done."""
    done, status = 0, OK
    for name in names:
        try:
            print(do(name))
            done += 1
        except Refused as refused:
            print(f"{name} {refused}", file=sys.stderr)
            status = REFUSED
        except (CorpusError, StorageError) as error:
            print(f"{error}", file=sys.stderr)
            status = REFUSED
    if done:
        print(_NEXT)
    return status


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)
