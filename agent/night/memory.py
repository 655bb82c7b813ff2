"""Memory that trials can still get: of this machine, and of the control groups that this process was put into."""

from pathlib import Path
from typing import NamedTuple

from ..machine import free_memory

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
UNLIMITED = 1 << 60
"""What version 1 writes where there is no limit is larger than this."""
FILES = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))
"""The limit and what is used of it, in version 2 and in version 1."""


class Room(NamedTuple):
    """What is left, and by whose word."""

    size: int
    """Bytes."""
    whose: str


def memory_left(free: int | None = None, membership: Path = MEMBERSHIP, cgroups: Path = CGROUPS) -> Room:
    """The least that the machine and any of the groups leave; `free`: bytes of the machine, asked where not given."""
    rooms = [Room(free_memory() if free is None else free, "this machine")]
    for folder in _groups(membership, cgroups):
        left = _left(folder)
        if left is not None:
            rooms.append(Room(left, f"the memory limit of its control group ({folder.relative_to(cgroups)})"))
    return min(rooms)


def _groups(membership: Path, cgroups: Path) -> list[Path]:
    """The folders of the groups that this process is in, and of those around them."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return []
    found: list[Path] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root = cgroups / "memory" if controllers else cgroups
        parts = [one for one in path.split("/") if one not in ("", "..")]
        found += [root.joinpath(*parts[:count]) for count in range(len(parts), -1, -1)]
    return found


def _left(folder: Path) -> int | None:
    """What a group leaves; pages of files that are kept only while nobody needs them count as free."""
    for limit, used in FILES:
        try:
            most = int((folder / limit).read_text())
            if most >= UNLIMITED:
                return None
            taken = int((folder / used).read_text()) - _reclaimable(folder)
        except (OSError, ValueError):
            continue
        return max(0, most - max(0, taken))
    return None


def _reclaimable(folder: Path) -> int:
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    named = dict(line.split(" ", 1) for line in lines if " " in line)
    return int(named.get("total_inactive_file", named.get("inactive_file", 0)))
