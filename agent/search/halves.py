"""Evaluation examples in two random halves: one that a search may look at, and a fresh one that confirms what it found."""

import zlib

import numpy as np

from ..analysis.arrays import Bools, Ints


def search_half(examples: int, clusters: Ints | None, study: str) -> Bools:
    """Which examples a search looks at, shape [examples]: a random half, whole clusters of them, the same in every run.

    Args:
        examples: their number.
        clusters: shape [examples], equal labels for examples that belong together; None: each stands alone.
        study: its name, which seeds the drawing.
    """
    labels = np.arange(examples) if clusters is None else clusters
    known = np.unique(labels)
    dice = np.random.default_rng(zlib.crc32(study.encode()))
    chosen = dice.permutation(known)[: len(known) // 2]
    return np.isin(labels, chosen)
