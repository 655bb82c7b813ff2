"""Findings as the cells of a table's row, by the key of their column."""

from collections.abc import Mapping, Sequence
from typing import get_args

from ...prompts import phrases
from ..records.base import coarsest
from ..results import BaselineMetric, Effect, Interaction, Unit
from . import selection
from .numbers import MISSING, exact, number, p_value, with_interval
from .selection import intervention, name
from .table import Cell, Table, columns

NUMERIC = (
    *("baseline", "ablated", "delta", "p_adjusted", "p_equivalence", "p_paired", "round", "own"),
    *("n", "n_seed", "n_example", "n_cluster", "n_checkpoint"),
    *("tuned", "tuning_mean"),
    *("cut", "recovered", "given_back", "parameters", "flops", "steps", "seconds"),
    *("observed", "additive", "contrast", "kind_contrast", "size", "loss_in_delta"),
    *("first_loss", "second_loss", "dataset_difference"),
    *("class", "recall", "recall_delta", "precision", "f1", "p_screen"),
    *("mean", "sd", "smallest_effect", "noise_ratio", "minimum_detectable_effect", "seeds_for_negligible", "max_seeds"),
)

Row = Mapping[str, Cell]
"""Cells by the key of their column."""


def from_rows(keys: str, rows: Sequence[Row], footnotes: tuple[str, ...] = ()) -> Table:
    """A table of the columns `keys`; a row without one of them has a dash there."""
    laid = tuple(tuple(row.get(key, MISSING) for key in keys.split()) for row in rows)
    return Table(columns(keys, NUMERIC), laid, footnotes)


def reference_row(floor: BaselineMetric | None) -> list[Row]:
    """The baseline as the first row, where it was measured."""
    if floor is None:
        return []
    words = phrases("report/words.j2")
    mean = f"{number(floor.mean, coarsest(floor.sd, floor.smallest_effect))} ({words.sd} {number(floor.sd, floor.sd)})"
    counted: Row = {f"n_{each}": floor.n for each in get_args(Unit)}
    return [{"component": words.baseline, "baseline": mean, "n": floor.n, **counted, "verdict": words.reference}]


def effect_row(e: Effect, *, named: bool) -> Row:
    """All that a table may say of an effect; `named` where n must say what it counts."""
    words = phrases("report/words.j2")
    return {
        "role": e.role,
        "round": e.round,
        "metric": e.metric,
        "component": name(e),
        "intervention": intervention(e),
        "baseline": number(e.baseline, e.interval),
        "ablated": MISSING if e.verdict == "structural" else number(e.ablated, e.interval),
        "delta": delta(e),
        **_shared(e, named=named),
        "p_paired": p_value(e.p_paired),
        "verdict": words.verdict_cell(e.verdict, e.nonzero, e.masked),
    }


def interaction_row(joint: Interaction, *, named: bool) -> Row:
    """All that a table may say of a joint removal."""
    return {
        "components": name(joint),
        "metric": joint.metric,
        "observed": with_interval(joint.observed, joint.observed_interval, signed=True),
        "additive": number(joint.additive, joint.interval, signed=True),
        "contrast": with_interval(joint.contrast, joint.interval, signed=True),
        **_shared(joint, named=named),
        "verdict": joint.verdict,
    }


def _shared(found: Effect | Interaction, *, named: bool) -> Row:
    words = phrases("report/words.j2")
    n = words.units(found.n, found.failed, found.unit, named, found.of)
    agreed = MISSING if found.agreement is None else words.agreement(found.verdict, found.agreement)
    return {
        "p_adjusted": p_value(found.p_adjusted),
        "p_equivalence": p_value(found.p_equivalence),
        "n": n,
        f"n_{found.unit}": n,
        "agreement": agreed,
    }


def n_key(units: Sequence[Unit]) -> str:
    """The column of n names what it counts, unless each row has to."""
    return f"n_{units[0]}" if len(units) == 1 else "n"


def noise_row(metric: str, floor: BaselineMetric, *, named: bool) -> Row:
    """One metric's noise floor; how many units would do is known for runs only."""
    words = phrases("report/words.j2")
    smallest = floor.smallest_effect
    n = words.units(floor.n, 0, floor.unit, named)
    row: Row = {
        "metric": metric,
        "goal": floor.goal,
        "mean": number(floor.mean, coarsest(floor.sd, floor.smallest_effect)),
        "sd": number(floor.sd, floor.sd),
        "n": n,
        f"n_{floor.unit}": n,
        "smallest_effect": f"{exact(smallest)} ({words.delta_origin[floor.smallest_effect_proposed]})",
        "noise_ratio": number(smallest / floor.sd) if floor.sd else MISSING,
        "minimum_detectable_effect": number(floor.minimum_detectable_effect, floor.sd),
    }
    if floor.unit in selection.SAMPLED:
        return row
    needed = words.seeds_for_negligible(floor.seeds_for_negligible, floor.max_seeds)
    return {**row, "seeds_for_negligible": needed, "max_seeds": floor.max_seeds}


def delta(e: Effect) -> str:
    """The delta with its interval; what stops the program has none."""
    return MISSING if e.verdict == "structural" else with_interval(e.delta, e.interval, signed=True)
