import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.contrasts import Contrasts, single_removals
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.interactions import interaction_table
from lesion.agent.analysis.joint import BASELINE, Arm
from lesion.agent.analysis.looks import Look, Rules, planned_looks
from lesion.agent.analysis.multiplicity import holm
from scipy import stats

A, B = frozenset("a"), frozenset("b")
AB = A | B
INTERACTION = Contrasts(np.array([[0, 3, 1, 2]]), np.array([[-1.0, -1.0, 1.0, 1.0]]))
Y0, YA = [0.90, 0.91, 0.895, 0.905, 0.90], [0.895, 0.905, 0.89, 0.90, 0.90]
YB, YAB = [0.90, 0.905, 0.893, 0.90, 0.897], [0.80, 0.82, 0.79, 0.815, 0.81]


def rules(delta=0.01, alpha=0.05):
    return Rules(delta, (Look(1, alpha),), alpha)


def singles(y, delta=0.01, clusters=None):
    y = np.asarray(y, float)
    return estimate_examples(y, single_removals(len(y) - 1), rules(delta), clusters)


def answers(losses, gains, n):
    """A baseline and an arm, 0 or 1 per example, with so many discordant examples."""
    baseline = np.r_[np.ones(losses), np.zeros(gains), np.ones(n - losses - gains)]
    arm = np.r_[np.zeros(losses), np.ones(gains), np.ones(n - losses - gains)]
    return np.stack([baseline, arm])


def numbers(estimate):
    return (estimate.loss, estimate.se, estimate.p, estimate.p_equivalence, *estimate.interval)


def close(one, other):
    assert numbers(one) == pytest.approx(numbers(other), rel=1e-6, abs=1e-9)


def test_paired_oracle():
    found = singles([[0.912, 0.908, 0.915, 0.910, 0.905], [0.899, 0.901, 0.902, 0.895, 0.897]])
    one = found.estimates[0]
    assert (one.loss, one.loss / one.se) == pytest.approx((0.0112, 7.170065276))
    assert (one.n, one.df, one.look, one.p_paired, found.method) == (5, 4, Look(5, 0.05), None, "examples")
    assert one.p == pytest.approx(0.00200326991)
    assert one.interval == pytest.approx((0.0068630541, 0.0155369459), abs=1e-9)


def test_equivalence_oracle():
    x, y = [0.910, 0.912, 0.907, 0.911, 0.909, 0.913], [0.911, 0.910, 0.908, 0.912, 0.908, 0.912]
    assert singles([x, y], 0.003).estimates[0].p_equivalence == pytest.approx(0.00170281, abs=1e-8)


def test_interaction_oracle():
    one = estimate_examples(np.array([Y0, YA, YB, YAB]), INTERACTION, rules()).estimates[0]
    assert (one.loss, one.loss / one.se) == pytest.approx((0.088, 23.603438))
    assert one.p == pytest.approx(1.910e-5, rel=1e-3)
    assert one.interval == pytest.approx((0.0776486, 0.0983513), abs=1e-7)


def test_the_interaction_table_takes_examples_as_units():
    runs = {key: Arm(np.array(y), np.ones(5, bool)) for key, y in ((BASELINE, Y0), (A, YA), (B, YB), (AB, YAB))}
    clusters = np.array([0, 1, 2, 3, 3])

    def by_cluster(y, finished, contrasts, rules):
        return estimate_examples(y, contrasts, rules, clusters)

    def table(**settings):
        return interaction_table(runs, [AB], rules=rules(), estimate=by_cluster, negligible=[A, B], **settings)

    found = table()
    pair = found.interactions[0]
    assert (found.contrasts.method, pair.contrast.n, pair.verdict) == ("clusters", 4, "compensation")
    assert (pair.additive, pair.contrast.loss) == pytest.approx((0.007, 0.088))
    assert [table(floor=0.8, noise=noise).interactions[0].saturated for noise in (0.001, 0.1)] == [False, True]
    assert table(floor=0.8, noise=0.1).interactions[0].verdict == "untestable"


def test_a_family_is_adjusted_by_holm_and_bonferroni_missing_arms_included():
    y = np.random.default_rng(0).normal(size=(4, 50)) + np.array([0, 0, -1, np.nan])[:, None]
    found = singles(y, 2.0).estimates
    for estimate, arm in zip(found[:2], y[1:], strict=False):
        test = stats.ttest_rel(y[0], arm)
        assert estimate.p == pytest.approx(test.pvalue)
        assert estimate.interval == pytest.approx(tuple(test.confidence_interval(1 - 0.05 / 3)))
        assert estimate.level == pytest.approx(1 - 0.05 / 3)
    assert [one.p_adjusted for one in found[:2]] == pytest.approx(holm([found[0].p, found[1].p, 1])[:2])
    assert (found[2].loss, found[2].n, found[2].p_adjusted, found[2].look) == (None, 0, None, None)


def test_examples_missing_in_an_arm_are_left_out_of_its_contrasts_only():
    y = np.random.default_rng(1).normal(size=(3, 40))
    part = y.copy()
    part[1, ::4] = np.nan
    whole, some = singles(y).estimates, singles(part).estimates
    kept = np.isfinite(part[1])
    assert (some[0].n, some[1]) == (30, whole[1])
    assert some[0].p == pytest.approx(stats.ttest_rel(y[0, kept], y[1, kept]).pvalue)


@pytest.mark.parametrize("n", [1, 2])
def test_two_examples_are_not_tested(n):
    one = singles(np.arange(2.0 * n).reshape(2, n)).estimates[0]
    assert (one.loss, one.n, one.p, one.interval) == (-n, n, None, None)


def test_equal_continuous_values_are_certainty_and_equal_answers_are_not():
    values = np.random.default_rng(2).normal(size=100)
    same = singles([values, values]).estimates[0]
    assert (same.p, same.p_equivalence, same.interval) == (1, 0, (0, 0))
    correct = singles([values > 0, values > 0]).estimates[0]
    assert (correct.p, correct.se) == (1, 0)
    assert correct.interval == pytest.approx((-(1 - 0.025**0.01), 1 - 0.025**0.01))
    assert correct.p_equivalence == pytest.approx(0.99**100)


def test_equal_answers_in_clusters_or_in_an_interaction_are_no_certainty():
    correct = (np.random.default_rng(3).random(100) < 0.7).astype(float)
    clusters = np.arange(100) // 5
    grouped = singles([correct, correct], clusters=clusters).estimates[0]
    assert grouped.interval == pytest.approx((-(1 - 0.025 ** (1 / 20)), 1 - 0.025 ** (1 / 20)))
    assert grouped.p_equivalence > 0.5
    joint = estimate_examples(np.tile(correct, (4, 1)), INTERACTION, rules()).estimates[0]
    assert joint.interval == pytest.approx((-2 * (1 - 0.025**0.01), 2 * (1 - 0.025**0.01)))
    assert joint.p_equivalence == pytest.approx(0.995**100)


@pytest.mark.parametrize("turned", [0, 1])
def test_binary_metrics_use_mcnemar_and_tango(turned):
    one = singles(answers(29, 12, 100) - turned, 0.3).estimates[0]
    assert one.p == pytest.approx(0.0115077897)
    assert (one.loss, one.n, one.df) == (pytest.approx(0.17), 100, 99)
    assert one.se == pytest.approx(np.sqrt((0.41 - 0.17**2) / 99))
    assert one.p_equivalence < 0.05
    cavo = singles(answers(6, 16, 161) - turned).estimates[0]
    assert cavo.interval == pytest.approx((-0.1240, -0.0054), abs=5e-5)


def test_binary_metrics_with_clusters_use_t_unless_answers_hardly_differ():
    y, clusters = answers(29, 12, 120), np.arange(120) % 30
    one = singles(y, clusters=clusters).estimates[0]
    sums = (y[0] - y[1]).reshape(4, 30).sum(axis=0)
    assert (one.n, one.p) == (30, pytest.approx(stats.ttest_1samp(sums, 0).pvalue))
    rare = singles(answers(9, 0, 120), clusters=np.arange(120) // 10).estimates[0]
    assert (rare.n, rare.p) == (12, 1)
    assert rare.interval[0] < 0 < rare.interval[1]


def test_the_standard_error_over_clusters_is_that_of_the_linearised_ratio():
    generator = np.random.default_rng(4)
    clusters = generator.integers(7, 20, size=300)
    y = generator.normal(size=(2, 300)) + np.array([[0], [0.3]]) * generator.normal(size=20)[clusters]
    one = singles(y, clusters=clusters).estimates[0]
    d = y[0] - y[1]
    sums = np.array([(d[clusters == label] - d.mean()).sum() for label in np.unique(clusters)])
    groups = sums.size
    assert (one.n, one.df) == (groups, groups - 1)
    assert one.loss == pytest.approx(d.mean())
    assert one.se == pytest.approx(np.sqrt(groups / (groups - 1) * (sums**2).sum()) / 300)


def continuous(draw_seed, rows=3, examples=30):
    return np.random.default_rng(draw_seed).normal(size=(rows, examples))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_singleton_clusters_are_no_clusters(seed):
    y = continuous(seed)
    labels = np.random.default_rng(seed).permutation(30)
    for one, other in zip(singles(y).estimates, singles(y, clusters=labels).estimates, strict=True):
        close(one, other)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_the_order_of_examples_is_irrelevant(seed, binary, clustered):
    generator = np.random.default_rng(seed)
    y = continuous(seed)
    y = (y > 0).astype(float) if binary else y
    clusters, order = generator.integers(0, 10, size=30), generator.permutation(30)
    one = singles(y, clusters=clusters if clustered else None)
    other = singles(y[:, order], clusters=clusters[order] if clustered else None)
    for first, second in zip(one.estimates, other.estimates, strict=True):
        close(first, second)
    assert one.pairing_correlation == pytest.approx(other.pairing_correlation)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.floats(0, 0.9))
def test_exchanging_the_arms_mirrors_everything(seed, binary, threshold):
    y = continuous(seed, rows=2, examples=40)
    y = (y > threshold).astype(float) if binary else y
    one, other = singles(y).estimates[0], singles(y[::-1]).estimates[0]
    assert (one.loss, one.interval[0]) == pytest.approx((-other.loss, -other.interval[1]))
    assert (one.se, one.p, one.p_equivalence) == pytest.approx((other.se, other.p, other.p_equivalence))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_units_do_not_matter(seed, scale):
    y = continuous(seed)
    for one, other in zip(singles(y, 0.4).estimates, singles(scale * y, scale * 0.4).estimates, strict=True):
        assert (one.p, one.p_equivalence) == pytest.approx((other.p, other.p_equivalence))
        assert (scale * one.loss, scale * one.interval[0]) == pytest.approx((other.loss, other.interval[0]))


def test_pairing_correlation_is_the_median_over_arms():
    generator = np.random.default_rng(5)
    y = generator.normal(size=(4, 200)) + 2 * generator.normal(size=200)
    y[3] = 1.0
    expected = np.median([np.corrcoef(y[0], arm)[0, 1] for arm in y[1:3]])
    assert singles(y).pairing_correlation == pytest.approx(expected)
    assert singles(np.ones((2, 9))).pairing_correlation is None


def test_nothing_to_test():
    assert singles(np.ones((1, 9))).estimates == ()
    assert singles(np.ones((2, 0))).estimates[0].loss is None


@pytest.mark.parametrize(
    ("y", "given_rules", "clusters", "message"),
    [
        (np.ones(5), rules(), None, "two dimensions"),
        (np.ones((2, 5)), rules(), np.arange(4), "cluster"),
        (np.ones((2, 5)), Rules(0.1, planned_looks(3, 10, 0.05)), None, "once"),
        (np.ones((2, 5)), rules(-1.0), None, "smallest effect"),
    ],
)
def test_what_cannot_be_estimated_is_refused(y, given_rules, clusters, message):
    with pytest.raises(ValueError, match=message):
        estimate_examples(y, single_removals(1), given_rules, clusters)


def clustered_answers(generator, losing, gaining):
    """A baseline and an arm over 40 clusters of 5 examples, of which two in three follow the fate of their cluster."""
    fates = generator.choice([1, -1, 0], p=[losing, gaining, 1 - losing - gaining], size=(40, 6))
    d = np.where(generator.random((40, 5)) < 2 / 3, fates[:, :1], fates[:, 1:]).ravel()
    return np.stack([d >= 0, d <= 0])


@pytest.mark.parametrize(
    ("losing", "gaining", "delta", "field"),
    [
        (0.03, 0.03, 0.01, "p"),
        (0.2, 0.2, 0.01, "p"),
        (0.01, 0.0, 0.01, "p_equivalence"),
        (0.05, 0.02, 0.03, "p_equivalence"),
    ],
)
def test_errors_with_answers_in_clusters(losing, gaining, delta, field):
    generator, studies, clusters = np.random.default_rng(6), 400, np.repeat(np.arange(40), 5)
    drawn = (clustered_answers(generator, losing, gaining) for _ in range(studies))
    wrong = sum(getattr(singles(y, delta, clusters).estimates[0], field) <= 0.05 for y in drawn)
    assert wrong / studies <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / studies)
