"""A method whose parts have no switches: what each is worth shows only when its lines are taken out of the source.

    auxiliary    a loss term: nothing else teaches the side branch                 critical
    warm-start   sets the third branch to its closed form before training          each hides
    refinement   a loss term that teaches the third branch, from any start         the other
    skip         passes input 3 past the branches, in the model's forward          critical
    clip         clips gradients at a norm that none ever has                      does nothing, to the last bit

How results are scored stands in a file of its own, and no edit here touches it.
"""

from pathlib import Path

from lesion.agent.components import Component, ComponentKind
from lesion.agent.planning.plan import Ablation, Plan, joint_id
from lesion.agent.results import Direction, Mode, Prediction
from lesion.executor.interventions import Block, Intervention, SourceEdit

from tests.experiments import Project, project

EXPERIMENT = '''"""A sum of four inputs, learnt one branch an input."""

from model import build_model
from scoring import evaluate
from training import train
'''
MODEL = '''"""The model: a branch for each of three inputs, and the fourth passed by."""

import torch
from torch import nn


class Net(nn.Module):
    """Side and third branch are taught by losses of their own: the main loss does not reach them."""

    def __init__(self):
        super().__init__()
        self.main, self.side, self.third = nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1)
        self.quiet, self.muted = nn.Dropout(0.0), nn.Identity()
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x):
        said = self.main(self.quiet(x[:, 0:1])) + 0.0 * self.muted(x[:, 0:1])
        said = said + self.side(x[:, 1:2]).detach() + self.third(x[:, 2:3]).detach()
        said = said + x[:, 3:4]  # skip connection
        return said


def build_model(config):
    return Net()
'''
TRAINING = '''"""The recipe."""

import torch

from data import examples


def train(model, config, seed):
    generator = torch.Generator().manual_seed(seed)
    inputs, targets = examples("train")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    model.train()
    warm_start(model, inputs, targets)
    for _ in range(config["steps"]):
        batch = torch.randint(len(inputs), (64,), generator=generator)
        x, y = inputs[batch], targets[batch]
        loss = (model(x) - y).square().mean()
        loss = loss + auxiliary(model, x, y)
        loss = loss + refinement(model, x, y)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1e6)
        optimizer.step()


def auxiliary(model, x, y):
    """Teaches the side branch its input's share."""
    return (model.side(x[:, 1:2]) - y).square().mean()


def refinement(model, x, y):
    """Teaches the third branch its input's share, wherever it starts."""
    return (model.third(x[:, 2:3]) - y).square().mean()


@torch.no_grad()
def warm_start(model, inputs, targets):
    """The third branch's least squares, in closed form."""
    x = inputs[:, 2:3]
    model.third.weight.fill_(float((x * targets).mean() / x.square().mean()))
'''
DATA = '''"""Made on the spot."""

import torch


def examples(split):
    generator = torch.Generator().manual_seed({"train": 1, "validation": 2, "test": 3}[split])
    x = torch.randn(600, 4, generator=generator)
    return x, x.sum(1, keepdim=True) + 0.2 * torch.randn(600, 1, generator=generator)
'''
SCORING = '''"""How results are scored."""

import torch

from data import examples


@torch.no_grad()
def evaluate(model, config, split):
    model.eval()
    x, y = examples(split)
    errors = (model(x) - y).square().squeeze(1)
    return {"error": errors.mean().item(), "examples": {"error": errors.tolist()}}
'''
CONFIG = "steps: 200\nunread: 1\n"
STUDY = """\
[study]
name = "source"
modes = {modes}
seeds = {seeds}
max_seeds = {seeds}

[experiment]
python = "experiment.py"
config = "config.yaml"

[metrics.error]
goal = "minimize"
smallest_effect = 0.1

[limits]
workers = 2
trial_time = "2m"
trial_memory = "2GiB"
"""


def _without(file: str, line: str) -> SourceEdit:
    return SourceEdit(blocks=[Block(file=file, search=line, replace="")])


AUXILIARY = _without("training.py", "        loss = loss + auxiliary(model, x, y)\n")
WARM_START = _without("training.py", "    warm_start(model, inputs, targets)\n")
REFINEMENT = _without("training.py", "        loss = loss + refinement(model, x, y)\n")
SKIP = _without("model.py", "        said = said + x[:, 3:4]  # skip connection\n")
CLIP = _without("training.py", "        torch.nn.utils.clip_grad_norm_(model.parameters(), 1e6)\n")
EDITS: dict[str, SourceEdit] = {
    "edit:auxiliary": AUXILIARY,
    "edit:warm-start": WARM_START,
    "edit:refinement": REFINEMENT,
    "edit:skip": SKIP,
    "edit:clip": CLIP,
}
KINDS: dict[str, ComponentKind] = {
    "edit:auxiliary": "loss_term",
    "edit:warm-start": "other",
    "edit:refinement": "loss_term",
    "edit:skip": "skip_connection",
    "edit:clip": "regularization",
}
TRUTH = {
    "edit:auxiliary": "matters",
    "edit:warm-start": "negligible",
    "edit:refinement": "negligible",
    "edit:skip": "matters",
    "edit:clip": "no-op",
}
PAIR = ("edit:refinement", "edit:warm-start")
PAIR_TRUTH, PAIR_BESIDE = "compensation", "redundancy"
"""Asked after its members were shown negligible, and asked beside them in one round."""
SCORED_BY = {name: "edited" if name == "edit:skip" else "unedited" for name in EDITS}
"""Whose evaluation gives the figures: the skip connection is the model."""


def planted(folder: Path, *, seeds: int = 3, modes: str = '["retrain"]') -> Project:
    """Write the project into `folder`."""
    made = project(
        folder, experiment=EXPERIMENT, config=CONFIG, study=STUDY.format(seeds=seeds, modes=modes), name="source"
    )
    for name, text in (("model", MODEL), ("training", TRAINING), ("data", DATA), ("scoring", SCORING)):
        (folder / f"{name}.py").write_text(text)
    return made


def component(name: str, removed: Intervention, kind: ComponentKind = "other") -> Component:
    """A part that nobody has listed."""
    label = name.partition(":")[2]
    return Component(id=name, kind=kind, label=label, evidence=removed.describe(), interventions=[removed])


def ablation(
    name: str, *interventions: Intervention, parts: tuple[str, ...] = (), modes: list[Mode] | None = None
) -> Ablation:
    """One that expects nothing; `parts`: its components, where they are not `name` alone."""
    direction: Direction = "none"
    return Ablation(
        id=name,
        components=list(parts or [name]),
        interventions=list(interventions),
        hypothesis="",
        prediction=Prediction(direction=direction, size=0.0),
        modes=modes or [],
    )


def planned(ablations: list[Ablation], components: list[Component]) -> Plan:
    """A plan of the first round, as if written by hand."""
    return Plan(study="source", round=1, planner="by hand", ablations=ablations, components=components)


def whole_plan(*more: Ablation) -> Plan:
    """Every part alone, the pair, and `more`."""
    singles = [ablation(name, edit) for name, edit in EDITS.items()]
    pair = ablation(joint_id(list(PAIR)), *(EDITS[one] for one in PAIR), parts=PAIR)
    return planned([*singles, pair, *more], [component(name, edit, KINDS[name]) for name, edit in EDITS.items()])
