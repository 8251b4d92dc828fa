"""Questions to start from: a list by subject, of which only those are offered that the library in use answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from litsearch.lexical import terms_of
from litsearch.records import Answers

# What people ask before and after a treatment, in their words, by what they want to know. Offered only where answered.
CANDIDATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("what", ("What is microneedling?", "How is it different from microdermabrasion?")),
    (
        "works",
        (
            "Does it help acne scars?",
            "Can it improve stretch marks?",
            "Does it help melasma?",
            "Does it make hair grow back?",
            "Does it help with wrinkles?",
        ),
    ),
    (
        "course",
        ("How many sessions do I need for scars?", "How long is the recovery?", "Does it hurt?", "Is numbing cream used?"),
    ),
    (
        "care",
        (
            "What should I put on my skin afterwards?",
            "What should I avoid before treatment?",
            "Can I wear make-up on the day?",
        ),
    ),
    (
        "safety",
        (
            "Who should not have microneedling?",
            "Is it safe for dark skin?",
            "Can I have it while taking isotretinoin?",
            "What are the side effects?",
            "What are the risks of doing it at home?",
            "What does the FDA say about it?",
        ),
    ),
    ("compare", ("Is it better than laser?", "Is it better than a chemical peel?", "Does adding PRP make it work better?")),
)


@dataclass(frozen=True, slots=True)
class Example:
    """A question that the library answers, its subject, and the articles that answer it."""

    question: str
    subject: str
    confidence: float
    documents: tuple[str, ...]


def answered_examples(
    ask: Callable[[str], Answers], candidates: Sequence[tuple[str, Sequence[str]]] = CANDIDATES
) -> list[Example]:
    """The candidates that the library answers, in their order."""
    examples: list[Example] = []
    for subject, questions in candidates:
        for question in questions:
            answers = ask(question)
            if answers.answered:
                documents = tuple(dict.fromkeys(hit.passage.document_id for hit in answers.hits))
                examples.append(Example(question, subject, answers.confidence, documents))
    return examples


def varied(examples: Sequence[Example], n: int) -> list[Example]:
    """The ``n`` examples to show first: those answered with most confidence, one a subject before a second of any."""
    ordered = sorted(examples, key=lambda e: -e.confidence)
    chosen: list[Example] = []
    taken: dict[str, int] = {}
    for depth in range(len(ordered)):
        for example in ordered:
            if len(chosen) < n and example not in chosen and taken.get(example.subject, 0) == depth:
                chosen.append(example)
                taken[example.subject] = depth + 1
    return [example for example in examples if example in chosen]


def near(question: str, found_in: Sequence[str], examples: Sequence[Example], n: int = 3) -> list[Example]:
    """The ``n`` examples closest to a question: by the words and the articles in common, then the surest first.

    A word counts by how few of the examples hold it (1 / number of examples), an article common to both by 1 / number of the
    example's articles.

    >>> scars, lines = Example("Does it help scars?", "works", 0.7, ("a",)), Example("Does it help lines?", "works", 0.9, ("b",))
    >>> [e.question for e in near("Will it help a scar from a burn?", [], [scars, lines], 1)]
    ['Does it help scars?']
    """
    words, articles = set(terms_of(question)), set(found_in)
    counts = Counter(term for example in examples for term in set(terms_of(example.question)))

    def closeness(example: Example) -> tuple[float, float]:
        shared = sum(1 / counts[term] for term in words & set(terms_of(example.question)))
        common = len(articles & set(example.documents)) / max(len(example.documents), 1)
        return (shared + common, example.confidence)

    return sorted(examples, key=closeness, reverse=True)[:n]
