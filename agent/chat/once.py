"""Things that are found out when they are first needed, once, whichever thread comes first, until they are forgotten."""

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Once:
    """Values by name. One that is being made holds up those who want the same, and nobody else."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._making: dict[str, Lock] = {}
        self._made: dict[str, tuple[object, Any]] = {}
        """Name → stamp and value."""

    def get(self, name: str, make: Callable[[], T], stamp: object = None) -> T:
        """The value of this name; made now where it is not known, or was made under another stamp.

        What `make` raises is raised, and forgotten.
        """
        with self._lock:
            making = self._making.setdefault(name, Lock())
        with making:
            known = self._made.get(name)
            if known is None or known[0] != stamp:
                known = self._made[name] = stamp, make()
            return known[1]

    def peek(self, name: str) -> Any:
        """The value if it is known, without waiting; else None."""
        known = self._made.get(name)
        return None if known is None else known[1]

    def forget(self) -> None:
        """From now on nothing is known."""
        with self._lock:
            self._made, self._making = {}, {}
