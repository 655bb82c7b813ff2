"""Every figure of a report by its name."""

from ..results import Results
from .canvas import Kind
from .curves import curves_plot
from .forest import forest_plot
from .joint import joint_plot

Images = dict[Kind, bytes]


def figures(results: Results) -> dict[str, Images]:
    """The figures that these results have, each in every kind of image."""
    plots = {"forest": forest_plot(results), "interactions": joint_plot(results), "curves": curves_plot(results)}
    return {name: images for name, images in plots.items() if images is not None}
