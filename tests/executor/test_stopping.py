import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.contrasts import Contrasts, single_removals
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.looks import Look, Rules
from lesion.agent.analysis.stopping import Stopping as Watched
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict
from lesion.executor.inside.evidence import f_tail
from lesion.executor.inside.stopping import Stopping
from scipy import stats

ALPHA, SHARE = 0.05, 0.2
SETTLED = ("matters", "hurts", "negligible")


def batches_of(values, size):
    return [values[..., start : start + size] for start in range(0, values.shape[-1], size)]


def watch(y, size, delta, family=10, metric="loss"):
    """Feeds rows (baseline, arm, parts …) batch by batch; whether it was settled after each, and examples until then."""
    one = Stopping(ALPHA, SHARE, family, {metric: delta})
    seen = 0
    for batch in batches_of(y, size):
        seen += batch.shape[1]
        parts = {f"part {i}": {metric: row.tolist()} for i, row in enumerate(batch[2:])}
        one.take({metric: batch[0].tolist()}, {metric: batch[1].tolist()}, parts)
        yield one.settled, seen


def examples_until_settled(y, size=8, delta=0.1, **rest):
    return next((seen for settled, seen in watch(y, size, delta, **rest) if settled), None)


def verdicts(y, seen, delta, family, contrasts):
    """Of the analysis, where the arms were evaluated on the first `seen` examples."""
    part = y.astype(float).copy()
    part[1:, seen:] = np.nan
    rows = np.arange(len(y)) > 0
    rules = Rules(delta, (Look(1, ALPHA),), ALPHA)
    padding = Contrasts(np.repeat(contrasts.rows, family, 0), np.repeat(contrasts.weights, family, 0))
    padding.rows[1:] = 0
    table = estimate_examples(part, padding, rules, stopping=Watched(SHARE, rows))
    assert table.estimates[0].always_valid == (seen < y.shape[1])
    return effect_verdict(table.estimates[0], EffectFacts(), rules).verdict


INTERACTION = Contrasts(np.array([[0, 1, 2, 3]]), np.array([[-1.0, -1.0, 1.0, 1.0]]))


def drawn(generator, kind, rows, n, delta):
    """Values of a baseline and arms; losses about 0, about ±δ and far from it."""
    shift = (
        delta * generator.choice([0, 0.5, 1, 1.5, 3, 10], size=(rows, 1)) * generator.choice([-1, 1], size=(rows, 1))
    )
    if kind == "answers":
        base = generator.random(n) < 0.6
        flipped = generator.random((rows, n)) < np.abs(generator.choice([0, 0.01, 0.1, 0.5], size=(rows, 1)))
        flipped[0] = False
        return (base ^ flipped).astype(float) * generator.choice([-1, 1])
    spread = generator.choice([0.01, 0.3, 1, 4]) * delta
    noise = generator.standard_t(3, size=(rows, n)) if kind == "heavy" else generator.normal(size=(rows, n))
    return generator.normal(size=n) + np.where(np.arange(rows)[:, None] > 0, spread * noise + shift, 0)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["answers", "normal", "heavy"]),
    st.sampled_from([2, 4]),
    st.sampled_from([1, 5, 16]),
    st.sampled_from([1, 10, 200]),
)
def test_what_is_settled_here_is_settled_in_the_analysis(seed, kind, rows, size, family):
    generator = np.random.default_rng(seed)
    delta = float(generator.choice([0.02, 0.1, 0.3]))
    y = drawn(generator, kind, rows, 240, delta)
    loss = single_removals(1)
    for settled, seen in watch(y, size, delta, family):
        if settled and seen < y.shape[1]:
            assert verdicts(y, seen, delta, family, loss) in SETTLED
            assert rows == 2 or verdicts(y, seen, delta, family, INTERACTION) in SETTLED


def noisy(seed=0, rows=2, n=640, spread=0.05, loss=0.0):
    generator = np.random.default_rng(seed)
    y = generator.normal(size=n) + spread * generator.normal(size=(rows, n))
    y[1] -= loss
    return y


@pytest.mark.parametrize("loss", [0.0, 1.0, -1.0])
def test_a_clear_verdict_is_settled_at_the_first_look_that_may(loss):
    assert examples_until_settled(noisy(loss=loss)) == 64


def test_a_loss_of_delta_is_not_settled():
    assert examples_until_settled(noisy(loss=0.1)) is None


def test_answers_that_all_stay_are_settled_once_a_change_is_as_rare_as_that():
    seen = examples_until_settled(np.ones((2, 640)))
    assert seen < 160
    assert examples_until_settled(np.ones((2, 640)), delta=0.3) < 64
    assert examples_until_settled(-np.ones((2, 640))) == seen
    assert examples_until_settled(np.ones((2, 640)) / 2) is None


def test_answers_that_all_change_are_settled_by_the_fewest_examples():
    assert examples_until_settled(np.stack([np.ones(640), np.zeros(640)])) == 16
    assert examples_until_settled(np.stack([np.ones(640), np.zeros(640)]), size=40) == 80


def test_a_metric_of_more_than_two_values_is_no_answer_from_then_on():
    y = np.ones((2, 640))
    y[0, 3] = 0.5
    assert examples_until_settled(y) is None


def test_values_that_hardly_ever_change_tell_nothing_of_their_spread():
    y = np.tile(np.random.default_rng(0).normal(size=640), (2, 1))
    assert examples_until_settled(y) is None
    y[1, :180:20] += 0.01
    assert examples_until_settled(y) is None
    y[1, 200] += 0.01
    assert examples_until_settled(y) == 208


def test_every_metric_with_a_smallest_effect_has_to_be_settled():
    one = Stopping(ALPHA, SHARE, 10, {"loss": 0.1, "accuracy": 0.1})
    y, right = noisy(), np.ones((2, 640))
    for part in (slice(start, start + 32) for start in range(0, 320, 32)):
        one.take({"loss": y[0, part]}, {"loss": y[1, part]})
        assert not one.settled
    for part in (slice(start, start + 32) for start in range(0, 320, 32)):
        one.take(*({"accuracy": row[part], "other": row[part] - 9} for row in right))
    assert one.settled


def test_nothing_to_settle_is_never_settled():
    one = Stopping(ALPHA, SHARE, 10, {})
    one.take({"loss": [0.0] * 100}, {"loss": [0.0] * 100})
    assert not one.settled


def test_a_joint_removal_waits_for_its_interaction():
    y = noisy(rows=4)
    assert examples_until_settled(y) == 64
    y[2] += np.random.default_rng(1).normal(size=640)
    assert examples_until_settled(y[:2]) == 64
    assert examples_until_settled(y) is None


def test_what_the_baseline_has_no_value_of_is_left_out_and_what_an_arm_lacks_is_not():
    y = noisy()
    y[0, ::2] = np.nan
    assert examples_until_settled(y) == 128
    y = noisy()
    y[1, 5] = np.inf
    assert examples_until_settled(y) is None


def test_no_look_at_which_batches_differ():
    y = noisy(spread=0.02)
    y[1] += 0.03 * np.repeat([1.0, -1.0] * 40, 8)
    assert examples_until_settled(y) is None
    assert examples_until_settled(y, size=16) == 64


def test_no_spread_within_batches_and_some_between_them():
    y = np.stack([np.zeros(640), np.repeat([0.01, 0.02] * 40, 8)])
    assert examples_until_settled(y) is None
    assert examples_until_settled(y, size=1) == 64


def test_a_long_tail_on_the_far_side_takes_longer():
    generator = np.random.default_rng(2)
    tail = generator.exponential(0.3, size=1280) - 0.3
    above, below = (examples_until_settled(np.stack([0.2 + sign * tail, np.zeros(1280)])) for sign in (-1, 1))
    assert above > 1.3 * below


def test_an_arm_of_a_larger_family_takes_longer():
    y = noisy(spread=0.5, n=6400)
    few, many = (examples_until_settled(y, family=family) for family in (1, 500))
    assert few < many


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.sampled_from(["answers", "normal", "heavy"]))
def test_neither_signs_nor_the_order_within_batches_matter(seed, size, kind):
    generator = np.random.default_rng(seed)
    y = drawn(generator, kind, 4, 320, 0.1)
    shuffled = np.concatenate([generator.permutation(batch, axis=1) for batch in batches_of(y, size)], axis=1)
    plain = list(watch(y, size, 0.1))
    assert list(watch(-y, size, 0.1)) == plain
    assert list(watch(shuffled, size, 0.1)) == plain


@pytest.mark.parametrize(("between", "within"), [(1, 14), (1, 62), (3, 60), (7, 120), (40, 600), (1, 3)])
def test_the_tail_of_f(between, within):
    for p in (0.5, 0.1, 0.05, 0.01, 0.001):
        assert f_tail(stats.f.isf(p, between, within), between, within) == pytest.approx(p, abs=0.01)
    assert f_tail(0.0, between, within) == 1
