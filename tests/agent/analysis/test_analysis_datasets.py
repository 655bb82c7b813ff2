"""Component × data set: simulated losses with a known difference, and a case in which two p values mislead."""

import math

import numpy as np
import pytest
from lesion.agent.analysis.contrasts import single_removals
from lesion.agent.analysis.datasets import SeedPair, differences_over_examples, differences_over_seeds
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.joint import Arm
from lesion.agent.analysis.looks import Look, Rules, planned_looks
from scipy import stats

ALPHA = 0.05
DONE = np.ones(10, dtype=np.bool_)


def losses(rows, family, clusters=None):
    """Row 0 the baseline; simultaneous over `family` tests."""
    rules = Rules(0.0, (Look(1, ALPHA),), ALPHA)
    return estimate_examples(np.stack(rows), single_removals(len(rows) - 1), rules, clusters, family).estimates


def answers(dice, n, lost, arms=1):
    """Right answers everywhere but in a fifth; every arm loses a share of the right ones and gains a tenth of the wrong."""
    usual = (np.arange(n) >= n // 5).astype(float)
    drawn = dice.random((arms, n))
    return [usual, *np.where(usual == 1, drawn >= lost, drawn < 0.1).astype(float)]


def test_values_on_a_scale_give_welchs_test_of_the_paired_differences():
    dice = np.random.default_rng(1)
    first, second = dice.normal(0.5, 1.0, 40), dice.normal(0.1, 2.0, 90)
    (one,) = differences_over_examples(
        losses([first, np.zeros(40)], 1), losses([second, np.zeros(90)], 1), [0.1], ALPHA
    )
    welch = stats.ttest_ind(first, second, equal_var=False)
    assert one.p == pytest.approx(welch.pvalue)
    assert one.df == pytest.approx(welch.df)
    assert one.interval == pytest.approx(tuple(welch.confidence_interval(0.95)))
    assert one.se == pytest.approx(math.hypot(first.std(ddof=1) / math.sqrt(40), second.std(ddof=1) / math.sqrt(90)))
    low, high = (stats.ttest_ind(first, second + shift, equal_var=False) for shift in (-0.1, 0.1))
    greater, less = stats.t.sf(low.statistic, low.df), stats.t.cdf(high.statistic, high.df)
    assert one.p_equivalence == pytest.approx(max(greater, less))


def test_two_p_values_on_either_side_of_alpha_are_no_difference():
    """The same true loss on both; one is shown and the other is not, for it has fewer examples."""
    own = [np.ones(60), np.r_[np.zeros(4), np.ones(56)]]
    public = [np.ones(600), np.r_[np.zeros(40), np.ones(560)]]
    first, second = losses(public, 1), losses(own, 1)
    assert first[0].p < 1e-6
    assert second[0].p > ALPHA
    (one,) = differences_over_examples(first, second, [0.01], ALPHA)
    assert one.loss == pytest.approx(0.0)
    assert one.p > 0.9
    assert one.interval[0] < -0.01 and one.interval[1] > 0.01


def test_two_losses_that_are_both_shown_may_differ():
    dice = np.random.default_rng(2)
    first, second = losses(answers(dice, 800, 0.5), 1), losses(answers(dice, 800, 0.1), 1)
    assert first[0].p < ALPHA and second[0].p < ALPHA
    (one,) = differences_over_examples(first, second, [0.05], ALPHA)
    assert one.p_adjusted < 1e-6
    assert one.interval[0] > 0.05


def test_holm_over_all_removals_and_pairs_and_no_test_where_a_loss_is_missing():
    dice = np.random.default_rng(3)
    rows = [dice.normal(0, 1, 50), *dice.normal(-0.7, 1, (2, 50)), np.full(50, np.nan)]
    tested = losses(rows, 3)
    found = differences_over_examples(
        tested, losses([dice.normal(0, 1, (50)), *dice.normal(0, 1, (3, 50))], 3), [0.1] * 3, ALPHA
    )
    raw = [one.p for one in found[:2]]
    assert found[2].p is None and found[2].loss is None
    order = np.argsort(raw)
    assert found[order[0]].p_adjusted == pytest.approx(min(1, 3 * raw[order[0]]))
    assert all(one.level == pytest.approx(1 - ALPHA / 3) for one in found[:2])


@pytest.mark.parametrize("lost", [0.1, 0.02])
def test_simulated_removals_that_cost_the_same_on_both_are_seldom_told_apart(lost):
    """Binary answers, 6 removals, the second set smaller: the family-wise error keeps to α, also where answers hardly differ."""
    dice = np.random.default_rng(4)
    wrong = missed = 0
    for _ in range(150):
        first, second = (losses(answers(dice, n, lost, 6), 6) for n in (300, 200))
        found = differences_over_examples(first, second, [0.02] * 6, ALPHA)
        wrong += any(one.p_adjusted <= ALPHA for one in found)
        missed += any(not one.interval[0] <= 0 <= one.interval[1] for one in found)
    most = stats.binom.isf(0.001, 150, ALPHA)
    assert wrong <= most
    assert missed <= most


def test_no_other_answer_anywhere_is_no_certainty():
    same = [np.ones(100), np.ones(100)]
    (one,) = differences_over_examples(losses(same, 1), losses(same, 1), [0.02], ALPHA)
    assert (one.loss, one.p) == (0.0, 1.0)
    assert one.interval[1] > 3 / 100
    assert one.p_equivalence > ALPHA


def test_clusters_widen_the_interval_of_a_difference():
    dice = np.random.default_rng(5)
    of = np.repeat(np.arange(20), 20)
    shift = 0.5 + np.repeat(dice.normal(0, 0.5, 20), 20)
    other = losses([np.zeros(300), dice.normal(0, 0.3, 300)], 1)
    alone, clustered = (losses([shift, np.zeros(400)], 1, clusters) for clusters in (None, of))
    narrow, wide = (differences_over_examples(one, other, [0.1], ALPHA)[0] for one in (alone, clustered))
    assert wide.n == 20
    assert wide.interval[1] - wide.interval[0] > 2 * (narrow.interval[1] - narrow.interval[0])


def pair(dice, gap=0.0, arms=1, delta=1.0):
    """Runs whose two metrics share a large seed effect; the first arm loses `gap` more on the first metric."""
    seed = dice.normal(0, 5, 10)

    def both(loss):
        return Arm(seed - loss + dice.normal(0, 1, 10), DONE), Arm(seed + dice.normal(0, 1, 10), DONE)

    return SeedPair(both(0.0), [both(gap if arm == 0 else 0.0) for arm in range(arms)], delta)


def test_over_seeds_what_both_metrics_of_a_run_share_is_no_noise():
    dice = np.random.default_rng(6)
    ((one, other),) = differences_over_seeds([pair(dice, 5.0, 2)], Rules(0.0, (Look(10, ALPHA),), ALPHA))
    assert one.loss == pytest.approx(5.0, abs=1.5)
    assert one.p_adjusted < 0.001
    assert one.interval[0] > 1.0
    assert other.p_adjusted > ALPHA


def test_over_seeds_pairs_share_alpha_and_keep_their_own_delta():
    dice = np.random.default_rng(7)
    first, second = pair(dice, 0.0, delta=8.0), pair(dice, 0.0, delta=0.001)
    rules = Rules(0.0, planned_looks(5, 10, ALPHA), ALPHA)
    (alone,), (close,), (far,) = (
        *differences_over_seeds([first], rules),
        *differences_over_seeds([first, second], rules),
    )
    assert close.p_adjusted == pytest.approx(min(1.0, 2 * alone.p_adjusted))
    assert close.level > alone.level
    assert close.p_equivalence < ALPHA < far.p_equivalence


def test_simulated_runs_without_a_difference_are_seldom_told_apart():
    dice = np.random.default_rng(8)
    rules = Rules(0.0, planned_looks(3, 10, ALPHA), ALPHA)
    wrong = sum(
        any(
            one.p_adjusted <= ALPHA
            for table in differences_over_seeds([pair(dice, arms=4), pair(dice, arms=4)], rules)
            for one in table
        )
        for _ in range(150)
    )
    assert wrong <= stats.binom.isf(0.001, 150, ALPHA)
