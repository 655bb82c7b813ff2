import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.anytime import log_e, moments, one_sided_log_e
from lesion.agent.analysis.betting import Seen, betting_tests
from lesion.agent.analysis.contrasts import Contrasts, single_removals
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.looks import Look, Rules
from lesion.agent.analysis.multiplicity import holm
from lesion.agent.analysis.stopping import Stopping, t_tests
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict
from scipy import integrate, stats

ALPHA, SHARE = 0.05, 0.2
INTERACTION = Contrasts(np.array([[0, 3, 1, 2]]), np.array([[-1.0, -1.0, 1.0, 1.0]]))


def rules(delta=0.1, alpha=ALPHA):
    return Rules(delta, (Look(1, alpha),), alpha)


def table(y, watched=None, delta=0.1, contrasts=None, alpha=ALPHA, **rest):
    y = np.asarray(y, float)
    stopping = None if watched is None else Stopping(SHARE, np.array(watched, bool))
    family = single_removals(len(y) - 1) if contrasts is None else contrasts
    return estimate_examples(y, family, rules(delta, alpha), stopping=stopping, **rest).estimates


def partly(y, row, seen):
    found = np.array(y, float)
    found[row, seen:] = np.nan
    return found


def values(seed=0, rows=4, examples=200, spread=0.1):
    generator = np.random.default_rng(seed)
    return generator.normal(size=examples) + spread * generator.normal(size=(rows, examples))


def test_what_was_not_under_the_rule_keeps_what_it_had():
    y = values()
    plain = table(y)
    assert table(y, [False] * 4) == plain
    mixed = table(partly(y, 1, 80), [False, True, False, False])
    assert [one.interval for one in mixed[1:]] == [one.interval for one in plain[1:]]
    assert [one.p for one in mixed[1:]] == [one.p for one in plain[1:]]
    assert [one.always_valid for one in mixed] == [True, False, False]


def test_what_reached_the_end_has_what_is_left_of_alpha():
    y = values()
    found, kept = table(y, [False, True, True, True]), table(y, alpha=(1 - SHARE) * ALPHA)
    plain = table(y)
    for one, other, usual in zip(found, kept, plain, strict=True):
        assert one.p == pytest.approx(min(1.0, usual.p / 0.8))
        assert one.interval == pytest.approx(other.interval)
        assert one.level == pytest.approx(1 - 0.8 * 0.05 / 3)
        assert (one.always_valid, one.n, one.se, one.df) == (False, usual.n, usual.se, usual.df)
    assert [one.p_adjusted for one in found] == pytest.approx(holm([one.p for one in found]))
    assert [one.p_equivalence for one in found] == pytest.approx(
        [min(1.0, one.p_equivalence / 0.8) for one in plain], rel=1e-6
    )


def test_what_stopped_has_the_always_valid_t_at_its_share():
    y = partly(values(rows=2), 1, 80)
    one, tests = table(y, [False, True])[0], t_tests(moments((y[0] - y[1])[None, :80]), 0.1, 0.01)
    assert (one.always_valid, one.n, one.df) == (True, 80, 79)
    assert one.se == pytest.approx((y[0] - y[1])[:80].std(ddof=1) / np.sqrt(80))
    assert one.interval == pytest.approx((tests.lower[0], tests.upper[0]))
    assert one.p == pytest.approx(min(1.0, tests.p[0] / SHARE))
    assert one.level == pytest.approx(1 - 0.01)
    assert one.p_equivalence == pytest.approx(tests.p_equivalence[0] / SHARE)
    assert effect_verdict(one, EffectFacts(), rules()).verdict == "negligible"


def test_intervals_of_what_stopped_are_simultaneous_over_the_family():
    y = partly(values(), 1, 80)
    one, wider = table(y, [False, True, True, True])[0], table(y, [False, True, True, True], family=30)[0]
    assert (one.level, wider.level) == pytest.approx((1 - 0.01 / 3, 1 - 0.01 / 30))
    assert wider.interval[0] < one.interval[0]


def test_answers_that_stopped_are_bet_on():
    right = np.ones(300)
    arm = right.copy()
    arm[:2] = 0
    one = table(partly([right, arm], 1, 200), [False, True])[0]
    tests = betting_tests(Seen(np.array([-1.0, 0, 1]), np.array([[0, 198, 2]]), np.ones(1)), 0.1, 0.01)
    assert one.interval == pytest.approx((tests.lower[0], tests.upper[0]))
    assert (one.p, one.p_equivalence) == pytest.approx((1.0, tests.p_equivalence[0] / SHARE))
    turned = table(partly([right - 1, arm - 1], 1, 200), [False, True])[0]
    assert turned.interval == pytest.approx(one.interval)


def test_an_interaction_of_answers_lies_within_twice_as_much():
    right = np.ones((4, 300))
    one = table(partly(right, 3, 200), [False, False, False, True], contrasts=INTERACTION)[0]
    tests = betting_tests(Seen(np.array([0.0]), np.array([[200]]), np.full(1, 2.0)), 0.1, 0.01)
    assert (one.always_valid, one.interval) == (True, pytest.approx((tests.lower[0], tests.upper[0])))


def test_an_interaction_is_known_as_far_as_its_shortest_arm():
    y = partly(partly(values(), 1, 90), 3, 120)
    one = table(y, [False, True, False, True], contrasts=INTERACTION)[0]
    assert (one.n, one.always_valid) == (90, True)


def test_what_is_two_valued_is_decided_on_the_shared_examples():
    """As where the model runs: what the baseline gives later is not seen by an arm that stopped."""
    y = np.ones((2, 300))
    y[0, 250] = 0.5
    early = table(partly(y, 1, 200), [False, True])[0]
    assert 0 < early.interval[1] < 0.1
    assert early.interval == table(partly(np.ones((2, 300)), 1, 200), [False, True])[0].interval


def test_no_variance_at_all_has_a_limit():
    y = np.arange(200.0) + np.array([[0], [5], [0]])
    same, nothing = table(partly(partly(y, 1, 100), 2, 100), [False, True, True], delta=1.0)
    assert (same.se, nothing.se) == (0, 0)
    assert [effect_verdict(one, EffectFacts(), rules(1.0)).verdict for one in (same, nothing)] == [
        "hurts",
        "negligible",
    ]


def test_too_few_examples_are_not_tested():
    few = table(partly(partly(values(rows=3), 1, 2), 2, 0), [False, True, True])
    assert [(one.n, one.p, one.interval, one.always_valid) for one in few] == [
        (2, None, None, False),
        (0, None, None, False),
    ]


@pytest.mark.parametrize(
    ("stopping", "clusters", "message"),
    [
        (Stopping(SHARE, np.array([False, True, True])), None, "do not fit"),
        (Stopping(0.0, np.array([False, True])), None, "between 0 and 1"),
        (Stopping(1.0, np.array([False, True])), None, "between 0 and 1"),
        (Stopping(SHARE, np.array([False, True])), np.arange(9), "clusters are never"),
    ],
)
def test_what_the_rule_cannot_hold_for_is_refused(stopping, clusters, message):
    with pytest.raises(ValueError, match=message):
        estimate_examples(np.ones((2, 9)), single_removals(1), rules(), clusters, stopping=stopping)


def test_clusters_are_no_matter_where_nothing_was_under_the_rule():
    y, clusters = values(rows=2), np.arange(200) // 4
    assert table(y, [False, False], clusters=clusters) == table(y, clusters=clusters)


def test_one_sided_evidence_is_below_the_mixture_over_one_side():
    """Densities of noncentral t, averaged over the upper half of Normal(0, g), by numerical integration."""
    for shift in (0.1, 0.6, 1.5):
        found = moments(np.array([[0.3, -0.4, 1.2, 0.9, 0.1, 0.8]]) + shift)
        t, n, g = float(found.mean[0] / found.sd[0] * np.sqrt(6)), 6, 0.25

        def weighted(shift, t=t, n=n, g=g):
            return 2 * stats.nct.pdf(t, n - 1, shift * np.sqrt(n)) * stats.norm.pdf(shift, scale=np.sqrt(g))

        half = integrate.quad(weighted, 0, 4, limit=400)[0] / stats.t.pdf(t, n - 1)
        told = np.exp(one_sided_log_e(found, 0.0, above=True, g=g))[0]
        assert np.exp(log_e(found, g=g))[0] < told <= half * (1 + 1e-9)
        assert one_sided_log_e(found, 0.0, above=False, g=g)[0] == -np.inf


def test_one_sided_evidence_errs_at_most_alpha_of_the_time():
    generator = np.random.default_rng(3)
    for truth in (0.0, -0.2):
        differences = generator.normal(truth, size=(3_000, 60))
        ever = np.zeros(3_000, bool)
        for n in range(2, 61):
            ever |= one_sided_log_e(moments(differences[:, :n]), 0.0, above=True, g=0.25) >= np.log(20)
        assert ever.mean() <= 0.05


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(3, 90))
def test_exchanging_the_arms_or_the_examples_changes_nothing(seed, binary, seen):
    generator = np.random.default_rng(seed)
    y = values(seed, rows=2, examples=100, spread=1.0)
    y = (y > 0.3).astype(float) if binary else y
    order = np.r_[generator.permutation(seen), seen + generator.permutation(100 - seen)]
    one, other = (table(partly(each, 1, seen), [False, True])[0] for each in (y, y[:, order]))
    mirrored = table(partly(-y, 1, seen), [False, True])[0]
    assert (one.loss, one.p, one.p_equivalence, one.interval) == (
        pytest.approx(other.loss),
        pytest.approx(other.p),
        pytest.approx(other.p_equivalence),
        pytest.approx(other.interval),
    )
    assert (one.p, one.p_equivalence) == (pytest.approx(mirrored.p), pytest.approx(mirrored.p_equivalence))
    assert one.interval == (pytest.approx(-mirrored.interval[1]), pytest.approx(-mirrored.interval[0]))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6), st.integers(3, 90))
def test_units_do_not_matter(seed, scale, seen):
    y = partly(values(seed, rows=2, examples=100, spread=1.0), 1, seen)
    one, other = table(y, [False, True], 0.3)[0], table(scale * y, [False, True], scale * 0.3)[0]
    assert (one.p, one.p_equivalence) == (pytest.approx(other.p), pytest.approx(other.p_equivalence))
    assert scale * one.interval[0] == pytest.approx(other.interval[0])
