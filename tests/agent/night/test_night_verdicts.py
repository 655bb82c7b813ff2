"""What a night knew when it began, held against what is known now. Results are made up."""

from lesion.agent.night.records import Launched
from lesion.agent.night.verdicts import changed, surprises, verdicts
from lesion.agent.records.night import Change
from lesion.agent.results import Prediction

from tests.agent.report.simulated_results import effect, joint, results, study, three_modes


def test_it_holds_the_primary_metric_of_every_mode_without_controls():
    kept = verdicts(three_modes())
    assert kept["reevaluate head:1"] == "matters"
    assert kept["retrain head:1"] == "undecided"
    assert kept["reevaluate interaction: joint head 2+head 3"] == "redundancy"
    assert not [key for key in kept if "control" in key]
    assert verdicts(results())["retrain drop dropout"] == "matters"


def test_it_lasts_through_a_launch_record():
    kept = verdicts(results())
    record = Launched(pid=1, at=0.0, deadline=1.0, studies=[], command=[], folder="/", before=kept)
    assert changed(Launched.model_validate_json(record.model_dump_json()).before, results()) == []


def test_verdicts_that_changed_are_told_apart_from_new_ones():
    first = results(effects=[effect("dropout", "undecided", -0.01), effect("warmup", "undecided")], interactions=[])
    now = results(
        effects=[effect("warmup", "matters", -0.1), effect("dropout", "matters", -0.04)],
        interactions=[],
    )
    assert changed(verdicts(first), now) == [
        Change(ablation="drop dropout", mode="retrain", before="undecided", now="matters"),
        Change(ablation="drop warmup", mode="retrain", before=None, now="matters"),
    ]


def test_an_interaction_has_a_verdict_of_its_own():
    both = {"labels": ["a", "b"], "components": ["module:a", "module:b"], "ablation": "joint a+b"}
    pair = effect("pair", "matters", -0.09, **both)
    before = verdicts(results(effects=[pair], interactions=[joint(["a", "b"], "undecided")]))
    now = results(effects=[pair], interactions=[joint(["a", "b"], "compensation")])
    assert changed(before, now) == [
        Change(ablation="joint a+b", mode="retrain", before="undecided", now="compensation", interaction=True)
    ]


def test_a_surprise_is_a_verdict_that_contradicts_its_prediction():
    def foretold(name, direction, verdict, delta):
        return effect(name, verdict, delta, prediction=Prediction(direction=direction, size=1.0))

    found = results(
        effects=[
            foretold("known", "none", "matters", -0.1),
            foretold("better", "worse", "hurts", 0.1),
            foretold("nothing", "better", "negligible", 0.0),
            foretold("as foretold", "worse", "matters", -0.1),
            foretold("detected gain", "worse", "detected", 0.012),
            foretold("detected loss", "worse", "detected", -0.012),
            foretold("open", "worse", "undecided", -0.001),
            foretold("stops", "none", "structural", None),
        ]
    )
    told = surprises({"retrain drop known": "matters"}, found)
    assert [(one.ablation, one.new) for one in told] == [
        ("drop better", True),
        ("drop nothing", True),
        ("drop detected gain", True),
        ("drop known", False),
    ]


def test_what_an_older_version_came_to_is_not_new_again():
    before = verdicts(
        results(effects=[effect("idle", "no-op", None), effect("warmup", "undecided", -0.01)], interactions=[])
    )
    now = results(
        study=study(version="edited since"),
        effects=[effect("idle", "no-op", None), effect("warmup", "matters", -0.1)],
        interactions=[],
    )
    assert [(one.ablation, one.before) for one in changed(before, now)] == [("drop warmup", "undecided")]
