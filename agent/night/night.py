"""The night itself: studies take turns until all are complete, the deadline comes or somebody stops it; then the reports."""

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ... import prompts
from ...executor.errors import LedgerError, LesionError, ModelError
from ..budget import Budget, Guard
from ..dispatch import Observer
from .board import Board, Noting
from .clock import Deadline, running_clock
from .control import Control
from .guests import Guest
from .halting import PAUSED, halting
from .hours import asking_seconds, working_hours
from .priority import next_study, view_of
from .records import Ended
from .reserve import release
from .told import with_night

if TYPE_CHECKING:
    from ..cli.watching import Lines
    from ..results import Results
    from ..study import End

TURNS = 6
"""Turns that every study of a night gets, about."""
SHORTEST_TURN, LONGEST_TURN = 20.0, 900.0
"""Seconds."""
TURN_OVER = "another study's turn"
STOPPED = 4
"""The exit code."""


@dataclass
class Night:
    """Runs the studies of one night in this process; `run` returns once nothing more can be learnt or started."""

    guests: Sequence[Guest]
    deadline: Deadline
    """When the reports have to be there."""
    control: Control
    board: Board
    watcher: "Callable[[str], Lines]"
    """The one who writes the log, by the name of a study's primary metric."""
    workers: int | None = None
    guards: Sequence[Guard] = ()
    """What else may keep trials from starting, and ends the night: a disk that fills up."""
    known: "dict[str, Results | None]" = field(default_factory=dict)
    """Study → what its last turn left."""

    def __post_init__(self) -> None:
        seconds = max(0.0, self.deadline.seconds_left())
        self.work = working_hours(self.deadline, len(self.guests))
        self.asking_seconds = asking_seconds(seconds)
        self.turn_seconds = min(LONGEST_TURN, max(SHORTEST_TURN, seconds / (TURNS * len(self.guests))))

    def run(self) -> str:
        """Turn after turn; why it ended. What a study raises ends that study, never the night."""
        for guest in self.guests:
            self._show(guest, guest.results())
        try:
            with halting(self.control, self.work):
                while (index := self._next()) is not None:
                    self._turn(self.guests[index])
        except SystemExit as cut:  # the deadline, `lesion stop --now`, Ctrl-C
            self._cut_short(str(cut), cut.code if isinstance(cut.code, int) else STOPPED)
        return self._reason()

    def _cut_short(self, reason: str, code: int) -> None:
        self.control.stop(reason)
        for guest in self.guests:
            if guest.over:
                continue
            if guest.was_complete and (results := guest.results()) and not results.accounting.pending:
                guest.keep_state("complete")
                self._completed(guest)
            else:
                guest.end("stopped", reason, code)
                guest.keep_state()

    def _next(self) -> int | None:
        if self.control.stopping or all(guest.over for guest in self.guests):
            return None
        if reason := next((told for guard in self.guards if (told := guard(0.0))), None):
            self._cut_short(reason, STOPPED)
            return None
        views = [
            view_of(self.known.get(guest.name), over=guest.over, turns=guest.turns, waited=guest.waited)
            for guest in self.guests
        ]
        return next_study(views, self.work.seconds_left())

    def _turn(self, guest: Guest) -> None:
        self._give_the_turn(guest)
        watch = self.board.observer(guest.name, self.watcher(guest.setting.spec.primary))
        if len(self.guests) > 1:
            watch.stage(guest.name)
        try:
            end = self._run(guest, watch)
        except ModelError as error:
            self._without_model(guest, watch, error)
        except LesionError as error:
            if isinstance(error, LedgerError):
                release(guest.state)
            self._failed(guest, watch, str(error), error.exit_code)
        except Exception as error:
            watch.learnt(traceback.format_exc().splitlines())
            told = "".join(traceback.format_exception_only(error)).strip()
            self._failed(guest, watch, f"an error of lesion's own, its log has more: {told}", 1)
        else:
            self._ended(guest, end)
        self._show(guest, guest.results())

    def _give_the_turn(self, guest: Guest) -> None:
        for one in self.guests:
            one.waited += 1
        guest.turns, guest.waited = guest.turns + 1, 0
        self.board.study(guest.name, state="running")
        self.board.phase = "running"

    def _run(self, guest: Guest, watch: Noting) -> "End":
        """One turn of a study: until it is complete, or its time is over and another one waits."""
        from ..llm.allotted import Allotted
        from ..study import Study

        allotted = Allotted(self.asking_seconds)
        planner = guest.planner(watch, self.work.seconds_left, allotted, lambda why: self._instead(guest, watch, why))
        watch.bill = lambda: planner.spent
        study = Study(guest.setting, guest.state, guest.ledger, guest.station, watch, planner)
        try:
            return study.run(self._budget(guest), lambda: self._said(guest), workers=self.workers)
        finally:
            if allotted.left <= 0:
                guest.without_model()

    def _budget(self, guest: Guest) -> Budget:
        others = any(not one.over for one in self.guests if one is not guest)
        stop: Guard = lambda _seconds: self.control.stopping  # noqa: E731
        guards = [stop, *self.guards, *([self._turn_over()] if others else [])]
        return Budget(deadline=self.work, guards=guards, held=lambda: self.control.paused)

    def _turn_over(self) -> Guard:
        """A turn is counted from its first trial, so that planning and checks take nothing of it; nothing is over in a pause."""
        ends: float | None = None

        def refusal(_seconds: float) -> str | None:
            nonlocal ends
            ends = ends or running_clock() + self.turn_seconds
            return TURN_OVER if running_clock() > ends and not self.control.paused else None

        return refusal

    def _ended(self, guest: Guest, end: "End") -> None:
        if end.complete:
            self._completed(guest)
        elif end.reason == TURN_OVER:
            guest.fate = "waiting"
        else:
            guest.end("stopped", end.reason, STOPPED)

    def _completed(self, guest: Guest) -> None:
        results = guest.results()
        guest.end("complete", "complete", 3 if results and results.accounting.failed else 0)

    def _without_model(self, guest: Guest, watch: Observer, error: ModelError) -> None:
        """The rules plan from here on."""
        if guest.model is None:
            self._failed(guest, watch, str(error), error.exit_code)
            return
        guest.without_model()
        self._instead(guest, watch, error.what)

    def _instead(self, guest: Guest, watch: Observer, why: str) -> None:
        """Say that the rules plan in the model's place: once a night, whatever comes after."""
        words = prompts.phrases("night/phrases.j2")
        if not any(one.startswith(words.without_model("").strip()) for one in guest.problems):
            guest.trouble(words.without_model(why).strip())
            watch.learnt(guest.problems[-1:])

    def _failed(self, guest: Guest, watch: Observer, text: str, code: int) -> None:
        guest.end("failed", text, code)
        guest.trouble(text)
        watch.learnt(text.splitlines())
        guest.keep_state()

    def _said(self, guest: Guest) -> list[str]:
        """A report after every round, and its few lines."""
        from ..report.summary import summary_lines

        self.board.phase = "reporting"
        try:
            results = self.report(guest)
            return summary_lines(results) if results else []
        finally:
            self.board.phase = "planning"

    def report(self, guest: Guest, ended: Ended | None = None) -> "Results | None":
        """Write a study's report as it stands; None where there is nothing to report.

        `ended`: how the night is about to end.
        """
        from ..report.write import keep_report

        results = guest.results()
        if results is not None and ended is not None:
            results = with_night(results, guest.state, ended)
        if results is not None:
            keep_report(results, guest.state)
            self._show(guest, results)
        return results

    def _show(self, guest: Guest, results: "Results | None") -> None:
        self.known[guest.name] = results
        if results is not None:
            self.board.found(guest.name, results)
        self.board.study(guest.name, state=guest.fate, reason=guest.reason)

    def _reason(self) -> str:
        if self.control.stopping:
            return self.control.stopping
        if all(guest.fate == "complete" for guest in self.guests):
            return "complete"
        if self.work.seconds_left() <= 0:
            return self.work.told + (PAUSED if self.control.held else "")
        return prompts.phrases("night/phrases.j2").reasons(self.guests).strip()

    def code(self) -> int:
        """The night's exit code: an error's, 4 where anything was stopped, 3 where trials failed, 0."""
        codes = [guest.code for guest in self.guests]
        errors = [code for guest, code in zip(self.guests, codes, strict=True) if guest.fate == "failed"]
        return next(iter(errors), max(codes, default=0))


def jumped(deadline: Deadline) -> str | None:
    """What is said of a clock that was set in the night; None where it was not."""
    jump = deadline.jump()
    if not jump:
        return None
    now = time.strftime("%H:%M:%S")
    return prompts.phrases("night/phrases.j2").jumped(seconds=abs(jump), forward=jump > 0, now=now).strip()
