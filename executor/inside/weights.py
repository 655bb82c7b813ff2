"""Cuts into a parameter: held there while training goes on, and undone to the last bit."""

from typing import Any, Dict, List, Optional, Tuple

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from .filling import Filling, Refused
from .surgery import Cut


class WeightCut(Cut):
    """A parameter or a slice of it, set after every step of an optimizer, and before every forward of its module and of
    the whole model: training may go without optimizers, or call neither.

    The writes go past autograd, and a tied tensor is cut wherever it is used.
    """

    def __init__(self, model: nn.Module, one: "Dict[str, Any]", fill: Filling, seed: int) -> None:
        super().__init__(one["parameter"], fill)
        path, _, self._name = one["parameter"].rpartition(".")
        self._owner = model.get_submodule(path)
        self._slices = _slices(one.get("rows"), one.get("columns"))
        whole = self._parameter()
        self._check(tuple(whole.shape), one)
        self._before = whole.detach().clone()
        self._value = _filled(self._before[self._slices], fill, seed)
        self.tally.changed = not torch.equal(self._value, self._before[self._slices])
        self.tally.calls = 1
        self._hold()
        self._forwards = [self._patch(module, caller) for module, caller in self._callers(model)]
        self._steps = register_optimizer_step_post_hook(self._stepped)

    def settle(self) -> None:
        """Hold what is there now: where the slices of two cuts overlap, the later one keeps them."""
        self._value = self._parameter().detach()[self._slices].clone()

    def undo(self) -> None:
        """Put the values back that were there before."""
        self._steps.remove()
        super().undo()
        self._parameter().data.copy_(self._before)

    def _idle(self) -> str:
        return "the weight was what it is set to already"

    def _callers(self, model: nn.Module) -> "List[Tuple[nn.Module, Any]]":
        return [(model, self._call_model)] + ([(self._owner, self._call_owner)] if self._owner is not model else [])

    def _call_model(self, *args: Any, **kwargs: Any) -> Any:
        self._reached()
        return self._forwards[0](*args, **kwargs)

    def _call_owner(self, *args: Any, **kwargs: Any) -> Any:
        self._reached()
        return self._forwards[1](*args, **kwargs)

    def _reached(self) -> None:
        self.tally.calls += not self.looking_aside
        self._hold()

    def _stepped(self, _optimizer: Any, _args: Any, _kwargs: Any) -> None:
        self._hold()

    def _hold(self) -> None:
        parameter = self._parameter()
        parameter.data[self._slices] = self._value.to(parameter.device)

    def _parameter(self) -> torch.Tensor:
        return getattr(self._owner, self._name)

    def _check(self, shape: "Tuple[int, ...]", one: "Dict[str, Any]") -> None:
        spans: List[Optional[Tuple[int, int]]] = [one.get("rows"), one.get("columns")]
        for dim, span in enumerate(spans):
            if span and (dim >= len(shape) or not 0 <= span[0] < span[1] <= shape[dim]):
                raise Refused(
                    f"{one['parameter']} has the shape {shape}: there is no slice {span[0]}:{span[1]} of dimension {dim}"
                )


def _slices(rows: "Optional[Tuple[int, int]]", columns: "Optional[Tuple[int, int]]") -> "Tuple[Any, ...]":
    spans = [rows, columns] if columns else [rows] if rows else []
    return tuple(slice(*span) if span else slice(None) for span in spans) or (...,)


def _filled(values: torch.Tensor, fill: Filling, seed: int) -> torch.Tensor:
    """What the slice is set to: its own mean, its entries shuffled, or one number."""
    if fill.removal == "mean":
        return torch.full_like(values, float(values.double().mean()))
    if fill.removal == "resample":
        order = torch.randperm(values.numel(), generator=torch.Generator().manual_seed(seed))
        return values.flatten()[order.to(values.device)].reshape(values.shape)
    return torch.full_like(values, fill.constant if fill.removal == "constant" else 0.0)
