"""Wall time of a command's trial beside that of the plain command, alternating, in one run."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest
from lesion.executor.experiments.experiment import Arm
from lesion.executor.pool import Pool

from ..executor.command.bench import experiment, workplace

SECONDS, ROUNDS = 10.0, 3
SCRIPT = """
import sys, torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = torch.optim.Adam(model.parameters())
for step in range(int(sys.argv[1])):
    x = torch.randn(128, 64)
    loss = nn.functional.cross_entropy(model(x), x[:, :10].argmax(1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step} loss {loss.item():.4f}")
print("loss", loss.item())
"""
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PATH": "/usr/bin:/bin", "HOME": "/tmp"}


@pytest.mark.benchmark
def test_a_trial_beside_the_plain_command(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    steps = int(1000 * SECONDS / max(0.1, plain(tmp_path, 1000) - plain(tmp_path, 1)))
    ours, theirs = [], []
    for number in range(ROUNDS):
        for measure, times in ((plain, theirs), (trial, ours))[:: 1 if number % 2 else -1]:
            times.append(measure(tmp_path, steps))
    pairs = ", ".join(f"{one:.2f}/{other:.2f}" for one, other in zip(ours, theirs, strict=True))
    print(f"\n{steps} steps, trial/plain: {pairs} s; median ratio {median(ours) / median(theirs):.3f}")


def plain(folder: Path, steps: int) -> float:
    """Seconds of the command alone."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "train.py", str(steps)], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True
    )
    return time.perf_counter() - start


def trial(folder: Path, steps: int) -> float:
    """Seconds of a trial, from dispatch to outcome, its worker warmed before as in a study."""
    job = experiment(folder, f"python train.py {steps}").job("retrain", [Arm("only", {}, [])])
    with Pool(workplace(folder), 1) as pool:
        pool.expect(1)
        while not pool.warm:
            pool.wait(0.05)
        start = time.perf_counter()
        ((_, outcome),) = pool.run([job])
        assert outcome.status == "ok", outcome
        return time.perf_counter() - start
