"""What was predicted against what came out, ablation by ablation, in units of the smallest effect δ."""

from dataclasses import dataclass

from ..results import Direction, Effect, Mode, Prediction, Results
from .selection import UNMEASURED, loss, noise_floor


@dataclass(frozen=True)
class Comparison:
    """One sealed prediction beside its outcome; `observed` and `direction` are None where no loss was measured."""

    effect: Effect
    prediction: Prediction
    observed: float | None
    direction: Direction | None

    @property
    def hit(self) -> bool | None:
        """Whether the direction was right; None where there is no outcome."""
        return None if self.direction is None else self.direction == self.prediction.direction


def comparisons(results: Results, mode: Mode) -> list[Comparison]:
    """Every prediction about the primary metric, in the order of the results; a control is no prediction to be scored."""
    return [
        _compared(results, effect, effect.prediction)
        for effect in results.effects
        if (effect.mode, effect.metric) == (mode, results.study.primary)
        and effect.role != "control"
        and effect.prediction is not None
    ]


def _compared(results: Results, effect: Effect, prediction: Prediction) -> Comparison:
    floor = noise_floor(results, effect.mode, effect.metric)
    cost = loss(results, effect)
    if effect.verdict in UNMEASURED or cost is None or floor is None or floor.smallest_effect <= 0:
        return Comparison(effect, prediction, None, None)
    observed = cost / floor.smallest_effect
    return Comparison(effect, prediction, observed, "worse" if observed > 1 else "better" if observed < -1 else "none")
