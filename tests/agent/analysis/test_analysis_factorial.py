"""The analysis of variance of a 2^k factorial: an oracle, its identities, and its error under the null (simulated data)."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.estimates import Estimate
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.factorial import cells_of, factorial_contrasts, factorial_table, subsets_of
from lesion.agent.analysis.looks import Look, Rules, planned_looks
from lesion.agent.analysis.verdicts import JointFacts, factorial_verdict
from scipy import stats

NAMES = "abcde"
Y0 = [0.90, 0.91, 0.895, 0.905, 0.90]
A = [0.895, 0.905, 0.89, 0.90, 0.90]
B = [0.90, 0.905, 0.893, 0.90, 0.897]
AB = [0.80, 0.82, 0.79, 0.815, 0.81]


def rules(seeds, delta=0.1):
    return Rules(delta, (Look(seeds, 0.05),))


def table(y, delta=0.1, **more):
    y = np.asarray(y, dtype=float)
    names = NAMES[: int(np.log2(len(y)))]
    return factorial_table(y, np.ones(y.shape, dtype=bool), names, more.pop("rules", rules(y.shape[1], delta)), **more)


def by_name(found):
    return {"".join(one.components): one for one in found.effects}


def noise(k, seeds, seed=0):
    dice = np.random.default_rng(seed)
    return dice.normal(0, 1, (1 << k, seeds)) + dice.normal(0, 2, seeds)


def test_the_oracle_of_a_repeated_measures_analysis():
    """F of A × B is the square of the paired t = 23.603438 of I(A,B); two libraries agree."""
    found = by_name(table([Y0, A, B, AB]))["ab"]
    assert found.estimate.loss == pytest.approx(0.088)
    assert found.own is not None
    assert found.own.f == pytest.approx(557.1223, abs=5e-5)
    assert found.own.f == pytest.approx(23.603438**2, rel=1e-7)
    assert (found.own.df, found.own.p) == (4, pytest.approx(1.910e-5, rel=1e-3))


def test_the_pooled_f_is_that_of_a_textbook_two_way_table_with_blocks():
    """Against a least-squares fit of cells, seeds and nothing else, by hand with scipy's F."""
    y = noise(3, 6)
    found = table(y)
    design = np.array([[1.0, *((-1.0) ** (1 + (c >> i & 1)) for i in range(3))] for c in range(8)])
    for i, name in enumerate("abc"):
        ones = np.where(design[:, 1 + i] > 0, 1, -1)
        difference = y[ones < 0].mean() - y[ones > 0].mean()
        squares = difference**2 * 8 * 6 / 4
        residual = y - y.mean(1, keepdims=True) - y.mean(0) + y.mean()
        f = squares / ((residual**2).sum() / (7 * 5))
        row = by_name(found)[name]
        assert row.pooled is not None
        assert (row.pooled.f, row.pooled.df) == (pytest.approx(f), 35)
        assert row.pooled.p == pytest.approx(stats.f.sf(f, 1, 35))
        assert row.estimate.loss == pytest.approx(difference)


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_contrasts_are_the_interactions_of_every_order_averaged_over_the_rest(k):
    """Inclusion–exclusion over the losses L(S), with the other factors present or not."""
    y = np.random.default_rng(k).normal(0, 1, 1 << k)
    names = NAMES[:k]
    value = dict(zip(cells_of(names), y, strict=True))
    contrasts = factorial_contrasts(k)
    estimates = contrasts.weights @ y
    for estimate, subset in zip(estimates, subsets_of(names), strict=True):
        rest = [name for name in names if name not in subset]
        each = []
        for size in range(len(rest) + 1):
            for gone in combinations(rest, size):
                terms = [
                    (-1) ** (len(subset) - len(part)) * -value[frozenset(part) | frozenset(gone)]
                    for m in range(len(subset) + 1)
                    for part in combinations(subset, m)
                ]
                each.append(sum(terms))
        assert estimate == pytest.approx(np.mean(each))
    assert contrasts.weights.sum(axis=1) == pytest.approx(0)
    gram = contrasts.weights @ contrasts.weights.T
    assert gram == pytest.approx(np.diag(np.diag(gram)))


@given(k=st.integers(2, 5), seeds=st.integers(2, 8), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_sums_of_squares_add_up_and_each_f_is_a_squared_t(k, seeds, seed):
    y = noise(k, seeds, seed)
    found = table(y)
    assert found.variation is not None
    assert len(found.effects) == (1 << k) - 1
    squares = [one.sum_of_squares or 0.0 for one in found.effects]
    assert sum(squares) == pytest.approx(found.variation.cells)
    assert found.variation.total == pytest.approx(((y - y.mean()) ** 2).sum())
    assert sum(one.eta_squared or 0.0 for one in found.effects) <= 1 + 1e-9
    for row, weights in zip(found.effects, factorial_contrasts(k).weights, strict=True):
        t = stats.ttest_1samp(weights @ y, 0)
        assert row.own is not None
        assert row.own.f == pytest.approx(t.statistic**2)
        assert row.own.p == pytest.approx(t.pvalue)
        assert row.estimate.p_paired == pytest.approx(t.pvalue)


@given(shift=st.floats(-100, 100), scale=st.sampled_from([0.01, 3.0, -2.0]), k=st.integers(2, 4))
@settings(max_examples=30, deadline=None)
def test_f_does_not_depend_on_the_scale_and_contrasts_turn_with_the_sign(shift, scale, k):
    y = noise(k, 4)
    before, after = table(y), table(shift + scale * y)
    for one, other in zip(before.effects, after.effects, strict=True):
        assert one.pooled is not None
        assert other.pooled is not None
        assert other.pooled.f == pytest.approx(one.pooled.f, rel=1e-6, abs=1e-9)
        assert other.estimate.loss == pytest.approx(scale * (one.estimate.loss or 0.0), abs=1e-9)


def test_a_unit_without_some_cell_is_left_out_of_all():
    y = noise(2, 5)
    gap = y.copy()
    gap[2, 3] = np.nan
    found = table(gap)
    kept = table(np.delete(y, 3, axis=1), rules=rules(4))
    assert found.n == 4
    for one, other in zip(found.effects, kept.effects, strict=True):
        assert one.estimate.loss == pytest.approx(other.estimate.loss)
        assert one.sum_of_squares == pytest.approx(other.sum_of_squares)
        assert one.pooled == pytest.approx(other.pooled)


def test_before_a_look_is_complete_there_is_no_p():
    y = noise(2, 5)
    finished = np.ones(y.shape, dtype=bool)
    finished[3, 2:] = False
    found = factorial_table(y, finished, "ab", Rules(0.1, planned_looks(3, 5, 0.05)))
    assert {one.estimate.p for one in found.effects} == {None}
    assert found.n == 2


def test_without_noise_there_is_no_f_and_no_division_by_zero():
    found = table([[1.0] * 3, [0.5] * 3, [0.5] * 3, [0.0] * 3])
    a, _, ab = found.effects
    assert (a.pooled, a.own, ab.sum_of_squares) == (None, None, pytest.approx(0))
    assert (a.estimate.loss, a.partial_eta_squared) == (0.5, 1.0)


def test_one_cell_that_is_far_noisier_closes_the_pool():
    y = noise(3, 8) * 0.1
    y[5] += np.random.default_rng(3).normal(0, 20, 8)
    found = table(y)
    assert found.estimates.method == "paired"
    for one in found.effects:
        assert one.own is not None
        assert one.estimate.p == pytest.approx(one.own.p)


def test_first_and_last_are_the_losses_at_both_ends():
    loss = {frozenset("a"): 0.0, frozenset("b"): 0.0, frozenset("ab"): 6.0, frozenset("c"): 2.0}
    y = np.array([10 - (6 if {"a", "b"} <= cell else 0) - (2 if "c" in cell else 0) for cell in cells_of("abc")])
    found = table(y[:, None] + 0.01 * noise(3, 5))
    first, last = ([round(one.loss or 0.0) for one in ends] for ends in (found.first, found.last))
    assert (first, last) == ([loss[frozenset(one)] for one in "abc"], [6, 6, 2])
    assert [round(one.estimate.loss or 0.0) for one in found.effects] == [3, 3, 2, 6, 0, 0, 0]


def test_over_examples_each_effect_has_its_own_error():
    y = noise(2, 400)
    found = table(y, estimate=lambda values, _finished, family, given: estimate_examples(values, family, given))
    for row, weights in zip(found.effects, factorial_contrasts(2).weights, strict=True):
        t = stats.ttest_1samp(weights @ y, 0)
        assert row.pooled is None
        assert row.own is not None
        assert (row.own.f, row.own.p) == (pytest.approx(t.statistic**2), pytest.approx(t.pvalue))


@pytest.mark.parametrize("k", [2, 3])
def test_false_findings_stay_below_alpha_over_the_whole_table(k):
    """Simulated null: 600 tables of 5 seeds with a strong seed effect; .05 give or take three standard errors."""
    dice = np.random.default_rng(5)
    wrong = 0
    for _ in range(600):
        found = table(dice.normal(0, 1, (1 << k, 5)) + dice.normal(0, 3, 5))
        wrong += any((one.estimate.p_adjusted or 1.0) <= 0.05 for one in found.effects)
    assert wrong / 600 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 600)


@pytest.mark.parametrize("shape", [(3, 5), (8, 5), (4,)])
def test_values_that_are_no_factorial_of_the_components_are_refused(shape):
    with pytest.raises(ValueError, match="no full factorial"):
        factorial_table(np.zeros(shape), np.ones(shape, dtype=bool), "ab", rules(5))


def sure(loss, half=0.01):
    lost = Estimate(loss, 5, Look(5, 0.05), se=half, df=12, p=0.0, p_adjusted=0.0 if loss else 1.0)
    inside = 0.0 if abs(loss) < 0.1 else 1.0
    return Estimate(**{**vars(lost), "p_equivalence": inside, "interval": (loss - half, loss + half)})


@pytest.mark.parametrize(
    ("order", "loss", "more", "verdict"),
    [
        (1, 1.0, {}, "matters"),
        (1, -1.0, {}, "hurts"),
        (1, 0.0, {}, "negligible"),
        (2, 1.0, {}, "redundancy"),
        (2, 1.0, {"singles_negligible": True}, "compensation"),
        (3, 1.0, {"singles_negligible": True, "subsets_negligible": True}, "redundancy"),
        (2, -1.0, {}, "synergy"),
        (3, 0.0, {}, "additive"),
        (3, 0.0, {"saturated": True}, "saturation-limited"),
        (1, 1.0, {"at_floor": True}, "untestable"),
        (2, 1.0, {"at_floor": True}, "untestable"),
    ],
)
def test_the_words_of_each_order(order, loss, more, verdict):
    assert factorial_verdict(sure(loss), JointFacts(order=order, **more), rules(5)) == verdict
