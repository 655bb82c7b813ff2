"""What removals do to single classes, where evaluations gave `target` and `prediction`: screens beside the effects."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .analysis.arrays import Floats, Ints
from .analysis.classes import (
    Deltas,
    Scores,
    differences_over_seeds,
    moved,
    ratios_over_examples,
    recall_over_examples,
    scores,
    screen,
)
from .evidence import Evidence
from .labels import Labelled, labelled
from .planning.plan import BASELINE, Ablation
from .records.classes import ClassEffect, ClassScores, ClassVerdict, ConfusionShift, MovedCell
from .results import Interval, Unit
from .rounds import caps_of

MOST_CELLS = 20
"""Cells of a confusion matrix that are told for an ablation."""


class ClassFindings(NamedTuple):
    """Of one mode."""

    effects: list[ClassEffect]
    confusions: list[ConfusionShift]


class _Seen(NamedTuple):
    """One data set: the baseline's evaluations, and those of the arms that were made on the very same examples."""

    dataset: str
    arms: list[Ablation]
    trials: list[tuple[Labelled, Mapping[str, Labelled]]]
    """One a seed; a trained model's is alone. The baseline, and by ablation."""
    labels: Ints
    """Every class that is a target or was predicted, shape [C]."""
    by_seed: bool

    def rows(self, trial: int) -> tuple[list[int], Ints]:
        """Indices of the arms with this trial, and all predictions with the baseline's first, shape [1 + those, N]."""
        baseline, found = self.trials[trial]
        at = [i for i, one in enumerate(self.arms) if one.id in found]
        return at, np.stack([baseline.prediction, *(found[self.arms[i].id].prediction for i in at)])


class _Measured(NamedTuple):
    """A data set's scores of all arms, and the tests of their recall."""

    seen: _Seen
    values: Scores
    """Shape [1 + A, C, S]."""
    recall: Deltas


def class_findings(evidence: Evidence) -> ClassFindings:
    """Every class under every ablation but controls; empty without target and prediction in the baseline's examples."""
    alpha = evidence.spec.study.alpha
    measured = [_measure(seen, alpha) for seen in _datasets(evidence)]
    if not measured:
        return ClassFindings([], [])
    p = np.concatenate([one.recall.p.ravel() for one in measured])
    adjusted, each = screen(p, alpha)
    effects: list[ClassEffect] = []
    start = 0
    for one in measured:
        own = adjusted[start : start + one.recall.p.size].reshape(one.recall.p.shape)
        start += one.recall.p.size
        effects += _effects(evidence, one, own, each)
    return ClassFindings(effects, [shift for one in measured for shift in _shifts(evidence, one.seen)])


def _datasets(evidence: Evidence) -> list[_Seen]:
    seeds = [evidence.seed] if evidence.mode == "reevaluate" else evidence.seeds_at_hand
    baselines = {seed: labelled(evidence.columns_at(BASELINE, seed)) for seed in seeds if seed is not None}
    datasets = dict.fromkeys(name for one in baselines.values() for name in one)
    if not datasets:
        return []
    asked = [one for plan in evidence.plans for one in evidence.asked(plan) if one.role != "control"]
    if evidence.mode == "reevaluate":
        asked = [one for one in asked if not evidence.stopped_early(one.id)]  # classes are told of whole sets
    arms = [one for one in asked if evidence.arm(one.id).measured and not evidence.arm(one.id).idle]
    caps = _caps(evidence)
    at = {
        (one.id, seed): labelled(evidence.columns_at(one.id, seed)) if seed < caps.get(one.id, seed + 1) else {}
        for one in arms
        for seed in baselines
    }
    found = [_dataset(evidence, name, arms, baselines, at) for name in datasets]
    return [one for one in found if one.arms]


def _caps(evidence: Evidence) -> dict[str, int]:
    """Ablation → the seeds that its looks have asked for, as in the tables of effects; empty for trained models."""
    if evidence.mode == "reevaluate":
        return {}
    return {name: cap for plan in evidence.plans for name, cap in caps_of(evidence, plan).items()}


def _dataset(
    evidence: Evidence,
    dataset: str,
    arms: Sequence[Ablation],
    baselines: Mapping[int, Mapping[str, Labelled]],
    at: Mapping[tuple[str, int], Mapping[str, Labelled]],
) -> _Seen:
    trials: list[tuple[Labelled, Mapping[str, Labelled]]] = []
    for seed, baseline in baselines.items():
        if dataset in baseline:
            usual = baseline[dataset]
            given = {one.id: at[one.id, seed].get(dataset) for one in arms}
            trials.append((usual, {name: one for name, one in given.items() if one and _same(usual, one)}))
    columns = [
        each for usual, found in trials for one in (usual, *found.values()) for each in (one.target, one.prediction)
    ]
    labels = np.unique(np.concatenate([np.unique(each) for each in columns]))
    own = [one for one in arms if any(one.id in found for _, found in trials)]
    return _Seen(dataset, own, trials, labels, evidence.mode != "reevaluate")


def _same(usual: Labelled, one: Labelled) -> bool:
    return np.array_equal(usual.target, one.target)


def _measure(seen: _Seen, alpha: float) -> _Measured:
    shape = (1 + len(seen.arms), seen.labels.size, len(seen.trials))
    values = Scores(*(np.full(shape, np.nan) for _ in range(3)))
    for s, (baseline, _) in enumerate(seen.trials):
        at, predictions = seen.rows(s)
        rows = [0, *(1 + i for i in at)]
        for whole, part in zip(values, scores(baseline.target, predictions, seen.labels), strict=True):
            whole[rows, :, s] = part
    return _Measured(seen, values, _recall(seen, values, alpha))


def _recall(seen: _Seen, values: Scores, alpha: float) -> Deltas:
    if seen.by_seed:
        return differences_over_seeds(values.recall, alpha)
    baseline, _ = seen.trials[0]
    return recall_over_examples(baseline.target, seen.rows(0)[1], seen.labels, alpha, baseline.clusters)


def _effects(evidence: Evidence, one: _Measured, adjusted: Floats, alpha: float) -> list[ClassEffect]:
    """`adjusted`: of recall, shape [A, C]; `alpha`: the error of each interval, which the whole screen has settled."""
    seen, recall = one.seen, _recall(one.seen, one.values, alpha)
    baseline = seen.trials[0][0]
    if seen.by_seed:
        precision, f1 = (differences_over_seeds(each, alpha) for each in (one.values.precision, one.values.f1))
    else:
        rows = seen.rows(0)[1]
        precision, f1 = ratios_over_examples(baseline.target, rows, seen.labels, alpha, baseline.clusters)
    unit: Unit = "seed" if seen.by_seed else "example" if baseline.clusters is None else "cluster"
    return [
        ClassEffect(
            ablation=arm.id,
            components=arm.components,
            labels=[evidence.components[each].label for each in arm.components],
            mode=evidence.mode,
            dataset=seen.dataset or None,
            target=label,
            support=int((baseline.target == label).sum()),
            baseline=_scores(one.values, 0, c),
            ablated=_scores(one.values, 1 + a, c),
            recall_delta=_number(recall.delta[a, c]),
            recall_interval=_interval(recall, a, c),
            precision_delta=_number(precision.delta[a, c]),
            precision_interval=_interval(precision, a, c),
            f1_delta=_number(f1.delta[a, c]),
            f1_interval=_interval(f1, a, c),
            level=1 - alpha,
            p=_number(recall.p[a, c]),
            p_adjusted=_number(adjusted[a, c]),
            n=int(recall.n[a, c]),
            unit=unit,
            verdict=_verdict(recall.delta[a, c], adjusted[a, c], evidence.spec.study.alpha),
        )
        for a, arm in enumerate(seen.arms)
        for c, label in enumerate(seen.labels.tolist())
    ]


def _verdict(delta: float, adjusted: float, alpha: float) -> ClassVerdict:
    if np.isnan(adjusted):
        return "untestable"
    if adjusted > alpha:
        return "undecided"
    return "loses" if delta < 0 else "gains"


def _scores(values: Scores, row: int, c: int) -> ClassScores:
    means = [_number(np.nanmean(each)) if np.isfinite(each := one[row, c]).any() else None for one in values]
    return ClassScores(recall=means[0], precision=means[1], f1=means[2])


def _interval(found: Deltas, a: int, c: int) -> Interval | None:
    low, high = _number(found.low[a, c]), _number(found.high[a, c])
    return None if low is None or high is None else (low, high)


def _number(value: np.floating) -> float | None:
    return None if np.isnan(value) else float(value)


def _shifts(evidence: Evidence, seen: _Seen) -> list[ConfusionShift]:
    found = [_shift(evidence, seen, one) for one in seen.arms]
    return [one for one in found if one.cells]


def _shift(evidence: Evidence, seen: _Seen, arm: Ablation) -> ConfusionShift:
    """Counts of all shared evaluations, summed cell by cell where any of them differs."""
    shared = [(usual, found[arm.id]) for usual, found in seen.trials if arm.id in found]
    target, before, after = (
        np.concatenate(parts)
        for parts in (
            [usual.target for usual, _ in shared],
            [usual.prediction for usual, _ in shared],
            [one.prediction for _, one in shared],
        )
    )
    changed = moved(target, before, after)
    most = sorted(changed, key=lambda cell: (-abs(changed[cell][1] - changed[cell][0]), cell))[:MOST_CELLS]
    return ConfusionShift(
        ablation=arm.id,
        components=arm.components,
        labels=[evidence.components[each].label for each in arm.components],
        mode=evidence.mode,
        dataset=seen.dataset or None,
        trials=len(shared),
        cells=[MovedCell(target=t, prediction=p, baseline=changed[t, p][0], ablated=changed[t, p][1]) for t, p in most],
        left=max(0, len(changed) - MOST_CELLS),
    )
