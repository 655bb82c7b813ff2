"""Full factorials as findings: cells, analysis of variance with verdicts, and what each component is worth in context."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .analysis.factorial import FactorialEffect, FactorialTable, cells_of
from .analysis.looks import Rules
from .analysis.noise import is_at_floor
from .analysis.verdicts import JointFacts, factorial_verdict
from .crossing import Crossing, crossing_of
from .evidence import Evidence, sign_of
from .noisefloor import at_floor, noise_floor
from .planning.plan import Plan
from .records.factorial import ComponentInContext, Factorial, FactorialCell, FactorialRow
from .results import BaselineMetric, EffectVerdict, InteractionVerdict
from .rounds import caps_of, shown_negligible

Verdict = EffectVerdict | InteractionVerdict


@dataclass(frozen=True)
class _Seen:
    """One factorial on one metric, at one checkpoint or over all seeds."""

    evidence: Evidence
    plan: Plan
    crossing: Crossing
    name: str
    noise: BaselineMetric
    cap: int

    @property
    def rules(self) -> Rules:
        return self.evidence.rules_for(self.noise.smallest_effect)


def factorials_of(evidence: Evidence) -> Iterator[Factorial]:
    """Every factorial of the evidence's mode, on every metric that has a baseline."""
    for plan in evidence.plans:
        crossing = crossing_of(evidence, plan)
        if crossing is None:
            continue
        for name in evidence.spec.metrics:
            if seen := _see(evidence, plan, crossing, name):
                yield _factorial(seen)


def _see(evidence: Evidence, plan: Plan, crossing: Crossing, name: str) -> _Seen | None:
    noise = noise_floor(evidence, name)
    caps = caps_of(evidence, plan)
    asked = [caps[arm] for arm in crossing.arms if arm in caps]
    if noise is None:
        return None
    return _Seen(evidence, plan, crossing, name, noise, min(asked, default=evidence.looks[0].seeds))


def _factorial(seen: _Seen) -> Factorial:
    evidence, crossing = seen.evidence, seen.crossing
    missing = crossing.missing(evidence)
    cells = _cells(seen)
    found = Factorial(
        components=list(crossing.components),
        labels=[evidence.components[one].label for one in crossing.components],
        mode=evidence.mode,
        metric=seen.name,
        round=seen.plan.round,
        unit=seen.noise.unit,
        n=0,
        cells=cells,
        smallest_effect=seen.noise.smallest_effect,
        reason=_missing_cells(missing, 1 << len(crossing.components)),
    )
    return found if missing else found.model_copy(update=_analysed(seen, cells))


def _missing_cells(missing: Sequence[tuple[list[str], str]], cells: int) -> str | None:
    if not missing:
        return None
    removed, why = missing[0]
    first = f"{' + '.join(removed)}: {why}"
    return f"{len(missing)} of {cells} cells have no value ({first}), so there is no analysis of variance"


def _analysed(seen: _Seen, cells: Sequence[FactorialCell]) -> dict[str, object]:
    """The fields of a `Factorial` without gaps that its analysis gives."""
    table, verdicts = _judged(seen, cells)
    agreed = _agreement(seen)
    variation, by_examples = table.variation, seen.noise.unit in ("example", "cluster")
    rows = [
        _row(effect, verdict, counts)
        for effect, verdict, counts in zip(table.effects, verdicts, agreed or [None] * len(verdicts), strict=True)
    ]
    tested = table.effects[0].estimate.p is not None
    units = max(cell.n for cell in cells)
    return {
        "n": table.effects[0].estimate.n,
        "incomplete": 0 if by_examples or not tested else max(0, units - table.n),
        "rows": rows,
        "in_context": [_in_context(i, one, table) for i, one in enumerate(seen.crossing.components)],
        "error": ("pooled" if table.estimates.method == "pooled" else "own") if tested else None,
        "bartlett_p": table.estimates.bartlett_p,
        "between_units": variation.units if variation else None,
        "residual": variation.residual if variation else None,
        "residual_df": variation.residual_df if variation else None,
        "total": variation.total if variation else None,
        "reason": None if tested else "not every cell has finished the first look yet",
    }


def _judged(seen: _Seen, cells: Sequence[FactorialCell]) -> tuple[FactorialTable, list[Verdict]]:
    table = seen.crossing.table(seen.evidence, seen.name, seen.cap, seen.rules)
    quiet = set(shown_negligible(seen.evidence, seen.name, seen.plan.round))
    low = [set(cell.removed) for cell in cells if cell.at_floor]

    def verdict(effect: FactorialEffect) -> Verdict:
        facts = JointFacts(
            order=len(effect.components),
            singles_negligible=all(frozenset((one,)) in quiet for one in effect.components),
            saturated=any(set(effect.components) <= removed for removed in low),
            at_floor=at_floor(seen.noise),
        )
        return factorial_verdict(effect.estimate, facts, seen.rules)

    return table, [verdict(effect) for effect in table.effects]


def _agreement(seen: _Seen) -> list[dict[str, int]] | None:
    """Row by row: verdict → checkpoints; None where one table speaks for all."""
    evidence = seen.evidence
    if not evidence.by_examples(seen.name) or len(evidence.seeds_at_hand) < 2:
        return None
    each: list[list[Verdict]] = []
    for seed in evidence.seeds_at_hand:
        other = _see(evidence.at(seed), seen.plan, seen.crossing, seen.name)
        if other is not None:
            each.append(_judged(other, _cells(other))[1])
    return [dict(Counter(verdicts).most_common()) for verdicts in zip(*each, strict=True)]


def _cells(seen: _Seen) -> list[FactorialCell]:
    sign, noise = sign_of(seen.noise.goal), seen.noise
    missing = {frozenset(removed): why for removed, why in seen.crossing.missing(seen.evidence)}
    found: list[FactorialCell] = []
    values = seen.crossing.values(seen.evidence, seen.name, seen.cap)
    for removed, cell in zip(cells_of(seen.crossing.components), values, strict=True):
        present = cell.values[np.isfinite(cell.values)]
        mean = float(present.mean()) if present.size else None
        found.append(
            FactorialCell(
                removed=sorted(removed),
                mean=None if mean is None else sign * mean,
                sd=float(present.std(ddof=1)) if present.size > 1 else None,
                n=int(present.size),
                at_floor=_is_low(mean, noise),
                missing=missing.get(removed),
            )
        )
    return found


def _is_low(mean: float | None, noise: BaselineMetric) -> bool:
    """Whether a cell's mean, turned so that larger is better, lies within noise of the floor."""
    if mean is None or noise.floor is None:
        return False
    return is_at_floor(mean, noise.of_the_mean, sign_of(noise.goal) * noise.floor)


def _row(effect: FactorialEffect, verdict: Verdict, agreement: dict[str, int] | None) -> FactorialRow:
    estimate, pooled, own = effect.estimate, effect.pooled, effect.own
    return FactorialRow(
        components=list(effect.components),
        contrast=estimate.loss,
        interval=estimate.interval,
        level=estimate.level,
        sum_of_squares=effect.sum_of_squares,
        eta_squared=effect.eta_squared,
        partial_eta_squared=effect.partial_eta_squared,
        f_pooled=pooled.f if pooled else None,
        p_pooled=pooled.p if pooled else None,
        f_own=own.f if own else None,
        p_own=own.p if own else None,
        df_own=own.df if own else None,
        p=estimate.p,
        p_adjusted=estimate.p_adjusted,
        p_equivalence=estimate.p_equivalence,
        verdict=verdict,
        agreement=agreement,
    )


def _in_context(i: int, component: str, table: FactorialTable) -> ComponentInContext:
    first, average, last = table.first[i], table.effects[i].estimate, table.last[i]
    return ComponentInContext(
        component=component,
        first=first.loss,
        first_interval=first.interval,
        average=average.loss,
        average_interval=average.interval,
        last=last.loss,
        last_interval=last.interval,
    )
