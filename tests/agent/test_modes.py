"""What is asked in which mode, and the controls beside what matters."""

import random

import pytest
from lesion.agent.advice import advise
from lesion.agent.components import Component
from lesion.agent.costs import Weighed
from lesion.agent.planning.controls import PLACEBO
from lesion.agent.planning.plan import Ablation, Plan, same_runs
from lesion.agent.planning.planner import Learnt
from lesion.agent.planning.rules import MOST_SINGLES, RulesPlanner
from lesion.agent.results import Prediction
from lesion.executor.interventions import ConfigOverride, HeadIntervention, ModuleIntervention, NeuronIntervention

from .test_rules import effect, ids, joint, module, setting

ALL = ("reevaluate", "recover", "retrain")


def head(number, kinds=("zero", "mean")):
    ways = [
        HeadIntervention(path="attn", projection="attn.proj", heads=[number], width=4, removal=kind) for kind in kinds
    ]
    return Component(
        id=f"head:attn/{number}",
        kind="attention_head",
        label=f"head {number}",
        size=10,
        evidence="",
        interventions=ways,
    )


def units(start, path="conv"):
    way = NeuronIntervention(path=path, units=list(range(start, start + 8)), dim=1, removal="zero")
    name = f"units:{path}/{start}:{start + 8}"
    return Component(id=name, kind="neuron_group", label=name, size=8, evidence="", interventions=[way])


def in_mode(mode, *effects):
    return [one.model_copy(update={"mode": mode}) for one in effects]


def modes_of(plan):
    return {one.id: one.modes for one in plan.ablations}


def test_switches_are_asked_of_training_and_dropout_of_no_evaluation():
    components = [setting("flip"), module("drop", "regularization", ("bypass",)), module("fc"), head(0)]
    plan = RulesPlanner(modes=ALL).first_round("s", components)
    assert modes_of(plan) == {
        "config:flip": ["retrain"],
        "module:drop": ["recover", "retrain"],
        "module:fc": list(ALL),
        "head:attn/0": list(ALL),
    }
    alone = RulesPlanner(modes=["reevaluate"]).first_round("s", components)
    assert set(ids(alone)) == {"module:fc", "head:attn/0"}
    assert {one.id for one in alone.dropped} == {"config:flip", "module:drop"}
    named = RulesPlanner(wanted=["module:drop"], modes=["reevaluate"]).first_round("s", components)
    assert modes_of(named) == {"module:drop": ["reevaluate"]}


def test_units_are_asked_where_the_study_names_them():
    components = [units(0), units(8), module("fc")]
    plan = RulesPlanner(modes=["reevaluate"]).first_round("s", components)
    assert ids(plan) == ["module:fc"]
    assert all("names them" in one.reason for one in plan.dropped)
    assert ids(RulesPlanner(wanted=["units:conv/*"], modes=["reevaluate"]).first_round("s", components)) == [
        *("units:conv/0:8", "units:conv/8:16"),
    ]


def test_what_training_cannot_pay_for_is_still_evaluated():
    components = [head(i) for i in range(MOST_SINGLES["retrain"] + 5)]
    plan = RulesPlanner(modes=ALL).first_round("s", components)
    modes = list(modes_of(plan).values())
    assert modes.count(list(ALL)) == MOST_SINGLES["retrain"]
    assert modes.count(["reevaluate"]) == 5
    assert len(plan.dropped) == 5


def follow(components, effects, modes=("reevaluate",), **how):
    planner = RulesPlanner(modes=modes, **how)
    return planner.next_round(Learnt(components, [planner.first_round("s", components)], effects, []))


def test_beside_what_matters_stand_a_placebo_and_random_groups_of_its_kind_and_size():
    heads = [head(i) for i in range(6)]
    effects = in_mode(
        "reevaluate", effect(heads[0], "matters", delta=-1.0), *(effect(h, "negligible") for h in heads[1:])
    )
    plan = follow([*heads, module("fc"), units(0)], effects)
    controls = {one.id: one for one in plan.ablations if one.role == "control"}
    placebo = controls.pop(PLACEBO)
    assert placebo.interventions == [ModuleIntervention(path="attn", removal="placebo")]
    assert set(controls) == {f"control:random {i} beside head:attn/0" for i in (1, 2, 3)}
    drawn = [one.interventions[0].heads for one in controls.values()]
    assert all(len(one) == 1 and one != [0] for one in drawn)
    assert len({tuple(one) for one in drawn}) == 3
    again = follow([*heads, module("fc"), units(0)], effects)
    assert again.hash == plan.hash, "the draw is part of what is known, not of the day"


def test_where_nothing_matters_no_control_is_needed():
    heads = [head(i) for i in range(2)]
    plan = follow(heads, in_mode("reevaluate", *(effect(h, "negligible", p=0.9) for h in heads)))
    assert not [one for one in plan.ablations if one.role == "control"]


def test_a_second_kind_is_tried_on_what_matters_and_never_a_mean_in_training():
    heads = [head(i) for i in range(2)]
    effects = [effect(heads[0], "matters", delta=-1.0), effect(heads[1], "negligible", p=0.9)]
    evaluated = follow(heads, in_mode("reevaluate", *effects))
    assert "head:attn/0@mean" in ids(evaluated)
    trained = follow(heads, in_mode("retrain", *effects), modes=("retrain",))
    assert "head:attn/0@mean" not in ids(trained)


def test_one_joint_removal_may_be_asked_in_two_modes():
    parts = [module(name) for name in "abc"]
    effects = [
        one
        for mode in ("reevaluate", "retrain")
        for one in in_mode(mode, *(effect(p, "negligible", p=0.9) for p in parts))
    ]
    plan = follow(parts, effects, modes=ALL)
    found = modes_of(plan)
    assert found["module:a + module:b + module:c"] == ["reevaluate", "retrain"]
    assert all(one.asks("reevaluate") and not one.asks("recover") for one in plan.ablations)


def test_triples_are_tried_once_their_pairs_are_shown_negligible():
    parts = [module(name) for name in "abcd"]
    names = [one.id for one in parts]
    singles = in_mode("reevaluate", *(effect(one, "negligible", p=0.9) for one in parts))
    planner = RulesPlanner(modes=["reevaluate"])
    first = planner.first_round("s", parts)
    group = joint(names, "compensation").model_copy(update={"mode": "reevaluate"})
    pairs = [
        joint([one, other], "additive").model_copy(
            update={"mode": "reevaluate", "negligible_together": other != names[3]}
        )
        for i, one in enumerate(names)
        for other in names[i + 1 :]
    ]
    plans = [first, first.model_copy(update={"round": 2, "ablations": []})]
    opened = planner.next_round(Learnt(parts, plans, singles, [group]))
    assert {len(one.components) for one in opened.ablations} == {2}
    plans.append(opened)
    third = planner.next_round(Learnt(parts, plans, singles, [group, *pairs]))
    assert [one.components for one in third.ablations] == [names[:3]]


def ablation(name, *interventions, **more):
    return Ablation(
        id=name,
        components=[name],
        interventions=list(interventions),
        hypothesis="",
        prediction=Prediction(direction="none", size=0.0),
        **more,
    )


def test_ablations_that_remove_the_same_share_their_runs():
    first, second = head(1).interventions[:1], head(2).interventions[:1]
    plans = [
        Plan(study="s", round=1, planner="r", ablations=[ablation("a", *first), ablation("b", *second)]),
        Plan(study="s", round=2, planner="r", ablations=[ablation("control", *first), ablation("ba", *second, *first)]),
    ]
    assert same_runs(plans) == {"a": "a", "b": "b", "control": "a", "ba": "ba"}


@pytest.mark.parametrize(
    ("intervention", "modes", "asked"),
    [
        (ConfigOverride(key="x"), [], ["retrain"]),
        (ModuleIntervention(path="x", removal="zero"), [], list(ALL)),
        (ModuleIntervention(path="x", removal="zero"), ["recover"], ["recover"]),
    ],
)
def test_an_ablation_says_in_which_modes_it_is_asked(intervention, modes, asked):
    one = ablation("x", intervention, modes=modes)
    assert [mode for mode in ALL if one.asks(mode)] == asked
    assert Ablation.model_validate_json(one.model_dump_json()) == one


def test_what_says_nothing_is_not_written_into_a_plan():
    text = ModuleIntervention(path="x", removal="zero").model_dump_json()
    assert text == '{"kind":"module","path":"x","removal":"zero"}'
    assert '"constant":0.5' in ModuleIntervention(path="x", removal="constant", constant=0.5).model_dump_json()
    assert '"dim":1' in ModuleIntervention(path="x", dim=1, removal="mean").model_dump_json()


MODEL = Weighed(parameters=100, flops=1000, modules=dict.fromkeys("abcd", (10, 50)))


def advice(effects, interactions=()):
    known = {one.id: one for one in (module(name) for name in "abcd")}
    return advise(effects, list(interactions), known, MODEL, "score")


def test_pruning_is_advised_for_what_is_negligible_alone_and_together():
    quiet = [effect(module(name), "negligible", delta=0.0) for name in "abc"]
    names = [one.ablation for one in quiet]
    group = joint(names, "additive").model_copy(update={"negligible_together": True})
    (tested,) = advice(quiet, [group])
    assert (tested.what, tested.tested_together, tested.components) == ("prune", True, names)
    assert (tested.parameters, tested.flops, tested.share) == (30, 150, 0.3)
    costly = joint(names[:2], "compensation")
    (untested,) = advice(quiet, [costly])
    assert (untested.tested_together, untested.components) == (False, names[2:])
    assert advice([effect(module("a"), "undecided")]) == []


def test_bottlenecks_and_harm_are_named():
    effects = [
        effect(module("a"), "matters", delta=-9.0),
        effect(module("b"), "matters", delta=-1.0),
        effect(module("c"), "hurts", delta=2.0),
    ]
    assert {(one.what, *one.components) for one in advice(effects)} == {
        *(("bottleneck", "module:a"), ("harmful", "module:c")),
    }


def test_modes_are_advised_apart():
    effects = [
        one
        for mode in ("reevaluate", "retrain")
        for one in in_mode(mode, effect(module("a"), "hurts" if mode == "retrain" else "negligible", delta=1.0))
    ]
    random.Random(0).shuffle(effects)
    assert {(one.mode, one.what) for one in advice(effects)} == {("reevaluate", "prune"), ("retrain", "harmful")}
