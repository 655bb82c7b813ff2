import pytest
from lesion.agent.analysis.predictions import Calibration, Score, Scored, observed_direction, score_predictions


def test_hits_and_errors_in_units_of_delta():
    score = score_predictions(
        [
            Scored("worse", 3.0, 5.0),
            Scored("none", 0.0, -0.5),
            Scored("better", -2.0, 0.5),
            Scored("worse", 1.0, None),
        ]
    )
    assert (score.n, score.direction_hits) == (3, 2)
    assert score.mean_absolute_error == pytest.approx((2 + 0.5 + 2.5) / 3)
    assert score.median_absolute_error_of_median == pytest.approx((4.5 + 1 + 0) / 3)


@pytest.mark.parametrize(
    ("loss", "direction"), [(1.01, "worse"), (1.0, "none"), (0.0, "none"), (-1.0, "none"), (-1.01, "better")]
)
def test_within_delta_is_no_direction(loss, direction):
    assert observed_direction(loss) == direction


def test_nothing_observed_is_no_score():
    assert score_predictions([Scored("worse", 1.0, None)]) == score_predictions([]) == Score(0, 0, None, None)


def test_a_rival_says_what_came_out_most_often():
    outcomes = [3.0, 2.0, 0.0, -4.0]
    score = score_predictions([Scored("better", -1.0, one) for one in outcomes])
    assert (score.direction_hits, score.direction_hits_of_most_frequent) == (1, 2)
    assert score.calibration == Calibration(), "without a confidence there is nothing to calibrate"


def test_confidence_is_held_against_hits():
    score = score_predictions(
        [
            Scored("worse", 2.0, 3.0, 0.9),
            Scored("worse", 2.0, 0.5, 0.6),
            Scored("none", 0.0, 0.2, 1.0),
            Scored("none", 0.0, 5.0),
            Scored("worse", 2.0, None, 0.0),
        ]
    )
    one = score.calibration
    assert (score.n, score.direction_hits, one.n, one.hits) == (4, 2, 3, 2)
    assert one.mean_confidence == pytest.approx(2.5 / 3)
    assert one.brier == pytest.approx((0.1**2 + 0.6**2 + 0) / 3)
    assert one.brier_of_most_frequent == pytest.approx((2 * (1 / 3) ** 2 + (2 / 3) ** 2) / 3), "2 of 3 came out as none"


def test_saying_one_half_every_time_earns_a_quarter():
    score = score_predictions([Scored("worse", 2.0, loss, 0.5) for loss in (0.0, 3.0, 3.0)])
    assert score.calibration.brier == 0.25
    assert score.calibration.brier_of_most_frequent < 0.25
