"""What removals do to single classes, as records."""

from typing import Literal

from .base import Interval, Mode, Record, Unit

ClassVerdict = Literal["loses", "gains", "undecided", "untestable"]


class ClassScores(Record):
    """One class in one arm: over seeds the means."""

    recall: float | None
    precision: float | None
    """None: nothing was predicted to be of this class."""
    f1: float | None


class ClassEffect(Record):
    """One ablation and one class; Δ = ablated − baseline. A screen: exploratory, whatever the ablation's role."""

    ablation: str
    components: list[str]
    labels: list[str]
    mode: Mode
    dataset: str | None
    """None where predictions are not named by a data set."""
    target: int
    """The class."""
    support: int
    """Examples of it in one evaluation."""
    baseline: ClassScores
    ablated: ClassScores
    recall_delta: float | None
    recall_interval: Interval | None
    precision_delta: float | None
    precision_interval: Interval | None
    f1_delta: float | None
    f1_interval: Interval | None
    level: float | None
    """Of each interval: 1 − α · (what the screen has picked) / (all its tests)."""
    p: float | None
    """Of a difference in recall."""
    p_adjusted: float | None
    """By Benjamini and Hochberg over ablations × classes of the mode."""
    n: int
    unit: Unit
    """What n counts: examples of this class, clusters of them, or seeds."""
    verdict: ClassVerdict


class MovedCell(Record):
    """Examples of class `target` that were taken for `prediction`."""

    target: int
    prediction: int
    baseline: int
    ablated: int


class ConfusionShift(Record):
    """Where the confusion matrix of an ablation departs most from the baseline's, off its diagonal."""

    ablation: str
    components: list[str]
    labels: list[str]
    mode: Mode
    dataset: str | None
    trials: int
    """Evaluations that the counts are summed over: one, or the shared seeds."""
    cells: list[MovedCell]
    """The most changed, the largest change first."""
    left: int = 0
    """Changed cells that are not listed."""
