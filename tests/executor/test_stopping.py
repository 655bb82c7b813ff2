import math

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
