"""One conversation with the language model: it may look things up in the project before it answers, a bounded number of times."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from ....executor.errors import BadAnswerError
from ...components import Component
from ...llm.client import Message
from ...reading.digest.lookup import Lookup
from ..plan import Plan
from .answers import Answer, FirstPlan, NextRound
from .briefing import Briefing
from .vocabulary import narrowed

TURNS = 4
"""Times that it may look things up before one answer."""
LEAST = 400
"""Tokens below which nothing more is looked up."""
FOR_ANSWERING = 500
"""Tokens that are kept for the words around what was looked up."""
A = TypeVar("A", bound=Answer)


def first_messages(briefing: Briefing, components: Sequence[Component], suggested: Plan) -> list[Message]:
    """What the first question of a study holds, all of it."""
    request = briefing.library.told(briefing.first_plan(suggested))
    return [Message("system", briefing.system), Message("user", f"{briefing.opening(components)}\n\n{request}")]


class Model(Protocol):
    """Whoever answers."""

    def ask(self, purpose: str, messages: Sequence[Message], answer: type[A]) -> A:
        """A valid answer. `PlanningOver` and `BadAnswerError` where there is none."""
        ...


class Conversation:
    """Starts with the system's words and the briefing; questions and answers follow."""

    def __init__(self, model: Model, briefing: Briefing, components: Sequence[Component]) -> None:
        self._model, self._briefing = model, briefing
        self._words = briefing.vocabulary(components)
        opening = briefing.opening(components)
        self._messages = [Message("system", briefing.system), Message("user", opening)]

    def ask(self, purpose: str, request: str, answer: type[A]) -> A:
        """Put a request, without secrets that errors in it may tell; what the model wants to look up first is shown to it.

        An answer that proposes something is final.
        """
        self._add("user", self._briefing.library.told(request))
        if self._left < 0:
            raise BadAnswerError(f"no room is left in the context for the question “{purpose}”")
        turns, seen = TURNS, list[Lookup]()
        while True:
            found = self._model.ask(purpose, self.messages, narrowed(answer, self._words))
            self._add("assistant", found.model_dump_json())
            wanted = _wanted(found)
            if not wanted or not turns:
                return found
            turns = turns - 1 if any(one not in seen for one in wanted) else 0
            seen += wanted
            self._add("user", self._briefing.looked_up(self._looked_up(wanted), turns))

    @property
    def messages(self) -> list[Message]:
        """All that was said, neighbours of one side as one message."""
        joined: list[Message] = []
        for one in self._messages:
            if joined and joined[-1].role == one.role:
                joined[-1] = Message(one.role, f"{joined[-1].content}\n\n{one.content}")
            else:
                joined.append(one)
        return joined

    @property
    def _left(self) -> int:
        """Tokens that the context still holds."""
        return self._briefing.room - sum(self._briefing.estimate(one.content) for one in self._messages)

    def _add(self, role: str, content: str) -> None:
        self._messages.append(Message("assistant" if role == "assistant" else "user", content))

    def _looked_up(self, wanted: Sequence[Lookup]) -> list[str]:
        """What was asked for, as much of it as the context still holds; empty where nothing is left."""
        left, found = self._left - FOR_ANSWERING, list[str]()
        for one in wanted:
            text = self._briefing.library.look_up(one, left) if left > LEAST else ""
            left -= self._briefing.estimate(text)
            found.append(text if left > 0 else "")
        return found


def _wanted(found: Answer) -> list[Lookup]:
    """What must be read before anything can be proposed."""
    if not isinstance(found, (FirstPlan, NextRound)) or found.proposals:
        return []
    return [] if isinstance(found, NextRound) and found.follow_ups else found.look_up
