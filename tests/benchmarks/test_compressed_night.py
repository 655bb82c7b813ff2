"""A night of ten minutes with three studies in which everything goes wrong that can: it ends in time, and its numbers are right."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.experiments import EXPERIMENT, LESION, Project, project

from .faults.clock import fake_clock
from .faults.processes import kill, kill_a_worker, naming

MINUTES = 10
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TROUBLE = """
        if step == 40 and not config["calm"]:
            import time
            time.sleep(10_000)
        if step == 40 and not config["frugal"]:
            held = [torch.ones(1 << 26) for _ in range(64)]
"""
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


class Night:
    """The program, driven again and again until the night is over."""

    def __init__(self, folder: Path, studies: list[Path], environment: dict[str, str]) -> None:
        self.folder, self.studies, self.environment = folder, studies, environment
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*LESION, *words], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )

    def begin(self, seconds: float) -> None:
        self.start(
            "overnight", *map(str, self.studies), "--for", f"{seconds:.0f}s", "--keep-free", "8MiB",
            "--notify", f"cat > {self.folder / 'told'}",
        )  # fmt: skip

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid


@pytest.mark.benchmark
def test_a_compressed_night(tmp_path: Path) -> None:
    planted = project(
        tmp_path / "planted",
        experiment=EXPERIMENT.replace("    for step in range(60):\n", "    for step in range(60):" + TROUBLE, 1),
        config=CONFIG,
        study=PLANTED,
        name="planted",
    )
    for name in ("digits", "unmodified"):
        shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns(".lesion", "__pycache__"))
    _run(tmp_path, planted)


def _run(tmp_path: Path, planted: Project) -> None:
    clock, faked = fake_clock(tmp_path / "clock")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
    environment = {**clean, **faked}
    studies = [planted.folder / "lesion.toml", tmp_path / "digits", tmp_path / "unmodified"]
    night, begun = Night(tmp_path, studies, environment), time.monotonic()
    night.begin(60 * MINUTES)
    said: list[str] = []
    events: list[tuple[float, str, Callable[[], object]]] = [
        (20, "a worker is killed", lambda: kill_a_worker(night.pid)),
        (50, "another worker is killed", lambda: kill_a_worker(night.pid)),
        (80, "the driver is killed", lambda: kill(night.pid)),
        (140, "the clock is set back by two hours", lambda: clock.write_text("-7200")),
        (200, "the driver is killed again", lambda: kill(night.pid)),
        (270, "paused", lambda: _steer(night, "pause", studies[0])),
        (285, "resumed", lambda: _steer(night, "resume", studies[0])),
        (340, "a worker is killed", lambda: kill_a_worker(night.pid)),
    ]
    code: int | None = None
    launched: float | None = None
    while time.monotonic() - begun < 60 * MINUTES + 30:
        if launched is None and (planted.state / "night.jsonl").exists():
            launched = time.monotonic()  # the preflight is over: a worker that dies in it is a reason not to begin
        if launched is not None and events and time.monotonic() - launched > events[0][0]:
            _, what, act = events.pop(0)
            said.append(f"{time.monotonic() - begun:5.0f} s  {what}: {act()}")
        assert night.process is not None
        code = night.process.poll()
        if code == -signal.SIGKILL:
            assert "DIED" in _steer(night, "status", studies[0])
            night.start("resume", str(studies[0]))
        elif code is not None and code != -signal.SIGKILL:
            break
        time.sleep(0.2)
    took = time.monotonic() - begun
    print("\n" + "\n".join(said))
    print(f"ended after {took:.0f} s with code {code}")
    print((tmp_path / "told").read_text() if (tmp_path / "told").exists() else night.log.read_text()[-3000:])
    assert code in (0, 3, 4) and took <= 60 * MINUTES
    assert naming(tmp_path) == []
    for name, folder in (
        ("planted", planted.folder),
        ("digits", tmp_path / "digits"),
        ("unmodified", tmp_path / "unmodified"),
    ):
        made = Project(folder, name)
        results = made.results()
        accounting = results["accounting"]
        failed = sum(accounting["failed"].values())
        assert accounting["planned"] == accounting["ok"] + failed + accounting["skipped"]
        doubled = made.rows("SELECT key FROM attempts WHERE status IN ('ok', 'no-op') GROUP BY key HAVING COUNT(*) > 1")
        assert doubled == []
        verdicts = {
            one["ablation"]: one["verdict"]
            for one in results["effects"]
            if one["metric"] == results["study"]["primary"]
        }
        print(json.dumps({"study": name, "accounting": accounting, "verdicts": verdicts}, indent=1))
        if name == "planted":
            assert {
                key: value for key, value in verdicts.items() if key in TRUTH and value != "undecided"
            }.items() <= TRUTH.items()


def _steer(night: Night, word: str, study: Path) -> str:
    ended = subprocess.run(
        [*LESION, word, str(study)],
        cwd=night.folder,
        env=night.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return (ended.stdout + ended.stderr).strip().splitlines()[0] if ended.stdout + ended.stderr else ""
