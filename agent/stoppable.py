"""Whether evaluating a removal on fixed weights may end before the set does, and why not where it may not."""

import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..executor.inside.columns import dataset_of, is_metric
from ..executor.inside.stopping import FEWEST_BATCHES, FEWEST_EXAMPLES
from .analysis.arrays import Floats
from .arms import splits_of
from .evidence import Evidence
from .labels import labelled
from .planning.plan import BASELINE
from .records.stopping import Whole

ALIKE = 0.001
"""p below which a baseline's values count as resembling each other within batches: a set in some order."""


def why_whole(evidence: Evidence, offers: Collection[str]) -> Whole | None:
    """Why no removal of the mode stops early; None where they may.

    One answer for all trained models and splits. Args: `evidence` of re-evaluation, once its baselines are measured;
    `offers`: the optional functions of the experiment.
    """
    stop_early = evidence.spec.study.stop_early
    if stop_early is False:
        return Whole(why="asked")
    return next(iter(_reasons(evidence, offers, tables=not stop_early)), None)


def _reasons(evidence: Evidence, offers: Collection[str], *, tables: bool) -> Iterator[Whole]:
    if evidence.spec.experiment.command is not None:
        yield Whole(why="command")
    if not {"batches", "score"} <= set(offers):
        yield Whole(why="no-batches")
    seen = [replace(evidence.at(seed), split=split) for seed in evidence.seeds_at_hand for split in _splits(evidence)]
    for one in seen:
        yield from _about(one, tables=tables)
    if not seen:
        yield Whole(why="order")
    for one in seen:
        if metric := resembling(one):
            yield Whole(why="alike", metric=metric, split=one.split)


def _splits(evidence: Evidence) -> list[str]:
    return splits_of(evidence.baseline)


def _about(seen: Evidence, *, tables: bool) -> Iterator[Whole]:
    """What one trained model's examples of one split speak against it."""
    columns = seen.columns_at(BASELINE, seen.seed)
    for name in seen.spec.metrics:
        if name not in columns:
            yield Whole(why="no-value", metric=name)
    if not batches_of(seen):
        yield Whole(why="order")
    elif len(batches_of(seen)) < FEWEST_BATCHES or sum(batches_of(seen)) <= FEWEST_EXAMPLES:
        yield Whole(why="few", split=seen.split)
    if any(seen.clusters_of(name) is not None for name in seen.spec.metrics if name in columns):
        yield Whole(why="clusters")
    if len({dataset_of(name) for name in columns if is_metric(name)}) > 1:
        yield Whole(why="datasets")
    if tables and labelled(columns):
        yield Whole(why="classes")


def batches_of(seen: Evidence) -> Sequence[int]:
    """How many examples each batch of the split has; empty where the order of batches changes what examples get."""
    row = seen.baseline.trials.get(seen.seed) if seen.seed is not None else None
    sizes = row.facts.batches.get(seen.split, []) if row is not None else []
    lengths = {len(values) for values in seen.columns_at(BASELINE, seen.seed).values()}
    return sizes if lengths == {sum(sizes)} else []


def resembling(seen: Evidence) -> str | None:
    """The first metric whose values are more alike within batches than between them; None where none is."""
    sizes = batches_of(seen)
    found = (name for name in seen.spec.metrics if _differs_between(seen.on_examples(BASELINE, name), sizes))
    return next(found, None)


def _differs_between(values: Floats, sizes: Sequence[int]) -> bool:
    """One-way analysis of variance over batches; not so where nothing varies, or where batches hold single examples."""
    from scipy import stats  # half a second, and rarely needed

    groups = [each for each in np.split(values, np.cumsum(sizes)[:-1]) if each.size]
    if len(groups) < 2 or values.size <= len(groups) or not np.ptp(values):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of batches that are constant each: then F is infinite, and p is 0
        p = float(stats.f_oneway(*groups).pvalue)
    return p < ALIKE
