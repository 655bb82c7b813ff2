"""Tensors wherever they hide: in tuples, lists, dictionaries and dataclasses (as `ModelOutput` is)."""

import copy
import ctypes
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Callable, Dict, Iterator, List, Tuple

import torch
from torch.overrides import TorchFunctionMode

WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def tensors_of(value: Any) -> "Iterator[torch.Tensor]":
    """Every tensor in `value`, in order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_of(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_of(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from tensors_of(getattr(value, field.name))


def map_tensors(change: "Callable[[torch.Tensor], torch.Tensor]", value: Any) -> Any:
    """`value` with every tensor replaced by `change(tensor)`; containers keep their types. `TypeError` for an unknown type."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        changed: Dict[Any, Any] = copy.copy(value)
        for key, item in value.items():
            changed[key] = map_tensors(change, item)
        return changed
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(map_tensors(change, item) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(map_tensors(change, item) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        replaced = copy.copy(value)
        for field in dataclasses.fields(value):
            object.__setattr__(replaced, field.name, map_tensors(change, getattr(value, field.name)))
        return replaced
    raise TypeError(f"an output of type {type(value).__name__} holds no tensor that could be edited")


def copied(value: Any) -> Any:
    """A deep copy, of tensors that are part of a graph too, and of views without what they are views of."""
    with _DetachedCopies():
        return copy.deepcopy(value)


class _DetachedCopies(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.__deepcopy__:
            return args[1].setdefault(id(args[0]), args[0].detach().clone())
        return func(*args, **(kwargs or {}))


def digest(tensors: "Iterator[torch.Tensor]") -> str:
    """A hash of the exact bits, shapes and types of `tensors`."""
    seen = hashlib.sha256()
    for tensor in tensors:
        seen.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        if tensor.layout is torch.strided and not tensor.is_meta:
            plain = tensor.detach().to("cpu").contiguous()
            size = plain.numel() * plain.element_size()
            if size:
                seen.update((ctypes.c_char * size).from_address(plain.data_ptr()))
    return seen.hexdigest()


def weights_digest(model: torch.nn.Module) -> str:
    """A hash of every parameter and buffer, bit for bit."""
    state: List[torch.Tensor] = [*model.parameters(), *model.buffers()]
    return digest(iter(state))


class Checksum:
    """Sums of the bits of tensors as they go by, on their own device: equal for equal tensors, cheap beside computing them."""

    def __init__(self) -> None:
        self._seen = hashlib.sha256()

    def add(self, value: Any) -> None:
        """Take in every tensor in `value`."""
        for tensor in tensors_of(value):
            self._seen.update(repr((str(tensor.dtype), tuple(tensor.shape), bit_sums(tensor))).encode())

    def with_values(self, values: Any) -> str:
        """The checksum, with plain data beside the tensors."""
        self._seen.update(json.dumps(values, sort_keys=True).encode())
        return self._seen.hexdigest()


def checksums(model: torch.nn.Module) -> "Dict[str, Tuple[int, ...]]":
    """A checksum of every parameter and buffer, by name."""
    named = [*model.named_parameters(), *model.named_buffers()]
    return {name: bit_sums(tensor) for name, tensor in named}


def bit_sums(tensor: torch.Tensor) -> "Tuple[int, ...]":
    """The sum of the bits as whole numbers, plain and weighted by position."""
    if tensor.layout is not torch.strided or tensor.is_meta or not tensor.numel():
        return ()
    plain = tensor.detach().contiguous().flatten()
    if plain.is_complex():
        plain = torch.view_as_real(plain).flatten()
    whole = WHOLE[plain.element_size()]
    bits = plain.view(whole) if plain.dtype is not torch.bool else plain.to(torch.uint8)
    weights = torch.arange(len(bits), device=bits.device) % 8191 + 1
    return int(bits.sum(dtype=torch.int64)), int((bits.to(torch.int64) * weights).sum())
