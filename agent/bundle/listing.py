"""The rows of a bundle as `rerun.py --list` shows them."""

from ..arms import MEASURED
from ..planning.plan import BASELINE
from ..records.base import Interval, Record
from .rows import Row
from .unpacked import Unpacked


class Listed(Record):
    """One row on the primary metric."""

    ablation: str
    mode: str
    metric: str
    figure: str
    value: float | None
    interval: Interval | None
    verdict: str
    seeds: int
    """At which it is run again."""
    seconds: float | None
    """What its trials, and the baseline's, took where they were measured, one after the other; None where nothing tells."""


def listed(bundle: Unpacked, rows: list[Row]) -> list[Listed]:
    """Every row."""
    return [_listed(bundle, row) for row in rows if bundle.results.study.primary in row.effects]


def _listed(bundle: Unpacked, row: Row) -> Listed:
    metric = bundle.results.study.primary
    figure, value, interval, verdict = row.figure(metric)
    cap = bundle.manifest.caps.get(row.mode, {}).get(row.ablation)
    parts = {row.ablation, BASELINE, *(row.effects[metric].components if row.is_joint else [])}
    trials = [
        one for one in bundle.trials if one.mode == row.mode and one.arm in parts and (cap is None or one.seed < cap)
    ]
    if row.mode != "retrain":
        seeds = {one.seed for one in trials if one.arm == row.ablation}
        trains = [one for one in bundle.trials if one.mode == "retrain" and one.arm == BASELINE]
        trials += [one for one in trains if one.seed in seeds]
    seconds = [one.seconds for one in trials if one.status in MEASURED and one.seconds]
    return Listed(
        ablation=row.ablation,
        mode=row.mode,
        metric=metric,
        figure=figure,
        value=value,
        interval=interval,
        verdict=verdict,
        seeds=len({one.seed for one in trials if one.arm == row.ablation and one.mode == row.mode}),
        seconds=sum(seconds) if seconds else None,
    )
