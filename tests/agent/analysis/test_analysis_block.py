import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.analysis.block import fit_block
from scipy import stats


def dense_fit(y):
    """The same model with a dummy per arm and per seed: residual sum of squares and degrees of freedom."""
    rows, columns = np.nonzero(np.isfinite(y))
    design = np.zeros((rows.size, sum(y.shape)))
    design[np.arange(rows.size), rows] = 1
    design[np.arange(rows.size), y.shape[0] + columns] = 1
    values = y[rows, columns]
    residuals = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return float(residuals @ residuals), rows.size - int(np.linalg.matrix_rank(design))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(1, 8), st.floats(0, 0.8), st.integers(0, 2**32 - 1))
def test_unbalanced_tables_agree_with_a_dense_regression(arms, seeds, missing, seed):
    generator = np.random.default_rng(seed)
    y = generator.normal(size=(arms, seeds)) + 3 * generator.normal(size=seeds)
    y[generator.random(y.shape) < missing] = np.nan
    squares, df = dense_fit(y)
    fit = fit_block(y)
    assert fit.df == df
    assert fit.variance == pytest.approx(squares / df if df else 0.0, abs=1e-12)
    assert (np.isnan(fit.residuals) == np.isnan(y)).all()


def test_the_gate_is_bartletts_test_of_the_residuals():
    y = np.random.default_rng(1).normal(size=(6, 5)) * np.array([1, 1, 1, 2, 2, 3])[:, None]
    fit = fit_block(y)
    assert fit.bartlett_p == pytest.approx(stats.bartlett(*fit.residuals).pvalue)


@pytest.mark.parametrize(("noisiest", "pooled"), [(1, True), (30, False)])
def test_one_unstable_arm_closes_the_pool(noisiest, pooled):
    y = np.random.default_rng(2).normal(size=(10, 5))
    y[3] *= noisiest
    assert fit_block(y).pooled is pooled


def test_an_arm_is_weighed_against_the_fit_of_all_others():
    y = np.random.default_rng(4).normal(size=(6, 5)) * np.array([1, 1, 4, 1, 1, 1])[:, None]
    fit = fit_block(y)
    for row in range(6):
        others = fit_block(np.delete(y, row, axis=0))
        alone = fit.df * fit.variance - others.df * others.variance  # what the row adds to the residual squares
        assert fit.df - fit.row_df[row] == others.df
        assert fit.ratios[row] == pytest.approx(alone / 4 / others.variance)
    assert fit.ratios.argmax() == 2


def test_a_ratio_between_equally_noisy_arms_has_the_f_distribution():
    generator = np.random.default_rng(7)
    ratios = np.concatenate([fit_block(generator.normal(size=(8, 3))).ratios[:1] for _ in range(3_000)])
    assert stats.kstest(ratios, stats.f(2, 12).cdf).pvalue > 0.01


@pytest.mark.parametrize("y", [np.ones((1, 5)), np.array([[1.0, 2, 4], [2, 3, 3]]), np.array([[1.0], [2], [3]])])
def test_without_other_arms_there_is_nothing_to_weigh_against(y):
    assert (fit_block(y).ratios == 0).all()


def test_pairing_correlation_is_measured():
    generator = np.random.default_rng(3)
    shared = generator.normal(size=400) * np.sqrt(0.7)
    y = shared + generator.normal(size=(4, 400)) * np.sqrt(0.3)
    assert fit_block(y).correlation == pytest.approx(0.7, abs=0.05)
    assert fit_block(generator.normal(size=(4, 400))).correlation == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    "y",
    [
        np.full((3, 4), np.nan),
        np.array([[1.0, np.nan], [np.nan, 2.0]]),
        np.ones((1, 5)),
        np.empty((2, 0)),
        np.array([[1.0, 2.0, 3.0], [np.nan] * 3]),
    ],
)
def test_tables_without_a_comparison_leave_nothing_to_pool(y):
    fit = fit_block(y)
    assert (fit.df, fit.variance, fit.pooled) == (0, 0.0, False)
    assert fit.correlation is None


def test_rounding_is_no_variance():
    y = 0.1 * np.arange(1, 6) + np.array([[0.3], [0.7], [1.1]])
    fit = fit_block(y)
    assert (fit.variance, fit.bartlett_p) == (0.0, 1.0)
