"""The system that is searched: measured one removal mask at a time, remembered, and read as damage on one scale."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from ..analysis.arrays import Bools, Floats

Members = frozenset[int]
"""A set of components, by their index in the pool's numbering."""

_LEAST_SIGNAL = 0.02


class System(Protocol):
    """What can be measured with any set of n components removed."""

    @property
    def repeatable(self) -> bool:
        """Whether asking for one mask again brings a fresh, independent measurement."""
        ...

    def __call__(self, masks: Bools) -> Floats:
        """Metric of every run, larger is better, shape [runs], of removal masks, shape [runs, n]; NaN: none came of it."""
        ...


class OutOfRuns(Exception):
    """The search's own budget is spent: it ends with what it has found."""


class Scale(NamedTuple):
    """From the metric to damage, which adds up over what is removed: 0 for the whole system.

    With a floor, damage is −log of the share of the signal that is left; without one, the loss itself.
    """

    intact: float
    """Metric with nothing removed, larger is better."""
    floor: float | None
    """Metric at chance, turned likewise."""
    delta: float
    """The smallest effect of interest, on the metric's scale."""

    def damages(self, y: Floats) -> Floats:
        """Damage at metrics of any shape."""
        if self.floor is None:
            return self.intact - y
        share = (y - self.floor) / (self.intact - self.floor)
        return -np.log(np.clip(share, _LEAST_SIGNAL, None))

    @property
    def step(self) -> float:
        """Damage of something that costs δ alone."""
        return float(self.damages(np.array(self.intact - self.delta)))

    def value(self, damage: float) -> float:
        """The metric at so much damage."""
        if self.floor is None:
            return self.intact - damage
        return self.floor + (self.intact - self.floor) * math.exp(-damage)

    def slope(self, damage: float) -> float:
        """Metric lost per unit of damage, where so much is done already."""
        return 1.0 if self.floor is None else (self.intact - self.floor) * math.exp(-damage)


@dataclass
class Runs:
    """Everything measured so far. Raises `OutOfRuns` once a request does not fit under the limit."""

    system: System
    n: int
    limit: int | None = None
    spent: int = 0
    values: dict[Members, list[float]] = field(default_factory=lambda: dict[Members, list[float]]())
    """Set → its measurements, in order; NaN where none came of a run."""

    def measure(self, sets: Sequence[Members]) -> None:
        """Measure each set once more; of those that do not fit under the limit the first."""
        fitting = sets if self.limit is None else sets[: self.limit - self.spent]
        if fitting:
            found = self.system(self.masks(fitting))
            self.spent += len(fitting)
            for members, value in zip(fitting, found.tolist(), strict=True):
                self.values.setdefault(members, []).append(value)
        if len(fitting) < len(sets):
            raise OutOfRuns(f"its {self.limit} runs are spent")

    def masks(self, sets: Sequence[Members]) -> Bools:
        """Removal masks, shape [sets, n]."""
        masks = np.zeros((len(sets), self.n), dtype=np.bool_)
        for row, members in enumerate(sets):
            masks[row, list(members)] = True
        return masks

    def mean(self, members: Members) -> tuple[float, int]:
        """Mean of a set's measurements, NaN without any, and their number."""
        found = [value for value in self.values.get(members, []) if np.isfinite(value)]
        return (float(np.mean(found)), len(found)) if found else (float("nan"), 0)

    def within(self) -> tuple[float, int]:
        """Sum of squares of repeated measurements about their sets' means, and its degrees of freedom."""
        groups = (np.array([one for one in found if np.isfinite(one)]) for found in self.values.values())
        repeated = [group for group in groups if group.size > 1]
        squares = sum(float(((group - group.mean()) ** 2).sum()) for group in repeated)
        return squares, sum(group.size - 1 for group in repeated)


def indices(members: Iterable[int]) -> Members:
    """A set of plain integers."""
    return frozenset(int(one) for one in members)
