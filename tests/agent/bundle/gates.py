"""A tiny study that is trained, evaluated on examples, edited and cut: what a bundle has to carry."""

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from lesion.agent.components import Component
from lesion.agent.queue import Queue
from lesion.executor.interventions import Block, ConfigOverride, ModuleIntervention, SourceEdit

from tests.agent.requests import ablation, asked
from tests.experiments import Ended, Project, project

from ...descent import by_hand

EXPERIMENT = by_hand('''"""Gates beside each other: `large` costs, `small` hardly does, `twin_a` and `twin_b` say the same."""

from pathlib import Path

import torch
from torch import nn

NOISE = float((Path(__file__).parent / "values" / "noise.txt").read_text())


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
    return torch.randn(600, 3, generator=torch.Generator().manual_seed(len(split)))


def errors(model, batch):
    wanted = torch.tanh(batch[:, 0]) + 0.02 * torch.tanh(batch[:, 1]) + torch.tanh(batch[:, 2]).abs()
    return (model(batch) - wanted - NOISE * torch.sin(1000 * batch.sum(1))).square()


def build_model(config):
    return Network()


def train(model, config, seed):
    torch.manual_seed(seed)
    nn.init.ones_(model.out.weight), nn.init.constant_(model.out.bias, 0.0 if config["warm"] else 0.4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    for step in range(8):
        loss = errors(model, data("train")[torch.randint(0, 600, (64,))]).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.001)
        optimizer.step()


def batches(config, split):
    return data(split).split(24)


@torch.no_grad()
def score(model, batch):
    return {"error": errors(model, batch)}


@torch.no_grad()
def evaluate(model, config, split):
    return {"error": score(model, data(split))["error"].mean().item()}
''')
STUDY = """\
[study]
name = "gates"
modes = ["reevaluate", "retrain"]
seeds = 2
max_seeds = 2

[project]
exclude = ["drafts"]

[experiment]
python = "experiment.py"
config = "config.yaml"

[metrics.error]
goal = "minimize"
smallest_effect = 0.02

[limits]
workers = 1
trial_time = "2m"
"""
SECRET = "sk-proj-" + "a1B2c3D4e5F6" * 3
FILES = {
    "values/noise.txt": "0.1\n",
    ".gitignore": "values\n",
    ".env": f"OPENAI_API_KEY={SECRET}\n",
    "notes.txt": f"the key is {SECRET}\n",
    "drafts/plan.md": "not for others\n",
    "runs/large.txt": "0 " * 50_000,
}
"""What trials read although git does not know it, and what is for nobody else."""
WARM, CLIPPING = "config:warm", "edit:clipping"
JOINT = "module:twin_a + module:twin_b"
CLIP = "        nn.utils.clip_grad_value_(model.parameters(), 0.001)\n"


def cut(*names: str):
    """Gates zeroed in the trained model."""
    removed = [ModuleIntervention(path=one.removeprefix("module:"), removal="zero") for one in names]
    return ablation(" + ".join(names), list(names), removed).model_copy(update={"modes": ["reevaluate"]})


def plans():
    """Round 1: a setting, an edit, gates alone; round 2: two of them together."""
    edit = SourceEdit(blocks=[Block(file="experiment.py", search=CLIP, replace="")])
    brought = Component(id=CLIPPING, kind="optimizer", label="clipping", evidence="asked for", interventions=[edit])
    warm = ablation(WARM, [WARM], [ConfigOverride(key="warm", value=False)])
    gates = [cut(f"module:{one}") for one in ("large", "small", "twin_a", "twin_b")]
    first = asked(warm, ablation(CLIPPING, [CLIPPING], [edit]), *gates, components=[brought])
    together = asked(cut("module:twin_a", "module:twin_b"))
    return [one.model_copy(update={"study": "gates"}) for one in (first, together)]


def measured(folder: Path) -> Project:
    """The study, run."""
    made = project(folder, experiment=EXPERIMENT, config="warm: true\n", study=STUDY, name="gates")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "elsewhere").symlink_to("/etc/hostname")
    for plan in plans():
        Queue(made.state).add(plan)
    ended = made.lesion("run", "--queued")
    assert ended.code == 0, ended.err
    return made


@dataclass(frozen=True)
class Unpacked:
    """A bundle somewhere else."""

    folder: Path

    def rerun(self, *arguments: str) -> Ended:
        """Its own script, as a person runs it."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
        command = [sys.executable, str(self.folder / "rerun.py"), *arguments]
        ended = subprocess.run(command, cwd="/", env=clean, capture_output=True, text=True, check=False)
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace `old`, which must be there, in one of its files."""
        path = self.folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))


def unpacked(archive: Path, folder: Path) -> Unpacked:
    """What is in the archive, in a new folder."""
    zipfile.ZipFile(archive).extractall(folder)
    return Unpacked(folder)
