"""Lays the findings out as tables of text, one mode at a time: a table never mixes modes."""

from collections.abc import Sequence

from ...prompts import phrases
from ..results import BaselineMetric, Effect, Mode, Results, Unit
from . import selection
from .footnotes import effect_notes, reasons
from .numbers import MISSING, number
from .predictions import comparisons
from .rows import NUMERIC, Row, effect_row, from_rows, interaction_row, n_key, noise_row, reference_row
from .selection import intervention, is_crowd, members, name, noise_floor
from .table import Table, columns


def main_table(results: Results, mode: Mode) -> Table:
    """The confirmatory effects on the primary metric, under the baseline as their reference."""
    effects = selection.confirmatory(results, mode)
    floor = noise_floor(results, mode, results.study.primary)
    return effects_table(results, effects, "component", unit=selection.unit(results, mode), floor=floor)


def further_table(results: Results, mode: Mode) -> Table:
    """The confirmatory effects on every other metric."""
    return effects_table(results, selection.further(results, mode), "metric component")


def exploratory_table(results: Results, mode: Mode) -> Table:
    """Every effect outside the sealed family but the controls, with the role it was planned for."""
    return effects_table(results, selection.exploratory(results, mode), "role round metric component")


def effects_table(
    results: Results,
    effects: Sequence[Effect],
    lead: str,
    *,
    unit: Unit = "seed",
    floor: BaselineMetric | None = None,
    further: Sequence[Row] = (),
) -> Table:
    """A table of effects, a row each; it has a column for what its units allow to be told.

    Args:
        results: everything there is.
        effects: the rows.
        lead: keys of the first columns.
        unit: what n counts where there is no row.
        floor: the baseline, as a first row.
        further: cells by column for each row, beside those that every table of effects has.
    """
    units: list[Unit] = list(dict.fromkeys(e.unit for e in effects)) or [unit]
    rows = [effect_row(e, named=len(units) > 1) for e in effects]
    rows = [{**row, **more} for row, more in zip(rows, further, strict=True)] if further else rows
    optional = {
        "p_paired": any(each not in selection.SAMPLED for each in units),
        n_key(units): True,
        "agreement": any(e.agreement is not None for e in effects),
    }
    chosen = " ".join(key for key, wanted in optional.items() if wanted)
    keys = f"{lead} intervention baseline ablated delta p_adjusted p_equivalence {chosen} verdict"
    return from_rows(keys, [*reference_row(floor), *rows], effect_notes(results, effects))


def interaction_table(results: Results, mode: Mode) -> Table:
    """Every joint removal: its observed loss beside the additive prediction."""
    joints = selection.interactions(results, mode)
    units: list[Unit] = list(dict.fromkeys(joint.unit for joint in joints)) or ["seed"]
    agreement = "agreement" if any(joint.agreement is not None for joint in joints) else ""
    keys = f"components metric observed additive contrast p_adjusted p_equivalence {n_key(units)} {agreement} verdict"
    crowds = [each for each in joints if is_crowd(each) and each.metric == results.study.primary]
    notes = (*reasons(joints), *(f"{name(joint)}: {members(joint)}" for joint in crowds))
    return from_rows(keys, [interaction_row(joint, named=len(units) > 1) for joint in joints], notes)


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
    return Table(columns(keys, NUMERIC), rows)


def noise_table(results: Results, mode: Mode) -> Table:
    """What the baseline's noise allows to be seen, metric by metric."""
    floors = results.baseline.get(mode, {})
    units: list[Unit] = list(dict.fromkeys(floor.unit for floor in floors.values())) or ["seed"]
    of_runs = any(each not in selection.SAMPLED for each in units)
    keys = f"metric goal mean sd {n_key(units)} smallest_effect noise_ratio minimum_detectable_effect"
    keys += " seeds_for_negligible max_seeds" if of_runs else ""
    return from_rows(keys, [noise_row(metric, floor, named=len(units) > 1) for metric, floor in floors.items()])
