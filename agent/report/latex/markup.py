"""CommonMark as LaTeX: the document of a report, or prose that a model drafted; every text in it is escaped."""

from collections.abc import Mapping, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from ....prompts import phrases
from ..document import Document
from ..layout import FIGURE, TABLE
from ..numbers import MISSING
from ..table import Cell, Table
from .escaping import PIECE, latex, symbols, visible
from .grid import Grid, Text, laid_out

_IN_A_REPORT = {"h2": "subsection", "h3": "subsubsection"}
"""Commands for headings; the title is the caller's."""
_WORD = 18
"""Letters in a word of running text that is not broken."""
_MARKS = {"strong": "textbf", "em": "emph"}


def from_markdown(text: str) -> str:
    """Paragraphs, lists, emphasis, code, quotations, headings and pipe tables; HTML and addresses of links are text."""
    return Markup(Document(text, (), {}), headings=dict.fromkeys(("h1", "h2", "h3"), "paragraph")).whole()


class Markup:
    """Renders one document."""

    def __init__(
        self,
        document: Document,
        figures: Mapping[str, str] | None = None,
        headings: Mapping[str, str] = _IN_A_REPORT,
    ) -> None:
        """Figures: their files by name. Headings: commands by tag; `h1` is left out where there is none for it."""
        self._document, self._figures, self._headings = document, figures or {}, headings

    def whole(self) -> str:
        """All of it."""
        root = SyntaxTreeNode(_parser().parse(self._document.text))
        return symbols("\n\n".join(map(self._block, root.children)) + "\n")

    def _block(self, node: SyntaxTreeNode) -> str:
        words = phrases("report/latex/words.j2")
        if node.type in ("fence", "code_block"):
            return self._fenced(node)
        if node.type == "table":
            return laid_out(_grid(node))
        if node.type == "hr":
            return ""
        if node.type == "heading":
            return self._heading(node)
        if node.type in ("bullet_list", "ordered_list"):
            items = ["\n".join(map(self._block, item.children)) for item in node.children]
            return words.itemised(items, node.type == "ordered_list")
        if node.type == "blockquote":
            return words.quotation("\n\n".join(map(self._block, node.children)))
        return _inline(node.children).tex

    def _heading(self, node: SyntaxTreeNode) -> str:
        command = self._headings.get(node.tag, "" if node.tag == "h1" else "paragraph")
        return phrases("report/latex/words.j2").heading(command, _inline(node.children).tex) if command else ""

    def _fenced(self, node: SyntaxTreeNode) -> str:
        words, content = phrases("report/latex/words.j2"), node.content.strip("\n")
        if node.info == TABLE:
            return laid_out(_model(self._document.tables[int(content)]))
        if node.info == FIGURE:
            figure = self._document.figures[content]
            file = self._figures.get(content)
            return words.figure(file, _marked(figure.caption, _WORD).tex, content) if file else ""
        return words.code([_code_line(line) for line in content.split("\n")])


def _model(table: Table) -> Grid:
    """Cells of the table model are Markdown inline text; the baseline's mean stands with the means under it."""
    shorter = phrases("report/latex/words.j2").headings
    reference = phrases("report/words.j2").baseline
    keys = [column.key for column in table.columns]
    rows = [dict(zip(keys, row, strict=True)) for row in table.rows]
    if {"baseline", "ablated"} <= {*keys}:
        keys.remove("baseline")
        rows = [row | {"ablated": row["baseline"]} if row.get("component") == reference else row for row in rows]
    columns = [column for column in table.columns if column.key in keys]
    return Grid(
        headings=tuple(_bare(shorter.get(column.key, column.heading)) for column in columns),
        rows=tuple(tuple(_marked(_shown(row[key])) for key in keys) for row in rows),
        right=tuple(column.align == "right" for column in columns),
    )


def _shown(cell: Cell) -> str:
    return MISSING if cell is None else str(cell)


def _grid(node: SyntaxTreeNode) -> Grid:
    lines = [
        tuple(_inline(cell.children, PIECE) for cell in row.children) for part in node.children for row in part.children
    ]
    return Grid(lines[0], tuple(lines[1:]), tuple(False for _ in lines[0]))


def _marked(text: str, longest: int = PIECE) -> Text:
    return _inline(SyntaxTreeNode(_parser().parseInline(text)).children, longest)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink"])


def _inline(nodes: Sequence[SyntaxTreeNode], longest: int = _WORD) -> Text:
    parts = [_span(node, longest) for node in nodes]
    return Text("".join(part.tex for part in parts), "".join(part.seen for part in parts))


def _span(node: SyntaxTreeNode, longest: int) -> Text:
    if node.type in ("softbreak", "hardbreak"):
        return Text("\n", " ")
    if node.type == "code_inline":
        return Text(rf"\texttt{{{latex(node.content, longest)}}}", node.content)
    if node.children:
        inside = _inline(node.children, longest)
        mark = _MARKS.get(node.type)
        return Text(rf"\{mark}{{{inside.tex}}}", inside.seen) if mark else inside
    return _bare(node.content, longest)


def _bare(text: str, longest: int = PIECE) -> Text:
    return Text(latex(text, longest), visible(text))


def _code_line(line: str) -> str:
    """Blanks in front stay."""
    text = line.expandtabs(4)
    bare = text.lstrip(" ")
    return r"\ " * (len(text) - len(bare)) + latex(bare)
