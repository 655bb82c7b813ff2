"""What a run would do, without doing it."""

from pathlib import Path

from ..executor.pool import Pool
from .checks import judge_checks
from .ledger import FINISHED, Ledger, Trial
from .planning.plan import BASELINE, Plan, read_plan
from .planning.planner import Planner
from .setting import Setting
from .survey import components_of, survey


def forecast(
    setting: Setting, state: Path, planner: Planner, plan_file: Path | None, pool: Pool, ledger: Ledger | None
) -> tuple[list[Trial], float | None]:
    """Trials of round 1's first look that are still to run, and the mean seconds of a finished trial (None: none yet)."""
    components = components_of(setting, survey(setting, pool, None).anatomy)
    sealed = ledger.plans(setting.version) if ledger else []
    path = plan_file or state / "plans" / "round-1.yaml"
    if sealed:
        plan = Plan.model_validate_json(sealed[0][2])
    elif path.exists() or plan_file:
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
    seconds = ledger.compute(setting.version)["seconds_per_trial"] if ledger else None
    return [one for one in trials if one.key not in finished], seconds or None
