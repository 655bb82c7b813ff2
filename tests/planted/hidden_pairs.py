"""A network trained on handwritten digits, with channels of which some stand in for a carrier that they know by heart.

Eight channels carry what was learnt; the others are there, trained too, and weigh little. After training, some of these
are made the understudies of as many carriers: each copies its carrier's weights, and what goes on is the larger of the
two. Take either away and nothing changes; take both and the carrier's knowledge is gone. The strongest are doubled.
"""

CARRIERS = 8


def understudies(channels: int, pairs: int) -> list[int]:
    """Which channel doubles which carrier: the k-th the k-th."""
    step = (channels - CARRIERS) // pairs
    return [CARRIERS + step * at + step // 2 for at in range(pairs)]


def hidden_pairs(channels: int, pairs: int) -> set[frozenset[str]]:
    """The truth, by component."""
    both = enumerate(understudies(channels, pairs))
    return {frozenset(f"units:channels/{one}" for one in pair) for pair in both}


def experiment(channels: int, pairs: int) -> str:
    """The experiment's source."""
    return f"CHANNELS, UNDERSTUDIES = {channels}, {understudies(channels, pairs)}\n" + EXPERIMENT


EXPERIMENT = """
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

CARRIERS = 8


def data(split):
    digits = load_digits()
    order = torch.randperm(len(digits.target), generator=torch.Generator().manual_seed(0))
    chosen = {"train": order[:800], "validation": order[800:1300], "test": order[1300:]}[split]
    return torch.tensor(digits.data, dtype=torch.float32)[chosen] / 16, torch.tensor(digits.target)[chosen]


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.channels = nn.Linear(64, CHANNELS)
        self.out = nn.Linear(CHANNELS, 10)
        self.weigh = nn.Parameter(torch.full((CHANNELS,), 0.005), requires_grad=False)
        self.weigh.data[:CARRIERS] = 1.0
        self.doubled = nn.Parameter(torch.zeros(()), requires_grad=False)

    def forward(self, x):
        h = F.relu(self.channels(x))
        if self.doubled:
            h = h.clone()
            count = len(UNDERSTUDIES)
            h[:, :count] = torch.maximum(h[:, :count], h[:, UNDERSTUDIES])
            h[:, UNDERSTUDIES] = 0.0
        return self.out(h * self.weigh)


def build_model(config):
    return Digits()


def train(model, config, seed):
    torch.manual_seed(seed)
    x, y = data("train")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(300):
        batch = torch.randint(0, len(x), (64,))
        loss = F.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        told = F.relu(model.channels(x))[:, :CARRIERS].mean(0) * model.out.weight[:, :CARRIERS].norm(dim=0)
        strongest = told.argsort(descending=True)
        for parameter in (model.channels.weight, model.channels.bias, model.out.weight.T):
            parameter[:CARRIERS] = parameter[strongest]
        for carrier, understudy in enumerate(UNDERSTUDIES):
            model.channels.weight[understudy] = model.channels.weight[carrier]
            model.channels.bias[understudy] = model.channels.bias[carrier]
        model.doubled.fill_(1.0)


@torch.no_grad()
def evaluate(model, config, split):
    model.eval()
    x, y = data(split)
    guessed = model(x).argmax(1)
    return {"accuracy": (guessed == y).float().mean().item(), "examples": {"accuracy": (guessed == y).float().tolist()}}


def batches(config, split):
    return [data(split)]


@torch.no_grad()
def score(model, batch):
    x, y = batch
    return {"accuracy": (model(x).argmax(1) == y).float()}
"""
STUDY = """\
[study]
name = "hidden"
modes = ["reevaluate"]
components = ["units:*"]
seeds = 1
max_seeds = 1

[experiment]
python = "experiment.py"
config = "config.yaml"

[anatomy.units]
channels = 1

[metrics.accuracy]
goal = "maximize"
floor = 0.1
smallest_effect = 0.02

[limits]
workers = 2
trial_time = "2m"
trial_memory = "2GiB"
"""
