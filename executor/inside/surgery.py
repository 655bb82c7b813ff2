"""Cuts into a live model, in place, each with the proof that it cut; undone, the model is bitwise what it was.

A module object stays where it is and only its `forward` is exchanged: aliases made earlier (an `nn.Sequential` built
from the same layers, a copy of the model taken later) see the removal too.
"""

from contextlib import contextmanager
from typing import Any, Dict, Generator, List, Optional

import torch
from torch import nn

from .filling import Filling, Refused, is_continuous
from .tensors import copied, map_tensors, tensors_of

DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


class Tally:
    """What a removal did, in the model and in every deep copy of it: training may go on in a copy."""

    def __init__(self) -> None:
        self.calls, self.changed, self.asleep = 0, False, False

    def __deepcopy__(self, _memo: Any) -> "Tally":
        return self


class Cut:
    """One intervention in a module, which takes effect from `place` to `undo`, any number of times. `fill` gives what takes
    the place of the values it is shown."""

    looking_aside = False
    """A module runs as it would without any cut, to be compared with."""

    def __init__(self, module: nn.Module, target: str, fill: Filling) -> None:
        self.module, self.target, self.fill, self.tally = module, target, fill, Tally()
        self._original: Any = None
        self._patched: List[Any] = []

    def touches(self) -> "List[nn.Module]":
        """The modules of which no call runs as it would without this."""
        return [self.module]

    def place(self) -> None:
        """Put it into the model."""
        self._original = self._patch(self.module, self._forward)

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
                module.__dict__["forward"] = before
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
        self._patched.append((module, module.__dict__.get("forward")))
        module.__dict__["forward"] = forward  # set as an attribute, a traced module would hand it on
        return original

    def _forward(self, *args: Any, **kwargs: Any) -> Any:
        if Cut.looking_aside:
            return self._original(*args, **kwargs)
        self.tally.calls += 1
        return self._cut(args, kwargs)

    def _cut(self, args: Any, kwargs: Any) -> Any:
        """What the module gives in place of what it gave."""
        raise NotImplementedError

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
        super().__init__(module, path, fill)
        self._shares = False

    def _cut(self, args: Any, kwargs: Any) -> Any:
        return self._bypass(args, kwargs) if self.fill.removal == "bypass" else self._replace(args, kwargs)

    def _replace(self, args: Any, kwargs: Any) -> Any:
        output = self._original(*args, **kwargs)
        found = {id(tensor): slot for slot, tensor in enumerate(tensors_of(output))}
        if not any(is_continuous(tensor) for tensor in tensors_of(output)):
            kind = type(output).__name__
            raise Refused(f"{self.fill.removal} of {self.target}: its output, a {kind}, holds no floating-point tensor")
        try:
            return map_tensors(lambda tensor: self._swap(tensor, found[id(tensor)]), output)
        except TypeError as error:
            raise Refused(f"{self.fill.removal} of {self.target}: {error}") from None

    def _bypass(self, args: Any, kwargs: Any) -> Any:
        passed = next(tensors_of([*args, *kwargs.values()]), None)
        if passed is None:
            raise Refused(f"bypass of {self.target}: it is called without a tensor")
        if not self.tally.changed:
            self.tally.asleep = isinstance(self.module, DROPOUTS) and not self.module.training
            self._compare(passed, args, kwargs)
        return passed if self._shares else passed.clone()

    def _compare(self, passed: torch.Tensor, args: Any, kwargs: Any) -> None:
        """Run the original aside, to see its shape, whether the bypass differs, and whether what it gives is its input,
        which others may edit in place."""
        before = passed.detach().clone()
        args, kwargs = self._copied((args, kwargs))
        with _aside(self.module, before):
            output = self._original(*args, **kwargs)
        if not isinstance(output, torch.Tensor):
            raise Refused(f"bypass of {self.target}: its output is a {type(output).__name__}, its input a tensor")
        if output.shape != before.shape:
            raise Refused(
                f"bypass of {self.target}: its input is {tuple(before.shape)}, its output {tuple(output.shape)}"
            )
        given = next(tensors_of([*args, *kwargs.values()]))
        self._shares = output.data_ptr() == given.data_ptr()
        self.tally.changed = not torch.equal(output, before)

    def _copied(self, value: Any) -> Any:
        """Arguments for a run aside: none of what it does to them is seen, be it in a tensor or in a cache."""
        try:
            return copied(value)
        except Exception as error:
            raise Refused(f"bypass of {self.target}: what it is called with cannot be copied ({error})") from None


class UnitCut(Cut):
    """Some units of a module's output, counted along one dimension."""

    def __init__(self, module: nn.Module, path: str, units: "List[int]", dim: int, fill: Filling) -> None:
        super().__init__(module, f"{path}[{_span(units)}]", fill)
        self._path, self._units, self._dim = path, units, dim

    def _cut(self, args: Any, kwargs: Any) -> Any:
        output = self._original(*args, **kwargs)
        if not isinstance(output, torch.Tensor):
            raise Refused(f"units of {self._path}: its output is a {type(output).__name__}, not a tensor")
        size = output.shape[self._dim] if -output.dim() <= self._dim < output.dim() else 0
        for unit in (min(self._units), max(self._units)):
            if not 0 <= unit < size:
                raise Refused(f"{self._path} has {size} units: there is no unit {unit}")
        return self._edit(output, self._units, self._dim)

    def _edit(self, tensor: torch.Tensor, index: "List[int]", dim: int) -> torch.Tensor:
        """A copy of `tensor` with the slices at `index` replaced."""
        where = torch.tensor(index, device=tensor.device)
        return tensor.index_copy(dim, where, self._swap(tensor.index_select(dim, where)))


class HeadCut(UnitCut):
    """Columns of the input of an output projection: the heads that lie there."""

    def __init__(self, projection: nn.Module, path: str, heads: "List[int]", width: int, fill: Filling) -> None:
        Cut.__init__(self, projection, f"{path}/{_span(heads)}", fill)
        self._path, self._width, self._heads = path, width, heads
        self._columns = [head * width + column for head in heads for column in range(width)]

    def _cut(self, args: Any, kwargs: Any) -> Any:
        if args and isinstance(args[0], torch.Tensor):
            return self._original(self._without(args[0]), *args[1:], **kwargs)
        name = next((name for name, value in kwargs.items() if isinstance(value, torch.Tensor)), None)
        if name is None:
            raise Refused(f"heads of {self._path}: their projection is called without a tensor")
        return self._original(*args, **{**kwargs, name: self._without(kwargs[name])})

    def _without(self, joined: torch.Tensor) -> torch.Tensor:
        there = joined.shape[-1] // self._width
        for head in (min(self._heads), max(self._heads)):
            if not 0 <= head < there:
                raise Refused(f"{self._path} has {there} heads of width {self._width}: there is no head {head}")
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

    def _cut(self, args: Any, kwargs: Any) -> Any:
        projection: Any = self._attention.out_proj
        self._attention.out_proj = _Identity(projection.weight)  # type: ignore[assignment]
        try:
            joined, *rest = self._original(*args, **kwargs)
        finally:
            self._attention.out_proj = projection
        turned = joined.dim() == 3 and not self._attention.batch_first
        examples_first = joined.transpose(0, 1) if turned else joined
        joined = self._without(examples_first)
        tokens_first = joined.transpose(0, 1) if joined.dim() == 3 else joined
        rows = tokens_first.reshape(-1, joined.shape[-1])
        output = nn.functional.linear(rows, projection.weight, projection.bias).view(*tokens_first.shape[:-1], -1)
        return (output if turned or joined.dim() == 2 else output.transpose(0, 1), *rest)


class _Identity(nn.Module):
    def __init__(self, like: torch.Tensor) -> None:
        super().__init__()
        self.weight = torch.eye(like.shape[1], dtype=like.dtype, device=like.device)
        self.bias: Optional[torch.Tensor] = None


@contextmanager
def _aside(module: nn.Module, like: torch.Tensor) -> "Generator[None, None, None]":
    """The body leaves no trace in the generators, in the buffers of `module`, or in what the cuts prove."""
    devices = list(range(torch.cuda.device_count())) if like.is_cuda else []
    buffers = {buffer: buffer.detach().clone() for buffer in module.buffers()}
    before, Cut.looking_aside = Cut.looking_aside, True
    try:
        with torch.no_grad(), torch.random.fork_rng(devices):
            yield
    finally:
        Cut.looking_aside = before
        for buffer, values in buffers.items():
            buffer.data.copy_(values)


def _span(numbers: "List[int]") -> str:
    ordered = sorted(numbers)
    if ordered == list(range(ordered[0], ordered[-1] + 1)) and len(ordered) > 1:
        return f"{ordered[0]}:{ordered[-1] + 1}"
    return ",".join(map(str, ordered))
