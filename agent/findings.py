"""From tables to findings: every effect and interaction with its verdict, as the report and the planner read them."""

from dataclasses import dataclass

import numpy as np

from .analysis.estimates import Estimate, Table
from .analysis.interactions import InteractionEstimate
from .analysis.looks import Rules
from .analysis.noise import seeds_to_settle
from .analysis.verdicts import EffectFacts, EffectFinding, effect_verdict
from .arms import Arm, duplicates
from .planning.plan import BASELINE, Ablation
from .results import BaselineMetric, Effect, Interaction, Interval
from .rounds import OPEN, WORTHWHILE, Evidence, Round, at_floor, noise_floor, sign_of, tables


@dataclass(frozen=True)
class Judged:
    """One ablation's estimate and verdict on one metric, before it is put into words."""

    ablation: Ablation
    round: int
    estimate: Estimate
    finding: EffectFinding
    family: int


@dataclass(frozen=True)
class MetricFindings:
    """Findings on one metric."""

    noise: BaselineMetric | None
    judged: list[Judged]
    effects: list[Effect]
    interactions: list[Interaction]
    table: Table | None
    """How the confirmatory family was estimated."""


def find(evidence: Evidence, name: str) -> MetricFindings:
    """All findings on the metric `name`."""
    noise = noise_floor(evidence, name)
    if noise is None:
        return MetricFindings(None, [], [], [], None)
    rounds = [tables(evidence, plan, name, evidence.caps(plan)) for plan in evidence.plans]
    asked = [(current, one) for current in rounds for one in current.plan.ablations if one.id not in evidence.dropped]
    judged = [_judge(evidence, current, one, noise) for current, one in asked]
    same = duplicates(evidence.arms, [one.ablation.id for one in judged])
    effects = [_effect(evidence, one, name, noise, same) for one in judged]
    interactions = [found for current in rounds for found in _interactions(evidence, current, name, noise)]
    return MetricFindings(noise, judged, effects, interactions, rounds[0].effects if rounds else None)


def _judge(evidence: Evidence, current: Round, ablation: Ablation, noise: BaselineMetric) -> Judged:
    estimate = current.estimate(ablation)
    finding = _finding(evidence, ablation, estimate, noise)
    return Judged(ablation, current.plan.round, estimate, finding, max(1, len(current.family)))


def _finding(evidence: Evidence, ablation: Ablation, estimate: Estimate, noise: BaselineMetric) -> EffectFinding:
    if ablation.id in evidence.stopped:
        verdict, reason = evidence.stopped[ablation.id]
        return EffectFinding(verdict, reason=reason)
    arm = evidence.arm(ablation.id)
    facts = EffectFacts(structural=arm.broken, no_op=arm.idle, at_floor=at_floor(noise))
    rules = Rules(noise.smallest_effect, evidence.looks, evidence.spec.study.alpha)
    found = effect_verdict(estimate, facts, rules)
    if found.verdict == "untestable" and not at_floor(noise) and not arm.over(evidence.looks[0].seeds):
        found = EffectFinding("undecided")  # it has not had its seeds yet
    return found._replace(reason=_reason(evidence, arm, found))


def _reason(evidence: Evidence, arm: Arm, found: EffectFinding) -> str | None:
    if found.verdict == "structural":
        return arm.failed[0].reason
    if found.verdict == "no-op":
        return f"results equal the baseline's at {len(arm.measured)} seeds, bit for bit"
    if found.verdict == "untestable" and arm.failed:
        statuses = ", ".join(sorted({one.status for one in arm.failed}))
        return f"{len(arm.failed)} of {len(arm.failed) + len(arm.measured)} seeds failed ({statuses}): {arm.failed[0].reason}"
    if found.verdict == "undecided" and not arm.finished(evidence.looks[0].seeds):
        return f"unfinished: {len(arm.measured)} of {evidence.looks[0].seeds} seeds of the first look"
    look = evidence.looks[-1].seeds
    if found.verdict == "undecided" and len(arm.trials) < look and not arm.failed:
        return f"stopped at {len(arm.trials)} of {look} seeds: no further look had a chance of {WORTHWHILE:.0%} to settle it"
    return found.reason


def _effect(evidence: Evidence, judged: Judged, name: str, noise: BaselineMetric, same: dict[str, str]) -> Effect:
    ablation, estimate, finding = judged.ablation, judged.estimate, judged.finding
    arm = evidence.arm(ablation.id)
    parts = [evidence.components[one] for one in ablation.components]
    sign = sign_of(noise.goal)
    shown = finding.verdict not in ("structural", "no-op") and estimate.loss is not None
    delta = -sign * estimate.loss if shown and estimate.loss is not None else None
    baseline, ablated = _means(evidence, judged, name)
    return Effect(
        ablation=ablation.id,
        components=ablation.components,
        labels=[one.label for one in parts],
        component_kind=parts[0].kind if len(parts) == 1 else "joint",
        intervention_kind=ablation.removal,
        intervention=", ".join(one.describe() for one in ablation.interventions),
        where=", ".join(one.where for one in parts if one.where) or None,
        mode=evidence.mode,
        role=ablation.role,
        round=judged.round,
        hypothesis=ablation.hypothesis,
        metric=name,
        baseline=baseline if shown else noise.mean,
        ablated=ablated if shown else None,
        delta=delta,
        interval=_turned(estimate.interval, -sign) if shown else None,
        level=estimate.level,
        p=estimate.p,
        p_adjusted=estimate.p_adjusted,
        p_equivalence=estimate.p_equivalence,
        p_paired=estimate.p_paired,
        n=estimate.n,
        failed=len(arm.failed),
        verdict=finding.verdict,
        nonzero=finding.nonzero,
        masked=arm.masked,
        reason=finding.reason,
        seeds_to_settle=_settling(evidence, judged, noise),
        same_as=same.get(ablation.id),
        prediction=ablation.prediction,
    )


def _settling(evidence: Evidence, judged: Judged, noise: BaselineMetric) -> int | None:
    if judged.finding.verdict not in OPEN:
        return None
    alpha = evidence.looks[-1].alpha
    return seeds_to_settle(judged.estimate, delta=noise.smallest_effect, alpha=alpha, m=judged.family)


def _means(evidence: Evidence, judged: Judged, name: str) -> tuple[float | None, float | None]:
    """Baseline and ablated mean over the very seeds of the estimate, so that their difference is the delta."""
    seeds = judged.estimate.look.seeds if judged.estimate.look else None
    sign = sign_of(evidence.spec.metrics[name].goal)
    baseline, arm = (evidence.values(one, name, seeds).values for one in (BASELINE, judged.ablation.id))
    shared = np.isfinite(baseline) & np.isfinite(arm)
    return (sign * float(baseline[shared].mean()), sign * float(arm[shared].mean())) if shared.any() else (None, None)


def _turned(interval: Interval | None, sign: int) -> Interval | None:
    if interval is None:
        return None
    low, high = sorted((sign * interval[0], sign * interval[1]))
    return low, high


def _interactions(evidence: Evidence, current: Round, name: str, noise: BaselineMetric) -> list[Interaction]:
    if current.interactions is None:
        return []
    joint = [one for one in current.family if len(one.components) > 1]
    found = zip(joint, current.interactions.interactions, strict=True)
    return [_interaction(evidence, ablation, one, name, noise, len(joint)) for ablation, one in found]


def _interaction(
    evidence: Evidence, ablation: Ablation, found: InteractionEstimate, name: str, noise: BaselineMetric, family: int
) -> Interaction:
    arm, contrast = evidence.arm(ablation.id), found.contrast
    settle = None
    if found.verdict == "undecided":
        settle = seeds_to_settle(contrast, delta=noise.smallest_effect, alpha=evidence.looks[-1].alpha, m=family)
    return Interaction(
        ablation=ablation.id,
        components=ablation.components,
        labels=[evidence.components[one].label for one in ablation.components],
        mode=evidence.mode,
        metric=name,
        observed=found.observed.loss,
        observed_interval=found.observed.interval,
        additive=found.additive,
        contrast=contrast.loss,
        interval=contrast.interval,
        level=contrast.level,
        p=contrast.p,
        p_adjusted=contrast.p_adjusted,
        p_equivalence=contrast.p_equivalence,
        n=contrast.n,
        failed=len(arm.failed),
        verdict=found.verdict,
        reason=found.reason or (arm.failed[0].reason if arm.failed else None),
        hypothesis=ablation.hypothesis,
        seeds_to_settle=settle,
    )
