"""What each of the model's tools does, with the same functions as the commands; what it gives back is told to the model as text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ...executor.errors import LesionError
from ...prompts import phrases
from ..llm.tokens import BYTES_A_TOKEN
from ..planning.llm.answers import FollowUp
from ..reading.digest.lookup import Lookup
from . import views
from .desk import Desk
from .drafting import Drafter
from .events import Drafting
from .fewtools import in_full
from .front import Front
from .limits import Limits
from .running import Running
from .session import Session
from .shown import Prose, Shown, Step
from .tools import (
    AskForMoreSeeds,
    DraftParagraph,
    Explain,
    LookAtComponents,
    Propose,
    ReadResults,
    ReadSource,
    RemoveOtherwise,
    RemoveTogether,
    Run,
    SearchSource,
    ShowDiff,
    WhatWouldSettle,
    Withdraw,
)

if TYPE_CHECKING:
    from ..planning.llm.answers import Expectation

MOST_TOKENS = 6000
"""Of what one use of a tool may give."""


@dataclass(frozen=True)
class Toolbox:
    """The tools of one model in one conversation."""

    desk: Desk
    session: Session
    front: Front
    drafter: Drafter
    running: Running
    by: str
    """`llm:` and the model's name."""
    most: Callable[[], int]
    """Tokens that the model has room for in one answer of a tool."""

    def use(self, tool: BaseModel) -> str:
        """Do what it asks for, show what a person should see of it, and say what came of it, without secrets."""
        try:
            return self._cut(self.desk.library.told(self._use(in_full(tool))))
        except LesionError as error:
            self.front.show(Step(tool=_name(tool), text=str(error)))
            return self.desk.library.told(str(error))

    def _cut(self, text: str) -> str:
        """As much of an answer as the model has room for."""
        most = int(min(self.most(), MOST_TOKENS) * BYTES_A_TOKEN)
        kept = text.encode()[:most].decode(errors="ignore")
        return text if kept == text else phrases("chat/turn.j2").cut(kept)

    def _use(self, tool: BaseModel) -> str:
        found = self._looked_up(tool)
        return self._done(tool) if found is None else found

    def _looked_up(self, tool: BaseModel) -> str | None:
        """What looks and changes nothing: a person sees that the model has read it; None for other tools."""
        known, results = self.desk.known, self.desk.results
        match tool:
            case LookAtComponents():
                return self._told(tool, tool.pattern, views.components_shown(known, _patterns(tool.pattern)))
            case ReadSource():
                last = max(tool.first, tool.last)
                return self._read(tool, Lookup(kind="range", path=tool.path, first=tool.first, last=last))
            case SearchSource():
                return self._read(tool, Lookup(kind="grep", path=tool.path, pattern=tool.pattern))
            case ReadResults():
                return self._told(tool, tool.pattern, views.results_shown(results, _patterns(tool.pattern)))
            case Explain():
                planned = {**self.desk.planned, **self.session.draft.ablations}
                return self._told(tool, tool.name, views.why_shown(results, planned, known, tool.name))
            case WhatWouldSettle():
                return self._told(tool, "", views.settle_shown(results))
            case _:
                return None

    def _done(self, tool: BaseModel) -> str:
        """What a person sees as the model does it."""
        match tool:
            case Propose():
                return self._shown(self.drafter.propose(tool.proposals, self.by))
            case RemoveTogether() | RemoveOtherwise():
                return self._shown(self.drafter.follow_up(_follow_up(tool), self.by))
            case AskForMoreSeeds():
                return self._shown(self.drafter.follow_up(_more_seeds(tool), self.by))
            case Withdraw():
                return self._shown(self.drafter.withdraw(tool.ids))
            case ShowDiff():
                return self._shown(self.drafter.diffs(tool.ids))
            case Run():
                return self.running.ask(Limits(), "model", tool.reason)
            case DraftParagraph():
                return self._paragraph(tool.text)
            case _:
                raise TypeError(f"no tool: {tool!r}")

    def _told(self, tool: BaseModel, what: str, shown: Sequence[Shown]) -> str:
        self.front.show(Step(tool=_name(tool), text=what))
        return views.as_text(shown)

    def _read(self, tool: BaseModel, lookup: Lookup) -> str:
        refusal = self.desk.library.refusal(lookup)
        text = phrases("chat/turn.j2").looked(lookup.describe(), refusal)
        self.front.show(Step(tool=_name(tool), text=text))
        return self.desk.library.look_up(lookup, min(self.most(), MOST_TOKENS))

    def _shown(self, shown: Sequence[Shown]) -> str:
        self.front.show(*shown)
        return views.as_text(shown) or phrases("chat/words.j2").nothing_came()

    def _paragraph(self, text: str) -> str:
        from ..prose.draft import checked_draft
        from ..prose.facts import Facts

        words, results = phrases("chat/words.j2"), self.desk.results
        if results is None:
            return words.nothing_measured()
        draft = checked_draft(text, Facts(results))
        if isinstance(draft, list):
            self.front.show(Step(tool="draft_paragraph", text=words.sent_back(len(draft))))
            return words.not_a_paragraph(draft)
        self.session.tell(Drafting(template=draft.template, text=draft.text))
        self.front.show(Prose(text=draft.text))
        return words.paragraph_shown()


def _name(tool: BaseModel) -> str:
    from ..llm.tools import tool_name

    return tool_name(type(tool))


def _patterns(pattern: str) -> list[str]:
    return [] if pattern in ("", "*") else [pattern]


def _follow_up(tool: RemoveTogether | RemoveOtherwise) -> FollowUp:
    targets = tool.targets if isinstance(tool, RemoveTogether) else [tool.target]
    what, how = ("together", "default") if isinstance(tool, RemoveTogether) else ("another-kind", tool.how)
    asked: Expectation = tool
    shared = {name: getattr(asked, name) for name in type(asked).model_fields if name in FollowUp.model_fields}
    return FollowUp.model_validate({**shared, "what": what, "targets": targets, "how": how})


def _more_seeds(tool: AskForMoreSeeds) -> FollowUp:
    nothing = {"hypothesis": tool.why, "direction": "none", "size": 0.0, "confidence": 50}
    asked = {"what": "more-seeds", "targets": tool.targets, "how": "default", "mode": "all", "why": tool.why}
    return FollowUp.model_validate({**nothing, **asked})
