"""Tables that span pages, for the appendix: as wide as their text, or with columns that share what there is of the page."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ....prompts import render
from .escaping import PIECE

_PAGE, _PAGE_TURNED = 93.0, 150.0
"""Widths of a page of 5.5 inches, and of one turned by a quarter, in digits of the size that tables are set in."""
_GAP = 1.4
"""Between two columns."""
_TEXT = 28.0
"""Beyond this, a column of text is wrapped before one of numbers is."""
_SHORT = 12
"""Rows up to which a table is rather scaled than broken up."""
_SCALED = 1.4
"""How much wider than a page a table may be before it is scaled."""
_WIDE = {
    **dict.fromkeys("mwMW", 1.7),
    **dict.fromkeys("+−=<>±×Δ→←", 1.65),
    **dict.fromkeys("δσα≤≥", 1.2),
    **dict.fromkeys("%&@", 1.7),
}
_NARROW = dict.fromkeys("il.,:;'!|()[]/ -–jtfrI", 0.7)
_INTERVAL = re.compile(r"\[([^\s\]]+), ([^\s\]]+)\]")


@dataclass(frozen=True)
class Text:
    """A cell: LaTeX, and what a reader sees of it."""

    tex: str
    seen: str


@dataclass(frozen=True)
class Grid:
    """Rows under headings; columns of numbers stand to the right."""

    headings: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    right: tuple[bool, ...]


def laid_out(grid: Grid) -> str:
    """A `longtable` as wide as its text, or wrapped; a short one is scaled instead, a wide one turned by a quarter."""
    columns = _columns(grid)
    gaps = _GAP * (len(columns) - 1)
    natural, least, whole = (
        [max(map(measure, column)) for column in columns] for measure in (width, _least, _least_with_whole_intervals)
    )
    plain = "".join("r" if right else "l" for right in grid.right)
    if sum(natural) + gaps <= _PAGE:
        return _rendered(grid, plain)
    if sum(whole) + gaps <= _PAGE:
        return _rendered(_kept_whole(grid), _wrapped(grid, natural, whole, _PAGE - gaps))
    if len(grid.rows) <= _SHORT and sum(natural) + gaps <= _PAGE * _SCALED:
        return _rendered(grid, plain, "scaled")
    if len(grid.rows) <= _SHORT and sum(whole) + gaps <= _PAGE * _SCALED:
        wrapped = _wrapped(grid, natural, whole, _PAGE * _SCALED - gaps, _SCALED)
        return _rendered(_kept_whole(grid), wrapped, "scaled")
    if sum(least) + gaps <= _PAGE:
        return _rendered(grid, _wrapped(grid, natural, least, _PAGE - gaps))
    if sum(natural) + gaps <= _PAGE_TURNED:
        return _rendered(grid, plain, "turned")
    if sum(whole) + gaps <= _PAGE_TURNED:
        return _rendered(_kept_whole(grid), _wrapped(grid, natural, whole, _PAGE_TURNED - gaps), "turned")
    return _rendered(grid, _wrapped(grid, natural, least, _PAGE_TURNED - gaps), "turned")


def _kept_whole(grid: Grid) -> Grid:
    """No line ends within an interval."""
    rows = tuple(tuple(replace(cell, tex=_INTERVAL.sub(r"[\1,~\2]", cell.tex)) for cell in row) for row in grid.rows)
    return replace(grid, rows=rows)


def _rendered(grid: Grid, specification: str, how: Literal["upright", "scaled", "turned"] = "upright") -> str:
    return render("report/latex/grid.j2", grid=grid, specification=specification, how=how)


def _wrapped(grid: Grid, natural: Sequence[float], least: Sequence[float], room: float, pages: float = 1.0) -> str:
    """Columns that share so many widths of the page: each what it needs at least, and of the rest in proportion to what it would like."""
    modest = [n if right else min(n, max(m, _TEXT)) for n, m, right in zip(natural, least, grid.right, strict=True)]
    natural = modest if sum(modest) > room else natural
    wanted = sum(natural) - sum(least) or 1.0
    rest = max(0.0, room - sum(least))
    widths = [m + (n - m) * min(1.0, rest / wanted) for n, m in zip(natural, least, strict=True)]
    shares = [math.floor(10_000 * w / max(room, sum(widths))) / 10_000 for w in widths]
    return "".join(_paragraph(s, len(shares), right, pages) for s, right in zip(shares, grid.right, strict=True))


def width(text: Text) -> float:
    """How wide a text is, in digits."""
    return _width(text.seen)


def _width(seen: str) -> float:
    return sum(_WIDE.get(c) or _NARROW.get(c) or (1.4 if c.isupper() else 1.06) for c in seen)


def _least(text: Text) -> float:
    """Of the longest piece that is not broken."""
    return max((_width(word[:PIECE]) for word in text.seen.split()), default=1)


def _least_with_whole_intervals(text: Text) -> float:
    """Likewise, where intervals are not broken."""
    return max(_least(text), max((_width(found[0]) for found in _INTERVAL.finditer(text.seen)), default=0.0))


def _columns(grid: Grid) -> list[list[Text]]:
    return [[heading, *(row[i] for row in grid.rows)] for i, heading in enumerate(grid.headings)]


def _paragraph(share: float, count: int, right: bool, pages: float) -> str:
    ragged = r"\raggedleft" if right else r"\raggedright"
    return (
        rf">{{{ragged}\arraybackslash}}p{{{share:.4f}\dimexpr{pages:.1f}\linewidth-{2 * (count - 1)}\tabcolsep\relax}}"
    )
