"""The running calls of a model's modules; while a new kind of forward runs, listeners hear the torch functions it uses too."""

from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import Any, Callable, ContextManager, Dict, Generator, List, Optional, Sequence, Set, Tuple

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from .tensors import tensors_of

Every = Callable[[str, Any, Any, Any], None]


class Listener:
    """Hears of one forward what it overrides. Whatever it raises is dropped: the user's forward goes on."""

    def look(self) -> "ContextManager[Any]":
        """What has to be entered while a forward is looked at."""
        return nullcontext()

    def began(self, path: str, module: nn.Module, tensor: "Optional[torch.Tensor]") -> None:
        """A module was called; `tensor` is the first of its inputs."""
        return None

    def ended(self, path: str, module: nn.Module, output: Any) -> None:
        """The innermost running call returned; `output` is None where it raised."""
        return None

    def used(self, name: str, args: "Tuple[Any, ...]", kwargs: "Dict[str, Any]", output: Any) -> None:
        """The innermost running call used a torch function."""
        return None


class Functions(TorchFunctionMode):
    """Passes every torch function on as it is, then reports it."""

    def __init__(self, report: "Callable[[str, Any, Any, Any], None]") -> None:
        super().__init__()
        self._report = report

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        self._report(getattr(func, "__name__", ""), args, kwargs or {}, output)
        return output


class Calls:
    """Follows the calls of every module of a model, the first outermost one of each module and mode in detail.

    Later forwards pass at the cost of two hooks a module. `every` hears of each finished call.
    """

    def __init__(self, model: nn.Module, listeners: "Sequence[Listener]", every: Every) -> None:
        self._modules = dict(model.named_modules())
        self._listeners, self._every = listeners, every
        self._running: List[str] = []
        self._known: Set[Tuple[str, bool]] = set()
        self._look: Optional[ExitStack] = None
        self._busy = False

    @contextmanager
    def followed(self) -> "Generator[None, None, None]":
        """Follow every module call in the body."""
        hooks: List[Any] = []
        try:
            for path, module in self._modules.items():
                if isinstance(module, torch.jit.ScriptModule):  # takes no hooks
                    continue
                began, ended = _with_path(self._began, path), _with_path(self._ended, path)
                hooks.append(module.register_forward_pre_hook(began, with_kwargs=True))
                hooks.append(module.register_forward_hook(ended, with_kwargs=True, always_call=True))
            yield
        finally:
            for hook in hooks:
                hook.remove()
            self._running.clear()
            self._close()

    def _began(self, path: str, module: nn.Module, args: Any, kwargs: Any) -> None:
        if not self._running:
            self._open(path, module)
        self._running.append(path)
        if self._look is not None:
            with self._aside():
                tensor = next(tensors_of([*args, *kwargs.values()]), None)
                self._tell(lambda listener: listener.began(path, module, tensor))

    def _ended(self, path: str, _module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        with self._aside():
            self._every(path, args, kwargs, output)
        if path not in self._running:
            return
        while self._running[-1] != path:
            self._leave(None)
        self._leave(output)
        if not self._running:
            self._close()

    def _leave(self, output: Any) -> None:
        path = self._running.pop()
        if self._look is not None:
            with self._aside():
                self._tell(lambda listener: listener.ended(path, self._modules[path], output))

    def _used(self, name: str, args: Any, kwargs: Any, output: Any) -> None:
        if not self._busy and self._running:
            with self._aside():
                self._tell(lambda listener: listener.used(name, args, kwargs, output))

    def _tell(self, message: "Callable[[Listener], None]") -> None:
        for listener in self._listeners:
            with suppress(Exception):
                message(listener)

    @contextmanager
    def _aside(self) -> "Generator[None, None, None]":
        """Our own look at the user's tensors: unheard, without a graph, and never the end of the forward."""
        self._busy = True
        try:
            with torch.no_grad(), suppress(Exception):
                yield
        finally:
            self._busy = False

    def _open(self, path: str, module: nn.Module) -> None:
        if (path, module.training) in self._known:
            return
        self._known.add((path, module.training))
        self._look = ExitStack()
        for one in [*(listener.look() for listener in self._listeners), Functions(self._used)]:
            self._look.enter_context(one)

    def _close(self) -> None:
        if self._look is not None:
            self._look.close()
            self._look = None


def _with_path(method: "Callable[..., None]", path: str) -> "Callable[..., None]":
    """A hook as a plain function: a deep copy of its module takes it along as it is, where it would copy a bound method's owner."""

    def hook(*args: Any) -> None:
        method(path, *args)

    return hook
