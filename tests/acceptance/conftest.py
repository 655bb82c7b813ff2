"""A small project of a user's, and the `lesion` command run on it as a user would."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ..descent import by_hand

EXPERIMENT = by_hand("""
import torch
from torch import nn


def data(seed, count, noise):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 4, generator=generator)
    return x, (x[:, 0] + noise * torch.randn(count, generator=generator)).unsqueeze(1)


def build_model(config):
    return nn.Sequential(nn.Linear(4, config["width"]), nn.Tanh(), nn.Dropout(config["dropout"]), nn.Linear(config["width"], 1))


def train(model, config, seed):
    x, y = data(seed, 64, 0.3)
    x = x if config["use_signal"] else x * torch.tensor([0.0, 1.0, 1.0, 1.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, weight_decay=config["weight_decay"])
    model.train()
    for _ in range(config["steps"]):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()


def evaluate(model, config, split):
    model.eval()
    x, y = data({"validation": 10_001, "test": 10_002}[split], 256, 0.3)
    with torch.no_grad():
        return {"score": -nn.functional.mse_loss(model(x), y).item()}
""")
CONFIG = "width: 8\nsteps: 400\ndropout: 0.05\nweight_decay: 1e-4\nuse_signal: true\n"
STUDY = """
[study]
name = "small"
seeds = 3
max_seeds = 3
components = ["config:*"]
[experiment]
python = "experiment.py"
config = "config.yaml"
[metrics.score]
goal = "maximize"
smallest_effect = 0.1
[limits]
workers = 2
trial_time = "60s"
"""


@dataclass(frozen=True)
class Project:
    """A folder with an experiment, and `lesion` started in it."""

    folder: Path

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """`lesion …` in a process of its own."""
        command = [sys.executable, "-m", "lesion.agent", *arguments]
        return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`lesion …` to its end."""
        command = [sys.executable, "-m", "lesion.agent", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=600, check=False)


def after_trials(process: "subprocess.Popen[str]", count: int) -> list[dict[str, Any]]:
    """Read the records of `lesion run --json` until `count` trials have finished."""
    assert process.stdout is not None
    records: list[dict[str, Any]] = []
    for line in process.stdout:
        record = json.loads(line)
        if record["event"] == "trial":
            records.append(record)
        if len(records) == count:
            break
    return records


def send(process: "subprocess.Popen[str]", number: signal.Signals) -> int:
    """Send a signal and wait for the end: the exit code."""
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project, fresh for each module."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "experiment.py").write_text(EXPERIMENT)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "lesion.toml").write_text(STUDY)
    yield Project(folder)
