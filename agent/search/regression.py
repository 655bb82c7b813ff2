"""Search where single runs are too noisy to decide: many small random subsets, and one sparse regression that pools all runs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..analysis.arrays import Floats
from .designs import balanced_subsets
from .expectation import robust_sd
from .state import State
from .system import Members

BATCH = 30
SHARE = 6
ENOUGH = 6.2
"""Standard errors of a pair's damage at which δ must stand out of the residuals before the regression is believed."""
ENTERS = 3.6
"""Standard errors of the residuals that a term must explain."""
MOST_SUBSETS = 3000


class Terms(NamedTuple):
    """A sparse fit of the damage."""

    damage: dict[Members, float]
    """Single or pair → damage, at least 0."""
    errors: dict[Members, float]
    """Standard errors, beside all other terms."""
    residuals: Floats
    """Shape [runs]."""
    sd: float
    """Of the residuals."""

    @property
    def weakest(self) -> Members | None:
        """The term that stands out least."""
        return min(self.damage, key=lambda one: self.damage[one] / self.errors[one], default=None)


def best_size(state: State) -> int:
    """The subset size that tells most about pairs per run: separation × size, at its largest."""
    expectation = state.expectation
    sizes = range(2, max(3, len(state.pool) // SHARE + 1))
    return max(sizes, key=lambda size: expectation.separation(size) * size)


def search_regression(state: State, size: int) -> None:
    """Measure subsets until a pair of size δ stands out of their residuals, then try each pair that does by itself."""
    together, before = np.zeros((state.runs.n, state.runs.n)), state.runs.spent
    subsets: list[Members] = []
    terms = Terms({}, {}, np.empty(0), np.inf)
    while len(subsets) < MOST_SUBSETS and not _tells_enough(state, together, terms):
        batch = balanced_subsets(state.pool, size, BATCH, together, state.dice)
        state.runs.measure(batch)
        subsets += batch
        terms = _decode(state, subsets)
    state.log("subsets", subsets, before)
    state.keep(one for one, damage in terms.damage.items() if len(one) == 1 and damage > state.scale.step / 2)
    before, pairs = state.runs.spent, [one for one in terms.damage if len(one) == 2]
    ratios = state.decide(pairs)
    state.keep(pair for pair, ratio in zip(pairs, ratios, strict=True) if ratio > 0)
    state.log("alone", pairs, before, sum(not ratio > 0 for ratio in ratios) / max(1, len(ratios)))


def _tells_enough(state: State, together: Floats, terms: Terms) -> bool:
    return np.sqrt(_hits(state, together)) * state.scale.step >= ENOUGH * terms.sd


def _hits(state: State, together: Floats) -> float:
    """How often a pair of the pool was removed together, on average."""
    inside = together[np.ix_(state.pool, state.pool)]
    pairs = max(1, len(inside) * (len(inside) - 1))
    return float((inside.sum() - np.trace(inside)) / pairs)


def _decode(state: State, subsets: list[Members]) -> Terms:
    means = np.array([state.runs.mean(one)[0] for one in subsets])
    kept = np.isfinite(means)
    x = state.runs.masks(subsets)[kept].astype(np.float64)
    expectation = state.expectation
    size = len(subsets[0])
    noise = float(np.hypot(expectation.spread, expectation.sd / state.scale.slope(expectation.damage(size))))
    return decode(x, state.scale.damages(means[kept]), max(noise, 1e-9))


def decode(x: Floats, damage: Floats, noise: float) -> Terms:
    """Singles and pairs that explain the damage, by stepwise non-negative least squares.

    Non-negativity alone makes such fits sparse (Slawski & Hein, Electronic Journal of Statistics 7:3004, 2013). The
    term that stands out most of the residuals enters, while it does by ENTERS standard errors; one that explains less
    than that beside all others leaves again.

    Args:
        x: shape [runs, n], 1 where a component was removed.
        damage: shape [runs].
        noise: standard deviation of the damage that the runs alone have: residuals are never taken for quieter.
    """
    together = x.T @ x
    fit = _fit(x, damage, [], noise)
    refused: set[Members] = set()
    for _ in range(len(x)):
        scores = _scores(x, together, fit.residuals) / fit.sd
        for one in (*fit.damage, *refused):
            scores[min(one), max(one)] = scores[max(one), min(one)] = -np.inf
        best = np.unravel_index(int(np.argmax(scores)), scores.shape)
        if scores[best] < ENTERS or len(fit.damage) >= len(x) // 4:
            break
        entered = frozenset(int(one) for one in best)
        fit = _fit(x, damage, [*fit.damage, entered], noise)
        left: set[Members] = set()
        while fit.weakest is not None and fit.damage[fit.weakest] < ENTERS * fit.errors[fit.weakest]:
            left.add(fit.weakest)
            fit = _fit(x, damage, [one for one in fit.damage if one != fit.weakest], noise)
        refused = refused | left if entered in left else left
    return fit


def _fit(x: Floats, damage: Floats, terms: Sequence[Members], noise: float) -> Terms:
    from scipy.optimize import nnls  # a quarter of a second, and only a search needs it

    design = _design(x, terms)
    weights, _ = nnls(design, damage, maxiter=100 * design.shape[1])
    residuals = damage - design @ weights
    robust = robust_sd(residuals)
    sd = max(noise, robust)
    errors = sd * np.sqrt(np.diag(np.linalg.pinv(design[:, 2:].T @ design[:, 2:] - _mean_part(design[:, 2:]))))
    return Terms(
        dict(zip(terms, weights[2:].tolist(), strict=True)),
        dict(zip(terms, errors.tolist(), strict=True)),
        residuals,
        sd,
    )


def _mean_part(columns: Floats) -> Floats:
    """What the intercept takes from the columns' products."""
    totals = columns.sum(axis=0)
    return np.outer(totals, totals) / max(1, len(columns))


def _design(x: Floats, terms: Sequence[Members]) -> Floats:
    """An intercept of either sign, and a column for every term; shape [runs, 2 + terms]."""
    columns = [x[:, sorted(one)].all(axis=1) for one in terms]
    return np.stack([np.ones(len(x)), -np.ones(len(x)), *columns], axis=1).astype(np.float64)


def _scores(x: Floats, together: Floats, residuals: Floats) -> Floats:
    """How far each single (diagonal) and pair stands out of the residuals; shape [n, n]."""
    variance = together * (1 - together / len(x))
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = (x.T @ (x * residuals[:, None]) - together * residuals.mean()) / np.sqrt(variance)
    return np.where((together >= 2) & (variance > 0), scores, -np.inf)
