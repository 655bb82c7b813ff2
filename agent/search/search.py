"""The whole search: how much can be removed at once, which strategy the noise allows, the groups, and what is vouched for.

Leave-one-out is blind to components that cover for each other, and all pairs of n cost n²/2 runs. Here sets of many are
removed at once: what a set costs beyond its size tells that it holds a group, whatever the rest of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .certificate import Certificate, certify
from .expectation import Noise
from .hypergraph import SEPARATED, affordable_orders, search_hypergraph
from .regression import best_size, search_regression
from .state import State, Step
from .system import Members, OutOfRuns, Runs, Scale, System

Strategy = Literal["hypergraph", "regression"]

_SHARES = (1 / 16, 1 / 8, 1 / 4)
_TRIES = 3
_INTACT = 4
_TELLING = 1.5
_UNKNOWN = Noise(0.0, 0)


@dataclass(frozen=True)
class Choice:
    """Which strategy, and what it was chosen by."""

    strategy: Strategy
    size: float
    """Members of a set."""
    separation: float
    """Between a clean set of that size and one with a group that costs δ, in standard deviations of one run."""
    needed: float = SEPARATED
    """What deciding sets one by one needs."""


@dataclass(frozen=True)
class Search:
    """What a search came to; components by their number."""

    groups: tuple[Members, ...]
    """Candidates: each cost δ together when it was last measured, and is to be confirmed on fresh units."""
    strays: tuple[int, ...]
    """Components that turned out to cost δ alone."""
    certificate: Certificate
    choice: Choice | None
    """None: the budget ended it before the choice."""
    steps: tuple[Step, ...]
    sd: float
    """Of one run, on the metric's scale."""
    spread: float
    """Of the damage between clean sets of one size, as a loss on the metric's scale at the intact system."""
    runs: int
    stopped: str | None
    """What ended it early; None: it came to its end."""


def search(
    system: System,
    pool: Sequence[int],
    n: int,
    *,
    delta: float,
    floor: float | None,
    noise: Noise = _UNKNOWN,
    seed: int = 0,
    limit: int | None = None,
) -> Search:
    """Find groups of the pool that cost δ together and nothing apart.

    Args:
        system: measures removal masks of n components.
        pool: those whose single removal costs less than δ.
        n: components that a mask covers.
        delta: the smallest effect of interest, on the metric's scale.
        floor: the metric at chance, turned so that larger is better; None: none.
        noise: of one run, as far as it is known.
        seed: of the random sets; the same seed and answers give the same questions.
        limit: runs that the search may take.
    """
    runs = Runs(system, n, limit)
    runs.measure([frozenset[int]()] * (_INTACT if system.repeatable else 1))
    scale = Scale(runs.mean(frozenset())[0], floor, delta)
    state = State(runs, scale, noise, list(pool), np.random.default_rng(seed))
    choice, stopped = None, None
    state.log("intact", [frozenset()], 0)
    try:
        _explore(state)
        choice = choose(state)
        if choice.strategy == "hypergraph":
            search_hypergraph(state, affordable_orders(state))
        else:
            search_regression(state, round(choice.size))
    except OutOfRuns as stop:
        stopped = str(stop)
        told = sum(one.runs for one in state.steps)
        begun = list(runs.values)[sum(one.sets for one in state.steps) :]
        state.log("stopped", begun, told)
    expectation = state.expectation
    return Search(
        groups=tuple(state.groups),
        strays=tuple(state.strays),
        certificate=certify(state),
        choice=choice,
        steps=tuple(state.steps),
        sd=expectation.sd,
        spread=expectation.spread * scale.slope(0.0),
        runs=runs.spent,
        stopped=stopped,
    )


def choose(state: State) -> Choice:
    """Decide sets one by one where single runs tell them apart; else let one regression pool all of them."""
    orders, expectation = affordable_orders(state), state.expectation
    if orders:
        size = len(state.pool) / orders[0]
        return Choice("hypergraph", size, expectation.separation(size))
    size = best_size(state)
    return Choice("regression", size, expectation.separation(size))


def _explore(state: State) -> None:
    """Random subsets of growing size, as long as a group of size δ would still be seen in them."""
    before, tried = state.runs.spent, list[Members]()
    for share in _SHARES:
        size = min(len(state.pool), max(2, round(share * len(state.pool))))
        sets = [frozenset(state.dice.choice(state.pool, size, replace=False).tolist()) for _ in range(_TRIES)]
        state.runs.measure(sets)
        tried += sets
        if state.expectation.separation(size, runs=4) < _TELLING:
            break
    state.log("explore", tried, before)
