"""`lesion overnight`: studies that run by themselves until a deadline, and `lesion resume` of a night that died."""

import os
import signal
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DEFAULT_STUDY, BaseUrl, Json, Model, State, Unsafe, WhoPlans
from .run import Interactions, deadline_asked
from .signals import Interrupted, listen

if TYPE_CHECKING:
    from ..night.clock import Deadline
    from ..night.guests import Guest
    from ..night.money import Purse
    from ..night.records import Launched
    from ..planners import Asked
    from .watching import Lines

KEPT_FREE = "1GiB"
COMPLETE = (0, 3)
"""Exit codes of a night whose studies are all complete."""


@dataclass(frozen=True)
class Wishes:
    """What the command line says of a night."""

    studies: Sequence[Path]
    state: Path | None
    deadline: "Deadline"
    max_cost: float | None
    notify: str | None
    keep_free: int
    workers: int | None
    asked: "Asked"
    unsafe: bool
    as_json: bool
    resumed: bool = False
    """Whether it goes on with one that was begun before: a model that is away then is gone on without."""

    def words(self) -> list[str]:
        """The command line that means the same in any folder, without its deadline and without `--detach`."""
        asked = self.asked
        options = {
            "--state": self.state.resolve() if self.state else None,
            "--max-cost": self.max_cost,
            "--notify": self.notify,
            "--keep-free": f"{self.keep_free}B",
            "--workers": self.workers,
            "--planner": asked.kind,
            "--model": asked.model,
            "--base-url": asked.base_url,
            "--interactions": asked.interactions,
        }
        flags = {"--json": self.as_json, "--unsafe-no-sandbox": self.unsafe}
        given = [text for name, value in options.items() if value is not None for text in (name, str(value))]
        return [
            "overnight",
            *(str(one.resolve()) for one in self.studies),
            *given,
            *(name for name, wanted in flags.items() if wanted),
        ]


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
    from ..planners import Asked

    deadline = Deadline.kept(deadline_at) if deadline_at else deadline_asked(for_, until)
    if deadline is None:
        raise typer.BadParameter("say when the night is over: --until 07:00 or --for 9h", param_hint="--until")
    named = studies or [DEFAULT_STUDY]
    if state is not None and len(named) > 1:
        raise typer.BadParameter("several studies have a folder each: leave it out", param_hint="--state")
    asked = Asked(planner.value if planner else None, model, base_url, interactions=interactions.value)
    wishes = Wishes(named, state, deadline, max_cost, notify, _size(keep_free), workers, asked, unsafe_no_sandbox, json)
    raise typer.Exit(_begin(wishes, detach=detach, launched_to=launched_to))


def _size(text: str) -> int:
    from ...executor.units import parse_size

    try:
        return parse_size(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--keep-free") from None


def _begin(wishes: Wishes, *, detach: bool, launched_to: int | None) -> int:
    """Check, and then run it here or in a process of its own; the exit code."""
    listen(*([signal.SIGINT, signal.SIGTERM] if launched_to is not None else []), again="`lesion resume`")
    if launched_to is not None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that is closed ends nothing
    if launched_to is None and not _checked(wishes):
        return 2
    if not detach:
        return _spend(wishes, launched_to)
    from ..night.launching import LOG, launch
    from ..studyfile import load_study, state_folder

    first = load_study(wishes.studies[0])
    log = state_folder(first, wishes.state) / LOG
    words = [*wishes.words(), "--deadline-at", wishes.deadline.text(), *(["--resumed"] if wishes.resumed else [])]
    record = launch(words, log)
    _print(record, log, as_json=wishes.as_json)
    return 0


def _checked(wishes: Wishes) -> bool:
    """Print what the preflight finds, and what the night can settle; whether it may begin."""
    from ... import prompts
    from ..budget import Budget
    from ..night.disk import guard
    from ..night.preflight import night_lines, preflight
    from .watching import emit

    fine = True
    with _guests(wishes) as guests, closing(_log(wishes, guests[0].setting.spec.primary)) as watch:
        ready = [one.ready(watch, asks=not wishes.resumed) for one in guests]
        purse = _purse(wishes, guests)
        found = preflight(
            ready,
            wishes.deadline,
            lambda one: Budget(deadline=wishes.deadline, guards=[guard(one.state, wishes.keep_free)]),
            wishes.keep_free,
            purse=purse,
            workers=wishes.workers,
        )
        for one in found:
            fine = fine and one.works is not False
            if wishes.as_json:
                emit({"event": "finding", **one._asdict()})
            typer.echo(one.line, err=wishes.as_json)
        lines = (
            night_lines(ready, wishes.deadline, wishes.workers)
            if fine
            else [prompts.phrases("night/phrases.j2").not_begun()]
        )
    for line in lines:
        typer.echo(line, err=wishes.as_json or not fine)
    return fine


def _log(wishes: Wishes, metric: str) -> "Lines":
    from .watching import Lines, Records

    return Records(metric) if wishes.as_json else Lines(metric, sys.stderr)


def _purse(wishes: Wishes, guests: "Sequence[Guest]") -> "Purse":
    """Dollars of the night; one that is gone on with has no second purse."""
    from ..night.money import Purse
    from ..night.records import last_night
    from ..planners import TRANSCRIPT

    fates = [last_night(one.state) for one in guests] if wishes.resumed else []
    purse = Purse(wishes.max_cost, min((one.launched.at for one in fates if one), default=time.time()))
    for one in guests:
        if one.model is not None:
            purse.open(one.state / TRANSCRIPT, one.model)
    return purse


@contextmanager
def _guests(wishes: Wishes) -> "Generator[list[Guest]]":
    """The studies of the night, read and locked."""
    from ..ledger import Ledger
    from ..night.guests import Guest
    from ..night.ready import read_all
    from ..planners import model_of
    from ..studyfile import state_folder

    with ExitStack() as stack:
        guests: list[Guest] = []
        for setting in read_all(wishes.studies, wishes.state):
            folder = state_folder(setting.spec, wishes.state)
            ledger = stack.enter_context(closing(Ledger(folder, write=True)))
            station, model = setting.station(folder, unsafe=wishes.unsafe), model_of(setting, wishes.asked)
            guests.append(Guest(setting, folder, ledger, station, wishes.asked, model))
        yield guests


def _spend(wishes: Wishes, launched_to: int | None) -> int:
    """The night itself."""
    from ..night.board import Board
    from ..night.control import Control
    from ..night.disk import guard
    from ..night.launching import announce
    from ..night.morning import Begun, end, tell
    from ..night.night import Night
    from ..night.records import note
    from ..night.server import listening
    from ..night.verdicts import verdicts

    with _guests(wishes) as guests:
        control, states = Control(), [one.state for one in guests]
        board = Board(control, [(one.name, str(one.setting.spec.path)) for one in guests], deadline=wishes.deadline)
        known = {one.name: results for one in guests if (results := one.results())}
        begun = Begun(time.time(), wishes.deadline, {name: verdicts(each) for name, each in known.items()})
        guards = [guard(state, wishes.keep_free) for state in states]
        purse = _purse(wishes, guests)
        for one in guests:
            one.allowance = purse.left
        night = Night(guests, wishes.deadline, control, board, partial(_log, wishes), wishes.workers, guards)
        with listening(states, board, control):
            record = _launched(wishes, detached=launched_to is not None, studies=guests)
            for one in guests:
                note(one.state, record.model_copy(update={"before": begun.before.get(one.name, {})}))
            if launched_to is not None:
                announce(launched_to, record.model_dump(mode="json"))
            try:
                reason = night.run()
            except Interrupted as interruption:
                end(guests, str(interruption), interruption.exit_code)
                raise
            lines, code = tell(night, begun, reason, wishes.notify)
    _say(lines, code, reason, as_json=wishes.as_json)
    return code


def _launched(wishes: Wishes, *, detached: bool, studies: "Sequence[Guest]") -> "Launched":
    from ..night.launching import LOG
    from ..night.records import Launched

    return Launched(
        pid=os.getpid(),
        at=time.time(),
        deadline=wishes.deadline.at,
        clocks=wishes.deadline.text(),
        studies=[str(one.setting.spec.path) for one in studies],
        command=wishes.words(),
        folder=str(Path.cwd()),
        log=str(studies[0].state / LOG) if detached else None,
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
    from ... import prompts
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
