"""A snapshot in lines: for a log, for `lesion status`, and for the end of `lesion watch`."""

from collections.abc import Sequence
from typing import Any

from ... import prompts
from ...executor.units import format_duration
from ..report.text import plain
from .clock import told_time
from .snapshot import RunningTrial, Snapshot


def head(now: Snapshot) -> str:
    """What runs, in which phase, until when, for how much."""
    until = left = money = ""
    if now.deadline is not None and now.seconds_left is not None:
        until = told_time(now.deadline)
        left = _words().left(format_duration(round(now.seconds_left)) if now.seconds_left > 0 else "")
    if now.tokens is not None:
        money = _words().money(now.tokens, now.cost)
    return _words().head(now.command, now.phase, until, left, money)


def state_lines(now: Snapshot) -> list[str]:
    """Each study, and what runs: what changes with every step, times aside."""
    found = [plain(_words().study(one)) for one in now.studies]
    if now.running:
        found.append(_words().runs([trial(one) for one in now.running]))
    return found


def live_lines(now: Snapshot) -> list[str]:
    """All of it, what went wrong last."""
    found = [head(now), *state_lines(now)]
    if now.next:
        found.append(_words().next([plain(one) for one in now.next]))
    if now.eta_seconds is not None:
        found.append(_words().eta(format_duration(round(now.eta_seconds))))
    return [*found, *(f"! {plain(one)}" for one in now.attention)]


def trial(one: RunningTrial) -> str:
    """E.g. `config:dropout (seed 3)`."""
    return f"{plain(one.arm)} (seed {one.seed})"


def end_line(last: Snapshot) -> str:
    """How it ended, by the last that was heard of it."""
    if any(one.state in ("running", "waiting") for one in last.studies):
        return _words().gone()
    return plain(_words().ended(last.studies))


def fresh(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """What was added to a list that forgets its oldest lines."""
    kept = next((size for size in range(len(before), 0, -1) if list(before[-size:]) == list(now[:size])), 0)
    return list(now[kept:])


def _words() -> Any:
    return prompts.phrases("night/watch.j2")
