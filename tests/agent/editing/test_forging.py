"""Edits of a model that would forge what it is measured by: a single file with the data, the labels and the evaluation beside it."""

import pytest
from lesion.agent.editing.guard import SourceGuard
from lesion.executor.interventions import Block, SourceEdit

FILE = '''"""Everything in one file."""
import torch
import torch.nn.functional as F
from torch import nn

SEED = 10_001


def data(seed, count):
    x = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))
    return x, x.sum(1)


class Rows:
    def __init__(self, x):
        self.x = x.cpu()

    def __getitem__(self, at):
        with torch.no_grad():
            return self.x[at]


class Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.first, self.last = nn.Linear(4, 8), nn.Linear(8, 1)
        self.scale = 3
        nn.init.normal_(self.first.weight)

    def forward(self, x, targets=None):
        h = F.gelu(self.first(x))
        h = h + self.scale * h.tanh()
        out = self.last(h).squeeze(1)
        if targets is None:
            return out, None
        loss = (out - targets).square().mean()
        loss = loss + 0.1 * h.square().mean()
        return out, loss

    def tokens(self, x):
        h = x.relu()
        return self.clipped(h)

    def clipped(self, h):
        h = h.clamp(-3, 3)
        return h

    def spare(self, h):
        return h + h.relu()


def build_model(config):
    return Net(config)


def train(model, config, seed):
    x, y = data(seed, 64)
    for _ in range(config["steps"]):
        out, loss = model(x, y)
        loss = loss + 0.01 * out.square().mean()
        loss.backward()


def evaluate(model, config, split):
    model.eval()
    x, y = data(SEED, 256)
    pieces = model.tokens(x)
    return {"loss": model(pieces, y)[1].item()}
'''
H = "        h = h + self.scale * h.tanh()\n"
"""A line of the model's forward."""
FORGED = {
    "labels from the data": (H, "        h = data(3, 3)[1]\n", "the name `data`"),
    "a seed": ("    x, y = data(seed, 64)\n", "    x, y = data(10_001, 64)\n", "the number 10001"),
    "a global": ("    x, y = data(seed, 64)\n", "    x, y = data(SEED, 64)\n", "the name `SEED`"),
    "an entry": (H, f"{H}        x[0:] = 0\n", "assigns to `x[0:]`"),
    "augmented": (H, f"{H}        x *= 0\n", "changes `x` in place"),
    "a method in place": (H, f"{H}        x.normal_()\n", "changes `x` in place"),
    "a function in place": (H, f"{H}        nn.init.normal_(x)\n", "changes `x` in place"),
    "into the input": (H, "        h = F.gelu(self.first(x), out=x)\n", "changes `x` in place"),
    "a special method": (
        "    def spare(self, h):\n        return h + h.relu()\n",
        "    def __getitem__(self, h):\n        return h + h.relu()\n",
        "defines `__getitem__`",
    ),
    "another method": (
        "        self.scale = 3\n",
        "        self.scale = self.forward = 3\n",
        "assigns to `self.forward`",
    ),
    "a generator": ("    x, y = data(seed, 64)\n", "    x, y = data(seed, 64)\n    yield x\n", "brings in a `yield`"),
    "an exception": (H, f"{H}        raise x\n", "brings in a `raise`"),
    "a false assertion": (H, f"{H}        assert x is h\n", "brings in an `assert`"),
    "a catch": (H, "        try:\n            h = x\n        except:\n            h = x\n", "brings in a `try`"),
    "for ever": (H, f"{H}        while 1:\n            h = x\n", "brings in a loop"),
    "a decorator": (
        "    def forward(self, x",
        "    @torch.no_grad()\n    def forward(self, x",
        "decorates with `torch.no_grad()`",
    ),
    "a default": (
        "def forward(self, x, targets=None)",
        "def forward(self, x, targets=None, h=[])",
        "brings in a parameter",
    ),
    "another's attribute": (H, "        h = self.x.cpu()\n", "the name `cpu`"),
    "its own loss": (
        "        loss = loss + 0.1 * h.square().mean()\n",
        "",
        "`Net.forward` makes of the targets",
    ),
    "its own loss at zero": (
        "        loss = loss + 0.1 * h.square().mean()\n",
        "        loss = 0 * h.square().mean()\n",
        "`Net.forward` makes of the targets",
    ),
    "the targets": (
        "        if targets is None:\n",
        "        targets = x\n        if targets is None:\n",
        "makes of the targets",
    ),
    "what is given back": (
        "        return out, loss\n",
        "        return out, 0\n",
        "`Net.forward` makes of the targets",
    ),
    "an early return": (H, f"{H}        return h, 0\n", "`Net.forward` makes of the targets"),
    "under a condition": (
        "        loss = (out - targets).square().mean()\n",
        "        loss = 0\n        if self.scale is None:\n            loss = (out - targets).square().mean()\n",
        "makes of the targets",
    ),
    "what evaluate calls": ("        h = x.relu()\n", "        h = x\n", "`Net.tokens`, which the evaluation calls"),
    "what that calls": ("        h = h.clamp(-3, 3)\n", "", "`Net.clipped`, which the evaluation calls"),
}
FAIR = {
    "a branch": (H, ""),
    "a layer": (H, "        h = torch.zeros_like(h)\n"),
    "an activation": ("F.gelu(self.first(x))", "self.first(x)"),
    "an initialisation": ("        nn.init.normal_(self.first.weight)\n", ""),
    "a scale": ("        self.scale = 3\n", "        self.scale = 0\n"),
    "a method that only training uses": ("h + h.relu()", "h"),
    "a loss term of the training": ("        loss = loss + 0.01 * out.square().mean()\n", ""),
    "a module": ("nn.Linear(4, 8)", "nn.Identity()"),
}


@pytest.fixture
def guard(tmp_path):
    (tmp_path / "experiment.py").write_text(FILE)
    return SourceGuard(tmp_path, tmp_path / "experiment.py")


def edit(search, replace):
    return SourceEdit(blocks=[Block(file="experiment.py", search=search, replace=replace)])


@pytest.mark.parametrize("name", FORGED)
def test_what_would_forge_is_refused(guard, name):
    search, replace, reason = FORGED[name]
    problem = guard.problem(edit(search, replace), proposed=True)
    assert problem and reason in problem
    assert guard.problem(edit(search, replace), proposed=False) is None


@pytest.mark.parametrize("name", FAIR)
def test_what_takes_away_passes(guard, name):
    assert guard.problem(edit(*FAIR[name]), proposed=True) is None
