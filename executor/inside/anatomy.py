"""The live module tree, as one training step and one evaluation of the baseline show it."""

from contextlib import contextmanager
from typing import Any, Dict, Generator, List, Optional, Tuple

import torch
from torch import nn

from .tensors import map_tensors, tensors_of


class Sighting:
    """What was seen of one module: its calls, and the arguments and output of its first one."""

    def __init__(self) -> None:
        self.calls = 0
        self.args: Tuple[Any, ...] = ()
        self.kwargs: Dict[str, Any] = {}
        self.output: Any = None


class Anatomist:
    """Watches every module of a model while it runs."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.seen = {path: Sighting() for path, _ in model.named_modules()}
        self.output_path: Optional[str] = None
        self._last: Dict[str, Any] = {}

    @contextmanager
    def watching(self) -> "Generator[None, None, None]":
        """Record every module call in the body."""
        handles = [
            module.register_forward_hook(self._record(path), with_kwargs=True)
            for path, module in self.model.named_modules()
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def describe(self) -> "List[Dict[str, Any]]":
        """One record a module, in `named_modules()` order; to be called after everything else, for it runs modules again."""
        if self.output_path is None:
            self.output_path = self._output_layer(None)
        return [self._describe(path, module) for path, module in self.model.named_modules() if path]

    def _record(self, path: str) -> Any:
        def record(_module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            sighting = self.seen[path]
            sighting.calls += 1
            if sighting.calls == 1:
                sighting.args, sighting.kwargs, sighting.output = args, kwargs, output
            if path:
                self._last.pop(path, None)
                self._last[path] = output
            else:
                self.output_path = self._output_layer(output)
                self._last.clear()

        return record

    def _output_layer(self, output: Any) -> Optional[str]:
        """The leaf whose output is the model's own; else the last leaf with parameters that was called."""
        leaves = [path for path in self._last if _is_leaf(self.model.get_submodule(path))]
        final = next(tensors_of(output), None)
        for path in reversed(leaves):
            if any(tensor is final for tensor in tensors_of(self._last[path])):
                return path
        with_parameters = [path for path in leaves if any(True for _ in self.model.get_submodule(path).parameters())]
        return with_parameters[-1] if with_parameters else None

    def _describe(self, path: str, module: nn.Module) -> "Dict[str, Any]":
        sighting = self.seen[path]
        inputs = next(tensors_of([*sighting.args, *sighting.kwargs.values()]), None)
        output = sighting.output
        same_shape = (
            isinstance(inputs, torch.Tensor) and isinstance(output, torch.Tensor) and inputs.shape == output.shape
        )
        return {
            "path": path,
            "type": type(module).__name__,
            "torch_module": _torch_home(module),
            "parameters": sum(parameter.numel() for parameter in module.parameters()),
            "children": sum(1 for _ in module.children()),
            "calls": sighting.calls,
            "input_shape": list(inputs.shape) if isinstance(inputs, torch.Tensor) else None,
            "output_shape": list(output.shape) if isinstance(output, torch.Tensor) else None,
            "output_type": type(output).__name__,
            "bypassable": same_shape,
            "residual": same_shape and not _is_leaf(module) and self._holds_residual(module, sighting),
            "is_output": self.output_path is not None and (self.output_path + ".").startswith(path + "."),
        }

    def _holds_residual(self, module: nn.Module, sighting: Sighting) -> bool:
        """With every child silenced, does the output still follow the input? Then the block adds its input itself."""
        quiet = [
            child.register_forward_hook(lambda _m, _a, out: map_tensors(torch.zeros_like, out))
            for child in module.children()
        ]
        try:
            with torch.no_grad(), torch.random.fork_rng([]):
                first = module(*map_tensors(_clone, sighting.args), **map_tensors(_clone, sighting.kwargs))
                moved = module(*map_tensors(_scaled, sighting.args), **map_tensors(_scaled, sighting.kwargs))
            return not torch.equal(first, moved)
        except Exception:
            return (
                False  # a block that cannot run alone, or on other numbers, is simply not offered a bypass by residual
            )
        finally:
            for handle in quiet:
                handle.remove()


def _clone(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone()


def _scaled(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach() * 2 + 1 if tensor.is_floating_point() else tensor.detach().clone()


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None


def _torch_home(module: nn.Module) -> Optional[str]:
    """`activation`, `normalization`, `dropout`, … for torch's own layers (subclasses too), else None."""
    for kind in type(module).__mro__:
        if kind.__module__.startswith("torch.nn.modules.") and kind is not nn.Module:
            return kind.__module__.rsplit(".", 1)[1]
    return None
