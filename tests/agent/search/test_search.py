"""Searching simulated systems with known groups: what is found, what it costs, what is vouched for."""

from itertools import combinations

import numpy as np
import pytest
from lesion.agent.search.deciding import minimal_group
from lesion.agent.search.designs import affine_lines, balanced_subsets
from lesion.agent.search.expectation import Noise
from lesion.agent.search.halves import search_half
from lesion.agent.search.search import search

from tests.planted.system import CHANCE, WEAKEST, PlantedSystem

DELTA = float(WEAKEST)


class Recorded:
    """A system without noise: `losses` of groups, and every question it was asked."""

    def __init__(self, n, groups, *, repeatable=False, broken=()):
        self.n, self.groups, self.repeatable, self.broken = n, groups, repeatable, broken
        self.asked = []

    def __call__(self, masks):
        return np.array([self.value(frozenset(np.flatnonzero(mask).tolist())) for mask in masks])

    def value(self, removed):
        self.asked.append(removed)
        if any(one in removed for one in self.broken):
            return float("nan")
        lost = sum(cost for group, cost in self.groups.items() if frozenset(group) <= removed)
        return 1.0 - lost - 0.0005 * len(removed)


def searched(n, sigma, seed, **more):
    system = PlantedSystem(n, sigma, seed)
    pool = [one for one in range(n) if one not in system.critical]
    system.calls = 0
    return system, search(system, pool, n, delta=DELTA, floor=CHANCE, seed=seed, **more)


@pytest.mark.parametrize("order", [3, 5, 7])
def test_two_components_meet_on_one_line_unless_they_share_a_point(order):
    pool = list(range(order * order))
    lines = affine_lines(pool, order, np.random.default_rng(0))
    assert len(lines) == order * order + order
    assert {sum({a, b} <= line for line in lines) for a, b in combinations(pool, 2)} == {1}


def test_lines_hold_every_pair_of_any_pool():
    pool = [3, 8, *range(20, 61)]
    lines = affine_lines(pool, 5, np.random.default_rng(1))
    assert all(any({a, b} <= line for line in lines) for a, b in combinations(pool, 2))
    assert frozenset().union(*lines) == frozenset(pool)


def test_subsets_are_balanced():
    together = np.zeros((40, 40))
    subsets = balanced_subsets(range(40), 8, 60, together, np.random.default_rng(0))
    assert {len(one) for one in subsets} == {8}
    hits = together[np.triu_indices(40, 1)]
    assert hits.sum() == 60 * 28
    assert hits.std() < 0.7 * np.sqrt(hits.mean())  # at random it would be about 1


@pytest.mark.parametrize("group", [{4}, {0, 39}, {7, 8}, {3, 20, 33}, {1, 2, 3, 4, 5}])
def test_halving_finds_a_minimal_group_of_any_order(group):
    asked, halving = [], minimal_group(list(np.random.default_rng(2).permutation(40)))
    question = next(halving)
    while True:
        asked.append(question)
        try:
            question = halving.send(group <= question)
        except StopIteration as end:
            found = end.value
            break
    assert found == group
    assert len(asked) <= 7 * len(group) + 6


@pytest.mark.parametrize(("n", "sigma"), [(40, 0.01), (100, 0.01), (300, 0.01)])
def test_pairs_are_found_where_single_runs_decide(n, sigma):
    system, found = searched(n, sigma, 1)
    assert found.choice.strategy == "hypergraph"
    assert set(system.pairs) <= set(found.groups) <= {*system.pairs, system.triple}
    assert found.runs == system.calls == sum(one.runs for one in found.steps) < n * n / 16 + 60
    assert found.certificate.cleared > 0.98 * found.certificate.pairs - len(system.pairs) - 3


def test_the_triple_is_found_where_much_can_be_removed_at_once():
    system, found = searched(100, 0.002, 0)
    assert system.triple in found.groups
    assert found.certificate.triples > 0.7


def test_noise_makes_it_pool_all_runs():
    system, found = searched(100, 0.03, 2, noise=Noise(0.03, 89))
    assert found.choice.strategy == "regression"
    assert found.choice.separation < found.choice.needed
    assert len(set(system.pairs) & set(found.groups)) >= 4
    assert len(set(found.groups) - set(system.pairs)) <= 1


def test_nothing_is_found_where_nothing_hides():
    system = Recorded(60, {})
    found = search(system, range(60), 60, delta=0.1, floor=None)
    assert (found.groups, found.strays, found.stopped) == ((), (), None)
    assert found.certificate.cleared == found.certificate.pairs == 60 * 59 // 2


def test_a_loss_needs_no_floor_and_every_set_is_asked_once():
    groups = {(3, 40): 0.3, (10, 11, 12): 0.4, (20, 50): 0.2}
    system = Recorded(60, groups)
    found = search(system, range(60), 60, delta=0.1, floor=None)
    assert set(found.groups) == set(map(frozenset, groups))
    assert len(system.asked) == len(set(system.asked)) == found.runs


def test_pairs_that_share_a_member_are_told_apart():
    groups = {(3, 40): 0.3, (3, 41): 0.3, (40, 7): 0.3}
    found = search(Recorded(50, groups), range(50), 50, delta=0.1, floor=None)
    assert set(found.groups) == set(map(frozenset, groups))


def test_what_costs_alone_leaves_the_pool():
    system = Recorded(50, {(8,): 0.3, (20, 30): 0.3})
    found = search(system, range(50), 50, delta=0.1, floor=None)
    assert found.strays == (8,)
    assert set(found.groups) == {frozenset((20, 30))}
    assert found.certificate.pool == 49


def test_a_component_whose_sets_fail_is_never_vouched_for():
    system = Recorded(50, {(20, 30): 0.3}, broken=[5])
    found = search(system, range(50), 50, delta=0.1, floor=None)
    assert frozenset((20, 30)) in found.groups
    assert all(found.certificate.open[5, other] for other in range(50) if other != 5)


def test_the_budget_ends_it_with_what_it_has():
    system, found = searched(100, 0.01, 1, limit=60)
    assert found.runs == system.calls == sum(one.runs for one in found.steps) == 60
    assert "60" in found.stopped
    assert found.certificate.cleared < found.certificate.pairs
    assert not any(not found.certificate.open[tuple(pair)] for pair in system.pairs if pair not in found.groups)


def test_the_same_answers_bring_the_same_questions():
    first, second = (Recorded(60, {(3, 40): 0.3}) for _ in range(2))
    for system in (first, second):
        search(system, range(60), 60, delta=0.1, floor=None, seed=4)
    assert first.asked == second.asked


@pytest.mark.parametrize("sigma", [0.002, 0.01, 0.03])
def test_no_hidden_pair_is_cleared(sigma):
    for seed in range(4):
        system, found = searched(40, sigma, seed, noise=Noise(sigma, 30))
        assert all(found.certificate.open[tuple(pair)] for pair in system.pairs if pair not in found.groups)


def test_halves_keep_clusters_whole_and_are_the_same_every_time():
    clusters = np.repeat(np.arange(30), 7)
    half = search_half(210, clusters, "digits")
    assert half.sum() == 105
    assert {len(set(half[clusters == one].tolist())) for one in range(30)} == {1}
    assert np.array_equal(half, search_half(210, clusters, "digits"))
    assert not np.array_equal(search_half(100, None, "one"), search_half(100, None, "other"))
