import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.anytime import Moments, always_valid_p, confidence_radius, log_e, moments
from scipy import integrate, stats

BASELINE = np.array([0.912, 0.908, 0.915, 0.910, 0.905])
ABLATED = np.array([0.899, 0.901, 0.902, 0.895, 0.897])


def every_look(differences):
    """Moments after each unit, shape [F, N]: as somebody sees them who looks all the time."""
    n = np.arange(1, differences.shape[1] + 1)
    mean = np.cumsum(differences, axis=1) / n
    return Moments(
        np.broadcast_to(n, mean.shape), mean, np.maximum(np.cumsum(differences**2, axis=1) - n * mean**2, 0.0)
    )


def test_paired_oracle():
    assert np.exp(log_e(moments((ABLATED - BASELINE)[None]))) == pytest.approx(47.236773, rel=1e-7)


@pytest.mark.parametrize("g", [0.5, 4.0])
def test_the_evidence_is_the_mixture_of_likelihood_ratios_of_t(g):
    """Densities of noncentral t, averaged over Normal(0, g) for the standardised mean, by numerical integration."""
    found = moments(np.array([[0.3, -0.4, 1.2, 0.9, 0.1, 0.8]]))
    t, n = float(found.mean[0] / found.sd[0] * np.sqrt(6)), 6

    def weighted(shift):
        return stats.nct.pdf(t, n - 1, shift * np.sqrt(n)) * stats.norm.pdf(shift, scale=np.sqrt(g))

    mixture = integrate.quad(weighted, -12, 12, limit=400)[0] / stats.t.pdf(t, n - 1)
    assert np.exp(log_e(found, g=g))[0] == pytest.approx(mixture, rel=1e-6)


def test_the_confidence_sequence_ends_where_the_evidence_reaches_one_over_alpha():
    found = moments(np.random.default_rng(0).normal(0.3, 2, size=(50, 12)))
    for sign in (-1, 1):
        end = found.mean + sign * confidence_radius(found, 0.05)
        assert log_e(found, end) == pytest.approx(np.log(20))


def test_the_radius_as_the_page_gives_it():
    found = moments((ABLATED - BASELINE)[None])
    n, s, m = 5, found.sd, 21.0
    k = (m / 0.05**2) ** (1 / n)
    assert confidence_radius(found, 0.05) == pytest.approx(s / np.sqrt(n) * np.sqrt((n - 1) * (k - 1) / (1 - k / m)))


def test_too_few_to_reject_anything():
    found = moments(np.array([[1.0, 1.5], [2.0, np.nan], [np.nan, np.nan]]))
    assert np.isinf(confidence_radius(found, 0.05)).all()
    assert log_e(found)[1:] == pytest.approx([0, 0])
    assert np.isnan(found.sd[1:]).all()
    assert list(found.n) == [2, 1, 0]


def test_no_variance_is_as_much_evidence_as_so_few_units_can_give():
    found = moments(np.array([[0.2] * 8, [0.0] * 8]))
    assert log_e(found)[0] == pytest.approx(log_e(moments(0.2 + 1e-9 * np.arange(8.0)[None]))[0], abs=1e-6)
    assert log_e(found)[1] == pytest.approx(-np.log(33) / 2)


def test_looking_all_the_time_to_thirty_keeps_the_error():
    generator = np.random.default_rng(1)
    p = always_valid_p(log_e(every_look(generator.normal(size=(20_000, 30)))))
    wrong = (p[:, -1] <= 0.05).mean()
    assert wrong == pytest.approx(0.025, abs=3 * np.sqrt(0.025 * 0.975 / 20_000))
    assert (np.diff(p, axis=1) <= 0).all()


def test_the_sequence_holds_the_truth_at_all_looks_at_once():
    generator = np.random.default_rng(2)
    found = every_look(generator.normal(0.7, 3, size=(4_000, 200)))
    missed = (np.abs(found.mean - 0.7) > confidence_radius(found, 0.05)).any(axis=1).mean()
    assert missed <= 0.05


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 20), st.integers(0, 20), st.floats(0, 0.9))
def test_batches_add_up(seed, first, second, missing):
    generator = np.random.default_rng(seed)
    differences = generator.normal(1e3, 1, size=(3, first + second))
    differences[generator.random(differences.shape) < missing] = np.nan
    whole = moments(differences)
    parts = moments(differences[:, :first]).after(differences[:, first:])
    assert (parts.n == whole.n).all()
    assert parts.mean == pytest.approx(whole.mean)
    assert parts.squares == pytest.approx(whole.squares, rel=1e-6, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_neither_units_nor_signs_matter(seed, scale):
    differences = np.random.default_rng(seed).normal(0.5, size=(4, 9))
    found, scaled, turned = moments(differences), moments(scale * differences), moments(-differences)
    assert log_e(scaled) == pytest.approx(log_e(found), rel=1e-6, abs=1e-9)
    assert log_e(turned) == pytest.approx(log_e(found))
    assert confidence_radius(scaled, 0.01) == pytest.approx(scale * confidence_radius(found, 0.01), rel=1e-6)
