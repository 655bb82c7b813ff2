"""Full factorials for the report: the cells' means, the analysis of variance, and each component in context, as tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...prompts import phrases
from ..records.factorial import Factorial, FactorialCell, FactorialRow
from ..results import Results
from .numbers import MISSING, number, p_value, percent, with_interval
from .rows import Row
from .table import Table, columns

NUMERIC = "n sum_of_squares df eta_squared f_pooled p_pooled f_own p_own p_adjusted p_equivalence".split()
SHOWN = ("redundancy", "compensation", "synergy")


@dataclass(frozen=True)
class FactorialView:
    """One factorial on the primary metric."""

    factorial: Factorial
    cells: Table
    anova: Table
    in_context: Table
    own_only: bool
    """Whether there is no pooled error: over examples every contrast has noise of its own."""
    entangled: list[str]
    """Components of an interaction that was shown: their main effects are averages of unlike things."""


def factorial_views(results: Results) -> list[FactorialView]:
    """Every factorial on the primary metric; the others stand in JSON and CSV."""
    return [_view(one) for one in results.factorials if one.metric == results.study.primary]


def _view(one: Factorial) -> FactorialView:
    own_only = one.unit in ("example", "cluster")
    shown = {part for row in one.rows if row.verdict in SHOWN for part in row.components}
    entangled = [_name(one, [each]) for each in one.components if each in shown]
    return FactorialView(one, _cells(one), _anova(one, own_only=own_only), _in_context(one), own_only, entangled)


def _table(keys: str, rows: Sequence[Row]) -> Table:
    laid = tuple(tuple(row.get(key, MISSING) for key in keys.split()) for row in rows)
    return Table(columns(keys, NUMERIC), laid)


def _name(one: Factorial, components: Sequence[str]) -> str:
    labels = dict(zip(one.components, one.labels, strict=True))
    return " + ".join(labels[each] for each in components)


def _cells(one: Factorial) -> Table:
    return _table("removed cell_mean cell_sd n", [_cell(one, each) for each in one.cells])


def _cell(one: Factorial, each: FactorialCell) -> Row:
    words = phrases("report/words.j2")
    mean = number(each.mean, each.sd or None)
    return {
        "removed": _name(one, each.removed) or words.baseline,
        "cell_mean": f"{mean} {words.at_floor}" if each.at_floor else each.missing or mean,
        "cell_sd": number(each.sd, each.sd),
        "n": each.n,
    }


def _anova(one: Factorial, *, own_only: bool) -> Table:
    pooled = "" if own_only else "f_pooled p_pooled"
    agreement = "agreement" if any(row.agreement for row in one.rows) else ""
    keys = f"effect contrast sum_of_squares df eta_squared {pooled} f_own p_own p_adjusted p_equivalence {agreement} verdict"
    return _table(keys, [*(_row(one, row) for row in one.rows), *_remainder(one)])


def _row(one: Factorial, row: FactorialRow) -> Row:
    words = phrases("report/words.j2")
    return {
        "effect": " × ".join(_name(one, [each]) for each in row.components),
        "contrast": with_interval(row.contrast, row.interval, signed=True),
        "sum_of_squares": number(row.sum_of_squares),
        "df": 1,
        "eta_squared": percent(row.eta_squared, 3),
        "f_pooled": number(row.f_pooled),
        "p_pooled": p_value(row.p_pooled),
        "f_own": number(row.f_own),
        "p_own": p_value(row.p_own),
        "p_adjusted": p_value(row.p_adjusted),
        "p_equivalence": p_value(row.p_equivalence),
        "agreement": words.agreement(row.verdict, row.agreement) if row.agreement else MISSING,
        "verdict": row.verdict,
    }


def _remainder(one: Factorial) -> list[Row]:
    """The lines that make the sums of squares add up: units, residual, total."""
    if one.total is None or one.residual is None or one.between_units is None or one.residual_df is None:
        return []
    words = phrases("report/words.j2")
    units = one.residual_df // (len(one.cells) - 1)
    lines = {
        words.units_of[one.unit if one.unit != "cluster" else "example"]["many"]: (one.between_units, units),
        words.residual: (one.residual, one.residual_df),
        words.total: (one.total, units + one.residual_df + len(one.rows)),
    }
    return [
        {
            "effect": f"*{name}*",
            "sum_of_squares": number(squares),
            "df": df,
            "eta_squared": percent(squares / one.total if one.total else None, 3),
            "verdict": "",
        }
        for name, (squares, df) in lines.items()
    ]


def _in_context(one: Factorial) -> Table:
    rows: list[Row] = [
        {
            "component": _name(one, [each.component]),
            "removed_first": with_interval(each.first, each.first_interval, signed=True),
            "on_average": with_interval(each.average, each.average_interval, signed=True),
            "removed_last": with_interval(each.last, each.last_interval, signed=True),
        }
        for each in one.in_context
    ]
    return _table("component removed_first on_average removed_last", rows)
