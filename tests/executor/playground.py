"""An experiment whose small model has a part for every trap, and a switch that an intervention may set to end it."""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

import torch
from torch import nn

DRAWN = torch.Generator().manual_seed(11)
"""Drawn from by every training: what one arm leaves in it must not reach the next."""


class Net(nn.Module):
    def __init__(self, caches=False):
        super().__init__()
        self.caches = caches
        self.register_buffer("cached", torch.zeros(3), persistent=False)
        self.switch, self.embedding = nn.Identity(), nn.Linear(6, 12)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(12, 2, 24, batch_first=True), 2)
        self.norm, self.dropout = nn.BatchNorm1d(12), nn.Dropout(0.5)
        self.left, self.right = nn.Linear(12, 12), nn.Linear(12, 12)
        self.spare, self.zeros = nn.Linear(12, 12), nn.Parameter(torch.zeros(12))
        self.head = nn.Linear(12, 1)

    def forward(self, x):
        switched = int(self.switch(torch.zeros(1)))
        if switched:
            END[switched]()
        if self.caches:
            self.cached = torch.ones(len(x))
            self.register_buffer("late", x)
        x = self.norm(self.encoder(self.embedding(x)).mean(1) + self.zeros)
        either = torch.maximum(self.left(x).relu(), self.right(x).relu())
        return self.head(self.dropout(either)).squeeze(1)


def raise_an_error():
    raise KeyError("an arm of its own")


def segfault():
    ctypes.string_at(0)


def loop_for_ever():
    while True:
        pass


END = {1: raise_an_error, 2: segfault, 3: loop_for_ever, 4: sys.exit}


def build_model(config):
    if config.get("build") == "raises":
        raise ValueError("no such width")
    return Net(config.get("caches", False))


def examples(split):
    sizes = {"train": (1, 40), "validation": (2, 24), "test": (3, 24), "reference": (4, 32)}
    seed, size = sizes[split]
    x = torch.randn(size, 4, 6, generator=torch.Generator().manual_seed(seed))
    return x, x.mean((1, 2)) * 3


def train(model, config, seed):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    x, y = examples("train")
    for _ in range(6):
        chosen = torch.randint(40, (16,), generator=DRAWN)
        model.train()
        optimizer.zero_grad()
        (model(x[chosen]) - y[chosen]).square().mean().backward()
        optimizer.step()
    returned = config.get("returns")
    if returned == "raises":
        raise RuntimeError("the last step failed")
    if returned == "compiled":
        return torch.compile(model, backend="eager")
    if returned == "parallel":
        return nn.DataParallel(model)
    return nn.Sequential(model.embedding, nn.Linear(12, 1)) if returned == "other" else None


def finetune(model, config, seed, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    x, y = examples("train")
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        optimizer.step()


def load_weights(model, config):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.4)
            elif not name.endswith("zeros"):
                nn.init.uniform_(parameter)
        model.get_submodule("right").load_state_dict(model.get_submodule("left").state_dict())


def batches(config, split):
    x, y = examples(split)
    yield from zip(x.split(9), y.split(9), strict=True)


def score(model, batch):
    x, y = batch
    return {"loss": (model(x) - y).square()}


def evaluate(model, config, split):
    how = config.get("evaluate")
    if how != "first as it is" or split == "test":
        model.eval()
    x, y = examples(split)
    with torch.no_grad():
        losses = (model(x) - y).square()
    if how == "unsteady":
        losses += int.from_bytes(os.urandom(4), "big") / 2**40
    if how == "raises":
        raise RuntimeError("no evaluation")
    overwrite(config.get("overwrite"))
    return {"loss": losses.mean().item(), "examples": {"loss": losses}}


def overwrite(name):
    """Write into every open file of that name."""
    for opened in Path("/proc/self/fd").iterdir() if name else ():
        with suppress(OSError):
            if name in str(opened.readlink()):
                opened.write_bytes(b"overwritten")
