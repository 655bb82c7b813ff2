"""The trials that a round's looks ask for, in the order in which they pay."""

import math
from collections.abc import Sequence

from .analysis.looks import planned_looks
from .arms import Arm
from .evidence import Evidence
from .ledger import FINISHED, Trial
from .night.priority import Candidate, order
from .planning.plan import BASELINE, Ablation, Plan, same_runs
from .results import Mode
from .rounds import Round, settling_chance
from .setting import Setting


def trial_of(setting: Setting, plans: Sequence[Plan], mode: Mode, name: str, seed: int) -> Trial:
    """One trial of an ablation, under the arm that has its runs."""
    arm = same_runs(plans).get(name, name)
    removed = next((one.interventions for plan in plans for one in plan.ablations if one.id == arm), [])
    return setting.trial(mode, arm, removed, seed)


def first_seeds(setting: Setting, mode: Mode, *, loads: bool) -> range:
    """Seeds of the first look; for evaluations the trained models, of which an experiment that `loads` its own has one."""
    study = setting.spec.study
    if mode == "reevaluate":
        return range(1 if loads else study.seeds)
    return range(planned_looks(study.seeds, study.max_seeds, study.alpha)[0].seeds)  # may be later than study.seeds


def wanted_trials(
    setting: Setting,
    evidence: Evidence,
    current: Round,
    seeds: Sequence[int],
    seconds_left: float = math.inf,
    workers: int = 1,
) -> list[Trial]:
    """The trials that the round's looks ask for, arms in the order of what they settle per second.

    With a deadline, arms that can still complete their look come first (`night.priority`). What is asked for is the same
    whatever the time, and the order changes no error rate: α is spent by planned looks (`rounds.goes_on`). Evaluations go
    model by model, so that they can share one.

    Args:
        setting: of the study.
        evidence: the ledger's; with the time left it alone decides the order.
        current: the round.
        seeds: trained models that evaluations go over.
        seconds_left: until the deadline; infinite without one.
        workers: trials at once.
    """
    mode, family = evidence.mode, current.family
    wanted: list[tuple[str, int]] = []
    if mode == "reevaluate":
        wanted = [(name, seed) for seed in seeds for name in (BASELINE, *(one.id for one in family))]
    else:
        wanted = [(BASELINE, seed) for seed in range(max(current.caps.values(), default=0))]
        for ablation in _in_order(evidence, current, seconds_left, workers):
            wanted += _of(evidence, current, ablation)
    trials = (trial_of(setting, evidence.plans, mode, *each) for each in wanted)
    return list({one.key: one for one in trials}.values())


def _of(evidence: Evidence, current: Round, ablation: Ablation) -> list[tuple[str, int]]:
    """Arms and seeds of an ablation's next look: of a joint removal its parts' too."""
    singles = {one.id for plan in evidence.plans for one in plan.ablations}
    needed = [part for part in ablation.components if part in singles and part != ablation.id]
    return [(one, seed) for one in (*needed, ablation.id) for seed in range(current.caps[ablation.id])]


def _in_order(evidence: Evidence, current: Round, seconds_left: float, workers: int) -> list[Ablation]:
    if math.isinf(seconds_left):
        return sorted(current.family, key=lambda one: -_worth(evidence, current, one))
    missing = [seed for seed in range(max(current.caps.values(), default=0)) if _is_missing(evidence.baseline, seed)]
    left = seconds_left - len(missing) * (_seconds(evidence.baseline) or 0.0) / workers
    candidates = [_candidate(evidence, current, one) for one in current.family]
    family = {one.id: one for one in current.family}
    return [family[one.id] for one in order(candidates, left, workers)]


def _candidate(evidence: Evidence, current: Round, ablation: Ablation) -> Candidate:
    """What an arm's trials take is the mean of its own, else of the baseline's; 0 where neither is known."""
    asked = _of(evidence, current, ablation)
    looked = evidence.arm(ablation.id).over(evidence.looks[0].seeds)
    return Candidate(
        id=ablation.id,
        trials=sum(_is_missing(evidence.arm(name), seed) for name, seed in asked),
        seconds_each=_seconds(evidence.arm(ablation.id)) or _seconds(evidence.baseline) or 0.0,
        chance=_chance(evidence, current, ablation) if looked else 1.0,
    )


def _is_missing(arm: Arm, seed: int) -> bool:
    """Whether a seed is still to run; of an arm that nothing more will come of, none is."""
    row = arm.trials.get(seed)
    ended = row is not None and row.status in FINISHED
    return not (ended or arm.broken or arm.hopeless or arm.idle)


def _worth(evidence: Evidence, current: Round, ablation: Ablation) -> float:
    """Chance to settle at the arm's next look, per second; the order of the plan before anything is known."""
    chance, seconds = _chance(evidence, current, ablation), _seconds(evidence.arm(ablation.id))
    return chance / seconds if seconds else chance


def _chance(evidence: Evidence, current: Round, ablation: Ablation) -> float:
    look = next((one for one in evidence.looks if one.seeds >= current.caps[ablation.id]), evidence.looks[-1])
    return 0.0 if evidence.arm(ablation.id).finished(look.seeds) else settling_chance(current, ablation, [look])


def _seconds(arm: Arm) -> float | None:
    """Mean wall time of an arm's trials; None where none was measured."""
    known = [row.wall_seconds for row in arm.measured if row.wall_seconds]
    return sum(known) / len(known) if known else None
