"""How long an answerless server is waited for: as long as it says, else longer each time, and not for ever."""

import math
import random
import time
from collections.abc import Callable
from typing import Protocol

from ...executor.errors import LesionError, ModelError, OutOfTime, PlanningOver
from ...executor.units import format_duration
from ...prompts import phrases
from .allotted import Allotted
from .failures import Failure, Kind

TRIES: dict[Kind, int] = {"unreachable": 5, "silent": 3, "broken": 4, "failing": 5, "busy": 8}
"""Requests for one answer, by what goes wrong; a wait that the server asked for is not counted."""
LONGEST = 3600.0
"""Seconds that one answer is waited for between requests, in all."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
LATER = "`lesion run` asks it then; or plan without it: --planner rules"
ADVICE: dict[Kind, str] = {
    "unreachable": "see that the server runs and that base_url is its address",
    "silent": "see that the server is alive, or raise [planner] timeout",
    "busy": "wait and run again, or use a server with a higher limit",
}


class Watcher(Protocol):
    """Whoever shows a person what the client is doing."""

    def asking(self, text: str) -> None:
        """A question goes to the server: what about, to which model, how large."""
        ...

    def waiting(self, text: str) -> None:
        """The client waits: why, how long, until when."""
        ...

    def streaming(self, tokens: int, delta: str) -> None:
        """A piece of an answer came: tokens so far, about, and its text; empty while the model reasons."""
        ...


class Patience:
    """Waits between requests for one answer, or says that it is no use."""

    def __init__(
        self,
        watcher: Watcher,
        sleep: Callable[[float], None],
        time_left: Callable[[], float],
        *,
        began: bool,
        allotted: Allotted,
    ) -> None:
        """`began`: whether the study has had an answer; `allotted`: once it is over, the study goes on without one."""
        self._watcher, self._sleep, self._time_left = watcher, sleep, time_left
        self._began, self._allotted = began, allotted
        self._tries: dict[Kind, int] = {}
        self._waited = 0.0

    def require_time(self) -> None:
        """Nothing is asked once the run's time is over, or what the model was allotted. Raises `OutOfTime`, `PlanningOver`."""
        if self._time_left() <= 0:
            raise OutOfTime("the time of this run is over before the language model was asked", to_do=LATER)
        if self._allotted.left <= 0:
            raise PlanningOver(f"the language model took more than {self._whole} to answer")

    def wait(self, failure: Failure) -> None:
        """Wait before the next request.

        Raises:
            OutOfTime: the run's time ends first, and the study has had no answer yet.
            ModelError: it is no use, and the study has had no answer yet.
            PlanningOver: it is no use, but what is planned can run on; or all that the model was allotted is over.
        """
        told = failure.retry_after if (failure.retry_after or 0) >= 1 else None  # "at once" is no time to wait
        tries = self._tries[failure.kind] = self._tries.get(failure.kind, 0) + (told is None)
        seconds = self._pause(tries) if told is None else told
        if tries >= TRIES[failure.kind]:
            raise self.given_up(failure, f"{tries} times")
        if self._waited + seconds > LONGEST or not math.isfinite(seconds):
            raise self.given_up(failure, f"and the next try would be in {format_duration(max(seconds, 0.1))}")
        if seconds >= self._time_left():
            raise self._late(failure, seconds)
        if seconds >= self._allotted.left:
            how = f"within {self._whole}"
            raise PlanningOver(f"the language model's server gives no answer ({how}): {failure.message}")
        self._waited += seconds
        until = time.strftime("%H:%M:%S", time.localtime(time.time() + seconds))
        words = phrases("progress/model.j2")
        self._watcher.waiting(words.waiting(failure.message, format_duration(seconds), until))
        self._sleep(seconds)

    @property
    def _whole(self) -> str:
        return format_duration(self._allotted.seconds)

    def _late(self, failure: Failure, seconds: float) -> LesionError:
        """The deadline comes before the next try: a study that has no plan yet is left to a later run."""
        if self._began:
            return self.given_up(failure, "and the run's time ends before the next try")
        pause = format_duration(max(seconds, 0.1))
        return OutOfTime(
            f"the time of this run ends before the language model can be asked again, in {pause}: {failure.message}",
            to_do=LATER,
        )

    def given_up(self, failure: Failure, how: str) -> LesionError:
        """The end of asking: the study stops only where it has nothing planned yet."""
        error = PlanningOver if self._began else ModelError
        return error(
            f"the language model's server gives no answer ({how}): {failure.message}", to_do=ADVICE.get(failure.kind)
        )

    @staticmethod
    def _pause(tries: int) -> float:
        """Seconds, doubling, of which a random half: many clients that failed together come back apart."""
        whole = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
        return whole * (0.5 + 0.5 * random.random())
