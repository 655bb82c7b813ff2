"""What the study's tests of a real model stand on: the server speaks the protocol, and keeps to a schema."""

import json

import pytest
from openai import BadRequestError, OpenAI

from .conftest import Served

pytestmark = pytest.mark.real_model
QUESTION = "Which part of a neural network should be removed first?"
IDS = ["config:dropout", "module:blocks.3.mlp", "head:blocks.3.attn/5"]
SCHEMA = {
    "type": "object",
    "properties": {
        "proposals": {
            "type": "array",
            "minItems": 1,
            "maxItems": 3,
            "items": {
                "type": "object",
                "properties": {
                    "component": {"type": "string", "enum": IDS},
                    "hypothesis": {"type": "string", "maxLength": 80},
                    "percent": {"type": "integer", "minimum": 0, "maximum": 100},
                },
                "required": ["component", "hypothesis", "percent"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["proposals"],
    "additionalProperties": False,
}


@pytest.fixture
def client(served: Served):
    """The SDK as it comes, without retries."""
    with OpenAI(base_url=served.base_url, api_key="none needed", max_retries=0) as client:
        yield client


def test_it_is_listed_under_its_name(client: OpenAI, served: Served):
    assert [model.id for model in client.models.list()] == [served.model]


def test_a_chat_is_answered_and_accounted_for(client: OpenAI, served: Served):
    answer = client.chat.completions.create(
        model=served.model, messages=[{"role": "user", "content": QUESTION}], max_completion_tokens=8
    )
    [choice] = answer.choices
    assert choice.message.content
    assert choice.finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 8
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 8


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(client: OpenAI, served: Served):
    def ask(seed: int) -> str | None:
        answer = client.chat.completions.create(
            model=served.model, messages=[{"role": "user", "content": QUESTION}], seed=seed, max_completion_tokens=30
        )
        return answer.choices[0].message.content

    ask(7)  # from here on the prompt is cached
    assert ask(7) == ask(7)
    assert ask(7) != ask(8)


def test_a_streamed_answer_ends_with_its_usage(client: OpenAI, served: Served):
    stream = client.chat.completions.create(
        model=served.model,
        messages=[{"role": "user", "content": QUESTION}],
        max_completion_tokens=20,
        stream=True,
        stream_options={"include_usage": True},
    )
    *pieces, last = stream
    assert sum(1 for piece in pieces if piece.choices[0].delta.content) > 1
    assert pieces[-1].choices[0].finish_reason == "length"
    assert last.choices == [] and last.usage is not None
    assert last.usage.completion_tokens == 20


def test_most_answers_are_whole_and_a_whole_answer_keeps_to_the_schema(client: OpenAI, served: Served):
    answers = [
        client.chat.completions.create(
            model=served.model,
            messages=[{"role": "user", "content": f"{QUESTION} Answer in JSON."}],
            response_format={"type": "json_schema", "json_schema": {"name": "plan", "strict": True, "schema": SCHEMA}},
            seed=seed,
            max_completion_tokens=400,
        ).choices[0]
        for seed in range(8)
    ]
    whole = [json.loads(answer.message.content or "") for answer in answers if answer.finish_reason == "stop"]
    assert len(whole) > len(answers) / 2
    for answer in whole:
        assert answer.keys() == {"proposals"}
        assert 1 <= len(answer["proposals"]) <= 3
        for proposal in answer["proposals"]:
            assert proposal.keys() == {"component", "hypothesis", "percent"}
            assert proposal["component"] in IDS
            assert len(proposal["hypothesis"]) <= 80
            assert 0 <= proposal["percent"] <= 100


def test_a_prompt_beyond_the_context_is_refused_with_both_sizes(client: OpenAI, served: Served):
    with pytest.raises(
        BadRequestError, match=r"request \(\d+ tokens\) exceeds the available context size \(8192 tokens\)"
    ):
        client.chat.completions.create(
            model=served.model, messages=[{"role": "user", "content": "layer " * 9000}], max_completion_tokens=1
        )
