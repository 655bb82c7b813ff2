"""The one engine behind singles and interactions: at every planned look, test a family of contrasts and adjust its p values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Bools, Floats, Ints, measured, number
from .block import BlockFit, fit_block
from .contrasts import Contrasts, Fitted, fit_contrasts, per_seed
from .estimates import Estimate, Table
from .inference import equivalence_p, interval, two_sided_p
from .looks import Look
from .multiplicity import holm


@dataclass(frozen=True)
class _LookResult:
    """All contrasts at one look; arrays of shape [F], NaN where there was no test."""

    look: Look
    block: BlockFit
    fitted: Fitted
    p: Floats
    p_equivalence: Floats
    reached: Bools
    """Which contrasts have completed this look: only they are judged by it."""


def estimate_family(
    y: Floats, finished: Bools, contrasts: Contrasts, *, delta: float, looks: Sequence[Look], alpha: float
) -> Table:
    """Estimate and test one family of contrasts with Holm's method and a union bound over the planned looks.

    At look k every row keeps its first min(its last completed look, look k) seeds. Contrasts that have completed no look
    are not tested, but count in the family. An adjusted p is the least, over the completed looks, of Holm's p times
    α / α_k: at most α in error over all looks, since the α_k sum to α.

    Args:
        y: shape [R, S], row 0 the baseline, larger is better; NaN where a cell failed or has not finished.
        finished: shape [R, S], whether a cell is terminal, ok or failed.
        contrasts: the family; its size is the number of contrasts.
        delta: smallest effect of interest, in units of y, at least 0.
        looks: increasing in seeds; their α sum to `alpha`.
        alpha: family-wise error over all looks.

    Raises:
        ValueError: the shapes differ, or delta is negative or not finite.
    """
    y = measured(y)
    if y.shape != finished.shape or y.ndim != 2:
        raise ValueError(f"values of shape {y.shape} need `finished` of the same two dimensions, not {finished.shape}")
    if not (np.isfinite(delta) and delta >= 0):
        raise ValueError(f"the smallest effect must be finite and at least 0, not {delta}")
    y[~finished] = np.nan
    row_looks = _completed_looks(finished, looks)
    last = row_looks[contrasts.rows].min(axis=1, initial=len(looks))
    results = [
        _test_look(y, row_looks, last, contrasts, delta, looks, k) for k in range(len(looks)) if bool((last >= k).any())
    ]
    return _table(y, contrasts, last, results, alpha)


def _completed_looks(finished: Bools, looks: Sequence[Look]) -> Ints:
    """Index of the last look whose seeds have all finished, in the row and in the baseline; −1 for none. Shape [R]."""
    last = np.full(finished.shape[0], -1, dtype=np.int64)
    for k, look in enumerate(looks):
        if look.seeds <= finished.shape[1]:
            complete = finished[:, : look.seeds].all(axis=1)
            last[complete & complete[0]] = k
    return last


def _test_look(
    y: Floats, row_looks: Ints, last: Ints, contrasts: Contrasts, delta: float, looks: Sequence[Look], k: int
) -> _LookResult:
    seeds = np.array([0, *(look.seeds for look in looks)])
    width = seeds[np.minimum(row_looks, k) + 1]
    seen = np.where(np.arange(looks[k].seeds) < width[:, None], y[:, : looks[k].seeds], np.nan)
    block = fit_block(seen)
    fitted = fit_contrasts(seen, contrasts, block)
    p = two_sided_p(fitted.estimate, fitted.se, fitted.df)
    p_equivalence = np.maximum(*equivalence_p(fitted.estimate, fitted.se, fitted.df, delta))
    return _LookResult(looks[k], block, fitted, p, p_equivalence, last >= k)


def _adjust(p: Floats, spent: float, alpha: float) -> Floats:
    """Holm within one look (a missing p counts as 1), then times α / α_k for the looks."""
    return np.minimum(1.0, holm(np.where(np.isnan(p), 1.0, p)) * (alpha / spent))


def _table(y: Floats, contrasts: Contrasts, last: Ints, results: list[_LookResult], alpha: float) -> Table:
    family = len(last)
    values = per_seed(y, contrasts)
    n = np.isfinite(values).sum(axis=1)
    loss = np.nansum(values, axis=1) / np.maximum(n, 1)
    estimates = [Estimate(float(loss[i]) if n[i] else None, int(n[i])) for i in range(family)]
    adjusted, adjusted_equivalence = np.ones(family), np.ones(family)
    for k, result in enumerate(results):
        reached = result.reached
        spent = result.look.alpha
        adjusted[reached] = np.minimum(adjusted, _adjust(result.p, spent, alpha))[reached]
        adjusted_equivalence[reached] = np.minimum(adjusted_equivalence, _adjust(result.p_equivalence, spent, alpha))[reached]
        for i, estimate in _last_estimates(result, np.flatnonzero(last == k), adjusted, adjusted_equivalence):
            estimates[i] = estimate
    if not results:
        return Table(tuple(estimates), None, None, None)
    block = results[-1].block
    return Table(tuple(estimates), "pooled" if block.pooled else "paired", block.bartlett_p, block.correlation)


def _last_estimates(
    result: _LookResult, ended: Ints, adjusted: Floats, adjusted_equivalence: Floats
) -> list[tuple[int, Estimate]]:
    """The final estimates of the contrasts `ended` (indices), whose last completed look this is."""
    fitted, look = result.fitted, result.look
    spent = look.alpha / len(adjusted)
    lower, upper = interval(fitted.estimate, fitted.se, fitted.df, spent)
    p_paired = two_sided_p(fitted.estimate, fitted.paired_se, np.maximum(fitted.n - 1, 1))
    found: list[tuple[int, Estimate]] = []
    for i in ended.tolist():
        loss, n = number(fitted.estimate[i]), int(fitted.n[i])
        if np.isnan(fitted.se[i]):
            found.append((i, Estimate(loss, n, look)))
            continue
        found.append((i, Estimate(
            loss=loss, n=n, look=look, se=float(fitted.se[i]), df=float(fitted.df[i]), p=float(result.p[i]),
            p_paired=number(p_paired[i]), p_adjusted=float(adjusted[i]), p_equivalence=float(adjusted_equivalence[i]),
            interval=(float(lower[i]), float(upper[i])), level=1 - spent,
        )))  # fmt: skip
    return found
