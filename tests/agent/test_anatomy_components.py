"""From the anatomy of a model to components, and whether an intervention fits it."""

import pytest
from lesion.agent.components import overlap
from lesion.agent.costs import Weighed, saved
from lesion.agent.reading.anatomy import Anatomy
from lesion.agent.spec import AnatomySection, StatedHeads
from lesion.executor.interventions import (
    ConfigOverride,
    HeadIntervention,
    ModuleIntervention,
    NeuronIntervention,
    WeightIntervention,
)
from lesion.executor.outcomes import HeadsRecord, Outcome, ParameterRecord

from .test_rules import record

MODULES = [
    record(
        "emb", type="Embedding", torch_module="sparse", input_shape=[8, 5], output_shape=[8, 5, 16], bypassable=True
    ),
    record("blocks.0", type="Block", torch_module=None, children=3, parameters=2000, residual=True),
    record("blocks.0.attn", type="Attention", torch_module=None, children=2, parameters=1024, flops=4000),
    record("blocks.0.attn.qkv", output_shape=[8, 5, 48], features=48, feature_dim=-1, bypassable=False),
    record("blocks.0.attn.proj", input_shape=[8, 5, 16], features=16, feature_dim=-1),
    record("blocks.0.norm", type="LayerNorm", torch_module="normalization"),
    record("conv", type="Conv2d", torch_module="conv", features=32, feature_dim=1, parameters=320, bypassable=False),
    record("head", is_output=True, features=10, feature_dim=-1),
]
HEADS = HeadsRecord(
    module="blocks.0.attn",
    projection="blocks.0.attn.proj",
    heads=4,
    width=4,
    key_value_heads=2,
    evidence="fused attention",
)
PARAMETERS = [
    ParameterRecord(name="pos_embed", shape=[5, 16], module="", bare=True),
    ParameterRecord(
        name="blocks.0.attn.qkv.weight", shape=[48, 16], module="blocks.0.attn.qkv", bare=False, packed=["q", "k", "v"]
    ),
    ParameterRecord(name="emb.weight", shape=[9, 16], module="emb", bare=False, aliases=["head.weight"]),
    ParameterRecord(name="blocks.0.scale", shape=[16], module="blocks.0", bare=True),
]


def anatomy(reference=True, **stated):
    outcome = Outcome(
        status="ok",
        anatomy=MODULES,
        heads=[HEADS],
        tensors=PARAMETERS,
        offers=["reference"] if reference else [],
    )
    return Anatomy.of(outcome, AnatomySection(**stated), ["dropout"])


def components(**more):
    found, problems = anatomy(**more)
    assert problems == []
    return {one.id: one for one in found.components()}


def removals(component):
    return [one.removal for one in component.interventions]


def test_every_part_of_the_model_has_a_component_and_its_default_removal_first():
    found = components()
    assert removals(found["module:blocks.0"]) == ["bypass", "zero", "mean", "resample"]
    assert removals(found["module:blocks.0.norm"])[0] == "bypass"
    assert removals(found["module:emb"]) == ["zero", "mean", "resample"], "an embedding passed on raw is no removal"
    assert found["module:head"].interventions == []
    heads = [name for name in found if name.startswith("head:")]
    assert heads == [*(f"head:blocks.0.attn/{i}" for i in range(4)), "head:blocks.0.attn/kv0", "head:blocks.0.attn/kv1"]
    assert found["head:blocks.0.attn/kv1"].interventions[0].heads == [2, 3]
    assert {found[name].kind for name in heads} == {"attention_head"}
    assert found["head:blocks.0.attn/0"].size == 256
    units = [name for name in found if name.startswith("units:")]
    assert units == [f"units:conv/{start}:{start + 8}" for start in (0, 8, 16, 24)], "no units of attention or output"
    assert found["units:conv/8:16"].interventions[0] == NeuronIntervention(
        path="conv", units=list(range(8, 16)), dim=1, removal="zero"
    )
    weights = {name: one for name, one in found.items() if name.startswith("weight:")}
    assert set(weights) == {
        *("weight:pos_embed", "weight:blocks.0.scale"),
        *(f"weight:blocks.0.attn.qkv.weight/{part}" for part in "qkv"),
    }
    assert weights["weight:pos_embed"].kind == "embedding"
    assert weights["weight:blocks.0.attn.qkv.weight/k"].interventions[0].rows == (16, 32)


def test_without_a_reference_split_nothing_is_offered_that_needs_one():
    found = components(reference=False)
    assert removals(found["head:blocks.0.attn/0"]) == ["zero"]
    assert removals(found["module:blocks.0"]) == ["bypass", "zero"]
    assert removals(found["weight:pos_embed"]) == ["zero", "mean", "resample"], "a weight's own mean needs no data"


def test_the_study_states_what_the_reading_does_not_find():
    stated = {"blocks.*.attn": StatedHeads(projection="proj", heads=8, key_value_heads=4)}
    found = components(heads=stated, units={"conv": 1})
    assert found["head:blocks.0.attn/7"].interventions[0].width == 2
    assert found["head:blocks.0.attn/kv3"].interventions[0].heads == [6, 7]
    assert sum(name.startswith("units:conv/") for name in found) == 32


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"units": {"cnov": 1}}, "anatomy.units: no module with units is named 'cnov'"),
        ({"heads": {"mixer": StatedHeads(projection="out", heads=2)}}, "anatomy.heads: no module is named 'mixer'"),
        (
            {"heads": {"blocks.0.attn": StatedHeads(projection="out", heads=2)}},
            "anatomy.heads: blocks.0.attn has no layer 'out' that is called",
        ),
        (
            {"heads": {"blocks.0.attn": StatedHeads(projection="proj", heads=5)}},
            "anatomy.heads: blocks.0.attn.proj reads 16 columns, which are not 5 heads",
        ),
    ],
)
def test_what_is_stated_and_not_there_is_named(stated, told):
    _, problems = anatomy(**stated)
    assert problems == [told]


def head(*heads, **changes):
    usual = {"path": "blocks.0.attn", "projection": "blocks.0.attn.proj", "width": 4, "removal": "zero"}
    return HeadIntervention(heads=list(heads), **{**usual, **changes})


@pytest.mark.parametrize(
    ("intervention", "told"),
    [
        (ModuleIntervention(path="blocks.1", removal="zero"), "no module 'blocks.1' (did you mean blocks.0"),
        (ModuleIntervention(path="conv", removal="bypass"), "bypass of conv would change the shape"),
        (ModuleIntervention(path="conv", removal="mean"), None),
        (head(4), "blocks.0.attn has heads 0 to 3: there is no head 4"),
        (head(3), None),
        (
            head(0, projection="blocks.0.attn.porj"),
            "no projection 'blocks.0.attn.porj' (did you mean blocks.0.attn.proj",
        ),
        (NeuronIntervention(path="conv", units=[32], removal="zero"), "conv has units 0 to 31: there is no unit 32"),
        (WeightIntervention(parameter="pos", removal="zero"), "there is no parameter 'pos'"),
        (WeightIntervention(parameter="head.weight", removal="zero"), None),
        (
            WeightIntervention(parameter="pos_embed", rows=(0, 6), removal="zero"),
            "pos_embed is 5×16: there is no slice 0:6 of dimension 0",
        ),
        (ConfigOverride(key="dorpout"), "there is no configuration key 'dorpout' (did you mean dropout?)"),
    ],
)
def test_an_intervention_that_does_not_fit_is_named_with_the_nearest_that_does(intervention, told):
    problem = anatomy()[0].problem(intervention)
    assert (problem is None) if told is None else (told in (problem or ""))


def test_means_need_a_reference_split():
    found = anatomy(reference=False)[0].problem(head(0, removal="mean"))
    assert "there is no reference split" in (found or "")


@pytest.mark.parametrize(
    ("one", "other", "nested"),
    [
        ("module:blocks.0", "module:blocks.0.attn", True),
        ("module:blocks.0.attn", "head:blocks.0.attn/1", True),
        ("module:blocks.0", "weight:blocks.0.attn.qkv.weight/q", True),
        ("head:blocks.0.attn/2", "head:blocks.0.attn/kv1", True),
        ("head:blocks.0.attn/1", "head:blocks.0.attn/kv1", False),
        ("head:blocks.0.attn/0", "head:blocks.0.attn/1", False),
        ("units:conv/0:8", "module:conv", True),
        ("units:conv/0:8", "units:conv/8:16", False),
        ("weight:blocks.0.attn.qkv.weight/q", "weight:blocks.0.attn.qkv.weight/k", False),
        ("module:conv", "module:emb", False),
        ("weight:pos_embed", "module:emb", False),
    ],
)
def test_what_removes_some_of_the_other_is_nested(one, other, nested):
    found = components()
    assert overlap(found[one], found[other]) is nested
    assert overlap(found[other], found[one]) is nested


def test_what_would_go_with_a_part_is_its_share_of_the_module():
    found = components()
    model = Weighed(
        parameters=5000,
        flops=9000,
        modules={one.path: (one.parameters, one.flops) for one in MODULES},
        units={"conv": 32, "blocks.0.attn": 4},
    )
    assert saved([found["head:blocks.0.attn/0"], found["units:conv/0:8"]], model) == (256 + 80, 1000)
    assert saved([found["module:blocks.0"]], model) == (2000, 0)
    assert saved([found["weight:pos_embed"]], model) == (0, 0)
