"""Removals that stop early, through the command line: a tiny trained model whose parts matter, hardly matter, or back each other up."""

import pytest

from tests.experiments import project

EXPERIMENT = '''"""Four gates beside each other: `large` costs, `small` hardly does, `twin_a` and `twin_b` say the same."""

import torch
from torch import nn

class Gate(nn.Module):
    def __init__(self, at):
        super().__init__()
        self.at, self.scale = at, nn.Parameter(torch.ones(1))

    def forward(self, x):
        return torch.tanh(self.scale * x[:, self.at])


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.large, self.small, self.twin_a, self.twin_b = Gate(0), Gate(1), Gate(2), Gate(2)
        self.out = nn.Linear(1, 1)

    def forward(self, x):
        either = torch.maximum(self.twin_a(x).abs(), self.twin_b(x).abs())
        return self.out((self.large(x) + 0.02 * self.small(x) + either)[:, None])[:, 0]


def data(split):
    x = torch.randn(1200, 3, generator=torch.Generator().manual_seed(len(split)))
    return x[x[:, 0].argsort()] if SORTED else x


SORTED = False


def build_model(config):
    return Network()


def load_weights(model, config):
    nn.init.ones_(model.out.weight), nn.init.zeros_(model.out.bias)


def batches(config, split):
    return data(split).split(24)


@torch.no_grad()
def score(model, batch):
    wanted = torch.tanh(batch[:, 0]) + 0.02 * torch.tanh(batch[:, 1]) + torch.tanh(batch[:, 2]).abs()
    noise = 0.1 * torch.sin(1000 * batch.sum(1))
    return {"error": (model(batch) - wanted - noise).square()}


@torch.no_grad()
def evaluate(model, config, split):
    return {"error": score(model, data(split))["error"].mean().item()}
'''
STUDY = """\
[study]
name = "tiny"
components = ["module:*"]
modes = ["reevaluate"]
seeds = 1
max_seeds = 1

[experiment]
python = "experiment.py"

[metrics.error]
goal = "minimize"
smallest_effect = 0.02

[limits]
workers = 1
trial_time = "2m"
"""
NOISE = "0.1 * torch.sin(1000 * batch.sum(1))"


@pytest.fixture
def made(tmp_path):
    return project(tmp_path, experiment=EXPERIMENT, study=STUDY)


def effects(results):
    return {one["ablation"]: one for one in results["effects"] if one["role"] == "confirmatory"}


def test_verdicts_of_a_few_batches_are_those_of_the_whole_set(made):
    ended = made.lesion("run")
    assert ended.code == 0, ended.err
    assert "early stopping: a removal is evaluated batch by batch" in ended.err
    early = made.results()
    found = effects(early)
    assert {one["of"] for one in found.values()} == {1200}
    assert found["module:large"]["n"] < 300 and found["module:large"]["verdict"] == "matters"
    assert found["module:small"]["n"] < 1200 and found["module:small"]["verdict"] == "negligible"
    assert found["module:twin_a"]["masked"] and found["module:twin_a"]["n"] == 1200
    (pair,) = [one for one in early["interactions"] if one["components"] == ["module:twin_a", "module:twin_b"]]
    assert pair["verdict"] == "compensation" and pair["n"] < pair["of"] == 1200
    rule = early["stopping"]
    assert 0 < rule["stopped"] < rule["trials"] and rule["evaluations"] < rule["of"]
    assert 0 < early["replay"]["share"] < 1
    assert "stopped early: " in made.lesion("status").out

    made.edit("lesion.toml", "seeds = 1\nmax", "stop_early = false\nseeds = 1\nmax")
    again = made.lesion("run")
    assert again.code == 0, again.err
    assert "no early stopping: every removal is evaluated on all examples, since study.stop_early is false" in again.err
    whole = made.results()
    assert {one["n"] for one in effects(whole).values()} == {1200}
    assert {name: one["verdict"] for name, one in effects(whole).items()} == {
        name: one["verdict"] for name, one in found.items()
    }
    assert {tuple(one["components"]): one["verdict"] for one in whole["interactions"]} == {
        tuple(one["components"]): one["verdict"] for one in early["interactions"]
    }
    assert any("study.stop_early is false" in note for note in whole["notes"])


def test_a_sorted_set_is_evaluated_whole_and_said_to_be(made):
    made.edit("experiment.py", "SORTED = False", "SORTED = True")
    made.edit("experiment.py", NOISE, "0.1 * batch[:, 0]")
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 0, ended.err
    assert "the examples of a batch resemble each other (error" in ended.err
    results = made.results()
    assert results["stopping"] is None and {one["of"] for one in results["effects"]} == {None}
    assert any("as in a sorted set" in note for note in results["notes"])


def test_what_depends_on_the_order_of_batches_is_evaluated_whole(made):
    made.edit("experiment.py", NOISE, "0.01 * torch.rand(())")
    made.edit("experiment.py", "@torch.no_grad()\ndef score", "STATE = []\n\n\n@torch.no_grad()\ndef score")
    made.edit(
        "experiment.py", "    wanted = ", "    STATE.append(float(batch.sum()))\n    wanted = sum(STATE) * 1e-6 + "
    )
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 0, ended.err
    assert "the same values when its batches came in another order" in ended.err
    assert made.results()["stopping"] is None
