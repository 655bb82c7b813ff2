import itertools
import random

import pytest
from lesion.agent.components import Component
from lesion.agent.planning.plan import Ablation, Dropped, Plan, joint_id, read_plan
from lesion.agent.planning.planner import Learnt
from lesion.agent.planning.rules import MOST_SINGLES, PRIORS, RulesPlanner
from lesion.agent.reading.anatomy import Anatomy
from lesion.agent.reading.modules import components_from_modules
from lesion.agent.results import Effect, Interaction, Prediction
from lesion.agent.spec import AnatomySection
from lesion.executor.errors import PlanError
from lesion.executor.interventions import ConfigOverride, ModuleIntervention
from lesion.executor.outcomes import ModuleRecord

RULES = RulesPlanner()


def setting(key, kind="other"):
    return Component(
        id=f"config:{key}", kind=kind, label=key, evidence="on", interventions=[ConfigOverride(key=key, value=0)]
    )


def module(path, kind="layer", removals=("zero", "bypass"), size=10):
    interventions = [ModuleIntervention(path=path, removal=one) for one in removals]
    return Component(
        id=f"module:{path}", kind=kind, label=path, size=size, evidence="called", interventions=interventions
    )


def record(path, **facts):
    usual = {
        **{"type": "Linear", "torch_module": "linear", "parameters": 20, "children": 0, "calls": 2},
        **{"input_shape": [8, 4], "output_shape": [8, 4], "output_type": "Tensor", "bypassable": True},
        **{"residual": False, "is_output": False},
    }
    return ModuleRecord(path=path, **{**usual, **facts})


def effect(component, verdict, *, delta=None, p=None, same_as=None, masked=False, role="confirmatory"):
    return Effect(
        ablation=component.id,
        components=[component.id],
        labels=[component.label],
        component_kind=component.kind,
        intervention_kind="zero",
        intervention="",
        mode="retrain",
        role=role,
        round=1,
        metric="score",
        baseline=1.0,
        ablated=None,
        delta=delta,
        interval=None,
        level=None,
        p=p,
        p_adjusted=p,
        p_equivalence=None,
        n=3,
        verdict=verdict,
        same_as=same_as,
        masked=masked,
    )


def learnt(components, effects, *rounds, interactions=()):
    first = RULES.first_round("s", components)
    return Learnt(components, [first, *rounds], effects, list(interactions))


def ids(plan):
    return [one.id for one in plan.ablations] if plan else []


def pairs(plan):
    return {tuple(one.components) for one in plan.ablations} if plan else set()


def test_every_component_gets_its_default_removal_the_most_open_question_first():
    components = [
        *(module("fc", "layer"), module("norm", "normalization", ("bypass", "zero"))),
        *(setting("lam", "loss_term"), setting("flip", "augmentation"), setting("dropout", "regularization")),
    ]
    plan = RULES.first_round("digits", components)
    assert ids(plan) == ["config:flip", "config:lam", "config:dropout", "module:norm", "module:fc"]
    assert (plan.study, plan.round, plan.planner, plan.dropped) == ("digits", 1, "rules", [])
    known = {one.id: one for one in components}
    for one in plan.ablations:
        assert one.components == [one.id]
        assert one.interventions == known[one.id].interventions[:1]
        assert one.role == "confirmatory"
        assert known[one.id].label in one.hypothesis
        assert one.prediction.direction == ("worse" if one.prediction.size >= 1 else "none")
        assert one.prediction.size == PRIORS[known[one.id].kind].size


def test_the_output_layer_is_never_removed():
    modules = [record("body"), record("head", is_output=True, output_shape=[8, 10])]
    components = components_from_modules(modules)
    assert ids(RULES.first_round("s", components)) == ["module:body"]
    assert ids(RulesPlanner(wanted=["module:head"]).first_round("s", components)) == []


def test_the_study_says_what_may_be_ablated():
    components = [setting("dropout"), setting("decay"), module("fc"), module("block.fc")]
    assert ids(RulesPlanner(wanted=["config:*"]).first_round("s", components)) == ["config:dropout", "config:decay"]
    assert ids(RulesPlanner(wanted=["module:block.*", "config:decay"]).first_round("s", components)) == [
        *("config:decay", "module:block.fc")
    ]
    assert ids(RulesPlanner(wanted=["nothing*"]).first_round("s", components)) == []


def test_what_is_not_asked_is_listed_with_the_reason():
    components = [
        *(module("block", "layer"), module("block.fc"), module("block.norm", "normalization")),
        *(module("pool", removals=("zero",), size=0), module("down", removals=("zero",), size=9)),
    ]
    plan = RULES.first_round("s", components)
    assert set(ids(plan)) == {"module:block", "module:block.norm", "module:down"}
    reasons = {one.id: one.reason for one in plan.dropped}
    assert "inside a block" in reasons["module:block.fc"]
    assert "no parameters and changes the shape" in reasons["module:pool"]
    asked = RulesPlanner(wanted=["*", "module:block.fc", "module:pool"]).first_round("s", components)
    assert {"module:block.fc", "module:pool"} <= set(ids(asked))


def test_beyond_what_pays_components_are_dropped_and_named():
    most = MOST_SINGLES["retrain"]
    components = [setting(f"weight{i}") for i in range(most + 7)]
    plan = RULES.first_round("s", components)
    assert (len(plan.ablations), len(plan.dropped)) == (most, 7)
    assert all("name fewer in study.components" in one.reason for one in plan.dropped)
    assert {*ids(plan), *(one.id for one in plan.dropped)} == {one.id for one in components}


def test_what_looks_quiet_is_removed_together():
    quiet = [setting(f"q{i}") for i in range(4)]
    loud = setting("loud")
    effects = [*(effect(one, "negligible", delta=0.0, p=0.9) for one in quiet), effect(loud, "matters", delta=-3.0)]
    plan = RULES.next_round(learnt([*quiet, loud], effects))
    assert plan is not None
    assert plan.round == 2
    assert tuple(one.id for one in quiet) in pairs(plan)
    assert pairs(plan) - {tuple(one.id for one in quiet)} <= set(itertools.combinations([one.id for one in quiet], 2))
    assert len(pairs(plan)) == 5
    for one in plan.ablations:
        assert (one.role, one.id) == ("exploratory", joint_id(one.components))
        assert len(one.interventions) == len(one.components)
        assert all(part in one.hypothesis for part in (name.removeprefix("config:") for name in one.components))


def test_what_is_masked_or_undecided_without_a_sign_of_an_effect_counts_as_quiet():
    a, b, c = setting("a"), setting("b"), setting("c")
    effects = [
        effect(a, "undecided", p=0.9),
        effect(b, "negligible", masked=True),
        effect(c, "undecided", p=0.1),
    ]
    assert pairs(RULES.next_round(learnt([a, b, c], effects))) == {("config:a", "config:b")}


def test_the_strongest_are_tried_with_each_other():
    strong = [setting(name) for name in "abcd"]
    deltas = [-1.0, -4.0, 3.0, -2.0]
    effects = [
        effect(one, "hurts" if delta > 0 else "matters", delta=delta) for one, delta in zip(strong, deltas, strict=True)
    ]
    found = pairs(RULES.next_round(learnt(strong, effects)))
    assert found == {("config:b", "config:c"), ("config:b", "config:d"), ("config:c", "config:d")}


def test_all_pairs_or_none_where_that_is_asked_for():
    parts = [setting(name) for name in "abc"]
    effects = [effect(parts[0], "matters", delta=-1.0), effect(parts[1], "undecided", p=0.1)]
    effects.append(effect(parts[2], "detected", delta=-0.1, p=0.01))
    known = learnt(parts, effects)
    assert pairs(RulesPlanner("pairs").next_round(known)) == {
        *(("config:a", "config:b"), ("config:a", "config:c"), ("config:b", "config:c"))
    }
    assert RulesPlanner("none").next_round(known) is None
    assert RULES.next_round(known) is None


@pytest.mark.parametrize("interactions", ["auto", "pairs"])
def test_what_stops_the_program_is_not_removed_together(interactions):
    a, b, c = (setting(name) for name in "abc")
    effects = [
        effect(a, "negligible", p=0.9),
        effect(b, "structural"),
        effect(c, "untestable"),
    ]
    assert RulesPlanner(interactions).next_round(learnt([a, b, c], effects)) is None


@pytest.mark.parametrize("interactions", ["auto", "pairs", "search"])
def test_what_is_quiet_and_equals_another_bit_for_bit_is_removed_together_with_that_one_first(interactions):
    """Each half of a perfect backup looks like the other, and like nothing."""
    a, b, inner, twin = setting("a"), module("block"), module("block.fc"), setting("twin")
    effects = [
        effect(a, "negligible", p=0.9),
        effect(b, "negligible", p=0.9),
        effect(inner, "negligible", p=0.9, same_as=b.id),
        effect(twin, "negligible", p=0.9, same_as=a.id),
    ]
    known = learnt([a, b, inner, twin], effects)
    found = ids(RulesPlanner(interactions).next_round(known))
    assert found[0] == joint_id([a.id, twin.id])
    assert joint_id([b.id, inner.id]) not in found  # a block holds what is inside it
    assert RulesPlanner("none").next_round(known) is None


@pytest.mark.parametrize("interactions", ["auto", "pairs"])
@pytest.mark.parametrize("verdict", ["negligible", "matters"])
def test_a_block_is_never_removed_together_with_what_is_inside_it(interactions, verdict):
    parts = [module("block"), module("block.norm", "normalization"), module("blockade"), module("block.norm.gain")]
    effects = [effect(one, verdict, delta=-1.0, p=0.9) for one in parts]
    found = pairs(RulesPlanner(interactions).next_round(learnt(parts, effects)))
    assert ("module:block", "module:blockade") in found
    inside = {("module:block", "module:block.norm"), ("module:block", "module:block.norm.gain")}
    for group in found:
        assert not any(set(pair) <= set(group) for pair in inside)


def test_other_kinds_of_removal_are_tried_on_what_matters():
    a, b = module("a"), module("b")
    known = learnt([a, b], [effect(a, "matters", delta=-1.0), effect(b, "negligible", p=0.9)])
    plan = RulesPlanner("none", kinds=["bypass"]).next_round(known)
    assert plan is not None
    one, control = plan.ablations
    assert (one.id, one.components, one.role) == ("module:a@bypass", ["module:a"], "sensitivity")
    assert one.interventions == [ModuleIntervention(path="a", removal="bypass")]
    assert (control.id, control.role) == ("control:placebo", "control")
    assert control.interventions == [ModuleIntervention(path="a", removal="placebo")]


def joint(parts, verdict):
    return Interaction(
        ablation=joint_id(parts),
        components=parts,
        labels=parts,
        mode="retrain",
        metric="score",
        observed=5.0,
        additive=0.0,
        contrast=5.0,
        interval=None,
        level=None,
        p=None,
        p_adjusted=None,
        p_equivalence=None,
        n=3,
        verdict=verdict,
    )


@pytest.mark.parametrize(("verdict", "asked"), [("compensation", True), ("irreducible", True), ("additive", False)])
def test_a_group_that_matters_together_is_opened_once(verdict, asked):
    quiet = [setting(f"q{i}") for i in range(3)]
    known = learnt(quiet, [effect(one, "negligible", p=0.9) for one in quiet])
    second = RULES.next_round(known)
    assert second is not None
    only_group = second.model_copy(update={"ablations": second.ablations[:1]})
    names = [one.id for one in quiet]
    after = Learnt(known.components, [*known.plans, only_group], known.effects, [joint(names, verdict)])
    third = RULES.next_round(after)
    assert pairs(third) == (set(itertools.combinations(names, 2)) if asked else set())
    assert RulesPlanner("none").next_round(after) is None
    if third:
        assert (
            RULES.next_round(Learnt(after.components, [*after.plans, third], after.effects, after.interactions)) is None
        )


def test_planning_is_a_function_of_what_is_known():
    parts = [setting(f"part{i}") for i in range(12)]
    effects = [effect(one, random.Random(one.id).choice(["matters", "negligible"]), delta=-1.0, p=0.9) for one in parts]
    once, again = (RULES.next_round(learnt(parts, effects)) for _ in range(2))
    assert once is not None
    assert again is not None
    assert once.hash == again.hash


# plans as files

COMPONENTS = [setting("dropout"), setting("use_left"), module("block.mlp")]
PLACE = Anatomy([record("block.mlp")], [], [], reference=False, stated=AnatomySection(), keys=["dropout", "use_left"])
PLAN = Plan(
    study="s",
    round=1,
    planner="rules",
    ablations=[
        Ablation(
            id=one.id,
            components=[one.id],
            interventions=one.interventions[:1],
            hypothesis='It is said: "no", # and {more}\nétude',
            prediction=Prediction(direction="worse", size=1.5),
        )
        for one in COMPONENTS
    ],
    dropped=[Dropped(id="module:pool", reason="changes the shape")],
)


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "round-1.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def read(path):
    return read_plan(path, COMPONENTS, PLACE, ["retrain"])


def wrong(path):
    with pytest.raises(PlanError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert caught.value.to_do
    return str(caught.value)


def test_a_plan_reads_back_as_itself(written):
    again = read(written(PLAN.as_yaml()))
    assert again == PLAN
    assert again.hash == PLAN.hash
    assert PLAN.as_yaml().startswith("# Edit freely")


def test_comments_and_layout_are_no_part_of_the_hash(written):
    lines = PLAN.as_yaml().splitlines()
    told = [f"{line}  # really?" if line.endswith("config") else line for line in lines[2:]]
    apart = [f"\n{line}" if line.lstrip().startswith("- ") else line for line in told]  # not inside a block of lines
    commented = "\n".join(apart)
    assert commented.count("# really?") == 2 and commented.count("\n\n") > 5
    assert read(written(commented)).hash == PLAN.hash


@pytest.mark.parametrize(
    ("old", "new"),
    [("size: 1.5", "size: 1.6"), ("direction: worse", "direction: better"), ("changes the shape", "no reason")],
)
def test_everything_that_a_plan_says_is_part_of_its_hash(written, old, new):
    text = PLAN.as_yaml()
    assert old in text
    assert read(written(text.replace(old, new, 1))).hash != PLAN.hash


def test_the_value_of_an_override_may_be_anything(written):
    for value in ('"off"', "null", "[1, 2]", "0.25", "true"):
        again = read(written(PLAN.as_yaml().replace("value: 0", f"value: {value}", 1)))
        assert again.hash != PLAN.hash


def test_every_problem_of_a_plan_is_named_at_once_with_the_nearest_that_exists(written):
    text = PLAN.as_yaml().replace("- config:dropout", "- config:dropuot").replace("path: block.mlp", "path: blocks.mlp")
    told = wrong(written(text.replace("id: config:use_left", "id: config:dropout")))
    assert "no component 'config:dropuot' (did you mean config:dropout" in told
    assert "config:dropout: this id appears twice" in told
    assert "there is no module 'blocks.mlp' (did you mean block.mlp?)" in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("key: dropout", "key: dorpout", "there is no configuration key 'dorpout' (did you mean dropout?)"),
        ("key: dropout", "kye: dropout", "kye"),
        ("kind: config", "kind: confg", "confg"),
        ("direction: worse", "direction: sideways", "prediction.direction"),
        ("size: 1.5", "size: big", "prediction.size"),
        ("size: 1.5", "size: .nan", "prediction.size"),
        ("removal: zero", "removal: constant\n      constant: .inf", "constant"),
        ("round: 1", "round: 0", "round"),
        ("planner: rules\n", "", "planner"),
        ("id: config:dropout", "id: baseline", "baseline: this id appears twice or is reserved"),
        ("removal: zero", "removal: explode", "removal"),
        ("study: s", "study: s\nsedes: 5", "sedes"),
        ("ablations:", "ablations: [", "not YAML"),
    ],
)
def test_nonsense_is_named(written, old, new, told):
    text = PLAN.as_yaml()
    assert old in text
    assert told in wrong(written(text.replace(old, new, 1)))


@pytest.mark.parametrize("text", ["", "[]", "just words", "\t", "ablations: 7", "a: *nowhere", "a: 1\na: 2"])
def test_what_is_no_plan_at_all_is_refused(written, text):
    wrong(written(text))


def test_a_plan_that_cannot_be_read_is_refused(tmp_path):
    assert "lesion plan" in wrong(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"study: \xe9t\xe9")
    wrong(tmp_path / "latin.yaml")
