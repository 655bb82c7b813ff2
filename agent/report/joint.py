"""The plot of joint removals: the observed loss against the sum of the single losses, with the contrast's interval."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from ...prompts import phrases
from ..results import Interaction, Mode, Results
from . import selection
from .canvas import KINDS, LABEL_LENGTH, Kind, Panel, images, row_labels, row_text
from .labels import drawn, told_apart
from .marks import Mark, draw_marks, finish
from .selection import is_crowd, members, name
from .text import clipped, clipped_names, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def joint_plot(results: Results, kinds: Sequence[Kind] = KINDS) -> dict[Kind, bytes] | None:
    """The plot in the given kinds, one panel per mode and metric; None where nothing was removed together."""
    results = drawn(results)
    panels = [
        Panel(len(joints), partial(_draw, mode=mode, metric=metric, joints=joints))
        for mode in selection.modes(results)
        for metric, joints in _by_metric(results, mode).items()
    ]
    return images(panels, kinds) if panels else None


def _by_metric(results: Results, mode: Mode) -> dict[str, list[Interaction]]:
    joints = selection.interactions(results, mode)
    return {metric: [j for j in joints if j.metric == metric] for metric in dict.fromkeys(j.metric for j in joints)}


def _draw(axes: "Axes", mode: Mode, metric: str, joints: Sequence[Interaction]) -> None:
    words = phrases("report/words.j2")
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    row_labels(
        axes, told_apart([members(joint) for joint in joints], [_label(joint) for joint in joints], LABEL_LENGTH)
    )
    marks: list[Mark] = []
    sums: list[float] = []
    for at, joint in enumerate(joints):
        if _known(joint.observed) and _known(joint.additive):
            marks.append(_mark(at, joint, joint.observed, joint.additive))
            sums.append(joint.additive)
        else:
            row_text(axes, at, f"{joint.verdict}: {words.joint_plot['empty']}")
    draw_marks(axes, marks)
    if marks:
        style: dict[str, Any] = {"marker": "|", "s": 150, "linewidths": 1.8, "color": "black", "zorder": 3}
        axes.scatter(sums, [mark.row for mark in marks], **style, label=words.joint_plot["additive"])
    finish(axes, words.panel_title(mode), words.joint_axis(clipped(metric, LABEL_LENGTH)))


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _mark(at: int, joint: Interaction, observed: float, additive: float) -> Mark:
    """The observed loss, with the contrast's interval set off from the sum of the single losses."""
    low, high = joint.interval or (observed - additive, observed - additive)
    return Mark(at, observed, additive + low, additive + high, joint.verdict)


def _label(joint: Interaction) -> str:
    if is_crowd(joint):
        return shortened(name(joint), LABEL_LENGTH)
    return clipped_names(joint.labels or joint.components or [name(joint)], LABEL_LENGTH)
