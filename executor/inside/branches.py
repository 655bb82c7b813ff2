"""Branches beside a residual stream: modules whose output, as it is, is added to a tensor of its shape."""

import weakref
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

import torch
from torch import nn

from .calls import Listener
from .tensors import tensors_of

ADDITIONS = ("add", "add_", "__add__", "__radd__", "__iadd__")


class BranchFinder(Listener):
    """Collects the `paths` of branches. A tensor that was read before it is added is the stream itself, not a branch of it."""

    def __init__(self, constants: "Iterable[torch.Tensor]") -> None:
        self.paths: Set[str] = set()
        self._constants = {id(one) for one in constants}
        self._unread: Dict[int, Tuple[weakref.ref[torch.Tensor], List[str]]] = {}
        self._given: List[Optional[torch.Tensor]] = []

    def began(self, path: str, module: nn.Module, tensor: "Optional[torch.Tensor]") -> None:
        """Remember what it was given: a module that hands its input on makes nothing of its own."""
        self._given.append(tensor)

    def ended(self, path: str, module: nn.Module, output: Any) -> None:
        """Its output is unread so far."""
        given = self._given.pop()
        made = next(tensors_of(output), None)
        if made is not None:
            makers = self._makers(made)
            if made is not given or makers:
                self._unread[id(made)] = (weakref.ref(made), [*makers, path])
        if not self._given:
            self._unread.clear()

    def used(self, name: str, args: "Tuple[Any, ...]", kwargs: "Dict[str, Any]", output: Any) -> None:
        """An addition makes branches of its unread operands; what any function makes a tensor of is read."""
        made = list(tensors_of(output))
        if not made:
            return
        read = list(tensors_of([args, kwargs]))
        if name in ADDITIONS:
            self._added(read)
        passed_on = self._makers(read[0]) if "dropout" in name and read else []
        for tensor in read:
            if name in ADDITIONS or tensor is not made[0]:
                self._unread.pop(id(tensor), None)
        if passed_on:
            self._unread[id(made[0])] = (weakref.ref(made[0]), passed_on)

    def _added(self, operands: "List[torch.Tensor]") -> None:
        if len(operands) != 2 or operands[0].shape != operands[1].shape:
            return
        for one, other in (operands, operands[::-1]):
            if id(other) not in self._constants:
                self.paths.update(self._makers(one))

    def _makers(self, tensor: torch.Tensor) -> "List[str]":
        known, paths = self._unread.get(id(tensor), (None, []))
        return paths if known is not None and known() is tensor else []
