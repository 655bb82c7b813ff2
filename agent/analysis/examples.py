"""Inference on one trained checkpoint: its examples, or clusters of them, are the units; hands on a table of estimates.

What is found speaks for these fixed weights, never for training.
"""

from functools import partial

import numpy as np

from .arrays import Bools, Floats, Ints, measured, rounding
from .binary import FEWEST_DISCORDANT, Counts, Tests, exact_tests, score_tests
from .clusters import CELLS, Summary, cluster_units, example_units, summarise
from .contrasts import Contrasts
from .estimates import Estimate, Table
from .inference import equivalence_p, interval, two_sided_p
from .looks import Look, Rules
from .multiplicity import adjust
from .stopping import Spent, Stopping, checked, spend

_FEWEST_UNITS = 3


def estimate_examples(
    y: Floats,
    contrasts: Contrasts,
    rules: Rules,
    clusters: Ints | None = None,
    family: int | None = None,
    stopping: Stopping | None = None,
) -> Table:
    """Estimate and test one family of contrasts over the examples of one evaluation. STATISTICS.md, "Re-evaluation".

    Paired t; with clusters, t on the linearised ratio with clusters − 1 degrees of freedom. For a binary metric (all
    values 0 or 1) without clusters, McNemar's exact test and Tango's score method. For a binary metric with fewer than
    10 discordant examples, or with these in fewer than 10 and less than half of the clusters, the exact rule: equal
    answers everywhere are no certainty. There p is the larger of the t and the sign test, unless it is McNemar's.
    Differences and equivalences are two families, each by Holm; the intervals are simultaneous by Bonferroni.

    Args:
        y: shape [R, N], row 0 the baseline, one column per example, larger is better; NaN where there is no value: an
            example that is missing in an arm is left out of that arm's contrasts.
        contrasts: the family; its size is the number of contrasts.
        rules: δ in units of y, α, and one look.
        clusters: shape [N], equal labels for examples of one cluster. None: examples are independent.
        family: how many tests the intervals are simultaneous over. None: these contrasts, as for the adjusted p values.
        stopping: rows that were evaluated no further than their verdicts needed. A contrast with such a row is tested by
            always-valid rules where it has fewer examples than the baseline, and else as usual at what is left of α.

    Returns:
        One estimate per contrast; `n` counts examples, or clusters where they are given. No test with n < 3.

    Raises:
        ValueError: the shapes do not fit, there is more than one look, delta is negative or not finite, or a row is under
            the stopping rule and there are clusters.
    """
    y = _checked(y, rules, clusters)
    if stopping is not None:
        stopping = checked(stopping, len(y), clustered=clusters is not None)
    units = example_units(y.shape[1]) if clusters is None else cluster_units(clusters)
    found = summarise(y, contrasts, units)
    plain = _differences(contrasts) & (clusters is None)
    alpha = rules.alpha / (family or max(len(found.n), 1))
    usual = partial(_tests, found, contrasts, _binary(y, contrasts), plain, rules.delta)
    spent = spend(usual, y, contrasts, found, stopping, rules.delta, alpha)
    method = "examples" if clusters is None else "clusters"
    return Table(_estimates(found, spent, rules), method, None, _pairing_correlation(y, contrasts))


def _checked(y: Floats, rules: Rules, clusters: Ints | None) -> Floats:
    y = measured(y)
    if y.ndim != 2 or (clusters is not None and clusters.shape != y.shape[1:]):
        raise ValueError(f"values of shape {y.shape} need two dimensions and a cluster for every example")
    if len(rules.looks) != 1:
        raise ValueError(f"the examples of an evaluation are looked at once, not {len(rules.looks)} times")
    if not (np.isfinite(rules.delta) and rules.delta >= 0):
        raise ValueError(f"the smallest effect must be finite and at least 0, not {rules.delta}")
    return y


def _differences(contrasts: Contrasts) -> Bools:
    """Whether a contrast is one arm minus another, shape [F]."""
    used, ones = contrasts.weights != 0, np.abs(contrasts.weights) == 1
    return (used.sum(axis=1) == 2) & (ones.sum(axis=1) == 2)


def _binary(y: Floats, contrasts: Contrasts) -> Bools:
    """Whether all values in the arms of a contrast are 0 or 1, or (an error rate, turned) −1 or 0; shape [F]."""
    unused, missing = contrasts.weights == 0, np.isnan(y)
    zero_or_one, minus_one_or_zero = (np.all(missing | (y == 0) | (y == one), axis=1) for one in (1, -1))
    return np.all(unused | zero_or_one[contrasts.rows], axis=1) | np.all(
        unused | minus_one_or_zero[contrasts.rows], axis=1
    )


def _tests(found: Summary, contrasts: Contrasts, binary: Bools, plain: Bools, delta: float, alpha: float) -> Tests:
    """Test every contrast by the method that is valid for it; NaN with fewer than 3 units. `alpha`: of each interval."""
    testable = found.n >= _FEWEST_UNITS
    tests = _t_tests(found, delta, alpha)
    rare = binary & testable & _hardly_differ(found)
    score = binary & testable & plain & ~rare
    counts, limit = Counts(found.losses, found.gains, found.n), np.abs(contrasts.weights).sum(axis=1) / 2
    exact = exact_tests(counts.of(rare), (limit * found.largest)[rare], limit[rare], delta, alpha)
    sure = np.where(plain[rare], exact.p, np.maximum(exact.p, tests.p[rare]))
    scored = score_tests(counts.of(score), delta, alpha)
    for whole, few, many in zip(tests, exact._replace(p=sure), scored, strict=True):
        whole[rare], whole[score], whole[~testable] = few, many, np.nan
    return tests


def _hardly_differ(found: Summary) -> Bools:
    """Whether examples with another answer are too few for an approximation, or in too few of the clusters; shape [F]."""
    units = found.losses + found.gains
    few_clusters = (units < FEWEST_DISCORDANT) & (2 * units < found.n)
    return (found.discordant < FEWEST_DISCORDANT) | few_clusters


def _t_tests(found: Summary, delta: float, alpha: float) -> Tests:
    df = np.maximum(found.n - 1, 1)
    p = two_sided_p(found.mean, found.se, df)
    return Tests(
        p, np.maximum(*equivalence_p(found.mean, found.se, df, delta)), *interval(found.mean, found.se, df, alpha)
    )


def _estimates(found: Summary, spent: Spent, rules: Rules) -> tuple[Estimate, ...]:
    tests = spent.tests
    adjusted, adjusted_equivalence = (adjust(p, screen=rules.screen) for p in (tests.p, tests.p_equivalence))
    estimates: list[Estimate] = []
    for f, n in enumerate(found.n.tolist()):
        if np.isnan(tests.p[f]):
            estimates.append(Estimate(float(found.mean[f]), n, Look(n, rules.alpha)) if n else Estimate(None, 0))
            continue
        tested = Estimate(
            loss=float(found.mean[f]),
            n=n,
            look=Look(n, rules.alpha),
            se=float(found.se[f]),
            df=float(n - 1),
            p=float(tests.p[f]),
            p_adjusted=float(adjusted[f]),
            p_equivalence=float(adjusted_equivalence[f]),
            interval=(float(tests.lower[f]), float(tests.upper[f])),
            level=1 - float(spent.alpha[f]),
            always_valid=bool(spent.early[f]),
        )
        estimates.append(tested)
    return tuple(estimates)


def _pairing_correlation(y: Floats, contrasts: Contrasts) -> float | None:
    """The median, over contrasts of two arms, of the correlation between the two over examples."""
    used = contrasts.weights != 0
    rows = contrasts.rows[used & (used.sum(axis=1) == 2)[:, None]].reshape(-1, 2)
    step = max(1, CELLS // max(1, y.shape[1]))
    parts = [_correlations(y, rows[start : start + step]) for start in range(0, len(rows), step)]
    defined = np.concatenate([part[np.isfinite(part)] for part in parts]) if parts else np.empty(0)
    return float(np.median(defined)) if defined.size else None


def _correlations(y: Floats, pairs: Ints) -> Floats:
    """Correlation of two rows of `y` over the examples that both have, for pairs of shape [P, 2]; NaN where undefined."""
    shared: Bools = np.all(np.isfinite(y[pairs]), axis=1)
    n = np.maximum(shared.sum(axis=1), 1)
    values = np.where(shared[:, None], y[pairs], 0.0)
    centred = np.where(shared[:, None], values - values.sum(axis=2, keepdims=True) / n[:, None, None], 0.0)
    sd = np.sqrt((centred**2).sum(axis=2) / n[:, None])
    varies = np.all(sd > rounding(values, 2), axis=1)
    together = (centred[:, 0] * centred[:, 1]).sum(axis=1) / n
    return np.divide(together, sd.prod(axis=1), out=np.full(len(pairs), np.nan), where=varies)
