"""Training, its checkpoint, recovery and one-step checks, each through real workers."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lesion.executor.experiments.experiment import Arm
from lesion.executor.experiments.python import PythonExperiment
from lesion.executor.interventions import HeadIntervention, ModuleIntervention, NeuronIntervention, WeightIntervention

from . import playground
from .laboratory import job, project, run, station, sweep

SOURCE = Path(playground.__file__).read_text()
WHOLE = "from playground import build_model, evaluate, finetune, load_weights, train\n"
ONCE = """
import sys
from playground import build_model, evaluate, train
if hasattr(sys, "registered"):
    raise KeyError("registered already")
sys.registered = True
"""
STEPS = 3
HEAD = HeadIntervention(
    path="encoder.layers.1.self_attn",
    projection="encoder.layers.1.self_attn.out_proj",
    heads=[0],
    width=6,
    removal="zero",
)
MEAN = ModuleIntervention(path="encoder.layers.0", removal="mean")
ROWS = WeightIntervention(parameter="left.weight", rows=(0, 6), removal="zero")
CHECKED = {
    "placebo": [ModuleIntervention(path="encoder", removal="placebo")],
    "left": [ModuleIntervention(path="left", removal="zero")],
    "refused": [ModuleIntervention(path="head", removal="bypass")],
    "head": [HEAD],
    "ends": [ModuleIntervention(path="switch", removal="constant", constant=1.0)],
    "all": [HEAD, ROWS, NeuronIntervention(path="norm", units=[0, 3], removal="constant", constant=0.5)],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return project(tmp_path_factory.mktemp("jobs") / "project", playground=SOURCE, whole=WHOLE, once=ONCE)


@pytest.fixture(scope="module")
def checkpoints(folder):
    return folder.parent / "checkpoints"


@pytest.fixture(scope="module")
def trained(folder, checkpoints):
    """Trainings that keep their weights in files of their names."""
    file = folder / "playground.py"
    configs = {
        "plain": {},
        "compiled": {"returns": "compiled"},
        "parallel": {"returns": "parallel"},
        "other": {"returns": "other"},
        "crashed": {"returns": "raises"},
        "evaluation crashed": {"evaluate": "raises"},
    }
    jobs = {name: replace(job(file, **how), writes=checkpoints / name) for name, how in configs.items()}
    return run(station(folder), jobs)


@pytest.fixture(scope="module")
def later(folder, checkpoints, trained):
    """What is done with the trained weights."""
    file, whole = folder / "playground.py", folder / "whole.py"
    arms = {"baseline": [], "mean": [MEAN], "rows": [ROWS]}
    functions = ("build_model", "evaluate", "finetune")
    experiment = PythonExperiment(folder, file)

    def recovering(*interventions):
        made = experiment.job(
            "recover", [Arm("only", {}, list(interventions))], functions=functions, metrics=["loss"], steps=STEPS
        )
        return replace(made, reads=checkpoints / "plain")

    return run(
        station(folder),
        {
            "reevaluated": sweep(file, arms, metrics=("loss", "error"), reads=checkpoints / "plain"),
            "from compiled": sweep(whole, {"from compiled": []}, reads=checkpoints / "compiled"),
            "overwriting": sweep(
                whole, {"overwriting": []}, reads=checkpoints / "parallel", config={"overwrite": "parallel"}
            ),
            "recovered": recovering(),
            "recovered with a cut": recovering(MEAN, ROWS),
        },
    )


def measured(outcome):
    return outcome.metrics, outcome.examples


def test_a_checkpoint_is_there_only_where_the_trial_ended_well(trained, checkpoints):
    assert {name: one.status for name, one in trained.items()} == {
        "plain": "ok",
        "compiled": "ok",
        "parallel": "ok",
        "other": "invalid",
        "crashed": "crashed",
        "evaluation crashed": "crashed",
    }
    assert sorted(file.name for file in checkpoints.iterdir()) == ["compiled", "parallel", "plain"]


def test_weights_that_build_model_does_not_give_are_said(trained):
    assert trained["other"].message == (
        "the trained model has other weights than build_model gives (0.bias, 0.weight, 1.bias): "
        "return it from build_model's own kind, or define load_weights"
    )


def test_a_wrapped_model_is_kept_under_the_names_of_build_model(trained, checkpoints):
    plain, *others = (torch.load(checkpoints / name, weights_only=True) for name in ("plain", "compiled", "parallel"))
    assert set(plain) == set(playground.Net().state_dict())
    for other in others:
        assert set(other) == set(plain)
        assert all(torch.equal(other[name], plain[name]) for name in plain)


def test_weights_read_back_give_the_metrics_of_right_after_training(trained, later):
    assert measured(later["baseline"]) == measured(trained["plain"])
    assert measured(later["from compiled"]) == measured(trained["compiled"]) == measured(trained["plain"])
    assert later["baseline"].wobble == 0


def test_a_trial_cannot_write_to_the_checkpoint_that_it_reads(later, checkpoints, tmp_path):
    control = tmp_path / "parallel"
    control.write_bytes(b"something else altogether")
    with control.open("rb"):
        playground.overwrite(str(control))
    assert control.read_bytes().startswith(b"overwritten"), "this attack does not work where nothing stands against it"
    assert later["overwriting"].status == "ok"
    assert (checkpoints / "parallel").read_bytes()[:2] == b"PK"
    assert torch.load(checkpoints / "parallel", weights_only=True)


def test_recovery_reports_what_the_cut_did_and_what_training_won_back(trained, later):
    whole, part = later["recovered"], later["recovered with a cut"]
    assert whole.cut == trained["plain"].metrics
    assert whole.metrics != whole.cut
    assert (whole.status, whole.forwards, whole.proofs) == ("ok", STEPS, [])
    assert (part.status, part.forwards) == ("ok", STEPS)
    assert part.cut not in (whole.cut, part.metrics)
    assert [proof.changed for proof in part.proofs] == [True, True]
    assert set(part.seconds) == {"build", "load", "evaluate", "finetune"}


def test_what_is_cut_for_recovery_is_what_is_cut_for_evaluation(later):
    assert later["mean"].metrics != later["baseline"].metrics != later["rows"].metrics
    assert later["mean"].proofs[0].target == later["recovered with a cut"].proofs[0].target


@pytest.fixture(scope="module")
def checks(folder):
    file = folder / "playground.py"
    experiment = PythonExperiment(folder, file)

    def checking(name, *tags):
        arms = [Arm(f"{name}{tag}", {}, CHECKED[tag]) for tag in tags]
        return experiment.job("check", arms)

    once = [Arm(tag, {}, CHECKED["left"]) for tag in ("once", "twice")]
    return run(
        station(folder),
        {
            "together": checking("", *CHECKED),
            "alone/left": checking("alone/", "left"),
            "alone/all": checking("alone/", "all"),
            "nothing": job(file, "check"),
            "once": PythonExperiment(folder, folder / "once.py").job("check", once),
        },
    )


def test_each_arm_of_a_check_has_its_own_outcome(checks):
    assert {tag: checks[tag].status for tag in CHECKED} == {
        "placebo": "ok",
        "left": "ok",
        "refused": "refused",
        "head": "ok",
        "ends": "crashed",
        "all": "ok",
    }
    assert checks["ends"].message == "KeyError: 'an arm of its own'"
    assert all(checks[tag].changed for tag in ("left", "head", "all"))


@pytest.mark.parametrize("tag", ["left", "all"])
def test_an_arm_is_checked_alike_alone_and_after_others(checks, tag):
    together, alone = checks[tag], checks[f"alone/{tag}"]
    assert together.stages == alone.stages != checks["nothing"].stages
    assert (together.fingerprint, together.flops) == (alone.fingerprint, alone.flops)
    assert set(together.stages) == {"train", "weights", "evaluate"}


def test_a_placebo_is_checked_as_if_there_were_nothing(checks):
    assert checks["placebo"].stages == checks["nothing"].stages
    assert len({tuple(checks[tag].stages.items()) for tag in ("placebo", "left", "head", "all")}) == 4


def test_an_experiment_that_cannot_be_imported_twice_is_checked_all_the_same(checks):
    assert checks["once"].status == checks["twice"].status == "ok"
    assert checks["once"].flops == checks["twice"].flops
