"""What one evaluation's examples can settle, as a function of how differently baseline and arm answer them.

Before an arm is evaluated nobody knows the noise of its paired differences: it depends on the arm, and lies anywhere
between none and that of two independent models. So nothing is foretold but what would follow from each case.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from .arrays import Floats
from .binary import FEWEST_DISCORDANT
from .forecast import ENOUGH, Chances
from .power import smallest_count
from .stepdown import expected_share

_MOST_UNITS = 100_000_000


class Sample(NamedTuple):
    """An evaluation set and the family that is tested on it."""

    n: int
    """Examples, or clusters of them taken as one each."""
    delta: float
    """Smallest effect of interest, in the metric's unit; above 0."""
    alpha: float
    size: int
    """Removals in the family."""


def chances_apart(sample: Sample, sd: float, effect: float) -> Chances:
    """Where differences of one example between baseline and arm have the standard deviation `sd`; normal approximation.

    Args:
        sample: examples and family.
        sd: in the metric's unit.
        effect: true loss of what should matter.
    """
    if sample.n < 3:
        return Chances(0.0, 0.0)
    se, df = sd / np.sqrt(sample.n), sample.n - 1

    def inside(alpha: float) -> float:
        room = max(0.0, sample.delta / se + float(special.stdtrit(df, alpha)))
        return float(2 * special.ndtr(room) - 1)

    reach = -float(special.stdtrit(df, sample.alpha / sample.size / 2))
    beyond = float(special.ndtr((effect - sample.delta) / se - reach))
    return Chances(_step_down(sample, inside), beyond)


def chances_changed(sample: Sample, changed: float, effect: float) -> Chances:
    """Where a metric of 0 and 1 changes in the share `changed` of all examples, in both directions alike for a null.

    With fewer than 10 changed examples the exact rule decides, by which nothing can be shown to matter. A loss of
    `effect` takes at least that share of changed examples.
    """
    if changed * sample.n >= FEWEST_DISCORDANT:
        negligible = chances_apart(sample, np.sqrt(changed), effect).negligible
    else:
        negligible = _step_down(sample, lambda alpha: _exactly_inside(sample, changed, alpha))
    losing = max(changed, effect)
    if losing > 1 or losing * sample.n < FEWEST_DISCORDANT:
        return Chances(negligible, 0.0)
    spread = np.sqrt(max(losing - effect**2, 1e-12))
    return Chances(negligible, chances_apart(sample, spread, effect).matters)


def largest_sd(sample: Sample) -> float | None:
    """The largest standard deviation of a difference at which `ENOUGH` of the true nulls are shown negligible."""
    return _largest(lambda sd: chances_apart(sample, sd, 0.0).negligible, sample.delta * np.sqrt(sample.n))


def most_changed(sample: Sample) -> float | None:
    """The largest share of changed answers (0 and 1) at which it is so; None where not even without a change."""
    if chances_changed(sample, 0.0, 0.0).negligible < ENOUGH:
        return None
    return _largest(lambda changed: chances_changed(sample, changed, 0.0).negligible, 1.0)


def units_apart(sample: Sample, sd: float) -> int | None:
    """Examples at which it is so with differences of this standard deviation; None beyond 10^8."""
    return smallest_count(lambda n: chances_apart(sample._replace(n=n), sd, 0.0).negligible >= ENOUGH, 3, _MOST_UNITS)


def units_changed(sample: Sample, changed: float) -> int | None:
    """Examples at which it is so with this share of changed answers; None beyond 10^8."""
    return smallest_count(
        lambda n: chances_changed(sample._replace(n=n), changed, 0.0).negligible >= ENOUGH, 3, _MOST_UNITS
    )


def _exactly_inside(sample: Sample, changed: float, alpha: float) -> float:
    """Chance that neither losses nor gains are more than the binomial test of a share δ allows."""
    from scipy import stats  # half a second, and rarely needed

    most = int(stats.binom.ppf(alpha, sample.n, min(sample.delta, 1.0)))
    while most >= 0 and stats.binom.cdf(most, sample.n, min(sample.delta, 1.0)) > alpha:
        most -= 1
    return float(stats.binom.cdf(most, sample.n, changed / 2)) ** 2 if most >= 0 else 0.0


def _step_down(sample: Sample, inside: Callable[[float], float]) -> float:
    def chance(per_test: Floats) -> Floats:
        return np.array([inside(float(one)) for one in per_test], dtype=np.float64)

    return float(expected_share(chance, sample.alpha, sample.size))


def _largest(share: Callable[[float], float], high: float) -> float | None:
    low = 0.0
    if share(high) >= ENOUGH:
        return high
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) >= ENOUGH else (low, middle)
        if high <= 1e-12:
            return None
    return low
