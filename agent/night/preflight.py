"""Before you go to bed: finds now what would fail at three in the morning, and says what the night can settle."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ... import prompts
from ...executor.errors import LesionError
from ...executor.pool import Pool
from ...executor.units import format_duration, format_size
from ..arms import MEASURED
from ..budget import Budget
from ..dispatch import OutOfBudget
from ..finding import Finding
from ..firstline import first_line
from ..forecasts import forecast_lines
from ..ledger import TrialRow
from ..records.ahead import ModeAhead, StudyAhead
from ..report import numbers
from .ahead import ahead_of
from .clock import Deadline
from .disk import KEEP_FREE
from .diskneeds import Need, disk_found, need_of
from .endpoint import caps, endpoint
from .hours import night_of
from .memory import gpu_memory_found, memory_found
from .money import Purse
from .ready import Ready


class _Looked(NamedTuple):
    """What was found of one study."""

    ahead: StudyAhead
    need: Need


def preflight(
    studies: Sequence[Ready],
    deadline: Deadline | None,
    budget_of: Callable[[Ready], Budget],
    keep_free: int = KEEP_FREE,
    *,
    purse: Purse | None = None,
    workers: int | None = None,
    reports: float = 0.0,
    resumed: bool = False,
) -> Iterator[Finding]:
    """Everything that could end the night before its deadline, of all studies; one that does not work keeps it from starting.

    Args:
        studies: of the night.
        deadline: when the last trial has to be over; None for none.
        budget_of: what a study may spend, guards included: its first baseline trial is started by it.
        keep_free: bytes of disk that are left to others.
        purse: dollars of the night, over all studies.
        workers: trials at once, where the command line says so.
        reports: seconds after the deadline that belong to the reports.
        resumed: whether it goes on with a night that was begun: however little time is left, its report is written.
    """
    purse = purse or Purse(None, 0.0)
    asked: set[tuple[str, str]] = set()
    looked: list[_Looked] = []
    for ready in studies:
        sandbox = ready.station.sandbox
        safe = "self-test passed" if sandbox.isolates else "none: trials run as plain processes"
        yield Finding(f"{ready.name}: sandbox", True if sandbox.isolates else None, f"{sandbox.name}: {safe}")
        there = (ready.model.server, ready.model.model) if ready.model else None
        if there is None or there not in asked:
            yield from endpoint(ready, purse)
        if there is not None:
            asked.add(there)
        found, rows = _first_baseline(ready, budget_of(ready))
        yield found
        if not found.works:
            continue
        try:
            one = _looked(ready, rows, deadline, workers)
            more = [*_memory(ready, rows, one.ahead.workers), *caps(ready, purse)]
        except LesionError as error:
            yield _failed(f"{ready.name}: plan", error)
            continue
        looked.append(one)
        yield from more
    yield from disk_found([one.need for one in looked], keep_free)
    if deadline is not None:
        for each in time_found([one.ahead for one in looked], deadline.seconds_left(), reports):
            yield each._replace(works=each.works or None) if resumed else each


def night_lines(studies: Sequence[Ready], deadline: Deadline | None, workers: int | None = None) -> list[str]:
    """What the night can settle and what it cannot, for people; after `preflight`. Raises `LesionError` as `ahead_of` does."""
    ahead = [ahead_of(one, deadline, workers) for one in studies]
    return told(ahead, None if deadline is None else deadline.seconds_left())


def told(ahead: Sequence[StudyAhead], night: float | None) -> list[str]:
    """The same, of what is known; `night`: seconds until the deadline, None for none."""
    text = prompts.render(
        "night/preflight.j2",
        night=None if night is None else max(0.0, night),
        studies=ahead,
        total=_sum([one.first_look_seconds for one in ahead]),
        settles=_settles,
        num=numbers,
    )
    return [line for line in text.splitlines() if line.strip()]


def time_found(ahead: Sequence[StudyAhead], night: float, reports: float = 0.0) -> Iterator[Finding]:
    """Whether the night is long enough: to say anything at all, and to say something of everything.

    Args:
        ahead: the studies.
        night: seconds for trials.
        reports: seconds after them.
    """
    least = [one.least_seconds for one in ahead]
    shortest = min((one for one in least if one is not None), default=None)
    has = f"the night has {_lasting(night)} for trials" + (
        f" and {_lasting(reports)} for the reports" if reports else ""
    )
    if shortest is not None and shortest > night and None not in least:
        what = "the baseline and the first look of one ablation"
        yield Finding(
            "time", False, f"{what} take about {_lasting(shortest)}, and {has}", _longer(shortest, len(ahead))
        )
        return
    total = _sum([one.first_look_seconds for one in ahead])
    of_all, take = (
        ("the first looks of all studies, which share the night,", "take")
        if len(ahead) > 1
        else ("the first look of every ablation", "takes")
    )
    if total is None:
        yield Finding("time", None, f"{has}; what it can finish is known once every mode has run")
    elif total > night:
        late = f"{of_all} would take about {_lasting(total)}, and {has}: some verdicts will be missing"
        yield Finding("time", None, late, _longer(total, len(ahead)))
    elif ahead:
        yield Finding("time", True, f"{has}; {of_all} {take} about {_lasting(total)} of it")


def _first_baseline(ready: Ready, budget: Budget) -> tuple[Finding, list[TrialRow]]:
    """One real trial, kept in the ledger; what it came to."""
    what = f"{ready.name}: baseline"
    try:
        with Pool(ready.station, 1) as pool:
            rows = ready.study.first_baseline(pool, budget)
    except OutOfBudget as stop:
        return Finding(what, False, f"its first trial may not start: {stop.args[0]}"), []
    except LesionError as error:
        return _failed(what, error), []
    if bad := next((row for row in rows if row.status not in MEASURED), None):
        log = ready.state / "trials" / bad.key / "output.log"
        to_do = f"see {log}" if log.exists() else "mend the experiment, or its [limits]"
        why = first_line(bad.reason or "")
        return Finding(what, False, f"{bad.mode}, seed 0: {bad.status}: {why}", to_do), rows
    took = ", ".join(
        f"{row.mode} {format_duration(row.wall_seconds or 0.0)}"
        + (f" and {format_size(row.peak_memory)}" if row.peak_memory else "")
        for row in rows
    )
    return Finding(what, True, f"seed 0 ran: {took}"), rows


def _looked(ready: Ready, rows: Sequence[TrialRow], deadline: Deadline | None, workers: int | None) -> _Looked:
    ahead = ahead_of(ready, deadline, workers)
    return _Looked(ahead, need_of(ready, rows, ahead))


def _memory(ready: Ready, rows: Sequence[TrialRow], workers: int) -> Iterator[Finding]:
    limits = ready.setting.spec.limits
    peak = max((row.peak_memory for row in rows if row.peak_memory), default=None)
    yield memory_found(ready.name, peak, limits.trial_memory, workers)
    on_gpu = [(one.facts.peak_gpu_memory, one.facts.gpu_memory) for one in rows if one.facts.peak_gpu_memory]
    largest, device = max(on_gpu, key=lambda one: one[0] or 0, default=(None, None))
    gpus = len(list(Path("/dev").glob("nvidia[0-9]*"))) if ready.station.view.gpus else 0
    yield gpu_memory_found(ready.name, largest, device, workers, gpus)


def _settles(one: ModeAhead) -> list[str]:
    return forecast_lines(one.power, one.mode) if one.power and one.first_look else []


def _failed(what: str, error: LesionError) -> Finding:
    return Finding(what, False, f"{error.where}: {error.what}" if error.where else error.what, error.to_do or "")


def _sum(seconds: Sequence[float | None]) -> float | None:
    known = [one for one in seconds if one is not None]
    return sum(known) if len(known) == len(seconds) else None


def _lasting(seconds: float) -> str:
    return format_duration(max(0.0, seconds))


def _longer(seconds: float, studies: int) -> str:
    hours = _lasting(night_of(seconds * 1.1, studies)).replace(" ", "")
    return f"--for {hours} or more, more workers, fewer components (study.components), fewer study.seeds"
