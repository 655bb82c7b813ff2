"""Kinds of removal held against each other, as records."""

from typing import Literal

from .base import EffectVerdict, Interval, Mode, Record, Unit


class KindContrast(Record):
    """Two kinds of removing one component, held against each other: L(kind) − L(other)."""

    components: list[str]
    labels: list[str]
    mode: Mode
    metric: str
    ablation: str
    other: str
    kind: str
    other_kind: str
    verdict: EffectVerdict
    other_verdict: EffectVerdict
    contrast: float | None
    """A loss: positive where the first kind costs more."""
    interval: Interval | None
    p_adjusted: float | None
    p_equivalence: float | None
    n: int
    unit: Unit = "seed"
    outcome: Literal["conflict", "agree", "not-told-apart"]
    """conflict: the verdicts contradict each other, or the two losses were shown to differ by more than δ."""
    why: Literal["verdicts", "sizes"] | None = None
    """What a conflict is of."""
