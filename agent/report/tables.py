"""Lays the findings out as tables of text, one mode at a time: a table never mixes modes."""

from collections.abc import Sequence

from ...prompts import phrases
from ..results import BaselineMetric, Effect, Interaction, Mode, Planned, Results
from . import selection
from .numbers import MISSING, exact, number, p_value, with_interval
from .predictions import comparisons
from .selection import intervention, is_crowd, members, name, noise_floor
from .table import Cell, Table, columns

_NUMERIC = (
    *("baseline", "ablated", "delta", "p_adjusted", "p_equivalence", "p_paired", "n", "round"),
    *("observed", "additive", "contrast", "size", "loss_in_delta"),
    *("mean", "sd", "smallest_effect", "noise_ratio", "minimum_detectable_effect", "seeds_for_negligible", "max_seeds"),
)


def main_table(results: Results, mode: Mode) -> Table:
    """The confirmatory effects on the primary metric, under the baseline as their reference."""
    effects = selection.confirmatory(results, mode)
    floor = noise_floor(results, mode, results.study.primary)
    keys = "component intervention baseline ablated delta p_adjusted p_equivalence p_paired n verdict"
    rows = map(_effect_cells, effects)
    return Table(columns(keys, _NUMERIC), (*_reference(floor), *rows), _footnotes(results, effects))


def further_table(results: Results, mode: Mode) -> Table:
    """The confirmatory effects on every other metric."""
    effects = selection.further(results, mode)
    keys = "metric component intervention baseline ablated delta p_adjusted p_equivalence p_paired n verdict"
    rows = tuple((e.metric, *_effect_cells(e)) for e in effects)
    return Table(columns(keys, _NUMERIC), rows, _footnotes(results, effects))


def exploratory_table(results: Results, mode: Mode) -> Table:
    """Every effect outside the sealed family, with the role it was planned for."""
    effects = selection.exploratory(results, mode)
    keys = "role round metric component intervention baseline ablated delta p_adjusted p_equivalence p_paired n verdict"
    rows = tuple((e.role, e.round, e.metric, *_effect_cells(e)) for e in effects)
    return Table(columns(keys, _NUMERIC), rows, _footnotes(results, effects))


def interaction_table(results: Results, mode: Mode) -> Table:
    """Every joint removal: its observed loss beside the additive prediction."""
    joints = selection.interactions(results, mode)
    keys = "components metric observed additive contrast p_adjusted p_equivalence n verdict"
    return Table(
        columns(keys, _NUMERIC),
        tuple(_interaction_row(joint) for joint in joints),
        (
            *(f"{name(joint)}: {joint.reason}" for joint in joints if joint.reason),
            *(
                f"{name(joint)}: {members(joint)}"
                for joint in joints
                if is_crowd(joint) and joint.metric == results.study.primary
            ),
        ),
    )


def prediction_table(results: Results, mode: Mode) -> Table:
    """Every sealed prediction beside what came out."""
    words = phrases("report/words.j2")
    rows = tuple(
        (
            name(each.effect),
            intervention(each.effect),
            each.prediction.direction,
            number(each.prediction.size, 0.1, signed=True),
            each.direction or each.effect.verdict,
            number(each.observed, 0.1, signed=True),
            MISSING if each.hit is None else words.hits[each.hit],
        )
        for each in comparisons(results, mode)
    )
    keys = "component intervention predicted size came_out loss_in_delta hit"
    return Table(columns(keys, _NUMERIC), rows)


def noise_table(results: Results, mode: Mode) -> Table:
    """What the baseline's noise allows to be seen, metric by metric."""
    keys = "metric goal mean sd n smallest_effect noise_ratio minimum_detectable_effect seeds_for_negligible max_seeds"
    rows = tuple(_noise_row(metric, floor) for metric, floor in results.baseline.get(mode, {}).items())
    return Table(columns(keys, _NUMERIC), rows)


def planned_table(planned: Sequence[Planned]) -> Table:
    """Proposals and what became of them."""
    rows = tuple((each.ablation, each.round, each.fate, each.reason) for each in planned)
    return Table(columns("ablation round fate reason", _NUMERIC), rows)


def _reference(floor: BaselineMetric | None) -> tuple[tuple[Cell, ...], ...]:
    if floor is None:
        return ()
    words = phrases("report/words.j2")
    mean = f"{number(floor.mean, floor.sd)} ({words.sd} {number(floor.sd, floor.sd)})"
    return ((words.baseline, MISSING, mean, *[MISSING] * 5, floor.n, words.reference),)


def _effect_cells(e: Effect) -> tuple[Cell, ...]:
    baseline = number(e.baseline, e.interval)
    shared = (name(e), intervention(e), baseline, _ablated(e), _delta(e))
    return (*shared, *_p_values(e), p_value(e.p_paired), _units(e), _verdict(e))


def _interaction_row(joint: Interaction) -> tuple[Cell, ...]:
    observed = with_interval(joint.observed, joint.observed_interval, signed=True)
    additive = number(joint.additive, joint.interval, signed=True)
    contrast = with_interval(joint.contrast, joint.interval, signed=True)
    return (name(joint), joint.metric, observed, additive, contrast, *_p_values(joint), _units(joint), joint.verdict)


def _noise_row(metric: str, floor: BaselineMetric) -> tuple[Cell, ...]:
    words = phrases("report/words.j2")
    delta = floor.smallest_effect
    return (
        metric,
        floor.goal,
        number(floor.mean, floor.sd),
        number(floor.sd, floor.sd),
        floor.n,
        f"{exact(delta)} ({words.delta_origin[floor.smallest_effect_proposed]})",
        number(delta / floor.sd) if floor.sd else MISSING,
        number(floor.minimum_detectable_effect, floor.sd),
        words.seeds_for_negligible(floor.seeds_for_negligible, floor.max_seeds),
        floor.max_seeds,
    )


def _ablated(e: Effect) -> str:
    return MISSING if e.verdict == "structural" else number(e.ablated, e.interval)


def _delta(e: Effect) -> str:
    return MISSING if e.verdict == "structural" else with_interval(e.delta, e.interval, signed=True)


def _p_values(found: Effect | Interaction) -> tuple[str, str]:
    return p_value(found.p_adjusted), p_value(found.p_equivalence)


def _units(found: Effect | Interaction) -> str:
    return phrases("report/words.j2").units(found.n, found.failed)


def _verdict(e: Effect) -> str:
    return phrases("report/words.j2").verdict_cell(e.verdict, e.nonzero, e.masked)


def _footnotes(results: Results, effects: Sequence[Effect]) -> tuple[str, ...]:
    words = phrases("report/words.j2")
    names = {effect.ablation: name(effect) for effect in results.effects}
    reasons = [f"{name(e)}: {e.reason}" for e in effects if e.reason]
    same = [words.same_as(name(e), names.get(e.same_as, e.same_as)) for e in effects if e.same_as]
    return tuple(dict.fromkeys([*reasons, *same]))
