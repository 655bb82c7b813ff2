"""The trials that a round's looks ask for, in the order in which they pay."""

from collections.abc import Sequence

from .evidence import Evidence
from .ledger import Trial
from .planning.plan import BASELINE, Ablation, Plan, same_runs
from .results import Mode
from .rounds import Round, settling_chance
from .setting import Setting


def trial_of(setting: Setting, plans: Sequence[Plan], mode: Mode, name: str, seed: int) -> Trial:
    """One trial of an ablation, under the arm that has its runs."""
    arm = same_runs(plans).get(name, name)
    removed = next((one.interventions for plan in plans for one in plan.ablations if one.id == arm), [])
    return setting.trial(mode, arm, removed, seed)


def wanted_trials(setting: Setting, evidence: Evidence, current: Round, seeds: Sequence[int]) -> list[Trial]:
    """The trials that the round's looks ask for, arms in the order of what they settle per second.

    Evaluations go model by model, so that they can share one.
    """
    mode, family = evidence.mode, current.family
    singles = {one.id for plan in evidence.plans for one in plan.ablations}
    wanted: list[tuple[str, int]] = []
    if mode == "reevaluate":
        wanted = [(name, seed) for seed in seeds for name in (BASELINE, *(one.id for one in family))]
    else:
        wanted = [(BASELINE, seed) for seed in range(max(current.caps.values(), default=0))]
        for ablation in sorted(family, key=lambda one: -_worth(evidence, current, one)):
            needed = [part for part in ablation.components if part in singles and part != ablation.id]
            wanted += [(one, seed) for one in (*needed, ablation.id) for seed in range(current.caps[ablation.id])]
    trials = (trial_of(setting, evidence.plans, mode, *each) for each in wanted)
    return list({one.key: one for one in trials}.values())


def _worth(evidence: Evidence, current: Round, ablation: Ablation) -> float:
    """Chance to settle at the arm's next look, per second; the order of the plan before anything is known."""
    look = next((one for one in evidence.looks if one.seeds >= current.caps[ablation.id]), evidence.looks[-1])
    if evidence.arm(ablation.id).finished(look.seeds):
        return 0.0
    seconds = [row.wall_seconds for row in evidence.arm(ablation.id).measured if row.wall_seconds]
    chance = settling_chance(current, ablation, [look])
    return chance / (sum(seconds) / len(seconds)) if seconds else chance
