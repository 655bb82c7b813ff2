"""Heads and units cut in live models, against hooks and weights edited by hand, on every kind of attention."""

import copy

import pytest
import torch
from lesion.executor.inside.surgery import Refused
from lesion.executor.interventions import HeadIntervention, ModuleIntervention, NeuronIntervention, WeightIntervention
from torch import nn

from .architectures import Decoder, PackedAttention, ResNet
from .laboratory import cut, referred, trace

TOKENS = torch.tensor([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])
REFERENCE = [torch.randint(11, (3, 5), generator=torch.Generator().manual_seed(seed)) for seed in range(2)]


@pytest.fixture(autouse=True)
def _pinned():
    torch.manual_seed(0)
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(before)


def gpt2():
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(vocab_size=20, n_positions=16, n_embd=12, n_layer=2, n_head=3)
    return transformers.GPT2LMHeadModel(config), "transformer.h.1.attn", "transformer.h.1.attn.c_proj", 4


def llama():
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        vocab_size=20,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    return transformers.LlamaForCausalLM(config), "model.layers.0.self_attn", "model.layers.0.self_attn.o_proj", 4


def bert():
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=24
    )
    attention = "bert.encoder.layer.1.attention"
    return transformers.BertForSequenceClassification(config), attention, f"{attention}.output.dense", 4


def decoder(fused):
    return Decoder(fused=fused), "blocks.1.attention", "blocks.1.attention.c_proj", 4


class Images(nn.Module):
    """A vision transformer that takes tokens, so that all models here do."""

    def __init__(self):
        super().__init__()
        transformers = pytest.importorskip("transformers")
        config = transformers.ViTConfig(
            hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=24, image_size=8, patch_size=4
        )
        self.vit = transformers.ViTForImageClassification(config)

    def forward(self, tokens):
        return self.vit(torch.cos(torch.arange(192.0) * tokens.sum(1, keepdim=True)).view(-1, 3, 8, 8))


def vit():
    model = Images()
    path = next(path for path, _ in model.named_modules() if path.endswith("1.attention"))
    projection = next(p for p, m in model.named_modules() if p.startswith(path) and p.endswith(("dense", "o_proj")))
    return model, path, projection, 4


class Encoder(nn.Module):
    """torch's own encoder, on tokens."""

    def __init__(self, batch_first):
        super().__init__()
        self.embedding = nn.Embedding(20, 12)
        layer = nn.TransformerEncoderLayer(12, 2, 24, batch_first=batch_first)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, tokens):
        return self.encoder(self.embedding(tokens))


def encoder(batch_first):
    path = "encoder.layers.1.self_attn"
    return Encoder(batch_first), path, f"{path}.out_proj", 6


BUILDERS = {
    "GPT-2": gpt2,
    "Llama": llama,
    "BERT": bert,
    "ViT": vit,
    "fused": lambda: decoder(True),
    "by hand": lambda: decoder(False),
    "encoder, batch first": lambda: encoder(True),
    "encoder, tokens first": lambda: encoder(False),
}
every_attention = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)


def built(build):
    torch.manual_seed(0)
    model, path, projection, width = build()
    return model.eval(), path, projection, width


def output(model, tokens=TOKENS):
    with torch.no_grad():
        found = model(tokens)
    return found if isinstance(found, torch.Tensor) else found["logits"]


def columns_zeroed(model, projection, columns):
    """The output of a copy whose projection ignores these columns of its input."""
    edited = copy.deepcopy(model)
    weight = edited.get_submodule(projection).weight
    with torch.no_grad():
        if type(edited.get_submodule(projection)).__name__ == "Conv1D":
            weight[columns] = 0
        else:
            weight[:, columns] = 0
    return output(edited)


@every_attention
@pytest.mark.parametrize("heads", [[0], [1], [1, 0]])
def test_zeroing_heads_equals_zeroing_their_columns_of_the_projections_weight(build, heads):
    model, path, projection, width = built(build)
    before, plain = trace(model), output(model)
    expected = columns_zeroed(model, projection, [h * width + i for h in heads for i in range(width)])
    with cut(model, head(path, projection, heads, width)) as cuts:
        found = output(model)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert (found - expected).abs().max() < (plain - expected).abs().max() / 50
    assert cuts[0].proof()["changed"]
    assert cuts[0].proof()["calls"] == 1
    assert cuts[0].proof()["target"] == f"{path}/{'0:2' if len(heads) > 1 else heads[0]}"
    assert trace(model) == before
    assert torch.equal(output(model), plain)


def head(path, projection, heads, width, removal="zero", **more):
    return HeadIntervention(path=path, projection=projection, heads=heads, width=width, removal=removal, **more)


def test_a_key_value_group_is_its_query_heads_together():
    model, path, projection, width = built(llama)
    attention = model.get_submodule(path)
    edited = copy.deepcopy(model)
    with torch.no_grad():  # values of zero for the second group: nothing of its query heads is left
        edited.get_submodule(path).v_proj.weight[width:] = 0
    assert attention.v_proj.weight.shape[0] == 2 * width
    with cut(model, head(path, projection, [2, 3], width)):
        torch.testing.assert_close(output(model), output(edited), rtol=0, atol=1e-6)


def seen_by(model, projection):
    """What reaches the projection over the reference, [batch, tokens, features]."""
    seen = []
    module = model.get_submodule(projection)
    hook = module.register_forward_pre_hook(lambda _, args: seen.append(args[0].clone()))
    for batch in REFERENCE:
        output(model, batch)
    hook.remove()
    return seen


with_a_projection = pytest.mark.parametrize("build", [gpt2, llama, bert, lambda: decoder(True), lambda: decoder(False)])


@with_a_projection
@pytest.mark.parametrize("removal", ["mean", "constant"])
def test_heads_get_the_values_that_a_hook_by_hand_gives_them(build, removal):
    model, path, projection, width = built(build)
    intervention = head(path, projection, [1], width, removal, constant=0.25 if removal == "constant" else 0.0)
    seen = torch.cat(seen_by(model, projection))[..., width : 2 * width]
    value = seen.double().mean((0, 1)).float() if removal == "mean" else torch.tensor(0.25)

    def by_hand(_module, args):
        edited = args[0].clone()
        edited[..., width : 2 * width] = value
        return (edited, *args[1:])

    with cut(model, intervention, references=referred(model, [intervention], *REFERENCE)):
        found = output(model)
    hook = model.get_submodule(projection).register_forward_pre_hook(by_hand)
    expected = output(model)
    hook.remove()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@with_a_projection
@torch.no_grad()
def test_resampled_heads_are_those_of_another_example_at_the_same_positions(build):
    model, path, projection, width = built(build)
    intervention = head(path, projection, [1], width, "resample")
    references, layer = referred(model, [intervention], *REFERENCE), model.get_submodule(projection)
    seen, given = torch.cat(seen_by(model, projection)), []
    look = layer.register_forward_hook(lambda _, args, out: given.append((args[0], out)))
    with cut(model, intervention, references=references):
        output(model)
    look.remove()
    for example, projected in zip(*given[0], strict=True):
        possible = [
            layer(torch.cat([example[:, :width], one[:, width : 2 * width], example[:, 2 * width :]], 1))
            for one in seen
        ]
        assert sum(torch.allclose(projected, one, rtol=0, atol=1e-6) for one in possible) == 1


class Mirror:
    """Statistics that give every value back as it is."""

    def mean(self, like, _slot):
        return like.clone()


@every_attention
def test_heads_that_are_replaced_by_themselves_change_no_bit(build):
    model, path, projection, width = built(build)
    intervention, plain = head(path, projection, [1], width, "mean"), output(model)
    references = dict.fromkeys(referred(model, [intervention]), Mirror())
    with cut(model, intervention, references=references) as cuts:
        assert torch.equal(output(model), plain)
    assert cuts[0].proof()["reason"] == "the values it edits were what they were set to already"


# torch's own attention


class Mixing(nn.Module):
    """nn.MultiheadAttention, called in one of its ways."""

    def __init__(self, batch_first=True, bias=True, width=12, **sizes):
        super().__init__()
        self.mix = nn.MultiheadAttention(width, 3, batch_first=batch_first, bias=bias, **sizes)
        if bias:
            nn.init.normal_(self.mix.out_proj.bias)

    def forward(self, query, *others, **how):
        key, value = others or (query, query)
        return self.mix(query, key, value, **how)


def called(model, *args, **how):
    with torch.no_grad():
        attended, weights = model(*args, **how)
    return [attended, *([] if weights is None else [weights])]


PADDING = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
WAYS = {
    "plain": {},
    "no weights": {"need_weights": False},
    "weights of each head": {"average_attn_weights": False},
    "padded": {"key_padding_mask": PADDING},
    "padded, no weights": {"key_padding_mask": PADDING, "need_weights": False},
    "causal": {"attn_mask": torch.ones(5, 5).triu(1).bool(), "is_causal": True, "need_weights": False},
}


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_cutting_torchs_attention_equals_zeroing_columns_of_its_projection(batch_first, bias, train, how):
    model, x = Mixing(batch_first, bias).train(train), torch.randn(2, 5, 12)
    x = x if batch_first else x.transpose(0, 1)
    compare_with_columns(model, (x,), how)


@pytest.mark.parametrize("how", [{}, {"need_weights": False}])
def test_cutting_torchs_attention_without_a_batch(how):
    compare_with_columns(Mixing(), (torch.randn(5, 12),), how)


def test_cutting_torchs_attention_with_keys_of_another_width_and_length():
    query, key, value = torch.randn(2, 5, 12), torch.randn(2, 7, 6), torch.randn(2, 7, 4)
    compare_with_columns(Mixing(kdim=6, vdim=4), (query, key, value), {})


def compare_with_columns(model, args, how):
    before, plain = trace(model), called(model, *args, **how)
    projection = model.mix.out_proj
    nothing_changed = head("mix", "mix.out_proj", [1], 4, "mean")
    with cut(model, nothing_changed, references=mirror(model, args, how)):
        unchanged = called(model, *args, **how)
    assert all(map(torch.equal, unchanged, plain))
    with cut(model, head("mix", "mix.out_proj", [2, 0], 4)) as cuts:
        found = called(model, *args, **how)
    assert model.mix.out_proj is projection
    assert cuts[0].proof() == {
        "target": "mix/0,2",
        "removal": "zero",
        "calls": 1,
        "changed": True,
        "reason": None,
    }
    with torch.no_grad():
        kept = projection.weight.clone()
        projection.weight[:, [0, 1, 2, 3, 8, 9, 10, 11]] = 0
        expected = called(model, *args, **how)
        projection.weight.copy_(kept)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    assert [one.stride() for one in found] == [one.stride() for one in plain]
    assert trace(model) == before


def mirror(model, args, how):
    intervention = head("mix", "mix.out_proj", [1], 4, "mean")
    return dict.fromkeys(referred(model, [intervention]), Mirror())


@pytest.mark.parametrize("batch_first", [True, False])
def test_torchs_attention_is_resampled_by_whole_examples(batch_first):
    model = Mixing(batch_first).eval()
    intervention = head("mix", "mix.out_proj", [1], 4, "resample")
    x = torch.randn(6, 5, 12)
    arranged = x if batch_first else x.transpose(0, 1)
    references = referred(model, [intervention], arranged)
    projection = model.mix.out_proj
    with cut(model, intervention, references=references):
        found, _ = called(model, arranged)
    model.mix.out_proj = nn.Identity()
    model.mix.out_proj.weight, model.mix.out_proj.bias = torch.eye(12), None
    joined, _ = called(model, arranged)
    model.mix.out_proj = projection
    joined, found = (one if batch_first else one.transpose(0, 1) for one in (joined, found))
    for example, given in zip(joined, found, strict=True):
        possible = [projection(torch.cat([example[:, :4], one[:, 4:8], example[:, 8:]], 1)) for one in joined]
        assert any(torch.allclose(given, one, atol=1e-6) for one in possible)


def test_torchs_attention_trains_with_its_heads_cut_as_with_their_columns_zeroed():
    model = Mixing(bias=False).train()
    edited, x = copy.deepcopy(model), torch.randn(2, 5, 12)
    with torch.no_grad():
        edited.mix.out_proj.weight[:, :4] = 0
    edited(x)[0].square().sum().backward()
    with cut(model, head("mix", "mix.out_proj", [0], 4)):
        model(x)[0].square().sum().backward()
    torch.testing.assert_close(model.mix.in_proj_weight.grad, edited.mix.in_proj_weight.grad)
    assert torch.count_nonzero(model.mix.out_proj.weight.grad[:, :4]) == 0
    torch.testing.assert_close(model.mix.out_proj.weight.grad[:, 4:], edited.mix.out_proj.weight.grad[:, 4:])


def test_what_torchs_attention_raises_leaves_its_projection_in_place():
    model = Mixing()
    before, projection = trace(model), model.mix.out_proj
    with cut(model, head("mix", "mix.out_proj", [0], 4)), pytest.raises(AssertionError):
        model(torch.randn(2, 5, 7))
    assert model.mix.out_proj is projection
    assert trace(model) == before


# units


@pytest.mark.parametrize(
    ("model", "path", "dim", "x"),
    [
        (ResNet().eval(), "layer1.conv1", 1, torch.randn(2, 3, 6, 6)),
        (ResNet().eval(), "stem", -3, torch.randn(2, 3, 6, 6)),
        (ResNet().eval(), "fc", -1, torch.randn(2, 3, 6, 6)),
        (Decoder().eval(), "blocks.0.mlp.0", -1, TOKENS),
        (Decoder().eval(), "blocks.1", 2, TOKENS),
    ],
)
@pytest.mark.parametrize("removal", ["zero", "constant", "mean"])
def test_units_are_replaced_as_by_hand(model, path, dim, x, removal):
    intervention = NeuronIntervention(
        path=path, dim=dim, units=[3, 1], removal=removal, constant=-1.5 if removal == "constant" else 0.0
    )
    batch = torch.randn(4, 3, 6, 6) if x.dim() == 4 else REFERENCE[0]
    values = []

    def by_hand(_module, _args, out):
        rows = out.clone().movedim(dim, -1)
        if not values:
            values.append(rows[..., [3, 1]].flatten(0, -2).double().mean(0).float())
        else:
            rows[..., [3, 1]] = values[0] if removal == "mean" else torch.tensor(intervention.constant)
        return rows.movedim(-1, dim).contiguous()

    before, plain = trace(model), output(model, x)
    references = referred(model, [intervention], batch)
    hook = model.get_submodule(path).register_forward_hook(by_hand)
    output(model, batch)
    expected = output(model, x)
    hook.remove()
    with cut(model, intervention, references=references) as cuts:
        found = output(model, x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert not torch.equal(found, plain)
    assert cuts[0].proof()["target"] == f"{path}[1,3]"
    assert cuts[0].proof()["changed"]
    assert trace(model) == before


def test_resampled_units_come_together_from_one_example():
    model = nn.Sequential(nn.Identity())
    reference = torch.arange(40.0).view(10, 4)
    intervention = NeuronIntervention(path="0", units=[2, 0], removal="resample")
    references = referred(model, [intervention], reference)
    x = -torch.ones(30, 4)
    with cut(model, intervention, references=references):
        found = model(x)
    assert torch.equal(found[:, [1, 3]], x[:, [1, 3]])
    assert torch.equal(found[:, 2] - found[:, 0], torch.full((30,), 2.0))
    assert set(found[:, 0].tolist()) <= set(reference[:, 0].tolist())
    assert len(set(found[:, 0].tolist())) > 3


def test_units_of_a_layer_that_is_zeroed_are_zero_already():
    model, x = ResNet().eval(), torch.randn(2, 3, 6, 6)
    units = NeuronIntervention(path="layer1.conv1", dim=1, units=[0, 1], removal="zero")
    with cut(model, ModuleIntervention(path="layer1.conv1", removal="zero"), units) as cuts:
        output(model, x)
    assert [one.proof()["changed"] for one in cuts] == [True, False]


def test_modules_heads_units_and_weights_go_together_on_one_module():
    model, path, projection, width = built(lambda: decoder(True))
    interventions = [
        head(path, projection, [0], width),
        head(path, projection, [2], width, "constant", constant=1.0),
        NeuronIntervention(path=projection, units=[0, 1], removal="constant", constant=2.0),
        WeightIntervention(parameter=f"{projection}.weight", columns=(4, 8), removal="zero"),
        WeightIntervention(parameter=f"{projection}.bias", removal="constant", constant=0.5),
        ModuleIntervention(path="blocks.0.mlp", removal="zero"),
    ]
    before, layer, found = trace(model), model.get_submodule(projection), []
    weight = layer.weight.detach().clone()
    with cut(model, *interventions) as cuts:
        look = layer.register_forward_hook(lambda _, args, out: found.append(out))
        output(model)
        look.remove()
    expected = (weight[:, 8:].sum(1) + 0.5).expand(2, 5, 12).clone()
    expected[..., :2] = 2.0
    torch.testing.assert_close(found[0].detach(), expected)
    assert all(one.proof()["changed"] for one in cuts)
    assert trace(model) == before


@pytest.mark.parametrize(
    ("intervention", "message"),
    [
        (NeuronIntervention(path="mix.out_proj", units=[12], removal="zero"), None),
        (NeuronIntervention(path="last", units=[4], removal="zero"), "last has 4 units: there is no unit 4"),
        (NeuronIntervention(path="last", units=[-1], removal="zero"), "last has 4 units: there is no unit -1"),
        (NeuronIntervention(path="last", units=[0], dim=5, removal="zero"), "last has 0 units"),
        (NeuronIntervention(path="mix", units=[0], removal="zero"), "units of mix: its output is a tuple"),
        (head("mix", "mix.out_proj", [3], 4), "mix has 3 heads of width 4: there is no head 3"),
        (head("mix", "mix.out_proj", [-1], 4), "mix has 3 heads of width 4: there is no head -1"),
        (head("last", "last", [0, 5], 4), "last has 3 heads of width 4: there is no head 5"),
        (head("last", "nowhere.proj", [0], 4), "the model has no module 'nowhere.proj'"),
    ],
)
def test_heads_and_units_that_are_not_there_are_refused(intervention, message):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix, self.last = nn.MultiheadAttention(12, 3, batch_first=True), nn.Linear(12, 4)

        def forward(self, x):
            return self.last(self.mix(x, x, x)[0])

    model, x = Model(), torch.randn(2, 5, 12)
    before = trace(model)
    if message:
        with pytest.raises(Refused, match=message), cut(model, intervention):
            model(x)
    else:  # torch's attention never calls its projection
        with cut(model, intervention) as cuts:
            model(x)
        assert cuts[0].proof()["reason"] == "the module was never called"
    assert trace(model) == before


def test_heads_may_be_projected_by_the_model_itself():
    model = PackedAttention().eval()
    expected = columns_zeroed_at_the_top(model)
    x = torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(1))
    with torch.no_grad(), cut(model, head("", "c_proj", [1], 4)) as cuts:
        torch.testing.assert_close(model(x), expected, rtol=0, atol=1e-6)
        assert cuts[0].proof()["changed"]
    alone = nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad(), cut(alone, head("", "out_proj", [0, 1, 2], 4)):
        torch.testing.assert_close(alone(x, x, x)[0], alone.out_proj.bias.expand(2, 5, 12))


def columns_zeroed_at_the_top(model):
    edited = copy.deepcopy(model)
    with torch.no_grad():
        edited.c_proj.weight[:, 4:8] = 0
        return edited(torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(1)))


def test_a_projection_may_be_called_by_keyword():
    class Keyword(nn.Module):
        def __init__(self):
            super().__init__()
            self.proj = nn.Linear(12, 3)

        def forward(self, x):
            return self.proj(input=x)

    model, x = Keyword(), torch.randn(2, 12)
    zeroed = torch.cat([torch.zeros(2, 4), x[:, 4:]], 1)
    with cut(model, head("proj", "proj", [0], 4)):
        assert torch.equal(model(x), nn.functional.linear(zeroed, model.proj.weight, model.proj.bias))
