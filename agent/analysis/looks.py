"""The rules of a study: its smallest effect, its α, and after how many seeds it may look, spending how much of α."""

import math
from typing import NamedTuple

_SEEDS = (3, 5, 10, 20)
_EARLY_TENTHS = (1, 2, 3)


class Look(NamedTuple):
    """One planned test of all hypotheses."""

    seeds: int
    """Every arm's first `seeds` seeds are looked at."""
    alpha: float
    """The share of the study's α that this look spends; the shares of all looks sum to α."""


class Rules(NamedTuple):
    """What was declared before any ablation ran, and every test goes by."""

    delta: float
    """Smallest effect of interest δ, in the metric's unit, at least 0."""
    looks: tuple[Look, ...]
    """Increasing in seeds; their α sum to `alpha`."""
    alpha: float = 0.05
    """Family-wise error of one family over all its looks; what adjusted p values are compared with."""
    screen: bool = False
    """Whether the family is a screen: its false discovery rate is controlled instead (Benjamini & Hochberg)."""


def planned_looks(seeds: int, max_seeds: int, alpha: float) -> tuple[Look, ...]:
    """Plan the looks of a study that starts with `seeds` seeds and may buy up to `max_seeds`.

    Those of 3, 5, 10, 20 in [seeds, max_seeds] are looked at; the early ones spend .1, .2, .3 of α (.005, .01, .015 of
    .05) and the last all that remains. Where none lies in the range there is one look, at `max_seeds`.
    By the union bound any stopping rule between the looks keeps the type-I error at α.

    Raises:
        ValueError: `max_seeds` is below `seeds`, or either is below 1, or α is outside (0, 1).
    """
    if not (1 <= seeds <= max_seeds and 0 < alpha < 1):
        raise ValueError(f"no looks with seeds={seeds}, max_seeds={max_seeds}, alpha={alpha}")
    counts = [count for count in _SEEDS if seeds <= count <= max_seeds] or [max_seeds]
    early = [alpha * tenths / 10 for tenths in _EARLY_TENTHS[: len(counts) - 1]]
    return tuple(Look(*look) for look in zip(counts, [*early, alpha - math.fsum(early)], strict=True))
