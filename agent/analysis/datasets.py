"""Component × data set: whether a removal costs more on one data set than on another, as one contrast with its own error.

D = L(first) − L(second), L the loss on either. That one p value is small and another is not does not show a difference
(Gelman & Stern, "The difference between significant and not significant is not itself statistically significant", 2006).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .arrays import Floats, rounding
from .effects import effect_table
from .estimates import Estimate
from .inference import critical, equivalence_p, interval, two_sided_p
from .joint import Arm
from .looks import Look, Rules
from .multiplicity import holm

_FEWEST_UNITS = 3


class SeedPair(NamedTuple):
    """Both metrics of the baseline and of A arms, turned so that larger is better: the same runs, so the same seeds."""

    baseline: tuple[Arm, Arm]
    arms: Sequence[tuple[Arm, Arm]]
    delta: float
    """Smallest difference of interest."""


class _Side(NamedTuple):
    """The standard error of D towards one end of its interval, and its degrees of freedom."""

    se: float
    df: float


def differences_over_seeds(pairs: Sequence[SeedPair], rules: Rules) -> list[tuple[Estimate, ...]]:
    """Test D of every arm and pair; one family of all of them. An arm's value at a seed is y(first) − y(second).

    The block model takes out what both metrics of a run and all runs of a seed share. Holm within a pair, at the α of
    each look shared out equally over the pairs (Bonferroni). `rules.delta` is not used: each pair has its own.
    """
    count = max(1, len(pairs))
    looks = tuple(Look(look.seeds, look.alpha / count) for look in rules.looks)
    found: list[tuple[Estimate, ...]] = []
    for pair in pairs:
        baseline, arms = _apart(*pair.baseline), [_apart(*arm) for arm in pair.arms]
        table = effect_table(
            baseline.values,
            np.array([arm.values for arm in arms]).reshape(-1, baseline.values.size),
            baseline_finished=baseline.finished,
            finished=np.array([arm.finished for arm in arms], dtype=np.bool_).reshape(-1, baseline.values.size),
            rules=Rules(pair.delta, looks, rules.alpha / count),
        )
        found.append(tuple(_times(estimate, count) for estimate in table.estimates))
    return found


def differences_over_examples(
    first: Sequence[Estimate], second: Sequence[Estimate], deltas: Sequence[float], alpha: float
) -> list[Estimate]:
    """Test D of one family, from the losses on both data sets: their examples are independent of each other.

    The interval of a difference from the intervals of both (MOVER: Zou & Donner, Statistics in Medicine 27:1693, 2008):
    each side's standard error is what the loss's own interval reaches to that side, divided by its critical value. So it
    holds for exact intervals of answers that hardly ever differ as well; for t intervals it is se² = se₁² + se₂². Degrees
    of freedom by Welch & Satterthwaite; differences and equivalences are two families, each by Holm.

    Args:
        first: losses of F tests, with intervals that are simultaneous over all F.
        second: likewise.
        deltas: smallest difference of interest of each.
        alpha: family-wise error.
    """
    tested = [_difference(*pair, alpha / max(1, len(first))) for pair in zip(first, second, deltas, strict=True)]
    adjusted, equivalent = (
        holm([1.0 if p is None else p for p in ps])
        for ps in ([one.p for one in tested], [one.p_equivalence for one in tested])
    )
    return [
        one if one.p is None else replace(one, p_adjusted=float(p), p_equivalence=float(same))
        for one, p, same in zip(tested, adjusted, equivalent, strict=True)
    ]


def _difference(first: Estimate, second: Estimate, delta: float, alpha: float) -> Estimate:
    """Unadjusted; not tested where either loss was not."""
    n = min(first.n, second.n)
    if first.loss is None or second.loss is None:
        return Estimate(None, n)
    d = first.loss - second.loss
    below, above = (_side(first, second, upward=upward) for upward in (False, True))
    if below is None or above is None or n < _FEWEST_UNITS:
        return Estimate(d, n)
    towards = below if d > 0 else above
    low, high = (interval(d, side.se, side.df, alpha)[end] for end, side in enumerate((below, above)))
    equivalence = (equivalence_p(d, side.se, side.df, delta)[end] for end, side in enumerate((below, above)))
    return Estimate(
        loss=d,
        n=n,
        look=first.look,
        se=max(below.se, above.se),
        df=towards.df,
        p=float(two_sided_p(d, towards.se, towards.df)),
        p_equivalence=max(map(float, equivalence)),
        interval=(float(low), float(high)),
        level=1 - alpha,
    )


def _side(first: Estimate, second: Estimate, *, upward: bool) -> _Side | None:
    """Upward D reaches as far as the first loss does upwards and the second downwards."""
    one, other = _reach(first, upward=upward), _reach(second, upward=not upward)
    if one is None or other is None:
        return None
    se = math.hypot(one.se, other.se)
    if se == 0:
        return _Side(0.0, min(one.df, other.df))
    return _Side(se, 1 / ((one.se / se) ** 4 / one.df + (other.se / se) ** 4 / other.df))


def _reach(estimate: Estimate, *, upward: bool) -> _Side | None:
    if estimate.loss is None or estimate.interval is None or estimate.df is None or estimate.level is None:
        return None
    reach = estimate.interval[1] - estimate.loss if upward else estimate.loss - estimate.interval[0]
    return _Side(max(0.0, reach) / float(critical((1 - estimate.level) / 2, estimate.df)), estimate.df)


def _apart(first: Arm, second: Arm) -> Arm:
    """First minus second at every seed; what is below rounding is exactly 0."""
    values: Floats = first.values - second.values
    smallest = float(rounding(np.stack([first.values, second.values])))
    return Arm(np.where(np.abs(values) <= smallest, 0.0, values), first.finished & second.finished)


def _times(estimate: Estimate, count: int) -> Estimate:
    if estimate.p_adjusted is None or estimate.p_equivalence is None:
        return estimate
    p, same = (min(1.0, count * p) for p in (estimate.p_adjusted, estimate.p_equivalence))
    return replace(estimate, p_adjusted=p, p_equivalence=same)
