"""The end of a night: reports, a summary on one screen, whoever is to be told, and the last record."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .clock import Deadline
from .guests import Guest
from .night import Night, jumped
from .notify import notify
from .points import Told
from .records import Ended, note
from .summary import Hours, summary

SUMMARY = "summary.txt"
"""Beside the report."""


@dataclass(frozen=True)
class Begun:
    """What was known when the night began."""

    at: float
    """Seconds since the epoch."""
    deadline: Deadline
    before: dict[str, dict[str, str]]
    """Study → its verdicts then."""


def tell(night: Night, begun: Begun, reason: str, command: str | None) -> tuple[list[str], int]:
    """Write every report and the summary, tell `command`, and note the end last of all; the summary, and the exit code."""
    night.board.phase = "reporting"
    code, now = night.code(), time.time()
    said = jumped(begun.deadline)
    for guest in night.guests:
        guest.problems += [said] if said else []
    told = [
        _told(night, guest, begun, Ended(at=now, code=code, reason=reason, told=guest.problems))
        for guest in night.guests
    ]
    lines = summary(told, Hours(began=begun.at, deadline=begun.deadline.at, ended=now, code=code))
    for guest in night.guests:
        _keep(guest.state / "report" / SUMMARY, lines)
    if command and (trouble := notify(command, "\n".join(lines) + "\n")):
        for guest in night.guests:
            guest.problems.append(trouble)
        lines = [*lines, trouble]
    end(night.guests, reason, code)
    return lines, code


def end(guests: Sequence[Guest], reason: str, code: int) -> None:
    """The last record of every study."""
    for guest in guests:
        note(guest.state, Ended(at=time.time(), code=code, reason=guest.reason or reason, told=guest.problems))


def _told(night: Night, guest: Guest, begun: Begun, ended: Ended) -> Told:
    results = night.report(guest, ended.model_copy(update={"reason": guest.reason or ended.reason}))
    return Told(
        name=guest.name,
        results=results,
        reason=guest.reason or ended.reason,
        complete=guest.fate == "complete",
        before=begun.before.get(guest.name, {}),
        problems=list(guest.problems),
        report=guest.state / "report" / "report.html" if results else None,
    )


def _keep(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
