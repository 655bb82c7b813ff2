"""The rows of a bundle as `rerun.py --list` shows them."""

from ..planning.plan import BASELINE
from ..records.base import Interval, Record
from .originals import Originals
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
    originals = Originals(bundle, row)
    seeds = originals.seeds
    trials = [trial for arm in originals.arms for seed, trial in originals.of(arm).items() if seed in seeds]
    if row.mode != "retrain":
        trained = originals.of(BASELINE, "retrain")
        trials += [trained[seed] for seed in originals.trained(seeds)]
    seconds = [one.seconds for one in trials if one.seconds]
    return Listed(
        ablation=row.ablation,
        mode=row.mode,
        metric=metric,
        figure=figure,
        value=value,
        interval=interval,
        verdict=verdict,
        seeds=len(seeds),
        seconds=sum(seconds) if seconds else None,
    )
