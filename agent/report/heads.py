"""The map of attention heads: layer by head, the change of the primary metric around zero, the verdict as a symbol."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ...prompts import phrases
from ..results import Effect, Mode, Results
from . import selection
from .canvas import KINDS, LABEL_LENGTH, Kind, Panel, images
from .centred import Centred
from .labels import drawn, told_apart
from .marks import STYLES, UNKNOWN
from .numbers import number
from .text import clipped, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST = 4
_HEAD = re.compile(r"head:(?P<module>.+)/(?P<index>\d+)")
_MOST_NUMBERED = 8
"""Heads of a layer up to which every cell tells its number."""


class _Map(NamedTuple):
    mode: Mode
    metric: str
    modules: list[str]
    heads: int
    cells: dict[tuple[str, int], Effect]


def heads_plot(results: Results, kinds: Sequence[Kind] = KINDS) -> dict[Kind, bytes] | None:
    """One panel a mode; None where hardly a head was removed alone."""
    maps = [_map(drawn(results), mode) for mode in selection.modes(results)]
    panels = [Panel(2 * len(one.modules), partial(_draw, found=one)) for one in maps if len(one.cells) >= FEWEST]
    return images(panels, kinds) if panels else None


def _map(results: Results, mode: Mode) -> _Map:
    found = {
        (match["module"], int(match["index"])): effect
        for effect in selection.confirmatory(results, mode)
        if len(effect.components) == 1 and (match := _HEAD.fullmatch(effect.components[0]))
    }
    modules = sorted({module for module, _ in found}, key=_natural)
    return _Map(mode, results.study.primary, modules, 1 + max((head for _, head in found), default=0), found)


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", text)]


def _draw(axes: "Axes", found: _Map) -> None:
    words = phrases("report/words.j2")
    deltas = {at: effect.delta for at, effect in found.cells.items() if _has_delta(effect) and effect.delta is not None}
    scale = Centred(max((abs(delta) for delta in deltas.values()), default=0.0) or 1.0)
    for row, module in enumerate(found.modules):
        for head in range(found.heads):
            _cell(axes, row, head, scale.colour(deltas[module, head]) if (module, head) in deltas else None)
            if (module, head) in found.cells:
                _mark(axes, row, head, found.cells[module, head], scale, numbered=found.heads <= _MOST_NUMBERED)
    axes.set_xlim(0, found.heads)
    axes.set_ylim(len(found.modules), 0)
    axes.set_xticks([head + 0.5 for head in range(found.heads)], [str(head) for head in range(found.heads)])
    cut = [shortened(module, LABEL_LENGTH) for module in found.modules]
    labels = told_apart(found.modules, cut, LABEL_LENGTH)
    axes.set_yticks([row + 0.5 for row in range(len(labels))], labels)
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)
    scale.bar(axes, f"Δ {clipped(found.metric, LABEL_LENGTH)}")
    _legend(axes, {effect.verdict: None for effect in found.cells.values()}, len(deltas) < found.heads * len(labels))
    axes.set_title(words.panel_title(found.mode), loc="left", fontsize=9, fontweight="bold")
    axes.set_xlabel(words.heads_plot["head"])


def _has_delta(effect: Effect) -> bool:
    return effect.verdict not in selection.UNMEASURED


def _cell(axes: "Axes", row: int, head: int, colour: Any) -> None:
    from matplotlib.patches import Rectangle

    style: dict[str, Any] = {"facecolor": "white", "hatch": "////", "edgecolor": "#b0b0b0"}
    axes.add_patch(Rectangle((head, row), 1, 1, linewidth=0, **(style if colour is None else {"facecolor": colour})))
    axes.add_patch(Rectangle((head, row), 1, 1, fill=False, edgecolor="white", linewidth=1.5))


def _mark(axes: "Axes", row: int, head: int, effect: Effect, scale: Centred, *, numbered: bool) -> None:
    style = STYLES.get(effect.verdict, UNKNOWN)
    delta = effect.delta if _has_delta(effect) else None
    if delta is None:
        axes.text(head + 0.5, row + 0.5, effect.verdict, ha="center", va="center", fontsize=6.5, style="italic")
        return
    ink = scale.ink(delta)
    fill = ink if style.filled else "none"
    height = row + (0.32 if numbered else 0.5)
    axes.plot(head + 0.5, height, marker=style.marker, color=ink, markerfacecolor=fill, markersize=5)
    if numbered:
        text = number(delta, effect.interval, signed=True)
        axes.text(head + 0.5, row + 0.7, text, ha="center", va="center", fontsize=6.5, color=ink)


def _legend(axes: "Axes", verdicts: Mapping[str, None], unmeasured: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    words = phrases("report/words.j2")
    handles: list[Any] = [
        Line2D([], [], linestyle="", marker=style.marker, color="black", markerfacecolor=fill, label=verdict)
        for verdict, style in STYLES.items()
        if verdict in verdicts
        for fill in ["black" if style.filled else "none"]
    ]
    if unmeasured:
        handles.append(
            Patch(facecolor="white", edgecolor="#b0b0b0", hatch="////", label=words.heads_plot["unmeasured"])
        )
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=5, frameon=False, fontsize=7.5)
