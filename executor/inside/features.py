"""Which dimension of a module's output counts its units: the first after the batch where channels come first, else the last."""

import re
from typing import NamedTuple, Optional, Sequence, Tuple

from torch import nn

from .layers import torch_class, torch_home

FIRST = ("conv", "batchnorm", "instancenorm", "pooling", "padding", "upsampling")


class Channels(NamedTuple):
    """How many units a layer gives out, and whether they come first; `rank` of its output where it takes only one."""

    units: int
    first: bool
    rank: Optional[int]


def features(
    module: nn.Module, shape: "Sequence[int]", before: "Optional[nn.Module]"
) -> "Tuple[Optional[int], Optional[int]]":
    """`(units, dimension)` of an output of `shape`, or `(None, None)` where no dimension after the batch counts them.

    `before` is the last layer that states its channels and ran before: it speaks for layers that have none, as ReLU.
    """
    if len(shape) < 2:
        return None, None
    if torch_home(module) in FIRST:
        return (shape[1], 1) if _is_batched(module, len(shape)) else (None, None)
    inside = [stated for stated in map(channels, module.modules()) if stated]
    known = inside or [stated for stated in [before and channels(before)] if stated]
    return (shape[1], 1) if _come_first(known, shape) else (shape[-1], -1)


def channels(layer: nn.Module) -> "Optional[Channels]":
    """Of a convolution, normalisation, linear layer or embedding of torch's own; else None."""
    if torch_home(layer) == "conv":
        return Channels(int(layer.out_channels), True, _rank(layer))  # type: ignore[arg-type]
    if torch_home(layer) in ("batchnorm", "instancenorm"):
        return Channels(int(layer.num_features), True, _rank(layer))  # type: ignore[arg-type]
    if isinstance(layer, nn.GroupNorm):
        return Channels(layer.num_channels, True, None)
    if isinstance(layer, nn.LayerNorm):
        return Channels(layer.normalized_shape[-1], False, None)
    if isinstance(layer, nn.Linear):
        return Channels(layer.out_features, False, None)
    return Channels(layer.embedding_dim, False, None) if isinstance(layer, nn.Embedding) else None


def _come_first(known: "Sequence[Channels]", shape: "Sequence[int]") -> bool:
    """Told by the last layer with as many channels as one of the dimensions."""
    for units, first, rank in reversed(known):
        if len(shape) < 3 or (first and len(shape) == 3 and rank not in (3, None)):
            continue
        if first and shape[1] == units:
            return True
        # as many rows as channels tell nothing; a LayerNorm whose subclass permutes, as ConvNeXt's, counts the first
        if not first and (shape[-1] == units) != (shape[1] == units):
            return shape[1] == units and len(shape) > 3
    return False


def _rank(layer: nn.Module) -> "Optional[int]":
    """Of a whole batch that the layer takes: 4 for Conv2d; None where its name doesn't say."""
    kind = torch_class(layer)
    named = re.search(r"([123])d$", kind.__name__) if kind else None
    return int(named[1]) + 2 if named else None


def _is_batched(layer: nn.Module, rank: int) -> bool:
    return _rank(layer) in (rank, None) or (torch_home(layer) == "batchnorm" and rank == 2)
