"""Simulated studies in which nothing matters: how often something is found all the same. Short, seeded versions."""

import numpy as np
import pytest
from finished_tables import one_look, planned, table
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict

STUDIES = 300
BOUND = 0.05 + 2 * np.sqrt(0.05 * 0.95 / STUDIES)
"""Two Monte-Carlo errors above α."""


@pytest.mark.parametrize("targets", [10, 40])
@pytest.mark.parametrize("spread", [0.0, 0.4, 0.7])
def test_family_wise_error_under_unequal_noise(targets, spread):
    generator = np.random.default_rng(int(100 * spread) + targets)
    wrong = 0
    for _ in range(STUDIES):
        sigma = np.exp(generator.normal(0, spread, size=(targets + 1, 1)))
        y = sigma * generator.normal(size=(targets + 1, 5)) + generator.normal(size=5)
        wrong += any(estimate.p_adjusted <= 0.05 for estimate in table(y[0], y[1:]).estimates)
    assert wrong / STUDIES <= BOUND


def test_one_arm_ten_times_noisier_costs_neither_error_nor_the_large_effects():
    generator = np.random.default_rng(1)
    wrong = found = 0
    for _ in range(STUDIES):
        y = generator.normal(size=(11, 5)) + generator.normal(size=5)
        y[1] *= 10
        y[2] -= 9
        p = [estimate.p_adjusted <= 0.05 for estimate in table(y[0], y[1:], one_look(5, 3.0)).estimates]
        found += p.pop(1)
        wrong += any(p)
    assert wrong / STUDIES <= BOUND
    assert found / STUDIES >= 0.9


def test_planned_looks_that_stop_when_settled():
    generator = np.random.default_rng(2)
    rules = planned(5, 20, delta=1.3)
    wrong = negligible = 0
    for _ in range(STUDIES):
        y = generator.normal(size=(2, 20))
        for look in rules.looks:
            estimate = table(y[0], y[1:], rules, runs=[look.seeds]).estimates[0]
            verdict = effect_verdict(estimate, EffectFacts(), rules).verdict
            if verdict not in ("detected", "undecided"):
                break
        wrong += estimate.p_adjusted <= 0.05
        negligible += verdict == "negligible"
    assert wrong / STUDIES <= BOUND
    assert negligible / STUDIES >= 0.9
