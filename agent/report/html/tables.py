"""The table model as an HTML table: caption, headers with their scope, values to sort by, the baseline apart."""

import re
from collections.abc import Callable
from html import escape

from ....prompts import phrases, render
from ..numbers import MISSING
from ..table import Cell, Column, Table
from .order import sort_value

NAMING = (
    "component",
    "components",
    "ablation",
    "removed",
    "effect",
    "kinds",
    "claim",
    "control",
    "metric",
    "key",
    "stage",
)
"""Columns that name a row, the first of these that a table has."""
_PLAIN = re.compile(r"[^\\`*_\[\]<>&!~|:@#\"']*")

_LONG, _ENDLESS = 20, 24
"""Characters of a text beyond which its column is wide, and of a word beyond which it may be broken inside."""
_INTERVAL = re.compile(r"\[([^\s\]]+), ([^\s\]]+)\]")

Inline = Callable[[str], str]
"""Markdown inline text to HTML."""


def html_table(table: Table, caption: str, inline: Inline) -> str:
    """One table in a box that scrolls by itself.

    Args:
        table: cells are Markdown inline text.
        caption: HTML.
        inline: makes HTML of a cell.
    """
    numeric = [column.align == "right" for column in table.columns]
    rows = [[_cell(cell, inline, sortable) for cell, sortable in zip(row, numeric, strict=True)] for row in table.rows]
    references = _references(table)
    return render(
        "report/html/table.j2",
        caption=caption,
        columns=[(escape(column.heading), _classes(table, at)) for at, column in enumerate(table.columns)],
        naming=_naming(table.columns),
        bodies=[(name, [row for row, is_in in zip(rows, of, strict=True) if is_in]) for name, of in references],
    )


def _references(table: Table) -> list[tuple[str, list[bool]]]:
    """The baseline's row stays on top, however the others are sorted."""
    baseline = phrases("report/words.j2").baseline
    is_baseline = [bool(row) and row[0] == baseline for row in table.rows]
    bodies = [("reference", is_baseline), ("findings", [not each for each in is_baseline])]
    return [(name, of) for name, of in bodies if any(of)]


def _cell(cell: Cell, inline: Inline, sortable: bool) -> tuple[str, str]:
    """HTML, and the attribute with the value that it is sorted by."""
    text = MISSING if cell is None else str(cell)
    whole = _INTERVAL.sub("[\\1,\u00a0\\2]", text) if sortable else text  # a line may end before an interval, not in it
    shown = whole if _PLAIN.fullmatch(whole) else inline(whole)
    value = sort_value(text) if sortable else None
    return shown, "" if value is None else f' data-value="{value!r}"'


def _classes(table: Table, at: int) -> str:
    """Numbers to the right; where words are long they may break anywhere."""
    if table.columns[at].align == "right":
        return ' class="number"'
    texts = [str(row[at]) for row in table.rows]
    endless = any(len(word) > _ENDLESS for text in texts for word in text.split())
    long = ["long"] if any(len(text) > _LONG for text in texts) else []
    return f' class="{" ".join([*long, *(["endless"] if endless else [])])}"' if long else ""


def _naming(columns: tuple[Column, ...]) -> int:
    keys = [column.key for column in columns]
    return next((keys.index(key) for key in NAMING if key in keys), 0)
