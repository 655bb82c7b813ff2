"""The array types of the analysis, and two rules that all of it shares: what is missing, and what is rounding."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_LARGEST = 1e100
_ROUNDING = 32 * float(np.finfo(np.float64).eps)


def measured(values: ArrayLike) -> Floats:
    """Copy `values` as float64, of any shape, with NaN for every cell that is no measurement.

    Infinities, and numbers beyond ±1e100 whose squares would overflow, are divergence rather than a metric.
    """
    array = np.array(values, dtype=np.float64)
    array[~(np.abs(array) < _LARGEST)] = np.nan
    return array


def rounding(values: Floats, axis: int | tuple[int, ...] | None = None) -> Floats:
    """Size below which a difference of these values is floating-point rounding, in their unit; NaN is ignored."""
    magnitudes = np.where(np.isfinite(values), np.abs(values), 0.0)
    return np.asarray(_ROUNDING * magnitudes.max(axis=axis, initial=0.0), dtype=np.float64)


def number(value: float) -> float | None:
    """Return a plain float, or None where the array held NaN: no NaN leaves the analysis."""
    return None if np.isnan(value) else float(value)
