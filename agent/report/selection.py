"""Which findings stand where in a report, and deltas turned into losses, so that larger is worse for every metric."""

import math
from collections.abc import Iterable
from typing import get_args

from ...prompts import phrases
from ..records.classes import ClassEffect, ConfusionShift
from ..records.datasets import DatasetContrast
from ..records.kinds import KindContrast
from ..results import BaselineMetric, Effect, EffectVerdict, Interaction, Mode, Results, Unit

Removal = Effect | Interaction | KindContrast | DatasetContrast | ClassEffect | ConfusionShift
"""Whatever is told of a removal."""

UNMEASURED = ("structural", "no-op", "untestable")
"""Verdicts that stand without a delta: these are findings in words, never points on a scale."""

SAMPLED: tuple[Unit, ...] = ("example", "cluster")
"""Units of one trained model's evaluation: a sample of data, not of runs."""
PLACEBO = "placebo"
_CROWD = 4


def modes(results: Results) -> list[Mode]:
    """Every mode the study asked for or has results of, in a fixed order."""
    found = {*results.study.modes, *results.baseline}
    found |= {each.mode for each in (*results.effects, *results.interactions)}
    return [mode for mode in get_args(Mode) if mode in found]


def confirmatory(results: Results, mode: Mode) -> list[Effect]:
    """The sealed family on the primary metric, the largest loss first."""
    return by_loss(results, _of(results, mode, confirmatory=True, primary=True))


def further(results: Results, mode: Mode) -> list[Effect]:
    """The sealed family on the other metrics, metric by metric."""
    effects = by_loss(results, _of(results, mode, confirmatory=True, primary=False))
    return sorted(effects, key=lambda effect: effect.metric)


def exploratory(results: Results, mode: Mode) -> list[Effect]:
    """Sensitivity checks and explorations on every metric, the primary one first."""
    outside = ("confirmatory", "control")
    return _primary_first(results, [e for e in results.effects if e.mode == mode and e.role not in outside])


def explored(results: Results, mode: Mode) -> dict[str, list[Effect]]:
    """What is exploratory on the primary metric, by verdict; only verdicts that came out."""
    found = [e for e in exploratory(results, mode) if e.metric == results.study.primary]
    return {
        verdict: same for verdict in get_args(EffectVerdict) if (same := [e for e in found if e.verdict == verdict])
    }


def controls(results: Results, mode: Mode) -> list[Effect]:
    """Placebos and random groups on every metric, the primary one first."""
    return _primary_first(results, [e for e in results.effects if e.mode == mode and e.role == "control"])


def is_placebo(effect: Effect) -> bool:
    """Whether it is a control that changes nothing."""
    return effect.role == "control" and effect.intervention_kind == PLACEBO


def has_moved(control: Effect) -> bool:
    """Whether a placebo changed anything at all; a random group is a part of its own, and may matter."""
    measured = control.verdict not in UNMEASURED and control.delta is not None
    return is_placebo(control) and (measured or control.verdict == "structural")


def unit(results: Results, mode: Mode) -> Unit:
    """What n counts on the primary metric."""
    floor = noise_floor(results, mode, results.study.primary)
    found: list[Unit] = [e.unit for e in confirmatory(results, mode)] or ([floor.unit] if floor else [])
    usual: Unit = phrases("report/words.j2").usual_unit[mode]
    return found[0] if found else usual


def disputed(effect: Effect | Interaction) -> bool:
    """Whether trained models came to different verdicts."""
    return effect.agreement is not None and len(effect.agreement) > 1


def interactions(results: Results, mode: Mode) -> list[Interaction]:
    """The joint removals of one mode, the primary metric's first, the largest contrast first."""
    primary = results.study.primary
    return sorted(
        (joint for joint in results.interactions if joint.mode == mode),
        key=lambda joint: (joint.metric != primary, joint.metric, -abs(joint.contrast or 0.0)),
    )


def noise_floor(results: Results, mode: Mode, metric: str) -> BaselineMetric | None:
    """The baseline of one metric, None where it has not been measured."""
    return results.baseline.get(mode, {}).get(metric)


def loss(results: Results, effect: Effect) -> float | None:
    """What the removal cost: minus the delta where the metric is maximised, the delta where it is minimised."""
    floor = noise_floor(results, effect.mode, effect.metric)
    if effect.delta is None or floor is None or not math.isfinite(effect.delta):
        return None
    return effect.delta if floor.goal == "minimize" else -effect.delta


def by_loss(results: Results, effects: Iterable[Effect]) -> list[Effect]:
    """The largest loss first, those that stand without a loss last."""

    def key(effect: Effect) -> tuple[bool, float]:
        cost = None if effect.verdict in UNMEASURED else loss(results, effect)
        return cost is None, -(cost or 0.0)

    return sorted(effects, key=key)


def name(found: Removal) -> str:
    """How a reader knows the removal: the labels of what was removed; a crowd by its first two."""
    if is_crowd(found):
        return phrases("report/words.j2").crowd(found.labels[:2], len(found.labels) - 2)
    return members(found)


def members(found: Removal) -> str:
    """The labels of everything that was removed."""
    return " + ".join(found.labels or found.components) or found.ablation


def intervention(effect: Effect) -> str:
    """How it was removed, in a phrase that fits a cell."""
    return phrases("report/words.j2").crowd_removal if is_crowd(effect) else effect.intervention


def is_crowd(found: Removal) -> bool:
    """Whether so much was removed together that its names fill no cell."""
    return len(found.labels) > _CROWD


def _primary_first(results: Results, effects: list[Effect]) -> list[Effect]:
    primary = results.study.primary
    return sorted(by_loss(results, effects), key=lambda e: (e.role, e.metric != primary, e.metric))


def _of(results: Results, mode: Mode, *, confirmatory: bool, primary: bool) -> list[Effect]:
    return [
        effect
        for effect in results.effects
        if effect.mode == mode
        and (effect.role == "confirmatory") == confirmatory
        and (effect.metric == results.study.primary) == primary
    ]
