"""Every combination of k removals: the analysis of variance of a 2^k factorial over seeds or examples, and its contrasts.

Cells stand in the order of `cells_of`: row c has component i removed where bit i of c is set, so row 0 is the baseline
and the last row has nothing left. Contrasts are losses. For a set T of m components, with r_i = +1 where i is removed
and −1 where it is present,

    contrast(T) = −2^(m − k) · Σ_c Π_{i in T} r_i(c) · y(c)

For one component that is mean(y | present) − mean(y | removed), averaged over the others. For two it is
I(A,B) = L(AB) − L(A) − L(B), averaged over the others being there or not (for k = 2: I itself), and so on for every
order: what the set costs beyond all that its parts predict. The effect that textbooks of 2^k designs print (Box, Hunter
& Hunter, Statistics for Experimenters, 2005, ch. 5) is contrast / 2^(m − 1).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import special

from .arrays import Bools, Floats, measured, rounding
from .contrasts import Contrasts, per_seed
from .estimates import Estimate, Table
from .looks import Rules
from .sequential import estimate_family

Estimator = Callable[[Floats, Bools, Contrasts, Rules], Table]


class Variation(NamedTuple):
    """Sums of squares of a cells × units table without gaps: total = cells + units + residual, in squared units of y."""

    cells: float
    units: float
    residual: float
    residual_df: int
    """(2^k − 1)·(n − 1)."""

    @property
    def total(self) -> float:
        """Around the grand mean."""
        return self.cells + self.units + self.residual


class FTest(NamedTuple):
    """An F test with one degree of freedom above and `df` below."""

    f: float
    df: int
    p: float


@dataclass(frozen=True)
class FactorialEffect:
    """One row of the analysis of variance: a main effect or an interaction, with one degree of freedom."""

    components: tuple[str, ...]
    estimate: Estimate
    """Of the contrast; adjusted over the 2^k − 1 rows and the planned looks."""
    sum_of_squares: float | None
    """None with fewer than 2 complete units, as all that follows."""
    pooled: FTest | None
    """Against the residual of cells × units; None where that is 0, and over examples, whose arms differ in noise."""
    own: FTest | None
    """Against the effect's own variation over units (repeated measures): F = t²."""
    eta_squared: float | None
    """Share of the total sum of squares."""
    partial_eta_squared: float | None
    """SS / (SS + SS of the error term in use)."""


@dataclass(frozen=True)
class FactorialTable:
    """The whole analysis; all of it on the units that have a value in every cell."""

    n: int
    """Complete units of the last completed look."""
    estimates: Table
    """How the family of effects was estimated: with the pool where Bartlett's gate let it."""
    effects: tuple[FactorialEffect, ...]
    """Main effects first, then by order."""
    variation: Variation | None
    first: tuple[Estimate, ...]
    """Loss of each component with all others present: leave-one-out. A family of 2k together with `last`."""
    last: tuple[Estimate, ...]
    """Loss of each component with all others gone already: what it is worth alone."""


def cells_of(components: Sequence[str]) -> list[frozenset[str]]:
    """What is removed in each of the 2^k cells."""
    return [frozenset(one for i, one in enumerate(components) if c >> i & 1) for c in range(1 << len(components))]


def subsets_of(components: Sequence[str]) -> list[tuple[str, ...]]:
    """The 2^k − 1 effects: every non-empty subset, small ones first."""
    return [subset for m in range(1, len(components) + 1) for subset in combinations(components, m)]


def factorial_contrasts(k: int) -> Contrasts:
    """The contrast of every effect, in the order of `subsets_of`, over the cells of `cells_of`."""
    removed = np.array([[1.0 if c >> i & 1 else -1.0 for i in range(k)] for c in range(1 << k)])
    subsets = [subset for m in range(1, k + 1) for subset in combinations(range(k), m)]
    weights = [-(2.0 ** (len(subset) - k)) * removed[:, list(subset)].prod(axis=1) for subset in subsets]
    return Contrasts(np.tile(np.arange(1 << k, dtype=np.int64), (len(subsets), 1)), np.stack(weights))


def factorial_table(
    y: Floats, finished: Bools, components: Sequence[str], rules: Rules, estimate: Estimator = estimate_family
) -> FactorialTable:
    """Analyse a full factorial. A unit without a value in some cell is left out of all of them: the table stays balanced.

    Args:
        y: shape [2^k, S], cells in the order of `cells_of`, larger is better; NaN where there is no value.
        finished: shape [2^k, S], whether a cell is terminal.
        components: the k names, at least 2.
        rules: δ in units of y, the looks and α.
        estimate: tests one family of contrasts; the units are seeds by default, or examples.

    Raises:
        ValueError: `y` has another number of rows than there are cells, or fewer than two components are named.
    """
    k, y = len(components), measured(y)
    if k < 2 or y.ndim != 2 or len(y) != 1 << k:
        raise ValueError(f"values of shape {y.shape} are no full factorial of {k} components")
    y = np.where(np.isfinite(y).all(axis=0) & finished.all(axis=0), y, np.nan)
    contrasts = factorial_contrasts(k)
    estimates = estimate(y, finished, contrasts, rules)
    simple = estimate(y, finished, _simple_contrasts(k), rules).estimates
    seen = _seen(y, estimates)
    variation = _variation(seen) if seen.shape[1] >= 2 else None
    tests = _Tests(seen, contrasts, estimates, variation)
    effects = tuple(tests.row(f, subset) for f, subset in enumerate(subsets_of(components)))
    return FactorialTable(seen.shape[1], estimates, effects, variation, simple[:k], simple[k:])


def _simple_contrasts(k: int) -> Contrasts:
    """Each component's loss with all others present, then with all others gone."""
    everything = (1 << k) - 1
    rows = [[0, 1 << i] for i in range(k)] + [[everything ^ 1 << i, everything] for i in range(k)]
    return Contrasts(np.array(rows, dtype=np.int64), np.tile([1.0, -1.0], (2 * k, 1)))


def _seen(y: Floats, estimates: Table) -> Floats:
    """The complete units of the last completed look, shape [2^k, n]; of all there are before the first."""
    look = estimates.estimates[0].look
    within = y[:, : look.seeds] if look and estimates.method in ("pooled", "paired") else y
    return within[:, np.isfinite(within).all(axis=0)]


def _variation(y: Floats) -> Variation:
    grand, cell, unit = y.mean(), y.mean(axis=1, keepdims=True), y.mean(axis=0, keepdims=True)
    rows, n = y.shape
    residual = float(((y - cell - unit + grand) ** 2).sum())
    return Variation(
        cells=n * float(((cell - grand) ** 2).sum()),
        units=rows * float(((unit - grand) ** 2).sum()),
        residual=residual if residual > float(rounding(y)) ** 2 * y.size else 0.0,
        residual_df=(rows - 1) * (n - 1),
    )


class _Tests(NamedTuple):
    """What every row's tests are made from."""

    y: Floats
    contrasts: Contrasts
    estimates: Table
    variation: Variation | None

    def row(self, f: int, components: tuple[str, ...]) -> FactorialEffect:
        estimate = self.estimates.estimates[f]
        if self.variation is None:
            return FactorialEffect(components, estimate, None, None, None, None, None)
        n, weight = self.y.shape[1], float(self.contrasts.squares[f])
        part = Contrasts(self.contrasts.rows[f : f + 1], self.contrasts.weights[f : f + 1])
        values = per_seed(self.y, part)[0]
        squares = n * float(values.mean()) ** 2 / weight
        over_seeds = self.estimates.method not in ("examples", "clusters")
        pooled = _f_test(squares, self.variation.residual, self.variation.residual_df) if over_seeds else None
        own_squares = float(((values - values.mean()) ** 2).sum()) / weight
        if float(np.sqrt(own_squares / n)) <= float(rounding(self.y)):
            own_squares = 0.0
        own = _f_test(squares, own_squares, n - 1) if over_seeds else _of_estimate(estimate)
        error = self.variation.residual if self.estimates.method == "pooled" else own_squares
        total = self.variation.total
        return FactorialEffect(
            components,
            estimate,
            sum_of_squares=squares,
            pooled=pooled,
            own=own,
            eta_squared=squares / total if total > 0 else None,
            partial_eta_squared=squares / (squares + error) if squares + error > 0 else None,
        )


def _f_test(squares: float, error: float, df: int) -> FTest | None:
    if error <= 0 or df < 1:
        return None
    f = squares / (error / df)
    return FTest(f, df, float(special.fdtrc(1, df, f)))


def _of_estimate(estimate: Estimate) -> FTest | None:
    """Over examples, or clusters of them: t² with the standard error that the test went by; p is that test's own."""
    if estimate.loss is None or not estimate.se or estimate.df is None or estimate.p is None:
        return None
    return FTest((estimate.loss / estimate.se) ** 2, int(estimate.df), estimate.p)
