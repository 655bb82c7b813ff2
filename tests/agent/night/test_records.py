"""A launch without an end, and nobody who holds the lock: it died."""

import os

import pytest
from lesion.agent.ledgerfile import lock
from lesion.agent.night.records import FILE, Ended, Evening, Launched, Trouble, last_evening, last_night, note, troubles

LAUNCHED = Launched(pid=1, at=1.0, deadline=9.0, studies=["a"], command=["overnight", "a"], folder="/")
ENDED = Ended(at=2.0, code=4, reason="the deadline")


def test_none(tmp_path):
    assert last_night(tmp_path) is None


def test_one_that_ended(tmp_path):
    note(tmp_path, LAUNCHED)
    note(tmp_path, ENDED)
    fate = last_night(tmp_path)
    assert (fate.launched, fate.ended, fate.died) == (LAUNCHED, ENDED, False)


def test_one_that_died(tmp_path):
    note(tmp_path, ENDED)
    note(tmp_path, LAUNCHED)
    fate = last_night(tmp_path)
    assert fate.died and fate.ended is None


def test_one_that_runs(tmp_path):
    note(tmp_path, LAUNCHED)
    held = lock(tmp_path / "lock")
    try:
        assert not last_night(tmp_path).died
    finally:
        os.close(held)


@pytest.mark.parametrize("torn", ['{"event": "ended", "at": 3', "[]", '{"event": "other"}', "\x00\x00"])
def test_a_line_that_a_power_cut_tore_is_passed_over(tmp_path, torn):
    note(tmp_path, LAUNCHED)
    note(tmp_path, ENDED)
    with (tmp_path / FILE).open("a") as file:
        file.write(torn)
    assert last_night(tmp_path).ended == ENDED
    note(tmp_path, LAUNCHED.model_copy(update={"pid": 2}))
    assert last_night(tmp_path).launched.pid == 2


def test_what_was_known_in_the_evening_and_what_went_wrong_since_outlive_a_crash(tmp_path):
    assert last_evening(tmp_path) is None and troubles(tmp_path) == []
    first, second = Evening(at=1.0, before={"retrain a": "matters"}), Evening(at=5.0)
    for record in (first, LAUNCHED, Trouble(at=2.0, text="old"), ENDED, second, Trouble(at=6.0, text="new"), LAUNCHED):
        note(tmp_path, record)
    assert last_evening(tmp_path) == second
    assert troubles(tmp_path) == ["new"]
    assert last_night(tmp_path).launched == LAUNCHED and last_night(tmp_path).ended is None
