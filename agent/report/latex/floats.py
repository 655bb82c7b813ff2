"""One mode's tables in the paper, as data: the sealed family under the full model, and the joint removals."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...results import BaselineMetric, Effect, Interaction, Mode, Results
from .. import numbers, selection
from .escaping import latex
from .references import Reference, references
from .rows import Notes, Shown, failures, left_out, shown, shown_effects, shown_joints

MOST_METRICS = 3
_WITH_MEANS = 2
"""Metrics beside which means still find room."""


@dataclass(frozen=True)
class Metric:
    """A column of the main table."""

    name: str
    floor: BaselineMetric


@dataclass(frozen=True)
class Line:
    """A removal, with one cell a metric."""

    effect: Effect
    cells: tuple[Shown, ...]


@dataclass(frozen=True)
class Main:
    """The main table of one mode."""

    mode: Mode
    metrics: tuple[Metric, ...]
    """The primary one first."""
    further: int
    """Metrics that stand in the appendix only."""
    references: tuple[Reference, ...]
    """The full model again, at the units of some rows."""
    lines: tuple[Line, ...]
    notes: list[tuple[str, str]]
    left_out: dict[str, int]
    family: tuple[Effect, ...]
    """All on the primary metric, shown or not."""
    ns: tuple[int, ...]
    """Different numbers of units among the rows, the full model's among them."""
    levels: tuple[str, ...]
    kinds: tuple[str, ...]
    means: bool
    """Whether there is a column of means."""
    agreement: bool


@dataclass(frozen=True)
class Joints:
    """The joint removals of one mode on the primary metric."""

    mode: Mode
    rows: tuple[Interaction, ...]
    notes: list[tuple[str, str]]
    letters: tuple[str, ...]
    """A row's note, or nothing."""
    left_out: dict[str, int]
    ns: tuple[int, ...]
    levels: tuple[str, ...]


def main_table(results: Results, mode: Mode) -> Main:
    """Everything the template lays out, of results whose texts are LaTeX."""
    floors = results.baseline.get(mode, {})
    primary = results.study.primary
    names = sorted(floors, key=lambda metric: metric != primary)
    notes, rows = Notes(), shown_effects(results, mode)
    of = {(e.ablation, e.metric): e for e in results.effects if e.mode == mode and e.role == "confirmatory"}
    columns = names[:MOST_METRICS]
    lines = tuple(Line(e, tuple(shown(results, of.get((e.ablation, m)), notes) for m in columns)) for e in rows)
    measured = [e for e in rows if e.n]
    return Main(
        mode=mode,
        metrics=tuple(Metric(name, floors[name]) for name in columns),
        further=len(names) - len(columns),
        references=references(results, mode, columns, rows),
        lines=lines,
        notes=notes.lettered,
        left_out=left_out(selection.confirmatory(results, mode), rows),
        family=tuple(selection.confirmatory(results, mode)),
        ns=_ns(measured, floors.get(primary)),
        levels=_levels(measured),
        kinds=tuple(dict.fromkeys(e.intervention_kind for e in rows)),
        means=len(columns) <= _WITH_MEANS,
        agreement=any(e.agreement is not None for e in rows),
    )


def joint_table(results: Results, mode: Mode) -> Joints:
    """Likewise."""
    rows, notes = shown_joints(results, mode), Notes()
    every = [j for j in selection.interactions(results, mode) if j.metric == results.study.primary]
    letters = [notes.letter(_why(j), _why(j)) if _why(j) else "" for j in rows]
    return Joints(
        mode=mode,
        rows=tuple(rows),
        notes=notes.lettered,
        letters=tuple(letters),
        left_out=left_out(every, rows),
        ns=tuple(sorted({j.n for j in rows if j.contrast is not None})),
        levels=_levels(rows),
    )


def _why(joint: Interaction) -> str:
    """Who is in a crowd that its name does not tell, why a row is empty, and which runs failed."""
    members = selection.members(joint) if selection.is_crowd(joint) else ""
    reason = joint.reason if joint.reason and joint.contrast is None else ""
    return "; ".join(each for each in (members, reason, failures(joint)) if each)


def _ns(measured: Sequence[Effect], floor: BaselineMetric | None) -> tuple[int, ...]:
    """Of the full model's row too, if a row has an estimate at all."""
    counted = {e.n for e in measured if e.delta is not None}
    return tuple(sorted(counted | ({floor.n} if counted and floor and floor.n else set())))


def _levels(found: Sequence[Effect | Interaction]) -> tuple[str, ...]:
    return tuple(latex(numbers.percent(level)) for level in sorted({e.level for e in found if e.level is not None}))
