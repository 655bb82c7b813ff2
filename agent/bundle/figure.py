"""The figure of a row as it comes out of trials: its delta, or the contrast of a joint removal."""

from collections.abc import Sequence

from ..evidence import Evidence, sign_of
from ..findings import find
from ..planning.plan import BASELINE
from .originals import Originals


def figure_of(evidence: Evidence, originals: Originals, metric: str, seeds: Sequence[int]) -> float | None:
    """On the metric's own scale, a contrast as a loss; None where not all that it is made of was measured.

    Args:
        evidence: of the mode and split that was reported.
        originals: whose trials they are.
        metric: by name.
        seeds: that count; over examples those of the first trained model do.
    """
    row = originals.row
    joint = row.figure(metric)[0] == "contrast"
    if not evidence.by_examples(metric):
        return _over_seeds(evidence, originals, metric, seeds, joint=joint)
    found = find(evidence, metric)
    if joint:
        return next((one.contrast for one in found.interactions if one.ablation == row.ablation), None)
    return next((one.delta for one in found.effects if one.ablation == row.ablation), None)


def _over_seeds(
    evidence: Evidence, originals: Originals, metric: str, seeds: Sequence[int], *, joint: bool
) -> float | None:
    """The mean over the seeds at which everything was measured."""
    names = [BASELINE, originals.arm, *(originals.members if joint else [])]
    baseline, *arms = [_values(evidence, name, metric) for name in names]
    shared = [seed for seed in seeds if all(seed in one for one in (baseline, *arms))]
    if not shared:
        return None
    delta, *others = [sum(one[seed] - baseline[seed] for seed in shared) / len(shared) for one in arms]
    return -sign_of(evidence.spec.metrics[metric].goal) * (delta - sum(others)) if joint else delta


def _values(evidence: Evidence, arm: str, metric: str) -> dict[int, float]:
    rows = [(row.seed, row.metrics.get(evidence.split, {})) for row in evidence.arm(arm).measured]
    return {seed: values[metric] for seed, values in rows if metric in values}
