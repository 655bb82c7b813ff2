"""A table that fits: its last columns go first, and where two have no room each row becomes a list."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_ASCII_RULE = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
_GAP = 2
_WHOLE = 14
"""Cells up to this width stay on one line: numbers, verdicts, statuses."""
_NARROWEST, _NARROWEST_FIRST = 12, 24
"""Of cells that wrap; the first column holds ids."""
_NUMBER = re.compile(r"[-+−–±]?[\d.][\d.,e+−%-]*|[-–]|")


@dataclass(frozen=True)
class TableDrawing:
    """Clean texts in rows and columns."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    more: str
    left_out: str
    """Says that columns were left out; their names follow. Empty where none may be: rows become lists instead."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.title:
            yield Text(self.title, "bold")
        shown = self._columns_that_fit(options.max_width)
        fewest = min(2, len(self.columns)) if self.left_out else len(self.columns)
        if self.rows and shown < fewest:
            yield from self._list()
        elif self.columns:
            yield self._table(
                self._widths(shown, options.max_width), _ASCII_RULE if options.ascii_only else box.SIMPLE_HEAD
            )
            if shown < len(self.columns):
                yield Text(f"{self.left_out}: {', '.join(self.columns[shown:])}", "dim")
        if self.more:
            yield Text(self.more, "dim")

    def _columns_that_fit(self, width: int) -> int:
        for shown in range(len(self.columns), 0, -1):
            if sum(self._least(column) for column in range(shown)) + _GAP * shown - 1 <= width:
                return shown
        return 0

    def _widths(self, shown: int, width: int) -> list[int]:
        """Of the columns that fit: what is too much comes off those that wrap, each time off the one with the most to give."""
        least = [self._least(column) for column in range(shown)]
        widths = [self._longest(column) for column in range(shown)]
        for _ in range(sum(widths) + _GAP * shown - 1 - width):
            widest = max(range(shown), key=lambda column: widths[column] - least[column])
            widths[widest] -= 1
        return widths

    def _cells(self, column: int) -> list[str]:
        return [row[column] for row in self.rows if column < len(row)]

    def _least(self, column: int) -> int:
        longest = self._longest(column)
        if self._is_whole(column):
            return longest
        return min(longest, _NARROWEST if column else _NARROWEST_FIRST)

    def _is_whole(self, column: int) -> bool:
        return self._longest(column) <= _WHOLE

    def _longest(self, column: int) -> int:
        return max(map(cell_len, [*self._cells(column), self.columns[column]]), default=0)

    def _numbers(self, column: int) -> list[str]:
        return [cell for cell in self._cells(column) if _NUMBER.fullmatch(cell)]

    def _table(self, widths: Sequence[int], rule: box.Box) -> Table:
        table = Table(box=rule, show_edge=False, pad_edge=False, padding=(0, _GAP - 1, 0, 0), header_style="dim")
        shown = len(widths)
        for column, name in enumerate(self.columns[:shown]):
            numeric = len(self._numbers(column)) == len(self.rows) > 0
            table.add_column(
                Text(name),
                width=widths[column],
                overflow="fold",
                no_wrap=self._is_whole(column),
                justify="right" if numeric else "left",
            )
        for row in self.rows:
            table.add_row(*map(Text, row[:shown]))
        return table

    def _list(self) -> RenderResult:
        for row in self.rows:
            yield Text(row[0] if row else "", "bold")
            for name, cell in zip(self.columns[1:], row[1:], strict=False):
                yield Padding(Text.assemble((f"{name}: ", "dim"), cell), (0, 0, 0, 2), expand=False)
