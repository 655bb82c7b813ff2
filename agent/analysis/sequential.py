"""The one engine behind singles and interactions: tests a family of contrasts at every planned look."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Bools, Floats, Ints, measured, number
from .block import BlockFit, fit_block
from .contrasts import Contrasts, Fitted, fit_contrasts, per_seed
from .estimates import Estimate, Table
from .inference import equivalence_p, interval, two_sided_p
from .looks import Look, Rules
from .multiplicity import adjust


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


def estimate_family(y: Floats, finished: Bools, contrasts: Contrasts, rules: Rules) -> Table:
    """Estimate and test one family of contrasts by Holm (a screen: Benjamini & Hochberg) and a union bound over the looks.

    At look k every row keeps its first min(its last completed look, look k) seeds. Contrasts that have completed no
    look are not tested, but count in the family. An adjusted p is the least, over the completed looks, of Holm's p
    times α / α_k: at most α in error over all looks, since the α_k sum to α.

    Args:
        y: shape [R, S], row 0 the baseline, larger is better; NaN where a cell failed or has not finished.
        finished: shape [R, S], whether a cell is terminal, ok or failed.
        contrasts: the family; its size is the number of contrasts.
        rules: δ in units of y, the looks and α.

    Raises:
        ValueError: the shapes differ, or delta is negative or not finite.
    """
    y = measured(y)
    if y.shape != finished.shape or y.ndim != 2:
        raise ValueError(f"values of shape {y.shape} need `finished` of the same two dimensions, not {finished.shape}")
    if not (np.isfinite(rules.delta) and rules.delta >= 0):
        raise ValueError(f"the smallest effect must be finite and at least 0, not {rules.delta}")
    y[~finished] = np.nan
    row_looks = _completed_looks(finished, rules.looks)
    last = row_looks[contrasts.rows].min(axis=1, initial=len(rules.looks))
    results: list[_LookResult] = []
    for k, look in enumerate(rules.looks):
        if np.any(last >= k):
            seen = _seen(y, np.minimum(row_looks, k), rules.looks)
            results.append(_test_look(seen, contrasts, look, last >= k, rules.delta))
    return _table(y, contrasts, last, results, rules)


def _completed_looks(finished: Bools, looks: Sequence[Look]) -> Ints:
    """Index of the last look whose seeds have all finished, in the row and in the baseline; −1 for none. Shape [R]."""
    last = np.full(finished.shape[0], -1, dtype=np.int64)
    for k, look in enumerate(looks):
        if look.seeds <= finished.shape[1]:
            complete: Bools = np.all(finished[:, : look.seeds], axis=1)
            last[complete & complete[0]] = k
    return last


def _seen(y: Floats, row_looks: Ints, looks: Sequence[Look]) -> Floats:
    """Keep of every row the seeds of its look in `row_looks` (−1: none); shape [R, most seeds of any]."""
    seeds = np.array([0, *(look.seeds for look in looks)])
    width = seeds.take(row_looks + 1)
    columns = np.arange(int(width.max()))
    return np.where(columns < width[:, None], y[:, : columns.size], np.nan)


def _test_look(seen: Floats, contrasts: Contrasts, look: Look, reached: Bools, delta: float) -> _LookResult:
    block = fit_block(seen)
    fitted = fit_contrasts(seen, contrasts, block)
    p = two_sided_p(fitted.estimate, fitted.se, fitted.df)
    above, below = equivalence_p(fitted.estimate, fitted.se, fitted.df, delta)
    return _LookResult(look, block, fitted, p, np.maximum(above, below), reached)


def _adjust(p: Floats, spent: float, rules: Rules) -> Floats:
    """For the family within one look, then times α / α_k for the looks."""
    return np.minimum(1.0, adjust(p, screen=rules.screen) * (rules.alpha / spent))


def _table(y: Floats, contrasts: Contrasts, last: Ints, results: Sequence[_LookResult], rules: Rules) -> Table:
    waiting = np.flatnonzero((last < 0) | (last >= len(results)))
    found: dict[int, Estimate] = dict(zip(waiting.tolist(), _untested(y, contrasts.of(waiting)), strict=True))
    adjusted, adjusted_equivalence = np.ones(len(last)), np.ones(len(last))
    for k, result in enumerate(results):
        spent = result.look.alpha
        for least, p in ((adjusted, result.p), (adjusted_equivalence, result.p_equivalence)):
            least[result.reached] = np.minimum(least, _adjust(p, spent, rules))[result.reached]
        found |= _judged(result, last == k, adjusted, adjusted_equivalence)
    estimates = tuple(found[i] for i in range(len(last)))
    if not results:
        return Table(estimates, None, None, None)
    block = results[-1].block
    return Table(estimates, "pooled" if block.pooled else "paired", block.bartlett_p, block.correlation)


def _untested(y: Floats, contrasts: Contrasts) -> list[Estimate]:
    """All that can be said before a look is complete: the loss at the shared seeds, and their number."""
    values = per_seed(y, contrasts)
    n = np.isfinite(values).sum(axis=1)
    loss = np.nansum(values, axis=1) / np.maximum(n, 1)
    return [Estimate(float(loss[i]) if n[i] else None, int(n[i])) for i in range(len(n))]


def _judged(result: _LookResult, last: Bools, adjusted: Floats, adjusted_equivalence: Floats) -> dict[int, Estimate]:
    """The estimates, at this look and by number, of the contrasts whose last it is."""
    fitted, look = result.fitted, result.look
    spent = look.alpha / len(adjusted)
    lower, upper = interval(fitted.estimate, fitted.se, fitted.df, spent)
    p_paired = two_sided_p(fitted.estimate, fitted.paired_se, np.maximum(fitted.n - 1, 1))
    estimates: dict[int, Estimate] = {}
    for i in np.flatnonzero(last).tolist():
        loss, n = number(float(fitted.estimate[i])), int(fitted.n[i])
        if np.isnan(fitted.se[i]):
            estimates[i] = Estimate(loss, n, look)
            continue
        estimates[i] = Estimate(
            loss=loss,
            n=n,
            look=look,
            se=float(fitted.se[i]),
            df=float(fitted.df[i]),
            p=float(result.p[i]),
            p_paired=float(p_paired[i]),
            p_adjusted=float(adjusted[i]),
            p_equivalence=float(adjusted_equivalence[i]),
            interval=(float(lower[i]), float(upper[i])),
            level=1 - spent,
        )
    return estimates
