import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.estimates import Estimate
from lesion.agent.analysis.looks import Look
from lesion.agent.analysis.noise import (
    Family,
    is_at_floor,
    minimum_detectable_effect,
    power,
    proposed_delta,
    run_noise,
    seeds_for_effect,
    seeds_for_equivalence,
    seeds_to_settle,
)
from lesion.agent.analysis.power import detection_power, equivalence_power, exceedance_power, smallest_count
from scipy import stats

ONE_DIFFERENCE = 1 / math.sqrt(2)
"""Noise of one run whose difference of two has σ = 1."""


@pytest.mark.parametrize(
    ("n", "single", "of_forty"), [(3, 3.26, 20.7), (5, 1.68, 4.51), (10, 1.00, 1.81), (20, 0.66, 1.06)]
)
def test_minimum_detectable_effect_of_the_paired_t(n, single, of_forty):
    assert minimum_detectable_effect(ONE_DIFFERENCE, n, Family(0.05)) == pytest.approx(single, abs=0.005)
    assert minimum_detectable_effect(ONE_DIFFERENCE, n, Family(0.05, 40)) == pytest.approx(of_forty, rel=0.005)


@pytest.mark.parametrize(("n", "effect"), [(3, 3.42), (5, 2.61), (10, 1.83)])
def test_minimum_detectable_effect_pooled_over_forty_targets(n, effect):
    assert minimum_detectable_effect(1.0, n, Family(0.05, 40, 40)) == pytest.approx(effect, rel=0.005)


@pytest.mark.parametrize(("effect", "seeds"), [(0.5, 34), (1, 10), (1.5, 6), (2, 5), (3, 4)])
def test_seeds_for_an_effect(effect, seeds):
    assert seeds_for_effect(effect, ONE_DIFFERENCE, Family(0.05)) == seeds


@pytest.mark.parametrize(("shift", "df"), [(0.0, 4), (1.0, 4), (3.0, 9), (2.0, 400)])
def test_power_agrees_with_the_noncentral_t_where_that_is_sound(shift, df):
    threshold = stats.t.isf(0.025, df)
    upper = stats.nct.sf(threshold, df, shift) if shift else 0.025
    lower = stats.nct.cdf(-threshold, df, shift) if shift else 0.025
    assert detection_power(shift, threshold, df) == pytest.approx(upper + lower, abs=1e-4)
    assert exceedance_power(shift, threshold, df) == pytest.approx(upper, abs=1e-4)


def test_power_of_the_study_functions_agrees_with_simulation():
    generator = np.random.default_rng(5)
    differences = generator.normal(1.0, math.sqrt(2), size=(20_000, 6))
    p = stats.ttest_1samp(differences, 0, axis=1).pvalue
    assert power(1.0, 1.0, 6, Family(0.05)) == pytest.approx((p <= 0.05).mean(), abs=0.012)
    mean, se = differences.mean(1) - 1, differences.std(1, ddof=1) / math.sqrt(6)
    shown = (np.abs(mean) + stats.t.isf(0.05, 5) * se < 2.0).mean()
    true_se = math.sqrt(2 / 6)
    assert equivalence_power(0.0, 2 / true_se, stats.t.isf(0.05, 5), 5) == pytest.approx(shown, abs=0.012)


@given(st.floats(1e-3, 1e3), st.integers(2, 30), st.integers(1, 200))
@settings(max_examples=25, deadline=None)
def test_a_minimum_detectable_effect_has_the_power_it_says(sd, n, size):
    family = Family(0.05, size, 5)
    effect = minimum_detectable_effect(sd, n, family)
    assert power(effect, sd, n, family) == pytest.approx(0.8, abs=1e-6)
    assert effect == pytest.approx(sd * minimum_detectable_effect(1.0, n, family))


def test_what_one_run_cannot_tell():
    assert minimum_detectable_effect(1.0, 1, Family(0.05)) is None
    assert run_noise([np.nan, np.inf]) is None
    assert run_noise([2.0, np.nan]).sd is None
    assert proposed_delta([2.0]) is None


def test_noise_of_the_finished_runs():
    noise = run_noise([1.0, 2.0, np.nan, 3.0])
    assert (noise.mean, noise.sd, noise.n) == (2.0, 1.0, 3)
    assert proposed_delta([1.0, 2.0, 3.0]) == 2.0


@pytest.mark.parametrize(("mean", "near"), [(0.1, True), (0.129, True), (0.131, False), (0.05, True)])
def test_floor(mean, near):
    assert is_at_floor(mean, 0.01, 0.1) is near


class TestEquivalence:
    def test_more_noise_needs_more_seeds(self):
        assert [seeds_for_equivalence(sd, 1.0, Family(0.02, 10, 10)) for sd in (0.5, 0.75, 1.0)] == [10, 20, 36]

    def test_reaches_the_power_and_not_one_seed_earlier(self):
        n = seeds_for_equivalence(1.0, 1.0, Family(0.05))
        threshold = [stats.t.isf(0.05, k - 1) for k in (n - 1, n)]
        before, at = (
            equivalence_power(0.0, math.sqrt(k / 2), c, k - 1) for k, c in zip((n - 1, n), threshold, strict=True)
        )
        assert before < 0.8 <= at

    def test_beyond_the_limit(self):
        assert seeds_for_equivalence(10.0, 1.0, Family(0.05), limit=1000) is None
        assert seeds_for_equivalence(1.0, 0.0, Family(0.05)) is None

    def test_without_noise_two_runs_do(self):
        assert seeds_for_equivalence(0.0, 1.0, Family(0.05)) == 2
        assert seeds_for_effect(1.0, 0.0, Family(0.05)) == 2


class TestSettling:
    def estimate(self, loss, se=0.5, n=5):
        return Estimate(loss, n, Look(5, 0.05), se, 4.0 * (n - 1))

    def test_losses_near_delta_take_longest(self):
        seeds = [seeds_to_settle(self.estimate(loss), 1.0, 0.05, 1) for loss in (0.0, 0.5, 0.9, 1.1, 2.0, 9.0)]
        assert seeds[0] < seeds[1] < seeds[2]
        assert seeds[3] > seeds[4] >= seeds[5] == 5

    def test_the_sign_does_not_matter(self):
        assert seeds_to_settle(self.estimate(-2.0), 1.0, 0.05, 3) == seeds_to_settle(self.estimate(2.0), 1.0, 0.05, 3)

    def test_never(self):
        assert seeds_to_settle(self.estimate(1.0), 1.0, 0.05, 1) is None
        assert seeds_to_settle(self.estimate(0.999), 1.0, 0.05, 1) is None
        assert seeds_to_settle(Estimate(0.3, 2), 1.0, 0.05, 1) is None

    def test_without_noise_it_is_settled(self):
        assert seeds_to_settle(self.estimate(0.5, se=0.0), 1.0, 0.05, 1) == 5


@given(st.integers(1, 50), st.integers(0, 60), st.integers(1, 60))
def test_smallest_count(start, threshold, limit):
    expected = max(start, threshold)
    assert smallest_count(lambda n: n >= threshold, start, limit) == (expected if expected <= limit else None)
