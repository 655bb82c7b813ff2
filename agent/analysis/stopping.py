"""Tests where some arms were evaluated no further than their verdicts needed; hands on p values that hold all the same.

α is split. A share of it is spent on stopping early, by tests that may be looked at after every batch; the rest on the
usual test of what reached the end. P(ever p_always ≤ share·a) + P(p_usual ≤ (1 − share)·a) ≤ a: so p_always / share of a
contrast that stopped, and p_usual / (1 − share) of one that did not, make up one valid p value.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...executor.inside.evidence import SPREAD
from .anytime import Moments, confidence_radius, log_e, one_sided_log_e
from .arrays import Bools, Floats, Ints
from .betting import Seen, betting_tests
from .binary import Tests
from .clusters import Summary
from .contrasts import Contrasts, per_seed


class Stopping(NamedTuple):
    """What of a table was evaluated under the rule that stops early. Its examples came in random order."""

    share: float
    """Of α, spent on stopping early; inside (0, 1)."""
    rows: Bools
    """Which rows of y, shape [R]."""


class Spent(NamedTuple):
    """The tests of F contrasts, and how much of α their intervals had."""

    tests: Tests
    early: Bools
    """Which of them are always-valid, shape [F]."""
    alpha: Floats
    """Error of each interval, shape [F]."""


def checked(stopping: Stopping, rows: int, *, clustered: bool) -> Stopping:
    """Refuse what the rule cannot hold for.

    Raises:
        ValueError: the rows do not fit, the share is not inside (0, 1), or a row is under the rule and there are clusters.
    """
    if stopping.rows.shape != (rows,):
        raise ValueError(f"rows under the stopping rule of shape {stopping.rows.shape} do not fit {rows} rows")
    if not 0 < stopping.share < 1:
        raise ValueError(f"the share of α that is spent on stopping early must lie between 0 and 1: {stopping.share}")
    if clustered and stopping.rows.any():
        raise ValueError("examples in clusters are never evaluated under the rule that stops early")
    return stopping


def spend(
    usual: Callable[[float], Tests],
    y: Floats,
    contrasts: Contrasts,
    found: Summary,
    stopping: Stopping | None,
    delta: float,
    alpha: float,
) -> Spent:
    """Test each contrast by what its arms were evaluated under.

    Args:
        usual: the fixed-size tests of all contrasts, given the error of an interval.
        y: shape [R, N], row 0 the baseline; NaN where an arm was not evaluated.
        contrasts: F of them.
        found: their summary, each example a unit.
        stopping: None: all arms were to be evaluated on every example.
        delta: smallest effect of interest.
        alpha: error of each interval, before it is split.
    """
    tests, nothing = usual(alpha), np.zeros(len(found.n), dtype=np.bool_)
    if stopping is None or not stopping.rows.any():
        return Spent(tests, nothing, np.full(len(found.n), alpha))
    watched = np.any((contrasts.weights != 0) & stopping.rows[contrasts.rows], axis=1)
    early = watched & (found.n < np.isfinite(y[0]).sum())
    rest = 1 - stopping.share
    whole = _divided(usual(rest * alpha), rest)
    always = _divided(_always_valid(y, contrasts, found, early, delta, stopping.share * alpha), stopping.share)
    chosen = Tests(
        *(
            np.where(watched, np.where(early, one, kept), plain)
            for one, kept, plain in zip(always, whole, tests, strict=True)
        )
    )
    spent = np.where(watched, np.where(early, stopping.share, rest), 1.0)
    return Spent(chosen, early, alpha * spent)


def _divided(tests: Tests, share: float) -> Tests:
    return tests._replace(
        p=np.minimum(1.0, tests.p / share), p_equivalence=np.minimum(1.0, tests.p_equivalence / share)
    )


def _always_valid(y: Floats, contrasts: Contrasts, found: Summary, early: Bools, delta: float, alpha: float) -> Tests:
    """The chosen contrasts' tests, NaN elsewhere and below 3 units: by betting for answers of 0 and 1, else by the t."""
    tests = t_tests(Moments(found.n, found.mean, found.se**2 * found.n * (found.n - 1)), delta, alpha)
    chosen = np.flatnonzero(early & (found.n >= 3))
    answers = np.array([f for f in chosen if _two_valued(y, contrasts, int(f))], dtype=np.int64)
    if answers.size:
        for whole, part in zip(tests, betting_tests(_seen(y, contrasts.of(answers)), delta, alpha), strict=True):
            whole[answers] = part
    missing = np.ones(len(early), dtype=np.bool_)
    missing[chosen] = False
    return Tests(*(np.where(missing, np.nan, one) for one in tests))


def t_tests(found: Moments, delta: float, alpha: float) -> Tests:
    """The always-valid t: of a mean of 0, of equivalence within ±delta, and its confidence sequence at level 1 − alpha."""
    inside = np.minimum(
        one_sided_log_e(found, delta, above=False, g=SPREAD), one_sided_log_e(found, -delta, above=True, g=SPREAD)
    )
    p, same = (np.minimum(1.0, np.exp(-one)) for one in (log_e(found, g=SPREAD), inside))
    radius = confidence_radius(found, alpha, g=SPREAD)
    return Tests(p, same, found.mean - radius, found.mean + radius)


def _two_valued(y: Floats, contrasts: Contrasts, f: int) -> bool:
    """Whether all values of a contrast's arms, where it has one, are 0 or 1, or all are −1 or 0."""
    used = y[contrasts.rows[f][contrasts.weights[f] != 0]]
    shared = used[:, np.isfinite(used).all(axis=0)]
    return any(bool(np.all((shared == 0) | (shared == one))) for one in (1, -1))


def _seen(y: Floats, contrasts: Contrasts) -> Seen:
    """Count the values that contrasts over answers of 0 and 1 take: few."""
    found = per_seed(y, contrasts)
    values = np.unique(found[np.isfinite(found)])
    counts: Ints = np.stack([(found == value).sum(axis=1) for value in values], axis=1)
    return Seen(values, counts, np.abs(contrasts.weights).sum(axis=1) / 2)
