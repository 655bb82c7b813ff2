"""Classes by hand-counted numbers and by scikit-learn, intervals by scipy's bootstrap; all labels are simulated."""

import numpy as np
import pytest
from lesion.agent.analysis.classes import (
    differences_over_seeds,
    moved,
    ratios_over_examples,
    recall_over_examples,
    scores,
    screen,
)
from lesion.agent.analysis.contrasts import single_removals
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.looks import Look, Rules
from scipy import stats
from sklearn.metrics import precision_recall_fscore_support

LABELS = np.arange(3)
ALPHA = 0.05


def simulated(n=600, seed=0, kill=None):
    """Targets, and two sets of predictions; the second takes a class for its neighbour."""
    dice = np.random.default_rng(seed)
    target = dice.integers(0, 3, n)
    usual = np.where(dice.random(n) < 0.85, target, dice.integers(0, 3, n))
    other = np.where(dice.random(n) < 0.1, dice.integers(0, 3, n), usual)
    if kill is not None:
        other = np.where(target == kill, (kill + 1) % 3, other)
    return target, np.stack([usual, other])


def test_scores_by_hand():
    target = np.array([0, 0, 0, 0, 1, 1, 5])
    taken = np.array([[0, 0, 0, 1, 1, 0, 0]])
    found = scores(target, taken, np.array([0, 1, 5, 7]))
    assert found.recall[0] == pytest.approx([3 / 4, 1 / 2, 0, np.nan], nan_ok=True)
    assert found.precision[0] == pytest.approx([3 / 5, 1 / 2, np.nan, np.nan], nan_ok=True)
    assert found.f1[0] == pytest.approx([6 / 9, 1 / 2, 0, np.nan], nan_ok=True)


def test_scores_are_scikit_learns():
    target, predictions = simulated()
    found = scores(target, predictions, LABELS)
    for row, taken in enumerate(predictions):
        precision, recall, f1, _ = precision_recall_fscore_support(target, taken, labels=LABELS)
        assert found.recall[row] == pytest.approx(recall)
        assert found.precision[row] == pytest.approx(precision)
        assert found.f1[row] == pytest.approx(f1)


def test_recall_is_tested_by_mcnemar_within_the_class():
    target = np.repeat([0, 1, 2], [100, 60, 40])
    usual = target.copy()
    usual[:12] = 1
    other = usual.copy()
    other[:12] = 0
    other[12:41] = 2
    found = recall_over_examples(target, np.stack([usual, other]), LABELS, ALPHA)
    assert found.p[0, 0] == pytest.approx(0.0115077897)  # McNemar, 12 against 29
    assert found.delta[0] == pytest.approx([-0.17, 0, 0])
    assert found.n[0].tolist() == [100, 60, 40]
    assert found.low[0, 0] < -0.17 < found.high[0, 0] < 0
    assert found.low[0, 1] < 0 < found.high[0, 1], "60 equal answers are no certainty"


def test_all_classes_at_once_are_what_each_is_as_a_table_of_its_own():
    target, predictions = simulated(seed=6, kill=1)
    found = recall_over_examples(target, predictions, np.arange(4), ALPHA)
    for label in range(3):
        right = (predictions[:, target == label] == label).astype(float)
        (one,) = estimate_examples(right, single_removals(1), Rules(0.0, (Look(1, ALPHA),), ALPHA)).estimates
        assert (found.p[0, label], found.n[0, label]) == (pytest.approx(one.p), one.n)
        assert (-found.high[0, label], -found.low[0, label]) == pytest.approx(one.interval)
    assert np.isnan(found.p[0, 3])


def test_clusters_are_the_units_of_recall_where_they_are_given():
    target = np.zeros(80, dtype=np.int64)
    other = np.repeat([0, 1, 0, 0], 20)
    found = recall_over_examples(target, np.stack([target, other]), LABELS, ALPHA, np.repeat(np.arange(4), 20))
    alone = recall_over_examples(target, np.stack([target, other]), LABELS, ALPHA)
    assert (found.n[0, 0], alone.n[0, 0]) == (4, 80)
    assert found.p[0, 0] > 0.2 > alone.p[0, 0]


def test_intervals_of_precision_and_f1_agree_with_a_paired_bootstrap():
    target, predictions = simulated(seed=3)
    found = ratios_over_examples(target, predictions, LABELS, ALPHA)

    def differences(usual, other, true, axis=-1):
        hits, taken = ((one == 1) & (true == 1) for one in (usual, other)), (one == 1 for one in (usual, other))
        (a, b), (m, n) = ((one.sum(axis=axis) for one in pair) for pair in (hits, taken))
        return b / n - a / m

    drawn = stats.bootstrap(
        (predictions[0], predictions[1], target),
        differences,
        paired=True,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    precision = found[0]
    assert precision.delta[0, 1] == pytest.approx(differences(predictions[0], predictions[1], target))
    assert (precision.low[0, 1], precision.high[0, 1]) == pytest.approx((drawn.low, drawn.high), abs=0.006)
    before, after = (precision_recall_fscore_support(target, one, labels=LABELS)[2] for one in predictions)
    assert found[1].delta[0] == pytest.approx(after - before)
    assert np.all((found[1].low < found[1].delta) & (found[1].delta < found[1].high))


def test_simulated_intervals_of_f1_hold_as_often_as_they_say():
    """Both arms err alike, so the true difference is 0."""
    held = []
    for seed in range(150):
        dice = np.random.default_rng(seed)
        target = dice.integers(0, 3, 400)
        rows = np.stack([np.where(dice.random(400) < 0.8, target, dice.integers(0, 3, 400)) for _ in range(2)])
        _, f1 = ratios_over_examples(target, rows, LABELS, ALPHA)
        held.append((f1.low[0, 0] <= 0 <= f1.high[0, 0], f1.high[0, 0] - f1.low[0, 0]))
    missed = sum(not one for one, _ in held)
    assert missed <= stats.binom.isf(0.001, 150, ALPHA)
    assert np.median([width for _, width in held]) < 0.2


def test_a_class_that_is_never_predicted_has_no_precision_and_few_examples_no_interval():
    target, predictions = simulated(kill=2)
    predictions[1][predictions[1] == 2] = 0
    precision, f1 = ratios_over_examples(target, predictions, LABELS, ALPHA)
    assert np.isnan(precision.delta[0, 2])
    assert f1.delta[0, 2] < -0.5
    few = ratios_over_examples(target[:40], predictions[:, :40], LABELS, ALPHA)[0]
    assert np.isfinite(few.delta[0, 0])
    assert np.isnan(few.low[0, 0])
    same = ratios_over_examples(target, predictions[[0, 0]], LABELS, ALPHA)[1]
    assert same.delta[0].tolist() == [0, 0, 0]
    assert np.isnan(same.low).all(), "equal answers everywhere are no certainty"


def test_classes_over_seeds_by_paired_t():
    dice = np.random.default_rng(5)
    values = 0.9 + dice.normal(0, 0.01, 5) + dice.normal(0, 0.01, (4, 3, 5))
    values[1, 2] -= 0.3
    values[2, :, 2:] = np.nan
    found = differences_over_seeds(values, ALPHA)
    assert found.p[0, 2] == pytest.approx(stats.ttest_rel(values[0, 2], values[1, 2]).pvalue)
    assert found.delta[0, 2] == pytest.approx(-0.3, abs=0.03)
    assert found.low[0, 2] < found.delta[0, 2] < found.high[0, 2] < 0
    assert found.n[:, 0].tolist() == [5, 2, 5]
    assert np.isnan(found.p[1]).all(), "two seeds are not tested"
    assert (found.p[2] > 0.01).all()


def test_a_class_that_is_always_lost_from_a_perfect_baseline_is_no_certainty():
    """Equal at every seed: the noise of the other arms is what it is held against."""
    values = np.ones((4, 1, 3))
    values[1:3, 0] = [[0.9, 0.8, 0.85], [0.95, 0.9, 0.8]]
    values[3, 0] = 0.0
    found = differences_over_seeds(values, ALPHA)
    assert 0 < found.p[2, 0] < 0.05
    assert found.high[2, 0] > found.low[2, 0]


def test_simulated_classes_over_seeds_keep_their_error_beside_one_that_is_killed():
    """An arm that is 0 at every seed must not lend the others its lack of noise."""
    wrong = 0
    for seed in range(300):
        dice = np.random.default_rng(seed)
        values = 0.8 + 0.05 * dice.normal(0, 1, (3, 1, 4))
        values[1] = 0.0
        wrong += differences_over_seeds(values, ALPHA).p[1, 0] <= ALPHA
    assert wrong <= stats.binom.isf(0.001, 300, ALPHA)


def test_a_screen_is_corrected_and_its_intervals_follow_what_was_picked():
    p = np.array([[0.001, 0.008, 0.012], [0.03, np.nan, 0.041], [0.2, 0.6, np.nan]])
    adjusted, alpha = screen(p, ALPHA)
    assert adjusted[np.isfinite(p)] == pytest.approx([0.007, 0.028, 0.028, 0.0525, 0.0574, 0.23333, 0.6], abs=1e-4)
    assert np.isnan(adjusted[np.isnan(p)]).all()
    assert alpha == pytest.approx(ALPHA * 3 / 7)
    assert screen(np.array([[0.5, 0.9]]), ALPHA)[1] == pytest.approx(ALPHA / 2)
    assert screen(np.array([[np.nan]]), ALPHA)[1] == ALPHA


def test_confusions_that_move_without_those_that_stay():
    target = np.array([7, 7, 7, 7, 1, 1])
    usual = np.array([7, 7, 7, 2, 1, 7])
    other = np.array([1, 1, 7, 2, 1, 1])
    assert moved(target, usual, other) == {(7, 1): (0, 2), (1, 7): (1, 0)}
