"""Compiled code runs eagerly for a while: it ignores hooks that come after its first call, and refuses to meet a meter."""

import sys
from contextlib import contextmanager
from typing import Any, Generator, List, Tuple

import torch
from torch import nn

COMPILING = ("torch._dynamo", "torch.nn.attention.flex_attention")
"""Where one of these is imported, functions may be compiled too; importing the compiler for nothing would take a second."""


@contextmanager
def eagerly(model: nn.Module) -> "Generator[None, None, None]":
    """Run what `torch.compile` has wrapped as it was written."""
    compiled = [module for module in model.modules() if _is_compiled(module)]
    set_stance = getattr(torch.compiler, "set_stance", None)
    if set_stance is None:
        with _unwrapped(compiled):
            yield
    elif compiled or any(name in sys.modules for name in COMPILING):
        with set_stance("force_eager"):
            yield
    else:
        yield


def _is_compiled(module: nn.Module) -> bool:
    return type(module).__name__ == "OptimizedModule" or getattr(module, "_compiled_call_impl", None) is not None


@contextmanager
def _unwrapped(compiled: "List[nn.Module]") -> "Generator[None, None, None]":
    """For torch before 2.6."""
    before: List[Tuple[nn.Module, str, Any]] = []
    try:
        for module in compiled:
            wrapper = type(module).__name__ == "OptimizedModule"
            name, plain = ("forward", module._orig_mod) if wrapper else ("_compiled_call_impl", None)
            before.append((module, name, module.__dict__[name]))
            module.__dict__[name] = plain
        yield
    finally:
        for module, name, value in before:
            module.__dict__[name] = value
