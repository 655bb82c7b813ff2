"""Losses on several data sets, held against each other, as records."""

from typing import Literal

from .base import EffectVerdict, Interval, Mode, Record, Unit

DatasetVerdict = Literal["differs", "alike", "detected", "undecided", "untestable"]


class DatasetContrast(Record):
    """One ablation's loss on one data set against its loss on another, on one scale: component × data set."""

    ablation: str
    components: list[str]
    labels: list[str]
    mode: Mode
    metric: str
    """What both measure, without the data set: `accuracy`."""
    first: str
    """The full name on the one data set, `own/accuracy`."""
    second: str
    first_loss: float | None
    """Larger is worse."""
    second_loss: float | None
    first_verdict: EffectVerdict
    """Of the effect on this metric alone."""
    second_verdict: EffectVerdict
    difference: float | None
    """first_loss − second_loss: positive where the removal costs more on the first."""
    interval: Interval | None
    level: float | None
    p: float | None
    p_adjusted: float | None
    p_equivalence: float | None
    smallest_effect: float
    """The larger of both metrics' δ."""
    first_n: int
    second_n: int
    unit: Unit
    """What both n count."""
    verdict: DatasetVerdict
    """differs: beyond δ; alike: within ±δ, by a test of equivalence; detected: a difference of uncertain size."""
    reason: str | None = None
    """Why it is untestable, or what may hide a part of a loss."""
    agreement: dict[str, int] | None = None
    """Verdict → trained checkpoints at which a re-evaluation came to it."""
