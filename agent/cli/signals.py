"""Ctrl-C and its kin: the first ends the run cleanly, the second at once."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType


class Interrupted(SystemExit):
    """A signal asked for the end; everything finished is in the ledger. Event loops let exits through, and no other exception."""

    def __init__(self, number: int, again: str) -> None:
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name}; every finished trial is kept, {again} goes on from here")
        self.code = self.exit_code = 128 + number


ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def listen(
    *numbers: signal.Signals, again: str = "`lesion run`", last_words: Callable[[int], None] | None = None
) -> None:
    """Turn `numbers` (none: SIGINT, SIGTERM and SIGHUP) into `Interrupted`; `again` is what goes on from there.

    `last_words`: called with the number of a second one, before that ends the process at once.
    """

    def second(number: int, _frame: FrameType | None) -> None:
        if last_words is not None:
            with suppress(Exception):
                last_words(number)
        os._exit(128 + number)

    def first(number: int, _frame: FrameType | None) -> None:
        for each in ENDS:
            signal.signal(each, second)
        _ending.set()
        raise Interrupted(number, again)

    for number in numbers or ENDS:
        signal.signal(number, first)


def listen_for_the_end() -> None:
    """Likewise without SIGINT: in a conversation Ctrl-C cancels a turn."""
    listen(signal.SIGTERM, signal.SIGHUP)


_ending = threading.Event()
"""A first signal has come."""


def interrupt() -> None:
    """Stop as after the first signal, from any thread; nothing where it is stopping already: a second signal cuts that short."""
    if not _ending.is_set():
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


DETACH = b"detach"


def stop_when_closed(descriptor: int = 0) -> None:
    """Stop as after the first signal once `descriptor` is at its end; a line `detach` before that lets go for good.

    The end comes also when whoever holds the other end of the pipe is killed.
    """
    threading.Thread(target=_until_closed, args=(descriptor,), name="until-closed", daemon=True).start()


def _until_closed(descriptor: int) -> None:
    said = b""
    while data := _read(descriptor):
        *lines, said = (said + data).split(b"\n")
        if DETACH in (one.strip() for one in lines):
            return
    interrupt()


def _read(descriptor: int) -> bytes:
    """Past Python's own buffer, whose lock a thread that waits would hold when the program ends."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""
