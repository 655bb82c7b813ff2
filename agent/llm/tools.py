"""Tools as a model is told of them: a record is a tool, its name, docstring and fields are the tool's."""

import inspect
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, Union

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, create_model, model_validator

from ...prompts import phrases
from .schema import JSON, strict_schema

WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
MOST_CALLS = 8
"""Of one answer, where the calls are stated."""
MOST_SAID = 8000
"""Characters: small local models know no end."""


class Action(BaseModel):
    """A call as it is stated, or written into a text: what its arguments are worth is the tool's affair."""

    name: str = Field(validation_alias=AliasChoices("name", "tool"))
    arguments: dict[str, Any] | str = Field(
        default_factory=dict, validation_alias=AliasChoices("arguments", "parameters")
    )


class Turn(BaseModel):
    """What is read where the calls are stated."""

    say: str | None = None
    calls: list[Action] = []

    @model_validator(mode="after")
    def _says_something(self) -> "Turn":
        if not self.model_fields_set:
            raise ValueError("it has neither 'say' nor 'calls'")
        return self


def tool_name(tool: type[BaseModel]) -> str:
    """The name of the class in snake_case."""
    return WORD.sub("_", tool.__name__).lower()


def description(tool: type[BaseModel]) -> str:
    """What the tool is for: its docstring."""
    return inspect.cleandoc(tool.__doc__ or "")


def described(tools: Sequence[type[BaseModel]]) -> list[tuple[str, str]]:
    """Names and descriptions."""
    return [(tool_name(tool), description(tool)) for tool in tools]


def tool_spec(tool: type[BaseModel], *, strict: bool) -> JSON:
    """A tool as Chat Completions takes it. Raises `TypeError` where strict schemas cannot express it."""
    parameters = {key: value for key, value in strict_schema(tool).items() if key != "description"}
    function: JSON = {"name": tool_name(tool), "description": description(tool), "parameters": parameters}
    return {"type": "function", "function": {**function, "strict": True} if strict else function}


@cache
def stated_record(tools: tuple[type[BaseModel], ...]) -> type[BaseModel]:
    """The record that stands for an answer with calls: what is said first, so that it can be shown while it comes."""
    words = phrases("llm/client/stated.j2")
    say: Any = (str, Field(description=words.say(), max_length=MOST_SAID))
    return create_model("Turn", __config__=ConfigDict(extra="forbid"), say=say, **_calls(tools))


@cache
def actions_record(tools: tuple[type[BaseModel], ...]) -> type[BaseModel]:
    """The record for the calls alone."""
    return create_model("Actions", __config__=ConfigDict(extra="forbid"), **_calls(tools))


def _calls(tools: Sequence[type[BaseModel]]) -> dict[str, Any]:
    if not tools:
        return {}
    each = tuple(_call(tool) for tool in tools)
    words = phrases("llm/client/stated.j2")
    return {"calls": (list[Union[each]], Field(description=words.calls(), max_length=MOST_CALLS))}  # noqa: UP007


def _call(tool: type[BaseModel]) -> type[BaseModel]:
    name: Any = (Literal[tool_name(tool)], ...)
    arguments: Any = (tool, ...)
    return create_model(f"{tool.__name__}Call", __config__=ConfigDict(extra="forbid"), name=name, arguments=arguments)
