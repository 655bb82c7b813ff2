"""Questions and answers: what comes back is the record that was asked for, whatever the model says around it."""

import json

import pytest
from lesion.agent.llm.client import Message
from lesion.executor.errors import BadAnswerError, ModelError

from .asked import GOOD, QUESTION, Items
from .server import ModelServer, says


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Here is my plan, as {{asked}}:\n\n{GOOD}\n\nI hope that {{this}} helps!",
        f'<think>maybe {{"items": []}} would do?</think>\n{GOOD}',
        f"{GOOD}\n{GOOD[:40]}",
    ],
    ids=["plain", "fenced", "prose", "thinking", "repeating itself"],
)
def test_an_answer_is_found_in_what_is_said(desk, text, stream):
    with ModelServer(says(text)) as server:
        answer = desk.model(server, stream=stream).ask("plan", QUESTION, Items)
    assert [(item.name, item.size) for item in answer.items] == [("dropout", 0.5), ("norm", 2.0)]
    assert len(server.asked) == 1
    assert "".join(delta for _, delta in desk.watcher.pieces) == (text if stream else "")


@pytest.mark.parametrize("stream", [False, True])
def test_usage_is_read_streamed_or_not(desk, stream):
    with ModelServer(says(GOOD, sent=321, received=45)) as server:
        model = desk.model(server, stream=stream, max_cost=1.0, price_input=2.0, price_output=10.0)
        model.ask("plan", QUESTION, Items)
    assert (model.usage.tokens_sent, model.usage.tokens_received, model.usage.unknown) == (321, 45, 0)
    assert str(model.usage.cost) == "0.001092"


def test_a_server_that_ignores_streaming_is_understood(desk):
    with ModelServer(says(GOOD, streams=False)) as server:
        assert desk.model(server, stream=True).ask("plan", QUESTION, Items).items[0].name == "dropout"
    assert server.asked[0].body["stream"] is True


def test_the_request_is_strict_and_carries_no_tools(desk):
    with ModelServer(says(GOOD)) as server:
        desk.model(server).ask("plan", QUESTION, Items)
    body = server.asked[0].body
    form = body["response_format"]["json_schema"]
    assert (form["strict"], form["name"]) == (True, "Items")
    assert form["schema"]["required"] == ["items"]
    item = form["schema"]["$defs"]["Item"]
    assert (item["additionalProperties"], item["required"]) == (False, ["name", "size"])
    assert item["properties"]["name"] == {"type": "string", "maxLength": 20, "description": "At most 20 characters."}
    assert set(body) == {"model", "messages", "response_format", "max_tokens"}, "nothing is sent that was not given"


def test_temperature_and_seed_are_sent_where_given(desk):
    with ModelServer(says(GOOD)) as server:
        desk.model(server, temperature=0.2, seed=7).ask("plan", QUESTION, Items)
    assert (server.asked[0].body["temperature"], server.asked[0].body["seed"]) == (0.2, 7)


def test_a_misfit_is_mended_with_its_place_shown(desk):
    bad = '{"items": [{"name": "dropout", "size": "huge"}]}'
    with ModelServer(says(bad), says(GOOD)) as server:
        model = desk.model(server)
        assert model.ask("plan", QUESTION, Items).items[1].name == "norm"
    *_, said, mend = server.asked[1].body["messages"]
    assert said == {"role": "assistant", "content": bad}
    assert "items[0].size: Input should be a valid number" in mend["content"]
    assert (model.usage.exchanges, model.usage.repaired, model.usage.tokens_sent) == (2, 1, 200)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (says(GOOD[:50], finish="length"), "much shorter"),
        (says(GOOD[:50]), "much shorter"),
        (says("", finish="length", extra={"reasoning_content": "Let me think about that"}), "much shorter"),
        (says(""), "was empty"),
        (says("I cannot plan."), "there is no JSON object in it"),
        (says('{"items": [}'), "near"),
    ],
    ids=["length", "cut in silence", "all reasoning", "empty", "no JSON", "malformed"],
)
def test_what_cannot_be_read_is_asked_again_with_the_reason(desk, answer, advice):
    with ModelServer(answer, says(GOOD)) as server:
        assert len(desk.model(server).ask("plan", QUESTION, Items).items) == 2
    assert advice in server.asked[1].body["messages"][-1]["content"]
    assert all(message["content"] for message in server.asked[1].body["messages"]), "some servers refuse empty turns"


def test_an_answer_that_stands_among_the_reasoning_counts(desk):
    with ModelServer(says("", extra={"reasoning_content": f"So: {GOOD}"})) as server:
        assert len(desk.model(server).ask("plan", QUESTION, Items).items) == 2


def test_after_two_repairs_it_is_a_bad_answer(desk):
    with ModelServer(*[says('{"items": 3}')] * 4) as server:
        model = desk.model(server)
        with pytest.raises(BadAnswerError, match=r"\(plan\) in 3 turns: items: Input should be a valid"):
            model.ask("plan", QUESTION, Items)
    assert len(server.asked) == 3
    assert model.usage.tokens_received == 150, "bad answers are paid for"


def test_of_an_answer_cut_twice_the_complete_items_are_kept(desk):
    cut = GOOD.replace("]}", ', {"name": "wid')
    with ModelServer(*[says(cut, finish="length")] * 3) as server:
        assert [item.name for item in desk.model(server).ask("plan", QUESTION, Items).items] == ["dropout", "norm"]
    assert len(server.asked) == 2


def test_of_an_answer_that_was_too_long_little_is_shown_again(desk):
    cut = GOOD.replace("]}", ', {"name": "' + "very " * 1000)
    with ModelServer(says(cut, finish="length"), says(GOOD)) as server:
        desk.model(server).ask("plan", QUESTION, Items)
    [first, second] = [request.body["messages"] for request in server.asked]
    assert second[: len(first)] == first, "what a server has read already stays as it was"
    assert len(second[-2]["content"]) < 1000 and "JSON schema" not in second[-1]["content"]


def test_a_server_that_holds_less_than_the_study_counts_on_is_named_before_anything_is_asked(desk):
    with ModelServer(says(GOOD), contexts={"scripted": 8192}) as server:
        with pytest.raises(ModelError, match=r"holds 8,192 tokens of 'scripted', and context_tokens = 64,000"):
            desk.model(server).preflight()
        desk.model(server, context_tokens=8192, answer_tokens=800).preflight()
    assert server.asked == []


def test_refusals_are_not_argued_with(desk):
    with ModelServer(says("", extra={"refusal": "I will not."}), says("", finish="content_filter")) as server:
        model = desk.model(server)
        with pytest.raises(BadAnswerError, match="I will not"):
            model.ask("plan", QUESTION, Items)
        with pytest.raises(BadAnswerError, match="content filter"):
            model.ask("other", [Message("user", "?")], Items)
    assert len(server.asked) == 2


def test_the_key_is_never_written_nor_sent_in_a_message(desk):
    key = "sk-very-secret-key-0123456789"
    with ModelServer(says(json.dumps({"items": [{"name": key[:20], "size": 1}]}) + key)) as server:
        desk.model(server).ask("plan", [Message("user", f"token = '{key}'")], Items)
    assert server.asked[0].headers["authorization"] == f"Bearer {key}"
    assert key not in server.asked[0].raw
    assert key not in desk.path.read_text()
    assert "[key]" in desk.path.read_text()
