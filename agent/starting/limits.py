"""What a trial may use, from what the brief run took."""

import os
from math import ceil
from pathlib import Path
from typing import NamedTuple

from ...executor.units import format_duration, format_size
from ..machine import free_memory
from .brief import Ran

GENEROUS = 3.0
SHORTEST, LONGEST = 600.0, 7 * 86400.0
NICE = (600, 900, 1200, 1800, 2700, 3600, 7200, 10800, 14400, 21600, 28800, 43200, 86400, 172800, 345600, 604800)
LEAST_MEMORY = 2
"""GiB."""


class LimitsFound(NamedTuple):
    """`[limits]`, as text, with the reasons."""

    workers: int
    trial_time: str
    time_why: str
    trial_memory: str
    memory_why: str


def limits_of(ran: Ran | None, share: float) -> LimitsFound:
    """Limits for the whole training, of which the brief run did `share`."""
    memory, memory_why = _memory(ran)
    seconds, time_why = _seconds(ran, share)
    gpus = len(list(Path("/dev").glob("nvidia[0-9]*")))
    room = max(1, int(free_memory() * 0.9) // (memory << 30))
    workers = gpus or min(len(os.sched_getaffinity(0)), room)
    return LimitsFound(workers, _short(seconds), time_why, format_size(memory << 30).replace(" ", ""), memory_why)


def _seconds(ran: Ran | None, share: float) -> tuple[float, str]:
    if ran is None or not ran.finished:
        return 3600.0, "not measured"
    whole = ran.seconds / share
    enough = next((nice for nice in NICE if nice >= GENEROUS * whole), NICE[-1])
    part = "" if share == 1 else f", {share:.2g} of the whole"
    return float(enough), f"the brief run took {format_duration(ran.seconds)}{part}"


def _memory(ran: Ran | None) -> tuple[int, str]:
    if ran is None or not ran.peak_memory:
        return 4, "not measured"
    return max(LEAST_MEMORY, ceil(2 * ran.peak_memory / 2**30)), f"the brief run held {format_size(ran.peak_memory)}"


def _short(seconds: float) -> str:
    return format_duration(seconds).replace(" ", "")
