"""Contrasts between arms (a single removal, an interaction) and their standard errors under the block model."""

from typing import NamedTuple

import numpy as np

from .arrays import Floats, Ints, rounding
from .block import BlockFit


class Contrasts(NamedTuple):
    """F weighted sums of arms whose weights sum to 0, so that the seed effects cancel."""

    rows: Ints
    """Rows of the table, shape [F, K]; where an entry is unused its weight is 0 and its row 0."""
    weights: Floats
    """Shape [F, K]."""

    @property
    def squares(self) -> Floats:
        """Sum of squared weights, shape [F]: a contrast's variance at one seed in units of the residual variance."""
        return (self.weights**2).sum(axis=1)


class Fitted(NamedTuple):
    """Estimates of F contrasts; every array has shape [F], and NaN where there are too few shared seeds."""

    estimate: Floats
    se: Floats
    df: Floats
    n: Ints
    """Seeds shared by all arms of the contrast."""
    paired_se: Floats
    """Standard error from the contrast's own values alone, with n − 1 degrees of freedom."""


def single_removals(arms: int) -> Contrasts:
    """Baseline (row 0) minus arm, for the arms in rows 1…`arms`."""
    rows = np.stack([np.zeros(arms, dtype=np.int64), np.arange(1, arms + 1)], axis=1)
    return Contrasts(rows, np.tile([1.0, -1.0], (arms, 1)))


def per_seed(y: Floats, contrasts: Contrasts) -> Floats:
    """Values of each contrast at each seed, shape [F, S]; NaN where one of its arms is missing."""
    weights = contrasts.weights[:, :, None]
    return np.where(weights == 0, 0.0, weights * y[contrasts.rows]).sum(axis=1)


def fit_contrasts(y: Floats, contrasts: Contrasts, block: BlockFit) -> Fitted:
    """Estimate every contrast as its mean over the shared seeds, with a pooled or a paired standard error.

    With the pool: se² = Σc² · max(s²_pool, (s²_pool + s²_own) / 2) / n. Where the gate closed it: the paired t of the
    contrast's own values. Only one whose values do not vary at all, while other arms do, keeps the pool even then: with
    a metric in steps (an accuracy), equal differences at a few seeds are a coincidence and not certainty.

    Args:
        y: shape [R, S], NaN where missing.
        contrasts: F of them over the R rows.
        block: the fit of `y`.
    """
    values = per_seed(y, contrasts)
    n, estimate, own = _moments(
        values, rounding(np.where(contrasts.weights[:, :, None] == 0, 0.0, y[contrasts.rows]), (1, 2))
    )
    own = own / contrasts.squares
    paired_se = np.sqrt(contrasts.squares * own / np.maximum(n, 1))
    if block.pooled:
        use_pool = np.ones_like(own, dtype=np.bool_)
        variance = np.maximum(block.variance, (block.variance + own) / 2)
    else:
        use_pool = (own == 0) & (block.df >= 1) & (block.variance > 0)
        variance = np.where(use_pool, block.variance, own)
    se = np.sqrt(contrasts.squares * variance / np.maximum(n, 1))
    df = np.where(use_pool, block.df, np.maximum(n - 1, 1)).astype(np.float64)
    return Fitted(estimate, se, np.where(n >= 2, df, np.nan), n, paired_se)


def _moments(values: Floats, smallest: Floats) -> tuple[Ints, Floats, Floats]:
    """Count, mean and variance of each row of [F, S]; what is below rounding is exactly 0, what is undefined NaN."""
    present = np.isfinite(values)
    n = present.sum(axis=1)
    mean = np.where(present, values, 0.0).sum(axis=1) / np.maximum(n, 1)
    squares = (np.where(present, values - mean[:, None], 0.0) ** 2).sum(axis=1)
    variance = np.where(n >= 2, squares / np.maximum(n - 1, 1), np.nan)
    variance = np.where(variance <= smallest**2, 0.0, variance)
    mean = np.where(np.abs(mean) <= smallest, 0.0, mean)
    return n, np.where(n >= 1, mean, np.nan), variance
