"""Floating-point operations of one forward, as torch's own formulas count them, for the model and each of its modules."""

from contextlib import nullcontext
from typing import Any, ContextManager, Dict, List, Optional, Tuple

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from .calls import Listener

UNCOUNTED = ("rnn", "lstm", "gru", "einsum", "bilinear", "_native_multi_head_attention", "_transformer_encoder_layer")
"""Operations that work on matrices inside, where no formula sees them."""


CAN_PASS_ALL = hasattr(TorchDispatchMode, "supports_higher_order_operators")


class Meter(TorchDispatchMode):
    """`total` of what was counted; `uncounted` tells how many operations could not be."""

    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: skipping it imports the compiler, a second of processor time, and what is metered runs eagerly anyway."""
        return False

    def __init__(self) -> None:
        super().__init__()
        self.total, self.uncounted = 0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        try:
            self.total += _flops(func, args, kwargs or {}, output)
        except Exception:
            self.uncounted += 1
        return output


class FlopCounter(Listener):
    """Of the first evaluation forward of the whole model, else of its first forward: `of` each module path, "" for the model."""

    def __init__(self) -> None:
        self.of: Dict[str, Optional[int]] = {}
        self._training = True
        self._meter = Meter()
        self._started: List[Tuple[int, int]] = []
        self._current: Dict[str, Optional[int]] = {}

    def look(self) -> "ContextManager[Any]":
        """Count from zero; nothing at all under a torch where some operators refuse to run while anything counts."""
        self._meter, self._current = Meter(), {}
        return self._meter if CAN_PASS_ALL else nullcontext()

    def began(self, path: str, module: nn.Module, tensor: "Optional[torch.Tensor]") -> None:
        """Note where the meter stands."""
        self._started.append((self._meter.total, self._meter.uncounted))

    def ended(self, path: str, module: nn.Module, output: Any) -> None:
        """Add what the call took."""
        total, uncounted = self._started.pop()
        before = self._current.get(path, 0)
        unknown = before is None or self._meter.uncounted > uncounted
        self._current[path] = None if unknown else (before or 0) + self._meter.total - total
        whole = not path and not self._started and CAN_PASS_ALL
        if whole and (not self.of or (self._training and not module.training)):
            self.of, self._training = self._current, module.training


def _flops(func: Any, args: "Tuple[Any, ...]", kwargs: "Dict[str, Any]", output: Any) -> int:
    """Of one operation; an exception where it has a cost that no formula tells."""
    name = func._overloadpacket.__name__
    if func.namespace not in ("aten", "prim", "prims") or any(word in name for word in UNCOUNTED):
        raise NotImplementedError(name)
    if "scaled_dot_product" in name and "backward" not in name:
        return _attention(args[0], args[1], args[2])
    # under inference mode, composite operations arrive whole
    if name in ("linear", "matmul"):
        return 2 * output.numel() * args[0].shape[-1]
    if name.startswith(("conv1d", "conv2d", "conv3d")):
        return 2 * output.numel() * args[1][0].numel()
    if name.startswith("conv_transpose"):
        return 2 * args[0].numel() * args[1][0].numel()
    formula = flop_registry.get(func._overloadpacket)
    if formula is None and name.endswith(("mm", "mv")):
        raise NotImplementedError(name)
    return formula(*args, **kwargs, out_val=output) if formula else 0


def _attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> int:
    """Scores and weighted sum for every query head; key and value heads may be fewer."""
    rows = query.numel() // query.shape[-1]
    return 2 * rows * key.shape[-2] * (query.shape[-1] + value.shape[-1])
