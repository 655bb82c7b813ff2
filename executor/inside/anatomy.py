"""The live module tree, its attentions and its parameters, as one training step and one evaluation of the baseline show them."""

import weakref
from contextlib import contextmanager
from functools import partial
from typing import Any, Dict, Generator, Iterator, List, Optional, Tuple

import torch
from torch import nn

from .attentions import attentions, packed
from .branches import BranchFinder
from .calls import Calls
from .eager import eagerly
from .features import channels, features
from .flops import FlopCounter
from .heads import HeadFinder
from .layers import is_leaf, torch_home
from .parameters import parameters
from .tensors import map_tensors, tensors_of

PASSING = ("activation", "batchnorm", "instancenorm", "normalization", "dropout")
"""Torch's own layers that stand on a residual stream and let it through."""


class Sighting:
    """What was seen of one module: its calls, the shapes of its first one, and the arguments if it may be run again."""

    def __init__(self) -> None:
        self.calls = 0
        self.again: Optional[Tuple[Any, Any]] = None
        self.input_shape: Optional[List[int]] = None
        self.output_shape: Optional[List[int]] = None
        self.output_type = "NoneType"
        self.before: Optional[nn.Module] = None


class Anatomist:
    """Watches every module of a model while it runs. Everything but `watching` is to be asked for afterwards."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.output_path: Optional[str] = None
        self._modules = dict(model.named_modules())
        self._seen = {path: Sighting() for path in self._modules}
        self._last: Dict[str, List[weakref.ref[torch.Tensor]]] = {}
        self._latest: Optional[nn.Module] = None
        self._heads, self._flops = HeadFinder(), FlopCounter()
        self._branches = BranchFinder([*model.parameters(), *model.buffers()])
        self._calls = Calls(model, [self._heads, self._branches, self._flops], self._record)

    @contextmanager
    def watching(self) -> "Generator[None, None, None]":
        """Record every module call in the body: results stay what they are where attention has no fast path of its own."""
        with eagerly(self.model), self._calls.followed():
            yield

    @property
    def flops(self) -> "Optional[int]":
        """Of the first evaluation of the whole model, else of its first forward; None where they could not be counted."""
        return self._flops.of.get("")

    def describe(self) -> "List[Dict[str, Any]]":
        """One record a module, in `named_modules()` order; to be called after everything else, for it runs modules again."""
        if self.output_path is None:
            self.output_path = self._output_layer(None)
        with eagerly(self.model):
            return [self._describe(path, module) for path, module in self._modules.items() if path]

    def heads(self) -> "List[Dict[str, Any]]":
        """One record an attention of at least two heads, in `named_modules()` order."""
        return attentions(self.model, self._heads, [path for path, seen in self._seen.items() if seen.calls])

    def parameters(self) -> "List[Dict[str, Any]]":
        """One record a parameter, in `named_parameters()` order."""
        return parameters(self.model, packed(self.model, self._heads))

    def _record(self, path: str, args: Any, kwargs: Any, output: Any) -> None:
        sighting, module = self._seen[path], self._modules[path]
        sighting.calls += 1
        if sighting.calls == 1:
            self._see(sighting, module, (args, kwargs), output)
        if channels(module) is not None:
            self._latest = module
        if path and is_leaf(module):
            self._last.pop(path, None)
            self._last[path] = [weakref.ref(tensor) for tensor in tensors_of(output)]
        elif not path:
            self.output_path = self._output_layer(output)
            self._last.clear()

    def _see(self, sighting: Sighting, module: nn.Module, given: "Tuple[Any, Any]", output: Any) -> None:
        inputs = next(tensors_of([*given[0], *given[1].values()]), None)
        sighting.before, sighting.output_type = self._latest, type(output).__name__
        sighting.input_shape = None if inputs is None else list(inputs.shape)
        if isinstance(output, torch.Tensor):
            sighting.output_shape = list(output.shape)
        if sighting.output_shape is not None and sighting.output_shape == sighting.input_shape and not is_leaf(module):
            sighting.again = _detached(given)

    def _output_layer(self, output: Any) -> "Optional[str]":
        """The leaf whose output is the model's own; else the last leaf with parameters that was called."""
        final = next(tensors_of(output), None)
        for path in reversed(self._last):
            if final is not None and any(known() is final for known in self._last[path]):
                return path
        with_parameters = [path for path in self._last if any(True for _ in self._modules[path].parameters())]
        return with_parameters[-1] if with_parameters else None

    def _describe(self, path: str, module: nn.Module) -> "Dict[str, Any]":
        sighting = self._seen[path]
        shape = sighting.output_shape
        units, dim = features(module, shape, sighting.before) if shape is not None else (None, None)
        return {
            "path": path,
            "type": type(module).__name__,
            "torch_module": torch_home(module),
            "parameters": sum(parameter.numel() for parameter in module.parameters()),
            "children": sum(1 for _ in module.children()),
            "calls": sighting.calls,
            "input_shape": sighting.input_shape,
            "output_shape": shape,
            "output_type": sighting.output_type,
            "bypassable": shape is not None and shape == sighting.input_shape,
            "residual": sighting.again is not None and _holds_residual(module, *sighting.again),
            "is_output": self.output_path is not None and (self.output_path + ".").startswith(path + "."),
            "branch": path in self._branches.paths,
            "features": units,
            "feature_dim": dim,
            "flops": self._flops.of.get(path),
        }


def _holds_residual(module: nn.Module, args: Any, kwargs: Any) -> bool:
    """With all that computes inside silenced, does the output still follow the input? Then the block adds its input itself.

    Norms, activations and dropout stay: they stand on the stream itself in post-norm blocks and in ResNets.
    """
    if any(own.dim() > 1 for own in module.parameters(recurse=False)):
        return False  # it may compute with those, and they cannot be silenced
    quiet = [
        part.register_forward_hook(lambda _m, _a, out: map_tensors(torch.zeros_like, out))
        for part in _computing(module)
    ]
    try:
        with torch.no_grad(), torch.random.fork_rng([]):
            first = module(*map_tensors(_clone, args), **map_tensors(_clone, kwargs))
            stream = next(tensors_of([*args, *kwargs.values()]), None)  # what a bypass hands on
            moving = partial(_scaled_if, stream)
            moved = module(*map_tensors(moving, args), **map_tensors(moving, kwargs))
        return bool(quiet) and not torch.equal(first, moved)
    except Exception:
        return False  # a block that cannot run alone, or on other numbers, is simply not offered a bypass by residual
    finally:
        for handle in quiet:
            handle.remove()


def _computing(module: nn.Module) -> "Iterator[nn.Module]":
    """The parts that mix or weigh what they are given: layers with parameters, but for norms and activations."""
    for child in module.children():
        if isinstance(child, nn.MultiheadAttention):
            yield child
        elif not is_leaf(child):
            yield from _computing(child)
        elif not _passes(child) and any(True for _ in child.parameters()):
            yield child


def _passes(leaf: nn.Module) -> bool:
    return torch_home(leaf) in PASSING or "norm" in type(leaf).__name__.lower()


def _detached(given: "Tuple[Any, Any]") -> "Tuple[Any, Any]":
    """The arguments without their graph, to be given again; what holds no tensors, such as a cache, is left out."""
    args, kwargs = given
    return tuple(_or_nothing(one) for one in args), {name: _or_nothing(one) for name, one in kwargs.items()}


def _or_nothing(value: Any) -> Any:
    try:
        return map_tensors(torch.Tensor.detach, value)
    except TypeError:
        return None


def _clone(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone()


def _scaled_if(stream: "Optional[torch.Tensor]", tensor: torch.Tensor) -> torch.Tensor:
    """Other numbers in place of the stream's; everything else as it was."""
    moves = tensor is stream and tensor.is_floating_point()
    return tensor.detach() * 2 + 1 if moves else _clone(tensor)
