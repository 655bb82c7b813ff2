"""How much of what a cut took fine-tuning gave back: a ratio of two paired means, with its interval."""

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Floats, measured, rounding
from .inference import critical

_FEWEST_SEEDS = 3
_NOTHING = "the cut cost nothing, so there is nothing to give back"


@dataclass(frozen=True)
class Recovery:
    """The share of a cut's cost that fine-tuning gave back: 0 nothing, 1 all; it may lie outside of [0, 1]."""

    fraction: float | None
    """None without a seed, or where the cut cost nothing."""
    interval: tuple[float, float] | None
    n: int
    """Seeds with all three values."""
    reason: str | None
    """Why there is no interval."""


def recovery_fraction(cut: Floats, recovered: Floats, control: Floats, alpha: float) -> Recovery:
    """mean(recovered − cut) / mean(control − cut) over the seeds that have all three, with an interval by Fieller.

    The interval holds every share r for which the paired t of (recovered − cut) − r · (control − cut) does not reject 0
    at level alpha, n − 1 degrees of freedom (Fieller, J. R. Stat. Soc. B 16:175, 1954). It is bounded only where the
    same test shows that the cut cost something.

    Args:
        cut: the metric right after the cut, shape [S], larger is better; NaN where missing.
        recovered: after fine-tuning with the cut, likewise.
        control: fine-tuned for as long without the cut, likewise.
        alpha: error of the interval.

    Raises:
        ValueError: the shapes differ.
    """
    if not cut.shape == recovered.shape == control.shape or cut.ndim != 1:
        raise ValueError(f"three arrays by seed are needed, not {cut.shape}, {recovered.shape} and {control.shape}")
    y = measured([cut, recovered, control])
    y = y[:, np.all(np.isfinite(y), axis=0)]
    n, smallest = y.shape[1], float(rounding(y))
    gained, cost = y[1:] - y[0]
    if n == 0 or cost.mean() <= smallest:
        return Recovery(None, None, n, _NOTHING if n >= _FEWEST_SEEDS else _too_few(n))
    fraction = float(gained.mean() / cost.mean())
    if n < _FEWEST_SEEDS:
        return Recovery(fraction, None, n, _too_few(n))
    ends = _fieller(gained, cost, smallest, alpha)
    return Recovery(fraction, ends, n, None if ends else f"over {n} seeds the cost of the cut is not told from 0")


def _too_few(n: int) -> str:
    return f"{n} of at least {_FEWEST_SEEDS} seeds finished"


def _fieller(above: Floats, below: Floats, smallest: float, alpha: float) -> tuple[float, float] | None:
    """The two roots of (mean(above) − r·mean(below))² = t²·var(above − r·below)/n; None where unbounded."""
    n = above.size
    covariance = np.cov(above, below)
    covariance[np.abs(covariance) <= smallest**2] = 0.0
    margin = float(critical(alpha / 2, n - 1)) ** 2 * covariance / n
    square = float(below.mean() ** 2 - margin[1, 1])
    linear = float(above.mean() * below.mean() - margin[0, 1])
    constant = float(above.mean() ** 2 - margin[0, 0])
    if square <= 0:
        return None
    root = math.sqrt(max(linear**2 - square * constant, 0.0))
    return (linear - root) / square, (linear + root) / square
