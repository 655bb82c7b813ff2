"""The end of a night: reports, a summary on one screen, whoever is to be told, and the last record."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ...executor.errors import LesionError
from .guests import Guest
from .night import Night, jumped
from .notify import LEAST, LONGEST, notify
from .points import Told
from .records import Ended, note
from .reserve import release
from .summary import Hours, summary, troubled

T = TypeVar("T")
SUMMARY = "summary.txt"
"""Beside the report."""


def tell(night: Night, reason: str, command: str | None) -> tuple[list[str], int]:
    """Write every report and the summary, tell `command`, and note the end last of all; the summary, and the exit code.

    What cannot be written, as on a full disk, is said and gone on from. `command` is given the time until the deadline, ten
    seconds at least and a minute at most.
    """
    night.board.phase = "reporting"
    code, now = night.code(), time.time()
    said = jumped(night.deadline)
    for guest in night.guests:
        release(guest.state)
        guest.problems += [said] if said else []
    told = [_told(night, guest, Ended(at=now, code=code, reason=reason, told=guest.problems)) for guest in night.guests]
    began = min(guest.evening.at for guest in night.guests)
    true = now - night.deadline.jump()  # as a clock shows it that was not set
    lines = summary(told, Hours(began=began, deadline=night.deadline.at, ended=true, code=code))
    for guest in night.guests:
        _tried(guest, lambda state=guest.state: _keep(state / "report" / SUMMARY, lines))
    seconds = min(LONGEST, max(LEAST, night.deadline.seconds_left()))
    if command and (trouble := notify(command, "\n".join(lines) + "\n", seconds)):
        for guest in night.guests:
            guest.problems.append(trouble)
        lines = [*lines, *troubled(trouble)]
    end(night.guests, reason, code, at=now)
    return lines, code


def end(guests: Sequence[Guest], reason: str, code: int, at: float | None = None) -> None:
    """The last record of every study; `at`: when the night ended, now by default."""
    for guest in guests:
        release(guest.state)
        record = Ended(at=at or time.time(), code=code, reason=guest.reason or reason, told=guest.problems)
        _tried(guest, lambda state=guest.state, record=record: note(state, record))


def _told(night: Night, guest: Guest, ended: Ended) -> Told:
    ended = ended.model_copy(update={"reason": guest.reason or ended.reason})
    results = _tried(guest, lambda: night.report(guest, ended))
    report = guest.state / "report" / "report.html"
    return Told(
        name=guest.name,
        results=results or guest.results(),
        reason=guest.reason or ended.reason,
        complete=guest.fate == "complete",
        before=guest.evening.before,
        problems=list(guest.problems),
        report=report if results else None,
    )


def _tried(guest: Guest, do: Callable[[], T]) -> T | None:
    """None, and a problem of the study's, where something cannot be written."""
    try:
        return do()
    except (LesionError, OSError) as error:
        guest.problems.append(str(error).splitlines()[0])
        return None


def _keep(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
