"""The whole report as words with its tables and figures apart: what HTML and LaTeX are made from."""

from collections.abc import Collection
from dataclasses import dataclass

from ..results import Results
from .layout import Apart, Figure
from .markdown import report_text
from .table import Table


@dataclass(frozen=True)
class Document:
    """Markdown (CommonMark and pipe tables) in which fenced blocks stand for tables and figures (`layout.TABLE`, `layout.FIGURE`).

    Every text of the study's inside of it, cells of tables among them, is escaped: no HTML, no markup but the templates' own.
    """

    text: str
    tables: tuple[Table, ...]
    figures: dict[str, Figure]


def document(results: Results, figures: Collection[str] = ()) -> Document:
    """The report with places for its tables, and for those of the named figures that it speaks of."""
    layout = Apart(figures)
    text = report_text(results, layout)
    return Document(text, tuple(layout.tables), layout.pictures)
