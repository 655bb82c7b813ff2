"""Facts of one mode that a reader must know and no table shows: failed baselines, evaluations that wobble, missing values."""

from .. import prompts
from .arms import Arms
from .evidence import Evidence
from .labels import unlabelled
from .planning.plan import BASELINE

PLACEBO = "placebo"
MUST_AGREE = 1e-6
"""Relative difference up to which a checkpoint is what was measured right after training."""


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
        drifted=_drifted(evidence, arms),
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
    asked = [one for plan in evidence.plans for one in evidence.asked(plan) if one.removal == PLACEBO]
    return [one.id for one in asked if any(row.status == "ok" for row in evidence.arm(one.id).measured)]


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
