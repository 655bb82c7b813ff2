"""Learning curves: what a run measured on its way."""

from .base import Mode, Record


class LearningCurve(Record):
    """One metric of one arm over a run, at the rows that its seeds have in common."""

    ablation: str
    """`baseline`, or the ablation's id."""
    mode: Mode
    metric: str
    steps: list[float]
    """As the script numbers its rows; else their places, from 1."""
    numbered: bool
    """Whether the script numbers them."""
    mean: list[float]
    low: list[float]
    """The smallest value among the seeds, and below `high` the largest: a range, not an interval."""
    high: list[float]
    n: int
    """Seeds."""
