"""The words and the base that all records of results share."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Mode = Literal["reevaluate", "retrain", "recover"]
Role = Literal["confirmatory", "sensitivity", "control", "exploratory"]
Direction = Literal["worse", "better", "none"]
EffectVerdict = Literal["structural", "no-op", "untestable", "matters", "hurts", "negligible", "detected", "undecided"]
OPEN: tuple[EffectVerdict, ...] = ("undecided", "detected")
"""Verdicts that more units may settle."""
InteractionVerdict = Literal[
    "compensation", "redundancy", "synergy", "additive", "saturation-limited", "irreducible", "untestable", "undecided"
]
Interval = tuple[float, float]
Unit = Literal["seed", "example", "cluster", "checkpoint"]


def coarsest(uncertainty: float, smallest_effect: float) -> float:
    """An uncertainty that supports no figure beyond the second below δ, however small it is; 0 stays 0: nothing is known."""
    return max(uncertainty, smallest_effect / 10) if uncertainty else uncertainty


class Record(BaseModel):
    """A frozen record of the results."""

    model_config = ConfigDict(frozen=True, extra="forbid")
