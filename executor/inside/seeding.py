"""Every generator seeded alike, so that one key gives one set of numbers."""

import os
import random
import sys
from typing import Any, List, Tuple

import torch


def seed_everything(seed: int) -> None:
    """Seed `random`, numpy where it is loaded, and torch on every device."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def reseed(seed: int) -> None:
    """The same, for every batch anew: of devices only those that are in use, since the others would each note it down."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


def pin(threads: int) -> None:
    """Pin the thread count, which changes sums in the last bit, and prefer deterministic kernels where torch has them."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    prefer_deterministic_kernels()
    torch.backends.mha.set_fastpath_enabled(False)


def prefer_deterministic_kernels() -> None:
    """As `torch.use_deterministic_algorithms` does, which imports the compiler for it: a second of processor time.

    A compiler that is imported later reads the environment.
    """
    if "torch._inductor" in sys.modules:
        torch.use_deterministic_algorithms(True, warn_only=True)
    else:
        os.environ.setdefault("TORCHINDUCTOR_DETERMINISTIC", "1")
        torch.set_deterministic_debug_mode("warn")


def states() -> "List[torch.Tensor]":
    """Of torch's generators, the processor's first. No device is initialised for that."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state(one) for one in devices)]


def set_states(found: "List[torch.Tensor]") -> None:
    """Put torch's generators where `states` found them."""
    torch.set_rng_state(found[0])
    for device, state in enumerate(found[1:]):
        torch.cuda.set_rng_state(state, device)


def same_states(one: "List[torch.Tensor]", other: "List[torch.Tensor]") -> bool:
    """Whether nothing was drawn in between."""
    return len(one) == len(other) and all(torch.equal(*pair) for pair in zip(one, other))  # noqa: B905


def other_states() -> "Tuple[Any, Any]":
    """Of Python's generator and of numpy's, where it is loaded; to be compared, and to be given to `set_other_states`."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return random.getstate(), None
    name, keys, *rest = numpy.random.get_state(legacy=True)
    return random.getstate(), (name, tuple(keys.tolist()), *rest)


def set_other_states(found: "Tuple[Any, Any]") -> None:
    """Put Python's generator and numpy's where `other_states` found them."""
    random.setstate(found[0])
    if found[1] is not None:
        sys.modules["numpy"].random.set_state(found[1])
