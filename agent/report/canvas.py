"""Drawing without a screen or a global state: figures made directly, saved as the same bytes every time."""

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pixels = Literal["svg", "png"]
LABEL_LENGTH = 44
FAINT = "#6b6b6b"
_MOST_PIXELS = 60_000
_SETTINGS = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "svg.fonttype": "none",  # text stays text: searchable, and legible to a screen reader
    "svg.hashsalt": "lesion",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}


class Style(NamedTuple):
    """A verdict's marker and colour: told apart by shape alone, filled where a difference was shown (Okabe-Ito colours)."""

    marker: str
    colour: str
    filled: bool


STYLES = {
    "matters": Style("s", "#D55E00", True),
    "hurts": Style("D", "#0072B2", True),
    "detected": Style("^", "#E69F00", True),
    "negligible": Style("o", "#009E73", False),
    "undecided": Style("X", "#8c8c8c", False),
    "compensation": Style("s", "#D55E00", True),
    "irreducible": Style("P", "#D55E00", True),
    "redundancy": Style("^", "#E69F00", True),
    "synergy": Style("D", "#0072B2", True),
    "additive": Style("o", "#009E73", False),
    "saturation-limited": Style("v", "#CC79A7", False),
}
UNKNOWN = Style("X", "#8c8c8c", False)


class Panel(NamedTuple):
    """One set of axes in a column of them: how many rows it lists and what draws them."""

    rows: int
    draw: "Callable[[Axes], None]"


def images(panels: Sequence[Panel]) -> dict[Pixels, bytes]:
    """The panels, one below the other, as SVG and as PNG."""
    with _drawing():
        figure = _figure(panels)
        return {kind: _saved(figure, kind) for kind in ("svg", "png")}


def row_labels(axes: "Axes", labels: Sequence[str]) -> None:
    """Names the rows, the first at the top; room is left for one row above and below."""
    size = 9 if len(labels) <= 40 else 6.5
    axes.set_yticks(range(len(labels)), labels, parse_math=False, fontsize=size)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.2, -0.8)


def _figure(panels: Sequence[Panel]) -> "Figure":
    from matplotlib.figure import Figure

    heights = [1.3 + max(2, panel.rows) * (0.26 if panel.rows <= 40 else 0.16) for panel in panels]
    figure = Figure(figsize=(8.2, sum(heights)), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for panel, each in zip(panels, axes[:, 0], strict=True):
        panel.draw(each)
    return figure


def _saved(figure: "Figure", kind: Pixels) -> bytes:
    buffer = io.BytesIO()
    dpi = min(150.0, _MOST_PIXELS / figure.get_figheight())
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    return buffer.getvalue()


@contextmanager
def _drawing() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield
