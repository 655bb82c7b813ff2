"""What must not change a verdict, and what must only turn it round."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest
from finished_tables import one_look, table
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.contrasts import single_removals
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.interactions import interaction_table
from lesion.agent.analysis.joint import BASELINE, Arm
from lesion.agent.analysis.looks import Look, Rules
from lesion.agent.analysis.multiplicity import holm
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict
from scipy import stats

SEED = st.integers(0, 2**32 - 1)
TURNED = {"matters": "hurts", "hurts": "matters"}
NAMES = "abcd"


def over_seeds(y, delta=1.0):
    return table(y[0], y[1:], one_look(y.shape[1], delta)).estimates, one_look(y.shape[1], delta)


def over_examples(y, delta=1.0):
    rules = Rules(delta, (Look(1, 0.05),))
    return estimate_examples(y, single_removals(len(y) - 1), rules).estimates, rules


def pairs(y, delta=1.0, order=None):
    """All pairs of four components; rows: the baseline, the singles, the pairs."""
    tested = [frozenset(pair) for pair in combinations(NAMES, 2)]
    sets = [BASELINE, *(frozenset(name) for name in NAMES), *tested]
    arms = {removed: Arm(row, np.ones(row.size, dtype=bool)) for removed, row in zip(sets, y, strict=True)}
    asked = [tested[i] for i in order] if order is not None else tested
    found = interaction_table(arms, asked, rules=one_look(y.shape[1], delta)).interactions
    return tuple(one.contrast for one in found), one_look(y.shape[1], delta)


def drawn(seed, arms=10, units=6):
    """Seed effects in common, and losses from none to several δ = 1."""
    generator = np.random.default_rng(seed)
    losses = np.r_[0, generator.choice([0.0, 0.3, 4.0, -4.0], size=arms)]
    return 0.4 * generator.normal(size=(arms + 1, units)) + generator.normal(size=units) - losses[:, None]


def verdicts(found):
    estimates, rules = found
    return [effect_verdict(one, EffectFacts(), rules).verdict for one in estimates]


def close(first, second):
    for one, other in zip(first, second, strict=True):
        left, right = (
            [one.loss, one.se, one.p, one.p_adjusted, one.p_equivalence, *one.interval] for one in (one, other)
        )
        assert left == pytest.approx(right, rel=1e-6, abs=1e-9)


KINDS = pytest.mark.parametrize("analyse", [over_seeds, pairs, over_examples])


@KINDS
@settings(max_examples=15, deadline=None)
@given(seed=SEED, scale=st.floats(1e-5, 1e5))
def test_the_unit_changes_no_verdict_and_no_p(analyse, seed, scale):
    y = drawn(seed)
    one, other = analyse(y), analyse(scale * y, scale)
    assert verdicts(one) == verdicts(other)
    for left, right in zip(one[0], other[0], strict=True):
        assert (left.p, left.p_adjusted, left.p_equivalence) == pytest.approx(
            (right.p, right.p_adjusted, right.p_equivalence), rel=1e-6, abs=1e-12
        )


@KINDS
@settings(max_examples=15, deadline=None)
@given(seed=SEED)
def test_a_metric_turned_round_swaps_matters_and_hurts(analyse, seed):
    y = drawn(seed)
    one, other = analyse(y), analyse(-y)
    assert verdicts(other) == [TURNED.get(verdict, verdict) for verdict in verdicts(one)]
    for left, right in zip(one[0], other[0], strict=True):
        assert left.interval == pytest.approx((-right.interval[1], -right.interval[0]))


@KINDS
@settings(max_examples=15, deadline=None)
@given(seed=SEED, random=st.randoms())
def test_the_order_of_units_does_not_matter(analyse, seed, random):
    y = drawn(seed)
    order = list(range(y.shape[1]))
    random.shuffle(order)
    close(analyse(y)[0], analyse(y[:, order])[0])


@pytest.mark.parametrize("analyse", [over_seeds, over_examples])
@settings(max_examples=15, deadline=None)
@given(seed=SEED, order=st.permutations(range(10)))
def test_the_order_of_arms_does_not_matter(analyse, seed, order):
    y = drawn(seed)
    found = analyse(y)[0]
    close([found[i] for i in order], analyse(np.vstack([y[:1], y[1:][order]]))[0])


@settings(max_examples=15, deadline=None)
@given(seed=SEED, order=st.permutations(range(6)))
def test_the_order_of_pairs_does_not_matter(seed, order):
    y = drawn(seed)
    found = pairs(y)[0]
    close([found[i] for i in order], pairs(y, order=order)[0])


def test_without_correlation_pairing_estimates_the_same_variance_with_half_the_degrees_of_freedom():
    """Baseline and one arm: the block model is the paired t. Where seeds have nothing in common its squared standard
    error has the expectation of the unpaired t's, 2σ²/n, with n − 1 degrees of freedom instead of 2n − 2."""
    generator = np.random.default_rng(0)
    n, studies = 5, 600
    paired, unpaired = np.empty(studies), np.empty(studies)
    for i, y in enumerate(generator.normal(size=(studies, 2, n))):
        one = over_seeds(y)[0][0]
        assert (one.df, one.p) == (n - 1, pytest.approx(stats.ttest_rel(*y).pvalue))
        paired[i], unpaired[i] = one.se**2, y.var(axis=1, ddof=1).sum() / n
    error = paired.std() / np.sqrt(studies)
    assert paired.mean() == pytest.approx(2 / n, abs=4 * error)
    assert paired.mean() == pytest.approx(unpaired.mean(), abs=4 * error)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 19), st.floats(0, 1))
def test_holm_never_falls_when_a_p_rises(p, index, by):
    raised = list(p)
    raised[index % len(p)] = min(1.0, p[index % len(p)] + by)
    assert (holm(raised) >= holm(p) - 1e-12).all()
    assert (np.diff(holm(sorted(p))) >= 0).all()


@pytest.mark.parametrize("analyse", [over_seeds, over_examples])
@settings(max_examples=15, deadline=None)
@given(seed=SEED)
def test_an_arm_without_values_only_enlarges_the_family(analyse, seed):
    y = drawn(seed)
    alone, beside = analyse(y)[0], analyse(np.vstack([y, np.full(y.shape[1], np.nan)]))[0]
    same = ("loss", "n", "se", "df", "p")
    for one, other in zip(alone, beside[:-1], strict=True):
        for name in same:
            assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9)
        assert other.p_adjusted >= one.p_adjusted
        assert other.interval[0] <= one.interval[0] < one.interval[1] <= other.interval[1]
    assert dataclasses.asdict(beside[-1])["p"] is None
