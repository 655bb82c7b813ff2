"""A command's trained weights: kept, evaluated again under cuts, trained on; and checks of one step."""

from dataclasses import replace

import pytest
import torch
from lesion.executor.experiments.experiment import Arm
from lesion.executor.interventions import ModuleIntervention

from ..laboratory import project, run
from .bench import asked, experiment, workplace

SOURCE = """
import argparse, torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--load")
parser.add_argument("--save")
parser.add_argument("--steps", type=int, default=20)
arguments = parser.parse_args()

model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
if arguments.load:
    model.load_state_dict(torch.load(arguments.load))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
test = torch.randn(64, 4, generator=torch.Generator().manual_seed(1))
for step in range(arguments.steps):
    x = torch.randn(16, 4)
    loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step={step} train={loss.item():.4f}")
model.eval()
with torch.no_grad():
    print("loss", (model(test) - test.sum(1, keepdim=True)).square().mean().item())
if arguments.save:
    torch.save(model.state_dict(), arguments.save)
"""
PATTERNS = (r"^loss (?P<loss>\S+)", r"step=(?P<step>\d+) train=(?P<train>\S+)")
ZERO = ModuleIntervention(path="1", removal="zero")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return project(tmp_path_factory.mktemp("weights") / "project", train=SOURCE)


@pytest.fixture(scope="module")
def script(folder):
    return experiment(
        folder,
        "python train.py --save {out}/model.pt",
        evaluate="python train.py --load {checkpoint} --steps 0",
        finetune="python train.py --load {checkpoint} --steps {steps} --save {checkpoint}",
        checkpoint="{out}/model.pt",
        patterns=PATTERNS,
    )


@pytest.fixture(scope="module")
def trained(folder, script):
    """A training that keeps its weights, one that looks for them elsewhere, and checks."""
    elsewhere = replace(script, checkpoint="{out}/last.pt")
    jobs = {
        "trained": replace(asked(script), writes=folder.parent / "kept"),
        "elsewhere": replace(asked(elsewhere), writes=folder.parent / "other"),
        "check": asked(script, "check"),
        "check again": asked(script, "check"),
        "check cut": asked(script, "check", [ZERO]),
        "survey": asked(script, "anatomy"),
    }
    return run(workplace(folder), jobs)


@pytest.fixture(scope="module")
def later(folder, script, trained):
    arms = [Arm("baseline", {}, []), Arm("cut", {}, [ZERO])]
    jobs = {
        "arms": replace(script.job("reevaluate", arms), reads=folder.parent / "kept"),
        "recovered": replace(asked(script, "recover", [ZERO], steps=30), reads=folder.parent / "kept"),
    }
    return run(workplace(folder), jobs)


def test_weights_are_kept_as_the_command_left_them(folder, trained):
    assert trained["trained"].status == "ok", trained["trained"]
    assert set(torch.load(folder.parent / "kept", weights_only=True)) == {"0.weight", "0.bias", "2.weight", "2.bias"}


def test_where_there_are_none_what_is_there_is_said(folder, trained):
    found = trained["elsewhere"]
    assert found.status == "invalid"
    assert "the command left no weights at /trial/out/last.pt; there is model.pt in /trial/out" in found.message
    assert not (folder.parent / "other").exists()


def test_a_learning_curve_is_kept_with_its_steps(trained):
    curve = trained["trained"].curves["train"]
    assert list(curve["step"].values()) == list(range(20))
    assert curve["value"].values()[-1] == trained["trained"].metrics["evaluation"]["train"]
    assert "loss" not in trained["trained"].curves


def test_evaluated_again_it_gives_the_same_and_less_under_a_cut(trained, later):
    loss = trained["trained"].metrics["evaluation"]["loss"]
    assert later["baseline"].metrics["evaluation"]["loss"] == loss
    assert later["cut"].metrics["evaluation"]["loss"] > loss
    assert later["cut"].changed
    assert later["cut"].fingerprint != later["baseline"].fingerprint


def test_recovery_starts_from_the_cut(later):
    found = later["recovered"]
    assert found.status == "ok", found
    assert found.cut["evaluation"]["loss"] == later["cut"].metrics["evaluation"]["loss"]
    assert found.metrics["evaluation"]["loss"] != found.cut["evaluation"]["loss"]
    assert found.changed
    assert found.forwards == 30


def test_a_check_is_one_step_and_a_cut_shows_in_it(trained):
    plain, again, cut = (trained[name] for name in ("check", "check again", "check cut"))
    assert {"train", "weights"} == set(plain.stages)
    assert plain.stages == again.stages
    assert not set(plain.stages.values()) & set(cut.stages.values())
    assert (plain.output.count("train="), cut.output.count("train=")) == (1, 1)
    assert cut.changed


def test_a_survey_describes_the_model_and_what_the_study_can_do(trained):
    found = trained["survey"]
    assert [one.path for one in found.anatomy] == ["0", "1", "2"]
    assert [one.path for one in found.anatomy if one.is_output] == ["2"]
    assert (found.repeatable, found.seeded, found.offers) == (True, True, ["finetune"])
    assert found.flops == 2 * 16 * (4 * 8 + 8)


def test_only_weights_that_the_study_names_are_there_already(folder, script, trained):
    named = replace(script, weights=folder / "given.pt", checkpoint=None)
    (folder / "given.pt").write_bytes((folder.parent / "kept").read_bytes())
    jobs = {
        "named": asked(named, "anatomy"),
        "evaluated": asked(named, "reevaluate"),
        "left in the project": asked(replace(script, checkpoint="runs/last.pt"), "anatomy"),
    }
    found = run(workplace(folder), jobs)
    assert found["named"].offers == ["finetune", "load_weights"]
    assert found["evaluated"].metrics["evaluation"]["loss"] == trained["trained"].metrics["evaluation"]["loss"]
    assert found["left in the project"].offers == ["finetune"]
