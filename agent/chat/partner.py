"""The language model that a conversation is held with: which one, where, and whether the project may be sent to it."""

import os
from typing import TYPE_CHECKING

from ...executor.errors import LesionError, ModelError
from ...prompts import phrases
from .approval import Approval
from .events import Consented
from .shown import Note

if TYPE_CHECKING:
    from ..llm.settings import ModelSettings
    from ..llm.spending import Usage
    from .conversation import Conversation
    from .runner import PlannerFlags
    from .speaker import Speaker


class Partner:
    """Of one conversation; there may be none.

    Args:
        talk: the conversation.
        named: what flags say, before environment and study file.
    """

    def __init__(self, talk: "Conversation", named: "PlannerFlags") -> None:
        self._talk, self._named = talk, named
        self.settings: ModelSettings | None = None
        """None: no model answers."""
        self.used: Usage | None = None
        """What it has taken, as of the last turn."""
        self._speaker: Speaker | None = None
        chosen = talk.session.model
        if named.model is not None or chosen is None:
            self._configure(None)
        elif chosen.model is not None:
            self._configure(chosen.model)

    def answer(self) -> None:
        """One turn on what was said last, after a yes to sending.

        Raises:
            KeyboardInterrupt: a person cancelled it.
            LesionError: there is no model, or it cannot be asked.
        """
        from ..llm.settings import BASE_URL, KEY, MODEL

        if self.settings is None:
            raise ModelError(
                "no language model answers here",
                to_do=f"set {MODEL}, and {KEY} or {BASE_URL}, or say /model NAME; /help lists what works without one",
            )
        with self._talk.front.busy(phrases("chat/turn.j2").reading()):
            speaker = self._reached()
            _ = self._talk.desk.known
        if self._may_send(speaker):
            try:
                speaker.turn()
            finally:
                self.used = speaker.model.usage

    def choose(self, name: str | None) -> None:
        """Let another model answer from now on; None: none. `ModelError` where it cannot be used."""
        before = self.settings, self._speaker
        self.settings = self._speaker = None
        if name is None:
            return
        try:
            self._configure(name, required=True)
            self._reached()
        except LesionError:
            self.settings, self._speaker = before
            raise

    def forget_project(self) -> None:
        """The project has changed: what it was told of it is no longer so."""
        self._speaker = None

    def usage(self) -> "Usage | None":
        """What models have taken; None where none was asked."""
        from .speaking import usage_without_model

        desk = self._talk.desk
        return self._made().model.usage if self.settings else usage_without_model(desk.spec.planner, desk.state)

    def planner(self) -> "PlannerFlags":
        """Who plans the whole study: this model, where it may be sent the project, else the rules."""
        from .runner import PlannerFlags

        if self.settings is None or self.settings.server not in self._talk.session.servers:
            return PlannerFlags(kind="rules")  # the project is sent nowhere without a yes
        return PlannerFlags("llm", self.settings.model, self.settings.base_url)

    @property
    def is_met(self) -> bool:
        """Whether it answers, and may speak by itself: it was spoken to, or a person has agreed to sending."""
        agreed = self.settings is not None and self.settings.server in self._talk.session.servers
        return agreed or (self.settings is not None and self.used is not None)

    # inside

    def _configure(self, model: str | None, *, required: bool = False) -> None:
        from ..llm.settings import is_configured, model_settings

        planner = self._talk.desk.spec.planner
        flags = {"model": model or self._named.model, "base_url": self._named.base_url}
        kind = self._named.kind or planner.kind
        if not required and kind == "rules":
            return
        asked = required or self._named.model is not None or kind == "llm"
        if asked or is_configured(planner, os.environ, **flags):
            self.settings = model_settings(planner, os.environ, **flags, stream=True)
            self._speaker = None

    def _made(self) -> "Speaker":
        from .speaking import speaker_of

        assert self.settings is not None
        if self._speaker is None:
            self._speaker = speaker_of(self._talk, self.settings)
        return self._speaker

    def _reached(self) -> "Speaker":
        """The speaker, once its server is known to be there and to have the model."""
        is_new, speaker = self._speaker is None, self._made()
        if is_new:
            try:
                speaker.model.preflight()
            except LesionError:
                self._speaker = None
                raise
        return speaker

    def _may_send(self, speaker: "Speaker") -> bool:
        """Whether the project may be sent to this server: a person is asked once."""
        talk, settings, words = self._talk, speaker.settings, phrases("chat/turn.j2")
        if settings.server in talk.session.servers:
            return True
        notes = words.sent(speaker.context.size, talk.desk.library.left_out, settings)
        asked = Approval(what=words.sending(settings.model, settings.server), notes=tuple(notes.strip().splitlines()))
        reply = talk.asked(asked)
        if reply is None:  # nobody can be asked: whoever says a message without a terminal wants it sent
            return True
        if reply.yes:
            talk.session.tell(Consented(server=settings.server))
        else:
            talk.front.show(Note(text=words.not_sent(), tone="warning"))
        return reply.yes
