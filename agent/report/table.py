"""The one table model: what every format (Markdown, CSV, later HTML and LaTeX) lays out in its own way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...prompts import phrases
from .numbers import MISSING

Cell = str | int | float | bool | None
Align = Literal["left", "right"]


@dataclass(frozen=True)
class Column:
    """One column; `key` names it to programs, `heading` to readers."""

    key: str
    align: Align = "left"

    @property
    def heading(self) -> str:
        """The words for this column."""
        return phrases("report/words.j2").headings[self.key]


@dataclass(frozen=True)
class Table:
    """Rows under columns, and the footnotes they need; every row has one cell for each column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footnotes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row of a table has another number of cells than the table has columns")


def columns(text: str, numeric: Sequence[str] = ()) -> tuple[Column, ...]:
    """Columns from their keys, separated by blanks; the numeric ones are aligned to the right."""
    return tuple(Column(key, "right" if key in numeric else "left") for key in text.split())


def markdown_table(table: Table) -> str:
    """A pipe table, padded so that the source can be read as well; cells must already be escaped for Markdown."""
    lines = [[column.heading for column in table.columns], *([_shown(cell) for cell in row] for row in table.rows)]
    widths = [min(40, max(len(line[i]) for line in lines)) for i in range(len(table.columns))]
    aligns: list[Align] = [column.align for column in table.columns]
    rule = "|".join(
        f" {'-' * max(2, w - 1)}{':' if a == 'right' else '-'} " for w, a in zip(widths, aligns, strict=True)
    )
    head, *body = [_line(line, widths, aligns) for line in lines]
    return "\n".join([head, f"|{rule}|", *body])


def _line(cells: Sequence[str], widths: Sequence[int], aligns: Sequence[Align]) -> str:
    padded = (
        cell.rjust(max(3, width)) if align == "right" else cell.ljust(max(3, width))
        for cell, width, align in zip(cells, widths, aligns, strict=True)
    )
    return f"| {' | '.join(padded)} |"


def _shown(cell: Cell) -> str:
    return MISSING if cell is None else str(cell)
