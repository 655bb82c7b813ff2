"""What moves one data set and not another, as a table and as findings."""

from ...prompts import phrases
from ..records.datasets import DatasetContrast
from ..results import Interval, Mode, Results, Unit
from . import selection
from .footnotes import grouped
from .numbers import MISSING, number, p_value, with_interval
from .rows import Row, from_rows
from .selection import name
from .table import Table


def differing(results: Results, mode: Mode) -> list[DatasetContrast]:
    """Those that were shown to cost more on one data set, by more than δ: the largest difference first."""
    return [one for one in contrasts(results, mode) if one.verdict == "differs"]


def contrasts(results: Results, mode: Mode) -> list[DatasetContrast]:
    """All of one mode, pair by pair, the largest difference first."""
    found = [one for one in results.datasets if one.mode == mode]
    order = list(dict.fromkeys((one.first, one.second) for one in found))
    return sorted(found, key=lambda one: (order.index((one.first, one.second)), -abs(one.difference or 0.0)))


def dataset_table(results: Results, mode: Mode) -> Table:
    """Both losses beside their difference."""
    found = contrasts(results, mode)
    units: list[Unit] = list(dict.fromkeys(one.unit for one in found)) or ["seed"]
    agreement = "agreement" if any(one.agreement is not None for one in found) else ""
    notes = grouped((name(one), one.reason) for one in found if one.reason)
    keys = (
        f"component first_loss second_loss dataset_difference p_adjusted p_equivalence n_{units[0]} {agreement} verdict"
    )
    return from_rows(keys, [_row(one) for one in found], notes)


def more(one: DatasetContrast) -> str:
    """The metric on which the removal costs more."""
    return one.first if (one.difference or 0.0) > 0 else one.second


def less(one: DatasetContrast) -> str:
    """The other metric."""
    return one.second if more(one) == one.first else one.first


def loss_on(one: DatasetContrast, metric: str) -> str:
    """The loss on one of the two metrics."""
    return number(one.first_loss if metric == one.first else one.second_loss, one.interval, signed=True)


def interval(one: DatasetContrast) -> Interval | None:
    """Of the difference, turned so that the larger loss is the first."""
    if one.interval is None or more(one) == one.first:
        return one.interval
    return -one.interval[1], -one.interval[0]


def spared(one: DatasetContrast) -> bool:
    """Whether the loss on the other metric was shown negligible: then the removal moves one and not the other."""
    return (one.first_verdict if less(one) == one.first else one.second_verdict) == "negligible"


def _row(one: DatasetContrast) -> Row:
    words = phrases("report/words.j2")
    sampled = one.unit in selection.SAMPLED
    n = f"{one.first_n}, {one.second_n}" if sampled else one.first_n
    return {
        "component": name(one),
        "first_loss": words.loss_on(one.first, loss_on(one, one.first), one.first_verdict),
        "second_loss": words.loss_on(one.second, loss_on(one, one.second), one.second_verdict),
        "dataset_difference": with_interval(one.difference, one.interval, signed=True),
        "p_adjusted": p_value(one.p_adjusted),
        "p_equivalence": p_value(one.p_equivalence),
        f"n_{one.unit}": n,
        "agreement": MISSING if one.agreement is None else words.agreement(one.verdict, one.agreement),
        "verdict": one.verdict,
    }
