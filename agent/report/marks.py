"""Estimates with their intervals, drawn so that the verdict is told by shape and fill as well as by colour."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Style(NamedTuple):
    """A verdict's marker and colour (Okabe and Ito's palette); filled where a difference was shown."""

    marker: str
    colour: str
    filled: bool


STYLES = {
    "matters": Style("s", "#D55E00", True),
    "hurts": Style("D", "#0072B2", True),
    "detected": Style("^", "#E69F00", True),
    "negligible": Style("o", "#009E73", False),
    "compensation": Style("s", "#D55E00", True),
    "irreducible": Style("P", "#D55E00", True),
    "redundancy": Style("^", "#E69F00", True),
    "synergy": Style("D", "#0072B2", True),
    "additive": Style("o", "#009E73", False),
    "saturation-limited": Style("v", "#CC79A7", False),
    "undecided": Style("X", "#8c8c8c", False),
}
UNKNOWN = Style("X", "#8c8c8c", False)


class Mark(NamedTuple):
    """An estimate in a row of the plot, from `low` to `high`; an end may be infinite."""

    row: int
    x: float
    low: float
    high: float
    verdict: str


def draw_marks(axes: "Axes", marks: Sequence[Mark]) -> None:
    """Draws all marks, verdict by verdict, each named in the legend; endless bars run out of the plot."""
    spans = [*axes.dataLim.intervalx, *(end for mark in marks for end in (mark.x, mark.low, mark.high))]
    values = [0.0, *filter(math.isfinite, spans)]
    beyond = 0.1 * (max(values) - min(values)) or 1.0
    limits = min(values) - beyond, max(values) + beyond
    for verdict in dict.fromkeys([*STYLES, *(mark.verdict for mark in marks)]):
        chosen = [mark for mark in marks if mark.verdict == verdict]
        if chosen:
            _draw(axes, chosen, verdict, limits)
    if any(math.isinf(mark.low) or math.isinf(mark.high) for mark in marks):
        axes.set_xlim(limits)


def _draw(axes: "Axes", marks: Sequence[Mark], verdict: str, limits: tuple[float, float]) -> None:
    style = STYLES.get(verdict, UNKNOWN)
    rows = [mark.row for mark in marks]
    low, high = [max(mark.low, limits[0]) for mark in marks], [min(mark.high, limits[1]) for mark in marks]
    axes.hlines(rows, low, high, color=style.colour, linewidth=1.4, zorder=2)
    axes.plot(
        [mark.x for mark in marks],
        rows,
        marker=style.marker,
        linestyle="",
        color=style.colour,
        markerfacecolor=style.colour if style.filled else "white",
        zorder=4,
        label=verdict,
    )


def finish(axes: "Axes", title: str, label: str) -> None:
    """Title, axis label and, where anything was drawn, the legend to the right."""
    if axes.get_xscale() == "linear":
        axes.locator_params(axis="x", nbins=6)
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold")
    axes.set_xlabel(label, parse_math=False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=7.5)
