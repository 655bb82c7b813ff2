"""`lesion overnight`: studies that run by themselves until a deadline, and `lesion resume` of a night that died."""

import os
import signal
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ... import prompts
from .options import DEFAULT_STUDY, BaseUrl, Json, Model, State, Unsafe, WhoPlans
from .run import Interactions, deadline_asked
from .signals import Interrupted, listen

if TYPE_CHECKING:
    from ..budget import Guard
    from ..night.board import Board
    from ..night.clock import Deadline
    from ..night.control import Control
    from ..night.guests import Guest
    from ..night.records import Launched
    from ..night.wishes import Wishes
    from .watching import Lines

KEPT_FREE = "1GiB"
COMPLETE = (0, 3)
"""Exit codes of a night whose studies are all complete."""


def overnight(
    studies: Annotated[
        list[Path] | None, typer.Argument(help="Study files, or their folders.", show_default="./lesion.toml")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="HH:MM", help="When the report has to be there.")] = None,
    for_: Annotated[str | None, typer.Option("--for", metavar="DURATION", help="Likewise, e.g. 9h.")] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="Dollars that models may cost in all; needs prices in the study file.")
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Go on without this terminal, once it is really running.")
    ] = False,
    notify: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Run at the end, with the summary on its standard input.")
    ] = None,
    keep_free: Annotated[str, typer.Option(metavar="SIZE", help="Start nothing once the disk has less.")] = KEPT_FREE,
    workers: Annotated[int | None, typer.Option(min=1, help="Trials at once; limits.workers by default.")] = None,
    planner: WhoPlans = None,
    model: Model = None,
    base_url: BaseUrl = None,
    interactions: Annotated[Interactions, typer.Option(help="As in `lesion run`.")] = Interactions.AUTO,
    json: Json = False,
    state: State = None,
    unsafe_no_sandbox: Unsafe = False,
    deadline_at: Annotated[str | None, typer.Option(hidden=True)] = None,
    launched_to: Annotated[int | None, typer.Option(hidden=True)] = None,
    resumed: Annotated[bool, typer.Option("--resumed", hidden=True)] = False,
) -> None:
    """Check that it will go well, run the studies until the deadline, write the reports, and say on one screen what came out.

    `lesion status`, `watch`, `pause`, `resume` and `stop` work from another terminal.
    """
    from ..night.clock import Deadline
    from ..night.wishes import Wishes
    from ..planners import Asked

    deadline = Deadline.kept(deadline_at) if deadline_at else deadline_asked(for_, until)
    if deadline is None:
        raise typer.BadParameter("say when the night is over: --until 07:00 or --for 9h", param_hint="--until")
    named = studies or [DEFAULT_STUDY]
    if state is not None and len(named) > 1:
        raise typer.BadParameter("several studies have a folder each: leave it out", param_hint="--state")
    wishes = Wishes(
        studies=named,
        state=state,
        deadline=deadline,
        max_cost=max_cost,
        notify=notify,
        keep_free=_size(keep_free),
        workers=workers,
        asked=Asked(planner.value if planner else None, model, base_url, interactions=interactions.value),
        unsafe=unsafe_no_sandbox,
        as_json=json,
        resumed=resumed,
        launched=launched_to is not None,
    )
    raise typer.Exit(_begin(wishes, detach=detach, launched_to=launched_to))


def _size(text: str) -> int:
    from ...executor.units import parse_size

    try:
        return parse_size(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--keep-free") from None


@dataclass(frozen=True)
class _Tonight:
    """What a night has while it is open: its studies are locked, and it listens."""

    wishes: "Wishes"
    guests: "list[Guest]"
    control: "Control"
    board: "Board"

    def log(self, metric: str) -> "Lines":
        """Who writes the log of a study."""
        from .watching import Lines, Records

        return Records(metric) if self.wishes.as_json else Lines(metric, sys.stderr)

    def last_words(self, number: int) -> None:
        """Where a second signal cuts the report short, its end is noted all the same."""
        from ..night.morning import end

        end(
            self.guests,
            f"stopped by a second {signal.Signals(number).name}, before its report was written",
            128 + number,
        )

    def guards(self) -> "list[Guard]":
        """What keeps trials from starting, beside the deadline."""
        from ..night.disk import guard

        return [guard(one.state, self.wishes.keep_free) for one in self.guests]


def _begin(wishes: "Wishes", *, detach: bool, launched_to: int | None) -> int:
    """Check, and then run it here or in a process of its own; the exit code."""
    ends = [signal.SIGINT, signal.SIGTERM]
    listen(*(ends if wishes.launched else []), again="`lesion resume`" if wishes.resumed else "`lesion overnight`")
    if wishes.launched:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that is closed ends nothing
    with _open(wishes) as tonight:
        if not wishes.launched and (code := _checked(tonight)):
            return code
        if not detach:
            listen(*(ends if wishes.launched else []), again="`lesion resume`", last_words=tonight.last_words)
            return _spend(tonight, launched_to)
        tonight.board.broken_off(prompts.phrases("night/phrases.j2").moves().strip(), failed=False)
    from ..night.launching import LOG, launch

    log = tonight.guests[0].state / LOG
    words = [*wishes.words(), "--deadline-at", wishes.deadline.text(), *(["--resumed"] if wishes.resumed else [])]
    _print(launch(words, log), log, as_json=wishes.as_json)
    return 0


@contextmanager
def _open(wishes: "Wishes") -> "Generator[_Tonight]":
    from ..night.board import Board
    from ..night.control import Control
    from ..night.guests import guests_of
    from ..night.server import listening

    with guests_of(wishes) as guests:
        control = Control()
        board = Board(control, [(one.name, str(one.setting.spec.path)) for one in guests], deadline=wishes.deadline)
        with listening([one.state for one in guests], board, control):
            yield _Tonight(wishes, guests, control, board)


def _checked(tonight: _Tonight) -> int:
    """Print what the preflight finds, and what the night can settle; 0 where it may begin, else the exit code."""
    from ..night.halting import Halted, halting

    deadline = tonight.wishes.deadline
    try:
        with halting(tonight.control, deadline):
            fine, lines = _preflight(tonight)
        code = 0 if fine else 2
    except Halted as halt:
        if tonight.wishes.resumed:
            return 0  # it was begun before: the report is written
        late = deadline.seconds_left() <= 0
        lines = [prompts.phrases("night/phrases.j2").not_begun(str(halt), late).strip()]
        code = 2 if late else 4
    for line in lines:
        typer.echo(line, err=tonight.wishes.as_json or code != 0)
    if code:
        tonight.board.broken_off(lines[-1], failed=code == 2)
    return code


def _preflight(tonight: _Tonight) -> tuple[bool, list[str]]:
    """Whether all that was looked at works, and what the night can settle."""
    from ..budget import Budget, Guard
    from ..night.hours import working_hours
    from ..night.preflight import night_lines, preflight
    from .watching import emit

    wishes, guests, control = tonight.wishes, tonight.guests, tonight.control
    work, fine = working_hours(wishes.deadline, len(guests)), True
    stop: Guard = lambda _seconds: control.stopping  # noqa: E731
    budget = Budget(deadline=work, guards=[stop, *tonight.guards()], held=lambda: control.paused)
    with closing(tonight.log(guests[0].setting.spec.primary)) as log:
        ready = [one.ready(tonight.board.observer(one.name, log), asks=not wishes.resumed) for one in guests]
        for one in preflight(
            ready,
            work,
            lambda _: budget,
            wishes.keep_free,
            purse=guests[0].purse,
            workers=wishes.workers,
            reports=wishes.deadline.at - work.at,
            resumed=wishes.resumed,
        ):
            fine = fine and one.works is not False
            if wishes.as_json:
                emit({"event": "finding", **one._asdict()})
            typer.echo(one.line, err=wishes.as_json)
    for one in guests:
        tonight.board.study(one.name, state="waiting")
    if not fine:
        return False, [prompts.phrases("night/phrases.j2").not_begun("").strip()]
    return True, night_lines(ready, work, wishes.workers)


def _spend(tonight: _Tonight, launched_to: int | None) -> int:
    """The night itself."""
    from ..night.launching import announce
    from ..night.morning import end, tell
    from ..night.night import Night
    from ..night.records import note
    from ..night.reserve import hold

    wishes, guests = tonight.wishes, tonight.guests
    night = Night(
        guests, wishes.deadline, tonight.control, tonight.board, tonight.log, wishes.workers, tonight.guards()
    )
    for one in guests:
        hold(one.state)
        note(one.state, _launched(tonight, one))
    if launched_to is not None:
        announce(launched_to, _launched(tonight, guests[0]).model_dump(mode="json"))
    try:
        reason = night.run()
        typer.echo(prompts.phrases("night/phrases.j2").reporting(reason).strip(), err=True)
        lines, code = tell(night, reason, wishes.notify)
    except Interrupted as interruption:
        end(guests, str(interruption), interruption.exit_code)
        raise
    _say(lines, code, reason, as_json=wishes.as_json)
    return code


def _launched(tonight: _Tonight, guest: "Guest") -> "Launched":
    """The record of it for one study."""
    from ..night.launching import LOG
    from ..night.records import Launched

    wishes, evening = tonight.wishes, guest.evening
    return Launched(
        pid=os.getpid(),
        at=time.time(),
        began=evening.at,
        deadline=wishes.deadline.at,
        clocks=wishes.deadline.text(),
        studies=[str(one.setting.spec.path) for one in tonight.guests],
        command=wishes.words(),
        folder=str(Path.cwd()),
        log=str(tonight.guests[0].state / LOG) if wishes.launched else None,
        before=evening.before,
        before_version=evening.before_version,
        before_split=evening.before_split,
    )


def _say(lines: Sequence[str], code: int, reason: str, *, as_json: bool) -> None:
    from ..report.text import lines as shown
    from .watching import emit

    if as_json:
        emit({"event": "end", "reason": reason, "code": code, "summary": list(lines)})
        return
    for line in lines:
        typer.echo(shown(line))


def _print(record: dict[str, object], log: Path, *, as_json: bool) -> None:
    from .watching import emit

    if as_json:
        emit({**record, "event": "launched"})
        return
    typer.echo(prompts.phrases("night/phrases.j2").launched(record, str(log)))


def start_again(state: Path, deadline: "Deadline | None") -> int:
    """Go on with the last night of this state folder, until its own deadline or a new one; the exit code.

    Raises:
        NightError: there was none, or its deadline is over and no new one is given.
    """
    from ...executor.errors import NightError
    from ..night.clock import Deadline
    from ..night.records import last_night

    fate = last_night(state)
    if fate is None:
        raise NightError("no night was begun here", where=str(state), to_do="begin one with `lesion overnight`")
    if fate.ended and fate.ended.code in COMPLETE:
        typer.echo("the last night is complete: nothing is left of it")
        return 0
    ends = deadline or Deadline.kept(fate.launched.clocks)
    if ends.seconds_left() <= 0:
        raise NightError(
            f"the deadline of the last night is over ({time.strftime('%Y-%m-%d %H:%M', time.localtime(ends.at))})",
            where=str(state),
            to_do="give a new one: `lesion resume --until 07:00` or `--for 2h`; `lesion report` writes what is known",
        )
    words = [*fate.launched.command, "--deadline-at", ends.text(), "--resumed"]
    words += ["--detach"] if fate.launched.log else []
    os.chdir(fate.launched.folder)
    os.execv(sys.executable, [sys.executable, "-m", "lesion.agent", *words])
