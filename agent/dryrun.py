"""What a run would do, without doing it."""

import os
from pathlib import Path

from ..executor.pool import Pool
from .checks import judge_checks
from .ledger import FINISHED, Ledger, Trial
from .planning.plan import BASELINE, Plan, parse_plan, read_plan
from .planning.planner import Planner
from .setting import Setting
from .survey import components_of, survey


def forecast(
    setting: Setting, state: Path, planner: Planner, plan_file: Path | None, pool: Pool, ledger: Ledger | None
) -> tuple[list[Trial], float | None]:
    """Trials of round 1's first look that are still to run, and the measured seconds from one to the next (None: none yet)."""
    components = components_of(setting, survey(setting, pool, None).anatomy)
    sealed = ledger.plans(setting.version) if ledger else []
    path = plan_file or state / "plans" / "round-1.yaml"
    if sealed:
        plan = Plan.model_validate_json(sealed[0][2])
    elif plan_file or (path.exists() and not (ledger and parse_plan(path).hash in ledger.plan_hashes())):
        plan = read_plan(path, components)
    else:
        plan = planner.first_round(setting.spec.study.name, components)
    checks = ledger.checks(setting.version) if ledger else {}
    verdicts = judge_checks(checks, {one.id: one for one in plan.ablations})
    finished = {row.key for row in ledger.trials(setting.version) if row.status in FINISHED} if ledger else set[str]()
    arms = {
        BASELINE: [],
        **{one.id: one.interventions for one in plan.ablations if one.id not in verdicts.stopped | verdicts.dropped},
    }
    trials = [
        setting.trial(arm, removed, seed) for arm, removed in arms.items() for seed in range(setting.spec.study.seeds)
    ]
    return [one for one in trials if one.key not in finished], _pace(setting, ledger)


def _pace(setting: Setting, ledger: Ledger | None) -> float | None:
    """Seconds from one trial's end to the next, with all workers: short trials wait for the start of their processes."""
    spent = ledger.compute(setting.version) if ledger else {"seconds_per_trial": 0.0}
    if not spent["seconds_per_trial"]:
        return None
    processor_bound = spent["cpu_seconds_per_trial"] / len(os.sched_getaffinity(0))
    return max(spent["seconds_per_trial"] / setting.spec.limits.workers, processor_bound)
