"""What one trial may use, and how much memory its processes use now."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """Bounds on one trial."""

    seconds: float = 600.0
    memory: int = 4 << 30
    """Bytes, over all processes of the trial."""
    disk: int = 1 << 30

    def as_message(self) -> dict[str, float | int]:
        """As the worker receives them."""
        return {"seconds": self.seconds, "memory": self.memory, "disk": self.disk}


def memory_in_use(pid: int) -> int:
    """Proportional set size, in bytes, of `pid` and all its descendants; what cannot be read counts as nothing."""
    return sum(_proportional(process) for process in _tree(pid))


def _tree(pid: int) -> list[int]:
    found, waiting = [pid], [pid]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208
        return [int(child) for task in tasks for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    except (OSError, ValueError):
        return []


def _proportional(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)
