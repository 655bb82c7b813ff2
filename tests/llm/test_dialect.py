"""What a server does not take is asked for in another way, once, and remembered."""

import json

import pytest
from lesion.agent.llm.client import Message
from lesion.executor.errors import ModelError

from .asked import GOOD, QUESTION, Items
from .server import Answer, ModelServer, fails, says


def test_the_ladder_is_stepped_down_to_json_objects(desk):
    with ModelServer(says(GOOD), says(GOOD), refuses=("json_schema",)) as server:
        model = desk.model(server)
        model.ask("plan", QUESTION, Items)
        model.ask("again", [Message("user", "More.")], Items)
    forms = [(request.body.get("response_format") or {}).get("type") for request in server.asked]
    assert forms == ["json_schema", "json_object", "json_object"], "what was refused once is not tried again"
    assert '"additionalProperties": false' in server.asked[1].text, "the schema stands in the prompt"
    assert model.usage.exchanges == 2, "a refused request is no exchange"


def test_lengths_are_left_out_where_they_are_refused(desk):
    refusal = fails(400, "In context=(): 'maxLength' is not permitted.", param="response_format")
    with ModelServer(refusal, says(GOOD)) as server:
        assert desk.model(server).ask("plan", QUESTION, Items).items
    first, second = (json.dumps(request.body["response_format"]) for request in server.asked)
    assert ("maxLength" in first, "maxLength" in second, "json_schema" in second) == (True, False, True)


def test_and_down_to_text_which_the_next_process_knows(desk):
    with ModelServer(says(f"Sure:\n```\n{GOOD}\n```"), says(GOOD), refuses=("response_format",)) as server:
        assert desk.model(server).ask("plan", QUESTION, Items).items
        assert len(server.asked) == 3
        assert desk.model(server).ask("again", [Message("user", "More.")], Items).items
    assert len(server.asked) == 4
    assert "response_format" not in server.asked[3].body


@pytest.mark.parametrize(
    ("status", "next_form", "body"),
    [
        (
            422,
            "json_object",
            {"detail": [{"loc": ["body", "response_format"], "msg": "Extra inputs are not permitted"}]},
        ),
        (400, "json_object", {"error": "'response_format.type' must be 'json_object' or 'text'"}),
        (
            400,
            "json_schema",
            {"error": {"message": "Invalid schema for response_format 'Items'", "param": "response_format"}},
        ),
        (400, "json_schema", {"object": "error", "message": "Failed to compile grammar", "code": 400}),
    ],
    ids=["fastapi", "a bare string", "openai", "flat"],
)
def test_refusals_come_in_many_shapes(desk, status, next_form, body):
    with ModelServer(Answer(status=status, body=body), says(GOOD)) as server:
        assert desk.model(server).ask("plan", QUESTION, Items).items
    assert server.asked[1].body["response_format"]["type"] == next_form


def test_parameters_are_renamed_and_left_out_as_the_server_wants(desk):
    with ModelServer(says(GOOD), refuses=("max_tokens", "temperature", "seed", "stream_options")) as server:
        model = desk.model(server, stream=True, temperature=0.5, seed=1)
        model.ask("plan", QUESTION, Items)
    body = server.asked[-1].body
    assert set(body) == {"model", "messages", "response_format", "max_completion_tokens", "stream"}
    assert len(server.asked) == 5
    assert (model.usage.unknown, model.usage.tokens_estimated > 0) == (1, True), "no usage in the stream any more"


def test_a_bound_that_has_no_name_is_left_out(desk):
    with ModelServer(says(GOOD), refuses=("max_tokens", "max_completion_tokens")) as server:
        assert desk.model(server).ask("plan", QUESTION, Items).items
    assert not {"max_tokens", "max_completion_tokens"} & set(server.asked[-1].body)


def test_a_model_without_a_system_role_reads_it_in_the_first_turn(desk):
    with ModelServer(fails(400, "System role not supported"), says(GOOD)) as server:
        assert desk.model(server).ask("plan", QUESTION, Items).items
    assert server.asked[1].body["messages"] == [{"role": "user", "content": "You plan.\n\nName two items."}]


@pytest.mark.parametrize(
    ("refusal", "advice"),
    [
        (
            fails(400, "This model's maximum context length is 4096 tokens. However, you requested 9000."),
            "context_tokens",
        ),
        (
            fails(400, "the request exceeds the available context size", type="exceed_context_size_error"),
            "context_tokens",
        ),
        (fails(400, "Too long", code="context_length_exceeded"), "context_tokens"),
        (fails(413, "Payload too large"), "context_tokens"),
        (
            fails(400, "max_tokens is too large: 8000. This model supports at most 4096.", param="max_tokens"),
            "answer_tokens",
        ),
        (fails(400, "the moon is full"), "the moon is full"),
    ],
)
def test_other_refusals_are_said(desk, refusal, advice):
    with ModelServer(refusal) as server, pytest.raises(ModelError, match=advice):
        desk.model(server).ask("plan", QUESTION, Items)
    assert len(server.asked) == 1


def test_an_answer_can_be_scripted_by_what_is_wanted(desk):
    def scripted(request):
        return says(json.dumps({name: [] for name in request.wants["properties"]}))

    with ModelServer(each=scripted, refuses=("json_schema",)) as server:
        assert desk.model(server).ask("plan", QUESTION, Items).items == []


def test_a_mending_turn_shows_the_schema_to_servers_that_ignore_it(desk):
    with ModelServer(says("{}"), says(GOOD)) as server:
        assert desk.model(server).ask("plan", QUESTION, Items).items
    first, second = (request.text for request in server.asked)
    assert "JSON schema" not in first
    assert '"additionalProperties": false' in second


def test_content_in_parts_is_read(desk):
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": GOOD}]
    with ModelServer(says("", extra={"content": parts})) as server:
        assert len(desk.model(server).ask("plan", QUESTION, Items).items) == 2
