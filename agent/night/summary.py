"""The morning's summary of a night: one screen, the most needed first, whatever came of how many studies."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap
from typing import get_args

from ...prompts import phrases, render
from ..report import numbers
from ..report.text import plain, prepared
from ..results import Accounting
from .columns import columns_of, fitted, fitted_path
from .points import Part, Point, Told, points

COLUMNS = 80
LINES = 24
_DAY = 86400.0
_TITLE = 10
"""Columns of a part's title and the blank behind it."""
_ROOM = COLUMNS - _TITLE
_STUDY = 16
"""Columns of a study's name in front of what is said of it."""
_NAMED = 2
"""Studies of which the same is true that are named; the others are counted."""
_LEAST = 2
"""Lines that every part has, if it has as many points."""


@dataclass(frozen=True)
class Hours:
    """When a night began, was to end and ended; seconds since the epoch."""

    began: float
    deadline: float
    ended: float | None
    code: int | None
    """The exit code."""


@dataclass(frozen=True)
class _Shown:
    """A part as it is printed."""

    title: Part
    lines: list[str]
    left: int


def summary(nights: Sequence[Told], hours: Hours | None = None) -> list[str]:
    """At most 24 lines of 80 columns, free of control characters; what does not fit is counted.

    Args:
        nights: every study of the night.
        hours: of the night, for the first line; None where they are told elsewhere.
    """
    head = None if hours is None else hours_line(hours)
    room = LINES - (2 if head is None else 3)
    text = render(
        "night/summary.j2",
        hours=head,
        headline=_headline(nights),
        trials=phrases("night/words.j2").trials(_added_up([one.results.accounting for one in nights if one.results])),
        parts=_shared(_by_part(nights), room),
    )
    return [fitted(line, COLUMNS) for line in text.split("\n") if line]


def troubled(text: str) -> list[str]:
    """What went wrong after the summary was written, as its part of that name would say it."""
    shown = _Shown("TROUBLE", wrap(plain(text), _ROOM, subsequent_indent="  "), 0)
    return render("night/parts.j2", parts=[shown]).splitlines()


def hours_line(hours: Hours) -> str:
    """When it began and ended, in a line."""
    return render(
        "night/hours.j2",
        began=moment(hours.began),
        ended=None if hours.ended is None else _soon(hours.began, hours.ended),
        lasted=None if hours.ended is None else numbers.duration(max(0.0, hours.ended - hours.began)),
        deadline=_soon(hours.began, hours.deadline),
        code=hours.code,
    ).strip()


def moment(at: float) -> str:
    """A day and a time of it, as clocks here show it."""
    return datetime.fromtimestamp(at).strftime("%a %d %b %H:%M")


def _soon(began: float, at: float) -> str:
    """The time alone, where it needs no day."""
    return datetime.fromtimestamp(at).strftime("%H:%M") if at - began < _DAY else moment(at)


def _headline(nights: Sequence[Told]) -> str:
    single = nights[0] if len(nights) == 1 else None
    return render(
        "night/headline.j2",
        one=plain(single.name) if single else None,
        complete=single.complete if single else sum(one.complete for one in nights),
        study=prepared(single.results, plain).study if single and single.results else None,
        total=len(nights),
        empty=sum(one.results is None for one in nights),
    ).strip()


def _added_up(found: Sequence[Accounting]) -> Accounting:
    """planned = ok + failed + skipped holds of the sums as it does of each."""
    failed: Counter[str] = Counter()
    for one in found:
        failed.update(one.failed)
    return Accounting(
        planned=sum(one.planned for one in found),
        ok=sum(one.ok for one in found),
        failed=dict(failed),
        skipped=sum(one.skipped for one in found),
        pending=sum(one.pending for one in found),
        checks=sum(one.checks for one in found),
    )


def _by_part(nights: Sequence[Told]) -> dict[Part, list[str]]:
    """Lines of all studies; what is true of several is said once."""
    found: dict[Part, dict[tuple[int, str], list[str]]] = {part: defaultdict(list) for part in get_args(Part)}
    for one in nights:
        for point in points(one):
            found[point.part][_key(point)].append(plain(one.name))
    several = len(nights) > 1
    if not found["NOT RUN"]:
        found["NOT RUN"][0, phrases("night/words.j2").all_ran] = []
    return {
        part: [
            _said(studies, text, several=several, part=part) for (_, text), studies in sorted(said.items(), key=_rank)
        ]
        for part, said in found.items()
    }


def _key(point: Point) -> tuple[int, str]:
    return point.rank, point.text


def _rank(item: tuple[tuple[int, str], list[str]]) -> int:
    return item[0][0]


def _said(studies: Sequence[str], text: str, *, several: bool, part: Part) -> str:
    prefix = ""
    if several and studies:
        names = [fitted(name, _STUDY) for name in studies[:_NAMED]]
        prefix = phrases("night/words.j2").several(names, len(studies) - len(names), "")
    return prefix + (fitted_path(text, _ROOM - columns_of(prefix)) if part == "REPORT" else text)


def _shared(parts: Mapping[Part, Sequence[str]], room: int) -> list[_Shown]:
    """Every part has two lines, if it has as many points; the others go round, in the order of the parts.

    Where lines are left, what is too long for one goes on in the next.
    """
    given: dict[Part, int] = {part: min(_LEAST, len(texts)) for part, texts in parts.items()}
    left = room - sum(given.values())
    while left > 0 and (short := _cut_short(parts, given)):
        for part in short[:left]:
            given[part] += 1
        left -= len(short[:left])
    shown: list[_Shown] = []
    for part, texts in parts.items():
        kept = len(texts) if given[part] == len(texts) else given[part] - 1
        lines, left = _laid_out(texts[:kept], left)
        if texts:
            shown.append(_Shown(part, lines, len(texts) - kept))
    return shown


def _cut_short(parts: Mapping[Part, Sequence[str]], given: Mapping[Part, int]) -> list[Part]:
    return [part for part, texts in parts.items() if given[part] < len(texts)]


def _laid_out(texts: Sequence[str], left: int) -> tuple[list[str], int]:
    """The lines of some points, and how many further lines are left after them."""
    lines: list[str] = []
    for text in texts:
        whole = wrap(text, _ROOM, subsequent_indent="  ") if columns_of(text) > _ROOM else [text]
        if len(whole) - 1 > left or any(columns_of(line) > _ROOM for line in whole):
            whole = [fitted(text, _ROOM)]
        lines += whole
        left -= len(whole) - 1
    return lines, left
