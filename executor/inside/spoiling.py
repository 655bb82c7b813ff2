"""Which modules do more than give an output: what they edit, keep or draw from would be missing where they are not run."""

import time
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Dict, Iterator, List, Optional, Set

import torch
from torch import nn
from torch.nn.modules import module as torch_module

from .replay import PLAIN
from .surgery import Cut
from .tape import Key, Tape
from .tensors import bit_sums, tensors_of

DEEPEST, MOST = 6, 20_000
NOT_STATE = ("_modules", "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
PLAIN_VALUES = (int, float, complex, str, bytes, bool, type(None), torch.dtype, torch.device, torch.Size)


class Survey:
    """Looks at every call of one batch: its time, the size of its output, and whether it can be spared."""

    def __init__(self) -> None:
        self.tape, self.sizes, self.spoilt = Tape(), dict[Key, int](), set[nn.Module]()

    def call(self, module: nn.Module, args: Any, kwargs: "Dict[str, Any]") -> Any:
        """What the module gives."""
        if Cut.looking_aside:
            return PLAIN(module, *args, **kwargs)
        call, before = self.tape.begin(module), self._marks(module, args, kwargs)
        started = time.perf_counter()
        try:
            output = PLAIN(module, *args, **kwargs)
        finally:
            call.seconds, call.end = time.perf_counter() - started, len(self.tape.calls)
        self.sizes[call.key] = sum(one.numel() * one.element_size() for one in tensors_of(output))
        if before != self._marks(module, args, kwargs) or _has_hooks(module):
            self.spoilt.add(module)
        return output

    def finish(self) -> Tape:
        """The tape, with every call marked that cannot be spared, and those around it."""
        for at, call in enumerate(self.tape.calls):
            inside = self.tape.calls[at : call.end]
            call.spoilt = any(one.key[0] in self.spoilt for one in inside)
        return self.tape

    def _marks(self, module: nn.Module, args: Any, kwargs: "Dict[str, Any]") -> "List[Any]":
        own = [value for name, value in vars(module).items() if name not in NOT_STATE]
        seen: Set[int] = set()
        return [list(_marks(one, 0, seen)) for one in (*args, *kwargs.values(), *own)]


def hindrance(*, draws: bool) -> Optional[str]:
    """Why nothing at all can be spared; None where that is not so. `draws`: whether scoring draws from Python or numpy."""
    if torch_module._has_any_global_hook():  # pyright: ignore[reportPrivateUsage]
        return "hooks on all modules are in place"
    return "scoring draws from Python's or numpy's random numbers" if draws else None


def _has_hooks(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)  # pyright: ignore[reportPrivateUsage]


def _marks(value: Any, depth: int, seen: "Set[int]") -> "Iterator[Any]":
    """What changes where a value is edited, be it a tensor, a container or an object that holds some."""
    if isinstance(value, (*PLAIN_VALUES, nn.Module)) or depth > DEEPEST or len(seen) > MOST:
        yield value if isinstance(value, (int, float, str, bool)) else id(value)
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    yield id(value)
    if isinstance(value, torch.Tensor):
        yield bit_sums(value) if value.is_inference() else value._version
    elif isinstance(value, torch.Generator):
        yield zlib.crc32(bytes(value.get_state().tolist()))
    elif type(value).__module__ == "numpy" and hasattr(value, "tobytes"):
        yield zlib.crc32(value.tobytes())
    else:
        for part in _parts(value):
            yield from _marks(part, depth + 1, seen)


def _parts(value: Any) -> "Iterator[Any]":
    if isinstance(value, Mapping):
        yield len(value)
        yield from value.values()
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield len(value)
        yield from value
    elif is_dataclass(value) and not isinstance(value, type):
        yield from (getattr(value, field.name, None) for field in fields(value))
    if hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value):
        yield from vars(value).values()
