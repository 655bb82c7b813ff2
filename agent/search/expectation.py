"""What removing a set without any hidden group costs, by its size, and how far a group that costs δ stands out of that."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..analysis.arrays import Floats
from .system import Members, Runs, Scale

_POWERS = (1, 2, 4)
_QUANTILE = 0.35
"""Below the median: hidden groups only add damage, to up to 40% of the sets."""
_FEWEST = 5


class Noise(NamedTuple):
    """Of one run, on the metric's scale."""

    sd: float
    df: int
    """Degrees of freedom that it was estimated with; 0: unknown so far."""

    def pooled(self, squares: float, df: int) -> "Noise":
        """With further residuals."""
        total = self.df + df
        return Noise(float(np.sqrt((self.sd**2 * self.df + squares) / total)), total) if total else self


@dataclass(frozen=True)
class Expectation:
    """The damage of m components without a hidden group, and the noise about it."""

    scale: Scale
    n: int
    coefficients: Floats
    """Of m/n, its square and its fourth power, each at least 0: what singles cost, and how removing much collapses."""
    sd: float
    """Of one run, on the metric's scale: repeating averages it out."""
    spread: float
    """Of the damage, from one set of a size to another: repeating does not."""

    def damage(self, size: float) -> float:
        """Expected of a clean set."""
        return float((_basis(np.array([size]), self.n) @ self.coefficients).item())

    def separation(self, size: float, runs: float = 1.0) -> float:
        """From a clean set to one with a group that costs δ, in standard deviations of the mean of `runs`."""
        clean = self.damage(size)
        return self._lost(clean) / self._sd(clean, runs)

    def evidence(self, value: float, size: int, runs: int) -> float:
        """Log likelihood ratio of a group that costs δ against none, given the mean metric of `runs`."""
        clean = self.damage(size)
        lost = self._lost(clean)
        middle = self.scale.value(clean) - lost / 2
        return (middle - value) * lost / self._sd(clean, runs) ** 2

    def _lost(self, clean: float) -> float:
        return self.scale.value(clean) - self.scale.value(clean + self.scale.step)

    def _sd(self, clean: float, runs: float) -> float:
        return float(np.hypot(self.spread * self.scale.slope(clean), self.sd / np.sqrt(runs))) or 1e-12


def expect(runs: Runs, scale: Scale, known: Collection[Members], prior: Noise) -> Expectation:
    """Fit the expectation to every measured set that holds no known group.

    Quantile regression (Koenker & Bassett, Econometrica 46:33, 1978) as a linear programme finds where clean sets lie,
    least squares over what lies less than half a δ above it fits them; coefficients are at least 0 in both. The spread is
    the median absolute deviation of these, less what the runs' own noise explains.
    """
    from scipy.optimize import nnls

    means = {one: runs.mean(one) for one in runs.values if one and not any(group <= one for group in known)}
    found = [(len(one), mean, count) for one, (mean, count) in means.items() if count]
    sd = prior.pooled(*runs.within()).sd
    if not found:
        return Expectation(scale, runs.n, np.zeros(len(_POWERS)), sd, 0.0)
    sizes, y, counts = np.array(found, dtype=np.float64).T
    z, basis = scale.damages(y), _basis(sizes, runs.n)
    weights = np.array([scale.slope(one) for one in z.tolist()]) * np.sqrt(counts)
    coefficients = _quantile_fit(basis, z, weights)
    clean = z - basis @ coefficients < scale.step / 2
    if clean.sum() >= _FEWEST:
        coefficients, _ = nnls(basis[clean] * weights[clean, None], z[clean] * weights[clean])
    residuals = (z - basis @ coefficients)[clean]
    return Expectation(scale, runs.n, coefficients, sd, _spread(residuals, sd / np.maximum(weights[clean], 1e-12)))


def _quantile_fit(basis: Floats, z: Floats, weights: Floats) -> Floats:
    from scipy.optimize import linprog  # a quarter of a second, and only a search needs it

    rows, terms = basis.shape
    cost = np.concatenate([np.zeros(terms), _QUANTILE * weights, (1 - _QUANTILE) * weights])
    solved = linprog(cost, A_eq=np.hstack([basis, np.eye(rows), -np.eye(rows)]), b_eq=z, bounds=(0, None))
    return np.asarray(solved.x[:terms], dtype=np.float64)


def _basis(sizes: Floats, n: int) -> Floats:
    return np.stack([(sizes / n) ** power for power in _POWERS], axis=-1)


def _spread(residuals: Floats, noise: Floats) -> float:
    """Spread beyond what the noise of the runs explains; 0 with too few sets to tell."""
    if len(residuals) < _FEWEST:
        return 0.0
    deviation = robust_sd(residuals)
    return float(np.sqrt(max(deviation**2 - float(np.median(noise**2)), 0.0)))


def robust_sd(values: Floats) -> float:
    """Standard deviation of the bulk, by the median absolute deviation."""
    from scipy import stats  # half a second, and rarely needed

    return float(stats.median_abs_deviation(values, scale="normal"))  # type: ignore[arg-type]  # missing in its stubs
