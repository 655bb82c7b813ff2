"""Studies that buy seeds at the planned looks, by the very decisions of `agent/rounds.py`, beside testing at every seed."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from lesion.agent.analysis.arrays import Floats
from lesion.agent.analysis.multiplicity import holm
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict
from lesion.agent.arms import arms_of
from lesion.agent.components import Component
from lesion.agent.evidence import Evidence
from lesion.agent.ledger import TrialRow
from lesion.agent.planning.plan import BASELINE, Ablation, Plan
from lesion.agent.results import Prediction
from lesion.agent.rounds import rules_of, settle
from lesion.agent.spec import StudySpec
from lesion.executor.interventions import ConfigOverride
from scipy import stats

from .rates import Rate
from .seeds import something_found

MOST = 20
METRIC = "score"


class Stopped(NamedTuple):
    """What simulated studies with planned looks came to."""

    found: Rate
    """Studies in which a difference is claimed."""
    negligible: Rate
    """Arms shown negligible."""
    seeds: float
    """Mean seeds of an arm."""


def study(delta: float) -> StudySpec:
    """Seeds from 3 to 20: looks at 3, 5, 10 and 20."""
    return StudySpec.model_validate(
        {
            "path": Path("/simulated/lesion.toml"),
            "study": {"name": "simulated", "seeds": 3, "max_seeds": MOST},
            "experiment": {"python": "experiment.py"},
            "metrics": {METRIC: {"goal": "maximize", "primary": True, "smallest_effect": delta}},
        }
    )


def plan_of(targets: int) -> Plan:
    """A plan of single removals."""
    expected = Prediction(direction="none", size=0.0)
    ablations = [
        Ablation(
            id=f"config:{index}",
            components=[f"config:{index}"],
            interventions=[ConfigOverride(key=f"switch_{index}", value=False)],
            hypothesis="simulated",
            prediction=expected,
        )
        for index in range(targets)
    ]
    return Plan(study="simulated", round=1, planner="simulated", ablations=ablations)


def evidence(y: Floats, plan: Plan, delta: float) -> Evidence:
    """The ledger of a study whose every seed has run; `settle` looks at those alone that the looks have asked for."""
    names = [BASELINE, *(one.id for one in plan.ablations)]
    rows = [
        TrialRow(f"{name}/{seed}", name, "retrain", seed, "ok", None, {"test": {METRIC: value}}, None, False, 1.0, None)
        for name, values in zip(names, y.tolist(), strict=True)
        for seed, value in enumerate(values)
    ]
    components = {
        one.id: Component(id=one.id, kind="other", label=one.id, evidence="simulated", interventions=one.interventions)
        for one in plan.ablations
    }
    return Evidence(study(delta), "retrain", [plan], components, arms_of(rows)["retrain"], {}, {}, "test")


def planned_looks(n: int, targets: int, delta: float) -> Stopped:
    """Studies without any effect, that stop each arm once it is settled or hopeless."""
    generator, plan = np.random.default_rng([6, targets]), plan_of(targets)
    wrong = negligible = seeds = 0
    for _ in range(n):
        y = generator.normal(size=(targets + 1, MOST)) + generator.normal(size=MOST)
        seen = evidence(y, plan, delta)
        ended, rules = settle(seen, plan), rules_of(seen, METRIC)
        found = [ended.estimate(one) for one in plan.ablations]
        wrong += any(something_found(one, rules) for one in found)
        negligible += sum(effect_verdict(one, EffectFacts(), rules).verdict == "negligible" for one in found)
        seeds += sum(ended.caps.values())
    return Stopped(Rate(wrong / n, n), Rate(negligible / (n * targets), n * targets), seeds / (n * targets))


def looked_at_every_seed(n: int, targets: int, most: int) -> Rate:
    """Studies without any effect in which paired t tests with Holm, made after every seed from 3 on, find one."""
    generator = np.random.default_rng([7, targets])
    wrong = 0
    for _ in range(n):
        y = generator.normal(size=(targets + 1, most)) + generator.normal(size=most)
        p = (stats.ttest_rel(y[:1, :seeds], y[1:, :seeds], axis=1).pvalue for seeds in range(3, most + 1))
        wrong += any((holm(at_look) <= 0.05).any() for at_look in p)
    return Rate(wrong / n, n)
