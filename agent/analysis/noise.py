"""The noise floor: from the baseline's runs to what a study can find or show negligible, and at how many seeds.

Noise is that of one run, σ; a difference of two independent runs has σ√2. Pairing over correlated seeds makes it less
noisy than that, so these figures err on the side of more seeds.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .arrays import measured
from .estimates import Estimate
from .inference import critical
from .power import detection_power, equivalence_power, exceedance_power, smallest_count

_POWER = 0.8
_LIMIT = 1000
_PRECISION = 1e-9
_NEAR_FLOOR = 3.0
_PROPOSED = 2.0


@dataclass(frozen=True)
class RunNoise:
    """Run-to-run noise of one metric in one arm."""

    mean: float
    sd: float | None
    """Standard deviation of one run (n − 1); None with fewer than 2 runs."""
    n: int


def run_noise(values: ArrayLike) -> RunNoise | None:
    """Mean, standard deviation and number of the runs that have a value; None where no run has one."""
    array = measured(values)
    present = array[np.isfinite(array)]
    if not present.size:
        return None
    sd = float(present.std(ddof=1)) if present.size >= 2 else None
    return RunNoise(float(present.mean()), sd, int(present.size))


def proposed_delta(values: ArrayLike) -> float | None:
    """Smallest effect of interest where the study declared none: 2σ of the baseline; None with fewer than 2 runs."""
    noise = run_noise(values)
    return None if noise is None or noise.sd is None else _PROPOSED * noise.sd


def is_at_floor(mean: float, sd: float, floor: float) -> bool:
    """Whether a mean lies within 3σ of the floor, or below it; mean and floor turned so that larger is better."""
    return mean <= floor + _NEAR_FLOOR * sd


class Family(NamedTuple):
    """A family of tests, for figures on what it can find."""

    alpha: float
    """Error of the whole family, at the look in question."""
    size: int = 1
    """Number of tests; Bonferroni here, where Holm needs a little less."""
    arms: int = 1
    """Ablated arms whose residuals are pooled with the baseline's: arms·(seeds − 1) degrees of freedom. 1: paired t."""

    @property
    def per_test(self) -> float:
        """Error of one test."""
        return self.alpha / self.size

    def df(self, seeds: int) -> int:
        """Degrees of freedom at so many seeds."""
        return self.arms * (seeds - 1)


def power(effect: float, sd: float, n: int, family: Family) -> float:
    """Probability that the two-sided test finds a true effect.

    Args:
        effect: true difference, in the metric's unit.
        sd: of one run, in the metric's unit; above 0.
        n: seeds, at least 2.
        family: the tests it is one of.
    """
    df = family.df(n)
    return detection_power(effect / _se(sd, n), float(critical(family.per_test / 2, df)), df)


def minimum_detectable_effect(sd: float, n: int, family: Family, power: float = _POWER) -> float | None:
    """Effect found with probability `power`, in the unit of `sd`, the noise of one run; None with n < 2."""
    if n < 2:
        return None
    df = family.df(n)
    threshold = float(critical(family.per_test / 2, df))
    low, high = 0.0, threshold
    while detection_power(high, threshold, df) < power:
        low, high = high, 2 * high
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        low, high = (low, middle) if detection_power(middle, threshold, df) >= power else (middle, high)
    return high * _se(sd, n)


def seeds_for_effect(effect: float, sd: float, family: Family, limit: int = _LIMIT) -> int | None:
    """Seeds at which a true effect (above 0) is found with 80% power; None beyond the limit."""
    if sd == 0:
        return 2
    return smallest_count(lambda n: power(effect, sd, n, family) >= _POWER, 2, limit)


def seeds_for_equivalence(
    sd: float, delta: float, family: Family, power: float = _POWER, limit: int = _LIMIT
) -> int | None:
    """Seeds at which a true null is shown negligible (two one-sided tests against ±delta) with probability `power`.

    `sd` is the noise of one run, in the unit of `delta`. None beyond the limit, or where delta is 0 and there is noise.
    """
    if sd == 0 or delta <= 0:
        return 2 if sd == 0 else None

    def shown(n: int) -> bool:
        return _shown_negligible(0.0, _se(sd, n), delta, family.per_test, family.df(n)) >= power

    return smallest_count(shown, 2, limit)


def seeds_to_settle(estimate: Estimate, delta: float, alpha: float, m: int, limit: int = _LIMIT) -> int | None:
    """Seeds in all at which the verdict is matters, hurts or negligible with 80% power, were the present loss true.

    Bonferroni at `alpha` over a family of m. None where no standard error is known, where the loss is exactly ±delta,
    or beyond the limit.
    """
    if estimate.loss is None or estimate.se is None or estimate.df is None:
        return None
    loss, sd = abs(estimate.loss), estimate.se * math.sqrt(estimate.n)
    per_seed_df = estimate.df / (estimate.n - 1)
    if sd == 0:
        return estimate.n
    if loss == delta:
        return None

    def settled(n: int) -> bool:
        se, df = sd / math.sqrt(n), per_seed_df * (n - 1)
        if loss > delta:
            return exceedance_power((loss - delta) / se, float(critical(alpha / m / 2, df)), df) >= _POWER
        return _shown_negligible(loss, se, delta, alpha / m, df) >= _POWER

    return smallest_count(settled, max(3, estimate.n), limit)


def _shown_negligible(loss: float, se: float, delta: float, alpha: float, df: float) -> float:
    return equivalence_power(loss / se, delta / se, float(critical(alpha, df)), df)


def _se(sd: float, n: int) -> float:
    return sd * math.sqrt(2 / n)
