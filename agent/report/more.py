"""What more units would settle, and what they would cost, for the section on what to do next."""

from dataclasses import dataclass

from ..records.base import OPEN
from ..results import Effect, Mode, Results
from . import selection
from .numbers import duration


@dataclass(frozen=True)
class Wanted:
    """One open verdict, and the units at which it would be settled with 80% power were its present estimate true."""

    effect: Effect
    units: int
    further: int
    """Units that it has not had yet: runs, or examples."""
    seconds: float | None
    """What its further runs would take; None over examples, and where no run was timed."""


@dataclass(frozen=True)
class More:
    """The open verdicts of one mode's sealed family on the primary metric, the cheapest first."""

    within: list[Wanted]
    """Within what the study allows."""
    beyond: list[Wanted]
    unknown: list[Effect]
    """No number that was searched would do, or none is known."""
    trials: int | None
    """Runs for all of `within`, the baseline's included; None over examples."""
    seconds: float | None
    each: float | None
    """What one run takes."""
    sampled: bool
    """Whether units are examples, of which nobody can run more."""

    @property
    def units(self) -> int:
        """At which all that is known would be settled."""
        return max((one.units for one in (*self.within, *self.beyond)), default=0)


def more_units(results: Results, mode: Mode) -> More | None:
    """What is open once it was measured; None where nothing is."""
    family = selection.confirmatory(results, mode)
    open_ = [one for one in family if one.verdict in OPEN and one.n]
    floor = selection.noise_floor(results, mode, results.study.primary)
    if not open_ or floor is None:
        return None
    sampled = open_[0].unit in selection.SAMPLED
    wanted = [_wanted(results, one, sampled=sampled) for one in open_]
    known = sorted((one for one in wanted if one is not None), key=lambda one: (one.units, one.effect.ablation))
    within = [one for one in known if one.units <= floor.max_seeds]
    trials = None if sampled or not within else _trials(within, floor.n)
    return More(
        within=within,
        beyond=[one for one in known if one.units > floor.max_seeds],
        unknown=[one for one, at in zip(open_, wanted, strict=True) if at is None],
        trials=trials,
        seconds=None if trials is None else _seconds(results, mode, trials),
        each=run_seconds(results, mode),
        sampled=sampled,
    )


def _wanted(results: Results, effect: Effect, *, sampled: bool) -> Wanted | None:
    if effect.seeds_to_settle is None:
        return None
    further = max(0, effect.seeds_to_settle - effect.n)
    return Wanted(effect, effect.seeds_to_settle, further, None if sampled else _seconds(results, effect.mode, further))


def _trials(within: list[Wanted], baseline: int) -> int:
    return sum(one.further for one in within) + max(0, max(one.units for one in within) - baseline)


def run_seconds(results: Results, mode: Mode) -> float | None:
    """Wall time of one trial from its start to its end, mean; of older results, what it took inside."""
    return results.accounting.run_seconds.get(mode) or results.compute.get("seconds_per_trial")


def _seconds(results: Results, mode: Mode, trials: int) -> float | None:
    """At the mean of a trial so far, as many at a time as this study ran."""
    each, workers = run_seconds(results, mode), results.compute.get("workers") or 1
    return trials * float(each) / int(workers) if each else None


def lasting(seconds: float | None) -> str:
    """A duration in words; empty where it is not known."""
    return "" if seconds is None else duration(seconds)
