"""A simulated system whose hidden groups are known: what searches are measured on. Simulated, never a trained model.

A tenth of the components are critical; pairs and one triple matter only when all of their members are gone, each alone
having exactly no effect; the rest have tiny effects; removing much collapses the metric to chance.
"""

from collections.abc import Sequence

import numpy as np

PAIRS = {40: 3, 100: 5, 300: 8}
"""Components → hidden pairs among them."""
CHANCE, RANGE = 0.1, 0.8
WEAKEST = RANGE * (1 - np.exp(-0.1))
"""What the weakest pair that can be drawn costs."""


class PlantedSystem:
    """The metric, larger is better, of removal masks; `calls` counts runs."""

    repeatable = True

    def __init__(self, n: int, sigma: float, seed: int) -> None:
        truth = np.random.default_rng([n, seed])
        self._noise = np.random.default_rng([n, seed, 1])
        self.n, self.sigma, self.calls = n, sigma, 0
        order, critical = truth.permutation(n).tolist(), n // 10
        self.critical = frozenset(order[:critical])
        self._single = 0.002 * truth.exponential(size=n)
        self._single[order[:critical]] = truth.uniform(0.1, 1.0, critical)
        rest, count = order[critical:], PAIRS[n]
        self.pairs = [frozenset(rest[2 * at : 2 * at + 2]) for at in range(count)]
        self.triple = frozenset(rest[2 * count : 2 * count + 3])
        self._groups = dict(zip(self.pairs, truth.uniform(0.1, 0.4, count), strict=True)) | {self.triple: 0.3}
        self._single[rest[: 2 * count + 3]] = 0.0

    def mean(self, masks: np.ndarray) -> np.ndarray:
        """Without noise, shape [runs], of removal masks, shape [runs, n]."""
        damage = masks @ self._single + (masks.sum(axis=1) / (0.3 * self.n)) ** 4
        for group, strength in self._groups.items():
            damage = damage + strength * masks[:, sorted(group)].all(axis=1)
        return CHANCE + RANGE * np.exp(-damage)

    def __call__(self, masks: np.ndarray) -> np.ndarray:
        """One run of every mask."""
        self.calls += len(masks)
        return self.mean(masks) + self.sigma * self._noise.standard_normal(len(masks))

    def run(self, sets: Sequence[frozenset[int]], times: int) -> np.ndarray:
        """Fresh runs of sets, shape [sets, times]."""
        masks = np.zeros((len(sets), self.n), dtype=np.bool_)
        for row, members in enumerate(sets):
            masks[row, list(members)] = True
        return np.stack([self(masks) for _ in range(times)], axis=1)
