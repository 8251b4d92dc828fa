"""Documents to passages: what a reader would quote, with its section, role and sentences, never longer than the model sees."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from syntok import segmenter

from litsearch.records import Block, Document, Passage, Role, Span

CountTokens = Callable[[Sequence[str]], list[int]]

# Goes up when the same document would be split differently; it is part of every index, so an old index is named as such.
SPLITTER_VERSION = 2


@dataclass(frozen=True, slots=True)
class SplitRules:
    """How long a passage may be, heading included, in the model's own tokens."""

    max_tokens: int = 256


# First match wins. The words are those that papers, leaflets and regulators use for their sections.
_ROLES: tuple[tuple[Role, str], ...] = (
    ("declarations", r"declar|conflict|competing|funding|acknowledg|disclosure|registration|ethic|data availab|references|author contrib"),
    ("caution", r"should not|shouldn.t|who should|bad candidate|not (a |be )?(good |suitable )?candidate|contra.?indicat|precaution"
                r"|warning|caution|higher risk|at risk|concern\b|advised against|avoid|when to (call|see|get)|do not"),
    ("safety", r"safety|side.?effect|adverse|complication|harm|toler|risks?\b|lasting or serious"),
    ("limits", r"limit|point to watch|bear in mind|cannot promise|weakness|strengths and|how strong"),
    ("conclusion", r"conclu|how the authors|interpretation|discussion|implication|what (it|this) means|take.?home|key points|summary|in short"),
    ("methods", r"method|who was studied|was studied|how it was done|what was reviewed|were judged|was measured|patients and|participants"
                r"|materials|study design|\bdesign\b|setting|search strategy|main outcome|intervention|eligib|statistic|investigat"),
    ("results", r"result|what was found|finding|outcome|course\b|efficacy|effectiveness"),
    ("aim", r"^question$|objective|\baims?\b|purpose|hypothes|why it was (reported|done)|rationale|why it matters|research question"),
    ("background", r"background|introduction|context|what prompted|overview of|importance"),
    ("advice", r"advice|aftercare|after.?care|prepar|before (you|your|treat)|after (that|treat|your|the)|first day|on the day|home use|recovery"
               r"|for patients|how many sessions|what to expect|what to do|post.?treatment|looking after|instructions"),
)  # fmt: skip
_ROLE_PATTERNS = tuple((role, re.compile(pattern, re.IGNORECASE)) for role, pattern in _ROLES)

# Says in so many words that some people should not have it, or should ask first: such a passage is a caution wherever it stands.
_CAUTION_TEXT = re.compile(
    r"not (be )?(suitable|recommended|advised|right|safe|appropriate) (for|in|if|with)|should (not|avoid|never)\b.{0,60}\b(treat|have|undergo|use)"
    r"|contra.?indicat|bad candidate|not a (good )?candidate|see (your|a) (doctor|dermatologist|health).{0,30}(before|first|prior)"
    r"|(consult|talk|speak|check) (to |with )?(your|a|an) [a-z ]{0,40}before|if you have any of the following|must not|who should not",
    re.IGNORECASE,
)


def split(document: Document, rules: SplitRules, count_tokens: CountTokens) -> list[Passage]:
    """The passages of one document, in its order.

    A paragraph is a passage. A list of short items is one passage together with the sentence that introduces it; items of
    several sentences are passages of their own that keep the introduction as ``lead_in``. What is longer than
    ``rules.max_tokens`` together with its heading is cut between sentences, or between words when one sentence alone is too
    long. Headings, captions and empty stretches give no passage. Every span is into ``document.text``.
    """
    passages: list[Passage] = []
    seen: dict[str, int] = {}
    for piece in _pieces(document, rules, count_tokens):
        text = document.text[piece.start : piece.end]
        key = "\x00".join((document.document_id, piece.section, text))
        occurrence = seen[key] = seen.get(key, -1) + 1
        passages.append(
            Passage(
                passage_id=hashlib.blake2b(f"{key}\x00{occurrence}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest(),
                document_id=document.document_id,
                start=piece.start,
                end=piece.end,
                text=text,
                section=piece.section,
                role=role_of(piece.headings, text),
                sentences=tuple(piece.sentences),
                lead_in=piece.lead_in,
                page=piece.page,
            )
        )
    return passages


def role_of(headings: Sequence[str], text: str) -> Role:
    """What a passage does in its document, by its own heading first, then the headings above it, then its words.

    >>> role_of(["Microneedling", "Who was studied"], "Twenty adults took part.")
    'methods'
    >>> role_of(["Benefits"], "It may not be suitable for everyone.")
    'caution'
    """
    for heading in reversed(headings):
        for role, pattern in _ROLE_PATTERNS:
            if pattern.search(heading):
                # "What to expect" may still hold the list of people who should not have it.
                return "caution" if role == "advice" and _mostly_caution(text) else role
        if heading is headings[-1] and _mostly_caution(text):
            return "caution"
    return "caution" if _mostly_caution(text) else "text"


def _mostly_caution(text: str) -> bool:
    """Whether cautions make up a third of the text: one "ask your doctor" at the end of an advertisement does not."""
    if not _CAUTION_TEXT.search(text):
        return False  # most passages: finding their sentences takes longer than all else
    sentences = sentences_of(text)
    n_cautions = sum(bool(_CAUTION_TEXT.search(text[s.start : s.end])) for s in sentences)
    # A list under "see your doctor first if you have" is one caution, however many items it has.
    introduced = bool(sentences) and bool(_CAUTION_TEXT.search(text[sentences[0].start : sentences[0].end])) and "\n" in text
    return introduced or (n_cautions > 0 and 3 * n_cautions >= len(sentences))


def headed(title: str, passage: Passage, lead_in: str) -> str:
    """A passage as the models and the word index see it: under its article's title and section, after its list's introduction.

    >>> headed("Recovery", Passage("p", "d", 0, 5, "swim.", "Do not", "advice", (Span(0, 5),)), "For a week, do not:")
    'Recovery. Do not. For a week, do not: swim.'
    """
    parts = [f"{part}." for part in (title, passage.section) if part]
    return " ".join([*parts, *([lead_in] if lead_in else []), passage.text])


def caution_in(passage: Passage) -> int:
    """The place among a passage's sentences of the one that says who should not have it or should ask first; 0 where none does."""
    texts = (passage.text[s.start - passage.start : s.end - passage.start] for s in passage.sentences)
    return next((place for place, text in enumerate(texts) if _CAUTION_TEXT.search(text)), 0)


def sentences_of(text: str, start: int = 0) -> list[Span]:
    """The sentences of a text as spans, shifted by ``start``; white space belongs to none.

    >>> [(s.start, s.end) for s in sentences_of("It is safe. Is it?")]
    [(0, 11), (12, 18)]
    """
    spans: list[Span] = []
    for paragraph in segmenter.analyze(text):
        for tokens in paragraph:
            begin, end = tokens[0].offset, tokens[-1].offset + len(tokens[-1].value)
            spans.append(Span(start + begin, start + end))
    return spans


@dataclass(slots=True)
class _Piece:
    start: int
    end: int
    sentences: list[Span]
    headings: list[str]
    lead_in: Span | None = None
    page: int | None = None

    @property
    def section(self) -> str:
        return " > ".join(self.headings)


def _pieces(document: Document, rules: SplitRules, count_tokens: CountTokens) -> Iterator[_Piece]:
    headings: list[tuple[int, str]] = []
    blocks = [block for block in document.blocks if block.kind != "caption"]
    position = 0
    while position < len(blocks):
        block = blocks[position]
        if block.kind == "heading":
            headings = [(level, text) for level, text in headings if level < block.level]
            headings.append((block.level, " ".join(document.text[block.start : block.end].split())))
            position += 1
            continue
        run = _list_run(blocks, position)
        path = [text for _, text in headings]
        if path and path[0] == document.metadata.title:
            path = path[1:]
        room = rules.max_tokens - 2 - min(_header_tokens(document, path, count_tokens), rules.max_tokens // 2)
        if run:
            yield from _list_pieces(document, blocks, position, run, path, room, count_tokens)
            position += len(run)
        else:
            yield from _cut(document, block, path, room, count_tokens)
            position += 1


def _header_tokens(document: Document, path: Sequence[str], count_tokens: CountTokens) -> int:
    # A heading of half the model's room would leave none for the passage: the encoder's text is cut there instead.
    return min(96, count_tokens([f"{document.metadata.title}. {' > '.join(path)}. "])[0])


def _list_run(blocks: Sequence[Block], position: int) -> list[Block]:
    """The blocks of one list from here: its lead-in, when this block introduces items, and the items."""
    run = [blocks[position]]
    if run[0].kind == "paragraph":
        following = blocks[position + 1].kind if position + 1 < len(blocks) else ""
        if following not in ("item", "row"):
            return []
    kind = run[0].kind if run[0].kind in ("item", "row") else blocks[position + 1].kind
    for block in blocks[position + 1 :]:
        if block.kind != kind:
            break
        run.append(block)
    return run


def _list_pieces(
    document: Document,
    blocks: Sequence[Block],
    position: int,
    run: list[Block],
    path: list[str],
    room: int,
    count_tokens: CountTokens,
) -> Iterator[_Piece]:
    introduced = run[0].kind == "paragraph"
    items = run[1:] if introduced else run
    lead_sentences = sentences_of(document.text[run[0].start : run[0].end], run[0].start) if introduced else []
    item_sentences = [sentences_of(document.text[b.start : b.end], b.start) for b in items]
    counts = count_tokens([document.text[b.start : b.end] for b in run])
    lead_in = lead_sentences[-1] if lead_sentences else None
    long_items = sum(len(sentences) > 1 for sentences in item_sentences) > len(items) / 2
    if sum(counts) + 3 * len(items) <= room and not long_items:
        yield _Piece(run[0].start, run[-1].end, lead_sentences + [s for ss in item_sentences for s in ss], path, page=run[0].page)
        return
    if introduced:
        yield from _cut(document, run[0], path, room, count_tokens)
        counts = counts[1:]
    lead_tokens = count_tokens([document.text[lead_in.start : lead_in.end]])[0] if lead_in else 0
    room_here = max(room - lead_tokens, room // 2)
    packed: list[int] = []
    for number, block in enumerate(items):
        alone = long_items or counts[number] > room_here
        if packed and (alone or sum(counts[n] + 3 for n in packed) + counts[number] > room_here):
            yield _packed(items, item_sentences, packed, path, lead_in)
            packed = []
        if alone:
            for piece in _cut(document, block, path, room_here, count_tokens):
                piece.lead_in = lead_in
                yield piece
        else:
            packed.append(number)
    if packed:
        yield _packed(items, item_sentences, packed, path, lead_in)


def _packed(items: list[Block], sentences: list[list[Span]], numbers: list[int], path: list[str], lead_in: Span | None) -> _Piece:
    first, last = items[numbers[0]], items[numbers[-1]]
    return _Piece(first.start, last.end, [s for n in numbers for s in sentences[n]], path, lead_in, first.page)


def _cut(document: Document, block: Block, path: list[str], room: int, count_tokens: CountTokens) -> Iterator[_Piece]:
    """One block as pieces of at most ``room`` tokens, cut between sentences where that can be."""
    sentences = sentences_of(document.text[block.start : block.end], block.start)
    if not any(document.text[s.start : s.end].strip(" -–—•*_.|\n") for s in sentences):
        return
    counts = count_tokens([document.text[s.start : s.end] for s in sentences])
    held: list[Span] = []
    used = 0
    for sentence, count in zip(sentences, counts, strict=True):
        if held and used + count > room:
            yield _Piece(held[0].start, held[-1].end, held, path, page=block.page)
            held, used = [], 0
        if count > room:
            for part in _cut_sentence(document.text, sentence, room, count_tokens):
                yield _Piece(part.start, part.end, [part], path, page=block.page)
            continue
        held.append(sentence)
        used += count
    if held:
        yield _Piece(held[0].start, held[-1].end, held, path, page=block.page)


def _cut_sentence(text: str, sentence: Span, room: int, count_tokens: CountTokens) -> Iterator[Span]:
    """A sentence too long for the model, cut between words; a word longer than that, between characters."""
    start = sentence.start
    while start < sentence.end:
        # One token is at least one character, so this window holds all that could fit; it shrinks by measuring.
        end = min(sentence.end, start + room * 12)
        while count_tokens([text[start:end]])[0] > room and end - start > 1:
            end = start + max(1, int((end - start) * 0.8))
        if end < sentence.end:
            word_end = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = word_end if word_end > start + (end - start) // 2 else end
        begin, stop = start, end
        while begin < stop and text[begin].isspace():
            begin += 1
        while stop > begin and text[stop - 1].isspace():
            stop -= 1
        if stop > begin:
            yield Span(begin, stop)
        start = end
