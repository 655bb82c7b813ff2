"""What the model is told at each turn: the study, its project, the facts as the ledger has them now, and what was said, if it fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from ...prompts import phrases, render
from ..llm.client import LanguageModel, Message, estimate_tokens, tokens_of
from ..planning.llm.vocabulary import listed
from .desk import Desk
from .fewtools import tools_for
from .session import Session
from .tools import TOOLS
from .views import as_text, results_shown

if TYPE_CHECKING:
    from ..planning.llm.answers import Answer
    from ..planning.llm.briefing import Briefing
    from ..prose.facts import Facts

FOR_PROJECT = 0.4
"""Part of the room that the study and its source may take; the rest is for facts and what is said."""
FOR_STATE = 0.1
"""Part of the room that the facts of the ledger may take, and as much again what a text may refer to."""
MARGIN = 64
"""Tokens for the words that say what is left out."""
FOR_TOOL = 0.2
"""Part of the room that one answer of a tool may take."""


@dataclass
class Context:
    """Puts the messages together for one model."""

    desk: Desk
    session: Session
    model: LanguageModel
    facts: "Callable[[], Facts]"
    _opened: int = 0
    """Room for which the study was last told: what a server has read need not change because there is a little more."""

    def messages(self, said: Sequence[Message], state: str) -> list[Message]:
        """The system's words, the study, what was said as far back as fits, and the facts at the head of the last question."""
        opening = [Message("system", self._system), Message("user", self._opening)]
        left = self.room - tokens_of([*opening, Message("user", state)]) - MARGIN
        kept = within(said, left)
        words = phrases("chat/turn.j2")
        if len(kept) < len(said):
            opening[1] = Message("user", f"{self._opening}\n\n{words.left_out(len(said) - len(kept))}")
        last = max((at for at, one in enumerate(kept) if one.role == "user"), default=None)
        if last is not None:
            kept[last] = kept[last]._replace(content=f"{state}\n\n{kept[last].content}")
        else:
            kept = [Message("user", state), *kept]
        return _joined([*opening, *kept])

    def _references(self) -> str:
        """What a text may refer to, where the context has room for all of it."""
        told = self.facts().references()
        return told if estimate_tokens(told) <= self.room * FOR_STATE else ""

    def state(self) -> str:
        """The study as it stands: what is measured, drafted, waiting and running. From the ledger, never from memory."""
        desk, most = self.desk, int(self.room * FOR_STATE)
        results = desk.results
        told = as_text(results_shown(results))
        draft = list(self.session.draft.ablations)
        text = render(
            "chat/state.j2",
            results=desk.library.told(told[: most * 3]),
            cut=len(told) > most * 3,
            study=results.study if results else None,
            draft=draft,
            waiting=list(desk.waiting),
            driver=desk.driver,
            mode=self.session.mode.mode,
            claims=results.claims if results else [],
            references=self._references(),
        )
        return text.strip()

    @property
    def size(self) -> int:
        """Tokens that the first question takes, about."""
        return tokens_of(self.messages(self.session.messages, self.state()))

    @property
    def for_tool(self) -> int:
        """Tokens that one answer of a tool may take."""
        return int(self.room * FOR_TOOL)

    @cached_property
    def tools(self) -> "tuple[type[Answer], ...]":
        """What the model may do: fewer things where it has little room."""
        may = [one for one in self._removable if any(fnmatchcase(one, each) for each in self._briefing.allowed)]
        return tools_for(self.model, listed(may, self._briefing.room, estimate_tokens))

    @property
    def room(self) -> int:
        """Tokens that the messages may have, beside the tools; less where the server counts more than was thought."""
        return self.model.room(tools=self.tools)

    @cached_property
    def _system(self) -> str:
        return render("chat/system.j2", brief=self.tools is not TOOLS).strip()

    @property
    def _removable(self) -> list[str]:
        return [one.id for one in self.desk.known.values() if one.interventions]

    @property
    def _opening(self) -> str:
        if not 0 < self._opened <= self.room:
            self._opened = self.room
            self._briefing.shared.clear()
        return self._briefing.opening(list(self.desk.known.values()), int(self._opened * FOR_PROJECT))

    @cached_property
    def _briefing(self) -> "Briefing":
        from ..planners import briefing_of

        briefing = briefing_of(self.desk.setting, self.model.room(), self.desk.state)
        return replace(briefing, shared={})


def within(said: Sequence[Message], left: int) -> list[Message]:
    """The end of what was said that fits, beginning with a message of the person.

    The last of these is always kept, and where what came of it does not fit, the oldest answers of tools lose their text.
    """
    start = max((at for at, one in enumerate(said) if one.role == "user"), default=0)
    for at in range(start - 1, -1, -1):
        if tokens_of(said[at:]) > left:
            break
        if said[at].role == "user":
            start = at
    kept, no_room = list(said[start:]), phrases("chat/turn.j2").no_room()
    for at, one in enumerate(kept[:-1]):
        if tokens_of(kept) <= left:
            break
        if one.role == "tool":
            kept[at] = one._replace(content=no_room)
    return kept


def _joined(messages: Sequence[Message]) -> list[Message]:
    """Neighbours of the person's side as one message."""
    found: list[Message] = []
    for one in messages:
        if found and found[-1].role == one.role == "user":
            found[-1] = Message("user", f"{found[-1].content}\n\n{one.content}")
        else:
            found.append(one)
    return found
