"""Power of t-based decisions, exactly: quadrature over the χ² of the estimated variance.

With a true shift λ (in standard errors) the statistic is (Z + λ) / W, W² = χ²_df / df. Each decision is an inequality
in W for given Z, so its probability is ∫ φ(z) F_χ²(·) dz: smooth in z, and a plain trapezoid is accurate to 1e-5.
(`scipy.stats.nct.cdf(-9.92, 2, 8)` is NaN.)
"""

from collections.abc import Callable

import numpy as np
from scipy import special

from .arrays import Floats

_REACH = 7.0
_Z = np.linspace(-_REACH, _REACH, 281)
_DENSITY = np.exp(-(_Z**2) / 2) / np.exp(-(_Z**2) / 2).sum()


def detection_power(shift: float, critical: float, df: float) -> float:
    """P(|T| > critical) at a true shift, in standard errors."""
    return _expect(lambda z: _chance_below(np.abs(z + shift) / critical, df))


def exceedance_power(shift: float, critical: float, df: float) -> float:
    """P(estimate − critical·se > 0): the interval's lower end lies above the value from which `shift` is counted."""
    return _expect(lambda z: _chance_below(np.maximum(z + shift, 0.0) / critical, df))


def equivalence_power(shift: float, margin: float, critical: float, df: float) -> float:
    """P(|estimate| + critical·se < margin); shift and margin in true standard errors."""
    return _expect(lambda z: _chance_below(np.maximum(margin - np.abs(z + shift), 0.0) / critical, df))


def smallest_count(enough: Callable[[int], bool], start: int, limit: int) -> int | None:
    """Smallest n in [start, limit] for which a predicate that stays true once true holds; None beyond the limit."""
    if start > limit:
        return None
    low, high = start - 1, start
    while not enough(high):
        if high == limit:
            return None
        low, high = high, min(2 * high, limit)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _chance_below(w: Floats, df: float) -> Floats:
    """P(W ≤ w) for W² = χ²_df / df."""
    return np.asarray(special.chdtr(df, df * w**2), dtype=np.float64)


def _expect(function: Callable[[Floats], Floats]) -> float:
    """Expectation over a standard normal."""
    return float(_DENSITY @ function(_Z))
