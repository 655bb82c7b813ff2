"""Findings of made-up ledgers: no model was trained for any of these numbers."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.arms import UNCOMPARED, arms_of, duplicates
from lesion.agent.components import Component
from lesion.agent.evidence import Evidence
from lesion.agent.findings import find
from lesion.agent.ledger import TrialRow
from lesion.agent.noisefloor import noise_floor
from lesion.agent.planning.plan import Ablation, Plan, joint_id
from lesion.agent.results import Prediction
from lesion.agent.rounds import settle
from lesion.agent.spec import StudySpec
from lesion.executor.interventions import ConfigOverride

SPLITS = ("validation", "test")
NOISE = np.random.default_rng(7).normal(0, 0.1, (12, 20))
"""Run-to-run noise by arm and seed, σ = .1 against δ = 1."""


def spec(*, seeds=3, max_seeds=10, goal="maximize", floor=None, smallest_effect=1.0):
    return StudySpec.model_validate(
        {
            "path": Path("/study/lesion.toml"),
            "study": {"name": "made-up", "seeds": seeds, "max_seeds": max_seeds},
            "experiment": {"python": "e.py"},
            "metrics": {
                "score": {"goal": goal, "primary": True, "floor": floor, "smallest_effect": smallest_effect},
                "twin": {"goal": "minimize" if goal == "maximize" else "maximize", "smallest_effect": smallest_effect},
            },
        }
    )


def row(arm, seed, value=None, *, status="ok", reason=None, fingerprint=None):
    """One trial; `value` is of both splits, or one of each; the twin metric is its negative."""
    values = () if value is None else value if isinstance(value, tuple) else (value, value)
    metrics = {split: {"score": one, "twin": -one} for split, one in zip(SPLITS, values, strict=False)}
    key = f"{arm}/{seed}"
    return TrialRow(key, arm, "retrain", seed, status, reason, metrics, fingerprint or key, False, 1.0, None)


def runs(arm, loss=0.0, seeds=3, *, noise=0, sd=1.0, **facts):
    """An arm's trials around 10 − loss, with the noise of row `noise`."""
    return [row(arm, seed, 10 - loss + sd * NOISE[noise, seed], **facts) for seed in range(seeds)]


def ablation(*parts):
    return Ablation(
        id=joint_id(list(parts)),
        components=sorted(parts),
        interventions=[ConfigOverride(key=part, value=0) for part in sorted(parts)],
        hypothesis="",
        prediction=Prediction(direction="none", size=0.5),
        role="confirmatory" if len(parts) == 1 else "exploratory",
    )


def evidence(rows, singles=("a",), joint=(), *, study=None, split="validation", stopped=None):
    plans = [Plan(study="s", round=1, planner="rules", ablations=[ablation(one) for one in singles])]
    if joint:
        plans.append(Plan(study="s", round=2, planner="rules", ablations=[ablation(*parts) for parts in joint]))
    components = {
        name: Component(id=name, kind="other", label=name.upper(), evidence="", interventions=[])
        for name in {*singles, *(part for parts in joint for part in parts)}
    }
    arms = arms_of(rows)["retrain"]
    return Evidence(study or spec(), "retrain", plans, components, arms, stopped or {}, {}, split)


def effect_of(found, name="a"):
    return next(one for one in found.effects if one.ablation == name)


def caps(seen, number=1):
    return settle(seen, seen.plans[number - 1]).caps


def test_an_arm_gets_the_seeds_that_its_verdict_asks_for():
    rows = [
        *runs("baseline"),
        *runs("large", loss=5, noise=1),
        *runs("close", loss=1.0, noise=2),
    ]
    assert caps(evidence(rows, ("large", "close"))) == {"large": 3, "close": 5}
    more = [*runs("baseline", seeds=5), *runs("large", loss=5, noise=1), *runs("close", loss=1.0, noise=2, seeds=5)]
    assert caps(evidence(more, ("large", "close")))["large"] == 3


def test_an_open_arm_that_a_later_plan_asks_more_seeds_for_goes_on_whatever_its_chance():
    """A difference was shown, and two more seeds can hardly tell whether it exceeds δ; a settled arm stays where it is."""
    rows = [*runs("baseline", sd=3), *runs("a", loss=0.8, noise=1, sd=3), *runs("b", loss=500, noise=2, sd=3)]
    seen = evidence(rows, ("a", "b"), study=spec(max_seeds=5))
    assert effect_of(find(seen, "score"), "a").verdict == "detected"
    assert settle(seen, seen.plans[0]).caps == {"a": 3, "b": 3}
    wishes = Plan(study="s", round=2, planner="llm:x", ablations=[], more_seeds=["a", "b"])
    asked = replace(seen, plans=[*seen.plans, wishes])
    assert settle(asked, seen.plans[0]).caps == {"a": 5, "b": 3}
    assert settle(asked, wishes).caps == {}


def test_no_seeds_are_bought_before_a_look_is_over_or_after_the_last():
    rows = [*runs("baseline"), *runs("a", loss=1, noise=1, seeds=2)]
    assert caps(evidence(rows)) == {"a": 3}
    whole = [*runs("baseline", seeds=10), *runs("a", loss=1, noise=1, seeds=10)]
    assert caps(evidence(whole)) == {"a": 10}
    assert caps(evidence(rows, study=spec(seeds=3, max_seeds=3))) == {"a": 3}
    assert caps(evidence([*runs("baseline")])) == {"a": 3}


@given(
    losses=st.lists(st.sampled_from([0.0, 0.6, 0.9, 1.0, 1.1, 1.4, 4.0]), min_size=2, max_size=4),
    reached=st.sampled_from([2, 3, 5, 10]),
    further=st.lists(st.integers(0, 7), min_size=5, max_size=5),
    shuffle=st.randoms(use_true_random=False),
)
@settings(max_examples=25, deadline=None)
def test_decisions_follow_from_the_trials_alone(losses, reached, further, shuffle):
    """Neither the order of the rows nor seeds that somebody else bought change what a settled look asked for."""
    names = [f"arm{i}" for i in range(len(losses))]

    def trials(counts):
        arms = zip(["baseline", *names], [0.0, *losses], counts, strict=True)
        return [one for i, (name, loss, n) in enumerate(arms) for one in runs(name, loss, n, noise=i, sd=4)]

    now = trials([reached] * (1 + len(names)))
    asked = caps(evidence(now, names))
    again = list(now)
    shuffle.shuffle(again)
    assert caps(evidence(again, names)) == asked
    settled = {name for name, cap in asked.items() if cap < reached}
    counts = [min(20, reached + further[0])]
    counts += [reached + (further[1 + i] if name in settled else 0) for i, name in enumerate(names)]
    later = evidence(trials([min(20, count) for count in counts]), names)
    assert {name: caps(later)[name] for name in settled} == {name: asked[name] for name in settled}


def test_a_settled_estimate_stays_when_another_round_buys_its_arm_more_seeds():
    first = [*runs("baseline"), *runs("a", 5, noise=1), *runs("b", 4, noise=2)]
    more = [*runs("baseline", seeds=10), *runs("a", 5, 10, noise=1), *runs("b", 4, 10, noise=2)]
    joint = runs("a + b", 9, 10, noise=3)
    before = find(evidence(first, ("a", "b")), "score")
    after = find(evidence([*more, *joint], ("a", "b"), [("a", "b")]), "score")
    for name in ("a", "b"):
        assert effect_of(after, name) == effect_of(before, name)
        assert effect_of(after, name).n == 3


def test_joint_removals_that_a_later_round_extends_keep_their_estimates():
    """Seeds that round 3 buys for `c` are no part of what round 2 was decided on."""
    names = ("a", "b", "c", "d")
    seeds = {"a": 5, "b": 5, "c": 3, "d": 3}
    few = [*runs("baseline", seeds=5), *(one for i, n in enumerate(names) for one in runs(n, 4, seeds[n], noise=i + 1))]
    pair = runs("a + b", 9, 5, noise=6)
    before = evidence([*few, *pair], names, [("a", "b")], study=spec(max_seeds=5))
    assert caps(before, 2) == {"a + b": 5}
    wild = [row("c", 3, 9.0), row("c", 4, 3.0), *runs("d", 4, 5, noise=4)]
    rest = runs("c + d", 8, 5, noise=8, sd=9)
    after = evidence([*few, *pair, *wild, *rest], names, [("a", "b")], study=spec(max_seeds=5))
    third = Plan(study="s", round=3, planner="rules", ablations=[ablation("c", "d")])
    after = replace(after, plans=[*after.plans, third])
    assert caps(after, 2) == caps(before, 2)
    assert find(after, "score").interactions[:1] == find(before, "score").interactions


def test_looks_are_decided_on_validation_and_findings_made_on_test():
    clear_on_validation = [row("a", seed, (5 + NOISE[1, seed], 10 + NOISE[1, seed])) for seed in range(3)]
    close_on_validation = [row("b", seed, (9 + NOISE[2, seed], 2 + NOISE[2, seed])) for seed in range(3)]
    rows = [*runs("baseline"), *clear_on_validation, *close_on_validation]
    for split in SPLITS:
        assert caps(evidence(rows, ("a", "b"), split=split)) == {"a": 3, "b": 5}
    on_test = find(evidence(rows, ("a", "b"), split="test"), "score")
    assert effect_of(on_test, "a").verdict == "negligible"
    assert effect_of(on_test, "b").delta == pytest.approx(-8, abs=0.3)
    assert effect_of(find(evidence(rows, ("a", "b")), "score"), "a").verdict == "matters"


def test_delta_is_ablated_minus_baseline_on_the_scale_of_the_metric():
    rows = [*runs("baseline", sd=5), *runs("a", 3, noise=1, sd=5)]
    for goal in ("maximize", "minimize"):
        seen = evidence(rows, study=spec(goal=goal))
        for metric, sign in (("score", 1), ("twin", -1)):
            effect = effect_of(find(seen, metric))
            values = {
                arm: np.mean([one.metrics["test"][metric] for one in rows if one.arm == arm]) for arm in seen.arms
            }
            assert effect.baseline == pytest.approx(values["baseline"])
            assert effect.ablated == pytest.approx(values["a"])
            assert effect.delta == pytest.approx(effect.ablated - effect.baseline, abs=1e-9)
            assert effect.delta * sign < 0
            assert effect.interval is not None
            assert effect.interval[0] < effect.delta < effect.interval[1]


@pytest.mark.parametrize(
    ("goal", "loss", "verdict"),
    [("maximize", 5, "matters"), ("maximize", -5, "hurts"), ("minimize", -5, "matters"), ("minimize", 5, "hurts")],
)
def test_the_goal_says_which_way_is_worse(goal, loss, verdict):
    rows = [*runs("baseline"), *runs("a", loss, noise=1)]
    seen = evidence(rows, study=spec(goal=goal))
    assert effect_of(find(seen, "score")).verdict == verdict
    assert effect_of(find(seen, "twin")).verdict == verdict


@pytest.mark.parametrize("status", ["crashed", "diverged"])
def test_an_arm_that_always_stops_the_program_is_structural_and_never_a_delta(status):
    rows = [*runs("baseline"), *(row("a", seed, status=status, reason="KeyError: 'x'") for seed in range(3))]
    effect = effect_of(find(evidence(rows), "score"))
    assert (effect.verdict, effect.reason, effect.failed, effect.n) == ("structural", "KeyError: 'x'", 3, 0)
    assert (effect.delta, effect.ablated, effect.interval) == (None, None, None)
    assert caps(evidence(rows)) == {"a": 3}


def test_an_arm_that_always_runs_out_of_its_limits_is_untestable():
    rows = [*runs("baseline"), *(row("a", seed, status="out-of-memory", reason="4 GiB") for seed in range(3))]
    effect = effect_of(find(evidence(rows), "score"))
    assert (effect.verdict, effect.delta) == ("untestable", None)
    assert "3 of 3 seeds failed (out-of-memory): 4 GiB" in (effect.reason or "")
    assert caps(evidence(rows)) == {"a": 3}


def test_failing_seeds_are_counted_and_not_averaged_in():
    baseline, good = runs("baseline", seeds=5, sd=5), runs("a", 5, 5, noise=1, sd=5)
    rows = [*baseline, *good[:1], row("a", 1, status="diverged", reason="nan"), *good[2:]]
    study = spec(seeds=5, max_seeds=5)
    effect = effect_of(find(evidence(rows, study=study), "score"))
    kept = [0, 2, 3, 4]
    expected = np.mean([good[i].metrics["test"]["score"] - baseline[i].metrics["test"]["score"] for i in kept])
    assert (effect.n, effect.failed, effect.verdict) == (4, 1, "matters")
    assert effect.delta == pytest.approx(expected)
    two = [*baseline, *good[:2], *(row("a", seed, status="crashed", reason="bad luck") for seed in (2, 3, 4))]
    few = effect_of(find(evidence(two, study=study), "score"))
    assert (few.verdict, few.n, few.failed) == ("untestable", 2, 3)
    assert "bad luck" in (few.reason or "")


def test_results_equal_to_the_baseline_are_no_ops_and_never_unimportant():
    same = [row("a", seed, 10 + NOISE[0, seed], status="no-op") for seed in range(2)]
    skipped = row("a", 2, status="skipped")
    effect = effect_of(find(evidence([*runs("baseline"), *same, skipped]), "score"))
    assert (effect.verdict, effect.delta, effect.ablated, effect.p) == ("no-op", None, None, None)
    assert caps(evidence([*runs("baseline"), *same, skipped])) == {"a": 3}


def test_a_changed_tensor_without_a_changed_result_is_masked():
    rows = [*runs("baseline"), *runs("a", reason="masked"), *runs("b", 4, noise=2)]
    found = find(evidence(rows, ("a", "b")), "score")
    assert (effect_of(found).masked, effect_of(found).verdict, effect_of(found).delta) == (True, "negligible", 0)
    assert not effect_of(found, "b").masked


def test_a_seed_at_which_the_baseline_failed_does_not_hide_that_a_removal_does_nothing():
    baseline = [one for one in runs("baseline", seeds=4) if one.seed != 1]
    lost = row("baseline", 1, 0.0, status="killed")
    alone = row("a", 1, 10.0, reason=UNCOMPARED)
    same = [one for one in runs("a", seeds=4, status="no-op") if one.seed != 1]
    assert effect_of(find(evidence([*baseline, lost, *same, alone]), "score")).verdict == "no-op"
    other = row("a", 1, 10.0)
    assert effect_of(find(evidence([*baseline, lost, *same, other]), "score")).verdict != "no-op"


def test_where_runs_of_the_first_look_failed_the_next_look_is_taken():
    baseline = [*runs("baseline", seeds=2), row("baseline", 2, 0.0, status="crashed", reason="flaky")]
    seen = evidence([*baseline, *runs("a", 5, noise=1)])
    assert caps(seen) == {"a": 5}
    alone = evidence([*baseline, *runs("a", 5, noise=1)], study=spec(seeds=3, max_seeds=3))
    found = effect_of(find(alone, "score"))
    assert found.verdict == "untestable" and found.reason.endswith(
        "1 of 3 runs of the baseline failed (crashed): flaky"
    )


def test_a_joint_removal_that_did_nothing_says_nothing_about_an_interaction():
    """Two switches without any effect add up to nothing; with a perfect backup, nothing alone is something together."""

    def idle(name):
        return runs(name, status="no-op")

    alone = [*runs("baseline"), *idle("a"), *idle("b")]
    seen = find(evidence([*alone, *idle("a + b")], ("a", "b"), [("a", "b")]), "score")
    (found,) = seen.interactions
    assert (found.verdict, found.reason, found.n) == ("untestable", "its removal did nothing", 0)
    assert (found.contrast, found.p_adjusted, found.p_equivalence, found.negligible_together) == (*[None] * 3, False)
    together = effect_of(seen, "a + b")
    assert (together.verdict, together.delta, together.level) == ("no-op", None, None)
    assert (together.p, together.p_adjusted, together.p_equivalence, together.p_paired) == (None,) * 4
    (backup,) = find(evidence([*alone, *runs("a + b", 5, noise=1)], ("a", "b"), [("a", "b")]), "score").interactions
    assert backup.verdict == "compensation"


def test_what_its_check_has_stopped_is_no_part_of_the_family():
    rows = [*runs("baseline"), *runs("a", 5, noise=1)]
    seen = evidence(rows, ("a", "b", "c"), stopped={"b": ("structural", "shape"), "c": ("no-op", "never called")})
    found = find(seen, "score")
    assert [(one.verdict, one.reason) for one in found.effects[1:]] == [
        *(("structural", "shape"), ("no-op", "never called"))
    ]
    alone = find(evidence(rows), "score")
    assert effect_of(found).p_adjusted == effect_of(alone).p_adjusted
    assert caps(seen) == {"a": 3}


@pytest.mark.parametrize(("goal", "away"), [("maximize", -2.5), ("maximize", 9), ("minimize", 2.5), ("minimize", -9)])
def test_at_its_floor_nothing_can_be_tested(goal, away):
    """Within 3σ of the floor, or beyond it."""
    rows = [*runs("baseline"), *runs("a", 5, noise=1)]
    values = 10 + NOISE[0, :3]
    floor = values.mean() + away * values.std(ddof=1)
    effect = effect_of(find(evidence(rows, study=spec(goal=goal, floor=floor)), "score"))
    assert (effect.verdict, effect.reason) == ("untestable", "the baseline is within noise of the metric's floor")


@pytest.mark.parametrize(("goal", "floor"), [("maximize", 3.0), ("minimize", 20.0)])
def test_away_from_its_floor_it_can(goal, floor):
    rows = [*runs("baseline"), *runs("a", 5 if goal == "maximize" else -5, noise=1)]
    assert effect_of(find(evidence(rows, study=spec(goal=goal, floor=floor)), "score")).verdict == "matters"


def test_the_smallest_effect_is_proposed_from_the_baseline_on_validation_alone():
    rows = [
        *(row("baseline", seed, (10 + NOISE[0, seed], 10 + 7 * NOISE[3, seed])) for seed in range(10)),
        *runs("a", 50, seeds=10, noise=1, sd=100),
    ]
    proposed = 2 * np.std([10 + NOISE[0, seed] for seed in range(3)], ddof=1)
    for split in SPLITS:
        noise = noise_floor(evidence(rows, study=spec(smallest_effect=None), split=split), "score")
        assert noise is not None
        assert (noise.smallest_effect, noise.smallest_effect_proposed) == (pytest.approx(proposed), True)
    assert noise_floor(evidence([]), "score") is None
    assert find(evidence([]), "score").effects == []


@pytest.mark.parametrize(
    ("singles", "together", "verdict"),
    [
        ((0.0, 0.0), 6.0, "compensation"),
        ((2.0, 2.0), 9.0, "redundancy"),
        ((5.0, 5.0), 5.0, "synergy"),
        ((3.0, 2.0), 5.0, "additive"),
    ],
)
@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_interactions_are_losses_beyond_the_sum(singles, together, verdict, goal):
    sign = 1 if goal == "maximize" else -1
    rows = [
        *runs("baseline"),
        *(one for i, loss in enumerate(singles) for one in runs("ab"[i], sign * loss, noise=i + 1)),
        *runs("a + b", sign * together, noise=4),
    ]
    study = spec(goal=goal, max_seeds=3)
    (found,) = find(evidence(rows, ("a", "b"), [("a", "b")], study=study), "score").interactions
    assert found.verdict == verdict
    assert found.observed == pytest.approx(together, abs=0.3)
    assert found.additive == pytest.approx(sum(singles), abs=0.5)
    assert found.contrast == pytest.approx(found.observed - found.additive, abs=1e-9)
    assert (found.components, found.n) == (["a", "b"], 3)


def test_a_joint_removal_near_the_floor_says_that_the_floor_may_hide_more():
    rows = [*runs("baseline"), *runs("a", 5, noise=1), *runs("b", 5, noise=2), *runs("a + b", 5.9, noise=4)]
    floor = 4.1 + NOISE[4, :3].mean() - 2 * NOISE[0, :3].std(ddof=1)
    study = spec(floor=floor, max_seeds=3)
    (found,) = find(evidence(rows, ("a", "b"), [("a", "b")], study=study), "score").interactions
    assert found.verdict == "saturation-limited"


def test_a_group_that_matters_while_each_is_negligible_is_irreducible_only_if_its_pairs_are_too():
    rows = [*runs("baseline"), *(one for i, name in enumerate("abc") for one in runs(name, noise=i + 1))]
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    together = runs("a + b + c", 6, noise=4)
    joint = [one for i, pair in enumerate(pairs) for one in runs(" + ".join(pair), noise=5 + i)]
    study = spec(max_seeds=3)
    group = ("a", "b", "c")
    whole = find(evidence([*rows, *together, *joint], group, [group, *pairs], study=study), "score").interactions
    assert [one.verdict for one in whole] == ["irreducible", "additive", "additive", "additive"]
    alone = find(evidence([*rows, *together], group, [group], study=study), "score").interactions
    assert [one.verdict for one in alone] == ["compensation"]


def test_equal_weights_and_metrics_at_three_seeds_are_the_same_arm_under_two_names():
    def twin(name, seeds):
        return [row(name, seed, 5.0 + seed, fingerprint=f"w{seed}") for seed in seeds]

    rows = [*runs("baseline"), *twin("a", range(3)), *twin("b", (2, 1, 0)), *twin("c", range(5)), *twin("d", range(2))]
    order = ["a", "b", "c", "d"]
    assert duplicates(arms_of(rows)["retrain"], order) == {"b": "a", "c": "a"}
    assert duplicates(arms_of(rows)["retrain"], order[::-1]) == {"b": "c", "a": "c"}
    other = [*twin("a", range(3)), *(row("b", seed, 5.0 + seed, fingerprint="other") for seed in range(3))]
    assert duplicates(arms_of(other)["retrain"], ["a", "b"]) == {}
    idle = [row(name, seed, 1.0, status="no-op", fingerprint="w") for name in "ab" for seed in range(3)]
    assert duplicates(arms_of(idle)["retrain"], ["a", "b"]) == {}
    assert effect_of(find(evidence(rows, order), "score"), "b").same_as == "a"


def test_an_unfinished_look_is_told_with_what_there_is():
    rows = [*runs("baseline"), *runs("a", 5, noise=1, seeds=2), row("a", 2, status="planned")]
    effect = effect_of(find(evidence(rows), "score"))
    assert (effect.n, effect.p, effect.interval) == (2, None, None)
    assert effect.verdict in ("undecided", "untestable")
    assert effect.delta == pytest.approx(-5, abs=0.3)


def test_any_order_of_the_ledger_gives_the_same_findings():
    rows = [
        *runs("baseline", seeds=5),
        *runs("a", 1, 5, noise=1),
        *runs("b", 4, 5, noise=2),
        *runs("a + b", 7, 5, noise=3),
    ]
    names, joint = ("a", "b"), [("a", "b")]
    expected = find(evidence(rows, names, joint), "score")
    for seed in range(5):
        shuffled = random.Random(seed).sample(rows, len(rows))
        found = find(evidence(shuffled, names, joint), "score")
        assert (found.effects, found.interactions, found.noise) == (
            *(expected.effects, expected.interactions, expected.noise),
        )


def test_each_seed_of_a_few_tells_its_own_difference():
    seen = evidence([*runs("baseline", seeds=5), *runs("a", loss=2, seeds=5, noise=1)], ("a",), study=spec(seeds=5))
    one = effect_of(find(seen, "score"))
    assert list(one.by_seed) == [0, 1, 2, 3, 4]
    assert sum(one.by_seed.values()) / 5 == pytest.approx(one.delta)
    assert one.by_seed[3] == pytest.approx(-2 + NOISE[1, 3] - NOISE[0, 3])
    twin = effect_of(find(seen, "twin"))
    assert twin.by_seed[3] == pytest.approx(-one.by_seed[3])
    many = evidence(
        [*runs("baseline", seeds=5), *runs("a", loss=2, seeds=5, noise=1, status="no-op")], ("a",), study=spec(seeds=5)
    )
    assert effect_of(find(many, "score")).by_seed == {}  # nothing was removed: there is no difference to tell
