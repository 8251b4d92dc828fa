"""What two kept generations differ in: documents, passages, and the questions whose first answer moved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from litsearch.errors import IndexMissing, QuestionError
from litsearch.index import Generation, Index
from litsearch.records import Answers, Document, Passage

# Two passages are one, edited, from this share of letters in common (rapidfuzz's ratio). One sentence of three rewritten
# leaves about two thirds; under another heading more must agree, because a text's place speaks for it no longer.
SAME_PLACE = 0.6
OTHER_PLACE = 0.8


@dataclass(frozen=True, slots=True)
class PlacedPassage:
    """A passage with the file that it stands in."""

    path: str
    passage: Passage

    def to_json(self) -> dict[str, Any]:
        """The passage as the command line prints it."""
        p = self.passage
        return {
            "passage_id": p.passage_id,
            "document_id": p.document_id,
            "path": self.path,
            "section": p.section,
            "start": p.start,
            "end": p.end,
            "text": p.text,
        }


@dataclass(frozen=True, slots=True)
class Edit:
    """One passage before and after; ``shared_letters`` (0..1) and ``same_place`` are what made it one passage."""

    before: PlacedPassage
    after: PlacedPassage
    shared_letters: float
    same_place: bool

    @property
    def decided_by(self) -> str:
        """Why these two count as one passage, in words."""
        where = "the same heading" if self.same_place else "another heading"
        return f"the same document, {where}, {self.shared_letters:.0%} of the letters in common"


@dataclass(frozen=True, slots=True)
class Changes:
    """What the generation ``new`` has that ``old`` had not, and the other way round. Documents are named by their ids."""

    old: str
    new: str
    made_differently: tuple[str, ...]
    added_documents: tuple[str, ...]
    changed_documents: tuple[str, ...]
    renamed_documents: tuple[tuple[str, str], ...]
    removed_documents: tuple[str, ...]
    added: tuple[PlacedPassage, ...]
    removed: tuple[PlacedPassage, ...]
    edited: tuple[Edit, ...]

    @property
    def n_documents(self) -> int:
        """How many documents differ."""
        parts = (self.added_documents, self.changed_documents, self.renamed_documents, self.removed_documents)
        return sum(map(len, parts))

    def to_json(self) -> dict[str, Any]:
        """The changes as the command line prints them (a stable contract)."""
        return {
            "old": self.old,
            "new": self.new,
            "made_differently": list(self.made_differently),
            "documents": {
                "added": list(self.added_documents),
                "changed": list(self.changed_documents),
                "renamed": [list(pair) for pair in self.renamed_documents],
                "removed": list(self.removed_documents),
            },
            "passages": {
                "added": [placed.to_json() for placed in self.added],
                "removed": [placed.to_json() for placed in self.removed],
                "edited": [
                    {
                        "before": edit.before.to_json(),
                        "after": edit.after.to_json(),
                        "shared_letters": round(edit.shared_letters, 4),
                        "decided_by": edit.decided_by,
                    }
                    for edit in self.edited
                ],
            },
        }


def pick(index: Index, old: str | None = None, new: str | None = None) -> tuple[str, str]:
    """The ids of the two generations to compare: the last two kept, or ``old`` and the last one, or the two named.

    Raises:
        IndexMissing: when there are not two, or one that is named is not kept; it lists those that are.
    """
    kept = index.history()
    if not kept:
        index.current_id()  # says what to do where nothing was ever built
    for name in (old, new):
        if name is not None and name not in kept:
            raise IndexMissing(f"Generation {name} is not kept in {index.root}. Kept, newest first: {', '.join(kept) or 'none'}.")
    if old is None and len(kept) < 2:
        raise IndexMissing(
            f"Only one generation is kept in {index.root} ({', '.join(kept)}), so there is nothing to compare it with yet."
        )
    return old or kept[1], new or kept[0]


def compare(old: Generation, new: Generation) -> Changes:
    """What differs from ``old`` to ``new``, in the order of the generations.

    A document is renamed when its text and metadata came back whole under another id. A passage stays the same while its
    document, heading and words do. Of what is left, two passages of one document are one that was edited when enough of
    their letters agree (``SAME_PLACE``, ``OTHER_PLACE``), the most alike first; the rest was added or removed.
    """
    before, after = ({d.document_id: d for d in g.catalogue.documents()} for g in (old, new))
    renamed = _renames([d for i, d in before.items() if i not in after], [d for i, d in after.items() if i not in before])
    old_passages, new_passages = _by_document(old), _by_document(new)
    added: list[PlacedPassage] = []
    removed: list[PlacedPassage] = []
    edited: list[Edit] = []
    for document_id, document in before.items():
        successor = after.get(renamed.get(document_id, document_id))
        gone = old_passages.get(document_id, [])
        come = new_passages.get(successor.document_id, []) if successor else []
        gone, come = _unmatched(gone, come), _unmatched(come, gone)
        pairs = _edits(gone, come)
        paths = document.path, successor.path if successor else ""
        edited += [
            Edit(PlacedPassage(paths[0], gone[i]), PlacedPassage(paths[1], come[j]), shared, gone[i].section == come[j].section)
            for i, j, shared in pairs
        ]
        edited_old, edited_new = {i for i, _, _ in pairs}, {j for _, j, _ in pairs}
        removed += [PlacedPassage(paths[0], p) for i, p in enumerate(gone) if i not in edited_old]
        added += [PlacedPassage(paths[1], p) for j, p in enumerate(come) if j not in edited_new]
    old_ids, new_ids = set(before) - set(renamed), set(after) - set(renamed.values())
    for document_id in after:
        if document_id in new_ids - old_ids:
            added += [PlacedPassage(after[document_id].path, p) for p in new_passages.get(document_id, [])]
    return Changes(
        old=old.generation_id,
        new=new.generation_id,
        made_differently=_made_differently(old.manifest["inputs"], new.manifest["inputs"]),
        added_documents=tuple(i for i in after if i in new_ids - old_ids),
        changed_documents=tuple(i for i in before if i in after and _content(before[i]) != _content(after[i])),
        renamed_documents=tuple(renamed.items()),
        removed_documents=tuple(i for i in before if i in old_ids - new_ids),
        added=tuple(added),
        removed=tuple(removed),
        edited=tuple(edited),
    )


def _by_document(generation: Generation) -> dict[str, list[Passage]]:
    found: dict[str, list[Passage]] = {}
    for passage in generation.catalogue.passages():
        found.setdefault(passage.document_id, []).append(passage)
    return found


def _content(document: Document) -> tuple[object, ...]:
    """What a document says and who says it; the file's name is no part of it."""
    return (document.text, document.blocks, replace(document.metadata, source=""))


def _renames(gone: Iterable[Document], come: Iterable[Document]) -> dict[str, str]:
    waiting: dict[tuple[object, ...], list[str]] = {}
    for document in come:
        waiting.setdefault(_content(document), []).append(document.document_id)
    renamed: dict[str, str] = {}
    for document in gone:
        names = waiting.get(_content(document))
        if names:
            renamed[document.document_id] = names.pop(0)
    return renamed


def _unmatched(passages: Sequence[Passage], others: Sequence[Passage]) -> list[Passage]:
    """The passages without one of the same heading and words among the others, each of those used once."""
    there: dict[tuple[str, str], int] = {}
    for other in others:
        key = (other.section, other.text)
        there[key] = there.get(key, 0) + 1
    left = []
    for passage in passages:
        key = (passage.section, passage.text)
        if there.get(key, 0):
            there[key] -= 1
        else:
            left.append(passage)
    return left


def _edits(gone: Sequence[Passage], come: Sequence[Passage]) -> list[tuple[int, int, float]]:
    """Pairs of positions that are one passage, edited, with the share of letters in common; the most alike pair first."""
    near: list[tuple[float, int, int]] = []
    for i, before in enumerate(gone):
        for j, after in enumerate(come):
            needed = SAME_PLACE if before.section == after.section else OTHER_PLACE
            shared = fuzz.ratio(before.text, after.text, score_cutoff=100 * needed) / 100
            if shared:
                near.append((shared, i, j))
    pairs: dict[int, tuple[int, float]] = {}
    taken: set[int] = set()
    for shared, i, j in sorted(near, key=lambda row: (-row[0], row[1], row[2])):
        if i not in pairs and j not in taken:
            pairs[i] = (j, shared)
            taken.add(j)
    return [(i, *pairs[i]) for i in sorted(pairs)]


def _made_differently(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """What, beside the files, was another for the two generations: it can change passages and answers of unchanged articles."""
    return tuple(name for name in ("model", "splitter", "readers", "limits", "form") if old.get(name) != new.get(name))


# ------------------------------------------------------------------------------------------------------- questions

Ask = Callable[[str], Answers]


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What a reader sees first: the outcome and, when it is answered, the first passage with its answering sentence."""

    outcome: str
    confidence: float
    document_id: str = ""
    path: str = ""
    section: str = ""
    text: str = ""
    answer: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        return {
            "outcome": self.outcome,
            "confidence": round(self.confidence, 4),
            "path": self.path,
            "section": self.section,
            "text": self.text,
            "answer": self.answer,
        }


@dataclass(frozen=True, slots=True)
class Moved:
    """A question whose first answer is another one now, or is one no longer."""

    question: str
    before: FirstAnswer
    after: FirstAnswer

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        return {"question": self.question, "before": self.before.to_json(), "after": self.after.to_json()}


def moved_answers(
    questions: Sequence[str],
    before: Ask,
    after: Ask,
    renamed: Sequence[tuple[str, str]] = (),
    progress: Callable[[str, int, int], None] = lambda stage, done, of: None,
) -> list[Moved]:
    """The questions whose first answer moved, in their order; one that cannot be asked is left out.

    It moved when the question is answered in one generation alone, or when the first passage has other words or stands in
    another document; a file's new name (``renamed``) makes no other document. Where neither answers, nothing moved.
    """
    names = dict(renamed)
    moved: list[Moved] = []
    for number, question in enumerate(questions, start=1):
        try:
            old, new = _first(before(question)), _first(after(question))
        except QuestionError:
            continue
        finally:
            progress("asking", number, len(questions))
        if (names.get(old.document_id, old.document_id), old.text) != (new.document_id, new.text):
            moved.append(Moved(question, old, new))
    return moved


def _first(answers: Answers) -> FirstAnswer:
    if not answers.answered or not answers.hits:
        return FirstAnswer(answers.outcome, answers.confidence)
    hit = answers.hits[0]
    passage = hit.passage
    return FirstAnswer(
        answers.outcome, answers.confidence, passage.document_id, hit.path, passage.section, passage.text, hit.answer.text
    )


def read_questions(place: Path) -> list[str]:
    """The questions of a file (JSON lines with ``question`` or ``text``, else one a line), or of a folder's ``questions-*.jsonl``.

    Each once, in their order.

    Raises:
        QuestionError: when there are none, or the file cannot be read.
    """
    files = sorted(place.glob("questions-*.jsonl")) if place.is_dir() else [place]
    found: list[str] = []
    for file in files:
        try:
            lines = [line for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
            found += [_question(line) if file.suffix == ".jsonl" else line.strip() for line in lines]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise QuestionError(
                f"{file} is no file of questions ({error}). Write one a line, or JSON lines with a field 'question'."
            ) from error
    if not found:
        raise QuestionError(f"{place} holds no questions. Write one a line, or JSON lines with a field 'question'.")
    return list(dict.fromkeys(found))


def _question(line: str) -> str:
    row = json.loads(line)
    return str(row["question"] if "question" in row else row["text"])
