"""Adaptive search for a hidden hypergraph: remove sets that cover every pair, and halve those that cost more than their size.

After Angluin & Chen, "Learning a hidden hypergraph", JMLR 7:2215, 2006; the covering sets are lines of an affine plane.
"""

from collections.abc import Sequence

from .certificate import triples_covered
from .deciding import LIKELY
from .designs import ORDERS, affine_lines
from .state import State
from .system import Members

CLEAN_SHARE = 0.6
"""At least so many of the sets must hold nothing, else smaller ones are taken."""
SEPARATED = 3.5
"""Standard deviations between a clean set and one with a group of size δ, at which single runs decide."""
MOST_CHECKS = 5
MOST_TRIED = 3
"""Orders of planes tried until enough of the lines are clean."""
TRIPLES_WANTED = 0.9


def affordable_orders(state: State) -> list[int]:
    """Orders of planes whose lines are small enough to tell a group of size δ, those with the fewest runs first."""
    expectation, size = state.expectation, len(state.pool)
    fitting = [order for order in ORDERS if order == ORDERS[0] or size / order >= 2]
    return [order for order in fitting if expectation.separation(size / order) >= SEPARATED]


def search_hypergraph(state: State, orders: Sequence[int]) -> None:
    """Find every group inside a line; then again on fresh planes, with one member of each known group kept."""
    _examine(state, _covering(state, orders))
    for _ in range(MOST_CHECKS):
        orders = affordable_orders(state) or orders
        before, lines = state.runs.spent, affine_lines(_broken(state), orders[0], state.dice)
        clean = share_clean(state.decide(lines))
        state.log("check", lines, before, clean)
        new = _examine(state, lines) if clean < 1 else []
        if not new and (orders[0] > ORDERS[0] or triples_covered(state, state.dice) >= TRIPLES_WANTED):
            return


def _covering(state: State, orders: Sequence[int]) -> list[Members]:
    """Lines of the first order at which enough of them are clean."""
    lines: list[Members] = []
    for order in orders[:MOST_TRIED]:
        before, lines = state.runs.spent, affine_lines(state.pool, order, state.dice)
        clean = share_clean(state.decide(lines))
        state.log("cover", lines, before, clean)
        if clean >= CLEAN_SHARE:
            break
    return lines


def share_clean(ratios: Sequence[float]) -> float:
    """Share of decided sets that hold nothing."""
    return sum(not ratio >= LIKELY for ratio in ratios) / max(1, len(ratios))


def _examine(state: State, lines: Sequence[Members]) -> list[Members]:
    before, known = state.runs.spent, set(state.runs.values)
    new = state.examine(lines)
    if state.runs.spent > before:
        state.log("narrow", [one for one in state.runs.values if one not in known], before)
    return new


def _broken(state: State) -> list[int]:
    """The pool without one member of every known group, drawn at random: what is left holds none of them."""
    left = set(state.pool)
    for group in state.groups:
        if group <= left:
            left.discard(int(state.dice.choice(sorted(group))))
    return sorted(left)
