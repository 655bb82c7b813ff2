"""From the runs of an equal tuning to records: each arm's effect with the baseline and the arm at the settings they chose."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .analysis.effects import effect_table
from .analysis.estimates import Estimate, Table
from .analysis.joint import Arm as Values
from .analysis.looks import Look, Rules
from .analysis.noise import is_at_floor, run_noise
from .analysis.verdicts import EffectFacts, effect_verdict
from .arms import Arm
from .evidence import Evidence, sign_of
from .noisefloor import noise_floor
from .planning.plan import BASELINE
from .records.retuning import Retuned, Retuning, TriedSetting
from .results import Effect, Interval
from .retuning import Tuning, Variant, choose, is_over

Variants = dict[str, list[Variant]]


def retuning_record(tuning: Tuning | None, evidence: Evidence) -> Retuning | None:
    """What was tuned and what the baseline chose; None before the choice."""
    variants = tuning.variants(evidence) if tuning else {}
    chosen = choose(tuning, evidence, variants) if tuning else None
    if tuning is None or chosen is None:
        return None
    return Retuning(
        own=tuning.own,
        values=tuning.values,
        seeds=tuning.seeds,
        measured=tuning.measured,
        split=evidence.planning_split,
        arms=tuning.arms,
        grid=_grid(tuning, evidence, variants[BASELINE], chosen[BASELINE]),
        runs=_runs(tuning, evidence, variants[BASELINE]),
    )


def with_retuned(effects: Sequence[Effect], tuning: Tuning | None, evidence: Evidence) -> list[Effect]:
    """The effects of one mode, those of retuned arms with what came out at equally tuned hyperparameters."""
    found = _retuned(tuning, evidence) if tuning and evidence.mode == "retrain" else {}
    primary = evidence.spec.primary
    return [
        one.model_copy(update={"retuned": found[one.ablation]})
        if one.metric == primary and one.ablation in found
        else one
        for one in effects
    ]


def _retuned(tuning: Tuning, evidence: Evidence) -> dict[str, Retuned]:
    """By ablation, those whose seeds have all ended."""
    variants = tuning.variants(evidence)
    chosen = choose(tuning, evidence, variants)
    noise = noise_floor(evidence, evidence.spec.primary)
    if chosen is None or noise is None:
        return {}
    arms = {name: evidence.arm(chosen[name].arm) for name in tuning.names}
    if not is_over(arms[BASELINE], tuning.fresh_seeds):
        return {}
    alpha = evidence.spec.study.alpha
    rules = Rules(noise.smallest_effect, (Look(tuning.measured, alpha),), alpha)
    table = _table(tuning, evidence, arms, rules)
    return {
        name: _record(tuning, evidence, name, variants, chosen, estimate, rules)
        for name, estimate in zip(tuning.arms, table.estimates, strict=True)
        if is_over(arms[name], tuning.fresh_seeds)
    }


def _table(tuning: Tuning, evidence: Evidence, arms: dict[str, Arm], rules: Rules) -> Table:
    """All retuned arms are one family, whether or not each is through."""
    seen = {name: _fresh(tuning, evidence, arm) for name, arm in arms.items()}
    return effect_table(
        seen[BASELINE].values,
        np.stack([seen[name].values for name in tuning.arms]),
        baseline_finished=seen[BASELINE].finished,
        finished=np.stack([seen[name].finished for name in tuning.arms]),
        rules=rules,
    )


def _fresh(tuning: Tuning, evidence: Evidence, arm: Arm) -> Values:
    """Values at the seeds that chose nothing, shape [measured], larger is better."""
    metric = evidence.spec.primary
    sign = sign_of(evidence.spec.metrics[metric].goal)
    every = arm.values(evidence.split, metric, sign, tuning.fresh_seeds.stop)
    over = is_over(arm, tuning.fresh_seeds)
    return Values(every.values[tuning.seeds :], every.finished[tuning.seeds :] | over)


def _record(
    tuning: Tuning,
    evidence: Evidence,
    name: str,
    variants: Variants,
    chosen: dict[str, Variant],
    estimate: Estimate,
    rules: Rules,
) -> Retuned:
    arm, baseline = (evidence.arm(chosen[one].arm) for one in (name, BASELINE))
    found = effect_verdict(estimate, EffectFacts(at_floor=_at_floor(tuning, evidence, baseline)), rules)
    sign = sign_of(evidence.spec.metrics[evidence.spec.primary].goal)
    usual, ablated = (sign * _fresh(tuning, evidence, one).values for one in (baseline, arm))
    shared = np.isfinite(usual) & np.isfinite(ablated)
    failed = Counter(one.status for one in arm.failed if one.seed in tuning.fresh_seeds)
    why = ", ".join(f"{count} {status}" for status, count in failed.items())
    return Retuned(
        setting=chosen[name].setting,
        baseline_setting=chosen[BASELINE].setting,
        kept=[key for key in tuning.values if key not in chosen[name].setting],
        baseline=float(usual[shared].mean()) if shared.any() else None,
        ablated=float(ablated[shared].mean()) if shared.any() else None,
        delta=None if estimate.loss is None else -sign * estimate.loss,
        interval=_turned(estimate.interval, -sign),
        level=estimate.level,
        p=estimate.p,
        p_adjusted=estimate.p_adjusted,
        p_equivalence=estimate.p_equivalence,
        n=estimate.n,
        failed=failed.total(),
        verdict=found.verdict,
        nonzero=found.nonzero,
        reason=f"{found.reason}{f' ({why})' if why else ''}" if found.reason else None,
        runs=_runs(tuning, evidence, variants[name]),
        grid=_grid(tuning, evidence, variants[name], chosen[name]),
    )


def _at_floor(tuning: Tuning, evidence: Evidence, baseline: Arm) -> bool:
    """Whether the tuned baseline lies within noise of chance."""
    metric = evidence.spec.metrics[evidence.spec.primary]
    noise = run_noise(_fresh(tuning, evidence, baseline).values)
    if metric.floor is None or noise is None:
        return False
    return is_at_floor(noise.mean, noise.sd or 0.0, sign_of(metric.goal) * metric.floor)


def _turned(interval: Interval | None, sign: int) -> Interval | None:
    if interval is None:
        return None
    low, high = sorted((sign * interval[0], sign * interval[1]))
    return low, high


def _runs(tuning: Tuning, evidence: Evidence, variants: Sequence[Variant]) -> int:
    arms = [evidence.arm(one.arm) for one in variants]
    return sum(arm.finished_at([seed]) for arm in arms for seed in tuning.tuning_seeds)


def _grid(tuning: Tuning, evidence: Evidence, variants: Sequence[Variant], chosen: Variant) -> list[TriedSetting]:
    return [_tried(tuning, evidence.looked_at, one, chosen=one is chosen) for one in variants]


def _tried(tuning: Tuning, seen: Evidence, variant: Variant, *, chosen: bool) -> TriedSetting:
    arm, metric = seen.arm(variant.arm), seen.spec.primary
    values = arm.values(seen.split, metric, 1, tuning.seeds).values
    failed = Counter(one.status for one in arm.failed if one.seed in tuning.tuning_seeds)
    mean = float(values.mean()) if np.isfinite(values).all() else None
    return TriedSetting(setting=variant.setting, mean=mean, failed=dict(failed), chosen=chosen)
