"""The descent of the tiny experiments is torch's own."""

from typing import Any

import pytest
import torch

from .descent import SGD


@pytest.mark.parametrize("weight_decay", [0.0, 1e-2])
def test_the_same_weights_as_with_torchs_own(weight_decay: float) -> None:
    names: dict[str, Any] = {"torch": torch}
    exec(SGD, names)
    assert fitted(names["SGD"], weight_decay) == fitted(torch.optim.SGD, weight_decay)


def fitted(optimizer: Any, weight_decay: float) -> list[float]:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    descent = optimizer(model.parameters(), lr=0.1, weight_decay=weight_decay)
    for _ in range(20):
        x = torch.randn(16, 3)
        descent.zero_grad()
        (model(x).squeeze(1) - x.sum(1)).square().mean().backward()
        descent.step()
    return torch.cat([one.detach().flatten() for one in model.parameters()]).tolist()
