"""What commands show of simulated results: counts that agree with each other, and one way to say what was expected."""

import pytest
from lesion.agent.chat.views import results_shown, settle_shown, why_shown
from lesion.agent.planning.plan import Ablation
from lesion.agent.records.power import Settling
from lesion.agent.report import numbers
from lesion.agent.results import Prediction
from lesion.executor.interventions import ConfigOverride
from lesion.prompts import phrases
from simulated_results import effect, floor, results


def expected(direction, size, confidence=None):
    prediction = Prediction(direction=direction, size=size, confidence=confidence)
    return phrases("chat/expectations.j2").expected(prediction)


def test_what_is_open_is_counted_alike_in_the_table_and_below_it():
    found = [
        effect("dropout", "undecided", -0.006, seeds_to_settle=34),
        effect("pooling", "undecided", -0.004, role="exploratory", round=2, unit="example", n=800, seeds_to_settle=1),
        effect("warmup", "matters", -0.05, role="exploratory", round=2),
    ]
    family = Settling(settled=0, undecided=1, unknown=0, units=34, trials=58, seconds=None)
    table, said = settle_shown(results(effects=found, interactions=[], settling={"retrain": family}))
    assert table.title == "2 open verdicts"
    assert [row[4] for row in table.rows] == ["34 seeds", "1 evaluation example"]
    assert "retrain: 1 settled, 2 open; of the family planned before any was run 0 settled, 1 open" in said.text
    assert "1 of 1 with up to 34 seeds each, 58 further trials" in said.text
    alone = Settling(settled=1, undecided=0, unknown=0, units=None, trials=None, seconds=None)
    (said,) = settle_shown(results(effects=found[2:], interactions=[], settling={"retrain": alone}))
    assert said.text.startswith("Nothing that was measured is open.\nretrain: 1 settled, 0 open.\n")


@pytest.mark.parametrize(
    ("direction", "size", "told"),
    [("worse", 2.0, "worse by 2.0 δ"), ("better", -1.0, "better by 1.0 δ"), ("none", 0.5, "little (+0.5 δ)")],
)
def test_what_was_expected_is_said_in_one_way(direction, size, told):
    prediction = Prediction(direction=direction, size=size)
    found = effect("dropout", "undecided", 0.003, prediction=prediction, unit="example", seeds_to_settle=None)
    data = results(effects=[found], interactions=[])
    table, _ = results_shown(data)
    assert told in table.rows[0]
    asked = Ablation(
        id="drop dropout",
        components=["module:dropout"],
        interventions=[ConfigOverride(key="dropout", value=0.0)],
        hypothesis="it helps",
        prediction=prediction,
    )
    (why,) = why_shown(data, {asked.id: asked}, {}, asked.id)
    assert f"It helps. Expected: {told}." in why.text
    assert f"Expected: {told}; came out as a gain of 0.3 δ." in why.text
    assert "No number of evaluation examples that was searched would settle it." in why.text
    assert "-0" not in why.text
    said = phrases("chat/arrivals.j2").effect(found, "+0.0030", -0.3, "the interval crosses δ", 20)
    assert f". The interval crosses δ. Expected: {told}; came out as a gain of 0.3 δ." in said
    assert "evaluation examples. Neither a difference nor" in said


def test_a_confidence_and_next_to_nothing_are_said():
    assert expected("worse", 2.0, 0.7) == "worse by 2.0 δ (70 %)"
    assert phrases("chat/expectations.j2").came_out(-0.01) == "a gain of less than 0.1 δ"
    assert phrases("chat/arrivals.j2").baseline("retrain", "accuracy", floor(), numbers).startswith("noise floor")
