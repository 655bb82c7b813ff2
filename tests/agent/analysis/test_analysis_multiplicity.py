import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lesion.agent.analysis.multiplicity import benjamini_hochberg, holm

P = [0.001, 0.008, 0.012, 0.03, 0.041, 0.2, 0.6]
lists_of_p = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_holm_oracle():
    assert holm(P) == pytest.approx([0.007, 0.048, 0.06, 0.12, 0.123, 0.4, 0.6])


def test_benjamini_hochberg_oracle():
    assert benjamini_hochberg(P) == pytest.approx([0.007, 0.028, 0.028, 0.0525, 0.0574, 0.2 * 7 / 6, 0.6])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_nothing_to_adjust(adjust):
    assert adjust([]).size == 0
    assert adjust([0.03]) == pytest.approx([0.03])


@given(lists_of_p, st.randoms())
def test_the_order_of_the_tests_does_not_matter(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    for adjust in (holm, benjamini_hochberg):
        assert adjust(np.array(p)[order]) == pytest.approx(adjust(p)[order])


@given(lists_of_p)
def test_between_the_raw_p_and_bonferroni(p):
    raw = np.array(p)
    for adjusted in (holm(p), benjamini_hochberg(p)):
        assert (adjusted >= raw - 1e-12).all()
        assert (adjusted <= np.minimum(1, raw * raw.size) + 1e-12).all()
