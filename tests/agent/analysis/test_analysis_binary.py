import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.binary import Counts, exact_tests, mcnemar_p, score_tests, tango_statistic
from lesion.agent.analysis.inference import equivalence_p
from scipy import optimize, stats

Z = stats.norm.isf(0.025)


def counts(losses, gains, n):
    return Counts(*(np.atleast_1d(np.asarray(one)) for one in (losses, gains, n)))


def exact(losses, gains, n, delta=0.01, alpha=0.05, largest=1.0):
    tests = exact_tests(counts(losses, gains, n), np.array([largest]), np.array([1.0]), delta, alpha)
    return tests._replace(**{name: float(value[0]) for name, value in tests._asdict().items()})


def discordant_tables():
    return st.integers(1, 400).flatmap(
        lambda n: st.integers(0, n).flatmap(lambda b: st.tuples(st.just(b), st.integers(0, n - b), st.just(n)))
    )


def test_mcnemar_oracle():
    assert mcnemar_p(counts(12, 29, 100)) == pytest.approx(0.0115077897, abs=1e-10)


@given(discordant_tables())
def test_mcnemar_is_scipys_binomial_test(table):
    losses, gains, _ = table
    expected = stats.binomtest(losses, losses + gains).pvalue if losses + gains else 1.0
    assert mcnemar_p(counts(*table)) == pytest.approx(expected)


def test_published_score_intervals():
    """Fagerland, Lydersen & Laake, Statistical Analysis of Contingency Tables (2017), tables of chapter 8."""
    cavo = score_tests(counts(6, 16, 161), 0.1, 0.05)
    assert (cavo.lower.item(), cavo.upper.item()) == pytest.approx((-0.1240, -0.0054), abs=5e-5)
    assert cavo.p == pytest.approx(0.052479, abs=5e-7)


def constrained_statistic(losses, gains, n, difference):
    """The score statistic with P(a gain) found by maximising the trinomial likelihood numerically."""

    def unlikeliness(gain):
        ties = 1 - 2 * gain - difference
        return -(losses * np.log(gain + difference) + gains * np.log(gain) + (n - losses - gains) * np.log(ties))

    least, most = max(0.0, -difference), (1 - difference) / 2
    found = optimize.minimize_scalar(unlikeliness, bounds=(least, most), method="bounded", options={"xatol": 1e-13})
    return (losses - gains - n * difference) / np.sqrt(n * (2 * found.x + difference - difference**2))


@pytest.mark.parametrize("table", [(12, 29, 100), (3, 9, 44), (40, 1, 60), (7, 7, 1000)])
@pytest.mark.parametrize("difference", [-0.3, -0.02, 0.001, 0.25])
def test_the_score_statistic_is_at_the_constrained_maximum_of_the_likelihood(table, difference):
    found = tango_statistic(counts(*table), np.array([difference]))
    assert found == pytest.approx(constrained_statistic(*table, difference), rel=1e-4)


@settings(deadline=None)
@given(discordant_tables().filter(lambda table: table[0] + table[1] >= 10))
def test_the_score_interval_ends_where_the_statistic_is_critical(table):
    tests = score_tests(counts(*table), 0.01, 0.05)
    losses, gains, n = table
    assert -1 <= tests.lower <= (losses - gains) / n <= tests.upper <= 1
    if tests.lower > -1 + 1e-6:
        assert tango_statistic(counts(*table), tests.lower) == pytest.approx(Z, abs=1e-4)
    if tests.upper < 1 - 1e-6:
        assert tango_statistic(counts(*table), tests.upper) == pytest.approx(-Z, abs=1e-4)


@settings(deadline=None)
@given(discordant_tables().filter(lambda table: table[0] + table[1] >= 10), st.floats(0, 1.5))
def test_exchanging_the_arms_mirrors_the_score_method(table, delta):
    one, other = (score_tests(both, delta, 0.05) for both in (counts(*table), counts(*table).mirrored))
    assert one.lower == pytest.approx(-other.upper)
    assert one.upper == pytest.approx(-other.lower)
    assert one.p_equivalence == pytest.approx(other.p_equivalence)


@settings(deadline=None)
@given(discordant_tables().filter(lambda table: table[0] + table[1] >= 10), st.floats(0.001, 0.9))
def test_equivalence_is_shown_when_the_interval_of_twice_the_level_lies_within_delta(table, delta):
    tests = score_tests(counts(*table), delta, 0.1)
    inside = max(-tests.lower.item(), tests.upper.item())
    if abs(inside - delta) > 1e-9:
        assert (tests.p_equivalence.item() <= 0.05) == (inside < delta)


def test_with_many_discordant_examples_the_score_method_is_the_t_method():
    losses, gains, n = 30_000, 29_000, 1_000_000
    tests = score_tests(counts(losses, gains, n), 0.002, 0.05)
    mean = (losses - gains) / n
    se = np.sqrt(((losses + gains) / n - mean**2) / n)
    assert (tests.lower.item(), tests.upper.item()) == pytest.approx((mean - Z * se, mean + Z * se), abs=1e-6)
    assert tests.p_equivalence == pytest.approx(np.maximum(*equivalence_p(mean, se, n, 0.002)), rel=0.05)


def test_no_discordant_example_is_no_certainty():
    tests = exact(0, 0, 1000, delta=0.003, alpha=0.1)
    assert tests.p == 1
    assert (-tests.lower, tests.upper) == pytest.approx((1 - 0.05 ** (1 / 1000),) * 2)
    assert tests.upper == pytest.approx(3 / 1000, rel=0.01)
    assert tests.p_equivalence == pytest.approx((1 - 0.003) ** 1000)


def test_the_exact_rule_is_clopper_and_pearsons():
    tests = exact(2, 5, 300, delta=0.02)
    bounds = [stats.binomtest(count, 300).proportion_ci(0.95, "exact").high for count in (5, 2)]
    assert (-tests.lower, tests.upper) == pytest.approx(tuple(bounds))
    assert tests.p_equivalence == pytest.approx(stats.binomtest(5, 300, 0.02, "less").pvalue)


def test_bounds_grow_with_the_largest_contribution_up_to_the_limit():
    assert exact(1, 0, 100, largest=2.0).upper == pytest.approx(2 * exact(1, 0, 100).upper)
    assert exact(3, 0, 3, largest=2.0).upper == 1


@pytest.mark.parametrize(("delta", "n"), [(0.002, 2000), (0.005, 2000), (0.02, 500), (0.03, 500)])
@pytest.mark.parametrize("gained", [0.0, 0.001, 0.05])
def test_errors_at_the_boundary_of_equivalence_and_under_the_null(delta, n, gained):
    generator = np.random.default_rng(1)
    studies = 4000

    def share(losing, column):
        drawn = generator.multinomial(n, [losing, gained, 1 - losing - gained], size=studies)
        both = counts(drawn[:, 0], drawn[:, 1], np.full(studies, n))
        rare, one = both.losses + both.gains < 10, np.ones(studies)
        tests = zip(exact_tests(both, one, one, delta, 0.05), score_tests(both, delta, 0.05), strict=True)
        return (np.where(rare, *list(tests)[column]) <= 0.05).mean()

    assert share(gained, 0) <= 0.05
    assert share(gained + delta, 1) <= 0.057 + 2 * np.sqrt(0.05 * 0.95 / studies)
