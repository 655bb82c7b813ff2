"""What torch's own layers are, by the module of torch that defines them."""

from typing import Optional, Type

from torch import nn


def torch_class(module: nn.Module) -> "Optional[Type[nn.Module]]":
    """The layer of torch's own that `module` is or derives from, else None."""
    for kind in type(module).__mro__:
        if kind.__module__.startswith("torch.nn.modules.") and kind is not nn.Module:
            return kind
    return None


def torch_home(module: nn.Module) -> "Optional[str]":
    """`activation`, `normalization`, `dropout`, … for torch's own layers (subclasses too), else None."""
    kind = torch_class(module)
    return kind.__module__.rsplit(".", 1)[1] if kind else None


def is_leaf(module: nn.Module) -> bool:
    """Whether it holds no other module."""
    return next(module.children(), None) is None
