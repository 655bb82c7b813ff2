"""A ledger of simulated trials: no model was trained for any of these numbers."""

import json
import sqlite3

import numpy as np
from lesion.agent.components import Component
from lesion.agent.keys import study_version
from lesion.agent.ledger import Ledger
from lesion.agent.planning.followups import joint
from lesion.agent.planning.plan import BASELINE, Ablation, Plan
from lesion.agent.records.drafts import Draft
from lesion.agent.results import Prediction
from lesion.agent.studyfile import load_study
from lesion.agent.writing.store import keep
from lesion.executor.interventions import ConfigOverride

SEEDS = 5
STUDY = """
[study]
name = "traced"
seeds = 5
max_seeds = 5
[experiment]
python = "experiment.py"
[metrics.score]
goal = "maximize"
smallest_effect = 0.01
"""
COSTS = {"first": 0.0817, "second": 0.0, "third": 0.0, "second + third": 0.0523}
SAID = 'Removing `first` {{ effect("config:first").outcome }} ({{ effect("config:first").delta_with_interval }}).'


def component(name):
    return Component(
        id=f"config:{name}",
        kind="other",
        label=name,
        evidence="simulated",
        interventions=[ConfigOverride(key=name, value=False)],
    )


def single(one):
    return Ablation(
        id=one.id,
        components=[one.id],
        interventions=one.interventions,
        hypothesis="simulated",
        prediction=Prediction(direction="worse", size=1.0),
    )


def traced_study(folder):
    """Spec and state folder of a complete study: three singles, one pair, five seeds, and a draft."""
    (folder / "experiment.py").write_text(
        "def build_model(config): ...\ndef train(model, config, seed): ...\ndef evaluate(model, config): ...\n"
    )
    (folder / "lesion.toml").write_text(STUDY)
    spec, state = load_study(folder / "lesion.toml"), folder / "state"
    version = study_version(spec, {})
    components = [component(name) for name in ("first", "second", "third")]
    pair = joint(components[1:], ["retrain"])
    plans = [
        Plan(study="traced", round=1, planner="simulated", ablations=[single(one) for one in components]),
        Plan(study="traced", round=2, planner="simulated", ablations=[pair]),
    ]
    ledger = Ledger(state, write=True)
    ledger.remember("version", version)
    ledger.remember("state", "complete")
    ledger.remember("components", [one.model_dump(mode="json") for one in components])
    for plan in plans:
        ledger.seal(version, plan.round, plan.hash, plan.model_dump_json())
    ledger.close()
    arms = {BASELINE: 0.0, **{f"config:{name}": COSTS[name] for name in ("first", "second", "third")}}
    noise, rows = np.random.default_rng(5), []
    for arm, cost in {**arms, pair.id: COSTS["second + third"]}.items():
        for seed, value in enumerate(0.9 - cost + 0.002 * noise.standard_normal(SEEDS)):
            metrics = json.dumps({"test": {"score": value}})
            rows.append((f"{arm}/{seed}", version, arm, "retrain", seed, "ok", 1, metrics, f"{arm}/{seed}", 1.0))
    with sqlite3.connect(state / "ledger.db") as database:
        database.executemany(
            """INSERT INTO trials (key, version, arm, mode, seed, status, attempts, metrics, fingerprint, wall_seconds, changed)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)""",
            rows,
        )
    keep(state, Draft(style="narrative", by="llm:simulated", paragraphs=[[SAID]], written="2026-01-01T00:00:00+00:00"))
    return spec, state
