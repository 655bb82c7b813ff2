"""References: what each gives, and what is said of one that gives nothing."""

import re

import pytest
from lesion.agent.prose import attributes
from lesion.agent.prose.facts import Facts
from lesion.agent.prose.references import NoSuchReference, filled, read
from lesion.agent.records.claims import ClaimTested
from lesion.agent.report.predictions import comparisons
from lesion.prompts import phrases
from simulated_results import effect, floor, minimising, results, three_modes

FACTS = Facts(
    results(claims=[ClaimTested(id="c1", text="Dropout is needed.", status="untested", reason="no test ran")])
)
MODES = Facts(three_modes())


@pytest.mark.parametrize(
    "expression, value",
    [
        ('effect("module:dropout").delta', "−0.0412"),
        ('effect("module:dropout").interval', "[−0.0455, −0.0369]"),
        ('effect("module:dropout").delta_with_interval', "−0.0412 [−0.0455, −0.0369]"),
        ('effect("module:dropout").loss', "+0.0412"),
        ('effect("module:dropout").loss_in_delta', "+4.12"),
        ('effect("module:dropout").direction', "worse"),
        ('effect("module:augmentation").direction', "better"),
        ('effect("module:dropout").p', ".004"),
        ('effect("module:dropout").verdict', "matters"),
        ('effect("module:dropout").units', "5 seeds"),
        ('effect("module:dropout", metric="macro_f1").delta', "−0.0391"),
        ('effect("module:dropout", kind="mean").verdict', "undecided"),
        ('effect("mean dropout").delta', "−0.0110"),
        ('effect("module:label smoothing").to_settle', "34 seeds"),
        ('interaction("module:head b", "module:head a").observed', "0.0900"),
        ('interaction("joint head a+head b").verdict', "compensation"),
        ("baseline().mean", "0.9125"),
        ('baseline(metric="macro_f1", mode="retrain").mean', "0.9021"),
        ("baseline().minimum_detectable_effect", "0.0131"),
        ("baseline().smallest_effect", "0.01"),
        ("study().primary", "accuracy"),
        ("accounting().ok", "64"),
        ("accounting().time", "1 h 27 min"),
        ('claim("c1").status', "untested"),
        ('prediction("module:dropout").direction', "worse"),
        ('prediction("module:dropout").outcome', "hit"),
        ('score("rules").right', "6"),
    ],
)
def test_a_reference_gives_the_measured_value_as_text(expression, value):
    assert FACTS.value(expression) == value


@pytest.mark.parametrize(
    "expression, parts",
    [
        ('effect("module:dropuot").p', ["no removal", "did you mean", '"module:dropout"']),
        ('effect("module:dropout").detla', ["no", '"detla"', '"delta"']),
        ('efect("module:dropout").p', ["did you mean", '"effect"']),
        ('effect("module:embedding").delta', ["not measured in retrain", "structural"]),
        ('effect("module:label smoothing").direction', ["not shown", "undecided"]),
        ('effect("module:dropout", mode="recover").p', ["recover", "retrain"]),
        ('effect("module:dropout", metric="acuracy").p', ["accuracy"]),
        ('effect("module:dropout", seed="1").p', ["takes no", "mode"]),
        ("effect().p", ["takes one name"]),
        ('interaction("module:head a", "module:dropout").observed', ["not removed together", "module:head b"]),
        ('interaction("module:dropout", "module:blocks.3.mlp").observed', ["undecided"]),
        ('claim("c2").status', ['"c1"']),
        ('baseline(metric="loss").mean', ["accuracy"]),
        ('prediction("mean dropout").size', ["nothing was predicted"]),
    ],
)
def test_a_reference_to_nothing_says_why_and_what_there_is(expression, parts):
    with pytest.raises(NoSuchReference) as problem:
        FACTS.value(expression)
    for part in parts:
        assert part in str(problem.value)


def test_in_several_modes_a_mode_must_be_named():
    with pytest.raises(NoSuchReference, match='mode="reevaluate" or mode="retrain" or mode="recover"'):
        MODES.value('effect("head:1").delta')
    assert MODES.value('effect("head:1", mode="recover").delta').startswith("−0.0191")
    assert MODES.value('effect("head:1", mode="reevaluate").units') == "800 evaluation examples"
    with pytest.raises(NoSuchReference, match="more than one mode"):
        MODES.value("baseline().mean")
    assert MODES.value('interaction("head:2", "head:3").verdict') == "redundancy"


def test_a_loss_is_turned_so_that_larger_is_worse():
    facts = Facts(minimising())
    assert facts.value('effect("module:attention").loss').startswith("+0.31")
    assert facts.value('effect("module:weight decay").direction') == "better"


def test_what_has_not_been_run_is_said_to_be_so():
    waiting = effect("dropout", "undecided", None, n=0)
    with pytest.raises(NoSuchReference, match="has not been run"):
        Facts(results(effects=[waiting])).value('effect("module:dropout").delta')
    with pytest.raises(NoSuchReference, match="not been measured"):
        Facts(results(baseline={})).value("baseline().mean")


@pytest.mark.parametrize("label", ["a gain of 20", "twenty percent better", "x | 0.93 | y", "`0.93`"])
def test_a_name_cannot_pass_for_a_measured_number(label):
    shown = Facts(results(effects=[effect("dropout", "matters", -0.04, labels=[label])])).value(
        'effect("module:dropout").label'
    )
    assert shown.startswith("`") and shown.endswith("`") and "|" not in shown


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('x')",
        "effect",
        "effect('a')",
        "effect('a').p.real",
        "effect('a')['p']",
        "effect(1).p",
        "effect(f'{1}').p",
        "effect('a' + 'b').p",
        "effect(*['a']).p",
        "effect(**{'mode': 'retrain'}).p",
        "effect(b'a').p",
        "(lambda: 1)().p",
        "0.93",
        "",
        "effect('a').p; 1",
        "effect('a'",
        "(" * 200,
        "a\0b",
    ],
)
def test_nothing_but_a_reference_is_read(expression):
    with pytest.raises(NoSuchReference):
        read(expression)


def test_a_bad_reference_stays_visible_and_cannot_end_its_code():
    whole = filled('{{ effect("module:dropout").p }} {{ 1 `x` }} {{ effect("module:dropout").p }}', FACTS)
    assert whole.text == ".004 [no such reference: `1 'x'`] .004"
    assert whole.cited == ('{{ effect("module:dropout").p }}',)
    assert len(whole.problems) == 1


@pytest.mark.parametrize(
    "facts", [FACTS, MODES, Facts(results(effects=[], interactions=[], baseline={}, predictions=[]))]
)
def test_a_model_is_told_in_bounds_and_by_examples_that_work(facts):
    text = facts.references()
    assert len(text) < 8000
    for example in re.findall(r"\{\{(.+?)\}\}", text):
        assert 'effect("ID")' in example or facts.value(example)


def test_every_value_has_a_meaning_and_every_meaning_a_value():
    data = FACTS.results
    values = {
        "effect": attributes.of_effect(data, data.effects[0]),
        "interaction": attributes.of_interaction(data, data.interactions[0]),
        "baseline": attributes.of_baseline("retrain", "accuracy", floor()),
        "study": attributes.of_study(data),
        "accounting": attributes.of_accounting(data),
        "claim": attributes.of_claim(data.claims[0]),
        "prediction": attributes.of_prediction(comparisons(data, "retrain")[0]),
        "score": attributes.of_score(data.predictions[0]),
    }
    assert {name: list(each) for name, each in values.items()} == {
        name: list(each) for name, each in phrases("chat/meanings.j2").meanings.items()
    }
