"""Scoring sealed predictions against what was observed, in units of the smallest effect δ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..results import Direction


class Scored(NamedTuple):
    """One prediction and its outcome; sizes in units of δ, positive = removal costs."""

    direction: Direction
    predicted: float
    observed: float | None
    """None where nothing was measured: left out of the score."""


@dataclass(frozen=True)
class Score:
    """How one planner's predictions fared; errors in units of δ, None where nothing could be scored."""

    n: int
    direction_hits: int
    mean_absolute_error: float | None
    median_absolute_error_of_median: float | None
    """Mean absolute error of the rival that predicts, for every ablation, the median of all observed losses."""


def observed_direction(loss: float) -> Direction:
    """Direction of a loss in units of δ: none within ±1."""
    if loss > 1:
        return "worse"
    return "better" if loss < -1 else "none"


def score_predictions(predictions: Sequence[Scored]) -> Score:
    """Score predictions that were sealed before their runs."""
    measured = [(p.direction, p.predicted, p.observed) for p in predictions if p.observed is not None]
    if not measured:
        return Score(0, 0, None, None)
    hits = sum(direction == observed_direction(observed) for direction, _, observed in measured)
    predicted = np.array([size for _, size, _ in measured])
    observed = np.array([loss for _, _, loss in measured])
    rival = float(np.abs(observed - np.median(observed)).mean())
    return Score(len(measured), hits, float(np.abs(observed - predicted).mean()), rival)
