"""The words of a report as HTML: markdown-it's own renderer, with tables and figures in the places left for them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import chain, count, takewhile
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from ....prompts import render
from ..document import Document
from ..layout import FIGURE, TABLE
from .svg import inline_svg
from .tables import html_table

_TAGS = re.compile(r"<[^>]*>")
_TAKEN = ("report", "results", "provenance")
"""Anchors that the page has of its own, beside those of figures."""
_NOT_IN_ANCHORS = re.compile(r"\W+")


class Heading(NamedTuple):
    """One line of the table of contents."""

    level: int
    anchor: str
    text: str
    """HTML."""


@dataclass
class Page:
    """What has been laid out so far."""

    document: Document
    drawings: Mapping[str, bytes]
    """SVG files by the name of their figure."""
    contents: list[Heading] = field(default_factory=list[Heading])
    figures: int = 0
    tables: int = 0


def words(page: Page) -> str:
    """The document's text as HTML; `page` holds its headings afterwards."""
    reader = _reader()
    tokens = reader.parse(page.document.text)
    _prepare(tokens, page)
    return reader.renderer.render(tokens, reader.options, {"page": page, "inline": _Inline(reader)})


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.disable("image")  # the pictures are in the file, and nothing is fetched
    reader.add_render_rule("fence", _fence)
    reader.add_render_rule("table_open", _table_open)
    reader.add_render_rule("table_close", _table_close)
    reader.add_render_rule("th_open", _column)
    return reader


class _Inline:
    """Markdown inline text to HTML; the same cell is read once."""

    def __init__(self, reader: MarkdownIt) -> None:
        self._reader = reader
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        if text not in self._known:
            self._known[text] = self._reader.renderInline(text)
        return self._known[text]


def _prepare(tokens: Sequence[Token], page: Page) -> None:
    """Headings get anchors; tables learn what they are about: their headings, and the bold words of the paragraph before."""
    about: list[str] = []
    lead = ""
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            level, text = int(token.tag[1]), _plain(tokens[at + 1])
            page.contents.append(Heading(level, _anchor(text, page), escape(text)))
            token.attrSet("id", page.contents[-1].anchor)
            about, lead = [*about[: max(0, level - 2)], text.partition(":")[0]], ""
        elif token.type == "paragraph_open" and token.level == 0:
            lead = _lead(tokens[at + 1]) or lead
        elif token.type in ("fence", "table_open"):
            told = [*about, lead] if lead else about
            token.meta["about"] = escape(render("report/html/about.j2", parts=told).strip())


def _anchor(text: str, page: Page) -> str:
    """Each heading's own, also of headings with the same words."""
    plain = _NOT_IN_ANCHORS.sub("-", text.lower()).strip("-") or "section"
    plain = f"section-{plain}" if plain in _TAKEN or plain.startswith("figure-") else plain
    taken = {heading.anchor for heading in page.contents}
    names = chain([plain], (f"{plain}-{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def _lead(inline: Token) -> str:
    """The bold words that a paragraph begins with."""
    children = [each for each in inline.children or [] if each.content or each.type != "text"]
    if not children or children[0].type != "strong_open":
        return ""
    bold = takewhile(lambda each: each.type != "strong_close", children[1:])
    return "".join(each.content for each in bold).rstrip(".,: ")


def _plain(inline: Token) -> str:
    return "".join(
        each.content for each in inline.children or [] if each.type in ("text", "text_special", "code_inline")
    )


def _page(env: Any) -> Page:
    page: Page = env["page"]
    return page


def _table_open(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    return f'<div class="scroll" role="group" tabindex="0" aria-label="{tokens[at].meta["about"]}"><table>\n'


def _table_close(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    return "</table></div>\n"


def _column(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    return '<th scope="col">'


def _fence(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    page, kind, content = _page(env), tokens[at].info, tokens[at].content.strip()
    if kind == TABLE:
        page.tables += 1
        caption = render("report/html/caption.j2", number=page.tables, about=tokens[at].meta["about"]).strip()
        return html_table(page.document.tables[int(content)], caption, env["inline"])
    if kind == FIGURE:
        return _figure(page, content, env["inline"])
    return f'<pre tabindex="0"><code>{escape(tokens[at].content)}</code></pre>\n'


def _figure(page: Page, name: str, inline: _Inline) -> str:
    page.figures += 1
    figure = page.document.figures[name]
    title = render("report/html/figure-title.j2", number=page.figures, name=name).strip()
    drawing = inline_svg(page.drawings[name], f"figure-{name}", title, _TAGS.sub("", inline(figure.alt)))
    return render(
        "report/html/figure.j2", name=name, drawing=drawing, number=page.figures, caption=inline(figure.caption)
    )
