"""Cuts into parameters: held through training, wherever the tensor is used, and undone to the last bit."""

import copy

import pytest
import torch
import torch.nn.functional as F
from lesion.executor.inside.operate import operate, undo
from lesion.executor.inside.surgery import Refused
from lesion.executor.interventions import ModuleIntervention, WeightIntervention
from torch import nn

from .architectures import Decoder
from .laboratory import cut, trace

TOKENS = torch.tensor([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])
SITES = [
    ("blocks.0.attention.c_attn.weight", (12, 24), None),
    ("blocks.0.attention.c_attn.weight", (12, 16), (4, 8)),
    ("blocks.0.attention.c_attn.weight", None, (0, 5)),
    ("blocks.0.attention.c_attn.bias", (24, 36), None),
    ("blocks.1.mlp.0.weight", None, None),
    ("position", None, None),
]


@pytest.fixture(autouse=True)
def _pinned():
    torch.manual_seed(0)
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(before)


def weight(parameter, removal="zero", rows=None, columns=None, **more):
    return WeightIntervention(parameter=parameter, rows=rows, columns=columns, removal=removal, **more)


def part(tensor, rows, columns):
    """The slice, by index lists."""
    if rows is None and columns is None:
        return tensor
    tensor = tensor[torch.arange(*rows)] if rows else tensor
    return tensor[:, torch.arange(*columns)] if columns else tensor


def edited(model, parameter, values, rows, columns):
    """A copy whose slice holds `values`."""
    other = copy.deepcopy(model)
    with torch.no_grad():
        whole = other.get_parameter(parameter)
        if rows and columns:
            whole[rows[0] : rows[1], columns[0] : columns[1]] = values
        elif columns:
            whole[:, columns[0] : columns[1]] = values
        else:
            whole[slice(*(rows or (None,)))] = values
    return other


@pytest.mark.parametrize(("parameter", "rows", "columns"), SITES)
@pytest.mark.parametrize("removal", ["zero", "mean", "resample", "constant"])
@torch.no_grad()
def test_the_slice_is_what_by_hand_it_would_be(parameter, rows, columns, removal):
    model = Decoder().eval()
    nn.init.normal_(model.get_parameter("blocks.0.attention.c_attn.bias"))
    intervention = weight(parameter, removal, rows, columns, constant=0.75 if removal == "constant" else 0.0)
    before, original = trace(model), model.get_parameter(parameter).clone()
    slice_before = part(original, rows, columns)
    with cut(model, intervention, seed=3) as cuts:
        now = model.get_parameter(parameter).clone()
        found = model(TOKENS)["logits"]
    values = part(now, rows, columns)
    if removal == "resample":
        assert torch.equal(values.flatten().sort().values, slice_before.flatten().sort().values)
        assert not torch.equal(values, slice_before)
    else:
        number = {"zero": 0.0, "mean": slice_before.double().mean().item(), "constant": 0.75}[removal]
        torch.testing.assert_close(values, torch.full_like(values, number), rtol=0, atol=1e-7)
    assert torch.equal(now, edited(model, parameter, values, rows, columns).get_parameter(parameter))
    assert torch.equal(found, edited(model, parameter, values, rows, columns)(TOKENS)["logits"])
    assert cuts[0].proof()["changed"]
    assert trace(model) == before


def test_a_shuffle_is_the_seeds_and_leaves_the_random_numbers_alone():
    model, found = Decoder(), []
    for seed in (1, 1, 2):
        torch.manual_seed(5)
        with cut(model, weight("position", "resample"), seed=seed):
            found.append(model.position.detach().clone())
        assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(5)))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize(
    ("intervention", "message"),
    [
        (
            weight("blocks.0.mlp.0.weight", rows=(20, 25)),
            r"has the shape \(24, 12\): there is no slice 20:25 of dim.* 0",
        ),
        (weight("blocks.0.mlp.0.weight", rows=(5, 5)), r"there is no slice 5:5 of dimension 0"),
        (weight("blocks.0.mlp.0.weight", rows=(-2, 5)), r"there is no slice -2:5 of dimension 0"),
        (weight("blocks.0.mlp.0.weight", columns=(0, 13)), r"\(24, 12\): there is no slice 0:13 of dimension 1"),
        (weight("blocks.0.mlp.0.bias", columns=(0, 1)), r"\(24,\): there is no slice 0:1 of dimension 1"),
        (weight("blocks.0.mlp.0"), "the model has no parameter 'blocks.0.mlp.0'"),
        (weight("nothing"), "the model has no parameter 'nothing'"),
    ],
)
def test_what_is_not_there_is_refused_with_the_shape(intervention, message):
    model = Decoder()
    before = trace(model)
    with pytest.raises(Refused, match=message), cut(model, weight("position"), intervention):
        pass
    assert trace(model) == before


def test_a_weight_that_is_zero_already_says_so():
    model = Decoder()
    nn.init.zeros_(model.blocks[0].mlp[0].bias)
    with cut(model, weight("blocks.0.mlp.0.bias")) as cuts:
        model(TOKENS)
    proof = cuts[0].proof()
    assert (proof["changed"], proof["reason"]) == (False, "the weight was what it is set to already")


def test_a_single_number_is_a_weight_too():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(2.0))

        def forward(self, x):
            return self.scale * x

    model, x = Scaled(), torch.ones(3)
    for intervention, value in ((weight("scale"), 0.0), (weight("scale", "constant", constant=1.0), 1.0)):
        with cut(model, intervention) as cuts:
            assert torch.equal(model(x), value * x)
            assert cuts[0].proof()["changed"]
    assert model.scale.item() == 2.0


@pytest.mark.parametrize("name", ["embedding.weight", "head.weight"])
def test_tied_weights_are_cut_under_either_name_and_in_either_use(name):
    model = Decoder().eval()
    before = trace(model)
    with cut(model, weight(name, rows=(3, 4))):
        assert torch.count_nonzero(model.embedding(torch.tensor([3]))) == 0
        assert torch.count_nonzero(model(TOKENS)["logits"][..., 3]) == 0
    assert trace(model) == before
    assert model.head.weight is model.embedding.weight


def test_torchs_attention_uses_a_weight_without_calling_its_module():
    model = nn.TransformerEncoderLayer(12, 2, 24, batch_first=True, dropout=0.0)
    x = torch.randn(2, 5, 12)
    expected = edited(model, "self_attn.out_proj.weight", 0.0, None, (0, 6))(x)
    with cut(model, weight("self_attn.out_proj.weight", columns=(0, 6))):
        assert torch.equal(model(x), expected)
    values_of_the_first_head = weight("self_attn.in_proj_weight", rows=(24, 30))
    expected = edited(model, "self_attn.in_proj_weight", 0.0, (24, 30), None)(x)
    with cut(model, values_of_the_first_head):
        assert torch.equal(model(x), expected)


# held through training


class Twice(nn.Module):
    """Calls one layer twice in each forward, and looks at its weight in between."""

    def __init__(self):
        super().__init__()
        self.shared, self.last = nn.Linear(4, 4), nn.Linear(4, 1)
        self.seen = []

    def forward(self, x):
        x = self.shared(torch.tanh(self.shared(x)))
        self.seen.append(self.shared.weight.detach().clone())
        return self.last(x)


OPTIMIZERS = {
    "momentum": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9),
    "Adam with decay": lambda weights: torch.optim.Adam(weights, lr=0.1, weight_decay=0.1),
    "AdamW": lambda weights: torch.optim.AdamW(weights, lr=0.1, weight_decay=0.1),
    "without an object": None,
}


def steps(model, make, count=4):
    optimizer = make(model.parameters()) if make else None
    for _ in range(count):
        model.zero_grad()
        (model(torch.randn(8, 4)) - 1).square().mean().backward()
        if optimizer:
            optimizer.step()
        else:
            for parameter in model.parameters():
                parameter.data -= 0.1 * parameter.grad


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize(
    "intervention",
    [
        weight("shared.weight", rows=(0, 2)),
        weight("shared.weight", "mean", columns=(1, 3)),
        weight("shared.weight", "constant", rows=(0, 2), columns=(0, 2), constant=0.5),
    ],
)
def test_a_slice_keeps_its_value_through_training_and_the_rest_learns(make, intervention):
    model, rows, columns = Twice(), intervention.rows, intervention.columns
    start = copy.deepcopy(model)
    with cut(model, intervention) as cuts:
        held = part(model.shared.weight.detach(), rows, columns).clone()
        steps(model, make)
        assert len(model.seen) == 4
        assert all(torch.equal(part(one, rows, columns), held) for one in model.seen)
        moved = (model.seen[-1] != start.shared.weight).sum()
        assert moved >= model.shared.weight.numel() - held.numel()
        assert not torch.equal(model.last.weight, start.last.weight)
        assert model.shared.weight.grad.isfinite().all()
        if make:  # an optimizer's step is mended at once
            assert torch.equal(part(model.shared.weight.detach(), rows, columns), held)
        assert cuts[0].proof()["calls"] >= 4 * 3
    kept = part(start.shared.weight.detach(), rows, columns)
    assert torch.equal(part(model.shared.weight.detach(), rows, columns), kept)


def test_a_slice_is_held_in_a_model_that_is_trained_by_another_method():
    class Scored(Twice):
        def loss(self, x):
            return (F.linear(x, self.shared.weight) - 1).square().mean()

    model = Scored()
    with cut(model, weight("shared.weight", rows=(1, 3))):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(3):
            assert torch.count_nonzero(model.shared.weight[1:3]) == 0
            optimizer.zero_grad()
            model.loss(torch.randn(8, 4)).backward()
            optimizer.step()
        assert torch.count_nonzero(model.shared.weight[1:3]) == 0
    optimizer.step()
    assert torch.count_nonzero(model.shared.weight[1:3]) == 8, "it is held although it was undone"


def test_a_deep_copy_is_held_by_its_own():
    model = Twice()
    with cut(model, weight("shared.weight", rows=(0, 2))):
        copied = copy.deepcopy(model)
        steps(copied, OPTIMIZERS["momentum"])
        assert torch.count_nonzero(copied.seen[-1][:2]) == 0
        assert torch.count_nonzero(copied.seen[-1][2:]) == 8
        assert not torch.equal(copied.last.weight, model.last.weight)


def test_of_overlapping_slices_the_later_cut_has_its_value():
    model, x = nn.Sequential(nn.Linear(4, 4)), torch.randn(3, 4)
    before = trace(model)
    first, second = weight("0.weight", rows=(0, 3)), weight("0.weight", "constant", rows=(2, 4), constant=2.0)
    for interventions, row in (((first, second), 2.0), ((second, first), 0.0)):
        with cut(model, *interventions):
            model(x)
            assert torch.equal(model[0].weight[2].detach(), torch.full((4,), row))
            assert torch.equal(model[0].weight[3].detach(), torch.full((4,), 2.0))
            assert torch.count_nonzero(model[0].weight[:2]) == 0
        assert trace(model) == before


def test_gradients_of_the_rest_are_those_of_the_edited_model():
    model = Twice()
    other, x = edited(model, "shared.weight", 0.0, (0, 2), None), torch.randn(8, 4)
    with cut(model, weight("shared.weight", rows=(0, 2))):
        model(x).sum().backward()
    other(x).sum().backward()
    assert torch.equal(model.shared.weight.grad, other.shared.weight.grad)
    assert torch.equal(model.last.weight.grad, other.last.weight.grad)


def test_evaluation_may_be_in_inference_mode():
    model, x = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), torch.randn(3, 4)
    before = trace(model)
    with torch.inference_mode(), cut(model, weight("0.weight"), ModuleIntervention(path="1", removal="zero")):
        assert torch.count_nonzero(model(x)) == 0
        assert torch.equal(model[0](x), model[0].bias.expand(3, 4))
    assert trace(model) == before
    model(x).sum().backward()


def test_cuts_come_out_in_any_number_of_sets():
    model, x = Twice(), torch.randn(2, 4)
    before, stack = trace(model), []
    for rows in ((0, 2), (1, 3), (0, 4)):
        stack.append(operate(model, [weight("shared.weight", "mean", rows=rows).model_dump()]))
        model(x)
    for cuts in reversed(stack):
        undo(cuts)
        model(x)
    assert trace(model) == before
