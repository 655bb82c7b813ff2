"""What may hide behind each other: the pool that single removals leave to an interaction search."""

import pytest
from lesion.agent.components import Component
from lesion.agent.planning.plan import SEARCH, Plan
from lesion.agent.planning.planner import Learnt
from lesion.agent.planning.pool import LARGE, SMALLEST, quiet_pool
from lesion.agent.planning.rules import RulesPlanner, single
from lesion.agent.results import BaselineMetric, Effect, InteractionSearch
from lesion.executor.interventions import ConfigOverride, ModuleIntervention

NOISE = BaselineMetric(
    mean=0.9, sd=0.01, n=5, minimum_detectable_effect=0.02, goal="maximize", smallest_effect=0.04, max_seeds=20
)


def switch(name, key=None):
    return Component(
        id=name, kind="other", label=name, evidence="made", interventions=[ConfigOverride(key=key or name, value=False)]
    )


def layer(path):
    return Component(
        id=f"module:{path}",
        kind="layer",
        label=path,
        evidence="made",
        interventions=[ModuleIntervention(path=path, removal="zero")],
    )


def found(name, verdict="negligible", **more):
    usual = {"ablation": name, "components": [name], "labels": [name], "verdict": verdict, "delta": 0.001, "p": 0.5}
    unknown = ("baseline", "ablated", "interval", "level", "p_adjusted", "p_equivalence")
    fixed = {
        "component_kind": "other",
        "intervention_kind": "override",
        "intervention": "off",
        "round": 1,
        "metric": "accuracy",
        "n": 5,
    }
    asked = {"mode": "retrain", "role": "confirmatory"}
    return Effect.model_validate({**dict.fromkeys(unknown), **fixed, **asked, **usual, **more})


def pool(effects, components):
    return quiet_pool(effects, "retrain", 0.04, components)


def test_only_what_costs_nothing_alone_is_left():
    cases = {
        "negligible": found("negligible"),
        "open": found("open", "undecided", p=0.2, delta=-0.03),
        "surely": found("surely", "negligible", p=0.001, delta=-0.03),
        "small": found("small", "negligible", p=0.001, delta=-0.01, nonzero=True),
        "matters": found("matters", "matters"),
        "detected": found("detected", "detected"),
        "structural": found("structural", "structural", delta=None, p=None),
        "idle": found("idle", "no-op", delta=None, p=None, intervention_kind="override"),
        "hook": found("hook", "no-op", delta=None, p=None, intervention_kind="zero"),
        "other": found("other", mode="reevaluate"),
        "second": found("second", role="sensitivity"),
    }
    left = pool(list(cases.values()), [switch(name) for name in cases])
    assert left == ["negligible", "open", "small", "idle"]


def test_none_lies_inside_another_and_no_key_is_switched_twice():
    parts = [layer("block"), layer("block.inner"), switch("a", "rate"), switch("b", "rate"), switch("c")]
    left = pool([found(one.id) for one in parts], parts)
    assert "a" in left and "b" not in left and "c" in left
    assert len([one for one in left if one.startswith("module:")]) == 1


def learnt(count, searches=()):
    parts = [switch(f"config:{number}") for number in range(count)]
    plan = Plan(study="s", round=1, planner="rules", ablations=[single(one) for one in parts])
    return Learnt(parts, [plan], [found(one.id) for one in parts], [], {"retrain": NOISE}, searches)


@pytest.mark.parametrize(
    ("asked", "count", "expected"),
    [
        ("auto", LARGE, LARGE),
        ("auto", LARGE - 1, 0),
        ("search", SMALLEST, SMALLEST),
        ("search", SMALLEST - 1, 0),
        ("pairs", 50, 0),
        ("none", 50, 0),
    ],
)
def test_a_large_pool_is_searched_and_a_small_one_where_asked(asked, count, expected):
    assert len(RulesPlanner(interactions=asked).pool(learnt(count), "retrain")) == expected


def test_a_pool_too_small_to_be_searched_is_tried_pair_by_pair():
    plan = RulesPlanner(interactions="search").next_round(learnt(4))
    assert [len(one.components) for one in plan.ablations] == [2] * 6


def searched(*groups):
    empty = {
        "separation": 5.0,
        "separation_needed": 3.5,
        "sd": 0.01,
        "spread": 0.0,
        "steps": [],
        "runs": 9,
        "runs_of_all_pairs": 15,
    }
    more = {"pairs": 15, "pairs_cleared": 14, "pairs_found": 1, "triples_cleared": 0.5, "open_pairs": [], "strays": []}
    return InteractionSearch(
        mode="retrain",
        metric="accuracy",
        smallest_effect=0.04,
        pool=[],
        strategy="hypergraph",
        groups=list(groups),
        **empty,
        **more,
    )


def test_what_was_found_is_confirmed_in_a_round_of_its_own():
    planner, known = (
        RulesPlanner(interactions="search"),
        learnt(6, [searched(["config:0", "config:3"], ["config:1", "config:2", "config:4"])]),
    )
    assert planner.pool(known, "retrain") == []
    plan = planner.next_round(known)
    assert plan.is_screen and {one.why for one in plan.ablations} == {SEARCH}
    assert [len(one.components) for one in plan.ablations] == [2, 2, 2, 2, 3]
    assert {tuple(one.modes) for one in plan.ablations} == {("retrain",)}
    after = Learnt(known.components, [*known.plans, plan], known.effects, [], known.noise, known.searches)
    assert planner.next_round(after) is None
