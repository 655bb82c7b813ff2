"""A forest plot in text: one line an effect, its interval and its point on an axis with the band of ±δ and zero."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from ....prompts import phrases
from ...report.marks import STYLES, UNKNOWN
from ...report.numbers import exact, number, with_interval
from ..shown import Forest, Interval

_GAP = 2
_WIDEST = 118
_WIDEST_PLOT = 60
_NARROWEST_PLOT = 16
_UNMEASURED = ("structural", "no-op", "untestable")


class _Marks(NamedTuple):
    band: str
    zero: str
    line: str
    shown: str
    open: str


_UNICODE = _Marks("░", "│", "─", "●", "○")
_ASCII = _Marks(":", "|", "-", "*", "o")


@dataclass(frozen=True)
class _Scale:
    """From the metric's scale to columns."""

    low: float
    high: float
    width: int

    def column(self, value: float) -> int:
        """Of a value; what lies outside stands at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return round(min(1.0, max(0.0, share)) * (self.width - 1))


@dataclass(frozen=True)
class _Layout:
    name: int
    plot: int
    verdict: int
    value: int
    """0 where the numbers have no room."""

    @property
    def is_stacked(self) -> bool:
        """Names stand above their lines."""
        return self.name == 0


class ForestDrawing:
    """A forest plot for any width: beside names and verdicts, or beneath them where it is narrow."""

    def __init__(self, forest: Forest, clean: Callable[[str], str], *, is_ascii: bool) -> None:
        self._title, self._band = clean(forest.title), abs(forest.band)
        self._rows = [(clean(row.name), row) for row in forest.rows]
        self._values = [clean(_value(row)) for row in forest.rows]
        self._clean, self._marks = clean, _ASCII if is_ascii else _UNICODE
        self._ellipsis = clean("…")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._title:
            yield Text(self._title, "bold")
        if not self._rows:
            return
        layout = self._layout(min(options.max_width, _WIDEST))
        scale = self._scale(layout.plot)
        for (name, row), value in zip(self._rows, self._values, strict=True):
            yield from self._line(name, row, value, layout, scale)
        yield from self._axis(layout, scale)

    def _layout(self, width: int) -> _Layout:
        verdict = max(cell_len(row.verdict) for _, row in self._rows)
        names = max(cell_len(name) for name, _ in self._rows)
        value = max(map(cell_len, self._values))
        for shown in (value, 0):
            beside = verdict + _GAP + (shown + _GAP if shown else 0)
            name = min(names, max(14, (width - beside) * 2 // 5))
            plot = width - beside - name - _GAP
            if plot >= _NARROWEST_PLOT + (8 if shown else 0):
                return _Layout(name, min(plot, _WIDEST_PLOT), verdict, shown)
        return _Layout(0, width, verdict, 0)

    def _scale(self, width: int) -> _Scale:
        ends = [end for _, row in self._rows if _is_measured(row) for end in (row.delta, row.low, row.high)]
        values = [0.0, self._band, -self._band, *(end for end in ends if end is not None)]
        finite = [value for value in values if math.isfinite(value)]
        low, high = min(finite), max(finite)
        beyond = (high - low) * 0.04 or 1.0
        return _Scale(low - beyond, high + beyond, width)

    def _line(self, name: str, row: Interval, value: str, layout: _Layout, scale: _Scale) -> RenderResult:
        colour = STYLES.get(row.verdict, UNKNOWN).colour
        plot = self._plot(row, scale, colour)
        if layout.is_stacked:
            room = layout.plot
            yield Text.assemble(shortened(name, room, self._ellipsis), "  ", (row.verdict, colour))
            yield plot
            return
        parts = [Text(_padded(shortened(name, layout.name, self._ellipsis), layout.name)), plot]
        if layout.value:
            parts.append(Text(_padded(value, layout.value)))
        parts.append(Text(row.verdict, colour))
        yield Text(" " * _GAP, no_wrap=True, overflow="ignore").join(parts)

    def _plot(self, row: Interval, scale: _Scale, colour: str) -> Text:
        cells = self._ground(scale)
        measured = _is_measured(row)
        if measured:
            low, high = (row.delta if end is None else end for end in (row.low, row.high))
            for column in range(scale.column(low), scale.column(high) + 1):
                cells[column] = (self._marks.line, colour)
            for end, mark in ((low, "low"), (high, "high")):
                if math.isinf(end):
                    cells[scale.column(end)] = (phrases("chat/screen.j2").forest[mark], colour)
            filled = STYLES.get(row.verdict, UNKNOWN).filled
            cells[scale.column(row.delta)] = (self._marks.shown if filled else self._marks.open, f"bold {colour}")
        return Text.assemble(*cells)

    def _ground(self, scale: _Scale) -> list[tuple[str, str]]:
        within = range(scale.column(-self._band), scale.column(self._band) + 1) if self._band else range(0)
        cells = [(self._marks.band if column in within else " ", "dim") for column in range(scale.width)]
        cells[scale.column(0.0)] = (self._marks.zero, "dim")
        return cells

    def _axis(self, layout: _Layout, scale: _Scale) -> RenderResult:
        left = 0 if layout.is_stacked else layout.name + _GAP
        ticks = [_tick(scale.low), "0", _tick(scale.high)]
        places = [0, scale.column(0.0), scale.width - 1]
        yield Text(" " * left + _spread(list(map(self._clean, ticks)), places, scale.width), "dim")
        if self._band:
            legend = self._clean(phrases("chat/screen.j2").band(exact(self._band)))
            yield Text(f"{' ' * left}{self._marks.band} {legend}", "dim")


def shortened(name: str, width: int, ellipsis: str) -> str:
    """At most `width` columns, the middle left out: both ends of an id tell it from others."""
    if cell_len(name) <= width:
        return name
    kept = max(0, width - cell_len(ellipsis))
    head, tail = name[: (kept + 1) // 2], name[len(name) - kept // 2 :]
    while head and cell_len(head) + cell_len(tail) > kept:
        head, tail = head[:-1], tail[1:]
    return f"{head}{ellipsis}{tail}"


def _is_measured(row: Interval) -> bool:
    return row.verdict not in _UNMEASURED and math.isfinite(row.delta)


def _value(row: Interval) -> str:
    if not _is_measured(row):
        return ""
    if row.low is None or row.high is None:
        return number(row.delta, signed=True)
    if not (math.isfinite(row.low) and math.isfinite(row.high)):
        return f"{number(row.delta, signed=True)} [{number(row.low)}, {number(row.high)}]"
    return with_interval(row.delta, (row.low, row.high), signed=True)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _tick(value: float) -> str:
    return exact(float(f"{value:.2g}"))


def _spread(ticks: Sequence[str], places: Sequence[int], width: int) -> str:
    """Labels at their columns; the middle one gives way to the ends."""
    line = [" "] * max(width, len(ticks[0]) + len(ticks[2]) + 1)
    line[: len(ticks[0])] = ticks[0]
    line[len(line) - len(ticks[2]) :] = ticks[2]
    middle = places[1]
    if len(ticks[0]) < middle < len(line) - len(ticks[2]) - 1:
        line[middle] = ticks[1]
    return "".join(line)
