"""Ends whatever the main thread is at, trials, planning or checks: at the deadline, and when somebody asks for it."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from .clock import Deadline
from .control import Control

SIGNAL = signal.SIGUSR1
PAUSED = ", and it was paused: `lesion resume` was not asked"
LOOK_SECONDS = 20.0
"""How long the watch sleeps at most: a clock that is set meanwhile is seen by then."""


class Halted(SystemExit):
    """The run is to end now; what is finished is in the ledger. Event loops let exits through, and no other exception."""


@contextmanager
def halting(control: Control, deadline: Deadline | None = None) -> Generator[None]:
    """In the body, of the main thread, `Halted` is raised at the deadline and where `control.halt` is called, once.

    Its argument is the reason. Leaving the body disarms it: what follows is never cut short. `deadline`: None where there
    is none, or what runs looks at it.
    """
    armed = threading.Event()

    def handler(_number: int, _frame: FrameType | None) -> None:
        if armed.is_set():
            armed.clear()
            raise Halted(control.stopping or "stopped")

    def halt() -> None:
        if armed.is_set():
            signal.pthread_kill(threading.main_thread().ident or 0, SIGNAL)

    before, earlier = signal.signal(SIGNAL, handler), control.halt
    over = threading.Event()
    armed.set()
    control.halt = halt
    if deadline is not None:
        threading.Thread(target=_watch, args=(control, deadline, over), name="deadline", daemon=True).start()
    try:
        if control.stopping:
            raise Halted(control.stopping)
        yield
    finally:
        armed.clear()
        over.set()
        control.halt = earlier
        signal.signal(SIGNAL, before)


def _watch(control: Control, deadline: Deadline, over: threading.Event) -> None:
    while (left := deadline.seconds_left()) > 0:
        if over.wait(min(left, LOOK_SECONDS)):
            return
    control.stop(deadline.told + (PAUSED if control.held else ""), now=True)
