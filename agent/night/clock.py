"""A deadline that holds whatever the system's clock does meanwhile."""

import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

JUMP = 60.0
"""Seconds by which the two clocks may drift apart before it is called a jump."""


def running_clock() -> float:
    """Seconds since this machine was started, suspended ones included; nobody can set it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Deadline:
    """A moment by the wall clock, and the same by a clock that nobody can set; the earlier of the two counts.

    A wall clock that is set back never makes the time longer; one that is set forward may end it early, never late.
    """

    at: float
    """Seconds since the epoch."""
    wall: float = field(default_factory=lambda: time.time())
    running: float = field(default_factory=lambda: running_clock())
    """Both clocks when the deadline was made."""
    asked: float | None = None
    """What was asked for, where this ends some time before it."""

    @classmethod
    def kept(cls, text: str) -> "Deadline":
        """The deadline that another process has kept as `text`; `ValueError` for what is none.

        After a restart of the machine nobody knows how long that took: from then on the wall clock alone counts.
        """
        at, wall, running, machine = text.split(" ", 3)
        if machine != _since_start():
            return cls(float(at))
        return cls(float(at), float(wall), float(running))

    def text(self) -> str:
        """To be kept for another process (`kept`)."""
        return f"{self.at!r} {self.wall!r} {self.running!r} {_since_start()}"

    def before(self, seconds: float) -> "Deadline":
        """So many seconds earlier, and told as this one."""
        return replace(self, at=self.at - seconds, asked=self.asked or self.at)

    @property
    def told(self) -> str:
        """E.g. `the deadline is 07:00:00`, or `the deadline is Fri 27 Nov 07:00:00` where that is another day than today."""
        return f"the deadline is {told_time(self.asked or self.at, '%H:%M:%S')}"

    def seconds_left(self) -> float:
        """Negative once it is over."""
        return min(self.at - time.time(), self.at - self.wall - (running_clock() - self.running))

    def jump(self) -> float:
        """Seconds by which the wall clock was set since then, forward where positive; 0 where it was not."""
        drift = (time.time() - self.wall) - (running_clock() - self.running)
        return drift if abs(drift) > JUMP else 0.0


def told_time(at: float, form: str = "%H:%M") -> str:
    """A moment as clocks here show it, with its day where that is not today; `form`: of the time alone."""
    moment = datetime.fromtimestamp(at)
    today = moment.date() == datetime.fromtimestamp(time.time()).date()
    return moment.strftime(form if today else f"%a %d %b {form}")


def _since_start() -> str:
    """Another word after every start of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
