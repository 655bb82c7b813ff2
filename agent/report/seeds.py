"""The plot of paired seeds: where runs are few, every one of them is shown beside the mean and its interval."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...prompts import phrases
from ..results import BaselineMetric, Effect, Mode, Results
from . import selection
from .canvas import KINDS, LABEL_LENGTH, Kind, Panel, images, row_labels
from .labels import drawn, told_apart
from .marks import finish
from .selection import name, noise_floor
from .text import clipped, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 40
"""Effects that are shown, the largest losses first."""


def seeds_plot(results: Results, kinds: Sequence[Kind] = KINDS) -> dict[Kind, bytes] | None:
    """One panel a mode; None where no effect tells its runs."""
    results = drawn(results)
    panels: list[Panel] = []
    for mode in selection.modes(results):
        told = [effect for effect in selection.confirmatory(results, mode) if effect.by_seed and _has_point(effect)]
        if told:
            floor = noise_floor(results, mode, results.study.primary)
            draw = partial(_draw, mode=mode, metric=results.study.primary, floor=floor, effects=told[:MOST_ROWS])
            panels.append(Panel(min(len(told), MOST_ROWS), draw))
    return images(panels, kinds) if panels else None


def _has_point(effect: Effect) -> bool:
    return effect.verdict not in selection.UNMEASURED and effect.delta is not None and math.isfinite(effect.delta)


def _draw(axes: "Axes", mode: Mode, metric: str, floor: BaselineMetric | None, effects: Sequence[Effect]) -> None:
    words = phrases("report/words.j2")
    if floor is not None:
        axes.axvspan(
            -floor.smallest_effect, floor.smallest_effect, color="#e4e4e4", zorder=0, label=words.forest["band"]
        )
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    seeds = [(delta, at) for at, effect in enumerate(effects) for delta in effect.by_seed.values()]
    means = [(effect.delta or 0.0, at) for at, effect in enumerate(effects)]
    for at, effect in enumerate(effects):
        if effect.interval is not None and all(map(math.isfinite, effect.interval)):
            axes.hlines(at, *effect.interval, color="#0072B2", linewidth=1.2, zorder=2)
    axes.scatter(
        *zip(*seeds, strict=True),
        **{"s": 18, "facecolors": "none", "edgecolors": "#D55E00", "linewidths": 0.9, "zorder": 4},
        label=words.seeds_plot["seed"],
    )
    axes.scatter(
        *zip(*means, strict=True),
        **{"s": 70, "marker": "|", "color": "#0072B2", "linewidths": 2, "zorder": 3},
        label=words.seeds_plot["mean"],
    )
    names = [name(effect) for effect in effects]
    row_labels(axes, told_apart(names, [shortened(each, LABEL_LENGTH) for each in names], LABEL_LENGTH))
    finish(axes, words.panel_title(mode), words.forest_axis(clipped(metric, LABEL_LENGTH), floor.goal if floor else ""))
