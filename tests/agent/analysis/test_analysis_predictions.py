import pytest
from lesion.agent.analysis.predictions import Score, Scored, observed_direction, score_predictions


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
