"""What a study will be able to settle, foretold once its baseline is known and before anything is removed."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from .analysis.arrays import Floats
from .analysis.forecast import (
    HALF,
    Chances,
    Design,
    chances,
    delta_that_settles,
    last_look_that_settles,
    seeds_that_settle,
    targets_that_settle,
)
from .analysis.looks import Look
from .analysis.noise import Family, minimum_detectable_effect
from .analysis.scenarios import (
    Sample,
    chances_apart,
    chances_changed,
    largest_sd,
    most_changed,
    units_apart,
    units_changed,
)
from .analysis.stopping import SHARE
from .arms import seconds_of
from .budget import Budget
from .evidence import Evidence
from .ledger import FINISHED, Ledger
from .noisefloor import noise_floor
from .planning.plan import BASELINE, Ablation
from .records.power import LookAhead, Power, Remedies, Scenario
from .results import BaselineMetric, Mode

EFFECT = 2.0
"""What should be shown to matter, in δ."""
CHANGED = (0.01, 0.05, 0.2)
"""Shares of changed answers that are gone through."""
APART = (0.01, 0.1, 2**0.5)
"""Standard deviations of a difference, in σ of one example: the last is that of independent answers."""


@dataclass(frozen=True)
class _Settled:
    """What can be settled, whatever it costs."""

    looks: list[LookAhead]
    scenarios: list[Scenario]
    hopeless: bool
    remedies: Remedies | None
    most_changed: float | None = None
    largest_sd: float | None = None


def foresee(
    evidence: Evidence, budget: Budget, workers: int, processor: float = 0.0, *, stops: bool = False
) -> Power | None:
    """What the first round will settle on the primary metric; None before the noise is known or without a plan.

    Args:
        evidence: with the baseline.
        budget: of this run.
        workers: trials at once.
        processor: seconds that one trial takes of it, with the start of its process: short trials wait for these.
        stops: whether removals may stop early, which takes a share of α from the test on the whole set.
    """
    name = evidence.spec.primary
    noise = noise_floor(evidence, name)
    family = evidence.family(evidence.plans[0]) if evidence.plans else []
    if noise is None or not family or noise.smallest_effect <= 0 or noise.sd <= 0:
        return None
    sampled = noise.unit in ("example", "cluster")
    alpha = evidence.spec.study.alpha * (1 - SHARE if stops else 1)
    found = _over_examples(evidence, noise, len(family), alpha) if sampled else _over_runs(evidence, noise, len(family))
    first, most = (_trials(evidence, family, look.seeds) for look in (evidence.looks[0], evidence.looks[-1]))
    seconds = pace(_seconds(evidence), processor, workers)
    allowed = budget.allowed(seconds, workers)
    short = allowed is not None and allowed < first
    return Power(
        metric=name,
        unit=noise.unit,
        sd=noise.sd,
        smallest_effect=noise.smallest_effect,
        effect=EFFECT * noise.smallest_effect,
        family=len(family),
        looks=found.looks,
        scenarios=found.scenarios,
        most_changed=found.most_changed,
        largest_sd=found.largest_sd,
        first_look_trials=first,
        most_trials=most,
        seconds_per_trial=seconds,
        workers=workers,
        allowed_trials=allowed,
        problems=[*(["noise"] if found.hopeless else []), *(["budget"] if short else [])],  # type: ignore[list-item]
        remedies=found.remedies,
    )


def _over_runs(evidence: Evidence, noise: BaselineMetric, size: int) -> _Settled:
    design = Design(noise.sd, noise.smallest_effect, size)
    ahead = chances(design, evidence.looks, EFFECT * noise.smallest_effect)
    looks = [_look(design, look, one) for look, one in zip(evidence.looks, ahead, strict=True)]
    hopeless = ahead[-1].negligible < HALF
    return _Settled(looks, [], hopeless, _remedies_over_runs(evidence, design) if hopeless else None)


def _look(design: Design, look: Look, ahead: Chances) -> LookAhead:
    family = Family(look.alpha, design.size, design.size)
    return LookAhead(
        n=look.seeds,
        minimum_detectable_effect=minimum_detectable_effect(design.sd, look.seeds, family),
        negligible=ahead.negligible,
        matters=ahead.matters,
    )


def _remedies_over_runs(evidence: Evidence, design: Design) -> Remedies:
    study, last = evidence.spec.study, evidence.looks[-1]
    delta = delta_that_settles(design, last)
    planned = last_look_that_settles(design, study.seeds, study.alpha) if evidence.mode != "reevaluate" else None
    alone = None if planned else seeds_that_settle(design, study.alpha)
    return Remedies(
        max_seeds=planned or alone,
        single_look=planned is None and alone is not None,
        smallest_effect=delta,
        targets=targets_that_settle(design, last),
        sd=design.sd * design.delta / delta if delta else None,
    )


def _over_examples(evidence: Evidence, noise: BaselineMetric, size: int, alpha: float) -> _Settled:
    sample = Sample(noise.n, noise.smallest_effect, alpha, size)
    effect = EFFECT * noise.smallest_effect
    if binary := _is_binary(evidence.on_examples(BASELINE, evidence.spec.primary)):
        found = [
            _scenario(chances_changed(sample, share, effect), units_changed(sample, share), changed=share)
            for share in CHANGED
        ]
    else:
        found = [
            _scenario(chances_apart(sample, part * noise.sd, effect), units_apart(sample, part * noise.sd), sd=part)
            for part in APART
        ]
    mildest = found[0]
    hopeless = mildest.negligible < HALF
    widest = None if binary else largest_sd(sample)
    return _Settled(
        looks=[],
        scenarios=found,
        hopeless=hopeless,
        remedies=Remedies(units=mildest.units_needed) if hopeless else None,
        most_changed=most_changed(sample) if binary else None,
        largest_sd=widest / noise.sd if widest else None,
    )


def _scenario(ahead: Chances, needed: int | None, *, changed: float | None = None, sd: float | None = None) -> Scenario:
    return Scenario(changed=changed, sd=sd, negligible=ahead.negligible, matters=ahead.matters, units_needed=needed)


def _is_binary(values: Floats) -> bool:
    present = values[np.isfinite(values)]
    return any(bool(np.all((present == 0) | (present == one))) for one in (1, -1))


def _trials(evidence: Evidence, family: Sequence[Ablation], seeds: int) -> int:
    """Trials that are missing for every arm, the baseline's included, to have so many."""
    known = (evidence.baseline, *(evidence.arm(one.id) for one in family))
    arms = {arm.id: arm for arm in known if not (arm.broken or arm.hopeless or arm.idle)}
    finished = {key: sum(row.status in FINISHED for row in arm.trials.values()) for key, arm in arms.items()}
    return sum(max(0, seeds - count) for count in finished.values())


def pace(seconds: float | None, processor: float, workers: int) -> float | None:
    """Seconds of a worker's time from one trial to its next: no less than the processors give it."""
    if not seconds:
        return None
    return max(seconds, processor * workers / len(os.sched_getaffinity(0)))


def processor_seconds(ledger: Ledger, version: str, mode: Mode) -> float:
    """Of one trial so far, its process and its imports included; evaluations share theirs."""
    return 0.0 if mode == "reevaluate" else ledger.compute(version)["cpu_seconds_per_trial"]


def _seconds(evidence: Evidence) -> float | None:
    """What a trial took, by the baseline's; evaluations share a process and its start."""
    own = evidence.mode == "reevaluate"
    taken = [seconds_of(row) if own else row.wall_seconds for row in evidence.baseline.measured]
    known = [one for one in taken if one is not None and math.isfinite(one)]
    return fmean(known) if known else None
