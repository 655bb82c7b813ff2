"""From tables to findings: every effect and interaction with its verdict, as the report and the planner read them."""

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..executor.interventions import described
from .analysis.arrays import Floats
from .analysis.estimates import Estimate, Table
from .analysis.inference import critical
from .analysis.interactions import InteractionEstimate
from .analysis.noise import seeds_to_settle
from .analysis.recovery import recovery_fraction
from .analysis.stopping import SHARE
from .analysis.verdicts import EffectFacts, EffectFinding, effect_verdict
from .arms import Arm, duplicates
from .evidence import Evidence, sign_of
from .noisefloor import at_floor, noise_floor
from .planning.plan import BASELINE, Ablation
from .results import BaselineMetric, Effect, Interaction, Interval, Recovered
from .rounds import OPEN, WORTHWHILE, Round, caps_of, tables

TRIALS = {"reevaluate": "checkpoints", "recover": "seeds", "retrain": "seeds"}
STOPPED = "stopped at"
FEW = 20
"""Runs up to which an effect tells each one's difference."""
MOST_UNITS = 100_000_000
"""Examples beyond which nobody is told to collect more."""


_UNREMOVED = InteractionEstimate(
    components=frozenset(),
    observed=Estimate(loss=None, n=0),
    additive=None,
    contrast=Estimate(loss=None, n=0),
    saturated=False,
    negligible_together=False,
    verdict="untestable",
    reason="its removal did nothing",
)
"""Of a joint removal that changed nothing: a contrast of 0 there says nothing about an interaction."""


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
    """Findings on one metric in one mode."""

    noise: BaselineMetric | None
    judged: list[Judged]
    effects: list[Effect]
    interactions: list[Interaction]
    table: Table | None
    """How the confirmatory family was estimated."""


@dataclass(frozen=True)
class _Seen:
    """All rounds at one checkpoint (or over all seeds), judged."""

    evidence: Evidence
    name: str
    noise: BaselineMetric
    rounds: list[Round]
    judged: list[Judged]


def find(evidence: Evidence, name: str) -> MetricFindings:
    """All findings on the metric `name`."""
    seen = _see(evidence, name)
    if seen is None:
        return MetricFindings(None, [], [], [], None)
    others = _other_checkpoints(evidence, name)
    agreed = Counter((one.ablation.id, one.finding.verdict) for each in (seen, *others) for one in each.judged)
    same = duplicates(evidence.arms, list(dict.fromkeys(evidence.canonical[one.ablation.id] for one in seen.judged)))
    effects = [_effect(seen, one, same, _of(agreed, one.ablation.id) if others else None) for one in seen.judged]
    first = seen.rounds[0].effects if seen.rounds else None
    noise = seen.noise.model_copy(update={"minimum_detectable_effect": _detectable(seen)})
    return MetricFindings(noise, seen.judged, effects, _all_interactions(seen, others), first)


def _see(evidence: Evidence, name: str) -> _Seen | None:
    noise = noise_floor(evidence, name)
    if noise is None:
        return None
    rounds = [tables(evidence, plan, name, caps_of(evidence, plan)) for plan in evidence.plans]
    asked = [(current, one) for current in rounds for one in evidence.asked(current.plan)]
    judged = [_judge(evidence, current, one, noise) for current, one in asked]
    return _Seen(evidence, name, noise, rounds, _settled_earlier(evidence, name, judged))


def _settled_earlier(evidence: Evidence, name: str, judged: list[Judged]) -> list[Judged]:
    """Looks are decided on the planning split: an arm that was settled there bought no more seeds, whatever is open here."""
    stopped = [one for one in judged if (one.finding.reason or "").startswith(STOPPED)]
    before = _see(evidence.looked_at, name) if stopped and evidence.split != evidence.planning_split else None
    if before is None:
        return judged
    verdicts = {one.ablation.id: one.finding.verdict for one in before.judged}
    settled = [one for one in stopped if verdicts.get(one.ablation.id, "undecided") not in OPEN]
    told = {
        one.ablation.id: f"{STOPPED} {one.estimate.n} seeds, settled there on {evidence.planning_split}: {verdicts[one.ablation.id]}"
        for one in settled
    }
    return [
        replace(one, finding=one.finding._replace(reason=told.get(one.ablation.id, one.finding.reason)))
        for one in judged
    ]


def _other_checkpoints(evidence: Evidence, name: str) -> list[_Seen]:
    """The same judged at every other trained model, where one speaks for itself alone."""
    if not evidence.by_examples(name):
        return []
    seeds = [seed for seed in evidence.seeds_at_hand if seed != evidence.seed]
    return [seen for seed in seeds if (seen := _see(evidence.at(seed), name))]


def _of(agreed: Counter[tuple[str, Any]], name: str) -> dict[str, int]:
    """Verdict → checkpoints, the most frequent first."""
    return {verdict: count for (one, verdict), count in agreed.most_common() if one == name}


def _detectable(seen: _Seen) -> float | None:
    """Over examples the noise of a difference is each arm's own: the median arm tells what this set of examples can find.

    Of an arm that stopped early: the standard error that the whole set would have, at its own noise.
    """
    if seen.noise.unit not in ("example", "cluster"):
        return seen.noise.minimum_detectable_effect
    confirmed = [one for one in seen.judged if one.round == 1]
    known = [(one.ablation.id, one.estimate) for one in confirmed]
    wholes = [(each, _whole(seen.evidence, name, seen.noise)) for name, each in known if each.se]
    errors = [each.se * math.sqrt(each.n / (whole or each.n)) for each, whole in wholes if each.se and each.n]
    if not errors:
        return None
    stops = any(whole for _, whole in wholes)
    alpha = seen.evidence.spec.study.alpha * (1 - SHARE if stops else 1) / max(1, len(confirmed))
    df = max(1, seen.noise.n - 1)
    return float(np.median(errors)) * (float(critical(alpha / 2, df)) + float(critical(0.2, df)))


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
    found = effect_verdict(estimate, facts, evidence.rules_for(noise.smallest_effect))
    waiting = not at_floor(noise) and not _over(evidence, arm, noise)
    if found.verdict == "untestable" and waiting:
        found = EffectFinding("undecided")  # it has not had its seeds yet
    return found._replace(reason=_reason(evidence, arm, found, noise))


def _over(evidence: Evidence, arm: Arm, noise: BaselineMetric) -> bool:
    """Whether nothing more will come of an arm at the first look, or at this checkpoint."""
    if noise.unit in ("example", "cluster"):
        return arm.broken or arm.hopeless or arm.idle or evidence.seed in arm.trials
    return arm.over(evidence.looks[0].seeds)


def _reason(evidence: Evidence, arm: Arm, found: EffectFinding, noise: BaselineMetric) -> str | None:
    if found.verdict == "structural":
        return arm.failed[0].reason
    if found.verdict == "no-op":
        told = arm.measured[0].reason
        return (
            told
            if evidence.mode == "reevaluate" and told
            else f"{told or 'nothing changed'} ({len(arm.measured)} seeds)"
        )
    if found.verdict == "untestable" and arm.failed:
        return f"{_failures(arm)[0]} {TRIALS[evidence.mode]} failed {_failures(arm)[1]}"
    if found.verdict == "untestable" and evidence.baseline.failed:
        count, why = _failures(evidence.baseline)
        return f"{found.reason}: {count} runs of the baseline failed {why}"
    if found.verdict != "undecided" or noise.unit in ("example", "cluster"):
        return found.reason
    return _unsettled(evidence, arm) or found.reason


def _failures(arm: Arm) -> tuple[str, str]:
    """How many of an arm's trials failed, and why, as two pieces of a sentence."""
    statuses = ", ".join(sorted({one.status for one in arm.failed}))
    return f"{len(arm.failed)} of {len(arm.failed) + len(arm.measured)}", f"({statuses}): {arm.failed[0].reason}"


def _unsettled(evidence: Evidence, arm: Arm) -> str | None:
    first, last = evidence.looks[0].seeds, evidence.looks[-1].seeds
    if not arm.finished(first):
        return f"unfinished: {len(arm.measured)} of {first} seeds of the first look"
    if len(arm.trials) < last and not arm.failed:
        return f"{STOPPED} {len(arm.trials)} of {last} seeds: no further look had a chance of {WORTHWHILE:.0%} to settle it"
    return None


def _effect(seen: _Seen, judged: Judged, same: dict[str, str], agreement: dict[str, int] | None) -> Effect:
    evidence, noise = seen.evidence, seen.noise
    ablation, estimate, finding = judged.ablation, judged.estimate, judged.finding
    arm = evidence.arm(ablation.id)
    parts = [evidence.components[one] for one in ablation.components]
    sign = sign_of(noise.goal)
    shown = finding.verdict not in ("structural", "no-op") and estimate.loss is not None
    estimate = estimate if shown else Estimate(loss=None, n=estimate.n)
    baseline, ablated = _means(seen, judged)
    return Effect(
        ablation=ablation.id,
        components=ablation.components,
        labels=[one.label for one in parts],
        component_kind=parts[0].kind if len(parts) == 1 else "joint",
        intervention_kind=ablation.removal,
        intervention=described(ablation.interventions),
        where=", ".join(one.where for one in parts if one.where) or None,
        mode=evidence.mode,
        role=ablation.role,
        round=judged.round,
        hypothesis=ablation.hypothesis,
        metric=seen.name,
        baseline=baseline if shown else noise.mean,
        ablated=ablated if shown else None,
        delta=None if estimate.loss is None else -sign * estimate.loss,
        interval=_turned(estimate.interval, -sign),
        level=estimate.level,
        p=estimate.p,
        p_adjusted=estimate.p_adjusted,
        p_equivalence=estimate.p_equivalence,
        p_paired=estimate.p_paired,
        n=estimate.n,
        of=_whole(evidence, ablation.id, noise) if shown else None,
        unit=noise.unit,
        failed=len(arm.failed),
        verdict=finding.verdict,
        nonzero=finding.nonzero,
        masked=arm.masked,
        reason=finding.reason,
        seeds_to_settle=_settling(seen, judged),
        by_seed=_by_seed_deltas(seen, judged) if shown else {},
        same_as=same.get(ablation.id),
        prediction=ablation.prediction,
        agreement=agreement,
        recovered=_recovered(seen, arm) if evidence.mode == "recover" and shown else None,
        scored_by=next((row.facts.scored_by for row in arm.measured if row.facts.scored_by), None),
    )


def _whole(evidence: Evidence, name: str, noise: BaselineMetric) -> int | None:
    """Examples of the set, of an arm that ran under the rule that ends its evaluation early."""
    seen = evidence.seen(name) if noise.unit == "example" else None
    return seen.of if seen else None


def _settling(seen: _Seen, judged: Judged) -> int | None:
    if judged.finding.verdict not in OPEN:
        return None
    return _units_to_settle(seen, judged.estimate, judged.family)


def _units_to_settle(seen: _Seen, estimate: Estimate, family: int) -> int | None:
    alpha, delta = seen.evidence.looks[-1].alpha, seen.noise.smallest_effect
    if seen.noise.unit in ("example", "cluster"):
        if not estimate.se:
            return None  # no example differs yet: nothing tells how many would
        return seeds_to_settle(estimate, delta=delta, alpha=alpha, m=family, limit=MOST_UNITS)
    return seeds_to_settle(estimate, delta=delta, alpha=alpha, m=family)


def _means(seen: _Seen, judged: Judged) -> tuple[float | None, float | None]:
    """Baseline and ablated mean over the very units of the estimate, so that their difference is the delta."""
    evidence, name = seen.evidence, judged.ablation.id
    sign = sign_of(seen.noise.goal)
    if evidence.by_examples(seen.name):
        baseline, arm = (evidence.on_examples(one, seen.name) for one in (BASELINE, name))
    else:
        seeds = judged.estimate.look.seeds if judged.estimate.look else None
        baseline, arm = (evidence.values(one, seen.name, seeds).values for one in (BASELINE, name))
    shared = np.isfinite(baseline) & np.isfinite(arm)
    return (sign * float(baseline[shared].mean()), sign * float(arm[shared].mean())) if shared.any() else (None, None)


def _by_seed_deltas(seen: _Seen, judged: Judged) -> dict[int, float]:
    """Ablated − baseline at every seed of the estimate; empty over examples, and where the seeds are many."""
    if seen.evidence.by_examples(seen.name):
        return {}
    seeds = judged.estimate.look.seeds if judged.estimate.look else None
    baseline, arm = (seen.evidence.values(one, seen.name, seeds).values for one in (BASELINE, judged.ablation.id))
    differences = sign_of(seen.noise.goal) * (arm - baseline)
    shared = np.flatnonzero(np.isfinite(differences)).tolist()
    return {seed: float(differences[seed]) for seed in shared} if len(shared) <= FEW else {}


def _recovered(seen: _Seen, arm: Arm) -> Recovered:
    """The metric right after the cut, and what fine-tuning gave back, over the seeds of arm and control."""
    evidence, sign = seen.evidence, sign_of(seen.noise.goal)
    control = evidence.baseline
    before, cut = (_by_seed(evidence, one, seen.name, right_after=True) for one in (control, arm))
    after, trained_on = (_by_seed(evidence, one, seen.name, right_after=False) for one in (arm, control))
    kept = before - trained_on + after  # what fine-tuning brings without a cut is not given back by it
    found = recovery_fraction(sign * cut, sign * kept, sign * before, evidence.spec.study.alpha)
    both = np.isfinite(before) & np.isfinite(cut)
    return Recovered(
        cut=float(cut[both].mean()) if both.any() else None,
        cut_delta=float((cut - before)[both].mean()) if both.any() else None,
        fraction=found.fraction,
        interval=found.interval,
        n=found.n,
        reason=found.reason,
    )


def _by_seed(evidence: Evidence, arm: Arm, name: str, *, right_after: bool) -> Floats:
    values = np.full(evidence.columns, np.nan)
    for row in arm.measured:
        told = row.facts.cut if right_after else row.metrics
        values[row.seed] = told.get(evidence.split, {}).get(name, np.nan)
    return values


def _turned(interval: Interval | None, sign: int) -> Interval | None:
    if interval is None:
        return None
    low, high = sorted((sign * interval[0], sign * interval[1]))
    return low, high


def _all_interactions(seen: _Seen, others: list[_Seen]) -> list[Interaction]:
    tested = [_tested(each) for each in (seen, *others)]
    agreed: Counter[tuple[str, Any]] = Counter(
        (name, found.verdict) for each in tested for name, (_, found, _) in each.items()
    )
    return [
        _interaction(seen, ablation, found, family, _of(agreed, name) if others else None)
        for name, (ablation, found, family) in tested[0].items()
    ]


def _tested(seen: _Seen) -> dict[str, tuple[Ablation, InteractionEstimate, int]]:
    """Joint removals by id, with their estimates and the size of their family."""
    found: dict[str, tuple[Ablation, InteractionEstimate, int]] = {}
    for current in seen.rounds:
        if current.interactions is not None:
            joint = [one for one in current.family if len(one.components) > 1]
            estimates = current.interactions.interactions
            found |= {
                one.id: (one, _UNREMOVED if seen.evidence.arm(one.id).idle else each, len(joint))
                for one, each in zip(joint, estimates, strict=True)
            }
    return found


def _interaction(
    seen: _Seen, ablation: Ablation, found: InteractionEstimate, family: int, agreement: dict[str, int] | None
) -> Interaction:
    evidence, contrast = seen.evidence, found.contrast
    arm = evidence.arm(ablation.id)
    return Interaction(
        ablation=ablation.id,
        components=ablation.components,
        labels=[evidence.components[one].label for one in ablation.components],
        mode=evidence.mode,
        metric=seen.name,
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
        of=_whole(evidence, ablation.id, seen.noise),
        unit=seen.noise.unit,
        failed=len(arm.failed),
        verdict=found.verdict,
        reason=found.reason or (arm.failed[0].reason if arm.failed else None),
        hypothesis=ablation.hypothesis,
        seeds_to_settle=_units_to_settle(seen, contrast, family) if found.verdict == "undecided" else None,
        agreement=agreement,
        negligible_together=found.negligible_together,
    )
