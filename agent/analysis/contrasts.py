"""Contrasts between arms (a single removal, an interaction) and their standard errors under the block model."""

from typing import NamedTuple

import numpy as np
from scipy import special

from .arrays import Bools, Floats, Ints, rounding
from .block import BlockFit

NOISY = 2.5
RARE = 0.1
OWN_SHARE = 0.25


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

    def of(self, chosen: Ints) -> "Contrasts":
        """Those with the given numbers."""
        return Contrasts(self.rows[chosen], self.weights[chosen])


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

    With the pool: se² = Σc² · max(s²_pool, (3·s²_pool + s²_own) / 4) / n. Where the gate closed it, and for a contrast with
    an arm far noisier than the others: the paired t of the contrast's own values. Only one whose values do not vary at
    all, while other arms do, keeps the pool even then: with a metric in steps (an accuracy), equal differences at a few
    seeds are a coincidence and not certainty.

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
    trusted = block.pooled & ~_with_a_noisy_arm(contrasts, block)
    same = ~trusted & (own == 0) & (block.df >= 1) & (block.variance > 0)
    guarded = np.maximum(block.variance, (1 - OWN_SHARE) * block.variance + OWN_SHARE * own)
    variance = np.where(trusted, guarded, np.where(same, block.variance, own))
    se = np.sqrt(contrasts.squares * variance / np.maximum(n, 1))
    df = np.where(trusted | same, block.df, np.maximum(n - 1, 1)).astype(np.float64)
    return Fitted(estimate, se, np.where(n >= 2, df, np.nan), n, paired_se)


def _with_a_noisy_arm(contrasts: Contrasts, block: BlockFit) -> Bools:
    """Whether one arm spoils the pool for a contrast, shape [F].

    In a difference of two arms: its variance is more than 2.5 times that of all others, and so large a ratio is rare
    between equally noisy arms (F test at .1). An arm that is a smaller part of a contrast, Σc², may be noisier for it.
    """
    share = contrasts.weights**2 / contrasts.squares[:, None]
    ratio = 2 * share * block.ratios[contrasts.rows]
    noisy = ratio > NOISY
    df = block.row_df[contrasts.rows][noisy]
    noisy[noisy] = special.fdtrc(df, np.maximum(block.df - df, 1), ratio[noisy]) < RARE
    return np.any(noisy, axis=1)


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
