"""How far a stage is, and when it will be over."""

import time

from ..executor.units import format_duration


class Progress:
    """Counts trials and estimates what is left from those that finished."""

    def __init__(self) -> None:
        self.total = self.done = 0
        self._since = time.monotonic()

    def plan(self, trials: int, *, further: bool) -> None:
        """Start counting anew, or count further; a negative number takes trials off."""
        if further and self.total:
            self.total += trials
            return
        self.total, self.done, self._since = trials, 0, time.monotonic()

    def waited(self, seconds: float) -> None:
        """Leave so much of the time until now out of the pace: nothing was to run in it."""
        self._since = min(time.monotonic(), self._since + seconds)

    def seconds_left(self) -> float | None:
        """At the pace so far; the first trial alone, a baseline's, tells little of the others."""
        if self.done <= 1 or self.done >= self.total:
            return None
        return (time.monotonic() - self._since) / self.done * (self.total - self.done)

    def line(self) -> str:
        """E.g. `12/40 trials, about 1m20s left`."""
        if not self.total:
            return ""
        seconds = self.seconds_left()
        left = "" if seconds is None else f", about {format_duration(round(seconds))} left"
        return f"{self.done}/{self.total} trials{left}"
