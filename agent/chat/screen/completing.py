"""What the prompt of one study offers: its commands, components and files, none of which is waited for."""

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice

from ..commandlist import COMMANDS
from ..desk import Desk
from .completion import ChatCompleter, Command

FRESH = 30.0
"""Seconds for which a list of files is good."""
MOST_FILES = 2000
PATIENCE = 0.2
"""Seconds for which the first list of files is waited for."""


def completer_of(desk: Desk) -> ChatCompleter:
    """Of one study."""
    commands = [Command(one.name, one.does, one.offers) for one in COMMANDS]
    return ChatCompleter(lambda: commands, lambda: desk.labels, ProjectFiles(partial(_readable_files, desk)).names)


class ProjectFiles:
    """The files of a project that may be read, listed now and then by a thread of its own: the prompt never waits long for them."""

    def __init__(self, listed: Callable[[], Iterable[str]]) -> None:
        """`listed`: lists them; only the first ones are taken."""
        self._listed, self._at = listed, float("-inf")
        self._names: list[str] = []
        self._thread: threading.Thread | None = None

    def names(self) -> list[str]:
        """Those that are known, relative to the root; a first list is waited for a moment."""
        is_first = self._thread is None
        if (self._thread is None or not self._thread.is_alive()) and time.monotonic() - self._at > FRESH:
            self._thread = threading.Thread(target=self._list, name="files", daemon=True)
            self._thread.start()
        if is_first and self._thread is not None:
            self._thread.join(PATIENCE)
        return self._names

    def _list(self) -> None:
        self._names, self._at = sorted(islice(self._listed(), MOST_FILES)), time.monotonic()


def _readable_files(desk: Desk) -> Iterable[str]:
    from ...reading.digest.readable import Readable

    spec = desk.spec
    return Readable(spec.root, spec.project.exclude, state=desk.state).files()
