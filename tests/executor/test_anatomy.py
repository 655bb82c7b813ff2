import gc
import weakref

import pytest
import torch
from lesion.executor.inside.anatomy import Anatomist
from torch import nn


class Residual(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.activation = nn.ReLU()

    def forward(self, x):
        return x + self.activation(self.inner(x))


class Network(nn.Module):
    """A residual block, a plain stack, two heads, and a module nobody calls."""

    def __init__(self, auxiliary_last):
        super().__init__()
        self.auxiliary_last = auxiliary_last
        self.block = Residual()
        self.stack = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
        self.memory = nn.GRU(4, 4, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(4, 3)
        self.auxiliary = nn.Linear(4, 3)
        self.spare = nn.Linear(4, 4)

    def forward(self, x):
        hidden, _last = self.memory(self.dropout(self.stack(self.block(x))))
        if self.auxiliary_last:
            return self.head(hidden), self.auxiliary(hidden)
        beside = self.auxiliary(hidden)
        return self.head(hidden), beside


def anatomy(model, *inputs, calls=1):
    anatomist = Anatomist(model)
    with anatomist.watching():
        for _ in range(calls):
            model(*inputs)
    return {record["path"]: record for record in anatomist.describe()}


@pytest.fixture(params=[True, False], ids=["auxiliary head last", "auxiliary head first"])
def records(request):
    torch.manual_seed(0)
    return anatomy(Network(request.param), torch.randn(2, 5, 4), calls=3)


def test_every_module_but_the_model_itself_is_described_in_order(records):
    paths = "block block.inner block.activation stack stack.0 stack.1 memory dropout head auxiliary spare"
    assert list(records) == paths.split()


def test_only_the_block_that_adds_its_input_is_residual(records):
    assert {path for path, one in records.items() if one["residual"]} == {"block"}


def test_what_keeps_the_shape_can_be_bypassed(records):
    bypassable = {path for path, one in records.items() if one["bypassable"]}
    assert bypassable == {"block", "block.inner", "block.activation", "stack", "stack.0", "stack.1", "dropout"}


def test_the_output_layer_is_the_one_whose_output_is_the_models(records):
    assert {path for path, one in records.items() if one["is_output"]} == {"head"}


def test_calls_are_counted_and_none_is_none(records):
    assert {one["calls"] for path, one in records.items() if path != "spare"} == {3}
    spare = records["spare"]
    assert (spare["calls"], spare["input_shape"], spare["output_shape"], spare["bypassable"]) == (0, None, None, False)


def test_a_tuple_is_an_output_without_a_shape(records):
    memory = records["memory"]
    assert (memory["output_type"], memory["input_shape"], memory["output_shape"]) == ("tuple", [2, 5, 4], None)
    assert (memory["bypassable"], memory["residual"]) == (False, False)


def test_sizes_shapes_and_kinds(records):
    assert (records["head"]["input_shape"], records["head"]["output_shape"]) == ([2, 5, 4], [2, 5, 3])
    assert (records["block"]["parameters"], records["block"]["children"]) == (20, 2)
    kinds = {path: records[path]["torch_module"] for path in ("dropout", "stack", "stack.1", "memory", "block")}
    assert kinds == {
        "dropout": "dropout",
        "stack": "container",
        "stack.1": "activation",
        "memory": "rnn",
        "block": None,
    }


def test_units_branches_and_operations(records):
    assert {path for path, one in records.items() if one["branch"]} == {"block.activation"}
    assert (records["head"]["features"], records["head"]["feature_dim"]) == (3, -1)
    assert (records["memory"]["features"], records["spare"]["features"]) == (None, None)
    assert (records["head"]["flops"], records["block"]["flops"]) == (2 * 10 * 4 * 3, 2 * 10 * 4 * 4)
    assert (records["dropout"]["flops"], records["spare"]["flops"]) == (0, None)


GRAPHS = weakref.WeakSet()


class Noting(torch.autograd.Function):
    """Passes its input on; `GRAPHS` knows the graphs that went through it and still exist."""

    @staticmethod
    def forward(ctx, x):
        ctx.node = Node()
        GRAPHS.add(ctx.node)
        return x * 1

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Node:
    pass


class Noted(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = Network(auxiliary_last=False)
        self.block = Residual()

    def forward(self, x):
        logits, beside = self.network(self.block(Noting.apply(self.block(x))))
        return {"logits": Noting.apply(logits), "beside": beside}


def test_no_graph_stays_alive():
    model = Noted()
    anatomist = Anatomist(model)
    with anatomist.watching():
        output = model(torch.randn(2, 5, 4))
    assert len(GRAPHS) == 2
    del output
    gc.collect()
    assert not GRAPHS
    assert anatomist.describe()


class Scaled(nn.Module):
    """Adds its input through a projection, so nothing passes where its children are silent."""

    def __init__(self):
        super().__init__()
        self.main, self.shortcut = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.main(x) + self.shortcut(x)


class Gated(nn.Module):
    """A residual block called with a keyword."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)

    def forward(self, *, hidden):
        return hidden + self.inner(hidden)


class Caller(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.block, self.head = block, nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.block(hidden=x) if isinstance(self.block, Gated) else self.block(x)).log_softmax(-1)


@pytest.mark.parametrize(("block", "residual"), [(Residual, True), (Gated, True), (Scaled, False)])
def test_a_residual_connection_is_told_by_what_passes_when_the_children_are_silent(block, residual):
    assert anatomy(Caller(block()), torch.randn(3, 4))["block"]["residual"] is residual


def test_where_the_output_is_worked_on_afterwards_the_last_layer_with_parameters_is_the_output_layer():
    records = anatomy(Caller(Residual()), torch.randn(3, 4))
    assert {path for path, one in records.items() if one["is_output"]} == {"head"}


def test_describing_leaves_the_model_and_the_random_numbers_as_they_were():
    model = Network(auxiliary_last=False)
    hooks = [len(module._forward_hooks) for module in model.modules()]
    anatomist = Anatomist(model)
    with anatomist.watching():
        model(torch.randn(2, 5, 4))
    torch.manual_seed(3)
    assert anatomist.describe()
    after = torch.rand(3)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(3))
    assert [len(module._forward_hooks) for module in model.modules()] == hooks


class PostNorm(nn.Module):
    """Normalises after it has added its input."""

    def __init__(self):
        super().__init__()
        self.inner, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)

    def forward(self, x):
        return self.norm(x + self.inner(x))


class Basic(nn.Module):
    """As in a ResNet: an activation behind the addition."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU()

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)) + x)


class Listed(nn.Module):
    """Layers in a list that is never called itself, one after the other."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Bare(nn.Module):
    """Computes with a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.weight, self.drop = nn.Parameter(torch.randn(4, 4)), nn.Dropout(0.1)

    def forward(self, x):
        return self.drop(torch.tanh(x @ self.weight))


class Holder(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.block, self.head = block, nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.block(x))


@pytest.mark.parametrize(
    ("block", "shape", "residual"),
    [
        (PostNorm(), (3, 4), True),
        (Basic(), (3, 2, 4, 4), True),
        (nn.TransformerEncoderLayer(4, 2, batch_first=True), (3, 5, 4), True),
        (nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.ReLU()), (3, 4), False),
        (Listed(), (3, 4), False),
        (Bare(), (3, 4), False),
    ],
)
def test_norms_and_activations_on_the_stream_hide_no_residual_and_make_none(block, shape, residual):
    torch.manual_seed(0)
    torch.backends.mha.set_fastpath_enabled(False)
    assert anatomy(Holder(block), torch.randn(shape))["block"]["residual"] is residual
