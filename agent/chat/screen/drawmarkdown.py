"""Markdown on a terminal, where nothing is hidden: no HTML, no links behind other words, no pictures."""

from typing import ClassVar

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement, TableElement
from rich.segment import Segment
from rich.syntax import Syntax
from rich.text import Text

from .drawtable import TableDrawing

CODE_THEME = "ansi_dark"
"""The terminal's own colours, which its owner can read."""
_DEEPEST = 16
"""Nesting of what the parser finds; each quotation and list takes columns away."""
_COLUMNS_A_LEVEL = 2
_NARROWEST = 12


class _Code(CodeBlock):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        yield Syntax(
            code,
            self.lexer_name,
            theme=self.theme,
            word_wrap=True,
            padding=(0, 0, 0, 2),
            background_color="default",
        )


class _Heading(Heading):
    LEVEL_ALIGN: ClassVar[dict[str, JustifyMethod]] = {}


class _Table(TableElement):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        header = self.header.row.cells if self.header and self.header.row else []
        rows = [[cell.content.plain for cell in row.cells] for row in (self.body.rows if self.body else [])]
        yield TableDrawing("", [cell.content.plain for cell in header], rows, "", "")


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
        "heading_open": _Heading,
        "table_open": _Table,
    }


class MarkdownDrawing:
    """Already clean Markdown by rich, over a parser that takes no HTML; as it was written where it nests too deep to fit."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._markdown = _Markdown("", code_theme=CODE_THEME, hyperlinks=False)
        self._markdown.parsed = parser().parse(text)
        self._deepest = max((token.level for token in self._markdown.parsed), default=0)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._deepest > _DEEPEST or options.max_width - _COLUMNS_A_LEVEL * self._deepest < _NARROWEST:
            yield Text(self.text)
        else:
            yield from _without_blank_ends(console.render_lines(self._markdown, options, pad=False))


def parser() -> MarkdownIt:
    """CommonMark with tables and strikethrough; HTML and pictures stay the text that they are."""
    rules = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
    return rules.disable(["image", "html_block", "html_inline", "autolink"])


def finished_blocks(text: str) -> int:
    """How many characters at the start of a growing text belong to blocks that nothing added later changes.

    Only whole lines count, and the last block that they make is not finished (`foo` may become a heading by the next line)
    unless a line that has begun stands after a blank one, and no list may go on there.
    """
    whole = text[: text.rfind("\n") + 1]
    lines = whole.split("\n")
    blocks = _top_blocks(whole)
    if len(lines) > 2 and not lines[-2].strip() and blocks and not blocks[-1][1].endswith("_list_open"):
        last, _ = _top_blocks(text)[-1]
        if last == len(lines) - 1:
            return len(whole)
    if len(blocks) < 2:
        return 0
    start, _ = blocks[-1]
    return sum(map(len, lines[:start])) + start


def _top_blocks(text: str) -> list[tuple[int, str]]:
    """First line and type of each."""
    tokens = parser().parse(text)
    return [(token.map[0], token.type) for token in tokens if token.level == 0 and token.map and token.nesting >= 0]


def _without_blank_ends(lines: list[list[Segment]]) -> RenderResult:
    while lines and not any(segment.text.strip() for segment in lines[-1]):
        lines.pop()
    while lines and not any(segment.text.strip() for segment in lines[0]):
        lines.pop(0)
    for line in lines:
        yield from line
        yield Segment.line()
