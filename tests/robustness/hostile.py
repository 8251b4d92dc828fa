"""Hostile strings, made by rule from a seed: what people and programs type to break a search, a page or a database."""

from __future__ import annotations

import random
from collections.abc import Iterator

_SEEDS = (
    # empty in one way or another
    "", " ", "\n", "\t \r\n", "\u00a0", "\u200b", "\ufeff", "\x00", "\x00\x00 \x00", "\u3164", "?", "...", "-", "'", '"',
    # words that languages and formats take for something else
    "null", "NULL", "None", "nil", "undefined", "NaN", "inf", "-0", "1e309", "0x0", "true", "[object Object]", "N/A", "CON", "NUL",
    # SQL and its relatives
    "'; DROP TABLE documents; --", '" OR ""="', "1' UNION SELECT text FROM passages--", "x'); DELETE FROM register_entries;--",
    "%' AND 1=0 --", "{$gt: ''}", "*) (uid=*", "MATCH (n) DETACH DELETE n", "pg_sleep(10)", "\\'; --",
    # markup and script
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "</title><h1>x", "<!--", "]]>", "<b", "&lt;b&gt;",
    "&#x3c;script&#x3e;", "javascript:alert(1)", "<a href='data:text/html,x'>x</a>", "<style>*{display:none}</style>", "<iframe src=//x>",
    # Markdown, LaTeX, Streamlit's own marks, templates
    "**bold** _it_ ~~no~~", "[a](javascript:alert(1))", "![x](http://example.invalid/x.png)", "# Heading", "> quote", "|a|b|\n|-|-|", "```\ncode",
    "$\\frac{1}{0}$", "$$\\input{/etc/passwd}$$", "\\write18{ls}", ":red[x] :material/home:", ":smile:", "{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>",
    "{% for x in y %}", "{0.__class__}", "%s%n%x%d", "__import__('os').system('id')", "`id`", "$(id)", "| cat /etc/passwd", "; ls -la",
    # paths and addresses
    "../../../../etc/passwd", "..\\..\\windows\\win.ini", "/dev/zero", "file:///etc/passwd", "\\\\host\\share", "C:\\x", "~root", "a\x00.txt",
    "?q=1&passage=2#x", "&lang=xx&q=", "q[]=1", "%00", "%2e%2e%2f", "%", "%zz", "http://[::1", "//example.invalid", "?article=../x",
    # numbers and measures
    "0", "-1", "99999999999999999999999999", "1.5.5.5.5", "1,5 mm", "½ ⅔ ² ₂", "１２３", "٣ جلسات", "IV ⅣⅤ",
    # scripts, directions, joiners, normal forms
    "ما هي الآثار الجانبية؟", "האם זה כואב", "微针有什么副作用", "микронидлинг больно?", "क्या दर्द होता है", "İstanbul ıI", "ß ẞ SS", "ﬁﬂﬀ", "ǅ ǆ",
    "\u202eesrever\u202c", "\u2066a\u2067b\u2069", "a\u0300\u0301\u0302\u0303" * 20, "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍", "\u1100\u1161\u11a8", "👩‍👩‍👧‍👦", "🏳️‍🌈", "\U000e0041\U000e0042", "a\u200bb\u200cc\u200dd",
    # what no text may hold
    "\ud800", "\udfff pain", "skin \udcff", "\ud83d", "\ufffe\uffff", "\U0010ffff", "\x7f\x80\x9f", "\x1b[31mred\x1b[0m", "\x07\x08", "\u2028\u2029",
    # questions that are nearly all right
    "Does it hurt", "DOES IT HURT???", "does  it\nhurt", "Who should not have microneedling?", "how meny sesions for acen scars", "why", "the of and",
)  # fmt: skip
_BITS = (
    "pain",
    "needle",
    "scar",
    "how long",
    "?",
    "!",
    " ",
    "\n",
    "  ",
    ",",
    "(",
    ")",
    '"',
    "'",
    "/",
    "\\",
    "-",
    "—",
    "0",
    "5 mm",
    "%",
)


def hostile_strings(n: int, *, seed: int = 0, longest: int = 2_000) -> Iterator[str]:
    """``n`` strings, the same for the same seed: each seed as it is, then joined, repeated, cut, interleaved and made of any characters."""
    chance = random.Random(seed)
    for number in range(n):
        if number < len(_SEEDS):
            yield _SEEDS[number]
            continue
        what = chance.randrange(7)
        one, other = chance.choice(_SEEDS), chance.choice(_SEEDS)
        if what == 0:
            made = one + chance.choice(_BITS) + other
        elif what == 1:
            made = (one or "x") * chance.choice((2, 10, 100))
        elif what == 2:
            made = "".join(chance.choice((*_BITS, one, other)) for _ in range(chance.randint(1, 40)))
        elif what == 3:
            made = "".join(chr(_any_character(chance)) for _ in range(chance.randint(1, 60)))
        elif what == 4:
            cut = chance.randint(0, len(one))
            made = one[cut:] + other[:cut] + one[:cut]
        elif what == 5:
            made = "".join(a + b for a, b in zip(one, other * 50, strict=False)) or other
        else:
            made = "Does " + one + " hurt when " + other + "?"
        yield made[:longest]


def _any_character(chance: random.Random) -> int:
    start, end = chance.choice(((0, 0x20), (0x20, 0x7F), (0x80, 0x250), (0x300, 0x370), (0x590, 0x700), (0x2000, 0x2070), (0x3000, 0x9FFF),
                                (0xD800, 0xDFFF), (0xE000, 0xFFFF), (0x1F300, 0x1FAFF), (0xE0000, 0xE007F), (0x10FFF0, 0x10FFFF)))  # fmt: skip
    return chance.randint(start, end)


def huge_strings() -> Iterator[str]:
    """Strings of a million characters of the kinds that cost a regular expression, a splitter or a speller most."""
    for piece in (
        "a",
        " ",
        "pain ",
        "a.",
        "?!",
        "(",
        "1.5 mm, ",
        "Dr. ",
        "e\u0301",
        "\u202e",
        "👩‍👧 ",
        "皮肤",
        "\x00",
        "\ud800",
        "<b>",
        "a b c. ",
    ):
        yield (piece * (1_000_000 // len(piece) + 1))[:1_000_000]
