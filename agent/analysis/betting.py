"""Tests and intervals for the mean of bounded values that hold however often one looks: right answers, and few that differ.

Capital that is bet against "the mean is m" grows by the factor 1 + λ·(x − m) with every value x. While the mean is m it is
not expected to grow, and so it ever reaches 1/α with a chance of α at most (Ville, 1939): at any n, with no approximation
and no assumption but independence (or that each value's mean, given those before, is m) and the bounds. Waudby-Smith &
Ramdas, "Estimating means of bounded random variables by betting" (JRSS-B 86:1, 2024): a fixed mixture over bets of one
sign, the two signs hedged as in their eq. (26) with half the stake each. λ ≥ 0 wins in expectation only where the mean is
above m: the test of "at most m" is as valid for every mean below m.

Each bet is a share θ of the largest that cannot be lost, λ = θ / (c + m) for values within ±c. So its capital falls in m,
all means that are not rejected form an interval, and everything depends on how often each value was seen alone.
"""

from typing import NamedTuple

import numpy as np

from ...executor.inside.evidence import BETS
from .arrays import Floats, Ints
from .binary import Tests

_SHARES, _STAKES = np.array(BETS).T
_NEAREST = 1e-9
_HALVINGS = 50


class Seen(NamedTuple):
    """How often F contrasts took each of V values."""

    values: Floats
    """Shape [V]."""
    counts: Ints
    """Shape [F, V]; 0 beyond a contrast's own limit."""
    limit: Floats
    """Size beyond which no value of a contrast goes, above 0; shape [F]."""

    @property
    def mirrored(self) -> "Seen":
        """All values with the other sign."""
        return self._replace(values=-self.values)

    @property
    def mean(self) -> Floats:
        """Shape [F]; 0 without any."""
        return self.counts @ self.values / np.maximum(self.counts.sum(axis=1), 1)


def log_wealth(seen: Seen, null: Floats) -> Floats:
    """Evidence (natural logarithm) that the mean is above `null`, shape [F]; a null outside the limits is moved inside.

    With u = (x + c) / 2c and u0 = (m + c) / 2c a value's factor is 1 − θ + θ·u / u0.
    """
    scale = 2 * seen.limit[:, None]
    edge = seen.limit * (1 - _NEAREST)
    fair = (np.clip(null, -edge, edge) + seen.limit)[:, None] / scale
    gains = (np.clip(seen.values, -seen.limit[:, None], seen.limit[:, None]) + seen.limit[:, None]) / scale / fair
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = np.log(1 - _SHARES + _SHARES * gains[:, :, None])
        grown = np.where(seen.counts[:, :, None] > 0, seen.counts[:, :, None] * factors, 0.0).sum(axis=1)
    # the smaller bets cannot be ruined, so that the sum is never empty
    return np.asarray(np.logaddexp.reduce(grown + np.log(_STAKES), axis=1), dtype=np.float64)


def betting_tests(seen: Seen, delta: float, alpha: float) -> Tests:
    """Always-valid tests: of a mean of 0, and of equivalence within ±delta; the interval of level 1 − alpha.

    Without a value other than 0 among n, a mean of more than about ln(1/α)·c/n is ruled out: never certainty.
    """
    nothing, within = np.zeros(len(seen.limit)), np.full(len(seen.limit), delta)
    above, below = (log_wealth(one, nothing) for one in (seen, seen.mirrored))
    inside = np.minimum(log_wealth(seen, -within), log_wealth(seen.mirrored, -within))
    p, same = np.minimum(1.0, 2 * np.exp(-np.maximum(above, below))), np.minimum(1.0, np.exp(-inside))
    return Tests(p, same, _lower(seen, alpha / 2), -_lower(seen.mirrored, alpha / 2))


def _lower(seen: Seen, tail: float) -> Floats:
    """The largest mean that is ruled out as too small, by bisection below the mean that was found."""
    rejected, kept = -seen.limit, seen.mean
    for _ in range(_HALVINGS):
        middle = (rejected + kept) / 2
        outside = log_wealth(seen, middle) >= -np.log(tail)
        rejected, kept = np.where(outside, middle, rejected), np.where(outside, kept, middle)
    return rejected
