"""The columns of examples by data set: `dataset/name` belongs to one of them, a plain name to all that have none of their own."""

from typing import Dict, Iterable, List, Optional

ABOUT = ("target", "prediction", "cluster")
"""Columns that describe examples; every other one holds a metric's values."""


def dataset_of(column: str) -> str:
    """The data set in the name of a metric or a column, empty where it has none: `own` of `own/accuracy`."""
    return column.rpartition("/")[0]


def is_metric(column: str) -> bool:
    """Whether a column holds the values of a metric."""
    return column.rpartition("/")[2] not in ABOUT


def serving(about: str, dataset: str, lengths: "Dict[str, int]") -> "Optional[str]":
    """The column that describes the examples of a data set: its own, else the plain one where that is as long.

    Args:
        about: target, prediction or cluster.
        dataset: its name, empty for plain metrics.
        lengths: of all columns.
    """
    own = f"{dataset}/{about}" if dataset else about
    if own in lengths:
        return own
    fits = about in lengths and lengths[about] in _sizes(dataset, lengths)
    return about if fits else None


def problem_with(lengths: "Dict[str, int]") -> "Optional[str]":
    """Why columns of these lengths do not make up data sets, in words; None where they do."""
    for dataset in sorted(set(map(dataset_of, lengths))):
        own = {name: length for name, length in lengths.items() if dataset_of(name) == dataset}
        if len(set(own.values())) > 1:
            return f"the columns of examples{f' of {dataset}' if dataset else ''} differ in length: {own}"
    if any(is_metric(name) and not dataset_of(name) for name in lengths):
        return None  # plain columns describe the plain metrics, whatever the data sets' sizes
    for about in (name for name in ABOUT if name in lengths):
        for metric in (name for name in lengths if is_metric(name)):
            if serving(about, dataset_of(metric), lengths) is None:
                return (
                    f"examples[{about!r}] has {lengths[about]} values and examples[{metric!r}] has {lengths[metric]}: "
                    f"name it by its data set, as in '{dataset_of(metric)}/{about}'"
                )
    return None


def metrics_still_to_come(metrics: "Iterable[str]", seen: "Iterable[str]") -> "List[str]":
    """Metrics that later batches may give: those of data sets that no batch was of yet. What a batch of their own data set
    left out will not come."""
    known, sets = set(seen), set(map(dataset_of, seen))
    return [name for name in metrics if name not in known and dataset_of(name) not in sets]


def _sizes(dataset: str, lengths: "Dict[str, int]") -> "List[int]":
    return [length for name, length in lengths.items() if dataset_of(name) == dataset]
