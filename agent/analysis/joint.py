"""Joint removals as rows of a table and as contrasts over them; hands on what the engine needs to test them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from .arrays import Bools, Floats
from .contrasts import Contrasts

Components = frozenset[str]

BASELINE: Components = frozenset()
"""Nothing removed."""


class Arm(NamedTuple):
    """The runs with one set of components removed."""

    values: Floats
    """Shape [S], larger is better; NaN where a seed failed or has not finished."""
    finished: Bools
    """Shape [S], whether a seed is terminal: ok or failed."""


class Layout(NamedTuple):
    """A table of arms: the baseline in row 0, every other set in a row of its own."""

    rows: dict[Components, int]
    y: Floats
    """Shape [R, S]."""
    finished: Bools
    """Shape [R, S]."""


def lay_out(arms: Mapping[Components, Arm], tested: Sequence[Components]) -> Layout:
    """Stack the arms; sets in `tested` and their singles that have no arm get a row without values.

    Raises:
        ValueError: the arms' shapes differ.
        KeyError: the baseline is not among the arms.
    """
    baseline = arms[BASELINE]
    wanted = {part for components in tested for part in (components, *singles(components))}
    missing = sorted(wanted - set(arms), key=sorted)
    nothing = Arm(np.full(baseline.values.shape, np.nan), np.zeros(baseline.values.shape, dtype=np.bool_))
    order = [BASELINE, *(components for components in arms if components), *missing]
    stacked = [arms.get(components, nothing) for components in order]
    return Layout(
        {components: row for row, components in enumerate(order)},
        np.stack([arm.values for arm in stacked]),
        np.stack([arm.finished for arm in stacked]),
    )


def interaction_contrasts(tested: Sequence[Components], rows: Mapping[Components, int]) -> Contrasts:
    """I(S) = L(S) − Σ L(i) = (1 − k)·y0 − y(S) + Σ y(i), for the k components of every set."""
    width = max((len(components) for components in tested), default=0) + 2
    indices = np.zeros((len(tested), width), dtype=np.int64)
    weights = np.zeros((len(tested), width))
    for f, components in enumerate(tested):
        parts = [rows[components], *(rows[single] for single in singles(components))]
        indices[f, 1 : len(parts) + 1] = parts
        weights[f, : len(parts) + 1] = [1 - len(components), -1, *(1 for _ in components)]
    return Contrasts(indices, weights)


def loss_contrasts(tested: Sequence[Components], rows: Mapping[Components, int]) -> Contrasts:
    """L(S) = y0 − y(S) of every set."""
    indices = np.array([[0, rows[components]] for components in tested], dtype=np.int64).reshape(-1, 2)
    return Contrasts(indices, np.tile([1.0, -1.0], (len(tested), 1)))


def singles(components: Components) -> list[Components]:
    """Return the single removals within a set, in a fixed order."""
    return [frozenset((component,)) for component in sorted(components)]


def proper_subsets(components: Components) -> Iterator[Components]:
    """Every non-empty proper subset, small ones first: 2^k − 2 of them."""
    members = sorted(components)
    return (frozenset(subset) for size in range(1, len(members)) for subset in combinations(members, size))
