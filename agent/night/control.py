"""What somebody outside asks of a run: to pause, to go on, to stop."""

import threading
from collections.abc import Callable


class Control:
    """Set by the thread that listens, read by the one that runs. Whoever asked first to stop is told in the reason."""

    def __init__(self) -> None:
        self._paused = threading.Event()
        self._lock = threading.Lock()
        self._reason: str | None = None
        self.halt: Callable[[], None] | None = None
        """Ends what runs at once; set by the run. It is called where a stop is not to wait."""
        self.busy: Callable[[], bool] = lambda: False
        """Whether a trial runs, for which a stop waits."""

    @property
    def paused(self) -> bool:
        """Whether nothing new may start."""
        return self._paused.is_set() and self._reason is None

    @property
    def held(self) -> bool:
        """Whether it was paused and nobody has let it go on, also where it is to end."""
        return self._paused.is_set()

    @property
    def stopping(self) -> str | None:
        """Why the run is to end; None where it is not."""
        return self._reason

    def pause(self) -> None:
        """Nothing new starts; what runs goes on."""
        self._paused.set()

    def resume(self) -> None:
        """Go on after a pause."""
        self._paused.clear()

    def stop(self, reason: str, *, now: bool = False) -> None:
        """Start nothing more; trials that run are waited for, unless it is to be `now`. Planning is never waited for."""
        with self._lock:
            self._reason = self._reason or reason
        if self.halt is not None and (now or not self.busy()):
            self.halt()
