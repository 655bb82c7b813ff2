"""What holds a module: wrappers around a model, and modules that are never called themselves, such as Lightning's."""

import gc
from typing import List, Optional

from torch import nn

WRAPPERS = ("DataParallel", "DistributedDataParallel", "FullyShardedDataParallel")


def unwrapped(module: nn.Module) -> nn.Module:
    """The model inside what compiling and parallel training put around it."""
    while True:
        children = dict(module.named_children())
        inner = children.get("_orig_mod")
        if inner is None and type(module).__name__ in WRAPPERS:
            inner = children.get("module")
        if inner is None:
            return module
        module = inner


def held_as(module: nn.Module) -> Optional[str]:
    """The path of `module` below what holds it, the longest way up; None where nothing does, or only lists and the like."""
    everything: List[nn.Module] = [one for one in gc.get_objects() if issubclass(type(one), nn.Module)]
    found: List[str] = []
    for holder in everything:
        if holder is not module and "_modules" in holder.__dict__ and unwrapped(holder) is holder:
            found += [path for path, part in holder.named_modules() if part is module and path]
    return max(sorted(found), key=lambda path: path.count("."), default=None)
