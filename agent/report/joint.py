"""The plot of joint removals: the observed loss against the sum of the single losses, with the contrast's interval."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...prompts import phrases
from ..results import Interaction, Mode, Results
from . import selection
from .canvas import FAINT, LABEL_LENGTH, STYLES, UNKNOWN, Panel, Pixels, images, row_labels
from .selection import name
from .text import clipped, plain, prepared

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def joint_plot(results: Results) -> dict[Pixels, bytes] | None:
    """The plot as SVG and PNG, one panel per mode and metric; None where nothing was removed together."""
    results = prepared(results, plain)
    panels = [
        Panel(len(joints), partial(_draw, mode=mode, metric=metric, joints=joints))
        for mode in selection.modes(results)
        for metric, joints in _by_metric(results, mode).items()
    ]
    return images(panels) if panels else None


def _by_metric(results: Results, mode: Mode) -> dict[str, list[Interaction]]:
    joints = selection.interactions(results, mode)
    return {metric: [j for j in joints if j.metric == metric] for metric in dict.fromkeys(j.metric for j in joints)}


def _draw(axes: "Axes", mode: Mode, metric: str, joints: Sequence[Interaction]) -> None:
    words = phrases("report/words.j2")
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    labelled: set[str] = set()
    for at, joint in enumerate(joints):
        if _draw_row(axes, at, joint, labelled):
            continue
        transform = axes.get_yaxis_transform()
        text = f"{joint.verdict}: {words.joint_plot['empty']}"
        axes.text(0.02, at, text, transform=transform, va="center", style="italic", color=FAINT, fontsize=8)
    row_labels(axes, [_label(joint) for joint in joints])
    axes.set_title(words.panel_title(mode), loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel(words.joint_axis(clipped(metric, LABEL_LENGTH)), parse_math=False)
    if labelled:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=8)


def _draw_row(axes: "Axes", at: int, joint: Interaction, labelled: set[str]) -> bool:
    """Draws one joint removal if it was measured, and says so; `labelled` collects what the legend already names."""
    observed, additive = joint.observed, joint.additive
    if observed is None or additive is None or not (math.isfinite(observed) and math.isfinite(additive)):
        return False
    style = STYLES.get(joint.verdict, UNKNOWN)
    sum_label, label = phrases("report/words.j2").joint_plot["additive"], str(joint.verdict)
    if joint.interval is not None and all(map(math.isfinite, joint.interval)):
        low, high = joint.interval
        axes.hlines(at, additive + low, additive + high, color=style.colour, linewidth=1.6, zorder=2)
    axes.plot(additive, at, "|", color="black", markersize=12, markeredgewidth=1.8, ls="", zorder=3, **_named(sum_label, labelled))
    face = style.colour if style.filled else "white"
    axes.plot(
        observed, at, style.marker, color=style.colour, markerfacecolor=face, ls="", zorder=4, **_named(label, labelled)
    )
    return True


def _named(label: str, labelled: set[str]) -> dict[str, str]:
    if label in labelled:
        return {}
    labelled.add(label)
    return {"label": label}


def _label(joint: Interaction) -> str:
    """Every member keeps its start: a pair whose second name is cut away says nothing."""
    labels = joint.labels or joint.components or [name(joint)]
    room = max(8, (LABEL_LENGTH - 3 * (len(labels) - 1)) // len(labels))
    return clipped(" + ".join(clipped(label, room) for label in labels), LABEL_LENGTH)
