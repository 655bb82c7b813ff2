"""Whole models that a script pickles: saved without what was cut into them, as the script itself would have saved them.

A cut stands in a module's own attributes, so that deep copies have it too. In a file it would be an object that nobody
else can load; a model that is loaded again is met at its first call, and cut there.
"""

import sys
from typing import Any, Dict

from torch import nn

from .surgery import Cut


def save_without_cuts() -> None:
    """From now on, in this Python."""
    nn.Module.__getstate__ = _state  # type: ignore[method-assign, assignment]


def _state(module: nn.Module) -> "Dict[str, Any]":
    state = dict(module.__dict__)
    is_copied = sys._getframe(1).f_globals.get("__name__") == "copy"  # pyright: ignore[reportPrivateUsage]
    if not is_copied and isinstance(getattr(state.get("forward"), "__self__", None), Cut):
        del state["forward"]
    return state
