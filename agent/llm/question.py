"""A question as it is put, whatever way the server wants it: its hash, its turns, and its messages on the wire."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from ...prompts import phrases, render
from .answers import Unreadable
from .dialect import Dialect
from .schema import strict_schema
from .settings import ModelSettings
from .tokens import BYTES_A_TOKEN, estimate_tokens

TOKENS_A_MESSAGE = 8
"""What a server's template puts around a message, at most about."""
SHOWN_OF_CUT = 600
"""Characters of an answer that was too long: more of it would be paid for, and said again."""
SHORTEST_KEY = 8
"""Shorter keys are stand-ins for a local server, and may be words of the source."""


class Message(NamedTuple):
    """A turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Question:
    """Messages and the record wanted as an answer."""

    settings: ModelSettings
    purpose: str
    messages: tuple[Message, ...]
    answer: type[BaseModel]
    repair: int = 0
    shows_schema: bool = False
    """Also where the server takes schemas: some take one and never look at it."""

    @property
    def hash(self) -> str:
        """Over all that decides the answer: model, messages, schema, sampling, and which turn of mending it is."""
        asked = self.settings
        sampling = asked.answer_tokens, asked.temperature, asked.seed
        parts = [asked.model, self.messages, self.schema, sampling, self.repair]
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def schema(self) -> dict[str, Any]:
        """The strict schema of the answer."""
        return strict_schema(self.answer)

    @property
    def tokens(self) -> int:
        """Its estimated size, the schema included."""
        return self.tokens_of_messages + estimate_tokens(json.dumps(self.schema))

    @property
    def tokens_of_messages(self) -> int:
        """Its estimated size without the schema."""
        return sum(estimate_tokens(message.content) + TOKENS_A_MESSAGE for message in self.messages)

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
        messages = [message._asdict() for message in self.messages]
        if not dialect.takes_schemas or self.shows_schema:
            place = (
                -1 if dialect.takes_schemas else 0
            )  # at the end, what a server keeps of the messages before it holds
            messages[place]["content"] += "\n\n" + render("llm/client/schema.j2", schema=json.dumps(self.schema))
        if "system" in dialect.dropped:
            messages = _without_system(messages)
        return {"model": self.settings.model, "messages": messages, **dialect.parameters(self.settings, self.answer)}

    @staticmethod
    def _clean(problem: str) -> str:
        return problem[:300]


def question(settings: ModelSettings, purpose: str, messages: Sequence[Message], answer: type[BaseModel]) -> Question:
    """A question without the key, wherever it may have stood."""
    clean = tuple(Message(message.role, without_key(message.content, settings)) for message in messages)
    return Question(settings, purpose, clean, answer)


def without_key(text: str, settings: ModelSettings) -> str:
    """`text` with the key itself taken out."""
    key = settings.key
    return text.replace(key, "[key]") if key is not None and len(key) >= SHORTEST_KEY else text


def _without_system(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Instructions at the head of the first turn, for models that know no system role."""
    instructions = "\n\n".join(each["content"] for each in messages if each["role"] == "system")
    others = [dict(each) for each in messages if each["role"] != "system"]
    if not others or others[0]["role"] != "user":
        return [{"role": "user", "content": instructions}, *others]
    others[0]["content"] = f"{instructions}\n\n{others[0]['content']}"
    return others
