"""The plot of sealed predictions: what was foretold against what came out, in units of δ."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...prompts import phrases
from ..results import Effect, Mode, Results
from . import selection
from .beside import name_points
from .canvas import KINDS, Kind, Panel, images
from .labels import drawn, how_removed, told_apart
from .marks import finish
from .predictions import Comparison, comparisons
from .selection import name
from .text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST = 2
ROWS = 12
MOST_NAMED = 4
"""Predictions farthest off, which are named."""
_NAME_LENGTH = 26
_LINEAR = 15.0
"""Losses in δ beyond which the axis goes by powers of ten."""

Scored = tuple[float, float, Comparison]
"""Predicted loss, observed loss, and whose they are."""


def predicted_plot(results: Results, kinds: Sequence[Kind] = KINDS) -> dict[Kind, bytes] | None:
    """One panel a mode; None where too little was foretold and measured."""
    results = drawn(results)
    panels = [
        Panel(ROWS, partial(_draw, mode=mode, scored=scored))
        for mode in selection.modes(results)
        if len(scored := _scored(results, mode)) >= FEWEST
    ]
    return images(panels, kinds) if panels else None


def _scored(results: Results, mode: Mode) -> list[Scored]:
    return [(one.prediction.size, one.observed, one) for one in comparisons(results, mode) if one.observed is not None]


def _draw(axes: "Axes", mode: Mode, scored: Sequence[Scored]) -> None:
    words = phrases("report/words.j2")
    axes.axhspan(-1, 1, color="#e4e4e4", zorder=0, label=words.forest["band"])
    axes.axvspan(-1, 1, color="#e4e4e4", zorder=0)
    ends = [min(min(x, y) for x, y, _ in scored), max(max(x, y) for x, y, _ in scored)]
    if max(abs(end) for end in ends) > _LINEAR:
        for axis, scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
            scale("symlog", linthresh=1)
            axis.set_major_formatter("{x:g}")
    axes.plot(ends, ends, color="black", linewidth=0.8, zorder=1, label=words.predicted_plot["exact"])
    for hit, colour, marker in ((True, "#0072B2", "o"), (False, "#D55E00", "X")):
        chosen = [(x, y) for x, y, one in scored if one.hit == hit]
        if chosen:
            axes.scatter(*zip(*chosen, strict=True), s=26, c=colour, marker=marker, zorder=3, label=_legend(hit))
    _name_the_farthest(axes, scored)
    axes.spines["left"].set_visible(True)
    axes.set_ylabel(words.predicted_plot["observed"])
    finish(axes, words.panel_title(mode), words.predicted_plot["predicted"])


def _legend(hit: bool) -> str:
    return phrases("report/words.j2").predicted_plot["hit" if hit else "miss"]


def _name_the_farthest(axes: "Axes", scored: Sequence[Scored]) -> None:
    """Those farthest off, where there is room for a name."""
    farthest = sorted(scored, key=lambda each: -abs(each[0] - each[1]))[:MOST_NAMED]
    texts = [_told(one.effect) for _, _, one in farthest]
    names = told_apart(texts, [shortened(each, _NAME_LENGTH) for each in texts], _NAME_LENGTH)
    places = [(x, y) for x, y, _ in scored]
    ends = min(map(min, places)), max(map(max, places))
    name_points(axes, [((x, y), each) for (x, y, _), each in zip(farthest, names, strict=True)], places, ends)


def _told(effect: Effect) -> str:
    """One component removed in several ways has several points."""
    return f"{name(effect)} · {effect.intervention_kind}" if how_removed(effect) else name(effect)
