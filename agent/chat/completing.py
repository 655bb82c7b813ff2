"""What the prompt of one study offers: its commands, components and files, none of which is waited for."""

import time
from collections.abc import Iterable
from itertools import islice

from .commandlist import COMMANDS
from .completion import ChatCompleter, Command
from .desk import Desk

FRESH = 30.0
"""Seconds for which a list of files is good."""
MOST_FILES = 2000


def completer_of(desk: Desk) -> ChatCompleter:
    """Of one study."""
    commands = [Command(one.name, one.does, one.offers) for one in COMMANDS]
    return ChatCompleter(lambda: commands, lambda: desk.labels, _Files(desk).names)


class _Files:
    """The project's source files, listed now and then."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._at = desk, float("-inf")
        self._names: list[str] = []

    def names(self) -> Iterable[str]:
        """Relative to the root."""
        from ..keys import source_files

        if time.monotonic() - self._at > FRESH:
            spec = self._desk.spec
            found = islice(source_files(spec), MOST_FILES)
            self._names = [one.relative_to(spec.root).as_posix() for one in found]
            self._at = time.monotonic()
        return self._names
