"""Which sets to remove so that every pair is removed together: lines of an affine plane, and balanced random subsets."""

from collections.abc import Sequence

import numpy as np

from ..analysis.arrays import Floats
from .system import Members, indices

ORDERS = (3, 5, 7, 11, 13, 17, 19, 23)
"""Prime orders q: q² + q lines, each with 1/q of the pool."""


def affine_lines(pool: Sequence[int], order: int, rng: np.random.Generator) -> list[Members]:
    """Deal the pool at random on the q² points of the affine plane over Z_q, and take its q² + q lines as sets.

    Any two points lie on exactly one line (Bose, Sankhyā 4:17, 1939), so every pair of components is removed together at
    least once, by a number of runs that depends on q alone. Lines that received nothing are left out.

    Args:
        pool: components.
        order: q, a prime.
        rng: source of the dealing.
    """
    dealt = rng.permutation(np.asarray(pool))
    points = [dealt[point :: order * order] for point in rng.permutation(order * order)]
    sloped = [
        [x * order + (slope * x + at) % order for x in range(order)] for slope in range(order) for at in range(order)
    ]
    upright = [[x * order + y for y in range(order)] for x in range(order)]
    lines = [indices(np.concatenate([points[point] for point in line])) for line in [*sloped, *upright]]
    return [line for line in dict.fromkeys(lines) if line]


def balanced_subsets(
    pool: Sequence[int], size: int, count: int, together: Floats, rng: np.random.Generator
) -> list[Members]:
    """Random subsets of one size in which pairs that were seldom removed together are preferred.

    Args:
        pool: components.
        size: members of every subset.
        count: subsets wanted.
        together: shape [n, n], how often each pair was removed together so far; counted on in place.
        rng: source of the choice.
    """
    members = np.asarray(pool)
    chosen: list[Members] = []
    for _ in range(count):
        order = rng.permutation(members)
        picked = [int(order[0])]
        seen = together[picked[0]].copy()
        taken = np.zeros(len(together), dtype=np.bool_)
        taken[picked[0]] = True
        for _ in range(min(size, len(members)) - 1):
            open_ = order[~taken[order]]
            best = int(open_[np.argmin(seen[open_])])
            picked.append(best)
            taken[best] = True
            seen += together[best]
        together[np.ix_(picked, picked)] += 1
        chosen.append(indices(picked))
    return chosen
