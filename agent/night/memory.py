"""Memory that trials can still get: of this machine, and of the control groups that this process was put into."""

from pathlib import Path
from typing import NamedTuple

from ...executor.units import format_size
from ..finding import Finding
from ..machine import free_memory

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
UNLIMITED = 1 << 60
"""What version 1 writes where there is no limit is larger than this."""
CLOSE = 0.8
"""Share of `limits.trial_memory` from which a person should know."""
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


def memory_found(name: str, peak: int | None, limit: int, workers: int) -> Finding:
    """Whether all workers fit by what one trial held.

    Args:
        name: of the study.
        peak: bytes of the largest process of the baseline's trial; None where it was not told.
        limit: `limits.trial_memory`, bytes.
        workers: trials at once.
    """
    what, room = f"{name}: memory", memory_left()
    if peak is None:
        return Finding(what, None, f"what a trial holds is not known; {format_size(room.size)} is free")
    each = f"{workers} worker{'s' if workers > 1 else ''} of {format_size(peak)} (measured)"
    if workers * peak > room.size:
        fit = room.size // peak
        to_do = f"--workers {fit}, or end what else holds memory" if fit else "end what else holds memory"
        return Finding(what, False, f"{each}, and {room.whose} leaves {format_size(room.size)}", to_do)
    told = f"{each}: {room.whose} leaves {format_size(room.size)}"
    if peak > CLOSE * limit:
        to_do = "raise limits.trial_memory: an ablation may hold more than the baseline"
        return Finding(
            what, None, f"{told}; the baseline is close to limits.trial_memory = {format_size(limit)}", to_do
        )
    return Finding(what, True, told)


def gpu_memory_found(name: str, peak: int | None, device: int | None, workers: int, gpus: int) -> Finding:
    """The same on each GPU.

    Args:
        name: of the study.
        peak: bytes that the baseline's trial reserved on its GPU; None where it used none.
        device: bytes that this GPU has.
        workers: trials at once, over all GPUs.
        gpus: how many there are.
    """
    what = f"{name}: GPU memory"
    if peak is None or device is None:
        return Finding(
            what, None, "the baseline's trial did not use a GPU" if gpus else "no GPU: trials run on the CPU"
        )
    on_each = -(-workers // max(1, gpus))
    told = f"{on_each} worker{'s' if on_each > 1 else ''} of {format_size(peak)} (measured) on each of {format_size(device)}"
    if on_each * peak > device:
        fit = max(1, gpus) * (device // peak) if peak else workers
        return Finding(what, False, told, f"--workers {fit}" if fit else "a smaller batch, or a larger GPU")
    return Finding(what, True, told)
