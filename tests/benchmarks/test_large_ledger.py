"""`status` and `report` on a ledger of 100,000 (simulated) trials: 5,000 ablations at 20 seeds."""

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from lesion.agent.components import Component
from lesion.agent.keys import study_version
from lesion.agent.ledger import Ledger
from lesion.agent.planning.plan import BASELINE, Ablation, Plan
from lesion.agent.results import Prediction
from lesion.agent.studyfile import load_study
from lesion.executor.interventions import ConfigOverride

SEEDS, ABLATIONS = 20, 4_999
STUDY = """
[study]
name = "large"
seeds = 20
max_seeds = 20
[experiment]
python = "experiment.py"
[metrics.score]
goal = "maximize"
smallest_effect = 0.01
"""


def component(index: int) -> Component:
    """A made-up component."""
    intervention = ConfigOverride(key=f"switch_{index}", value=False)
    return Component(
        id=f"config:switch_{index}",
        kind="other",
        label=f"switch {index}",
        evidence="simulated",
        interventions=[intervention],
    )


def ablation(one: Component) -> Ablation:
    """Its removal."""
    expected = Prediction(direction="none", size=0.0)
    return Ablation(
        id=one.id, components=[one.id], interventions=one.interventions, hypothesis="simulated", prediction=expected
    )


def fill(state: Path, version: str) -> int:
    """Write a plan and 100,000 trials of simulated numbers; how many rows."""
    components = [component(index) for index in range(ABLATIONS)]
    plan = Plan(study="large", round=1, planner="simulated", ablations=[ablation(one) for one in components])
    ledger = Ledger(state, write=True)
    ledger.remember("version", version)
    ledger.remember("state", "complete")
    ledger.remember("components", [one.model_dump(mode="json") for one in components])
    ledger.seal(version, 1, plan.hash, plan.model_dump_json())
    ledger.close()
    noise = np.random.default_rng(0)
    rows = []
    for arm in [BASELINE, *(one.id for one in plan.ablations)]:
        for seed, value in enumerate(0.9 + 0.005 * noise.standard_normal(SEEDS)):
            metrics = json.dumps({"validation": {"score": value}, "test": {"score": value}})
            rows.append((f"{arm}/{seed}", version, arm, "retrain", seed, "ok", 1, metrics, f"{arm}/{seed}", 1.0))
    with sqlite3.connect(state / "ledger.db") as database:
        query = (
            "INSERT INTO trials (key, version, arm, mode, seed, status, attempts, metrics, fingerprint, wall_seconds)"
        )
        database.executemany(f"{query} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.close()
    return len(rows)


@pytest.mark.benchmark
def test_a_hundred_thousand_trials(tmp_path: Path) -> None:
    (tmp_path / "experiment.py").write_text("")
    (tmp_path / "lesion.toml").write_text(STUDY)
    spec = load_study(tmp_path / "lesion.toml")
    rows = fill(tmp_path / ".lesion" / "large", study_version(spec, {}))
    print(f"\n{rows} simulated trials of {ABLATIONS} ablations")
    for arguments in (
        ["status"],
        ["report", "--format", "json", "-o", "-"],
        ["report", "--format", "csv", "-o", "out"],
        ["report", "--format", "md", "-o", "md"],
    ):
        start = time.perf_counter()
        run = subprocess.run(
            [sys.executable, "-m", "lesion.agent", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        print(f"lesion {' '.join(arguments)}: {time.perf_counter() - start:.1f} s")
