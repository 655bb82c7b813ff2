"""A model with little room: fewer tools, old messages left out, and turns that repeat themselves end."""

import json

import pytest
from lesion.agent.chat.context import within
from lesion.agent.chat.fewtools import Remove, RemoveBoth, in_full, tools_for
from lesion.agent.chat.tools import TOOLS, Propose, RemoveTogether
from lesion.agent.llm.calls import Call, parsed
from lesion.agent.llm.client import Message, tokens_of
from lesion.agent.llm.tools import tool_name, tool_spec

from ...experiments import STUDY, project
from ...llm.talk import speaks, talking

SMALL = "\n[planner]\ncontext_tokens = 8192\nanswer_tokens = 700\n"
EXPECTED = {"hypothesis": "it is the signal", "direction": "worse", "size": 2.0, "confidence": 80}
IDS = ("config:use_left", "config:use_right")


class Room:
    """A model with so many tokens of room, whatever the tools."""

    def __init__(self, tokens):
        self.tokens = tokens

    def room(self, tools):
        return self.tokens


@pytest.fixture
def tiny(tmp_path):
    return project(tmp_path / "tiny", study=STUDY + SMALL)


def talk(server, tiny, *messages):
    said = [part for message in messages for part in ("--message", message)]
    ended = tiny.lesion("chat", *said, "--json", OPENAI_BASE_URL=server.url, LESION_MODEL="scripted")
    return ended, [one for one in ended.records if one["event"] == "note"]


def test_a_model_with_room_has_all_tools_and_one_without_has_few_with_names():
    assert tools_for(Room(50_000), IDS) is TOOLS
    few = tools_for(Room(2000), IDS)
    assert len(json.dumps([tool_spec(one, strict=True) for one in few])) < 5000
    remove = next(one for one in few if tool_name(one) == "remove")
    fields = tool_spec(remove, strict=True)["function"]["parameters"]["properties"]
    assert next(iter(fields)) == "target"
    assert fields["target"]["enum"] == list(IDS)
    beyond = parsed(Call(name="remove", arguments=json.dumps({"target": "config:use_*", **EXPECTED})), few)
    assert isinstance(beyond, Remove), "what is wrong with a name, the draft says better"


def test_a_small_tool_stands_for_a_whole_one():
    one = in_full(Remove(target=IDS[0], **EXPECTED))
    assert isinstance(one, Propose)
    assert [(each.target, each.how, each.size) for each in one.removals] == [(IDS[0], "default", 2.0)]
    both = in_full(RemoveBoth(targets=list(IDS), **EXPECTED))
    assert isinstance(both, RemoveTogether)
    assert (both.targets, both.mode, both.direction) == (list(IDS), "all", "worse")


def test_of_what_was_said_the_end_stays_and_the_last_turn_fits():
    call = Call(id="a", name="read_source", arguments="{}")
    turn = [
        Message("user", "look"),
        Message("assistant", "", (call,)),
        Message("tool", "long " * 500, answers="a"),
        Message("assistant", "and again", (call.model_copy(update={"id": "b"}),)),
        Message("tool", "short", answers="b"),
    ]
    said = [Message("user", "old"), Message("assistant", "old " * 400), *turn]
    assert within(said, 10_000) == said
    assert within(said, 1_000) == turn
    kept = within(said, 200)
    assert tokens_of(kept) <= 200
    assert [one.role for one in kept] == [one.role for one in turn]
    assert kept[-1] == turn[-1]


def test_it_talks_proposes_and_asks_within_eight_thousand_tokens(tiny):
    turns = [
        speaks("Let me look.", ("read_source", {"path": "experiment.py", "first": 1, "last": 40})),
        speaks("I propose it.", ("remove", {"target": "config:use_left", **EXPECTED})),
        speaks("", ("run", {"reason": "it is the question"})),
        speaks("As you like."),
    ]
    with talking(*turns, native=False) as server:
        ended, notes = talk(server, tiny, "does the left feature matter?")
        sent = [sum(len(one["content"] or "") for one in request.body["messages"]) for request in server.asked]
    assert ended.code == 0, ended.out
    assert not [one for one in notes if one["tone"] == "error"]
    asked = [one for one in ended.records if one["event"] == "approval" and one["ablations"]]
    assert [one["id"] for one in asked[0]["ablations"]] == ["config:use_left"]
    assert max(sent) < 3 * (8192 - 700)


def test_a_model_that_repeats_itself_is_stopped(tiny):
    again = speaks("Let me see.", ("explain", {"name": "config:nothing"}))
    with talking(*[again] * 9) as server:
        ended, notes = talk(server, tiny, "why?")
        assert len(server.asked) == 2
    assert ended.code == 0
    assert any("repeats itself" in one["text"] for one in notes)
