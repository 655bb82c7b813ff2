import numpy as np
import pytest
from lesion.agent.analysis.estimates import Estimate
from lesion.agent.analysis.looks import Look
from lesion.agent.analysis.settling import chance_to_settle
from scipy import stats

NEXT = Look(10, 0.045)


def estimate(loss, se=0.5, n=5):
    return Estimate(loss, n, Look(5, 0.005), se, 10.0 * (n - 1))


def test_clear_cases_settle_and_a_loss_at_delta_does_not():
    assert chance_to_settle(estimate(9.0), NEXT, delta=1.0, m=10) > 0.99
    assert chance_to_settle(estimate(-9.0), NEXT, delta=1.0, m=10) > 0.99
    assert chance_to_settle(estimate(0.0, se=0.05), NEXT, delta=1.0, m=10) > 0.99
    assert chance_to_settle(estimate(1.0, se=0.05), NEXT, delta=1.0, m=10) < 0.05


def test_the_sign_does_not_matter():
    positive, negative = (chance_to_settle(estimate(s * 1.7), NEXT, delta=1.0, m=10) for s in (1, -1))
    assert positive == pytest.approx(negative)


def test_a_larger_family_settles_less():
    chances = [chance_to_settle(estimate(2.0), NEXT, delta=1.0, m=m) for m in (1, 10, 100)]
    assert chances == sorted(chances, reverse=True)


def test_agrees_with_simulated_further_seeds():
    generator = np.random.default_rng(6)
    present = estimate(1.8, se=0.4)
    sd = 0.4 * np.sqrt(5)
    truth = generator.normal(1.8, 0.4, size=200_000)
    later = (5 * 1.8 + 5 * generator.normal(truth, sd / np.sqrt(5))) / 10
    se, df = sd / np.sqrt(10), 90
    matters = later - se * stats.t.isf(0.045 / 4 / 2, df) > 1
    negligible = np.abs(later) + se * stats.t.isf(0.045 / 4, df) < 1
    simulated = (matters | negligible).mean()
    assert chance_to_settle(present, NEXT, delta=1.0, m=4) == pytest.approx(simulated, abs=0.005)


def test_the_unmeasured_go_first_and_the_failing_last():
    assert chance_to_settle(Estimate(None, 0), NEXT, delta=1.0, m=4) == 1.0
    assert chance_to_settle(Estimate(None, 0, Look(5, 0.005)), NEXT, delta=1.0, m=4) == 0.0


def test_a_look_that_is_over_settles_nothing_more():
    assert chance_to_settle(estimate(9.0), Look(5, 0.005), delta=1.0, m=4) == 0.0


@pytest.mark.parametrize("loss", [2.0, 0.5, 1.0, -3.0])
def test_without_noise_the_next_look_is_certain(loss):
    assert chance_to_settle(estimate(loss, se=0.0), NEXT, delta=1.0, m=4) == 1.0
