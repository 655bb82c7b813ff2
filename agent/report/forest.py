"""The forest plot: every delta of the primary metric with its simultaneous interval, against the band ±δ."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...prompts import phrases
from ..results import Effect, Mode, Results
from . import selection
from .canvas import FAINT, KINDS, LABEL_LENGTH, Kind, Panel, images, row_labels, row_text
from .labels import drawn, how_removed, told_apart
from .marks import Mark, draw_marks, finish
from .selection import UNMEASURED, has_moved, is_crowd, members, name, noise_floor
from .text import clipped, clipped_names, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 120
"""Effects of one kind that a figure shows; the tables hold them all."""

Row = Effect | str
"""An effect, or the heading of those that follow."""


def forest_plot(results: Results, kinds: Sequence[Kind] = KINDS) -> dict[Kind, bytes]:
    """The plot in the given kinds, one panel per mode: modes answer different questions and share no axis."""
    results = drawn(results)
    return images([_panel(results, mode) for mode in selection.modes(results)], kinds)


def _panel(results: Results, mode: Mode) -> Panel:
    rows = _rows(results, mode)
    return Panel(len(rows), partial(_draw, results=results, mode=mode, rows=rows))


def _rows(results: Results, mode: Mode) -> list[Row]:
    """The sealed family by loss, then the rest by loss, then what has no delta; of the controls a placebo that moved."""
    outside = [*selection.exploratory(results, mode), *filter(has_moved, selection.controls(results, mode))]
    others = selection.by_loss(results, [e for e in outside if e.metric == results.study.primary])
    family = selection.confirmatory(results, mode)
    heading = [phrases("report/words.j2").forest["exploratory"]]
    shown = _ends([e for e in others if _has_point(e)])
    without = [e for e in (*family, *others) if not _has_point(e)]
    return [*_ends([e for e in family if _has_point(e)]), *(heading if shown else []), *shown, *without[:MOST]]


def _ends(effects: list[Effect]) -> list[Row]:
    """The largest losses and the largest gains, where there are more than a page holds."""
    if len(effects) <= MOST:
        return [*effects]
    losses, gains = MOST * 2 // 3, MOST // 3
    between = phrases("report/words.j2").forest_between(len(effects) - losses - gains)
    return [*effects[:losses], between, *effects[-gains:]]


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
    effects = [(at, row) for at, row in enumerate(rows) if isinstance(row, Effect) and _has_point(row)]
    draw_marks(axes, [_mark(at, effect, effect.delta) for at, effect in effects if effect.delta is not None])
    texts = [row if isinstance(row, str) else f"{members(row)}{how_removed(row)}" for row in rows]
    row_labels(axes, told_apart(texts, [_label(row) for row in rows], LABEL_LENGTH))
    _draw_texts(axes, rows)
    label = words.forest_axis(clipped(primary, LABEL_LENGTH), floor.goal if floor else "")
    finish(axes, words.panel_title(mode), label)


def _mark(at: int, effect: Effect, delta: float) -> Mark:
    low, high = effect.interval or (delta, delta)
    return Mark(at, delta, low, high, effect.verdict)


def _draw_texts(axes: "Axes", rows: Sequence[Row]) -> None:
    words = phrases("report/words.j2")
    for at, row in enumerate(rows):
        if isinstance(row, Effect) and not _has_point(row):
            row_text(axes, at, words.forest.get(row.verdict, words.forest["missing"]))
    if not rows:
        axes.text(0.5, 0.5, words.forest["empty"], transform=axes.transAxes, ha="center", style="italic", color=FAINT)


def _label(row: Row) -> str:
    if isinstance(row, str):
        return clipped(row, LABEL_LENGTH)
    if len(row.components) > 1:
        return shortened(name(row), LABEL_LENGTH) if is_crowd(row) else clipped_names(row.labels, LABEL_LENGTH)
    how = how_removed(row)
    return shortened(name(row), max(8, LABEL_LENGTH - len(how))) + how
