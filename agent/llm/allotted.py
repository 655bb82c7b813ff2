"""How long a model may be waited for in all, where a study has more to do than to wait for it."""

import math
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Allotted:
    """Seconds that questions may take together, the waits between them included; they pass only while one is asked."""

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock, self._taken = clock, 0.0
        self._since: float | None = None

    @property
    def left(self) -> float:
        """Seconds; never negative."""
        asking = 0.0 if self._since is None else self._clock() - self._since
        return max(0.0, self.seconds - self._taken - asking)

    @contextmanager
    def passing(self) -> Generator[None]:
        """In the body the time passes."""
        self._since = began = self._clock()
        try:
            yield
        finally:
            self._taken += self._clock() - began
            self._since = None
