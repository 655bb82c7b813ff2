"""What can be settled, as it was foretold, and what was, as records."""

from typing import Literal

from .base import Record, Unit


class LookAhead(Record):
    """What one planned look will be able to settle, as foretold from the baseline's noise."""

    n: int
    """Units of every arm."""
    minimum_detectable_effect: float | None
    """80% power at this look; metric's own scale."""
    negligible: float
    """Expected share of true nulls shown negligible by then."""
    matters: float
    """Chance that a true loss of `Power.effect` is shown to matter by then."""


class Scenario(Record):
    """What the examples can settle if baseline and arm answer them so differently."""

    changed: float | None = None
    """Share of answers (0 and 1) that differ."""
    sd: float | None = None
    """Standard deviation of one example's difference, in σ; √2 for answers that are independent."""
    negligible: float
    matters: float
    units_needed: int | None
    """Examples at which 80% of true nulls would be shown negligible."""


class Remedies(Record):
    """What alone would let 80% of true nulls be shown negligible; None where nothing of its kind would."""

    max_seeds: int | None = None
    single_look: bool = False
    """Whether `max_seeds` lies beyond the planned looks: then `seeds` must be as many, for one look."""
    smallest_effect: float | None = None
    targets: int | None = None
    """The largest family."""
    sd: float | None = None
    """The noise that a finer metric must not exceed."""
    units: int | None = None
    """Evaluation examples, in the mildest scenario."""


class Power(Record):
    """What could and could not be settled in one mode on the primary metric, as it was foretold before any ablation ran."""

    metric: str
    unit: Unit
    sd: float
    """σ of one unit."""
    smallest_effect: float
    """δ."""
    effect: float
    """The true loss, in the metric's unit, that `matters` is foretold for: 2δ."""
    family: int
    looks: list[LookAhead] = []
    """Over seeds or trained models."""
    scenarios: list[Scenario] = []
    """Over examples, where nothing is known before the arms are evaluated."""
    most_changed: float | None = None
    """Share of answers (0 and 1) that may change for true nulls still to be shown negligible (80%)."""
    largest_sd: float | None = None
    """Likewise the standard deviation of one example's difference, in σ."""
    first_look_trials: int
    """Trials of the first look that were still to run."""
    most_trials: int
    """Trials if every arm had to go to the last look; follow-ups come on top."""
    seconds_per_trial: float | None
    """From the baseline's runs."""
    workers: int = 1
    allowed_trials: int | None = None
    """Trials that the budget of that run still allowed; None: any number."""
    problems: list[Literal["noise", "budget"]] = []
    """noise: under half of the true nulls will be shown negligible; budget: the first look cannot be finished."""
    remedies: Remedies | None = None


class Settling(Record):
    """What was settled in one mode on the primary metric, and what settling the rest would take."""

    settled: int
    undecided: int
    """Verdicts `undecided` and `detected` of the sealed family."""
    unknown: int
    """Of these, such as no number of units that was searched would settle."""
    units: int | None
    """The most that any of the others needs."""
    trials: int | None
    """Further trials for all of the others, the baseline's included; None over examples, where it takes more examples."""
    seconds: float | None
    """What these would take at the pace of the trials so far."""
