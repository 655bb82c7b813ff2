"""What a fixed-size study of a trained model would have been planned as: its smallest effect, and its evaluation set.

The set must not be larger than a test on all of it needs: what stopping early saves of an inflated set is no gain.
"""

import math
from typing import NamedTuple

import numpy as np
from lesion.agent.analysis.arrays import Floats
from lesion.agent.analysis.power import detection_power, smallest_count
from scipy import stats

ALPHA, POWER = 0.05, 0.8
MOST = 1_000_000


class Design(NamedTuple):
    """A study of the heads of one model."""

    delta: float
    """Smallest effect of interest, in nats."""
    near: int
    """Heads whose loss, on the pool, lies within 2δ of 0."""
    by_noisiest: int
    """Examples after which a test of the noisiest head has the power, and so every head's."""
    by_average: int
    """Examples after which the tests of all heads have it on average."""
    by_median: int
    """Examples after which half of the heads' tests have it."""


def design(differences: Floats, delta: float) -> Design:
    """Of heads whose differences on a pool of examples are known, shape [heads, examples].

    Power is that of a two-sided t of a loss of δ at family-wise α by Bonferroni.
    """
    heads = len(differences)
    mean, sd = np.abs(differences.mean(axis=1)), differences.std(axis=1, ddof=1)
    return Design(
        delta,
        int((mean <= 2 * delta).sum()),
        _needed(sd.max(keepdims=True), delta, heads),
        _needed(sd, delta, heads),
        _needed(np.median(sd, keepdims=True), delta, heads),
    )


def smallest_delta(differences: Floats) -> float:
    """The smallest δ of which a quarter of the heads lie within 2δ: it asks more of an evaluation set than any larger one."""
    mean = np.abs(differences.mean(axis=1))
    return float(np.sort(mean)[math.ceil(len(mean) / 4) - 1]) / 2 * (1 + 1e-9)


def _needed(sds: Floats, delta: float, heads: int) -> int:
    def enough(n: int) -> bool:
        critical = float(stats.t.isf(ALPHA / heads / 2, n - 1))
        powers = [detection_power(delta / float(sd) * math.sqrt(n), critical, n - 1) for sd in sds]
        return float(np.mean(powers)) >= POWER

    found = smallest_count(enough, 3, MOST)
    assert found is not None
    return found
