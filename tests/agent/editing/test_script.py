"""What measures in a script that has no functions of a contract: it may not be edited, all else may."""

import pytest
from lesion.agent.editing.guard import SourceGuard
from lesion.executor.interventions import Block, SourceEdit

SCRIPT = """
import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return x + self.f(x)


class Trainer(nn.Module):
    def shared_step(self, batch):
        return self.first(batch) + self.second(batch)

    def training_step(self, batch):
        return self.own(batch) + self.other(batch)

    def validation_step(self, batch):
        return self.shared_step(batch)


model = Net()


def loss_function(x, y):
    return mse(x, y) + kl(x)


def test(epoch):
    return loss_function(model(x), y)


for step in range(10):
    loss = model(x) + penalty(model)
    loss.backward()
test(0)
"""


@pytest.mark.parametrize(
    ("search", "refused"),
    [
        (" + kl(x)", "loss_function"),
        (" + self.second(batch)", "shared_step"),
        ("(model(x), y)", "test"),
        (" + self.other(batch)", None),
        (" + penalty(model)", None),
        ("x + ", None),
    ],
)
def test_only_what_measures_is_refused(tmp_path, search, refused):
    (tmp_path / "main.py").write_text(SCRIPT)
    edit = SourceEdit(blocks=[Block(file="main.py", search=search, replace="")])
    if refused == "test":
        edit = SourceEdit(blocks=[Block(file="main.py", search=search, replace="(x, y)")])
    said = SourceGuard(tmp_path, tmp_path / "main.py", script=True).problem(edit, proposed=False)
    assert (said is None) is (refused is None)
    assert refused is None or refused in (said or "")
