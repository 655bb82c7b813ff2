"""nnsight: one trace for each batch, in which the heads' columns at the input of their output projection are set to 0."""

import torch
from experiment import losses
from nnsight import NNsight
from serving import Head, Losses, load, serve

work = load()
model = NNsight(work.model)


def without(heads: list[Head]) -> list[float]:
    """The loss of each example."""
    found = []
    for batch in work.batches:
        with model.trace(batch[:, :-1]):
            for layer, index in heads:
                projection = model.transformer.h[layer].attn.c_proj
                values = projection.input.clone()
                values[..., work.columns(index)] = 0
                projection.input = values
            logits = model.output.logits.save()
        found.append(losses(logits, batch))
    return torch.cat(found).tolist()


def removed(sets: list[list[Head]]) -> Losses:
    return [without(heads) for heads in sets]


serve(removed)
