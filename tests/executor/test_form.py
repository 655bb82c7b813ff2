"""What a check notes of a model's output in evaluation, which whoever measures it relies on."""

from types import SimpleNamespace

import pytest
import torch
from lesion.executor.inside.steps import noting_form
from torch import nn


class Model(nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.run = forward

    def forward(self, x):
        return self.run(x)


def noted(forward, calls=1):
    run = SimpleNamespace(model=Model(forward), form=None)
    with noting_form(run):
        for _ in range(calls):
            run.model(torch.ones(3, 2))
    assert not run.model._forward_hooks and not run.model._forward_pre_hooks
    return run.form


@pytest.mark.parametrize(
    ("forward", "form"),
    [
        (lambda x: x.sum(1), "float32[3]"),
        (lambda x: {"logits": x.long(), "loss": x.sum()}, "int64[3, 2], float32[]"),
        (lambda x: x.zero_(), "float32[3, 2], its inputs changed"),
        (lambda x: x[:1].fill_(2), "float32[1, 2], its inputs changed"),
        (lambda _x: "nothing", "str"),
    ],
)
def test_shapes_types_and_changed_inputs(forward, form):
    assert noted(forward) == form
    assert noted(forward, calls=2) == form


def test_tensors_of_inference_mode_have_no_versions_to_compare():
    with torch.inference_mode():
        assert noted(lambda x: x + 1) == "float32[3, 2]"
