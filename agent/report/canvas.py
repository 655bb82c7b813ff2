"""Drawing without a screen or a global state: figures made directly, saved as the same bytes every time."""

import io
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = Literal["svg", "png", "pdf"]
KINDS: tuple[Kind, ...] = ("svg", "png", "pdf")
LABEL_LENGTH = 40
WIDTH = 7.0
"""Inches: the text width of a two-column paper, at which the letters keep the size that they are drawn in."""
FAINT = "#6b6b6b"
_DPI = 150.0
_MOST_PIXELS = 60_000
_FACES = b"'DejaVu Sans', Verdana, Geneva, sans-serif"
"""Where the first is not there, letters of the same width are."""
_SETTINGS: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 8.0,
    "svg.fonttype": "none",  # text stays text: searchable, and legible to a screen reader
    "svg.hashsalt": "lesion",
    "pdf.fonttype": 42,  # TrueType: publishers refuse fonts of type 3
    "hatch.linewidth": 0.6,
    "lines.markersize": 5.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}


class Panel(NamedTuple):
    """One set of axes in a column of them: how many rows it lists and what draws them."""

    rows: int
    draw: "Callable[[Axes], None]"


def images(panels: Sequence[Panel], kinds: Sequence[Kind] = KINDS, columns: int = 1) -> dict[Kind, bytes]:
    """The panels, one below the other or in several columns, in the given kinds of image."""
    with _drawing():
        figure = _figure(panels, min(columns, len(panels)))
        return {kind: _saved(figure, kind) for kind in kinds}


def row_labels(axes: "Axes", labels: Sequence[str]) -> None:
    """Names the rows, the first at the top; room is left for one row above and below."""
    size = 8 if len(labels) <= 40 else 6.5
    axes.set_yticks([])  # hundreds of real ticks are slow to lay out
    for at, label in enumerate(labels):
        transform = axes.get_yaxis_transform()
        axes.text(-0.015, at, label, transform=transform, ha="right", va="center", fontsize=size, parse_math=False)
    axes.set_ylim(len(labels) - 0.2, -0.8)


def row_text(axes: "Axes", at: int, text: str) -> None:
    """Words in the place of a point, for a row that has no estimate."""
    axes.text(
        *(0.02, at, text),
        transform=axes.get_yaxis_transform(),
        va="center",
        style="italic",
        color=FAINT,
        fontsize=7.5 if axes.get_ylim()[0] <= 40 else 6.5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        parse_math=False,
    )


def _figure(panels: Sequence[Panel], columns: int) -> "Figure":
    from matplotlib.figure import Figure

    single = [1.2 + max(2, panel.rows) * (0.24 if panel.rows <= 40 else 0.16) for panel in panels]
    heights = [max(single[at : at + columns]) for at in range(0, len(panels), columns)]
    figure = Figure(figsize=(WIDTH, sum(heights)), dpi=_DPI, layout="constrained")
    axes = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights).flat
    for panel, each in zip(panels, axes, strict=False):
        panel.draw(each)
    for empty in axes[len(panels) :]:
        empty.set_axis_off()
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once, not again for every format
    return figure


def _saved(figure: "Figure", kind: Kind) -> bytes:
    """Straight from the backend: `savefig` would lay every text out twice."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    figure.set_dpi(min(_DPI if figure.get_figheight() < 40 else 100.0, _MOST_PIXELS / figure.get_figheight()))
    match kind:
        case "png":
            FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
        case "svg":
            FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
        case "pdf":
            FigureCanvasPdf(figure).print_pdf(buffer, metadata={"CreationDate": None})
    content = buffer.getvalue()
    return content.replace(b"'DejaVu Sans'", _FACES) if kind == "svg" else content


@contextmanager
def _drawing() -> Generator[None]:
    import matplotlib

    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield
