"""From an estimate, its standard error and its degrees of freedom to p values and intervals, by Student's t.

All functions take arrays of one shape, hand on the same shape, and keep NaN where the standard error is NaN (no test).
A standard error of exactly zero is certainty: p is 0 or 1, and the interval is a point.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .arrays import Floats


def two_sided_p(estimate: ArrayLike, se: ArrayLike, df: ArrayLike) -> Floats:
    """Test that the true value is not 0."""
    lower, upper = _upper_tail(estimate, se, df), _upper_tail(-np.asarray(estimate), se, df)
    certain = (np.asarray(se) == 0) & (np.asarray(estimate) == 0)
    return np.where(certain, 1.0, np.minimum(1.0, 2 * np.minimum(lower, upper)))


def equivalence_p(estimate: ArrayLike, se: ArrayLike, df: ArrayLike, delta: float) -> tuple[Floats, Floats]:
    """Two one-sided tests (Schuirmann, 1987): the p values of `value > -delta` and of `value < delta`.

    The larger of the two is the p value of equivalence.
    """
    estimate = np.asarray(estimate, dtype=np.float64)
    return _upper_tail(estimate + delta, se, df), _upper_tail(delta - estimate, se, df)


def interval(estimate: ArrayLike, se: ArrayLike, df: ArrayLike, alpha: float) -> tuple[Floats, Floats]:
    """Both ends of the two-sided interval of level 1 − alpha."""
    estimate, se = np.asarray(estimate, dtype=np.float64), np.asarray(se, dtype=np.float64)
    reach = se * critical(alpha / 2, np.where(np.isnan(se), 1.0, df))
    return estimate - reach, estimate + reach


def critical(tail: float, df: ArrayLike) -> Floats:
    """Value of Student's t that leaves the probability `tail` above it."""
    return np.asarray(-special.stdtrit(df, tail), dtype=np.float64)


def _upper_tail(distance: ArrayLike, se: ArrayLike, df: ArrayLike) -> Floats:
    """P(T ≥ distance / se): small where the distance lies far above zero."""
    distance, se, df = np.broadcast_arrays(
        np.asarray(distance, dtype=np.float64), np.asarray(se, dtype=np.float64), np.asarray(df, dtype=np.float64)
    )
    p = np.full(distance.shape, np.nan)
    p[se == 0] = np.where(distance[se == 0] >= 0, 0.0, 1.0)
    testable = se > 0
    p[testable] = special.stdtr(df[testable], -distance[testable] / se[testable])
    return p
