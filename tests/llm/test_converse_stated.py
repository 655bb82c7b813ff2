"""Servers that take no tools, or take them and call none: calls are stated as a record, written as text, or asked for apart."""

import json

import pytest
from lesion.agent.llm.client import LanguageModel, Message, parsed
from lesion.agent.llm.settings import model_settings
from lesion.agent.llm.transcript import Transcript
from lesion.agent.spec import PlannerSection
from lesion.executor.errors import BadAnswerError, ModelError

from .server import Answer, ModelServer, calls, fails, says
from .talk import DROPOUT, TALK, TOOLS, Propose, speaks, talking
from .test_converse import MADE, SHOWN, answered, converse

STATED = json.dumps({"say": "Let me see.", "calls": [{"name": "propose", "arguments": DROPOUT}]})
NONE = '{"calls": []}'


def made(said):
    return [(call.name, json.loads(call.arguments)) for call in said.calls]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "refusal",
    [
        fails(400, "Unsupported parameter: 'tools'", param="tools"),
        fails(400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        fails(400, "registry.ollama.ai/library/gemma does not support tools"),
        fails(500, "tools param requires --jinja flag"),
        fails(404, "No endpoints found that support tool use."),
        Answer(status=422, body={"detail": [{"loc": ["body", "tools"], "msg": "Extra inputs are not permitted"}]}),
        fails(400, "Invalid schema for function 'propose'", param="tools[0].function.parameters"),
        fails(500, "Cannot use tools with stream"),
    ],
    ids=["openai", "vllm", "ollama", "llama.cpp", "router", "fastapi", "schema", "stream"],
)
def test_a_server_that_takes_no_tools_states_them_from_then_on(desk, refusal, stream):
    with ModelServer(refusal, says(STATED), says('{"say": "Queued.", "calls": []}')) as server:
        said, pieces = converse(desk.model(server, stream=stream))
        assert (said.text, "".join(pieces), made(said)) == ("Let me see.", "Let me see.", [MADE])
        assert converse(desk.model(server, stream=stream), answered(said, "queued"))[0].text == "Queued."
    _, second, third = server.asked
    assert [bool(request.tools) for request in server.asked] == [True, False, False], "the next process knows"
    assert second.body["response_format"]["type"] == "json_schema"
    assert "propose: Propose to remove a component." in second.text
    assert third.answers == ["queued"]
    roles = [message["role"] for message in third.body["messages"]]
    assert roles == ["system", "user", "assistant", "user"], "told in plain turns"
    assert desk.slept == [], "nothing was waited for"


def test_other_refusals_are_not_about_tools(desk):
    with ModelServer(fails(400, "the moon is full")) as server, pytest.raises(ModelError, match="moon"):
        converse(desk.model(server))
    assert len(server.asked) == 1


def test_calls_and_answers_in_a_row_alternate_as_templates_want_it(desk):
    with talking(speaks("Both.", MADE, SHOWN), speaks("Done."), refuses=("tools",)) as server:
        model = desk.model(server)
        said, _ = converse(model)
        after = [*answered(said, "queued", "import torch"), Message("user", "And now?")]
        assert converse(model, after)[0].text == "Done."
    assert [each["role"] for each in server.asked[-1].body["messages"]] == ["system", "user", "assistant", "user"]
    assert "And now?" in server.asked[-1].body["messages"][-1]["content"]


@pytest.mark.parametrize("refuses", [("tools",), ("tools", "json_schema"), ("tools", "response_format")])
@pytest.mark.parametrize("stream", [False, True])
def test_the_ladder_is_stepped_down_for_calls_too(desk, refuses, stream):
    with talking(speaks("Let me see.", MADE), speaks("Done."), refuses=refuses) as server:
        model = desk.model(server, stream=stream)
        said, pieces = converse(model)
        assert (said.text, made(said)) == ("Let me see.", [MADE])
        assert "".join(pieces) == "Let me see.", "never JSON"
        assert converse(model, answered(said, "queued"))[0] == ("Done.", (), False)
    forms = [(request.body.get("response_format") or {}).get("type") for request in server.asked]
    assert all(not (request.tools and form) for request, form in zip(server.asked, forms, strict=True))


def test_a_server_that_never_calls_is_asked_once_more_and_then_remembered(desk):
    turns = [speaks("I propose dropout.", MADE), speaks("It is queued.", SHOWN), speaks("Done.")]
    with talking(*turns, native=False) as server:
        model = desk.model(server, stream=True)
        said, pieces = converse(model)
        assert ("".join(pieces), made(said)) == ("I propose dropout.", [MADE])
        said, _ = converse(model, answered(said, "queued"))
        assert made(said) == [SHOWN]
        assert converse(desk.model(server), [*TALK, Message("user", "So?")])[0].text == "Done."
    assert [bool(request.tools) for request in server.asked] == [True, False, False, False]
    purposes = [json.loads(line)["purpose"] for line in desk.path.read_text().splitlines()]
    assert purposes == ["chat", "actions", "chat", "chat"]


def test_after_two_probes_without_a_call_it_is_left_alone(desk):
    with talking(*[speaks(f"Word {number}.") for number in range(4)], native=False) as server:
        model = desk.model(server)
        for number in range(4):
            assert converse(model, [*TALK, Message("user", f"{number}?")])[0] == (f"Word {number}.", (), False)
    assert [bool(request.tools) for request in server.asked] == [True, False, True, False, True, True]


def test_a_server_that_called_once_is_never_probed(desk):
    with talking(speaks("", MADE), speaks("Done."), speaks("Nothing to do.")) as server:
        said, _ = converse(desk.model(server))
        converse(desk.model(server), answered(said, "queued"))
        assert converse(desk.model(server), [*TALK, Message("user", "More?")])[0].text == "Nothing to do."
    assert all(request.tools for request in server.asked)


@pytest.mark.parametrize("bad", [says("I do not know"), fails(500, "oops"), says("", extra={"refusal": "No."})])
def test_a_probe_that_fails_leaves_the_answer_as_it_is(desk, bad):
    with ModelServer(says("Dropout matters."), bad) as server:
        assert converse(desk.model(server))[0] == ("Dropout matters.", (), False)
        assert len(server.asked) == 2
    assert desk.slept == [], "nobody waits for it"


def test_a_probe_that_is_cut_counts_as_far_as_it_goes(desk):
    whole = json.dumps({"calls": [{"name": MADE[0], "arguments": MADE[1]}, {"name": MADE[0], "arguments": MADE[1]}]})
    with ModelServer(says("Dropout matters."), says(whole[:-30], finish="length")) as server:
        assert made(converse(desk.model(server))[0]) == [MADE]


def test_caps_hold_before_a_probe(desk):
    with ModelServer(says("Dropout matters.", sent=2000, received=400), says(NONE)) as server:
        said, _ = converse(desk.model(server, answer_tokens=500, max_tokens_total=2800))
    assert (said.text, len(server.asked)) == ("Dropout matters.", 1)


@pytest.mark.parametrize("native", [True, False])
def test_a_conversation_is_replayed_without_a_server(desk, native):
    def whole(model):
        first, _ = converse(model)
        second, _ = converse(model, answered(first, *["queued"] * len(first.calls)))
        third, _ = converse(model, [*TALK, Message("user", "More?")])
        return first, second, third

    turns = [speaks("I propose dropout.", MADE), speaks("It is queued."), speaks("Nothing.")]
    with talking(*turns, native=native) as server:
        asked = whole(desk.model(server))
    settings = model_settings(PlannerSection(model="scripted"), {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
    assert made(asked[0]) == [MADE]
    assert whole(LanguageModel(settings, Transcript.replaying(desk.path), desk.watcher)) == asked


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("written", "text"),
    [
        (f'<tool_call>\n{{"name": "propose", "arguments": {json.dumps(DROPOUT)}}}\n</tool_call>', ""),
        (f'I try.\n<tool_call>{{"name": "propose", "arguments": {json.dumps(DROPOUT)}}}', "I try."),
        (f'I try. [TOOL_CALLS] [{{"name": "propose", "arguments": {json.dumps(DROPOUT)}}}]', "I try."),
        (json.dumps({"name": "propose", "parameters": DROPOUT}), ""),
        (f"```json\n{json.dumps({'name': 'propose', 'arguments': DROPOUT})}\n```", ""),
        (f'<think>{{"name": "x"}}</think>{json.dumps({"name": "propose", "arguments": DROPOUT})}', ""),
    ],
    ids=["tags", "open tag", "mistral", "whole", "fenced", "thinking"],
)
def test_a_call_that_is_written_as_text_is_one(desk, written, text, stream):
    with ModelServer(says(written), says("Done.")) as server:
        model = desk.model(server, stream=stream)
        said, pieces = converse(model)
        assert (said.text, "".join(pieces), made(said)) == (text, text, [MADE])
        converse(model, answered(said, "queued"))
    assert len(server.asked) == 2, "no probe: it calls tools, in its way"


@pytest.mark.parametrize(
    "text", ['{"name": "dropout", "size": 2}', "[1, 2]", 'Use `{"name": "propose"}`.', "```py\nx\n```"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_json_that_names_no_tool_is_a_text(desk, text, stream):
    with ModelServer(says(text), says(NONE)) as server:
        said, pieces = converse(desk.model(server, stream=stream))
    assert (said.text, said.calls, "".join(pieces)) == (text, (), text)


def test_a_record_that_does_not_parse_is_mended(desk):
    bad = '{"say": "Let me see.", "calls": "none"}'
    with ModelServer(says(bad), says(STATED), refuses=("tools",)) as server:
        model = desk.model(server, stream=True)
        said, pieces = converse(model)
    assert (said.text, made(said), "".join(pieces)) == ("Let me see.", [MADE], "Let me see.")
    assert "calls: Input should be a valid array" in server.asked[2].body["messages"][-1]["content"]
    assert model.usage.repaired == 1


def test_calls_with_misfits_are_handed_on_in_a_record_too(desk):
    odd = {"say": "", "calls": [{"name": "propose", "arguments": {"size": "huge"}}, {"name": "destroy"}]}
    with ModelServer(says(json.dumps(odd)), refuses=("tools",)) as server:
        said, _ = converse(desk.model(server))
    assert [isinstance(parsed(call, TOOLS), str) for call in said.calls] == [True, True]
    assert len(server.asked) == 2


def test_where_mending_leads_nowhere_the_words_count(desk):
    bad = '{"say": "Let me see.", "calls": 3}'
    with ModelServer(*[says(bad)] * 3, refuses=("tools",)) as server:
        said, pieces = converse(desk.model(server, stream=True))
    assert (said, "".join(pieces)) == (("Let me see.", (), False), "Let me see.")
    assert len(server.asked) == 4


def test_without_words_it_is_a_bad_answer(desk):
    with ModelServer(*[says('{"calls": 3}')] * 3, refuses=("tools",)) as server, pytest.raises(BadAnswerError):
        converse(desk.model(server))


def test_a_record_that_is_cut_is_asked_for_again_and_then_taken_as_far_as_it_goes(desk):
    cut = json.dumps({"say": "Two.", "calls": [{"name": "propose", "arguments": DROPOUT}] * 2})[:-20]
    with ModelServer(*[says(cut, finish="length")] * 2, refuses=("tools",)) as server:
        said, _ = converse(desk.model(server))
    assert (said.text, made(said), said.cut) == ("Two.", [MADE], True)


@pytest.mark.parametrize("text", ["Dropout matters.", "Set `{x}` to 1, as in {'a': 1}.", 'It reads {"p": 0.5} there.'])
def test_prose_is_an_answer_where_no_form_can_be_asked_for(desk, text):
    with ModelServer(says(text), says(text), refuses=("tools", "response_format")) as server:
        model = desk.model(server, stream=True)
        said, pieces = converse(model)
    assert (said, "".join(pieces)) == ((text, (), False), text)
    assert model.usage.exchanges == 1


def test_the_form_of_calls_is_bounded_and_strict(desk):
    with ModelServer(says(STATED), refuses=("tools",)) as server:
        converse(desk.model(server))
    schema = server.asked[-1].wants
    assert schema["required"] == ["say", "calls"], "what is said comes first, and can be shown while it comes"
    assert schema["properties"]["calls"]["maxItems"] == 8
    kinds = schema["properties"]["calls"]["items"]["anyOf"]
    assert len(kinds) == 2
    assert schema["$defs"]["ProposeCall"]["properties"]["name"]["const"] == "propose"


def test_a_model_may_change_from_stated_to_native_by_its_server(desk):
    with talking(speaks("Let me see.", MADE), refuses=("tools",)) as server:
        said, _ = converse(desk.model(server))
    with ModelServer(calls(MADE)) as other:
        again, _ = converse(desk.model(other), answered(said, "queued"))
        assert other.asked[0].tools and other.asked[0].answers == ["queued"]
    assert parsed(again.calls[0], TOOLS) == Propose(**DROPOUT)
