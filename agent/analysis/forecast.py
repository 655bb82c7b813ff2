"""What planned looks can settle, foretold from the baseline's noise over runs, and what would change that.

Two questions, asked of each look: which share of true nulls will be shown negligible, and with which chance will a true
effect be shown to matter? Both follow the rules of the main table: the guarded pool, Bartlett's gate, Holm, Bonferroni
intervals. The noise σ is taken as known and normal; a difference of two arms has σ√2, as without pairing.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import special

from .arrays import Floats
from .contrasts import NOISY, OWN_SHARE, RARE
from .inference import critical
from .looks import Look, planned_looks
from .power import smallest_count
from .stepdown import expected_share

ENOUGH = 0.8
"""Share of true nulls that a study should be able to show negligible."""
HALF = 0.5
"""Share below which most verdicts on true nulls will end undecided."""
FEWEST = 3
"""Runs of an arm below which nothing is tested."""
_GATE = 0.05
_QUANTILES = (np.arange(12) + 0.5) / 12
_MOST_SEEDS = 1000
_LARGEST_DELTA = 1e4


class Design(NamedTuple):
    """A family of single removals and the noise that it is tested in."""

    sd: float
    """Of one run, in the metric's unit; above 0."""
    delta: float
    """Smallest effect of interest, likewise."""
    size: int
    """Removals in the family, each an arm of the pool; at least 1."""


class Chances(NamedTuple):
    """What can be settled by one planned look."""

    negligible: float
    """Expected share of true nulls shown negligible by then, were all of the family true nulls."""
    matters: float
    """Chance that a true effect of the size in question is shown to matter."""


def chances(design: Design, looks: tuple[Look, ...], effect: float) -> list[Chances]:
    """What can be settled by each look; what an earlier look settled stays so.

    Args:
        design: noise, δ and family.
        looks: in order.
        effect: true loss of what should matter, in the metric's unit.
    """
    found: list[Chances] = []
    for look in looks:
        before = found[-1] if found else Chances(0.0, 0.0)
        now = Chances(negligible_share(design, look), chance_to_matter(design, look, effect))
        found.append(Chances(max(before.negligible, now.negligible), max(before.matters, now.matters)))
    return found


def negligible_share(design: Design, look: Look) -> float:
    """Expected share of true nulls shown negligible at one look, were all of the family true nulls.

    Holm's step-down in expectation; arms share the baseline and the pool, so it is followed for each of their quantiles.
    """
    if look.seeds < FEWEST or design.delta <= 0:
        return 0.0
    own, pool = _variances_at(design, look.seeds)
    guarded = _guarded(own, pool)[:, None, :]
    pooled = _step_down(design, look, guarded, design.size * (look.seeds - 1))
    return _gated(design, look, pooled, lambda: _step_down(design, look, own[:, None, :], look.seeds - 1))


def chance_to_matter(design: Design, look: Look, effect: float) -> float:
    """Chance that the simultaneous interval of a true loss `effect` lies beyond δ at one look."""
    if look.seeds < FEWEST:
        return 0.0
    tail, true = look.alpha / design.size / 2, design.sd * np.sqrt(2 / look.seeds)

    own, pool = _variances_at(design, look.seeds)

    def beyond(variance: Floats, df: int) -> float:
        reach = float(critical(tail, df)) * true * np.sqrt(variance)
        return float(special.ndtr((effect - design.delta - reach) / true).mean())

    pooled = beyond(_guarded(own, pool), design.size * (look.seeds - 1))
    return _gated(design, look, pooled, lambda: beyond(own, look.seeds - 1))


def seeds_that_settle(design: Design, alpha: float) -> int | None:
    """Seeds at which, in a single look, `ENOUGH` of the true nulls are shown negligible; None beyond 1000."""
    return smallest_count(lambda n: negligible_share(design, Look(n, alpha)) >= ENOUGH, FEWEST, _MOST_SEEDS)


def last_look_that_settles(design: Design, seeds: int, alpha: float) -> int | None:
    """The smallest `max_seeds` of 5, 10, 20 whose last planned look does; None where none does."""
    for most in (5, 10, 20):
        if most >= seeds:
            last = planned_looks(seeds, most, alpha)[-1]
            if negligible_share(design, last) >= ENOUGH:
                return last.seeds
    return None


def delta_that_settles(design: Design, look: Look) -> float | None:
    """The δ from which on `ENOUGH` of the true nulls are shown negligible at a look; None where no δ would do."""
    low, high = 0.0, design.sd
    while negligible_share(design._replace(delta=high), look) < ENOUGH:
        low, high = high, 2 * high
        if high > _LARGEST_DELTA * design.sd:
            return None
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        enough = negligible_share(design._replace(delta=middle), look) >= ENOUGH
        low, high = (low, middle) if enough else (middle, high)
    return high


def targets_that_settle(design: Design, look: Look) -> int | None:
    """The largest family smaller than the present one that does at a look; None where none does."""
    sizes = sorted({round(size) for size in np.geomspace(1, max(1, design.size - 1), 24)}, reverse=True)
    settled = (size for size in sizes if negligible_share(design._replace(size=size), look) >= ENOUGH)
    return next((size for size in settled if size < design.size), None)


def _step_down(design: Design, look: Look, variances: Floats, df: int) -> float:
    """Share shown negligible with estimated variances of shape [own, 1, pool], averaged over the baseline and the pool."""
    of_a_mean = design.sd / np.sqrt(look.seeds)
    se = of_a_mean * np.sqrt(2 * variances)
    shift = of_a_mean * special.ndtri((1 + _QUANTILES) / 2)[:, None]

    def inside(per_test: Floats) -> Floats:
        reach = -np.asarray(special.stdtrit(df, per_test)).reshape(len(per_test), 1, *per_test.shape[1:] or (1, 1)) * se
        room = np.maximum(design.delta - reach, 0.0)
        found = special.ndtr((room - shift) / of_a_mean) - special.ndtr((-room - shift) / of_a_mean)
        return np.asarray(found, dtype=np.float64).mean(axis=1)

    return float(expected_share(inside, look.alpha, design.size).mean())


def _guarded(own: Floats, pool: Floats) -> Floats:
    return np.maximum(pool, (1 - OWN_SHARE) * pool + OWN_SHARE * own)


def _gated(design: Design, look: Look, pooled: float, paired: Callable[[], float]) -> float:
    """Bartlett's gate closes at its level though all arms are equally noisy, and so does an arm's own beside it."""
    if design.size == 1:
        return pooled
    of_one, of_others = look.seeds - 1, (design.size - 1) * (look.seeds - 1)
    rare = max(NOISY, float(special.fdtri(of_one, of_others, 1 - RARE)))
    alone = 2 * float(special.fdtrc(of_one, of_others, rare))  # the arm, or the baseline
    share = _GATE + (1 - _GATE) * alone
    return (1 - share) * pooled + share * paired()


def _variances_at(design: Design, seeds: int) -> tuple[Floats, Floats]:
    """A contrast's own variance, shape [own, 1], and the pool's beside it, [own, pool], in units of the true one.

    The own variance is a part of the pool, and the rest of the block independent of it: over m arms the pool is
    (own + (m − 1)·rest) / m, own having seeds − 1 degrees of freedom and rest (m − 1)·(seeds − 1).
    """
    own = _variances(seeds - 1)[:, None]
    if design.size == 1:
        return own, own
    rest = _variances((design.size - 1) * (seeds - 1))[None, :]
    return own, (own + (design.size - 1) * rest) / design.size


@cache
def _variances(df: int) -> Floats:
    """Estimated variances in units of the true one, at equally likely quantiles."""
    return np.asarray(2 * special.gammaincinv(df / 2, _QUANTILES) / df, dtype=np.float64)
