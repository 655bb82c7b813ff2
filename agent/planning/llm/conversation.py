"""One conversation with the language model: it may look things up in the project before it answers, a bounded number of times."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ...components import Component
from ...llm.client import Message
from ..plan import Plan
from .answers import Answer, FirstPlan, NextRound, naming
from .briefing import Briefing

TURNS = 4
"""Times that it may look things up before one answer."""
LEAST = 400
"""Tokens below which nothing more is looked up."""
A = TypeVar("A", bound=Answer)


def first_messages(briefing: Briefing, components: Sequence[Component], suggested: Plan) -> list[Message]:
    """What the first question of a study holds, all of it."""
    return [
        Message("system", briefing.system),
        Message("user", f"{briefing.opening(components)}\n\n{briefing.first_plan(suggested)}"),
    ]


class Model(Protocol):
    """Whoever answers."""

    def ask(self, purpose: str, messages: Sequence[Message], answer: type[A]) -> A:
        """A valid answer. `PlanningOver` and `BadAnswerError` where there is none."""
        ...


class Conversation:
    """Starts with the system's words and the briefing; questions and answers follow."""

    def __init__(self, model: Model, briefing: Briefing, components: Sequence[Component]) -> None:
        self._model, self._briefing = model, briefing
        self._ids = [one.id for one in components if one.interventions]
        opening = briefing.opening(components)
        self._messages = [Message("system", briefing.system), Message("user", opening)]

    def ask(self, purpose: str, request: str, answer: type[A]) -> A:
        """Put a request, without secrets that errors in it may tell; what the model wants to look up first is shown to it."""
        self._add("user", self._briefing.library.told(request))
        for turns in range(TURNS, -1, -1):
            found = self._model.ask(purpose, self.messages, naming(answer, self._ids))
            self._add("assistant", found.model_dump_json())
            wanted = found.look_up if isinstance(found, (FirstPlan, NextRound)) else []
            if not wanted or not turns:
                return found
            texts = [self._briefing.library.look_up(one) for one in wanted]
            self._add("user", self._briefing.looked_up(self._fitting(texts), turns - 1))
        raise AssertionError

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

    def _add(self, role: str, content: str) -> None:
        self._messages.append(Message("assistant" if role == "assistant" else "user", content))

    def _fitting(self, texts: Sequence[str]) -> list[str]:
        """What was looked up, cut to what the context still holds."""
        estimate = self._briefing.estimate
        left = self._briefing.room - sum(estimate(one.content) for one in self._messages)
        kept: list[str] = []
        for text in texts:
            fitting = cut(text, left, estimate) if left > LEAST else ""
            kept.append(fitting)
            left -= estimate(fitting)
        return kept


def cut(text: str, tokens: int, estimate: Callable[[str], int]) -> str:
    """The beginning of a text that takes no more than so many tokens."""
    taken = estimate(text)
    return text if taken <= tokens else text[: max(0, len(text) * tokens // taken)]
