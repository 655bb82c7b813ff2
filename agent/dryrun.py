"""What a run would do, without doing it."""

from pathlib import Path
from typing import NamedTuple

from ..executor.errors import PlannerError
from ..executor.outcomes import Outcome
from ..executor.pool import Pool
from .arms import arms_of
from .budget import Budget
from .checks import judge_checks
from .collect import gather
from .evidence import Evidence
from .foresight import foresee, pace, processor_seconds
from .ledger import FINISHED, Ledger, Trial
from .places import Places
from .planning.plan import BASELINE, Plan, parse_plan, read_plan, sealed_plans
from .planning.rules import RulesPlanner
from .records.power import Power
from .results import Mode
from .retuning import planned_tuning, stages
from .setting import Setting
from .survey import anatomy_of, components_of, require_components, survey
from .wanted import first_seeds


class Forecast(NamedTuple):
    """What is still to run."""

    trials: list[Trial]
    """Of round 1's first look."""
    retuning: list[Trial]
    """Of the tuning that follows the last round."""
    chosen: int
    """Most runs of what the tuning will choose, as long as that is not known."""
    seconds: float | None
    """Measured from one trial to the next; None: none yet."""


def forecast(
    setting: Setting,
    state: Path,
    planner: RulesPlanner | None,
    plan_file: Path | None,
    pool: Pool,
    ledger: Ledger | None,
) -> Forecast:
    """Trials of round 1's first look and of the retuning that are still to run."""
    outcome = survey(setting, pool, None)
    loads = "load_weights" in outcome.offers
    plan = first_plan(setting, state, planner, plan_file, outcome, ledger)
    trials = list(
        {one.key: one for mode in setting.modes for one in first_look(setting, plan, mode, ledger, loads)}.values()
    )
    finished = {row.key for row in ledger.trials(setting.version) if row.status in FINISHED} if ledger else set[str]()
    tuning, chosen = retuning_of(setting, plan, ledger)
    tried = list({one.key: one for one in tuning if one not in trials}.values())
    left, left_to_try = ([one for one in each if one.key not in finished] for each in (trials, tried))
    return Forecast(left, left_to_try, chosen, pace_of(setting, ledger))


def first_plan(
    setting: Setting,
    state: Path,
    planner: RulesPlanner | None,
    plan_file: Path | None,
    outcome: Outcome,
    ledger: Ledger | None,
) -> Plan:
    """Round 1 as it was sealed or written, else as the rules would plan it. `PlannerError` where it is still to be asked for."""
    components = components_of(setting, outcome)
    require_components(setting.spec, [one.id for one in components])
    sealed = ledger.plans(setting.version) if ledger else []
    path = plan_file or state / "plans" / "round-1.yaml"
    if sealed:
        return Plan.model_validate_json(sealed[0][2])
    if plan_file or (path.exists() and not (ledger and parse_plan(path).hash in ledger.plan_hashes())):
        return read_plan(path, components, Places.of(setting, anatomy_of(setting, outcome)), setting.modes)
    if planner is None:
        raise PlannerError(
            "there is no plan yet, and making one would ask the language model",
            where=str(path),
            to_do="write one with `lesion plan`, or forecast the built-in rules' with --planner rules",
        )
    return planner.first_round(setting.spec.study.name, components)


def retuning_of(setting: Setting, plan: Plan, ledger: Ledger | None) -> tuple[list[Trial], int]:
    """Every trial that the tuning asks for, and how many more once it has chosen."""
    checks = ledger.checks(setting.version) if ledger else {}
    arms = arms_of(ledger.trials(setting.version) if ledger else [])
    sealed = sealed_plans(ledger.plans(setting.version)) if ledger else []
    plans = sealed or [plan]
    verdicts = judge_checks(checks, {one.id: one for each in plans for one in each.ablations})
    evidence = Evidence(setting.spec, "retrain", plans, {}, arms["retrain"], verdicts.stopped, verdicts.dropped, "")
    tuning = planned_tuning(setting, evidence)
    if tuning is None:
        return [], 0
    asked = list(stages(tuning, evidence.looked_at, tuning.variants(evidence)))
    trials = [one.trial(setting, seed) for stage in asked for one, seed in stage.wanted]
    return trials, 0 if len(asked) > 1 else len(tuning.names) * tuning.measured


def known_power(setting: Setting, ledger: Ledger | None, budget: Budget, workers: int | None) -> dict[Mode, Power]:
    """By mode whose baseline is known: what a run with this budget could settle."""
    if ledger is None:
        return {}
    rows = ledger.trials(setting.version)
    found: dict[Mode, Evidence] = {mode: gather(setting.spec, ledger, rows, mode).looked_at for mode in setting.modes}
    workers = workers or setting.spec.limits.workers
    return {
        mode: power
        for mode, one in found.items()
        if (power := foresee(one, budget, workers, processor_seconds(ledger, setting.version, mode)))
    }


def first_look(setting: Setting, plan: Plan, mode: Mode, ledger: Ledger | None, loads: bool) -> list[Trial]:
    """The first look in one mode; before it the baseline's training, where its weights are needed."""
    checks = ledger.checks(setting.version) if ledger and mode == "retrain" else {}
    verdicts = judge_checks(checks, {one.id: one for one in plan.ablations})
    out = verdicts.stopped | verdicts.dropped
    asked = {one.id: one.interventions for one in plan.ablations if one.id not in out and one.asks(mode)}
    seeds, count = first_seeds(setting, mode, loads=loads), setting.spec.study.seeds
    trained = [setting.trial("retrain", BASELINE, [], seed) for seed in range(count if mode == "reevaluate" else 1)]
    needed = trained if mode != "retrain" and not loads else []
    return [*needed, *(setting.trial(mode, *arm, seed) for arm in {BASELINE: [], **asked}.items() for seed in seeds)]


def pace_of(setting: Setting, ledger: Ledger | None, workers: int | None = None) -> float | None:
    """Seconds from one trial's end to the next, with all workers: short trials wait for the start of their processes."""
    if ledger is None:
        return None
    spent = ledger.compute(setting.version)
    workers = workers or setting.spec.limits.workers
    found = pace(spent["seconds_per_trial"], spent["cpu_seconds_per_trial"], workers)
    return None if found is None else found / workers
