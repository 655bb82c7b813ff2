"""What one invocation may still spend: trials and time, and what else may keep a trial from starting."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .night.clock import Deadline

Guard = Callable[[float], str | None]
"""Why one more trial, of so many expected seconds, may not start; None where it may."""


@dataclass
class Budget:
    """Checked before every start: nothing starts that cannot end in time."""

    max_trials: int | None = None
    deadline: Deadline | None = None
    started: int = field(default=0)
    guards: Sequence[Guard] = ()
    """Asked before every start, in order, after the deadline."""
    held: Callable[[], bool] = lambda: False
    """Whether everything waits: nothing starts, and nothing is over."""

    def room(self, expected_seconds: float) -> int | None:
        """How many trials of `expected_seconds` may still start in one process, one after the other; None: any number."""
        allowed = [] if self.max_trials is None else [max(0, self.max_trials - self.started)]
        if self.deadline is not None and expected_seconds > 0:
            allowed.append(max(1, int(self.deadline.seconds_left() / expected_seconds)))
        return min(allowed, default=None)

    def allowed(self, seconds: float | None, workers: int) -> int | None:
        """How many trials of so many seconds, side by side, may still start; None: any number, as far as is known."""
        found = [] if self.max_trials is None else [max(0, self.max_trials - self.started)]
        if self.deadline is not None and seconds:
            found.append(max(0, int(self.deadline.seconds_left() / seconds * workers)))
        return min(found, default=None)

    def seconds_left(self) -> float:
        """Until the deadline; infinite where there is none."""
        return math.inf if self.deadline is None else self.deadline.seconds_left()

    def refusal(self, expected_seconds: float) -> str | None:
        """Why one more trial of `expected_seconds` may not start; None where it may."""
        if self.max_trials is not None and self.started >= self.max_trials:
            return f"{self.max_trials} trials were allowed (--max-trials)"
        if self.deadline is not None and self.deadline.seconds_left() < expected_seconds:
            return self.deadline.told
        return next((told for guard in self.guards if (told := guard(expected_seconds))), None)


def deadline_of(for_seconds: float | None, until: str | None, now: datetime) -> float | None:
    """The earlier of `now + for_seconds` and the next time that clocks show `until` ("07:00"). `ValueError` for nonsense."""
    ends: list[datetime] = []
    if for_seconds is not None:
        ends.append(now + timedelta(seconds=for_seconds))
    if until is not None:
        clock = datetime.strptime(until, "%H:%M")
        end = now.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
        ends.append(end if end > now else end + timedelta(days=1))
    return min(ends).timestamp() if ends else None
