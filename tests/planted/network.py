"""A network whose truth is known exactly: who carries what, who stands in for whom, who does nothing and who does harm.

Every branch reads one input of its own, and no other can learn that input in its place:

    stem        all inputs pass through it                     critical
    main        the only one that reads input 0                critical
    left, right input 1; right speaks where left is silent     each hides the other
    first, second, third    input 2, likewise in a row         only all three together are missed
    faint       input 3, a thousandth of it                    nearly dead
    harmful     adds what nobody asked for, and cannot learn   removing it helps
    spare       never called
    quiet       dropout
"""

from ..descent import by_hand

EXPERIMENT = by_hand('''
import torch
from torch import nn


class Harmful(nn.Module):
    """Noise of the example's own, that no linear layer can cancel."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0), requires_grad=False)

    def forward(self, x):
        return self.scale * torch.sin(40 * x.sum(1, keepdim=True))


class Stem(nn.Module):
    """Scales every input, and mixes none."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.full((4,), 0.5))

    def forward(self, x):
        return x * self.weight


class Planted(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Stem()
        self.quiet = nn.Dropout(0.0)
        self.main = nn.Linear(1, 1)
        self.left, self.right = nn.Linear(1, 1), nn.Linear(1, 1)
        self.first, self.second, self.third = nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1)
        self.faint = nn.Linear(1, 1)
        self.harmful = Harmful()
        self.spare = nn.Linear(1, 1)
        self.mute = nn.Parameter(torch.zeros(1), requires_grad=False)
        self.head = nn.Linear(1, 1)

    def forward(self, x):
        noise = self.harmful(x)
        x = self.quiet(self.stem(x))
        pair = speaking(self.left(x[:, 1:2]), self.right(x[:, 1:2]))
        three = [one(x[:, 2:3]) for one in (self.first, self.second, self.third)]
        triple = speaking(three[0], speaking(three[1], three[2]))
        out = self.main(x[:, 0:1]) + pair + triple + 1e-3 * self.faint(x[:, 3:4]) + self.mute
        return self.head(out) + noise


def speaking(one, other):
    """`one` where it says anything at all, else `other`."""
    return torch.where(one.detach().ne(0), one, other)


def data(split):
    generator = torch.Generator().manual_seed({"train": 1, "validation": 2, "test": 3, "reference": 4}[split])
    x = torch.randn(600, 4, generator=generator)
    return x, x[:, :3].sum(1, keepdim=True) + 0.2 * torch.randn(600, 1, generator=generator)


def build_model(config):
    return Planted()


def train(model, config, seed):
    learn(model, seed, config["steps"])


def finetune(model, config, seed, steps):
    learn(model, seed, steps)


def learn(model, seed, steps):
    generator = torch.Generator().manual_seed(seed)
    x, y = data("train")
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.05)
    model.train()
    for _ in range(steps):
        batch = torch.randint(len(x), (64,), generator=generator)
        loss = (model(x[batch]) - y[batch]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


@torch.no_grad()
def evaluate(model, config, split):
    model.eval()
    x, y = data(split)
    errors = (model(x) - y).square().squeeze(1)
    return {"error": errors.mean().item(), "examples": {"error": errors.tolist()}}


def batches(config, split):
    return zip(*(one.split(200) for one in data(split)))


@torch.no_grad()
def score(model, batch):
    x, y = batch
    return {"error": (model(x) - y).square().squeeze(1)}
''')
HANDMADE = '''

def load_weights(model, config):
    """Weights by hand: every reader of an input passes it on whole."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name not in ("harmful.scale", "mute"):
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
'''
CONFIG = "steps: 300\n"
TRAINED = """\
modes = ["reevaluate", "recover", "retrain"]
finetune_steps = 200
components = ["module:stem", "module:main", "module:left", "module:right", "module:harmful", "module:spare", "module:quiet"]
"""
STUDY = """\
[study]
name = "planted"
seeds = {seeds}
max_seeds = {seeds}
{more}
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
