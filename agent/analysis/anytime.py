"""An always-valid t over examples: it may be looked at after every batch, and the evaluation stopped, at no cost in error.

Under the null the standardised mean is 0, under the alternative it is drawn from Normal(0, g); a right Haar mixture over
σ cancels the scale. Lai, Ann. Statist. 4:265 (1976) has the confidence sequence for a flat mixture; Wang & Ramdas,
"Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance" (arXiv:2310.03722), the Gaussian
one, which is a test martingale of the t statistics. STATISTICS.md, "Re-evaluation".

Differences are taken to be independent, normal and in random order. Rare discordant answers (a binary metric) are not:
there the exact rules of `binary` hold, at a number of examples that was planned.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats, Ints

SPREAD = 4.0
"""g, the variance of the standardised mean under the alternative."""


class Moments(NamedTuple):
    """What F streams of differences have shown so far; every array has shape [F], or more dimensions in front."""

    n: Ints
    """Differences seen."""
    mean: Floats
    squares: Floats
    """Sum of squared deviations from the mean."""

    @property
    def sd(self) -> Floats:
        """Standard deviation (n − 1); NaN with fewer than 2 differences."""
        return np.sqrt(np.where(self.n >= 2, self.squares / np.maximum(self.n - 1, 1), np.nan))

    def after(self, batch: Floats) -> "Moments":
        """Add a batch of differences, shape [F, B]; NaN is left out. Chan, Golub & LeVeque (1983): order-free, stable."""
        added = moments(batch)
        n = self.n + added.n
        shift, share = added.mean - self.mean, added.n / np.maximum(n, 1)
        squares = self.squares + added.squares + shift**2 * self.n * share
        return Moments(n, self.mean + shift * share, squares)


def moments(differences: Floats) -> Moments:
    """Summarise differences of shape [F, B] (B may be 0); NaN is left out. A stream without any has mean 0."""
    present = np.isfinite(differences)
    n = present.sum(axis=-1)
    mean = np.where(present, differences, 0.0).sum(axis=-1) / np.maximum(n, 1)
    squares = (np.where(present, differences - mean[..., None], 0.0) ** 2).sum(axis=-1)
    return Moments(n, mean, squares)


def log_e(found: Moments, null: ArrayLike = 0.0, g: float = SPREAD) -> Floats:
    """Natural logarithm of the evidence against a true mean of `null`; 0 with fewer than 2 differences.

    With t the statistic of n differences and ν = n − 1: −½·ln(1 + n·g) + (n/2)·[ln(1 + t²/ν) − ln(1 + t²/(ν·(1 + n·g)))].
    """
    n, grown = found.n, 1 + found.n * g
    squared = n * (found.mean - np.asarray(null)) ** 2
    free = np.maximum(found.squares, 0.0)
    # t²/ν = squared / squares: multiplied out, so that no variance at all has a limit instead of a division by zero
    certain = np.where(squared > 0, np.log(grown), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(free + squared) - np.log(free + squared / grown)
    evidence = -np.log(grown) / 2 + n / 2 * np.where(free > 0, ratio, certain)
    return np.where(n >= 2, evidence, 0.0)


def one_sided_log_e(found: Moments, null: ArrayLike, *, above: bool, g: float = SPREAD) -> Floats:
    """Evidence that the true mean is above (or below) `null`, whichever value on the other side it has; −∞ on that side.

    The same mixture over the half of Normal(0, g) on one side is 2·E times the posterior chance of that side, of which the
    other side's half has at most 1 / √(1 + n·g) once the mean lies on this one: so 2·E − 1 / √(1 + n·g) is below it. It
    grows with the distance from `null`, so that no mean beyond `null` errs more often than `null` itself.
    """
    evidence, distance = log_e(found, null, g), found.mean - np.asarray(null)
    beyond = np.exp(-np.maximum(evidence + np.log(1 + found.n * g) / 2, 0.0))
    right = (distance > 0) if above else (distance < 0)
    return np.where(right & (found.n >= 2), evidence + np.log(2 - beyond), -np.inf)


def always_valid_p(log_evidence: Floats) -> Floats:
    """p = 1 / max E after each look, shape [..., looks]: at most α in error however often one looks (Ville, 1939)."""
    return np.minimum(1.0, np.exp(-np.maximum.accumulate(log_evidence, axis=-1)))


def confidence_radius(found: Moments, alpha: float, g: float = SPREAD) -> Floats:
    """Half-width of the confidence sequence around the mean: it holds the truth at all looks at once, at level 1 − alpha.

    All nulls that `log_e` has not rejected: K = ((1 + n·g) / α²)^(1/n), radius (s/√n)·√(ν·(K − 1) / (1 − K/(1 + n·g))),
    infinite while K ≥ 1 + n·g: then no null can be rejected yet.
    """
    n, grown = np.maximum(found.n, 1), 1 + found.n * g
    k = (grown / alpha**2) ** (1 / n)
    bounded = (found.n >= 2) & (k < grown)
    stretch = np.where(bounded, (k - 1) / np.where(bounded, 1 - k / grown, 1.0), 0.0)
    return np.where(bounded, np.sqrt(found.squares * stretch / n), np.inf)
