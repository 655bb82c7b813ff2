"""The block model y[i, s] = μ_i + seed_s + e of all arms and seeds; hands on its residual variance and its gate.

One residual variance estimated from all arms is far more powerful with few seeds than one per arm, as long as the arms
are equally noisy: Bartlett's test over the arms decides whether they are, and beside it every arm is weighed against all the
others, since one test over many arms hardly sees a single noisy one at few seeds.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from .arrays import Bools, Floats, Ints, rounding

_GATE = 0.05
_EIGENVALUE_TOLERANCE = 1e-9
_SMALLEST_ROW_DF = 1e-6


class BlockFit(NamedTuple):
    """The least-squares fit of the block model."""

    variance: float
    """Residual variance pooled over all arms, in squared units of y; exactly 0 where only rounding is left."""
    df: int
    """Degrees of freedom of `variance`: cells − arms with data − estimable seed effects."""
    residuals: Floats
    """Shape [R, S]; NaN where the cell is missing."""
    bartlett_p: float | None
    """Bartlett's test of equal residual variances over the arms; None with fewer than two arms to compare."""
    ratios: Floats
    """Shape [R]: residual variance of each arm over that of all other arms together; 0 where there is none to compare."""
    row_df: Ints
    """Shape [R]: degrees of freedom that go with each arm, its cells − 1; `df` − these remain for the others."""
    correlation: float | None
    """Pairing correlation ρ of two arms at one seed, var(seed) / (var(seed) + var(e)); None where undefined."""

    @property
    def pooled(self) -> bool:
        """Whether the pool may be used: it has a degree of freedom and the arms pass for equally noisy."""
        return self.df >= 1 and (self.bartlett_p is None or self.bartlett_p >= _GATE)


class _Seeds(NamedTuple):
    """The normal equations of the seed effects, solved after the arms were eliminated by centring."""

    effects: Floats
    inverse: Floats
    """Pseudo-inverse of the S×S matrix."""
    rank: int
    trace: float
    explained: float
    """Sum of squares explained by the seeds beyond the arms."""


def fit_block(y: Floats) -> BlockFit:
    """Fit the block model to an unbalanced table by least squares; O(R·S + S³).

    Args:
        y: shape [R, S], one row per arm (the baseline is one of them), one column per seed; NaN where missing.
    """
    present = np.isfinite(y)
    counts = present.sum(axis=1)
    means = np.where(present, y, 0.0).sum(axis=1) / np.maximum(counts, 1)
    centred = np.where(present, y - means[:, None], 0.0)
    seeds = _seed_effects(centred, present, counts)
    seed_means = present @ seeds.effects / np.maximum(counts, 1)
    residuals = np.where(present, centred - seeds.effects + seed_means[:, None], np.nan)
    df = int(counts.sum()) - int((counts > 0).sum()) - seeds.rank
    squares = np.where(present, residuals, 0.0) ** 2
    smallest = float(rounding(y)) ** 2
    variance = _cleaned(float(squares.sum()) / max(df, 1), smallest) if df >= 1 else 0.0
    row_df = np.maximum(counts - 1, 0)
    variances = _row_variances(squares.sum(axis=1), _row_df(present, counts, seeds.inverse))
    gate = _bartlett(variances, counts, smallest)
    ratios = _ratios(variances, row_df, squares.sum(), df, smallest)
    return BlockFit(variance, df, residuals, gate, ratios, row_df, _correlation(seeds, variance, df))


def _seed_effects(centred: Floats, present: Bools, counts: Ints) -> _Seeds:
    weights = present.astype(np.float64)
    shares = weights / np.maximum(counts, 1)[:, None]
    matrix = np.diag(weights.sum(axis=0)) - weights.T @ shares
    right = centred.sum(axis=0)
    values, vectors = np.linalg.eigh(matrix)
    kept = values > _EIGENVALUE_TOLERANCE * max(float(values.max(initial=0.0)), 1.0)
    basis = vectors[:, kept]
    inverse = (basis / values[kept]) @ basis.T
    effects = inverse @ right
    return _Seeds(effects, inverse, int(kept.sum()), float(values[kept].sum()), float(right @ effects))


def _row_df(present: Bools, counts: Ints, inverse: Floats) -> Floats:
    """Residual degrees of freedom of every arm (cells minus their leverages), shape [R]; they sum to the pool's."""
    weights = present.astype(np.float64)
    crossed = ((weights @ inverse) * weights).sum(axis=1) / np.maximum(counts, 1)
    return np.where(counts > 0, counts - 1, 0) - (weights @ np.diag(inverse) - crossed)


def _row_variances(squares: Floats, row_df: Floats) -> Floats:
    """Residual variance of every arm, made unbiased by its leverages; NaN where an arm leaves no residual. Shape [R]."""
    return np.where(row_df > _SMALLEST_ROW_DF, squares / np.maximum(row_df, _SMALLEST_ROW_DF), np.nan)


def _bartlett(variances: Floats, counts: Ints, smallest: float) -> float | None:
    """Bartlett's test (1937) over the arms' residual variances."""
    compared = (counts >= 2) & np.isfinite(variances)
    if compared.sum() < 2:
        return None
    df, variances = counts[compared] - 1.0, variances[compared]
    pool = float((df * variances).sum() / df.sum())
    if pool <= smallest:
        return 1.0
    if variances.min() <= smallest:
        return 0.0
    groups = int(compared.sum())
    correction = 1 + ((1 / df).sum() - 1 / df.sum()) / (3 * (groups - 1))
    statistic = -float((df * np.log(variances / pool)).sum()) / correction
    return float(special.chdtrc(groups - 1, max(statistic, 0.0)))


def _ratios(variances: Floats, row_df: Ints, squares: float, df: int, smallest: float) -> Floats:
    """Each arm's variance over that of the fit without its row; with no cell missing the two are independent."""
    others = df - row_df
    rest = (squares - np.nan_to_num(variances) * row_df) / np.maximum(others, 1)
    ratios = np.divide(variances, rest, out=np.full_like(rest, np.inf), where=rest > smallest)
    return np.where((others >= 1) & (variances > smallest), ratios, 0.0)


def _correlation(seeds: _Seeds, variance: float, df: int) -> float | None:
    """Intraclass correlation from the mean squares; it may come out negative, as a sample correlation may."""
    if df < 1 or seeds.rank < 1:
        return None
    seed_variance = (seeds.explained - seeds.rank * variance) / seeds.trace
    total = seed_variance + variance
    return max(-1.0, seed_variance / total) if total > 0 else None


def _cleaned(variance: float, smallest: float) -> float:
    return 0.0 if variance <= smallest else variance
