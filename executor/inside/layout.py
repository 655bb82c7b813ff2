"""Where attention heads lie in a tensor, told by its values."""

from itertools import permutations
from typing import Iterator, NamedTuple, Optional

import torch


class Place(NamedTuple):
    """How many heads there are, and the dimension of (batch…, tokens, width) that counts them once it is split."""

    heads: int
    axis: int


def side_by_side(apart: torch.Tensor, joined: torch.Tensor) -> "Optional[Place]":
    """Where `joined` (…, heads·width) holds the heads of `apart` (batch…, tokens, width) one beside the other; else None.

    The batch dimensions of `apart` may be one (batch·heads or heads·batch), and the rows of `joined` in any order of
    its dimensions: batch first, sequence first, or all in one. A tensor of equal rows shows nothing.
    """
    features, width = joined.shape[-1], apart.shape[-1]
    if apart.dim() < 3 or apart.numel() != joined.numel() or features % width or features < 2 * width:
        return None
    heads = features // width
    rows = joined.detach().reshape(-1, features)
    if rows.amin() == rows.amax():
        return None
    for axis in _axes(apart, heads):
        together = _split(apart.detach().to(rows.dtype), heads, axis).movedim(axis, -2)
        if any(_same(arranged, rows) for arranged in _arrangements(together)):
            return Place(heads, axis)
    return None


def groups(shared: torch.Tensor, place: Place) -> int:
    """How many key/value heads `shared` (batch…, tokens, width) holds: `place.heads`, or fewer where runs of them are equal."""
    if shared.dim() > 3 and shared.shape[place.axis] != place.heads:
        few = shared.shape[place.axis]
        return few if place.heads % few == 0 else place.heads
    if shared.dim() < 3:
        return place.heads
    by_head = _split(shared.detach(), place.heads, place.axis).movedim(place.axis, 0)
    starts = [0, *(i for i in range(1, place.heads) if not torch.equal(by_head[i], by_head[i - 1]))]
    size = place.heads // len(starts)
    return len(starts) if starts == list(range(0, place.heads, size)) else place.heads


def _axes(apart: torch.Tensor, heads: int) -> "Iterator[int]":
    if apart.dim() == 3:
        if apart.shape[0] % heads == 0:
            yield from (-3, -4)
        return
    yield from (axis for axis in range(-3, -apart.dim() - 1, -1) if apart.shape[axis] == heads)


def _split(tensor: torch.Tensor, heads: int, axis: int) -> torch.Tensor:
    if tensor.dim() > 3:
        return tensor
    return tensor.unflatten(0, (-1, heads) if axis == -3 else (heads, -1))


def _arrangements(together: torch.Tensor) -> "Iterator[torch.Tensor]":
    """(rows…, heads, width) as (rows, heads·width), its row dimensions in every order."""
    rows = range(together.dim() - 2)
    for order in permutations(rows):
        yield together.permute(*order, -2, -1).flatten(-2).flatten(0, -2)


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return bool(((one == other) | (one.isnan() & other.isnan())).all())
