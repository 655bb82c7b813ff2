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
        path, _, self._name = one["parameter"].rpartition(".")
        super().__init__(model.get_submodule(path), one["parameter"], fill)
        self._model, self._seed = model, seed
        self._slices = _slices(one.get("rows"), one.get("columns"))
        self._check(tuple(self._parameter().shape), one)
        self._before: Optional[torch.Tensor] = None

    def touches(self) -> "List[nn.Module]":
        """Every module that holds the parameter, tied ones too."""
        cut = self._parameter()
        return [one for one in self._model.modules() if any(own is cut for own in one.parameters(recurse=False))]

    def place(self) -> None:
        """Set the values, and hold them from now on."""
        self._before = self._parameter().detach().clone()
        values = self._before[self._slices]
        self._value = _filled(values, self.fill, self._seed)
        self.tally.changed = not torch.equal(self._value, values)
        self.tally.calls = self.tally.calls or 1
        self._hold()
        self._forwards = [self._patch(module, caller) for module, caller in self._callers()]
        self._steps = register_optimizer_step_post_hook(self._stepped)

    def settle(self) -> None:
        """Hold what is there now: where the slices of two cuts overlap, the later one keeps them."""
        self._value = self._parameter().detach()[self._slices].clone()

    def undo(self) -> None:
        """Put the values back that were there before."""
        if self._before is None:
            return
        self._steps.remove()
        super().undo()
        self._parameter().data.copy_(self._before)
        self._before = None

    def _idle(self) -> str:
        return "the weight was what it is set to already"

    def _callers(self) -> "List[Tuple[nn.Module, Any]]":
        owner = [(self.module, self._call_owner)] if self.module is not self._model else []
        return [(self._model, self._call_model), *owner]

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
        return getattr(self.module, self._name)

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
