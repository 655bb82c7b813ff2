"""Tensors wherever they hide: in tuples, lists, dictionaries and dataclasses (as `ModelOutput` is)."""

import ctypes
import dataclasses
import hashlib
from typing import Any, Callable, Dict, Iterator, List

import torch


def tensors_of(value: Any) -> "Iterator[torch.Tensor]":
    """Every tensor in `value`, in order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
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
        changed: Dict[Any, Any] = {key: map_tensors(change, item) for key, item in value.items()}
        return changed if type(value) is dict else type(value)(**changed)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(map_tensors(change, item) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(map_tensors(change, item) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: map_tensors(change, getattr(value, field.name)) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    raise TypeError(f"an output of type {type(value).__name__} holds no tensor that could be edited")


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
