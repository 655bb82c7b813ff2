"""A conversation with tools that the server calls itself: what is sent, what is put together, and what is handed on as it is."""

import json

import pytest
from lesion.agent.llm.client import Call, LanguageModel, Message, parsed
from lesion.agent.llm.question import question
from lesion.agent.llm.settings import model_settings
from lesion.agent.llm.transcript import Transcript
from lesion.agent.spec import PlannerSection
from lesion.executor.errors import BadAnswerError, ModelError, PlanningOver

from .asked import GOOD, QUESTION, Items
from .server import Answer, ModelServer, calls, drops, fails, says
from .talk import DROPOUT, TALK, TOOLS, Propose, ShowSource, speaks, talking

PINNED = ["7cbc76f4c9c0dbe6e2ea9486ce2a6907", "ae8dfd779285e4d506726fe06286fa84"]
"""Of the question of `asked`, and of its first turn of mending after an empty answer."""
MADE = ("propose", DROPOUT)
SHOWN = ("show_source", {"path": "train.py", "first": None})


def converse(model, messages=TALK, tools=TOOLS):
    """What was said, and the pieces that it came in."""
    pieces = []
    return model.converse("chat", messages, tools, pieces.append), pieces


def answered(said, *answers):
    """The conversation after an answer, its calls answered."""
    results = [Message("tool", text, answers=call.id) for call, text in zip(said.calls, answers, strict=True)]
    return [*TALK, Message("assistant", said.text, said.calls), *results]


@pytest.mark.parametrize("in_pieces", [True, False])
@pytest.mark.parametrize("stream", [False, True])
def test_calls_are_put_together_and_answered(desk, stream, in_pieces):
    made = calls(MADE, SHOWN, text="Let me see.", in_pieces=in_pieces)
    with ModelServer(made, says("Dropout is worth 2 δ.")) as server:
        model = desk.model(server, stream=stream)
        said, pieces = converse(model)
        assert ("".join(pieces), said.text, said.cut) == ("Let me see.", "Let me see.", False)
        assert [(call.name, json.loads(call.arguments)) for call in said.calls] == [MADE, SHOWN]
        assert [parsed(call, TOOLS) for call in said.calls] == [Propose(**DROPOUT), ShowSource(path="train.py")]
        said, _ = converse(model, answered(said, "queued", "1: import torch"))
    assert (said.text, said.calls) == ("Dropout is worth 2 δ.", ())
    first, second = server.asked
    assert (first.tools, second.answers) == (["propose", "show_source"], ["queued", "1: import torch"])
    *_, asked, one, two = second.body["messages"]
    assert [call["id"] for call in asked["tool_calls"]] == [one["tool_call_id"], two["tool_call_id"]]
    assert len(server.asked) == 2, "a server that calls tools is asked for nothing else"


def test_tools_are_strict_and_never_sent_with_a_form_of_the_answer(desk):
    with ModelServer(calls(MADE)) as server:
        converse(desk.model(server))
    body = server.asked[0].body
    assert set(body) == {"model", "messages", "tools", "max_tokens"}
    propose, _ = body["tools"]
    assert propose["type"] == "function"
    assert (propose["function"]["strict"], propose["function"]["description"]) == (
        True,
        "Propose to remove a component.",
    )
    parameters = propose["function"]["parameters"]
    assert (parameters["required"], parameters["additionalProperties"]) == (["component", "size"], False)
    assert "maxLength" not in parameters["properties"]["component"], "OpenAI refuses it"


def test_a_server_whose_tools_are_never_strict_is_not_asked_for_it_again(desk):
    extra = Answer(status=422, body={"detail": [{"loc": ["body", "tools", 0, "function", "strict"], "msg": "Extra"}]})
    with ModelServer(extra, calls(MADE), calls(MADE)) as server:
        said, _ = converse(desk.model(server))
        converse(desk.model(server), answered(said, "done"))
    assert ["strict" in each.body["tools"][0]["function"] for each in server.asked] == [True, False, False]


def test_ids_that_are_empty_or_doubled_are_replaced(desk):
    two = calls(MADE, SHOWN, ids=("", ""), text="Both.")
    with ModelServer(two, calls(MADE, SHOWN, ids=("call00001", "x")), calls(MADE, SHOWN, ids=("x", "x"))) as server:
        model = desk.model(server)
        messages, seen = list(TALK), []
        for _ in range(3):
            said, _ = converse(model, messages)
            seen += [call.id for call in said.calls]
            messages += answered(said, "done", "done")[len(TALK) :]
    assert len(set(seen)) == 6 and all(seen)
    assert "x" in seen, "an id that is its own stays"


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (("propose", '{"component": "config:dropout", "size"'), "Invalid JSON"),
        (("propose", {"component": "config:dropout", "size": "huge"}), "size: Input should be a valid number"),
        (("propose", {"component": "c", "size": 1, "why": "\nno\n"}), "why: Extra inputs"),
        (("propose", ""), "component: Field required"),
        (("destroy", {}), "no tool 'destroy'; there are: propose, show_source"),
    ],
)
def test_what_does_not_fit_is_handed_on_and_told_in_a_line(desk, made, problem):
    with ModelServer(calls(made), says("Sorry.")) as server:
        model = desk.model(server)
        said, _ = converse(model)
        told = parsed(said.calls[0], TOOLS)
        assert isinstance(told, str) and problem in told and "\n" not in told
        converse(model, answered(said, told))
    assert server.asked[1].answers == [told]
    sent = server.asked[1].body["messages"][2]["tool_calls"][0]["function"]["arguments"]
    assert isinstance(json.loads(sent), dict), "servers that put arguments into a template read them"
    assert model.usage.repaired == 0


def test_arguments_within_a_text_within_json_are_read():
    assert parsed(Call(name="propose", arguments=json.dumps(json.dumps(DROPOUT))), TOOLS) == Propose(**DROPOUT)


def test_servers_never_see_a_call_without_an_answer_nor_an_answer_without_a_call(desk):
    made = Call(id="a", name="propose", arguments=json.dumps(DROPOUT))
    messages = [
        *TALK,
        Message("tool", "before the context begins", answers="gone"),
        Message("assistant", "", (made,)),
        Message("user", "Stop."),
    ]
    with ModelServer(calls(MADE)) as server:
        converse(desk.model(server), messages)
    turns = server.asked[0].body["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "tool", "user"]
    assert "before the context begins" in turns[1]["content"]
    assert (turns[3]["tool_call_id"], turns[3]["content"]) == ("a", "(no answer)")


@pytest.mark.parametrize("refuses", [(), ("tools",)])
def test_roles_alternate_and_no_turn_is_empty_after_answers_that_were_broken_off(desk, refuses):
    said = [*TALK, Message("user", "Wait."), Message("assistant", ""), Message("user", "Go on.")]
    with talking(speaks("Fine.", MADE), refuses=refuses) as server:
        converse(desk.model(server), said)
    turns = server.asked[-1].body["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert "What is dropout worth?\n\nWait." in turns[1]["content"]
    assert all(turn["content"] for turn in turns)


def test_an_answer_cut_within_a_call_says_so(desk):
    cut = calls(MADE, ("propose", '{"component": "conf'), ("show_source", ""), text="Now", finish="length")
    with ModelServer(cut) as server:
        said, _ = converse(desk.model(server, stream=True))
    assert said.cut
    assert [isinstance(parsed(call, TOOLS), Propose) for call in said.calls] == [True, False], "none is made of nothing"


def test_a_call_without_its_end_is_no_answer(desk):
    with ModelServer(calls(MADE, text="Now", then="drops"), calls(MADE, text="Now")) as server:
        model = desk.model(server, stream=True)
        said, pieces = converse(model)
    assert [json.loads(call.arguments) for call in said.calls] == [DROPOUT]
    assert "".join(pieces) == "Now", "what was shown once is not shown again"
    assert (len(server.asked), model.usage.exchanges, model.usage.unknown) == (2, 2, 1)
    first, second = map(json.loads, desk.path.read_text().splitlines())
    assert (first["outcome"], first["response"], second["outcome"]) == ("broken", {"text": "Now"}, "answered")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (says(""), ""),
        (says("", extra={"reasoning_content": "Nothing to do."}), "Nothing to do."),
        (says("<think>hm"), ""),
    ],
)
def test_an_empty_answer_is_one(desk, answer, text):
    with ModelServer(answer, says('{"calls": []}')) as server:
        said, pieces = converse(desk.model(server, stream=True))
    assert (said.text, said.calls, "".join(pieces)) == (text, (), text)


def test_refusals_are_not_argued_with(desk):
    with ModelServer(says("", extra={"refusal": "I will not."}), says("", finish="content_filter")) as server:
        for purpose in ("I will not", "content filter"):
            with pytest.raises(BadAnswerError, match=purpose):
                converse(desk.model(server), [*TALK, Message("user", purpose)])
    assert len(server.asked) == 2


def test_a_conversation_beyond_the_context_is_not_sent(desk):
    with ModelServer(says("Fine."), says('{"calls": []}')) as server:
        model = desk.model(server, context_tokens=4000, answer_tokens=500)
        room = model.room(tools=TOOLS)
        assert 0 < room < model.room(tools=()) < 3500
        with pytest.raises(ModelError, match="too long"):
            converse(model, [*TALK, Message("tool", "x" * 12_000, answers="a")])
        assert server.asked == []
        assert converse(model, [Message("user", "x" * (3 * (room - 10)))])[0].text == "Fine."


def test_the_same_turn_costs_nothing_in_the_next_process(desk):
    with talking(speaks("Let me see.", MADE)) as server:
        first, _ = converse(desk.model(server, stream=True))
        again, pieces = converse(desk.model(server, stream=True))
    assert again == first
    assert pieces == ["Let me see."], "whole, at once"
    settings = model_settings(PlannerSection(model="scripted"), {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
    replayed, _ = converse(LanguageModel(settings, Transcript.replaying(desk.path), desk.watcher))
    assert (replayed, len(server.asked)) == (first, 1)


def test_questions_without_calls_are_hashed_as_before_there_were_tools(desk):
    mend = "Your answer was empty. Answer with the JSON object that was asked for, and nothing else.\n"
    with ModelServer(says(""), says(GOOD)) as server:
        desk.model(server, key=None).ask("plan", QUESTION, Items)
    lines = [json.loads(line) for line in desk.path.read_text().splitlines()]
    assert lines[1]["request"]["messages"][-1]["content"].startswith(mend)
    assert [line["question"] for line in lines] == PINNED
    assert all("tools" not in line["dialect"] for line in lines)
    with ModelServer() as server:
        assert desk.model(server, key=None).ask("plan", QUESTION, Items).items, "old transcripts answer"


def test_calls_and_tools_are_part_of_the_question(desk):
    with ModelServer() as server:
        settings = desk.model(server)._settings
    call = Call(id="a", name="propose", arguments="{}")
    asked = [
        question(settings, "chat", messages, Items, tools).hash
        for messages in ([*TALK, Message("assistant", "x")], [*TALK, Message("assistant", "x", (call,))])
        for tools in (None, TOOLS)
    ]
    assert len(set(asked)) == 4


def test_caps_hold_before_every_request(desk):
    limits = {"answer_tokens": 500, "max_tokens_total": 3000}
    with ModelServer(calls(MADE, sent=2000, received=400), calls(MADE)) as server:
        model = desk.model(server, **limits)
        said, _ = converse(model)
        with pytest.raises(PlanningOver, match="max_tokens_total"):
            converse(model, answered(said, "queued"))
    assert len(server.asked) == 1


def test_waits_and_dropped_connections_are_as_for_any_question(desk):
    slow = fails(429, "Slow down", headers={"Retry-After": "7"})
    with ModelServer(slow, drops("Dropout "), calls(MADE, text="Dropout is next.")) as server:
        said, pieces = converse(desk.model(server, stream=True))
    assert (desk.slept[0], said.text, "".join(pieces)) == (7.0, "Dropout is next.", "Dropout is next.")


def test_the_key_stays_out_of_calls(desk):
    key = "sk-very-secret-key-0123456789"
    with ModelServer(calls(("propose", {"component": key, "size": 1}), text=key), calls(MADE)) as server:
        model = desk.model(server)
        said, _ = converse(model)
        converse(model, answered(said, f"no {key}"))
    assert key not in desk.path.read_text() and key not in server.asked[1].raw


def test_without_tools_it_is_a_plain_answer(desk):
    with ModelServer(says("Two words.")) as server:
        said, _ = converse(desk.model(server), tools=())
    assert said == ("Two words.", (), False)
    assert set(server.asked[0].body) == {"model", "messages", "max_tokens"}
