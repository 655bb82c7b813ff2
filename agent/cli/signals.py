"""Ctrl-C and its kin: the first ends the run cleanly, the second at once."""

import os
import signal
from types import FrameType


class Interrupted(BaseException):
    """A signal asked for the end; everything finished is in the ledger."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"stopped by {signal.Signals(number).name}; every finished trial is kept, `lesion run` goes on from here"
        )
        self.exit_code = 128 + number


def listen() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into `Interrupted`."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _first)


def listen_for_the_end() -> None:
    """Likewise without SIGINT: in a conversation Ctrl-C cancels a turn."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _first)


def _first(number: int, _frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _second)
    raise Interrupted(number)


def _second(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)
