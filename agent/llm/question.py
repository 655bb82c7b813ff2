"""A question as it is put, whatever way the server wants it: its hash, its turns, and its messages on the wire."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from ...prompts import phrases, render
from .answers import Unreadable
from .dialect import Dialect
from .schema import strict_schema
from .settings import ModelSettings
from .tokens import BYTES_A_TOKEN, estimate_tokens
from .tools import described
from .turns import Message, native_turns, plain_turns

TOKENS_A_MESSAGE = 8
"""What a server's template puts around a message, at most about."""
SHOWN_OF_CUT = 600
"""Characters of an answer that was too long: more of it would be paid for, and said again."""
SHORTEST_KEY = 8
"""Shorter keys are stand-ins for a local server, and may be words of the source."""


@dataclass(frozen=True)
class Question:
    """Messages and what is wanted as an answer: a record, or the next turn of a conversation with tools."""

    settings: ModelSettings
    purpose: str
    messages: tuple[Message, ...]
    answer: type[BaseModel]
    repair: int = 0
    shows_schema: bool = False
    """Also where the server takes schemas: some take one and never look at it."""
    tools: tuple[type[BaseModel], ...] | None = None
    """Of a conversation, of which `answer` is the stated form; None where the record itself is wanted."""

    @cached_property
    def hash(self) -> str:
        """Over all that decides the answer: model, messages, schema, sampling, and which turn of mending it is."""
        asked = self.settings
        sampling = asked.answer_tokens, asked.temperature, asked.seed
        messages = [message.parts for message in self.messages]
        parts = [asked.model, messages, self.schema, sampling, self.repair]
        parts += [] if self.tools is None else ["conversation"]
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The strict schema of the answer."""
        return strict_schema(self.answer)

    @cached_property
    def tokens(self) -> int:
        """Its estimated size, the schema included."""
        return self.tokens_of_messages + tokens_beside(self.schema, self.tools)

    @property
    def tokens_of_messages(self) -> int:
        """Its estimated size without the schema."""
        return tokens_of(self.messages)

    def is_native(self, dialect: Dialect) -> bool:
        """Whether it is put with the server's own tool calls, or, where there are no tools, as a plain text."""
        return self.tools is not None and (not self.tools or dialect.tools != "stated")

    def repaired(self, said: str, unreadable: Unreadable, spare: int) -> "Question":
        """The same question with the answer that could not be used and what is wrong with it.

        Args:
            said: the answer.
            unreadable: why it cannot be used.
            spare: estimated tokens left for both turns.
        """
        advice = render(
            "llm/client/repair.j2",
            why=unreadable.why,
            problems=[self._clean(each) for each in unreadable.problems],
            answer_tokens=self.settings.answer_tokens,
        )
        words = phrases("llm/client/stand_in.j2")
        room = int(max(spare - estimate_tokens(advice) - 4 * TOKENS_A_MESSAGE, 0) * BYTES_A_TOKEN / 2)
        room = min(room, SHOWN_OF_CUT) if unreadable.why == "cut" else room
        shown = said if len(said) <= room else words.shortened(said[:room])
        turns = Message("assistant", shown or words.nothing()), Message("user", advice)
        misread = unreadable.why != "cut"
        return replace(self, messages=(*self.messages, *turns), repair=self.repair + 1, shows_schema=misread)

    def request(self, dialect: Dialect) -> dict[str, Any]:
        """The body of the request, as this server takes it."""
        native = self.is_native(dialect)
        messages = native_turns(self.messages) if native else plain_turns(self.messages)
        if not native and self.tools:
            messages[0]["content"] += "\n\n" + stated_form(self.tools)
        if not native and (not dialect.takes_schemas or self.shows_schema):
            place = (
                -1 if dialect.takes_schemas else 0
            )  # at the end, what a server keeps of the messages before it holds
            messages[place]["content"] += "\n\n" + render("llm/client/schema.j2", schema=json.dumps(self.schema))
        if "system" in dialect.dropped:
            messages = _without_system(messages)
        more = dialect.parameters(self.settings, self.answer, self.tools if native else None)
        return {"model": self.settings.model, "messages": messages, **more}

    @staticmethod
    def _clean(problem: str) -> str:
        return problem[:300]


def question(
    settings: ModelSettings,
    purpose: str,
    messages: Sequence[Message],
    answer: type[BaseModel],
    tools: tuple[type[BaseModel], ...] | None = None,
) -> Question:
    """A question without the key, wherever it may have stood."""
    clean = tuple(_without_key(message, settings) for message in messages)
    return Question(settings, purpose, clean, answer, tools=tools)


def tokens_of(messages: Sequence[Message]) -> int:
    """The estimated size of these messages."""
    return sum(estimate_tokens(message.text) + TOKENS_A_MESSAGE for message in messages)


def tokens_beside(schema: dict[str, Any], tools: Sequence[type[BaseModel]] | None = None) -> int:
    """The estimated size of what a question holds beside its messages: the schema of its answer, and words on its tools."""
    return estimate_tokens(json.dumps(schema) + (stated_form(tools) if tools else ""))


def stated_form(tools: Sequence[type[BaseModel]]) -> str:
    """What a server that makes no tool calls is told of the tools."""
    return phrases("llm/client/stated.j2").form(described(tools)).strip()


def without_key(text: str, settings: ModelSettings) -> str:
    """`text` with the key itself taken out."""
    key = settings.key
    return text.replace(key, "[key]") if key is not None and len(key) >= SHORTEST_KEY else text


def _without_key(message: Message, settings: ModelSettings) -> Message:
    calls = (call.model_copy(update={"arguments": without_key(call.arguments, settings)}) for call in message.calls)
    return message._replace(content=without_key(message.content, settings), calls=tuple(calls))


def _without_system(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Instructions at the head of the first turn, for models that know no system role."""
    instructions = "\n\n".join(each["content"] for each in messages if each["role"] == "system")
    others = [dict(each) for each in messages if each["role"] != "system"]
    if not others or others[0]["role"] != "user":
        return [{"role": "user", "content": instructions}, *others]
    others[0]["content"] = f"{instructions}\n\n{others[0]['content']}"
    return others
