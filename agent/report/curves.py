"""The learning curves: the baseline's range over its seeds, and the arms that differ from it most."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...prompts import phrases
from ..records.curves import LearningCurve
from ..results import Mode, Results
from . import selection
from .canvas import KINDS, LABEL_LENGTH, Kind, Panel, images
from .text import clipped, plain, prepared, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ARMS = 6
_LEGEND_LENGTH = 30
ROWS = 10
"""Of a list that would be as high as one of these panels."""
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's palette."""
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)))


def curves_plot(results: Results, kinds: Sequence[Kind] = KINDS) -> dict[Kind, bytes] | None:
    """The primary metric's curves in the given kinds, one panel a mode; None where no run left any."""
    results = prepared(results, plain)
    primary = results.study.primary
    panels = [
        Panel(ROWS, partial(_draw, mode=mode, metric=primary, baseline=baseline, arms=_arms(results, mode)))
        for mode in selection.modes(results)
        for baseline in results.curves
        if (baseline.mode, baseline.metric, baseline.ablation) == (mode, primary, "baseline")
    ]
    return images(panels, kinds) if panels else None


def _arms(results: Results, mode: Mode) -> list[LearningCurve]:
    """Those whose effect is largest, either way."""
    curves = {one.ablation: one for one in results.curves if (one.mode, one.metric) == (mode, results.study.primary)}
    effects = [
        one
        for one in results.effects
        if one.mode == mode and one.metric == results.study.primary and one.ablation in curves and one.delta is not None
    ]
    largest = sorted(effects, key=lambda one: -abs(one.delta or 0.0))[:MOST_ARMS]
    return [curves[one.ablation] for one in largest]


def _draw(axes: "Axes", mode: Mode, metric: str, baseline: LearningCurve, arms: Sequence[LearningCurve]) -> None:
    words = phrases("report/words.j2")
    axes.fill_between(baseline.steps, baseline.low, baseline.high, color="black", alpha=0.15, linewidth=0)
    axes.plot(baseline.steps, baseline.mean, color="black", linewidth=1.6, label=words.curves_plot["baseline"])
    for one, colour, line in zip(arms, COLOURS, LINES, strict=False):
        label = shortened(one.ablation, _LEGEND_LENGTH)
        axes.plot(one.steps, one.mean, color=colour, linewidth=1.2, linestyle=line, label=label)
    if all(step == int(step) for step in baseline.steps):
        axes.locator_params(axis="x", integer=True)
    axes.spines["left"].set_visible(True)
    axes.set_title(words.panel_title(mode), loc="left", fontsize=9, fontweight="bold")
    axes.set_xlabel(words.curves_plot["steps" if baseline.numbered else "rows"])
    axes.set_ylabel(clipped(metric, LABEL_LENGTH))
    axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
