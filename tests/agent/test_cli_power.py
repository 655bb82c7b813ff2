"""What is said before anything is removed, and what two kinds of removal say together: whole studies through the command line."""

import pytest

from tests.experiments import STUDY, project

OFFSET = '''"""A trained model whose `shift` hands on almost the same large value whatever it is given: zero costs, its mean does not."""

import torch
from torch import nn


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix, self.shift, self.out = nn.Linear(4, 1), nn.Linear(4, 1), nn.Linear(1, 1)

    def forward(self, x):
        return self.out(self.mix(x) + self.shift(x))


def build_model(config):
    return Network()


@torch.no_grad()
def load_weights(model, config):
    model.mix.weight[:] = torch.tensor([[1.0, -1.0, 0.5, 0.2]])
    model.mix.bias.zero_()
    model.shift.weight[:] = 0.001
    model.shift.bias.fill_(5.0)
    model.out.weight.fill_(1.0)
    model.out.bias.zero_()


def data(split):
    generator = torch.Generator().manual_seed(len(split))
    x = torch.randn(600, 4, generator=generator)
    y = x @ torch.tensor([1.0, -1.0, 0.5, 0.2]) + 5 + 0.3 * torch.randn(600, generator=generator)
    return list(zip(x.split(200), y.split(200), strict=True))


def batches(config, split):
    return data(split)


@torch.no_grad()
def score(model, batch):
    x, y = batch
    return {"error": (model(x).squeeze(1) - y).abs()}


def evaluate(model, config, split):
    return {"error": torch.cat([score(model, batch)["error"] for batch in data(split)]).mean().item()}
'''
REEVALUATE = """\
[study]
name = "tiny"
modes = ["reevaluate"]
components = ["module:*"]
kinds = ["mean"]
seeds = 1
max_seeds = 1

[experiment]
python = "experiment.py"
config = "config.yaml"

[metrics.error]
goal = "minimize"
smallest_effect = 0.05

[limits]
workers = 1
trial_time = "2m"
"""
FIRST_ABLATION = "• round 1, retrain: up to"


@pytest.fixture(scope="module")
def offset(tmp_path_factory):
    made = project(tmp_path_factory.mktemp("offset"), experiment=OFFSET, study=REEVALUATE)
    return made, made.lesion("run", "--interactions", "none")


def hopeless(folder):
    """σ of about 1.4 times δ, and no more than five seeds."""
    study = STUDY.replace("max_seeds = 3", "max_seeds = 5").replace("smallest_effect = 0.05", "smallest_effect = 0.001")
    return project(folder, study=study)


def test_kinds_that_contradict_each_other_are_told_in_the_first_lines(offset):
    made, ended = offset
    assert ended.code == 0, ended.err
    found = {(one["ablation"], one["other"]): one for one in made.results()["kinds"]}
    shift = found["module:shift", "module:shift@mean"]
    assert (shift["verdict"], shift["other_verdict"]) == ("matters", "negligible")
    assert (shift["outcome"], shift["why"], shift["unit"]) == ("conflict", "verdicts", "example")
    seen = {one["ablation"]: one["n"] for one in made.results()["effects"]}
    assert (
        shift["n"] == min(seen["module:shift"], seen["module:shift@mean"]) == 400
    )  # both were settled before the third batch of 200
    assert shift["contrast"] > 4
    assert shift["interval"][0] > 4
    report = (made.state / "report" / "report.md").read_text()
    first = report.split("## What was found")[0]
    assert "Kinds of removal conflict" in first
    assert "matters by zero and negligible by mean" in first
    assert "kinds of removal conflict (reevaluate): shift" in made.lesion("status").out


def test_a_module_that_matters_by_both_kinds_is_no_conflict_of_verdicts(offset):
    made, _ = offset
    mix = next(one for one in made.results()["kinds"] if one["ablation"] == "module:mix")
    assert (mix["verdict"], mix["other_verdict"]) == ("matters", "matters")
    assert mix["outcome"] == "agree"


def test_over_examples_it_is_said_how_alike_arms_must_answer(offset):
    made, ended = offset
    assert "independent answers" in ended.err
    power = made.results()["power"]["reevaluate"]
    assert (power["unit"], power["looks"], power["problems"]) == ("example", [], [])
    alike, _, independent = power["scenarios"]
    assert alike["negligible"] > independent["negligible"]
    assert alike["units_needed"] < independent["units_needed"]


def test_a_hopeless_study_is_told_before_any_ablation_runs(tmp_path):
    made = hopeless(tmp_path)
    ended = made.lesion("run", "--interactions", "none", "--max-trials", "3")
    assert ended.code == 4
    assert made.rows("SELECT DISTINCT arm FROM trials WHERE status NOT IN ('planned', 'skipped')") == [("baseline",)]
    warning = ended.err.index("WARNING (retrain): most verdicts on what does nothing will end undecided")
    assert warning < ended.err.index(FIRST_ABLATION)
    for cure in ("max_seeds = ", "smallest_effect = ", "σ of at most", "the budget ends before the first look"):
        assert ended.err.index(cure) < ended.err.index(FIRST_ABLATION)
    power = made.results()["power"]["retrain"]
    assert power["problems"] == ["noise", "budget"]
    assert (power["allowed_trials"], power["first_look_trials"]) == (0, 12)
    assert power["remedies"]["smallest_effect"] > power["smallest_effect"]
    assert [look["n"] for look in power["looks"]] == [3, 5]
    assert "the forecast warned" in made.lesion("status").out
    assert "most verdicts on what does nothing" in (made.state / "report" / "report.md").read_text()
    again = made.lesion("run", "--dry-run", "--max-trials", "30")
    assert "the budget allows 30" in again.err
    assert "WARNING (retrain): most verdicts" in again.err
    assert "WARNING (retrain): most verdicts" in made.lesion("plan").err


def test_the_forecast_stays_as_it_was_made_once_ablations_have_run(tmp_path):
    made = hopeless(tmp_path)
    made.lesion("run", "--interactions", "none", "--max-trials", "6")
    before = made.results()["power"]["retrain"]
    assert made.lesion("run", "--interactions", "none").code == 3
    assert made.results()["power"]["retrain"] == before
    settled = made.results()["settling"]["retrain"]
    assert settled["settled"] + settled["undecided"] == 4


def test_an_adequate_study_is_not_warned(tmp_path):
    ended = project(tmp_path).lesion("run", "--interactions", "none", "--max-trials", "15")
    assert "of true nulls shown negligible" in ended.err
    assert ended.err.index("forecast (retrain)") < ended.err.index(FIRST_ABLATION)
    assert "WARNING" not in ended.err
