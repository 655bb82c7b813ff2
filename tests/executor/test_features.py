import pytest
import torch
from lesion.executor.inside.anatomy import Anatomist
from lesion.executor.outcomes import ModuleRecord, ParameterRecord
from torch import nn

from .architectures import Decoder, ResNet, ShiftedWindows, watched

TOKENS = torch.tensor([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])


def modules(model, *inputs, train=False):
    records = [ModuleRecord(**one) for one in watched(model, *inputs, train=train).describe()]
    return {one.path: one for one in records}


def units(records):
    return {path: (one.features, one.feature_dim) for path, one in records.items()}


# units


def test_channels_come_first_in_convolutions_and_in_the_blocks_made_of_them():
    found = units(modules(ResNet(), torch.randn(2, 3, 8, 8)))
    assert {path: dim for path, (_, dim) in found.items() if dim != 1} == {"fc": -1}
    assert (found["stem"], found["stem.2"], found["layer1"], found["layer1.relu"]) == ((4, 1),) * 4
    assert (found["layer2"], found["layer2.downsample"], found["pool"], found["fc"]) == (
        (6, 1),
        (6, 1),
        (6, 1),
        (5, -1),
    )


def test_channels_come_last_in_linear_layers_of_images():
    found = units(modules(ShiftedWindows(), torch.randn(2, 3, 8, 8)))
    assert found["patches"] == (8, 1)
    assert (found["norm"], found["mlp"], found["mlp.0"], found["mlp.1"]) == ((8, -1), (8, -1), (16, -1), (16, -1))


def test_units_of_a_language_model_are_its_last_dimension():
    found = units(modules(Decoder(), TOKENS))
    assert {dim for _, dim in found.values()} == {-1, None}
    assert (found["blocks.0"], found["blocks.0.mlp.1"], found["head"]) == ((12, -1), (24, -1), (11, -1))
    assert found["blocks"] == (None, None)


class Permuting(nn.LayerNorm):
    """Normalises channels that come first, as ConvNeXt's."""

    def forward(self, input):
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (nn.Conv1d(3, 6, 1), (2, 3, 7), (6, 1)),
        (nn.Sequential(nn.Conv1d(3, 6, 1), nn.ReLU()), (2, 3, 7), (6, 1)),
        (nn.Sequential(nn.BatchNorm1d(3), nn.Tanh()), (2, 3), (3, -1)),
        (nn.Conv2d(3, 6, 1), (3, 7, 7), (None, None)),
        (nn.Sequential(nn.Conv2d(3, 6, 1), nn.Flatten(2)), (2, 3, 2, 2), (4, -1)),
        (nn.GroupNorm(1, 3), (2, 3, 7), (3, 1)),
        (Permuting(3), (2, 3, 5, 5), (3, 1)),
        (nn.Sequential(nn.Conv2d(3, 5, 1), Permuting(5)), (2, 3, 5, 5), (5, 1)),
        (nn.LayerNorm(5), (2, 3, 5, 5), (5, -1)),
        (nn.MaxPool2d(2), (2, 3, 4, 4), (3, 1)),
        (nn.MaxPool2d(2, return_indices=True), (2, 3, 4, 4), (None, None)),
        (nn.GRU(4, 6), (5, 2, 4), (None, None)),
        (nn.ReLU(), (2, 4), (4, -1)),
        (nn.Flatten(0), (2, 4), (None, None)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_units_of_one_layer(layer, shape, expected):
    model = nn.ModuleDict({"layer": layer})
    model.forward = lambda x: model["layer"](x)
    assert units(modules(model, torch.randn(shape)))["layer"] == expected


# branches


def branches(model, *inputs, train=False):
    return {path for path, one in modules(model, *inputs, train=train).items() if one.branch}


@pytest.mark.parametrize("train", [False, True])
def test_what_is_added_to_the_stream_is_a_branch_through_its_dropout_too(train):
    expected = {
        f"blocks.{i}.{path}"
        for i in range(2)
        for path in ("attention", "attention.c_proj", "attention.resid_dropout", "mlp", "mlp.2")
    }
    assert branches(Decoder(), TOKENS, train=train) == expected


def test_both_paths_into_a_block_are_branches_where_the_shortcut_is_projected():
    expected = {"layer1.bn2", "layer2.bn2", "layer2.downsample", "layer2.downsample.1"}
    assert branches(ResNet(), torch.randn(2, 3, 8, 8)) == expected


class Additions(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.gate, self.shortcut = nn.Linear(4, 4), nn.Linear(4, 1), nn.Identity()
        self.norm, self.bias = nn.LayerNorm(4), nn.Parameter(torch.ones(3, 4))
        self.scale, self.read = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = torch.add(self.inner(x), other=self.shortcut(x))
        x = x + self.gate(x)
        x = self.norm(x) + self.bias
        return x.add_(self.scale(x) * 2) + 1 - self.read(x)


def test_the_stream_constants_and_other_shapes_and_operations_make_no_branch():
    assert branches(Additions(), torch.randn(3, 4)) == {"inner"}


# parameters


def parameters(model, *inputs):
    records = [ParameterRecord(**one) for one in watched(model, *inputs).parameters()]
    return {one.name: one for one in records}


def test_each_parameter_is_described_once_with_its_other_names():
    found = parameters(Decoder(layers=1), TOKENS)
    assert "head.weight" not in found
    tied = found["embedding.weight"]
    assert (tied.aliases, tied.shape, tied.module, tied.bare) == (["head.weight"], [11, 12], "embedding", False)
    assert (found["position"].module, found["position"].bare, found["position"].shape) == ("", True, [1, 7, 12])
    assert {name for name, one in found.items() if one.bare} == {"position"}


class Custom(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(4, 4), nn.Unflatten(0, (3, 1)), nn.LSTM(4, 4))
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, input):
        return super().forward(input * self.scale)


def test_what_no_module_intervention_removes_alone_is_bare():
    found = parameters(Custom(), torch.randn(3, 4))
    assert {name: one.bare for name, one in found.items() if "hh" not in name and "ih" not in name} == {
        "scale": True,
        "0.weight": False,
        "0.bias": False,
    }
    assert all(one.bare for name, one in found.items() if name.startswith("2."))


def test_a_model_without_parameters():
    anatomist = watched(nn.Sequential(nn.ReLU(), nn.Flatten()), torch.randn(2, 3, 4))
    assert (anatomist.parameters(), anatomist.heads(), anatomist.flops) == ([], [], 0)


# operations


@pytest.mark.parametrize("inference", [False, True])
def test_operations_are_those_of_one_evaluation(inference):
    model = ResNet()
    anatomist = Anatomist(model)
    with anatomist.watching(), torch.inference_mode(inference):
        model.train()(torch.randn(3, 3, 8, 8))
        for size in (2, 5):
            model.eval()(torch.randn(size, 3, 8, 8))
    flops = {one["path"]: one["flops"] for one in anatomist.describe()}
    assert flops["fc"] == 2 * 2 * 6 * 5
    assert flops["stem.0"] == 2 * 2 * 4 * 64 * 3 * 9
    assert flops["layer1"] == flops["layer1.conv1"] + flops["layer1.conv2"]
    assert anatomist.flops == sum(flops[path] for path in ("stem", "layer1", "layer2", "fc"))


@pytest.mark.parametrize("inference", [False, True])
def test_attention_is_counted(inference):
    model = Decoder(layers=1).eval()
    anatomist = Anatomist(model)
    with anatomist.watching(), torch.inference_mode(inference):
        model(TOKENS)
    flops = {one["path"]: one["flops"] for one in anatomist.describe()}
    attention = "blocks.0.attention"
    layers = flops[f"{attention}.c_attn"] + flops[f"{attention}.c_proj"]
    assert layers == 2 * 2 * 5 * 12 * (36 + 12)
    assert flops[attention] - layers == 2 * (2 * 2 * 5 * 5 * 12)


def test_training_is_counted_where_nothing_was_evaluated_and_every_call_of_a_module():
    layer = nn.Linear(4, 4)
    model = nn.Sequential(layer, nn.ReLU(), layer)
    anatomist = Anatomist(model)
    with anatomist.watching():
        model(torch.randn(3, 4)).sum().backward()
    assert anatomist.flops == 2 * (2 * 3 * 4 * 4)
    assert {one["path"]: one["flops"] for one in anatomist.describe()} == {"0": anatomist.flops, "1": 0}


def test_what_cannot_be_counted_is_unknown():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.memory, self.head = nn.LSTM(4, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.head(self.memory(x)[0])

    anatomist = watched(Recurrent(), torch.randn(5, 2, 4))
    assert anatomist.flops is None
    flops = {one["path"]: one["flops"] for one in anatomist.describe()}
    assert flops == {"memory": None, "head": 2 * 10 * 4 * 2}
    assert Anatomist(Recurrent()).flops is None
