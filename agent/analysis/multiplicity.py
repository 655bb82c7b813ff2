"""Adjusting p values for the number of tests; hands on adjusted p values in the order they came."""

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats


def adjust(p: Floats, *, screen: bool) -> Floats:
    """Adjust the p values of one family, shape [m]; NaN, a test that could not be made, counts as 1."""
    made = np.where(np.isnan(p), 1.0, p)
    return benjamini_hochberg(made) if screen else holm(made)


def holm(p: ArrayLike) -> Floats:
    """Control the family-wise error under any dependence (Holm, 1979).

    Args:
        p: p values, shape [m], free of NaN: a test that could not be made counts as 1.

    Returns:
        Adjusted p values, shape [m].
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Control the false discovery rate of a screen (Benjamini & Hochberg, 1995; `scipy.stats.false_discovery_control`).

    Args:
        p: p values, shape [m], free of NaN.

    Returns:
        Adjusted p values, shape [m].
    """
    values = np.asarray(p, dtype=np.float64)
    if not values.size:
        return values
    from scipy import stats  # half a second, and rarely needed

    return np.asarray(stats.false_discovery_control(values), dtype=np.float64)
