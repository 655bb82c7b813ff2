"""The whole search: how much can be removed at once, which strategy the noise allows, the groups, and what is vouched for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .certificate import Certificate, certify
from .expectation import Noise
from .hypergraph import affordable_orders, search_hypergraph
from .regression import best_size, search_regression
from .state import State
from .system import Members, OutOfRuns, Runs, Scale, System

_SHARES = (1 / 16, 1 / 8, 1 / 4)
_TRIES = 3
_INTACT = 4
_TELLING = 1.5


@dataclass(frozen=True)
class Search:
    """What a search came to."""

    groups: tuple[Members, ...]
    strays: tuple[int, ...]
    certificate: Certificate
    strategy: str
    """`hypergraph` or `regression`."""
    told: tuple[str, ...]
    runs: int
    complete: bool
    """False where the budget ended it."""


def search(
    system: System,
    pool: Sequence[int],
    n: int,
    *,
    delta: float,
    floor: float | None,
    noise: Noise = Noise(0.0, 0),
    seed: int = 0,
    limit: int | None = None,
) -> Search:
    """Find groups of the pool that cost δ together and nothing apart."""
    runs = Runs(system, n, limit)
    dice = np.random.default_rng(seed)
    runs.measure([frozenset()] * (_INTACT if system.repeatable else 1))
    state = State(runs, Scale(runs.mean(frozenset())[0], floor, delta), noise, list(pool), dice)
    strategy, complete = "hypergraph", True
    try:
        _explore(state)
        orders = affordable_orders(state)
        strategy = "hypergraph" if orders else "regression"
        if orders:
            search_hypergraph(state, orders)
        else:
            search_regression(state, best_size(state))
    except OutOfRuns as stop:
        state.told.append(str(stop))
        complete = False
    return Search(
        tuple(state.groups), tuple(state.strays), certify(state), strategy, tuple(state.told), runs.spent, complete
    )


def _explore(state: State) -> None:
    """Random subsets of growing size, as long as a group of size δ would still be seen in them."""
    for share in _SHARES:
        size = max(2, round(share * len(state.pool)))
        sets = [frozenset(state.dice.choice(state.pool, size, replace=False).tolist()) for _ in range(_TRIES)]
        state.runs.measure(sets)
        if state.expectation.separation(size, runs=4) < _TELLING:
            return
