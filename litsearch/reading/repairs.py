"""Mends what encodings and web pages did to a text, and records every mend."""

from __future__ import annotations

import re

import charset_normalizer
import ftfy

from litsearch.errors import Refused
from litsearch.records import Repair

# ftfy mends mojibake only: quotes, ligatures and widths stay as the source has them (verbatim is the promise). A letter of
# which the accident lost a byte becomes \ufffd: what it was is not known, and the rest of its line can be read again.
_FTFY = ftfy.TextFixerConfig(
    unescape_html=False, remove_terminal_escapes=True, fix_encoding=True, restore_byte_a0=True, replace_lossy_sequences=True,
    decode_inconsistent_utf8=True, fix_c1_controls=True, fix_latin_ligatures=False, fix_character_width=False,
    uncurl_quotes=False, fix_line_breaks=False, fix_surrogates=True, remove_control_chars=False, normalization=None, explain=True,
)  # fmt: skip

# Code pages of DOS and Central Europe that ftfy does not try; each reads UTF-8's lead bytes C3 and C2 as box drawing, E2 as Ô or Γ.
_DOS_CODE_PAGES = ("cp852", "cp850", "cp437")
_DOS_ACCIDENT = re.compile(r"[├┬ÔΓâ┼─][^\x00-\x7f]{1,2}|[├┬][^\s]")
# What an accident hardly ever makes: letters in circles. "Ôôô" was written so.
_UNLIKELY = re.compile("[\u2460-\u24ff]")


def decode(content: bytes) -> tuple[str, list[Repair]]:
    """Bytes to text with ``\\n`` line ends: UTF-8 (with or without mark), UTF-16, else the likeliest legacy encoding.

    Raises:
        Refused: when the bytes are no text in any known encoding.
    """
    repairs: list[Repair] = []
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
        repairs.append(Repair("read as UTF-16"))
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            best = charset_normalizer.from_bytes(content).best()
            if best is None:
                raise Refused("is not a text in any known encoding. Save it as UTF-8 and add it again.") from None
            text = str(best)
            repairs.append(Repair(f"read as {best.encoding}, because it is not valid UTF-8"))
    if "\x00" in text:
        if text.count("\x00") > len(text) // 100:
            raise Refused("holds binary data, not text. Export it as text, PDF or DOCX and add that.")
        repairs.append(Repair("null characters removed", text.count("\x00")))
        text = text.replace("\x00", "")
    text = (
        text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n").replace("\x0c", "\n\n")
    )
    return text, repairs


def mend_encoding(text: str) -> tuple[str, list[Repair]]:
    """Undo text decoded with the wrong code page: what ftfy knows, then UTF-8 read as a DOS code page.

    >>> mend_encoding("d├ęcolletage")
    ('décolletage', [Repair(what='UTF-8 had been read as cp852', count=1, example='├ę -> é')])
    """
    repairs: list[Repair] = []
    # The DOS accident first: ftfy would leave half of it behind as letters that no longer decode.
    for page in _DOS_CODE_PAGES:
        text, examples = _undo(text, page)
        if examples:
            repairs.append(Repair(f"UTF-8 had been read as {page}", len(examples), examples[0]))
    fixed: list[str] = []
    changed = 0
    example = ""
    for line in text.split("\n"):
        mended = ftfy.fix_and_explain(line, _FTFY).text if not line.isascii() or "\x1b" in line else line
        if mended != line:
            changed += 1
            example = example or f"{line.strip()[:30]} -> {mended.strip()[:30]}"
        fixed.append(mended)
    if changed:
        repairs.append(Repair("wrong encoding undone (ftfy)", changed, example))
    return "\n".join(fixed), repairs


def _undo(text: str, page: str) -> tuple[str, list[str]]:
    examples: list[str] = []

    def mend(found: re.Match[str]) -> str:
        piece = found.group()
        for end in range(len(piece), 1, -1):
            try:
                mended = piece[:end].encode(page).decode("utf-8")
            except (UnicodeEncodeError, UnicodeDecodeError):
                continue
            if mended.isprintable() and len(mended) == 1 and not _UNLIKELY.match(mended):
                examples.append(f"{piece[:end]} -> {mended}")
                return mended + piece[end:]
        return piece

    return (_DOS_ACCIDENT.sub(mend, text), examples) if not text.isascii() else (text, examples)


_GLUED = re.compile(r"(?<=[a-z])(?=[A-Z][a-z]{3,})")


def glued_caption(paragraph: str, document: str) -> int | None:
    """Where an image's alternative text runs into the paragraph's first word, or None.

    It does where a lower-case letter meets a capitalised word that the document also uses by itself, and no sentence
    ends before it: ``hands with long hairMicroneedling is a safe``.

    >>> glued_caption("a woman with long hairNeedling is safe.", "a woman with long hairNeedling is safe. Needling works.")
    22
    """
    for found in _GLUED.finditer(paragraph):
        before = paragraph[: found.start()]
        if re.search(r"[.!?:;]", before) or len(before) > 200:
            return None
        word = re.match(r"[A-Z][a-z]+", paragraph[found.start() :])
        glued_word = re.search(r"[A-Za-z]+$", before)
        # A product's own camel-case name is no accident: its first half starts with a capital (SkinPen, DermaRoller) or is
        # a single letter (iPixel, eMatrix).
        described = glued_word is not None and re.fullmatch(r"[a-z][A-Za-z]+", glued_word.group()) and len(before.split()) >= 2
        if word and described and re.search(rf"\b{word.group()}\b", document, re.IGNORECASE):
            return found.start()
    return None
