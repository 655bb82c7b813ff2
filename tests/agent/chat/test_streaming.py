"""Answers and questions in a real terminal: while they come, broken off, resized, approved, refused."""

import io
import itertools
import re
import threading

import pytest
from lesion.agent.chat.screen import streaming
from lesion.agent.chat.screen.drawing import Drawing
from rich.console import Console

from .watched import CTRL_C, CTRL_D, Watched


@pytest.fixture
def watched(tmp_path):
    with Watched(tmp_path) as seen:
        seen.prompted()
        yield seen


def test_an_answer_is_on_screen_from_its_first_token_and_drawn_as_markdown(watched):
    watched.enter("stream")
    watched.feed("The")
    watched.until("\nThe")
    watched.feed(" **model**", " says:\n\n- one\n", "- two\n\n```python\nx = 1\n```\n")
    watched.until("x = 1")
    watched.feed("END")
    watched.until("last words")
    watched.prompted()
    shown = watched.text
    assert "The model says:" in shown
    assert " • one\n • two" in shown
    assert "```" not in shown
    assert "**" not in shown
    assert shown.count("The model") == shown.count("x = 1") == 1


def test_an_answer_longer_than_the_screen_is_there_once_and_whole(watched):
    watched.enter("stream")
    for number in range(60):
        watched.feed(f"paragraph {number} ", "goes on.\n\n" if number % 3 else "goes\non.\n\n")
    watched.feed("```\n" + "".join(f"line {number}\n" for number in range(50)), "```\n", "END")
    watched.until("last words")
    watched.prompted()
    numbers = [int(found) for found in re.findall(r"paragraph (\d+) goes on\.", watched.text)]
    assert numbers == list(range(60))
    assert [int(found) for found in re.findall(r"line (\d+)", watched.text)] == list(range(50))


@pytest.mark.parametrize("how", ["KeyboardInterrupt", "ConnectionError"])
def test_what_came_before_a_break_stays(watched, how):
    watched.enter("stream")
    watched.feed("First paragraph.\n\n", "Second, half")
    watched.until("Second, half")
    if how == "KeyboardInterrupt":
        watched.send(CTRL_C)
    else:
        watched.feed("FAIL")
    watched.until(f"broken off: {how}")
    watched.prompted()
    assert "First paragraph.\n\nSecond, half\nbroken off" in watched.text
    assert "^C" not in watched.text
    watched.enter("still here")
    watched.until("said 'still here'")


def test_what_is_shown_while_an_answer_streams_waits_for_its_end(watched):
    watched.enter("stream")
    watched.feed("Beginning")
    watched.until("Beginning")
    watched.side.write("a trial finished\n")
    watched.feed(", middle")
    watched.until("Beginning, middle")
    assert "a trial finished" not in watched.text
    watched.feed(", end.", "END")
    watched.until("a trial finished")
    assert watched.text.index("last words") < watched.text.index("a trial finished")
    assert "Beginning, middle, end." in watched.text


def test_what_is_typed_while_an_answer_streams_waits_for_the_prompt(watched):
    watched.enter("stream")
    watched.feed("An answer")
    watched.until("An answer")
    watched.send("typed early")
    watched.feed(" goes on.", "END")
    watched.until(lambda: watched.current == "> typed early")
    assert "An answer goes on." in watched.text


@pytest.mark.parametrize("columns", [30, 120])
def test_a_resize_in_mid_stream_loses_nothing(watched, columns):
    words = " ".join(f"w{number}" for number in range(40))
    watched.enter("stream")
    watched.feed("Done.\n\n", words)
    watched.until("w39")
    watched.resize(columns, 24)
    watched.feed(" and more", "END")
    watched.until("last words")
    watched.prompted()
    shown = " ".join(watched.text.split())
    assert f"{words} and more last words" in shown
    assert watched.text.count("Done.") == 1
    assert shown.count("and more") == 1


@pytest.mark.parametrize(
    ("typed", "reply"),
    [
        ("\r", "Reply(yes=True, reason='')"),
        ("yes\r", "Reply(yes=True, reason='')"),
        ("only three seeds\r", "Reply(yes=False, reason='only three seeds')"),
        ("no\r", "Reply(yes=False, reason='')"),
        (CTRL_C, "Reply(yes=False, reason='')"),
        (CTRL_D, "Reply(yes=False, reason='')"),
    ],
)
def test_an_approval_is_shown_in_full_and_answered(watched, typed, reply):
    watched.enter("approve")
    watched.until("Or type why not:")
    for part in (
        "Run one ablation",
        "config:dropout",
        "dropout = 0",
        "It regularises.",
        "-dropout: 0.1",
        "+dropout: 0",
    ):
        assert part in watched.text
    for part in (
        "5 for the first look, at most 20",
        "at most 4m",
        "$0.50 for the first look, at most $2.00",
        "Simulated.",
    ):
        assert part in watched.text
    watched.send(typed)
    watched.until(reply)


def test_an_enter_before_the_question_approves_nothing(watched):
    watched.enter("slow")
    watched.until("> slow\n")
    watched.send("\r\r")
    watched.until(lambda: watched.screen.cursor.y > 2)
    watched.feed("ask now")
    watched.until("Or type why not:")
    assert "Reply" not in watched.text
    watched.enter("no seeds")
    watched.until("Reply(yes=False, reason='no seeds')")


def test_leaving_offers_a_choice(watched):
    watched.enter("choose")
    watched.until("3  stay")
    watched.enter("7")
    watched.until("A number from 1 to 3")
    watched.enter("2")
    watched.until("chosen 1")
    watched.enter("choose")
    watched.until(lambda: watched.current.endswith("Enter for 1:"))
    watched.send(CTRL_D)
    watched.until("chosen None")


def test_waiting_is_seen_and_can_be_broken_off(watched):
    watched.enter("busy")
    watched.until("thinking")
    watched.send(CTRL_C)
    watched.until("no more thinking")
    watched.prompted()
    assert watched.text.count("thinking") == 1


def test_an_answer_and_a_question_end_the_waiting(watched):
    watched.enter("think")
    watched.until("thinking")
    watched.feed("go on", "An answer.")
    watched.until("An answer.")
    assert "thinking" not in watched.text
    watched.feed("END")
    watched.until("Or type why not:")
    watched.enter()
    watched.until("Reply(yes=True, reason='')")
    watched.prompted()
    assert "An answer.\n\nlast words\n\nRun one ablation" in watched.text
    assert "thinking" not in watched.text


def test_a_table_of_an_answer_is_drawn_whole_when_it_is_there(watched):
    watched.enter("stream")
    watched.feed("| id | n |\n", "|---|---|\n", "| config:dropout | 5 |\n")
    watched.until(lambda: "config:dropout   5" in watched.text or "config:dropout  5" in watched.text)
    watched.feed("| module:x | 6 |\n", "\nAfter it", ".", "END")
    watched.until("After it.")
    watched.until("last words")
    watched.prompted()
    assert "|" not in watched.text.partition("ask |")[0]
    assert watched.text.count("config:dropout") == watched.text.count("module:x") == 1


def test_nothing_is_drawn_for_a_while_after_a_drawing_that_took_long(monkeypatch):
    """The clock is simulated: every look at it is a second later."""
    clock, rests, drawn = itertools.count(), [], threading.Event()

    class Closing(threading.Event):
        def wait(self, timeout=None):
            rests.append(timeout)
            drawn.set()
            return super().wait(0)

    monkeypatch.setattr(streaming, "monotonic", lambda: float(next(clock)))
    answer = streaming.LiveAnswer(Console(file=io.StringIO(), force_terminal=True), Drawing(is_ascii=False))
    answer._closing = Closing()
    with answer as stream:
        stream.add("a long paragraph")
        assert drawn.wait(30)
    assert rests[0] == 4.0
