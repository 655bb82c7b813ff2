"""Every generator seeded alike, so that one key gives one set of numbers."""

import os
import random
import sys

import torch


def seed_everything(seed: int) -> None:
    """Seed `random`, numpy where it is loaded, and torch on every device."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def pin(threads: int) -> None:
    """Pin the thread count, which changes sums in the last bit, and prefer deterministic kernels where torch has them."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.mha.set_fastpath_enabled(False)
