"""Class by class: recall, precision and F1 of a baseline and of every arm, what they lose, and which confusions move.

Screens, corrected by the false discovery rate, never part of a confirmatory family.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .arrays import Bools, Floats, Ints
from .binary import FEWEST_DISCORDANT, Counts, exact_tests, score_tests
from .block import BlockFit, fit_block
from .clusters import Units, cluster_units, example_units
from .contrasts import fit_contrasts, single_removals
from .estimates import Estimate
from .examples import estimate_examples
from .inference import critical, interval, two_sided_p
from .looks import Look, Rules
from .multiplicity import benjamini_hochberg

FEWEST_IN_A_RATIO = 30
"""Examples that the denominators of precision and F1 need, in both arms, before a linearised interval is given."""
_FEWEST_UNITS = 3


class Scores(NamedTuple):
    """Of R arms and C classes; NaN where a denominator is 0. Shape [R, C], over seeds [R, C, S]."""

    recall: Floats
    precision: Floats
    f1: Floats


class Deltas(NamedTuple):
    """What A arms and C classes lose (negative) or gain, shape [A, C] each; NaN where nothing can be said."""

    delta: Floats
    low: Floats
    high: Floats
    p: Floats
    n: Ints
    """Units."""


class _Units(NamedTuple):
    told: Units
    """Of the examples that a class has to do with."""
    all: int
    """Units of the whole evaluation."""


def scores(target: Ints, predictions: Ints, labels: Ints) -> Scores:
    """Recall = hits / examples of the class; precision = hits / predictions of it; F1 = 2 hits / (both).

    Args:
        target: shape [N].
        predictions: shape [R, N].
        labels: the classes, shape [C], sorted; everything in `target` and `predictions` is among them.
    """
    size = labels.size
    true, taken = np.searchsorted(labels, target), np.searchsorted(labels, predictions)
    support = np.bincount(true, minlength=size)
    predicted = np.stack([np.bincount(row, minlength=size) for row in taken])
    hits = np.stack([np.bincount(true[row == true], minlength=size) for row in taken])
    whole = predicted + support
    return Scores(_ratio(hits, np.broadcast_to(support, hits.shape)), _ratio(hits, predicted), _ratio(2 * hits, whole))


def recall_over_examples(
    target: Ints, predictions: Ints, labels: Ints, alpha: float, clusters: Ints | None = None
) -> Deltas:
    """Paired differences in recall against row 0 of `predictions`, over the examples of each class.

    McNemar's exact test and Tango's or exact intervals; by cluster where examples are clustered.

    Args:
        target: shape [N].
        predictions: shape [R, N].
        labels: shape [C].
        alpha: error of each interval.
        clusters: shape [N].
    """
    if clusters is None:
        return _recall_by_counts(target, predictions, labels, alpha)
    found = _nothing(len(predictions) - 1, labels.size)
    contrasts, rules = single_removals(len(predictions) - 1), Rules(0.0, (Look(1, alpha),), alpha)
    for c, label in enumerate(labels.tolist()):
        own = np.flatnonzero(target == label)
        if own.size:
            right = (predictions[:, own] == label).astype(np.float64)
            table = estimate_examples(right, contrasts, rules, clusters[own], family=1)
            _take(found, c, table.estimates)
    return found


def _recall_by_counts(target: Ints, predictions: Ints, labels: Ints, alpha: float) -> Deltas:
    """All classes at once, by the same tests as `estimate_examples`."""
    true, right = np.searchsorted(labels, target), predictions == target
    changed = [(right[0] & ~row, ~right[0] & row) for row in right[1:]]
    per_class = [[np.bincount(true[each], minlength=labels.size) for each in pair] for pair in changed]
    lost, gained = (np.array([pair[k] for pair in per_class]).reshape(-1, labels.size) for k in (0, 1))
    found = _nothing(*lost.shape)
    found.n[:] = np.bincount(true, minlength=labels.size)
    found.delta[:] = _ratio(gained - lost, found.n)
    tested, rare = found.n >= _FEWEST_UNITS, lost + gained < FEWEST_DISCORDANT
    for chosen, exact in ((tested & rare, True), (tested & ~rare, False)):
        counts = Counts(lost, gained, found.n).of(chosen)
        one = np.ones(counts.n.shape)
        tests = exact_tests(counts, one, one, 0.0, alpha) if exact else score_tests(counts, 0.0, alpha)
        found.p[chosen], found.low[chosen], found.high[chosen] = tests.p, -tests.upper, -tests.lower
    return found


def ratios_over_examples(
    target: Ints, predictions: Ints, labels: Ints, alpha: float, clusters: Ints | None = None
) -> tuple[Deltas, Deltas]:
    """Paired differences in precision and in F1, with intervals by linearisation; arguments as of `recall_over_examples`.

    Both are ratios of sums over examples. The difference of two has the variance of Σ_i (u_i / D_u − v_i / D_v), where
    u = numerator − ratio · denominator (Cochran, Sampling Techniques, 1977, eq. 6.9), summed within clusters. No
    interval with a denominator below 30 in either arm, nor where fewer than 10 examples differ.
    """
    whole = target.size if clusters is None else cluster_units(clusters).starts.size
    precision, f1 = (_nothing(len(predictions) - 1, labels.size) for _ in range(2))
    for c, label in enumerate(labels.tolist()):
        own, taken = target == label, predictions == label
        told = np.flatnonzero(own | taken.any(axis=0))  # all others add nothing to any sum
        own, taken = own[told], taken[:, told]
        units = _Units(example_units(told.size) if clusters is None else cluster_units(clusters[told]), whole)
        hits = (own & taken).astype(np.float64)
        _fill(precision, c, hits, taken.astype(np.float64), units, alpha)
        _fill(f1, c, 2 * hits, taken.astype(np.float64) + own, units, alpha)
    return precision, f1


def differences_over_seeds(values: Floats, alpha: float) -> Deltas:
    """Differences of one score over seeds, against row 0, class by class: paired t.

    No pool over arms: a score between 0 and 1 is as noisy as its mean lets it be, and one that a removal holds at 0 has no
    noise at all. Only a difference that is equal at every seed takes the variance of the arms that do vary.

    Args:
        values: shape [R, C, S]; NaN where there is none.
        alpha: error of each interval.
    """
    found = _nothing(values.shape[0] - 1, values.shape[1])
    for c in range(values.shape[1]):
        y = values[:, c]
        fitted = fit_contrasts(y, single_removals(len(y) - 1), _unpooled(y))
        se = np.where(fitted.n >= _FEWEST_UNITS, fitted.se, np.nan)
        found.n[:, c], found.delta[:, c] = fitted.n, 0.0 - fitted.estimate
        found.p[:, c] = two_sided_p(fitted.estimate, se, fitted.df)
        found.low[:, c], found.high[:, c] = interval(-fitted.estimate, se, fitted.df, alpha)
    return found


def _unpooled(y: Floats) -> BlockFit:
    """The residual variance of the rows that vary, shape [R, S], behind a closed gate: no row is weighed against others."""
    present = np.isfinite(y)
    varies = np.where(present, y, -np.inf).max(axis=1) > np.where(present, y, np.inf).min(axis=1)
    none = np.zeros(len(y), dtype=np.int64)
    return fit_block(y[varies])._replace(bartlett_p=0.0, ratios=none.astype(np.float64), row_df=none)


def screen(p: Floats, alpha: float) -> tuple[Floats, float]:
    """Adjust every p of a screen, and the error that intervals beside it may have.

    By Benjamini & Hochberg; with R picked of m tests, intervals at level 1 − alpha · R / m (at least 1 / m) keep the
    false coverage rate of what was picked (Benjamini & Yekutieli, JASA 100:71, 2005).

    Args:
        p: any shape; NaN where there was no test.
        alpha: false discovery rate.

    Returns:
        Adjusted p, NaN where p is, and the error of each interval.
    """
    tested = np.isfinite(p)
    adjusted = np.full(p.shape, np.nan)
    adjusted[tested] = benjamini_hochberg(p[tested])
    picked = int((adjusted[tested] <= alpha).sum())
    return adjusted, alpha * max(1, picked) / max(1, int(tested.sum()))


def moved(target: Ints, baseline: Ints, ablated: Ints) -> dict[tuple[int, int], tuple[int, int]]:
    """The confusions that differ: (class, what it is taken for) → examples in the baseline and in the arm.

    Without the diagonal, which recall tells. All three of shape [N].
    """
    counts: dict[tuple[int, int], list[int]] = {}
    for arm, predictions in enumerate((baseline, ablated)):
        wrong = predictions != target
        cells, found = np.unique(np.stack([target[wrong], predictions[wrong]]), axis=1, return_counts=True)
        for cell, count in zip(cells.T.tolist(), found.tolist(), strict=True):
            counts.setdefault((cell[0], cell[1]), [0, 0])[arm] = count
    return {cell: (before, after) for cell, (before, after) in counts.items() if before != after}


def _ratio(above: np.ndarray, below: np.ndarray) -> Floats:
    return np.where(below > 0, above / np.maximum(below, 1), np.nan)


def _nothing(arms: int, classes: int) -> Deltas:
    delta, low, high, p = (np.full((arms, classes), np.nan) for _ in range(4))
    return Deltas(delta, low, high, p, np.zeros((arms, classes), dtype=np.int64))


def _take(found: Deltas, c: int, estimates: Sequence[Estimate]) -> None:
    for a, one in enumerate(estimates):
        found.n[a, c] = one.n
        if one.loss is not None:
            found.delta[a, c] = 0.0 - one.loss
        if one.interval is not None and one.p is not None:
            found.low[a, c], found.high[a, c], found.p[a, c] = -one.interval[1], -one.interval[0], one.p


def _fill(found: Deltas, c: int, above: Floats, below: Floats, units: _Units, alpha: float) -> None:
    """The difference of ratios of every row against row 0, both of shape [R, N]."""
    sums = below.sum(axis=1)
    ratio = _ratio(above.sum(axis=1), sums)
    known: Bools = (sums > 0) & (sums[0] > 0)
    errors = units.told.totals((above - np.nan_to_num(ratio)[:, None] * below) / np.maximum(sums, 1)[:, None])
    g = units.all
    se = np.sqrt(g / max(1, g - 1) * ((errors - errors[0]) ** 2).sum(axis=1))
    large = (sums >= FEWEST_IN_A_RATIO) & (sums[0] >= FEWEST_IN_A_RATIO)
    differ = ((above != above[0]) | (below != below[0])).sum(axis=1) >= FEWEST_DISCORDANT
    reach = np.where(known & large & differ, se * float(critical(alpha / 2, max(1, g - 1))), np.nan)
    delta = np.where(known, ratio - ratio[0], np.nan)
    found.n[:, c] = g
    found.delta[:, c] = delta[1:]
    found.low[:, c], found.high[:, c] = np.maximum(delta - reach, -1)[1:], np.minimum(delta + reach, 1)[1:]
