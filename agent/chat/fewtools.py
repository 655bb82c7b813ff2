"""The tools of a model with little room: fewer of them, smaller, and with the names that there are."""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from ..llm.client import LanguageModel
from ..planning.llm.answers import Answer, Direction, Name, Percent, Removal, Size
from .tools import (
    TOOLS,
    DraftParagraph,
    Explain,
    Propose,
    ReadResults,
    ReadSource,
    RemoveTogether,
    Run,
    WhatWouldSettle,
    Withdraw,
)

LEAST_ROOM = 6000
"""Tokens that must be left beside all of the tools; else there are fewer."""
Short = Annotated[str, Field(max_length=160)]


class _Expected(Answer):
    hypothesis: Short
    """Why, in a sentence."""
    direction: Direction
    size: Size
    confidence: Percent


class _Target(Answer):
    target: Name


class _Targets(Answer):
    targets: Annotated[list[Name], Field(min_length=2, max_length=4)]


class Remove(_Expected, _Target):
    """Put the removal of one component into the draft. Nothing runs yet."""


class RemoveBoth(_Expected, _Targets):
    """Put the joint removal of several components into the draft: do they hide each other? Nothing runs yet."""


def tools_for(model: LanguageModel, ids: Sequence[str]) -> tuple[type[Answer], ...]:
    """All of the tools where the model has the room, else fewer.

    Args:
        model: that will call them.
        ids: of the components that may be removed, for a schema that names them; empty where they are too many for one.
    """
    return TOOLS if model.room(tools=TOOLS) >= LEAST_ROOM else _few(tuple(ids))


def in_full(tool: BaseModel) -> BaseModel:
    """What a small tool asks for, as the tool that it stands for; others as they are."""
    if not isinstance(tool, _Expected):
        return tool
    expected = tool.model_dump(include=set(_Expected.model_fields))
    if isinstance(tool, Remove):
        return Propose(removals=[Removal(target=tool.target, how="default", **expected)])
    assert isinstance(tool, RemoveBoth)
    return RemoveTogether(targets=tool.targets, mode="all", why=tool.hypothesis, **expected)


@cache
def _few(ids: tuple[str, ...]) -> tuple[type[Answer], ...]:
    one = _named(Remove, target=_one_of(ids))
    both = _named(RemoveBoth, targets=Annotated[list[_one_of(ids)], Field(min_length=2, max_length=4)])
    explain = _named(Explain, name=_one_of(ids))
    return (one, both, Run, ReadResults, explain, ReadSource, WhatWouldSettle, Withdraw, DraftParagraph)


def _one_of(ids: tuple[str, ...]) -> Any:
    """A name, of these as the schema has it: what goes beyond them is read, and told what is wrong with it."""
    return Annotated[str, Field(max_length=200, json_schema_extra={"enum": list(ids)} if ids else None)]


def _named(tool: type[Answer], **fields: Any) -> type[Answer]:
    made: Any = {name: (kind, ...) for name, kind in fields.items()}
    return create_model(tool.__name__, __base__=tool, __doc__=tool.__doc__, **made)
