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
        self._made: dict[str, Any] = {}

    def get(self, name: str, make: Callable[[], T]) -> T:
        """The value of this name; made now where it is not known. What `make` raises is raised, and forgotten."""
        with self._lock:
            if name in self._made:
                return self._made[name]
            making = self._making.setdefault(name, Lock())
        with making:
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]

    def peek(self, name: str) -> Any:
        """The value if it is known, without waiting; else None."""
        return self._made.get(name)

    def forget(self) -> None:
        """From now on nothing is known."""
        with self._lock:
            self._made, self._making = {}, {}
