"""`lesion chat` that is killed or hung up: nothing is left running, nothing that finished is lost, and it goes on where it was."""

import signal

import pytest

from ..llm.server import Gate, says
from ..llm.talk import speaks, talking
from .chat.program import DROPOUT, LEFT, RIGHT, RUN, YES, Chat, events, hold, proposing, talked
from .test_chat_trials import OK
from .test_cli_llm_death import left_behind


def killed(chat, number=signal.SIGKILL):
    chat.child.kill(number)
    return chat.dies()


def test_killed_in_mid_turn_and_in_mid_approval_it_goes_on_with_all_that_was_said(made):
    gate = Gate(after=1)
    turns = [
        speaks("I propose it.", proposing(LEFT)),
        speaks("", RUN),
        lambda _: says("", pieces=("This is ", "lost."), gate=gate),
        speaks("I remember."),
    ]
    with talking(*turns) as server:
        with Chat(made, server=server) as chat:
            chat.say("/mode auto 1 trial for 20m")
            chat.consent("try it")
            chat.asks("as round 1")  # beyond the caps
            assert killed(chat) == -signal.SIGKILL
        with Chat(made, server=server) as chat:
            chat.see("mode auto", "goes on after 1 message", "draft 1")
            assert not list((made.state / "queue").glob("*.yaml"))
            chat.say("and now?")
            chat.see("This is")
            assert killed(chat) == -signal.SIGKILL
        with Chat(made, server=server) as chat:
            chat.see("goes on after 2 messages")
            chat.say("go on")
            chat.see("I remember.")
            assert YES not in chat.flat
            last = talked(server)[-1].text
            assert "The turn was cut off before this was done." in last
            assert "try it" in last and "and now?" in last and "go on" in last
            assert chat.leave() == 0
    assert left_behind(made.folder) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["kill", "term", "hup"]
)
def test_when_it_dies_its_trials_stop_and_finished_ones_are_kept(made, number, code):
    waits = hold(made)
    waits.unlink()
    with Chat(made) as chat:
        chat.say(f"/plan {LEFT} {RIGHT}")
        chat.see("Added to the draft")
        chat.say("/run")
        chat.asks("as round 1")
        chat.enter()
        chat.see("noise floor")
        waits.touch()
        chat.say(f"/plan {DROPOUT}")
        chat.until(lambda: chat.flat.count("Added to the draft") == 2)
        assert killed(chat, number) == code
        assert "Traceback" not in chat.flat
    assert left_behind(made.folder) == []
    ((finished,),) = made.rows(OK)
    assert finished >= 2
    assert events(made, "told")
    with Chat(made) as chat:
        chat.see("draft 1")
        chat.say("/status")
        chat.see(f"{finished} of 9 trials; nothing runs it now")
        assert "noise floor (retraining)" not in chat.flat
        if number == signal.SIGHUP:
            chat.say("/plan clear")
            waits.unlink()
            chat.say("/run")
            chat.asks("go on with what was approved before")
            chat.enter()
            chat.see("round 1 is over", "The run has ended")
        assert chat.leave() == 0
    if number == signal.SIGHUP:
        assert made.rows(OK) == [(9,)]
