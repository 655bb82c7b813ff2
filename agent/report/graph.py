"""The interaction graph: components on a circle, a line for each joint removal, where there are too many to list."""

import math
from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from ...prompts import phrases
from ..results import Interaction, Mode, Results
from . import selection
from .canvas import KINDS, Kind, Panel, images
from .labels import drawn, told_apart
from .marks import STYLES
from .text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST = 6
"""Joint removals from which on there is a graph."""
MOST_COMPONENTS = 48
_LABEL_LENGTH = 26
_MOST_LEVEL = 14
"""Components up to which names stand level; more are turned like spokes."""
_FAINT = ("additive", "undecided", "untestable")
_LINES: dict[str, Any] = {
    "compensation": "-",
    "irreducible": (0, (6, 1)),
    "redundancy": "--",
    "synergy": "-.",
    "saturation-limited": ":",
    "additive": (0, (1, 3)),
    "undecided": (0, (4, 4)),
}
_WIDEST, _THINNEST = 3.0, 0.8

Place = tuple[float, float]


class _Edge(NamedTuple):
    ends: tuple[str, str]
    joint: Interaction


def graph_plot(results: Results, kinds: Sequence[Kind] = KINDS) -> dict[Kind, bytes] | None:
    """One panel a mode, on the primary metric; None where so few were removed together that a list says it all."""
    results = drawn(results)
    panels: list[Panel] = []
    for mode in selection.modes(results):
        joints = [one for one in selection.interactions(results, mode) if one.metric == results.study.primary]
        joints = [one for one in joints if len(one.components) <= 3]  # larger sets are no statement about their pairs
        if len(joints) >= FEWEST:
            panels.append(Panel(_rows(joints), partial(_draw, mode=mode, joints=joints)))
    return images(panels, kinds) if panels else None


def _rows(joints: Sequence[Interaction]) -> int:
    """Of a list as high as the drawing: names that are turned take room above and below."""
    return 20 if len({part for joint in joints for part in joint.components}) > _MOST_LEVEL else 11


def _draw(axes: "Axes", mode: Mode, joints: Sequence[Interaction]) -> None:
    words = phrases("report/words.j2")
    edges = [_Edge(pair, joint) for joint in joints for pair in combinations(joint.components, 2)]
    order = _order(edges)[:MOST_COMPONENTS]
    places = {one: _on_circle(at, len(order)) for at, one in enumerate(order)}
    labels = {part: label for joint in joints for part, label in zip(joint.components, joint.labels, strict=False)}
    texts = [labels.get(part, part) for part in order]
    cut = told_apart(texts, [shortened(each, _LABEL_LENGTH) for each in texts], _LABEL_LENGTH)
    names = dict(zip(order, cut, strict=True))
    largest = max((abs(joint.contrast or 0.0) for joint in joints), default=0.0) or 1.0
    for edge in sorted(edges, key=lambda one: one.joint.verdict not in _FAINT):
        if all(end in places for end in edge.ends):
            _line(axes, edge, places, largest)
    for part, (x, y) in places.items():
        axes.plot(x, y, marker="o", color="black", markerfacecolor="white", markersize=6, zorder=4)
        _name(axes, names[part], x, y, turned=len(order) > _MOST_LEVEL)
    height = 1.9 if len(order) > _MOST_LEVEL else 1.15
    axes.set_xlim(-2.2, 2.2)
    axes.set_ylim(-height, height)
    axes.set_aspect("equal")
    axes.set_axis_off()
    title = words.panel_title(mode)
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold")
    _legend(axes, {joint.verdict: None for joint in joints}, words.graph_left(_left(edges, places)))


def _left(edges: Sequence[_Edge], places: dict[str, Place]) -> int:
    return len({end for edge in edges for end in edge.ends} - places.keys())


def _order(edges: Sequence[_Edge]) -> list[str]:
    """Those with the clearest findings first, each followed by what it is tied to: partners stand side by side."""
    told = sorted(edges, key=lambda one: (one.joint.verdict in _FAINT, -abs(one.joint.contrast or 0.0), one.ends))
    order: list[str] = []
    for edge in told:
        known = [order.index(end) for end in edge.ends if end in order]
        for end in edge.ends:
            if end not in order:
                order.insert(known[0] + 1 if known else len(order), end)
    return order


def _on_circle(at: int, count: int) -> Place:
    angle = math.pi / 2 - 2 * math.pi * (at + 0.5) / count
    return round(math.cos(angle), 6), round(math.sin(angle), 6)


def _line(axes: "Axes", edge: _Edge, places: dict[str, Place], largest: float) -> None:
    """Bent towards the middle, so that lines between neighbours and lines across can be told apart."""
    from matplotlib.patches import FancyArrowPatch

    verdict, contrast = edge.joint.verdict, abs(edge.joint.contrast or 0.0)
    style = STYLES.get(verdict, STYLES["undecided"])
    (ax, ay), (bx, by) = (places[end] for end in edge.ends)
    turn = ax * by - ay * bx
    bend = 0.2 if len(edge.joint.components) == 2 else 0.35
    path = FancyArrowPatch(
        *((ax, ay), (bx, by)),
        arrowstyle="-",
        connectionstyle=f"arc3,rad={bend if turn < 0 else -bend}",
        linestyle=_LINES.get(verdict, _LINES["undecided"]),
        linewidth=_THINNEST + (_WIDEST - _THINNEST) * min(1.0, contrast / largest) if verdict not in _FAINT else 0.7,
        color=style.colour if verdict not in _FAINT else "#8c8c8c",
        zorder=1 if verdict in _FAINT else 3,
        shrinkA=0,
        shrinkB=0,
    )
    axes.add_patch(path)


def _name(axes: "Axes", text: str, x: float, y: float, *, turned: bool) -> None:
    side = "left" if x > 0 else "right"
    style: dict[str, Any] = {"ha": side, "va": "center", "fontsize": 7, "parse_math": False}
    if turned:
        angle = math.degrees(math.atan2(y, x))
        style |= {"rotation": angle if x > 0 else angle + 180, "rotation_mode": "anchor"}
    axes.text(1.07 * x, 1.07 * y, text, **style)


def _legend(axes: "Axes", verdicts: dict[Any, None], left: str) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color="#8c8c8c" if verdict in _FAINT else STYLES[verdict].colour,
            linestyle=_LINES[verdict],
            linewidth=0.9 if verdict in _FAINT else 2.2,
            label=verdict,
        )
        for verdict in _LINES
        if verdict in verdicts
    ]
    legend = axes.legend(
        handles=handles, loc="upper left", frameon=False, fontsize=7.5, handlelength=4, title=left or None
    )
    legend.get_title().set_fontsize(7)
