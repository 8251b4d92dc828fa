"""Documents as hypothesis makes them: the same blocks written in each text format, with characters that trouble readers."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass

from hypothesis import strategies as st

# What has broken readers of text: controls, marks of direction, joiners, lone halves of pairs, markup of every format read here.
TROUBLE = (
    "\x00", "\x0b", "\x0c", "\x1f", "\x85", "\u2028", "\u2029", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\ufffe", "\U0001f489",
    "e\u0301\u0302", "ﬁ", "Ã©", "â€œ", "İ", "ß", "ﷺ", "<b>", "</p>", "<script>", "&amp;", "&#0;", "&nosuch;", "]]>", "<!--", "<?x", "---",
    "...", "# ", "> ", "- ", "1. ", "|", "`", "```", "*", "_", "[a](b)", "![", "$$", "\\", "{", "}", "@article{", "TY  - ", "PMID- ",
    "ER  - ", "%", "\"", "'", ":", "key: value", "&a", "*a", "!!python/object:os.system", "%PDF-", "PK\x03\x04",
)  # fmt: skip
WORDS = "redness skin needle session scar 1.5 mm days doctor not may Avoid e.g. Dr. pain. collagen? However, (see) two".split()

_pieces = st.one_of(st.sampled_from(WORDS), st.sampled_from(TROUBLE), st.text(max_size=8))
texts = st.lists(_pieces, min_size=1, max_size=30).map(" ".join)
kinds = st.sampled_from(("heading", "paragraph", "item", "quote", "row"))
FORMATS = ("txt", "md", "html", "jats", "pubmed", "nbib", "ris", "bib", "jsonl")


@dataclass(frozen=True)
class Written:
    """A file as a format's writer would leave it, trouble included."""

    name: str
    content: bytes


@st.composite
def documents(draw: st.DrawFn, formats: tuple[str, ...] = FORMATS) -> Written:
    """A file of one of the formats, of a few blocks, now and then cut short, repeated or in another encoding."""
    form = draw(st.sampled_from(formats))
    blocks = draw(st.lists(st.tuples(kinds, texts), min_size=1, max_size=8))
    text = _WRITERS[form](blocks)
    encoding = draw(st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252")))
    content = text.encode(encoding, "replace")
    if draw(st.integers(0, 9)) == 0:
        content = content[: draw(st.integers(0, len(content)))]
    ending = {"jats": "xml", "pubmed": "xml"}.get(form, form)
    return Written(f"file.{ending}", content)


_Blocks = list[tuple[str, str]]


def _plain(blocks: _Blocks) -> str:
    return "\n\n".join(f"• {text}" if kind == "item" else text for kind, text in blocks)


def _markdown(blocks: _Blocks) -> str:
    marks = {"heading": "## ", "item": "- ", "quote": "> ", "row": "| ", "paragraph": ""}
    return "\n\n".join(f"{marks[kind]}{text}" for kind, text in blocks)


def _html(blocks: _Blocks) -> str:
    tags = {"heading": "h2", "item": "li", "quote": "blockquote", "row": "td", "paragraph": "p"}
    return f"<!doctype html><html><body>{''.join(f'<{tags[kind]}>{text}</{tags[kind]}>' for kind, text in blocks)}</body></html>"


def _xml_text(text: str) -> str:
    # Half of what a careless exporter writes: characters that XML cannot hold are left in, marks are escaped.
    return html.escape(text, quote=False)


def _jats(blocks: _Blocks) -> str:
    body = "".join(
        f"<sec><title>{_xml_text(text)}</title></sec>" if kind == "heading" else f"<p>{_xml_text(text)}</p>"
        for kind, text in blocks
    )
    front = "<front><article-meta><title-group><article-title>T</article-title></title-group></article-meta></front>"
    return f"<article article-type='research-article'>{front}<body>{body}</body></article>"


def _pubmed(blocks: _Blocks) -> str:
    abstract = "".join(f"<AbstractText Label='{kind}'>{_xml_text(text)}</AbstractText>" for kind, text in blocks)
    return (
        "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>T</ArticleTitle>"
        f"<Abstract>{abstract}</Abstract></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
    )


def _nbib(blocks: _Blocks) -> str:
    lines = "".join(f"AB  - {text}\n" for _, text in blocks)
    return f"PMID- 1\nTI  - A title\n{lines}\n"


def _ris(blocks: _Blocks) -> str:
    return "TY  - JOUR\nTI  - A title\n" + "".join(f"AB  - {text}\n" for _, text in blocks) + "ER  - \n"


def _bib(blocks: _Blocks) -> str:
    return "@article{key,\n title = {A title},\n" + "".join(f" abstract = {{{text}}},\n" for _, text in blocks) + "}\n"


def _jsonl(blocks: _Blocks) -> str:
    rows = [json.dumps({"_id": str(number), "title": kind, "text": text}) for number, (kind, text) in enumerate(blocks)]
    return "\n".join(rows)


_WRITERS = {
    "txt": _plain, "md": _markdown, "html": _html, "jats": _jats, "pubmed": _pubmed, "nbib": _nbib, "ris": _ris, "bib": _bib,
    "jsonl": _jsonl,
}  # fmt: skip
