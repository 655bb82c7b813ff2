"""A conversation about one study: messages and commands in, answers and results out, everything on the disk as it happens."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from ...executor.errors import LesionError, ModelError
from ...prompts import phrases
from .approval import Approval
from .desk import Desk
from .events import Consented, ModeOfWork, Noticed, Said, Told
from .front import Front
from .session import Session
from .shown import Note, Shown

if TYPE_CHECKING:
    from ..llm.settings import ModelSettings
    from ..llm.spending import Usage
    from ..prose.facts import Facts
    from .drafting import Drafter
    from .limits import Limits
    from .news import Arrival
    from .runner import Ended, Planner, Runner
    from .running import Running
    from .speaker import Speaker

ALL_MEASURED = (0, 3)
GOOD_ENDS = (0, 3, 4, 130, 143, -2, -15)


class Conversation:
    """Everything that one message sets going. Used from one thread; `arrivals` may be polled from another."""

    def __init__(self, desk: Desk, session: Session, front: Front, runner: "Runner", named: "Planner") -> None:
        self.desk, self.session, self.front = desk, session, front
        self.over = False
        """Whether somebody has said goodbye."""
        self.runner, self._named = runner, named
        self.used: Usage | None = None
        """What the model has taken, as of the last turn."""
        self.settings: ModelSettings | None = None
        self._speaker: Speaker | None = None
        self._parts: tuple[Drafter, Running] | None = None
        chosen = session.model.model if session.model else None
        if session.model is None or session.model.model is not None:
            self._configure(chosen)

    def handle(self, text: str) -> None:
        """A message, or a command where it begins with a slash. Raises `LesionError` and `KeyboardInterrupt`."""
        if self.desk.refresh():
            self._source_changed()
        if text.startswith("/"):
            self.front.show(*self._commands(text))
            return
        self.session.tell(Said(text=text))
        self._answer()

    def go_on(self) -> None:
        """Let the model speak about what has arrived; in auto alone, where nobody has to be asked."""
        if self.settings is not None:
            self._answer()

    def hear(self, one: "Arrival", *, shown: bool = True) -> None:
        """Something new of the results: told once, and to the model at its next turn; a person need not see it here."""
        from .views import as_text

        text = one.shown.text if isinstance(one.shown, Note) else as_text([one.shown])
        self.session.tell(Told(key=one.key, count=one.count, text=self.desk.library.told(text)))
        if shown:
            self.front.show(one.shown)

    def run_ended(self, ended: "Ended") -> None:
        """The process that ran trials for this conversation has ended."""
        text = phrases("chat/loop.j2").ended(ended.code, "\n".join(ended.last))
        self.session.tell(Noticed(text=self.desk.library.told(text)))
        self.front.show(Note(text=text, tone="plain" if ended.code in GOOD_ENDS else "error"))
        if ended.code in ALL_MEASURED and self.running.waits:  # approved in its last moment
            self.running.go_on()

    def warm(self) -> None:
        """Find out ahead what most questions need, and say where that fails."""
        try:
            self.desk.warm()
        except LesionError as error:
            self.trouble(str(error))

    def trouble(self, text: str) -> None:
        """Something went wrong beside the conversation."""
        self.front.show(Note(text=text, tone="error"))

    @property
    def speaks_by_itself(self) -> bool:
        """Whether the model goes on when results are there, without being asked."""
        return self.session.mode.mode == "auto" and self.settings is not None

    # the parts, made when they are first needed: none of them is needed for a first prompt

    @property
    def drafter(self) -> "Drafter":
        """What puts ablations into the draft."""
        return self._made[0]

    @property
    def running(self) -> "Running":
        """What asks before anything runs."""
        return self._made[1]

    def usage(self) -> "Usage | None":
        """What the model has taken; None without one."""
        return self._with_model.model.usage if self.settings else None

    def facts(self) -> "Facts":
        """What a text of the model may refer to now."""
        from ..prose.facts import Facts, NothingMeasured

        results = self.desk.results
        return NothingMeasured() if results is None else Facts(results)

    def choose_model(self, name: str | None) -> None:
        """Let another model answer from now on; None: none. `ModelError` where it cannot be used."""
        if name is None:
            self.settings, self._speaker = None, None
            return
        before = self.settings, self._speaker
        self._configure(name, required=True)
        try:
            self._reached()
        except LesionError:
            self.settings, self._speaker = before
            raise

    def set_mode(self, mode: ModeOfWork, limits: "Limits") -> None:
        """How much may happen without a yes from now on."""
        from .commands import moded

        with self.desk.ledger() as ledger:
            attempts = ledger.compute(self.desk.setting.version)["attempts"] if ledger else 0
        self.session.tell(moded(mode, limits, attempts))

    # inside

    def _commands(self, line: str) -> list[Shown]:
        from .commands import Commands

        return Commands(self).run(line)

    def _answer(self) -> None:
        from ..llm.settings import BASE_URL, KEY, MODEL

        if self.settings is None:
            raise ModelError(
                "no language model answers here",
                to_do=f"set {MODEL}, and {KEY} or {BASE_URL}, or say /model NAME; /help lists what works without one",
            )
        words = phrases("chat/turn.j2")
        with self.front.busy(words.reading()):
            speaker = self._reached()
            _ = self.desk.known
        if self._may_send(speaker):
            try:
                speaker.turn()
            finally:
                self.used = speaker.model.usage

    def _reached(self) -> "Speaker":
        """The speaker, once its server is known to be there and to have the model."""
        is_new, speaker = self._speaker is None, self._with_model
        if is_new:
            try:
                speaker.model.preflight()
            except LesionError:
                self._speaker = None
                raise
        return speaker

    def _may_send(self, speaker: "Speaker") -> bool:
        """Whether the project may be sent to this server: a person is asked once."""
        settings, words = speaker.settings, phrases("chat/turn.j2")
        if settings.server in self.session.servers:
            return True
        left_out = self.desk.library.left_out
        tokens = speaker.context.size
        asked = Approval(
            what=words.sending(settings.model, settings.server),
            notes=tuple(words.sent(tokens, left_out, settings).strip().splitlines()),
        )
        reply = self.front.approve(asked)
        if reply is not None and not reply.yes:
            self.front.show(Note(text=words.not_sent(), tone="warning"))
            return False
        self.session.tell(Consented(server=settings.server))
        return True

    def _source_changed(self) -> None:
        words = phrases("chat/turn.j2")
        self._parts, self._speaker = None, None
        self.session.tell(Noticed(text=words.source_changed()))
        self.front.show(Note(text=words.source_changed(), tone="warning"))

    def _planner(self) -> "Planner":
        """Who plans the whole study: the model that answers here, else what flags and study file say."""
        return replace(self._named, model=self.settings.model) if self.settings else self._named

    def _configure(self, model: str | None, *, required: bool = False) -> None:
        from ..llm.settings import is_configured, model_settings

        planner, flags = self.desk.spec.planner, {"model": model or self._named.model, "base_url": self._named.base_url}
        kind = self._named.kind or planner.kind
        asked = required or self._named.model is not None or kind == "llm"
        if not required and kind == "rules":
            return
        if asked or (kind == "auto" and is_configured(planner, os.environ, **flags)):
            self.settings = model_settings(planner, os.environ, **flags, stream=True)
            self._speaker = None

    @property
    def _made(self) -> "tuple[Drafter, Running]":
        from .drafting import Drafter
        from .running import Running

        if self._parts is None:
            running = Running(self.desk, self.session, self.front, self.runner, self._planner)
            self._parts = Drafter(self.desk, self.session), running
        return self._parts

    @property
    def _with_model(self) -> "Speaker":
        from .speaking import speaker_of

        assert self.settings is not None
        if self._speaker is None:
            self._speaker = speaker_of(self, self.settings)
        return self._speaker
