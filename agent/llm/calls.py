"""Tool calls: put together from what a server sends, told apart by their ids, and read into the record of their tool."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from .answers import place
from .tools import tool_name

SHOWN = 4
"""Problems of one call that are told."""


class Call(BaseModel):
    """One call of a tool, as the model made it."""

    model_config = ConfigDict(frozen=True)

    id: str = ""
    name: str
    arguments: str = ""
    """JSON, if the model kept to it."""


class Said(NamedTuple):
    """One answer in a conversation."""

    text: str
    """What the model said, without thoughts and calls; what it thought where it said nothing else."""
    calls: tuple[Call, ...]
    cut: bool
    """It reached its length: the text ends in its midst, and a last call may be incomplete."""


class CallParts:
    """Puts streamed calls together: by index, by id, or, from servers that send neither, by what is complete."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def add(self, deltas: Sequence[dict[str, Any]]) -> int:
        """More of the calls; returns how many characters of arguments came."""
        return sum(self._add(each) for each in deltas)

    @property
    def is_whole(self) -> bool:
        """Whether there are calls, and none breaks off."""
        return bool(self._parts) and all(part.is_whole for part in self._parts)

    @property
    def calls(self) -> tuple[Call, ...]:
        """What came so far."""
        return tuple(Call(id=part.id, name=part.name, arguments=part.arguments) for part in self._parts)

    def _add(self, delta: dict[str, Any]) -> int:
        index, call = delta.get("index"), whole_call(delta)
        before = [part for part in self._parts if index is None or part.index == index]
        if not before or before[-1].is_before(call):
            before.append(_Part(index))
            self._parts.append(before[-1])
        part = before[-1]
        part.id, part.name = part.id or call.id, part.name or call.name
        part.pieces.append(call.arguments)
        return len(call.arguments)


@dataclass
class _Part:
    """A call on its way."""

    index: int | None
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list[str])

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)

    @property
    def is_whole(self) -> bool:
        return _is_object(self.arguments)

    def is_before(self, call: Call) -> bool:
        """Whether `call` is another one, and no further piece of this: some servers give all calls one index, or none."""
        if call.id and self.id and call.id != self.id:
            return True
        if not call.name or not self.name:
            return False
        return call.name != self.name or (bool(call.arguments) and self.is_whole)


def whole_call(sent: dict[str, Any]) -> Call:
    """A call, or a piece of one, as a server sends it; some send arguments that are no text."""
    function = cast("dict[str, Any]", sent.get("function") or {})
    arguments: Any = function.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments is not None else ""
    return Call(id=str(sent.get("id") or ""), name=function.get("name") or "", arguments=text)


def told_apart(calls: Sequence[Call], taken: Collection[str]) -> tuple[Call, ...]:
    """The calls, each with an id of its own: one that is empty, or was there before, is replaced.

    Args:
        calls: of one answer.
        taken: ids of earlier calls.
    """
    seen, found = set(taken), list[Call]()
    for call in calls:
        fresh = call.id if call.id and call.id not in seen else _fresh(seen)
        seen.add(fresh)
        found.append(call.model_copy(update={"id": fresh}))
    return tuple(found)


def parsed(call: Call, tools: Sequence[type[BaseModel]]) -> BaseModel | str:
    """The record of the call's tool; else what is wrong, in one line that the model can read as the tool's answer."""
    named = {tool_name(tool): tool for tool in tools}
    tool = named.get(call.name)
    if tool is None:
        return f"there is no tool {call.name[:60]!r}; there are: {', '.join(named)}"
    try:
        return tool.model_validate_json(_unwrapped(call.arguments or "{}"))
    except ValidationError as error:
        problems = error.errors(include_url=False)
    told = "; ".join(place(each["loc"], each["msg"]) for each in problems[:SHOWN])
    more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return f"the arguments of {call.name} do not fit: {' '.join(told.split())}{more}"


def _fresh(seen: Collection[str]) -> str:
    """Nine letters and digits: some servers take no other id."""
    number = len(seen) + 1
    while (name := f"call{number:05d}") in seen:
        number += 1
    return name


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _unwrapped(arguments: str) -> str:
    """JSON that some models write as a text within JSON."""
    try:
        inner = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    return inner if isinstance(inner, str) else arguments
