"""Facts of one mode that a reader must know and no table shows: failed baselines, evaluations that wobble, missing values."""

from typing import NamedTuple

from .. import prompts
from .arms import Arms
from .evidence import Evidence
from .labels import labelled, unlabelled
from .planning.plan import BASELINE, Ablation

PLACEBO = "placebo"
MUST_AGREE = 1e-6
"""Relative difference up to which a checkpoint is what was measured right after training."""


class OwnFigure(NamedTuple):
    """What a trial with edited source said of itself, and what its weights came to without the edit."""

    ablation: str
    trials: int
    """At so many seeds."""
    seed: int
    metric: str
    own: float | None
    unedited: float | None


def notes_on(evidence: Evidence, arms: Arms) -> list[str]:
    """One sentence a fact."""
    baseline = evidence.baseline
    wobbles = [row.facts.wobble for row in baseline.measured if row.facts.wobble]
    changed = sorted({name for row in baseline.measured for name in row.facts.changed_weights})
    whole = [name for name in evidence.spec.metrics if baseline.measured and not evidence.by_examples(name)]
    text = prompts.render(
        "progress/notes.j2",
        mode=evidence.mode,
        baseline_failed=[(one.seed, one.status) for one in baseline.failed],
        total=len(baseline.trials),
        wobble=max(wobbles, default=0.0),
        changed=changed,
        whole=whole if evidence.mode == "reevaluate" else [],
        checkpoints=evidence.checkpoints,
        misfits=_misfits(evidence),
        unlabelled=unlabelled(evidence.columns_at(BASELINE, evidence.seed)),
        moved=_moved(evidence),
        unclassed=_unclassed(evidence),
        drifted=_drifted(evidence, arms),
        own=_own_figures(evidence),
    )
    return [line for line in text.splitlines() if line.strip()]


def _misfits(evidence: Evidence) -> list[str]:
    """Arms that were evaluated on other examples than the baseline."""
    if evidence.mode != "reevaluate":
        return []
    return [
        name for name, arm in evidence.arms.items() if name != BASELINE and arm.measured and not evidence.fits(name)
    ]


def _moved(evidence: Evidence) -> list[str]:
    """Placebos that did change something."""
    asked = [one for one in _asked(evidence) if one.removal == PLACEBO]
    return [one.id for one in asked if any(row.status == "ok" for row in evidence.arm(one.id).measured)]


def _unclassed(evidence: Evidence) -> bool:
    """Whether there would be tables of classes, had not every removal stopped early."""
    if evidence.mode != "reevaluate" or not labelled(evidence.columns_at(BASELINE, evidence.seed)):
        return False
    asked = [one.id for one in _asked(evidence) if one.role != "control" and evidence.arm(one.id).measured]
    return bool(asked) and all(evidence.stopped_early(one) for one in asked)


def _asked(evidence: Evidence) -> list[Ablation]:
    return [one for plan in evidence.plans for one in evidence.asked(plan)]


def _own_figures(evidence: Evidence) -> list[OwnFigure]:
    """Edited arms that told other figures than the unedited evaluation of their weights, each at its first such seed."""
    name, split, found = evidence.spec.primary, evidence.split, list[OwnFigure]()
    for one in _asked(evidence):
        told = [row for row in evidence.arm(one.id).measured if row.facts.own]
        if told:
            first = min(told, key=lambda row: row.seed)
            values = [each.get(split, {}).get(name) for each in (first.facts.own, first.metrics)]
            found.append(OwnFigure(one.id, len(told), first.seed, name, *values))
    return found


def _drifted(evidence: Evidence, arms: Arms) -> float:
    """How far the kept weights, evaluated again, lie from what was measured right after training, relative to it."""
    if evidence.mode != "reevaluate":
        return 0.0
    name, split = evidence.spec.primary, evidence.split
    trained = arms["retrain"].get(BASELINE)
    pairs = [
        (row.metrics.get(split, {}).get(name), trained.trials[row.seed].metrics.get(split, {}).get(name))
        for row in evidence.baseline.measured
        if trained and row.seed in trained.trials
    ]
    drifts = [
        abs(one - other) / max(abs(other), 1e-12) for one, other in pairs if one is not None and other is not None
    ]
    worst = max(drifts, default=0.0)
    return worst if worst > MUST_AGREE else 0.0
