"""What runs next: what settles most per second, among arms of one study and among the studies of a night.

A greedy order by value density, as for a knapsack (Dantzig, 1957): what still fits before the deadline first, by its chance
to settle per second. The order looks at what has been seen, and yet changes no error rate: α is spent by the looks that are
planned for each arm, whether or not, and whenever, they are taken (STATISTICS.md, "Looks").
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..outstanding import reachable, settling
from ..records.power import Power, Settling
from ..results import Results


@dataclass(frozen=True)
class Candidate:
    """An arm that is on its way to its next look."""

    id: str
    trials: int
    """Still to run until the look is complete."""
    seconds_each: float
    """Of one trial; 0 where nothing is known."""
    chance: float
    """To settle at that look."""

    @property
    def per_second(self) -> float:
        """Chance to settle per second of a worker's time."""
        seconds = self.trials * self.seconds_each
        if seconds > 0:
            return self.chance / seconds
        return math.inf if self.chance > 0 else 0.0


def order(candidates: Sequence[Candidate], seconds_left: float, workers: int) -> list[Candidate]:
    """All candidates: those that can complete their look in time, after each other, and then the others.

    Each group goes by its chance to settle per second; equals keep their order. A candidate that no longer fits behind the
    better ones makes room for the next that does.

    Args:
        candidates: in the order of the plan.
        seconds_left: until the deadline; infinite without one.
        workers: trials at once, at least 1.
    """
    in_time, late = list[Candidate](), list[Candidate]()
    busy = [0.0] * workers
    for one in sorted(candidates, key=lambda one: -one.per_second):
        after = _busy_after(busy, one)
        if max(after) <= seconds_left:
            in_time.append(one)
            busy = after
        else:
            late.append(one)
    return in_time + late


def _busy_after(busy: Sequence[float], one: Candidate) -> list[float]:
    """Until when each worker is busy once `one` is run as well; each trial goes to the worker that is free first."""
    after = list(busy)
    heapq.heapify(after)
    for _ in range(one.trials):
        heapq.heapreplace(after, after[0] + one.seconds_each)
    return after


@dataclass(frozen=True)
class StudyView:
    """What a night knows of one study when it shares out the machine."""

    over: bool
    """Complete, failed, or stopped for good."""
    settlings: Sequence[Settling] | None = None
    """What settling the rest would take, by mode; None where nothing is measured yet."""
    powers: Sequence[Power] = ()
    """What was foretold, by mode; counts while arms wait for their first look."""
    waiting: int = 0
    """Arms that have not completed their first look."""
    turns: int = 0
    """That it has had tonight."""
    waited: int = 0
    """Turns of other studies since its last one."""


WAITS = 2
"""Turns, for each study that goes on, after which the next one is a study's own, whatever others promise: some never keep it."""


def view_of(results: Results | None, *, over: bool, turns: int = 0, waited: int = 0) -> StudyView:
    """A study by its results so far; without settlings where its noise floor is not measured.

    What would take more seeds than the last planned look has is nothing that the study can still settle.
    """
    if results is None or over or not _has_noise_floor(results):
        return StudyView(over, turns=turns, waited=waited)
    study, primary = results.study, results.study.primary
    most = study.looks[-1][0] if study.looks else 0
    family = [one for one in results.effects if one.metric == primary and one.role == "confirmatory"]
    found = list[Settling]()
    for mode, by_metric in results.baseline.items():
        of_mode = reachable([one for one in family if one.mode == mode], most)
        workers, pace = int(results.compute.get("workers") or 1), results.accounting.run_seconds.get(mode)
        if primary in by_metric and (known := settling(of_mode, by_metric[primary].n, workers, pace)):
            found.append(known)
    first = study.looks[0][0] if study.looks else 0
    waiting = sum(one.n < first and one.verdict == "untestable" for one in family) if family else 1
    waiting = waiting if results.accounting.pending or not family else 0
    return StudyView(over, found, list(results.power.values()), waiting, turns, waited)


def _has_noise_floor(results: Results) -> bool:
    """A forecast is made of it, and no arm runs before it; the one baseline run of a preflight is none."""
    return bool(results.power) or any(one.n > 0 for one in results.effects)


def value(settlings: Sequence[Settling], seconds_left: float) -> float:
    """Verdicts per second that a study can still learn, over its modes.

    0 where nothing is open, where no number of seeds settles it, and where one verdict takes longer than `seconds_left`.
    """
    timed = [one for one in settlings if one.seconds and one.undecided > one.unknown]
    verdicts = sum(one.undecided - one.unknown for one in timed)
    seconds = sum(one.seconds or 0.0 for one in timed)
    return verdicts / seconds if verdicts and seconds / verdicts <= seconds_left else 0.0


def foretold_value(powers: Sequence[Power], seconds_left: float) -> float:
    """Verdicts per second that arms promise of which nothing is known: at the look where the forecast gives most for its seeds.

    An arm is taken to be a true null or a loss of 2δ, as likely the one as the other. Over examples it is evaluated once on
    each trained model, in the mildest scenario.
    """
    found = [0.0]
    for one in powers:
        each = (one.seconds_per_trial or 0.0) / one.workers
        promised = [(look.n, look.negligible, look.matters) for look in one.looks]
        models = max(1.0, one.first_look_trials / max(1, one.family))
        promised += [(models, mildest.negligible, mildest.matters) for mildest in one.scenarios[:1]]
        for trials, negligible, matters in promised:
            if 0 < trials * each <= seconds_left:
                found.append((negligible + matters) / 2 / (trials * each))
    return max(found)


def next_study(views: Sequence[StudyView], seconds_left: float) -> int:
    """Which study the machine is given to: one without a noise floor first, then the one that learns most per second.

    Equals go by the turns that they have had, then in their order. Nobody waits for more than `WAITS` turns a study. Raises
    `ValueError` where all are over.
    """
    going = [index for index, one in enumerate(views) if not one.over]
    if not going:
        raise ValueError("all studies are over")
    longest = max(going, key=lambda index: views[index].waited)
    if views[longest].waited >= WAITS * len(going):
        return longest
    return max(going, key=lambda index: (_worth(views[index], seconds_left), -views[index].turns))


def _worth(view: StudyView, seconds_left: float) -> float:
    if view.settlings is None:
        return math.inf
    first = foretold_value(view.powers, seconds_left) if view.waiting else 0.0
    return max(first, value(view.settlings, seconds_left))
