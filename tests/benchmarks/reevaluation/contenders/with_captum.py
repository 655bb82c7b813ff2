"""Captum's LayerFeatureAblation: one feature a head, at the input of the output projection. It ablates in one layer at a
time, one feature each: single heads, all of a layer's, and no pairs across layers."""

import torch
from captum.attr import LayerFeatureAblation
from experiment import losses
from serving import Head, Losses, load, serve

work = load()


def of_layer(layer: int) -> torch.Tensor:
    """Losses without each head of a layer, shape [heads, examples]."""
    mask = torch.arange(work.config["width"]) // work.width
    found = []
    for batch in work.batches:
        ablation = LayerFeatureAblation(
            lambda tokens, batch=batch: losses(work.model(tokens).logits, batch),
            work.model.transformer.h[layer].attn.c_proj,
        )
        share = ablation.attribute(
            batch[:, :-1], layer_mask=mask.expand(1, 1, -1), attribute_to_layer_input=True, perturbations_per_eval=1
        )
        # what it returns is the difference that a feature makes, at each of the feature's places
        found.append(losses(work.model(batch[:, :-1]).logits, batch) - share[:, 0, :: work.width].T)
    return torch.cat(found, dim=1)


def removed(sets: list[list[Head]]) -> Losses:
    layers = {heads[0][0] for heads in sets}
    found = {layer: of_layer(layer).tolist() for layer in layers}
    return [found[heads[0][0]][heads[0][1]] for heads in sets]


serve(removed)
