"""Two processes ask for one study, each with its own transcript: both count, and neither answers for the other."""

import json
from decimal import Decimal

import pytest
from lesion.agent.llm.client import LanguageModel, Message
from lesion.agent.llm.transcript import Transcript
from lesion.agent.planners import CHAT_TRANSCRIPT, TRANSCRIPT
from lesion.executor.errors import LedgerError, PlanningOver

from .asked import GOOD, QUESTION, Items
from .server import ModelServer, says
from .talk import TALK, TOOLS

PRICES = {"price_input": 1.0, "price_output": 10.0}


def beside(desk, server, folder, **planner):
    """A planner's model and a conversation's, of one study."""
    settings = desk.model(server, **planner)._settings
    night, chat = folder / TRANSCRIPT, folder / CHAT_TRANSCRIPT
    return tuple(
        LanguageModel(settings, Transcript(own, beside=(other,)), desk.watcher, sleep=desk.slept.append)
        for own, other in ((night, chat), (chat, night))
    )


def talk(model, text):
    return model.converse("chat", [*TALK, Message("user", text)], TOOLS, lambda _: None)


def test_what_either_takes_counts_for_both_at_once(desk, tmp_path):
    with ModelServer(each=lambda request: says("Yes." if request.tools else GOOD)) as server:
        night, chat = beside(desk, server, tmp_path, **PRICES)
        night.ask("plan", QUESTION, Items)
        assert chat.usage == night.usage
        assert (chat.usage.exchanges, chat.usage.cost) == (1, Decimal("0.0006"))
        talk(chat, "one")
        night.ask("more", [Message("user", "More.")], Items)
        assert night.usage == chat.usage
        assert night.usage.exchanges == 4, "a probe is one"
    for name, lines in ((TRANSCRIPT, 2), (CHAT_TRANSCRIPT, 2)):
        assert len((tmp_path / name).read_text().splitlines()) == lines


def test_the_caps_are_those_of_the_study(desk, tmp_path):
    with ModelServer(each=lambda _: says(GOOD, sent=400, received=300)) as server:
        night, chat = beside(desk, server, tmp_path, answer_tokens=500, max_tokens_total=2000)
        night.ask("plan", QUESTION, Items)
        chat.ask("plan", QUESTION, Items)
        for model in (night, chat):
            with pytest.raises(PlanningOver, match=r"after 1,400 so far, and max_tokens_total = 2,000"):
                model.ask("more", [Message("user", "word " * 200)], Items)
    assert len(server.asked) == 2


def test_neither_answers_for_the_other(desk, tmp_path):
    with ModelServer(says(GOOD), says(GOOD)) as server:
        night, chat = beside(desk, server, tmp_path)
        assert night.ask("plan", QUESTION, Items) == chat.ask("plan", QUESTION, Items)
    assert len(server.asked) == 2


def test_how_a_server_is_spoken_to_is_known_to_both(desk, tmp_path):
    with ModelServer(each=lambda _: says(GOOD), refuses=("json_schema",)) as server:
        night, _ = beside(desk, server, tmp_path)
        night.ask("plan", QUESTION, Items)
        _, chat = beside(desk, server, tmp_path)
        chat.ask("other", QUESTION, Items)
    assert server.asked[-1].body["response_format"] == {"type": "json_object"}
    assert len(server.asked) == 3


def test_a_line_that_is_being_written_waits_for_its_end(desk, tmp_path):
    with ModelServer(each=lambda _: says(GOOD)) as server:
        night, chat = beside(desk, server, tmp_path)
        night.ask("plan", QUESTION, Items)
        chat.ask("plan", QUESTION, Items)
    path = tmp_path / CHAT_TRANSCRIPT
    line = path.read_bytes()
    with path.open("ab") as file:
        file.write(line[:100])
    assert night.usage.exchanges == 2
    with path.open("ab") as file:
        file.write(line[100:])
    assert night.usage.exchanges == 3
    path.write_bytes(line)
    assert night.usage.exchanges == 2, "written anew"
    path.unlink()
    assert night.usage.exchanges == 1


def test_a_line_that_is_no_exchange_is_named(desk, tmp_path):
    with ModelServer(each=lambda _: says(GOOD)) as server:
        night, chat = beside(desk, server, tmp_path)
        chat.ask("plan", QUESTION, Items)
        assert night.usage.exchanges == 1
        with (tmp_path / CHAT_TRANSCRIPT).open("a") as file:
            file.write(json.dumps({"no": "exchange"}) + "\n")
        with pytest.raises(LedgerError, match=r"chat/transcript\.jsonl:2"):
            night.ask("plan", QUESTION, Items)
