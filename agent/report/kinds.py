"""Kinds of removal held against each other, laid out for a report."""

from ...prompts import phrases
from ..records.kinds import KindContrast
from ..results import Mode, Results, Unit
from .numbers import p_value, with_interval
from .rows import from_rows, n_key
from .selection import name
from .table import Table

_ORDER = ("conflict", "not-told-apart", "agree")


def of_mode(results: Results, mode: Mode) -> list[KindContrast]:
    """Those of one mode on the primary metric, conflicts first, the largest contrast first."""
    found = [one for one in results.kinds if (one.mode, one.metric) == (mode, results.study.primary)]
    return sorted(found, key=lambda one: (_ORDER.index(one.outcome), -abs(one.contrast or 0.0)))


def kinds_table(results: Results, mode: Mode) -> Table:
    """A row for each pair of kinds."""
    found = of_mode(results, mode)
    words = phrases("report/words.j2")
    units: list[Unit] = list(dict.fromkeys(one.unit for one in found)) or ["seed"]
    rows = [
        {
            "component": name(one),
            "kinds": words.kind_pair(one.kind, one.verdict, one.other_kind, one.other_verdict),
            "kind_contrast": with_interval(one.contrast, one.interval, signed=True),
            "p_adjusted": p_value(one.p_adjusted),
            "p_equivalence": p_value(one.p_equivalence),
            "n": one.n,
            f"n_{one.unit}": one.n,
            "together": words.kind_outcomes[one.outcome],
        }
        for one in found
    ]
    return from_rows(f"component kinds kind_contrast p_adjusted p_equivalence {n_key(units)} together", rows)
