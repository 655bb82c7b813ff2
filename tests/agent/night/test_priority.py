"""What runs next, of arms and of studies; all numbers are made up."""

import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lesion.agent.night.priority import Candidate, StudyView, foretold_value, next_study, order, value, view_of
from lesion.agent.records.power import LookAhead, Power, Scenario, Settling

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from simulated_results import effect, results, study


def names(found):
    return [one.id for one in found]


def settling(undecided=4, unknown=0, seconds=100.0):
    return Settling(
        settled=3, undecided=undecided, unknown=unknown, units=10, trials=10, seconds=seconds if undecided else None
    )


def power(**changes):
    looks = [
        LookAhead(n=3, minimum_detectable_effect=None, negligible=0.0, matters=0.1),
        LookAhead(n=10, minimum_detectable_effect=None, negligible=0.8, matters=1.0),
    ]
    fields = {
        "metric": "accuracy",
        "unit": "seed",
        "sd": 0.5,
        "smallest_effect": 1.0,
        "effect": 2.0,
        "family": 8,
        "looks": looks,
        "first_look_trials": 24,
        "most_trials": 80,
        "seconds_per_trial": 10.0,
    }
    return Power(**{**fields, **changes})


def test_the_best_chance_per_second_goes_first():
    slow, sure, cheap = Candidate("slow", 2, 100, 0.9), Candidate("sure", 2, 10, 0.9), Candidate("cheap", 1, 1, 0.2)
    assert names(order([slow, sure, cheap], 1000, 1)) == ["cheap", "sure", "slow"]


def test_what_cannot_complete_its_look_waits_for_what_can():
    long, short = Candidate("long", 5, 30, 0.99), Candidate("short", 5, 10, 0.1)
    assert names(order([long, short], 160, 1)) == ["long", "short"]
    assert names(order([long, short], 149, 1)) == ["short", "long"]
    assert names(order([long, short], 60, 5)) == ["long", "short"]


def test_a_gap_before_the_deadline_goes_to_the_next_that_fits():
    first, large, small = Candidate("first", 1, 60, 0.9), Candidate("large", 1, 50, 0.7), Candidate("small", 1, 40, 0.1)
    assert names(order([first, large, small], 100, 1)) == ["first", "small", "large"]
    assert names(order([first, large, small], 100, 2)) == ["first", "large", "small"]


def test_equals_and_what_nothing_is_known_of_keep_the_order_of_the_plan():
    unknown = [Candidate(name, 3, 0.0, 1.0) for name in "cab"]
    assert names(order(unknown, 10, 2)) == ["c", "a", "b"]
    settled = Candidate("settled", 0, 0.0, 0.0)
    assert names(order([settled, *unknown], 10, 2)) == ["c", "a", "b", "settled"]


candidates = st.lists(
    st.builds(Candidate, st.uuids().map(str), st.integers(0, 20), st.floats(0, 1e3), st.floats(0, 1)), max_size=12
)


@given(candidates, st.floats(0, 1e4), st.integers(1, 4))
def test_the_order_is_of_the_same_candidates_and_the_time_left_alone_decides_who_waits(given_, left, workers):
    found = order(given_, left, workers)
    assert sorted(names(found)) == sorted(names(given_))
    assert order(given_, math.inf, workers) == sorted(given_, key=lambda one: -one.per_second)
    fitting = [one for one in given_ if -(-one.trials // workers) * one.seconds_each <= left]
    if fitting:
        best = max(fitting, key=lambda one: one.per_second)
        assert found[0].per_second == best.per_second


def test_a_study_is_worth_the_verdicts_that_it_can_settle_per_second():
    assert value([settling(4, 0, 100.0)], 1000) == pytest.approx(0.04)
    assert value([settling(4, 2, 100.0)], 1000) == pytest.approx(0.02)
    assert value([settling(4, 0, 100.0), settling(6, 0, 100.0)], 1000) == pytest.approx(0.05)
    for nothing in ([], [settling(0)], [settling(4, 4)], [settling(4, 0, None)]):
        assert value(nothing, 1000) == 0


def test_nothing_is_worth_having_that_comes_after_the_deadline():
    assert value([settling(4, 0, 100.0)], 24) == 0
    assert value([settling(4, 0, 100.0)], 26) > 0
    assert foretold_value([power()], 99) == pytest.approx(0.05 / 30)
    assert foretold_value([power()], 29) == 0


def test_arms_of_which_nothing_is_known_are_worth_what_was_foretold_of_their_best_look():
    assert foretold_value([power()], 1000) == pytest.approx(0.9 / 100)
    assert foretold_value([power(workers=2)], 1000) == pytest.approx(0.9 / 50)
    scenario = Scenario(changed=0.01, negligible=0.6, matters=1.0, units_needed=None)
    assert foretold_value([power(looks=[], scenarios=[scenario], first_look_trials=8)], 1000) == pytest.approx(0.08)
    assert foretold_value([power(seconds_per_trial=None)], 1000) == 0


def test_a_study_without_a_baseline_goes_first_and_one_that_is_over_never():
    poor, rich, new = StudyView(False, [settling(1)]), StudyView(False, [settling(9)]), StudyView(False)
    assert next_study([poor, rich], 1000) == 1
    assert next_study([poor, rich, new, new], 1000) == 2
    assert next_study([StudyView(True), poor, StudyView(True, [settling(9)])], 1000) == 1
    assert next_study([StudyView(False, [settling(0)]), StudyView(False, [settling(0)])], 1000) == 0
    with pytest.raises(ValueError, match="over"):
        next_study([StudyView(True)], 1000)


def test_equals_go_by_their_turns_and_nobody_waits_for_ever():
    poor, new = StudyView(False, [settling(1)]), StudyView(False)
    assert next_study([StudyView(False, turns=1), new], 1000) == 1
    assert next_study([new, StudyView(False, [settling(1)], waited=3)], 1000) == 0
    assert next_study([new, StudyView(False, [settling(1)], waited=4)], 1000) == 1
    assert next_study([poor, StudyView(True, waited=9)], 1000) == 0


def test_the_baseline_run_of_a_preflight_is_no_noise_floor():
    begun = results(effects=[effect("head", "untestable")], power={})
    assert view_of(begun, over=False).settlings is None
    assert view_of(results(), over=False).settlings is not None


def test_a_forecast_counts_only_while_arms_wait_for_their_first_look():
    waiting = StudyView(False, [settling(0)], [power()], waiting=3)
    looked = StudyView(False, [settling(0)], [power()])
    assert next_study([looked, waiting], 1000) == 1
    assert next_study([looked, StudyView(False, [settling(1, seconds=1e3)])], 1e4) == 1


def test_what_takes_more_seeds_than_the_last_look_has_is_nothing_to_wait_for():
    timed = results().accounting.model_copy(update={"run_seconds": {"retrain": 10.0}, "pending": 5})
    looks = [(5, 0.01), (20, 0.04)]

    def viewed(*effects):
        return view_of(results(effects=list(effects), study=study(looks=looks), accounting=timed), over=False)

    near, far = (effect(name, "undecided", 0.001, seeds_to_settle=n) for name, n in (("near", 10), ("far", 21)))
    seen = viewed(near, far, effect("done", "matters", -0.05))
    assert seen.settlings is not None
    assert [(one.settled, one.undecided, one.unknown, one.trials) for one in seen.settlings] == [(1, 2, 1, 10)]
    assert seen.waiting == 0
    assert viewed(near, effect("new", "untestable")).waiting == 1
    assert view_of(None, over=False) == StudyView(False)
    assert view_of(results(), over=True).over
