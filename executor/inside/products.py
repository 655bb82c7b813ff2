"""Products of attention weights with values, in whichever torch function they are written."""

from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import torch

MATRIX = ("matmul", "__matmul__", "bmm", "baddbmm")


class Product(NamedTuple):
    """Both as (batch…, tokens, width)."""

    output: torch.Tensor
    values: torch.Tensor


def weighted_sum(
    name: str, args: "Tuple[Any, ...]", output: torch.Tensor, is_weights: "Callable[[Any], bool]"
) -> "Optional[Product]":
    """The product, where `name` is one and an operand `is_weights`; None for any other function."""
    if name == "einsum":
        operands: List[Any] = list(args[1]) if isinstance(args[1], (list, tuple)) else list(args[1:])
        return _einsum(args[0], operands, output, is_weights)
    if name not in MATRIX:
        return None
    left, right = args[-2:]
    if is_weights(left):
        return Product(output, right)
    return Product(output.mT, left.mT) if is_weights(right) else None


def _einsum(
    equation: str, operands: "List[torch.Tensor]", output: torch.Tensor, is_weights: "Callable[[Any], bool]"
) -> "Optional[Product]":
    terms, arrow, out = equation.replace(" ", "").partition("->")
    labels = terms.split(",")
    if not arrow or "." in equation or len(labels) != 2:
        return None
    if is_weights(operands[0]):
        return _labelled(labels[0], labels[1], out, operands[1], output)
    return _labelled(labels[1], labels[0], out, operands[0], output) if is_weights(operands[1]) else None


def _labelled(weights: str, values: str, out: str, tensor: torch.Tensor, output: torch.Tensor) -> "Optional[Product]":
    batch = "".join(one for one in out if one in weights and one in values)
    query = "".join(one for one in out if one in weights and one not in values)
    width = "".join(one for one in out if one in values and one not in weights)
    key = "".join(one for one in values if one in weights and one not in out)
    rows, columns = batch + query + width, batch + key + width
    if {len(query), len(width), len(key)} != {1} or sorted(rows) != sorted(out) or sorted(columns) != sorted(values):
        return None
    return Product(
        output.permute([out.index(one) for one in rows]), tensor.permute([values.index(one) for one in columns])
    )
