"""What removals do to single classes: the classes that lose most under what matters, and the confusions that move.

Other kinds of removal, and joint removals under which no class falls but those that fall under a part alone, are left to
the JSON and CSV.
"""

from dataclasses import dataclass

from ...prompts import phrases
from ..records.classes import ClassEffect, ConfusionShift, MovedCell
from ..results import Mode, Results, Unit
from . import selection
from .numbers import MINUS, MISSING, number, p_value, with_interval
from .rows import Row, from_rows, n_key
from .selection import name
from .table import Table

MOST_ABLATIONS = 10
MOST_CLASSES = 4
"""Of one ablation and data set."""


@dataclass(frozen=True)
class Classes:
    """One mode's classes."""

    fallen: list[ClassEffect]
    """Shown to lose recall, of those that are told: the largest loss first."""
    tests: int
    """In the whole screen."""
    shown: int
    """Ablations that stand in the table."""
    table: Table
    left_out: list[str]
    """Removals that stopped early: classes are told of whole sets."""
    shifts: list[ConfusionShift]
    """Of the ablations and data sets with such a class, with their confusions, the most moved first."""


def classes(results: Results, mode: Mode) -> Classes:
    """The classes of one mode; ablations that matter, or under which a class falls, with what they do to classes."""
    screened = [one for one in results.classes if one.mode == mode]
    found = _telling(results, mode, screened)
    fallen = sorted((one for one in found if one.verdict == "loses"), key=lambda one: one.recall_delta or 0.0)
    chosen = _chosen(results, mode, found, fallen)
    rows = [one for ablation in chosen for one in _worst([each for each in found if each.ablation == ablation])]
    told = {(one.ablation, one.dataset) for one in rows if one.verdict == "loses"}
    shifts = [one for one in results.confusions if one.mode == mode and (one.ablation, one.dataset) in told]
    shifts.sort(key=lambda one: chosen.index(one.ablation))
    named = any(one.dataset is not None for one in found)
    units: list[Unit] = list(dict.fromkeys(one.unit for one in rows)) or ["seed"]
    keys = (
        f"component {'dataset' if named else ''} class recall recall_delta p_screen precision f1 {n_key(units)} verdict"
    )
    return Classes(
        fallen=fallen,
        tests=sum(one.p is not None for one in screened),
        shown=len(chosen),
        table=from_rows(keys, [_row(one) for one in rows]),
        left_out=_left_out(results, mode),
        shifts=shifts,
    )


def _left_out(results: Results, mode: Mode) -> list[str]:
    early = [e for e in results.effects if e.mode == mode and e.role != "control" and e.of is not None and e.n < e.of]
    told = {one.ablation for one in results.classes if one.mode == mode}
    return list(dict.fromkeys(name(e) for e in early if e.ablation not in told))


def change(cell: MovedCell) -> str:
    """By how many examples a cell of the confusion matrix changed, with its sign."""
    return f"{cell.ablated - cell.baseline:+d}".replace("-", MINUS)


def _telling(results: Results, mode: Mode, screened: list[ClassEffect]) -> list[ClassEffect]:
    """Without other kinds of removal of one component, and without what falls under a part of a joint removal already."""
    kinds = {one.ablation for one in results.effects if one.mode == mode and one.role == "sensitivity"}
    found = [one for one in screened if one.ablation not in kinds]
    alone = {
        (component, one.dataset, one.target)
        for one in found
        if one.verdict == "loses" and len(one.components) == 1
        for component in one.components
    }
    return [
        one
        for one in found
        if len(one.components) == 1 or not any((part, one.dataset, one.target) in alone for part in one.components)
    ]


def _chosen(results: Results, mode: Mode, found: list[ClassEffect], fallen: list[ClassEffect]) -> list[str]:
    """Where a class falls most, then what matters otherwise."""
    told = {one.ablation for one in found}
    mattering = [e.ablation for e in selection.confirmatory(results, mode) if e.verdict in ("matters", "hurts")]
    order = [*(one.ablation for one in fallen), *(one for one in mattering if one in told)]
    return list(dict.fromkeys(order))[:MOST_ABLATIONS]


def _worst(found: list[ClassEffect]) -> list[ClassEffect]:
    """The classes of one ablation that lose most recall, data set by data set."""
    rows: list[ClassEffect] = []
    for dataset in dict.fromkeys(one.dataset for one in found):
        own = [one for one in found if one.dataset == dataset and (one.recall_delta or 0.0) < 0]
        rows += sorted(own, key=lambda one: one.recall_delta or 0.0)[:MOST_CLASSES]
    return rows


def _row(one: ClassEffect) -> Row:
    words = phrases("report/words.j2")
    of = {key: (getattr(one.baseline, key), getattr(one.ablated, key)) for key in ("recall", "precision", "f1")}
    shown = {key: words.from_to(*(number(value, 0.01) for value in pair)) for key, pair in of.items()}
    return {
        "component": name(one),
        "dataset": one.dataset or MISSING,
        "class": one.target,
        **shown,
        "recall_delta": with_interval(one.recall_delta, one.recall_interval, signed=True),
        "p_screen": p_value(one.p_adjusted),
        "n": words.units(one.n, 0, one.unit, True),
        f"n_{one.unit}": one.n,
        "verdict": one.verdict,
    }
