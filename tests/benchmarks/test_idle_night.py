"""What a night takes of the processor while it is paused: with nobody connected, and with somebody who watches."""

import os
import select
import time
from pathlib import Path

import pytest

from tests.agent.chat.program import HELD, hold
from tests.agent.chat.watched import Seen
from tests.experiments import LESION, STUDY, project
from tests.faults.night import QUICK, Night
from tests.processes import descendants, processor_ticks

SECONDS = 5.0
SMALL = STUDY.replace("workers = 2", "workers = 1")


def taken(pids: list[int]) -> list[int]:
    """Ticks of each process over some seconds."""
    before = [processor_ticks(pid) for pid in pids]
    time.sleep(SECONDS)
    return [processor_ticks(pid) - ticks for pid, ticks in zip(pids, before, strict=True)]


@pytest.mark.benchmark
def test_an_idle_night(tmp_path: Path) -> None:
    made = project(tmp_path / "tiny", experiment=HELD, study=SMALL)
    assert made.lesion("run", "--max-trials", "1", "--planner", "rules").code == 4
    held = hold(made)
    each = 1000 / os.sysconf("SC_CLK_TCK")
    print(f"\nprocessor time over {SECONDS:.0f} s, a tick is {each:.0f} ms")
    with Night(tmp_path, [made.folder / "lesion.toml"], made.state, {}) as night:
        night.begin(*QUICK, "--planner", "rules")
        night.until(lambda: night.runs and night.live().get("running"))
        (busy,) = taken([night.pid])
        print(f"a trial runs, nobody connected: driver {busy} ticks")
        night.steer("pause")
        held.unlink()
        night.until(lambda: (now := night.live()).get("next") and not now["running"])
        below = descendants(night.pid)
        driver, *others = taken([night.pid, *below])
        print(f"paused, nobody connected: driver {driver} ticks, {len(below)} processes below it {sum(others)}")
        with Seen(*LESION, "watch", cwd=made.folder) as seen:
            seen.until("paused")
            driver, watcher = taken([night.pid, seen.child.pid])
            drawn = len(seen.child.read_nonblocking(65536, 0)) if _has_more(seen) else 0
            print(f"paused, one watches: driver {driver} ticks, watcher {watcher}, {drawn} bytes drawn")


def _has_more(seen: Seen) -> bool:
    return bool(select.select([seen.child.child_fd], [], [], 0)[0])
