import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.betting import Seen, betting_tests, log_wealth
from lesion.executor.inside.evidence import wealth

ANSWERS = np.array([-1.0, 0.0, 1.0])


def counted(*counts, limit=1.0):
    """Each argument: gains, ties and losses of one contrast."""
    return Seen(ANSWERS, np.array(counts), np.full(len(counts), limit))


def ever_rejected(n, chances, rejects):
    """Exact chance that some look at the first n answers rejects, by dynamic programming over the counts.

    Args:
        n: examples, looked at after each.
        chances: of a gain, a tie and a loss.
        rejects: counts of shape [F, 3] → shape [F].
    """
    alive, ended = {(0, 0): 1.0}, 0.0
    for seen in range(1, n + 1):
        reached: dict[tuple[int, int], float] = {}
        for (gains, losses), chance in alive.items():
            for to, step in zip(((gains + 1, losses), (gains, losses), (gains, losses + 1)), chances, strict=True):
                reached[to] = reached.get(to, 0.0) + chance * step
        states = list(reached)
        stop = rejects(counted(*((gains, seen - gains - losses, losses) for gains, losses in states)))
        ended += sum(reached[state] for state, out in zip(states, stop, strict=True) if out)
        alive = {state: reached[state] for state, out in zip(states, stop, strict=True) if not out}
    return ended


@pytest.mark.parametrize("changing", [0.02, 0.1, 0.4, 1.0])
@pytest.mark.parametrize("alpha", [0.05, 0.3])
def test_a_difference_is_found_in_error_at_most_alpha_of_the_time_whatever_one_looks_at(changing, alpha):
    wrong = ever_rejected(
        60, (changing / 2, 1 - changing, changing / 2), lambda seen: betting_tests(seen, 0.1, alpha).p <= alpha
    )
    assert wrong <= alpha


@pytest.mark.parametrize(
    ("delta", "chances"),
    [
        (0.1, (0.0, 0.9, 0.1)),
        (0.1, (0.2, 0.5, 0.3)),
        (0.1, (0.0, 0.85, 0.15)),
        (0.3, (0.0, 0.7, 0.3)),
        (0.3, (0.5, 0.3, 0.2)),
    ],
)
def test_equivalence_is_claimed_in_error_at_most_alpha_of_the_time(delta, chances):
    """At a loss or a gain of δ, and beyond it."""
    alpha = 0.2
    wrong = ever_rejected(60, chances, lambda seen: betting_tests(seen, delta, alpha).p_equivalence <= alpha)
    assert wrong <= alpha
    assert wrong > 0.0


@pytest.mark.parametrize("chances", [(0.1, 0.8, 0.1), (0.0, 0.9, 0.1), (0.3, 0.2, 0.5)])
def test_the_interval_holds_the_truth_at_all_looks_at_once(chances):
    truth = chances[2] - chances[0]

    def missed(seen):
        found = betting_tests(seen, 0.1, 0.2)
        return (found.lower > truth) | (found.upper < truth)

    assert ever_rejected(50, chances, missed) <= 0.2


def test_without_a_changed_answer_the_mean_is_bounded_at_about_ln_one_over_alpha_by_n():
    found = betting_tests(counted([0, 1_000, 0]), 0.01, 0.05)
    assert found.p[0] == 1
    assert found.upper[0] == pytest.approx(np.log(2 / 0.05 / 0.2) / 1_000, rel=0.15)
    assert found.lower[0] == pytest.approx(-found.upper[0])
    assert np.log(1 / found.p_equivalence[0]) == pytest.approx(1_000 * 0.01 - np.log(5), abs=0.7)


def test_one_changed_answer_costs_power_and_not_all_of_it():
    none, one, some = betting_tests(counted([0, 1_000, 0], [0, 999, 1], [10, 980, 10]), 0.02, 0.05).p_equivalence
    assert none < one < some < 1


def test_the_interval_ends_where_the_evidence_does():
    seen = counted([3, 60, 9], [0, 20, 30], [20, 0, 0])
    found = betting_tests(seen, 0.1, 0.05)
    assert log_wealth(seen, found.lower)[:2] == pytest.approx(np.log(40))
    assert log_wealth(seen.mirrored, -found.upper)[[0, 2]] == pytest.approx(np.log(40))
    assert (found.lower[2], found.upper[0] > found.lower[0]) == (-1, True)


def test_nothing_seen_is_no_evidence():
    found = betting_tests(counted([0, 0, 0]), 0.1, 0.05)
    assert [one[0] for one in found] == pytest.approx([1, 1, -1, 1])


def test_a_smallest_effect_beyond_all_values_is_never_reached():
    assert betting_tests(counted([5, 5, 5]), 1.0, 0.05).p_equivalence[0] < 1e-3


counts = st.tuples(st.integers(0, 40), st.integers(0, 400), st.integers(0, 40))


@settings(max_examples=80, deadline=None)
@given(counts, st.floats(0.001, 0.9), st.floats(1e-4, 0.5))
def test_exchanging_the_arms_mirrors_everything(seen, delta, alpha):
    one, other = betting_tests(counted(seen), delta, alpha), betting_tests(counted(seen[::-1]), delta, alpha)
    assert (one.p, one.p_equivalence) == (pytest.approx(other.p), pytest.approx(other.p_equivalence))
    assert (one.lower, one.upper) == (pytest.approx(-other.upper), pytest.approx(-other.lower))


@settings(max_examples=80, deadline=None)
@given(counts, st.floats(0.1, 10), st.floats(-0.8, 0.8))
def test_units_do_not_matter(seen, scale, null):
    one = counted(seen)
    scaled = Seen(scale * one.values, one.counts, scale * one.limit)
    assert log_wealth(scaled, np.array([scale * null])) == pytest.approx(log_wealth(one, np.array([null])), abs=1e-6)


@settings(max_examples=80, deadline=None)
@given(counts, st.floats(-0.9, 0.9), st.floats(0.0, 0.09))
def test_the_evidence_falls_in_the_null_so_that_what_is_not_rejected_is_an_interval(seen, null, further):
    low, high = (log_wealth(counted(seen), np.array([at]))[0] for at in (null, null + further))
    assert high <= low + 1e-9


@settings(max_examples=80, deadline=None)
@given(counts, st.floats(-1.5, 1.5), st.sampled_from([1.0, 2.0]), st.booleans())
def test_where_the_model_runs_the_same_is_computed(seen, null, limit, above):
    one = counted(seen, limit=limit)
    expected = log_wealth(one, np.array([null])) if above else log_wealth(one.mirrored, np.array([-null]))
    told = wealth(dict(zip(ANSWERS.tolist(), seen, strict=True)), limit, null, above)
    assert told == pytest.approx(expected[0], rel=1e-9, abs=1e-9)
