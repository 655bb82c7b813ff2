"""A night of ten minutes with three studies in which everything goes wrong that can: it ends in time, and its numbers are right.

Shorter with `NIGHT_MINUTES=4`, to try it out: everything comes earlier in the same measure.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from lesion.agent.night.disk import free_bytes

from tests.agent.llm.answers import follow_up, proposal
from tests.experiments import EXPERIMENT, Project, project
from tests.faults.clock import fake_clock
from tests.faults.disk import Ballast
from tests.faults.endpoint import Endpoint
from tests.faults.night import Night, last_record
from tests.llm.models import answering, asked_for, first, upon
from tests.processes import kill, kill_a_worker, naming

MINUTES = float(os.environ.get("NIGHT_MINUTES", "10"))
MARGIN = 2 << 30
"""Bytes that others may write meanwhile without being taken for a disk that is nearly full."""
HERE = Path(__file__).resolve().parents[2] / "examples"
EXAMPLES = ("digits", "unmodified")
TROUBLE = """
        if step == 40 and not config["calm"]:
            import time
            time.sleep(10_000)
        if step == 40 and not config["frugal"]:
            held = [torch.ones(1 << 26) for _ in range(64)]
"""
COMPONENTS = tuple(
    f"config:{name}" for name in ("use_left", "use_right", "use_scale", "unused_dropout", "calm", "frugal")
)
TOGETHER = follow_up("together", "config:use_left", "config:use_right")
TRUTH = {"config:use_left": "matters", "config:use_right": "matters", "config:unused_dropout": "no-op"}
PLANTED = """\
[study]
name = "planted"
components = ["config:use_*", "config:unused_dropout", "config:calm", "config:frugal"]
seeds = 5
max_seeds = 10

[experiment]
python = "experiment.py"
config = "config.yaml"

[metrics.score]
goal = "maximize"
primary = true
floor = 0.0
smallest_effect = 0.05

[limits]
workers = 2
trial_time = "15s"
trial_memory = "1GiB"

[planner]
kind = "llm"
model = "scripted"
base_url = "{server}"
"""
CONFIG = """\
device: cpu
crash_at: 40
use_left: true
use_right: true
use_scale: true
unused_dropout: 0.3
weight_decay: 0.0001
calm: true
frugal: true
"""


class Fault(NamedTuple):
    """Something that goes wrong, so many seconds into a night of ten minutes, and not before something holds."""

    at: float
    what: str
    act: Callable[[], object]
    when: Callable[[], bool] = lambda: True


@pytest.mark.benchmark
def test_a_compressed_night(tmp_path: Path) -> None:
    script = {"FirstPlan": first(*map(proposal, COMPONENTS)), "NextRound": [upon(TOGETHER)]}
    with Endpoint(answering(script)) as endpoint, Ballast(tmp_path / "ballast", MARGIN + (1 << 30)) as ballast:
        planted = project(
            tmp_path / "planted",
            experiment=EXPERIMENT.replace("    for step in range(60):\n", "    for step in range(60):" + TROUBLE, 1),
            config=CONFIG,
            study=PLANTED.format(server=endpoint.url),
            name="planted",
        )
        for name in EXAMPLES:
            shutil.copytree(HERE / name, tmp_path / name, ignore=shutil.ignore_patterns(".lesion", "__pycache__"))
        _run(tmp_path, planted, endpoint, ballast)


def _run(folder: Path, planted: Project, endpoint: Endpoint, ballast: Ballast) -> None:
    clock, faked = fake_clock(folder / "clock")
    night = Night(folder, [planted.folder / "lesion.toml", *(folder / name for name in EXAMPLES)], planted.state, faked)
    begun = time.monotonic()
    night.begin("--for", f"{60 * MINUTES:.0f}s", "--keep-free", f"{free_bytes(folder) - MARGIN}B")
    faults = _faults(night, planted, endpoint, ballast, clock)
    said: list[str] = []
    states = [planted.state, *(Project(folder / name, name).state for name in EXAMPLES)]
    full: list[str] = []
    while time.monotonic() - begun < 60 * MINUTES + 30:
        if night.runs and faults and night.seconds > faults[0].at * MINUTES / 10 and faults[0].when():
            fault = faults.pop(0)
            said.append(f"{time.monotonic() - begun:5.0f} s  {fault.what}: {fault.act()}")
        if night.code == -signal.SIGKILL:
            assert "DIED" in night.steer("status").out
            night.again()
        elif night.code == 4 and ballast.there:
            full = [last_record(one)["reason"] for one in states]
            said.append(f"{time.monotonic() - begun:5.0f} s  it ended with code 4: {'; '.join(full)}")
            ballast.drop()
            night.again()
        elif night.code is not None:
            break
        time.sleep(0.2)
    took = time.monotonic() - begun
    print("\n" + "\n".join(said))
    print(f"ended after {took:.0f} s with code {night.code}; not done: {[one.what for one in faults]}")
    print(night.told.read_text() if night.told.exists() else night.log.read_text()[-3000:])
    assert night.code in (0, 3, 4) and took <= 60 * MINUTES
    assert faults == [] and naming(folder) == []
    assert any("is free on" in one and "--keep-free" in one for one in full), full
    _planned_by_both(planted, endpoint)
    for name, where in (("planted", planted.folder), *((name, folder / name) for name in EXAMPLES)):
        _adds_up(Project(where, name))


def _faults(night: Night, planted: Project, endpoint: Endpoint, ballast: Ballast, clock: Path) -> list[Fault]:
    def trials() -> bool:
        return bool(night.live().get("running"))

    return [
        Fault(0, "the model's server goes away", endpoint.down),
        Fault(20, "a worker is killed", lambda: kill_a_worker(night.pid), trials),
        Fault(60, "the driver is killed", lambda: kill(night.pid)),
        Fault(100, "the model's server is back", endpoint.up, planted.plan.exists),
        Fault(130, "another worker is killed", lambda: kill_a_worker(night.pid), trials),
        Fault(160, "the clock is set back by two hours", lambda: clock.write_text("-7200")),
        Fault(200, "the driver is killed again", lambda: kill(night.pid)),
        Fault(240, "paused", lambda: night.steer("pause").out.strip()),
        Fault(255, "resumed", lambda: night.steer("resume").out.strip()),
        Fault(270, "a third worker is killed", lambda: kill_a_worker(night.pid), trials),
        Fault(300, "the disk is nearly full", ballast.take, trials),
    ]


def _planned_by_both(planted: Project, endpoint: Endpoint) -> None:
    """The rules round 1, while the model was away, and that is said; the model what follows, once it was back."""
    asked = [asked_for(one) for one in endpoint.asked]
    planners = [yaml.safe_load(one.read_text())["planner"] for one in sorted(planted.plan.parent.glob("round-*.yaml"))]
    report = (planted.state / "report" / "report.md").read_text()
    print(json.dumps({"the model was asked for": asked, "rounds planned by": planners}))
    assert planners[0] == "rules" and "FirstPlan" not in asked
    assert "in place of the language model" in report
    if len(planners) > 1 or last_record(planted.state)["reason"] == "complete":
        assert "NextRound" in asked and planners[1:2] == ["llm:scripted"]


def _adds_up(made: Project) -> None:
    """Everything that was planned is accounted for, nothing ran twice, and the verdicts are right."""
    results = made.results()
    accounting = results["accounting"]
    failed = sum(accounting["failed"].values())
    assert accounting["planned"] == accounting["ok"] + failed + accounting["skipped"]
    doubled = "SELECT key FROM attempts WHERE status IN ('ok', 'no-op') GROUP BY key HAVING COUNT(*) > 1"
    assert made.rows(doubled) == []
    effects = [one for one in results["effects"] if one["metric"] == results["study"]["primary"]]
    verdicts = {one["ablation"]: one["verdict"] for one in effects}
    print(json.dumps({"study": made.name, "accounting": accounting, "verdicts": verdicts}, indent=1))
    if made.name == "planted":
        known = {key: verdict for key, verdict in verdicts.items() if key in TRUTH and verdict != "undecided"}
        assert known.items() <= TRUTH.items()
