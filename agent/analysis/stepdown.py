"""Holm's step-down foretold: which share of alike tests it will pass, from the chance that a single one passes at a given α."""

from collections.abc import Callable

import numpy as np

from .arrays import Floats

_EXACT_UP_TO = 50
_DRAWS = 4000
_STEPS = 60
_PRECISION = 1e-4


def expected_share(chance: Callable[[Floats], Floats], alpha: float, size: int) -> Floats:
    """Expected share of `size` independent, alike tests that pass Holm's step-down at a family-wise `alpha`.

    The k-th smallest p must not exceed α / (size − k + 1), nor any before it. For up to 50 tests this is counted over
    the same drawn p values each time (so that it is monotone in the chances); for more their ranks hardly vary, and with
    a share s passed the next is tested at α / (size·(1 − s)).

    Args:
        chance: from the α of one test, shape [K, …] or broadcast against the cases, to the chance that it passes, shape
            [K, …cases].
        alpha: family-wise error.
        size: number of tests.

    Returns:
        Shape […cases].
    """
    if size > _EXACT_UP_TO:
        return _in_the_mean(chance, alpha, size)
    left = size - np.arange(size)
    passing = chance(alpha / left)
    cases = passing.reshape(size, -1)
    ranks = np.sort(np.random.default_rng(0).random((_DRAWS // size, size)), axis=1)
    shares = [np.logical_and.accumulate(ranks <= case, axis=1).mean() for case in cases.T]
    return np.array(shares, dtype=np.float64).reshape(passing.shape[1:])


def _in_the_mean(chance: Callable[[Floats], Floats], alpha: float, size: int) -> Floats:
    share = chance(np.array([alpha / size]))[0]
    for _ in range(_STEPS):
        found = chance((alpha / np.maximum(1.0, size * (1 - share)))[None])[0]
        if np.max(found - share) < _PRECISION:
            return found
        share = found
    return share
