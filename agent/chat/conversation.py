"""A conversation about one study: messages and commands in, answers and results out, everything on the disk as it happens."""

from typing import TYPE_CHECKING

from ...executor.errors import LesionError
from ...prompts import phrases
from .approval import Approval, Reply
from .desk import Desk
from .events import ModeOfWork, Noticed, Said, Told
from .front import Front
from .partner import Partner
from .session import Session
from .shown import Note, Shown

if TYPE_CHECKING:
    from ..prose.facts import Facts
    from .drafting import Drafter
    from .limits import Limits
    from .news import Arrival
    from .runner import Ended, PlannerFlags, Runner
    from .running import Running

ALL_MEASURED = (0, 3)
ALWAYS = ("/help", "/stop", "/quit")
"""Commands that work whatever the project looks like."""
ASIDE = ("/help", "/components", "/source", "/diff", "/status", "/results", "/why", "/settle", "/cost")
"""Commands that only look."""
GOOD_ENDS = (0, 3, 4, 130, 143, -2, -15)


class Conversation:
    """Everything that one message sets going. One thread handles messages; another may bring results and the end of a run."""

    def __init__(self, desk: Desk, session: Session, front: Front, runner: "Runner", named: "PlannerFlags") -> None:
        self.desk, self.session, self.front = desk, session, front
        self.failed = False
        """Whether a run of this conversation has ended with an error."""
        self.over = False
        """Whether somebody has said goodbye."""
        self.runner = runner
        self._parts: tuple[Drafter, Running] | None = None
        self.partner = Partner(self, named)

    def handle(self, text: str) -> None:
        """A message, or a command where it begins with a slash. Raises `LesionError` and `KeyboardInterrupt`."""
        if not text.startswith(ALWAYS) and self.desk.refresh():
            self._source_changed()
        if text.startswith("/"):
            self.front.show(*self._commands(text))
            return
        self.session.tell(Said(text=text))
        self.partner.answer()

    def go_on(self) -> None:
        """Let the model speak about what has arrived; in auto alone, where nobody has to be asked."""
        self.partner.answer()

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
        is_good = ended.code in GOOD_ENDS
        self.failed = self.failed or not is_good
        self.front.show(Note(text=text, tone="plain" if is_good else "error"))
        if ended.code in ALL_MEASURED and self.running.waits:  # approved in its last moment
            self.running.start(self.running.left(self.session.mode))

    def stopped(self) -> str:
        """Stop what this conversation runs; what to say of it."""
        self.runner.stop()
        self.runner.ended()
        text = phrases("chat/commands.j2").stopped()
        self.session.tell(Noticed(text=text))
        return text

    def warm(self) -> None:
        """Find out ahead what most questions need, and say where that fails, and what is left from earlier."""
        try:
            self.desk.warm()
            left = phrases("chat/loop.j2").left_over(
                self.desk.is_stale, list(self.desk.waiting), self.running.unfinished, self.running.driver
            )
        except LesionError as error:
            self.trouble(str(error))
            return
        if left.strip():
            self.front.show(Note(text=left.strip()))

    def trouble(self, text: str) -> None:
        """Something went wrong beside the conversation."""
        self.front.show(Note(text=text, tone="error"))

    @property
    def speaks_by_itself(self) -> bool:
        """Whether the model goes on when results are there, without being asked."""
        return self.session.mode.mode == "auto" and self.partner.is_met

    # the parts, made when they are first needed: none of them is needed for a first prompt

    @property
    def drafter(self) -> "Drafter":
        """What puts ablations into the draft."""
        return self._made[0]

    @property
    def running(self) -> "Running":
        """What asks before anything runs."""
        return self._made[1]

    def facts(self) -> "Facts":
        """What a text of the model may refer to now."""
        from ..prose.facts import Facts, NothingMeasured

        results = self.desk.results
        return NothingMeasured() if results is None else Facts(results)

    def set_mode(self, mode: ModeOfWork, limits: "Limits", *, lasting: bool = True) -> None:
        """How much may happen without a yes from now on; `lasting`: also in the next process."""
        from .commands import moded

        with self.desk.ledger() as ledger:
            made = moded(mode, limits, ledger.attempts_made() if ledger else 0)
        if lasting:
            self.session.tell(made)
        else:
            self.session.mode = made

    def asked(self, what: Approval) -> Reply | None:
        """A person's answer; commands that they type instead are done, if they only look, and they are asked again."""
        while True:
            reply = self.front.approve(what)
            if reply is None or not reply.reason.startswith("/"):
                return reply
            self._aside(reply.reason)

    # inside

    def _commands(self, line: str) -> list[Shown]:
        from .commands import Commands

        return Commands(self).run(line)

    def _aside(self, line: str) -> None:
        if not line.startswith(ASIDE):
            self.front.show(Note(text=phrases("chat/turn.j2").answer_first(), tone="warning"))
            return
        try:
            self.front.show(*self._commands(line))
        except LesionError as error:
            self.trouble(str(error))

    def _source_changed(self) -> None:
        words = phrases("chat/turn.j2")
        self._parts = None
        self.partner.forget_project()
        self.session.tell(Noticed(text=words.source_changed()))
        self.front.show(Note(text=words.source_changed(), tone="warning"))

    @property
    def _made(self) -> "tuple[Drafter, Running]":
        from .drafting import Drafter
        from .running import Running

        if self._parts is None:
            running = Running(self.desk, self.session, self.front, self.runner, self.partner.planner, self.asked)
            self._parts = Drafter(self.desk, self.session), running
        return self._parts
