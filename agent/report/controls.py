"""Controls: placebos that must change nothing, and random groups that tell whether a component stands out by more than size."""

import re
from collections import defaultdict
from dataclasses import dataclass

from ..results import Effect, Mode, Results
from . import selection
from .numbers import MISSING
from .rows import Row, delta
from .selection import UNMEASURED, has_moved, is_placebo, loss, name
from .table import Table
from .tables import effects_table

_RANDOM = re.compile(r"control:random \d+ beside (.+)")


@dataclass(frozen=True)
class Placebo:
    """One removal of nothing."""

    effects: list[Effect]
    """One a metric, the primary one first."""
    moved: list[Effect]
    """Those among them where there is a change, which there must not be."""


@dataclass(frozen=True)
class Compared:
    """A component and the random groups of its kind and size."""

    effect: Effect
    drawn: list[Effect]
    reached_by: list[Effect]
    """Random groups whose interval reaches the component's loss, or goes beyond."""
    known: bool
    """Whether the component has a loss and every random group an interval."""


@dataclass(frozen=True)
class Controls:
    """All controls of one mode."""

    placebos: list[Placebo]
    compared: list[Compared]
    """On the primary metric."""
    table: Table
    """All but the placebos that did what they must: nothing."""


def controls(results: Results, mode: Mode) -> Controls:
    """The controls of one mode, apart from everything else."""
    found = selection.controls(results, mode)
    told = [effect for effect in found if not (is_placebo(effect) and effect.verdict == "no-op")]
    pairs = [(effect, _beside(results, effect)) for effect in told]
    pairs.sort(key=lambda pair: _order(results, *pair))
    others, beside = [effect for effect, _ in pairs], [own for _, own in pairs]
    cells: list[Row] = [
        {"control": name(effect), "beside": name(own) if own else MISSING, "own": delta(own) if own else MISSING}
        for effect, own in zip(others, beside, strict=True)
    ]
    table = effects_table(results, others, "beside own metric control", further=cells)
    return Controls(_placebos(found), _compared(results, others, beside), table)


def _order(results: Results, control: Effect, own: Effect | None) -> tuple[bool, str, float]:
    """Metric by metric, the primary one first; beside what costs most first."""
    cost = loss(results, own) if own else None
    return control.metric != results.study.primary, control.metric, float("inf") if cost is None else -cost


def _placebos(found: list[Effect]) -> list[Placebo]:
    by_ablation: defaultdict[str, list[Effect]] = defaultdict(list)
    for effect in filter(is_placebo, found):
        by_ablation[effect.ablation].append(effect)
    return [Placebo(effects, [e for e in effects if has_moved(e)]) for effects in by_ablation.values()]


def _beside(results: Results, control: Effect) -> Effect | None:
    """The component's own effect that a random group is compared with."""
    match = _RANDOM.fullmatch(control.ablation)
    if match is None:
        return None
    wanted = (control.mode, control.metric, "confirmatory", [match[1]])
    return next((e for e in results.effects if (e.mode, e.metric, e.role, e.components) == wanted), None)


def _compared(results: Results, found: list[Effect], beside: list[Effect | None]) -> list[Compared]:
    drawn: defaultdict[str, list[Effect]] = defaultdict(list)
    own: dict[str, Effect] = {}
    for control, effect in zip(found, beside, strict=True):
        if effect is not None and effect.metric == results.study.primary:
            own[effect.ablation] = effect
            drawn[effect.ablation].append(control)
    return [_compare(results, own[key], drawn[key]) for key in own]


def _compare(results: Results, effect: Effect, drawn: list[Effect]) -> Compared:
    cost = None if effect.verdict in UNMEASURED else loss(results, effect)
    most = [(control, _most(results, control)) for control in drawn]
    reached = [control for control, end in most if cost is not None and end is not None and end >= cost]
    return Compared(effect, drawn, reached, cost is not None and all(end is not None for _, end in most))


def _most(results: Results, control: Effect) -> float | None:
    """The largest loss that a control's interval allows."""
    floor = selection.noise_floor(results, control.mode, control.metric)
    if control.interval is None or control.verdict in UNMEASURED or floor is None:
        return None
    low, high = control.interval
    return high if floor.goal == "minimize" else -low
