import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lesion.agent.report.numbers import (
    count,
    duration,
    exact,
    interval,
    number,
    p_value,
    percent,
    probability,
    size,
    with_interval,
)


@pytest.mark.parametrize(
    ("value", "ends", "text"),
    [
        (-0.0112, (-0.01554, -0.00686), "−0.0112 [−0.0155, −0.0069]"),
        (12.3456, (10.0, 14.7), "+12.3 [10.0, 14.7]"),
        (1234.4, (1000.0, 1468.0), "+1234 [1000, 1468]"),
        (-0.00001, (-0.02, 0.02), "0.000 [−0.020, 0.020]"),
        (0.5, None, "+0.500"),
        (None, None, "–"),
        (0.1, (-math.inf, math.inf), "+0.100 [−∞, ∞]"),
    ],
)
def test_the_interval_decides_how_many_figures_are_shown(value, ends, text):
    assert with_interval(value, ends, signed=True) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0001, "<.001"), (0.001, ".001"), (0.0234, ".023"), (0.9999, ">.999"), (1.0, ">.999"), (None, "–")],
)
def test_p_values(p, text):
    assert p_value(p) == text


def test_other_quantities():
    assert (exact(0.01), exact(2.0), exact(None), probability(0.05)) == ("0.01", "2", "–", ".05")
    assert (duration(0.42), duration(725), duration(12_000)) == ("0.42 s", "12 min 05 s", "3 h 20 min")
    assert (size(0), size(2**34)) == ("0 B", "16 GiB")
    assert (count(None), count(40), count(1_234_567), count(124_400_000)) == ("–", "40", "1,234,567", "124.4 M")
    assert (interval(None), number(math.nan), number(1e-12)) == ("–", "nan", "1.00e−12")


@given(st.floats(), st.none() | st.tuples(st.floats(), st.floats()))
def test_any_number_becomes_text_with_a_true_minus(value, ends):
    text = with_interval(value, ends, signed=True)
    assert text
    assert "-" not in text


@pytest.mark.parametrize(
    ("value", "figures", "shown"), [(1.0, 2, "100%"), (0.996, 2, "100%"), (0.9987, 4, "99.87%"), (12.5, 2, "1250%")]
)
def test_shares_are_never_written_with_an_exponent(value, figures, shown):
    assert percent(value, figures) == shown
