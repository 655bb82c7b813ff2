"""Equal tunings of made-up ledgers: no model was trained for any of these numbers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lesion.agent.analysis.tuning import best_setting
from lesion.agent.findings import find
from lesion.agent.ledger import TrialRow
from lesion.agent.planning.plan import BASELINE
from lesion.agent.retuned import retuning_record, with_retuned
from lesion.agent.retuning import Tuning, choose, stages
from lesion.executor.interventions import ConfigOverride, config_overrides

from tests.agent.test_rounds import ablation, evidence, spec

NOISE = np.random.default_rng(3).normal(0, 0.1, (40, 12))
TUNING = Tuning(
    version="v",
    own={"lr": 0.1, "wd": 0.0},
    values={"lr": [0.1, 1.0], "wd": [0.0, 0.5]},
    seeds=2,
    measured=3,
    arms=["a"],
)
NAN = float("nan")


def rows(means, *, seeds=5, test=None, failed=()):
    """Trials around the mean of each arm; `failed` are (arm, seed) that diverged."""
    found = []
    for number, (arm, mean) in enumerate(means.items()):
        for seed in range(seeds):
            status = "diverged" if (arm, seed) in failed else "ok"
            values = (mean + NOISE[number, seed], (test or means)[arm] + NOISE[number, seed])
            metrics = dict(zip(("validation", "test"), ({"score": one, "twin": -one} for one in values), strict=True))
            key = f"{arm}/{seed}"
            metrics = metrics if status == "ok" else {}
            found.append(TrialRow(key, arm, "retrain", seed, status, None, metrics, key, False, 1.0, None))
    return found


GRID = {
    f"{arm}{suffix}": 5.0 for arm in (BASELINE, "a") for suffix in ("", " ~ wd=0.5", " ~ lr=1.0", " ~ lr=1.0, wd=0.5")
}


def seen(means, tuning=TUNING, split="test", **changes):
    made = evidence(rows({**GRID, **means}, **changes), tuple(tuning.arms), study=spec(seeds=3), split=split)
    return made, tuning.variants(made)


def chosen(means, tuning=TUNING, **changes):
    made, variants = seen(means, tuning, **changes)
    found = choose(tuning, made, variants)
    return found and {name: one.arm for name, one in found.items()}


@pytest.mark.parametrize(
    ("values", "own", "best"),
    [
        ([[1, 1], [2, 2], [3, 3]], 0, 2),
        ([[1, 1], [2, NAN], [1.5, 1.5]], 0, 2),
        ([[3, 3], [3, 3], [3, 3]], 1, 1),
        ([[0.1 + 0.2, 0.3], [0.3, 0.3]], 1, 1),
        ([[1, NAN], [NAN, 1]], 1, 1),
        ([[NAN, NAN], [-5, -5]], 0, 1),
        ([[1, 1], [np.inf, 3], [2, 2]], 0, 2),
        ([[2, 2], [4, 4], [4, 4]], 0, 1),
    ],
)
def test_the_best_mean_wins_ties_go_to_what_was_there_and_failures_lose(values, own, best):
    assert best_setting(np.array(values, dtype=float), own) == best


@given(st.lists(st.lists(st.floats(-5, 5), min_size=2, max_size=2), min_size=1, max_size=6), st.integers(0, 5))
def test_nothing_chosen_is_worse_than_what_was_there(values, own):
    table = np.array(values)
    own = own % len(table)
    assert table[best_setting(table, own)].mean() >= table[own].mean()


def test_the_choice_is_made_on_validation_and_by_the_tuning_seeds_alone():
    best = {"a ~ lr=1.0": 9.0, f"{BASELINE} ~ wd=0.5": 8.0}
    other = {**GRID, "a ~ wd=0.5": 99.0, f"{BASELINE} ~ lr=1.0": 99.0}
    assert chosen(best, test=other) == {BASELINE: f"{BASELINE} ~ wd=0.5", "a": "a ~ lr=1.0"}
    assert chosen(best, seeds=2) == chosen(best, seeds=5)
    assert chosen(best, seeds=1) is None


def test_a_setting_with_a_failed_seed_loses_the_choice_and_is_reported():
    best = {"a ~ lr=1.0": 9.0, "a ~ wd=0.5": 7.0}
    assert chosen(best, failed={("a ~ lr=1.0", 1)})["a"] == "a ~ wd=0.5"
    made, _ = seen(best, failed={("a ~ lr=1.0", 1)})
    (effect,) = with_retuned(find(made, "score").effects, TUNING, made)
    tried = {str(one.setting): one for one in effect.retuned.grid}
    assert tried["{'lr': 1.0, 'wd': 0.0}"].failed == {"diverged": 1}
    assert tried["{'lr': 1.0, 'wd': 0.0}"].mean is None
    assert [one.setting for one in effect.retuned.grid if one.chosen] == [{"lr": 0.1, "wd": 0.5}]


def test_everybody_gets_the_same_settings_and_seeds_and_shares_what_the_plan_has():
    made, variants = seen({})
    tuning, measuring = stages(TUNING, made, variants)
    counts = {name: sum(one in each for one, _ in tuning.wanted) for name, each in variants.items()}
    assert counts == {BASELINE: 8, "a": 8}
    assert [one.arm for one in variants["a"]] == [name for name in GRID if name.startswith("a")]
    assert [one.arm for one in variants["a"] if one.known] == ["a"]
    assert {seed for _, seed in tuning.wanted} == {0, 1}
    assert {seed for _, seed in measuring.wanted} == {2, 3, 4}


def test_a_removal_that_sets_a_tuned_key_keeps_its_own_value():
    tuning = TUNING.model_copy(update={"arms": ["wd"]})
    made, variants = seen({"wd": 5.0, "wd ~ lr=1.0": 6.0}, tuning)
    assert [one.arm for one in variants["wd"]] == ["wd", "wd ~ lr=1.0"]
    assert all(config_overrides(one.removed)["wd"] == 0 for one in variants["wd"])
    assert TUNING.model_copy(update={"values": {"wd.x": [0]}}).kept([ConfigOverride(key="wd", value=None)]) == ["wd.x"]
    (effect,) = with_retuned(find(made, "score").effects, tuning, made)
    assert (effect.retuned.kept, effect.retuned.setting) == (["wd"], {"lr": 1.0})
    assert (effect.retuned.runs, retuning_record(tuning, made).runs) == (4, 8)


def test_a_setting_that_another_ablation_has_already_is_not_run_twice():
    tuning = TUNING.model_copy(update={"values": {"wd": [1.0, 0]}, "own": {"wd": 1.0}, "arms": ["a", "wd"]})
    made = evidence([], ("a", "wd"), study=spec(seeds=3))
    plans = [*made.plans, made.plans[0].model_copy(update={"round": 2, "ablations": [ablation("a", "wd")]})]
    variants = tuning.variants(replace(made, plans=plans))
    assert [one.arm for one in variants[BASELINE]] == [BASELINE, "wd"]
    assert [one.arm for one in variants["a"]] == ["a", "a + wd"]
    assert [one.arm for one in variants["wd"]] == ["wd"]


def test_the_effect_is_that_of_the_chosen_settings_at_seeds_that_chose_nothing():
    made, _ = seen({"a": 1.0, "a ~ lr=1.0": 8.9, f"{BASELINE} ~ wd=0.5": 9.0})
    (effect,) = with_retuned(find(made, "score").effects, TUNING, made)
    found = effect.retuned
    values = [
        made.arm(name).values("test", "score", 1, 5).values[2:] for name in ("a ~ lr=1.0", f"{BASELINE} ~ wd=0.5")
    ]
    assert found.delta == pytest.approx(np.mean(values[0] - values[1]), abs=1e-12)
    assert (found.baseline, found.ablated) == pytest.approx((np.mean(values[1]), np.mean(values[0])), abs=1e-12)
    assert (effect.verdict, found.verdict, found.n) == ("matters", "negligible", 3)
    assert found.interval[0] < found.delta < found.interval[1]


def test_where_less_is_better_the_least_is_chosen_and_a_loss_is_a_gain_in_the_metric():
    made, variants = seen({"a ~ lr=1.0": 2.0, f"{BASELINE} ~ wd=0.5": 1.0})
    made = replace(made, spec=spec(seeds=3, goal="minimize"))
    (effect,) = with_retuned(find(made, "score").effects, TUNING, made)
    assert choose(TUNING, made, variants)["a"].arm == "a ~ lr=1.0"
    assert effect.retuned.delta == pytest.approx(1.0, abs=0.3)


def test_what_has_not_run_has_no_record_and_what_failed_has_a_reason():
    best = {"a ~ lr=1.0": 9.0}
    made, _ = seen(best, seeds=4)
    assert with_retuned(find(made, "score").effects, TUNING, made)[0].retuned is None
    assert retuning_record(TUNING, made) is not None
    made, _ = seen(best, failed={("a ~ lr=1.0", seed) for seed in (3, 4)})
    found = with_retuned(find(made, "score").effects, TUNING, made)[0].retuned
    assert (found.verdict, found.n, found.failed) == ("untestable", 1, 2)
    assert "2 diverged" in found.reason
