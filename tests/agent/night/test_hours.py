"""The last minutes of a night belong to its reports."""

import pytest
from lesion.agent.night.hours import asking_seconds, last_minutes, night_of


@pytest.mark.parametrize(
    ("seconds", "studies", "expected"),
    [(100, 1, 20), (60, 1, 12), (36000, 1, 720), (600, 3, 60), (100, 9, 20), (0, 1, 0)],
)
def test_they_are_a_share_and_for_each_study_so_long_but_never_most_of_it(seconds, studies, expected):
    assert last_minutes(seconds, studies) == expected


@pytest.mark.parametrize("studies", [1, 4])
@pytest.mark.parametrize("seconds", [1.0, 30.0, 100.0, 1000.0, 36000.0])
def test_a_night_of_so_long_leaves_that_much(seconds, studies):
    night = night_of(seconds, studies)
    assert night - last_minutes(night, studies) == pytest.approx(seconds)


@pytest.mark.parametrize(("seconds", "expected"), [(32400, 900), (3600, 360), (600, 60), (60, 60)])
def test_a_model_that_plans_has_little_of_the_night(seconds, expected):
    assert asking_seconds(seconds) == expected
