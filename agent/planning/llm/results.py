"""Results as the language model sees them: losses in units of the smallest effect δ, and verdicts."""

from typing import NamedTuple

from ...results import BaselineMetric, Effect, Interaction, Interval, Mode
from ..planner import Learnt


class Seen(NamedTuple):
    """One removal and what came of it."""

    name: str
    mode: Mode
    verdict: str
    loss: float | None
    """In δ, positive: the removal costs."""
    interval: Interval | None
    n: int
    reason: str | None
    expected: str | None = None
    beyond: float | None = None
    """Of a joint removal: the loss beyond the sum of its parts."""


def single_result(effect: Effect, learnt: Learnt) -> Seen:
    """A single removal; its delta as a loss."""
    unit = _delta(learnt, effect.mode)
    sign = 1.0 if _minimized(learnt, effect.mode) else -1.0
    loss = None if effect.delta is None or unit is None else sign * effect.delta / unit
    ends = sorted(sign * end / unit for end in effect.interval) if effect.interval and unit else None
    expected = effect.prediction and f"{effect.prediction.direction} {effect.prediction.size:+.1f} δ"
    interval = (ends[0], ends[1]) if ends else None
    return Seen(effect.ablation, effect.mode, effect.verdict, loss, interval, effect.n, effect.reason, expected)


def joint_result(one: Interaction, learnt: Learnt) -> Seen:
    """A joint removal, its loss and what of it no part explains alone."""
    unit = _delta(learnt, one.mode)
    loss, beyond = (None if value is None or unit is None else value / unit for value in (one.observed, one.contrast))
    ends = one.observed_interval
    interval = (ends[0] / unit, ends[1] / unit) if ends and unit else None
    return Seen(one.ablation, one.mode, one.verdict, loss, interval, one.n, one.reason, beyond=beyond)


def _noise(learnt: Learnt, mode: Mode) -> BaselineMetric | None:
    return learnt.noise.get(mode)


def _delta(learnt: Learnt, mode: Mode) -> float | None:
    noise = _noise(learnt, mode)
    return noise.smallest_effect if noise and noise.smallest_effect > 0 else None


def _minimized(learnt: Learnt, mode: Mode) -> bool:
    noise = _noise(learnt, mode)
    return noise is not None and noise.goal == "minimize"
