"""Three ways to find hidden groups, each from leave-one-out to confirmed groups, on one simulated system."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from lesion.agent.analysis.interactions import interaction_table
from lesion.agent.analysis.joint import BASELINE, Arm, singles
from lesion.agent.analysis.looks import Look, Rules
from lesion.agent.search.expectation import Noise
from lesion.agent.search.search import Search, search

from tests.planted.system import CHANCE, WEAKEST, PlantedSystem

DELTA = float(WEAKEST)
"""The smallest effect that the researcher declares: no more than the weakest pair costs."""
LOOKS = (Look(2, 0.01), Look(5, 0.015), Look(10, 0.025))
"""Of the confirmation: fresh runs of every arm."""
INTACT = 8


class LeaveOneOut(NamedTuple):
    """What every method starts from: the baseline and one run of every single removal, which are not counted."""

    intact: float
    losses: np.ndarray
    """Shape [n], one run each."""
    noise: Noise
    """Of one run, estimated."""
    pool: list[int]
    """Those that cost less than δ/2, or less than noise alone may."""


class Found(NamedTuple):
    """What a method came to."""

    groups: set[frozenset[int]]
    """Confirmed."""
    runs: int
    """Beyond leave-one-out, the confirmation included."""
    search: Search | None = None


def leave_one_out(system: PlantedSystem) -> LeaveOneOut:
    """One run without each component; the noise is the spread of those that cost nothing."""
    intact = float(system.run([frozenset()], INTACT).mean())
    losses = intact - system.run([frozenset((one,)) for one in range(system.n)], 1)[:, 0]
    sd = _clipped(losses)
    pool = np.flatnonzero(losses < max(DELTA / 2, 3.2 * sd)).tolist()
    system.calls = 0
    return LeaveOneOut(intact, losses, Noise(sd, len(pool) - 1), pool)


def _clipped(values: np.ndarray) -> float:
    """Standard deviation of the bulk: what lies 2.5 deviations off is left out, until nothing does."""
    centre, sd = float(np.median(values)), 1.4826 * float(np.median(np.abs(values - np.median(values))))
    for _ in range(20):
        bulk = values[np.abs(values - centre) < 2.5 * sd]
        centre, sd = float(bulk.mean()), 1.06 * float(bulk.std())
    return sd


def confirm(system: PlantedSystem, candidates: Sequence[frozenset[int]], most: int = 200) -> set[frozenset[int]]:
    """Candidates whose contrast against their singles, on fresh runs, is shown above 0: Benjamini & Hochberg, three looks."""
    groups = [frozenset(map(str, one)) for one in candidates[:most]]
    names = list(dict.fromkeys([BASELINE, *(part for one in groups for part in (*singles(one), one))]))
    values = {name: np.full(LOOKS[-1].seeds, np.nan) for name in names}
    open_, confirmed = list(groups), set[frozenset[str]]()
    for look in LOOKS:
        wanted = [BASELINE, *dict.fromkeys(part for one in open_ for part in (*singles(one), one))]
        for name in wanted:
            done = int(np.isfinite(values[name]).sum())
            values[name][done : look.seeds] = system.run([frozenset(map(int, name))], look.seeds - done)[0]
        arms = {name: Arm(value, np.isfinite(value)) for name, value in values.items()}
        table = interaction_table(arms, groups, rules=Rules(DELTA, LOOKS, screen=True), floor=CHANCE)
        for one in table.interactions:
            sure = one.contrast.p_adjusted is not None and one.contrast.p_adjusted <= 0.05
            if sure and one.contrast.loss is not None and one.contrast.loss > 0:
                confirmed.add(one.components)
        open_ = [one for one in groups if one not in confirmed]
        if not open_:
            break
    return {frozenset(map(int, one)) for one in confirmed}


def by_search(system: PlantedSystem, seed: int) -> Found:
    """The adaptive search; told neither the noise nor what anything costs."""
    alone = leave_one_out(system)
    found = search(system, alone.pool, system.n, delta=DELTA, floor=CHANCE, noise=alone.noise, seed=seed)
    return Found(confirm(system, found.groups), system.calls, found)


def by_all_pairs(system: PlantedSystem, _seed: int) -> Found:
    """Every pair of the pool, once; what stands out is confirmed."""
    alone = leave_one_out(system)
    return _by_pairs(system, alone, alone.pool)


def by_top_pairs(system: PlantedSystem, _seed: int) -> Found:
    """Every pair of the fifth that costs most alone, once; what stands out is confirmed."""
    alone = leave_one_out(system)
    return _by_pairs(system, alone, np.argsort(-alone.losses)[: system.n // 5].tolist())


def _by_pairs(system: PlantedSystem, alone: LeaveOneOut, members: Sequence[int]) -> Found:
    pairs = [frozenset(pair) for pair in combinations(members, 2)]
    losses = alone.intact - system.run(pairs, 1)[:, 0]
    contrasts = losses - np.array([sum(alone.losses[list(pair)]) for pair in pairs])
    standing = np.flatnonzero(contrasts > DELTA / 2)
    strongest = standing[np.argsort(-contrasts[standing])]
    return Found(confirm(system, [pairs[at] for at in strongest.tolist()]), system.calls)


METHODS: dict[str, Callable[[PlantedSystem, int], Found]] = {
    "search": by_search,
    "all pairs": by_all_pairs,
    "pairs of the top 20%": by_top_pairs,
}
