"""The line below the prompt: mode, trials, draft, model, tokens; kept up by whoever knows, read while somebody types."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ....prompts import phrases

if TYPE_CHECKING:
    from ..conversation import Conversation


@dataclass
class Toolbar:
    """What stands there; parts in the order in which they matter, as narrow terminals show the first ones only."""

    progress: str = ""
    """Of the trials that run, whoever runs them."""
    talk: "Conversation | None" = field(default=None, repr=False)

    def show(self, progress: str) -> None:
        """How far the trials are; empty where none run."""
        self.progress = progress

    def parts(self) -> list[str]:
        """Quick: nothing here reads a file."""
        words, talk = phrases("chat/loop.j2"), self.talk
        if talk is None:
            return []
        draft = talk.session.draft
        told = [
            words.mode(talk.session.mode.mode),
            self.progress,
            words.draft(len(draft.ablations) + len(draft.more_seeds)) if draft else "",
            talk.partner.settings.model if talk.partner.settings else words.no_model(),
            words.tokens(talk.partner.used) if talk.partner.used else "",
        ]
        return [one for one in told if one]
