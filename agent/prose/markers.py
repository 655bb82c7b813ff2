"""Numbers that begin a line: the marker of a list item, as a renderer reads it, or the end of somebody's sentence."""

import re
from typing import Literal

MARKER = re.compile(r"(?:([0-9]{1,9})[.)]|[-*+])(?=[ \t]+\S)|>")
GROWING = re.compile(r"(?:[0-9]{1,9}[.)]|[-*+])[ \t]*|[0-9]{1,9}")
"""What may still become one."""
INDENT = 3
"""Columns that a block may stand apart from where it belongs; beyond, it is code, or goes on with a paragraph."""


class Markers:
    """The lists of one text, line by line. A list counts up from one; any other number is no marker."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._before: Literal["blank", "item", "text"] = "blank"
        """What the line before was."""
        self._start = self._column = 0
        """Where the last marker began, and the text after it."""
        self.sure = False
        """Whether a renderer takes the first marker of this line for one, too."""

    def first(self, indent: str, marker: re.Match[str]) -> str | None:
        """What must stand before a line's marker so that it is one for any renderer, such as an empty line; None: it is none."""
        column, number = _width(indent), int(marker[1] or 0)
        if number and number != 1 and not {number, number - 1} & self._seen:
            return None
        self._seen.add(number)
        apart = bool(marker[1]) and self._before != "blank" and not self._follows(column, number)
        self.sure = bool(marker[1]) or self._before == "blank" or column <= INDENT
        self._before = "item" if self.sure and marker[0] != ">" else "text"
        self._start, self._column = column, column + _taken(marker)
        return "\n" if apart else ""

    def further(self, indent: str, marker: re.Match[str]) -> bool:
        """Whether another marker on the same line is one; of numbers only the first of a list."""
        self.sure = self.sure and _width(indent) <= INDENT
        if marker[1] and not (self.sure and int(marker[1]) == 1):
            return False
        self._start, self._column = self._column, self._column + _taken(marker)
        return True

    def _follows(self, column: int, number: int) -> bool:
        """Whether it is the next item of the list that the line before is in, or the first of one inside of that."""
        within = self._column <= column <= self._column + INDENT
        beside = column == self._start or (column <= INDENT and not within)
        return self._before == "item" and (beside or (within and number == 1))

    def heads(self, indent: str, *, nested: bool) -> bool:
        """Whether a heading may begin here."""
        return _width(indent) <= INDENT and (self.sure or not nested)

    def text(self) -> None:
        """The line is ordinary text."""
        self._before = "text"

    def blank(self) -> None:
        """The line holds nothing."""
        self._before = "blank"


def _taken(marker: re.Match[str]) -> int:
    """Columns from a marker to the text after it."""
    gap = re.compile(r"[ \t]*").match(marker.string, marker.end())
    blanks = _width(gap[0]) if gap else 1
    return len(marker[0]) + (blanks if blanks <= INDENT + 1 else 1)


def _width(indent: str) -> int:
    return len(indent.expandtabs(4))
