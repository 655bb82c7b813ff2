"""Deciding among 10,000 effects and 1,000 interactions, all simulated: seconds, and not minutes. Prints, asserts no time."""

import time
from collections.abc import Callable
from itertools import combinations, islice
from typing import TypeVar

import numpy as np
import pytest
from lesion.agent.analysis.arrays import Floats
from lesion.agent.analysis.contrasts import single_removals
from lesion.agent.analysis.effects import effect_table
from lesion.agent.analysis.estimates import Table
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.interactions import InteractionTable, interaction_table
from lesion.agent.analysis.joint import BASELINE, Arm, Components
from lesion.agent.analysis.looks import Look, Rules, planned_looks
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict
from lesion.agent.findings import find
from lesion.agent.rounds import settle

from .calibration.looks import METRIC, evidence, plan_of

EFFECTS, INTERACTIONS, EXAMPLES, SEEDS = 10_000, 1_000, 1_000, 20
RULES = Rules(1.0, planned_looks(3, SEEDS, 0.05))
T = TypeVar("T")


def timed(what: str, decide: Callable[[], T]) -> T:
    """Do it and print how long it took."""
    start = time.perf_counter()
    decided = decide()
    print(f"{what}: {time.perf_counter() - start:.1f} s")
    return decided


def simulated(arms: int, units: int) -> Floats:
    """A baseline and arms of which every hundredth loses 5σ; shape [arms + 1, units]."""
    generator = np.random.default_rng(0)
    y = generator.normal(size=(arms + 1, units)) + generator.normal(size=units)
    y[1::100] -= 5
    return y


def over_seeds(y: Floats) -> Table:
    """The main table at four looks."""
    done = np.ones(y.shape, dtype=np.bool_)
    return effect_table(y[0], y[1:], baseline_finished=done[0], finished=done[1:], rules=RULES)


def pairs(y: Floats) -> InteractionTable:
    """A thousand pairs among fifty singles."""
    names = [f"config:{index}" for index in range(50)]
    tested = [frozenset(pair) for pair in islice(combinations(names, 2), INTERACTIONS)]
    sets: list[Components] = [BASELINE, *(frozenset((name,)) for name in names), *tested]
    arms = {removed: Arm(row, np.ones(row.shape, dtype=np.bool_)) for removed, row in zip(sets, y, strict=True)}
    return interaction_table(arms, tested, rules=RULES)


@pytest.mark.benchmark
def test_deciding_among_thousands() -> None:
    print()
    y = simulated(EFFECTS, SEEDS)
    table = timed(f"{EFFECTS} effects over {SEEDS} seeds, four looks", lambda: over_seeds(y))
    verdicts = [effect_verdict(one, EffectFacts(), RULES).verdict for one in table.estimates]
    assert verdicts[::100] == ["matters"] * (EFFECTS // 100)
    found = timed(
        f"{INTERACTIONS} interactions over {SEEDS} seeds, four looks",
        lambda: pairs(simulated(50 + INTERACTIONS, SEEDS)),
    )
    assert len(found.interactions) == INTERACTIONS
    look = Rules(0.5, (Look(EXAMPLES, 0.05),))
    y = simulated(EFFECTS, EXAMPLES)
    for metric, values in (("continuous", y), ("binary", (y > 0).astype(float))):
        estimates = timed(
            f"{EFFECTS} effects over {EXAMPLES} examples, {metric}",
            lambda values=values: estimate_examples(values, single_removals(EFFECTS), look),
        ).estimates
        assert effect_verdict(estimates[0], EffectFacts(), look).verdict == (
            "matters" if metric == "continuous" else "detected"
        )


@pytest.mark.benchmark
@pytest.mark.parametrize("delta", [4.0, 0.3])
def test_deciding_a_study(delta: float) -> None:
    plan = plan_of(EFFECTS)
    seen = evidence(simulated(EFFECTS, SEEDS), plan, delta)
    print(f"\n{EFFECTS} ablations at {SEEDS} seeds in a ledger, δ = {delta}σ")
    ended = timed("the planned looks are followed", lambda: settle(seen, plan))
    assert set(ended.caps.values()) <= {3, 5, 10, 20}
    found = timed("all findings", lambda: find(seen, METRIC))
    assert len(found.effects) == EFFECTS
