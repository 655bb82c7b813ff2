"""A deadline holds whatever the wall clock does: the earlier of two clocks counts."""

from datetime import datetime

import pytest
from lesion.agent.night import clock
from lesion.agent.night.clock import Deadline
from lesion.agent.night.shown import head
from lesion.agent.night.snapshot import Snapshot

HOUR = 3600.0


@pytest.fixture
def clocks(monkeypatch):
    """Two clocks that a test may set."""
    now = {"wall": 1_000_000.0, "running": 500.0}
    monkeypatch.setattr(clock.time, "time", lambda: now["wall"])
    monkeypatch.setattr(clock, "running_clock", lambda: now["running"])
    return now


def made(clocks, seconds):
    return Deadline(clocks["wall"] + seconds, clocks["wall"], clocks["running"])


def test_time_passes(clocks):
    deadline = made(clocks, HOUR)
    clocks["wall"] += 600
    clocks["running"] += 600
    assert deadline.seconds_left() == HOUR - 600
    assert deadline.jump() == 0


@pytest.mark.parametrize(("jump", "left"), [(-5 * HOUR, HOUR - 600), (+600, HOUR - 1200), (5 * HOUR, -4 * HOUR - 600)])
def test_a_clock_that_is_set_never_lengthens_the_night(clocks, jump, left):
    deadline = made(clocks, HOUR)
    clocks["wall"] += 600 + jump
    clocks["running"] += 600
    assert deadline.seconds_left() == pytest.approx(left)
    assert deadline.jump() == pytest.approx(jump)


def test_small_corrections_are_no_jump(clocks):
    deadline = made(clocks, HOUR)
    clocks["wall"] += 630
    clocks["running"] += 600
    assert deadline.jump() == 0


def test_another_process_keeps_it_by_both_clocks(clocks):
    text = made(clocks, HOUR).text()
    clocks["wall"] += 600 - 2 * HOUR
    clocks["running"] += 600
    assert Deadline.kept(text).seconds_left() == pytest.approx(HOUR - 600)


def test_after_a_restart_of_the_machine_the_wall_clock_alone_counts(clocks, monkeypatch):
    text = made(clocks, HOUR).text()
    monkeypatch.setattr(clock, "_since_start", lambda: "another start")
    clocks["wall"] += 600
    clocks["running"] = 3.0
    assert Deadline.kept(text).seconds_left() == pytest.approx(HOUR - 600)


def test_what_is_no_deadline_is_none():
    with pytest.raises(ValueError):
        Deadline.kept("tomorrow")


def test_the_last_minutes_are_kept_by_both_clocks_too(clocks):
    deadline = made(clocks, HOUR)
    clocks["wall"] -= 2 * HOUR
    earlier = deadline.before(600)
    assert earlier.seconds_left() == pytest.approx(HOUR - 600)
    assert earlier.told == deadline.told


def test_a_deadline_of_another_day_is_told_with_its_day(clocks):
    clocks["wall"] = datetime(2026, 11, 26, 22, 10).timestamp()
    assert Deadline(datetime(2026, 11, 26, 23, 30).timestamp()).told == "the deadline is 23:30:00"
    tomorrow = Deadline(datetime(2026, 11, 27, 7, 0).timestamp())
    assert tomorrow.told == tomorrow.before(600).told == "the deadline is Fri 27 Nov 07:00:00"
    now = Snapshot(pid=1, started_at=0.0, deadline=tomorrow.at, seconds_left=8 * HOUR, phase="running", studies=[])
    assert "until Fri 27 Nov 07:00 (8h left)" in head(now)
    clocks["wall"] += 4 * HOUR
    assert tomorrow.told == "the deadline is 07:00:00"
    assert "until 07:00 (" in head(now)
