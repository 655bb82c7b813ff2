"""Scoring sealed predictions against what was observed, in units of the smallest effect δ."""

from collections import Counter
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
    confidence: float | None = None
    """Probability given to the direction; None where none was given."""


@dataclass(frozen=True)
class Calibration:
    """Confidence against hits, over the predictions that gave one.

    The Brier score is its two-category form, the mean of (confidence − hit)², where hit is 1 for the right direction
    (Brier, "Verification of forecasts expressed in terms of probability", 1950). The rival says the direction that came
    out most often, with the frequency f at which it did: f·(1 − f).
    """

    n: int = 0
    hits: int = 0
    mean_confidence: float | None = None
    brier: float | None = None
    brier_of_most_frequent: float | None = None


@dataclass(frozen=True)
class Score:
    """How one planner's predictions fared; errors in units of δ, None where nothing could be scored."""

    n: int
    direction_hits: int
    mean_absolute_error: float | None
    median_absolute_error_of_median: float | None
    """Mean absolute error of the rival that predicts, for every ablation, the median of all observed losses."""
    direction_hits_of_most_frequent: int | None = None
    """Hits of the rival that always says the direction that came out most often."""
    calibration: Calibration = Calibration()


def observed_direction(loss: float) -> Direction:
    """Direction of a loss in units of δ: none within ±1."""
    if loss > 1:
        return "worse"
    return "better" if loss < -1 else "none"


def score_predictions(predictions: Sequence[Scored]) -> Score:
    """Score predictions that were sealed before their runs."""
    measured = [(p, p.observed) for p in predictions if p.observed is not None]
    if not measured:
        return Score(0, 0, None, None)
    came_out: list[Direction] = [observed_direction(loss) for _, loss in measured]
    hits = [p.direction == direction for (p, _), direction in zip(measured, came_out, strict=True)]
    predicted = np.array([p.predicted for p, _ in measured])
    observed = np.array([loss for _, loss in measured])
    return Score(
        len(measured),
        sum(hits),
        float(np.abs(observed - predicted).mean()),
        float(np.abs(observed - np.median(observed)).mean()),
        _most_frequent(came_out),
        _calibration([p.confidence for p, _ in measured], hits, came_out),
    )


def _most_frequent(came_out: Sequence[Direction]) -> int:
    return max(Counter(came_out).values())


def _calibration(given: Sequence[float | None], hits: Sequence[bool], came_out: Sequence[Direction]) -> Calibration:
    told = [at for at, confidence in enumerate(given) if confidence is not None]
    if not told:
        return Calibration()
    confidence = np.array([given[at] for at in told], dtype=np.float64)
    right = np.array([hits[at] for at in told], dtype=np.float64)
    frequency = _most_frequent([came_out[at] for at in told]) / len(told)
    return Calibration(
        n=len(told),
        hits=int(right.sum()),
        mean_confidence=float(confidence.mean()),
        brier=float(((confidence - right) ** 2).mean()),
        brier_of_most_frequent=frequency * (1 - frequency),
    )
