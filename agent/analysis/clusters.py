"""From values per example to one mean and standard error per contrast; the units are examples, or clusters of them.

Examples of one document or patient resemble each other: what is independent is the cluster. The mean stays one over
examples, a ratio of the clusters' totals to their sizes, and its standard error is that of the linearised ratio.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .arrays import Floats, Ints, rounding
from .contrasts import Contrasts, per_seed

CELLS = 2_000_000
"""Values held at once: contrasts are summarised in parts, so that memory does not grow with their number."""


class Units(NamedTuple):
    """How N examples make up G independent units."""

    order: Ints | None
    """The examples sorted by unit, shape [N]; None: they are so already."""
    starts: Ints
    """Where each unit begins in that order, shape [G]."""

    def totals(self, values: Floats) -> Floats:
        """Sum values of shape [F, N] within every unit: shape [F, G]."""
        return np.add.reduceat(values if self.order is None else values[:, self.order], self.starts, axis=1)


class Summary(NamedTuple):
    """F contrasts over the examples that have a value in each of their arms; every array has shape [F]."""

    mean: Floats
    """Over examples; NaN without any. What is below rounding is exactly 0, here and in `se`."""
    se: Floats
    """Standard error of `mean`; NaN with fewer than 2 units."""
    n: Ints
    """Units with such an example."""
    discordant: Ints
    """Examples whose value is not 0."""
    losses: Ints
    """Units whose total is above 0."""
    gains: Ints
    """Units whose total is below 0."""
    largest: Floats
    """Size of the largest unit over the mean size; 1 where every example is a unit of its own."""


def example_units(examples: int) -> Units:
    """Every example is a unit of its own."""
    return Units(None, np.arange(examples, dtype=np.int64))


def cluster_units(clusters: Ints) -> Units:
    """Examples with one label, shape [N], are one unit."""
    order = np.argsort(clusters, kind="stable")
    ordered = clusters[order]
    return Units(order, np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1)))


def summarise(y: Floats, contrasts: Contrasts, units: Units) -> Summary:
    """Summarise every contrast of the rows of `y`, shape [R, N], NaN where an example has no value.

    se² = G / (G − 1) · Σ_g (Σ_{i in g} (d_i − mean))² / N²: the linearisation (Taylor series) estimator of a ratio
    mean's variance for one stage of clusters (Cochran, Sampling Techniques, 1977, eq. 6.9 and 9.37). With a cluster
    per example it is the paired t's s² / N.
    """
    rounded = np.where(contrasts.weights == 0, 0.0, rounding(y, 1)[contrasts.rows]).max(axis=1, initial=0.0)
    parts = [_part(per_seed(y, part), rounded[s], units) for s, part in _parts(contrasts, y.shape[1])]
    return Summary(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _parts(contrasts: Contrasts, examples: int) -> Iterator[tuple[slice, Contrasts]]:
    family, width = contrasts.rows.shape
    step = max(1, CELLS // max(1, width * examples))
    for start in range(0, max(family, 1), step):
        s = slice(start, start + step)
        yield s, Contrasts(contrasts.rows[s], contrasts.weights[s])


def _part(values: Floats, smallest: Floats, units: Units) -> Summary:
    present = np.isfinite(values)
    values = np.where(present, values, 0.0)
    sizes = units.totals(present.astype(np.float64))
    examples, n = present.sum(axis=1), (sizes > 0).sum(axis=1)
    mean = values.sum(axis=1) / np.maximum(examples, 1)
    residuals = units.totals(np.where(present, values - mean[:, None], 0.0))
    spread = (residuals**2).sum(axis=1) / np.maximum(examples, 1) ** 2
    variance = np.where(n >= 2, n / np.maximum(n - 1, 1) * spread, np.nan)
    variance = np.where(variance * n <= smallest**2, 0.0, variance)
    totals = units.totals(values)
    return Summary(
        mean=np.where(examples > 0, np.where(np.abs(mean) <= smallest, 0.0, mean), np.nan),
        se=np.sqrt(variance),
        n=n,
        discordant=(values != 0).sum(axis=1),
        losses=(totals > 0).sum(axis=1),
        gains=(totals < 0).sum(axis=1),
        largest=sizes.max(axis=1, initial=0.0) * n / np.maximum(examples, 1),
    )
