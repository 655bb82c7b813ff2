"""What is said is shown as it comes, and stays, whoever breaks it off: a person, the time, the connection, or SIGKILL."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from lesion.agent.llm.client import Message
from lesion.agent.llm.transcript import Transcript
from lesion.executor.errors import OutOfTime

from .server import Gate, ModelServer, calls, drops, says
from .talk import TALK, TOOLS, speaks, talking
from .test_converse import MADE, converse

TEXT = "Dropout matters: it is worth two δ, and weight decay backs it up."
STATED = json.dumps({"say": TEXT, "calls": [{"name": "propose", "arguments": MADE[1]}]})


def last_line(desk):
    return json.loads(desk.path.read_text().splitlines()[-1])


@pytest.mark.parametrize(("answer", "refuses"), [(calls(MADE, text=TEXT), ()), (says(STATED), ("tools",))])
def test_pieces_come_as_they_are_said_and_hold_no_json(desk, answer, refuses):
    with ModelServer(answer, refuses=refuses) as server:
        said, pieces = converse(desk.model(server, stream=True))
    assert "".join(pieces) == said.text == TEXT
    assert len(pieces) > 5
    counts = [tokens for tokens, _ in desk.watcher.pieces]
    assert counts == list(range(1, len(counts) + 1)) and len(counts) > len(pieces), "calls are counted too"


@pytest.mark.parametrize("refuses", [(), ("tools",)])
def test_the_first_piece_is_there_before_the_second_is_sent(desk, refuses):
    gate, shown = Gate(after=3), threading.Event()
    with talking(lambda request: says(TEXT if request.tools else STATED, gate=gate), refuses=refuses) as server:
        model = desk.model(server, stream=True, timeout=30.0)
        asking = threading.Thread(target=lambda: model.converse("chat", TALK, TOOLS, lambda _: shown.set()))
        asking.start()
        assert shown.wait(20), "shown while the server waits"
        gate.opened.set()
        asking.join(20)
    assert not asking.is_alive()


@pytest.mark.parametrize("stated", [False, True])
def test_characters_may_be_split_over_pieces(desk, stated):
    record = '{"say": "A 🧪 and δ\\ud83e\\uddea.", "calls": []}' if stated else "A 🧪 and δ🧪."
    units = record.encode("utf-16-le")
    pieces = tuple(units[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(units), 2))
    answer = says(record, pieces=pieces)
    with ModelServer(answer, says('{"calls": []}'), refuses=("tools",) if stated else ()) as server:
        said, shown = converse(desk.model(server, stream=True))
    assert said.text == "".join(shown) == "A 🧪 and δ🧪."
    assert all(piece.encode() for piece in shown), "no half of a character is shown"


def test_thoughts_and_what_may_be_a_call_are_not_shown(desk):
    text = "<think>first <b> then</think>\n\nIf a < b, see <tool_call>"
    call = json.dumps({"name": "propose", "arguments": MADE[1]})
    with ModelServer(says(text + call + "</tool_call> or not")) as server:
        said, pieces = converse(desk.model(server, stream=True))
    assert said.text.split() == "If a < b, see or not".split()
    assert "".join(pieces).endswith(said.text) and "propose" not in "".join(pieces)
    assert all("think" not in piece and "first" not in piece for piece in pieces)


@pytest.mark.parametrize("again", [TEXT, "Something else."])
def test_after_a_broken_connection_the_pieces_end_with_the_answer(desk, again):
    with ModelServer(drops(TEXT[:30]), says(again), says('{"calls": []}')) as server:
        said, pieces = converse(desk.model(server, stream=True))
    assert said.text == again
    begun = TEXT[:28] if again == TEXT else TEXT[:30]
    assert "".join(pieces) == (again if again == TEXT else f"{begun}\n\n{again}")
    assert json.loads(desk.path.read_text().splitlines()[0])["response"]["text"] == TEXT[:30]


class Stopped(BaseException):
    pass


@pytest.mark.parametrize("refuses", [(), ("tools",)])
def test_ctrl_c_in_mid_stream_keeps_what_was_said(desk, refuses):
    gate, shown, seen = Gate(after=4), [], threading.Event()

    def stop(*_):
        raise Stopped

    def show(text):
        shown.append(text)
        seen.set()

    def press():
        assert seen.wait(20) and gate.reached.wait(20)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, stop)
    try:
        with talking(lambda request: says(TEXT if request.tools else STATED, gate=gate), refuses=refuses) as server:
            threading.Thread(target=press).start()
            with pytest.raises(Stopped):
                desk.model(server, stream=True, timeout=30.0).converse("chat", TALK, TOOLS, show)
            gate.opened.set()
            line = last_line(desk)
            assert (line["outcome"], line["error"]) == ("broken", "broken: stopped: Stopped")
            kept = line["response"]["text"]
            assert kept and (STATED if refuses else TEXT).startswith(kept)
            assert "".join(shown) in kept and TEXT.startswith("".join(shown))
            with ModelServer(calls(MADE)) as other:
                assert converse(desk.model(other))[0].calls, "the conversation goes on"
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_time_may_end_in_mid_stream(desk):
    shown = []
    with ModelServer(says(TEXT)) as server, pytest.raises(OutOfTime, match="while the language model answers"):
        model = desk.model(server, stream=True, time_left=lambda: 0.0 if len(shown) > 1 else 60.0)
        model.converse("chat", TALK, TOOLS, shown.append)
    line = last_line(desk)
    assert (line["outcome"], line["response"]["text"]) == ("broken", TEXT[:14])


def test_an_error_of_whoever_shows_it_is_no_fault_of_the_server(desk):
    def broken(_):
        raise ValueError("no such style")

    with ModelServer(says(TEXT), says(TEXT)) as server, pytest.raises(ValueError, match="no such style"):
        desk.model(server, stream=True).converse("chat", TALK, TOOLS, broken)
    assert (len(server.asked), last_line(desk)["outcome"]) == (1, "broken")


CHAT = """
import sys
from pathlib import Path
from lesion.agent.llm.client import LanguageModel, Message
from lesion.agent.llm.settings import model_settings
from lesion.agent.llm.transcript import Transcript
from lesion.agent.spec import PlannerSection
from tests.llm.talk import TALK, TOOLS

class Quiet:
    def asking(self, text): ...
    def waiting(self, text): ...
    def streaming(self, tokens, delta): ...

settings = model_settings(PlannerSection(model="scripted"), {"OPENAI_BASE_URL": sys.argv[1]}, stream=True)
model = LanguageModel(settings, Transcript(Path(sys.argv[2])), Quiet())
show = lambda text: print(text, end="", flush=True)
said = model.converse("chat", TALK, TOOLS, show)
model.converse("chat", [*TALK, Message("assistant", said.text, said.calls), Message("user", "And?")], TOOLS, show)
"""


def test_sigkill_in_mid_stream_leaves_a_transcript_that_can_be_read_and_gone_on_with(desk):
    gate = Gate(after=2)
    with talking(speaks("Let me see. ", MADE), lambda _: says(TEXT, gate=gate), speaks("Done.")) as server:
        child = subprocess.Popen([sys.executable, "-c", CHAT, server.url, desk.path], stdout=subprocess.PIPE, text=True)
        try:
            assert gate.reached.wait(60)
        finally:
            child.kill()
        shown, _ = child.communicate(timeout=30)
        gate.opened.set()
        assert shown.startswith("Let me see.")
        (before,) = Transcript(desk.path).exchanges
        assert before.reply.calls[0].name == "propose"
        again, _ = converse(desk.model(server))
        assert (again.text, len(server.asked)) == ("Let me see.", 2), "what was answered is not asked again"
        assert converse(desk.model(server), [*TALK, Message("user", "So?")])[0].text == "Done."
