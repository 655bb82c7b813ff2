"""What moves one data set and not another: the losses on metrics that differ in their data set alone, contrasted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..executor.inside.columns import dataset_of
from .analysis.contrasts import single_removals
from .analysis.datasets import SeedPair, differences_over_examples, differences_over_seeds
from .analysis.estimates import Estimate
from .analysis.joint import Arm as Values
from .analysis.noise import is_at_floor
from .analysis.verdicts import EffectFacts, effect_verdict
from .evidence import Evidence, sign_of
from .findings import MetricFindings
from .noisefloor import at_floor, noise_floor
from .overexamples import arms_table
from .planning.plan import BASELINE, Ablation
from .records.datasets import DatasetContrast, DatasetVerdict
from .results import BaselineMetric, Effect, EffectVerdict
from .rounds import caps_of
from .spec import StudySpec

VERDICTS: dict[EffectVerdict, DatasetVerdict] = {
    "matters": "differs",
    "hurts": "differs",
    "negligible": "alike",
    "detected": "detected",
    "undecided": "undecided",
}
"""What the rules for a loss say of a difference of two losses."""
UNMEASURED = ("structural", "no-op")
"""Effects without a loss: these are told with the effects."""


Floors = Mapping[str, BaselineMetric]
"""The noise floor of each metric."""


class Pair(NamedTuple):
    """Two metrics by their full names."""

    first: str
    second: str

    @property
    def metric(self) -> str:
        """What both measure."""
        return self.first.rpartition("/")[2]


class _Test(NamedTuple):
    estimate: Estimate
    verdict: DatasetVerdict
    reason: str | None


def pairs_of(spec: StudySpec) -> list[Pair]:
    """Of each metric that several data sets have: the primary one's data set against every other, else the first one's."""
    groups: dict[str, list[str]] = {}
    for name in spec.metrics:
        if dataset_of(name):
            groups.setdefault(name.rpartition("/")[2], []).append(name)
    found: list[Pair] = []
    for names in groups.values():
        first = spec.primary if spec.primary in names else names[0]
        found += [Pair(first, other) for other in names if other != first]
    return found


def contrast_datasets(evidence: Evidence, found: Mapping[str, MetricFindings]) -> list[DatasetContrast]:
    """Every confirmatory removal of round 1 that has a loss on both, pair by pair; one family of them all."""
    pairs = [one for one in pairs_of(evidence.spec) if found[one.first].noise and found[one.second].noise]
    if not pairs or not evidence.plans:
        return []
    tests = _tests(evidence, pairs)
    others = [evidence.at(seed) for seed in evidence.seeds_at_hand if seed != evidence.seed]
    elsewhere = [_tests(one, pairs) for one in others if any(_by_examples(one, pair) for pair in pairs)]
    told: list[DatasetContrast] = []
    for (name, pair), test in tests.items():
        first, second = (_effect(found[metric].effects, name) for metric in pair)
        if first.verdict not in UNMEASURED and second.verdict not in UNMEASURED:
            agreed = Counter(each[name, pair].verdict for each in (tests, *elsewhere) if (name, pair) in each)
            agreement = dict(agreed.most_common()) if elsewhere and _by_examples(evidence, pair) else None
            delta = _delta({metric: noise for metric in pair if (noise := found[metric].noise)}, pair)
            told.append(_record(evidence, pair, (first, second), test, delta, agreement))
    return told


def _effect(effects: Sequence[Effect], name: str) -> Effect:
    return next(one for one in effects if one.ablation == name)


def _tests(evidence: Evidence, pairs: Sequence[Pair]) -> dict[tuple[str, Pair], _Test]:
    family = [
        one for one in evidence.family(evidence.plans[0]) if one.role == "confirmatory" and len(one.components) == 1
    ]
    floors = {
        name: noise
        for name in dict.fromkeys(name for pair in pairs for name in pair)
        if (noise := noise_floor(evidence, name))
    }
    known = [pair for pair in pairs if pair.first in floors and pair.second in floors]
    sampled = [pair for pair in known if _by_examples(evidence, pair)]
    by_run = [pair for pair in known if pair not in sampled]
    estimates = _over_examples(evidence, family, sampled, floors) | _over_seeds(evidence, family, by_run, floors)
    return {
        (one.id, pair): _judge(evidence, one, pair, estimate, floors)
        for pair in known
        for one, estimate in zip(family, estimates[pair], strict=True)
    }


def _by_examples(evidence: Evidence, pair: Pair) -> bool:
    return all(evidence.by_examples(name) for name in pair)


def _over_examples(
    evidence: Evidence, family: Sequence[Ablation], pairs: Sequence[Pair], floors: Floors
) -> dict[Pair, Sequence[Estimate]]:
    """Every data set has its own examples, as many as it likes."""
    size = len(family) * len(pairs)
    names = dict.fromkeys(name for pair in pairs for name in pair)
    losses = {name: _losses(evidence, family, name, size) for name in names}
    deltas = [_delta(floors, pair) for pair in pairs for _ in family]
    first, second = ([one for pair in pairs for one in losses[pair[end]]] for end in (0, 1))
    found = differences_over_examples(first, second, deltas, evidence.spec.study.alpha)
    return {pair: found[i * len(family) : (i + 1) * len(family)] for i, pair in enumerate(pairs)}


def _losses(evidence: Evidence, family: Sequence[Ablation], name: str, size: int) -> Sequence[Estimate]:
    arms = ["" if evidence.arm(one.id).idle else one.id for one in family]
    contrasts, rules = single_removals(len(family)), evidence.rules_for(0.0)
    return arms_table(evidence, name, arms, contrasts, rules, size).estimates


def _over_seeds(
    evidence: Evidence, family: Sequence[Ablation], pairs: Sequence[Pair], floors: Floors
) -> dict[Pair, Sequence[Estimate]]:
    caps = caps_of(evidence, evidence.plans[0])
    both = [
        SeedPair(
            _values(evidence, BASELINE, pair, None),
            [_values(evidence, one.id, pair, caps.get(one.id)) for one in family],
            _delta(floors, pair),
        )
        for pair in pairs
    ]
    found = differences_over_seeds(both, evidence.rules_for(0.0))
    return dict(zip(pairs, found, strict=True))


def _values(evidence: Evidence, name: str, pair: Pair, cap: int | None) -> tuple[Values, Values]:
    return evidence.values(name, pair.first, cap), evidence.values(name, pair.second, cap)


def _delta(floors: Floors, pair: Pair) -> float:
    return max(floors[name].smallest_effect for name in pair)


def _judge(evidence: Evidence, ablation: Ablation, pair: Pair, estimate: Estimate, floors: Floors) -> _Test:
    chance = [name for name in pair if at_floor(floors[name])]
    if chance:
        reason = f"the baseline's {' and '.join(chance)} is within noise of its floor: nothing can be lost there"
        return _Test(estimate, "untestable", reason)
    found = effect_verdict(estimate, EffectFacts(), evidence.rules_for(_delta(floors, pair)))
    if found.verdict == "untestable":
        waiting = not _over(evidence, ablation, by_examples=_by_examples(evidence, pair))
        return _Test(estimate, "undecided" if waiting else "untestable", None if waiting else found.reason)
    capped = [name for name in pair if _capped(evidence, ablation, name, floors[name])]
    reason = f"{' and '.join(capped)} without it is within noise of its floor, which caps that loss" if capped else None
    return _Test(estimate, VERDICTS[found.verdict], reason)


def _over(evidence: Evidence, ablation: Ablation, *, by_examples: bool) -> bool:
    """Whether nothing more will come of an arm at the first look, or at this checkpoint."""
    arm = evidence.arm(ablation.id)
    ended = evidence.seed in arm.trials if by_examples else arm.finished(evidence.looks[0].seeds)
    return ended or arm.broken or arm.hopeless or arm.idle


def _capped(evidence: Evidence, ablation: Ablation, name: str, noise: BaselineMetric) -> bool:
    sign = sign_of(noise.goal)
    sampled = evidence.by_examples(name)
    values = evidence.on_examples(ablation.id, name) if sampled else evidence.values(ablation.id, name).values
    present = values[np.isfinite(values)]
    if noise.floor is None or not present.size:
        return False
    return is_at_floor(float(present.mean()), noise.of_the_mean, sign * noise.floor)


def _record(
    evidence: Evidence,
    pair: Pair,
    effects: tuple[Effect, Effect],
    test: _Test,
    delta: float,
    agreement: dict[str, int] | None,
) -> DatasetContrast:
    (first, second), estimate = effects, test.estimate
    losses = [
        None if one.delta is None else -sign_of(evidence.spec.metrics[one.metric].goal) * one.delta for one in effects
    ]
    return DatasetContrast(
        ablation=first.ablation,
        components=first.components,
        labels=first.labels,
        mode=evidence.mode,
        metric=pair.metric,
        first=pair.first,
        second=pair.second,
        first_loss=losses[0],
        second_loss=losses[1],
        first_verdict=first.verdict,
        second_verdict=second.verdict,
        difference=estimate.loss,
        interval=estimate.interval,
        level=estimate.level,
        p=estimate.p,
        p_adjusted=estimate.p_adjusted,
        p_equivalence=estimate.p_equivalence,
        smallest_effect=delta,
        first_n=first.n,
        second_n=second.n,
        unit=first.unit,
        verdict=test.verdict,
        reason=test.reason,
        agreement=agreement,
    )
