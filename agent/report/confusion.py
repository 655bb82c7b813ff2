"""The plot of confusions: which classes are taken for which, more often or less often than by the baseline."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...prompts import phrases
from ..results import Results
from . import selection
from .canvas import KINDS, Kind, Panel, images
from .centred import Centred
from .classes import classes
from .numbers import MINUS
from .selection import name
from .text import plain, prepared, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..records.classes import ConfusionShift

MOST_PANELS = 6
_TITLE_LENGTH = 34


def confusion_plot(results: Results, kinds: Sequence[Kind] = KINDS) -> dict[Kind, bytes] | None:
    """A panel for each removal under which classes fall or that matters; None where no confusion moved."""
    results = prepared(results, plain)
    chosen = [one for mode in selection.modes(results) for one in classes(results, mode).shifts][:MOST_PANELS]
    several = len({one.mode for one in chosen}) > 1
    panels = [Panel(2 + len(_classes(one)), partial(_draw, shift=one, several=several)) for one in chosen]
    return images(panels, kinds, columns=2) if panels else None


def _classes(shift: "ConfusionShift") -> list[int]:
    return sorted({at for cell in shift.cells for at in (cell.target, cell.prediction)})


def _draw(axes: "Axes", shift: "ConfusionShift", several: bool) -> None:
    from matplotlib.patches import Rectangle

    words, order = phrases("report/words.j2"), _classes(shift)
    place = {each: at for at, each in enumerate(order)}
    changes = {(cell.target, cell.prediction): cell.ablated - cell.baseline for cell in shift.cells}
    scale = Centred(max(map(abs, changes.values()), default=1) or 1)
    for at in range(len(order)):
        axes.add_patch(Rectangle((at, at), 1, 1, facecolor="#e4e4e4", linewidth=0))
    for (target, prediction), change in changes.items():
        x, y = place[prediction], place[target]
        axes.add_patch(Rectangle((x, y), 1, 1, facecolor=scale.colour(change), linewidth=0))
        text = f"{change:+d}".replace("-", MINUS)
        axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=6.5, color=scale.ink(change))
    _frame(axes, order)
    scale.bar(axes, words.confusion_plot["change"])
    mode = words.modes[shift.mode].name if several else ""
    title = words.confusion_title(shortened(name(shift), _TITLE_LENGTH), shift.dataset or "", mode)
    style: dict[str, Any] = {"loc": "left", "fontsize": 8, "fontweight": "bold", "parse_math": False}
    axes.set_title(title, **style)
    axes.set_xlabel(words.confusion_axis(shift.left))


def _frame(axes: "Axes", order: list[int]) -> None:
    words = phrases("report/words.j2")
    middles = [at + 0.5 for at in range(len(order))]
    axes.set_xlim(0, len(order))
    axes.set_ylim(len(order), 0)
    axes.set_xticks(middles, [str(each) for each in order])
    axes.set_yticks(middles, [str(each) for each in order])
    axes.set_xticks(range(len(order) + 1), minor=True)
    axes.set_yticks(range(len(order) + 1), minor=True)
    axes.grid(which="minor", color="#d0d0d0", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    axes.set_ylabel(words.confusion_plot["target"])
