"""Tests and intervals for a paired difference of proportions: what an ablation costs in examples answered right.

All arrays have one shape [F]. With b losses and c gains among n examples the loss is (b − c) / n.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from .arrays import Bools, Floats, Ints

FEWEST_DISCORDANT = 10
"""With fewer discordant examples than this the exact rule holds: no approximation can be trusted."""
_HALVINGS = 60
_WIDEST = 1 - 1e-9


class Counts(NamedTuple):
    """What became of n units, n ≥ 1; the rest are ties."""

    losses: Ints
    """b: examples that only the baseline gets right, or units in which the ablated arm loses on balance."""
    gains: Ints
    """c: the reverse."""
    n: Ints

    @property
    def mirrored(self) -> "Counts":
        """Both arms exchanged."""
        return Counts(self.gains, self.losses, self.n)

    def of(self, chosen: Bools) -> "Counts":
        """Keep the chosen contrasts, shape [F]."""
        return Counts(self.losses[chosen], self.gains[chosen], self.n[chosen])


class Tests(NamedTuple):
    """Unadjusted tests and intervals of F contrasts, each array of shape [F], NaN where there was no test."""

    p: Floats
    """Two-sided test of no difference."""
    p_equivalence: Floats
    """Two one-sided tests against ±δ: the larger p."""
    lower: Floats
    upper: Floats


def mcnemar_p(counts: Counts) -> Floats:
    """McNemar's exact test, `binomtest(b, b + c)`: a discordant unit is as likely a loss as a gain. 1 without any."""
    fewer, discordant = np.minimum(counts.losses, counts.gains), counts.losses + counts.gains
    return np.minimum(1.0, 2 * np.asarray(special.bdtr(fewer, discordant, 0.5)))


def score_tests(counts: Counts, delta: float, alpha: float) -> Tests:
    """McNemar's exact p, and Tango's score interval and score test of equivalence within ±delta.

    The interval, of level 1 − alpha, holds every difference that the score statistic does not reject at level alpha
    (Tango, Statistics in Medicine 17:891, 1998). Enumerated for n of 200 and 1,000 with at least 10 discordant: errors
    of equivalence up to 1.13 alpha; the end away from 0 errs up to 1.9 times its alpha / 2 at .05, 3.2 times at .05/40
    and 7 times at .05/500, at true losses of 5 to 20 examples. The end towards 0 does not.
    """
    within = np.full(counts.n.shape, min(delta, _WIDEST))
    z = -float(special.ndtri(alpha / 2))
    below, above = (special.ndtr(tango_statistic(one, within)) for one in (counts, counts.mirrored))
    lower, upper = _score_lower(counts, z), -_score_lower(counts.mirrored, z)
    return Tests(mcnemar_p(counts), np.maximum(above, below), lower, upper)


def tango_statistic(counts: Counts, difference: Floats) -> Floats:
    """Score statistic of the hypothesis that the loss is `difference`, inside (−1, 1): standard normal under it."""
    return (counts.losses - counts.gains - counts.n * difference) / _score_sd(counts, difference)


def exact_tests(counts: Counts, largest: Floats, limit: Floats, delta: float, alpha: float) -> Tests:
    """The sign test, and an interval and equivalence within ±delta that hold however rare the discordant units are.

    The mean m of a unit's contribution, which is at most `largest`, is at most largest · P(a loss), and m ≥ −largest ·
    P(a gain): each probability is bounded by Clopper & Pearson (1934), at half the interval's error. Without a
    discordant unit among n the one-sided 95% bound is about 3/n: never certainty.

    Args:
        counts: units with a contribution above 0, below 0, and all of them.
        largest: size beyond which no contribution goes; 1 for a difference of two examples' 0 and 1.
        limit: size beyond which the mean cannot go.
        delta: smallest effect of interest.
        alpha: error of the interval.
    """
    share, n = np.minimum(delta / largest, 1.0), counts.n
    below, above = (special.bdtr(count, n, share) for count in (counts.losses, counts.gains))
    lost, gained = (
        np.minimum(largest * _upper_share(count, n, alpha / 2), limit) for count in (counts.losses, counts.gains)
    )
    return Tests(mcnemar_p(counts), np.maximum(above, below), -gained, lost)


def _upper_share(count: Ints, n: Ints, tail: float) -> Floats:
    """One-sided upper bound of a proportion (Clopper & Pearson)."""
    bound = np.asarray(special.betainccinv(count + 1, np.maximum(n - count, 1), tail), dtype=np.float64)
    return np.where(count >= n, 1.0, bound)


def _score_sd(counts: Counts, difference: Floats) -> Floats:
    """Standard deviation of b − c where the loss is `difference`; P(a gain) is then its most likely value."""
    losses, gains, n = counts
    linear = -losses - gains + (2 * n - losses + gains) * difference
    constant = -gains * difference * (1 - difference)
    gain = (np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
    return np.sqrt(n * np.maximum(2 * gain + difference * (1 - difference), 0.0))


def _score_lower(counts: Counts, z: float) -> Floats:
    """The difference at which the score statistic, falling in it, equals z: by bisection below the estimate."""
    losses, gains, n = counts
    rejected, kept = np.full(n.shape, -1.0), (losses - gains) / n
    for _ in range(_HALVINGS):
        middle = (rejected + kept) / 2
        outside = losses - gains - n * middle > z * _score_sd(counts, middle)
        rejected, kept = np.where(outside, middle, rejected), np.where(outside, kept, middle)
    return kept
