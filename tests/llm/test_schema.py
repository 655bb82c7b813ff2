"""Strict schemas: closed, complete, and without what servers refuse; what cannot be said strictly is an error of ours."""

from copy import deepcopy
from typing import Annotated, Any, Literal

import pytest
from lesion.agent.llm.schema import strict_schema
from pydantic import BaseModel, Field


class Zero(BaseModel):
    how: Literal["zero"]
    title: str = Field(default="none", min_length=1, max_length=9, description="A few words.")


class Edit(BaseModel):
    how: Literal["edit"]
    lines: list[Annotated[str, Field(max_length=80)]] = Field(max_length=4)


class Plan(BaseModel):
    steps: list[Annotated[Zero | Edit, Field(discriminator="how")]]
    note: str | None = None
    share: float = Field(ge=0, le=1)


def nodes(schema):
    yield schema
    for key in ("anyOf",):
        for each in schema.get(key, []):
            yield from nodes(each)
    for key in ("$defs", "properties"):
        for each in schema.get(key, {}).values():
            yield from nodes(each)
    if "items" in schema:
        yield from nodes(schema["items"])


def test_every_object_is_closed_and_complete():
    schema = strict_schema(Plan)
    objects = [node for node in nodes(schema) if node.get("type") == "object"]
    assert len(objects) == 3
    for node in objects:
        assert (node["additionalProperties"], node["required"]) == (False, list(node["properties"]))
    refused = {"oneOf", "discriminator", "default", "maxLength", "minLength", "title"}
    assert not any(refused & set(node) for node in nodes(schema))


def test_bounds_and_names_survive():
    schema = strict_schema(Plan)
    assert schema["$defs"]["Zero"]["properties"]["title"]["description"] == "A few words. 1 to 9 characters."
    assert schema["$defs"]["Edit"]["properties"]["lines"]["maxItems"] == 4
    assert schema["properties"]["share"]["maximum"] == 1
    assert schema["properties"]["note"]["anyOf"] == [{"type": "string"}, {"type": "null"}]


def test_lengths_stay_where_the_server_takes_them():
    title = strict_schema(Plan, lengths=True)["$defs"]["Zero"]["properties"]["title"]
    assert (title["minLength"], title["maxLength"]) == (1, 9)


@pytest.mark.parametrize("kind", [dict[str, int], Any, tuple[int, str]])
def test_what_strict_mode_cannot_express_is_an_error(kind):
    class Open(BaseModel):
        values: kind

    with pytest.raises(TypeError, match=r"Open\.values"):
        strict_schema(Open)


def test_the_sdk_has_nothing_to_add():
    from openai.lib._pydantic import _ensure_strict_json_schema

    schema = deepcopy(strict_schema(Plan))
    assert _ensure_strict_json_schema(schema, path=(), root=schema) == strict_schema(Plan)
