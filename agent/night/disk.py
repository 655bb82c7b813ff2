"""Room on the disk that holds a study's results: what is there, and a guard that starts nothing once it runs out."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from ...executor.units import format_size
from ..budget import Guard

KEEP_FREE = 1 << 30
"""Bytes that are left to others, unless something else is asked for (`--keep-free`)."""
LOOK_EVERY = 1.0
"""Seconds between two looks."""


def free_bytes(folder: Path) -> int:
    """Bytes that may still be written below a folder, which need not exist yet."""
    found = os.statvfs(_nearest(folder))
    return found.f_bavail * found.f_frsize


def mount_point(folder: Path) -> Path:
    """Where the file system that holds a folder is mounted."""
    found = _nearest(folder)
    while not os.path.ismount(found):
        found = found.parent
    return found


def guard(state: Path, keep_free: int = KEEP_FREE, clock: Callable[[], float] = time.monotonic) -> Guard:
    """Why no further trial may start, once less than `keep_free` bytes are left where `state` lies; looked at once a second at most."""
    looked: tuple[float, str | None] | None = None

    def refusal(_seconds: float) -> str | None:
        nonlocal looked
        now = clock()
        if looked is None or now - looked[0] >= LOOK_EVERY:
            looked = now, too_full(state, keep_free)
        return looked[1]

    return refusal


def too_full(state: Path, keep_free: int) -> str | None:
    """Why nothing more may be written where `state` lies; None where there is room."""
    free = free_bytes(state)
    if free >= keep_free:
        return None
    kept = f"{format_size(keep_free)} is kept free (--keep-free)"
    return f"only {format_size(free)} is free on {mount_point(state)}: {kept}"


def _nearest(folder: Path) -> Path:
    found = folder.resolve()
    while not found.exists():
        found = found.parent
    return found
