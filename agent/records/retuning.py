"""An equal tuning of the baseline and each arm, as records."""

from typing import Any

from .base import EffectVerdict, Interval, Record


class TriedSetting(Record):
    """One setting of the grid, as an arm did at the tuning seeds."""

    setting: dict[str, Any]
    """Dotted key of the configuration → value."""
    mean: float | None
    """Of the primary metric, on the split that planning sees; None where a seed gave no value."""
    failed: dict[str, int] = {}
    """Status → tuning seeds that did not finish."""
    chosen: bool = False


class Retuned(Record):
    """An ablation's effect on the primary metric with the baseline and the arm tuned alike, at seeds that chose nothing."""

    setting: dict[str, Any]
    """What the arm's tuning seeds chose."""
    baseline_setting: dict[str, Any]
    """What the baseline's chose."""
    kept: list[str] = []
    """Retuned keys that the removal itself sets: the arm keeps its own value there."""
    baseline: float | None
    ablated: float | None
    delta: float | None
    interval: Interval | None
    level: float | None
    p: float | None
    p_adjusted: float | None
    """Holm's, over the retuned arms."""
    p_equivalence: float | None
    n: int
    failed: int = 0
    """Seeds of the arm, tuning left out, that did not finish."""
    verdict: EffectVerdict
    nonzero: bool = False
    reason: str | None = None
    runs: int
    """Runs that chose the arm's setting, those that were measured anyway among them."""
    grid: list[TriedSetting]


class Retuning(Record):
    """The tuning that the baseline and each arm were given alike."""

    own: dict[str, Any]
    """Dotted key → the value that the study began with."""
    values: dict[str, list[Any]]
    """Dotted key → all that was tried, the own value among it."""
    seeds: int
    """Seeds 0 to this − 1 chose the settings."""
    measured: int
    """So many further seeds measured what was chosen."""
    split: str
    """Where the choice was made."""
    arms: list[str]
    """Ablations that were retuned: the family."""
    grid: list[TriedSetting]
    """The baseline's."""
    runs: int
    """Runs that chose the baseline's setting."""
