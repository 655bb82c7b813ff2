"""Every figure of a report by its name."""

from collections.abc import Sequence
from typing import Protocol

from ..results import Results
from .canvas import KINDS, Kind
from .confusion import confusion_plot
from .curves import curves_plot
from .forest import forest_plot
from .graph import graph_plot
from .heads import heads_plot
from .joint import joint_plot
from .predicted import predicted_plot
from .seeds import seeds_plot

Images = dict[Kind, bytes]


class Plot(Protocol):
    """Draws one figure in the given kinds of image; None where the results have nothing for it."""

    def __call__(self, results: Results, kinds: Sequence[Kind] = KINDS) -> Images | None:
        """The images by kind."""
        ...


PLOTS: dict[str, Plot] = {
    "forest": forest_plot,
    "seeds": seeds_plot,
    "heads": heads_plot,
    "curves": curves_plot,
    "interactions": joint_plot,
    "graph": graph_plot,
    "confusion": confusion_plot,
    "predictions": predicted_plot,
}
"""In the order in which a report speaks of them."""


def figures(results: Results, kinds: Sequence[Kind] = KINDS) -> dict[str, Images]:
    """The figures that these results have, each in the given kinds of image."""
    drawn = {name: plot(results, kinds) for name, plot in PLOTS.items()}
    return {name: images for name, images in drawn.items() if images is not None}
