import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.recovery import recovery_fraction
from scipy import stats


def drawn(seed, seeds=6, cost=5.0, share=0.6, noise=0.3):
    """The metric after a cut, after fine-tuning with it, and after fine-tuning without it."""
    generator = np.random.default_rng(seed)
    cut = generator.normal(size=seeds)
    noisy = (noise * generator.normal(size=seeds) for _ in range(2))
    return cut, cut + share * cost + next(noisy), cut + cost + next(noisy)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 10), st.sampled_from([0.01, 0.05, 0.2]))
def test_the_interval_ends_where_the_paired_t_test_rejects(seed, seeds, alpha):
    cut, recovered, control = drawn(seed, seeds)
    found = recovery_fraction(cut, recovered, control, alpha)
    assert found.fraction == pytest.approx((recovered - cut).mean() / (control - cut).mean())
    if found.interval is None:
        assert stats.ttest_rel(control, cut).pvalue > alpha
        return
    assert found.reason is None
    assert found.interval[0] <= found.fraction <= found.interval[1]
    for end in found.interval:
        p = stats.ttest_1samp((recovered - cut) - end * (control - cut), 0).pvalue
        assert p == pytest.approx(alpha, rel=1e-5)


def test_shift_and_scale_do_not_matter():
    cut, recovered, control = drawn(1)
    one = recovery_fraction(cut, recovered, control, 0.05)
    other = recovery_fraction(100 * cut - 7, 100 * recovered - 7, 100 * control - 7, 0.05)
    assert (one.fraction, *one.interval) == pytest.approx((other.fraction, *other.interval))


def test_only_seeds_with_all_three_values_count():
    cut, recovered, control = drawn(2, seeds=8)
    cut[0], recovered[1], control[2] = np.nan, np.inf, np.nan
    assert recovery_fraction(cut, recovered, control, 0.05) == recovery_fraction(
        cut[3:], recovered[3:], control[3:], 0.05
    )
    assert recovery_fraction(cut, recovered, control, 0.05).n == 5


def test_everything_given_back_without_noise():
    cut, control = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.6, 0.7])
    found = recovery_fraction(cut, control, control, 0.05)
    assert (found.fraction, *found.interval) == pytest.approx((1, 1, 1))


@pytest.mark.parametrize(("cost", "known"), [(0.05, True), (0.0, False), (-5.0, False)])
def test_a_cut_that_cost_too_little(cost, known):
    cut = np.array([0.0, 1.0, 2.0, 3.0])
    found = recovery_fraction(cut, cut + 1.0, cut + cost + np.array([0.4, -0.4, 0.4, -0.4]), 0.05)
    assert (found.fraction is not None, found.interval) == (known, None)
    nothing = "the cut cost nothing, so there is nothing to give back"
    assert found.reason == ("over 4 seeds the cost of the cut is not told from 0" if known else nothing)


@pytest.mark.parametrize(("seeds", "fraction"), [(0, None), (1, 0.5), (2, 0.5)])
def test_fewer_than_three_seeds_give_no_interval(seeds, fraction):
    found = recovery_fraction(np.zeros(seeds), np.full(seeds, 2.0), np.full(seeds, 4.0), 0.05)
    assert (found.fraction, found.interval, found.n) == (fraction, None, seeds)
    assert found.reason == f"{seeds} of at least 3 seeds finished"


def test_arrays_of_different_seeds_are_refused():
    with pytest.raises(ValueError, match="by seed"):
        recovery_fraction(np.zeros(3), np.zeros(4), np.zeros(3), 0.05)


def test_coverage():
    inside = []
    for seed in range(1000):
        found = recovery_fraction(*drawn(seed, seeds=4, cost=1.0), 0.05)
        inside.append(found.interval is None or found.interval[0] <= 0.6 <= found.interval[1])
    assert np.mean(inside) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 1000)
