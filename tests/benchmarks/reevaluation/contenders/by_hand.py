"""The loop that a person writes: forward pre-hooks that set the heads' columns to 0, and the whole evaluation again."""

import torch
from experiment import score
from serving import Head, Losses, load, serve

work = load()


def hooked(head: Head) -> torch.utils.hooks.RemovableHandle:
    """Zero in place of the head's columns at the input of its output projection."""
    layer, index = head

    def zeroed(_module, args):
        values = args[0].clone()
        values[..., work.columns(index)] = 0
        return (values, *args[1:])

    return work.model.transformer.h[layer].attn.c_proj.register_forward_pre_hook(zeroed)


def without(heads: list[Head]) -> list[float]:
    """The loss of each example."""
    handles = [hooked(head) for head in heads]
    try:
        return torch.cat([score(work.model, batch)["loss"] for batch in work.batches]).tolist()
    finally:
        for handle in handles:
            handle.remove()


def removed(sets: list[list[Head]]) -> Losses:
    return [without(heads) for heads in sets]


serve(removed)
