import base64

import numpy as np
import pytest
import torch
from lesion.executor.inside.measured import Diverged, Invalid, plain_results


def evaluated(**returned):
    return plain_results({"validation": returned})


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "evaluate returned NoneType, not a dictionary of metrics"),
        (0.5, "evaluate returned float"),
        ({}, "evaluate returned no metric"),
        ({"examples": {"loss": [1.0]}}, "evaluate returned no metric"),
        ({"loss": "low"}, "the metric 'loss' is a str, not a number"),
        ({"loss": "0.5"}, "the metric 'loss' is a str, not a number"),
        ({"loss": None}, "the metric 'loss' is a NoneType"),
        ({"loss": torch.ones(2)}, "the metric 'loss' is a Tensor"),
        ({"loss": 1.0, "examples": [1.0]}, "examples is a list, not a dictionary of columns"),
        ({"loss": 1.0, "examples": {"loss": 1.0}}, "examples['loss'] is not one number for each example"),
        ({"loss": 1.0, "examples": {"loss": torch.ones(2, 2)}}, "examples['loss'] is not one number for each example"),
        ({"loss": 1.0, "examples": {"loss": [1.0, 2.0], "target": [1]}}, "differ in length: {'loss': 2, 'target': 1}"),
    ],
)
def test_what_cannot_be_used_is_invalid_and_says_what_is_missing(returned, message):
    with pytest.raises(Invalid) as caught:
        plain_results({"validation": returned})
    assert message in str(caught.value)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), torch.tensor(float("-inf"))])
def test_a_metric_that_is_not_finite_diverged_and_is_named(number):
    with pytest.raises(Diverged, match="not a finite number: loss on validation"):
        evaluated(loss=number, error=0.1)


def test_numbers_of_every_make_are_numbers():
    found = evaluated(plain=1, tensor=torch.tensor(0.5, requires_grad=True), array=np.float32(0.25), yes=True)
    assert found["metrics"] == {"validation": {"plain": 1.0, "tensor": 0.5, "array": 0.25, "yes": 1.0}}


def test_examples_of_every_make_are_packed_alike():
    values = [0.5, 1.0, -2.0]
    makes = {"list": values, "tensor": torch.tensor(values), "array": np.array(values), "tuple": tuple(values)}
    packed = evaluated(loss=1.0, examples=makes)["examples"]["validation"]
    for one in packed.values():
        assert np.frombuffer(base64.b64decode(one["data"]), "<f8").tolist() == values
