"""Whether a terminal writes what is typed while nobody reads; light, so that it can be said before anything else is loaded."""

import termios
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TextIO


@contextmanager
def unechoed(keyboard: TextIO) -> Generator[None]:
    """What is typed meanwhile is not written into what is being drawn; it waits for the next prompt."""
    try:
        before = termios.tcgetattr(keyboard.fileno())
    except (termios.error, OSError, ValueError):
        yield
        return
    silent = [*before]
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(keyboard.fileno(), termios.TCSANOW, silent)
    try:
        yield
    finally:
        with suppress(termios.error):
            termios.tcsetattr(keyboard.fileno(), termios.TCSANOW, before)
