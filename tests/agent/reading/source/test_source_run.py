"""Parts that no switch and no module shows, found in the source, planned by the rules, and measured as they were planted.

loss-side           teaches the side branch, which the main loss does not reach        critical
augment-randomleak  shuffles an input that gives the answer away in training alone    critical
loss-idle           a second loss of what is known: teaches nothing                   negligible
gradient-clipping   at a norm that no gradient ever has                               does nothing, to the last bit
preprocess-rescale  halves what training and evaluation see, in code that both use    never proposed
"""

import json

import pytest

from tests.experiments import Project, project

EXPERIMENT = '''"""Three inputs by one layer, the fourth by a branch that has a loss of its own."""

import torch
from torch import nn


class Compose:
    def __init__(self, steps):
        self.steps = steps

    def __call__(self, x):
        for step in self.steps:
            x = step(x)
        return x


class RandomLeak:
    """Shuffles the third input."""

    def __call__(self, x):
        order = torch.randperm(len(x))
        return torch.cat([x[:, :2], x[order, 2:3], x[:, 3:]], 1)


class Rescale:
    def __call__(self, x):
        return x * 0.5


def examples(split):
    generator = torch.Generator().manual_seed({"train": 1, "validation": 2, "test": 3}[split])
    x = torch.randn(400, 4, generator=generator)
    y = x[:, :1] + x[:, 1:2] + x[:, 3:] + torch.randn(400, 1, generator=generator)
    if split == "train":
        x[:, 2:3] = y
    return Compose([Rescale()])(x), y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.main, self.side = nn.Linear(3, 1), nn.Linear(1, 1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x):
        return self.main(x[:, :3]) + self.side(x[:, 3:]).detach()


def build_model(config):
    return Net()


def train(model, config, seed):
    torch.manual_seed(seed)
    x, y = examples("train")
    augment = Compose([
        RandomLeak(),
    ])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    for _ in range(200):
        batch = torch.randint(len(x), (64,))
        inputs, target = augment(x[batch]), y[batch]
        error = (model(inputs) - target).square().mean()
        side_loss = (model.side(inputs[:, 3:]) - target).square().mean()
        idle_loss = (model(inputs) - target).square().mean()
        loss = error + 1.0 * side_loss + 0.01 * idle_loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1e6)
        optimizer.step()


@torch.no_grad()
def evaluate(model, config, split):
    x, y = examples(split)
    return {"error": (model(x) - y).square().mean().item()}
'''
STUDY = """\
[study]
name = "tiny"
components = ["edit:*"]
seeds = 3
max_seeds = 3

[experiment]
python = "experiment.py"

[metrics.error]
goal = "minimize"
smallest_effect = 0.2

[limits]
workers = 1
trial_time = "2m"
trial_memory = "2GiB"
"""
TRUTH = {
    "edit:loss-side": "matters",
    "edit:augment-randomleak": "matters",
    "edit:loss-idle": "negligible",
    "edit:gradient-clipping": "no-op",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Project:
    made = project(tmp_path_factory.mktemp("source"), experiment=EXPERIMENT, study=STUDY)
    before = (made.folder / "experiment.py").read_bytes()
    ended = made.lesion("run", "--planner", "rules", "--interactions", "none")
    assert ended.code == 0, ended.err
    assert (made.folder / "experiment.py").read_bytes() == before
    return made


def test_the_planted_truth_comes_out_of_edits_that_the_rules_have_planned(study):
    found = {one["ablation"]: one for one in study.results()["effects"] if one["role"] != "control"}
    assert {name: one["verdict"] for name, one in found.items()} == TRUTH
    assert {one["intervention_kind"] for one in found.values()} == {"edit"}
    assert found["edit:loss-side"]["component_kind"] == "loss_term"


def test_each_was_checked_on_one_step(study):
    assert {name for (name,) in study.rows("SELECT arm FROM checks")} >= set(TRUTH)


def test_inspect_lists_them_beside_the_modules_with_their_lines(study):
    listed = json.loads(study.lesion("inspect", "--json").out)["components"]
    source = {one["id"]: one for one in listed if one["id"].startswith("edit:")}
    assert source.keys() == TRUTH.keys()
    lines = EXPERIMENT.splitlines()
    for one in source.values():
        file, _, line = one["where"].partition(":")
        (block,) = one["interventions"][0]["blocks"]
        assert file == block["file"] == "experiment.py"
        assert block["search"].strip() in lines[int(line) - 1]
    text = study.lesion("inspect").out
    assert text.index("modules") < text.index("module:side") < text.index("source") < text.index("edit:loss-side")
