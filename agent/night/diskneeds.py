"""What a night will write, by what one trial of the baseline wrote, and whether there is room for it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...executor.units import format_size
from ..finding import Finding
from ..jobs import Workshop
from ..ledger import TrialRow
from ..planning.plan import BASELINE
from ..records.ahead import StudyAhead
from ..study import CHECKPOINTS
from .disk import free_bytes, mount_point
from .ready import Ready

BESIDE = 64 << 20
"""Bytes for reports, figures, plans and the journals of the ledger."""
ROW = 4096
"""Bytes of a trial in the ledger beside its own words and values: rows, indices, unused ends of pages."""


class Need(NamedTuple):
    """What one study will write."""

    folder: Path
    checkpoints: int
    """Bytes of trained weights."""
    ledger: int
    """Bytes of results."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self.checkpoints + self.ledger + BESIDE


def need_of(ready: Ready, rows: Sequence[TrialRow], ahead: StudyAhead) -> Need:
    """By the baseline's rows, every arm going to its last planned look; workspaces live in memory and are thrown away."""
    workshop = Workshop(ready.setting, ready.state / CHECKPOINTS, {BASELINE: []}, ready.study.loads)
    weights = 0
    if workshop.keeps_weights:
        files = [workshop.checkpoint(seed) for seed in range(ready.setting.spec.study.seeds)]
        there = [one.stat().st_size for one in files if one.exists()]
        weights = max(there, default=0) * (len(files) - len(there))
    each = max((ready.ledger.stored_bytes(row.key) for row in rows), default=0) + ROW
    return Need(ready.state, weights, each * sum(one.most for one in ahead.modes))


def disk_found(needs: Sequence[Need], keep_free: int) -> list[Finding]:
    """One finding for each file system that studies write to."""
    found: list[Finding] = []
    for mount in dict.fromkeys(mount_point(one.folder) for one in needs):
        here = [one for one in needs if mount_point(one.folder) == mount]
        found.append(_on(mount, free_bytes(here[0].folder), here, keep_free))
    return found


def _on(mount: Path, free: int, needs: Sequence[Need], keep_free: int) -> Finding:
    wanted = sum(one.size for one in needs)
    told = (
        f"{format_size(free)} is free on {mount}; planned are about {format_size(wanted)} (trained weights "
        f"{format_size(sum(one.checkpoints for one in needs))}, results {format_size(sum(one.ledger for one in needs))}), "
        f"and {format_size(keep_free)} is kept free (--keep-free)"
    )
    if free >= wanted + keep_free:
        return Finding("disk", True, told)
    to_do = f"free {format_size(wanted + keep_free - free)}, name another folder with --state, or lower --keep-free"
    return Finding("disk", False, told, to_do)
