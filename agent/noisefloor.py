"""The baseline's mean and noise on one metric, and what can be settled with it: what a study prints before it removes anything."""

import math

from .analysis.looks import Look
from .analysis.noise import (
    Family,
    RunNoise,
    is_at_floor,
    minimum_detectable_effect,
    proposed_delta,
    run_noise,
    seeds_for_equivalence,
)
from .evidence import Evidence, sign_of
from .results import BaselineMetric, Mode, Unit

UNITS: dict[Mode, Unit] = {"retrain": "seed", "recover": "seed", "reevaluate": "checkpoint"}


def noise_floor(evidence: Evidence, name: str) -> BaselineMetric | None:
    """The noise floor of the metric `name`; None before a baseline run is done."""
    if evidence.by_examples(name):
        return _over_examples(evidence, name)
    study, metric = evidence.spec.study, evidence.spec.metrics[name]
    values = evidence.baseline.values(evidence.split, name, 1, evidence.columns).values
    noise = run_noise(values)
    if noise is None:
        return None
    delta = smallest_effect(evidence, name)
    family = max(1, len(evidence.family(evidence.plans[0]))) if evidence.plans else 1
    return BaselineMetric(
        mean=noise.mean,
        sd=noise.sd or 0.0,
        n=noise.n,
        unit=UNITS[evidence.mode],
        minimum_detectable_effect=_detectable(noise, evidence.looks[0], family),
        goal=metric.goal,
        floor=metric.floor,
        smallest_effect=delta,
        smallest_effect_proposed=metric.smallest_effect is None,
        seeds_for_negligible=_for_negligible(noise, delta, study.alpha, family),
        max_seeds=study.max_seeds if evidence.mode != "reevaluate" else evidence.checkpoints,
    )


def smallest_effect(evidence: Evidence, name: str) -> float:
    """δ of the metric `name`: declared, or proposed from the baseline; 0 before a baseline run is done."""
    declared = evidence.spec.metrics[name].smallest_effect
    if declared:
        return declared
    if not evidence.by_examples(name):
        return proposed(evidence, name) or 0.0
    noise = run_noise(evidence.on_examples("baseline", name))
    return _proposed_over_examples(evidence, name, noise) if noise else 0.0


def proposed(evidence: Evidence, name: str) -> float | None:
    """δ where the study declares none: 2σ of the first look's baseline runs, on what planning may see."""
    return proposed_delta(evidence.baseline.values(evidence.planning_split, name, 1, evidence.looks[0].seeds).values)


def at_floor(noise: BaselineMetric) -> bool:
    """Whether the baseline is within noise of chance, where nothing can be lost."""
    sign = sign_of(noise.goal)
    return noise.floor is not None and is_at_floor(sign * noise.mean, noise.of_the_mean, sign * noise.floor)


def _over_examples(evidence: Evidence, name: str) -> BaselineMetric | None:
    metric = evidence.spec.metrics[name]
    noise = run_noise(sign_of(metric.goal) * evidence.on_examples("baseline", name))
    if noise is None:
        return None
    delta, units = smallest_effect(evidence, name), _units(evidence, name, noise)
    return BaselineMetric(
        mean=noise.mean,
        sd=noise.sd or 0.0,
        n=units,
        unit="example" if evidence.clusters_of(name) is None else "cluster",
        minimum_detectable_effect=None,
        goal=metric.goal,
        floor=metric.floor,
        smallest_effect=delta,
        smallest_effect_proposed=metric.smallest_effect is None,
        max_seeds=units,
    )


def _units(evidence: Evidence, name: str, noise: RunNoise) -> int:
    clusters = evidence.clusters_of(name)
    return noise.n if clusters is None else len(set(clusters.tolist()))


def _proposed_over_examples(evidence: Evidence, name: str, noise: RunNoise) -> float:
    """2σ from one trained model to the next; of a single one, twice the standard error of its mean."""
    between = proposed(evidence, name) if len(evidence.seeds_at_hand) > 1 else None
    return between or 2 * (noise.sd or 0.0) / math.sqrt(_units(evidence, name, noise))


def _detectable(noise: RunNoise, look: Look, family: int) -> float | None:
    if noise.sd is None or look.seeds < 2:
        return None
    return minimum_detectable_effect(noise.sd, look.seeds, Family(look.alpha, family, family))


def _for_negligible(noise: RunNoise, delta: float, alpha: float, family: int) -> int | None:
    return None if noise.sd is None else seeds_for_equivalence(noise.sd, delta, Family(alpha, family, family))
