"""Whole simulated studies in short: how often the analysis errs. `make bench` prints the long version, with all cells."""

from dataclasses import replace

import pytest

from tests.benchmarks.calibration.looks import looked_at_every_seed, planned_looks
from tests.benchmarks.calibration.rates import Rate
from tests.benchmarks.calibration.seeds import (
    EQUAL,
    ONE_NOISY,
    UNEQUAL,
    coverage,
    false_negligible,
    family_wise_error,
    power,
)
from tests.benchmarks.calibration.stopping import Answers, Shape, Study, errors, normal, skewed

STUDIES = 300
MOST = 0.06


def kept(rate: Rate, most: float = MOST) -> bool:
    """Whether a share is within three Monte-Carlo errors, those of the bound itself, of a bound from above."""
    return rate.value <= most + 3 * Rate(most, rate.n).error


@pytest.mark.parametrize("noise", [EQUAL, *UNEQUAL, ONE_NOISY], ids=lambda noise: noise.name)
@pytest.mark.parametrize(("targets", "seeds"), [(10, 3), (10, 5), (40, 3)])
def test_something_is_found_where_there_is_nothing(noise, targets, seeds):
    assert kept(family_wise_error(STUDIES, targets, seeds, noise))


@pytest.mark.parametrize("noise", [EQUAL, ONE_NOISY], ids=lambda noise: noise.name)
def test_the_intervals_hold_the_truth_together(noise):
    rate = coverage(STUDIES, 10, 3, noise)
    assert kept(Rate(1 - rate.value, rate.n))


@pytest.mark.parametrize("noise", [EQUAL, ONE_NOISY], ids=lambda noise: noise.name)
def test_losses_of_exactly_delta_are_not_called_negligible(noise):
    assert kept(false_negligible(STUDIES, 10, 5, noise))


def test_pooling_is_the_largest_gain_there_is():
    pooled, paired = power(STUDIES, 40, 3, real=1)
    assert pooled.value > 0.35
    assert paired.value < 0.06


def test_planned_looks_that_stop_when_settled():
    ended = planned_looks(STUDIES // 2, 1, 1.5)
    assert kept(ended.found, 0.05)
    assert ended.negligible.value >= 0.9
    assert ended.seeds < 16
    assert not kept(looked_at_every_seed(STUDIES, 1, 20))


@pytest.mark.parametrize("loss", [0.0, 1.0])
@pytest.mark.parametrize(
    "study",
    [
        Study(Shape("normal", normal), 0.0, targets=10, examples=256),
        Study(Shape("lognormal", skewed), 0.0, targets=10, examples=256),
        Answers(Shape("answers", normal), 0.0, targets=8, examples=256, delta=0.15),
    ],
    ids=lambda study: study.shape.name,
)
def test_arms_that_stop_early_err_no_more_often_than_whole_ones(study, loss):
    early, whole = errors(replace(study, loss=loss), 60)
    assert kept(early.beyond, max(MOST, whole.beyond.value))
    assert kept(early.within, max(MOST, whole.within.value))
    assert early.used < (0.75 if loss == 0 else 1.01)
