"""The forest plot: every delta of the primary metric with its simultaneous interval, against the band ±δ."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...prompts import phrases
from ..results import Effect, Mode, Results
from . import selection
from .canvas import FAINT, LABEL_LENGTH, STYLES, UNKNOWN, Panel, Pixels, images, row_labels
from .selection import UNMEASURED, name, noise_floor
from .text import clipped, plain, prepared

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Effect | str
"""An effect, or the heading of those that follow."""


def forest_plot(results: Results) -> dict[Pixels, bytes]:
    """The plot as SVG and PNG, one panel per mode: modes answer different questions and share no axis."""
    results = prepared(results, plain)
    return images([_panel(results, mode) for mode in selection.modes(results)])


def _panel(results: Results, mode: Mode) -> Panel:
    rows = _rows(results, mode)
    return Panel(len(rows), partial(_draw, results=results, mode=mode, rows=rows))


def _rows(results: Results, mode: Mode) -> list[Row]:
    """The sealed family by loss, then the rest by loss, then what has no delta."""
    others = [e for e in selection.exploratory(results, mode) if e.metric == results.study.primary]
    others = selection.by_loss(results, others)
    family = selection.confirmatory(results, mode)
    heading = [phrases("report/words.j2").forest["exploratory"]]
    outside = [e for e in others if _has_point(e)]
    without = [e for e in (*family, *others) if not _has_point(e)]
    return [*filter(_has_point, family), *(heading if outside else []), *outside, *without]


def _has_point(effect: Effect) -> bool:
    return effect.verdict not in UNMEASURED and effect.delta is not None and math.isfinite(effect.delta)


def _draw(axes: "Axes", results: Results, mode: Mode, rows: Sequence[Row]) -> None:
    words = phrases("report/words.j2")
    primary = results.study.primary
    floor = noise_floor(results, mode, primary)
    if floor is not None:
        band = floor.smallest_effect
        axes.axvspan(-band, band, color="#e4e4e4", zorder=0, label=words.forest["band"])
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    _draw_points(axes, rows)
    _draw_texts(axes, rows)
    row_labels(axes, [clipped(_label(row), LABEL_LENGTH) for row in rows])
    axes.set_title(words.panel_title(mode), loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel(words.forest_axis(clipped(primary, LABEL_LENGTH), floor.goal if floor else ""), parse_math=False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=8)


def _draw_points(axes: "Axes", rows: Sequence[Row]) -> None:
    points = [(at, row, row.delta) for at, row in enumerate(rows) if isinstance(row, Effect) and _has_point(row)]
    ends = [end for _, row, _ in points for end in row.interval or () if math.isfinite(end)]
    values = [0.0, *ends, *(delta for _, _, delta in points if delta is not None)]
    low, high = min(values), max(values)
    beyond = (high - low) * 0.1 or 1.0  # where an endless interval is cut off, outside everything else
    for verdict in dict.fromkeys([*STYLES, *(row.verdict for _, row, _ in points)]):
        style = STYLES.get(verdict, UNKNOWN)
        chosen = [(at, row, delta) for at, row, delta in points if row.verdict == verdict and delta is not None]
        if not chosen:
            continue
        y = [at for at, _, _ in chosen]
        bars = [row.interval or (delta, delta) for _, row, delta in chosen]
        left, right = [max(a, low - beyond) for a, _ in bars], [min(b, high + beyond) for _, b in bars]
        axes.hlines(y, left, right, color=style.colour, linewidth=1.4, zorder=2)
        face = style.colour if style.filled else "white"
        x = [delta for _, _, delta in chosen]
        axes.plot(
            x, y, style.marker, color=style.colour, markerfacecolor=face, markersize=6, zorder=3, label=verdict, ls=""
        )


def _draw_texts(axes: "Axes", rows: Sequence[Row]) -> None:
    words = phrases("report/words.j2")
    for at, row in enumerate(rows):
        if isinstance(row, Effect) and not _has_point(row):
            text = words.forest.get(row.verdict, words.forest["missing"])
            transform = axes.get_yaxis_transform()
            axes.text(0.02, at, text, transform=transform, va="center", style="italic", color=FAINT, fontsize=8)
    if not rows:
        axes.text(0.5, 0.5, words.forest["empty"], transform=axes.transAxes, ha="center", style="italic", color=FAINT)


def _label(row: Row) -> str:
    if isinstance(row, str):
        return row
    return name(row) if row.role == "confirmatory" else f"{name(row)} · {row.intervention_kind} · {row.role}"
