"""What running something would take: its trials, by the keys of those that are finished, and time and money by the measured pace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from ..analysis.looks import planned_looks
from ..arms import Arm, arms_of, seconds_of
from ..checks import judge_checks
from ..collect import gather
from ..dryrun import pace_of, retuning_of
from ..foresight import pace, processor_seconds
from ..ledger import FINISHED, Ledger, Trial
from ..planning.plan import BASELINE, Ablation, Plan, same_runs, sealed_plans, signature
from ..results import Mode
from ..rounds import settle
from ..setting import Setting
from ..wanted import trial_of, wanted_trials
from .approval import Price

HOUR = 3600.0


@dataclass(frozen=True)
class _Known:
    """What the ledger holds of this version of the source."""

    plans: list[Plan]
    arms: Mapping[Mode, Mapping[str, Arm]]
    finished: frozenset[str]
    out: frozenset[str]
    """Ablations of sealed plans, or of this one, that their check has stopped: they are not trained."""
    loads: bool
    """Whether the experiment loads its own weights."""


def price_of(
    setting: Setting,
    ledger: Ledger | None,
    plan: Plan,
    round_number: int,
    loads: bool,
    *,
    workers: int | None = None,
) -> Price:
    """What a plan takes as round `round_number`, without what earlier rounds have still to run.

    Args:
        setting: the study.
        ledger: what was run so far; None: nothing.
        plan: what is asked for; what earlier rounds have already is not counted.
        round_number: round 1 takes the first look of the baseline, whatever it removes.
        loads: whether the experiment loads its own weights.
        workers: trials at once; `limits.workers` by default.
    """
    known = _known(setting, ledger, plan, loads)
    new, base = _new(plan, known.plans), round_number == 1
    first, most = (
        [one for mode in setting.modes for one in _look(setting, known, new, mode, last=last, base=base)]
        for last in (False, True)
    )
    if ledger and plan.more_seeds:
        for mode in setting.modes:
            further, furthest = _more_seeds(setting, ledger, known, plan, mode)
            first, most = [*first, *further], [*most, *further, *furthest]
    return _price(setting, ledger, (first, most), known, workers)


def whole_study_price(
    setting: Setting, ledger: Ledger | None, plan: Plan, loads: bool, *, workers: int | None = None
) -> Price:
    """What the whole study takes as far as it is known: round 1 and the retuning; follow-ups are planned on results.

    `plan`: the planner's round 1; where one is sealed, that one counts.
    """
    sealed = _sealed(setting, ledger)
    known = replace(_known(setting, ledger, plan, loads), plans=[])
    ablations = [one for each in sealed or [plan] for one in each.ablations]
    first, most = (
        [one for mode in setting.modes for one in _look(setting, known, ablations, mode, last=last, base=True)]
        for last in (False, True)
    )
    tuning, chosen = retuning_of(setting, plan, ledger) if "retrain" in setting.modes else ([], 0)
    return _price(setting, ledger, ([*first, *tuning], [*most, *tuning]), known, workers, chosen)


def price_of_trials(setting: Setting, ledger: Ledger | None, trials: int, *, workers: int | None = None) -> Price:
    """What so many trials take, by the pace of those before."""
    pace = pace_of(setting, ledger, workers)
    seconds = None if pace is None else pace * trials
    dollars = _dollars(setting, seconds)
    return Price(
        first_look=trials,
        most=trials,
        seconds=seconds,
        most_seconds=seconds,
        dollars=dollars,
        most_dollars=dollars,
    )


def _known(setting: Setting, ledger: Ledger | None, plan: Plan, loads: bool) -> _Known:
    rows = ledger.trials(setting.version) if ledger else []
    plans = _sealed(setting, ledger)
    checks = ledger.checks(setting.version) if ledger else {}
    verdicts = judge_checks(checks, {one.id: one for each in (*plans, plan) for one in each.ablations})
    return _Known(
        plans=plans,
        arms=arms_of(rows),
        finished=frozenset(row.key for row in rows if row.status in FINISHED),
        out=frozenset(verdicts.stopped) | frozenset(verdicts.dropped),
        loads=loads,
    )


def _sealed(setting: Setting, ledger: Ledger | None) -> list[Plan]:
    return sealed_plans(ledger.plans(setting.version)) if ledger else []


def _new(plan: Plan, earlier: Sequence[Plan]) -> list[Ablation]:
    """What earlier rounds have not, each removal once."""
    ids = {one.id for each in earlier for one in each.ablations}
    seen = {signature(one.interventions) for each in earlier for one in each.ablations}
    found: list[Ablation] = []
    for one in plan.ablations:
        mine = signature(one.interventions)
        if one.id not in ids and mine not in seen:
            found.append(one)
            seen.add(mine)
    return found


def _look(
    setting: Setting, known: _Known, ablations: Sequence[Ablation], mode: Mode, *, last: bool, base: bool
) -> list[Trial]:
    """The trials of every arm up to the first look, or the last; before them the baseline's, and those that train it."""
    study = setting.spec.study
    stopped = known.out if mode == "retrain" else frozenset[str]()
    asked = [one for one in ablations if one.asks(mode) and one.id not in stopped]
    if not asked and not base:
        return []
    looks = planned_looks(study.seeds, study.max_seeds, study.alpha)
    checkpoints = 1 if known.loads else study.seeds
    seeds = range(checkpoints if mode == "reevaluate" else looks[-1 if last else 0].seeds)
    trained = range(study.seeds if mode == "reevaluate" else 1) if mode != "retrain" and not known.loads else ()
    trials = [setting.trial("retrain", BASELINE, [], seed) for seed in trained]
    removed = {one.id: one for each in known.plans for one in each.ablations} | {one.id: one for one in ablations}
    needed = [part for one in asked for part in one.components if part in removed and removed[part].asks(mode)]
    arms = [one for one in dict.fromkeys([*needed, *(one.id for one in asked)]) if one not in stopped]
    plans = [*known.plans, _as_plan(ablations)]
    same = same_runs(plans)
    alive = [BASELINE, *(one for one in arms if not _closed(known.arms[mode].get(same[one])))]
    return [*trials, *(trial_of(setting, plans, mode, arm, seed) for arm in alive for seed in seeds)]


def _as_plan(ablations: Sequence[Ablation]) -> Plan:
    return Plan(study="priced", round=1, planner="", ablations=list(ablations))


def _closed(arm: Arm | None) -> bool:
    """Whether nothing more of an arm is run."""
    return arm is not None and (arm.broken or arm.hopeless or arm.idle)


def _more_seeds(
    setting: Setting, ledger: Ledger, known: _Known, plan: Plan, mode: Mode
) -> tuple[list[Trial], list[Trial]]:
    """What arms of earlier rounds that are still open go on with, as the study itself decides it: to the next look, to the last."""
    evidence = gather(setting.spec, ledger, ledger.trials(setting.version), mode, "validation").looked_at
    if not evidence.baseline.measured:
        return [], []
    evidence = replace(evidence, plans=[*known.plans, plan])
    found, open_ = list[Trial](), list[Ablation]()
    for earlier in known.plans:
        if any(one.id in plan.more_seeds for one in earlier.ablations):
            current = settle(evidence, earlier)
            found += wanted_trials(setting, evidence, current, evidence.seeds_at_hand)
            family = [one for one in current.family if one.id in plan.more_seeds]
            open_ += [one for one in family if not evidence.arm(one.id).over(current.caps[one.id])]
    return found, _look(setting, known, open_, mode, last=True, base=False)


def _price(
    setting: Setting,
    ledger: Ledger | None,
    looks: tuple[Sequence[Trial], Sequence[Trial]],
    known: _Known,
    workers: int | None,
    chosen: int = 0,
) -> Price:
    """`looks`: trials up to the first look, and to the last; `chosen`: runs of what a tuning will choose, without keys yet."""
    first, most = (list({one.key: one for one in each if one.key not in known.finished}.values()) for each in looks)
    seconds, most_seconds = (_seconds(setting, ledger, each, workers) for each in (first, most))
    if most_seconds is not None:
        most_seconds += chosen * (pace_of(setting, ledger, workers) or 0.0)
    return Price(
        first_look=len(first),
        most=len(most) + chosen,
        seconds=seconds,
        most_seconds=most_seconds,
        dollars=_dollars(setting, seconds),
        most_dollars=_dollars(setting, most_seconds),
    )


def _seconds(setting: Setting, ledger: Ledger | None, trials: Sequence[Trial], workers: int | None) -> float | None:
    """With all workers, each mode by its own pace where it was measured, else by that of all trials so far."""
    usual = pace_of(setting, ledger, workers)
    if ledger is None or usual is None:
        return None
    modes: set[Mode] = {one.mode for one in trials}
    paces = {mode: _pace(setting, ledger, mode, workers) or usual for mode in modes}
    return sum(paces[one.mode] for one in trials)


def _pace(setting: Setting, ledger: Ledger, mode: Mode, workers: int | None) -> float | None:
    """Seconds from one trial's end to the next in one mode, with all workers."""
    own = mode == "reevaluate"
    rows = [row for row in ledger.trials(setting.version) if row.mode == mode and row.status == "ok"]
    taken = [seconds for row in rows if (seconds := seconds_of(row) if own else row.wall_seconds)]
    at_once = workers or setting.spec.limits.workers
    found = pace(fmean(taken), processor_seconds(ledger, setting.version, mode), at_once) if taken else None
    return None if found is None else found / at_once


def _dollars(setting: Setting, seconds: float | None) -> float | None:
    price = setting.spec.limits.price_hour
    return None if seconds is None or price is None else seconds / HOUR * price
