"""Replay against a plain loop, bit for bit, on models that nobody wrote for it: GPT-2, Llama, ViT and a ResNet."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    ViTConfig,
    ViTForImageClassification,
)

from ..architectures import ResNet
from .bench import head, module, run_of, same_as_plain, tokens, units, weight

WIDTH, HEADS, LAYERS = 32, 4, 3


def language_loss(model, batch):
    logits = model(batch).logits
    losses = F.cross_entropy(logits[:, :-1].flatten(0, 1), batch[:, 1:].flatten(), reduction="none")
    return {"loss": losses.view(len(batch), -1).mean(1)}


def without_cache(model, batch):
    logits = model(batch, use_cache=False).logits
    losses = F.cross_entropy(logits[:, :-1].flatten(0, 1), batch[:, 1:].flatten(), reduction="none")
    return {"loss": losses.view(len(batch), -1).mean(1)}


def image_loss(model, batch):
    images, labels = batch
    given = model(images)
    logits = given if isinstance(given, torch.Tensor) else given.logits
    return {
        "loss": F.cross_entropy(logits, labels, reduction="none"),
        "accuracy": (logits.argmax(-1) == labels).float(),
    }


def images(count, size, side, classes):
    generator = torch.Generator().manual_seed(0)
    return [
        (torch.randn(size, 3, side, side, generator=generator), torch.randint(classes, (size,), generator=generator))
        for _ in range(count)
    ]


def gpt2():
    return GPT2LMHeadModel(GPT2Config(n_layer=LAYERS, n_head=HEADS, n_embd=WIDTH, vocab_size=50, n_positions=16))


def llama():
    return LlamaForCausalLM(
        LlamaConfig(
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            num_key_value_heads=2,
            hidden_size=WIDTH,
            intermediate_size=48,
            vocab_size=50,
        )
    )


def vit():
    return ViTForImageClassification(
        ViTConfig(
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            hidden_size=WIDTH,
            intermediate_size=48,
            image_size=16,
            patch_size=4,
            num_labels=5,
        )
    )


class DeepResNet(ResNet):
    """With statistics as training leaves them, so that its normalisations do something."""

    def __init__(self):
        super().__init__()
        for one in self.modules():
            if isinstance(one, nn.BatchNorm2d):
                one.running_mean.normal_()
                one.running_var.uniform_(0.5, 2)


def every_module(model, removal="zero"):
    """One removal a module that gives a tensor alone, whatever it is."""
    names = [name for name, one in model.named_modules() if name and not list(one.children())]
    return {f"{removal} {name}": [module(name, removal)] for name in names}


MODELS = {
    "gpt2": (gpt2, language_loss, tokens(3, 4, 50), "transformer.h.{}.attn.c_proj"),
    "gpt2 without a cache": (gpt2, without_cache, tokens(3, 4, 50), "transformer.h.{}.attn.c_proj"),
    "llama": (llama, language_loss, tokens(3, 4, 50), "model.layers.{}.self_attn.o_proj"),
    "llama without a cache": (llama, without_cache, tokens(3, 4, 50), "model.layers.{}.self_attn.o_proj"),
    "vit": (vit, image_loss, images(3, 4, 16, 5), "vit.layers.{}.attention.o_proj"),
    "resnet": (DeepResNet, image_loss, images(3, 4, 8, 5), None),
}
REPLAYED = {
    "gpt2 without a cache": 0.4,
    "llama without a cache": 0.4,
    "vit": 0.4,
    "resnet": 0.4,
    "gpt2": 0.2,
    "llama": 0.2,
}
"""The least share of module calls that is to be spared, over heads or modules."""


def made(name):
    build, score, batches, projection = MODELS[name]
    torch.manual_seed(3)
    return run_of(build().eval(), batches, score, reference=batches[:2]), projection


def heads(projection, removal="zero"):
    width = WIDTH // HEADS
    return {
        f"{layer}/{number}": [head(projection.format(layer), number, width, removal)]
        for layer in range(LAYERS)
        for number in range(HEADS)
    }


@pytest.mark.parametrize("name", MODELS)
def test_every_module_removed_alone(name):
    run, _ = made(name)
    found = same_as_plain(run, every_module(run.model))
    spared = [one["replayed"] for one in found.values()]
    assert sum(spared) / len(spared) > REPLAYED[name] / 2
    assert not any(one["remarks"] for one in found.values())


@pytest.mark.parametrize(
    ("name", "removal"),
    [
        *((name, "zero") for name, (*_, projection) in MODELS.items() if projection),
        *(("gpt2 without a cache", removal) for removal in ("mean", "resample")),
        ("llama", "resample"),
        ("vit", "mean"),
    ],
)
def test_every_head_removed_alone(name, removal):
    run, projection = made(name)
    found = same_as_plain(run, heads(projection, removal))
    assert sum(one["replayed"] for one in found.values()) / len(found) > REPLAYED[name] / 2
    assert not any(one["remarks"] for one in found.values())


@pytest.mark.parametrize("name", ["gpt2 without a cache", "llama", "vit"])
def test_pairs_and_threes_of_heads_are_nested(name):
    run, projection = made(name)
    single = [specs[0] for specs in heads(projection).values()]
    pairs = {f"{a} {b}": [single[a], single[b]] for a in range(0, 12, 2) for b in range(a + 1, 12, 3)}
    threes = {"1 6 11": [single[1], single[6], single[11]], "1 6 10": [single[10], single[6], single[1]]}
    same_as_plain(run, {**pairs, **threes, "1 6": [single[1], single[6]]})


def test_weights_units_and_modules_go_together():
    run, projection = made("gpt2 without a cache")
    parts = {
        "weight": weight("transformer.h.1.mlp.c_fc.weight", columns=(3, 9)),
        "tied": weight("transformer.wte.weight", rows=(0, 3)),
        "shuffled": weight("transformer.h.2.attn.c_attn.weight", "resample"),
        "units": units("transformer.h.0.mlp.act", 1, 5, 7),
        "block": module("transformer.h.1", "bypass"),
        "inside": module("transformer.h.1.ln_1", "bypass"),
        "head": head(projection.format(2), 1, 8),
        "placebo": module("transformer.h.2.mlp", "placebo"),
    }
    singles = {name: [one] for name, one in parts.items()}
    joint = {f"{a}+{b}": [parts[a], parts[b]] for a in parts for b in parts if a != b}
    found = same_as_plain(run, {**singles, **joint})
    assert found["placebo"]["same"]
    assert not found["head"]["same"]


@pytest.mark.parametrize("name", ["gpt2 without a cache", "llama", "resnet"])
def test_what_does_not_fit_is_computed_again(name):
    run, _ = made(name)
    arms = dict(list(every_module(run.model).items())[::4])
    whole = same_as_plain(run, arms)
    most = max(one["held_memory"] or 0 for one in whole.values())
    for memory in (0, most // 3):
        found = same_as_plain(run, arms, memory=memory)
        assert all((one["held_memory"] or 0) <= memory for one in found.values())
    assert any(one["replayed"] for one in found.values())
