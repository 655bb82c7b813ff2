"""What a search can vouch for: the pairs that were removed together without a joint loss of δ."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..analysis.arrays import Bools, Floats

if TYPE_CHECKING:
    from .state import State

SURE = 3.0
"""Standard errors by which a pair's joint damage must stay below δ's."""
_DRAWN = 2_000
"""Triples in the sample."""


class Certificate(NamedTuple):
    """Coverage of the pool, assuming that damage done by one part is not undone by removing another."""

    pool: int
    pairs: int
    """Of the pool."""
    cleared: int
    """Pairs that were removed together, without a joint loss of δ."""
    triples: float
    """Share of all triples that lay together in such sets, by sampling."""
    open: Bools
    """Shape [n, n], symmetric: pairs of the pool that are neither cleared nor inside a group that was found."""


def certify(state: "State") -> Certificate:
    """Clear every pair whose mean damage, over all sets that hold it and no known group, lies SURE errors below δ's."""
    evidence = masks, excess, precision = _clean_evidence(state)
    weight = masks.T @ (masks * precision[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (masks.T @ (masks * (precision * excess)[:, None])) / weight
        cleared = (weight > 0) & (mean + SURE / np.sqrt(weight) < state.scale.step)
    pairs = np.zeros_like(cleared)
    pairs[np.ix_(state.pool, state.pool)] = True
    np.fill_diagonal(pairs, False)
    known = np.zeros_like(cleared)
    for group in state.groups:
        known[np.ix_(sorted(group), sorted(group))] = True
    count = len(state.pool) * (len(state.pool) - 1) // 2
    return Certificate(
        pool=len(state.pool),
        pairs=count,
        cleared=int((cleared & pairs & ~known).sum()) // 2,
        triples=_share_of_triples(state, evidence, np.random.default_rng(0)),
        open=pairs & ~cleared & ~known,
    )


def triples_covered(state: "State", dice: np.random.Generator) -> float:
    """Share of the pool's triples that lay together in a set that cost nothing; of a random sample of them."""
    return _share_of_triples(state, _clean_evidence(state), dice)


def _share_of_triples(state: "State", evidence: tuple[Floats, Floats, Floats], dice: np.random.Generator) -> float:
    if len(state.pool) < 3:
        return 1.0
    masks, excess, precision = evidence
    clean = masks[excess + SURE / np.sqrt(precision) < state.scale.step].astype(np.bool_)
    drawn = np.array([dice.choice(state.pool, 3, replace=False) for _ in range(_DRAWN)])
    if not len(clean):
        return 0.0
    covered = np.array([np.any(clean[:, a] & clean[:, b] & clean[:, c]) for a, b, c in drawn.tolist()])
    return float(covered.mean())


def _clean_evidence(state: "State") -> tuple[Floats, Floats, Floats]:
    """Masks, shape [sets, n], damage beyond what their size explains, and its precision, of sets without a known group."""
    expectation = state.expectation
    sets = [one for one in state.runs.values if len(one) > 1 and not any(group <= one for group in state.groups)]
    found = [(one, *state.runs.mean(one)) for one in sets]
    kept = [(one, mean, count) for one, mean, count in found if count]
    masks = state.runs.masks([one for one, _, _ in kept]).astype(np.float64)
    damage = state.scale.damages(np.array([mean for _, mean, _ in kept]))
    expected = np.array([expectation.damage(len(one)) for one, _, _ in kept])
    slopes = np.array([state.scale.slope(one) for one in expected.tolist()])
    counts = np.array([count for _, _, count in kept], dtype=np.float64)
    variance = expectation.spread**2 + expectation.sd**2 / counts / np.maximum(slopes, 1e-12) ** 2
    return masks, damage - expected, 1 / np.maximum(variance, 1e-24)
