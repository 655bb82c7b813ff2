"""What a night has before it, from the ledger: trials to come, what they take by those that ran, and what they can settle."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from ...executor.errors import ExperimentError
from ...executor.outcomes import Outcome
from ..analysis.looks import planned_looks
from ..arms import Arms, arms_of, seconds_of
from ..budget import Budget
from ..collect import gather
from ..dryrun import first_look, first_plan
from ..foresight import foresee, pace, processor_seconds
from ..ledger import FINISHED, Ledger, Trial
from ..planners import rules_planner
from ..planning.plan import BASELINE, Plan, sealed_plans
from ..records.ahead import ModeAhead, StudyAhead
from ..records.power import Power
from ..results import Mode
from ..setting import Setting
from ..stoppable import why_whole
from ..survey import survey_key
from .clock import Deadline
from .ready import Ready


def ahead_of(ready: Ready, deadline: Deadline | None, workers: int | None = None) -> StudyAhead:
    """What one study needs, once its first baseline trial has run.

    Args:
        ready: the study.
        deadline: of the night.
        workers: trials at once; the study's own by default.

    Raises:
        ExperimentError: it was not surveyed yet.
        LesionError: a plan that was written by hand is wrong.
    """
    setting, ledger = ready.setting, ready.ledger
    outcome = surveyed(setting, ledger)
    count = workers or setting.spec.limits.workers
    sealed = bool(ledger.plans(setting.version))
    plan = first_plan(setting, ready.state, rules_planner(setting), None, outcome, ledger)
    look = _Outlook(setting, ledger, plan, outcome.offers, count)
    budget = Budget(deadline=deadline)
    return StudyAhead(
        study=ready.name,
        planner=plan.planner,
        stands_in=ready.model is not None and not sealed and plan.planner == "rules",
        workers=count,
        modes=[look.mode(mode, budget) for mode in setting.modes],
    )


def surveyed(setting: Setting, ledger: Ledger) -> Outcome:
    """The survey that was made before. `ExperimentError` where there is none."""
    outcome = ledger.check(survey_key(setting))
    if outcome is None:
        raise ExperimentError("the experiment was not looked at yet", where=str(setting.spec.path))
    return outcome


class _Outlook:
    """One study's trials to come."""

    def __init__(self, setting: Setting, ledger: Ledger, plan: Plan, offers: Sequence[str], workers: int) -> None:
        self._setting, self._ledger, self._plan, self._workers = setting, ledger, plan, workers
        self._offers, self._loads = offers, "load_weights" in offers
        self._rows = ledger.trials(setting.version)
        self._arms: Arms = arms_of(self._rows)
        self._finished = {row.key for row in self._rows if row.status in FINISHED}

    def mode(self, mode: Mode, budget: Budget) -> ModeAhead:
        trials = self._left(first_look(self._setting, self._plan, mode, self._ledger, self._loads))
        asked = [one.id for one in self._plan.ablations if one.asks(mode)]
        most = self._most(mode, len(asked), len(trials))
        one_arm = self._one_arm(trials)
        seconds = self._pace(mode)
        further = None if seconds is None else (most - len(trials)) * seconds / self._workers
        first = self._seconds(trials)
        return ModeAhead(
            mode=mode,
            targets=len(asked),
            first_look=len(trials),
            one_arm=len(one_arm),
            seconds_per_trial=seconds,
            first_look_seconds=first,
            one_arm_seconds=self._seconds(one_arm),
            most=most,
            most_seconds=None if first is None or further is None else first + further,
            power=self._power(mode, budget),
        )

    def _left(self, trials: Sequence[Trial]) -> list[Trial]:
        return [one for one in {each.key: each for each in trials}.values() if one.key not in self._finished]

    def _one_arm(self, trials: Sequence[Trial]) -> list[Trial]:
        """The baseline's, its training's, and those of the ablation that is missing the fewest."""
        baseline = [one for one in trials if one.arm == BASELINE]
        others: dict[str, list[Trial]] = {}
        for one in trials:
            if one.arm != BASELINE:
                others.setdefault(one.arm, []).append(one)
        return [*baseline, *min(others.values(), key=len, default=[])]

    def _most(self, mode: Mode, targets: int, first: int) -> int:
        """With every arm at the last planned look; a trained model is looked at once."""
        study = self._setting.spec.study
        if mode == "reevaluate":
            return first
        looks = planned_looks(study.seeds, study.max_seeds, study.alpha)
        return first + (looks[-1].seeds - looks[0].seeds) * (targets + 1)

    def _seconds(self, trials: Sequence[Trial]) -> float | None:
        """Of the night, side by side; never less than one of them takes."""
        each = [self._pace(one.mode) for one in trials]
        known = [one for one in each if one is not None]
        if len(known) < len(each):
            return None
        return max(sum(known) / self._workers, max(known, default=0.0))

    def _pace(self, mode: Mode) -> float | None:
        """Seconds of a worker from one trial to the next."""
        rows = self._arms[mode][BASELINE].measured if BASELINE in self._arms[mode] else []
        taken = [seconds_of(row) if mode == "reevaluate" else row.wall_seconds for row in rows]
        known = [one for one in taken if one]
        processor = processor_seconds(self._ledger, self._setting.version, mode)
        return pace(fmean(known), processor, self._workers) if known else None

    def _power(self, mode: Mode, budget: Budget) -> Power | None:
        evidence = gather(self._setting.spec, self._ledger, self._rows, mode)
        plans = sealed_plans(self._ledger.plans(self._setting.version)) or [self._plan]
        processor = processor_seconds(self._ledger, self._setting.version, mode)
        evidence = replace(evidence, plans=plans).looked_at
        stops = mode == "reevaluate" and why_whole(evidence, self._offers) is None
        return foresee(evidence, budget, self._workers, processor, stops=stops)
