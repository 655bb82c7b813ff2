"""Every figure of a report by its name."""

from collections.abc import Callable

from ..results import Results
from .canvas import Kind
from .confusion import confusion_plot
from .curves import curves_plot
from .forest import forest_plot
from .graph import graph_plot
from .heads import heads_plot
from .joint import joint_plot
from .predicted import predicted_plot
from .seeds import seeds_plot

Images = dict[Kind, bytes]

PLOTS: dict[str, Callable[[Results], Images | None]] = {
    "forest": forest_plot,
    "seeds": seeds_plot,
    "heads": heads_plot,
    "curves": curves_plot,
    "interactions": joint_plot,
    "graph": graph_plot,
    "confusion": confusion_plot,
    "predictions": predicted_plot,
}
"""In the order in which a report speaks of them; each gives None where the results have nothing for it."""


def figures(results: Results) -> dict[str, Images]:
    """The figures that these results have, each in every kind of image."""
    drawn = {name: plot(results) for name, plot in PLOTS.items()}
    return {name: images for name, images in drawn.items() if images is not None}
