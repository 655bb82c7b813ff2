"""Joint removals: the observed loss beside the additive prediction, and the contrast between them, tested at the looks.

Sign: I(S) = L(S) − Σ L(i) = (1 − k)·y0 − y(S) + Σ y(i) for k components. Positive: together they cost more than the sum of
what each costs alone, so each hides the other. Negative: the two work in series, the second removal adds little.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..results import InteractionVerdict
from .arrays import Bools, Floats, measured
from .contrasts import Contrasts, per_seed
from .estimates import Estimate, Table
from .looks import Look
from .noise import is_at_floor
from .sequential import estimate_family
from .verdicts import interaction_verdict, shown

Components = frozenset[str]


class Arm(NamedTuple):
    """The runs with one set of components removed."""

    values: Floats
    """Shape [S], larger is better; NaN where a seed failed or has not finished."""
    finished: Bools
    """Shape [S], whether a seed is terminal: ok or failed."""


@dataclass(frozen=True)
class InteractionEstimate:
    """One joint removal; all values are losses: larger is worse."""

    components: Components
    observed: Estimate
    """L(S), with an interval and p values of its own, in the family of joint losses."""
    additive: float | None
    """Σ L(i) over the seeds of `contrast`; where these are also the seeds of `observed`, contrast = observed − additive."""
    contrast: Estimate
    """I(S), in the family of tested sets."""
    saturated: bool
    """y(S) lies within 3σ of the floor."""
    negligible_together: bool
    """The joint loss is shown negligible: all of these can go at once."""
    verdict: InteractionVerdict
    reason: str | None


@dataclass(frozen=True)
class InteractionTable:
    """All tested sets, in the order asked for, and how the two families were estimated."""

    interactions: tuple[InteractionEstimate, ...]
    contrasts: Table
    joint_losses: Table


def interaction_table(
    baseline: Arm,
    arms: Mapping[Components, Arm],
    tested: Sequence[Components],
    *,
    delta: float,
    looks: Sequence[Look],
    alpha: float,
    negligible: Collection[Components] = (),
    floor: float | None = None,
) -> InteractionTable:
    """Test the interaction and the joint loss of every set in `tested`: two families, each of that size.

    Args:
        baseline: the runs with nothing removed.
        arms: runs by the set removed; the singles and the sets, all of them used for the residual variance. A set without
            an arm has no values.
        tested: sets of two or more components.
        delta: smallest effect of interest, in the metric's unit.
        looks: the planned looks; their α sum to `alpha`.
        alpha: family-wise error of each family.
        negligible: sets already shown negligible elsewhere: the singles of the main table.
        floor: the metric's floor, turned so that larger is better; None: no floor.

    Raises:
        ValueError: a tested set has fewer than two members, the arms' shapes differ, or delta is negative or not finite.
    """
    if any(len(components) < 2 for components in tested):
        raise ValueError("an interaction needs two components or more")
    wanted = {member for components in tested for member in _with_singles(components)}
    rows = {components: row for row, components in enumerate([*arms, *sorted(wanted - set(arms), key=sorted)], start=1)}
    y, finished = _stack(baseline, arms, len(rows))
    contrasts, joint = _contrasts(tested, rows), _joint(tested, rows)
    contrast_table = estimate_family(y, finished, contrasts, delta=delta, looks=looks, alpha=alpha)
    joint_table = estimate_family(y, finished, joint, delta=delta, looks=looks, alpha=alpha)
    together = {s for s, e in zip(tested, joint_table.estimates, strict=True) if shown(e.p_equivalence, alpha) and e.n >= 3}
    known = together | set(negligible)
    found = tuple(
        _finding(components, contrast, observed, y, rows, delta=delta, alpha=alpha, negligible=known, floor=floor)
        for components, contrast, observed in zip(
            tested, contrast_table.estimates, joint_table.estimates, strict=True
        )
    )
    return InteractionTable(found, contrast_table, joint_table)
