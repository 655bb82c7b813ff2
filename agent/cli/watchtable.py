"""A snapshot as a table for a terminal of any width: no line of it ever wraps."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ... import prompts
from ...executor.units import format_duration
from ..night.shown import head
from ..night.snapshot import RunningTrial, Snapshot, StudyNow
from ..report.text import plain

STYLES = {"complete": "green", "failed": "red", "stopped": "yellow", "waiting": "dim"}
FEWEST_LINES = 3
"""Lines of what was learnt, and of what went wrong, that are shown however low the terminal."""


def table(now: Snapshot, height: int) -> RenderableType:
    """What runs, what was learnt, what is next; about as many lines as the terminal is high."""
    words = prompts.phrases("night/watch.j2")
    fixed = 8 + len(now.studies) + len(now.running)
    room = max(2 * FEWEST_LINES, height - fixed)
    wrong = now.attention[-max(FEWEST_LINES, room // 2) :]
    learnt = now.learnt[-max(FEWEST_LINES, room - len(wrong)) :]
    parts: list[RenderableType] = [_line(head(now), "bold"), _studies(now.studies)]
    if now.running:
        parts.append(_running(now.running, several=len(now.studies) > 1))
    if now.next:
        parts.append(_line(words.next(now.next), "dim"))
    if now.eta_seconds is not None:
        parts.append(_line(words.eta(format_duration(round(now.eta_seconds)))))
    parts += _listed("learnt", learnt, "")
    parts += _listed("attention", wrong, "red")
    return Group(*parts)


def _studies(studies: Sequence[StudyNow]) -> Table:
    found = _columns(("study", 2), ("state", 0), ("stage", 2), ("done", 0), ("settled", 0), ("open", 0))
    for one in studies:
        told = one.stage if one.state == "running" else one.reason if one.reason != one.state else ""
        done = f"{one.done}/{one.total}" if one.total else ""
        counts = ["" if count is None else str(count) for count in (one.settled, one.undecided)]
        cells = [one.name, one.state, told, done, *counts]
        found.add_row(*(_line(cell, STYLES.get(one.state, "")) for cell in cells))
    return found


def _running(trials: Sequence[RunningTrial], *, several: bool) -> Table:
    study = [("study", 2)] if several else []
    found = _columns(*study, ("running", 3), ("mode", 0), ("seed", 0), ("for", 0))
    for one in trials:
        cells = [one.arm, one.mode, str(one.seed), format_duration(one.seconds)]
        found.add_row(*map(_line, [one.study, *cells] if several else cells))
    return found


def _columns(*columns: tuple[str, int]) -> Table:
    """Names and shares of the width; 0: as wide as what stands in it."""
    found = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0), expand=True)
    for name, share in columns:
        found.add_column(name, ratio=share or None, min_width=4 if share else None, overflow="ellipsis", no_wrap=True)
    return found


def _listed(title: str, lines: Iterable[str], style: str) -> list[RenderableType]:
    found: list[RenderableType] = [_line(f"  {plain(one)}", style) for one in lines]
    return [_line(title, "dim"), *found] if found else []


def _line(text: str, style: str = "") -> Text:
    indent = text[: len(text) - len(text.lstrip(" "))]
    return Text(indent + plain(text), style=style, overflow="ellipsis", no_wrap=True)
