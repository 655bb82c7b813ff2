import numpy as np
import pytest
from finished_tables import one_look, planned
from lesion.agent.analysis.interactions import interaction_table
from lesion.agent.analysis.joint import BASELINE, Arm
from scipy import stats

A, B, C = (frozenset((name,)) for name in "abc")
AB, AC, BC, ABC = A | B, A | C, B | C, A | B | C


def arms(**values):
    """Arms by their letters, all seeds finished: `baseline=…, a=…, ab=…`."""
    return {
        BASELINE if name == "baseline" else frozenset(name): Arm(np.asarray(y, float), np.ones(len(y), dtype=bool))
        for name, y in values.items()
    }


def planted(losses, seeds=5, noise=0.05, seed=0):
    """Arms around y0 = 10 with given losses and seed effects common to all."""
    generator = np.random.default_rng(seed)
    shared = 10 + generator.normal(size=seeds)
    runs = {name: shared - loss + noise * generator.normal(size=seeds) for name, loss in losses.items()}
    return arms(baseline=shared + noise * generator.normal(size=seeds), **runs)


def test_oracle():
    runs = arms(
        baseline=[0.90, 0.91, 0.895, 0.905, 0.90],
        a=[0.895, 0.905, 0.89, 0.90, 0.90],
        b=[0.90, 0.905, 0.893, 0.90, 0.897],
        ab=[0.80, 0.82, 0.79, 0.815, 0.81],
    )
    found = interaction_table(runs, [AB], rules=one_look(5, delta=0.01))
    pair = found.interactions[0]
    assert pair.contrast.loss == pytest.approx(0.088)
    assert pair.contrast.p_paired == pytest.approx(1.910e-5, rel=1e-3)
    per_seed = runs[A].values + runs[B].values - runs[AB].values - runs[BASELINE].values
    assert stats.ttest_1samp(per_seed, 0).statistic == pytest.approx(23.603438, rel=1e-6)
    assert pair.observed.loss == pytest.approx(0.095)
    assert pair.additive == pytest.approx(0.007)
    # among four arms the pair is the noisiest by far: its contrast is left to its own paired t
    assert (found.contrasts.method, pair.contrast.df) == ("pooled", 4)
    assert pair.contrast.p == pair.contrast.p_paired
    assert pair.contrast.interval == pytest.approx((0.0776486, 0.0983513), abs=1e-7)


def test_f_of_the_repeated_measures_anova_is_the_square_of_t():
    """Sums of squares of A × B and of A × B × seed, written out, over the oracle's table."""
    y = np.array([[[0.90, 0.91, 0.895, 0.905, 0.90], [0.90, 0.905, 0.893, 0.90, 0.897]],
                  [[0.895, 0.905, 0.89, 0.90, 0.90], [0.80, 0.82, 0.79, 0.815, 0.81]]])  # fmt: skip
    cells = y.mean(2)
    crossed = cells - cells.mean(0) - cells.mean(1)[:, None] + cells.mean()
    whole = y - y.mean(0) - y.mean(1)[:, None] + y.mean((0, 1))
    left = whole - crossed[:, :, None]
    f = (5 * (crossed**2).sum()) / ((left**2).sum() / 4)
    runs = arms(baseline=y[0, 0], a=y[1, 0], b=y[0, 1], ab=y[1, 1])
    contrast = interaction_table(runs, [AB], rules=one_look(5)).interactions[0].contrast
    assert f == pytest.approx(557.1223, abs=1e-4)
    assert (contrast.loss / contrast.se) ** 2 == pytest.approx(f)


def test_a_pair_among_equally_noisy_arms_uses_the_guarded_pool():
    runs = planted({"a": 0, "b": 1, "ab": 3, "c": 2, "d": 0}, seed=4)
    found = interaction_table(runs, [AB], rules=one_look(5))
    y = np.array([arm.values for arm in runs.values()])
    pool = ((y - y.mean(0) - y.mean(1, keepdims=True) + y.mean()) ** 2).sum() / 20
    own = (runs[A].values + runs[B].values - runs[AB].values - runs[BASELINE].values).var(ddof=1) / 4
    contrast = found.interactions[0].contrast
    assert (found.contrasts.method, contrast.df) == ("pooled", 20)
    assert contrast.se == pytest.approx(np.sqrt(4 * max(pool, (3 * pool + own) / 4) / 5))


def test_oracle_of_the_paired_contrast():
    y0, a = [0.90, 0.91, 0.895, 0.905, 0.90], [0.895, 0.905, 0.89, 0.90, 0.90]
    b, ab = [0.90, 0.905, 0.893, 0.90, 0.897], [0.80, 0.82, 0.79, 0.815, 0.81]
    runs = arms(baseline=y0, a=a, b=b, ab=ab, x=[0, 9, -9, 4, -4])
    found = interaction_table(runs, [AB], rules=one_look(5, delta=0.01))
    contrast = found.interactions[0].contrast
    assert found.contrasts.method == "paired"
    assert contrast.loss / contrast.se == pytest.approx(23.603438)
    assert contrast.p == contrast.p_paired == pytest.approx(1.910e-5, rel=1e-3)
    assert contrast.interval == pytest.approx((0.0776486, 0.0983513), abs=1e-7)


@pytest.mark.parametrize(
    ("a", "b", "ab", "negligible", "verdict"),
    [
        (0, 0, 5, [A, B], "compensation"),
        (0, 0, 5, [A], "redundancy"),
        (2, 2, 8, [], "redundancy"),
        (3, 3, 3, [], "synergy"),
        (2, 3, 5, [], "additive"),
        (2, 2, 5, [], "undecided"),
    ],
)
def test_planted_pairs(a, b, ab, negligible, verdict):
    runs = planted({"a": a, "b": b, "ab": ab, "c": 0})
    pair = interaction_table(runs, [AB], rules=one_look(5, delta=1.0), negligible=negligible).interactions[0]
    assert pair.verdict == verdict
    assert pair.observed.loss == pytest.approx(pair.additive + pair.contrast.loss)


@pytest.mark.parametrize(
    ("ab", "verdict"), [(3, "saturation-limited"), (6, "saturation-limited"), (10, "compensation")]
)
def test_the_floor_hides_positive_interactions_only(ab, verdict):
    single = 0 if ab == 10 else 3
    runs = planted({"a": single, "b": single, "ab": ab}, noise=0.01)
    pair = interaction_table(runs, [AB], rules=one_look(5), negligible=[A, B], floor=10 - ab - 0.5).interactions[0]
    assert pair.saturated
    assert pair.verdict == verdict


def test_a_baseline_at_the_floor_cannot_be_tested():
    pair = interaction_table(planted({"a": 0, "b": 0, "ab": 0}), [AB], rules=one_look(5), floor=9.9).interactions[0]
    assert (pair.verdict, pair.reason is None) == ("untestable", False)


def test_a_triple_whose_every_part_can_go():
    losses = {"a": 0, "b": 0, "c": 0, "ab": 0, "ac": 0, "bc": 0, "abc": 5}
    found = interaction_table(planted(losses), [AB, AC, BC, ABC], rules=one_look(5), negligible=[A, B, C]).interactions
    assert [one.verdict for one in found] == ["additive"] * 3 + ["irreducible"]
    assert [one.negligible_together for one in found] == [True] * 3 + [False]


def test_a_triple_that_owes_its_loss_to_a_pair():
    losses = {"a": 0, "b": 0, "c": 0, "ab": 5, "ac": 0, "bc": 0, "abc": 5}
    found = interaction_table(planted(losses), [AB, AC, BC, ABC], rules=one_look(5), negligible=[A, B, C]).interactions
    assert [one.verdict for one in found] == ["compensation", "additive", "additive", "compensation"]


def test_the_contrast_of_a_group_is_its_loss_beyond_the_sum_of_singles():
    losses = {"a": 1.0, "b": 2.0, "c": 0.5, "abc": 9.0}
    runs = planted(losses)
    group = interaction_table(runs, [ABC], rules=one_look(5)).interactions[0]
    loss = {key: (runs[BASELINE].values - arm.values).mean() for key, arm in runs.items()}
    assert group.additive == pytest.approx(loss[A] + loss[B] + loss[C])
    assert group.contrast.loss == pytest.approx(loss[ABC] - loss[A] - loss[B] - loss[C])


def test_both_families_have_the_size_of_the_tested_sets():
    runs = planted({"a": 0, "b": 0, "c": 0, "ab": 5, "ac": 0})
    found = interaction_table(runs, [AB, AC], rules=one_look(5)).interactions
    for one in found:
        assert one.contrast.level == one.observed.level == pytest.approx(1 - 0.05 / 2)
    assert found[1].contrast.p_adjusted == pytest.approx(max(found[1].contrast.p, found[0].contrast.p_adjusted))


def test_a_contrast_waits_for_the_slowest_of_its_arms():
    runs = planted({"a": 0, "b": 0, "ab": 5}, seeds=10)
    part = np.arange(10) < 6
    runs[A] = Arm(np.where(part, runs[A].values, np.nan), part)
    one = interaction_table(runs, [AB], rules=planned(3, 10)).interactions[0]
    assert (one.contrast.look.seeds, one.contrast.n) == (5, 5)
    assert (one.observed.look.seeds, one.observed.n) == (10, 10)
    assert one.additive == pytest.approx((2 * runs[BASELINE].values - runs[A].values - runs[B].values)[:5].mean())


def test_a_set_without_runs_is_untestable():
    one = interaction_table(planted({"a": 0, "ab": 5}), [AB], rules=one_look(5), negligible=[A, B]).interactions[0]
    assert (one.verdict, one.additive, one.contrast.loss) == ("untestable", None, None)
    assert one.observed.loss == pytest.approx(5, abs=0.2)


def test_a_single_is_no_interaction():
    with pytest.raises(ValueError, match="two components"):
        interaction_table(planted({"a": 0}), [A], rules=one_look(5))


def test_nothing_to_test():
    assert interaction_table(planted({"a": 0}), [], rules=one_look(5)).interactions == ()
