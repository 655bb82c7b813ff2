"""Names beside some of the points of a plot, each where it covers no point and no other name, or not at all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .canvas import FAINT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = 7.0
"""Of the letters, in points."""
_WIDE, _HIGH, _GAP = 0.62, 1.3, 6.0
"""A letter's width and a line's height in sizes; points between a mark and its name."""
_PLACES = ((1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""Sides of the mark that are tried: right and left, level, above and below."""

_STEPS = 60
"""In which the diagonal is gone along."""

Point = tuple[float, float]


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: "_Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )


def name_points(axes: "Axes", named: Sequence[tuple[Point, str]], points: Sequence[Point], diagonal: Point) -> None:
    """Writes the names, the first with the first choice of a place.

    Args:
        axes: with everything else drawn already.
        named: points and their names.
        points: all that are drawn.
        diagonal: where the line y = x starts and ends, which names keep off as well.
    """
    axes.autoscale_view()
    scale = 72 / axes.get_figure().dpi  # pyright: ignore[reportOptionalMemberAccess]
    room = _inside(axes, scale)
    at = [_on_screen(axes, point, scale) for point in points]
    (ax, ay), (bx, by) = (_on_screen(axes, (end, end), scale) for end in diagonal)
    at += [(ax + part * (bx - ax), ay + part * (by - ay)) for part in (step / _STEPS for step in range(_STEPS + 1))]
    taken = [_Box(x - _GAP / 2, y - _GAP / 2, x + _GAP / 2, y + _GAP / 2) for x, y in at]
    for point, name in named:
        x, y = _on_screen(axes, point, scale)
        for side, level in _PLACES:
            box = _box(x, y, side, level, len(name))
            if not any(map(box.meets, taken)) and _holds(room, box):
                taken.append(box)
                _write(axes, name, point, side, level)
                break


def _on_screen(axes: "Axes", point: Point, scale: float) -> Point:
    x, y = axes.transData.transform(point)
    return scale * x, scale * y


def _inside(axes: "Axes", scale: float) -> _Box:
    box = axes.get_window_extent()
    return _Box(*(scale * each for each in (box.x0, box.y0, box.x1, box.y1)))


def _holds(room: _Box, box: _Box) -> bool:
    return room.left <= box.left and box.right <= room.right and room.bottom <= box.bottom and box.top <= room.top


def _box(x: float, y: float, side: int, level: int, letters: int) -> _Box:
    wide, high = _SIZE * _WIDE * letters, _SIZE * _HIGH
    near, middle = x + side * _GAP, y + level * (_GAP + high / 2)
    return _Box(min(near, near + side * wide), middle - high / 2, max(near, near + side * wide), middle + high / 2)


def _write(axes: "Axes", name: str, point: Point, side: int, level: int) -> None:
    style: dict[str, Any] = {
        "xytext": (side * _GAP, level * (_GAP + _SIZE * _HIGH / 2)),
        "textcoords": "offset points",
        "ha": "left" if side > 0 else "right",
        "va": "center",
        "fontsize": _SIZE,
        "color": FAINT,
        "parse_math": False,
    }
    axes.annotate(name, point, **style)
