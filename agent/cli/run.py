"""`lesion run`: the study, to the end or as far as the budget goes."""

import os
import sys
from contextlib import closing
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DEFAULT_STUDY, BaseUrl, Json, Model, Replay, State, StudyFile, Unsafe, WhoPlans, opened
from .signals import listen, stop_when_closed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..budget import Budget
    from ..night.board import Board
    from ..night.clock import Deadline
    from ..night.control import Control
    from ..planning.rules import RulesPlanner
    from ..results import Results
    from ..setting import Setting
    from ..study import End, Study


class Interactions(StrEnum):
    """Which joint removals are planned."""

    AUTO = "auto"
    SEARCH = "search"
    PAIRS = "pairs"
    FACTORIAL = "factorial"
    NONE = "none"


def run(
    study: StudyFile = DEFAULT_STUDY,
    planner: WhoPlans = None,
    model: Model = None,
    base_url: BaseUrl = None,
    replay: Replay = None,
    plan: Annotated[Path | None, typer.Option(help="Run this plan as round 1.")] = None,
    max_trials: Annotated[int | None, typer.Option(min=0, help="Start at most so many trials now.")] = None,
    for_: Annotated[str | None, typer.Option("--for", metavar="DURATION", help="Stop after, e.g., 2h or 45m.")] = None,
    until: Annotated[str | None, typer.Option(metavar="HH:MM", help="Stop at this time of the day.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Trials at once; limits.workers by default.")] = None,
    interactions: Annotated[
        Interactions,
        typer.Option(
            help="Joint removals: by judgement, a search for hidden groups, every pair, every combination (of study.factorial), or none."
        ),
    ] = Interactions.AUTO,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the trials and what they would take; run none.")
    ] = False,
    queued: Annotated[
        bool,
        typer.Option(
            "--queued",
            help="Run what is sealed and what waits in the queue, then stop; nothing new is planned.",
        ),
    ] = False,
    until_closed: Annotated[
        bool,
        typer.Option(
            "--until-closed", help="Stop as after Ctrl-C once standard input is closed; a line `detach` lets it go on."
        ),
    ] = False,
    json: Json = False,
    state: State = None,
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Run the study; what is finished is never run again."""
    from ..budget import Budget, Guard
    from ..ledger import Ledger
    from ..night.board import Board
    from ..night.control import Control
    from ..night.server import listening
    from ..planners import Asked, choose, model_of, require_model, rules_planner
    from ..study import Study
    from ..studyfile import state_folder
    from .watching import watcher

    _require_one_plan(queued=queued, against={"--dry-run": dry_run, "--planner": planner, "--replay": replay})
    deadline = deadline_asked(for_, until)
    setting = opened(study)
    folder = state_folder(setting.spec, state)
    who = Asked(planner.value if planner else None, model, base_url, replay, interactions.value, sys.stderr.isatty())
    settings = None if queued else model_of(setting, who)
    if dry_run:
        asked = Budget(max_trials, deadline), workers
        rules = None if settings else rules_planner(setting, interactions.value)
        _dry_run(setting, folder, rules, plan, asked, unsafe=unsafe_no_sandbox, as_json=json)
        return
    watch = watcher(setting.spec.primary, as_json=json)
    control = Control()
    name, file = setting.spec.study.name, str(setting.spec.path)
    board = Board(control, [(name, file)], command="run", deadline=deadline)
    stop: Guard = lambda _seconds: control.stopping  # noqa: E731
    budget = Budget(max_trials, deadline, guards=[stop], held=lambda: control.paused)
    listen()
    if until_closed:
        stop_when_closed()
    with closing(watch):
        require_model(setting, settings, who, folder, watch)
        with closing(Ledger(folder, write=True)) as ledger, listening([folder], board, control):
            station = setting.station(folder, unsafe=unsafe_no_sandbox)
            noted = board.observer(name, watch)
            chosen = None if queued else choose(setting, settings, who, folder, noted, budget.seconds_left)
            noted.bill = lambda: chosen.spent if chosen else None
            work = Study(setting, folder, ledger, station, noted, chosen)
            end = _worked(work, control, lambda: work.run(budget, lambda: _between(work, board), plan, workers))
            board.phase = "reporting"
            results = _finish(work, end, as_json=json)
            if results:
                board.found(name, results)
            board.study(name, state="complete" if end.complete else "stopped", reason=end.reason)
    raise typer.Exit(_exit_code(results, end))


def _worked(work: "Study", control: "Control", run: "Callable[[], End]") -> "End":
    """`lesion stop` ends it between trials, or `--now` at once, as a budget does."""
    from ..night.halting import Halted, halting
    from ..study import End

    try:
        with halting(control):
            return run()
    except Halted as halt:
        work.ledger.remember("state", f"stopped: {halt}")
        return End(complete=False, reason=str(halt))


def _between(work: "Study", board: "Board") -> list[str]:
    """The report between rounds; what follows is planning."""
    board.phase = "reporting"
    try:
        return _report(work, board)
    finally:
        board.phase = "planning"


def _report(work: "Study", board: "Board | None" = None) -> list[str]:
    """Write the report as it stands and say in a few lines what it says."""
    from ..collect import collect
    from ..report.summary import summary_lines
    from ..report.write import keep_report

    results = collect(work.setting.spec, work.ledger)
    if board:
        board.found(work.setting.spec.study.name, results)
    keep_report(results, work.state)
    return summary_lines(results)


def _finish(work: "Study", end: "End", *, as_json: bool) -> "Results | None":
    from ..collect import collect
    from .watching import emit

    report = work.state / "report" / "report.md"
    if not work.ledger.has_baseline(work.setting.version):
        work.observer.stage(f"stopped before the baseline was measured: {end.reason}; `lesion run` goes on from here")
        return None
    work.observer.stage("complete" if end.complete else f"{_how(end)}; `lesion run` goes on from here")
    work.observer.learnt([*_report(work), f"report: {_short(report)}"])
    results = collect(work.setting.spec, work.ledger)
    if as_json:
        emit(
            {
                "event": "end",
                "complete": end.complete,
                "reason": end.reason,
                "accounting": results.accounting.model_dump(),
                "report": str(report),
            }
        )
    return results


def _how(end: "End") -> str:
    return end.reason if end.measured else f"stopped: {end.reason}"


def _require_one_plan(*, queued: bool, against: dict[str, object]) -> None:
    """A run plans, or it does what was asked for."""
    if queued and (given := [name for name, value in against.items() if value]):
        raise typer.BadParameter(f"nothing is planned with it: leave out {', '.join(given)}", param_hint="--queued")


def _exit_code(results: "Results | None", end: "End") -> int:
    """0 complete, 3 complete with failed trials, 4 stopped by a budget; likewise for all that was asked for."""
    if not end.measured:
        return 4
    return 3 if results and results.accounting.failed else 0


def deadline_asked(for_: str | None, until: str | None) -> "Deadline | None":
    """The deadline that the command line names; None where it names none."""
    from ...executor.units import parse_duration
    from ..budget import deadline_of
    from ..night.clock import Deadline

    try:
        seconds = parse_duration(for_) if for_ is not None else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from None
    try:
        at = deadline_of(seconds, until, datetime.now())
    except ValueError:
        raise typer.BadParameter(f"{until!r} is no time of the day; write it as 07:00", param_hint="--until") from None
    return None if at is None else Deadline(at)


def _dry_run(
    setting: "Setting",
    folder: Path,
    planner: "RulesPlanner | None",
    plan: Path | None,
    asked: "tuple[Budget, int | None]",
    *,
    unsafe: bool,
    as_json: bool,
) -> None:
    """The trials of round 1 that are still to run, and how long they would take by what was measured."""
    from ...executor.pool import Pool
    from ...executor.units import format_duration
    from ..dryrun import forecast, known_power
    from ..forecasts import forecast_lines
    from ..ledger import Ledger
    from ..report.text import plain
    from .watching import emit

    ledger = Ledger(folder, write=False) if (folder / "ledger.db").exists() else None
    with Pool(setting.station(folder, unsafe=unsafe), 1) as pool:
        found = forecast(setting, folder, planner, plan, pool, ledger)
    for mode, power in known_power(setting, ledger, *asked).items():
        typer.echo("\n".join(forecast_lines(power, mode)), err=True)
        if as_json:
            emit({"event": "forecast", "mode": mode, **power.model_dump(mode="json")})
    trials, seconds = [*found.trials, *found.retuning], found.seconds
    for trial in trials:
        if as_json:
            emit({"event": "would-run", "arm": trial.arm, "mode": trial.mode, "seed": trial.seed, "key": trial.key})
            continue
        typer.echo(f"{plain(trial.arm)}\t{trial.mode}\tseed {trial.seed}")
    workers = setting.spec.limits.workers
    took = "no finished run to estimate from yet"
    if seconds is not None:
        total = format_duration(round(seconds * len(trials)))
        took = f"about {total} with {workers} workers, from the trials measured so far"
    retuning = f", {len(found.retuning)} in retuning" if found.retuning else ""
    retuning += f" and up to {found.chosen} of what it chooses" if found.chosen else ""
    typer.echo(
        f"{len(found.trials)} trials in round 1 up to its first look{retuning}; {took}; further looks and follow-ups come on top",
        err=True,
    )


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
