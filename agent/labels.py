"""Classes among the columns of examples: which columns are class labels, and what is wrong with those that are not."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from ..executor.inside.columns import dataset_of
from .analysis.arrays import Floats, Ints
from .evidence import CLUSTER, PREDICTION, TARGET, described_by

MOST_CLASSES = 1000
"""Beyond these, as with the words of a language, no class is told of by itself."""


class Labelled(NamedTuple):
    """The classes of one data set's examples in one evaluation."""

    target: Ints
    """Shape [N]."""
    prediction: Ints
    """Shape [N]."""
    clusters: Ints | None
    """Shape [N]."""


class Unlabelled(NamedTuple):
    """A prediction column that no class can be read from."""

    column: str
    why: Literal["no-target", "no-label", "too-many"]
    about: str
    """The column that is missing or at fault."""
    value: float | int | None = None
    """The first value that is no whole number, or how many classes there are."""


def labelled(columns: Mapping[str, Floats]) -> dict[str, Labelled]:
    """Data set (empty where predictions are not named by one) → its classes; without those that have none."""
    read = {name: _read(columns, name) for name in _predictions(columns)}
    return {dataset_of(name): one for name, one in read.items() if isinstance(one, Labelled)}


def unlabelled(columns: Mapping[str, Floats]) -> list[Unlabelled]:
    """Predictions that give no class tables, and why."""
    return [one for name in _predictions(columns) if isinstance(one := _read(columns, name), Unlabelled)]


def _predictions(columns: Mapping[str, Floats]) -> list[str]:
    return [name for name in columns if name.rpartition("/")[2] == PREDICTION]


def _read(columns: Mapping[str, Floats], name: str) -> Labelled | Unlabelled:
    dataset = dataset_of(name)
    target = described_by(TARGET, dataset, columns)
    if target is None:
        return Unlabelled(name, "no-target", f"{dataset}/{TARGET}" if dataset else TARGET)
    for each in (target, name):
        odd = columns[each][~(columns[each] == np.rint(columns[each]))]
        if odd.size:
            return Unlabelled(name, "no-label", each, float(odd[0]))
    classes = np.unique(np.concatenate([columns[target], columns[name]])).size
    if classes > MOST_CLASSES:
        return Unlabelled(name, "too-many", name, classes)
    cluster = described_by(CLUSTER, dataset, columns)
    clusters = None if cluster is None else columns[cluster].astype(np.int64)
    return Labelled(columns[target].astype(np.int64), columns[name].astype(np.int64), clusters)
