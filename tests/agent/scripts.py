"""A script of the usual kind with planted truth, its study, and what its tree must stay."""

import hashlib
from pathlib import Path

from tests.experiments import Project

SCRIPT = """\
# fits a noisy sum; writes beside itself, and into itself
import argparse

import torch
from torch import nn

USE_RIGHT = True
UNUSED_DROPOUT = 0.3
WEIGHT_DECAY = 1e-4

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=500)
parser.add_argument("--no-left", action="store_true", help="hide the first feature")
parser.add_argument("--jitter", type=float, default=0.5)
parser.add_argument("--device", default="cuda")
parser.add_argument("--load")
parser.add_argument("--save", default="last.pt")
args = parser.parse_args()
args.jitter = 0.0
torch.manual_seed(7)


def examples(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(256, 3, generator=generator).to(args.device)
    y = x[:, 0] + 0.8 * x[:, 1] + 0.3 * torch.randn(256, generator=generator)
    return x * torch.tensor([0.0 if args.no_left else 1.0, float(USE_RIGHT), 1.0]), y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Linear(3, 3)
        self.act = nn.Identity()
        self.out = nn.Linear(3, 1)

    def forward(self, x):
        return self.out(self.act(self.scale(x))).squeeze(1)


def score(model):
    x, y = examples(2)
    with torch.no_grad():
        return 1 - ((model(x) - y).square().mean() / y.var()).item()


model = Net().to(args.device)
if args.load:
    model.load_state_dict(torch.load(args.load))
x, y = examples(1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=WEIGHT_DECAY)
for step in range(0 if args.load else args.steps):
    batch = torch.randint(0, 256, (32,))
    loss = (model(x[batch] + args.jitter) - y[batch]).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"step {step + 1}: loss {loss.item():.4f} score {score(model):.6f}")
with open(__file__, "a") as own:
    own.write("# ran\\n")
torch.save(model.state_dict(), args.save)
print(f"score {score(model):.6f}")
"""
STUDY = """\
[study]
name = "script"
components = ["config:no_left", "config:USE_RIGHT", "config:jitter", "config:UNUSED_DROPOUT", "module:scale"]
seeds = 3
max_seeds = 3

[experiment]
command = "python train.py"
metrics_pattern = 'score (?P<score>\\S+)'

[experiment.set]
device = "cpu"
steps = 60

[metrics.score]
goal = "maximize"
floor = 0.0
smallest_effect = 0.05

[limits]
workers = 2
trial_time = "2m"
"""


def script(folder: Path, script: str = SCRIPT, study: str = STUDY) -> Project:
    """Write a script and its study into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.py").write_text(script)
    (folder / "lesion.toml").write_text(study)
    return Project(folder, "script")


def tree(folder: Path) -> str:
    """Hash of every file below `folder`, its name, mode and time, without the state folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if ".lesion" not in path.relative_to(folder).parts:
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found.update(f"{path} {status.st_mode} {status.st_mtime_ns} {len(content)}".encode() + content)
    return found.hexdigest()
