"""Processes that were started here: which there are, what they may come to, and whether they are gone."""

import os
import select
import signal
import time
from pathlib import Path

SECONDS = 60.0
"""How long the end of a process is waited for."""


def descendants(root: int) -> list[int]:
    """Every process below one, the deepest last."""
    found = [root]
    for parent in found:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except OSError:
            continue
        found += [int(child) for child in children]
    return found[1:]


def naming(folder: Path) -> list[int]:
    """Processes that name a folder in their command line, this one aside: sandboxes, and drivers by their state folder."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command:
                found.append(int(entry.name))
    return found


def left_behind(folder: Path, seconds: float = SECONDS) -> list[int]:
    """Processes that name a folder and do not end within this time."""
    latest = time.monotonic() + seconds
    while (left := naming(folder)) and time.monotonic() < latest:
        for pid in left:
            gone(pid, max(0.0, latest - time.monotonic()))
    return left


def gone(pid: int, seconds: float = SECONDS) -> bool:
    """Whether a process ends within this time; it may be anybody's child."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], seconds)[0])
    finally:
        os.close(watched)


def processor_ticks(pid: int) -> int:
    """Of the processor, that a process has taken so far, its threads included (`man 5 proc`: utime + stime)."""
    behind_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(behind_name[11]) + int(behind_name[12])


def kill(pid: int) -> bool:
    """Whether there was anything to kill."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def kill_a_worker(driver: int) -> bool:
    """The deepest process that runs below a driver: a trial, where one runs."""
    below = descendants(driver)
    return bool(below) and kill(below[-1])
