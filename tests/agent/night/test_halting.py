"""What runs is ended at the deadline and when somebody asks; what follows is never cut short."""

import signal
import threading
import time

import pytest
from lesion.agent.night.clock import Deadline
from lesion.agent.night.control import Control
from lesion.agent.night.halting import SIGNAL, Halted, halting


def soon(seconds):
    return Deadline(time.time() + seconds)


def wait_for_ever():
    threading.Event().wait(60)


def test_the_deadline_ends_what_runs():
    control = Control()
    with pytest.raises(Halted, match="the deadline is"), halting(control, soon(0.2)):
        wait_for_ever()
    assert control.stopping.startswith("the deadline is")


def test_a_stop_waits_for_a_trial_and_for_nothing_else():
    control, busy = Control(), [True]
    control.busy = lambda: busy[0]
    with halting(control, soon(60)):
        control.stop("stopped by a test")
        assert control.stopping == "stopped by a test"
        busy[0] = False
    control = Control()
    with pytest.raises(Halted, match="stopped by a test"), halting(control, soon(60)):
        threading.Timer(0.1, control.stop, ["stopped by a test"]).start()
        wait_for_ever()


def test_a_stop_now_waits_for_nothing():
    control = Control()
    control.busy = lambda: True
    with pytest.raises(Halted), halting(control, soon(60)):
        threading.Timer(0.1, control.stop, ["now"], {"now": True}).start()
        wait_for_ever()


def test_one_that_was_asked_for_before_it_began():
    control = Control()
    control.stop("early")
    with pytest.raises(Halted, match="early"), halting(control, soon(60)):
        pytest.fail("it began")


def test_what_follows_is_not_cut_short():
    control, before = Control(), signal.getsignal(SIGNAL)
    with halting(control, soon(60)):
        pass
    control.stop("late", now=True)
    assert signal.getsignal(SIGNAL) == before


def test_the_first_reason_is_kept():
    control = Control()
    control.stop("first")
    control.stop("second")
    assert control.stopping == "first"


def test_a_pause_is_over_once_it_is_to_stop():
    control = Control()
    control.pause()
    assert control.paused
    control.resume()
    assert not control.paused
    control.pause()
    control.stop("enough")
    assert not control.paused
