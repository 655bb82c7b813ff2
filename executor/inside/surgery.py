"""Cuts into a live model, in place, each with the proof that it cut; undone, the model is bitwise what it was.

A module object stays where it is and only its `forward` is exchanged: aliases made earlier (an `nn.Sequential` built
from the same layers, a copy of the model taken later) see the removal too.
"""

from typing import Any, Dict, List, Optional

import torch
from torch import nn

from .filling import Filling, Refused
from .tensors import map_tensors, tensors_of

DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


class Tally:
    """What a removal did, in the model and in every deep copy of it: training may go on in a copy."""

    def __init__(self) -> None:
        self.calls, self.changed, self.asleep = 0, False, False

    def __deepcopy__(self, _memo: Any) -> "Tally":
        return self


class Cut:
    """One intervention in place. `fill` gives what takes the place of the values it is shown."""

    def __init__(self, target: str, fill: Filling) -> None:
        self.target, self.fill, self.tally = target, fill, Tally()
        self._patched: List[Any] = []

    def proof(self) -> "Dict[str, Any]":
        """`{"target", "removal", "calls", "changed", "reason"}`; the reason where nothing changed."""
        tally = self.tally
        reason = None if tally.changed else self._idle()
        return {
            "target": self.target,
            "removal": self.fill.removal,
            "calls": tally.calls,
            "changed": tally.changed,
            "reason": reason,
        }

    def undo(self) -> None:
        """Give every module its own `forward` back."""
        for module, before in reversed(self._patched):
            if before is None:
                del module.__dict__["forward"]
            else:
                module.forward = before
        self._patched = []

    def _idle(self) -> str:
        if not self.tally.calls:
            return "the module was never called"
        if self.tally.asleep:
            return "dropout passes everything on in evaluation mode"
        return "the values it edits were what they were set to already"

    def _patch(self, module: nn.Module, forward: Any) -> Any:
        """Exchange a module's forward; returns the one it had."""
        original = module.forward
        before = module.__dict__.get("forward")
        try:
            module.forward = forward  # type: ignore[method-assign]
        except Exception as error:
            raise Refused(f"{self.target} cannot be cut: {type(module).__name__} takes no other forward ({error})") from None
        self._patched.append((module, before))
        return original

    def _swap(self, tensor: torch.Tensor, slot: int = 0) -> torch.Tensor:
        """The values that take the place of `tensor`."""
        try:
            filled = self.fill(tensor, slot)
        except Refused as refusal:
            raise Refused(f"{self.fill.removal} of {self.target}: {refusal}") from None
        if not self.tally.changed and filled is not tensor:
            self.tally.changed = not torch.equal(filled.detach(), tensor.detach())
        return filled


class ModuleCut(Cut):
    """The whole output of a module, or its input in place of its output."""

    def __init__(self, module: nn.Module, path: str, fill: Filling) -> None:
        super().__init__(path, fill)
        self._module = module
        self._original = self._patch(module, self._bypass if fill.removal == "bypass" else self._replace)

    def _replace(self, *args: Any, **kwargs: Any) -> Any:
        self.tally.calls += 1
        output = self._original(*args, **kwargs)
        found = {id(tensor): slot for slot, tensor in enumerate(tensors_of(output))}
        if not found:
            raise Refused(f"{self.fill.removal} of {self.target}: its output, a {type(output).__name__}, holds no tensor")
        try:
            return map_tensors(lambda tensor: self._swap(tensor, found[id(tensor)]), output)
        except TypeError as error:
            raise Refused(f"{self.fill.removal} of {self.target}: {error}") from None

    def _bypass(self, *args: Any, **kwargs: Any) -> Any:
        self.tally.calls += 1
        passed = next(tensors_of([*args, *kwargs.values()]), None)
        if passed is None:
            raise Refused(f"bypass of {self.target}: it is called without a tensor")
        if not self.tally.changed:
            self.tally.asleep = isinstance(self._module, DROPOUTS) and not self._module.training
            self._compare(passed, args, kwargs)
        return passed

    def _compare(self, passed: torch.Tensor, args: Any, kwargs: Any) -> None:
        """Run the original aside, without a trace in the generators, to see its shape and whether the bypass differs."""
        before = passed.detach().clone()
        devices = list(range(torch.cuda.device_count())) if passed.is_cuda else []
        with torch.no_grad(), torch.random.fork_rng(devices):
            output = self._original(*map_tensors(_clone, args), **map_tensors(_clone, kwargs))
        if not isinstance(output, torch.Tensor):
            raise Refused(f"bypass of {self.target}: its output is a {type(output).__name__}, its input a tensor")
        if output.shape != before.shape:
            raise Refused(
                f"bypass of {self.target}: its input is {tuple(before.shape)}, its output {tuple(output.shape)}"
            )
        self.tally.changed = not torch.equal(output, before)


class UnitCut(Cut):
    """Some units of a module's output, counted along one dimension."""

    def __init__(self, module: nn.Module, path: str, units: "List[int]", dim: int, fill: Filling) -> None:
        super().__init__(f"{path}[{_span(units)}]", fill)
        self._path, self._units, self._dim = path, units, dim
        self._original = self._patch(module, self._replace)

    def _replace(self, *args: Any, **kwargs: Any) -> Any:
        self.tally.calls += 1
        output = self._original(*args, **kwargs)
        if not isinstance(output, torch.Tensor):
            raise Refused(f"units of {self._path}: its output is a {type(output).__name__}, not a tensor")
        size = output.shape[self._dim] if -output.dim() <= self._dim < output.dim() else 0
        if max(self._units) >= size:
            raise Refused(f"{self._path} has {size} units: there is no unit {max(self._units)}")
        return self._edit(output, self._units, self._dim)

    def _edit(self, tensor: torch.Tensor, index: "List[int]", dim: int) -> torch.Tensor:
        """A copy of `tensor` with the slices at `index` replaced."""
        where = torch.tensor(index, device=tensor.device)
        return tensor.index_copy(dim, where, self._swap(tensor.index_select(dim, where)))


class HeadCut(UnitCut):
    """Columns of the input of an output projection: the heads that lie there."""

    def __init__(self, projection: nn.Module, path: str, heads: "List[int]", width: int, fill: Filling) -> None:
        Cut.__init__(self, f"{path}/{_span(heads)}", fill)
        self._path, self._width, self._heads = path, width, heads
        self._columns = [head * width + column for head in heads for column in range(width)]
        self._original = self._patch(projection, self._project)

    def _project(self, *args: Any, **kwargs: Any) -> Any:
        self.tally.calls += 1
        if args and isinstance(args[0], torch.Tensor):
            return self._original(self._cut(args[0]), *args[1:], **kwargs)
        name = next((name for name, value in kwargs.items() if isinstance(value, torch.Tensor)), None)
        if name is None:
            raise Refused(f"heads of {self._path}: their projection is called without a tensor")
        return self._original(*args, **{**kwargs, name: self._cut(kwargs[name])})

    def _cut(self, joined: torch.Tensor) -> torch.Tensor:
        there = joined.shape[-1] // self._width
        if max(self._heads) >= there:
            raise Refused(f"{self._path} has {there} heads of width {self._width}: there is no head {max(self._heads)}")
        return self._edit(joined, self._columns, -1)


class MultiheadCut(HeadCut):
    """Heads of `nn.MultiheadAttention`, which uses its projection's weight and never calls the projection.

    The attention runs with the identity for a projection, so that its heads come out; they are cut and projected here,
    in the layout that torch projects them in, so that nothing else changes in any bit.
    """

    def __init__(
        self, attention: nn.MultiheadAttention, path: str, heads: "List[int]", width: int, fill: Filling
    ) -> None:
        self._attention = attention
        super().__init__(attention, path, heads, width, fill)

    def _project(self, *args: Any, **kwargs: Any) -> Any:
        self.tally.calls += 1
        projection: Any = self._attention.out_proj
        self._attention.out_proj = _Identity(projection.weight)  # type: ignore[assignment]
        try:
            joined, *rest = self._original(*args, **kwargs)
        finally:
            self._attention.out_proj = projection
        turned = self._attention.batch_first and joined.dim() == 3
        joined = joined.transpose(0, 1) if turned else joined
        rows = self._cut(joined).reshape(-1, joined.shape[-1])
        output = nn.functional.linear(rows, projection.weight, projection.bias).view(*joined.shape[:-1], -1)
        return (output.transpose(0, 1) if turned else output, *rest)


class _Identity(nn.Module):
    def __init__(self, like: torch.Tensor) -> None:
        super().__init__()
        self.weight = torch.eye(like.shape[1], dtype=like.dtype, device=like.device)
        self.bias: Optional[torch.Tensor] = None


def _clone(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone()


def _span(numbers: "List[int]") -> str:
    ordered = sorted(numbers)
    if ordered == list(range(ordered[0], ordered[-1] + 1)) and len(ordered) > 1:
        return f"{ordered[0]}:{ordered[-1] + 1}"
    return ",".join(map(str, ordered))
