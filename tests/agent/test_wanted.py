"""In which order a round's trials are asked for, with and without a deadline; ledgers are made up, nothing is trained."""

import math

import pytest
from lesion.agent.arms import arms_of
from lesion.agent.evidence import Evidence
from lesion.agent.planning.plan import Plan
from lesion.agent.rounds import settle
from lesion.agent.setting import Setting
from lesion.agent.wanted import wanted_trials

from .test_rounds import ablation, runs, spec

SECONDS = {"slow": 100.0, "middle": 20.0, "quick": 10.0}
"""Of a trial; the arms come to equal values, so that nothing else tells them apart."""
LOSS = 1.05


def trial(found, seconds):
    return found._replace(wall_seconds=seconds)


def seen(seeds=3, costs=SECONDS, names=tuple(SECONDS), *, joint=(), extra=()):
    """Three arms that are close to δ, and so open after their first look; of each trial what it took."""
    rows = [trial(one, 5.0) for one in runs("baseline", seeds=seeds)]
    rows += [trial(one, costs[name]) for name in names for one in runs(name, LOSS, seeds, noise=1)]
    plans = [Plan(study="s", round=1, planner="rules", ablations=[ablation(one) for one in names])]
    if joint:
        plans.append(Plan(study="s", round=2, planner="rules", ablations=[ablation(*joint)]))
    return Evidence(spec(), "retrain", plans, {}, arms_of([*rows, *extra])["retrain"], {}, {}, "validation")


def asked(evidence, seconds_left=math.inf, workers=1, at=0):
    setting = Setting(evidence.spec, None, {}, "version", None, None)
    current = settle(evidence, evidence.plans[at])
    return wanted_trials(setting, evidence, current, range(20), seconds_left, workers)


def arms(trials):
    return list(dict.fromkeys(one.arm for one in trials))


def test_the_arms_of_this_test_are_open_after_their_first_look():
    evidence = seen()
    assert settle(evidence, evidence.plans[0]).caps == {"slow": 5, "middle": 5, "quick": 5}


def test_before_a_trial_the_order_is_that_of_the_plan_whatever_the_time():
    evidence = seen(seeds=0)
    for left in (math.inf, 1e6, 1.0):
        assert arms(asked(evidence, left)) == ["baseline", "slow", "middle", "quick"]


def test_the_deadline_changes_the_order_and_never_what_is_asked_for():
    evidence = seen()
    endless = asked(evidence)
    assert arms(endless) == ["baseline", "quick", "middle", "slow"]
    for left in (1e6, 100.0, 45.0, 1.0):
        assert {one.key for one in asked(evidence, left)} == {one.key for one in endless}
        assert len(asked(evidence, left)) == len(endless)
    assert arms(asked(evidence, 1e6)) == arms(endless)


def test_an_arm_that_cannot_complete_its_look_in_time_comes_after_those_that_can():
    """Two seeds of the baseline, 5 s each, come first. `quick` lacks one trial of 35 s, which cannot be shared by two workers."""
    one_more = [trial(one, 35.0) for one in runs("quick", LOSS, 4, noise=1)[3:]]
    evidence = seen(costs={"slow": 25.0, "middle": 20.0, "quick": 35.0}, extra=one_more)
    assert arms(asked(evidence)) == ["baseline", "middle", "slow", "quick"]
    assert arms(asked(evidence, 5 + 100.0, workers=2)) == ["baseline", "quick", "middle", "slow"]
    assert arms(asked(evidence, 5 + 30.0, workers=2)) == ["baseline", "middle", "quick", "slow"]
    assert arms(asked(evidence, 5 + 19.0, workers=2)) == ["baseline", "quick", "middle", "slow"]


def test_the_seeds_of_an_arm_stay_together_and_the_baseline_comes_first():
    for left in (math.inf, 90.0):
        found = [(one.arm, one.seed) for one in asked(seen(), left)]
        assert found[:5] == [("baseline", seed) for seed in range(5)]
        assert [seed for _, seed in found[5:]] == [*range(5)] * 3


def test_a_joint_removal_asks_for_its_parts_before_itself():
    evidence = seen(joint=("quick", "middle"))
    for left in (math.inf, 1e6):
        assert arms(asked(evidence, left, at=1)) == ["baseline", "middle", "quick", "middle + quick"]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_order_is_the_same_for_the_same_ledger_and_time(workers):
    assert asked(seen(), 120.0, workers) == asked(seen(), 120.0, workers)
