"""What the model is told at each turn: the study, its project, the facts as the ledger has them now, and what was said, if it fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ...prompts import phrases, render
from ..llm.client import LanguageModel, Message, estimate_tokens, tokens_of
from .desk import Desk
from .session import Session
from .tools import TOOLS
from .views import as_text, results_shown

if TYPE_CHECKING:
    from ..planning.llm.briefing import Briefing
    from ..prose.facts import Facts

FOR_PROJECT = 0.55
"""Part of the context that the study and its source may take; the rest is for facts and what is said."""
MARGIN = 64
"""Tokens for the words that say what is left out."""
FOR_LOOKING = 0.12
"""Part of the context that one look at the source may take."""
FOR_STATE = 0.15
"""Part of the context that the facts of the ledger may take."""


@dataclass
class Context:
    """Puts the messages together for one model."""

    desk: Desk
    session: Session
    model: LanguageModel
    facts: "Callable[[], Facts]"

    def messages(self, said: Sequence[Message], state: str) -> list[Message]:
        """The system's words, the study, what was said as far back as fits, and the facts at the head of the last question."""
        opening = [Message("system", self._system), Message("user", self._opening)]
        left = self._room - tokens_of(opening) - estimate_tokens(state) - MARGIN
        kept = _shortened(_latest(said, left), left)
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
        return told if estimate_tokens(told) <= self._room * FOR_STATE else ""

    def state(self) -> str:
        """The study as it stands: what is measured, drafted, waiting and running. From the ledger, never from memory."""
        desk, most = self.desk, int(self._room * FOR_STATE)
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
    def for_looking(self) -> int:
        """Tokens that one look at the source may give."""
        return int(self._room * FOR_LOOKING)

    @cached_property
    def _system(self) -> str:
        return render("chat/system.j2").strip()

    @property
    def _opening(self) -> str:
        rules = [one for one in self.desk.known.values() if one.interventions]
        return self._briefing.opening(rules)

    @cached_property
    def _briefing(self) -> "Briefing":
        from ..planners import briefing_of
        from ..planning.llm.briefing import FOR_TURNS, LEAST_FOR_TURNS

        briefing = briefing_of(self.desk.setting, self._room, self.desk.state)
        project = int(self._room * FOR_PROJECT)
        return replace(briefing, room=max(int(project / (1 - FOR_TURNS)), project + LEAST_FOR_TURNS), shared={})

    @cached_property
    def _room(self) -> int:
        """Tokens that the messages may have, beside the tools."""
        return self.model.room(tools=TOOLS)


def _shortened(said: list[Message], left: int) -> list[Message]:
    """The same within `left` tokens, as far as leaving out what tools gave back, the oldest first, can do it."""
    words = phrases("chat/turn.j2")
    for at, one in enumerate(said[:-1]):
        if tokens_of(said) <= left:
            break
        if one.role == "tool":
            said[at] = one._replace(content=words.tool_left_out())
    return said


def _latest(said: Sequence[Message], left: int) -> list[Message]:
    """The end of what was said that fits, beginning with a message of the person; at least the last of these."""
    start = max((at for at, one in enumerate(said) if one.role == "user"), default=0)
    for at in range(start - 1, -1, -1):
        if tokens_of(said[at:]) > left:
            break
        if said[at].role == "user":
            start = at
    return list(said[start:])


def _joined(messages: Sequence[Message]) -> list[Message]:
    """Neighbours of the person's side as one message."""
    found: list[Message] = []
    for one in messages:
        if found and found[-1].role == one.role == "user":
            found[-1] = Message("user", f"{found[-1].content}\n\n{one.content}")
        else:
            found.append(one)
    return found
