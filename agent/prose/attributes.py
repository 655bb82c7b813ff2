"""What can be said of one finding, as text: attribute → value, None where it was not measured."""

from collections.abc import Mapping
from typing import Any

from ...prompts import phrases
from ..records.claims import ClaimTested
from ..report import numbers, selection
from ..report.predictions import Comparison
from ..results import BaselineMetric, Effect, Interaction, PredictionScore, Results

Values = Mapping[str, str | None]


def of_effect(results: Results, effect: Effect) -> Values:
    """A removal's effect on one metric."""
    floor = selection.noise_floor(results, effect.mode, effect.metric)
    cost = None if effect.verdict in selection.UNMEASURED else selection.loss(results, effect)
    measured = effect.verdict not in selection.UNMEASURED and effect.delta is not None
    ends = effect.interval if measured else None
    return {
        "label": selection.members(effect),
        "intervention": effect.intervention,
        "kind": effect.intervention_kind,
        "mode": effect.mode,
        "metric": effect.metric,
        "verdict": effect.verdict,
        "meaning": _words().verdicts[effect.verdict],
        "outcome": _words().outcomes[effect.verdict],
        "reason": effect.reason,
        "delta": numbers.number(effect.delta, ends, signed=True) if measured else None,
        "interval": _interval(ends),
        "delta_with_interval": numbers.with_interval(effect.delta, ends, signed=True) if measured else None,
        "loss": None if cost is None else numbers.number(cost, ends, signed=True),
        "loss_in_delta": _in_delta(cost, floor),
        "direction": _direction(effect, cost),
        "p": _p(effect.p_adjusted) if measured else None,
        "p_unadjusted": _p(effect.p) if measured else None,
        "p_equivalence": _p(effect.p_equivalence) if measured else None,
        "baseline": _number(effect.baseline, ends),
        "ablated": _number(effect.ablated, ends) if measured else None,
        "n": str(effect.n),
        "units": _units(effect.n, effect.unit, effect.of),
        "failed": str(effect.failed),
        "to_settle": _to_settle(effect),
        "smallest_effect": _delta(floor),
    }


def of_interaction(results: Results, joint: Interaction) -> Values:
    """A joint removal; its figures are losses, larger is worse."""
    floor = selection.noise_floor(results, joint.mode, joint.metric)
    return {
        "label": selection.members(joint),
        "mode": joint.mode,
        "metric": joint.metric,
        "verdict": joint.verdict,
        "meaning": _words().joint_verdicts[joint.verdict],
        "outcome": _words().joint_outcomes[joint.verdict],
        "reason": joint.reason,
        "observed": _number(joint.observed, joint.observed_interval),
        "observed_interval": _interval(joint.observed_interval),
        "observed_with_interval": _with_interval(joint.observed, joint.observed_interval),
        "additive": _number(joint.additive, joint.interval),
        "contrast": _number(joint.contrast, joint.interval),
        "interval": _interval(joint.interval),
        "contrast_with_interval": _with_interval(joint.contrast, joint.interval),
        "p": _p(joint.p_adjusted),
        "p_unadjusted": _p(joint.p),
        "n": str(joint.n),
        "units": _units(joint.n, joint.unit, joint.of),
        "to_settle": _to_settle(joint),
        "smallest_effect": _delta(floor),
    }


def of_baseline(mode: str, metric: str, floor: BaselineMetric) -> Values:
    """The noise floor of one metric."""
    return {
        "mode": mode,
        "metric": metric,
        "mean": _number(floor.mean, floor.printed_to),
        "sd": numbers.number(floor.sd),
        "n": str(floor.n),
        "units": _units(floor.n, floor.unit),
        "minimum_detectable_effect": _number(floor.minimum_detectable_effect),
        "smallest_effect": _delta(floor),
        "smallest_effect_origin": _words().delta_origin[floor.smallest_effect_proposed],
        "floor": None if floor.floor is None else numbers.exact(floor.floor),
        "goal": floor.goal,
        "seeds_for_negligible": None if floor.seeds_for_negligible is None else str(floor.seeds_for_negligible),
        "max_seeds": str(floor.max_seeds),
    }


def of_study(results: Results) -> Values:
    """The study as a whole."""
    study = results.study
    return {
        "name": study.name,
        "question": study.question,
        "state": study.state,
        "planner": study.planner,
        "modes": ", ".join(study.modes),
        "primary": study.primary,
        "split": study.split,
        "alpha": numbers.probability(study.alpha),
        "family_size": str(study.family_size),
        "checkpoints": str(study.checkpoints),
        "removals": str(len({(e.ablation, e.mode) for e in results.effects})),
        "joint_removals": str(len({(j.ablation, j.mode) for j in results.interactions})),
    }


def of_accounting(results: Results) -> Values:
    """The trials, and what they took."""
    counts, took = results.accounting, results.compute
    return {
        "planned": numbers.count(counts.planned),
        "trials": numbers.count(counts.ok + sum(counts.failed.values())),
        "ok": numbers.count(counts.ok),
        "failed": numbers.count(sum(counts.failed.values())),
        "skipped": numbers.count(counts.skipped),
        "pending": numbers.count(counts.pending),
        "checks": numbers.count(counts.checks),
        "time": _duration(took.get("seconds_total")),
        "time_per_trial": _duration(took.get("seconds_per_trial")),
    }


def of_claim(claim: ClaimTested) -> Values:
    """A claim of the study, as its tests came out."""
    return {
        "text": claim.text,
        "status": _words().claim_status(claim.status, claim.shown_by, False),
        "reason": claim.reason,
        "tests": str(len(claim.tests)),
    }


def of_prediction(compared: Comparison) -> Values:
    """What was expected of a removal before it ran, beside what came out."""
    expected = compared.prediction
    return {
        "direction": expected.direction,
        "size": numbers.number(expected.size, signed=True),
        "confidence": None if expected.confidence is None else numbers.percent(expected.confidence, 3),
        "observed": None if compared.observed is None else numbers.number(compared.observed, signed=True),
        "observed_direction": compared.direction,
        "outcome": None if compared.hit is None else _words().hits[compared.hit],
    }


def of_score(score: PredictionScore) -> Values:
    """How the predictions of one planner fared."""
    return {
        "n": str(score.n),
        "right": str(score.direction_hits),
        "error": _number(score.mean_absolute_error),
        "brier": None if score.brier is None else numbers.probability(round(score.brier, 3)),
    }


def _direction(effect: Effect, cost: float | None) -> str | None:
    """Only where a difference was shown."""
    if cost and (effect.nonzero or effect.verdict in ("matters", "hurts", "detected")):
        return "worse" if cost > 0 else "better"
    return None


def _in_delta(cost: float | None, floor: BaselineMetric | None) -> str | None:
    if cost is None or floor is None or floor.smallest_effect <= 0:
        return None
    return numbers.number(cost / floor.smallest_effect, signed=True)


def _to_settle(found: Effect | Interaction) -> str | None:
    return None if found.seeds_to_settle is None else _units(found.seeds_to_settle, found.unit)


def _units(n: int, unit: str, of: int | None = None) -> str:
    words = _words().units_of[unit]
    return f"{_words().seen(n, of)} {words['one'] if n == 1 else words['many']}"


def _delta(floor: BaselineMetric | None) -> str | None:
    return None if floor is None else numbers.exact(floor.smallest_effect)


def _number(value: float | None, uncertainty: numbers.Interval | float | None = None) -> str | None:
    return None if value is None else numbers.number(value, uncertainty)


def _interval(ends: numbers.Interval | None) -> str | None:
    return None if ends is None else numbers.interval(ends)


def _with_interval(value: float | None, ends: numbers.Interval | None) -> str | None:
    return None if value is None else numbers.with_interval(value, ends)


def _p(value: float | None) -> str | None:
    return None if value is None else numbers.p_value(value)


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else numbers.duration(seconds)


def _words() -> Any:
    return phrases("report/words.j2")
