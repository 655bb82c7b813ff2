"""What benchmarks share: a station for small experiments. They print, they assert no timings."""

import sys
from pathlib import Path

import pytest
from lesion.executor.experiments.python import PythonExperiment
from lesion.executor.interpreter import examine
from lesion.executor.limits import Limits
from lesion.executor.sandbox.choice import choose
from lesion.executor.sandbox.view import View
from lesion.executor.worker import INSIDE, Station

BUSY = """
import time
import torch


def build_model(config):
    return torch.nn.Linear(1, 1)


def train(model, config, seed):
    end = time.process_time() + config["cpu_seconds"]
    while time.process_time() < end:
        torch.randn(100, 100) @ torch.randn(100, 100)


def evaluate(model, config):
    return {"score": 1.0}
"""


@pytest.fixture
def busy(tmp_path: Path) -> PythonExperiment:
    """An experiment that keeps one core busy for `cpu_seconds`."""
    (tmp_path / "experiment.py").write_text(BUSY)
    return PythonExperiment(tmp_path, tmp_path / "experiment.py")


@pytest.fixture
def station(busy: PythonExperiment) -> Station:
    """Where it runs."""
    interpreter = examine(Path(sys.executable))
    view = View(project=busy.root, readable=(*interpreter.paths, INSIDE), environment=interpreter.environment)
    return Station(choose(interpreter), view, interpreter, busy.imports(), limits=Limits(seconds=120))
