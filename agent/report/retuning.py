"""What a report says of equally tuned arms: both effects side by side, where the verdict is another one, and all that was tried."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...prompts import phrases
from ..records.retuning import Retuned, TriedSetting
from ..results import BaselineMetric, Effect, Mode, Results
from . import selection
from .footnotes import grouped
from .numbers import MISSING, number, p_value, with_interval
from .rows import Row, delta, from_rows
from .selection import UNMEASURED, intervention, name
from .table import Table

MOST_TRIED = 48
"""Settings that the report lists over all arms; the data has every one."""
OPEN = ("undecided", "untestable")


@dataclass(frozen=True)
class TunedView:
    """The retuned effects of one mode."""

    effects: list[Effect]
    untuned: list[Effect]
    """Confirmatory effects that stand at the baseline's hyperparameters alone."""
    changed: list[Effect]
    """Those that come to another verdict once both are tuned."""
    lost: list[Effect]
    """Those whose verdict could not be shown again."""
    keeping: list[Effect]
    """Removals that set a tuned key themselves."""
    table: Table
    tried: Table
    left: int
    """Settings that were tried and are not listed."""


def tuned_view(results: Results, mode: Mode) -> TunedView:
    """Everything there is to say about tuned arms; empty where none was tuned."""
    family = selection.confirmatory(results, mode)
    tuned = [(e, e.retuned) for e in selection.by_loss(results, _tuned(results, mode)) if e.retuned]
    settled = [(e, r) for e, r in tuned if r.verdict != e.verdict]
    tried = list(_tried(results, [e for e, _ in tuned]))
    notes = grouped((name(e), r.reason) for e, r in tuned if r.reason)
    return TunedView(
        effects=[e for e, _ in tuned],
        untuned=[e for e in family if e.verdict not in UNMEASURED and e.retuned is None],
        changed=[e for e, r in settled if r.verdict not in OPEN],
        lost=[e for e, r in settled if r.verdict in OPEN and e.verdict not in OPEN],
        keeping=[e for e, r in tuned if r.kept],
        table=from_rows(
            "component intervention untuned setting tuned p_adjusted p_equivalence n_seed tuned_verdict",
            [_row(e, r) for e, r in tuned],
            notes,
        ),
        tried=from_rows("component setting tuning_mean outcome", tried[:MOST_TRIED]),
        left=max(0, len(tried) - MOST_TRIED),
    )


def setting_phrase(setting: Mapping[str, Any]) -> str:
    """`optimizer.lr = 0.03, nesterov = true`."""
    return ", ".join(f"{key} = {value_phrase(value)}" for key, value in setting.items()) or MISSING


def value_phrase(value: Any) -> str:
    """A value of a configuration as it would be written there."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _tuned(results: Results, mode: Mode) -> list[Effect]:
    return [e for e in results.effects if e.mode == mode and e.retuned is not None]


def _row(e: Effect, r: Retuned) -> Row:
    words = phrases("report/words.j2")
    own = words.own_setting if r.setting == r.baseline_setting else ""
    return {
        "component": name(e),
        "intervention": intervention(e),
        "untuned": words.side_cell("", delta(e), words.verdict_cell(e.verdict, e.nonzero, e.masked), ""),
        "setting": f"{setting_phrase(r.setting)}{own}",
        "tuned": with_interval(r.delta, r.interval, signed=True),
        "p_adjusted": p_value(r.p_adjusted),
        "p_equivalence": p_value(r.p_equivalence),
        "n_seed": words.units(r.n, r.failed, "seed", False),
        "tuned_verdict": words.verdict_cell(r.verdict, r.nonzero, False),
    }


def _tried(results: Results, tuned: Sequence[Effect]) -> Iterator[Row]:
    if results.retuning is None:
        return
    floor = selection.noise_floor(results, "retrain", results.study.primary)
    grids = [(phrases("report/words.j2").baseline, results.retuning.grid)]
    grids += [(name(e), e.retuned.grid) for e in tuned if e.retuned]
    for who, grid in grids:
        yield from (_tried_row(who, each, floor) for each in grid)


def _tried_row(who: str, each: TriedSetting, floor: BaselineMetric | None) -> Row:
    return {
        "component": who,
        "setting": setting_phrase(each.setting),
        "tuning_mean": number(each.mean, floor.sd if floor else None),
        "outcome": phrases("report/words.j2").tried(each.chosen, each.failed),
    }
