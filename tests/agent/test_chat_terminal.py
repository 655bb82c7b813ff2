"""`lesion chat` in a real terminal against a scripted server: what is said, cancelled, lost on the way, and on which terminals."""

import pytest

from ..llm.server import Gate, drops, says
from ..llm.talk import speaks, talking
from .chat.program import DROPOUT, LEFT, RUN, YES, Chat, events, hold, proposing, talked
from .chat.watched import ALT_ENTER, COLOURLESS, CTRL_C

LONG = ("The left ", "feature is ", "what matters here.")


def test_the_first_token_stands_there_while_the_rest_is_held_back(made):
    gate = Gate(after=1)
    with talking(lambda _: says("", pieces=LONG, gate=gate)) as server, Chat(made, server=server) as chat:
        chat.consent("what is in here?")
        chat.see("The left")
        assert gate.reached.wait(30) and not gate.opened.is_set()
        assert "feature is" not in chat.flat
        gate.opened.set()
        chat.see("The left feature is what matters here.", "tokens sent")
        chat.see("300 tokens")  # of the toolbar; one answer, and the question which actions it takes
        assert chat.leave() == 0
    assert [one["text"] for one in events(made, "answered")] == ["".join(LONG)]


def test_nothing_is_sent_before_a_yes_and_a_server_is_asked_for_once(made):
    with talking(speaks("It is small."), speaks("It is still small.")) as server:
        with Chat(made, server=server) as chat:
            chat.say("what is in here?")
            chat.asks("send your messages and the project's source to scripted at")
            chat.enter("not on this machine")
            chat.see("Nothing was sent.")
            chat.prompted()
            assert server.asked == [] and not events(made, "consented")
            chat.consent("and now?")
            chat.see("It is small.")
            assert chat.leave() == 0
        with Chat(made, server=server) as chat:
            chat.see("goes on after 2 messages")
            chat.say("once more")
            chat.see("It is still small.")
            assert YES not in chat.flat
            assert chat.leave() == 0
        assert len(talked(server)) == 2
        assert "what is in here?" in talked(server)[1].text


def test_ctrl_c_cancels_the_answer_keeps_what_came_and_tells_the_model(made):
    gate = Gate(after=1)
    turns = [lambda _: says("", pieces=LONG, gate=gate), speaks("As I was saying.")]
    with talking(*turns) as server, Chat(made, server=server) as chat:
        chat.consent("what is in here?")
        chat.see("The left")
        chat.send(CTRL_C)
        chat.see("Cancelled; what was said is kept.")
        chat.prompted()
        assert "The left" in chat.flat and "Traceback" not in chat.flat
        assert [(one["text"], one["ended"]) for one in events(made, "answered")] == [("The left", "cancelled")]
        chat.say("go on")
        chat.see("As I was saying.")
        assert "The left" in talked(server)[1].text and "the person interrupted here" in talked(server)[1].text
        assert chat.leave() == 0


def test_a_connection_that_drops_in_mid_stream_is_tried_again_and_both_are_kept(made):
    answers = [drops("The left fea"), says("It is the left one.")]
    with talking(*[lambda _, one=one: one for one in answers]) as server, Chat(made, server=server) as chat:
        chat.consent("what is in here?")
        chat.see("The left fea")
        chat.see("asked again in")
        chat.see("It is the left one.")
        chat.prompted()
        assert len(talked(server)) == 2
        assert chat.leave() == 0


def test_a_server_that_goes_away_is_waited_for_until_somebody_cancels_it_or_it_is_no_use(made):
    with talking(speaks("Two switches.")) as server:
        chat = Chat(made, server=server)
        chat.consent("what is in here?")
        chat.see("Two switches.")
    with chat:
        chat.say("and now?")
        chat.see("asked again in")
        chat.send(CTRL_C)
        chat.see("Cancelled")
        chat.say("/status")
        chat.see("draft: 0 ablations")
        assert chat.leave() == 0
    assert [one["text"] for one in events(made, "said")] == ["what is in here?", "and now?"]
    with Chat(made, server=server) as chat:
        chat.say("anybody?")
        chat.see("gives no answer", "no connection to the server")
        assert chat.leave() == 0


@pytest.mark.parametrize(
    ("columns", "environment"),
    [(40, {}), (100, COLOURLESS), (100, {"TERM": "dumb"})],
    ids=["narrow", "colourless", "dumb"],
)
def test_a_whole_exchange_on_other_terminals(made, columns, environment):
    hold(made)
    turns = [speaks("I propose **this**.", proposing(LEFT)), speaks("", RUN), speaks("It runs.")]
    with talking(*turns) as server, Chat(made, server=server, columns=columns, **environment) as chat:
        chat.consent("try it")
        chat.asks("as round 1")
        assert "use_left" in chat.flat and "6" in chat.flat
        chat.enter()
        chat.see("It runs.")
        chat.say("/stop")
        chat.see("Stopped; every finished trial is kept")
        assert chat.leave() == 0
        if "NO_COLOR" in environment:
            assert not any(f"\x1b[{code}m".encode() in chat.raw for code in (31, 32, 33, 34, 35, 36))
        assert all(len(line) <= columns for line in chat.lines)
    assert [one["by"] for one in events(made, "approved")] == ["person"]


def test_another_model_none_and_a_message_of_several_lines(made):
    with talking(speaks("Two lines."), speaks("Another one."), models=("scripted", "other")) as server:
        with Chat(made, server=server) as chat:
            chat.prompted()
            chat.send(f"one{ALT_ENTER}two\\\r")
            chat.until("two\n.")
            chat.enter("three")
            chat.asks()
            chat.enter()
            chat.see("Two lines.")
            assert "one\ntwo\nthree" in server.asked[0].text
            chat.say("/model other")
            chat.see("other at http://127.0.0.1")
            chat.say("and you?")
            chat.see("Another one.")
            assert [one.body["model"] for one in talked(server)] == ["scripted", "other"]
            chat.say("/model none")
            chat.see("No language model answers")
            chat.say("anybody?")
            chat.see("no language model answers here")
            assert chat.leave() == 0
        with Chat(made, server=server) as chat:
            chat.see("no language model")
            chat.prompted()
            assert chat.leave() == 0
        assert len(talked(server)) == 2


def test_one_process_holds_a_conversation_and_a_new_one_keeps_the_old(made):
    with Chat(made) as chat:
        chat.say(f"/plan {LEFT} {DROPOUT}")
        chat.see("Added to the draft (2)")
        with Chat(made) as second:
            second.see("another process holds this study's conversation", "go on there")
            assert second.dies() == 2
            assert "Traceback" not in second.flat
        assert chat.leave() == 0
    with Chat(made) as chat:
        chat.see("draft 2")
        assert chat.leave() == 0
    with Chat(made, "--new") as chat:
        chat.prompted()
        chat.say("/status")
        chat.see("draft: 0 ablations")
        assert chat.leave() == 0
    assert (made.state / "chat" / "events.1.jsonl").read_text().count("drafted") >= 1


def test_what_is_typed_before_the_prompt_stands_in_it_and_nowhere_else(made):
    with Chat(made) as chat:
        assert chat.child.waitnoecho(30)
        chat.enter("/settle")
        chat.see("Nothing is measured yet")
        chat.prompted()
        assert chat.text.index("lesion chat about") < chat.text.index("/settle")
        assert chat.text.count("/settle") == 1
        assert chat.leave() == 0
