"""Turns of a conversation on the wire: calls and their answers as the server's own, or told in plain turns."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from ...prompts import phrases
from .calls import Call

JSON = dict[str, Any]


class Message(NamedTuple):
    """A turn of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[Call, ...] = ()
    """Of an assistant's turn."""
    answers: str = ""
    """Of a tool's turn: the id of the call that it answers."""

    @property
    def text(self) -> str:
        """All that it holds, calls included."""
        return self.content + "".join(call.name + call.arguments for call in self.calls)

    @property
    def parts(self) -> list[Any]:
        """What a question's hash is taken over; calls stand there only where there are any."""
        calls = [[call.id, call.name, call.arguments] for call in self.calls]
        return [self.role, self.content, *([calls, self.answers] if calls or self.answers else [])]


def native_turns(messages: Sequence[Message]) -> list[JSON]:
    """The turns as Chat Completions has them.

    Servers refuse a call without an answer and an answer without its call: the one gets a stand-in, the other becomes plain.
    """
    turns = list(_orphans((), _answers_after(messages, -1)))
    for position, message in enumerate(messages):
        if message.role == "tool":
            continue
        turns.append({"role": message.role, "content": message.content if message.calls else _content(message)})
        if message.calls:
            turns[-1]["tool_calls"] = [_sent(call) for call in message.calls]
        answers = _answers_after(messages, position)
        turns += [*_answers(message.calls, answers), *_orphans(message.calls, answers)]
    return _alternating(turns)


def plain_turns(messages: Sequence[Message]) -> list[JSON]:
    """The same for a server that makes no tool calls: they are told as records, and their answers as what a person says."""
    names = {call.id: call.name for message in messages for call in message.calls}
    return _alternating(_told(message, names) for message in messages)


def _alternating(turns: Iterable[JSON]) -> list[JSON]:
    """A person's turns in a row made one: many templates want the roles to alternate."""
    found: list[JSON] = []
    for turn in turns:
        if found and turn["role"] == found[-1]["role"] == "user":
            found[-1]["content"] += "\n\n" + turn["content"]
        else:
            found.append(turn)
    return found


def _told(message: Message, names: dict[str, str]) -> JSON:
    if message.role == "tool":
        name = names.get(message.answers, message.answers)
        return {"role": "user", "content": phrases("llm/client/stated.j2").answered(name, message.content)}
    if message.calls:
        calls = [{"name": call.name, "arguments": _arguments(call)} for call in message.calls]
        return {
            "role": "assistant",
            "content": json.dumps({"say": message.content, "calls": calls}, ensure_ascii=False),
        }
    return {"role": message.role, "content": _content(message)}


def _content(message: Message) -> str:
    """Some servers refuse an empty turn."""
    return message.content or phrases("llm/client/stand_in.j2").nothing()


def _answers_after(messages: Sequence[Message], position: int) -> list[Message]:
    """The tools' turns that follow upon this one."""
    return list(itertools.takewhile(lambda message: message.role == "tool", messages[position + 1 :]))


def _answers(calls: Sequence[Call], answers: Sequence[Message]) -> Iterator[JSON]:
    given = {message.answers: _content(message) for message in answers}
    nothing = phrases("llm/client/stated.j2").unanswered()
    for call in calls:
        yield {"role": "tool", "tool_call_id": call.id, "content": given.get(call.id, nothing)}


def _orphans(calls: Sequence[Call], answers: Sequence[Message]) -> Iterator[JSON]:
    ids = {call.id for call in calls}
    return (_told(message, {}) for message in answers if message.answers not in ids)


def _sent(call: Call) -> JSON:
    """A call as it was made; servers that render arguments into a template read them as an object."""
    arguments = json.dumps(_arguments(call), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _arguments(call: Call) -> JSON:
    """Arguments that are no object are left out: what was wrong with them is told in the call's answer."""
    try:
        found = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
