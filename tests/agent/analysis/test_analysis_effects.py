import dataclasses

import numpy as np
import pytest
from finished_tables import one_look, planned, table
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.effects import effect_table
from lesion.agent.analysis.inference import equivalence_p
from lesion.agent.analysis.looks import Look, Rules
from lesion.agent.analysis.multiplicity import holm
from scipy import stats

STUDIES = st.tuples(st.integers(1, 8), st.integers(3, 8), st.integers(0, 2**32 - 1))


def study(arms, seeds, seed):
    generator = np.random.default_rng(seed)
    y = generator.normal(size=(arms + 1, seeds)) + generator.normal(size=seeds)
    return y[0], y[1:] - generator.normal(size=(arms, 1))


def numbers(estimate):
    """All figures of an estimate in one vector."""
    fields = [v for k, v in dataclasses.asdict(estimate).items() if k not in ("look", "interval") and v is not None]
    return np.array([*fields, *(estimate.interval or ())], dtype=float)


def same(first, second):
    assert len(first.estimates) == len(second.estimates)
    assert first.method == second.method
    for left, right in zip(first.estimates, second.estimates, strict=True):
        assert numbers(left) == pytest.approx(numbers(right), rel=1e-6, abs=1e-9)


def test_paired_oracle():
    estimate = table([0.912, 0.908, 0.915, 0.910, 0.905], [0.899, 0.901, 0.902, 0.895, 0.897]).estimates[0]
    assert estimate.loss == pytest.approx(0.0112)
    assert estimate.loss / estimate.se == pytest.approx(7.170065276)
    assert (estimate.n, estimate.df) == (5, 4)
    for p in (estimate.p, estimate.p_paired, estimate.p_adjusted):
        assert p == pytest.approx(0.00200326991, rel=1e-8)
    assert estimate.interval == pytest.approx((0.0068630541, 0.0155369459))
    assert estimate.level == pytest.approx(0.95)


def test_equivalence_oracle():
    x, y = [0.910, 0.912, 0.907, 0.911, 0.909, 0.913], [0.911, 0.910, 0.908, 0.912, 0.908, 0.912]
    estimate = table(x, y, one_look(6, delta=0.003)).estimates[0]
    sides = equivalence_p(estimate.loss, estimate.se, estimate.df, 0.003)
    assert sorted(map(float, sides)) == pytest.approx([0.00104473, 0.00170281], rel=1e-5)
    assert estimate.p_equivalence == pytest.approx(0.00170281, rel=1e-5)


def test_pooled_residuals_of_a_balanced_block():
    baseline, arms = study(6, 5, 4)
    found = table(baseline, arms)
    y = np.vstack([baseline, arms])
    residuals = y - y.mean(0) - y.mean(1, keepdims=True) + y.mean()
    pool = (residuals**2).sum() / (6 * 4)
    assert found.method == "pooled"
    for arm, estimate in zip(arms, found.estimates, strict=True):
        own = np.var(baseline - arm, ddof=1) / 2
        assert estimate.se == pytest.approx(np.sqrt(2 * max(pool, (3 * pool + own) / 4) / 5))
        assert estimate.df == 24
        assert estimate.p == pytest.approx(2 * stats.t.sf(abs(estimate.loss) / estimate.se, 24))
        assert estimate.p_paired == pytest.approx(stats.ttest_rel(baseline, arm).pvalue)
    assert [e.p_adjusted for e in found.estimates] == pytest.approx(list(holm([e.p for e in found.estimates])))


def test_an_unstable_arm_leaves_every_target_to_its_own_paired_t():
    baseline, arms = study(8, 5, 5)
    arms[2] *= 40
    found = table(baseline, arms)
    assert found.method == "paired"
    for arm, estimate in zip(arms, found.estimates, strict=True):
        assert estimate.p == estimate.p_paired == pytest.approx(stats.ttest_rel(baseline, arm).pvalue)
        assert estimate.df == 4


def test_one_noisy_arm_among_many_is_left_to_its_own_paired_t():
    baseline, arms = study(40, 3, 15)
    arms[3] += 4 * (arms[3] - arms[3].mean())
    found = table(baseline, arms)
    assert (found.method, found.bartlett_p > 0.05) == ("pooled", True)
    alone = found.estimates[3]
    assert (alone.df, alone.p) == (2, pytest.approx(stats.ttest_rel(baseline, arms[3]).pvalue))
    assert np.mean([estimate.df == 80 for estimate in found.estimates]) > 0.8


@settings(max_examples=40, deadline=None)
@given(STUDIES, st.floats(1e-6, 1e6))
def test_the_unit_of_the_metric_does_not_matter(shape, scale):
    baseline, arms = study(*shape)
    original = table(baseline, arms, one_look(shape[1], 1.0))
    scaled = table(baseline * scale, arms * scale, one_look(shape[1], scale))
    for left, right in zip(original.estimates, scaled.estimates, strict=True):
        assert (left.p_adjusted, left.p_equivalence) == pytest.approx((right.p_adjusted, right.p_equivalence))
        assert np.array(right.interval) == pytest.approx(np.array(left.interval) * scale, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(STUDIES)
def test_turning_the_metric_round_turns_the_losses_round(shape):
    baseline, arms = study(*shape)
    for left, right in zip(table(baseline, arms).estimates, table(-baseline, -arms).estimates, strict=True):
        assert left.loss == pytest.approx(-right.loss)
        assert left.interval == pytest.approx((-right.interval[1], -right.interval[0]))
        assert (left.p_adjusted, left.p_equivalence) == pytest.approx((right.p_adjusted, right.p_equivalence))


@settings(max_examples=40, deadline=None)
@given(STUDIES, st.randoms())
def test_neither_the_order_of_seeds_nor_of_arms_matters(shape, random):
    baseline, arms = study(*shape)
    seeds, order = list(range(shape[1])), list(range(shape[0]))
    random.shuffle(seeds)
    random.shuffle(order)
    original = table(baseline, arms)
    same(original, table(baseline[seeds], arms[:, seeds]))
    shuffled = table(baseline, arms[order])
    same(dataclasses.replace(original, estimates=tuple(original.estimates[i] for i in order)), shuffled)


@settings(max_examples=40, deadline=None)
@given(STUDIES)
def test_a_shift_of_every_run_at_one_seed_cancels(shape):
    baseline, arms = study(*shape)
    shift = np.linspace(-5, 5, shape[1])
    same(table(baseline, arms), table(baseline + shift, arms + shift))


class TestLooks:
    rules = planned(3, 10)

    def test_an_arm_is_judged_at_its_last_completed_look(self):
        baseline, arms = study(4, 10, 6)
        found = table(baseline, arms, self.rules, runs=[2, 4, 7, 10]).estimates
        assert [estimate.look and estimate.look.seeds for estimate in found] == [None, 3, 5, 10]
        assert [estimate.n for estimate in found] == [2, 3, 5, 10]
        assert found[1].loss == pytest.approx((baseline - arms[1])[:3].mean())
        assert found[3].level == pytest.approx(1 - 0.035 / 4)

    def test_before_the_first_look_there_is_a_loss_and_nothing_else(self):
        baseline, arms = study(2, 5, 7)
        estimate = table(baseline, arms, planned(5, 10), runs=[3, 5]).estimates[0]
        assert (estimate.loss, estimate.n) == (pytest.approx((baseline - arms[0])[:3].mean()), 3)
        assert {estimate.p, estimate.p_adjusted, estimate.p_equivalence, estimate.interval, estimate.look} == {None}

    def test_arms_without_a_look_count_in_the_family(self):
        baseline, arms = study(1, 5, 8)
        alone = table(baseline, arms).estimates[0]
        crowded = table(baseline, np.vstack([arms, *[arms] * 9]), runs=[5] + [0] * 9).estimates[0]
        assert crowded.p == pytest.approx(alone.p)
        assert crowded.p_adjusted == pytest.approx(min(1, 10 * alone.p))
        assert crowded.level == pytest.approx(1 - 0.05 / 10)

    def test_adjusted_p_is_the_least_over_the_looks(self):
        baseline, arms = study(3, 10, 9)
        looks = [table(baseline[:n], arms[:, :n], one_look(n)) for n in (3, 5, 10)]
        spent = [look.alpha for look in self.rules.looks]
        found = table(baseline, arms, self.rules)
        for i, estimate in enumerate(found.estimates):
            for name in ("p_adjusted", "p_equivalence"):
                each = [getattr(at.estimates[i], name) * 0.05 / a for at, a in zip(looks, spent, strict=True)]
                assert getattr(estimate, name) == pytest.approx(min(1, *each))

    def test_what_an_early_look_has_shown_stays_shown(self):
        baseline, arms = study(3, 10, 10)
        arms[0, :3] -= 50
        arms[0, 3:] += 50
        early, late = (table(baseline, arms, self.rules, runs=[n, 3, 3]).estimates[0] for n in (3, 10))
        assert early.p_adjusted <= 0.05
        assert late.p_adjusted <= early.p_adjusted
        assert late.p > 0.05

    def test_seeds_beyond_a_look_change_nothing(self):
        baseline, arms = study(3, 10, 11)
        same(table(baseline[:5], arms[:, :5], self.rules), table(baseline, arms, self.rules, runs=[5, 7, 9]))

    def test_the_baseline_must_have_finished_too(self):
        baseline, arms = study(1, 5, 12)
        done = np.arange(5) < 4
        found = effect_table(
            baseline, arms, baseline_finished=done, finished=np.ones((1, 5), dtype=bool), rules=planned(3, 5)
        )
        assert found.estimates[0].look.seeds == 3
        assert found.estimates[0].n == 3


class TestDegenerate:
    def test_failed_seeds_are_missing_and_finished(self):
        baseline, arms = study(5, 5, 13)
        arms[0, 1], arms[1, 2], arms[2, :] = np.nan, np.inf, np.nan
        arms[3, 1:] = -1e200
        found = table(baseline, arms).estimates
        assert [estimate.n for estimate in found] == [4, 4, 0, 1, 5]
        assert found[0].loss == pytest.approx(np.delete(baseline - arms[0], 1).mean())
        assert [estimate.p is None for estimate in found] == [False, False, True, True, False]
        assert found[2].loss is None
        assert found[2].look is not None

    @pytest.mark.parametrize(
        ("loss", "p", "p_equivalence"), [(0.0, 1.0, 0.0), (0.5, 0.0, 0.0), (1.0, 0.0, 0.0), (3.0, 0.0, 1.0)]
    )
    def test_no_variance_at_all_is_certainty(self, loss, p, p_equivalence):
        baseline = np.full(3, 0.1) + 0.7
        estimate = table(baseline, [baseline - loss, baseline - 0.3]).estimates[0]
        assert (estimate.p, estimate.p_adjusted, estimate.p_equivalence) == (p, p, p_equivalence)
        assert estimate.interval == pytest.approx((loss, loss))
        assert estimate.interval[0] == estimate.interval[1]

    def test_equal_differences_among_noisy_arms_are_not_certainty(self):
        baseline, arms = study(6, 3, 14)
        arms[0] = baseline - 0.01
        arms[1] *= 1e4
        found = table(baseline, arms, one_look(3, 0.02))
        assert found.method == "paired"
        assert found.estimates[0].p > 0.05
        assert found.estimates[0].p_equivalence > 0.05
        assert found.estimates[0].p_paired == 0.0

    @pytest.mark.parametrize("seeds", [1, 2])
    def test_too_few_seeds(self, seeds):
        baseline, arms = study(3, seeds, 15)
        for estimate in table(baseline, arms).estimates:
            assert estimate.n == seeds
            assert (estimate.p is None) is (seeds == 1)

    def test_no_arms_and_no_seeds(self):
        assert table(np.ones(3), np.empty((0, 3))).estimates == ()
        assert table(np.empty(0), np.empty((2, 0)), one_look(3)).estimates[0].loss is None

    def test_nothing_but_failures(self):
        found = table(np.full(3, np.nan), np.full((2, 3), np.nan))
        assert [(e.loss, e.n, e.p) for e in found.estimates] == [(None, 0, None)] * 2

    @settings(max_examples=60, deadline=None)
    @given(STUDIES, st.floats(0, 1), st.sampled_from([0.0, 1e-3, 1.0]))
    def test_no_nan_and_no_infinity_leaks(self, shape, missing, step):
        baseline, arms = study(*shape)
        if step:
            baseline, arms = np.round(baseline / step) * step, np.round(arms / step) * step
        arms[np.random.default_rng(shape[2]).random(arms.shape) < missing] = np.nan
        for estimate in table(baseline, arms, planned(3, 8)).estimates:
            assert np.isfinite(numbers(estimate)).all()
            if estimate.interval:
                assert estimate.interval[0] <= estimate.loss <= estimate.interval[1]

    @pytest.mark.parametrize("delta", [-1.0, np.nan, np.inf])
    def test_an_impossible_smallest_effect_is_refused(self, delta):
        with pytest.raises(ValueError, match="smallest effect"):
            table(np.ones(3), np.ones((1, 3)), Rules(delta, (Look(3, 0.05),)))

    def test_shapes_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match="does not fit"):
            effect_table(
                np.ones(4), np.ones((1, 3)), baseline_finished=np.ones(3, bool), finished=np.ones((1, 3), bool),
                rules=one_look(3),
            )  # fmt: skip
        with pytest.raises(ValueError, match="finished"):
            effect_table(
                np.ones(3), np.ones((2, 3)), baseline_finished=np.ones(3, bool), finished=np.ones((1, 3), bool),
                rules=one_look(3),
            )  # fmt: skip


def test_ten_thousand_arms():
    generator = np.random.default_rng(17)
    arms = generator.normal(size=(10_000, 20))
    arms[7] -= 10
    found = table(generator.normal(size=20), arms, planned(3, 20), runs=[20] * 5000 + [5] * 5000)
    assert found.method == "pooled"
    assert found.estimates[7].p_adjusted < 1e-6
    assert sum(estimate.p_adjusted <= 0.05 for estimate in found.estimates) == 1
