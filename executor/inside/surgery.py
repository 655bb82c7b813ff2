"""Removes modules from a live model, in place, and counts the proof that they were removed.

The module object stays where it is and only its `forward` is exchanged: aliases made earlier (an `nn.Sequential` built
from the same layers, a copy of the model taken later) see the removal too.
"""

from typing import Any, Dict, List

import torch
from torch import nn

from .tensors import map_tensors, tensors_of


class Refused(Exception):
    """The intervention makes no sense here; the message says why, with the shapes."""


class Tally:
    """What a removal did, in the model and in every deep copy of it: training may go on in a copy."""

    def __init__(self) -> None:
        self.calls, self.changed = 0, False

    def __deepcopy__(self, _memo: Any) -> "Tally":
        return self


class Surgery:
    """One removal in place: how often it fired, and whether it changed the tensor it edits."""

    def __init__(self, module: nn.Module, path: str, removal: str) -> None:
        self.path, self.removal = path, removal
        self.tally = Tally()
        self._original = module.forward
        module.forward = self._zero if removal == "zero" else self._bypass  # type: ignore[method-assign]

    def proof(self) -> "Dict[str, Any]":
        """`{"path", "removal", "calls", "changed"}`."""
        return {"path": self.path, "removal": self.removal, "calls": self.tally.calls, "changed": self.tally.changed}

    def _zero(self, *args: Any, **kwargs: Any) -> Any:
        self.tally.calls += 1
        output = self._original(*args, **kwargs)
        if not self.tally.changed:
            self.tally.changed = any(bool(tensor.detach().ne(0).any()) for tensor in tensors_of(output))
        return map_tensors(torch.zeros_like, output)

    def _bypass(self, *args: Any, **kwargs: Any) -> Any:
        self.tally.calls += 1
        passed = next(tensors_of([*args, *kwargs.values()]), None)
        if passed is None:
            raise Refused(f"bypass of {self.path}: it is called without a tensor")
        if not self.tally.changed:
            self._compare(passed, args, kwargs)
        return passed

    def _compare(self, passed: torch.Tensor, args: Any, kwargs: Any) -> None:
        """Run the original aside, without a trace in the generators, to see its shape and whether the bypass differs."""
        before = passed.detach().clone()
        devices = list(range(torch.cuda.device_count())) if passed.is_cuda else []
        with torch.no_grad(), torch.random.fork_rng(devices):
            output = self._original(*map_tensors(_clone, args), **map_tensors(_clone, kwargs))
        if not isinstance(output, torch.Tensor):
            raise Refused(f"bypass of {self.path}: its output is a {type(output).__name__}, its input a tensor")
        if output.shape != before.shape:
            raise Refused(
                f"bypass of {self.path}: its input is {tuple(before.shape)}, its output {tuple(output.shape)}"
            )
        self.tally.changed = not torch.equal(output, before)


def _clone(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone()


def operate(model: nn.Module, interventions: "List[Dict[str, Any]]") -> "List[Surgery]":
    """Apply module interventions (`{"path", "removal"}`) to `model`. `Refused` where a path names no module."""
    modules = dict(model.named_modules())
    for one in interventions:
        if one["path"] not in modules or not one["path"]:
            raise Refused(f"the model has no module {one['path']!r}")
    return [Surgery(modules[one["path"]], one["path"], one["removal"]) for one in interventions]
