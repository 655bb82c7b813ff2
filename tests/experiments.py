"""Tiny experiments with planted truth, in folders of their own, and the `lesion` program run on them as people run it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .descent import by_hand

LESION = (sys.executable, "-m", "lesion.agent")
EXPERIMENT = by_hand('''"""A linear fit of a noisy sum; `use_left` and `use_right` let their feature in, nothing reads `unused_dropout`."""

import torch
from torch import nn


def examples(config, split):
    generator = torch.Generator().manual_seed({"train": 1, "validation": 2, "test": 3}[split])
    x = torch.randn(256, 3, generator=generator)
    y = x[:, 0] + 0.8 * x[:, 1] + 0.3 * torch.randn(256, generator=generator)
    return x * torch.tensor([float(config["use_left"]), float(config["use_right"]), 1.0]), y


def build_model(config):
    return nn.Sequential(nn.Linear(3, 1))


def train(model, config, seed):
    torch.manual_seed(seed)
    x, y = examples(config, "train")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=config["weight_decay"])
    for step in range(60):
        batch = torch.randint(0, 256, (32,))
        loss = (model(x[batch]).squeeze(1) - y[batch]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == config["crash_at"] and not config["use_scale"]:
            raise RuntimeError("there is no scale to divide by")


@torch.no_grad()
def evaluate(model, config, split):
    x, y = examples(config, split)
    error = (model(x).squeeze(1) - y).square().mean() / y.var()
    return {"score": (1 - error).item(), "error": error.item()}
''')
CONFIG = """\
device: cpu
crash_at: 40
use_left: true
use_right: true
use_scale: true
unused_dropout: 0.3
weight_decay: 0.0001
"""
STUDY = """\
[study]
name = "tiny"
components = ["config:use_*", "config:unused_dropout"]
seeds = 3
max_seeds = 3

[experiment]
python = "experiment.py"
config = "config.yaml"

[metrics.score]
goal = "maximize"
primary = true
floor = 0.0
smallest_effect = 0.05

[metrics.error]
goal = "minimize"
smallest_effect = 0.05

[limits]
workers = 2
trial_time = "2m"
trial_memory = "2GiB"
"""
FINISHED = "SELECT key, arm, seed, status, metrics, fingerprint FROM trials WHERE status NOT IN ('planned', 'skipped')"
NO_OP_AFTER = 2


def certain(rows):
    """Of rows of `FINISHED` those that every run of the study has: a no-op's third seed may be under way when the second ends."""
    return {row for row in rows if row[3] != "no-op" or row[2] < NO_OP_AFTER}


@dataclass(frozen=True)
class Ended:
    """One finished run of the program."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """Stdout as JSON records, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Project:
    """A folder with a study file, an experiment and its configuration."""

    folder: Path

    name: str = "tiny"

    @property
    def state(self) -> Path:
        """Where its results are kept."""
        return self.folder / ".lesion" / self.name

    @property
    def plan(self) -> Path:
        """The plan of round 1."""
        return self.state / "plans" / "round-1.yaml"

    def edit(self, name: str, old: str, new: str, count: int = -1) -> None:
        """Replace `old`, which must be there, in one of its files."""
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, count))

    def lesion(self, *arguments: str, before: Callable[[], None] | None = None, **environment: str) -> Ended:
        """Run the program in the folder; without a terminal."""
        return lesion(*arguments, cwd=self.folder, before=before, **environment)

    def rows(self, query: str, state: Path | None = None) -> list[tuple[Any, ...]]:
        """What a query to the ledger gives."""
        database = sqlite3.connect(f"file:{(state or self.state) / 'ledger.db'}?mode=ro", uri=True)
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()

    def results(self, *arguments: str) -> dict[str, Any]:
        """The report as data."""
        ended = self.lesion("report", "--format", "json", "-o", "-", *arguments)
        assert (ended.code, ended.err) == (0, "")
        return json.loads(ended.out)


def project(
    folder: Path, *, experiment: str = EXPERIMENT, config: str = CONFIG, study: str = STUDY, name: str = "tiny"
) -> Project:
    """Write a tiny project into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in (("experiment.py", experiment), ("config.yaml", config), ("lesion.toml", study)):
        (folder / file).write_text(text)
    return Project(folder, name)


def lesion(*arguments: str, cwd: Path, before: Callable[[], None] | None = None, **environment: str) -> Ended:
    """Run the program to its end."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
    ended = subprocess.run(
        [*LESION, *arguments],
        cwd=cwd,
        env={**clean, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=before,
    )
    assert ended.returncode != -signal.SIGKILL
    return Ended(ended.returncode, ended.stdout, ended.stderr)
